// `ponder rescore`: what another reward would have paid for the samples of a run.
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/safetensors.h"
#include "rl/commands/commands.h"
#include "rl/commands/reward_choice.h"
#include "rl/rollouts/files.h"
#include "rl/rollouts/token_table.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

std::vector<reward::Item> items_of(const std::vector<DumpedSample>& group) {
  std::vector<reward::Item> items;
  for (const DumpedSample& s : group) {
    reward::Item item{s.prompt_id, s.group_id, s.sample_index, s.prompt, s.text, s.answer, s.data_source, s.extra, 0, false, s.dataset};
    item.completion_tokens = static_cast<int64_t>(s.tokens.size());
    item.truncated = s.finish == "length";
    items.push_back(std::move(item));
  }
  return items;
}

struct Totals {
  int64_t samples = 0, both = 0, equal = 0, higher = 0, lower = 0, unscored = 0;
  double before = 0, now = 0;  // sums over samples that both scored

  void add(const DumpedSample& s, const reward::Outcome& outcome) {
    ++samples;
    if (!outcome.has_value()) ++unscored;
    if (!s.reward || !outcome.has_value()) return;
    ++both;
    before += *s.reward, now += outcome.value;
    (outcome.value == *s.reward ? equal : outcome.value > *s.reward ? higher : lower) += 1;
  }
  std::string line(const std::string& name) const {
    const double n = static_cast<double>(std::max<int64_t>(1, both));
    return fmt::format("  {:<22} {:>8} {:>9.4f} {:>9.4f} {:>8} {:>8} {:>8} {:>9}\n", name, samples, before / n, now / n, equal, higher, lower,
                       unscored);
  }
};

std::string json_of(const DumpedStep& step, const DumpedSample& s, const reward::Outcome& outcome) {
  Json line{{"stage", step.stage}, {"step", step.step}, {"group_id", s.group_id}, {"sample_index", s.sample_index},
            {"reward", s.reward ? Json(*s.reward) : Json(nullptr)},
            {"rescored", outcome.has_value() ? Json(outcome.value) : Json(nullptr)},
            {"status", reward::name_of(outcome.status)}, {"reason", outcome.reason}, {"extracted", outcome.extracted}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

int run_rescore(const RescoreOptions& options) {
  const auto settings = chosen_rewards(options.reward, options.profile);
  const auto reward = make_chosen(settings);
  if (const std::string problem = reward->self_test(); !problem.empty()) kernels::fail_usage("{}: {}", options.reward, problem);
  int64_t timeout_ms = 0;
  for (const auto& s : settings) timeout_ms += s.timeout_ms;
  auto steps = dumped_steps(options.run);
  if (options.step > 0) steps = {find_step(options.run, options.stage, options.step)};

  Totals all;
  std::string lines, examples;
  int64_t shown = 0;
  fmt::print("  {:<22} {:>8} {:>9} {:>9} {:>8} {:>8} {:>8} {:>9}\n", "step", "samples", "before", "now", "equal", "higher", "lower", "unscored");
  for (const DumpedStep& step : steps) {
    if (!options.stage.empty() && step.stage != options.stage) continue;
    Totals own;
    for (const auto& group : read_samples(step)) {
      const auto outcomes = reward->score(items_of(group), std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms));
      for (size_t i = 0; i < group.size(); ++i) {
        own.add(group[i], outcomes.at(i)), all.add(group[i], outcomes[i]);
        if (!options.output.empty()) lines += json_of(step, group[i], outcomes[i]);
        const bool differs = outcomes[i].has_value() && group[i].reward && outcomes[i].value != *group[i].reward;
        if (differs && shown++ < options.examples)
          examples += fmt::format("  {} {}, group {}, sample {}: {:g} -> {:g}, gold {}, read {}\n", step.stage, step.step, group[i].group_id,
                                  group[i].sample_index, *group[i].reward, outcomes[i].value, printable(group[i].answer),
                                  outcomes[i].extracted.empty() ? "nothing" : printable(outcomes[i].extracted));
      }
    }
    fmt::print("{}", own.line(fmt::format("{} {}", step.stage, step.step)));
  }
  if (steps.size() > 1) fmt::print("{}", all.line("all"));
  if (!examples.empty()) fmt::print("\nsamples whose score is another:\n{}", examples);
  if (!options.output.empty()) model::write_file_atomically(options.output, lines);
  return 0;
}

}  // namespace rl
