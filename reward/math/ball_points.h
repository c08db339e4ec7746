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
  bool pieces = false;               // bars, roots, floors, min, gcd: another formula on each side of a border
};

PointPlan plan_points(const Tree& tree, Index a, Index b);

// Points that a formula in pieces needs beyond the usual ones, at numbers from first_piece on: any sign for each symbol by
// itself, sizes to 10, 1,000, 100,000 and 10,000,000 in turn, every second one whole; then sizes to 1, 2, 3 and 5, since a piece
// may be as narrow as (-1, 0) or (-2, -1). If all must be whole, just more points.
constexpr int64_t first_piece = 1000, far_pieces = 64, pieces = 96;

// The values of all symbols at point `number`; the same on every machine. Three kinds take turns: in (0, 1), in (1, 10), and
// of any sign (the first two of these all negative), as multiples of 1/1009. In the complex plane the
// symbols called z, w or omega get an imaginary part.
Bindings make_point(const PointPlan& plan, int64_t number);

}  // namespace reward::math
