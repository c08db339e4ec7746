// What RL adds to the router: a balance loss, and choices taken as given.
//
// The sequence-wise balance loss pushes the router toward even loads within each group of rows. Source: DeepSeek-V3
// report, arXiv:2412.19437, Eqs. 17 to 20, for one sequence of T rows, E experts, k of them active:
//   loss = weight * sum_e f_e P_e,  f_e = E / (k T) * rows that chose e,  P_e = 1/T sum_t s_te / sum_j s_tj
// Even loads and scores give `weight`. f is a constant for the gradient. A sequence is a group of rows here: a prompt with
// its completions.
#pragma once

#include <vector>

#include "kernels/router.h"

namespace kernels {

// The loss of each group at weight 1, added to `sums` (one entry a group id; it grows as needed). `row_groups` as in
// sort_by_expert. Float64.
void add_balance_loss(const Routes& routes, const std::vector<int64_t>& row_groups, const RouterConfig& config,
                      std::vector<double>& sums);

// Adds the gradient of weight * the sum over groups to dlogits, float32 [N, E].
void add_balance_gradient(const Routes& routes, const std::vector<int64_t>& row_groups, const RouterConfig& config, double weight,
                          at::Tensor& dlogits);

// Routing replay (arXiv:2510.11370): `choices`, int32 [N, k] ascending in each row, take the place of the routes' experts,
// with the weights that these scores give them. A row that begins with -1 keeps its own.
void replay_choices(Routes& routes, const at::Tensor& choices, const RouterConfig& config);

}  // namespace kernels
