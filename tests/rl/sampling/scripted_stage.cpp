#include "tests/rl/sampling/scripted_stage.h"

#include "tests/reward/fake_reward.h"

namespace testing {
namespace {

// The completion's first token is its reward times ten: the reward reads it back from the text.
rollout::ScriptedSample written(const ScriptedStage::Sample& sample) {
  const auto digit = static_cast<int32_t>(sample.reward * 10 + 0.5);
  return {{digit, 1}, {-1.0f, -1.0f}, sample.cut ? rollout::FinishReason::length : rollout::FinishReason::stop};
}

std::vector<reward::Outcome> read_back(const FakeReward::Items& items, FakeReward::Deadline) {
  std::vector<reward::Outcome> out;
  for (const auto& item : items) out.push_back(outcome(reward::Status::scored, (item.completion.at(0) - 'a') / 10.0));
  return out;
}

}  // namespace

ScriptedStage::ScriptedStage(Script s)
    : script(std::move(s)), source([this](const rollout::Request& r, int64_t index) { return written(script(r, index)); }) {
  stage.kind = "grpo", stage.name = "grpo";
  stage.data.train = "generator:arithmetic";
  stage.chat_template.style = "plain";
  stage.rollout.prompts_per_step = stage.rollout.samples_per_prompt = 2;
  stage.rewards.resize(1);
  stage.rewards[0].name = "fake";
}

rl::SamplingParts ScriptedStage::parts(rollout::RolloutSource& from) {
  std::vector<std::pair<reward::Settings, std::unique_ptr<reward::Reward>>> rewards;
  rewards.emplace_back(stage.rewards[0], std::make_unique<FakeReward>([this](const FakeReward::Items& items, FakeReward::Deadline deadline) {
    return outage ? std::vector(items.size(), outcome(reward::Status::infra_error)) : read_back(items, deadline);
  }));
  const std::string alphabet = "abcdefghijklmnopqrstuvwxyz0123456789+=;? .";
  return {.source = from,
          .rest = [] {},
          .reward = reward::make_sum(std::move(rewards)),
          .tokenizer = model::Tokenizer::from_json(model::character_tokenizer_json(alphabet, {}), "toy"),
          .stop_tokens = {},
          .fits = nullptr,
          .seed = 3,
          .steps = 100,
          .first_request_step = 0};
}

rl::StepRollouts ScriptedStage::open(uint64_t seed, int64_t first_request_step) {
  auto own = parts(source);
  own.seed = seed, own.first_request_step = first_request_step;
  return rl::StepRollouts(stage, std::move(own));
}

rl::StepRollouts ScriptedStage::open(rollout::RolloutSource& other) { return rl::StepRollouts(stage, parts(other)); }

std::vector<int64_t> prompt_ids(const rl::CollectedStep& step) {
  std::vector<int64_t> ids;
  for (const auto& group : step.groups) ids.push_back(group.problem.prompt_id);
  return ids;
}

std::vector<int64_t> group_ids(const rl::CollectedStep& step) {
  std::vector<int64_t> ids;
  for (const auto& group : step.groups) ids.push_back(group.samples.at(0).record.group_id);
  return ids;
}

}  // namespace testing
