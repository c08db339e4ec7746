// What evaluation asks of the collector beside training: see rl/collect.h, Ask.
#include <set>

#include "rl/collect.h"
#include "rl/evaluation/record.h"
#include "rollout/scripted_engine.h"
#include "tests/reward/fake_reward.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

namespace {

std::shared_ptr<const model::Tokenizer> tokenizer() {
  return model::Tokenizer::from_json(model::character_tokenizer_json("abcdefghijklmnopqrstuvwxyz", {}), "toy");
}

// Every sample is `text`, ended by `stop`.
class Speaker : public rollout::ScriptedEngine {
 public:
  Speaker(const std::string& text, std::string stop)
      : ScriptedEngine([this, text](const rollout::Request& r, int64_t) {
          requests.push_back(r);
          rollout::ScriptedSample sample;
          sample.tokens = tokenizer()->encode(text);
          sample.logprobs.resize(sample.tokens.size(), -1.0f);
          return sample;
        }),
        stop_(std::move(stop)) {}
  std::optional<rollout::SampleRecord> next(std::chrono::steady_clock::time_point deadline) override {
    auto record = ScriptedEngine::next(deadline);
    if (record) record->stop_text = stop_;
    return record;
  }
  std::vector<rollout::Request> requests;

 private:
  std::string stop_;
};

std::shared_ptr<reward::AsyncScorer> always_right() {
  const auto score = [](const FakeReward::Items& items, FakeReward::Deadline) {
    return std::vector<reward::Outcome>(items.size(), outcome(reward::Status::scored, 1));
  };
  return std::make_shared<reward::AsyncScorer>(std::make_shared<FakeReward>(score), 1, 10000);
}

std::vector<rl::Group> run(Speaker& speaker, const rl::Ask& ask, const std::vector<int64_t>& ids = {3, 8}) {
  model::TemplateConfig plain{.style = "plain", .system = {}, .prefill = {}, .options = {}, .date = {}, .chat = {}};
  plain.style = "plain";
  rl::Collector collector(speaker, always_right(), tokenizer(), plain, {});
  std::vector<rl::Problem> problems;
  for (const int64_t id : ids) problems.push_back({id, "question", "gold", ""});
  return collector.run(problems, ask);
}

}  // namespace

TEST_CASE("text after a suite's stop is cut away before it is judged; a kept stop stays", "[eval]") {
  rl::Ask ask;
  ask.cut_stop = {"de"};
  Speaker cut("abcdef", "de");
  REQUIRE(run(cut, ask)[0].samples[0].text == "abc");
  REQUIRE(cut.requests[0].stop_strings == std::vector<std::string>{"de"});
  ask.stop = {"ef"};
  Speaker kept("abcdef", "ef");
  REQUIRE(run(kept, ask)[0].samples[0].text == "abcdef");
  REQUIRE(kept.requests[0].stop_strings == std::vector<std::string>{"ef", "de"});
  Speaker unstopped("abcdef", "");
  REQUIRE(run(unstopped, ask)[0].samples[0].text == "abcdef");
}

TEST_CASE("a problem's random numbers are its own, whichever others are asked", "[eval]") {
  rl::Ask ask;
  ask.group_is_prompt_id = true;
  Speaker speaker("abc", "");
  run(speaker, ask, {3, 8});
  REQUIRE(speaker.requests[0].group_id == 3);
  REQUIRE(speaker.requests[1].group_id == 8);
}

TEST_CASE("each group is told of once, scored, before the run ends", "[eval]") {
  rl::Ask ask;
  ask.samples = 2;
  std::multiset<int64_t> told;
  ask.on_group = [&](const rl::Group& group) {
    REQUIRE(group.samples.size() == 2);
    REQUIRE(group.samples[1].outcome.value == 1);
    told.insert(group.problem.prompt_id);
  };
  Speaker speaker("abc", "");
  REQUIRE(run(speaker, ask, {3, 8, 5}).size() == 3);
  REQUIRE(told == std::multiset<int64_t>{3, 5, 8});
}

TEST_CASE("a completion gets no more tokens than the model has positions for", "[eval]") {
  rl::Ask ask;
  ask.max_new_tokens = 50;
  ask.max_positions = 20;  // "question" takes 8; the last token needs no position
  Speaker speaker("abc", "");
  run(speaker, ask);
  REQUIRE(speaker.requests[0].max_new_tokens == 13);
}
