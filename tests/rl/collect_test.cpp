#include "rl/collect.h"

#include <atomic>
#include <thread>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "rl/sampling/prompt_maker.h"
#include "rl/step_times.h"
#include "rollout/scripted_engine.h"
#include "tests/reward/fake_reward.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

using rl::Ask;
using rl::Collector;
using rl::Group;
using rl::Problem;
using rl::Prompt;

namespace {

std::shared_ptr<const model::Tokenizer> tokenizer() {
  const std::string alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
  return model::Tokenizer::from_json(model::character_tokenizer_json(alphabet, {}), "toy");
}

std::vector<Problem> problems(int64_t count) {
  std::vector<Problem> all;
  for (int64_t i = 0; i < count; ++i) all.push_back({100 + i, "question" + std::to_string(10 + i), "42", ""});
  return all;
}

// The reward is the completion's length in tokens.
std::shared_ptr<reward::AsyncScorer> scorer(std::atomic<int64_t>* calls = nullptr) {
  const auto score = [calls](const FakeReward::Items& items, FakeReward::Deadline) {
    if (calls) ++*calls;
    std::vector<reward::Outcome> out;
    for (const auto& item : items) out.push_back(outcome(reward::Status::scored, static_cast<double>(item.completion_tokens)));
    return out;
  };
  return std::make_shared<reward::AsyncScorer>(std::make_shared<FakeReward>(score), 1, 10000);
}

Collector collector_of(rollout::RolloutSource& source, std::shared_ptr<reward::AsyncScorer> rewards = scorer()) {
  model::TemplateConfig plain{.style = "plain", .system = {}, .prefill = {}, .options = {}, .date = {}, .chat = {}};
  plain.style = "plain";
  return {source, std::move(rewards), tokenizer(), plain, {}};
}

// Group g answers with g + 1 tokens a sample.
rollout::ScriptedEngine scripted() {
  return rollout::ScriptedEngine([](const rollout::Request& r, int64_t) {
    const auto n = static_cast<size_t>(r.id + 1);
    return rollout::ScriptedSample{std::vector<int32_t>(n, 3), std::vector<float>(n, -1.0f), rollout::FinishReason::stop};
  });
}

}  // namespace

TEST_CASE("every group comes back complete, scored, in the order of its problem", "[collect]") {
  auto source = scripted();
  Collector collector = collector_of(source);
  Ask ask;
  ask.samples = 2;
  ask.first_group = 70;
  const auto groups = collector.run(problems(3), ask);
  REQUIRE(groups.size() == 3);
  for (size_t g = 0; g < 3; ++g) {
    CHECK(groups[g].problem.prompt_id == 100 + static_cast<int64_t>(g));
    CHECK(groups[g].samples[1].record.group_id == 70 + static_cast<int64_t>(g));
    CHECK(groups[g].samples[1].outcome.value == static_cast<double>(g + 1));
  }
  CHECK(collector.aborted_tokens() == 0);
}

TEST_CASE("a source that comes back without a sample, while some are live, is asked again", "[collect]") {
  struct Slow : rollout::ScriptedEngine {
    using ScriptedEngine::ScriptedEngine;
    int asked = 0;
    std::optional<rollout::SampleRecord> next(std::chrono::steady_clock::time_point deadline) override {
      return ++asked % 3 == 0 ? ScriptedEngine::next(deadline) : std::nullopt;
    }
  };
  Slow source([](const rollout::Request&, int64_t) { return rollout::ScriptedSample{{1}, {-1.0f}, rollout::FinishReason::stop}; });
  Collector collector = collector_of(source);
  CHECK(collector.run(problems(4), {}).size() == 4);
  CHECK(source.asked == 12);
}

TEST_CASE("when enough groups are complete the others are aborted, and are neither scored nor returned", "[collect]") {
  auto source = scripted();
  std::atomic<int64_t> calls{0};
  Collector collector = collector_of(source, scorer(&calls));
  Ask ask;
  ask.samples = 2;
  ask.wanted_groups = 2;
  CHECK(collector.run(problems(5), ask).size() == 2);
  CHECK(calls == 2);
  CHECK(source.live_samples() == 0);  // nothing of this step is left for the next
  CHECK(collector.aborted_tokens() == 0);
  ask.wanted_groups = 9;  // more than there are: all
  CHECK(collector.run(problems(3), ask).size() == 3);
}

TEST_CASE("which groups an over-provisioned step takes follows from the requests, not from threads or the clock", "[collect]") {
  const auto config = toy::mla_moe();
  const auto weights = toy::weights(config, kernels::Dtype::float32);
  Ask ask;
  ask.samples = 3;
  ask.max_new_tokens = 40;
  ask.seed = 3;
  const auto run = [&](int64_t threads, int64_t wanted, int64_t* aborted) {
    kernels::set_threads(threads);
    rollout::Engine engine(config, kernels::Dtype::float32, {}, tokenizer());
    engine.publish(weights);
    model::TemplateConfig plain{.style = "plain", .system = {}, .prefill = {}, .options = {}, .date = {}, .chat = {}};
    plain.style = "plain";
    Collector collector(engine, scorer(), tokenizer(), plain, {7, 11});
    ask.wanted_groups = wanted;
    const auto groups = collector.run(problems(8), ask);
    *aborted = collector.aborted_tokens();
    CHECK(engine.live_samples() == 0);
    engine.release_cache();  // throws if a page were still in use
    return groups;
  };
  int64_t none = 0, aborted = 0, again = 0;
  const auto all = run(1, 0, &none), some = run(1, 5, &aborted), more_threads = run(3, 5, &again);
  kernels::set_threads(0);
  REQUIRE(all.size() == 8);
  REQUIRE(some.size() == 5);
  CHECK(none == 0);
  CHECK(aborted > 0);
  CHECK(aborted == again);
  // The five whose longest completion is shortest: they were the first to be complete.
  const auto longest = [](const Group& g) {
    size_t most = 0;
    for (const auto& s : g.samples) most = std::max(most, s.record.tokens.size());
    return most;
  };
  std::vector<size_t> lengths;
  for (const Group& g : all) lengths.push_back(longest(g));
  std::sort(lengths.begin(), lengths.end());
  for (size_t i = 0; i < some.size(); ++i) {
    const Group& whole = all.at(static_cast<size_t>(some[i].problem.prompt_id - 100));
    CHECK(longest(some[i]) <= lengths[4]);
    for (size_t s = 0; s < 3; ++s) {
      CHECK(some[i].samples[s].record.tokens == whole.samples[s].record.tokens);
      CHECK(some[i].samples[s].record.logprobs == whole.samples[s].record.logprobs);
      CHECK(more_threads[i].samples[s].record.logprobs == whole.samples[s].record.logprobs);
    }
  }
}

TEST_CASE("groups that go on in later steps end with the bits of a step that waits for all", "[collect]") {
  const auto config = toy::mla_moe();
  const auto weights = toy::weights(config, kernels::Dtype::float32);
  Ask ask;
  ask.samples = 3;
  ask.max_new_tokens = 40;
  ask.seed = 3;
  const auto collector_on = [&](rollout::Engine& engine) {
    engine.publish(weights);
    const model::TemplateConfig plain{.style = "plain", .system = {}, .prefill = {}, .options = {}, .date = {}, .chat = {}};
    return Collector(engine, scorer(), tokenizer(), plain, {7, 11});
  };
  rollout::EngineConfig few;
  few.max_sequences = 7;  // some groups have not begun when the step ends
  rollout::Engine one(config, kernels::Dtype::float32, few, tokenizer()), other(config, kernels::Dtype::float32, few, tokenizer());
  Collector whole = collector_on(one), parts = collector_on(other);
  const auto all = whole.run(problems(8), ask);
  ask.carry = true;
  ask.wanted_groups = 3;
  std::vector<Group> got = parts.run(problems(8), ask), carried = parts.take_unfinished();
  REQUIRE(got.size() == 3);
  CHECK(carried.size() == 5);
  CHECK(parts.carried_tokens() > 0);
  CHECK(parts.aborted_tokens() == 0);
  CHECK(other.live_samples() == 0);
  ask.step = 9, ask.first_group = 100;  // of later steps' own groups
  for (int64_t step = 0; !carried.empty(); ++step) {
    other.release_cache();  // throws if a page were still in use
    ask.wanted_groups = 2;
    const auto more = parts.run(std::vector<Prompt>(), ask, carried);
    const auto left = parts.take_unfinished();
    CHECK(more.size() + left.size() == carried.size());
    got.insert(got.end(), more.begin(), more.end());
    carried = left;
  }
  REQUIRE(got.size() == 8);
  for (const Group& group : got) {
    const Group& expected = all.at(static_cast<size_t>(group.problem.prompt_id - 100));
    for (size_t s = 0; s < 3; ++s) {
      const auto &record = group.samples[s].record, &its = expected.samples[s].record;
      CHECK(record.tokens == its.tokens);
      CHECK(record.logprobs == its.logprobs);
      CHECK(record.group_id == its.group_id);
      CHECK(record.request_step == 0);
      CHECK(record.finish == its.finish);
      CHECK(group.samples[s].text == expected.samples[s].text);
      CHECK(group.samples[s].outcome.value == expected.samples[s].outcome.value);
    }
  }
  // New prompts come behind those that go on, under ids of their own.
  ask.wanted_groups = 1;
  parts.run(problems(2), ask);
  const auto rest = parts.take_unfinished();
  ask.wanted_groups = 0, ask.first_group = 200;
  rl::StageConfig plain;
  plain.chat_template.style = "plain";
  const auto mixed = parts.run(rl::PromptMaker(plain, tokenizer())(problems(1)), ask, rest);
  REQUIRE(mixed.size() == 2);
  CHECK(mixed[0].samples[0].record.group_id / 100 == 1);
  CHECK(mixed[1].samples[0].record.group_id == 200);
}

TEST_CASE("a share of the groups is scored twice, and a reward that changes its mind is counted", "[collect]") {
  std::atomic<int64_t> calls{0};
  const auto fickle = std::make_shared<reward::AsyncScorer>(
      std::make_shared<FakeReward>([&](const FakeReward::Items& items, FakeReward::Deadline) {
        return std::vector<reward::Outcome>(items.size(), outcome(reward::Status::scored, static_cast<double>(++calls)));
      }), 1, 10000);
  Ask ask;
  ask.samples = 2;
  ask.rescore_share = 1;
  auto source = scripted(), again = scripted(), half = scripted();
  Collector twice = collector_of(source, fickle), honest = collector_of(again);
  CHECK(twice.run(problems(3), ask).size() == 3);
  CHECK(calls == 6);
  CHECK(twice.rescored_groups() == 3);
  CHECK(twice.rescore_mismatches() == 6);
  honest.run(problems(3), ask);
  CHECK(honest.rescored_groups() == 3);
  CHECK(honest.rescore_mismatches() == 0);
  // Which groups follows from their ids. Of 200, a half: 7 standard deviations are 50.
  ask.samples = 1;
  ask.rescore_share = 0.5;
  Collector some = collector_of(half);
  some.run(problems(200), ask);
  const auto first = some.rescored_groups();
  CHECK((first > 50 && first < 150));
  some.run(problems(200), ask);
  CHECK(some.rescored_groups() == first);
}

TEST_CASE("groups are scored while others are still sampled", "[collect]") {
  // The third group's completion waits until the first has its reward: this ends only if scoring goes on beside it.
  std::atomic<int64_t> scored{0};
  rollout::ScriptedEngine source([&](const rollout::Request& r, int64_t) {
    while (r.id == 2 && scored == 0) std::this_thread::yield();
    return rollout::ScriptedSample{{1}, {-1.0f}, rollout::FinishReason::stop};
  });
  Collector collector = collector_of(source, scorer(&scored));
  CHECK(collector.run(problems(3), {}).size() == 3);
  CHECK(scored == 3);
}

TEST_CASE("the parts of a step's time and the rest of it make up the step", "[collect]") {
  rl::StepTimes times;
  times.prompts = 0.5, times.reward_wait = 1, times.rollout = 9, times.train = 6;
  times.before.prefill_seconds = 10, times.after.prefill_seconds = 12;  // 2
  times.after.decode_seconds = 4, times.after.draw_seconds = 1;
  times.before.generated_tokens = 100, times.after.generated_tokens = 1000;
  rl::UpdateStatistics update;
  update.pack_seconds = 0.25, update.forward_seconds = 2, update.backward_seconds = 3, update.optimizer_seconds = 0.75;
  rl::Metrics metrics;
  rl::append_step_times(metrics, times, update, 16);
  const auto value = [&](const std::string& name) {
    for (const auto& [key, v] : metrics)
      if (key == "timing/" + name) return v;
    return -1.0;
  };
  // 16 - (0.5 + 2 + 4 + 1 + 1 + 0.25 + 2 + 3 + 0.75) = 1.5
  CHECK(value("other_seconds") == 1.5);
  CHECK(value("prefill_seconds") == 2);
  CHECK(value("step_seconds") == 16);
  CHECK(value("rollout_tokens_per_second") == 100);  // 900 tokens in 9 s
  for (const auto& [name, unused] : metrics) CHECK(rl::find_metric(name) != nullptr);
}
