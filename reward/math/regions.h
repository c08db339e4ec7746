// Subsets of the real line, compared cell by cell.
//
// Intervals, points, unions, intersections, differences, R, and inequalities in one unknown. The ends and roots of both
// sides cut the line into points and gaps; a side is the set of cells that it holds.
#pragma once

#include <optional>

#include "reward/math/tree.h"

namespace reward::math {

class Comparer;

// Nothing where an end has symbols, ends cannot be ordered, or an inequality is of higher degree. Throws LimitReached.
std::optional<bool> same_region(Comparer& comparer, Index a, Index b);

}  // namespace reward::math
