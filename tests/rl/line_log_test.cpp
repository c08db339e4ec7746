#include "rl/line_log.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "kernels/error.h"
#include "rl/event_log.h"
#include "rl/report/forgiving_stream.h"
#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

namespace {

// While it lives, files of this process end at so many bytes: a write is cut there, and the next one refused.
class FullDisk {
 public:
  explicit FullDisk(uint64_t bytes) {
    before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }
  FullDisk(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*before_handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("lines that a full disk cuts or refuses are whole, in order and once, as soon as there is room", "[line_log]") {
  rl::forgive_failed_writes(stderr, STDERR_FILENO, _IONBF);  // it may be a file, and the limit is for that too
  const testing::Folder folder;
  rl::LineLog log(folder / "lines");
  log.append("one");
  {
    const FullDisk full(6);
    log.append("two");  // two bytes of it fit
    log.append("three");
    CHECK_THROWS_AS(log.sync(), kernels::Error);
    CHECK(folder.text("lines") == "one\ntw");
  }
  log.append("four");
  CHECK_NOTHROW(log.sync());
  CHECK(folder.text("lines") == "one\ntwo\nthree\nfour\n");
  {
    const FullDisk full(6);
    log.append("five");
  }
  log.retry();
  CHECK(folder.text("lines") == "one\ntwo\nthree\nfour\nfive\n");
}

TEST_CASE("half a line that a kill left is cut off before the next line", "[line_log]") {
  const testing::Folder folder;
  folder.put("lines", "one\n{\"half\":");
  rl::LineLog(folder / "lines").append("two");
  CHECK(folder.text("lines") == "one\ntwo\n");
  folder.put("lines", std::string(5000, 'x'));  // longer than what is read at a time
  rl::LineLog(folder / "lines").append("two");
  CHECK(folder.text("lines") == "two\n");
  folder.put("lines", "one\n" + std::string(5000, 'x'));
  rl::LineLog(folder / "lines").append("two");
  CHECK(folder.text("lines") == "one\ntwo\n");
  folder.put("lines", "one\n");
  rl::LineLog(folder / "lines").append("two");
  CHECK(folder.text("lines") == "one\ntwo\n");
}

TEST_CASE("an event that the disk refused is written with the next one", "[line_log]") {
  const testing::Folder folder;
  const std::string run = folder / "run";
  rl::append_event(run, "grpo", 3, "save_failed", "the folder is not there yet");
  CHECK(rl::read_events(run).empty());
  std::filesystem::create_directories(run);
  rl::append_event(run, "grpo", 4, "saved", "it is");
  const auto events = rl::read_events(run);
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == "save_failed");
  CHECK(events[1].step == 4);
}
