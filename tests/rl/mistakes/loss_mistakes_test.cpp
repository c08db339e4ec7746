// Mistakes other trainers made, one test each: those in advantages, loss, KL and denominators.
#include <cmath>

#include "rl/advantage/group_advantages.h"
#include "rl/advantage/step_advantages.h"
#include "rl/loss/kl.h"
#include "tests/rl/loss/loss_batch.h"
#include "tests/rl/mistakes/small_run.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"

namespace {

using testing::SmallRun;

rl::TrainSequence of_tokens(size_t count, double reward = 0) {
  rl::TrainSequence s;
  s.tokens.assign(count, 1), s.trained.assign(count, 1), s.logprobs.assign(count, -1.0f), s.reward = reward;
  return s;
}

rl::LossConfig aggregated(const char* aggregation, int64_t constant_length = 0) {
  rl::LossConfig loss;
  loss.aggregation = aggregation, loss.constant_length = constant_length;
  return loss;
}

at::Tensor gradient_of(SmallRun& run, int64_t rows, const char* aggregation, double* loss) {
  auto groups = run.training();
  rl::weigh_tokens(groups, aggregated(aggregation, 24));
  run.policy.store().gradient.zero_();
  *loss = run.policy.accumulate(groups, run.stage(), {rows, 0}).sums.loss;
  run.policy.store().complete_gradient();
  return run.policy.store().gradient.clone();
}

}  // namespace

TEST_CASE("mistake 9: the mean of micro-batches' means", "[mistakes]") {
  // Three tokens and one, in one update: each counts a quarter, whichever micro-batch it is in.
  std::vector<rl::TrainGroup> groups = {{0, {1}, {of_tokens(3)}}, {1, {1}, {of_tokens(1)}}};
  REQUIRE(rl::weigh_tokens(groups, aggregated("token_mean")) == 4);
  REQUIRE(groups[0].sequences[0].token_weight == 0.25);
  REQUIRE(groups[1].sequences[0].token_weight == 0.25);
}

TEST_CASE("mistake 10: the loss is scaled again, or not, by the number of micro-batches", "[mistakes]") {
  SmallRun run;
  for (const char* aggregation : {"token_mean", "seq_mean", "seq_mean_token_sum", "constant"}) {
    INFO(aggregation);
    double whole = 0, cut = 0;
    const at::Tensor one = gradient_of(run, 1 << 20, aggregation, &whole), two = gradient_of(run, 1, aggregation, &cut);
    REQUIRE(testing::same_bits(one, two));
    REQUIRE(whole == cut);
  }
}

TEST_CASE("mistake 11: which deviation, where its epsilon, and rewards that differ by noise", "[mistakes]") {
  rl::AdvantageConfig config;
  config.eps = 0;
  // Eight rewards, one of them 1: sums of squares 7/8. sqrt(7/8 / 7) or sqrt(7/8 / 8): they differ by 6.9 %.
  const std::vector<double> rewards = {1, 0, 0, 0, 0, 0, 0, 0};
  const double unbiased = rl::group_advantages(rewards, config)[0];
  config.std = "population";
  REQUIRE(rl::group_advantages(rewards, config)[0] / unbiased == Approx(std::sqrt(8.0 / 7.0)));
  // 0.1 + 0.2 is not 0.3: the difference of 6e-17 must not become an advantage of 1.
  config.eps = 1e-6;
  for (const double a : rl::group_advantages({0.1 + 0.2, 0.3}, config)) REQUIRE(std::abs(a) < 1e-9);
}

// A policy over three tokens, the reference another, samples of the policy itself. The mean over tokens of pi * slope * grad log pi
// must be the gradient of KL(pi || ref) by the logits: pi_j (d_j - KL).
TEST_CASE("mistake 14: k3 differentiated as it stands, or k1 in the loss, is not the KL's gradient", "[mistakes]") {
  const std::vector<double> pi = {0.5, 0.3, 0.2}, reference = {0.2, 0.2, 0.6};
  const auto mean_gradient = [&](const char* value, const char* gradient) {
    rl::KlConfig config;
    config.value = value, config.gradient = gradient;
    std::vector<double> sum(3, 0.0);
    for (size_t token = 0; token < 3; ++token) {
      const double slope = rl::KlPenalty(config).term(std::log(pi[token] / reference[token]), 1.0).slope;
      for (size_t j = 0; j < 3; ++j) sum[j] += pi[token] * slope * ((j == token) - pi[j]);
    }
    return sum;
  };
  double kl = 0;
  for (size_t i = 0; i < 3; ++i) kl += pi[i] * std::log(pi[i] / reference[i]);
  const auto right = [&](const std::vector<double>& gradient) {
    bool all = true;
    for (size_t j = 0; j < 3; ++j) all = all && std::abs(gradient[j] - pi[j] * (std::log(pi[j] / reference[j]) - kl)) < 1e-12;
    return all;
  };
  REQUIRE(right(mean_gradient("k3", "unbiased")));
  REQUIRE(right(mean_gradient("k1", "unbiased")));
  REQUIRE(right(mean_gradient("k3", "k2")));
  REQUIRE(right(mean_gradient("k2", "naive")));
  REQUIRE_FALSE(right(mean_gradient("k3", "naive")));
  for (const double g : mean_gradient("k1", "naive")) REQUIRE(std::abs(g) < 1e-12);  // nothing at all
  REQUIRE(rl::KlConfig().gradient == "unbiased");
}

TEST_CASE("mistake 15: a clamp hides that the policy has left the reference; the reward's KL uses the new policy", "[mistakes]") {
  REQUIRE(rl::kl_value("k3", 30.0) == Approx(29.0));  // not 10 or 19
  REQUIRE(rl::kl_value("k3", -30.0) > 1e8);
  REQUIRE(std::isfinite(rl::kl_value("k3", -1e6)));
  // The reward sees the log-probabilities of the rollout, or those computed before the first update: constants.
  rl::KlConfig kl;
  kl.coef = 1, kl.where = "reward", kl.value = "k1";
  rl::AdvantageConfig plain;
  plain.baseline = plain.scale = "none";
  std::vector<rl::TrainGroup> groups = {{0, {1}, {of_tokens(1, 5)}}};
  groups[0].sequences[0].reference_logprobs = {-3.0f};
  rl::assign_advantages(groups, plain, kl, {});
  REQUIRE(groups[0].sequences[0].advantage == 5 - 2);
  groups[0].sequences[0].old_logprobs = {-2.0f};
  rl::assign_advantages(groups, plain, kl, {});
  REQUIRE(groups[0].sequences[0].advantage == 5 - 1);
}

TEST_CASE("mistake 16: a loss of 0 taken for standing still", "[mistakes]") {
  // On-policy, with advantages of mean 0 and equal weights, the value is 0 by construction and the gradient is not.
  SmallRun run;
  double loss = 1;
  const at::Tensor gradient = gradient_of(run, 1 << 20, "seq_mean", &loss);
  REQUIRE(std::abs(loss) < 1e-6);
  REQUIRE(testing::max_abs(testing::as(testing::values(gradient))) > 1e-3);
}

TEST_CASE("mistake 17: a long wrong answer is pushed less for each of its tokens", "[mistakes]") {
  const auto weights = [](const rl::LossConfig& loss) {
    std::vector<rl::TrainGroup> groups = {{0, {1}, {of_tokens(1), of_tokens(4)}}};
    rl::weigh_tokens(groups, loss);
    return groups[0].sequences[1].token_weight / groups[0].sequences[0].token_weight;
  };
  REQUIRE(weights(aggregated("seq_mean")) == 0.25);  // the paper's GRPO: a choice, not the default
  for (const char* fair : {"token_mean", "seq_mean_token_sum", "constant"}) REQUIRE(weights(aggregated(fair, 10)) == 1);
  REQUIRE(rl::LossConfig().aggregation == "token_mean");
}

TEST_CASE("mistake 18: the constant of a constant length is the batch's width", "[mistakes]") {
  for (const size_t longest : {2, 9}) {
    std::vector<rl::TrainGroup> groups = {{0, {1}, {of_tokens(2), of_tokens(longest)}}};
    rl::weigh_tokens(groups, aggregated("constant", 100));
    REQUIRE(groups[0].sequences[0].token_weight == 1.0 / 200);
  }
  REQUIRE_THAT(testing::small_config_error("[loss]\naggregation = \"constant\"\n"), Catch::Contains("loss.constant_length: is missing"));
}

TEST_CASE("mistake 19: GSPO with a token mean", "[mistakes]") {
  REQUIRE_THAT(testing::small_config_error("[loss]\nratio_level = \"sequence\"\n"),
               Catch::Contains("loss.aggregation: is \"token_mean\", but loss.ratio_level is \"sequence\""));
}

TEST_CASE("mistake 20: CISPO's cap as a distance from 1 in one place and as the ratio itself in another", "[mistakes]") {
  // clip_high is the distance everywhere: 4 lets weights grow to 5.
  testing::LossToken token;
  token.policy = -1, token.old = -1 - std::log(7.0), token.advantage = 1;
  rl::LossConfig loss;
  loss.kind = "cispo", loss.clip_low = 1, loss.clip_high = 4;
  REQUIRE(testing::loss_of(testing::loss_batch({token}), loss).dlogprobs.at(0) == -5.0f);
}

TEST_CASE("mistake 34: the reference is the policy, by shared storage", "[mistakes]") {
  SmallRun run;
  const auto reference = run.policy.weights_of(run.policy.store().master.clone());
  auto before = run.training(), after = run.training();
  const rl::MicroBatchPlan plan{1 << 20, 0};
  run.policy.score(before, run.stage(), plan, *reference, &rl::TrainSequence::reference_logprobs);
  auto update = run.policy.accumulate(run.training(), run.stage(), plan);
  rl::StageConfig fast = run.stage();
  fast.optimizer.lr = 0.1, fast.optimizer.warmup_steps = 0;
  run.policy.apply(update, fast, 0, 1);
  run.policy.score(after, run.stage(), plan, *reference, &rl::TrainSequence::reference_logprobs);
  REQUIRE(after[0].sequences[0].reference_logprobs == before[0].sequences[0].reference_logprobs);
  run.policy.score(after, run.stage(), plan, *run.policy.weights(), &rl::TrainSequence::reference_logprobs);
  REQUIRE(after[0].sequences[0].reference_logprobs != before[0].sequences[0].reference_logprobs);
}
