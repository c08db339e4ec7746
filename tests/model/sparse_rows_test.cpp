#include "model/sparse_rows.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

using model::SparseRows;
using namespace testing;

TEST_CASE("rows that are named again add up, and only named rows move", "[sparse_rows]") {
  // Row 4: 1 2, then + 10 20. Row 0: 3 4. The row named -1 goes nowhere. Into: all ones.
  SparseRows sums(5, 2);
  sums.add(tensor_f32({3, 2}, {1, 2, 3, 4, 5, 6}), {4, 0, -1});
  sums.add(tensor_f32({1, 2}, {10, 20}), {4});
  const auto into = tensor_f32({5, 2}, std::vector<float>(10, 1.0f));
  sums.move_to(into);
  CHECK(values(into) == std::vector<float>{4, 5, 1, 1, 1, 1, 1, 1, 12, 23});
  sums.move_to(into);  // empty now
  CHECK(values(into) == std::vector<float>{4, 5, 1, 1, 1, 1, 1, 1, 12, 23});
  sums.add(tensor_f32({1, 2}, {1, 1}), {4});  // and starts from 0 again
  sums.move_to(into);
  CHECK(values(into) == std::vector<float>{4, 5, 1, 1, 1, 1, 1, 1, 13, 24});
}

TEST_CASE("touched rows get the bits of a dense sum, however the calls are cut, and memory follows the touched rows", "[sparse_rows]") {
  const int64_t rows = 1000, width = 33, count = 200;
  const auto x = random_f32({count, width}, 1);
  std::vector<int64_t> names;
  for (int64_t n = 0; n < count; ++n) names.push_back(n * n % 83 - 1);
  const auto dense = kernels::zeros_f32({rows, width});
  kernels::scatter_add_rows(x, names.data(), dense);
  for (const int64_t cut : {1, 7, 200}) {
    SparseRows sums(rows, width);
    for (int64_t n = 0; n < count; n += cut) {
      const int64_t size = std::min(cut, count - n);
      sums.add(x.narrow(0, n, size), {names.begin() + n, names.begin() + n + size});
    }
    const auto got = kernels::zeros_f32({rows, width});
    sums.move_to(got);
    REQUIRE(same_bits(got, dense));
    REQUIRE(sums.bytes() <= 83 * width * 4 * 3 / 2);
  }
}
