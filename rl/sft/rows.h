// The rows of an SFT stage: which ones are trained on, and how many steps they make.
#pragma once

#include <cstdint>
#include <memory>

#include "rl/sft/sequence.h"

namespace rl {

struct SftRows {
  std::unique_ptr<Dataset> data;  // without rows that are held back or left out
  int64_t left_out = 0;           // of a file: too long, or without a token to learn
  int64_t blank = 0;              // of a file: their completion is empty
};

// Tokenises every row of a file once, to see which ones fit. Throws as SftTokenizer::sequence does.
SftRows open_sft_rows(const StageConfig& stage, uint64_t seed, const SftTokenizer& tokenizer);

// stage.steps; with epochs as many steps as all rows, gone through so often, fill: the last step takes what is left. Epochs follow
// each other without a gap, so a step may hold rows of two.
int64_t sft_steps(const StageConfig& stage, int64_t rows);

// Rows [first, end) of the stage's sequence that a step takes.
struct RowRange {
  int64_t first = 0, end = 0;
};
RowRange rows_of_step(const StageConfig& stage, int64_t step, int64_t rows);

}  // namespace rl
