// Arithmetic in text: whole numbers, + - * /, parentheses. Exact, and nothing else: no power, no sign, no variable, no
// "2(3)", no decimals. Also read: × · \times \cdot for *, ÷ \div for /, − for -, \left( and \right).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reward/number.h"

namespace reward {

struct Expression {
  std::string error;                  // empty: read and evaluated
  std::optional<Rational> value;      // none also for a division by zero (error says so)
  std::vector<Natural> numbers;       // as they occur, from left to right
  std::optional<Rational> claimed;    // N of a trailing "= N"
  int64_t steps = 0;                  // grammar rules tried: at most a few a byte
};

// Limits: 512 bytes, 64 open parentheses, 64 numbers of at most 18 digits. Beyond them `error` says which.
Expression parse_expression(std::string_view text);

}  // namespace reward
