// The launcher's program, which travels inside this library: nothing to install, nothing to find.
#pragma once

#include <string_view>

namespace reward::sandbox {

std::string_view embedded_launcher();

}  // namespace reward::sandbox
