#include <fmt/format.h>

#include <algorithm>

#include "reward/builtins.h"
#include "reward/options.h"
#include "reward/plugins/plugins.h"
#include "reward/reward.h"

namespace reward {
namespace {

struct Builtin {
  const char* name;
  std::unique_ptr<Reward> (*make)(const Options&);
  std::vector<OptionInfo> (*options)();
  const char* about;
};

// A new reward is one file and one line here.
constexpr Builtin builtins[] = {
    {"math", make_math, math_options, "1 if the answer (last \\boxed, <answer> or ####) equals the gold as a number or text"},
    {"exact", make_exact, exact_options, "1 if the text in <answer> is the gold, letter for letter"},
    {"countdown", make_countdown, countdown_options, "1 if the expression hits it; gold: \"numbers=3,5,7,25 target=42\""},
    {"format", make_format, format_options, "1 if the completion is <think>...</think><answer>...</answer>"},
};

const Builtin& find_builtin(const std::string& name) {
  for (const auto& builtin : builtins)
    if (name == builtin.name) return builtin;
  throw Error(fmt::format("reward \"{}\": unknown. Did you mean {}? Known: {}.", name.substr(0, 64), nearest(name,
                                                                                                             builtin_names()),
                          fmt::join(builtin_names(), ", ")));
}

}  // namespace

std::vector<std::string> builtin_names() {
  std::vector<std::string> names;
  for (const auto& builtin : builtins) names.emplace_back(builtin.name);
  return names;
}

std::unique_ptr<Reward> make_reward(const Settings& settings) {
  check_settings(settings);
  if (settings.kind == "process") return make_process_reward(settings);
  if (settings.kind == "library") return make_library_reward(settings);
  if (settings.kind == "http") return make_http_reward(settings);
  return find_builtin(settings.name).make(Options(find_builtin(settings.name).options(), settings));
}

bool builtin_has_option(const std::string& name, const std::string& option) {
  const auto options = find_builtin(name).options();
  return std::any_of(options.begin(), options.end(), [&](const OptionInfo& o) { return o.name == option; });
}

std::string describe_builtins() {
  std::string out;
  for (const auto& builtin : builtins) {
    out += fmt::format("{:<11}{}\n", builtin.name, builtin.about);
    for (const auto& option : builtin.options())
      out += fmt::format("  {} = \"{}\"  {}\n", option.name, option.fallback, option.about);
  }
  return out;
}

}  // namespace reward
