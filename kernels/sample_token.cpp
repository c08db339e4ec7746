// A token's weight is e^((logit - largest) / temperature), so the largest weighs exactly 1. Chunks of 256 logits are
// summed on 16 lanes, chunk sums and single tokens in float64.
#include "kernels/sample_token.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kChunk = 256;

struct Candidate {
  float logit = 0.0f, weight = 0.0f;
  int32_t id = 0;
};

bool before(const Candidate& a, const Candidate& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; }

struct Logits {
  const float* values;
  int64_t vocab;
  float inverse_temperature = 1.0f;
  std::vector<float> chunk_largest = {};
  float largest = 0.0f;

  int64_t chunks() const { return (vocab + kChunk - 1) / kChunk; }
  int64_t length(int64_t chunk) const { return std::min(kChunk, vocab - chunk * kChunk); }

  void find_largest() {
    largest = -INFINITY;
    for (int64_t c = 0; c < chunks(); ++c) {
      const float most = cpu_kernels().largest_logit(values + c * kChunk, length(c));
      if (std::isnan(most))
        fail("sample_token: a logit in [{}, {}) is NaN or infinite; the model diverged.", c * kChunk, c * kChunk + length(c));
      chunk_largest.push_back(most);
      largest = std::max(largest, most);
    }
    if (largest == -INFINITY) fail("sample_token: all {} logits are -inf; no token is left.", vocab);
  }

  int32_t first_largest() const {
    int64_t i = 0;
    while (chunk_largest[static_cast<size_t>(i / kChunk)] != largest) i += kChunk;
    while (values[i] != largest) ++i;
    return static_cast<int32_t>(i);
  }

  // Candidates whose logit is at least `floor`, in ascending id.
  std::vector<Candidate> at_least(float floor) const {
    std::vector<Candidate> kept;
    float weights[kChunk];
    for (int64_t c = 0; c < chunks(); ++c) {
      if (chunk_largest[static_cast<size_t>(c)] < floor) continue;
      const float* x = values + c * kChunk;
      cpu_kernels().weights_of_logits(x, weights, length(c), largest, inverse_temperature);
      for (int64_t i = 0; i < length(c); ++i)
        if (x[i] >= floor) kept.push_back({x[i], weights[i], static_cast<int32_t>(c * kChunk + i)});
    }
    return kept;
  }

  std::vector<double> chunk_sums() const {
    std::vector<double> sums(chunk_largest.size());
    for (int64_t c = 0; c < chunks(); ++c)
      sums[static_cast<size_t>(c)] = cpu_kernels().sum_of_weights(values + c * kChunk, length(c), largest, inverse_temperature);
    return sums;
  }
};

double sum(const std::vector<double>& values) {
  double total = 0.0;
  for (const double v : values) total += v;
  return total;
}

double mass(const std::vector<Candidate>& candidates) {
  double total = 0.0;
  for (const auto& c : candidates) total += c.weight;
  return total;
}

// The first index whose running sum passes `target`, else the last with a weight: `target` may equal the sum after
// rounding, and a chunk's own sum may differ from this one in its last bits.
template <typename Weight>
int64_t pick(int64_t count, double target, Weight weight) {
  int64_t last = 0;
  double running = 0.0;
  for (int64_t i = 0; i < count; ++i) {
    const double w = weight(i);
    if (!(w > 0.0)) continue;
    running += w;
    last = i;
    if (running > target) break;
  }
  return last;
}

int32_t draw(const Logits& logits, double unit) {
  const auto sums = logits.chunk_sums();
  const double target = unit * sum(sums);
  const int64_t c = pick(logits.chunks(), target, [&](int64_t i) { return sums[static_cast<size_t>(i)]; });
  double skipped = 0.0;
  for (int64_t i = 0; i < c; ++i) skipped += sums[static_cast<size_t>(i)];
  float weights[kChunk];
  const int64_t first = c * kChunk, length = logits.length(c);
  cpu_kernels().weights_of_logits(logits.values + first, weights, length, logits.largest, logits.inverse_temperature);
  return static_cast<int32_t>(first + pick(length, target - skipped, [&](int64_t i) { return weights[i]; }));
}

// Borders: the last, in order of size, of those that a cut keeps. They take a copy, so that `kept` stays in order of id.
Candidate border_of_count(std::vector<Candidate> all, int64_t k) {
  const auto last = all.begin() + (std::min<int64_t>(k, static_cast<int64_t>(all.size())) - 1);
  std::nth_element(all.begin(), last, all.end(), before);
  return *last;
}

// The fewest whose mass reaches `wanted`: all before `first` do not, all before `last` do. Halving them takes linear time.
Candidate border_of_mass(std::vector<Candidate> all, double wanted) {
  auto first = all.begin(), last = all.end();
  double below = 0.0;
  while (last - first > 1) {
    const auto middle = first + (last - first) / 2;
    std::nth_element(first, middle, last, before);
    double with = below;
    for (auto c = first; c != middle; ++c) with += c->weight;
    if (with >= wanted) last = middle;
    else first = middle, below = with;
  }
  return *first;
}

void keep_up_to(std::vector<Candidate>& kept, const Candidate& border) {
  std::erase_if(kept, [&](const Candidate& c) { return before(border, c); });
}

// At least k logits reach the k-th largest chunk maximum, so all others can be left out at once.
std::vector<Candidate> k_largest(const Logits& logits, int64_t k) {
  float floor = -INFINITY;
  if (k <= logits.chunks()) {
    auto maxima = logits.chunk_largest;
    std::nth_element(maxima.begin(), maxima.begin() + (k - 1), maxima.end(), std::greater<float>());
    floor = maxima[static_cast<size_t>(k - 1)];
  }
  auto kept = logits.at_least(floor);
  keep_up_to(kept, border_of_count(kept, k));
  return kept;
}

// Looks only as deep as the wanted mass lies: weights above e^-4, e^-8, e^-16, then all.
std::vector<Candidate> nucleus(const Logits& logits, double wanted) {
  std::vector<Candidate> kept;
  for (const float depth : {4.0f, 8.0f, 16.0f, INFINITY}) {
    kept = logits.at_least(logits.largest - depth / logits.inverse_temperature);
    if (mass(kept) >= wanted) break;
  }
  keep_up_to(kept, border_of_mass(kept, wanted));
  return kept;
}

// The largest weighs 1, so a weight is also the ratio to it. The floor lies a little below, for rounding.
std::vector<Candidate> at_least_share(const Logits& logits, double min_p) {
  const auto depth = static_cast<float>(std::log(std::min(min_p, 1.0)) - 1e-3);
  return logits.at_least(logits.largest + depth / logits.inverse_temperature);
}

// In order of id.
std::vector<Candidate> truncate(const Logits& logits, const SamplingParameters& p, double total) {
  std::vector<Candidate> kept;
  if (p.top_k > 0 && p.top_k < logits.vocab) {
    kept = k_largest(logits, p.top_k);
    if (p.top_p < 1.0) keep_up_to(kept, border_of_mass(kept, p.top_p * mass(kept)));
  } else if (p.top_p < 1.0) {
    kept = nucleus(logits, p.top_p * total);
  } else {
    kept = p.min_p > 0.0 ? at_least_share(logits, p.min_p) : logits.at_least(-INFINITY);
  }
  if (p.min_p > 0.0) std::erase_if(kept, [&](const Candidate& c) { return c.weight < p.min_p && c.weight < 1.0f; });
  return kept;
}

}  // namespace

SampledToken sample_token(const float* logits, int64_t vocab, const SamplingParameters& parameters, double unit,
                          std::vector<int32_t>* kept_ids) {
  if (vocab < 1) fail("sample_token: the vocabulary has {} tokens.", vocab);
  const FlushDenormals flush;
  if (kept_ids) kept_ids->clear();
  Logits row{.values = logits, .vocab = vocab};
  row.find_largest();
  if (parameters.temperature <= 0.0) return {row.first_largest(), 1.0f};
  // Finite, so that 0 times it is 0: the largest logits then stay at weight 1 at any temperature.
  row.inverse_temperature = static_cast<float>(std::min(1.0 / parameters.temperature, 1e30));
  if (!parameters.truncates()) return {draw(row, unit), 1.0f};

  const double total = sum(row.chunk_sums());
  const auto kept = truncate(row, parameters, total);
  const double kept_mass = mass(kept);
  if (kept_ids)
    for (const Candidate& c : kept) kept_ids->push_back(c.id);
  const auto weight = [&](int64_t i) { return kept[static_cast<size_t>(i)].weight; };
  const int64_t i = pick(static_cast<int64_t>(kept.size()), unit * kept_mass, weight);
  return {kept[static_cast<size_t>(i)].id, static_cast<float>(std::min(1.0, kept_mass / total))};
}

}  // namespace kernels
