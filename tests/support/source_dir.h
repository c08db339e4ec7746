// The folder of the checkout. One file knows it, so that the compiler cache serves every other one in any clone.
#pragma once

#include <string>

namespace testing {

const std::string& source_dir();

}  // namespace testing
