// Experts on disk: "PREFIX.mlp.experts.gate_proj.weight" of the store is one tensor an expert,
// PREFIX.mlp.experts.{e}.gate_proj.weight.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>

#include "model/parameter_store.h"

namespace model {

struct ExpertName {
  std::string prefix, part;  // "PREFIX.mlp.experts.", "gate_proj"
  std::string of(int64_t expert) const { return fmt::format("{}{}.{}.weight", prefix, expert, part); }
};

// Nothing for a parameter that is no stack of experts.
inline std::optional<ExpertName> expert_name(const Parameter& p) {
  const std::string middle = ".mlp.experts.", end = ".weight";
  const size_t at = p.name.find(middle);
  if (at == std::string::npos || p.shape.size() != 3 || !p.name.ends_with(end)) return {};
  const size_t begin = at + middle.size();
  return ExpertName{p.name.substr(0, begin), p.name.substr(begin, p.name.size() - end.size() - begin)};
}

}  // namespace model
