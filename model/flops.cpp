#include "model/flops.h"

#include <algorithm>

#include "model/parameter_counts.h"

namespace model {
namespace {

// Keys that `rows` rows from `first` on see: each one more than the row before, up to the window (0: none).
double keys_seen(int64_t first, int64_t rows, int64_t window) {
  const int64_t growing = window == 0 ? rows : std::clamp<int64_t>(window - first, 0, rows);
  const double sum = static_cast<double>(growing) * static_cast<double>(2 * first + growing + 1) / 2;
  return sum + static_cast<double>(rows - growing) * static_cast<double>(window);
}

}  // namespace

FlopCounter::FlopCounter(const ModelConfig& config, bool frozen)
    : backward_products_(frozen ? 1 : 2), layers_(config.layers), window_(config.window) {
  const ParameterCounts counts = count_parameters(config);
  const bool mla = config.attention == Attention::mla;
  const int64_t key = mla ? config.nope_size + config.rope_size : config.head_size, value = mla ? config.value_size : config.head_size;
  body_ = 2.0 * static_cast<double>(counts.active - counts.embedding);
  head_ = 2.0 * static_cast<double>(config.vocab_size) * static_cast<double>(config.width);
  attention_ = 2.0 * static_cast<double>(config.heads * (key + value));
  for (int64_t layer = 0; layer < config.layers; ++layer) windowed_layers_ += config.window_of(layer) > 0;
}

Flops FlopCounter::forward(const TokenBatch& batch) const {
  double all = 0, near = 0;
  for (const auto& s : batch.segments) {
    all += keys_seen(s.first_position, s.rows, 0);
    if (windowed_layers_ > 0) near += keys_seen(s.first_position, s.rows, window_);
  }
  Flops flops;
  flops.body = body_ * static_cast<double>(batch.rows());
  flops.attention = attention_ * (static_cast<double>(layers_ - windowed_layers_) * all + static_cast<double>(windowed_layers_) * near);
  flops.head = head_ * static_cast<double>(batch.head_count());
  return flops;
}

double FlopCounter::training(const TokenBatch& batch, int64_t recomputed_blocks) const {
  const Flops once = forward(batch);
  return once.total() + backward_products_ * (once.body + once.head) + 2 * once.attention +
         (once.body + once.attention) * static_cast<double>(recomputed_blocks) / static_cast<double>(layers_);
}

}  // namespace model
