#include "model/lora/peft_targets.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <set>

#include "model/families/tensor_names.h"

namespace model {
namespace {

const std::string kEnd = ".weight";

// A module of the family's files whose matrix may have a pair.
struct Module {
  std::string name, word;  // word: the last of its name
  bool expert = false, adapted = false;
  bool fused = false;      // gate_proj or up_proj of an expert
};

std::vector<Module> modules_of(const ParameterList& pairs) {
  std::vector<Module> modules;
  for (const Parameter& p : list_parameters(pairs.config())) {
    if (!can_be_adapted(p)) continue;
    const bool expert = p.shape.size() == 3, adapted = pairs.has(adapter_pair(p, 2)[0].name);
    for (const auto& file_name : file_names(pairs.config(), p)) {
      const std::string name = file_name.substr(0, file_name.size() - kEnd.size());
      const bool fused = expert && !module_of(p).ends_with("down_proj");
      modules.push_back({name, name.substr(name.rfind('.') + 1), expert, adapted, fused});
    }
  }
  return modules;
}

std::set<std::string> words_of(const std::vector<Module>& modules, const std::function<bool(const Module&)>& wanted) {
  std::set<std::string> words;
  for (const Module& m : modules)
    if (wanted(m)) words.insert(m.word);
  return words;
}

}  // namespace

PeftTargets peft_targets(const ParameterList& pairs) {
  const auto modules = modules_of(pairs);
  const auto expert_words = words_of(modules, [](const Module& m) { return m.expert; });
  const auto beside_experts = [&](const Module& m) { return !m.expert && expert_words.count(m.word) > 0; };
  const auto partly = words_of(modules, [&](const Module& m) { return !m.adapted && !beside_experts(m); });
  std::set<std::string> named, parameters;
  for (const Module& m : modules) {
    if (!m.adapted) continue;
    if (beside_experts(m)) parameters.insert(m.name + kEnd);
    else named.insert(partly.count(m.word) > 0 ? m.name : m.word);
  }
  return {{named.begin(), named.end()}, {parameters.begin(), parameters.end()}};
}

std::string peft_problem(const ParameterList& pairs) {
  const auto modules = modules_of(pairs);
  const auto wanted = words_of(modules, [](const Module& m) { return m.expert; });
  const auto adapted = words_of(modules, [](const Module& m) { return m.expert && m.adapted; });
  const bool any_fused = std::any_of(modules.begin(), modules.end(), [](const Module& m) { return m.fused && m.adapted; });
  std::string missing;
  for (const auto& word : wanted)
    if (adapted.count(word) == 0) missing += (missing.empty() ? "" : " and ") + word;
  if (!any_fused || missing.empty()) return "";
  return fmt::format("PEFT cannot load the adapter, since it has no pairs of the experts' {}, which PEFT joins with the others. "
                     "Ponder reads and merges it; for PEFT, name {} too.", missing, missing);
}

}  // namespace model
