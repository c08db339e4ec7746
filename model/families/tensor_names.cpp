#include "model/families/tensor_names.h"

#include "kernels/error.h"
#include "model/families/family.h"

namespace model {

namespace {

const std::string kBlock = ".mlp.", kExperts = ".mlp.experts.", kEnd = ".weight";

const TensorNaming& naming_of(const ModelConfig& c) {
  const Family* family = find_family(c.family);
  if (!family) kernels::fail("no family is called {}.", c.family);
  return family->naming;
}

// The part of an expert: gate_proj, up_proj or down_proj.
std::string part_of(const Parameter& p) {
  const size_t begin = p.name.find(kExperts) + kExperts.size();
  return p.name.substr(begin, p.name.size() - kEnd.size() - begin);
}

}  // namespace

bool is_experts(const Parameter& p) { return p.shape.size() == 3 && p.name.find(kExperts) != std::string::npos; }

std::vector<std::string> file_names(const ModelConfig& c, const Parameter& p) {
  const TensorNaming& naming = naming_of(c);
  if (!is_experts(p)) {
    const size_t at = p.name.find(".mlp.gate.");
    if (at == std::string::npos) return {p.name};
    return {p.name.substr(0, at) + "." + naming.block + p.name.substr(at + kBlock.size() - 1)};
  }
  const auto part = part_of(p);
  const char* name = part == "gate_proj" ? naming.gate : part == "up_proj" ? naming.up : naming.down;
  const auto layer = p.name.substr(0, p.name.find(kExperts));
  std::vector<std::string> names;
  for (int64_t e = 0; e < p.shape[0]; ++e)
    names.push_back(fmt::format("{}.{}.experts.{}.{}.weight", layer, naming.block, e, name));
  return names;
}

std::string newer_file_name(const ModelConfig& c, const Parameter& p) {
  if (!is_experts(p)) return file_names(c, p)[0] == p.name ? "" : p.name;
  const auto prefix = p.name.substr(0, p.name.find(kExperts)) + kExperts;
  return prefix + (part_of(p) == "down_proj" ? "down_proj" : "gate_up_proj");
}

}  // namespace model
