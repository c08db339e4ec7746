#include "rl/loss/policy_loss.h"

#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "tests/rl/loss/loss_batch.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"

namespace {

using testing::loss_batch;
using testing::loss_of;
using testing::LossToken;

rl::LossConfig clip(double low, double high) {
  rl::LossConfig c;
  c.clip_low = low, c.clip_high = high;
  return c;
}

rl::KlConfig penalty(double coef, const char* value = "k3", const char* gradient = "naive") {
  rl::KlConfig c;
  c.coef = coef, c.value = value, c.gradient = gradient;
  return c;
}

// One token with old log-probability -1, weight 1 and entropy 2.
std::vector<LossToken> one_token(double log_ratio, double advantage, double reference_minus_policy = 0.0) {
  LossToken token;
  token.policy = -1.0 + log_ratio, token.advantage = advantage, token.reference = token.policy + reference_minus_policy;
  return {token};
}

struct Everything {
  const char* name;
  rl::LossConfig loss;
  rl::KlConfig kl;
  double entropy_coef;
};

// Each objective, level, and KL with the value of the loss as an exact function of the log-probabilities: no `k2` gradient.
std::vector<Everything> everything() {
  std::vector<Everything> all;
  for (const char* kind : {"ppo_clip", "sapo", "reinforce"})
    for (const char* level : {"token", "sequence"})
      for (const char* value : {"k1", "k2", "k3"}) {
        rl::LossConfig loss = clip(0.2, 0.3);
        loss.kind = kind, loss.ratio_level = level;
        if (loss.kind == "ppo_clip") loss.dual_clip = 1.5;
        all.push_back({kind, loss, penalty(0.1, value, value[1] == '2' ? "unbiased" : "naive"), 0.02});
      }
  rl::KlConfig whole = penalty(0.1, "k2");
  whole.level = "sequence";
  all.push_back({"sequence kl", clip(0.2, 0.3), whole, 0.0});
  return all;
}

// What the header says, in float64, written another way: sums over completions of a function of the log-probabilities.
double plain_loss(const std::vector<LossToken>& tokens, const std::vector<double>& policy, const std::vector<double>& entropy,
                  const Everything& c) {
  double total = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].trained) continue;
    double mean = 0, count = 0, d_sum = 0, weight_sum = 0;
    for (size_t j = 0; j < tokens.size(); ++j)
      if (tokens[j].sequence == tokens[i].sequence && tokens[j].trained)
        mean += policy[j] - tokens[j].old, count += 1, d_sum += policy[j] - tokens[j].reference, weight_sum += tokens[j].weight;
    const double own = std::exp(policy[i] - tokens[i].old);
    const double r = c.loss.ratio_level == "token" ? own : std::exp(mean / count), a = tokens[i].advantage;
    double loss = 0;
    if (c.loss.kind == "ppo_clip") {
      loss = -std::min(r * a, std::min(std::max(r, 1 - c.loss.clip_low), 1 + c.loss.clip_high) * a);
      if (a < 0 && c.loss.dual_clip > 0) loss = std::min(loss, -c.loss.dual_clip * a);
    } else if (c.loss.kind == "sapo") {
      const double tau = a > 0 ? 1.0 : 1.05;
      loss = -4 / tau * a / (1 + std::exp(-tau * (r - 1)));
    } else {
      loss = -a * policy[i];
    }
    const double d = policy[i] - tokens[i].reference;
    double kl = c.kl.value == "k1" ? d : c.kl.value == "k2" ? d * d / 2 : std::exp(-d) + d - 1;
    if (c.kl.gradient == "unbiased") kl *= own;
    if (c.kl.level == "sequence") kl = d_sum * d_sum / 2 / count * weight_sum / count / tokens[i].weight;
    total += tokens[i].weight * (loss + c.kl.coef * kl - c.entropy_coef * entropy[i]);
  }
  return total;
}

}  // namespace

// DeepSeekMath, arXiv:2402.03300, Eq. 3, one token: loss = -min(r A, clip(r, 1 - low, 1 + high) A); dr / dlogp = r.
struct ClipCase {
  const char* what;
  double ratio, advantage, loss, gradient, clipped_low, clipped_high;
};

TEST_CASE("the clip binds where it lowers the objective, and only there", "[policy_loss]") {
  const ClipCase cases[] = {
      {"A > 0, inside: -1.1 * 2", 1.1, +2.0, -2.2, -2.2, 0, 0},
      {"A > 0, above 1 + 0.3: -1.3, flat", 1.5, +1.0, -1.3, 0.0, 0, 1},
      {"A > 0, below 1 - 0.2: min(0.5, 0.8) = 0.5, not clipped", 0.5, +1.0, -0.5, -0.5, 0, 0},
      {"A < 0, inside: +0.9", 0.9, -1.0, 0.9, 0.9, 0, 0},
      {"A < 0, below 1 - 0.2: min(-0.5, -0.8) = -0.8, flat", 0.5, -1.0, 0.8, 0.0, 1, 0},
      {"A < 0, above 1 + 0.3: min(-1.5, -1.3) = -1.5, not clipped", 1.5, -1.0, 1.5, 1.5, 0, 0},
  };
  for (const ClipCase& c : cases) {
    INFO(c.what);
    const auto out = loss_of(loss_batch(one_token(std::log(c.ratio), c.advantage)), clip(0.2, 0.3));
    REQUIRE(out.sums.loss == Approx(c.loss).epsilon(1e-6));
    REQUIRE(out.dlogprobs.at(0) == Approx(c.gradient).epsilon(1e-6));
    REQUIRE(out.sums.clipped_low == c.clipped_low);
    REQUIRE(out.sums.clipped_high == c.clipped_high);
    REQUIRE(out.sums.tokens == 1);
  }
}

// A = -1, dual_clip 3: r = 2 stays at 2; r = 5 counts as 3 and is flat. A > 0 is not touched.
TEST_CASE("the dual clip bounds the loss of a bad token that became likely", "[policy_loss]") {
  rl::LossConfig c = clip(0.2, 0.2);
  c.dual_clip = 3;
  REQUIRE(loss_of(loss_batch(one_token(std::log(2.0), -1)), c).sums.loss == Approx(2).epsilon(1e-6));
  const auto far = loss_of(loss_batch(one_token(std::log(5.0), -1)), c);
  REQUIRE(far.sums.loss == 3.0);
  REQUIRE(far.dlogprobs.at(0) == 0.0f);
  REQUIRE(loss_of(loss_batch(one_token(std::log(5.0), 1)), c).sums.loss == Approx(-1.2));
}

// MiniMax-M1, Eq. 4: -min(r, 5) * A * log pi with the first factor constant. r = 2, A = 3, log pi = -1 + ln 2:
// value -2 * 3 * (-0.306853) = 1.841117; gradient -2 * 3. r = e^2 = 7.39 counts as 5.
TEST_CASE("CISPO keeps every token's gradient and bounds its weight", "[policy_loss]") {
  rl::LossConfig c = clip(1, 4);
  c.kind = "cispo";
  const auto inside = loss_of(loss_batch(one_token(std::log(2.0), 3)), c);
  REQUIRE(inside.sums.loss == Approx(6 * (1 - std::log(2.0))).epsilon(1e-6));
  REQUIRE(inside.dlogprobs.at(0) == Approx(-6).epsilon(1e-6));
  const auto outside = loss_of(loss_batch(one_token(2.0, 3)), c);
  REQUIRE(outside.dlogprobs.at(0) == -15.0f);
  REQUIRE(outside.sums.clipped_high == 1);
}

// SAPO at r = 1: gate 4 / tau * 1/2, slope 4 * 1/4 = 1: the plain policy gradient whatever tau.
TEST_CASE("SAPO is the plain gradient at ratio 1 and fades away from it", "[policy_loss]") {
  rl::LossConfig c;
  c.kind = "sapo", c.sapo_tau_positive = 2;
  const auto one = loss_of(loss_batch(one_token(0, 3)), c);
  REQUIRE(one.sums.loss == Approx(-3));
  REQUIRE(one.dlogprobs.at(0) == Approx(-3));
  // r = 2: sigmoid(2) = 0.8807971; slope 4 * 0.8807971 * 0.1192029 * 3, times r = 2.
  REQUIRE(loss_of(loss_batch(one_token(std::log(2.0), 3)), c).dlogprobs.at(0) == Approx(-4 * 0.8807971 * 0.1192029 * 3 * 2).epsilon(1e-5));
}

// GSPO, Eq. 7: two tokens with log-ratios 0.2 and 0 have s = e^0.1; the slope by each is s / 2 (Eq. 10).
TEST_CASE("a sequence ratio is the geometric mean, and its slope is shared by the tokens", "[policy_loss]") {
  auto tokens = one_token(0.2, 1);
  tokens.push_back(one_token(0, 1)[0]);
  for (auto& t : tokens) t.weight = 0.5;
  rl::LossConfig c = clip(0.2, 0.2);
  c.ratio_level = "sequence";
  const auto out = loss_of(loss_batch(tokens), c);
  REQUIRE(out.sums.loss == Approx(-std::exp(0.1)).epsilon(1e-6));
  for (const float g : out.dlogprobs) REQUIRE(g == Approx(-std::exp(0.1) / 2).epsilon(1e-6));
  REQUIRE(out.sums.ratios == 1);
  // GSPO-token, Eq. 14, is the same where a completion's tokens share one advantage.
  c.ratio_level = "sequence_token";
  const auto by_token = loss_of(loss_batch(tokens), c);
  REQUIRE(by_token.sums.loss == out.sums.loss);
  REQUIRE(by_token.dlogprobs == out.dlogprobs);
  // s = e^0.1 = 1.105 is above 1.1: the whole completion is clipped, though one token's ratio is 1.
  c.clip_high = 0.1;
  REQUIRE(loss_of(loss_batch(tokens), c).dlogprobs == std::vector<float>{0, 0});
  REQUIRE(loss_of(loss_batch(tokens), c).sums.clipped_high == 1);
}

TEST_CASE("at ratio 1 the gradient is -A / step_tokens, exactly", "[policy_loss]") {
  const std::vector<float> logprobs = {-0.3f, -1.7f, -4.0f, -0.01f}, advantages = {1.25f, -0.5f, 0.0f, 0.8660254f};
  std::vector<LossToken> tokens(4);
  for (size_t i = 0; i < 4; ++i)
    tokens[i].policy = tokens[i].old = logprobs[i], tokens[i].advantage = advantages[i], tokens[i].weight = 0.25;
  const auto got = loss_of(loss_batch(tokens), {}).dlogprobs;
  for (size_t i = 0; i < 4; ++i) REQUIRE(got[i] == -advantages[i] / 4.0f);
}

// Eq. 4: k3 = e^-d + d - 1 with d = policy - reference. d = -ln 2: 2 - 0.693147 - 1 = 0.306853.
// Its slope is 1 - e^-d = -1. A = 0 leaves coef * k3 alone: 0.1 * 0.306853, gradient -0.1.
TEST_CASE("the k3 penalty and its own slope by hand", "[policy_loss]") {
  const auto out = loss_of(loss_batch(one_token(0.0, 0.0, std::log(2.0)), true), {}, penalty(0.1));
  REQUIRE(out.sums.kl == Approx(1.0 - std::log(2.0)).epsilon(1e-6));
  REQUIRE(out.sums.loss == Approx(0.1 * (1.0 - std::log(2.0))).epsilon(1e-6));
  REQUIRE(out.dlogprobs.at(0) == Approx(-0.1).epsilon(1e-6));
  // d = ln 2: 1/2 + 0.693147 - 1 = 0.193147; gradient 0.1 * (1 - 1/2).
  const auto lower = loss_of(loss_batch(one_token(0.0, 0.0, -std::log(2.0)), true), {}, penalty(0.1));
  REQUIRE(lower.sums.kl == Approx(std::log(2.0) - 0.5).epsilon(1e-6));
  REQUIRE(lower.dlogprobs.at(0) == Approx(0.05).epsilon(1e-6));
}

// d = ln 2, r = 3. k2: d. unbiased k3: value 3 * 0.193147, slope r d = 3 * 0.693147.
TEST_CASE("the gradient forms of the KL by hand", "[policy_loss]") {
  const auto batch = loss_batch(one_token(std::log(3.0), 0.0, -std::log(2.0)), true);
  const auto straight = loss_of(batch, {}, penalty(1, "k3", "k2"));
  REQUIRE(straight.sums.kl == Approx(std::log(2.0) - 0.5).epsilon(1e-6));
  REQUIRE(straight.dlogprobs.at(0) == Approx(std::log(2.0)).epsilon(1e-6));
  const auto unbiased = loss_of(batch, {}, penalty(1, "k3", "unbiased"));
  REQUIRE(unbiased.sums.kl == Approx(3 * (std::log(2.0) - 0.5)).epsilon(1e-6));
  REQUIRE(unbiased.dlogprobs.at(0) == Approx(3 * std::log(2.0)).epsilon(1e-6));
}

// loss = -A - coef * H at ratio 1: -1 - 0.5 * 2 = -2; d / dH = -0.5.
TEST_CASE("entropy is rewarded by its coefficient", "[policy_loss]") {
  const auto out = loss_of(loss_batch(one_token(0.0, 1.0)), {}, {}, 0.5);
  REQUIRE(out.sums.loss == Approx(-2.0).epsilon(1e-6));
  REQUIRE(out.sums.policy_loss == Approx(-1.0).epsilon(1e-6));
  REQUIRE(out.dentropy.at(0) == -0.5f);
  REQUIRE(out.sums.entropy == 2.0);
  REQUIRE(loss_of(loss_batch(one_token(0.0, 1.0)), {}).dentropy.empty());
}

TEST_CASE("a correction multiplies the policy's part and leaves the KL's", "[policy_loss]") {
  auto tokens = one_token(0.0, 1.0, std::log(2.0));
  tokens[0].correction = 0.25;
  const auto out = loss_of(loss_batch(tokens, true, true), {}, penalty(0.1));
  REQUIRE(out.sums.loss == Approx(-0.25 + 0.1 * (1 - std::log(2.0))).epsilon(1e-6));
  REQUIRE(out.dlogprobs.at(0) == Approx(-0.25 - 0.1).epsilon(1e-6));
}

TEST_CASE("a log-ratio far away is cut and stays finite", "[policy_loss]") {
  // A > 0 and r = e^-20: unclipped, but the cut log-ratio has no slope.
  const auto out = loss_of(loss_batch(one_token(-90.0, 1.0)), {});
  REQUIRE(out.sums.loss == Approx(-std::exp(-20.0)).epsilon(1e-6));
  REQUIRE(out.dlogprobs.at(0) == 0.0f);
  REQUIRE(std::isfinite(loss_of(loss_batch(one_token(95.0, -1.0)), {}).sums.loss));
}

TEST_CASE("the gradient is the slope of the loss, for every objective", "[policy_loss]") {
  const auto tokens = testing::random_tokens(30);
  const auto batch = loss_batch(tokens, true);
  const auto policy = testing::as(testing::values(batch.head.logprob)), entropy = testing::as(testing::values(batch.head.entropy));
  for (const Everything& c : everything()) {
    INFO(c.name << ", ratio of a " << c.loss.ratio_level << ", " << c.kl.value << " " << c.kl.gradient << " of a " << c.kl.level);
    const auto out = loss_of(batch, c.loss, c.kl, c.entropy_coef);
    const auto loss = [&](const std::vector<double>& p) { return plain_loss(tokens, p, entropy, c); };
    REQUIRE(out.sums.loss == Approx(loss(policy)).epsilon(1e-6));
    testing::require_gradient(out.dlogprobs, policy, loss, 1e-6);
    if (c.entropy_coef != 0)
      testing::require_gradient(out.dentropy, entropy, [&](const std::vector<double>& h) { return plain_loss(tokens, policy, h, c); }, 1e-6);
  }
}

TEST_CASE("masked tokens may hold NaN and infinities and change nothing", "[policy_loss]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto clean = loss_batch(testing::random_tokens(40), true, true), dirty = loss_batch(testing::random_tokens(40), true, true);
  for (int64_t i = 3; i < 40; i += 7)
    for (const at::Tensor& x : {dirty.head.logprob, dirty.head.entropy, dirty.micro.old_logprobs, dirty.micro.reference_logprobs,
                                dirty.micro.advantages, dirty.micro.token_weights, dirty.micro.corrections})
      kernels::f32(x)[i] = i % 2 ? nan : -inf;
  for (const Everything& c : everything()) {
    const auto a = loss_of(clean, c.loss, c.kl, c.entropy_coef), b = loss_of(dirty, c.loss, c.kl, c.entropy_coef);
    REQUIRE(a.sums.loss == b.sums.loss);
    REQUIRE(a.dlogprobs == b.dlogprobs);
    REQUIRE(a.dentropy == b.dentropy);
    REQUIRE(a.sums.kl == b.sums.kl);
    REQUIRE(a.sums.entropy == b.sums.entropy);
    REQUIRE(a.sums.tokens == b.sums.tokens);
    for (size_t i = 3; i < 40; i += 7) REQUIRE(b.dlogprobs[i] == 0.0f);
  }
}

TEST_CASE("a trained token that is not finite is named", "[policy_loss]") {
  const auto batch = loss_batch(testing::random_tokens(9));
  kernels::f32(batch.micro.advantages)[5] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(loss_of(batch, {}), Catch::Contains("token 5"));
}

TEST_CASE("micro-batches give the whole's sums and gradients, bit for bit", "[policy_loss]") {
  const auto tokens = testing::random_tokens(131);
  for (const Everything& c : everything()) {
    const auto whole = loss_of(loss_batch(tokens, true), c.loss, c.kl, c.entropy_coef);
    for (const size_t pieces : {2, 5, 17}) {
      INFO(c.name << " in pieces of " << pieces << " completions");
      rl::LossSums sums;
      std::vector<float> got;
      for (size_t first = 0, end; first < tokens.size(); first = end) {
        for (end = first; end < tokens.size() && tokens[end].sequence < tokens[first].sequence + int64_t(pieces); ++end) {}
        const auto piece = loss_batch({tokens.begin() + long(first), tokens.begin() + long(end)}, true);
        const auto gradient = testing::values(rl::policy_loss(piece.micro, piece.head, c.loss, c.kl, c.entropy_coef, sums).dlogprobs);
        got.insert(got.end(), gradient.begin(), gradient.end());
      }
      REQUIRE(got == whole.dlogprobs);
      REQUIRE(sums.loss == whole.sums.loss);
      REQUIRE(sums.kl == whole.sums.kl);
      REQUIRE(sums.entropy == whole.sums.entropy);
      REQUIRE(sums.tokens == whole.sums.tokens);
      REQUIRE(sums.clipped_low == whole.sums.clipped_low);
      REQUIRE(sums.clipped_high_max == whole.sums.clipped_high_max);
    }
  }
}
