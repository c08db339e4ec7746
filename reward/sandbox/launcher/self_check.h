// Looks at the walls from inside, as a program would meet them.
#pragma once

namespace reward::sandbox {

// Runs as a job. Prints one line a wall: name, tab, 1 or 0, tab, what was tried. With the argument "memory" it only takes
// 256 MB, which the memory cgroup should not let it have.
[[noreturn]] void self_check();

}  // namespace reward::sandbox
