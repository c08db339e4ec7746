#include "kernels/tensor.h"

#include "kernels/error.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"

using Catch::Contains;
using namespace testing;
using kernels::Dtype;

TEST_CASE("a dtype is named float32 or bf16, and nothing else", "[tensor]") {
  CHECK(kernels::parse_dtype("float32") == Dtype::float32);
  CHECK(kernels::parse_dtype("bf16") == Dtype::bf16);
  CHECK(kernels::name_of(Dtype::bf16) == "bf16");
  CHECK(kernels::bytes_of(Dtype::float32) == 4);
  CHECK(kernels::bytes_of(Dtype::bf16) == 2);
  REQUIRE_THROWS_AS(kernels::parse_dtype("fp8"), kernels::UsageError);
}

TEST_CASE("raw access refuses a tensor of another type, a strided view and none at all", "[tensor]") {
  const auto x = random_f32({4, 6}, 1);
  REQUIRE_THROWS_WITH(kernels::bf16(x), Contains("[4, 6]") && Contains("bf16"));
  REQUIRE_THROWS_WITH(kernels::i32(x), Contains("int32"));
  REQUIRE_THROWS_WITH(kernels::f32(x.slice(1, 0, 3)), Contains("contiguous"));
  REQUIRE_THROWS_WITH(kernels::f32(at::Tensor()), Contains("undefined"));
  CHECK(kernels::f32(x.slice(0, 1, 3)) == kernels::f32(x) + 6);
}

TEST_CASE("rounding to bf16 goes to the nearest, and to the even one of two equally near", "[tensor]") {
  // bf16 keeps 7 bits after the leading one: near 1 its step is 1/128 = 0.0078125.
  // 1 + 1/256 lies between 1 (even) and 1 + 1/128 (odd): 1. 1 + 3/256 lies between 1 + 1/128 (odd) and 1 + 2/128 (even).
  const auto x = tensor_f32({5}, {1.0f + 1.0f / 256, 1.0f + 3.0f / 256, -1.0f - 3.0f / 256, 1.0f + 1.0f / 256 + 1e-6f, 3.0f});
  const auto y = kernels::rounded(x, Dtype::bf16);
  REQUIRE(kernels::dtype_of(y) == Dtype::bf16);
  CHECK(values(y) == std::vector<float>{1.0f, 1.015625f, -1.015625f, 1.0078125f, 3.0f});
  CHECK(kernels::f32(kernels::rounded(x, Dtype::float32)) == kernels::f32(x));
}

TEST_CASE("sums are elementwise and want equal shapes", "[tensor]") {
  const auto x = tensor_f32({2, 2}, {1, 2, 3, 4}), y = tensor_f32({2, 2}, {10, 20, 30, 40});
  CHECK(values(kernels::add(x, y)) == std::vector<float>{11, 22, 33, 44});
  CHECK(values(x) == std::vector<float>{1, 2, 3, 4});
  kernels::add_in_place(x, y);
  CHECK(values(x) == std::vector<float>{11, 22, 33, 44});
  REQUIRE_THROWS_WITH(kernels::add(x, y.view({4})), Contains("[2, 2]") && Contains("[4]"));
}

TEST_CASE("gathered rows are copies, and zeros where no row is named", "[tensor]") {
  const auto x = tensor_f32({3, 2}, {1, 2, 3, 4, 5, 6});
  const int64_t rows[] = {2, -1, 0, 2};
  CHECK(values(kernels::gather_rows(x, rows, 4)) == std::vector<float>{5, 6, 0, 0, 1, 2, 5, 6});
  CHECK(values(kernels::gather_rows(kernels::rounded(x, Dtype::bf16), rows, 4)) == std::vector<float>{5, 6, 0, 0, 1, 2, 5, 6});
  CHECK(kernels::gather_rows(x, rows, 0).size(0) == 0);
  const int64_t bad[] = {3};
  REQUIRE_THROWS_WITH(kernels::gather_rows(x, bad, 1), Contains("rows[0] is 3"));
}

TEST_CASE("rows added to one place are added in their order", "[tensor]") {
  // 2^24 + 1 is no float32: (2^24 + 1) + 1 stays 2^24, whereas (1 + 1) + 2^24 is 2^24 + 2.
  const float big = 16777216.0f;
  const int64_t rows[] = {1, 1, 1};
  auto into = kernels::zeros_f32({2, 1});
  kernels::scatter_add_rows(tensor_f32({3, 1}, {big, 1, 1}), rows, into);
  CHECK(values(into) == std::vector<float>{0, big});
  into = kernels::zeros_f32({2, 1});
  kernels::scatter_add_rows(tensor_f32({3, 1}, {1, 1, big}), rows, into);
  CHECK(values(into) == std::vector<float>{0, big + 2});
}

TEST_CASE("clamped values stay within the limit, and no gradient passes where they were outside", "[tensor]") {
  const auto x = tensor_f32({1, 6}, {-3, -2, -0.5f, 0, 2, 2.5f}), dy = tensor_f32({1, 6}, {1, 2, 3, 4, 5, 6});
  CHECK(values(kernels::clamped(x, 2)) == std::vector<float>{-2, -2, -0.5f, 0, 2, 2});
  kernels::clamp_backward_in_place(dy, x, 2);
  CHECK(values(dy) == std::vector<float>{0, 2, 3, 4, 5, 0});  // a value at the limit was not moved
  CHECK(std::isnan(values(kernels::clamped(tensor_f32({1}, {NAN}), 2))[0]));
  REQUIRE_THROWS_WITH(kernels::clamp_backward_in_place(dy, x.view({6}), 2), Contains("[1, 6]"));
}

TEST_CASE("tensor helpers give the same bits on every instruction set and thread count, at any width", "[tensor][isa]") {
  for (const int64_t width : {0, 1, 7, 16, 17, 64, 65, 400}) {
    const auto x = random_f32({301, width}, 2), y = random_f32({301, width}, 3);
    std::vector<int64_t> rows(301);
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i * 7 % 50) - 1;
    require_same_bits_everywhere([&] {
      const auto half = kernels::rounded(x, Dtype::bf16);
      const auto sum = kernels::add(x, y);
      const auto added = kernels::zeros_f32({60, width}), passed = kernels::add(y, y);
      kernels::clamp_backward_in_place(passed, x, 0.7);
      kernels::scatter_add_rows(x, rows.data(), added);
      return bytes(half) + bytes(kernels::widened(half)) + bytes(sum) + bytes(added) +
             bytes(kernels::gather_rows(x, rows.data(), 301)) + bytes(kernels::clamped(x, 0.7)) + bytes(passed);
    });
  }
}
