#include "rl/update.h"

#include <algorithm>

#include "kernels/trace.h"
#include "rl/loss/non_finite.h"
#include "rl/rollout_routes.h"

namespace rl {
namespace {

MicroBatchPlan plan_of(const Run& run) { return {run.plan.microbatch_rows, run.plan.recomputed_blocks}; }

void add(LossSums& sums, const LossSums& update) {
  sums.loss += update.loss, sums.policy_loss += update.policy_loss;
  sums.tokens += update.tokens, sums.sequences += update.sequences;
  sums.kl += update.kl, sums.entropy += update.entropy;
  sums.ratios += update.ratios, sums.clipped_low += update.clipped_low, sums.clipped_high += update.clipped_high;
  sums.clipped_low_min = std::min(sums.clipped_low_min, update.clipped_low_min);
  sums.clipped_high_max = std::max(sums.clipped_high_max, update.clipped_high_max);
}

// `update` is the count-th.
void add(UpdateStatistics& all, const UpdateStatistics& update, int64_t count) {
  add(all.sums, update.sums);
  all.pack_seconds += update.pack_seconds, all.forward_seconds += update.forward_seconds;
  all.backward_seconds += update.backward_seconds, all.optimizer_seconds += update.optimizer_seconds;
  all.aux_loss += (update.aux_loss - all.aux_loss) / static_cast<double>(count);
  all.grad_norm = std::max(all.grad_norm, update.grad_norm), all.learning_rate = update.learning_rate;
  add_loads(all.expert_loads, update.expert_loads);
}

}  // namespace

void score_groups(Run& run, const StageConfig& stage, std::vector<TrainGroup>& groups, CorrectionSums& correction, StepTimes& times) {
  const kernels::Span span("score", &times.score);
  if (run.reference) run.policy.score(groups, stage, plan_of(run), *run.reference, &TrainSequence::reference_logprobs);
  if (stage.moe.replay == "rollout") replay_rollout_routes(groups, run.policy.config());
  if (stage.correction.old_logprobs == "recompute")
    run.policy.score(groups, stage, plan_of(run), *run.policy.weights(), &TrainSequence::old_logprobs);
  if (stage.moe.replay == "trainer") run.policy.record_routes(groups, stage, plan_of(run));
  correction = correct_for_sampler(groups, stage.correction);
}

void update_policy(Run& run, const StageConfig& stage, const std::vector<TrainGroup>& groups, int64_t step, int64_t steps,
                   StepTimes& times, Updates& done) {
  const kernels::Span span("train", &times.train);
  const auto n = static_cast<int64_t>(groups.size()), shares = std::min(stage.loss.updates_per_step, n);
  const int64_t updates = stage.loss.epochs_per_step * shares;
  EntropyBonus& bonus = run.state.entropy_bonus;
  for (int64_t u = 0; u < updates; ++u) {
    const int64_t share = u % shares;
    std::vector<TrainGroup> part(groups.begin() + n * share / shares, groups.begin() + n * (share + 1) / shares);
    weigh_tokens(part, stage.loss);
    done.entropy_coef = bonus.applied(stage.loss);
    UpdateStatistics statistics;
    try {
      statistics = run.policy.accumulate(part, stage, plan_of(run), done.entropy_coef);
      run.policy.apply(statistics, stage, step, steps);
    } catch (const NonFinite& error) {
      if (updates == 1) throw;
      fail_non_finite("update {} of {} ({} before it applied, {} after it left out): {}", u + 1, updates, u, updates - u - 1, error.what());
    }
    bonus.after_update(stage.loss, statistics.sums.entropy / std::max(1.0, statistics.sums.tokens));
    if (u == 0) done.first = statistics;
    add(done.all, statistics, ++done.count);
  }
}

}  // namespace rl
