// Comparisons of trees written in prefix notation.
#pragma once

#include <ostream>
#include <string>

#include "reward/math/compare.h"
#include "tests/reward/math/read_tree.h"

namespace testing {

inline std::string compared(const std::string& answer, const std::string& gold, const reward::math::Conventions& conventions = {},
                            const reward::math::Limits& limits = {}) {
  switch (reward::math::compare(read_tree(answer), read_tree(gold), conventions, limits).equality) {
    case reward::math::Equality::equal: return "equal";
    case reward::math::Equality::different: return "different";
    case reward::math::Equality::undecided: return "undecided";
    case reward::math::Equality::limit: return "limit";
  }
  return "";
}

// The verdict in both directions, or both where they differ.
inline std::string both_ways(const std::string& a, const std::string& b, const reward::math::Conventions& conventions = {}) {
  const auto there = compared(a, b, conventions), back = compared(b, a, conventions);
  return there == back ? there : there + " and back " + back;
}

}  // namespace testing
