#include "kernels/router.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr float kTiny = 1e-20f;  // DeepSeek-V3's, so that scores of 0 divide
constexpr int64_t kRowGrain = 64;

int64_t row_grain(int64_t width) { return 16384 / std::max<int64_t>(1, width) + 1; }
size_t at(int64_t i) { return static_cast<size_t>(i); }

void require_config(const RouterConfig& c) {
  if (c.experts < 1 || c.active < 1 || c.active > c.experts)
    fail("route: {} of {} experts cannot be chosen; active must be in [1, experts].", c.active, c.experts);
  if (c.groups < 1 || c.experts % c.groups != 0) fail("route: {} experts do not form {} equal groups.", c.experts, c.groups);
  if (c.groups_kept < 1 || c.groups_kept > c.groups || c.groups_kept * (c.experts / c.groups) < c.active)
    fail("route: {} of {} groups of {} experts do not hold {} active ones.", c.groups_kept, c.groups, c.experts / c.groups,
         c.active);
}

// The choice of one row at a time, with scratch that lives for a range of rows.
class Chooser {
 public:
  Chooser(const RouterConfig& config, const float* bias)
      : config_(config), bias_(bias), biased_(at(config.experts)), open_(at(config.experts)), group_score_(at(config.groups)),
        group_open_(at(config.groups)) {}

  // `chosen` gets the ids in ascending order.
  void choose(const float* scores, int32_t* chosen) {
    for (int64_t e = 0; e < config_.experts; ++e) biased_[at(e)] = bias_ ? scores[e] + bias_[e] : scores[e];
    open_groups();
    for (int64_t i = 0; i < config_.active; ++i) {
      const int64_t e = take_largest(biased_, open_);
      chosen[i] = static_cast<int32_t>(e);
    }
    std::sort(chosen, chosen + config_.active);
  }

 private:
  // The first of the largest open values; closes it. A NaN is taken only when nothing else is open before it.
  static int64_t take_largest(const std::vector<float>& values, std::vector<char>& open) {
    int64_t best = -1;
    for (size_t i = 0; i < values.size(); ++i)
      if (open[i] && (best < 0 || values[i] > values[at(best)])) best = static_cast<int64_t>(i);
    open[at(best)] = 0;
    return best;
  }

  // Experts of a group that is not kept are closed: the same as a score of -inf.
  void open_groups() {
    const int64_t size = config_.experts / config_.groups;
    if (config_.groups_kept == config_.groups) return std::fill(open_.begin(), open_.end(), 1), void();
    std::fill(open_.begin(), open_.end(), 0);
    for (int64_t g = 0; g < config_.groups; ++g) {
      float first = -std::numeric_limits<float>::infinity(), second = first;
      for (int64_t e = g * size; e < (g + 1) * size; ++e) {
        const float s = biased_[at(e)];
        if (s > first) second = first, first = s;
        else if (s > second) second = s;
      }
      const bool two = config_.group_score == RouterConfig::GroupScore::two_largest && size > 1;
      group_score_[at(g)] = two ? first + second : first;
    }
    std::fill(group_open_.begin(), group_open_.end(), 1);
    for (int64_t i = 0; i < config_.groups_kept; ++i) {
      const int64_t g = take_largest(group_score_, group_open_);
      std::fill(open_.begin() + g * size, open_.begin() + (g + 1) * size, 1);
    }
  }

  const RouterConfig& config_;
  const float* bias_;
  std::vector<float> biased_;
  std::vector<char> open_;
  std::vector<float> group_score_;
  std::vector<char> group_open_;
};

float sum_of_chosen(const float* scores, const int32_t* chosen, int64_t active) {
  float sum = 0.0f;
  for (int64_t i = 0; i < active; ++i) sum += scores[chosen[i]];
  return sum + kTiny;
}

}  // namespace

Routes route(const at::Tensor& logits, const at::Tensor& correction_bias, const RouterConfig& config) {
  require_config(config);
  require_matrix("route", "logits", logits);
  const int64_t rows = logits.size(0), experts = config.experts, active = config.active;
  require_shape("route", "logits", logits, {rows, experts});
  if (correction_bias.defined()) require_shape("route", "correction_bias", correction_bias, {experts});
  const float *from = f32(logits), *bias = correction_bias.defined() ? f32(correction_bias) : nullptr;
  Routes routes{empty_i32({rows, active}), empty_f32({rows, active}), empty_f32({rows, experts})};
  int32_t* chosen = i32(routes.experts);
  float *weights = f32(routes.weights), *scores = f32(routes.scores);
  const bool softmax = config.scoring == RouterConfig::Scoring::softmax;
  const auto score = softmax ? cpu_kernels().router_softmax : cpu_kernels().router_sigmoid;
  const auto scale = static_cast<float>(config.scale);
  parallel_ranges(rows, kRowGrain, [&](int64_t begin, int64_t end) {
    score(from + begin * experts, scores + begin * experts, end - begin, experts);
    Chooser chooser(config, bias);
    for (int64_t n = begin; n < end; ++n) {
      const float* s = scores + n * experts;
      int32_t* ids = chosen + n * active;
      chooser.choose(s, ids);
      const float sum = config.normalize ? sum_of_chosen(s, ids, active) : 1.0f;
      for (int64_t i = 0; i < active; ++i) weights[n * active + i] = s[ids[i]] / sum * scale;
    }
  });
  return routes;
}

// With w_i = scale s_i / S, S the sum of the chosen scores: ds_i = scale (dw_i - sum_j dw_j s_j / S) / S.
// Softmax: dlogit_e = s_e (ds_e - sum_j ds_j s_j), also where e was not chosen (ds_e = 0). Sigmoid: ds_e s_e (1 - s_e).
at::Tensor route_backward(const at::Tensor& dweights, const Routes& routes, const RouterConfig& config) {
  require_config(config);
  require_matrix("route_backward", "routes.scores", routes.scores);
  const int64_t rows = routes.scores.size(0), experts = config.experts, active = config.active;
  require_shape("route_backward", "routes.scores", routes.scores, {rows, experts});
  require_shape("route_backward", "routes.experts", routes.experts, {rows, active});
  require_shape("route_backward", "dweights", dweights, {rows, active});
  const float *dw = f32(dweights), *scores = f32(routes.scores);
  const int32_t* chosen = i32(routes.experts);
  auto dlogits = empty_f32({rows, experts});
  float* to = f32(dlogits);
  const bool softmax = config.scoring == RouterConfig::Scoring::softmax;
  const auto scale = static_cast<float>(config.scale);
  parallel_ranges(rows, kRowGrain, [&](int64_t begin, int64_t end) {
    std::vector<float> ds(at(active));
    for (int64_t n = begin; n < end; ++n) {
      const float *s = scores + n * experts, *d = dw + n * active;
      const int32_t* ids = chosen + n * active;
      float* out = to + n * experts;
      const float sum = config.normalize ? sum_of_chosen(s, ids, active) : 1.0f;
      float mean = 0.0f, dot = 0.0f;
      if (config.normalize)
        for (int64_t i = 0; i < active; ++i) mean += d[i] * (s[ids[i]] / sum);
      for (int64_t i = 0; i < active; ++i) {
        ds[at(i)] = scale * (d[i] - mean) / sum;
        dot += ds[at(i)] * s[ids[i]];
      }
      for (int64_t e = 0; e < experts; ++e) out[e] = softmax ? -s[e] * dot : 0.0f;
      for (int64_t i = 0; i < active; ++i) {
        const float p = s[ids[i]];
        out[ids[i]] = softmax ? p * (ds[at(i)] - dot) : ds[at(i)] * p * (1.0f - p);
      }
    }
  });
  return dlogits;
}

at::Tensor combine_experts(const at::Tensor& y, const ExpertRows& sorted, const at::Tensor& weights) {
  require_matrix("combine_experts", "y", y);
  require_matrix("combine_experts", "weights", weights);
  const int64_t rows = weights.size(0), slots = weights.size(1), width = y.size(1);
  require_shape("combine_experts", "y", y, {static_cast<int64_t>(sorted.rows.size()), width});
  if (static_cast<int64_t>(sorted.entry_of.size()) != rows * slots)
    fail("combine_experts: weights is {} but {} (row, slot) were sorted.", shape_text(weights), sorted.entry_of.size());
  auto out = empty_f32({rows, width});
  const float *from = f32(y), *w = f32(weights);
  float* to = f32(out);
  const auto& table = cpu_kernels();
  parallel_ranges(rows, row_grain(width * slots), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      table.combine_experts(from, sorted.entry_of.data() + n * slots, w + n * slots, slots, to + n * width, width);
  });
  return out;
}

CombineGradient combine_experts_backward(const at::Tensor& dout, const at::Tensor& y, const ExpertRows& sorted,
                                         const at::Tensor& weights, Dtype out) {
  const char* op = "combine_experts_backward";
  require_matrix(op, "y", y);
  require_matrix(op, "weights", weights);
  const int64_t rows = weights.size(0), slots = weights.size(1), entries = y.size(0), width = y.size(1);
  require_shape(op, "y", y, {static_cast<int64_t>(sorted.rows.size()), width});
  require_shape(op, "dout", dout, {rows, width});
  if (static_cast<int64_t>(sorted.entry_of.size()) != rows * slots)
    fail("{}: weights is {} but {} (row, slot) were sorted.", op, shape_text(weights), sorted.entry_of.size());
  CombineGradient grad{empty_of(out, {entries, width}), zeros_f32({rows, slots})};
  const float *d = f32(dout), *from = f32(y), *w = f32(weights);
  float* dw = f32(grad.weights);
  const auto run = [&](auto* dy, auto kernel) {
    for (int64_t t = 0; t < entries; ++t)
      if (sorted.rows[at(t)] < 0) std::memset(dy + t * width, 0, at(width) * sizeof *dy);
    parallel_ranges(rows, row_grain(width * slots), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * slots; i < end * slots; ++i)
        if (const int64_t t = sorted.entry_of[at(i)]; t >= 0)
          dw[i] = kernel(d + i / slots * width, from + t * width, w[i], dy + t * width, width);
    });
  };
  if (out == Dtype::bf16) run(bf16(grad.y), cpu_kernels().combine_backward_bf16);
  else run(f32(grad.y), cpu_kernels().combine_backward_f32);
  return grad;
}

}  // namespace kernels
