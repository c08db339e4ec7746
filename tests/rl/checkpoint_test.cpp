#include "rl/checkpoint.h"

#include <unistd.h>

#include <filesystem>

#include "rl/event_log.h"
#include "rl/idle_steps.h"
#include "tests/rl/mistakes/small_run.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;

struct Folder {
  std::string path = (fs::temp_directory_path() / ("ponder_checkpoint_test_" + std::to_string(::getpid()))).string();
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("what a run has been watching, and the evaluation that it owes, go through a checkpoint", "[checkpoint]") {
  Folder folder;
  testing::SmallRun small;
  rl::RunState state;
  state.alarms.last = {{"entropy", {0.1, 0.3}}}, state.alarms.on = {{"entropy0", true}, {"kl1", false}};
  state.reward_errors = {3, 0, 1};
  state.idle_steps = 2;
  state.pending_evaluation = "during";
  const std::string saved = rl::save_checkpoint(folder.path, small.policy, {}, state, small.config, 2);
  at::Tensor reference;
  const rl::RunState back = rl::load_checkpoint(saved, small.policy, &reference);
  CHECK(back.alarms.last == state.alarms.last);
  CHECK(back.alarms.on == state.alarms.on);
  CHECK(back.reward_errors == state.reward_errors);
  CHECK(back.idle_steps == 2);
  CHECK(back.pending_evaluation == "during");
}

TEST_CASE("steps without an update are told once, and so is their end", "[watch]") {
  Folder folder;
  testing::SmallRun small({"filter.zero_variance=drop"});
  small.config.run.output_dir = folder.path;
  rl::Run run{.config = small.config, .plan = {}, .policy = std::move(small.policy), .engine = {}, .metrics = {}, .state = {},
              .reference_master = {}, .reference = {}};
  const auto watch = [&](double last_reward) {
    for (auto& group : small.groups)
      for (auto& sample : group.samples) sample.outcome.status = reward::Status::scored, sample.outcome.value = 0;
    small.groups[1].samples[3].outcome.value = last_reward;
    rl::watch_idle_steps(run, small.stage(), small.groups, rl::training_groups(small.groups, small.stage()));
    ++run.state.step;
  };
  for (const double reward : {1.0, 0.0, 0.0, 1.0, 1.0, 0.0}) watch(reward);
  const auto events = rl::read_events(folder.path);
  REQUIRE(events.size() == 3);
  CHECK((events[0].kind == "idle" && events[0].step == 2));
  CHECK_THAT(events[0].text, Catch::Contains("of 2 groups none is left to train on. 2 are alike by filter.metric = \"reward\""));
  CHECK((events[1].kind == "idle_over" && events[1].step == 4));
  CHECK_THAT(events[1].text, Catch::Contains("after 2 steps without"));
  CHECK((events[2].kind == "idle" && events[2].step == 6));
}
