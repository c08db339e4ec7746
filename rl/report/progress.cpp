#include "rl/report/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "rl/report/terminal.h"

namespace rl {
namespace {

std::string bar(double share, int64_t width) {
  constexpr const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto filled = static_cast<int64_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(8 * width));
  std::string out;
  for (int64_t i = 0; i < filled / 8; ++i) out += "█";
  out += eighths[filled % 8];
  return out + std::string(width - (filled + 7) / 8, ' ');
}

constexpr double seconds_between_plain_lines = 5;

}  // namespace

std::string progress_line(const ProgressState& state, int64_t bar_width) {
  const double share = state.steps > 0 ? static_cast<double>(state.step) / static_cast<double>(state.steps) : 0.0;
  std::string line = fmt::format("{}  {}/{}", state.stage, state.step, state.steps);
  if (bar_width > 0) line += fmt::format("  {}", bar(share, bar_width));
  line += fmt::format("  {:.0f}%", std::floor(100 * share));
  if (!state.detail.empty()) line += "  " + state.detail;
  const int64_t done = state.step - state.first_step;
  if (done <= 0 || state.seconds <= 0) return line;
  const double step_seconds = state.seconds / static_cast<double>(done);
  line += step_seconds >= 1 ? fmt::format("  {:.1f} s/step", step_seconds) : fmt::format("  {:.1f} steps/s", 1 / step_seconds);
  if (state.step < state.steps)
    return line + "  left " + duration_text(step_seconds * static_cast<double>(state.steps - state.step));
  return line + "  in " + duration_text(state.seconds);
}

Progress::Progress(std::string stage, int64_t steps, int64_t first_step)
    : state_{std::move(stage), "", first_step, steps, first_step, 0},
      terminal_(is_terminal(STDERR_FILENO)),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\n");
}

void Progress::update(int64_t step, const std::string& detail) {
  const auto now = Clock::now();
  state_.step = step;
  state_.detail = detail;
  state_.seconds = std::chrono::duration<double>(now - start_).count();
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", progress_line(state_, terminal_width(STDERR_FILENO) >= 110 ? 20 : 0));
    std::fflush(stderr);
    drawn_ = true;
    return;
  }
  const bool due = std::chrono::duration<double>(now - last_).count() >= seconds_between_plain_lines;
  if (!due && step != state_.first_step + 1 && step != state_.steps) return;
  fmt::print(stderr, "{}\n", progress_line(state_, 0));
  last_ = now;
}

void Progress::note(const std::string& text) {
  fmt::print(stderr, "{}{}\n", drawn_ ? "\r\033[K" : "", text);
  drawn_ = false;
}

}  // namespace rl
