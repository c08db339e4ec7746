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

// FNV-1a, 64 bits.
std::string settings_hash(const std::vector<Settings>& parts) {
  uint64_t hash = 14695981039346656037ull;
  const auto add = [&](const std::string& text) {
    for (const char c : text + '\n') hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  };
  for (const Settings& s : parts) {
    for (const auto& text : {s.name, s.kind, s.role, fmt::format("{}", s.weight), s.on_error, s.file, s.payload}) add(text);
    for (const auto& list : {s.applies_to, s.command})
      for (const auto& text : list) add(text);
    for (const auto& [key, value] : s.options) add(key), add(value);
  }
  return fmt::format("{:016x}", hash);
}

void check_settings(const Settings& s) {
  const auto fail = [&](const std::string& key, const std::string& value, const std::string& fix) {
    throw Error(fmt::format("reward \"{}\": {} is {}. {}", s.name, key, value, fix));
  };
  const auto one_of = [&](const char* key, const std::string& value, const std::vector<std::string>& words) {
    if (std::find(words.begin(), words.end(), value) == words.end())
      fail(key, fmt::format("\"{}\"", value), fmt::format("Set it to one of: {}.", fmt::join(words, ", ")));
  };
  one_of("kind", s.kind, {"builtin", "process", "library", "http"});
  one_of("role", s.role, {"sum", "gate", "metric"});
  one_of("on_error", s.on_error, {"drop_sample", "zero", "abort"});
  one_of("isolate", s.isolate, {"none", "process"});
  one_of("payload", s.payload, {"ponder", "openrlhf", "slime"});
  if (!std::isfinite(s.weight)) fail("weight", fmt::format("{}", s.weight), "Set it to a finite number.");
  if (s.timeout_ms <= 0) fail("timeout_ms", fmt::format("{}", s.timeout_ms), "Set it to 1 or more.");
  if (s.start_timeout_ms <= 0) fail("start_timeout_ms", fmt::format("{}", s.start_timeout_ms), "Set it to 1 or more.");
  if (s.workers < 1 || s.workers > 256) fail("workers", fmt::format("{}", s.workers), "Set it to 1 to 256.");
  const auto belongs = [&](const char* key, bool set, const char* kind) {
    if (set && s.kind != kind)
      fail(key, "set", fmt::format("It belongs to kind = \"{}\", but kind is \"{}\": change one.", kind, s.kind));
    if (!set && s.kind == kind) fail(key, "missing", fmt::format("kind = \"{}\" needs it.", kind));
  };
  belongs("command", !s.command.empty(), "process");
  belongs("file", !s.file.empty(), "library");
  belongs("url", !s.url.empty(), "http");
}

}  // namespace reward
