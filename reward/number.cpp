#include "reward/number.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

namespace reward {
namespace {

constexpr uint32_t base = 1000000000;
constexpr size_t most_digits = 1000;
constexpr int most_exponent = 400;

// Reads the parts of a number from the front of a text; every function leaves `text` behind what it read.
struct Reader {
  std::string_view text;

  bool at(char c) const { return !text.empty() && text[0] == c; }
  bool at_digit() const { return !text.empty() && is_digit(text[0]); }
  bool take(std::string_view word) {
    if (text.substr(0, word.size()) != word) return false;
    text.remove_prefix(word.size());
    return true;
  }
  void skip_spaces() {
    while (at(' ')) text.remove_prefix(1);
  }
  std::string_view digits() {
    size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    const auto read = text.substr(0, n);
    text.remove_prefix(n);
    return read;
  }
  bool sign() {  // true: negative
    const bool negative = take("-") || take("\u2212");
    if (!negative) take("+");
    skip_spaces();
    return negative;
  }
  std::optional<std::string> whole_part();
  std::optional<Rational> decimal();
  std::optional<Rational> signed_decimal();
  std::optional<Rational> argument();
  std::optional<Rational> number();
};

// Digits, or groups 1,234,567: the first of one to three digits and not starting with 0, each other of exactly three.
std::optional<std::string> Reader::whole_part() {
  std::string all(digits());
  if (!at(',')) return all;
  if (all.empty() || all.size() > 3 || all[0] == '0') return std::nullopt;
  while (take(",")) {
    const auto group = digits();
    if (group.size() != 3) return std::nullopt;
    all += group;
  }
  return all;
}

std::optional<Rational> Reader::decimal() {
  auto whole = whole_part();
  if (!whole) return std::nullopt;
  std::string_view fraction;
  if (take(".")) fraction = digits();
  if (whole->size() + fraction.size() == 0 || whole->size() + fraction.size() > most_digits) return std::nullopt;
  int exponent = 0;
  if (take("e") || take("E")) {
    const bool negative = take("-");
    if (!negative) take("+");
    const auto read = digits();
    if (read.empty() || read.size() > 3) return std::nullopt;
    for (const char c : read) exponent = exponent * 10 + (c - '0');
    if (exponent > most_exponent) return std::nullopt;
    if (negative) exponent = -exponent;
  }
  const int scale = exponent - static_cast<int>(fraction.size());  // value = digits * 10^scale
  std::string top = *whole + std::string(fraction), bottom = "1";
  (scale >= 0 ? top : bottom).append(static_cast<size_t>(std::abs(scale)), '0');
  return Rational{false, Natural::from_digits(top), Natural::from_digits(bottom)};
}

std::optional<Rational> Reader::signed_decimal() {
  const bool negative = sign();
  const auto value = decimal();
  return value && negative ? value->negated() : value;
}

// What \frac takes: {number}, or one digit.
std::optional<Rational> Reader::argument() {
  skip_spaces();
  if (at_digit()) {
    const auto digit = text.substr(0, 1);
    text.remove_prefix(1);
    return Rational{false, Natural::from_digits(digit), Natural::from_digits("1")};
  }
  if (!take("{")) return std::nullopt;
  skip_spaces();
  const auto value = signed_decimal();
  skip_spaces();
  if (!value || !take("}")) return std::nullopt;
  return value;
}

std::optional<Rational> Reader::number() {
  skip_spaces();
  const bool negative = sign();
  std::optional<Rational> value;
  if (take("\\frac")) {
    const auto top = argument();
    const auto bottom = top ? argument() : std::nullopt;
    if (bottom) value = divide(*top, *bottom);
    skip_spaces();
  } else if ((value = decimal())) {
    skip_spaces();
    if (take("/")) {
      skip_spaces();
      const auto bottom = signed_decimal();
      value = bottom ? divide(*value, *bottom) : std::nullopt;
      skip_spaces();
    }
  }
  if (!value || !text.empty()) return std::nullopt;
  return negative ? value->negated() : value;
}

}  // namespace

Natural Natural::from_digits(std::string_view digits) {
  Natural result;
  for (size_t end = digits.size(); end > 0; end -= std::min<size_t>(end, 9)) {
    uint32_t limb = 0;
    for (size_t i = end > 9 ? end - 9 : 0; i < end; ++i) limb = limb * 10 + static_cast<uint32_t>(digits[i] - '0');
    result.limbs_.push_back(limb);
  }
  result.drop_leading_zeros();
  return result;
}

std::string Natural::to_string() const {
  if (limbs_.empty()) return "0";
  std::string text = fmt::format("{}", limbs_.back());
  for (size_t i = limbs_.size() - 1; i-- > 0;) text += fmt::format("{:09}", limbs_[i]);
  return text;
}

void Natural::drop_leading_zeros() {
  while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
}

int compare(const Natural& a, const Natural& b) {
  if (a.limbs_.size() != b.limbs_.size()) return a.limbs_.size() < b.limbs_.size() ? -1 : 1;
  for (size_t i = a.limbs_.size(); i-- > 0;)
    if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] < b.limbs_[i] ? -1 : 1;
  return 0;
}

Natural operator+(const Natural& a, const Natural& b) {
  Natural sum;
  uint32_t carry = 0;
  for (size_t i = 0; i < std::max(a.limbs_.size(), b.limbs_.size()) || carry; ++i) {
    uint32_t limb = carry;
    if (i < a.limbs_.size()) limb += a.limbs_[i];
    if (i < b.limbs_.size()) limb += b.limbs_[i];
    carry = limb >= base;
    sum.limbs_.push_back(carry ? limb - base : limb);
  }
  return sum;
}

Natural operator-(const Natural& a, const Natural& b) {
  Natural difference = a;
  uint32_t borrow = 0;
  for (size_t i = 0; i < a.limbs_.size(); ++i) {
    const uint32_t taken = borrow + (i < b.limbs_.size() ? b.limbs_[i] : 0);
    borrow = a.limbs_[i] < taken;
    difference.limbs_[i] = a.limbs_[i] + (borrow ? base : 0) - taken;
  }
  difference.drop_leading_zeros();
  return difference;
}

Natural operator*(const Natural& a, const Natural& b) {
  Natural product;
  product.limbs_.resize(a.limbs_.size() + b.limbs_.size());
  for (size_t i = 0; i < a.limbs_.size(); ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < b.limbs_.size() || carry; ++j) {
      uint64_t limb = product.limbs_[i + j] + carry;
      if (j < b.limbs_.size()) limb += uint64_t{a.limbs_[i]} * b.limbs_[j];
      product.limbs_[i + j] = static_cast<uint32_t>(limb % base);
      carry = limb / base;
    }
  }
  product.drop_leading_zeros();
  return product;
}

Rational Rational::negated() const { return {!negative && !numerator.is_zero(), numerator, denominator}; }

Rational operator+(const Rational& a, const Rational& b) {
  const auto left = a.numerator * b.denominator, right = b.numerator * a.denominator;
  const auto denominator = a.denominator * b.denominator;
  if (a.negative == b.negative) return {a.negative, left + right, denominator};
  const int order = compare(left, right);
  if (order == 0) return {false, Natural(), denominator};
  return order > 0 ? Rational{a.negative, left - right, denominator} : Rational{b.negative, right - left, denominator};
}

Rational operator*(const Rational& a, const Rational& b) {
  const auto numerator = a.numerator * b.numerator;
  return {a.negative != b.negative && !numerator.is_zero(), numerator, a.denominator * b.denominator};
}

bool operator==(const Rational& a, const Rational& b) {
  return a.negative == b.negative && a.numerator * b.denominator == b.numerator * a.denominator;
}

std::optional<Rational> divide(const Rational& a, const Rational& b) {
  if (b.numerator.is_zero()) return std::nullopt;
  return a * Rational{b.negative, b.denominator, b.numerator};
}

std::optional<Rational> parse_number(std::string_view text) { return Reader{text}.number(); }

}  // namespace reward
