// A line chart as SVG, for the report. Colours are CSS variables, so the page's light and dark themes both apply.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rl {

inline constexpr size_t series_colours = 6;  // classes s0 to s5; more series begin again

struct ChartSeries {
  std::string name;
  std::vector<double> x, y;  // equal lengths; points whose y is not finite leave a gap
};

struct Chart {
  std::string title, unit;
  std::vector<ChartSeries> series;
};

// Round ticks that cover [low, high], about `count` of them.
std::vector<double> ticks(double low, double high, int count);
// <svg> with a viewBox and no fixed size; empty when no point can be drawn.
std::string svg_line_chart(const Chart& chart);
std::string html_escaped(const std::string& text);

}  // namespace rl
