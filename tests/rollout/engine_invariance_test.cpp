// A sample depends on its request and the weights alone, bit for bit. Everything else is varied here.
#include <cstring>

#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "model/transformer.h"
#include "rollout/engine.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

using kernels::Dtype;
using rollout::Engine;
using rollout::EngineConfig;
using rollout::Request;
using rollout::SampleRecord;
using toy::Records;

namespace {

// Prompts that end before, at and after a page's border; one longer than any chunk.
std::vector<Request> requests() {
  std::vector<Request> all = {toy::request(1, 5, 1, 30),  toy::request(2, 16, 4, 40), toy::request(3, 17, 3, 25),
                              toy::request(4, 33, 2, 18), toy::request(5, 70, 5, 33), toy::request(6, 1, 3, 50)};
  all[1].sampling.temperature = 0.7;
  all[2].sampling.temperature = 0.0;
  all[3].sampling = {1.3, 20, 0.9, 0.01};
  all[4].stop_tokens = {3};
  return all;
}

Records run(Engine& engine, const std::shared_ptr<const model::WeightSet>& weights, const std::vector<Request>& all) {
  engine.publish(weights);
  for (const Request& r : all) engine.submit(r);
  return toy::collect(engine);
}

Records run_alone(const std::shared_ptr<const model::WeightSet>& weights) {
  Records records;
  for (const Request& group : requests())
    for (int64_t i = 0; i < group.samples; ++i) {
      Request one = group;
      one.samples = 1;
      one.first_sample = i;
      Engine engine(weights->config, weights->dtype, {}, nullptr);
      records.merge(run(engine, weights, {one}));
    }
  return records;
}

bool same_floats(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

void require_same(const Records& got, const Records& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (const auto& [key, record] : wanted) {
    INFO("request " << key.first << ", sample " << key.second);
    const SampleRecord& r = got.at(key);
    REQUIRE(r.tokens == record.tokens);
    REQUIRE(same_floats(r.logprobs, record.logprobs));
    REQUIRE(same_floats(r.kept_mass, record.kept_mass));
    REQUIRE(r.finish == record.finish);
  }
}

// The trainer's forward pass over the whole sample: log-probabilities of its tokens.
std::vector<float> score(const SampleRecord& r, const model::WeightSet& weights) {
  model::TokenBatch batch;
  batch.tokens = r.prompt_tokens;
  batch.tokens.insert(batch.tokens.end(), r.tokens.begin(), r.tokens.end() - 1);
  const int64_t rows = batch.rows(), prompt = static_cast<int64_t>(r.prompt_tokens.size());
  for (int64_t i = 0; i < rows; ++i) {
    batch.positions.push_back(static_cast<int32_t>(i));
    batch.key_rows.push_back(i);
    batch.groups.push_back(0);
    if (i < prompt - 1) continue;
    batch.head_rows.push_back(i);
    batch.targets.push_back(r.tokens[static_cast<size_t>(i - prompt + 1)]);
    batch.inverse_temperature.push_back(rollout::inverse_temperature(r.sampling));
  }
  batch.segments.push_back({0, rows, 0, 0, 0, {{0, 0, rows}}});
  const at::Tensor logprob = model::forward_train(weights, batch, {.keep_tape = false}).tokens.logprob;
  return {kernels::f32(logprob), kernels::f32(logprob) + logprob.numel()};
}

// Token by token without engine, cache or batch: the whole text again for each.
std::vector<int32_t> tokens_by_hand(const SampleRecord& r, const model::WeightSet& weights) {
  std::vector<int32_t> text = r.prompt_tokens;
  for (size_t n = 0; n < r.tokens.size(); ++n) {
    model::TokenBatch batch;
    batch.tokens = text;
    const int64_t rows = batch.rows();
    for (int64_t i = 0; i < rows; ++i) {
      batch.positions.push_back(static_cast<int32_t>(i));
      batch.key_rows.push_back(i);
      batch.groups.push_back(0);
    }
    batch.segments.push_back({0, rows, 0, 0, 0, {{0, 0, rows}}});
    batch.head_rows = {rows - 1};
    batch.targets = {-1};
    batch.inverse_temperature = {1.0f};
    model::KeyStorage storage = model::make_key_storage(weights.config, weights.dtype, rows);
    const at::Tensor logits = model::forward_logits(weights, batch, storage);
    const kernels::RandomKey key{r.seed, r.purpose, static_cast<uint64_t>(r.request_step), static_cast<uint64_t>(r.group_id),
                                 static_cast<uint32_t>(r.sample_index), static_cast<uint32_t>(rows)};
    const double unit = kernels::random_unit(key);
    text.push_back(kernels::sample_token(kernels::f32(logits), weights.config.vocab_size, r.sampling, unit).token);
  }
  return {text.begin() + static_cast<int64_t>(r.prompt_tokens.size()), text.end()};
}

struct Case {
  const char* name;
  model::ModelConfig config;
  Dtype dtype;
};

std::vector<Case> cases() {
  return {{"dense GQA, float32", toy::dense(), Dtype::float32},   {"dense GQA, bf16", toy::dense(), Dtype::bf16},
          {"GQA + MoE, float32", toy::gqa_moe(), Dtype::float32}, {"GQA + MoE, bf16", toy::gqa_moe(), Dtype::bf16},
          {"MLA + MoE, float32", toy::mla_moe(), Dtype::float32}, {"MLA + MoE, bf16", toy::mla_moe(), Dtype::bf16}};
}

int64_t cache_of(const Case& c, int64_t pages) {
  return pages * rollout::page_rows * model::key_storage_bytes_per_row(c.config, c.dtype);
}

// Prompts that share 0, 16, 40 and all of their tokens with one another.
std::vector<Request> alike_requests() {
  std::vector<Request> all;
  for (int64_t id = 1; id <= 7; ++id) {
    Request r = toy::request(id, 50 + id % 3, 1 + id % 3, 12);
    const int64_t common = id == 1 ? 0 : id == 2 ? 16 : id < 6 ? 40 : 50;
    for (int64_t i = 0; i < common; ++i) r.prompt_tokens[static_cast<size_t>(i)] = static_cast<int32_t>((5 * i + 1) % 50);
    r.sampling.temperature = id == 4 ? 0.0 : 0.9;
    all.push_back(r);
  }
  return all;
}

}  // namespace

TEST_CASE("the prefix cache changes no bit of a sample, and the trainer agrees with it", "[engine]") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto weights = toy::weights(c.config, c.dtype);
    EngineConfig off;
    off.prefix_cache = false;
    Engine plain(c.config, c.dtype, off, nullptr);
    const Records wanted = run(plain, weights, alike_requests());
    CHECK(plain.statistics().cached_tokens == 0);
    for (const auto& [key, record] : wanted) REQUIRE(same_floats(score(record, *weights), record.logprobs));
    for (const int64_t pages : {1000, 10}) {
      for (const int64_t chunk : {5, 16, 64}) {
        INFO("pages " << pages << ", chunk " << chunk);
        Engine engine(c.config, c.dtype, {chunk == 5 ? 12 : 4096, 512, cache_of(c, pages), chunk}, nullptr);
        require_same(run(engine, weights, alike_requests()), wanted);
        const int64_t cold = engine.statistics().cached_tokens;
        CHECK(cold > 0);
        require_same(run(engine, weights, alike_requests()), wanted);  // prompts that finished before
        // 7 prompts of 50 to 52 tokens: three full pages of each are there.
        if (pages == 1000) CHECK(engine.statistics().cached_tokens == cold + 7 * 48);
      }
    }
  }
}

TEST_CASE("a sample is the same alone and in any batch, chunk, budget, cache and thread count", "[engine]") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto weights = toy::weights(c.config, c.dtype);
    const Records alone = run_alone(weights);
    REQUIRE(alone.size() == 18);
    bool shared = false, chunked = false, preempted = false;
    for (const int64_t pages : {1000, 12}) {
      for (const int64_t chunk : {1, 7, 64}) {
        for (const int64_t sequences : {1, 3, 512}) {
          INFO("pages " << pages << ", chunk " << chunk << ", sequences " << sequences);
          EngineConfig config{chunk == 7 ? 20 : 4096, sequences, cache_of(c, pages), chunk};
          if (chunk == 7) config.logits_bytes = 2 * 50 * 4;  // the logits of two rows at a time
          Engine engine(c.config, c.dtype, config, nullptr);
          require_same(run(engine, weights, requests()), alone);
          const rollout::SourceStatistics s = engine.statistics();
          CHECK(s.shared_prefills == 12);  // 18 samples of 6 prompts
          // Prompts of 5, 16, 17, 33, 70 and 1 rows in chunks of 7: 1 + 3 + 3 + 5 + 10 + 1 = 23; of 64: 5 + 2 = 7.
          CHECK(s.prefill_chunks >= (chunk == 1 ? 142 : chunk == 7 ? 23 : 7));
          CHECK((s.largest_batch > 1) == (sequences > 1));
          if (pages == 1000) CHECK(s.prompt_tokens == 142);
          preempted |= s.preemptions > 0 && s.recomputed_tokens > 0;
          shared |= s.shared_prefills > 0;
          chunked |= s.prefill_chunks > 1;
          if (pages == 12 && sequences == 512) CHECK(s.preemptions > 0);
        }
      }
    }
    CHECK((shared && chunked && preempted));
  }
}

TEST_CASE("three threads give the bits of one", "[engine]") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto weights = toy::weights(c.config, c.dtype);
    Records records[2];
    for (const int64_t threads : {1, 3}) {
      kernels::set_threads(threads);
      Engine engine(c.config, c.dtype, {64, 512, cache_of(c, 14), 7}, nullptr);
      records[threads / 2] = run(engine, weights, requests());
    }
    kernels::set_threads(1);
    require_same(records[1], records[0]);
  }
}

TEST_CASE("the recorded log-probabilities are the trainer's, bit for bit", "[engine]") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto weights = toy::weights(c.config, c.dtype);
    Engine engine(c.config, c.dtype, {64, 512, cache_of(c, 14), 7}, nullptr);
    for (const auto& [key, record] : run(engine, weights, requests())) {
      INFO("request " << key.first << ", sample " << key.second);
      CHECK(same_floats(record.logprobs, score(record, *weights)));
    }
    // Other weights are noticed.
    const auto other = toy::weights(c.config, c.dtype, 2, 18);
    Engine second(c.config, c.dtype, {64, 512, cache_of(c, 14), 7}, nullptr);
    const Records records = run(second, weights, requests());
    CHECK_FALSE(same_floats(records.at({1, 0}).logprobs, score(records.at({1, 0}), *other)));
  }
}

TEST_CASE("the tokens are those that a plain loop over the whole text draws", "[engine]") {
  for (const Case& c : cases()) {
    INFO(c.name);
    const auto weights = toy::weights(c.config, c.dtype);
    Engine engine(c.config, c.dtype, {64, 512, cache_of(c, 14), 7}, nullptr);
    const Records records = run(engine, weights, requests());
    for (const auto& key : {std::make_pair(1, 0), std::make_pair(2, 3), std::make_pair(4, 1), std::make_pair(5, 2)}) {
      const SampleRecord& record = records.at(key);
      CHECK(record.tokens == tokens_by_hand(record, *weights));
    }
  }
}
