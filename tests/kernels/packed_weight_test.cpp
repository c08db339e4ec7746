// Where packing puts each element, for rows that are outputs and rows that are inputs.
#include "kernels/packed_weight.h"

#include <cstring>

#include "kernels/error.h"
#include "tests/support/catch.h"
#include "tests/support/random_tensor.h"

using kernels::Dtype;
using kernels::PackedWeight;
using testing::random_f32;

namespace {

// Element (c, o, i) of the layout: panels of 64 outputs, bf16 [in / 2][64][2] or float32 [in][64].
float element(const PackedWeight& w, int64_t c, int64_t o, int64_t i) {
  const std::byte* panel = w.panels(c) + o / 64 * 64 * w.in() * kernels::bytes_of(w.dtype());
  float value = 0;
  if (w.dtype() == Dtype::float32) {
    std::memcpy(&value, panel + (i * 64 + o % 64) * 4, 4);
  } else {
    uint16_t half = 0;
    std::memcpy(&half, panel + ((i / 2 * 64 + o % 64) * 2 + i % 2) * 2, 2);
    const uint32_t bits = static_cast<uint32_t>(half) << 16;
    std::memcpy(&value, &bits, 4);
  }
  return value;
}

}  // namespace

TEST_CASE("every element is packed where the products look for it, and a last panel is filled with zeros", "[packed_weight]") {
  struct Case { int64_t count, out, in; };
  for (const auto c : {Case{1, 1, 2}, Case{1, 64, 64}, Case{2, 65, 34}, Case{3, 17, 6}, Case{1, 100, 2050}})
    for (const Dtype dtype : {Dtype::bf16, Dtype::float32})
      for (const bool rows_are_inputs : {false, true}) {
        INFO(c.count << " x " << c.out << " x " << c.in << " " << kernels::name_of(dtype) << ", rows are inputs: " << rows_are_inputs);
        const at::Tensor values = random_f32({c.count, c.out, c.in}, 1);
        auto view = kernels::matrix_view(kernels::f32(values), c.count, c.out, c.in);
        if (rows_are_inputs) view.out_stride = 1, view.in_stride = c.out;
        PackedWeight w(dtype, c.count, c.out, c.in);
        w.pack(view);
        const at::Tensor rounded = kernels::widened(kernels::rounded(values, dtype));
        int64_t wrong = 0;
        for (int64_t m = 0; m < c.count; ++m)
          for (int64_t o = 0; o < w.panel_count() * 64; ++o)
            for (int64_t i = 0; i < c.in; ++i) {
              const int64_t at = m * view.count_stride + o * view.out_stride + i * view.in_stride;
              wrong += element(w, m, o, i) != (o < c.out ? kernels::f32(rounded)[at] : 0.0f);
            }
        REQUIRE(wrong == 0);
      }
}

TEST_CASE("a weight of another size is refused with both sizes", "[packed_weight]") {
  PackedWeight w(Dtype::float32, 1, 3, 4);
  const at::Tensor values = random_f32({4, 3}, 1);
  REQUIRE_THROWS_WITH(w.pack(kernels::matrix_view(kernels::f32(values), 4, 3)), Catch::Contains("[1, 4, 3] into [1, 3, 4]"));
}
