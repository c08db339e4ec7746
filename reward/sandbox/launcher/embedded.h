// Files that travel inside the launcher.
#pragma once

#include <string_view>

namespace reward::sandbox {

std::string_view embedded_jail();    // jail.cpp and jail_drop.cpp as a shared object
std::string_view embedded_zygote();  // zygote.py

}  // namespace reward::sandbox
