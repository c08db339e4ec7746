#include "rl/rollout_routes.h"

#include <algorithm>

#include "kernels/error.h"

namespace rl {
namespace {

std::vector<int64_t> moe_layers(const model::ModelConfig& config) {
  std::vector<int64_t> layers;
  for (int64_t layer = 0; layer < config.layers; ++layer)
    if (config.is_moe(layer)) layers.push_back(layer);
  return layers;
}

void check_count(const TrainGroup& g, const char* what, size_t tokens, size_t routes, int64_t width) {
  if (routes != tokens * static_cast<size_t>(width))
    kernels::fail("moe.replay = \"rollout\": group {} has {} recorded experts for the {} tokens of {}, but its model takes {} a token. "
                  "The samples were made without routes, or by another model.", g.group_id, routes, tokens, what, width);
}

// Where each row of the group finds its [moe layer][active]; null for padding.
std::vector<const int16_t*> recorded_rows(const TrainGroup& g, int64_t width) {
  std::vector<const int16_t*> rows;
  const auto pad = [&] {
    if (rows.size() % 2) rows.push_back(nullptr);
  };
  check_count(g, "its prompt", g.prompt.size(), g.prompt_routes.size(), width);
  for (size_t p = 0; p < g.prompt.size(); ++p) rows.push_back(g.prompt_routes.data() + static_cast<int64_t>(p) * width);
  pad();
  for (const TrainSequence& s : g.sequences) {
    check_count(g, "a completion", s.tokens.size(), s.routes.size(), width);
    for (size_t t = 0; t + 1 < s.tokens.size(); ++t) rows.push_back(s.routes.data() + static_cast<int64_t>(t + 1) * width);
    pad();
  }
  return rows;
}

at::Tensor layer_of(const std::vector<const int16_t*>& rows, int64_t place, const kernels::RouterConfig& router) {
  const at::Tensor routes = kernels::empty_i32({static_cast<int64_t>(rows.size()), router.active});
  int32_t* to = kernels::i32(routes);
  for (const int16_t* row : rows)
    for (int64_t k = 0; k < router.active; ++k) {
      const int32_t expert = row ? row[place + k] : static_cast<int32_t>(k);
      if (expert < 0 || expert >= router.experts)
        kernels::fail("moe.replay = \"rollout\": a recorded expert is {}, but the model has {}.", expert, router.experts);
      *to++ = expert;
    }
  return routes;
}

}  // namespace

void replay_rollout_routes(std::vector<TrainGroup>& groups, const model::ModelConfig& config) {
  const auto layers = moe_layers(config);
  if (layers.empty()) return;
  const int64_t active = config.router.active;
  for (TrainGroup& g : groups) {
    const auto rows = recorded_rows(g, static_cast<int64_t>(layers.size()) * active);
    g.routes.assign(static_cast<size_t>(config.layers), at::Tensor());
    for (size_t i = 0; i < layers.size(); ++i)
      g.routes[static_cast<size_t>(layers[i])] = layer_of(rows, static_cast<int64_t>(i) * active, config.router);
  }
}

}  // namespace rl
