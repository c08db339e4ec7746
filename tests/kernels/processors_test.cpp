// Which processors threads are bound to, and that they are.
#include <sched.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/error.h"
#include "kernels/processors.h"
#include "kernels/thread_pool.h"
#include "tests/support/catch.h"

using List = std::vector<int>;

namespace {

// What this thread may run on.
List own_processors() {
  cpu_set_t set;
  REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
  List list;
  for (int p = 0; p < CPU_SETSIZE; ++p)
    if (CPU_ISSET(p, &set)) list.push_back(p);
  return list;
}

// Each of the pool's three threads does one of three tasks, for none ends before all have begun.
std::map<int64_t, List> processors_by_helper() {
  std::mutex mutex;
  std::map<int64_t, List> found;
  std::atomic<int> begun{0};
  kernels::parallel_for(3, [&](int64_t) {
    begun.fetch_add(1);
    while (begun.load() < 3) std::this_thread::yield();
    const std::lock_guard<std::mutex> lock(mutex);
    found[kernels::helper_index()] = own_processors();
  });
  return found;
}

}  // namespace

TEST_CASE("lists of processors as Linux writes them", "[processors]") {
  CHECK(kernels::processor_list("0") == List{0});
  CHECK(kernels::processor_list("0-2,8\n") == List{0, 1, 2, 8});
  CHECK(kernels::processor_list("3,67") == List{3, 67});
  CHECK(kernels::processor_list("").empty());
  CHECK(kernels::processor_list("none").empty());
}

TEST_CASE("one processor of each core comes before a second one", "[processors]") {
  // Four cores of two: 0 and 4, 1 and 5, 2 and 6, 3 and 7.
  const auto apart = [](int p) { return List{p % 4, p % 4 + 4}; };
  CHECK(kernels::cores_first({7, 6, 5, 4, 3, 2, 1, 0}, apart) == List{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(kernels::cores_first({0, 2, 4, 5, 6}, apart) == List{0, 2, 5, 4, 6});
  // The same numbered in pairs: 0 and 1, 2 and 3.
  const auto in_pairs = [](int p) { return List{p / 2 * 2, p / 2 * 2 + 1}; };
  CHECK(kernels::cores_first({0, 1, 2, 3}, in_pairs) == List{0, 2, 1, 3});
  // A system that says nothing.
  CHECK(kernels::cores_first({1, 0}, [](int) { return List{}; }) == List{0, 1});
}

TEST_CASE("bound helpers have a processor each, the caller has all", "[processors]") {
  const List all = own_processors(), order = kernels::processors();
  REQUIRE(order.size() == all.size());
  try {
    kernels::set_threads(3, true);
  } catch (const kernels::UsageError& error) {
    kernels::set_threads(0);
    WARN(error.what());  // nothing can be seen where threads may not be bound
    return;
  }
  const auto bound = processors_by_helper();
  REQUIRE(bound.size() == 3);
  CHECK(bound.at(0) == all);
  for (size_t i : {1, 2}) CHECK(bound.at(static_cast<int64_t>(i)) == List{order[i % order.size()]});
  kernels::set_threads(3);
  for (const auto& [helper, list] : processors_by_helper()) CHECK(list == all);
  kernels::set_threads(0);
}

TEST_CASE("a helper begins with the run of its number", "[processors]") {
  kernels::set_threads(3);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::array<std::atomic<int64_t>, 3> first{-1, -1, -1};
    std::atomic<int> begun{0};
    kernels::parallel_runs(30, [&](int64_t i, int64_t) {
      auto& own = first[static_cast<size_t>(kernels::helper_index())];
      int64_t none = -1;
      if (!own.compare_exchange_strong(none, i)) return;
      begun.fetch_add(1);
      while (begun.load() < 3) std::this_thread::yield();
    });
    for (size_t i = 0; i < 3; ++i) REQUIRE(first[i].load() == static_cast<int64_t>(10 * i));
  }
  kernels::set_threads(0);
}
