// The folder that a command is to write a model to.
#pragma once

#include <string>

namespace rl {

// Throws UsageError unless `out` is new or empty, or, with `force`, a model folder and nothing else: it is replaced whole.
void check_output_folder(const std::string& out, bool force);

}  // namespace rl
