#include "rl/watch.h"

#include <fmt/core.h>

#include "kernels/error.h"
#include "rl/event_log.h"
#include "rl/loss/non_finite.h"

namespace rl {
namespace {

void write_event(const Run& run, const StageConfig& stage, const std::string& kind, const std::string& text) {
  append_event(run.config.run.output_dir, stage.name, run.state.step + 1, kind, text);
}

// Samples that cannot be kept must not end a run that could go on.
std::string kept(const Run& run, const std::function<void()>& keep_samples) {
  try {
    keep_samples();
    return fmt::format("; its samples are in {}/rollouts", run.config.run.output_dir);
  } catch (const std::exception& error) {
    return fmt::format("; its samples could not be saved: {}", error.what());
  }
}

}  // namespace

bool apply_if_finite(Run& run, const StageConfig& stage, const std::function<void()>& update, const std::function<void()>& keep_samples) {
  try {
    update();
    return true;
  } catch (const NonFinite& error) {
    run.policy.discard_gradient();
    const std::string text = fmt::format("{}; the update is not applied{}", error.what(), kept(run, keep_samples));
    write_event(run, stage, "step_refused", text);
    const std::string place = fmt::format("stage {}, step {}: {}", stage.name, run.state.step + 1, text);
    if (stage.optimizer.on_non_finite == "stop")
      kernels::fail("{}\nGo on from the newest checkpoint with --resume auto; optimizer.on_non_finite = \"skip\" leaves such steps out.", place);
    fmt::print(stderr, "\nwarning: {}\n", place);
    return false;
  }
}

bool raise_alarms(Run& run, const StageConfig& stage, const Metrics& metrics, const std::function<void()>& keep_samples) {
  bool stop = false, begun = false;
  for (const Alarm& alarm : watch_metrics(run.state.alarms, stage.alarm, metrics)) {
    const std::string text = alarm.text(stage.alarm.window_steps);
    write_event(run, stage, alarm.over ? "alarm_over" : "alarm", text);
    fmt::print(stderr, "\n{}: stage {}, step {}: {}\n", alarm.over ? "note" : "ALARM", stage.name, run.state.step + 1, text);
    begun |= !alarm.over;
    stop |= !alarm.over && stage.alarm.action == "stop";
  }
  if (begun) kept(run, keep_samples);
  return stop;
}

void stop_for_alarm(Run& run, const StageConfig& stage) {
  run.state.alarms = {};
  const std::string saved = save_run(run);
  kernels::fail("stage {}: stopped after step {} by an alarm (alarm.action = \"stop\"). The run is saved in {}; go on with --resume auto "
                "when the settings are right, or with alarm.action = \"warn\".", stage.name, run.state.step, saved);
}

}  // namespace rl
