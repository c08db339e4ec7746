// Output that nothing can break: a full disk, a closed terminal, a reader that went away.
#pragma once

#include <cstdio>

namespace rl {

// Puts a stream in place of `stream` (stderr, stdout) that writes to `descriptor` and forgets what is refused. fmt::print throws
// when a stream takes less than it was given, so without it a log on a full disk ends the run that it tells of. `buffering` as
// setvbuf takes it. Call it before other threads run.
void forgive_failed_writes(std::FILE*& stream, int descriptor, int buffering);

}  // namespace rl
