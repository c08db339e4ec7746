// Are two trees the same answer? Exact arithmetic first, then a normal form, then balls at random points.
#pragma once

#include <string>

#include "reward/math/tree.h"

namespace reward::math {

enum class Equality { equal, different, undecided, limit };

struct Comparison {
  Equality equality = Equality::undecided;
  std::string reason;  // which stage decided: "rational", "normal_form", "ball", "set", "interval", "relation", "text", ...
};

// Symmetric where mathematics is. The work is counted, not timed; the random points have a fixed seed.
Comparison compare(const Tree& answer, const Tree& gold, const Conventions& conventions, const Limits& limits);

}  // namespace reward::math
