#include "rl/report/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace rl {
namespace {

constexpr const char* blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// Means of equal shares of the values: at most `width` of them; NaN where a share holds no finite value.
std::vector<double> columns_of(const std::vector<double>& values, int64_t width) {
  const auto count = static_cast<int64_t>(values.size());
  const int64_t columns = std::min(width, count);
  std::vector<double> means;
  for (int64_t c = 0; c < columns; ++c) {
    double sum = 0;
    int64_t finite = 0;
    for (int64_t i = c * count / columns; i < (c + 1) * count / columns; ++i) {
      if (!std::isfinite(values[i])) continue;
      sum += values[i];
      ++finite;
    }
    means.push_back(finite > 0 ? sum / static_cast<double>(finite) : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

struct Bounds {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
};

Bounds bounds_of(const std::vector<double>& values) {
  Bounds bounds;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    bounds.low = std::min(bounds.low, value);
    bounds.high = std::max(bounds.high, value);
  }
  return bounds;
}

// 1 to `eighths` for low to high: the lowest value still shows.
int64_t level_of(double value, const Bounds& bounds, int64_t eighths) {
  if (bounds.high <= bounds.low) return eighths / 2;
  return 1 + std::lround((value - bounds.low) / (bounds.high - bounds.low) * static_cast<double>(eighths - 1));
}

}  // namespace

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

bool wants_colour(int descriptor) { return is_set("CLICOLOR_FORCE") || (is_terminal(descriptor) && !is_set("NO_COLOR")); }

int64_t terminal_width(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
}

std::string count_text(double count) {
  if (count < 999.5) return fmt::format("{:.0f}", count);
  if (count < 999.5e3) return fmt::format("{:.1f}k", count / 1e3);
  if (count < 999.5e6) return fmt::format("{:.1f}M", count / 1e6);
  return fmt::format("{:.1f}B", count / 1e9);
}

std::string sparkline(const std::vector<double>& values, int64_t width) {
  const std::vector<double> columns = columns_of(values, width);
  const Bounds bounds = bounds_of(columns);
  std::string line;
  for (const double value : columns) line += std::isfinite(value) ? blocks[level_of(value, bounds, 8)] : " ";
  return line;
}

std::string text_curve(const std::vector<double>& values, int64_t width, int64_t height, const std::string& title) {
  const std::vector<double> columns = columns_of(values, width);
  const Bounds bounds = bounds_of(columns);
  if (bounds.high < bounds.low) return "";
  std::string out = fmt::format("  {}\n", title);
  for (int64_t row = height - 1; row >= 0; --row) {
    const bool labelled = row == 0 || (row == height - 1 && bounds.high > bounds.low);
    const std::string label = labelled ? fmt::format("{:.3g}", row == 0 ? bounds.low : bounds.high) : "";
    out += fmt::format("  {:>7} ┤", label);
    for (const double value : columns) {
      const int64_t fill = std::isfinite(value) ? level_of(value, bounds, 8 * height) - 8 * row : 0;
      out += blocks[std::clamp<int64_t>(fill, 0, 8)];
    }
    out += "\n";
  }
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) line += "─";
  const std::string last = fmt::format("{}", values.size());
  const auto gap = static_cast<int64_t>(columns.size()) - 1 - static_cast<int64_t>(last.size());
  out += fmt::format("  {:>7} └{}\n  {:>7}  1{}{}\n", "", line, "", std::string(std::max<int64_t>(gap, 1), ' '), last);
  return out;
}

}  // namespace rl
