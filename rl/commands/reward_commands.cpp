// `ponder reward attack` and `ponder reward conformance`.
#include <fmt/core.h>

#include "kernels/error.h"
#include "reward/plugins/attack.h"
#include "reward/plugins/conformance.h"
#include "reward/plugins/protocol.h"
#include "rl/commands/commands.h"
#include "rl/commands/reward_choice.h"

namespace rl {
namespace {

std::string short_text(const std::string& text) {
  const std::string start = reward::protocol::shown(text.substr(0, 60));
  return text.size() > 60 ? fmt::format("{}... ({} bytes)", start, text.size()) : start;
}

}  // namespace

int run_attack(const std::string& name_or_file) {
  const auto settings = chosen_rewards(name_or_file, "");
  const auto reward = make_chosen(settings);
  if (const std::string problem = reward->self_test(); !problem.empty()) kernels::fail_usage("{}: {}", name_or_file, problem);
  int64_t timeout_ms = 0;
  for (const auto& s : settings) timeout_ms += s.timeout_ms;
  const auto report = reward::attack(*reward, timeout_ms);
  for (const auto& paid : report.paid)
    fmt::print("paid {:<8g} {:<30} gold {:<28} {}\n", paid.value, paid.junk, short_text(paid.gold), short_text(paid.completion));
  for (const auto& failure : report.failures) fmt::print("no value      {}\n", failure);
  fmt::print("{}: {} junk texts, {} golds it can read; {} pairs scored, {} without a value, {} paid\n", name_or_file,
             reward::junk_inputs().size(), report.golds.size(), report.scored, report.unscored, report.paid.size());
  if (report.golds.empty()) {
    fmt::print("it reads none of the golds of this attack, so nothing was tried\n");
    return 1;
  }
  return report.paid.empty() ? 0 : 1;
}

int run_conformance(const std::vector<std::string>& words) {
  // One word with spaces is a line for the shell.
  const auto command = words.size() == 1 && words[0].find(' ') != std::string::npos
                           ? std::vector<std::string>{"/bin/sh", "-c", "exec " + words[0]}
                           : words;
  int64_t failed = 0;
  for (const auto& check : reward::check_conformance(command)) {
    failed += !check.passed;
    fmt::print("{}  {:<13} {}\n", check.passed ? "pass" : "FAIL", check.name, check.found);
    if (!check.passed) fmt::print("{:<19} {}\n", "", check.fix);
  }
  fmt::print("{}\n", failed == 0 ? "it is ready to be a reward" : fmt::format("{} checks failed", failed));
  return failed == 0 ? 0 : 1;
}

}  // namespace rl
