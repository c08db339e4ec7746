// Attention in SmolLM2-135M's shape: 9 query heads, 3 key heads of 64. Decoding and prefill read pages of a cache, whose order
// is by chance and of which the last is not full; training reads rows as they come.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>

#include "kernels/attention.h"
#include "tests/bench/ops.h"
#include "tests/support/random_tensor.h"

namespace bench {
namespace {

using kernels::Dtype;

const kernels::AttentionShape kShape{9, 3, 64, 64, 0.125f};

struct Setting {
  const char* op;
  int64_t sequences, context, rows;  // the last `rows` positions of `context` are queries
};

struct Inputs {
  at::Tensor q, keys, values;         // keys and values as rows [R, K, d]
  at::Tensor key_tiles, value_tiles;  // and as attention reads them
  std::unique_ptr<kernels::AttentionPlan> plan;
};

constexpr int64_t kPage = 16;

bool in_pages(const Setting& s) { return s.op != std::string("backward"); }

int64_t pages_of(const Setting& s) { return (s.context + kPage - 1) / kPage; }

// Where each sequence's pages lie.
std::vector<int64_t> page_order(const Setting& s) {
  std::vector<int64_t> order(static_cast<size_t>(s.sequences * pages_of(s)));
  std::iota(order.begin(), order.end(), 0);
  if (in_pages(s)) std::shuffle(order.begin(), order.end(), std::mt19937_64(7));
  return order;
}

// Rows of all sequences, one after the other, stored in their pages.
at::Tensor stored(const at::Tensor& x, const Setting& s, const std::vector<int64_t>& order) {
  const auto pages = static_cast<int64_t>(order.size());
  const at::Tensor tiles = kernels::make_key_tiles(kernels::dtype_of(x), pages * kPage, x.size(1), x.size(2));
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < s.sequences; ++i)
    for (int64_t j = 0; j < s.context; ++j)
      rows.push_back(order[static_cast<size_t>(i * pages_of(s) + j / kPage)] * kPage + j % kPage);
  kernels::store_key_rows(kernels::widened(x), rows.data(), tiles);
  return tiles;
}

std::vector<kernels::KeySpan> spans_of(const Setting& s, int64_t sequence, const std::vector<int64_t>& order) {
  std::vector<kernels::KeySpan> spans;
  for (int64_t p = 0; p < pages_of(s); ++p)
    spans.push_back({order[static_cast<size_t>(sequence * pages_of(s) + p)] * kPage, p * kPage,
                     std::min(kPage, s.context - p * kPage)});
  return spans;
}

Inputs make_inputs(const Setting& s, Dtype dtype) {
  Inputs in;
  in.q = testing::random_f32({s.sequences * s.rows, kShape.heads, kShape.key_dim}, 1);
  in.keys = kernels::rounded(testing::random_f32({s.sequences * s.context, kShape.key_heads, kShape.key_dim}, 2), dtype);
  in.values = kernels::rounded(testing::random_f32({s.sequences * s.context, kShape.key_heads, kShape.value_dim}, 3), dtype);
  const std::vector<int64_t> order = page_order(s);
  in.key_tiles = stored(in.keys, s, order), in.value_tiles = stored(in.values, s, order);
  std::vector<kernels::AttentionSegment> segments;
  for (int64_t i = 0; i < s.sequences; ++i) {
    kernels::AttentionSegment segment;
    segment.first_row = i * s.rows, segment.rows = s.rows, segment.first_position = s.context - s.rows, segment.group = i;
    segment.spans = spans_of(s, i, order);
    segments.push_back(segment);
  }
  in.plan = std::make_unique<kernels::AttentionPlan>(segments);
  return in;
}

// The last query row's last head, against float64.
void check(const Inputs& in, const Setting& s, const at::Tensor& out) {
  const at::Tensor keys = kernels::widened(in.keys), values = kernels::widened(in.values), wide = kernels::widened(out);
  const int64_t d = kShape.key_dim, stride = kShape.key_heads * d, first = (s.sequences - 1) * s.context;
  const float* q = kernels::f32(in.q) + (in.q.size(0) * kShape.heads - 1) * d;
  std::vector<double> expected(static_cast<size_t>(d));
  double total = 0;
  for (int64_t j = 0; j < s.context; ++j) {
    const int64_t at = (first + j) * stride + (kShape.key_heads - 1) * d;
    double score = 0;
    for (int64_t i = 0; i < d; ++i) score += double(q[i]) * double(kernels::f32(keys)[at + i]);
    const double weight = std::exp(score * double(kShape.scale));
    total += weight;
    for (int64_t i = 0; i < d; ++i) expected[static_cast<size_t>(i)] += weight * double(kernels::f32(values)[at + i]);
  }
  const float* got = kernels::f32(wide) + (in.q.size(0) * kShape.heads - 1) * d;
  for (int64_t i = 0; i < d; ++i)
    if (std::abs(expected[static_cast<size_t>(i)] / total - double(got[i])) > 1e-2)
      wrong(fmt::format("attention {}: element {} is {} instead of {}", s.op, i, got[i],
                        expected[static_cast<size_t>(i)] / total));
}

double pairs(const Setting& s) {  // of query and key, one head
  return double(s.sequences) * double(s.rows) * (double(s.context - s.rows) + 0.5 * double(s.rows + 1));
}

}  // namespace

void attention(Ops& ops) {
  ops.report.table("attention", 5,
                   "4 (backward 10) operations by pair of query and key, head and element; of_peak: share of the dtype's "
                   "peak; GB/s of keys and values");
  const int64_t longest = ops.quick ? 1024 : 2048;
  const std::vector<Setting> settings = {{"decode", 1, longest - 7, 1}, {"decode", 32, 137, 1}, {"decode", 32, 521, 1},
                                         {"prefill", 1, 512, 512},  {"prefill", 1, longest, 512}, {"backward", 16, 192, 192}};
  for (const Dtype dtype : {Dtype::bf16, Dtype::float32})
    for (const Setting& s : settings) {
      const Inputs in = make_inputs(s, dtype);
      const auto forward = kernels::attention(in.q, in.key_tiles, in.value_tiles, *in.plan, kShape);
      check(in, s, forward.out);
      const bool backward = s.op == std::string("backward");
      const at::Tensor dout = testing::random_f32({in.q.size(0), kShape.heads, kShape.value_dim}, 4);
      const Spread t = time_of(ops.samples, [&] {
        if (backward)
          kernels::attention_backward(dout, in.q, in.key_tiles, in.value_tiles, forward, *in.plan, kShape);
        else
          kernels::attention(in.q, in.key_tiles, in.value_tiles, *in.plan, kShape);
      });
      const double gflops = (backward ? 10 : 4) * pairs(s) * double(kShape.heads * kShape.key_dim) / t.median * 1e-9;
      const double bytes = double(s.sequences * s.context * kShape.key_heads * 2 * kShape.key_dim * kernels::bytes_of(dtype));
      ops.report.row({{"op", s.op},
                      {"sequences", s.sequences},
                      {"context", s.context},
                      {"rows", s.rows},
                      {"dtype", kernels::name_of(dtype)},
                      {"us_min", t.min * 1e6},
                      {"us_median", t.median * 1e6},
                      {"us_max", t.max * 1e6},
                      {"gflops", gflops},
                      {"of_peak", gflops / ops.peaks.of(dtype == Dtype::bf16)},
                      {"gb_s", bytes / t.median * 1e-9}});
    }
}

}  // namespace bench
