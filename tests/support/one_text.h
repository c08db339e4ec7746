// One text as a token batch: a single segment whose head rows predict tokens 1, 2, ...
#pragma once

#include <vector>

#include "model/token_batch.h"

namespace testing {

inline model::TokenBatch one_text(const std::vector<int32_t>& ids) {
  model::TokenBatch batch;
  const auto n = static_cast<int64_t>(ids.size());
  for (int64_t i = 0; i < n; ++i) {
    batch.tokens.push_back(ids[i]);
    batch.positions.push_back(static_cast<int32_t>(i));
    batch.key_rows.push_back(i);
    batch.groups.push_back(0);
    if (i + 1 == n) continue;
    batch.head_rows.push_back(i);
    batch.targets.push_back(ids[i + 1]);
    batch.inverse_temperature.push_back(1.0f);
  }
  kernels::AttentionSegment segment;
  segment.rows = n;
  segment.spans = {{0, 0, n}};
  batch.segments = {segment};
  return batch;
}

}  // namespace testing
