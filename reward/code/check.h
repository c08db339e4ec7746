// One check of a gold: a small expression over what the candidate's calls returned, settled outside the candidate's process.
//
// plan.py writes checks as JSON lists: ["call", 3], ["const", VALUE], ["eq", A, B], and so on; null where only Python can settle
// the check. The operators mean what they mean in Python: eq ne lt le gt ge is is_not in not_in not and or truth abs sub isclose
// set frozenset sorted tuple list len. ["raises", 3, "ValueError"...]: call 3 ended in one of these exceptions.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "reward/code/value.h"

namespace reward::code {

enum class Settled { holds, fails, unknown };  // unknown: for Python to say

struct Check {
  enum class Op {
    python, call, constant, eq, ne, lt, le, gt, ge, is, is_not, in, not_in, negate, both, either, truth, abs, sub, isclose,
    set, frozenset, sorted, tuple, list, len, raises,
  };
  Op op = Op::python;
  int64_t call = 0;               // Op::call, Op::raises: which
  std::vector<std::string> kinds; // Op::raises
  Value constant;                 // Op::constant
  std::vector<Check> arguments;
};

// The operator of plan.py's word; nothing if it is not one.
std::optional<Check::Op> operator_named(const std::string& word);

// `results`: one value a call. unknown for a type that an operator does not take (Python would raise), and where exact
// arithmetic would need more than a double or 64 bits.
Settled settle(const Check& check, const std::vector<Value>& results);

}  // namespace reward::code
