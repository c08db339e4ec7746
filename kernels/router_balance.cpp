#include "kernels/router_balance.h"

#include <algorithm>

#include "kernels/check.h"

namespace kernels {
namespace {

size_t at(int64_t i) { return static_cast<size_t>(i); }

double sum_of(const float* scores, int64_t experts) {
  double sum = 1e-20;  // as in the router: scores of 0 divide
  for (int64_t e = 0; e < experts; ++e) sum += scores[e];
  return sum;
}

// f and P of one group of rows.
struct GroupLoads {
  int64_t group = -1;
  double rows = 0;
  std::vector<double> frequency, mean_score;

  double loss() const {
    double sum = 0;
    for (size_t e = 0; e < frequency.size(); ++e) sum += frequency[e] * mean_score[e];
    return sum;
  }
};

// One entry a group, in the order of the rows.
std::vector<GroupLoads> loads_of(const Routes& routes, const std::vector<int64_t>& row_groups, const RouterConfig& c) {
  require_shape("balance", "routes.scores", routes.scores, {static_cast<int64_t>(row_groups.size()), c.experts});
  const float* scores = f32(routes.scores);
  const int32_t* chosen = i32(routes.experts);
  std::vector<GroupLoads> all;
  for (size_t n = 0; n < row_groups.size(); ++n) {
    if (row_groups[n] < 0) continue;
    if (all.empty() || all.back().group != row_groups[n])
      all.push_back({row_groups[n], 0, std::vector<double>(at(c.experts), 0.0), std::vector<double>(at(c.experts), 0.0)});
    GroupLoads& g = all.back();
    const float* s = scores + static_cast<int64_t>(n) * c.experts;
    const double sum = sum_of(s, c.experts);
    g.rows += 1;
    for (int64_t k = 0; k < c.active; ++k) g.frequency[at(chosen[static_cast<int64_t>(n) * c.active + k])] += 1;
    for (int64_t e = 0; e < c.experts; ++e) g.mean_score[at(e)] += s[e] / sum;
  }
  for (GroupLoads& g : all)
    for (int64_t e = 0; e < c.experts; ++e) {
      g.frequency[at(e)] *= static_cast<double>(c.experts) / (static_cast<double>(c.active) * g.rows);
      g.mean_score[at(e)] /= g.rows;
    }
  return all;
}

}  // namespace

void add_balance_loss(const Routes& routes, const std::vector<int64_t>& row_groups, const RouterConfig& config,
                      std::vector<double>& sums) {
  for (const GroupLoads& g : loads_of(routes, row_groups, config)) {
    if (sums.size() <= at(g.group)) sums.resize(at(g.group) + 1, 0.0);
    sums[at(g.group)] += g.loss();
  }
}

// With p_e = s_e / S: dp_e = weight f_e / T, ds_e = (dp_e - sum_j dp_j p_j) / S. Softmax scores have S = 1 and their own slope
// s_e (ds_e - sum_j ds_j s_j); sigmoid's is ds_e s_e (1 - s_e).
void add_balance_gradient(const Routes& routes, const std::vector<int64_t>& row_groups, const RouterConfig& config, double weight,
                          at::Tensor& dlogits) {
  require_shape("balance", "dlogits", dlogits, {static_cast<int64_t>(row_groups.size()), config.experts});
  const auto loads = loads_of(routes, row_groups, config);
  const bool softmax = config.scoring == RouterConfig::Scoring::softmax;
  std::vector<double> ds(at(config.experts));
  auto group = loads.begin();
  for (size_t n = 0; n < row_groups.size(); ++n) {
    if (row_groups[n] < 0) continue;
    while (group->group != row_groups[n]) ++group;
    const float* s = f32(routes.scores) + static_cast<int64_t>(n) * config.experts;
    float* to = f32(dlogits) + static_cast<int64_t>(n) * config.experts;
    const double sum = sum_of(s, config.experts), factor = weight / group->rows;
    double mean = 0, dot = 0;
    for (int64_t e = 0; e < config.experts; ++e) mean += group->frequency[at(e)] * s[e] / sum;
    for (int64_t e = 0; e < config.experts; ++e) {
      ds[at(e)] = factor * (group->frequency[at(e)] - mean) / sum;
      dot += ds[at(e)] * s[e];
    }
    for (int64_t e = 0; e < config.experts; ++e)
      to[e] += static_cast<float>(softmax ? s[e] * (ds[at(e)] - dot) : ds[at(e)] * s[e] * (1.0 - s[e]));
  }
}

void replay_choices(Routes& routes, const at::Tensor& choices, const RouterConfig& config) {
  const int64_t rows = routes.experts.size(0), active = config.active;
  require_shape("replay", "choices", choices, {rows, active});
  const int32_t* given = i32(choices);
  for (int64_t n = 0; n < rows; ++n, given += active) {
    if (given[0] < 0) continue;
    const float* s = f32(routes.scores) + n * config.experts;
    float* weights = f32(routes.weights) + n * active;
    float sum = 0.0f;
    for (int64_t i = 0; i < active; ++i) sum += s[given[i]];
    sum = config.normalize ? sum + 1e-20f : 1.0f;  // in the router's order, so that its own choices give its own weights
    for (int64_t i = 0; i < active; ++i) weights[i] = s[given[i]] / sum * static_cast<float>(config.scale);
    std::copy_n(given, active, i32(routes.experts) + n * active);
  }
}

}  // namespace kernels
