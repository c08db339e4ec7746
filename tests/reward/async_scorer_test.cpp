#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/reward/fake_reward.h"
#include "tests/reward/support.h"

using reward::AsyncScorer;
using reward::Item;
using reward::Outcome;
using reward::Status;
using namespace std::chrono_literals;

namespace {

// `groups` groups of `size`; the value each should get is its place.
std::vector<Item> numbered(int64_t groups, int64_t size) {
  std::vector<Item> items;
  for (int64_t i = 0; i < groups * size; ++i) {
    items.push_back(item("", ""));
    items.back().group_id = i / size;
    items.back().sample_index = i;
  }
  return items;
}

std::vector<Outcome> places(const std::vector<Item>& items, FakeReward::Deadline) {
  std::vector<Outcome> outcomes;
  for (const auto& it : items) outcomes.push_back(outcome(Status::scored, static_cast<double>(it.sample_index)));
  return outcomes;
}

// A gate that a test opens, so that nothing hangs when the test ends.
struct Latch {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open; });
  }
  void release() {
    std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
};

}  // namespace

TEST_CASE("outcomes come in the order of the items, whatever the order of tickets", "[async]") {
  AsyncScorer scorer(std::make_shared<FakeReward>(places), 3, 60000);
  const auto first = scorer.submit(numbered(40, 8)), second = scorer.submit(numbered(3, 2)), empty = scorer.submit({});
  const auto b = scorer.wait(second), a = scorer.wait(first);
  REQUIRE(a.size() == 320);
  REQUIRE(b.size() == 6);
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].value == static_cast<double>(i));
  for (size_t i = 0; i < b.size(); ++i) CHECK(b[i].value == static_cast<double>(i));
  REQUIRE(scorer.wait(empty).empty());
  REQUIRE_THROWS_AS(scorer.wait(first), reward::Error);
  REQUIRE_THROWS_AS(scorer.wait(99), reward::Error);
}

TEST_CASE("a group is scored in one call, all of it", "[async]") {
  std::mutex mutex;
  std::vector<size_t> sizes;
  bool mixed = false;
  AsyncScorer scorer(std::make_shared<FakeReward>([&](const auto& items, auto deadline) {
                       std::lock_guard lock(mutex);
                       for (const auto& it : items) mixed = mixed || it.group_id != items[0].group_id;
                       sizes.push_back(items.size());
                       return places(items, deadline);
                     }), 1, 60000);
  scorer.wait(scorer.submit(numbered(5, 4)));
  REQUIRE(sizes == std::vector<size_t>{4, 4, 4, 4, 4});
  REQUIRE_FALSE(mixed);
}

TEST_CASE("a reward that throws fails its own group and no other", "[async]") {
  AsyncScorer scorer(std::make_shared<FakeReward>([](const auto& items, auto deadline) {
                       if (items[0].group_id == 1) throw std::runtime_error("no disk");
                       if (items[0].group_id == 2) throw 7;
                       if (items[0].group_id == 3) return std::vector<Outcome>();
                       return places(items, deadline);
                     }), 2, 60000);
  const auto got = scorer.wait(scorer.submit(numbered(5, 2)));
  REQUIRE(got.size() == 10);
  for (size_t i = 0; i < got.size(); ++i) {
    const bool fails = i / 2 >= 1 && i / 2 <= 3;
    CHECK(got[i].status == (fails ? Status::infra_error : Status::scored));
    CHECK(got[i].value == (fails ? 0.0 : static_cast<double>(i)));
  }
  REQUIRE_THAT(got[2].detail, Catch::Matchers::Contains("no disk"));
}

TEST_CASE("a reward that keeps its deadline hands back what it has; the rest is timeout", "[async]") {
  AsyncScorer scorer(std::make_shared<FakeReward>([](const auto& items, auto deadline) {
                       auto out = places(items, deadline);
                       std::this_thread::sleep_until(deadline);
                       out.back() = outcome(Status::timeout);
                       return out;
                     }), 1, 20);
  const auto got = scorer.wait(scorer.submit(numbered(1, 3)));
  REQUIRE(got[0].status == Status::scored);
  REQUIRE(got[1].status == Status::scored);
  REQUIRE(got[2].status == Status::timeout);
}

TEST_CASE("a reward that hangs is left behind and the queue goes on", "[async]") {
  auto latch = std::make_shared<Latch>();
  {
    AsyncScorer scorer(std::make_shared<FakeReward>([latch](const auto& items, auto deadline) {
                         if (items[0].group_id == 0) latch->wait();
                         return places(items, deadline);
                       }), 1, 20);
    const auto got = scorer.wait(scorer.submit(numbered(3, 2)));
    REQUIRE(got[0].status == Status::timeout);
    REQUIRE(got[1].status == Status::timeout);
    for (size_t i = 2; i < 6; ++i) CHECK(got[i].value == static_cast<double>(i));
    scorer.submit(numbered(1, 1));  // hangs too, and nobody waits for it: the destructor must come back
  }
  latch->release();
}

TEST_CASE("built-ins past their deadline time out and make up nothing", "[async]") {
  for (const auto& name : reward::builtin_names()) {
    const auto got = make(name)->score({item("<answer>1</answer>", "1")}, std::chrono::steady_clock::now() - 1s);
    CHECK(got.at(0).status == Status::timeout);
    CHECK_FALSE(got.at(0).has_value());
  }
}

TEST_CASE("ten thousand items give the same outcomes on one thread and on eight", "[async]") {
  std::vector<Item> items;
  for (int i = 0; i < 10000; ++i) {
    items.push_back(item(i % 7 == 6 ? "none" : "\\boxed{" + std::to_string(i % 5) + "}",
                         i % 11 == 10 ? "" : std::to_string(i % 3)));
    items.back().group_id = i / 8;
  }
  const std::shared_ptr<reward::Reward> math = make("math");
  AsyncScorer one(math, 1, 60000), eight(math, 8, 60000);
  const auto ticket = eight.submit(items);
  const auto a = one.wait(one.submit(items)), b = eight.wait(ticket), direct = math->score(items, no_deadline);
  REQUIRE(a.size() == 10000);
  REQUIRE(b.size() == 10000);
  for (size_t i = 0; i < a.size(); ++i) {
    const auto expected = i % 11 == 10 ? Status::not_applicable : i % 7 == 6 ? Status::no_answer : Status::scored;
    const double value = expected == Status::scored && i % 5 == i % 3 ? 1.0 : 0.0;
    const bool same = a[i].status == expected && b[i].status == expected && a[i].value == value && b[i].value == value &&
                      a[i].extracted == b[i].extracted && a[i].detail == b[i].detail && direct[i].detail == a[i].detail;
    if (!same) FAIL("item " << i << " differs");
  }
}

TEST_CASE("an async scorer refuses settings that cannot work", "[async]") {
  const auto fake = std::make_shared<FakeReward>(places);
  REQUIRE_THROWS_AS(AsyncScorer(nullptr, 1, 1), reward::Error);
  REQUIRE_THROWS_AS(AsyncScorer(fake, 0, 1), reward::Error);
  REQUIRE_THROWS_AS(AsyncScorer(fake, 1, 0), reward::Error);
}
