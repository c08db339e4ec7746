// What the model sees: rows, not padded rectangles. Decoding, chunked prefill, packed training batches and group trees
// are all this.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention.h"
#include "kernels/kept_ids.h"

namespace model {

struct TokenBatch {
  // One entry a row, [N].
  std::vector<int32_t> tokens;
  std::vector<int32_t> positions;
  std::vector<int64_t> key_rows;  // where the row's key and value are written in the key storage
  std::vector<int64_t> groups;    // ascending group index, or -1 for a padding row (an even count per segment is wanted for training)
  std::vector<kernels::AttentionSegment> segments;

  // Rows whose next token is asked for. head_rows[s] is a row of the batch (-1: padding); targets[s] its next token, or
  // -1; each with the inverse temperature of its log-probability.
  std::vector<int64_t> head_rows;
  std::vector<int32_t> targets;
  std::vector<float> inverse_temperature;
  kernels::KeptIds kept;  // one row a head row: the ids that its log-probability and entropy are over; empty: all ids

  int64_t rows() const { return static_cast<int64_t>(tokens.size()); }
  int64_t head_count() const { return static_cast<int64_t>(head_rows.size()); }
};

}  // namespace model
