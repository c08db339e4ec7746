#include "kernels/swiglu.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"
#include "tests/support/reference_ops.h"

using Catch::Contains;
using namespace testing;
using kernels::Dtype;

TEST_CASE("SwiGLU of known values", "[swiglu]") {
  // silu(0) = 0. silu(ln 3) = ln 3 / (1 + 1/3) = 3/4 ln 3 = 0.8239592; times up = 2 gives 1.6479184.
  // silu(-ln 3) = -ln 3 / (1 + 3) = -0.2746531.
  const auto gate = tensor_f32({1, 3}, {0.0f, 1.0986123f, -1.0986123f}), up = tensor_f32({1, 3}, {5, 2, 1});
  CHECK(max_difference(values(kernels::swiglu(gate, up, Dtype::float32)), {0, 1.6479184, -0.2746531}) < 3e-7);
}

TEST_CASE("SwiGLU's gradient of known values", "[swiglu]") {
  // gate 0: s = 1/2, so dgate = dy up / 2 = 3 * 5 / 2 = 7.5 and dup = dy * 0 = 0.
  // gate ln 3: s = 3/4, dgate = 1 * 1 * 3/4 * (1 + ln 3 / 4) = 0.9559898, dup = 3/4 ln 3 = 0.8239592.
  const auto grad = kernels::swiglu_backward(tensor_f32({1, 2}, {3, 1}), tensor_f32({1, 2}, {0.0f, 1.0986123f}),
                                             tensor_f32({1, 2}, {5, 1}), Dtype::float32);
  CHECK(max_difference(values(grad.gate), {7.5, 0.9559898}) < 3e-7);
  CHECK(max_difference(values(grad.up), {0, 0.8239592}) < 3e-7);
}

TEST_CASE("far from zero SwiGLU is 0 or the gate itself, never NaN", "[swiglu]") {
  const auto gate = tensor_f32({1, 4}, {-1e30f, -200, 200, 1e30f}), up = tensor_f32({1, 4}, {1, 1, 1, 1});
  const auto y = values(kernels::swiglu(gate, up, Dtype::float32));
  CHECK(std::abs(y[1]) < 1e-30);
  CHECK(y[2] == 200.0f);
  CHECK(y[3] == 1e30f);
  const auto grad = kernels::swiglu_backward(up, gate, up, Dtype::float32);
  CHECK(std::abs(values(grad.gate)[1]) < 1e-30);
  CHECK(values(grad.gate)[2] == 1.0f);
  CHECK(values(grad.gate)[3] == 1.0f);
}

TEST_CASE("SwiGLU is as accurate as plain float32, and bf16 output is that, rounded once", "[swiglu]") {
  const auto gate = random_f32({13, 65}, 1, 4.0f), up = random_f32({13, 65}, 2), dy = random_f32({13, 65}, 3);
  const auto y = kernels::swiglu(gate, up, Dtype::float32);
  require_as_accurate_as(values(y), reference::swiglu<float>(values(gate), values(up)),
                         reference::swiglu<double>(as(values(gate)), as(values(up))));
  CHECK((bytes(kernels::swiglu(gate, up, Dtype::bf16)) == bytes(kernels::rounded(y, Dtype::bf16))));
  const auto wide = kernels::swiglu_backward(dy, gate, up, Dtype::float32);
  const auto half = kernels::swiglu_backward(dy, gate, up, Dtype::bf16);
  CHECK((bytes(half.gate) == bytes(kernels::rounded(wide.gate, Dtype::bf16))));
  CHECK((bytes(half.up) == bytes(kernels::rounded(wide.up, Dtype::bf16))));
}

TEST_CASE("SwiGLU's gradients agree with finite differences", "[swiglu]") {
  const auto gate = random_f32({3, 7}, 1, 2.0f), up = random_f32({3, 7}, 2), dy = random_f32({3, 7}, 3);
  const auto grad = kernels::swiglu_backward(dy, gate, up, Dtype::float32);
  const auto g = as(values(gate)), u = as(values(up)), d = as(values(dy));
  require_gradient(values(grad.gate), g, [&](const auto& at) { return dot(d, reference::swiglu<double>(at, u)); });
  require_gradient(values(grad.up), u, [&](const auto& at) { return dot(d, reference::swiglu<double>(g, at)); });
}

TEST_CASE("gate and up of different shapes are refused", "[swiglu]") {
  REQUIRE_THROWS_WITH(kernels::swiglu(random_f32({2, 3}, 1), random_f32({2, 4}, 1), Dtype::float32), Contains("up is [2, 4]"));
}

TEST_CASE("SwiGLU gives the same bits on every instruction set and thread count", "[swiglu][isa]") {
  for (const int64_t width : {0, 1, 7, 16, 17, 64, 65, 384})
    for (const int64_t rows : {0, 1, 100}) {
      const auto gate = random_f32({rows, width}, 1, 20.0f), up = random_f32({rows, width}, 2), dy = random_f32({rows, width}, 3);
      require_same_bits_everywhere([&] {
        const auto grad = kernels::swiglu_backward(dy, gate, up, Dtype::float32);
        return bytes(kernels::swiglu(gate, up, Dtype::bf16)) + bytes(kernels::swiglu(gate, up, Dtype::float32)) +
               bytes(grad.gate) + bytes(grad.up);
      });
    }
}
