#include "rl/config/reader.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "kernels/error.h"
#include "rl/config/datasets.h"
#include "rl/config/nearest_name.h"
#include "rl/config/presets.h"

namespace rl {
namespace {

using Kind = TomlNode::Kind;
using Sources = std::map<std::string, Source>;

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Sections that are lists of tables.
bool is_list(const std::string& section) { return section == "stage" || section == "reward" || section == "dataset"; }

// "It belongs in [optimizer]." for a known key in the wrong section; else the nearest name; else the names there are.
std::string hint_for_key(const std::string& section, const std::string& name) {
  std::vector<std::string> homes;
  for (const auto& key : config_keys()) {
    if (key.name == name && key.section != section) homes.push_back("[" + key.section + "]");
  }
  const std::string near = section.empty() ? "" : nearest_name(name, key_names(section));
  if (!near.empty()) return fmt::format("Did you mean {}?", near);
  if (!homes.empty()) return fmt::format("It belongs in {}.", fmt::join(homes, " or "));
  if (section.empty()) return "Keys stand in a section, such as [run] or [rollout].";
  return fmt::format("[{}] has: {}.", section, fmt::join(key_names(section), ", "));
}

class Reader {
 public:
  Reader(const std::string& file, const std::vector<std::string>& overrides) : errors_(file), overrides_(overrides) {
    out_.config.file = file;
  }

  Resolved read(const TomlNode& root) {
    read_preset(root);
    read_sections(root);
    read_stages(root);
    for (const auto& text : overrides_) apply_override(text);
    fill_in();
    check_rules(out_, errors_);
    if (!errors_.empty()) throw kernels::UsageError(errors_.joined());
    return out_;
  }

  Resolved sizes_only(const TomlNode& root) {
    const Target target{&out_.config, nullptr, nullptr};
    for (const auto& [name, node] : root.children) {
      const bool known = is_list(name) || holds(run_sections(), name) || holds(stage_sections(), name);
      if (name == "run" || name == "model" || name == "tokenizer") read_table(name, "", node, target, out_.run_sources);
      else if (!known) errors_.add({.line = node.line}, name, "unknown section. Known here: run, model, tokenizer.");
    }
    for (const auto& text : overrides_) override_sizes(text, target);
    ModelSettings& model = out_.config.model;
    if (!model.path.empty())
      errors_.add(out_.source_of(0, "model.path"), "model.path",
                  fmt::format("is \"{}\", but a model is to be born here from its sizes. Remove the key.", model.path));
    model.init = "random";
    fill_in_born_model(out_);
    for (const auto& [path, what] : born_model_problems(out_)) errors_.add(out_.source_of(0, path), path, what);
    if (!errors_.empty()) throw kernels::UsageError(errors_.joined());
    return out_;
  }

  // Of the top level, or else of the last stage that has its own.
  std::vector<reward::Settings> rewards_only(const TomlNode& root) {
    const TomlNode* found = root.find("reward");
    if (const TomlNode* stages = root.find("stage"); found == nullptr && stages != nullptr) {
      for (const auto& [unused, stage] : stages->children)
        if (const TomlNode* own = stage.find("reward")) found = own;
    }
    if (found == nullptr)
      kernels::fail_usage("{}: has no [[reward]]. Add one, such as\n[[reward]]\nname = \"math\"", out_.config.file);
    read_rewards(*found, "", base_, base_rewards_);
    for (const auto& [name, node] : root.children)
      if (!is_list(name) && name != "preset" && !holds(run_sections(), name) && !holds(stage_sections(), name))
        errors_.add({.line = node.line}, name, "unknown section. " + hint_for_section(name));
    if (!errors_.empty()) throw kernels::UsageError(errors_.joined());
    return base_.rewards;
  }

 private:
  // A preset lies under the file's sections, for stages of kind grpo. --set preset=NAME wins over the file's.
  void read_preset(const TomlNode& root) {
    Source source;
    const TomlNode* asked = root.find("preset");
    if (asked != nullptr) source.line = asked->line;
    TomlNode set;
    for (const auto& text : overrides_)
      if (text.rfind("preset=", 0) == 0) set = read_toml_value(text.substr(7)), asked = &set, source = {.line = 0, .override_ = text};
    if (asked == nullptr) return;
    const std::string* text = asked->kind == Kind::text ? find_preset(asked->text) : nullptr;
    if (text == nullptr) {
      const std::string near = asked->kind == Kind::text ? nearest_name(asked->text, preset_names()) : "";
      errors_.add(source, "preset", fmt::format("is {}, but must be one of: {}.{}", shown(*asked), fmt::join(preset_names(), ", "),
                                                near.empty() ? "" : " Did you mean \"" + near + "\"?"));
      return;
    }
    const std::string file = "preset " + asked->text;
    for (const auto& [section, table] : read_toml_text(*text, file).children) {
      if (section == "reward") {
        for (const auto& [unused, entry] : table.children) {
          read_reward(entry, "", preset_rewards_.emplace_back());
          preset_reward_sources_.push_back({.line = entry.line, .preset = asked->text});
        }
        continue;
      }
      for (const auto& [name, value] : table.children) {
        const Key* key = find_key(section, name);
        const std::string error = key == nullptr ? "unknown key" : assign(*key, value, {nullptr, &grpo_base_, nullptr});
        if (!error.empty()) kernels::fail("{}:{}: {}.{}: {}", file, value.line, section, name, error);
        grpo_sources_[section + "." + name] = {.line = value.line, .preset = asked->text};
      }
    }
  }

  void read_sections(const TomlNode& root) {
    for (const auto& [name, node] : root.children) {
      const Source at{.line = node.line};
      if (name == "stage" || name == "preset") continue;
      if (name == "dataset") {
        base_datasets_ = &node;
        continue;
      }
      if (name == "reward") {
        read_rewards(node, "", base_, base_rewards_);
      } else if (holds(run_sections(), name)) {
        read_table(name, "", node, {&out_.config, &base_, nullptr}, out_.run_sources);
      } else if (holds(stage_sections(), name)) {
        read_table(name, "", node, {&out_.config, &base_, nullptr}, base_sources_);
        read_table(name, "", node, {&out_.config, &grpo_base_, nullptr}, grpo_sources_);
      } else if (node.kind != Kind::table && node.kind != Kind::array) {
        errors_.add(at, name, "stands outside any section. " + hint_for_key("", name));
      } else {
        errors_.add(at, name, "unknown section. " + hint_for_section(name));
      }
    }
  }

  static std::string hint_for_section(const std::string& name) {
    std::vector<std::string> known = run_sections();
    known.insert(known.end(), stage_sections().begin(), stage_sections().end());
    known.insert(known.end(), {"stage", "reward", "dataset", "preset"});
    if (holds(init_sections(), name))
      return "It is for `ponder init`, which makes a model folder; then set model.path to that folder.";
    const std::string near = nearest_name(name, known);
    if (near == "preset") return "Did you mean preset = \"...\" at the top?";
    if (!near.empty())
      return fmt::format("Did you mean {}?", is_list(near) ? "[[" + near + "]]" : "[" + near + "]");
    return fmt::format("Known sections: {}.", fmt::join(known, ", "));
  }

  void read_table(const std::string& section, const std::string& prefix, const TomlNode& node, const Target& target,
                  Sources& sources) {
    if (node.kind != Kind::table) {
      errors_.add({.line = node.line}, prefix + section,
                  fmt::format("is {}, but is a section. Write [{}{}] above its keys.", name_of(node.kind), prefix, section));
      return;
    }
    for (const auto& [name, value] : node.children) set(section, prefix, name, value, {.line = value.line}, target, sources);
  }

  void set(const std::string& section, const std::string& prefix, const std::string& name, const TomlNode& value,
           const Source& source, const Target& target, Sources& sources) {
    const std::string path = section + "." + name;
    const Key* key = find_key(section, name);
    if (key == nullptr) {
      errors_.add(source, prefix + path, "unknown key. " + hint_for_key(section, name));
      return;
    }
    const std::string error = assign(*key, value, target);
    if (!error.empty()) errors_.add(source, prefix + path, error);
    sources[path] = source;
  }

  void read_rewards(const TomlNode& node, const std::string& prefix, StageConfig& stage, std::vector<Source>& sources) {
    stage.rewards.clear();
    sources.clear();
    if (node.kind != Kind::array) {
      errors_.add({.line = node.line}, prefix + "reward",
                  fmt::format("must be a list of tables. Write [[{}reward]] with two brackets.", prefix));
      return;
    }
    for (const auto& [unused, entry] : node.children) {
      reward::Settings settings;
      read_reward(entry, prefix, settings);
      stage.rewards.push_back(settings);
      sources.push_back({.line = entry.line});
    }
  }

  void read_reward(const TomlNode& entry, const std::string& prefix, reward::Settings& settings) {
    for (const auto& [name, value] : entry.children) set_reward_key(name, value, {.line = value.line}, prefix, settings);
    if (settings.name.empty())
      errors_.add({.line = entry.line}, prefix + "reward.name",
                  "is missing. Name one of the rewards that `ponder reward list` shows, or a plug-in of yours.");
  }

  void set_reward_key(const std::string& name, const TomlNode& value, const Source& source, const std::string& prefix,
                      reward::Settings& settings) {
    if (const Key* key = find_key("reward", name)) {
      const std::string error = assign(*key, value, {nullptr, nullptr, &settings});
      if (!error.empty()) errors_.add(source, prefix + key->path(), error);
      return;
    }
    if (value.kind == Kind::table || value.kind == Kind::array || value.kind == Kind::date) {
      errors_.add(source, prefix + "reward." + name,
                  fmt::format("is {}, but an option of a reward is text, a number, or true or false.", name_of(value.kind)));
      return;
    }
    const std::string text = value.kind == Kind::text ? value.text : shown(value);
    for (auto& option : settings.options) {
      if (option.first == name) {
        option.second = text;
        return;
      }
    }
    settings.options.emplace_back(name, text);
  }

  void read_stages(const TomlNode& root) {
    const TomlNode* list = root.find("stage");
    if (list != nullptr && list->kind != Kind::array) {
      errors_.add({.line = list->line}, "stage", "must be a list of tables. Write [[stage]] with two brackets.");
      list = nullptr;
    }
    if (list == nullptr || list->children.empty()) {
      add_stage("grpo");
      return;
    }
    for (const auto& [unused, entry] : list->children) {
      const TomlNode* kind = entry.find("kind");
      add_stage(kind != nullptr && kind->text == "sft" ? "sft" : "grpo");
      if (entry.kind == Kind::table) read_stage(entry, out_.config.stages.size() - 1);
      else errors_.add({.line = entry.line}, "stage", "must be a list of tables. Write [[stage]] with two brackets.");
    }
  }

  void add_stage(const std::string& kind) {
    grpo_base_.rewards = base_.rewards;
    out_.config.stages.push_back(kind == "sft" ? base_ : grpo_base_);
    out_.stage_sources.push_back(kind == "sft" ? base_sources_ : grpo_sources_);
    out_.reward_sources.push_back(base_rewards_);
    dataset_lists_.push_back({base_datasets_, ""});
  }

  void read_stage(const TomlNode& entry, size_t index) {
    StageConfig& stage = out_.config.stages[index];
    const Target target{&out_.config, &stage, nullptr};
    Sources& sources = out_.stage_sources[index];
    sources["stage"] = {.line = entry.line};
    for (const auto& [name, node] : entry.children) {
      if (name == "reward") read_rewards(node, "stage.", stage, out_.reward_sources[index]);
      else if (name == "dataset") dataset_lists_[index] = {&node, "stage."};
      else if (holds(stage_sections(), name)) read_table(name, "stage.", node, target, sources);
      else if (holds(run_sections(), name))
        errors_.add({.line = node.line}, "stage." + name,
                    fmt::format("belongs to the whole run. Move it to [{}] at the top level.", name));
      else if (node.kind == Kind::table)
        errors_.add({.line = node.line}, "stage." + name, "unknown section. " + hint_for_section(name));
      else set("stage", "", name, node, {.line = node.line}, target, sources);
    }
  }

  void override_sizes(const std::string& text, const Target& target) {
    const Source source{.line = 0, .override_ = text};
    const size_t dot = text.find('.'), equals = text.find('=');
    const std::string section = text.substr(0, dot);
    if (equals == std::string::npos || dot > equals || (section != "run" && section != "model" && section != "tokenizer")) {
      errors_.add(source, text, "is not an override. Write it like --set model.layers=4; sections are run, model, tokenizer.");
      return;
    }
    set(section, "", text.substr(dot + 1, equals - dot - 1), read_toml_value(text.substr(equals + 1)), source, target,
        out_.run_sources);
  }

  // section.key=value for the run or for every stage; stage.NAME.key=value and stage.NAME.section.key=value for one
  // stage (by name, kind or number from 0); reward.NAME.key=value for a reward of any stage.
  void apply_override(const std::string& text) {
    if (text.rfind("preset=", 0) == 0) return;  // read_preset
    const Source source{.line = 0, .override_ = text};
    const size_t equals = text.find('=');
    std::vector<std::string> path;
    for (size_t from = 0; equals != std::string::npos && from <= equals;) {
      const size_t dot = std::min(text.find('.', from), equals);
      path.push_back(text.substr(from, dot - from));
      from = dot + 1;
    }
    if (path.size() < 2) {
      errors_.add(source, text, "is not an override. Write it like --set rollout.temperature=0.8.");
      return;
    }
    const TomlNode value = read_toml_value(text.substr(equals + 1));
    if (path[0] == "stage") override_stages(path, value, source);
    else if (path[0] == "dataset" && path.size() == 3) dataset_overrides_.push_back({path[1], path[2], value, source});
    else if (path[0] == "reward") override_rewards(path, value, source);
    else if (path.size() != 2) errors_.add(source, text.substr(0, equals), "has too many dots. Write section.key=value.");
    else if (holds(run_sections(), path[0]))
      set(path[0], "", path[1], value, source, {&out_.config, nullptr, nullptr}, out_.run_sources);
    else if (holds(stage_sections(), path[0])) {
      for (size_t i = 0; i < out_.config.stages.size(); ++i)
        set(path[0], "", path[1], value, source, target_of(i), out_.stage_sources[i]);
    } else errors_.add(source, path[0], "unknown section. " + hint_for_section(path[0]));
  }

  Target target_of(size_t stage) { return {&out_.config, &out_.config.stages[stage], nullptr}; }

  void override_stages(const std::vector<std::string>& path, const TomlNode& value, const Source& source) {
    bool found = false;
    std::vector<std::string> names;
    for (size_t i = 0; i < out_.config.stages.size(); ++i) {
      const StageConfig& stage = out_.config.stages[i];
      names.push_back(stage.name.empty() ? stage.kind : stage.name);
      if (path.size() < 3 || (path[1] != names.back() && path[1] != stage.kind && path[1] != fmt::format("{}", i))) continue;
      found = true;
      if (path.size() == 3) set("stage", "", path[2], value, source, target_of(i), out_.stage_sources[i]);
      else set(path[2], "stage.", path[3], value, source, target_of(i), out_.stage_sources[i]);
    }
    if (!found)
      errors_.add(source, "stage",
                  fmt::format("names no stage. Write stage.NAME.key=value; the stages are: {}.", fmt::join(names, ", ")));
  }

  void override_rewards(const std::vector<std::string>& path, const TomlNode& value, const Source& source) {
    bool found = false;
    for (auto& stage : out_.config.stages) {
      for (auto& settings : stage.rewards) {
        if (path.size() != 3 || path[1] != settings.name) continue;
        found = true;
        set_reward_key(path[2], value, source, "", settings);
      }
    }
    if (!found) errors_.add(source, "reward", "names no reward of this file. Write reward.NAME.key=value.");
  }

  // What the file may leave out because something else says it.
  void fill_in() {
    RunConfig& run = out_.config.run;
    if (run.name.empty()) run.name = std::filesystem::path(out_.config.file).stem().string();
    if (run.output_dir.empty()) run.output_dir = "runs/" + run.name;
    for (size_t i = 0; i < out_.config.stages.size(); ++i)
      forget_unused_presets(out_.config.stages[i], out_.stage_sources[i]);
    std::set<std::string> names;
    for (auto& stage : out_.config.stages) {
      if (stage.name.empty()) {
        stage.name = stage.kind;
        for (int64_t n = 2; names.count(stage.name) > 0; ++n) stage.name = fmt::format("{}-{}", stage.kind, n);
      }
      names.insert(stage.name);
      if (stage.kind != "sft" && run.steps > 0) stage.steps = stage.steps > 0 ? std::min(stage.steps, run.steps) : run.steps;
    }
    for (size_t i = 0; i < out_.config.stages.size(); ++i) {
      if (out_.config.stages[i].kind == "grpo") add_preset_rewards(i);
      fill_in_lengths(out_.config.stages[i]);
      const auto& [list, prefix] = dataset_lists_[i];
      out_.dataset_sources.push_back(read_datasets(list, prefix, dataset_overrides_, out_.config.stages[i], errors_));
    }
    for (const auto& o : dataset_overrides_) check_names_a_dataset(o);
    if (out_.config.model.init == "random") fill_in_born_model(out_);
  }

  // Behind the file's own, but for those that the file has itself.
  void add_preset_rewards(size_t index) {
    StageConfig& stage = out_.config.stages[index];
    for (size_t r = 0; r < preset_rewards_.size(); ++r) {
      const auto same = [&](const reward::Settings& own) { return own.name == preset_rewards_[r].name; };
      if (stage.rewards.empty() || std::any_of(stage.rewards.begin(), stage.rewards.end(), same)) continue;
      stage.rewards.push_back(preset_rewards_[r]);
      out_.reward_sources[index].push_back(preset_reward_sources_[r]);
    }
  }

  // A penalty on length counts from the longest completion there is.
  static void fill_in_lengths(StageConfig& stage) {
    for (auto& settings : stage.rewards) {
      const bool counts = settings.kind == "builtin" && (settings.name == "overlong" || settings.name == "cosine");
      const auto given = [](const auto& option) { return option.first == "max_tokens"; };
      if (counts && std::none_of(settings.options.begin(), settings.options.end(), given))
        settings.options.emplace_back("max_tokens", fmt::format("{}", stage.rollout.max_new_tokens));
    }
  }

  void check_names_a_dataset(const DatasetOverride& override_) {
    std::vector<std::string> names;
    for (const auto& stage : out_.config.stages)
      for (const auto& set : stage.datasets) names.push_back(set.name);
    if (!holds(names, override_.name))
      errors_.add(override_.source, "dataset", names.empty() ? "this file has no [[dataset]]."
                                                             : fmt::format("\"{}\" is none of: {}. Write dataset.NAME.key=value.",
                                                                           override_.name, fmt::join(names, ", ")));
  }

  ConfigErrors errors_;
  std::vector<std::string> overrides_;
  Resolved out_;
  // Where each stage starts from: the sections at the top; for grpo stages they lie over the preset.
  StageConfig base_, grpo_base_;
  Sources base_sources_, grpo_sources_;
  std::vector<Source> base_rewards_;
  std::vector<reward::Settings> preset_rewards_;
  std::vector<Source> preset_reward_sources_;
  // Read last: an entry takes over what [data] and [template] are in the end.
  const TomlNode* base_datasets_ = nullptr;
  std::vector<std::pair<const TomlNode*, std::string>> dataset_lists_;  // [stage], with the prefix of its paths
  std::vector<DatasetOverride> dataset_overrides_;
};

}  // namespace

void ConfigErrors::add(const Source& source, const std::string& path, const std::string& what) {
  constexpr int64_t command_line = int64_t{1} << 40;  // after the file's
  const std::string where = !source.override_.empty() ? "--set " + source.override_
                            : !source.preset.empty()  ? fmt::format("{} (preset {})", file_, source.preset)
                            : source.line > 0         ? fmt::format("{}:{}", file_, source.line)
                                                      : file_;
  const std::string line = fmt::format("{}: {}: {}", where, path, what);
  for (const auto& [unused, known] : errors_) {
    if (known == line) return;
  }
  errors_.emplace(source.override_.empty() ? source.line : command_line, line);
}

std::string ConfigErrors::joined() const {
  std::vector<std::string> lines;
  for (const auto& [unused, line] : errors_) lines.push_back(line);
  return fmt::format("{}", fmt::join(lines, "\n"));
}

Source Resolved::source_of(size_t stage, const std::string& path) const {
  if (const auto found = run_sources.find(path); found != run_sources.end()) return found->second;
  if (stage >= stage_sources.size()) return {};
  const auto found = stage_sources[stage].find(path);
  return found == stage_sources[stage].end() ? Source{} : found->second;
}

std::vector<reward::Settings> read_reward_file(const std::string& file) {
  return Reader(file, {}).rewards_only(read_toml_file(file));
}

Resolved resolve_config(const std::string& file, const std::vector<std::string>& overrides) {
  return Reader(file, overrides).read(read_toml_file(file));
}

Resolved resolve_sizes(const std::string& file, const std::vector<std::string>& overrides) {
  return Reader(file, overrides).sizes_only(read_toml_file(file));
}

}  // namespace rl
