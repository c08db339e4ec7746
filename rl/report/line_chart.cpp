#include "rl/report/line_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace rl {
namespace {

// The drawing area inside a 480 x 240 picture.
constexpr double left = 52, right = 468, top = 12, bottom = 210;

struct Scale {
  double low, high, from, to;
  double operator()(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

struct Bounds {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return high < low; }
};

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:g}k", value / 1e3);
  if (size > 0 && size < 1e-3) return fmt::format("{:.1e}", value);
  return fmt::format("{:.6g}", value);
}

// Consecutive finite points are one polyline; a gap starts the next.
std::string polylines(const ChartSeries& series, size_t index, const Scale& sx, const Scale& sy) {
  std::string out, points;
  size_t count = 0;
  double last_x = 0, last_y = 0;
  const auto flush = [&] {
    if (count == 1)
      out += fmt::format("<circle class=\"dot s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>", index, last_x, last_y);
    if (count > 1) out += fmt::format("<polyline class=\"line s{}\" points=\"{}\"/>", index, points);
    points.clear();
    count = 0;
  };
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!std::isfinite(series.y[i])) {
      flush();
      continue;
    }
    last_x = sx(series.x[i]);
    last_y = sy(series.y[i]);
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", last_x, last_y);
    ++count;
  }
  flush();
  return out;
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(count, 1);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 5.0}) {
    if (nice * power >= rough * 0.999) {
      step = nice * power;
      break;
    }
  }
  std::vector<double> out;
  // Multiples of the step, so that 0.3 is not 0.30000000000000004.
  for (double k = std::floor(low / step + 1e-9); k * step < high + step * 0.999; k += 1) out.push_back(k * step);
  return out;
}

std::string svg_line_chart(const Chart& chart) {
  Bounds x, y;
  for (const auto& series : chart.series) {
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(series.y[i])) continue;
      x.add(series.x[i]);
      y.add(series.y[i]);
    }
  }
  if (x.empty()) return "";
  if (x.high == x.low) x.add(x.low + 1);
  if (y.high == y.low) y.add(y.low == 0 ? 1 : 0);
  // Shares and counts are read against zero; only a curve far from it is cut out.
  if (y.low > 0 && y.low < 0.5 * y.high) y.low = 0;

  const std::vector<double> y_ticks = ticks(y.low, y.high, 4);
  const Scale sx{x.low, x.high, left, right}, sy{y_ticks.front(), y_ticks.back(), bottom, top};
  std::string out = fmt::format("<svg viewBox=\"0 0 480 240\" role=\"img\" aria-label=\"{}\">", html_escaped(chart.title));
  for (const double tick : y_ticks) {
    out += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{3:.1f}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        left, right, sy(tick), left - 6, sy(tick) + 4, tick_text(tick));
  }
  for (const double tick : ticks(x.low, x.high, 5)) {
    if (tick < x.low || tick > x.high) continue;
    out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", sx(tick), bottom + 18,
                       tick_text(tick));
  }
  for (size_t i = 0; i < chart.series.size(); ++i) out += polylines(chart.series[i], i % series_colours, sx, sy);
  return out + "</svg>";
}

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace rl
