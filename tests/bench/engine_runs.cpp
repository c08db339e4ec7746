#include "tests/bench/engine_runs.h"

#include <fmt/core.h>

#include <algorithm>

#include "kernels/rng.h"
#include "model/files/checkpoint_folder.h"
#include "model/transformer.h"
#include "tests/support/one_text.h"

namespace bench {
namespace {

rollout::EngineConfig engine_config(int64_t cache_bytes) {
  rollout::EngineConfig config;
  config.cache_bytes = cache_bytes;
  return config;
}

int32_t random_token(int64_t group, int64_t position, int64_t vocab) {
  const kernels::RandomKey key{.seed = 1,
                               .purpose = kernels::Purpose::data,
                               .group = static_cast<uint64_t>(group),
                               .position = static_cast<uint32_t>(position)};
  return static_cast<int32_t>(kernels::random_below(key, static_cast<uint64_t>(vocab)));
}

}  // namespace

Runner::Runner(std::shared_ptr<const model::WeightSet> weights, int64_t cache_bytes)
    : weights_(std::move(weights)), engine_(weights_->config, weights_->dtype, engine_config(cache_bytes), nullptr) {
  engine_.publish(weights_);
}

std::vector<rollout::SampleRecord> Runner::records(const Load& load, int64_t new_tokens) {
  for (int64_t p = 0; p < load.prompts; ++p) {
    rollout::Request r;
    r.id = r.group_id = next_id_++;
    r.samples = load.samples;
    r.max_new_tokens = new_tokens;
    for (int64_t i = 0; i < load.prompt_tokens; ++i)
      r.prompt_tokens.push_back(random_token(r.id, i, weights_->config.vocab_size));
    engine_.submit(std::move(r));
  }
  std::vector<rollout::SampleRecord> records;
  while (auto record = engine_.next(std::chrono::steady_clock::now() + std::chrono::hours(1)))
    records.push_back(std::move(*record));
  return records;
}

double Runner::seconds(const Load& load, int64_t new_tokens) {
  const double start = now();
  const auto made = records(load, new_tokens);
  const double seconds = now() - start;
  for (const auto& record : made)
    if (static_cast<int64_t>(record.tokens.size()) != new_tokens) wrong("a sample ended early");
  if (static_cast<int64_t>(made.size()) != load.prompts * load.samples) wrong("a sample is missing");
  return seconds;
}

double Runner::decode_seconds(const Load& load) {
  seconds(load, 1);  // the cache's memory is touched
  const rollout::SourceStatistics before = statistics();
  seconds(load, load.new_tokens + 1);
  const rollout::SourceStatistics after = statistics();
  return (after.seconds - before.seconds) - (after.prefill_seconds - before.prefill_seconds);
}

std::shared_ptr<const model::WeightSet> read_weight_set(const std::string& folder, kernels::Dtype dtype) {
  model::ParameterStore store(model::read_config(folder), false);
  model::read_weights(folder, store);
  return model::pack_weights(store, dtype, 1);
}

std::shared_ptr<const model::WeightSet> born_weights(const model::ModelConfig& config, kernels::Dtype dtype) {
  model::ParameterStore store(config, false);
  store.init_random(17, 0.05);
  return model::pack_weights(store, dtype, 1);
}

model::ModelConfig small_model(int64_t layers, int64_t width, int64_t vocab) {
  model::ModelConfig c;
  c.vocab_size = vocab;
  c.layers = c.first_dense_layers = layers;
  c.width = width;
  c.head_size = 32;
  c.heads = width / 32;
  c.key_heads = c.heads / 4;
  c.dense_width = width * 8 / 3 / 64 * 64;
  c.max_positions = 4096;
  c.tied_embedding = true;
  model::check(c);
  return c;
}

double parameters_of(const model::WeightSet& weights) {
  return double(weights.bytes()) / double(kernels::bytes_of(weights.dtype));
}

double roofline_seconds(const model::WeightSet& weights, const Peaks& peaks, int64_t sequences, double context) {
  const double bytes = double(weights.bytes()), operations = 2 * parameters_of(weights) * double(sequences);
  const double cached = double(sequences) * context * double(model::key_storage_bytes_per_row(weights.config, weights.dtype));
  const double peak = peaks.of(weights.dtype == kernels::Dtype::bf16);
  return std::max(bytes / peaks.dram, operations / peak) * 1e-9 + cached / peaks.dram * 1e-9;
}

void check_engine(const std::shared_ptr<const model::WeightSet>& weights) {
  Runner runner(weights, int64_t{64} << 20);
  const auto record = runner.records({.prompts = 1, .samples = 1, .prompt_tokens = 40, .new_tokens = 24}, 24).at(0);
  std::vector<int32_t> text = record.prompt_tokens;
  text.insert(text.end(), record.tokens.begin(), record.tokens.end());
  const auto scored = model::forward_train(*weights, testing::one_text(text), {.keep_tape = false});
  for (size_t i = 0; i < record.tokens.size(); ++i) {
    const float trainer = kernels::f32(scored.tokens.logprob)[record.prompt_tokens.size() - 1 + i];
    if (trainer != record.logprobs[i])
      wrong(fmt::format("token {}: the sampler's log-probability is {}, the trainer's {}", i, record.logprobs[i], trainer));
  }
}

}  // namespace bench
