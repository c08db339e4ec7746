#include "reward/number.h"

#include <fmt/core.h>

#include <algorithm>

namespace reward {
namespace {

constexpr uint32_t base = 1000000000;
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

}  // namespace reward
