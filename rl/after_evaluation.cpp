#include "rl/after_evaluation.h"

#include <fmt/core.h>

#include "kernels/watchdog.h"
#include "model/files/atomic_folder.h"
#include "model/files/safetensors.h"
#include "rl/best_metric.h"
#include "rl/event_log.h"
#include "rl/saving.h"

namespace rl {
namespace {

void tell(const Run& run, const StageConfig& stage, const std::string& kind, const std::string& text) {
  append_event(run.config.run.output_dir, stage.name, run.state.step, kind, text);
  fmt::print(stderr, "{} {}, step {}: {}\n", kind == "save_failed" ? "warning: stage" : "stage", stage.name, run.state.step, text);
}

void write_best(const Run& run, const StageConfig& stage, const BestCheckpoint& best) {
  const kernels::Wait wait("the best model to be written");
  model::AtomicFolder folder(best_folder(run.config.run.output_dir));
  run.policy.save(folder.temporary(), saved_chat_template(stage));
  model::write_file_atomically(folder.temporary() + "/best.json", best_json(best));
  folder.commit();
}

void keep_best(Run& run, const StageConfig& stage, const Metrics& evaluation) {
  const std::string& metric = run.config.checkpoint.keep_best;
  const auto value = value_of(evaluation, metric);
  if (metric.empty() || !value) return;
  const bool higher = higher_is_better(metric, run.config.checkpoint.best_is).value_or(true);
  const auto& known = run.state.summary.best;
  const bool comparable = known && known->stage == stage.name && known->metric == metric;  // a resumed run may watch another one
  if (comparable && !is_better(*value, known->value, higher)) return;
  const BestCheckpoint best{metric, stage.name, *value, run.state.step, run.state.global_step};
  if (const std::string refusal = refusal_of([&] { write_best(run, stage, best); }); !refusal.empty()) {
    tell(run, stage, "save_failed", fmt::format("the best model so far ({} {:.4g}) is not kept: {}", metric, *value, refusal));
    return;
  }
  run.state.summary.best = best;
  tell(run, stage, "best", fmt::format("{} is {:.4g}, the best so far; the model is in {}", metric, *value,
                                       best_folder(run.config.run.output_dir)));
}

}  // namespace

void after_evaluation(Run& run, const StageConfig& stage, const Metrics& evaluation, bool last) {
  keep_best(run, stage, evaluation);
  const std::string reason = early_stop(run.state.early_stop, stage.early_stop, evaluation);
  if (reason.empty() || last) return;
  run.stage_summary().stopped = reason;
  tell(run, stage, "early_stop", "ends here: " + reason);
}

bool stopped_early(const Run& run) {
  const auto& stages = run.state.summary.stages;
  return !stages.empty() && !stages.back().stopped.empty();
}

}  // namespace rl
