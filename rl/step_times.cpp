#include "rl/step_times.h"

#include <fmt/core.h>

namespace rl {
namespace {

using Part = std::pair<const char*, double>;

// The parts, and what of the step they leave.
void append_parts(Metrics& metrics, const std::vector<Part>& parts, double step) {
  double other = step;
  for (const auto& [name, seconds] : parts) {
    metrics.emplace_back(std::string("timing/") + name + "_seconds", seconds);
    other -= seconds;
  }
  metrics.emplace_back("timing/other_seconds", other);
  metrics.emplace_back("timing/step_seconds", step);
}

std::vector<Part> parts_of(const UpdateStatistics& u) {
  return {{"pack", u.pack_seconds},
          {"forward", u.forward_seconds},
          {"backward", u.backward_seconds},
          {"optimizer", u.optimizer_seconds}};
}

}  // namespace

rollout::SourceStatistics difference(const rollout::SourceStatistics& after, const rollout::SourceStatistics& before) {
  rollout::SourceStatistics d;
  d.prompt_tokens = after.prompt_tokens - before.prompt_tokens;
  d.cached_tokens = after.cached_tokens - before.cached_tokens;
  d.generated_tokens = after.generated_tokens - before.generated_tokens;
  d.recomputed_tokens = after.recomputed_tokens - before.recomputed_tokens;
  d.flops = after.flops - before.flops;
  d.prefill_seconds = after.prefill_seconds - before.prefill_seconds;
  d.decode_seconds = after.decode_seconds - before.decode_seconds;
  d.draw_seconds = after.draw_seconds - before.draw_seconds;
  return d;
}

void append_step_times(Metrics& metrics, const StepTimes& t, const UpdateStatistics& update, double step) {
  metrics.emplace_back("timing/rollout_seconds", t.rollout);
  metrics.emplace_back("timing/reward_seconds", t.rewards);
  metrics.emplace_back("timing/train_seconds", t.train);
  metrics.emplace_back("timing/rollout_tokens_per_second", t.sampled_tokens() / t.rollout);
  metrics.emplace_back("timing/train_tokens_per_second", update.sums.tokens / t.train);
  // What the cache saved depends on the engine's budgets, as times do.
  metrics.emplace_back("timing/cached_prompt_tokens", static_cast<double>(t.after.cached_tokens - t.before.cached_tokens));
  std::vector<Part> parts = {{"prompts", t.prompts},
                             {"prefill", t.after.prefill_seconds - t.before.prefill_seconds},
                             {"decode", t.after.decode_seconds - t.before.decode_seconds},
                             {"sample", t.after.draw_seconds - t.before.draw_seconds},
                             {"reward_wait", t.reward_wait}};
  if (t.rollout_wait >= 0) {
    for (const auto& [name, seconds] : parts) metrics.emplace_back(fmt::format("timing/{}_seconds", name), seconds);
    parts = {{"rollout_wait", t.rollout_wait}};
  }
  parts.emplace_back("score", t.score);
  for (const Part& part : parts_of(update)) parts.push_back(part);
  append_parts(metrics, parts, step);
}

void append_update_times(Metrics& metrics, const UpdateStatistics& update, double step) {
  metrics.emplace_back("timing/train_tokens_per_second", update.sums.tokens / step);
  append_parts(metrics, parts_of(update), step);
}

}  // namespace rl
