// The parts of ops_bench. Each fills its tables; see the notes that they print.
#pragma once

#include "tests/bench/bench.h"

namespace bench {

struct Ops {
  Peaks peaks;
  Report& report;
  bool quick = false;
  int samples = 15;
};

void products(Ops& ops);   // bf16 forward at the rows that peers are measured at: single products, then a whole model's
void linear(Ops& ops);     // forward, dX and dW in both dtypes
void attention(Ops& ops);  // decode, prefill, backward
void sampling(Ops& ops);
void loss(Ops& ops);  // linear + token_logprob, forward and backward
void optimizer(Ops& ops);

// Share of the bf16 peak that a product at 64 rows reaches: the best rate by the best peak of five tries.
double best_share_at_64_rows();

}  // namespace bench
