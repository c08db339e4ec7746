// Mistakes other trainers made, one test each: those between the sampler and the trainer. The numbers go through the three files
// of this folder.
#include <cmath>
#include <set>

#include "rl/advantage/training_groups.h"
#include "rl/batch.h"
#include "rollout/sampler.h"
#include "tests/rl/mistakes/small_run.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"

namespace {

using testing::SmallRun;

const SmallRun& small_run() {
  static const SmallRun run;
  return run;
}

rl::MicroBatchPlan whole() { return {1 << 20, 0}; }

// Log-probabilities that the trainer computes for what was sampled.
std::vector<rl::TrainGroup> scored(std::vector<rl::TrainGroup> groups, const rl::StageConfig& stage) {
  const auto& run = small_run();
  run.policy.score(groups, stage, whole(), *run.policy.weights(), &rl::TrainSequence::old_logprobs);
  return groups;
}

template <typename Visit>
void for_each_sample(Visit visit) {
  for (const auto& g : small_run().groups)
    for (const auto& s : g.samples) visit(s.record);
}

}  // namespace

TEST_CASE("mistake 1: old and new log-probabilities from two code paths, so that the first ratio is not 1", "[mistakes]") {
  REQUIRE(rl::MoeConfig().aux_loss_coef == 0);  // only who asks for it has one
  SmallRun run;
  const auto update = run.policy.accumulate(run.training(), run.stage(), whole());
  REQUIRE(update.sums.tokens > 40);
  REQUIRE(update.ratio_min == 1.0);
  REQUIRE(update.ratio_max == 1.0);
}

TEST_CASE("mistake 2: log-probabilities shifted by one against the mask", "[mistakes]") {
  // Each token's own is at its own place, and its neighbour's is another.
  for (const auto& g : scored(small_run().training(), small_run().stage()))
    for (const auto& s : g.sequences) {
      REQUIRE(s.old_logprobs == s.logprobs);
      for (size_t t = 1; t < s.tokens.size(); ++t) REQUIRE(s.logprobs[t] != s.logprobs[t - 1]);
    }
}

TEST_CASE("mistake 3: the temperature is in sampling and not in what the trainer computes", "[mistakes]") {
  REQUIRE(small_run().stage().rollout.temperature == 0.7);  // mistakes 1 and 2 are tested at it
  rl::StageConfig at_one = small_run().stage();
  at_one.rollout.temperature = 1;
  const auto groups = scored(small_run().training(), at_one);
  REQUIRE(std::abs(groups[0].sequences[0].old_logprobs[0] - groups[0].sequences[0].logprobs[0]) > 1e-3);
}

TEST_CASE("mistake 4: temperature 0 divides by 0", "[mistakes]") {
  REQUIRE(rollout::inverse_temperature({.temperature = 0.0}) == 1.0f);  // greedy; the logits stay
  REQUIRE_THAT(testing::small_config_error("[[stage]]\nrollout.temperature = 0\n"), Catch::Contains("rollout.temperature: is 0"));
}

TEST_CASE("mistake 5: top-p in sampling, the full softmax in training, and nobody knows", "[mistakes]") {
  // The loss is over the full softmax, whose mass that sampling kept is recorded and logged.
  const SmallRun run({"rollout.top_p=0.5"});
  double least = 1;
  for (const auto& g : run.groups)
    for (const auto& s : g.samples) {
      REQUIRE(s.record.kept_mass.size() == s.record.logprobs.size());
      for (const float mass : s.record.kept_mass) least = std::min(least, double(mass));
    }
  REQUIRE(least < 0.9);
  auto groups = run.training();
  run.policy.score(groups, run.stage(), whole(), *run.policy.weights(), &rl::TrainSequence::old_logprobs);
  REQUIRE(groups[0].sequences[0].old_logprobs == groups[0].sequences[0].logprobs);
}

TEST_CASE("mistake 5: with keep_mask, policy, old and reference are over the kept ids, and the first ratio is 1", "[mistakes]") {
  SmallRun run({"rollout.top_p=0.5", "correction.truncation=keep_mask"});
  auto groups = run.training();
  for (const auto member : {&rl::TrainSequence::old_logprobs, &rl::TrainSequence::reference_logprobs}) {
    run.policy.score(groups, run.stage(), whole(), *run.policy.weights(), member);
    for (const auto& g : groups)
      for (const auto& s : g.sequences) REQUIRE(s.*member == s.logprobs);
  }
  const SmallRun full({"rollout.top_p=0.5"});  // the same tokens, whose probability is larger among fewer
  const auto& cut = run.groups[0].samples[0].record;
  const auto& whole_softmax = full.groups[0].samples[0].record;
  REQUIRE(cut.tokens == whole_softmax.tokens);
  for (size_t t = 0; t < cut.tokens.size(); ++t)
    REQUIRE(cut.logprobs[t] == Approx(whole_softmax.logprobs[t] - std::log(whole_softmax.kept_mass[t])).margin(1e-5));
  const auto update = run.policy.accumulate(groups, run.stage(), whole());
  REQUIRE(update.sums.tokens > 40);
  REQUIRE((update.ratio_min == 1.0 && update.ratio_max == 1.0));
}

TEST_CASE("mistake 6: the end token is not trained", "[mistakes]") {
  int ended = 0;
  const auto& run = small_run();
  for (const auto& g : rl::training_groups(run.groups, run.stage()).groups)
    for (const auto& s : g.sequences) {
      if (s.tokens.back() != run.policy.stop_tokens().front()) continue;
      ++ended;
      REQUIRE(s.trained.back() == 1);
      REQUIRE(s.logprobs.back() < 0);
    }
  REQUIRE(ended > 0);  // masks are made of what was sampled, never of token ids: a pad token that is the end token is no matter
}

TEST_CASE("mistake 7: tokens after the end token count in length, entropy or KL", "[mistakes]") {
  for_each_sample([](const rollout::SampleRecord& r) {
    for (size_t t = 0; t + 1 < r.tokens.size(); ++t) REQUIRE(r.tokens[t] != small_run().policy.stop_tokens().front());
    int64_t trained = 0;
    for (const auto& part : r.trained) trained += part.length;
    REQUIRE(trained == static_cast<int64_t>(r.tokens.size()));
  });
  SmallRun run;
  double tokens = 0;
  for_each_sample([&](const rollout::SampleRecord& r) { tokens += static_cast<double>(r.tokens.size()); });
  REQUIRE(run.policy.accumulate(run.training(), run.stage(), whole()).sums.tokens == tokens);
}

TEST_CASE("mistake 8: padding and positions differ between sampler and trainer", "[mistakes]") {
  // There is no padding to a common length: a completion has the same positions and bits alone as beside longer ones.
  const auto together = scored(small_run().training(), small_run().stage());
  for (const auto& g : small_run().training())
    for (const auto& s : g.sequences) {
      const auto alone = scored({{0, g.prompt, {s}}}, small_run().stage());
      REQUIRE(alone[0].sequences[0].old_logprobs == s.logprobs);
    }
  REQUIRE(together[1].sequences[3].old_logprobs == together[1].sequences[3].logprobs);
}

TEST_CASE("mistake 12: a prompt's completions lose their group", "[mistakes]") {
  std::set<int64_t> ids;
  for (const auto& g : small_run().groups) {
    for (const auto& s : g.samples) REQUIRE(s.record.group_id == g.samples[0].record.group_id);
    ids.insert(g.samples[0].record.group_id);
    REQUIRE(g.samples.size() == 4);
  }
  REQUIRE(ids.size() == 2);
}

TEST_CASE("mistake 13: a group is cut over two micro-batches or updates before its advantage is known", "[mistakes]") {
  // A group is one object, with its advantages in it, and both cuts go between objects.
  const auto groups = small_run().training();
  REQUIRE(rl::split_micro_batches(groups, 1) == std::vector<std::pair<size_t, size_t>>{{0, 1}, {1, 2}});
}

TEST_CASE("mistake 24: completions are encoded again from text, with other ids", "[mistakes]") {
  rl::Group group = small_run().groups[0];
  for (auto& s : group.samples) s.text = "nothing of this is read";
  const auto out = rl::training_groups({group}, small_run().stage());
  for (size_t i = 0; i < group.samples.size(); ++i) REQUIRE(out.groups[0].sequences[i].tokens == group.samples[i].record.tokens);
}

TEST_CASE("mistake 30: ids outside of the tokenizer's vocabulary are sampled", "[mistakes]") {
  // A model of ours is born with the tokenizer's size. Rows that pad a downloaded model's embedding may be drawn; then they are
  // trained as the ids they are (mistake 24), with no text.
  const auto size = small_run().policy.tokenizer().size();
  REQUIRE(small_run().policy.config().vocab_size == size);
  for_each_sample([&](const rollout::SampleRecord& r) {
    for (const int32_t id : r.tokens) REQUIRE((id >= 0 && id < size));
  });
}

// mistake 31, dropout left on: cannot happen, as the network has none; mistake 8's test would see any noise in a forward pass.

TEST_CASE("mistake 32: bf16 logits under the log-softmax", "[mistakes]") {
  const auto& run = small_run();
  REQUIRE(run.policy.dtype() == kernels::Dtype::bf16);
  const auto micro = rl::pack(run.training(), 0, 2, 1.0f);
  auto storage = model::make_key_storage(run.policy.config(), run.policy.dtype(), micro.tokens.rows());
  const at::Tensor logits = model::forward_logits(*run.policy.weights(), micro.tokens, storage);
  REQUIRE(logits.scalar_type() == at::kFloat);
  REQUIRE(!logits.equal(logits.to(at::kBFloat16).to(at::kFloat)));  // nor were they bf16 on their way
}

TEST_CASE("mistake 33: router noise, capacity drops or an auxiliary loss during RL", "[mistakes]") {
  // The router is a function of the token: mistake 8's model has experts, and each expert takes all tokens that choose it.
  SmallRun run;
  const auto update = run.policy.accumulate(run.training(), run.stage(), whole());
  int64_t rows = 0;
  for (const auto& g : run.training()) rows += rl::rows_of(g);
  int64_t padding = 0, chosen = 0;
  for (const int32_t group : rl::pack(run.training(), 0, 2, 1.0f).tokens.groups) padding += group < 0;
  for (const int64_t load : update.expert_loads.back()) chosen += load;
  REQUIRE(chosen == 2 * (rows - padding));  // two experts a token, none dropped
}

TEST_CASE("mistake 36: equal seeds make a group's completions equal", "[mistakes]") {
  // Each sample has random numbers of its own: two of a group may be short and alike, not all.
  for (const auto& g : small_run().groups) {
    std::set<std::vector<int32_t>> distinct;
    for (const auto& s : g.samples) distinct.insert(s.record.tokens);
    REQUIRE(distinct.size() >= 3);
  }
}
