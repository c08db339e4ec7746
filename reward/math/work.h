// The count of work left in one comparison. A step is roughly 20 nanoseconds, but counted, so that a verdict never depends
// on the machine: every node visited, polynomial operation and ball operation takes some.
#pragma once

#include <cstdint>

#include "reward/math/tree.h"

namespace reward::math {

struct LimitReached {};  // thrown by Work and caught by compare(): nobody else sees it

class Work {
 public:
  explicit Work(const Limits& limits) : left_(limits.work), result_bits_(limits.result_bits) {}
  void spend(int64_t steps) {
    left_ -= steps;
    if (left_ < 0) throw LimitReached{};
  }
  // One operation on rationals or coefficients of this many bits; gcds make it quadratic.
  void spend_bits(int64_t bits) {
    const int64_t limbs = bits / 64;
    spend(3 + limbs + limbs * limbs / 64);
  }
  int64_t left() const { return left_; }
  int64_t result_bits() const { return result_bits_; }

 private:
  int64_t left_;
  int64_t result_bits_;
};

}  // namespace reward::math
