// Where packing puts each element, for rows that are outputs and rows that are inputs.
#include "kernels/packed_weight.h"

#include <cstring>
#include <vector>

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

TEST_CASE("bits that lie in memory as bf16 are packed as their values would be, whatever they are", "[packed_weight]") {
  // Every pattern of 16 bits; a signalling NaN, which the way over float32 makes quiet, is replaced by 1.
  std::vector<uint16_t> bits(1 << 16);
  std::vector<float> values(bits.size());
  for (size_t i = 0; i < bits.size(); ++i) {
    const bool signalling = (i & 0x7f80) == 0x7f80 && (i & 0x7f) != 0 && (i & 0x40) == 0;
    bits[i] = signalling ? 0x3f80 : static_cast<uint16_t>(i);
    const uint32_t wide = static_cast<uint32_t>(bits[i]) << 16;
    std::memcpy(&values[i], &wide, 4);
  }
  const auto value_at = [&](int64_t first, int64_t, float*) -> const float* { return values.data() + first; };
  const auto bits_at = [&](int64_t first, int64_t) -> const uint16_t* { return bits.data() + first; };
  const int64_t out = 71, in = 902, offset = 1000;  // 71 * 902 + 1000 elements of 65,536; a part of a panel and of a tile
  for (const Dtype dtype : {Dtype::bf16, Dtype::float32}) {
    PackedWeight by_values(dtype, 1, out, in), by_bits(dtype, 1, out, in);
    const auto shape = kernels::matrix_view(nullptr, out, in);
    kernels::pack({{&by_values, shape, kernels::ReadRun(value_at).from(offset)}});
    kernels::pack({{&by_bits, shape, kernels::ReadRun(value_at, bits_at).from(offset)}});
    CHECK(std::memcmp(by_values.panels(0), by_bits.panels(0), static_cast<size_t>(by_values.bytes())) == 0);
  }
}
