#include "model/parameter_counts.h"

#include "model/parameter_store.h"

namespace model {

ParameterCounts count_parameters(const ModelConfig& config) {
  ParameterCounts counts;
  for (const Parameter& p : list_parameters(config)) {
    counts.total += p.size;
    if (p.shape.size() == 3) counts.experts += p.size;  // [experts, out, in]: only stacks of experts have three sizes
    if (p.name == "model.embed_tokens.weight" || p.name == "lm_head.weight") counts.embedding += p.size;
  }
  counts.active = counts.total;
  if (counts.experts > 0) counts.active -= counts.experts / config.router.experts * (config.router.experts - config.router.active);
  return counts;
}

}  // namespace model
