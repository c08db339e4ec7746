#include "rl/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "rl/config/reader.h"

namespace rl {
namespace {

// Writes a config as TOML that reads back as the same config. With sources, each line says where its value came from.
class Writer {
 public:
  Writer(const Config& config, const Resolved* resolved) : config_(config), resolved_(resolved) {}

  std::string write() {
    for (const auto& section : run_sections()) write_section(section, section, 0, [](const Key&) { return true; });
    // What all stages share stands at the top; a stage repeats only what is its own.
    for (const auto& section : stage_sections())
      write_section(section, section, 0, [&](const Key& key) { return shared(key); });
    if (shared_datasets()) write_datasets(0, "dataset");
    if (shared_rewards()) write_rewards(0, "reward");
    for (size_t i = 0; i < config_.stages.size(); ++i) {
      write_section("[stage]", "stage", i, [](const Key&) { return true; });
      for (const auto& section : stage_sections())
        write_section("stage." + section, section, i, [&](const Key& key) { return !shared(key); });
      if (!shared_datasets()) write_datasets(i, "stage.dataset");
      if (!shared_rewards()) write_rewards(i, "stage.reward");
    }
    return out_;
  }

 private:
  template <typename Wanted>
  void write_section(const std::string& title, const std::string& section, size_t stage, Wanted wanted) {
    bool opened = false;
    for (const auto& key : config_keys()) {
      if (key.section != section || !wanted(key) || (key.born_only && config_.model.init != "random")) continue;
      if (!opened) out_ += fmt::format("{}[{}]\n", out_.empty() ? "" : "\n", title);
      opened = true;
      const std::string line = fmt::format("{} = {}", key.name, value_text(key, target(stage)));
      out_ += resolved_ == nullptr ? line + "\n" : fmt::format("{:<48} # {}\n", line, source_text(stage, key.path()));
    }
  }

  void write_rewards(size_t stage, const std::string& title) {
    const auto& rewards = config_.stages[stage].rewards;
    for (size_t i = 0; i < rewards.size(); ++i) {
      const reward::Settings& settings = rewards[i];
      const std::string header = fmt::format("[[{}]]", title);
      out_ += resolved_ == nullptr ? "\n" + header + "\n"
                                   : fmt::format("\n{:<48} # {}\n", header, text_of(resolved_->reward_sources[stage][i]));
      reward::Settings copy = settings;
      for (const auto& key : config_keys()) {
        if (key.section != "reward") continue;
        // Most keys belong to one kind only.
        const std::string value = value_text(key, {nullptr, nullptr, &copy});
        if (value != default_text(key) || key.name == "kind" || key.name == "role" || key.name == "weight" || key.name == "timeout_ms")
          out_ += fmt::format("{} = {}\n", key.name, value);
      }
      for (const auto& [name, value] : settings.options) out_ += fmt::format("{} = {}\n", name, toml_quoted(value));
    }
  }

  void write_datasets(size_t stage, const std::string& title) {
    for (size_t i = 0; i < config_.stages[stage].datasets.size(); ++i) {
      const std::string header = fmt::format("[[{}]]", title);
      out_ += resolved_ == nullptr ? "\n" + header + "\n"
                                   : fmt::format("\n{:<48} # {}\n", header, text_of(resolved_->dataset_sources[stage][i]));
      out_ += dataset_text(config_.stages[stage].datasets[i]);
    }
  }

  static std::string dataset_text(DatasetConfig set) {
    StageConfig scratch;
    scratch.data = set.data, scratch.chat_template = set.chat_template;
    std::string text;
    for (const Key* key : dataset_keys())
      text += fmt::format("{} = {}\n", key->name, value_text(*key, {nullptr, &scratch, nullptr, &set}));
    return text;
  }

  bool shared_datasets() const {
    const auto text = [](const StageConfig& stage) {
      std::string all;
      for (const auto& set : stage.datasets) all += dataset_text(set);
      return all;
    };
    return std::all_of(config_.stages.begin(), config_.stages.end(),
                       [&](const StageConfig& stage) { return text(stage) == text(config_.stages.front()); });
  }

  Target target(size_t stage) { return {&config_, &config_.stages[stage], nullptr}; }

  bool shared(const Key& key) {
    const std::string first = value_text(key, target(0));
    for (size_t i = 1; i < config_.stages.size(); ++i) {
      if (value_text(key, target(i)) != first) return false;
    }
    return true;
  }

  bool shared_rewards() const {
    const auto& first = config_.stages.front().rewards;
    return std::all_of(config_.stages.begin(), config_.stages.end(), [&](const StageConfig& stage) {
      return first == stage.rewards;
    });
  }

  std::string source_text(size_t stage, const std::string& path) const { return text_of(resolved_->source_of(stage, path)); }

  std::string text_of(const Source& source) const {
    if (!source.override_.empty()) return "--set";
    if (!source.preset.empty()) return "preset " + source.preset;
    return source.line > 0 ? fmt::format("{}:{}", config_.file, source.line) : "default";
  }

  Config config_;
  const Resolved* resolved_;
  std::string out_;
};

}  // namespace

bool AdvantageConfig::compares_within_group() const {
  return baseline == "group_mean" || baseline == "leave_one_out" || baseline == "length_weighted" || scale == "group_std" ||
         scale == "group_mean";
}

int64_t RolloutConfig::asked_prompts() const {
  // 10 * 1.1 is a little above 11 in doubles.
  return static_cast<int64_t>(std::ceil(static_cast<double>(prompts_per_step) * overprovision - 1e-9));
}

std::vector<DatasetConfig> StageConfig::sets() const {
  if (!datasets.empty()) return datasets;
  return {{.name = "", .weight = 1, .rewards = {}, .data = data, .chat_template = chat_template}};
}

int64_t StageConfig::max_prompt_tokens() const {
  int64_t most = 0;
  for (const auto& set : sets()) most = std::max(most, set.data.max_prompt_tokens);
  return most;
}

int64_t StageConfig::eval_problems() const {
  int64_t sum = 0;
  for (const auto& set : sets()) sum += set.data.eval.empty() ? 0 : set.data.eval_problems;
  return sum;
}

std::string place_of(const Config& config, const std::string& path, const std::string& stage) {
  for (const std::string& key : {path, stage + ":" + path}) {
    if (const auto found = config.places.find(key); found != config.places.end()) return found->second;
  }
  return config.file;
}

Config read_config(const std::string& file, const std::vector<std::string>& overrides) {
  Resolved resolved = resolve_config(file, overrides);
  Config& config = resolved.config;
  const auto place = [&](const Source& source) {
    return !source.override_.empty() ? "--set " + source.override_
           : !source.preset.empty()  ? "preset " + source.preset
                                     : fmt::format("{}:{}", file, source.line);
  };
  for (const auto& [path, source] : resolved.run_sources) config.places[path] = place(source);
  for (size_t i = 0; i < config.stages.size(); ++i) {
    for (const auto& [path, source] : resolved.stage_sources[i])
      config.places[config.stages[i].name + ":" + path] = place(source);
    for (size_t r = 0; r < resolved.reward_sources[i].size(); ++r)
      config.places[fmt::format("{}:reward.{}", config.stages[i].name, r)] = place(resolved.reward_sources[i][r]);
    for (size_t d = 0; d < resolved.dataset_sources[i].size(); ++d)
      config.places[fmt::format("{}:dataset.{}", config.stages[i].name, d)] = place(resolved.dataset_sources[i][d]);
  }
  return config;
}

Config read_sizes(const std::string& file, const std::vector<std::string>& overrides) {
  return resolve_sizes(file, overrides).config;
}

std::string config_to_toml(const Config& config) { return Writer(config, nullptr).write(); }

std::string print_config(const std::string& file, const std::vector<std::string>& overrides) {
  const Resolved resolved = resolve_config(file, overrides);
  return Writer(resolved.config, &resolved).write();
}

}  // namespace rl
