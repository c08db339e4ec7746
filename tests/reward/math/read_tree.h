// Trees for tests, from the prefix notation of to_string in reward/math/tree.h: "(sum 1 (product 2 x))".
#pragma once

#include <string_view>

#include "reward/math/tree.h"

namespace testing {

// Throws std::runtime_error with the rest of the text where it stops making sense. Leaves: 12, 0.50, 1.5e3, 204_5, x, pi,
// euler, imaginary, infinity, empty_set, "words", (choice B), (number_set R). Heads with something before the children:
// (relation < <= 1 x 2), (interval "[)" 0 1), (matrix 2 1 2 3 4), (quantity "cm" 5), (call f x), (plus_minus - 2). Any other
// head is a function: (sin x), (log 8 2).
reward::math::Tree read_tree(std::string_view text);

}  // namespace testing
