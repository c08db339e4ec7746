// `ponder compare`: where two runs part.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "kernels/error.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/safetensors.h"
#include "model/lora/adapter_folder.h"
#include "rl/commands/commands.h"
#include "rl/config/settings_text.h"
#include "rl/metrics.h"
#include "rl/state_log.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

int64_t print_settings(const std::string& a, const std::string& b) {
  const auto left = settings_of(text_of(fs::path(a) / "config.toml")), right = settings_of(text_of(fs::path(b) / "config.toml"));
  int64_t differ = 0;
  const auto line = [&](const std::string& key, const std::string& x, const std::string& y) {
    if (differ++ == 0) fmt::print("settings that differ:\n");
    fmt::print("  {}: {} | {}\n", key, x, y);
  };
  for (const auto& [key, value] : left) {
    const auto other = right.find(key);
    if (other == right.end() || other->second != value) line(key, value, other == right.end() ? "absent" : other->second);
  }
  for (const auto& [key, value] : right)
    if (left.find(key) == left.end()) line(key, "absent", value);
  return differ;
}

bool is_time(const std::string& name) { return name.rfind("timing/", 0) == 0; }

struct StepName {
  std::string stage;
  int64_t step = 0;
  auto operator<=>(const StepName&) const = default;
};

// Metrics of one step whose values differ, "name: a | b". Evaluations and steps may share a step; they come together.
using StepMetrics = std::map<std::string, double>;
std::vector<std::pair<StepName, StepMetrics>> steps_of(const std::string& run) {
  std::vector<std::pair<StepName, StepMetrics>> steps;
  for (const MetricsLine& line : read_metrics((fs::path(run) / "metrics.jsonl").string())) {
    const StepName name{line.stage, line.step};
    if (steps.empty() || steps.back().first != name) steps.emplace_back(name, StepMetrics{});
    for (const auto& [key, value] : line.values)
      if (!is_time(key)) steps.back().second[key] = value;
  }
  return steps;
}

std::vector<std::string> differences(const StepMetrics& a, const StepMetrics& b) {
  std::vector<std::string> out;
  for (const auto& [key, value] : a) {
    const auto other = b.find(key);
    const bool equal = other != b.end() && (other->second == value || (std::isnan(value) && std::isnan(other->second)));
    if (!equal) out.push_back(fmt::format("{}: {} | {}", key, value, other == b.end() ? "absent" : fmt::format("{}", other->second)));
  }
  for (const auto& [key, value] : b)
    if (a.find(key) == a.end()) out.push_back(fmt::format("{}: absent | {}", key, value));
  return out;
}

// Prints the first step whose metrics differ; how many steps both have.
struct Found {
  int64_t common = 0;
  bool differ = false;
};

Found compare_metrics(const std::string& a, const std::string& b) {
  Found found;
  const auto left = steps_of(a), right = steps_of(b);
  for (const auto& [name, values] : left) {
    const auto other = std::find_if(right.begin(), right.end(), [&, n = name](const auto& s) { return s.first == n; });
    if (other == right.end()) continue;
    ++found.common;
    const auto lines = differences(values, other->second);
    if (lines.empty() || found.differ) continue;
    found.differ = true;
    fmt::print("metrics: first differ at {} step {}, in {} of {}:\n", name.stage, name.step, lines.size(), values.size());
    for (size_t i = 0; i < std::min<size_t>(lines.size(), 12); ++i) fmt::print("  {}\n", lines[i]);
    if (lines.size() > 12) fmt::print("  ... and {} more\n", lines.size() - 12);
  }
  return found;
}

Found compare_states(const std::string& a, const std::string& b) {
  Found found;
  const auto left = read_states((fs::path(a) / "states.jsonl").string()), right = read_states((fs::path(b) / "states.jsonl").string());
  for (const StateHash& state : left) {
    const auto other = std::find_if(right.begin(), right.end(), [&](const StateHash& s) { return s.stage == state.stage && s.step == state.step; });
    if (other == right.end()) continue;
    ++found.common;
    if (state.all == other->all || found.differ) continue;
    found.differ = true;
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(state.parts.size(), other->parts.size()); ++i)
      if (state.parts[i] != other->parts[i]) names.push_back(state.parts[i].first);
    fmt::print("weights: first differ after {} step {}, in {} of {} tensors, the first of them {}\n", state.stage, state.step, names.size(),
               state.parts.size(), names.empty() ? "(the models have other tensors)" : names[0]);
  }
  return found;
}

std::vector<float> master_of(const fs::path& checkpoint) {
  const model::SafetensorsFile file((checkpoint / "trainer" / "optimizer.safetensors").string());
  const auto* entry = file.find("master");
  if (entry == nullptr || entry->dtype != "F32") return {};
  std::vector<float> values(static_cast<size_t>(entry->bytes / 4));
  file.copy(*entry, values.data());
  return values;
}

// What a checkpoint trains: a model's parameters, or an adapter's.
model::ParameterList parameters_of(const std::string& checkpoint) {
  const model::ModelPlace place = model::find_model_place(checkpoint);
  const model::ModelConfig config = model::read_config(place.base);
  if (place.adapter.empty()) return model::ParameterList(config);
  return model::read_adapter(place.adapter, config).pairs;
}

// How far apart the weights are in the first checkpoint that both runs still have and in which they differ.
void compare_checkpoints(const std::string& a, const std::string& b) {
  std::vector<fs::path> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(a) / "checkpoints", none))
    if (fs::exists(entry.path() / "trainer" / "optimizer.safetensors") &&
        fs::exists(fs::path(b) / "checkpoints" / entry.path().filename() / "trainer" / "optimizer.safetensors"))
      names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  for (const auto& name : names) {
    const fs::path left = fs::path(a) / "checkpoints" / name;
    const auto x = master_of(left), y = master_of(fs::path(b) / "checkpoints" / name);
    const model::ParameterList list = parameters_of(left.string());
    if (x.size() != y.size() || static_cast<int64_t>(x.size()) != list.size()) {
      fmt::print("checkpoint {}: the models have other sizes\n", name.string());
      return;
    }
    int64_t differ = 0;
    for (const auto& p : list.parameters()) {
      double largest = 0;
      for (int64_t i = p.offset; i < p.offset + p.size; ++i)
        largest = std::max(largest, std::abs(double(x[static_cast<size_t>(i)]) - double(y[static_cast<size_t>(i)])));
      if (largest == 0) continue;
      if (differ++ < 5) fmt::print("checkpoint {}: {} differs by up to {:.3g}\n", name.string(), p.name, largest);
    }
    if (differ > 5) fmt::print("checkpoint {}: ... and {} more tensors\n", name.string(), differ - 5);
    if (differ > 0) return;
  }
}

}  // namespace

int run_compare(const std::string& run_a, const std::string& run_b) {
  for (const auto& run : {run_a, run_b})
    if (!fs::exists(fs::path(run) / "metrics.jsonl"))
      kernels::fail_usage("{}: has no metrics.jsonl. Give the folders of two runs; `ponder eval compare` takes results of evaluations.", run);
  const int64_t settings = print_settings(run_a, run_b);
  const Found metrics = compare_metrics(run_a, run_b), states = compare_states(run_a, run_b);
  if (metrics.differ || states.differ) {
    compare_checkpoints(run_a, run_b);
    return 1;
  }
  if (metrics.common == 0) kernels::fail_usage("{} and {}: have no step in common, so there is nothing to compare.", run_a, run_b);
  fmt::print("equal: metrics of {} steps, weights after {} steps{}\n", metrics.common, states.common,
             settings > 0 ? fmt::format("; {} settings differ without an effect", settings) : "");
  return 0;
}

}  // namespace rl
