// Where the files are that ship with the program.
#pragma once

#include <string>

namespace rl {

// configs/NAME of the checkout: the one above the program, else the one above the working folder; relative where that is the
// working folder itself. Empty: there is none.
std::string shipped_folder(const std::string& name);

}  // namespace rl
