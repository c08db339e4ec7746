#include "rl/report/forgiving_stream.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace rl {
namespace {

ssize_t write_or_forget(void* cookie, const char* text, size_t size) {
  const int descriptor = static_cast<int>(reinterpret_cast<intptr_t>(cookie));
  for (size_t done = 0; done < size;) {
    const ssize_t written = ::write(descriptor, text + done, size - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

void forgive_failed_writes(std::FILE*& stream, int descriptor, int buffering) {
  cookie_io_functions_t functions{};
  functions.write = write_or_forget;
  std::FILE* forgiving = fopencookie(reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)), "w", functions);
  if (forgiving == nullptr) return;
  if (stream != nullptr) std::fflush(stream);
  std::setvbuf(forgiving, nullptr, buffering, BUFSIZ);
  stream = forgiving;
}

}  // namespace rl
