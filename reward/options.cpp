#include "reward/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace reward {
namespace {

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> names_of(const std::vector<OptionInfo>& declared) {
  std::vector<std::string> names;
  for (const auto& option : declared) names.push_back(option.name);
  return names;
}

void check_value(const std::string& reward, const OptionInfo& option, const std::string& value) {
  if (option.choices.empty()) return;
  if (std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()) return;
  throw Error(fmt::format("reward \"{}\": option {} is \"{}\". Set it to one of: {}.", reward, option.name, value,
                          fmt::join(option.choices, ", ")));
}

bool allows(const OptionInfo& option, const std::string& name) {
  if (option.name.empty() || option.name.back() != '*') return option.name == name;
  const size_t prefix = option.name.size() - 1;
  return name.size() > prefix && name.compare(0, prefix, option.name, 0, prefix) == 0;
}

// All of the text as one number; none otherwise.
template <typename T>
std::optional<T> read_number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::string::npos;
  for (const auto& candidate : candidates) {
    const size_t distance = edit_distance(word.substr(0, 64), candidate);
    if (distance < best_distance) best = candidate, best_distance = distance;
  }
  return best;
}

OptionInfo flag_option(std::string name, bool fallback, std::string about) {
  return {std::move(name), fallback ? "true" : "false", std::move(about), {"true", "false"}};
}

Options::Options(const std::vector<OptionInfo>& declared, const Settings& settings) : reward_(settings.name) {
  for (const auto& option : declared)
    if (option.name.back() != '*') values_[option.name] = option.fallback;
  std::set<std::string> seen;
  for (const auto& [name, value] : settings.options) {
    const auto option = std::find_if(declared.begin(), declared.end(), [&](const auto& o) { return allows(o, name); });
    if (option == declared.end()) {
      const auto hint = declared.empty() ? std::string("It has no options.")
                                         : fmt::format("Did you mean {}?", nearest(name, names_of(declared)));
      throw Error(fmt::format("reward \"{}\": unknown option {}. {}", settings.name, name, hint));
    }
    if (!seen.insert(name).second)
      throw Error(fmt::format("reward \"{}\": option {} is given twice. Remove one.", settings.name, name));
    check_value(settings.name, *option, value);
    values_[name] = value;
  }
}

double Options::number(const std::string& name, double low, double high) const {
  const auto value = read_number<double>(text(name));
  if (!value || !(*value >= low && *value <= high))
    throw Error(fmt::format("reward \"{}\": option {} is \"{}\". Set it to a number from {:g} to {:g}.", reward_, name,
                            text(name), low, high));
  return *value;
}

int64_t Options::whole(const std::string& name, int64_t low, int64_t high) const {
  const auto value = read_number<int64_t>(text(name));
  if (!value || *value < low || *value > high)
    throw Error(fmt::format("reward \"{}\": option {} is \"{}\". Set it to a whole number from {} to {}.", reward_, name,
                            text(name), low, high));
  return *value;
}

std::vector<std::pair<std::string, std::string>> Options::under(const std::string& prefix) const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [name, value] : values_)
    if (name.size() > prefix.size() && name.compare(0, prefix.size(), prefix) == 0)
      found.emplace_back(name.substr(prefix.size()), value);
  return found;
}

void check_settings(const Settings& settings) {
  if (!std::isfinite(settings.weight))
    throw Error(fmt::format("reward \"{}\": weight is {}. Set it to a finite number.", settings.name, settings.weight));
  if (settings.timeout_ms <= 0)
    throw Error(fmt::format("reward \"{}\": timeout_ms is {}. Set it to 1 or more.", settings.name, settings.timeout_ms));
}

}  // namespace reward
