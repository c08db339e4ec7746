#include "reward/expression.h"

#include <array>
#include <utility>

#include "reward/extract.h"

namespace reward {
namespace {

constexpr size_t most_bytes = 512, most_numbers = 64, most_digits = 18;
constexpr int most_depth = 64;

// Other spellings of the operators.
constexpr std::array<std::pair<std::string_view, char>, 10> spellings = {{{"\u00d7", '*'},
                                                                         {"\u00b7", '*'},
                                                                         {"\u22c5", '*'},
                                                                         {"\\times", '*'},
                                                                         {"\\cdot", '*'},
                                                                         {"\u00f7", '/'},
                                                                         {"\\div", '/'},
                                                                         {"\u2212", '-'},
                                                                         {"\\left(", '('},
                                                                         {"\\right)", ')'}}};

std::string plain_operators(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t length = 1;
    char c = text[0];
    for (const auto& [spelling, meaning] : spellings)
      if (text.substr(0, spelling.size()) == spelling) length = spelling.size(), c = meaning;
    out += c;
    text.remove_prefix(length);
  }
  return out;
}

// Recursive descent, one function a rule. The first error stands; every rule returns at once after it.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Expression parse() {
    Rational value = sum();
    if (ok() && at('=')) out_.claimed = claim();
    if (ok() && position_ < text_.size()) fail("cannot read '" + std::string(1, text_[position_]) + "' there");
    if (ok()) out_.value = std::move(value);
    return std::move(out_);
  }

 private:
  bool ok() const { return out_.error.empty(); }
  Rational fail(std::string why) {
    if (ok()) out_.error = std::move(why);
    return {};
  }
  bool at(char c) {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    return position_ < text_.size() && text_[position_] == c;
  }
  bool take(char c) {
    ++out_.steps;
    if (!at(c)) return false;
    ++position_;
    return true;
  }

  Rational sum() {
    Rational value = product();
    while (ok()) {
      if (take('+')) value = value + product();
      else if (take('-')) value = value - product();
      else break;
    }
    return value;
  }

  Rational product() {
    Rational value = primary();
    while (ok()) {
      if (take('*')) {
        value = value * primary();
      } else if (take('/')) {
        const auto quotient = divide(value, primary());
        if (!quotient) return fail("division by zero");
        value = *quotient;
      } else {
        break;
      }
    }
    return value;
  }

  Rational primary() {
    if (!take('(')) return number();
    if (++depth_ > most_depth) return fail("more than 64 open parentheses");
    Rational value = sum();
    if (ok() && !take(')')) return fail("a parenthesis is not closed");
    --depth_;
    return value;
  }

  Rational number() {
    const auto digits = read_digits();
    if (!ok()) return {};
    if (out_.numbers.size() == most_numbers) return fail("more than 64 numbers");
    out_.numbers.push_back(Natural::from_digits(digits));
    return {false, out_.numbers.back(), Natural::from_digits("1")};
  }

  Rational claim() {
    take('=');
    const bool negative = take('-');
    const auto digits = read_digits();
    return {negative, Natural::from_digits(digits), Natural::from_digits("1")};
  }

  std::string_view read_digits() {
    at('0');  // skips white space
    size_t end = position_;
    while (end < text_.size() && is_digit(text_[end])) ++end;
    const auto digits = text_.substr(position_, end - position_);
    if (digits.empty()) fail("a number is missing");
    if (digits.size() > most_digits) fail("a number has more than 18 digits");
    position_ = end;
    return digits;
  }

  std::string_view text_;
  size_t position_ = 0;
  int depth_ = 0;
  Expression out_;
};

}  // namespace

Expression parse_expression(std::string_view text) {
  if (text.size() > most_bytes) {
    Expression out;
    out.error = "longer than 512 bytes";
    return out;
  }
  const std::string plain = plain_operators(text);
  return Parser(trim(plain)).parse();
}

}  // namespace reward
