// y = x W^T, dx = dy W, dW += dy^T x against float64, in both dtypes, on all instruction sets.
#include <cmath>
#include <cstring>

#include "kernels/isa/table.h"
#include "kernels/linear.h"
#include "kernels/swiglu.h"
#include "kernels/thread_pool.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using namespace kernels;
using testing::random_f32;
using testing::same_bits;

namespace {

struct Case { int64_t rows, out, in; };

// Values are rounded to the dtype first, so the reference sees what the product sees.
std::vector<double> reference(const at::Tensor& x, const at::Tensor& w, int64_t rows, int64_t out, int64_t in) {
  std::vector<double> y(static_cast<size_t>(rows * out));
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t n = 0; n < out; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < in; ++k) sum += double(f32(x)[m * in + k]) * double(f32(w)[n * in + k]);
      y[m * out + n] = sum;
    }
  return y;
}

// float32 chains of `terms` products of unit-sized numbers: error below terms * 2^-24 * (sum of magnitudes).
double budget(int64_t terms) { return 2e-7 * double(terms) + 1e-6; }

PackedWeight packed(const at::Tensor& w, Dtype dtype) {
  PackedWeight p(dtype, 1, w.size(0), w.size(1));
  p.pack(matrix_view(f32(w), w.size(0), w.size(1)));
  return p;
}

}  // namespace

TEST_CASE("a product of two by three numbers, by hand", "[linear]") {
  // x = [1 2; 3 4], W rows [1 0], [0 1], [1 1]: y = [1 2 3; 3 4 7].
  const at::Tensor x = empty_f32({2, 2}), w = empty_f32({3, 2});
  const float xs[] = {1, 2, 3, 4}, ws[] = {1, 0, 0, 1, 1, 1}, ys[] = {1, 2, 3, 3, 4, 7};
  std::memcpy(f32(x), xs, sizeof xs);
  std::memcpy(f32(w), ws, sizeof ws);
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor y = linear(rounded(x, dtype), packed(w, dtype));
    for (int i = 0; i < 6; ++i) REQUIRE(f32(y)[i] == ys[i]);
  }
}

TEST_CASE("products agree with float64 at awkward sizes, on every instruction set", "[linear]") {
  for (const Case c : {Case{0, 3, 2}, Case{1, 1, 2}, Case{1, 64, 64}, Case{5, 65, 66}, Case{7, 130, 34}, Case{13, 19, 128}, Case{70, 200, 96}}) {
    for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
      const at::Tensor x = rounded(random_f32({c.rows, c.in}, 1), dtype), w = widened(rounded(random_f32({c.out, c.in}, 2), dtype));
      const auto exact = reference(widened(x), w, c.rows, c.out, c.in);
      at::Tensor first;
      for (const char* isa : {"plain", "avx2", "avx512"}) {
        if (!cpu_kernels_named(isa)) { WARN("this processor lacks " << isa); continue; }
        use_cpu_kernels(isa);
        const at::Tensor y = linear(x, packed(w, dtype));
        for (int64_t i = 0; i < c.rows * c.out; ++i) REQUIRE(std::abs(f32(y)[i] - exact[i]) <= budget(c.in));
        if (first.defined()) REQUIRE(same_bits(first, y));
        first = y;
      }
    }
  }
}

TEST_CASE("a row of a product has the same bits in a batch of one and of many, for any thread count", "[linear]") {
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor x = rounded(random_f32({61, 96}, 3), dtype), w = random_f32({321, 96}, 4);
    const PackedWeight p = packed(w, dtype);
    set_threads(3);
    const at::Tensor all = linear(x, p);
    set_threads(1);
    for (int64_t m : {0, 17, 60}) REQUIRE(same_bits(linear(x.narrow(0, m, 1), p), all.narrow(0, m, 1)));
    REQUIRE(same_bits(linear(x, p), all));
    set_threads(0);
  }
}

TEST_CASE("tiles that take turns at a panel give the bits of one row alone", "[linear]") {
  const testing::KernelSettings saved;
  for (Dtype dtype : {Dtype::float32, Dtype::bf16})
    for (const int64_t in : {96, 98, 100, 192, 290})
      for (const int64_t out : {64, 130}) {
        const at::Tensor x = rounded(random_f32({19, in}, 3), dtype);
        const PackedWeight p = packed(random_f32({out, in}, 4), dtype);
        use_cpu_kernels("plain");
        std::vector<at::Tensor> alone;
        for (int64_t m = 0; m < 19; ++m) alone.push_back(linear(x.narrow(0, m, 1), p));
        for (const char* isa : {"plain", "avx2", "avx512"}) {
          if (!cpu_kernels_named(isa)) continue;
          use_cpu_kernels(isa);
          for (const int64_t rows : {2, 3, 4, 6, 7, 8, 12, 13, 18, 19}) {
            INFO(isa << ", " << rows << " rows of " << in << ", " << out << " outputs");
            const at::Tensor y = linear(x.narrow(0, 0, rows), p);
            for (int64_t m = 0; m < rows; ++m) REQUIRE(same_bits(y.narrow(0, m, 1), alone[static_cast<size_t>(m)]));
          }
        }
      }
}

TEST_CASE("the gradient of the input is dy W, and goes on from what it is given", "[linear]") {
  for (const Case c : {Case{1, 64, 64}, Case{6, 66, 130}, Case{33, 1100, 34}, Case{200, 128, 128}}) {
    for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
      const at::Tensor dy = rounded(random_f32({c.rows, c.out}, 5), dtype), w = widened(rounded(random_f32({c.out, c.in}, 6), dtype));
      const at::Tensor wt = w.t().contiguous();
      const auto exact = reference(widened(dy), wt, c.rows, c.in, c.out);
      at::Tensor first;
      for (const char* isa : {"plain", "avx2", "avx512"}) {
        if (!cpu_kernels_named(isa)) continue;
        use_cpu_kernels(isa);
        const at::Tensor dx = linear_backward_input(dy, packed(w, dtype));
        for (int64_t i = 0; i < c.rows * c.in; ++i) REQUIRE(std::abs(f32(dx)[i] - exact[i]) <= budget(c.out));
        if (first.defined()) REQUIRE(same_bits(first, dx));
        first = dx.clone();
        linear_backward_input(dy, packed(w, dtype), dx);
        for (int64_t i = 0; i < c.rows * c.in; ++i) REQUIRE(std::abs(f32(dx)[i] - 2 * exact[i]) <= 3 * budget(c.out));
      }
    }
  }
}

TEST_CASE("the gradient of the weight is one chain over the rows: any even split gives the same bits", "[linear]") {
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const int64_t rows = 2600, out = 19, in = 70;  // more rows than one block of the reduction
    const at::Tensor dy = rounded(random_f32({rows, out}, 7), dtype), x = rounded(random_f32({rows, in}, 8), dtype);
    const auto exact = reference(widened(dy).t().contiguous(), widened(x).t().contiguous(), out, in, rows);
    at::Tensor whole;
    for (const char* isa : {"plain", "avx2", "avx512"}) {
      if (!cpu_kernels_named(isa)) continue;
      use_cpu_kernels(isa);
      const at::Tensor dw = zeros_f32({out, in}), split = zeros_f32({out, in}), across = zeros_f32({in, out});
      linear_backward_weight(dy, x, matrix_view(f32(dw), out, in));
      for (int64_t i = 0; i < out * in; ++i) REQUIRE(std::abs(f32(dw)[i] - exact[i]) <= 1e-3);
      for (auto [first, count] : {std::pair<int64_t, int64_t>{0, 2}, {2, 1000}, {1002, 1598}})
        linear_backward_weight(dy.narrow(0, first, count), x.narrow(0, first, count), matrix_view(f32(split), out, in));
      REQUIRE(same_bits(dw, split));
      MatrixView transposed{f32(across), 1, out, in, 0, 1, out};
      linear_backward_weight(dy, x, transposed);
      REQUIRE(same_bits(across.t().contiguous(), dw));
      if (whole.defined()) REQUIRE(same_bits(whole, dw));
      whole = dw;
    }
  }
  REQUIRE_THROWS_WITH(linear_backward_weight(rounded(zeros_f32({3, 2}), Dtype::bf16), rounded(zeros_f32({3, 2}), Dtype::bf16), {}),
                      Catch::Contains("unit stride") || Catch::Contains("must be even"));
}

TEST_CASE("the gradient of a bias is one chain over the rows: any split gives the same bits", "[linear][isa]") {
  // Rows (1, -2), (0.5, 4), (3, 1) on top of (10, 20): 14.5 and 23.
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor sum = testing::tensor_f32({2}, {10, 20});
    linear_backward_bias(rounded(testing::tensor_f32({3, 2}, {1, -2, 0.5f, 4, 3, 1}), dtype), sum);
    REQUIRE(testing::values(sum) == std::vector<float>{14.5f, 23});
    for (const int64_t width : {1, 15, 16, 70, 300}) {
      const at::Tensor dy = rounded(random_f32({203, width}, 9), dtype);
      testing::require_same_bits_everywhere([&] {
        const at::Tensor one = zeros_f32({width}), split = zeros_f32({width});
        linear_backward_bias(dy, one);
        for (auto [first, count] : {std::pair<int64_t, int64_t>{0, 1}, {1, 100}, {101, 0}, {101, 102}})
          linear_backward_bias(dy.narrow(0, first, count), split);
        REQUIRE(same_bits(one, split));
        return testing::bytes(one);
      });
    }
  }
  REQUIRE_THROWS_WITH(linear_backward_bias(zeros_f32({2, 3}), zeros_f32({4})), Catch::Contains("dbias"));
}

TEST_CASE("fused products have the bits of the separate ones, on every instruction set and thread count", "[linear]") {
  const testing::KernelSettings saved;
  for (const char* isa : {"plain", "avx2", "avx512"}) {
    if (!cpu_kernels_named(isa)) continue;
    use_cpu_kernels(isa);
    for (const int64_t threads : {1, 3}) {
      set_threads(threads);
      for (Dtype dtype : {Dtype::float32, Dtype::bf16})
        for (const int64_t rows : {1, 7, 13, 400}) {  // one tile, two of 4 + 3, three, three blocks of rows
          const int64_t in = 34, width = 150;         // 150 = 2 panels and a part
          const at::Tensor x = rounded(random_f32({rows, in}, 21), dtype), h = random_f32({rows, width}, 22);
          const PackedWeight a = packed(random_f32({width, in}, 23), dtype), b = packed(random_f32({width, in}, 24), dtype),
                             c = packed(random_f32({20, in}, 25), dtype);
          const at::Tensor gate = linear(x, a), up = linear(x, b);
          const auto many = linear_many(x, {&a, &c, &b});
          REQUIRE(same_bits(many[0], gate));
          REQUIRE(same_bits(many[1], linear(x, c)));
          REQUIRE(same_bits(many[2], up));
          REQUIRE(same_bits(linear_add(x, a, h), add(h, gate)));
          for (const bool keep : {false, true}) {
            const auto fused = linear_swiglu(x, a, b, dtype, keep);
            REQUIRE(same_bits(fused.hidden, swiglu(gate, up, dtype)));
            REQUIRE(fused.gate.defined() == keep);
            if (keep) REQUIRE((same_bits(fused.gate, gate) && same_bits(fused.up, up)));
          }
          // A bias comes first: before the sum, before the activation.
          const at::Tensor bias = random_f32({width}, 26), other = random_f32({20}, 27);
          const at::Tensor biased = add(gate, bias.expand({rows, width}).contiguous());
          REQUIRE(same_bits(linear(x, a, bias), biased));
          const auto some = linear_many(x, {&a, &c, &b}, {bias, other, {}});
          REQUIRE(same_bits(some[0], biased));
          REQUIRE(same_bits(some[1], linear(x, c, other)));
          REQUIRE(same_bits(some[2], up));
          REQUIRE(same_bits(linear_add(x, a, h, bias), add(h, biased)));
          for (const bool keep : {false, true})
            REQUIRE(same_bits(linear_swiglu(x, b, a, dtype, keep, {{}, bias}).hidden, swiglu(up, biased, dtype)));
        }
    }
  }
  const at::Tensor x = zeros_f32({2, 4});
  const PackedWeight a = packed(zeros_f32({6, 4}), Dtype::float32), b = packed(zeros_f32({8, 4}), Dtype::float32);
  REQUIRE_THROWS_WITH(linear_swiglu(x, a, b, Dtype::bf16, false), Catch::Contains("[6, 4]") && Catch::Contains("[8, 4]"));
  REQUIRE_THROWS_WITH(linear_add(x, a, zeros_f32({2, 5})), Catch::Contains("add_to"));
  REQUIRE_THROWS_WITH(linear(x, a, zeros_f32({8})), Catch::Contains("bias"));
  REQUIRE_THROWS_WITH(linear_many(x, {&a, &b}, {zeros_f32({6})}), Catch::Contains("1 biases for 2 weights"));
}

TEST_CASE("some rows of a packed weight are a packed weight", "[linear]") {
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor w = random_f32({200, 6}, 26), x = rounded(random_f32({5, 6}, 27), dtype);
    const PackedWeight whole = packed(w, dtype);
    const at::Tensor y = linear(x, whole);
    REQUIRE(same_bits(linear(x, whole.rows(64, 64)), y.narrow(1, 64, 64).contiguous()));
    REQUIRE(same_bits(linear(x, whole.rows(128, 72)), y.narrow(1, 128, 72).contiguous()));
    REQUIRE_THROWS_WITH(whole.rows(64, 60), Catch::Contains("[64, 124)"));
    REQUIRE_THROWS_WITH(whole.rows(32, 64), Catch::Contains("[32, 96)"));
  }
}

TEST_CASE("heads and experts are products of their own matrices", "[linear]") {
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const int64_t n = 6, count = 3, out = 10, in = 8;
    const at::Tensor w = random_f32({count, out, in}, 9), x = rounded(random_f32({n, count, in}, 10), dtype);
    PackedWeight p(dtype, count, out, in);
    p.pack(matrix_view(f32(w), count, out, in));
    const at::Tensor y = linear_heads(x, p), dy = rounded(random_f32({n, count, out}, 11), dtype), dx = linear_heads_backward_input(dy, p);
    const at::Tensor dw = zeros_f32({count, out, in});
    linear_heads_backward_weight(dy, x, matrix_view(f32(dw), count, out, in));
    const std::vector<int64_t> offsets{0, 4, 4, 6};
    const at::Tensor xe = x.select(1, 0).contiguous(), ye = linear_experts(xe, p, offsets), dye = dy.select(1, 0).contiguous();
    const at::Tensor dxe = linear_experts_backward_input(dye, p, offsets), dwe = zeros_f32({count, out, in});
    linear_experts_backward_weight(dye, xe, matrix_view(f32(dwe), count, out, in), offsets);
    for (int64_t c = 0; c < count; ++c) {
      const PackedWeight one = packed(w.select(0, c), dtype);
      const at::Tensor xc = x.select(1, c).contiguous(), dyc = dy.select(1, c).contiguous();
      REQUIRE(same_bits(linear(xc, one), y.select(1, c).contiguous()));
      REQUIRE(same_bits(linear_backward_input(dyc, one), dx.select(1, c).contiguous()));
      const at::Tensor dwc = zeros_f32({out, in});
      linear_backward_weight(dyc, xc, matrix_view(f32(dwc), out, in));
      REQUIRE(same_bits(dwc, dw.select(0, c)));
      const int64_t first = offsets[c], rows = offsets[c + 1] - first;
      if (rows == 0) continue;
      REQUIRE(same_bits(linear(xe.narrow(0, first, rows), one), ye.narrow(0, first, rows)));
      REQUIRE(same_bits(linear_backward_input(dye.narrow(0, first, rows), one), dxe.narrow(0, first, rows)));
      const at::Tensor dwec = zeros_f32({out, in});
      linear_backward_weight(dye.narrow(0, first, rows), xe.narrow(0, first, rows), matrix_view(f32(dwec), out, in));
      REQUIRE(same_bits(dwec, dwe.select(0, c)));
    }
  }
}

TEST_CASE("an embedding row is the weight's row as it was packed", "[linear]") {
  const at::Tensor w = random_f32({70, 6}, 12);
  const int32_t ids[] = {0, 69, 64, 3};
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor rows = embedding(packed(w, dtype), ids, 4), kept = widened(rounded(w, dtype));
    for (int i = 0; i < 4; ++i) REQUIRE(same_bits(rows.narrow(0, i, 1), kept.narrow(0, ids[i], 1)));
  }
  const int32_t bad[] = {70};
  REQUIRE_THROWS_WITH(embedding(packed(w, Dtype::float32), bad, 1), Catch::Contains("70") && Catch::Contains("[0, 70)"));
}
