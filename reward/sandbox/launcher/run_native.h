// The last step of a job without Python: the program that the child becomes.
#pragma once

namespace reward::sandbox {

[[noreturn]] void run_native();  // after jail_drop()

}  // namespace reward::sandbox
