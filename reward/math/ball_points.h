// The points at which formulas are compared.
#pragma once

#include <string>
#include <vector>

#include "reward/math/exact.h"
#include "reward/math/tree.h"

namespace reward::math {

struct PointPlan {
  std::vector<std::string> symbols;  // of both formulas, sorted
  bool whole = false;                // whole positive values only
  bool complex = false;              // principal values in the complex plane
};

PointPlan plan_points(const Tree& tree, Index a, Index b);

// The values of all symbols at point `number`; the same on every machine. Three kinds take turns: in (0, 1), in (1, 10), and
// of any sign (the first two of these all negative), as multiples of 1/1009. In the complex plane the
// symbols called z, w or omega get an imaginary part.
Bindings make_point(const PointPlan& plan, int64_t number);

}  // namespace reward::math
