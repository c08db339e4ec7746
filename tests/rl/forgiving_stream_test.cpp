#include "rl/report/forgiving_stream.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

TEST_CASE("a forgiving stream writes what it can and forgets what a full disk refuses", "[forgiving_stream]") {
  std::FILE* stream = nullptr;
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  rl::forgive_failed_writes(stream, full, _IONBF);
  REQUIRE(stream != nullptr);
  CHECK_NOTHROW(fmt::print(stream, "{}\n", std::string(10000, 'x')));
  CHECK(std::fclose(stream) == 0);
  ::close(full);

  const testing::Folder folder;
  const int file = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  rl::forgive_failed_writes(stream, file, _IONBF);
  fmt::print(stream, "one {}\n", 1);
  CHECK(folder.text("log") == "one 1\n");  // at once
  CHECK(std::fclose(stream) == 0);
  ::close(file);
}
