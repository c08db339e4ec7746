#include "kernels/thread_pool.h"

#include <array>
#include <atomic>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/every_isa.h"

using kernels::parallel_for;

TEST_CASE("every task runs once, on any number of threads", "[thread_pool]") {
  const testing::KernelSettings saved;
  for (const int64_t threads : {1, 2, 5}) {
    kernels::set_threads(threads);
    CHECK(kernels::threads() == threads);
    for (const int64_t count : {0, 1, 2, 3, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
      parallel_for(count, [&](int64_t i) { ++runs[static_cast<size_t>(i)]; });
      for (const auto& n : runs) REQUIRE(n == 1);
    }
  }
}

TEST_CASE("0 threads means all cores", "[thread_pool]") {
  const testing::KernelSettings saved;
  kernels::set_threads(0);
  CHECK(kernels::threads() >= 1);
}

TEST_CASE("no task, no call", "[thread_pool]") {
  int calls = 0;
  parallel_for(0, [&](int64_t) { ++calls; });
  parallel_for(-3, [&](int64_t) { ++calls; });
  kernels::parallel_ranges(0, 16, [&](int64_t, int64_t) { ++calls; });
  CHECK(calls == 0);
}

TEST_CASE("ranges cover all once, in pieces of at least the grain", "[thread_pool]") {
  const testing::KernelSettings saved;
  kernels::set_threads(3);
  for (const int64_t count : {1, 7, 16, 17, 1000})
    for (const int64_t grain : {1, 5, 16, 5000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
      std::atomic<bool> too_small{false};
      kernels::parallel_ranges(count, grain, [&](int64_t begin, int64_t end) {
        if (end - begin < std::min(grain, count)) too_small = true;
        for (int64_t i = begin; i < end; ++i) ++runs[static_cast<size_t>(i)];
      });
      for (const auto& n : runs) REQUIRE(n == 1);
      CHECK_FALSE(too_small);
    }
}

TEST_CASE("a call from inside a body runs on that body's thread", "[thread_pool]") {
  const testing::KernelSettings saved;
  kernels::set_threads(3);
  std::atomic<int> total{0}, elsewhere{0};
  parallel_for(20, [&](int64_t) {
    const auto here = std::this_thread::get_id();
    parallel_for(30, [&](int64_t) {
      ++total;
      if (std::this_thread::get_id() != here) ++elsewhere;
      parallel_for(2, [&](int64_t) { ++total; });
    });
  });
  CHECK(total == 20 * 30 * 3);
  CHECK(elsewhere == 0);
}

TEST_CASE("the exception of a body comes out, the other tasks still run, and the pool works on", "[thread_pool]") {
  const testing::KernelSettings saved;
  for (const int64_t threads : {2, 4}) {
    kernels::set_threads(threads);
    std::atomic<int> runs{0};
    REQUIRE_THROWS_WITH(parallel_for(50,
                                     [&](int64_t i) {
                                       ++runs;
                                       if (i == 20) throw std::runtime_error("task 20");
                                     }),
                        "task 20");
    CHECK(runs == 50);
    runs = 0;
    parallel_for(50, [&](int64_t) { ++runs; });
    CHECK(runs == 50);
  }
  kernels::set_threads(1);
  REQUIRE_THROWS_AS(parallel_for(5, [](int64_t) { throw std::logic_error("alone"); }), std::logic_error);
  std::set<std::thread::id> ids;
  kernels::set_threads(2);
  std::mutex mutex;
  parallel_for(5, [&](int64_t) {  // an exception must not leave its thread marked as inside a body
    const std::lock_guard<std::mutex> lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  CHECK(!ids.empty());
}

TEST_CASE("an exception in a nested call reaches the outer caller", "[thread_pool]") {
  const testing::KernelSettings saved;
  kernels::set_threads(2);
  const auto deep = [](int64_t) { throw std::runtime_error("deep"); };
  REQUIRE_THROWS_WITH(parallel_for(4, [&](int64_t) { parallel_for(4, deep); }), "deep");
}

TEST_CASE("callers on several threads at once all get their work done", "[thread_pool]") {
  const testing::KernelSettings saved;
  kernels::set_threads(2);
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) parallel_for(17, [&](int64_t i) { total += i; });
    });
  for (auto& t : callers) t.join();
  CHECK(total == 4 * 100 * (17 * 16 / 2));
}

TEST_CASE("two callers beside each other keep their own tasks and exceptions, while helpers rest and come back", "[thread_pool]") {
  const testing::KernelSettings saved;
  for (const int64_t threads : {2, 3, 5}) {
    kernels::set_threads(threads);
    std::array<std::atomic<int64_t>, 2> sums{}, caught{};
    std::vector<std::thread> callers;
    for (size_t c = 0; c < 2; ++c)
      callers.emplace_back([&, c] {
        for (int round = 0; round < 300; ++round) {
          const kernels::Callers beside(round % 3 == 0 ? 1 : 0);
          try {
            parallel_for(23, [&](int64_t i) {
              sums[c] += i + static_cast<int64_t>(c);
              if (round % 7 == 0 && i == 11) throw std::runtime_error(c == 0 ? "first" : "second");
            });
          } catch (const std::runtime_error& error) {
            caught[c] += std::string(error.what()) == (c == 0 ? "first" : "second");
          }
        }
      });
    for (auto& t : callers) t.join();
    CHECK(sums[0] == 300 * 253);  // 0 + 1 + .. + 22
    CHECK(sums[1] == 300 * (253 + 23));
    CHECK(caught[0] == 43);       // rounds 0, 7, .. 294
    CHECK(caught[1] == 43);
  }
}

TEST_CASE("a region is finished although all helpers rest, and they work again afterwards", "[thread_pool]") {
  const testing::KernelSettings saved;
  kernels::set_threads(3);
  std::atomic<int> runs{0};
  {
    const kernels::Callers many(2);
    for (int round = 0; round < 50; ++round) parallel_for(10, [&](int64_t) { ++runs; });
    CHECK(runs == 500);
  }
  // Two tasks that wait for each other need two threads.
  std::atomic<int> here{0};
  parallel_for(2, [&](int64_t) {
    ++here;
    while (here < 2) std::this_thread::yield();
  });
  CHECK(here == 2);
}

TEST_CASE("many short jobs in a row, with threads set anew between", "[thread_pool]") {
  const testing::KernelSettings saved;
  std::atomic<int64_t> total{0};
  for (int round = 0; round < 30; ++round) {
    kernels::set_threads(1 + round % 4);
    for (int job = 0; job < 50; ++job) parallel_for(5, [&](int64_t) { ++total; });
  }
  CHECK(total == 30 * 50 * 5);
}

#if defined(__x86_64__)
TEST_CASE("bodies run under flush-to-zero on every thread, and the caller's mode comes back", "[thread_pool]") {
  const testing::KernelSettings saved;
  volatile float tiny = std::numeric_limits<float>::min();
  const auto halves = [&] { return tiny * 0.5f != 0.0f; };
  REQUIRE(halves());
  for (const int64_t threads : {1, 3}) {
    kernels::set_threads(threads);
    std::atomic<int> kept{0};
    parallel_for(100, [&](int64_t) { kept += halves(); });
    CHECK(kept == 0);
    CHECK(halves());
  }
  {
    const kernels::FlushDenormals flush;
    CHECK_FALSE(halves());
  }
  CHECK(halves());
}
#endif

TEST_CASE("parallel_runs does every task once, and names the neighbour that comes next", "[thread_pool]") {
  for (int64_t n : {1, 2, 3, 7}) {
    kernels::set_threads(n);
    for (int64_t count : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<size_t>(count));
      std::atomic<int> wrong_next{0};
      kernels::parallel_runs(count, [&](int64_t i, int64_t next) {
        done[static_cast<size_t>(i)].fetch_add(1);
        if (next != -1 && (next != i + 1 || next >= count)) wrong_next.fetch_add(1);
      });
      for (const auto& d : done) REQUIRE(d.load() == 1);
      REQUIRE(wrong_next.load() == 0);
    }
  }
  kernels::set_threads(0);
}

TEST_CASE("a thread that has done its run takes over what is left of the others'", "[thread_pool]") {
  // Task 0 waits for all others: they can only be done by whoever does not hold it.
  kernels::set_threads(2);
  std::atomic<int> others{0};
  kernels::parallel_runs(100, [&](int64_t i, int64_t) {
    if (i > 0) others.fetch_add(1);
    else while (others.load() < 99) std::this_thread::yield();
  });
  REQUIRE(others.load() == 99);
  kernels::set_threads(0);
}

TEST_CASE("parallel_runs inside of parallel_runs does every task once", "[thread_pool]") {
  kernels::set_threads(2);
  std::vector<std::atomic<int>> done(50 * 20);
  kernels::parallel_runs(50, [&](int64_t outer, int64_t) {
    kernels::parallel_runs(20, [&](int64_t inner, int64_t) { done[static_cast<size_t>(outer * 20 + inner)].fetch_add(1); });
  });
  for (const auto& d : done) REQUIRE(d.load() == 1);
  kernels::set_threads(0);
}
