#include "rl/grpo_loss.h"

#include <ATen/ATen.h>

#include <cmath>

#include "kernels/error.h"

namespace rl {
namespace {

void check(const at::Tensor& x, const char* name, int64_t size, at::ScalarType type) {
  if (!x.defined() || x.dim() != 1 || x.size(0) != size || x.scalar_type() != type)
    kernels::fail("grpo_loss: {} must be {} [{}].", name, c10::toString(type), size);
}

at::Tensor where_trained(const at::Tensor& mask, const at::Tensor& x) { return at::where(mask, x, at::zeros({1}, x.options())); }

at::Tensor log_ratio(const at::Tensor& upper, const at::Tensor& lower) { return (upper - lower).clamp(-20.0, 20.0); }

double total(const at::Tensor& x, double sum) {
  const at::Tensor values = x.to(at::kDouble).contiguous();
  const auto* value = static_cast<const double*>(values.const_data_ptr());
  for (int64_t i = 0; i < values.numel(); ++i) sum += value[i];
  return sum;
}

}  // namespace

GrpoLossOutput grpo_loss(const GrpoLossInputs& in, const GrpoLossConfig& config, const GrpoLossOutput& earlier) {
  const int64_t size = in.policy_logprobs.size(0);
  check(in.policy_logprobs, "policy_logprobs", size, at::kFloat);
  check(in.old_logprobs, "old_logprobs", size, at::kFloat);
  check(in.advantages, "advantages", size, at::kFloat);
  check(in.token_weights, "token_weights", size, at::kFloat);
  check(in.mask, "mask", size, at::kBool);
  if (config.kl_coef != 0) check(in.reference_logprobs, "reference_logprobs", size, at::kFloat);
  if (config.entropy_coef != 0) check(in.entropy, "entropy", size, at::kFloat);

  // Masked entries become 0 before any arithmetic, so what they held cannot spread.
  const at::Tensor policy = where_trained(in.mask, in.policy_logprobs).detach().requires_grad_(true);
  const at::Tensor old = where_trained(in.mask, in.old_logprobs), advantages = where_trained(in.mask, in.advantages);
  const at::Tensor weights = where_trained(in.mask, in.token_weights);
  const double low = 1.0 - config.clip_low, high = 1.0 + config.clip_high;

  const at::Tensor ratio = log_ratio(policy, old).exp();
  at::Tensor loss = -at::minimum(ratio * advantages, ratio.clamp(low, high) * advantages);
  GrpoLossOutput out;
  if (config.kl_coef != 0) {
    const at::Tensor d = log_ratio(where_trained(in.mask, in.reference_logprobs), policy);
    const at::Tensor k3 = d.exp() - d - 1.0;
    loss = loss + config.kl_coef * k3;
    out.kl = total(k3.detach(), earlier.kl);
  }
  at::Tensor entropy;
  if (in.entropy.defined()) {
    entropy = where_trained(in.mask, in.entropy).detach().requires_grad_(config.entropy_coef != 0);
    out.entropy_sum = total(entropy.detach(), earlier.entropy_sum);
    if (config.entropy_coef != 0) loss = loss - config.entropy_coef * entropy;
  }
  const at::Tensor token_loss = weights * loss;
  token_loss.sum().backward();

  out.loss = total(token_loss.detach(), earlier.loss);
  out.dlogprobs = policy.grad().contiguous();
  if (config.entropy_coef != 0) out.dentropy = entropy.grad().contiguous();
  out.tokens = total(in.mask, earlier.tokens);
  const at::Tensor r = ratio.detach();
  out.clipped_low = total((r < low) & (advantages < 0) & in.mask, earlier.clipped_low);
  out.clipped_high = total((r > high) & (advantages > 0) & in.mask, earlier.clipped_high);
  if (!std::isfinite(out.loss) || !out.dlogprobs.isfinite().all().item<bool>()) {
    const at::Tensor bad = (~token_loss.detach().isfinite()).nonzero();
    kernels::fail("grpo_loss: the loss is {} (token {} of this micro-batch); the step is not applied.", out.loss,
                  bad.size(0) > 0 ? bad[0].item<int64_t>() : -1);
  }
  return out;
}

}  // namespace rl
