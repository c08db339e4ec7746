// What a forward pass costs in floating-point operations, counted from its batch.
//
//   rows x 2 x body             a product with a matrix of n entries is n multiplications and n additions a row; `body` are the active
//                               parameters (parameter_counts.h) without embedding and head: a look-up is no product
// + head rows x 2 x vocab x width
// + 2 x heads x (key size + value size) x keys seen, summed over layers and rows: scores, and the sum of values
//
// A row at position p sees p + 1 keys, with a window at most that many. Sizes are those of a whole head: MLA is counted as if
// its latent were expanded, whichever way it is computed. Norms, rotations, softmax, activations and the router's choice are left
// out. A backward pass costs twice its forward pass (the gradients of inputs and of weights), and a block that is run again its
// own forward pass once more: Kaplan et al., arXiv:2001.08361, section 2.1, and Narayanan et al., arXiv:2104.04473, section 5.1.
#pragma once

#include "model/config.h"
#include "model/token_batch.h"

namespace model {

struct Flops {
  double body = 0, attention = 0, head = 0;
  double total() const { return body + attention + head; }
};

// Counts a model's sizes once; then each batch costs a few additions a segment.
class FlopCounter {
 public:
  // `frozen`: the model's own weights get no gradient (LoRA), so its products cost a backward pass as much as a forward pass. The
  // adapter's small products are left out.
  explicit FlopCounter(const ModelConfig& config, bool frozen = false);

  Flops forward(const TokenBatch& batch) const;
  // Forward and backward, with the first `recomputed_blocks` blocks run again.
  double training(const TokenBatch& batch, int64_t recomputed_blocks) const;

 private:
  double body_ = 0, head_ = 0, attention_ = 0;  // of a row; of a head row; of a row and a key in one layer
  double backward_products_ = 2;              // passes' worth
  int64_t layers_ = 0, windowed_layers_ = 0, window_ = 0;
};

}  // namespace model
