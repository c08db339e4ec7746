// `ponder compare`: where two runs part.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
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

// How many steps both have, and whether they differ in one, or one run has more of them.
struct Found {
  int64_t common = 0;
  bool differ = false;
};

// Of the steps that `run` has and `other` has not. True: there are some.
template <typename Steps>
bool print_missing(const std::string& run, const Steps& steps, const std::string& other, const Steps& others) {
  std::set<StepName> known;
  for (const auto& step : others) known.insert(step.first);
  std::vector<StepName> missing;
  for (const auto& step : steps)
    if (!known.contains(step.first)) missing.push_back(step.first);
  if (missing.empty()) return false;
  fmt::print("{} has {} step{} that {} has not: {} step {}", run, missing.size(), missing.size() == 1 ? "" : "s", other,
             missing[0].stage, missing[0].step);
  if (missing.size() > 1) fmt::print(" to {} step {}", missing.back().stage, missing.back().step);
  fmt::print("\n");
  return true;
}

// Prints the first step whose metrics differ, and what one run has more.
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
  const bool left_more = print_missing(a, left, b, right), right_more = print_missing(b, right, a, left);
  found.differ |= left_more || right_more;
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

// What a checkpoint trains, in one row: a model's masters, or an adapter's pairs.
struct Trained {
  struct Tensor {
    std::string name;
    size_t offset = 0, size = 0;
  };
  std::vector<Tensor> tensors;
  std::vector<float> values;
};

bool same_tensors(const Trained& a, const Trained& b) {
  return std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.size == y.size; });
}

// By the names in its own file: the base that it stands on may be far away.
Trained trained_of_adapter(const fs::path& checkpoint) {
  Trained out;
  const model::SafetensorsFile file((checkpoint / "adapter_model.safetensors").string());
  for (const auto& entry : file.entries()) {
    if (entry.dtype != "F32") continue;
    out.tensors.push_back({entry.name, out.values.size(), static_cast<size_t>(entry.bytes / 4)});
    out.values.resize(out.values.size() + out.tensors.back().size);
    file.copy(entry, out.values.data() + out.tensors.back().offset);
  }
  return out;
}

Trained trained_of(const fs::path& checkpoint) {
  if (model::is_adapter_folder(checkpoint.string())) return trained_of_adapter(checkpoint);
  Trained out;
  const model::SafetensorsFile file((checkpoint / "trainer" / "optimizer.safetensors").string());
  const auto* entry = file.find("master");
  if (entry == nullptr || entry->dtype != "F32") return out;
  out.values.resize(static_cast<size_t>(entry->bytes / 4));
  file.copy(*entry, out.values.data());
  const model::ParameterList list(model::read_config(checkpoint.string()));
  if (static_cast<size_t>(list.size()) != out.values.size()) return {};
  for (const auto& p : list.parameters())
    out.tensors.push_back({p.name, static_cast<size_t>(p.offset), static_cast<size_t>(p.size)});
  return out;
}

double largest_difference(const Trained& a, const Trained& b, const Trained::Tensor& tensor) {
  double largest = 0;
  for (size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i)
    largest = std::max(largest, std::abs(double(a.values[i]) - double(b.values[i])));
  return largest;
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
    const Trained x = trained_of(fs::path(a) / "checkpoints" / name), y = trained_of(fs::path(b) / "checkpoints" / name);
    if (x.values.size() != y.values.size() || !same_tensors(x, y)) {
      fmt::print("checkpoint {}: the models have other tensors\n", name.string());
      return;
    }
    int64_t differ = 0;
    for (const auto& tensor : x.tensors) {
      const double largest = largest_difference(x, y, tensor);
      if (largest == 0) continue;
      if (differ++ < 5) fmt::print("checkpoint {}: {} differs by up to {:.3g}\n", name.string(), tensor.name, largest);
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
  if (metrics.common == 0) kernels::fail_usage("{} and {}: have no step in common, so there is nothing to compare.", run_a, run_b);
  if (metrics.differ || states.differ) {
    compare_checkpoints(run_a, run_b);
    return 1;
  }
  fmt::print("equal: metrics of {} steps, weights after {} steps{}\n", metrics.common, states.common,
             settings > 0 ? fmt::format("; {} settings differ without an effect", settings) : "");
  return 0;
}

}  // namespace rl
