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
    {"math", make_math, math_options, "1 if the answer (\\boxed, <answer>, \"answer is\", ####) equals the gold as mathematics"},
    {"exact", make_exact, exact_options, "1 if the text in <answer> is the gold, letter for letter"},
    {"countdown", make_countdown, countdown_options, "1 if the expression hits it; gold: \"numbers=3,5,7,25 target=42\""},
    {"format", make_format, format_options, "1 if the completion is <think>...</think><answer>...</answer>, neither part empty"},
    {"tag_count", make_tag_count, tag_count_options, "a quarter for each of the four tags that comes exactly once"},
    {"choice", make_choice, choice_options, "1 if the chosen letter (box, <answer>, \"answer is B\", last line) is the gold's"},
    {"length_kimi", make_length_kimi, length_kimi_options, "-0.5 to 0.5: short right answers of a group gain, long wrong ones lose"},
    {"cosine", make_cosine, cosine_options, "right: 1.0 falling to 0.5 with length; wrong: -1.0 rising to -0.5"},
    {"overlong", make_overlong, overlong_options, "0, falling to -1 over the last tokens before max_tokens"},
    {"repetition", make_repetition, repetition_options, "0 to -1: the share of n-grams that were said before"},
    {"language", make_language, language_options, "the share of letters in the wanted script, code and math left out"},
    {"random", make_random, random_options, "1 or 0 by a random number: a control"},
    {"constant", make_constant, constant_options, "always the same value: a control, or a shift of the sum"},
    {"code_function", make_code_function, code_function_options,
     "1 if the function passes the gold's tests; gold: {\"tests\": ..., \"entry_point\"?, \"setup\"?, \"prompt\"?}"},
    {"code_stdio", make_code_stdio, code_stdio_options,
     "1 if the program prints what it should; gold: {\"inputs\": [...], \"outputs\": [...], \"checker\"?, \"language\"?}"},
};

const Builtin& find_builtin(const std::string& name) {
  for (const auto& builtin : builtins)
    if (name == builtin.name) return builtin;
  const auto names = builtin_names();
  throw Error(fmt::format("reward \"{}\": unknown. Did you mean {}? Known: {}.", name.substr(0, 64), nearest(name, names),
                          fmt::join(names, ", ")));
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
    out += fmt::format("{:<15}{}\n", builtin.name, builtin.about);
    for (const auto& option : builtin.options())
      out += fmt::format("  {} = \"{}\"  {}\n", option.name, option.fallback, option.about);
  }
  return out;
}

}  // namespace reward
