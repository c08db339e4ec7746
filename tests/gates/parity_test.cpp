// The log-probability that the sampler recorded is the one that the trainer computes: equal bits, for every token.
//
// The engine samples under random conditions. Then a fresh model, made from the seed again, scores the token ids as the
// trainer does: whole groups packed as trees. PONDER_LONG=1: more conditions.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <numeric>
#include <set>

#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "model/transformer.h"
#include "rl/batch.h"
#include "rl/rollout_routes.h"
#include "rollout/engine.h"
#include "rollout/sampler.h"
#include "tests/gates/gate_models.h"
#include "tests/support/catch.h"
#include "tests/support/every_isa.h"

using kernels::Dtype;
using rollout::SampleRecord;

namespace {

constexpr uint64_t kWeightsSeed = 17;

// Small whole numbers, the same for the same seed.
class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}
  int64_t between(int64_t low, int64_t high) {
    const uint32_t word = kernels::random_words({.seed = seed_, .purpose = kernels::Purpose::data, .position = next_++})[0];
    return low + static_cast<int64_t>(word % static_cast<uint32_t>(high - low + 1));
  }

 private:
  uint64_t seed_;
  uint32_t next_ = 0;
};

// What a sample must not depend on, and what is asked for.
struct Mix {
  rollout::EngineConfig engine;
  int64_t threads = 1;
  kernels::SamplingParameters sampling;
  std::vector<rollout::Request> requests;
};

rollout::Request make_request(int64_t id, const Mix& mix, Dice& dice) {
  rollout::Request r;
  r.id = r.prompt_id = id;
  r.group_id = 100 + id;
  r.step = 3;
  r.seed = 5;
  // The first prompt ends with a page; the second is longer than a chunk and shared.
  const int64_t prompt = id == 0 ? 16 : id == 1 ? 45 : dice.between(1, 50);
  for (int64_t i = 0; i < prompt; ++i) r.prompt_tokens.push_back(static_cast<int32_t>(dice.between(0, 49)));
  r.samples = id < 2 ? 5 : dice.between(1, 5);
  r.max_new_tokens = id == 2 ? 1 : dice.between(12, 40);
  r.sampling = mix.sampling;
  if (id % 2 == 0) r.stop_tokens = {3};
  return r;
}

Mix make_mix(const model::ModelConfig& config, Dtype dtype, uint64_t seed) {
  Dice dice(seed);
  const int64_t page = model::key_storage_bytes_per_row(config, dtype) * rollout::page_rows;
  const double temperatures[] = {1.0, 0.7, 1.3};
  Mix mix;
  mix.sampling.temperature = temperatures[seed % 3];
  if (seed % 3 == 1) mix.sampling.top_k = 20;
  mix.engine.max_tokens_per_batch = dice.between(8, 90);
  mix.engine.max_sequences = seed % 4 == 3 ? 1 : dice.between(5, 30);
  mix.engine.prefill_chunk = dice.between(3, 20);
  mix.engine.logits_bytes = 200 * dice.between(1, 9);
  mix.threads = dice.between(1, 3);
  for (int64_t id = 0; id < 5; ++id) mix.requests.push_back(make_request(id, mix, dice));
  // As few pages as the longest sample takes, or up to four more.
  int64_t pages = 0;
  for (const auto& r : mix.requests)
    pages = std::max(pages, rollout::pages_for(static_cast<int64_t>(r.prompt_tokens.size()) + r.max_new_tokens - 1));
  mix.engine.cache_bytes = page * (seed % 2 ? pages + dice.between(1, 4) : pages);
  return mix;
}

struct Sampled {
  std::map<std::pair<int64_t, int64_t>, SampleRecord> records;  // by group and sample
  rollout::SourceStatistics statistics;
};

Sampled sample(const std::shared_ptr<const model::WeightSet>& weights, const Mix& mix) {
  kernels::set_threads(mix.threads);
  rollout::Engine engine(weights->config, weights->dtype, mix.engine, nullptr);
  engine.publish(weights);
  for (const auto& r : mix.requests) engine.submit(r);
  Sampled out;
  while (auto record = engine.next(std::chrono::steady_clock::now() + std::chrono::hours(1))) {
    const auto key = std::make_pair(record->group_id, record->sample_index);
    out.records[key] = std::move(*record);
  }
  out.statistics = engine.statistics();
  return out;
}

std::vector<rl::TrainGroup> groups_of(const Sampled& sampled) {
  std::vector<rl::TrainGroup> groups;
  for (const auto& [key, record] : sampled.records) {
    if (groups.empty() || groups.back().group_id != record.group_id) {
      groups.emplace_back();
      groups.back().group_id = record.group_id;
      groups.back().prompt = record.prompt_tokens;
      groups.back().prompt_routes = record.prompt_routes;
    }
    rl::TrainSequence s;
    s.tokens = record.tokens;
    s.logprobs = record.logprobs;
    s.kept = record.kept;
    s.routes = record.routes;
    s.trained.assign(s.tokens.size(), 1);
    groups.back().sequences.push_back(std::move(s));
  }
  return groups;
}

struct Agreement {
  int64_t tokens = 0, different_bits = 0, ratios_not_one = 0, not_finite = 0;
};

// The trainer's side of micro-batches of at most `max_tokens` rows.
Agreement compare(const model::WeightSet& weights, const std::vector<rl::TrainGroup>& groups, const Mix& mix,
    int64_t max_tokens) {
  Agreement found;
  for (const auto& [first, end] : rl::split_micro_batches(groups, max_tokens)) {
    const auto batch = rl::pack(groups, first, end, rollout::inverse_temperature(mix.sampling));
    const auto output = model::forward_train(weights, batch.tokens, {.keep_tape = false});
    const float *sampler = kernels::f32(batch.sampler_logprobs), *trainer = kernels::f32(output.tokens.logprob);
    const float *entropy = kernels::f32(output.tokens.entropy), *log_z = kernels::f32(output.tokens.log_z);
    for (size_t s = 0; s < batch.tokens.head_rows.size(); ++s) {
      if (batch.tokens.head_rows[s] < 0) continue;
      found.tokens += 1;
      found.different_bits += std::memcmp(&sampler[s], &trainer[s], sizeof(float)) != 0;
      found.ratios_not_one += std::exp(static_cast<double>(trainer[s]) - static_cast<double>(sampler[s])) != 1.0;
      found.not_finite += !std::isfinite(trainer[s]) || !std::isfinite(entropy[s]) || !std::isfinite(log_z[s]);
    }
  }
  return found;
}

int64_t token_count(const Sampled& sampled) {
  int64_t count = 0;
  for (const auto& [key, record] : sampled.records) count += static_cast<int64_t>(record.tokens.size());
  return count;
}

template <typename Check>
void for_each_model(Check check) {
  const testing::KernelSettings saved;
  for (const auto& [name, config] : gate::models())
    for (const Dtype dtype : {Dtype::bf16, Dtype::float32}) {
      INFO(name << " in " << kernels::name_of(dtype));
      check(config, dtype);
    }
}

// Moves one element by one unit in the last place of the compute dtype. (Norms and routers stay float32 in a bf16 model
// too, but what they multiply is rounded to bf16 right after.)
void nudge(float& x, Dtype dtype) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits += dtype == Dtype::bf16 ? 0x10000u : 1u;
  std::memcpy(&x, &bits, sizeof bits);
}

// The places of the `count` elements of largest magnitude.
std::vector<int64_t> largest(const float* x, int64_t size, int64_t count) {
  std::vector<int64_t> places(static_cast<size_t>(size));
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) { return std::abs(x[a]) > std::abs(x[b]); });
  places.resize(static_cast<size_t>(std::min(size, count)));
  return places;
}

}  // namespace

TEST_CASE("the trainer's log-probabilities are the sampler's, bit for bit, however the samples were made", "[gate][parity]") {
  const int64_t mixes = std::getenv("PONDER_LONG") ? 12 : 4;
  for_each_model([&](const model::ModelConfig& config, Dtype dtype) {
    rollout::SourceStatistics all;
    std::set<int64_t> batches;
    for (uint64_t seed = 1; seed <= static_cast<uint64_t>(mixes); ++seed) {
      const Mix mix = make_mix(config, dtype, seed);
      const Sampled sampled = sample(gate::fresh_weights(config, dtype, kWeightsSeed), mix);
      const auto groups = groups_of(sampled);
      const auto fresh = gate::fresh_weights(config, dtype, kWeightsSeed);
      for (const int64_t max_tokens : {int64_t{1} << 30, int64_t{150}, int64_t{1}}) {
        kernels::set_threads(1 + static_cast<int64_t>(seed) % 3);
        INFO("mix " << seed << ", temperature " << mix.sampling.temperature << ", micro-batches of at most " << max_tokens
            << " rows");
        const Agreement found = compare(*fresh, groups, mix, max_tokens);
        REQUIRE(found.tokens == token_count(sampled));
        REQUIRE(found.different_bits == 0);
        REQUIRE(found.ratios_not_one == 0);
        REQUIRE(found.not_finite == 0);
      }
      const auto& s = sampled.statistics;
      all.preemptions += s.preemptions;
      all.recomputed_tokens += s.recomputed_tokens;
      all.shared_prefills += s.shared_prefills;
      all.prefill_chunks += s.prefill_chunks;
      batches.insert(s.largest_batch);
    }
    // What the engine was meant to go through did happen.
    INFO(all.preemptions << " preemptions, " << all.recomputed_tokens << " rows computed again");
    REQUIRE(all.preemptions >= mixes);
    REQUIRE(all.recomputed_tokens >= 8 * mixes);
    REQUIRE(all.shared_prefills >= 8 * mixes);     // two groups of five in each mix
    REQUIRE(all.prefill_chunks >= 5 * 2 * mixes);  // five prompts, and each mix's 45 tokens take three chunks or more
    REQUIRE(*batches.begin() == 1);
    REQUIRE(batches.size() >= 3);
  });
}

TEST_CASE("with keep_mask both sides renormalise over the kept ids, bit for bit", "[gate][parity]") {
  const kernels::SamplingParameters cuts[] = {{.top_p = 0.9}, {.top_k = 20}, {.min_p = 0.05}, {.top_k = 50, .top_p = 0.9, .min_p = 0.05}};
  for_each_model([&](const model::ModelConfig& config, Dtype dtype) {
    uint64_t seed = 0;
    for (const auto& cut : cuts) {
      Mix mix = make_mix(config, dtype, ++seed);
      const double temperature = mix.sampling.temperature;
      mix.sampling = cut;
      mix.sampling.temperature = temperature, mix.sampling.renormalise = true;
      for (auto& r : mix.requests) r.sampling = mix.sampling;
      const Sampled sampled = sample(gate::fresh_weights(config, dtype, kWeightsSeed), mix);
      auto groups = groups_of(sampled);
      int64_t cut_short = 0;
      for (const auto& [key, record] : sampled.records) {
        REQUIRE(record.kept.rows() == static_cast<int64_t>(record.tokens.size()));
        for (const int64_t count : record.kept.counts()) cut_short += count < config.vocab_size;
      }
      REQUIRE(cut_short > token_count(sampled) / 4);
      const auto fresh = gate::fresh_weights(config, dtype, kWeightsSeed);
      INFO("top_p " << cut.top_p << ", top_k " << cut.top_k << ", min_p " << cut.min_p);
      for (const int64_t max_tokens : {int64_t{1} << 30, int64_t{1}}) {
        const Agreement found = compare(*fresh, groups, mix, max_tokens);
        REQUIRE(found.tokens == token_count(sampled));
        REQUIRE(found.different_bits == 0);
        REQUIRE(found.not_finite == 0);
      }
      for (auto& g : groups)
        for (auto& s : g.sequences) s.kept = {};
      REQUIRE(compare(*fresh, groups, mix, int64_t{1} << 30).different_bits > token_count(sampled) / 4);
    }
  });
}

// Prompts that begin alike, some asked for again when they are cached, few pages and small chunks: the rows' routes come from other
// requests, from several passes and from before a preemption.
TEST_CASE("the experts that the sampler recorded are those that the trainer chooses, for every row", "[gate][parity]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype) {
    if (config.router.experts == 0) return;
    rollout::SourceStatistics all;
    for (const uint64_t seed : {uint64_t{1}, uint64_t{2}, uint64_t{4}}) {
      Mix mix = make_mix(config, dtype, seed);
      mix.engine.record_routes = true;
      mix.engine.cache_bytes += mix.engine.cache_bytes / 2;  // the routes lie there too
      for (auto& r : mix.requests)
        std::copy_n(mix.requests[1].prompt_tokens.begin(), std::min<size_t>(r.prompt_tokens.size(), 32), r.prompt_tokens.begin());
      for (int64_t id = 0; id < 5; ++id) {
        mix.requests.push_back(mix.requests[static_cast<size_t>(id)]);
        mix.requests.back().id = 10 + id, mix.requests.back().group_id = 200 + id;
      }
      const auto weights = gate::fresh_weights(config, dtype, kWeightsSeed);
      const Sampled sampled = sample(weights, mix);
      auto groups = groups_of(sampled);
      rl::replay_rollout_routes(groups, config);
      INFO("mix " << seed);
      for (size_t g = 0; g < groups.size(); ++g) {
        const auto batch = rl::pack(groups, g, g + 1, rollout::inverse_temperature(mix.sampling));
        const auto live = model::forward_train(*weights, batch.tokens, {.keep_tape = false, .keep_routes = true}).routes;
        REQUIRE(live.size() == groups[g].routes.size());
        for (size_t layer = 0; layer < live.size(); ++layer) {
          REQUIRE(live[layer].defined() == groups[g].routes[layer].defined());
          if (!live[layer].defined()) continue;
          int64_t different = 0;
          for (int64_t row = 0; row < batch.tokens.rows(); ++row)
            for (int64_t k = 0; k < config.router.active && batch.tokens.groups[static_cast<size_t>(row)] >= 0; ++k)
              different += kernels::i32(live[layer])[row * config.router.active + k] != kernels::i32(batch.routes[layer])[row * config.router.active + k];
          INFO("group " << groups[g].group_id << ", layer " << layer);
          REQUIRE(different == 0);
        }
      }
      all.preemptions += sampled.statistics.preemptions;
      all.cached_tokens += sampled.statistics.cached_tokens;
      all.prefill_chunks += sampled.statistics.prefill_chunks;
    }
    REQUIRE(all.preemptions > 0);
    REQUIRE(all.cached_tokens > 0);
    REQUIRE(all.prefill_chunks > 3 * 10);
  });
}

// One ulp of one element can drown in the rounding of what follows, so each parameter has eight tries, one at a time.
TEST_CASE("a weight that differs by one ulp is noticed, whichever parameter it is in", "[gate][parity]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype) {
    const Mix mix = make_mix(config, dtype, 2);
    const Sampled sampled = sample(gate::fresh_weights(config, dtype, kWeightsSeed), mix);
    const auto groups = groups_of(sampled);
    model::ParameterStore store(config, false);
    gate::fill(store, kWeightsSeed);
    for (const model::Parameter& p : store.parameters()) {
      if (!p.trained) continue;  // the correction bias only chooses
      INFO(p.name);
      float* x = store.master_of(p.name);
      Agreement found;
      for (const int64_t i : largest(x, p.size, 8)) {
        const float before = x[i];
        nudge(x[i], dtype);
        found = compare(*model::pack_weights(store, dtype, 1), groups, mix, int64_t{1} << 30);
        x[i] = before;
        if (found.different_bits > 0) break;
      }
      REQUIRE(found.not_finite == 0);
      REQUIRE(found.different_bits > 0);
    }
  });
}

TEST_CASE("plain, avx2 and avx512 sample the same tokens with the same log-probabilities", "[gate][parity][isa]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype) {
    const Mix mix = make_mix(config, dtype, 4);
    use_cpu_kernels("plain");
    const Sampled expected = sample(gate::fresh_weights(config, dtype, kWeightsSeed), mix);
    REQUIRE(token_count(expected) > 100);
    for (const char* isa : {"avx2", "avx512"}) {
      if (!cpu_kernels_named(isa)) {
        std::printf("parity gate: skipped %s, which this processor lacks\n", isa);
        continue;
      }
      INFO(isa);
      use_cpu_kernels(isa);
      const Sampled got = sample(gate::fresh_weights(config, dtype, kWeightsSeed), mix);
      REQUIRE(got.records.size() == expected.records.size());
      for (const auto& [key, record] : expected.records) {
        const SampleRecord& other = got.records.at(key);
        REQUIRE(other.tokens == record.tokens);
        REQUIRE(std::memcmp(other.logprobs.data(), record.logprobs.data(), record.logprobs.size() * sizeof(float)) == 0);
        REQUIRE(other.kept_mass == record.kept_mass);
        REQUIRE((other.kept.sizes == record.kept.sizes && other.kept.words == record.kept.words));
      }
      // The trainer on this instruction set agrees with the sampler on the plain one.
      const Agreement found = compare(*gate::fresh_weights(config, dtype, kWeightsSeed), groups_of(expected), mix, 1000000);
      REQUIRE(found.different_bits == 0);
    }
  });
}
