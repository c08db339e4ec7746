#include "rl/score_tokens.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "kernels/thread_pool.h"
#include "kernels/token_logprob.h"
#include "model/flops.h"
#include "model/transformer.h"
#include "rollout/sampler.h"

namespace rl {
namespace {

constexpr int64_t logits_bytes = int64_t{64} << 20;  // of one chunk of rows, when their likeliest tokens are asked for

using Top = std::vector<std::pair<int32_t, float>>;

// One segment a text. The last token is predicted, never read.
model::TokenBatch pack(const std::vector<const std::vector<int32_t>*>& texts, float inverse_temperature) {
  model::TokenBatch batch;
  for (size_t t = 0; t < texts.size(); ++t) {
    const auto& tokens = *texts[t];
    const auto length = static_cast<int64_t>(tokens.size()) - 1;
    if (length < 1) continue;
    kernels::AttentionSegment segment;
    segment.first_row = batch.rows(), segment.rows = length, segment.group = static_cast<int64_t>(t);
    segment.spans = {{batch.rows(), 0, length}};
    for (int64_t i = 0; i < length; ++i) {
      batch.head_rows.push_back(batch.rows());
      batch.key_rows.push_back(batch.rows());
      batch.tokens.push_back(tokens[static_cast<size_t>(i)]);
      batch.positions.push_back(static_cast<int32_t>(i));
      batch.groups.push_back(static_cast<int64_t>(t));
      batch.targets.push_back(tokens[static_cast<size_t>(i) + 1]);
      batch.inverse_temperature.push_back(inverse_temperature);
    }
    batch.segments.push_back(std::move(segment));
  }
  return batch;
}

// All layers write to the same rows: a layer's keys are read by that layer alone, and all of them are of this batch.
model::KeyStorage one_layer_of_keys(const model::ModelConfig& config, kernels::Dtype dtype, int64_t rows) {
  model::ModelConfig one = config;
  one.layers = 1;
  auto storage = model::make_key_storage(one, dtype, rows);
  storage.keys.resize(static_cast<size_t>(config.layers), storage.keys[0]);
  storage.values.resize(static_cast<size_t>(config.layers), storage.values[0]);
  return storage;
}

Top likeliest(const float* logits, int64_t vocab, int64_t top, float inverse_temperature, float log_z) {
  if (top == 1) {
    const float* most = std::max_element(logits, logits + vocab);  // the first of equals: the lowest id
    return {{static_cast<int32_t>(most - logits), *most * inverse_temperature - log_z}};
  }
  std::vector<int32_t> ids(static_cast<size_t>(vocab));
  std::iota(ids.begin(), ids.end(), 0);
  const auto count = std::min(top, vocab);
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(),
                    [&](int32_t a, int32_t b) { return logits[a] > logits[b] || (logits[a] == logits[b] && a < b); });
  Top found;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t id = ids[static_cast<size_t>(i)];
    found.emplace_back(id, logits[id] * inverse_temperature - log_z);
  }
  return found;
}

struct Rows {
  std::vector<float> logprobs;
  std::vector<Top> top;
};

Rows score_rows(const model::WeightSet& weights, const model::TokenBatch& batch, const ScoreTokensOptions& options) {
  const int64_t rows = batch.rows(), vocab = weights.config.vocab_size;
  auto storage = one_layer_of_keys(weights.config, weights.dtype, rows);
  const at::Tensor hidden = model::forward_hidden(weights, batch, storage);
  Rows out;
  if (options.top == 0) {
    const auto scored =
        kernels::linear_token_logprob(hidden, weights.head, vocab, batch.targets.data(), batch.inverse_temperature.data());
    out.logprobs.assign(kernels::f32(scored.logprob), kernels::f32(scored.logprob) + rows);
    return out;
  }
  out.top.resize(static_cast<size_t>(rows));
  const int64_t at_once = std::max<int64_t>(1, logits_bytes / (weights.head.out() * 4));
  for (int64_t first = 0; first < rows; first += at_once) {
    const int64_t count = std::min(at_once, rows - first);
    const at::Tensor logits = kernels::linear(hidden.narrow(0, first, count), weights.head);
    const auto scored =
        kernels::token_logprob(logits, vocab, batch.targets.data() + first, batch.inverse_temperature.data() + first);
    const float *z = kernels::f32(logits), *log_z = kernels::f32(scored.log_z), *logprob = kernels::f32(scored.logprob);
    out.logprobs.insert(out.logprobs.end(), logprob, logprob + count);
    kernels::parallel_for(count, [&](int64_t i) {
      out.top[static_cast<size_t>(first + i)] =
          likeliest(z + i * logits.size(1), vocab, options.top, batch.inverse_temperature[static_cast<size_t>(first + i)], log_z[i]);
    });
  }
  return out;
}

}  // namespace

std::vector<ScoredText> score_tokens(const model::WeightSet& weights, const std::vector<const std::vector<int32_t>*>& texts,
                                     const ScoreTokensOptions& options, double* flops) {
  std::vector<ScoredText> scored(texts.size());
  const auto batch = pack(texts, rollout::inverse_temperature({.temperature = options.temperature}));
  if (batch.rows() == 0) return scored;
  if (flops != nullptr) *flops += model::FlopCounter(weights.config).forward(batch).total();
  Rows rows = score_rows(weights, batch, options);
  for (const auto& segment : batch.segments) {
    ScoredText& text = scored[static_cast<size_t>(segment.group)];
    const auto first = segment.first_row, end = segment.first_row + segment.rows;
    text.logprobs.assign(rows.logprobs.begin() + first, rows.logprobs.begin() + end);
    if (options.top > 0) text.top.assign(std::make_move_iterator(rows.top.begin() + first), std::make_move_iterator(rows.top.begin() + end));
  }
  return scored;
}

int64_t score_tokens_bytes_per_row(const model::ModelConfig& config, kernels::Dtype dtype) {
  return model::block_bytes_per_row(config, dtype) + (config.key_width() + config.value_width()) * kernels::bytes_of(dtype) +
         config.width * (8 + kernels::bytes_of(dtype));
}

}  // namespace rl
