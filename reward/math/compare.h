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

// Symmetric where mathematics is. The work is counted, not timed; the random points have a fixed seed. Safe from any
// thread; nothing is shared between calls. Never throws but for memory: a tree that breaks the rules of tree.h is undecided.
//
// By kind of both sides, after parts are compared in the same way:
//   numbers, formulas   exact rationals (exact.h), the decimal rule (decimal_rule.h), normal forms (normal_form.h), balls at
//                       random points (ball.h). What is undefined equals nothing but its own spelling.
//   lists, sets         in any order; a set counts each member once, a list (1, 1, 2) does not. \pm a is the set {a, -a}.
//                       A set of one member equals the member.
//   tuples              in order; a row or column matrix is one too; two members may be an open interval
//   intervals, unions   as sets of points on the line, and inequalities in one unknown with them (regions.h)
//   equations           left - right proportional after clearing denominators, or the same solutions of degree 1 or 2
//   inequalities        left - right proportional by a positive factor, or the same points
//   x = v               equals v, also f(x) = v, AB = v, P(A) = v, sin t = v and 2 + 3 = v, but not 2x = v. Chains:
//                       the last side, unless numbers in it differ; of x = 1/3 approx 0.33 the exact part
//   units               one side may lack it; two units never match. A letter that the other side uses is a variable.
//   degrees             x degrees equals x, and x pi / 180 where the other side is written with pi; in sin(...) always x pi / 180
//   204_5               only a numeral in the same base
Comparison compare(const Tree& answer, const Tree& gold, const Conventions& conventions, const Limits& limits);

}  // namespace reward::math
