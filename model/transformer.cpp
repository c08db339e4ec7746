#include "model/transformer.h"

#include <map>

#include "kernels/error.h"
#include "kernels/rms_norm.h"
#include "kernels/router_balance.h"
#include "model/block.h"

namespace model {

namespace {

// Which keys the rows of a batch see: with the model's window, and without it where layers differ.
class LayerPlans {
 public:
  LayerPlans(const ModelConfig& c, const std::vector<kernels::AttentionSegment>& segments) {
    for (int64_t layer = 0; layer < c.layers; ++layer) {
      const int64_t window = c.window_of(layer);
      if (plans_.count(window) == 0) plans_.emplace(window, kernels::AttentionPlan(segments, window));
      of_layer_.push_back(&plans_.at(window));
    }
  }
  LayerPlans(const LayerPlans&) = delete;
  LayerPlans& operator=(const LayerPlans&) = delete;

  const kernels::AttentionPlan& operator[](int64_t layer) const { return *of_layer_[static_cast<size_t>(layer)]; }

 private:
  std::map<int64_t, kernels::AttentionPlan> plans_;  // by window
  std::vector<const kernels::AttentionPlan*> of_layer_;
};

}  // namespace

struct Tape {
  Tape(const ModelConfig& config, TokenBatch b, const ForwardOptions& o)
      : batch(std::move(b)), plans(config, batch.segments), options(o) {}

  TokenBatch batch;
  LayerPlans plans;
  ForwardOptions options;
  std::vector<BlockTape> blocks;
  at::Tensor head_h;  // float32 [S, D]: residual stream of the head rows
  kernels::RmsNormOutput head_norm;
};

namespace {

using kernels::Dtype;

KeyLayer make_key_layer(const ModelConfig& c, Dtype dtype, int64_t rows) {
  if (c.attention == Attention::mla) return {kernels::make_key_tiles(dtype, rows, 1, c.latent_rank + c.rope_size), {}};
  return {kernels::make_key_tiles(dtype, rows, c.key_heads, c.head_size), kernels::make_key_tiles(dtype, rows, c.key_heads, c.head_size)};
}

void check_batch(const WeightSet& weights, const TokenBatch& batch) {
  const size_t n = batch.tokens.size();
  if (batch.positions.size() != n || batch.key_rows.size() != n || batch.groups.size() != n)
    kernels::fail("transformer: a batch of {} tokens has {} positions, {} key rows and {} groups.", n, batch.positions.size(),
                  batch.key_rows.size(), batch.groups.size());
  if (batch.targets.size() != batch.head_rows.size() || batch.inverse_temperature.size() != batch.head_rows.size())
    kernels::fail("transformer: {} head rows have {} targets and {} temperatures.", batch.head_rows.size(), batch.targets.size(),
                  batch.inverse_temperature.size());
  if (!batch.kept.empty() && batch.kept.rows() != batch.head_count())
    kernels::fail("transformer: {} head rows have {} lists of kept ids.", batch.head_rows.size(), batch.kept.rows());
  for (int64_t row : batch.head_rows)
    if (row >= batch.rows()) kernels::fail("transformer: head row {} is outside the batch of {} rows.", row, n);
  for (int32_t p : batch.positions)
    if (p < 0 || p >= weights.config.max_positions)
      kernels::fail("transformer: position {} is outside the model's {} positions; shorten the prompt or the completion.", p,
                    weights.config.max_positions);
}

void block_forward(const WeightSet& weights, int64_t layer, const TokenBatch& batch, const kernels::AttentionPlan& plan,
                   const std::vector<int64_t>& groups, at::Tensor& h, const KeyLayer& storage, bool keep, BlockTape& tape) {
  tape.h_in = h;
  tape.h_mid = attention_forward(weights, layer, batch, plan, h, storage, tape.attention);
  h = feed_forward_forward(weights, layer, groups, tape.h_mid, keep, tape.feed_forward);
}

at::Tensor forward_blocks(const WeightSet& weights, const TokenBatch& batch, KeyStorage& storage, std::vector<at::Tensor>* routes) {
  check_batch(weights, batch);
  // Groups only pad expert rows for the backward pass; without one, all rows are one group.
  const std::vector<int64_t> one_group(batch.tokens.size(), 0);
  const LayerPlans plans(weights.config, batch.segments);
  at::Tensor h = kernels::embedding(weights.embedding, batch.tokens.data(), batch.rows());
  for (int64_t i = 0; i < weights.config.layers; ++i) {
    BlockTape unused;
    const KeyLayer layer{storage.keys[i], storage.values[i]};
    block_forward(weights, i, batch, plans[i], one_group, h, layer, false, unused);
    if (routes != nullptr) routes->push_back(unused.feed_forward.routes.experts);
  }
  return h;
}

std::vector<int64_t> count_loads(const kernels::Routes& routes, const std::vector<int64_t>& groups, int64_t experts) {
  std::vector<int64_t> loads(static_cast<size_t>(experts), 0);
  const int32_t* chosen = kernels::i32(routes.experts);
  const int64_t active = routes.experts.size(1);
  for (size_t n = 0; n < groups.size(); ++n)
    if (groups[n] >= 0)
      for (int64_t k = 0; k < active; ++k) ++loads[chosen[static_cast<int64_t>(n) * active + k]];
  return loads;
}

const kernels::KeptIds* kept_of(const TokenBatch& batch) { return batch.kept.empty() ? nullptr : &batch.kept; }

void backward_embedding(const WeightSet& weights, const TokenBatch& batch, const at::Tensor& dh, ParameterStore& store) {
  const ModelConfig& c = weights.config;
  std::vector<int64_t> rows(batch.tokens.begin(), batch.tokens.end());
  for (size_t n = 0; n < rows.size(); ++n)
    if (batch.groups[n] < 0) rows[n] = -1;
  if (c.tied_embedding) return store.tied_embedding_gradient.add(dh, rows);
  kernels::scatter_add_rows(dh, rows.data(), store.gradient_vector("model.embed_tokens.weight").view({c.vocab_size, c.width}));
}

}  // namespace

KeyStorage make_key_storage(const ModelConfig& config, Dtype dtype, int64_t rows) {
  KeyStorage storage;
  for (int64_t i = 0; i < config.layers; ++i) {
    KeyLayer layer = make_key_layer(config, dtype, rows);
    storage.keys.push_back(layer.keys);
    storage.values.push_back(layer.values);
  }
  return storage;
}

int64_t key_storage_bytes_per_row(const ModelConfig& config, Dtype dtype) {
  return config.layers * (config.key_width() + config.value_width()) * kernels::bytes_of(dtype);
}

at::Tensor forward_hidden(const WeightSet& weights, const TokenBatch& batch, KeyStorage& storage, std::vector<at::Tensor>* routes) {
  const at::Tensor h = forward_blocks(weights, batch, storage, routes);
  const at::Tensor rows = kernels::gather_rows(h, batch.head_rows.data(), batch.head_count());
  return kernels::rms_norm(rows, weights.final_norm, weights.config.norm_eps, weights.dtype).y;
}

at::Tensor forward_logits(const WeightSet& weights, const TokenBatch& batch, KeyStorage& storage) {
  return kernels::linear(forward_hidden(weights, batch, storage), weights.head);
}

HeadOutput forward_train(const WeightSet& weights, TokenBatch tokens, const ForwardOptions& options) {
  check_batch(weights, tokens);
  const ModelConfig& c = weights.config;
  HeadOutput out;
  auto tape = std::make_shared<Tape>(c, std::move(tokens), options);
  const TokenBatch& batch = tape->batch;
  at::Tensor h = kernels::embedding(weights.embedding, batch.tokens.data(), batch.rows());
  for (int64_t i = 0; i < c.layers; ++i) {
    BlockTape block;
    if (options.routes != nullptr) block.feed_forward.choices = options.routes->at(static_cast<size_t>(i));
    block_forward(weights, i, batch, tape->plans[i], batch.groups, h, make_key_layer(c, weights.dtype, batch.rows()),
                  options.keep_tape && i >= options.recomputed_blocks, block);
    out.expert_loads.push_back(c.is_moe(i) ? count_loads(block.feed_forward.routes, batch.groups, c.router.experts) : std::vector<int64_t>{});
    if (options.keep_routes) out.routes.push_back(block.feed_forward.routes.experts);
    if (options.balance_weight != 0 && c.is_moe(i))
      kernels::add_balance_loss(block.feed_forward.routes, batch.groups, c.router, out.balance);
    if (!options.keep_tape) continue;
    if (i < options.recomputed_blocks) {
      tape->blocks.emplace_back();
      tape->blocks.back().h_in = block.h_in;
    } else {
      tape->blocks.push_back(std::move(block));
    }
  }
  tape->head_h = kernels::gather_rows(h, batch.head_rows.data(), batch.head_count());
  tape->head_norm = kernels::rms_norm(tape->head_h, weights.final_norm, c.norm_eps, weights.dtype);
  out.tokens = kernels::linear_token_logprob(tape->head_norm.y, weights.head, c.vocab_size, batch.targets.data(),
                                             batch.inverse_temperature.data(), kept_of(batch));
  if (options.keep_tape) out.tape = std::move(tape);
  return out;
}

void backward(const WeightSet& weights, HeadOutput& output, const at::Tensor& dlogprob, const at::Tensor& dentropy, ParameterStore& store) {
  if (!output.tape) kernels::fail("backward: the forward pass kept no tape, or it was used already.");
  const std::shared_ptr<Tape> tape = std::move(output.tape);
  const TokenBatch& batch = tape->batch;
  const ModelConfig& c = weights.config;

  const at::Tensor dx = kernels::linear_token_logprob_backward(
      dlogprob, dentropy, tape->head_norm.y, weights.head, c.vocab_size, batch.targets.data(), batch.inverse_temperature.data(),
      output.tokens, store.gradient_view(c.tied_embedding ? "model.embed_tokens.weight" : "lm_head.weight"), kept_of(batch));
  const at::Tensor drows = kernels::rms_norm_backward(dx, tape->head_h, weights.final_norm, tape->head_norm.inverse,
                                                      store.gradient_vector("model.norm.weight"));
  at::Tensor dh = kernels::zeros_f32({batch.rows(), c.width});
  kernels::scatter_add_rows(drows, batch.head_rows.data(), dh);

  for (int64_t i = c.layers - 1; i >= 0; --i) {
    BlockTape& block = tape->blocks[i];
    if (i < tape->options.recomputed_blocks) {
      at::Tensor h = block.h_in;
      if (tape->options.routes != nullptr) block.feed_forward.choices = tape->options.routes->at(static_cast<size_t>(i));
      block_forward(weights, i, batch, tape->plans[i], batch.groups, h, make_key_layer(c, weights.dtype, batch.rows()), true,
                    block);
    }
    block.feed_forward.balance_weight = tape->options.balance_weight;
    kernels::add_in_place(dh, feed_forward_backward(weights, i, dh, block.h_mid, block.feed_forward, store));
    kernels::add_in_place(dh, attention_backward(weights, i, batch, tape->plans[i], dh, block.h_in, block.attention, store));
    block = BlockTape();  // its memory serves the next block
  }
  backward_embedding(weights, batch, dh, store);
}

namespace {

// What the tape of one block keeps of a row: see AttentionTape and FeedForwardTape. s: bytes of the compute dtype.
int64_t attention_tape_bytes(const ModelConfig& c, int64_t s) {
  const int64_t shared = c.width * s + (c.key_width() + c.value_width()) * s + 4 * c.heads;  // norm, keys and values, log sums
  if (c.attention == Attention::gqa)
    return shared + c.heads * c.head_size * (4 + s) + (c.norms_query_and_key() ? (c.heads + c.key_heads) * c.head_size * 4 : 0) +
           (c.clip_qkv > 0 ? (c.heads + 2 * c.key_heads) * c.head_size * 4 : 0);
  return shared + c.query_rank * (4 + s) + c.latent_rank * 4 + c.heads * (c.latent_rank + c.rope_size) * 4 +
         c.heads * (c.nope_size + c.latent_rank + c.value_size) * s;
}

int64_t feed_forward_tape_bytes(const ModelConfig& c, int64_t s, int64_t layer) {
  const auto dense = [&](int64_t width) { return width * (8 + s); };  // gate, up, hidden
  if (!c.is_moe(layer)) return c.width * s + dense(c.dense_width);
  return c.width * (s + (s == 2 ? 4 : 0)) + c.router.experts * 8 + dense(c.shared_experts * c.expert_width) +
         c.router.active * (dense(c.expert_width) + c.width * (4 + s));
}

}  // namespace

int64_t activation_bytes_per_row(const ModelConfig& c, Dtype dtype, int64_t recomputed_blocks) {
  const int64_t s = kernels::bytes_of(dtype);
  int64_t kept = recomputed_blocks * c.width * 4, largest = 0;
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    const int64_t block = 2 * c.width * 4 + attention_tape_bytes(c, s) + feed_forward_tape_bytes(c, s, layer);
    largest = std::max(largest, block);
    if (layer >= recomputed_blocks) kept += block;
  }
  // Backward runs from the last block down and frees each: a block that runs again takes the place of one that was kept.
  if (recomputed_blocks >= c.layers) kept += largest;
  // Gradients of one block exist beside its tape: about as much again. The head: hidden state and its gradient.
  return kept + largest + 4 * c.width * 4;
}

int64_t block_bytes_per_row(const ModelConfig& c, Dtype dtype) {
  return activation_bytes_per_row(c, dtype, c.layers) - (c.layers + 4) * c.width * 4;
}

int64_t head_chunk_bytes(const ModelConfig& c, Dtype dtype, int64_t rows) {
  return kernels::token_logprob_chunk_bytes(dtype, c.vocab_size, rows);
}

}  // namespace model
