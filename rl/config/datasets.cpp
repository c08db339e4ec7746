#include "rl/config/datasets.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "rl/config/nearest_name.h"

namespace rl {
namespace {

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void set_key(DatasetConfig& set, const std::string& name, const TomlNode& value, const Source& source, const std::string& prefix,
             ConfigErrors& errors) {
  const std::string path = prefix + "dataset." + name;
  const Key* key = find_dataset_key(name);
  if (key == nullptr) {
    std::vector<std::string> names;
    for (const Key* known : dataset_keys()) names.push_back(known->name);
    const std::string near = nearest_name(name, names);
    errors.add(source, path, "unknown key. " + (near.empty() ? fmt::format("A [[dataset]] has: {}.", fmt::join(names, ", "))
                                                             : fmt::format("Did you mean {}?", near)));
    return;
  }
  StageConfig scratch;  // keys of [data] and [template] write to a stage
  scratch.data = set.data, scratch.chat_template = set.chat_template;
  const std::string error = assign(*key, value, {nullptr, &scratch, nullptr, &set});
  if (!error.empty()) errors.add(source, path, error);
  set.data = scratch.data, set.chat_template = scratch.chat_template;
}

std::vector<std::string> names_of(const std::vector<DatasetConfig>& sets) {
  std::vector<std::string> names;
  for (const auto& set : sets) names.push_back(set.name);
  return names;
}

// A reward scores the sets that name it and those that name none.
void route_rewards(StageConfig& stage) {
  for (auto& reward : stage.rewards) {
    reward.datasets.clear();
    std::vector<std::string> sets;
    for (const auto& set : stage.datasets)
      if (set.rewards.empty() || holds(set.rewards, reward.name)) sets.push_back(set.name);
    if (sets.size() < stage.datasets.size()) reward.datasets = sets.empty() ? std::vector<std::string>{""} : sets;
  }
}

class DataRules {
 public:
  DataRules(const Resolved& resolved, size_t index, ConfigErrors& errors)
      : resolved_(resolved), index_(index), stage_(resolved.config.stages[index]), errors_(errors) {}

  void check() {
    for (size_t i = 0; i < stage_.datasets.size(); ++i) check_set(i);
    if (stage_.datasets.empty()) check_source(Source(), "data.", stage_.data);
    else if (!stage_.data.train.empty() || !stage_.data.eval.empty())
      fail(stage_.data.train.empty() ? "data.eval" : "data.train",
           "is set, but the [[dataset]] entries say what is trained and evaluated on. Make it a [[dataset]] too, or remove it.");
    if (stage_.kind == "grpo") {
      check_rewards_used();
      check_curriculum();
    }
  }

 private:
  void fail(const std::string& path, const std::string& what) {
    Source source = resolved_.source_of(index_, path);
    if (source.line == 0 && source.override_.empty()) source = resolved_.source_of(index_, "stage");
    errors_.add(source, path, what);
  }

  // Of [data] (then `at` says nothing), or of an entry.
  void check_source(const Source& at, const std::string& prefix, const DataConfig& data) {
    const auto wrong = [&](const std::string& key, const std::string& what) {
      if (prefix == "data.") fail(prefix + key, what);
      else errors_.add(at, prefix + key, what);
    };
    if (data.train.empty()) wrong("train", "is missing: there are no prompts. Give a JSONL file or \"generator:arithmetic\".");
    for (const auto& [key, name] : {std::pair{"train", data.train}, std::pair{"eval", data.eval}})
      if (name.rfind("generator:", 0) == 0 && name != "generator:arithmetic" && name != "generator:countdown")
        wrong(key, fmt::format("is \"{}\", but the generators are generator:arithmetic and generator:countdown.", name));
    if (!data.eval.empty() && data.eval.rfind("generator:", 0) != 0 && data.eval_problems == 0)
      wrong("eval_problems", fmt::format("is 0, but {} is there to be evaluated on. Say how many of its rows to take, or remove the eval key.",
                                         data.eval));
  }

  void check_set(size_t i) {
    const DatasetConfig& set = stage_.datasets[i];
    const Source& at = resolved_.dataset_sources[index_][i];
    const auto names = names_of(stage_.datasets);
    if (set.name.empty() || set.name.find('/') != std::string::npos)
      errors_.add(at, "dataset.name", set.name.empty() ? "is missing. Give each [[dataset]] a name; metrics are told by it."
                                                       : fmt::format("is \"{}\". Leave out the slash: metrics are called mix/NAME/...", set.name));
    else if (std::count(names.begin(), names.end(), set.name) > 1)
      errors_.add(at, "dataset.name", fmt::format("\"{}\" names two data sets of the stage. Give each its own name.", set.name));
    check_source(at, "dataset.", set.data);
    if (const std::string wrong = model::unknown_style(set.chat_template.style); !wrong.empty())
      errors_.add(at, "dataset.style", wrong);
    check_set_rewards(set, at);
  }

  void check_set_rewards(const DatasetConfig& set, const Source& at) {
    std::vector<std::string> known;
    bool summed = set.rewards.empty();
    for (const auto& reward : stage_.rewards) {
      known.push_back(reward.name);
      summed = summed || (reward.role == "sum" && holds(set.rewards, reward.name));
    }
    for (const std::string& name : set.rewards)
      if (!holds(known, name)) {
        const std::string near = nearest_name(name, known);
        errors_.add(at, "dataset.rewards", fmt::format("names \"{}\", but the [[reward]] entries are: {}.{}", name, fmt::join(known, ", "),
                                                       near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near)));
        return;
      }
    if (stage_.kind == "grpo" && !summed)
      errors_.add(at, "dataset.rewards", "names no reward of role \"sum\", so there is nothing to learn from. Name one.");
  }

  void check_rewards_used() {
    for (size_t r = 0; r < stage_.rewards.size(); ++r)
      if (stage_.rewards[r].datasets == std::vector<std::string>{""})
        errors_.add(resolved_.reward_sources[index_][r], "reward.name",
                    fmt::format("is \"{}\", which stands in no [[dataset]]'s rewards, so it scores nothing. Name it there, or remove it.",
                                stage_.rewards[r].name));
  }

  void check_curriculum() {
    const CurriculumConfig& c = stage_.curriculum;
    if (c.kind == "none") return;
    for (const auto& set : stage_.sets())
      if (set.data.train.rfind("generator:", 0) == 0)
        fail("curriculum.kind",
             fmt::format("is \"{}\", but {} never asks a problem twice, so no problem has a pass rate. Train on a file, or set kind = "
                         "\"none\"; data.terms, data.digits and data.numbers make a generator's problems easier or harder.",
                         c.kind, set.data.train));
    if (c.kind == "pass_rate" && c.drop_failed_below >= c.drop_solved_above)
      fail("curriculum.drop_failed_below",
           fmt::format("is {:g}, but curriculum.drop_solved_above is {:g}, so every problem would be dropped. Set it lower.",
                       c.drop_failed_below, c.drop_solved_above));
  }

  const Resolved& resolved_;
  size_t index_;
  const StageConfig& stage_;
  ConfigErrors& errors_;
};

}  // namespace

std::vector<Source> read_datasets(const TomlNode* list, const std::string& prefix, const std::vector<DatasetOverride>& overrides,
                                  StageConfig& stage, ConfigErrors& errors) {
  stage.datasets.clear();
  std::vector<Source> sources;
  if (list != nullptr && list->kind != TomlNode::Kind::array) {
    errors.add({.line = list->line}, prefix + "dataset", fmt::format("must be a list of tables. Write [[{}dataset]] with two brackets.", prefix));
    list = nullptr;
  }
  if (list == nullptr) return sources;
  for (const auto& [unused, entry] : list->children) {
    DatasetConfig set;
    set.data = stage.data, set.chat_template = stage.chat_template;
    set.data.train = set.data.eval = "";  // what it is about is its own to say
    for (const auto& [name, value] : entry.children) set_key(set, name, value, {.line = value.line}, prefix, errors);
    for (const auto& o : overrides)
      if (o.name == set.name) set_key(set, o.key, o.value, o.source, prefix, errors);
    set.data.name = set.name;
    stage.datasets.push_back(std::move(set));
    sources.push_back({.line = entry.line});
  }
  route_rewards(stage);
  return sources;
}

void check_data_rules(const Resolved& resolved, size_t stage, ConfigErrors& errors) { DataRules(resolved, stage, errors).check(); }

}  // namespace rl
