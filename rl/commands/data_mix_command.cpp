// `ponder data mix`: what each stage of a settings file draws from.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rl/commands/commands.h"
#include "rl/data/mixture.h"
#include "rl/sft/rows.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

int64_t draws_of_step(const StageConfig& stage) {
  return stage.kind == "sft" ? stage.sequences_per_step : stage.rollout.asked_prompts();
}

// As if no row were too long: how long they are only the model's tokenizer knows.
std::unique_ptr<Mixture> open_data(const StageConfig& stage, uint64_t seed) {
  if (stage.kind != "sft") return open_stage_data(stage, seed);
  const Fits learnable = [](const Problem& problem) { return !problem.blank_completion; };
  return open_stage_data(stage, seed, [&](const DatasetConfig&) { return learnable; });
}

int64_t draws_of_stage(const StageConfig& stage, const Mixture& data) {
  if (stage.epochs > 0) return stage.epochs * data.size();
  return draws_of_step(stage) * stage.steps;
}

Json set_json(const StageConfig& stage, const DatasetConfig& set, const Mixture& data, size_t index) {
  const Mixture::Set& opened = data.set(index);
  const double share = data.share_of(index);
  const auto draws = static_cast<double>(draws_of_stage(stage, data)) * share;
  const int64_t rows = opened.data->size();
  return {{"name", set.name.empty() ? "data" : set.name},
          {"train", set.data.train},
          {"share", share},
          {"rows", rows == 0 ? Json(nullptr) : Json(rows)},
          {"held_back", opened.data->held_back().size()},
          {"held_out", opened.data->held_out()},
          {"draws_of_the_stage", draws},
          {"epochs_of_the_stage", rows == 0 ? Json(nullptr) : Json(draws / static_cast<double>(rows))},
          {"template", set.chat_template.style},
          {"rewards", set.rewards}};
}

void print_table(const Json& stage) {
  fmt::print("stage {}: {} steps of {} draws\n", stage["stage"].get<std::string>(), stage["steps"].get<int64_t>(),
             stage["draws_of_a_step"].get<int64_t>());
  size_t width = 4;
  for (const Json& set : stage["sets"]) width = std::max(width, set["name"].get_ref<const std::string&>().size());
  fmt::print("  {:<{}} {:>8} {:>9} {:>10} {:>9}  {:<10} {}\n", "set", width, "share", "rows", "held back", "epochs", "template", "rewards");
  for (const Json& set : stage["sets"]) {
    const auto rewards = set["rewards"].get<std::vector<std::string>>();
    fmt::print("  {:<{}} {:>7.1f}% {:>9} {:>10} {:>9}  {:<10} {}\n", set["name"].get<std::string>(), width, 100 * set["share"].get<double>(),
               set["rows"].is_null() ? "endless" : set["rows"].dump(), set["held_back"].get<int64_t>(),
               set["epochs_of_the_stage"].is_null() ? "" : fmt::format("{:.2f}", set["epochs_of_the_stage"].get<double>()),
               set["template"].get<std::string>(), rewards.empty() ? "all" : fmt::format("{}", fmt::join(rewards, ", ")));
  }
  for (const Json& draw : stage["draws"])
    fmt::print("  {:>6}  {:<{}} {:>7}  {}\n", draw["draw"].get<int64_t>(), draw["set"].get<std::string>(), width,
               draw["prompt_id"].get<int64_t>(), one_line(draw["question"].get<std::string>()).substr(0, 100));
}

}  // namespace

int run_data_mix(const Config& config, const MixOptions& options) {
  Json stages = Json::array();
  for (const StageConfig& stage : config.stages) {
    const auto data = open_data(stage, static_cast<uint64_t>(config.run.seed));
    const auto sets = stage.sets();
    const int64_t steps = stage.kind == "sft" ? sft_steps(stage, data->size()) : stage.steps;
    Json json{{"stage", stage.name}, {"steps", steps}, {"draws_of_a_step", draws_of_step(stage)}};
    for (size_t s = 0; s < sets.size(); ++s) json["sets"].push_back(set_json(stage, sets[s], *data, s));
    json["draws"] = Json::array();
    for (int64_t i = 0; i < options.draws; ++i) {
      const Problem problem = data->problem(i);
      json["draws"].push_back({{"draw", i},
                               {"set", problem.dataset.empty() ? "data" : problem.dataset},
                               {"prompt_id", problem.prompt_id},
                               {"question", problem.question},
                               {"answer", problem.answer}});
    }
    if (!options.json) print_table(json);
    stages.push_back(std::move(json));
  }
  if (options.json) fmt::print("{}\n", stages.dump(1, ' ', false, Json::error_handler_t::replace));
  return 0;
}

}  // namespace rl
