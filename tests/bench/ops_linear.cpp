// Products with packed weights, in the shapes of SmolLM2-135M.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "kernels/linear.h"
#include "tests/bench/ops.h"
#include "tests/support/random_tensor.h"

namespace bench {
namespace {

using kernels::Dtype;

struct Shape {
  int64_t in, out;
};
// query, key and value together; attention output; gate, and up; down; head
const std::vector<Shape> kShapes = {{576, 960}, {576, 576}, {576, 1536}, {1536, 576}, {576, 49152}};

struct Product {
  at::Tensor weight;  // float32 [out, in], rounded to the dtype
  kernels::PackedWeight packed;
  at::Tensor x, dy;  // of the dtype
};

kernels::PackedWeight pack(const at::Tensor& weight, Dtype dtype) {
  kernels::PackedWeight packed(dtype, 1, weight.size(0), weight.size(1));
  packed.pack(kernels::matrix_view(kernels::f32(weight), weight.size(0), weight.size(1)));
  return packed;
}

Product make_product(const Shape& s, int64_t rows, Dtype dtype) {
  Product p;
  p.weight = kernels::widened(kernels::rounded(testing::random_f32({s.out, s.in}, 1), dtype));
  p.packed = pack(p.weight, dtype);
  p.x = kernels::rounded(testing::random_f32({rows, s.in}, 2), dtype);
  p.dy = kernels::rounded(testing::random_f32({rows, s.out}, 3), dtype);
  return p;
}

// Element (m, n) of `got` against the float64 sum of a(k) b(k), at 50 places.
template <typename A, typename B>
void check(const char* op, const at::Tensor& got, int64_t depth, A a, B b) {
  const int64_t rows = got.size(0), columns = got.size(1);
  for (int64_t i = 0; i < 50; ++i) {
    const int64_t m = i * 7919 % rows, n = i * 104729 % columns;
    double sum = 0;
    for (int64_t k = 0; k < depth; ++k) sum += double(a(m, k)) * double(b(k, n));
    const double value = kernels::f32(got)[m * columns + n];
    if (std::abs(sum - value) > 1e-3 * std::sqrt(double(depth)))
      wrong(fmt::format("{} [{}, {}] is {} where the sum is {}", op, m, n, value, sum));
  }
}

void check_forward(const Product& p) {
  const at::Tensor x = kernels::widened(p.x);
  const float *xs = kernels::f32(x), *ws = kernels::f32(p.weight);
  const int64_t in = p.weight.size(1);
  check(
      "linear", kernels::linear(p.x, p.packed), in, [&](int64_t m, int64_t k) { return xs[m * in + k]; },
      [&](int64_t k, int64_t n) { return ws[n * in + k]; });
}

void check_backward(const Product& p, const at::Tensor& dw) {
  const at::Tensor x = kernels::widened(p.x), dy = kernels::widened(p.dy);
  const float *xs = kernels::f32(x), *ws = kernels::f32(p.weight), *dys = kernels::f32(dy);
  const int64_t in = p.weight.size(1), out = p.weight.size(0);
  check(
      "dX", kernels::linear_backward_input(p.dy, p.packed), out, [&](int64_t m, int64_t k) { return dys[m * out + k]; },
      [&](int64_t k, int64_t n) { return ws[k * in + n]; });
  kernels::linear_backward_weight(p.dy, p.x, kernels::matrix_view(kernels::f32(dw), out, in));
  check(
      "dW", dw, x.size(0), [&](int64_t m, int64_t k) { return dys[k * out + m]; },
      [&](int64_t k, int64_t n) { return xs[k * in + n]; });
}

void add_row(Ops& ops, Json row, const Spread& t, double operations, bool is_bf16) {
  row["us_min"] = t.min * 1e6, row["us_median"] = t.median * 1e6, row["us_max"] = t.max * 1e6;
  row["gflops"] = operations / t.median * 1e-9;
  row["of_peak"] = operations / t.median * 1e-9 / ops.peaks.of(is_bf16);
  ops.report.row(std::move(row));
}

std::vector<int64_t> row_counts(const Ops& ops) {
  return ops.quick ? std::vector<int64_t>{1, 16, 64, 512} : std::vector<int64_t>{1, 8, 16, 32, 64, 512, 2048};
}

struct Layer {
  kernels::PackedWeight query_key_value, output, gate, up, down;
};

// Every product of one forward pass, each with weights of its own: 269 MB in bf16.
void whole_model(Ops& ops) {
  ops.report.table("model products", 2,
                   "all products of SmolLM2-135M's 30 layers and its head (64 rows at most) in turn, each with its own "
                   "weights; GB/s of weights, of_dram: share of the best of ten reads of DRAM just before and after; tok/s is rows by second");
  std::map<std::pair<int64_t, int64_t>, at::Tensor> source;
  for (const Shape& s : kShapes) source[{s.in, s.out}] = testing::random_f32({s.out, s.in}, 1);
  const auto packed = [&](int64_t in, int64_t out) { return pack(source.at({in, out}), Dtype::bf16); };
  std::vector<Layer> layers(ops.quick ? 6 : 30);
  for (Layer& l : layers) l = {packed(576, 960), packed(576, 576), packed(576, 1536), packed(576, 1536), packed(1536, 576)};
  const kernels::PackedWeight head = packed(576, 49152);
  const double head_elements = 576.0 * 49152, layer_elements = double(layers.size()) * (576.0 * (960 + 576 + 3 * 1536));
  for (const int64_t rows : row_counts(ops)) {
    const auto input = [&](int64_t width) { return kernels::rounded(testing::random_f32({rows, width}, 2), Dtype::bf16); };
    const at::Tensor narrow = input(576), wide = input(1536), last = narrow.narrow(0, 0, std::min<int64_t>(64, rows));
    Spread t;
    const Peaks around = with_dram_around(ops.peaks, [&] {
      t = time_of(ops.samples, [&] {
        for (const Layer& l : layers) {
          kernels::linear(narrow, l.query_key_value);
          kernels::linear(narrow, l.output);
          kernels::linear_many(narrow, {&l.gate, &l.up});
          kernels::linear(wide, l.down);
        }
        kernels::linear(last, head);
      });
    });
    const double operations = 2 * (layer_elements * double(rows) + head_elements * double(last.size(0)));
    const double gflops = operations / t.median * 1e-9, gb = (layer_elements + head_elements) * 2 / t.median * 1e-9;
    ops.report.row({{"rows", rows},
                    {"dtype", "bf16"},
                    {"ms_min", t.min * 1e3},
                    {"ms_median", t.median * 1e3},
                    {"ms_max", t.max * 1e3},
                    {"tok_s", double(rows) / t.median},
                    {"gflops", gflops},
                    {"of_peak", gflops / ops.peaks.bf16},
                    {"gb_s", gb},
                    {"dram_gb_s", around.dram},
                    {"of_dram", gb / around.dram}});
  }
}

}  // namespace

void products(Ops& ops) {
  ops.report.table("products", 4, "y = x W^T, one weight again and again; of_peak: share of the dtype's fma peak");
  for (const Shape& s : kShapes)
    for (const int64_t rows : row_counts(ops)) {
      if (s.out > 40000 && rows > 64) continue;  // logits of more rows are never stored
      const Product p = make_product(s, rows, Dtype::bf16);
      check_forward(p);
      const Spread t = time_of(ops.samples, [&] { kernels::linear(p.x, p.packed); });
      add_row(ops, {{"in", s.in}, {"out", s.out}, {"rows", rows}, {"dtype", "bf16"}}, t, 2.0 * double(rows * s.in * s.out),
              true);
    }
  whole_model(ops);
}

void linear(Ops& ops) {
  ops.report.table("linear", 5, "forward y = x W^T, dX = dY W, dW += dY^T X; of_peak: share of the dtype's fma peak");
  for (const Dtype dtype : {Dtype::bf16, Dtype::float32})
    for (const Shape& s : {kShapes[0], kShapes[1], kShapes[2], kShapes[3]})
      for (const int64_t rows : row_counts(ops)) {
        const Product p = make_product(s, rows, dtype);
        const at::Tensor dw = kernels::zeros_f32({s.out, s.in});
        const bool has_dw = dtype == Dtype::float32 || rows % 2 == 0;  // rows go in pairs
        if (has_dw) check_backward(p, dw);
        check_forward(p);
        const auto add = [&](const char* op, const std::function<void()>& body) {
          add_row(ops, {{"op", op}, {"in", s.in}, {"out", s.out}, {"rows", rows}, {"dtype", kernels::name_of(dtype)}},
                  time_of(ops.samples, body), 2.0 * double(rows * s.in * s.out), dtype == Dtype::bf16);
        };
        if (dtype == Dtype::float32) add("y", [&] { kernels::linear(p.x, p.packed); });
        add("dX", [&] { kernels::linear_backward_input(p.dy, p.packed); });
        const auto view = kernels::matrix_view(kernels::f32(dw), s.out, s.in);
        if (has_dw) add("dW", [&] { kernels::linear_backward_weight(p.dy, p.x, view); });
      }
}

double best_share_at_64_rows() {
  const Shape s = kShapes[2];
  const Product p = make_product(s, 64, Dtype::bf16);
  check_forward(p);
  double rate = 0, peak = 0;
  for (int i = 0; i < 5; ++i) {
    peak = std::max(peak, measure_peaks(true).bf16);
    rate = std::max(rate, 2.0 * double(64 * s.in * s.out) / time_of(15, [&] { kernels::linear(p.x, p.packed); }).min * 1e-9);
  }
  return rate / peak;
}

}  // namespace bench
