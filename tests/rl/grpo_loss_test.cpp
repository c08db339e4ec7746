#include "rl/grpo_loss.h"

#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

// at::kBool tensors, without the heavy headers.
#include <ATen/ops/empty.h>

namespace {

using testing::values;

at::Tensor floats(const std::vector<float>& x) { return testing::tensor_f32({static_cast<int64_t>(x.size())}, x); }

at::Tensor bools(const std::vector<bool>& x) {
  at::Tensor t = at::empty({static_cast<int64_t>(x.size())}, at::TensorOptions().dtype(at::kBool));
  std::copy(x.begin(), x.end(), static_cast<bool*>(t.data_ptr()));
  return t;
}

// One token with old log-probability -1, weight 1 and entropy 2.
rl::GrpoLossInputs one_token(double log_ratio, double advantage, double reference_minus_policy = 0.0) {
  const auto policy = static_cast<float>(-1.0 + log_ratio);
  return {floats({policy}), floats({2.0f}), floats({-1.0f}), floats({policy + static_cast<float>(reference_minus_policy)}),
          floats({static_cast<float>(advantage)}), floats({1.0f}), bools({true})};
}

double gradient_of(const rl::GrpoLossOutput& out) { return static_cast<double>(values(out.dlogprobs).at(0)); }

rl::GrpoLossInputs slice(const rl::GrpoLossInputs& in, int64_t first, int64_t size) {
  const auto part = [&](const at::Tensor& x) { return x.narrow(0, first, size).clone(); };
  return {part(in.policy_logprobs), part(in.entropy), part(in.old_logprobs), part(in.reference_logprobs),
          part(in.advantages), part(in.token_weights), part(in.mask)};
}

rl::GrpoLossInputs random_inputs(int64_t size) {
  std::vector<bool> mask;
  for (int64_t i = 0; i < size; ++i) mask.push_back(i % 7 != 3);
  rl::GrpoLossInputs in{testing::random_f32({size}, 1), testing::random_f32({size}, 2), testing::random_f32({size}, 3),
                        testing::random_f32({size}, 4), testing::random_f32({size}, 5), testing::random_f32({size}, 6, 0.01f),
                        bools(mask)};
  // old = policy + noise: ratios around 1, on both sides of the clip range.
  float *old = kernels::f32(in.old_logprobs), *policy = kernels::f32(in.policy_logprobs);
  for (int64_t i = 0; i < size; ++i) old[i] = policy[i] + 0.3f * old[i];
  return in;
}

constexpr rl::GrpoLossConfig kAll{.clip_low = 0.2, .clip_high = 0.3, .kl_coef = 0.1, .entropy_coef = 0.02};

}  // namespace

// DeepSeekMath, arXiv:2402.03300, Eq. 3, one token: loss = -min(r A, clip(r, 1 - low, 1 + high) A); dr / dlogp = r.
struct ClipCase {
  const char* what;
  double ratio, advantage, loss, gradient, clipped_low, clipped_high;
};

TEST_CASE("the clip binds where it lowers the objective, and only there", "[grpo_loss]") {
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
    const auto out = rl::grpo_loss(one_token(std::log(c.ratio), c.advantage), {.clip_low = 0.2, .clip_high = 0.3});
    REQUIRE(out.loss == Approx(c.loss).epsilon(1e-6));
    REQUIRE(gradient_of(out) == Approx(c.gradient).epsilon(1e-6));
    REQUIRE(out.clipped_low == c.clipped_low);
    REQUIRE(out.clipped_high == c.clipped_high);
    REQUIRE(out.tokens == 1);
  }
}

TEST_CASE("at ratio 1 the gradient is -A / step_tokens, exactly", "[grpo_loss]") {
  const std::vector<float> logprobs = {-0.3f, -1.7f, -4.0f, -0.01f}, advantages = {1.25f, -0.5f, 0.0f, 0.8660254f};
  const rl::GrpoLossInputs in{floats(logprobs), {}, floats(logprobs), {}, floats(advantages),
                              floats({0.25f, 0.25f, 0.25f, 0.25f}),
                              bools({true, true, true, true})};
  const auto got = values(rl::grpo_loss(in, {}).dlogprobs);
  for (size_t i = 0; i < 4; ++i) REQUIRE(got[i] == -advantages[i] / 4.0f);
}

// Eq. 4: k3 = e^d - d - 1 with d = reference - policy. d = ln 2: 2 - 0.693147 - 1 = 0.306853.
// d k3 / d policy = 1 - e^d = -1. A = 0 leaves coef * k3 alone: 0.1 * 0.306853, gradient -0.1.
TEST_CASE("the k3 penalty and its gradient by hand", "[grpo_loss]") {
  const auto out = rl::grpo_loss(one_token(0.0, 0.0, std::log(2.0)), {.kl_coef = 0.1});
  REQUIRE(out.kl == Approx(1.0 - std::log(2.0)).epsilon(1e-6));
  REQUIRE(out.loss == Approx(0.1 * (1.0 - std::log(2.0))).epsilon(1e-6));
  REQUIRE(gradient_of(out) == Approx(-0.1).epsilon(1e-6));
  // d = -ln 2: 1/2 + 0.693147 - 1 = 0.193147; gradient 0.1 * (1 - 1/2).
  const auto lower = rl::grpo_loss(one_token(0.0, 0.0, -std::log(2.0)), {.kl_coef = 0.1});
  REQUIRE(lower.kl == Approx(std::log(2.0) - 0.5).epsilon(1e-6));
  REQUIRE(gradient_of(lower) == Approx(0.05).epsilon(1e-6));
}

// loss = -A - coef * H at ratio 1: -1 - 0.5 * 2 = -2; d / dH = -0.5.
TEST_CASE("entropy is rewarded by its coefficient", "[grpo_loss]") {
  const auto out = rl::grpo_loss(one_token(0.0, 1.0), {.entropy_coef = 0.5});
  REQUIRE(out.loss == Approx(-2.0).epsilon(1e-6));
  REQUIRE(values(out.dentropy).at(0) == -0.5f);
  REQUIRE(out.entropy_sum == 2.0);
  REQUIRE_FALSE(rl::grpo_loss(one_token(0.0, 1.0), {}).dentropy.defined());
}

TEST_CASE("a log-ratio far away is clamped and stays finite", "[grpo_loss]") {
  // A > 0 and r = e^-20: unclipped, but the clamp of the log-ratio has no slope.
  const auto out = rl::grpo_loss(one_token(-90.0, 1.0), {});
  REQUIRE(out.loss == Approx(-std::exp(-20.0)).epsilon(1e-6));
  REQUIRE(gradient_of(out) == 0.0);
  REQUIRE(std::isfinite(rl::grpo_loss(one_token(95.0, -1.0), {}).loss));
}

TEST_CASE("the gradient is the slope of the loss", "[grpo_loss]") {
  const int64_t size = 30;
  const auto in = random_inputs(size);
  const auto out = rl::grpo_loss(in, kAll);
  const auto policy = testing::as(values(in.policy_logprobs)), entropy = testing::as(values(in.entropy));
  const auto old = testing::as(values(in.old_logprobs)), reference = testing::as(values(in.reference_logprobs));
  const auto advantages = testing::as(values(in.advantages)), weights = testing::as(values(in.token_weights));
  // Eqs. 3 and 4 in float64.
  const auto loss = [&](const std::vector<double>& p, const std::vector<double>& h) {
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      if (i % 7 == 3) continue;
      const double r = std::exp(p[i] - old[i]), d = reference[i] - p[i];
      const double surrogate = std::min(r * advantages[i], std::min(std::max(r, 0.8), 1.3) * advantages[i]);
      sum += weights[i] * (-surrogate + 0.1 * (std::exp(d) - d - 1) - 0.02 * h[i]);
    }
    return sum;
  };
  REQUIRE(out.loss == Approx(loss(policy, entropy)).epsilon(1e-5));
  REQUIRE(out.clipped_low + out.clipped_high > 2);
  testing::require_gradient(values(out.dlogprobs), policy, [&](const std::vector<double>& p) { return loss(p, entropy); }, 1e-6);
  testing::require_gradient(values(out.dentropy), entropy, [&](const std::vector<double>& h) { return loss(policy, h); }, 1e-6);
}

TEST_CASE("masked tokens may hold NaN and infinities and change nothing", "[grpo_loss]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto clean = random_inputs(40), dirty = random_inputs(40);
  for (int64_t i = 3; i < 40; i += 7)
    for (const at::Tensor& x : {dirty.policy_logprobs, dirty.entropy, dirty.old_logprobs, dirty.reference_logprobs,
        dirty.advantages, dirty.token_weights})
      kernels::f32(x)[i] = i % 2 ? nan : -inf;
  const auto a = rl::grpo_loss(clean, kAll), b = rl::grpo_loss(dirty, kAll);
  REQUIRE(a.loss == b.loss);
  REQUIRE(testing::same_bits(a.dlogprobs, b.dlogprobs));
  REQUIRE(testing::same_bits(a.dentropy, b.dentropy));
  REQUIRE(a.kl == b.kl);
  REQUIRE(a.entropy_sum == b.entropy_sum);
  REQUIRE(a.tokens == b.tokens);
  for (int64_t i = 3; i < 40; i += 7) REQUIRE(kernels::f32(b.dlogprobs)[i] == 0.0f);
}

TEST_CASE("a trained token that is not finite is named", "[grpo_loss]") {
  const auto in = random_inputs(9);
  kernels::f32(in.advantages)[5] = std::numeric_limits<float>::quiet_NaN();
  REQUIRE_THROWS_WITH(rl::grpo_loss(in, kAll), Catch::Contains("token 5"));
}

TEST_CASE("micro-batches add up to the whole, and a token's gradient has the same bits wherever it stands", "[grpo_loss]") {
  const int64_t size = 131;
  const auto in = random_inputs(size);
  const auto whole = rl::grpo_loss(in, kAll);
  const auto wanted = values(whole.dlogprobs);
  for (const int64_t piece : {1, 2, 5, 8, 17, 64}) {
    INFO("pieces of " << piece);
    double loss = 0, tokens = 0, kl = 0, clipped = 0;
    for (int64_t first = 0; first < size; first += piece) {
      const auto out = rl::grpo_loss(slice(in, first, std::min(piece, size - first)), kAll);
      const auto got = values(out.dlogprobs);
      for (size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == wanted[static_cast<size_t>(first) + i]);
      loss += out.loss, tokens += out.tokens, kl += out.kl, clipped += out.clipped_low + out.clipped_high;
    }
    REQUIRE(loss == Approx(whole.loss).epsilon(1e-12));
    REQUIRE(tokens == whole.tokens);
    REQUIRE(kl == Approx(whole.kl).epsilon(1e-12));
    REQUIRE(clipped == whole.clipped_low + whole.clipped_high);
  }
}
