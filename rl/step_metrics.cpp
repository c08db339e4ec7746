#include "rl/step_metrics.h"

#include <fmt/core.h>

#include <algorithm>

#include "rl/alarms.h"

namespace rl {
namespace {

void append_clip_metrics(Metrics& metrics, const LossSums& sums, const StageConfig& stage) {
  const double ratios = std::max(1.0, sums.ratios);
  if (stage.loss.kind == "cispo") metrics.emplace_back("cispo_clip_ratio", sums.clipped_high / ratios);
  if (stage.loss.kind != "ppo_clip") return;
  metrics.emplace_back("clip_ratio/low_mean", sums.clipped_low / ratios);
  metrics.emplace_back("clip_ratio/low_min", std::min(sums.clipped_low_min, sums.clipped_low / ratios));
  metrics.emplace_back("clip_ratio/high_mean", sums.clipped_high / ratios);
  metrics.emplace_back("clip_ratio/high_max", sums.clipped_high_max);
  metrics.emplace_back("clip_ratio/region_mean", (sums.clipped_low + sums.clipped_high) / ratios);
}

// On the step's first update the trainer has the weights that drew its own tokens: there the two are the same, bit for bit. Of
// tokens that older weights drew, the difference says how far the policy has moved; it is told apart, so that the alarm of the
// first keeps its meaning.
void append_sampler_metrics(Metrics& metrics, const UpdateStatistics& first, const CorrectionSums& correction) {
  const double tokens = std::max(1.0, first.sums.tokens);
  for (const auto& [name, difference] : {std::pair("sampling", first.own), std::pair("stale", first.stale)}) {
    if (difference.tokens == 0) continue;
    metrics.emplace_back(fmt::format("sampling/{}_logp_difference/mean", name), difference.sum / difference.tokens);
    metrics.emplace_back(fmt::format("sampling/{}_logp_difference/max", name), difference.max);
  }
  // What the loss was multiplied with, when it was; else the plain ratio of trainer to sampler.
  const bool corrected = correction.tokens > 0;
  metrics.emplace_back("sampling/importance_sampling_ratio/min", corrected ? correction.least : first.ratio_min);
  metrics.emplace_back("sampling/importance_sampling_ratio/mean",
                       corrected ? correction.sum / correction.tokens : first.ratio_sum / tokens);
  metrics.emplace_back("sampling/importance_sampling_ratio/max", corrected ? correction.most : first.ratio_max);
  if (corrected) metrics.emplace_back("correction/dropped_share", correction.dropped / correction.tokens);
}

}  // namespace

double append_length_metrics(Metrics& metrics, const std::vector<Group>& groups) {
  double sum = 0, count = 0, shortest = 1e300, longest = 0, clipped = 0, terminated_sum = 0, repeated = 0, kept = 0, kept_count = 0;
  double kept_ids = 0, kept_lists = 0;
  for (const Group& group : groups)
    for (const auto& s : group.samples) {
      const double length = static_cast<double>(s.record.tokens.size());
      const bool cut = s.record.finish == rollout::FinishReason::length;
      sum += length, count += 1, clipped += cut;
      terminated_sum += cut ? 0 : length;
      repeated += repetition_share(s.record.tokens);
      shortest = std::min(shortest, length), longest = std::max(longest, length);
      for (float mass : s.record.kept_mass) kept += mass, kept_count += 1;
      for (int64_t ids : s.record.kept.counts()) kept_ids += static_cast<double>(ids), kept_lists += 1;
    }
  metrics.emplace_back("completions/mean_length", sum / count);
  metrics.emplace_back("completions/min_length", shortest);
  metrics.emplace_back("completions/max_length", longest);
  metrics.emplace_back("completions/clipped_ratio", clipped / count);
  metrics.emplace_back("completions/mean_terminated_length", count > clipped ? terminated_sum / (count - clipped) : 0.0);
  metrics.emplace_back("completions/repetition_share", repeated / count);
  if (kept_count > 0) metrics.emplace_back("sampling/kept_mass_mean", kept / kept_count);
  if (kept_lists > 0) metrics.emplace_back("sampling/kept_ids_mean", kept_ids / kept_lists);
  return sum / count;
}

void append_loss_metrics(Metrics& metrics, const Updates& done, const StageConfig& stage) {
  const LossSums& sums = done.all.sums;
  const double updates = static_cast<double>(done.count), tokens = std::max(1.0, sums.tokens);
  metrics.emplace_back("loss", sums.loss / updates);
  if (stage.kl.coef != 0 || stage.loss.entropy_coef != 0 || stage.loss.entropy_target > 0)
    metrics.emplace_back("policy_loss", sums.policy_loss / updates);
  metrics.emplace_back("entropy", sums.entropy / tokens);
  if (stage.loss.entropy_target > 0) metrics.emplace_back("entropy_coef", done.entropy_coef);
  if (stage.kl.coef != 0) metrics.emplace_back("kl", sums.kl / tokens);
  append_clip_metrics(metrics, sums, stage);
  append_sampler_metrics(metrics, done.first, done.correction);
}

}  // namespace rl
