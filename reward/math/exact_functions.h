// Functions of exact rational arguments that have exact rational values.
#pragma once

#include <string>
#include <vector>

#include "reward/math/exact.h"

namespace reward::math {

// `name` and the number of arguments are as in tree.h; state none where the value is irrational or not of this kind.
Exact exact_function(const std::string& name, const std::vector<Rational>& arguments, Work& work);
Exact exact_factorial(const Rational& n, Work& work);

}  // namespace reward::math
