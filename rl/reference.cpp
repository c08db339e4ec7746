#include "rl/reference.h"

namespace rl {

void keep_reference(Run& run, const StageConfig& stage) {
  if (stage.kl.coef == 0) return;
  if (!run.reference_master.defined()) run.reference_master = run.policy.store().master.clone();
  if (!run.reference) run.reference = run.policy.weights_of(run.reference_master);
}

void refresh_reference(Run& run, const StageConfig& stage, int64_t step) {
  const KlConfig& kl = stage.kl;
  if (kl.coef == 0 || kl.reference_update == "never" || (step + 1) % kl.reference_every_steps != 0) return;
  const at::Tensor& master = run.policy.store().master;
  const auto own = static_cast<float>(kl.reference_update == "polyak" ? kl.reference_polyak : 1.0), kept = 1.0f - own;
  const float* policy = kernels::f32(master);
  float* reference = kernels::f32(run.reference_master);
  for (int64_t i = 0; i < master.numel(); ++i) reference[i] = own == 1.0f ? policy[i] : own * policy[i] + kept * reference[i];
  run.reference = nullptr;  // packed again before the next step
  if (kl.reset_optimizer) run.policy.reset_optimizer();
}

}  // namespace rl
