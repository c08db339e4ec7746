#include "kernels/rms_norm.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"
#include "tests/support/reference_ops.h"

using Catch::Contains;
using namespace testing;
using kernels::Dtype;

TEST_CASE("a row is divided by its root mean square, then weighted", "[rms_norm]") {
  // x = 3, 4, 0, 0: mean of squares 25/4, root 2.5. 3/2.5 = 1.2, 4/2.5 = 1.6; weights 1, 2, 1, 1.
  const auto y = kernels::rms_norm(tensor_f32({1, 4}, {3, 4, 0, 0}), tensor_f32({4}, {1, 2, 1, 1}), 0.0, Dtype::float32);
  CHECK(max_difference(values(y.y), {1.2, 3.2, 0, 0}) < 3e-7);
  CHECK(values(y.inverse)[0] == 0.4f);
}

TEST_CASE("eps keeps a row of zeros at zero", "[rms_norm]") {
  // 1 / sqrt(0 + 1/16) = 4.
  const auto y = kernels::rms_norm(kernels::zeros_f32({1, 4}), tensor_f32({4}, {1, 1, 1, 1}), 0.0625, Dtype::float32);
  CHECK(values(y.y) == std::vector<float>(4, 0.0f));
  CHECK(values(y.inverse)[0] == 4.0f);
}

TEST_CASE("the norm and its gradients are as accurate as plain float32", "[rms_norm]") {
  for (const int64_t width : {1, 7, 16, 17, 64, 65, 576}) {
    const auto x = random_f32({9, width}, 1), w = random_f32({width}, 2), dy = random_f32({9, width}, 3);
    const auto y = kernels::rms_norm(x, w, 1e-5, Dtype::float32);
    INFO("width " << width);
    require_as_accurate_as(values(y.y), reference::rms_norm<float>(values(x), values(w), 1e-5f),
                           reference::rms_norm<double>(as(values(x)), as(values(w)), 1e-5));
    const auto dw = kernels::zeros_f32({width});
    const auto dx = kernels::rms_norm_backward(dy, x, w, y.inverse, dw);
    const auto plain = reference::rms_norm_backward<float>(values(dy), values(x), values(w), 1e-5f);
    const auto exact = reference::rms_norm_backward<double>(as(values(dy)), as(values(x)), as(values(w)), 1e-5);
    require_as_accurate_as(values(dx), plain.x, exact.x);
    require_as_accurate_as(values(dw), plain.weight, exact.weight);
  }
}

TEST_CASE("bf16 output is the float32 output, rounded once", "[rms_norm]") {
  const auto x = random_f32({5, 65}, 1), w = random_f32({65}, 2);
  const auto wide = kernels::rms_norm(x, w, 1e-5, Dtype::float32), half = kernels::rms_norm(x, w, 1e-5, Dtype::bf16);
  CHECK((bytes(half.y) == bytes(kernels::rounded(wide.y, Dtype::bf16))));
  CHECK((bytes(half.inverse) == bytes(wide.inverse)));
}

TEST_CASE("the norm's gradients agree with finite differences", "[rms_norm]") {
  const auto x = random_f32({3, 7}, 1), w = random_f32({7}, 2), dy = random_f32({3, 7}, 3);
  const auto dw = kernels::zeros_f32({7});
  const auto dx = kernels::rms_norm_backward(dy, x, w, kernels::rms_norm(x, w, 1e-5, Dtype::float32).inverse, dw);
  const auto x64 = as(values(x)), w64 = as(values(w)), dy64 = as(values(dy));
  require_gradient(values(dx), x64, [&](const auto& at) { return dot(dy64, reference::rms_norm<double>(at, w64, 1e-5)); });
  require_gradient(values(dw), w64, [&](const auto& at) { return dot(dy64, reference::rms_norm<double>(x64, at, 1e-5)); });
}

TEST_CASE("dweight is added to, in row order: a batch in two parts gives the bits of the whole", "[rms_norm]") {
  const auto x = random_f32({10, 81}, 1), w = random_f32({81}, 2), dy = random_f32({10, 81}, 3), whole = random_f32({81}, 4);
  const auto parts = kernels::add(whole, kernels::zeros_f32({81}));
  const auto inverse = kernels::rms_norm(x, w, 1e-5, Dtype::float32).inverse;
  const auto dx = kernels::rms_norm_backward(dy, x, w, inverse, whole);
  const auto part = [&](int64_t from, int64_t to) {
    return kernels::rms_norm_backward(dy.slice(0, from, to), x.slice(0, from, to), w, inverse.slice(0, from, to), parts);
  };
  std::string dx_parts = bytes(part(0, 3));
  dx_parts += bytes(part(3, 10));
  CHECK((bytes(whole) == bytes(parts)));
  CHECK((bytes(dx) == dx_parts));
}

TEST_CASE("rows may lie in a wider matrix", "[rms_norm]") {
  const auto wide = random_f32({6, 40}, 1), w = random_f32({24}, 2), dy = random_f32({6, 24}, 3);
  const auto view = wide.slice(1, 8, 32), copy = view.contiguous();
  const auto a = kernels::rms_norm(view, w, 1e-5, Dtype::bf16), b = kernels::rms_norm(copy, w, 1e-5, Dtype::bf16);
  CHECK((bytes(a.y) == bytes(b.y)));
  const auto dw_a = kernels::zeros_f32({24}), dw_b = kernels::zeros_f32({24});
  const auto dx_a = kernels::rms_norm_backward(dy, view, w, a.inverse, dw_a);
  CHECK((bytes(dx_a) == bytes(kernels::rms_norm_backward(dy, copy, w, b.inverse, dw_b))));
  CHECK((bytes(dw_a) == bytes(dw_b)));
  REQUIRE_THROWS_WITH(kernels::rms_norm(wide.t(), random_f32({6}, 1), 1e-5, Dtype::bf16), Contains("neighbours"));
}

TEST_CASE("a weight of another length is refused with both shapes", "[rms_norm]") {
  REQUIRE_THROWS_WITH(kernels::rms_norm(random_f32({3, 64}, 1), random_f32({32}, 2), 1e-5, Dtype::float32),
                      Contains("weight is [32]") && Contains("[64]"));
}

TEST_CASE("a row's norm does not depend on its neighbours", "[rms_norm]") {
  const auto x = random_f32({8, 100}, 1), w = random_f32({100}, 2);
  const auto all = kernels::rms_norm(x, w, 1e-5, Dtype::bf16).y;
  const auto one = kernels::rms_norm(x.slice(0, 5, 6), w, 1e-5, Dtype::bf16).y;
  CHECK((bytes(all.slice(0, 5, 6)) == bytes(one)));
}

TEST_CASE("the norm gives the same bits on every instruction set and thread count", "[rms_norm][isa]") {
  for (const int64_t width : {0, 1, 7, 16, 17, 64, 65, 576})
    for (const int64_t rows : {0, 1, 300}) {
      const auto x = random_f32({rows, width}, 1), w = random_f32({width}, 2), dy = random_f32({rows, width}, 3);
      require_same_bits_everywhere([&] {
        const auto y = kernels::rms_norm(x, w, 1e-6, Dtype::bf16);
        const auto dw = kernels::zeros_f32({width});
        const auto dx = kernels::rms_norm_backward(dy, x, w, y.inverse, dw);
        return bytes(y.y) + bytes(y.inverse) + bytes(dx) + bytes(dw);
      });
    }
}
