#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "rl/data/generators.h"

namespace rl {
namespace {

struct Part {
  int64_t value;
  std::string text;
  bool compound;
};

std::string wrapped(const Part& part) { return part.compound ? "(" + part.text + ")" : part.text; }

// One of the operations on two parts that keep values positive, whole and small.
Part combine(Draws& draws, Part a, Part b, int64_t ceiling) {
  if (a.value < b.value) std::swap(a, b);
  std::vector<Part> choices;
  const auto offer = [&](int64_t value, char sign) {
    if (value > 0 && value <= ceiling) choices.push_back({value, fmt::format("{} {} {}", wrapped(a), sign, wrapped(b)), true});
  };
  offer(a.value + b.value, '+');
  offer(a.value - b.value, '-');
  offer(a.value * b.value, '*');
  if (a.value % b.value == 0 && b.value > 1) offer(a.value / b.value, '/');
  if (choices.empty()) return {a.value + b.value, fmt::format("{} + {}", wrapped(a), wrapped(b)), true};
  return choices[draws.below(static_cast<int64_t>(choices.size()))];
}

}  // namespace

Problem countdown_problem(const DataConfig& config, const kernels::RandomKey& key) {
  Draws draws(key);
  const int64_t ceiling = std::max<int64_t>(1000, 10 * config.largest);
  std::vector<int64_t> numbers;
  Part whole;
  // Targets below 10 or above the largest number are too easy to hit or too far: draw again. One in a few fits.
  do {
    numbers.clear();
    std::vector<Part> parts;
    for (int64_t i = 0; i < config.numbers; ++i) {
      numbers.push_back(1 + draws.below(config.largest));
      parts.push_back({numbers.back(), fmt::format("{}", numbers.back()), false});
    }
    while (parts.size() > 1) {
      const auto count = static_cast<int64_t>(parts.size());
      std::swap(parts[draws.below(count)], parts[count - 1]);
      std::swap(parts[draws.below(count - 1)], parts[count - 2]);
      const Part joined = combine(draws, parts[count - 1], parts[count - 2], ceiling);
      parts.pop_back();
      parts.back() = joined;
    }
    whole = parts[0];
  } while (whole.value < std::min<int64_t>(10, config.largest) || whole.value > config.largest);

  std::sort(numbers.begin(), numbers.end());
  Problem problem;
  problem.question = fmt::format(
      "Use each of the numbers {} exactly once, with +, -, * and / and parentheses, to make {}. "
      "Give the expression as the answer.",
      fmt::join(numbers, ", "), whole.value);
  problem.answer = fmt::format("numbers={} target={}", fmt::join(numbers, ","), whole.value);
  problem.completion = fmt::format("<think></think><answer>{}</answer>", whole.text);
  return problem;
}

}  // namespace rl
