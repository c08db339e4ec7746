#include "model/lora/lora_parameters.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/error.h"
#include "kernels/rng.h"
#include "model/families/tensor_names.h"

namespace model {
namespace {

const std::string kEnd = ".weight", kAll = "all-linear";

std::string last_word(const std::string& module) { return module.substr(module.rfind('.') + 1); }

// As the family's files call it; of experts, the first.
std::string file_module(const ModelConfig& config, const Parameter& p) {
  const std::string name = file_names(config, p)[0];
  return name.substr(0, name.size() - kEnd.size());
}

bool is_named(const std::string& target, const ModelConfig& config, const Parameter& p) {
  const std::string module = module_of(p);
  return target == kAll || module == target || module.ends_with("." + target) || last_word(file_module(config, p)) == target;
}

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

double LoraConfig::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

int64_t padded_rank(int64_t rank) { return (rank + 1) / 2 * 2; }

bool can_be_adapted(const Parameter& p) {
  return p.shape.size() > 1 && !p.compute_float32 && p.name != "model.embed_tokens.weight" && p.name != "lm_head.weight";
}

std::string module_of(const Parameter& p) { return p.name.substr(0, p.name.size() - kEnd.size()); }

std::vector<Parameter> adapter_pair(const Parameter& matrix, int64_t rank) {
  const size_t last = matrix.shape.size() - 1;
  const int64_t r = padded_rank(rank), count = matrix.shape.size() == 3 ? matrix.shape[0] : 1;
  Parameter down, up;
  down.name = module_of(matrix) + ".lora_A.weight", up.name = module_of(matrix) + ".lora_B.weight";
  down.shape = up.shape = matrix.shape;
  down.shape[last - 1] = r, up.shape[last] = r;
  down.size = count * r * matrix.shape[last], up.size = count * matrix.shape[last - 1] * r;
  up.init = Parameter::Init::zeros;
  return {down, up};
}

ParameterList adapter_parameters(const ModelConfig& config, int64_t rank, const std::function<bool(const Parameter&)>& wanted) {
  std::vector<Parameter> list;
  for (const Parameter& p : list_parameters(config))
    if (can_be_adapted(p) && wanted(p))
      for (Parameter& of_pair : adapter_pair(p, rank)) list.push_back(std::move(of_pair));
  return {config, std::move(list)};
}

ParameterList adapter_parameters(const ModelConfig& config, const LoraConfig& lora) {
  std::set<std::string> known, found;
  for (const Parameter& p : list_parameters(config)) {
    if (!can_be_adapted(p)) continue;
    known.insert(last_word(file_module(config, p)));
    for (const auto& target : lora.targets)
      if (is_named(target, config, p)) found.insert(target);
  }
  for (const auto& target : lora.targets)
    if (found.count(target) == 0)
      kernels::fail_usage("model.lora_targets: \"{}\" is no product of this model. Its products are {}; \"{}\" means all of them. "
                          "Embeddings, norms, head and routers stay frozen.", target, joined(known), kAll);
  if (lora.targets.empty()) kernels::fail_usage("model.lora_targets: is empty. Name some of {}, or \"{}\".", joined(known), kAll);
  return adapter_parameters(config, lora.rank, [&](const Parameter& p) {
    return std::any_of(lora.targets.begin(), lora.targets.end(), [&](const auto& target) { return is_named(target, config, p); });
  });
}

void init_adapters(ParameterStore& adapters, int64_t rank, uint64_t seed) {
  for (size_t index = 0; index < adapters.parameters().size(); ++index) {
    const Parameter& p = adapters.parameters()[index];
    float* w = adapters.master_of(p.name);
    std::fill_n(w, p.size, 0.0f);
    if (p.init == Parameter::Init::zeros) continue;
    const int64_t in = p.shape.back(), rows = p.shape[p.shape.size() - 2];
    const double bound = 1.0 / std::sqrt(static_cast<double>(in));
    for (int64_t i = 0; i < p.size; ++i) {
      if (i / in % rows >= rank) continue;  // the padding of an odd rank
      const auto position = static_cast<uint32_t>(i);
      const double unit = kernels::random_unit({.seed = seed, .purpose = kernels::Purpose::init, .group = index, .position = position});
      w[i] = static_cast<float>((2 * unit - 1) * bound);
    }
  }
}

}  // namespace model
