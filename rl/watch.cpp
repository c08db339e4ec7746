#include "rl/watch.h"

#include <fmt/core.h>

#include <utility>

#include "kernels/error.h"
#include "rl/event_log.h"
#include "rl/loss/non_finite.h"
#include "rl/saving.h"

namespace rl {
namespace {

constexpr int64_t most_refused_updates = 10;

// Of the step that is being taken.
void write_step_event(const Run& run, const StageConfig& stage, const std::string& kind, const std::string& text) {
  append_event(run.config.run.output_dir, stage.name, run.state.step + 1, kind, text);
}

// Empty: they are kept. Whatever is wrong with them, the run could go on.
std::string problem_of(const std::function<void()>& keep_samples) {
  try {
    keep_samples();
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string kept(const Run& run, const std::function<void()>& keep_samples) {
  const std::string refusal = problem_of(keep_samples);
  return refusal.empty() ? fmt::format("; its samples are in {}/rollouts", run.config.run.output_dir)
                         : fmt::format("; its samples could not be saved: {}", refusal);
}

}  // namespace

bool apply_if_finite(Run& run, const StageConfig& stage, const std::function<void()>& update, const std::function<void()>& keep_samples) {
  try {
    update();
    run.refused_updates = 0;
    return true;
  } catch (const NonFinite& error) {
    run.policy.discard_gradient();
    const std::string text = fmt::format("{}; the update is not applied{}", error.what(), kept(run, keep_samples));
    write_step_event(run, stage, "step_refused", text);
    const std::string place = fmt::format("stage {}, step {}: {}", stage.name, run.state.step + 1, text);
    if (stage.optimizer.on_non_finite == "stop")
      kernels::fail("{}\nGo on from the newest checkpoint with --resume auto; optimizer.on_non_finite = \"skip\" leaves such steps out.", place);
    if (++run.refused_updates == most_refused_updates)
      kernels::fail("{}\nThat was the {}th refused update in a row, so the weights themselves must be broken, and optimizer.on_non_finite = "
                    "\"skip\" ends here. Go on from an earlier checkpoint (--resume RUN/checkpoints/step-...) or start anew, with a "
                    "smaller optimizer.lr.", place, most_refused_updates);
    fmt::print(stderr, "\nwarning: {}\n", place);
    return false;
  }
}

bool raise_alarms(Run& run, const StageConfig& stage, const Metrics& metrics, const std::function<void()>& keep_samples) {
  bool stop = false, begun = false;
  for (const Alarm& alarm : watch_metrics(run.state.alarms, stage.alarm, metrics)) {
    const std::string text = alarm.text(stage.alarm.window_steps);
    write_step_event(run, stage, alarm.over ? "alarm_over" : "alarm", text);
    fmt::print(stderr, "\n{}: stage {}, step {}: {}\n", alarm.over ? "note" : "ALARM", stage.name, run.state.step + 1, text);
    begun |= !alarm.over;
    stop |= !alarm.over && stage.alarm.action == "stop";
  }
  if (begun) keep_or_tell(run, stage, keep_samples);
  return stop;
}

void keep_or_tell(Run& run, const StageConfig& stage, const std::function<void()>& keep_samples) {
  const std::string refusal = problem_of(keep_samples);
  const bool refused_before = std::exchange(run.dump_refused, !refusal.empty());
  if (refusal.empty() || refused_before) return;
  write_step_event(run, stage, "dump_failed", refusal);
  fmt::print(stderr, "\nwarning: the samples of stage {}, step {} are not kept, nor later ones while the disk refuses them: {}\n",
             stage.name, run.state.step + 1, refusal);
}

void stop_for_alarm(Run& run, const StageConfig& stage) {
  run.state.alarms = {};
  const std::string saved = save_run_at_end(run);
  kernels::fail("stage {}: stopped after step {} by an alarm (alarm.action = \"stop\"). The run is saved in {}; go on with --resume auto "
                "when the settings are right, or with alarm.action = \"warn\".", stage.name, run.state.step, saved);
}

}  // namespace rl
