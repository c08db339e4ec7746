// Problems made from random numbers: one function a kind. A problem follows from its key alone.
#pragma once

#include "kernels/rng.h"
#include "rl/dataset.h"

namespace rl {

// The last digits of a sum. Question "3+9+1+7+4=", answer "4". The completion shows the running sum with probability
// data.worked_share ("<think>3+9=2;2+1=3;3+7=0;0+4=4</think><answer>4</answer>"), and is bare otherwise
// ("<think></think><answer>4</answer>"). With data.digits = d, numbers and sums are taken modulo 10^d.
Problem arithmetic_problem(const DataConfig& config, const kernels::RandomKey& key);

// Numbers that make a target with + - * /, each used exactly once; solvable, because the target is worked out from an
// expression. Every intermediate value is a positive integer. Answer "numbers=3,5,7,25 target=42"; the completion holds
// the expression it was made from.
Problem countdown_problem(const DataConfig& config, const kernels::RandomKey& key);

// The generator of "generator:NAME"; nullptr for any other text. Throws UsageError for an unknown NAME.
using Generator = Problem (*)(const DataConfig&, const kernels::RandomKey&);
Generator find_generator(const std::string& source);

// Uniform draws below a bound, one after the other, from one key.
class Draws {
 public:
  explicit Draws(const kernels::RandomKey& key) : key_(key) {}
  int64_t below(int64_t bound) {
    const uint64_t drawn = kernels::random_below(key_, static_cast<uint64_t>(bound));
    ++key_.position;
    return static_cast<int64_t>(drawn);
  }
  double unit() {
    const double drawn = kernels::random_unit(key_);
    ++key_.position;
    return drawn;
  }

 private:
  kernels::RandomKey key_;
};

}  // namespace rl
