// Mistakes other trainers made, one test each: those in rewards, filters and the order of the data.
#include <set>

#include "reward/reward.h"
#include "rl/advantage/training_groups.h"
#include "rl/step_metrics.h"
#include "tests/rl/mistakes/small_run.h"
#include "tests/support/catch.h"

namespace {

using reward::Status;

rl::ScoredSample sample(double value, Status status = Status::scored) {
  rl::ScoredSample s;
  s.record.prompt_tokens = {1};
  s.record.tokens = {5, 6};
  s.record.trained = {{0, 2}};
  s.record.logprobs = {-1.0f, -1.0f};
  s.record.policy_versions = {0, 0};
  s.outcome.value = value, s.outcome.status = status;
  return s;
}

rl::Group group_of(std::vector<rl::ScoredSample> samples) {
  rl::Group group;
  group.samples = std::move(samples);
  return group;
}

double score(const char* name, const std::string& completion, const std::string& answer = "") {
  reward::Settings settings;
  settings.name = name;
  reward::Item item;
  item.completion = completion, item.answer = answer;
  return reward::make_reward(settings)->score({item}, std::chrono::steady_clock::now() + std::chrono::seconds(60)).at(0).value;
}

}  // namespace

TEST_CASE("mistake 21: completions that were cut off are punished, or left out, without a word", "[mistakes]") {
  // They are scored as they are and take part, and their share is logged. What else may be done is asked for by name: the reward
  // "overlong", or filter.truncated = "mask" or "drop" ([training_groups]).
  rl::Group group = group_of({sample(1), sample(0)});
  group.samples[1].record.finish = rollout::FinishReason::length;
  REQUIRE(rl::training_groups({group}, {}).groups.at(0).sequences.size() == 2);
  rl::Metrics metrics;
  rl::append_length_metrics(metrics, {group});
  bool logged = false;
  for (const auto& [name, value] : metrics) logged = logged || (name == "completions/clipped_ratio" && value == 0.5);
  REQUIRE(logged);
}

TEST_CASE("mistake 22: a step without a group worth training on ends the run", "[mistakes]") {
  rl::StageConfig stage;
  stage.filter.zero_variance = "drop";
  auto out = rl::training_groups({group_of({sample(1), sample(1)}), group_of({sample(0), sample(0)})}, stage);
  REQUIRE(out.dropped == 2);
  REQUIRE(out.groups.empty());
  REQUIRE(rl::weigh_tokens(out.groups, stage.loss) == 0);
}

// mistake 22 again, a limit on rounds of new prompts that ends the run: tests/rl/sampling/refill_test.cpp, "when the rounds are used
// up, the settings say what is trained on".

// "drop" shrinks the batch and "refill" does not: tests/rl/sampling/refill_test.cpp, "each round asks as many new problems as groups
// are missing". Either way the loss is over what is left:
TEST_CASE("mistake 23: the denominator counts groups that were filtered out", "[mistakes]") {
  rl::StageConfig stage;
  stage.filter.zero_variance = "drop";
  auto out = rl::training_groups({group_of({sample(1), sample(0)}), group_of({sample(0), sample(0)})}, stage);
  REQUIRE(out.dropped == 1);  // logged as groups_dropped
  REQUIRE(rl::weigh_tokens(out.groups, stage.loss) == 4);
  REQUIRE(out.groups[0].sequences[0].token_weight == 0.25);
}

TEST_CASE("mistake 25: a reward that failed counts as 0", "[mistakes]") {
  for (const Status status : {Status::infra_error, Status::timeout, Status::not_applicable}) {
    const auto out = rl::training_groups({group_of({sample(1), sample(0, status), sample(0)})}, {});
    REQUIRE(out.groups.at(0).sequences.size() == 2);
  }
}

// mistake 26, a time limit that is off in threads: tests/reward/async_scorer_test.cpp, "a reward that hangs is left behind and the
// queue goes on": the limit is the scorer's clock, not a signal, and each call has one in any thread.

TEST_CASE("mistake 27: the answer is looked for in the last line only", "[mistakes]") {
  REQUIRE(score("exact", "<answer>42</answer>\nThat is what I think.", "42") == 1);
  REQUIRE(score("math", "So \\boxed{42}.\n\nHope this helps!", "42") == 1);
}

TEST_CASE("mistake 28: powers and floor division in a countdown answer", "[mistakes]") {
  const std::string gold = "numbers=2,3 target=8";
  REQUIRE(score("countdown", "<answer>2**3</answer>", gold) == 0);
  REQUIRE(score("countdown", "<answer>9**9**9**9</answer>", gold) == 0);
  REQUIRE(score("countdown", "<answer>3//2</answer>", "numbers=2,3 target=1") == 0);
  REQUIRE(score("countdown", "<answer>2*3</answer>", "numbers=2,3 target=6") == 1);
}

TEST_CASE("mistake 29: a format reward for tags that are empty or repeated", "[mistakes]") {
  REQUIRE(score("format", "<think>a</think><answer>1</answer>") == 1);
  REQUIRE(score("format", "<think></think><answer></answer>") == 0);
  REQUIRE(score("format", "<think>a</think><answer>1</answer><answer>1</answer>") == 0);
}

TEST_CASE("mistake 35: a resumed run begins the epoch again", "[mistakes]") {
  // A problem is a function of its number, and the checkpoint holds how many were drawn; tests/end_to_end/resume.py and data.py
  // have whole runs.
  const auto config = testing::small_config("");
  const auto& data = config.stages[0].data;
  const auto first = rl::open_dataset(data, 3), again = rl::open_dataset(data, 3);
  for (int64_t i = 0; i < 5; ++i) first->problem(i);
  REQUIRE(first->problem(5).question == again->problem(5).question);
  std::set<std::string> seen;
  for (int64_t i = 0; i < 50; ++i) seen.insert(first->problem(i).question);
  REQUIRE(seen.size() > 45);
}
