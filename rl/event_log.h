// What happened to a run beside its steps: started, resumed, saved, alarmed, refused a step, asked to stop. One JSON object a
// line in RUN/events.jsonl, for the report and for those who come back after a week.
//
// Lines are never taken back: after a resume the repeated steps may alarm again. So nothing here is part of a run's result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rl {

struct Event {
  std::string time;   // UTC, "2026-01-31 12:00:05"
  std::string stage;  // empty: of the whole run
  int64_t step = 0;
  // started | resumed | abandoned | saved | save_failed | dump_failed | best | early_stop | alarm | alarm_over | idle | idle_over |
  // step_refused | step_not_taken | reward_failed | signal | stuck | ended
  std::string kind;
  std::string text;   // for people
};

// Appends a line with the present time; what the disk refuses waits, see rl/line_log.h.
void append_event(const std::string& run_directory, const std::string& stage, int64_t step, const std::string& kind,
                  const std::string& text);
// Lines that cannot be read are skipped.
std::vector<Event> read_events(const std::string& run_directory);

}  // namespace rl
