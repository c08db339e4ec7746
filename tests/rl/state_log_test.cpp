#include "rl/state_log.h"

#include <filesystem>
#include <fstream>

#include "kernels/thread_pool.h"
#include "tests/support/catch.h"

namespace {

std::vector<float> ramp(int64_t count) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(0.25f * static_cast<float>(i));
  return values;
}

uint64_t hash(const std::vector<float>& values) { return rl::hash_floats(values.data(), static_cast<int64_t>(values.size())); }

}  // namespace

TEST_CASE("one changed bit anywhere changes the hash", "[state_log]") {
  // Inside a block of 16, in the rest behind the last block, and past the first piece of 65,536.
  const auto values = ramp(65536 + 37);
  for (const size_t at : {size_t{0}, size_t{5}, size_t{65535}, size_t{65536 + 36}}) {
    auto changed = values;
    changed[at] = -changed[at] - 1;
    CHECK(hash(changed) != hash(values));
  }
  auto negative_zero = values;
  negative_zero[0] = -0.0f;
  CHECK(hash(negative_zero) != hash(values));
}

TEST_CASE("order and count are part of the hash, threads are not", "[state_log]") {
  auto values = ramp(200000);
  const uint64_t before = hash(values);
  kernels::set_threads(1);
  CHECK(hash(values) == before);
  kernels::set_threads(0);
  std::swap(values[3], values[4]);
  CHECK(hash(values) != before);
  CHECK(hash({0.0f, 0.0f}) != hash({0.0f, 0.0f, 0.0f}));
}

TEST_CASE("a line of states.jsonl reads back, a half one is skipped", "[state_log]") {
  const auto file = (std::filesystem::temp_directory_path() / "ponder_states_test.jsonl").string();
  std::filesystem::remove(file);
  CHECK(rl::read_states(file).empty());
  const rl::StateHash state{"grpo", 3, "00000000000000ff", {{"a.weight", "01"}, {"first_moment", "02"}, {"second_moment", "03"}}};
  rl::append_state(file, state);
  std::ofstream(file, std::ios::app) << "{\"stage\":\"grpo\",\"st";
  const auto states = rl::read_states(file);
  REQUIRE(states.size() == 1);
  CHECK(states[0].stage == "grpo");
  CHECK(states[0].step == 3);
  CHECK(states[0].all == state.all);
  CHECK(states[0].parts == state.parts);
  std::filesystem::remove(file);
}
