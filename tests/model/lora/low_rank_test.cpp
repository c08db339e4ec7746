#include "model/lora/low_rank.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using kernels::Dtype;
using model::LowRank;
using testing::random_f32;
using testing::tensor_f32;
using testing::values;

namespace {

kernels::PackedWeight packed(Dtype dtype, const at::Tensor& w, int64_t count = 1) {
  const int64_t out = w.size(-2), in = w.size(-1);
  kernels::PackedWeight p(dtype, count, out, in);
  p.pack(kernels::matrix_view(kernels::f32(w), count, out, in));
  return p;
}

// Random pair and input, their gradients on top of what was there.
struct Sample {
  LowRank w;
  at::Tensor x, y, dy, dx, down, up;
  model::LowRankGradient gradient;

  Sample(Dtype dtype, int64_t rows)
      : w{packed(dtype, random_f32({6, 24}, 1)), packed(dtype, random_f32({40, 6}, 2)), 0.7},
        x(kernels::rounded(random_f32({rows, 24}, 3), dtype)), y(random_f32({rows, 40}, 4)),
        dy(kernels::rounded(random_f32({rows, 40}, 5), dtype)), dx(random_f32({rows, 24}, 6)), down(random_f32({6, 24}, 7)),
        up(random_f32({40, 6}, 8)),
        gradient{kernels::matrix_view(kernels::f32(down), 6, 24), kernels::matrix_view(kernels::f32(up), 40, 6)} {}
};

}  // namespace

// x A^T = [1+2, 2] = [3, 2]; times 0.5: u = [1.5, 1]; u B^T = 6 - 2 = 4; y = 10 + 4.
// dB = dy u = 3 [1.5, 1]; dy B = [12, -6], times 0.5: [6, -3]; dA = [6, -3]^T [1, 2]; dx = 1 + [6 - 6, 6].
TEST_CASE("a low-rank part adds scale B A x, and its gradients are those of the chain rule", "[lora]") {
  const LowRank w{packed(Dtype::float32, tensor_f32({2, 2}, {1, 1, 2, 0})), packed(Dtype::float32, tensor_f32({1, 2}, {4, -2})), 0.5};
  const at::Tensor x = tensor_f32({1, 2}, {1, 2}), y = tensor_f32({1, 1}, {10});
  CHECK(values(model::add_low_rank(y, x, w)) == std::vector<float>{14});
  const at::Tensor down = kernels::zeros_f32({2, 2}), up = kernels::zeros_f32({1, 2}), dx = tensor_f32({1, 2}, {1, 1});
  const auto flow = model::low_rank_backward(
      tensor_f32({1, 1}, {3}), x, w, {kernels::matrix_view(kernels::f32(down), 2, 2), kernels::matrix_view(kernels::f32(up), 1, 2)}, dx);
  CHECK(values(up) == std::vector<float>{4.5, 3});
  CHECK(values(down) == std::vector<float>{6, 12, -3, -6});
  CHECK(values(dx) == std::vector<float>{1, 7});
  CHECK(values(flow.hidden) == std::vector<float>{1.5, 1});
  CHECK(values(flow.dhidden) == std::vector<float>{6, -3});
}

// 1 * 1.01 is 1.0078125 in bf16 (steps of 1/128 above 1), and that is what meets B.
TEST_CASE("scale A x is rounded once to bf16, before it meets B, and not after", "[lora]") {
  const LowRank w{packed(Dtype::bf16, tensor_f32({2, 2}, {1, 0, 0, 0})), packed(Dtype::bf16, tensor_f32({1, 2}, {1, 0})), 1.01};
  const at::Tensor x = kernels::rounded(tensor_f32({1, 2}, {1, 0}), Dtype::bf16);
  CHECK(values(model::add_low_rank(tensor_f32({1, 1}, {0.001f}), x, w)) == std::vector<float>{1.0078125f + 0.001f});
}

TEST_CASE("no low-rank part leaves y as it is", "[lora]") {
  const at::Tensor y = random_f32({3, 4}, 1);
  CHECK(model::add_low_rank(y, random_f32({3, 2}, 2), {}).data_ptr() == y.data_ptr());
}

TEST_CASE("a row of the low-rank part depends on its own row alone, and bits are equal everywhere", "[lora][isa]") {
  for (const Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const Sample all(dtype, 38);
    const at::Tensor together = model::add_low_rank(all.y, all.x, all.w);
    for (int64_t n = 0; n < 38; n += 5)
      CHECK(testing::same_bits(model::add_low_rank(all.y.narrow(0, n, 1), all.x.narrow(0, n, 1), all.w), together.narrow(0, n, 1)));
    testing::require_same_bits_everywhere([&] {
      const Sample s(dtype, 38);
      std::string bytes = testing::bytes(model::add_low_rank(s.y, s.x, s.w));
      model::low_rank_backward(s.dy, s.x, s.w, s.gradient, s.dx);
      return bytes + testing::bytes(s.down) + testing::bytes(s.up) + testing::bytes(s.dx);
    });
  }
}

TEST_CASE("a batch in two even parts adds the gradients of the whole, bit for bit", "[lora]") {
  for (const Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const Sample whole(dtype, 38), parts(dtype, 38);
    model::low_rank_backward(whole.dy, whole.x, whole.w, whole.gradient, whole.dx);
    for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 14}, {14, 24}})
      model::low_rank_backward(parts.dy.narrow(0, first, count), parts.x.narrow(0, first, count), parts.w, parts.gradient,
                               parts.dx.narrow(0, first, count));
    CHECK(testing::same_bits(whole.down, parts.down));
    CHECK(testing::same_bits(whole.up, parts.up));
    CHECK(testing::same_bits(whole.dx, parts.dx));
  }
}

TEST_CASE("each expert's rows meet their own pair", "[lora]") {
  const at::Tensor down = random_f32({3, 2, 4}, 1), up = random_f32({3, 6, 2}, 2), x = random_f32({8, 4}, 3), y = random_f32({8, 6}, 4);
  const std::vector<int64_t> offsets{0, 2, 2, 8};  // the second expert has no row
  const LowRank all{packed(Dtype::float32, down, 3), packed(Dtype::float32, up, 3), 0.3};
  const at::Tensor got = model::add_low_rank_experts(y.clone(), x, all, offsets);
  const at::Tensor ddown = kernels::zeros_f32({3, 2, 4}), dup = kernels::zeros_f32({3, 6, 2}), dx = kernels::zeros_f32({8, 4});
  const at::Tensor dy = random_f32({8, 6}, 5);
  model::low_rank_experts_backward(dy, x, all, {kernels::matrix_view(kernels::f32(ddown), 3, 2, 4), kernels::matrix_view(kernels::f32(dup), 3, 6, 2)},
                                   dx, offsets);
  for (int64_t e = 0; e < 3; ++e) {
    const int64_t first = offsets[static_cast<size_t>(e)], rows = offsets[static_cast<size_t>(e + 1)] - first;
    const LowRank own{packed(Dtype::float32, down.select(0, e)), packed(Dtype::float32, up.select(0, e)), 0.3};
    const at::Tensor own_down = kernels::zeros_f32({2, 4}), own_up = kernels::zeros_f32({6, 2}), own_dx = kernels::zeros_f32({rows, 4});
    const model::LowRankGradient gradient{kernels::matrix_view(kernels::f32(own_down), 2, 4), kernels::matrix_view(kernels::f32(own_up), 6, 2)};
    if (rows > 0) {
      CHECK(testing::same_bits(model::add_low_rank(y.narrow(0, first, rows), x.narrow(0, first, rows), own), got.narrow(0, first, rows)));
      model::low_rank_backward(dy.narrow(0, first, rows), x.narrow(0, first, rows), own, gradient, own_dx);
    }
    CHECK(testing::same_bits(own_down, ddown.select(0, e)));
    CHECK(testing::same_bits(own_up, dup.select(0, e)));
    CHECK(testing::same_bits(own_dx, dx.narrow(0, first, rows)));
  }
}
