#include "rl/reference.h"

namespace rl {

void keep_reference(Run& run, const StageConfig& stage) {
  if (stage.kl.coef == 0) return;
  if (!run.reference_master.defined()) run.reference_master = run.policy.store().master.clone();
  if (!run.reference) run.reference = run.policy.weights_of(run.reference_master);
}

bool reference_is_due(const KlConfig& kl, int64_t step) {
  return kl.coef != 0 && kl.reference_update != "never" && (step + 1) % kl.reference_every_steps == 0;
}

void move_reference(at::Tensor& reference, const at::Tensor& policy, double share) {
  const auto own = static_cast<float>(share), kept = 1.0f - own;
  const float* from = kernels::f32(policy);
  float* to = kernels::f32(reference);
  for (int64_t i = 0; i < policy.numel(); ++i) to[i] = own == 1.0f ? from[i] : own * from[i] + kept * to[i];
}

void refresh_reference(Run& run, const StageConfig& stage, int64_t step) {
  if (!reference_is_due(stage.kl, step)) return;
  const double share = stage.kl.reference_update == "polyak" ? stage.kl.reference_polyak : 1.0;
  move_reference(run.reference_master, run.policy.store().master, share);
  run.reference = nullptr;  // packed again before the next step
  if (stage.kl.reset_optimizer) run.policy.reset_optimizer();
}

}  // namespace rl
