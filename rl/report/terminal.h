// What the terminal can show: width, colour, and curves drawn with text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rl {

bool is_terminal(int descriptor);    // and not TERM=dumb
bool wants_colour(int descriptor);   // a terminal, unless NO_COLOR is set; CLICOLOR_FORCE wins
int64_t terminal_width(int descriptor);  // 80 when it is not a terminal

// "1h 04m", "3m 20s", "12 s", "0.8 s".
std::string duration_text(double seconds);
std::string count_text(double count);  // 950, 12.3k, 4.5M

// One line of block characters, at most `width` of them; the range of the values is the height.
std::string sparkline(const std::vector<double>& values, int64_t width);

// A curve of `height` lines with its axis: each column is the mean of its share of the values. Values that are not finite
// are left out; empty when none is left.
std::string text_curve(const std::vector<double>& values, int64_t width, int64_t height, const std::string& title);

}  // namespace rl
