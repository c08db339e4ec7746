// How well a policy predicts held-back rows.
#pragma once

#include <vector>

#include "model/weight_set.h"
#include "rl/report/summary.h"
#include "rl/sft/sequence.h"

namespace rl {

// loss: sum of -log pi over all learnt tokens / their number, in nats; token_accuracy: the share of them that are the likeliest token
// at their place. Rows are packed into batches of at most `max_rows` rows, or one row; that changes no bit. `flops` grows by what the
// passes cost.
HeldOutLoss held_out_loss(const model::WeightSet& weights, const std::vector<SftSequence>& rows, int64_t max_rows, double& flops);

}  // namespace rl
