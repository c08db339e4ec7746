#include "kernels/watchdog.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "kernels/trace.h"
#include "tests/support/catch.h"

namespace {

using Catch::Matchers::Contains;

TEST_CASE("a wait that passes its deadline is told once, with a report of every thread", "[watchdog]") {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::string report;
  int told = 0;
  std::thread stuck([&] {
    kernels::name_trace_lane("stuck-thread");
    const kernels::Wait wait("a parcel");
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return over; });
  });
  {
    std::promise<std::string> late;
    const kernels::Watchdog watchdog(0.05, [&](const std::string& what, const std::string& threads) {
      ++told;
      report = threads;
      late.set_value(what);
    });
    CHECK_THAT(late.get_future().get(), Contains("waiting for a parcel since"));
    std::this_thread::sleep_for(std::chrono::milliseconds(150));  // long enough to be told again, were it so
  }
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  changed.notify_all();
  stuck.join();
  CHECK(told == 1);
  CHECK_THAT(report, Contains("\"stuck-thread\", state S"));
  CHECK_THAT(report, Contains("waits for a parcel since"));
  CHECK_THAT(report, Contains("libc"));  // the stack goes down into the system's library
  CHECK_THAT(report, Contains("writes this report"));
}

TEST_CASE("waits that end in time are not told", "[watchdog]") {
  bool told = false;
  {
    const kernels::Watchdog watchdog(0.2, [&](const std::string&, const std::string&) { told = true; });
    for (int i = 0; i < 20; ++i) {
      const kernels::Wait wait("a moment");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  CHECK(!told);
  CHECK_THAT(kernels::thread_report(), !Contains("waits for"));
}

}  // namespace
