// One line that tells how a stage goes: step, rate, time left and what the caller adds.
//
//   grpo  12/50  ████▌               24%  reward 0.62  length 21.4  1.3 s/step  left 50 s
//
// On a terminal the line is drawn over itself; elsewhere a plain line comes at the first step, at the last, and at most
// every five seconds between.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace rl {

struct ProgressState {
  std::string stage, detail;  // detail: "reward 0.62  length 21.4"
  int64_t step = 0, steps = 0;
  int64_t first_step = 0;     // done before this run began, after a resume
  double seconds = 0;         // since this run of the stage began
};

// `bar_width` 0: no bar. The rate is the mean over the steps of this run.
std::string progress_line(const ProgressState& state, int64_t bar_width);

class Progress {
 public:
  Progress(std::string stage, int64_t steps, int64_t first_step = 0);
  ~Progress();  // ends the line
  void update(int64_t step, const std::string& detail);  // `step` steps are done
  // Clears the drawn line, prints `text` and a newline, so that notes do not break it.
  void note(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  ProgressState state_;
  bool terminal_, drawn_ = false;
  Clock::time_point start_, last_;
};

}  // namespace rl
