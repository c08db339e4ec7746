#include "rl/describe_stage.h"

#include <fmt/core.h>

#include <algorithm>

#include "rl/sft/rows.h"

namespace rl {
namespace {

// Which problems and groups take part, where not all do.
std::string describe_groups(const StageConfig& stage) {
  const FilterConfig& filter = stage.filter;
  const CurriculumConfig& c = stage.curriculum;
  std::string out;
  if (c.kind == "pass_rate")
    out += fmt::format("  curriculum: problems are left out when their pass rate is above {:g}{}, {}\n", c.drop_solved_above,
                       c.drop_failed_below > 0 ? fmt::format(" or below {:g}", c.drop_failed_below) : "",
                       c.return_after_epochs > 0 ? fmt::format("for {} epochs", c.return_after_epochs) : "for good");
  if (c.kind == "failure") out += fmt::format("  curriculum: problems are drawn by 1 - their pass rate, at least {:g}\n", c.floor);
  const char* equal = filter.metric == "accuracy" ? "groups all right or all wrong" : "groups of equal rewards";
  if (filter.zero_variance == "refill")
    out += fmt::format("  {} are replaced, in at most {} rounds; then: {}\n", equal, filter.max_refills, filter.on_exhausted);
  if (filter.zero_variance == "drop") out += fmt::format("  {} are left out\n", equal);
  if (filter.truncated != "keep")
    out += fmt::format("  completions cut off at the limit {}\n", filter.truncated == "mask" ? "count in the baseline, but are not trained"
                                                                                            : "leave their group");
  return out;
}

// The objective with its bounds, what it is divided by, and the KL.
std::string describe_loss(const StageConfig& stage) {
  const LossConfig& loss = stage.loss;
  const KlConfig& kl = stage.kl;
  const double low = std::max(0.0, 1 - loss.clip_low), high = 1 + loss.clip_high;
  const std::string objective = loss.kind == "reinforce" ? "no ratio"
                                : loss.kind == "sapo"    ? "soft gate on the ratio"
                                                         : fmt::format("ratio clipped to [{:g}, {:g}]", low, high);
  const std::string of = loss.kind == "reinforce" || loss.ratio_level == "token" ? "" : " of each completion";
  const std::string denominator = loss.aggregation == "token_mean"           ? "the update's trained tokens"
                                  : loss.aggregation == "seq_mean"           ? "each completion's tokens, then the number of completions"
                                  : loss.aggregation == "seq_mean_token_sum" ? "the number of completions"
                                                                             : fmt::format("{} x completions", loss.constant_length);
  const std::string where = kl.where == "loss" ? "loss" : "reward";
  const std::string penalty = kl.coef == 0 ? "off" : fmt::format("{:g} ({} in the {})", kl.coef, kl.value, where);
  return fmt::format("  advantage: reward - {}, divided by {}{}\n  loss: {}, {}{}, divided by {}; KL {}\n",
                     stage.advantage.baseline == "none" ? "nothing" : stage.advantage.baseline,
                     stage.advantage.scale == "none" ? "nothing" : stage.advantage.scale,
                     stage.advantage.whiten == "off" ? "" : ", then whitened over the step's " + stage.advantage.whiten, loss.kind,
                     objective, of, denominator, penalty);
}

// Empty where every token is drawn with the weights that it trains.
std::string describe_staleness(const StageConfig& stage) {
  std::string out;
  const RolloutConfig& rollout = stage.rollout;
  if (const int64_t lag = rollout.max_staleness_steps; lag > 0)
    out += fmt::format("  sampling runs beside training, {} step{} ahead: {} more cop{} of the weights, and cache and activations side by "
                       "side in memory\n", lag, lag == 1 ? "" : "s", lag, lag == 1 ? "y" : "ies");
  if (rollout.partial) out += "  groups that a step ends without go on in the next one, under its weights\n";
  if (out.empty()) return out;
  const bool corrected = stage.correction.mode != "off", recomputed = stage.correction.old_logprobs == "recompute";
  out += fmt::format("  updates are off-policy: {}\n",
                     corrected    ? fmt::format("the ratio is to the trainer's log-probabilities before its update, and correction.mode = \"{}\" "
                                                "weighs its tokens by these over the sampler's", stage.correction.mode)
                     : recomputed ? "the ratio is to the trainer's log-probabilities before its update; correction.mode = \"off\" leaves "
                                    "the sampler's out, see correction.mode"
                                  : "the ratio is to the log-probabilities of the weights that drew a token");
  return out;
}

std::string length_of(const StageConfig& stage, int64_t rows) {
  if (stage.epochs == 0) return fmt::format("{} steps", stage.steps);
  return fmt::format("{} epoch{} of about {} rows: {} steps", stage.epochs, stage.epochs == 1 ? "" : "s", rows, sft_steps(stage, rows));
}

// When it is evaluated, and what hangs on that.
std::string describe_evaluations(const StageConfig& stage, const std::string& best) {
  if (stage.eval_problems() == 0) return "";
  const EarlyStopConfig& stop = stage.early_stop;
  std::string out = fmt::format("  evaluated: before, {}after", stage.eval.every_steps > 0 ? fmt::format("every {} steps, ", stage.eval.every_steps) : "");
  if (!best.empty()) out += fmt::format("; best {} kept", best);
  if (!stop.metric.empty()) out += fmt::format("; ends early by {}", stop.metric);
  if (stop.patience > 0) out += fmt::format(", patience {}", stop.patience);
  if (stop.target != 0) out += fmt::format(", target {:g}", stop.target);
  return out + "\n";
}

}  // namespace

std::string describe_stage(const StageConfig& stage, const std::string& data, int64_t rows, const std::string& best) {
  const OptimizerConfig& optimizer = stage.optimizer;
  std::string out = fmt::format("stage {} ({}): {}, lr {:g} {}, warm-up {}\n{}", stage.name, stage.kind, length_of(stage, rows),
                                optimizer.lr, optimizer.schedule, optimizer.warmup_steps, data);
  if (stage.kind == "sft")
    return out + fmt::format("  a step: {} sequences, 1 update; loss divided by the step's learnt tokens\n", stage.sequences_per_step) +
           describe_evaluations(stage, best);
  const RolloutConfig& rollout = stage.rollout;
  const int64_t samples = rollout.prompts_per_step * rollout.samples_per_prompt;
  const int64_t updates = stage.loss.updates_per_step * stage.loss.epochs_per_step;
  out += fmt::format("  a step: {} prompts x {} samples = {}, {} update{}, at most {} new tokens and {} rows\n",
                     rollout.prompts_per_step, rollout.samples_per_prompt, samples, updates, updates == 1 ? "" : "s",
                     samples * rollout.max_new_tokens,
                     samples * rollout.max_new_tokens + rollout.prompts_per_step * stage.max_prompt_tokens());
  out += describe_groups(stage) + describe_loss(stage) + describe_staleness(stage);
  out += "  reward:";
  for (const auto& settings : stage.rewards)
    out += settings.role == "gate"     ? fmt::format(" [only if {} > 0]", settings.name)
           : settings.role == "metric" ? fmt::format(" ({} logged)", settings.name)
                                       : fmt::format(" {:+g} {}", settings.weight, settings.name);
  return out + "\n" + describe_evaluations(stage, best);
}

}  // namespace rl
