// Weights in the layout that the products read: panels of 64 outputs, bf16 [in / 2][64][2] or float32 [in][64].
#include <cstring>

#include "kernels/error.h"
#include "kernels/linear.h"
#include "kernels/memory.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kPanel = 64;

uint16_t to_bf16(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  if (x != x) return static_cast<uint16_t>((u >> 16) | 0x40);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

}  // namespace

MatrixView matrix_view(float* data, int64_t out, int64_t in) { return {data, 1, out, in, out * in, in, 1}; }
MatrixView matrix_view(float* data, int64_t count, int64_t out, int64_t in) { return {data, count, out, in, out * in, in, 1}; }

PackedWeight::PackedWeight(Dtype dtype, int64_t count, int64_t out, int64_t in) : dtype_(dtype), count_(count), out_(out), in_(in) {
  if (count <= 0 || out <= 0 || in <= 0) fail("PackedWeight: count {}, out {}, in {}; all must be positive.", count, out, in);
  if (dtype == Dtype::bf16 && in % 2 != 0) fail("PackedWeight: in is {}; bf16 products take elements in pairs, so it must be even.", in);
  data_ = weight_memory(bytes());
}

int64_t PackedWeight::bytes() const { return count_ * panel_count() * kPanel * in_ * bytes_of(dtype_); }

const std::byte* PackedWeight::panels(int64_t matrix) const {
  return data_.get() + matrix * panel_count() * kPanel * in_ * bytes_of(dtype_);
}

PackedWeight PackedWeight::rows(int64_t first, int64_t count) const {
  const int64_t end = first + count;
  if (first < 0 || count <= 0 || end > out_ || first % kPanel != 0 || (end % kPanel != 0 && end != out_))
    fail("PackedWeight: rows [{}, {}) of {} are no whole panels of {}.", first, end, out_, kPanel);
  PackedWeight part = *this;
  part.count_ = 1;
  part.out_ = count;
  part.data_ = std::shared_ptr<std::byte>(data_, data_.get() + first * in_ * bytes_of(dtype_));
  return part;
}

void PackedWeight::pack(const MatrixView& source) {
  if (source.count != count_ || source.out != out_ || source.in != in_)
    fail("PackedWeight: packing [{}, {}, {}] into [{}, {}, {}].", source.count, source.out, source.in, count_, out_, in_);
  parallel_for(count_ * panel_count(), [&](int64_t i) {
    const int64_t matrix = i / panel_count(), first = i % panel_count() * kPanel;
    std::byte* panel = const_cast<std::byte*>(panels(matrix)) + first * in_ * bytes_of(dtype_);
    for (int64_t j = 0; j < kPanel; ++j) {
      const float* row = first + j < out_ ? source.data + matrix * source.count_stride + (first + j) * source.out_stride : nullptr;
      if (dtype_ == Dtype::bf16) {
        auto* to = reinterpret_cast<uint16_t*>(panel) + 2 * j;
        for (int64_t k = 0; k < in_; k += 2, to += 2 * kPanel) {
          to[0] = row ? to_bf16(row[k * source.in_stride]) : 0;
          to[1] = row ? to_bf16(row[(k + 1) * source.in_stride]) : 0;
        }
      } else {
        auto* to = reinterpret_cast<float*>(panel) + j;
        for (int64_t k = 0; k < in_; ++k, to += kPanel) *to = row ? row[k * source.in_stride] : 0.0f;
      }
    }
  });
}

at::Tensor embedding(const PackedWeight& w, const int32_t* ids, int64_t count) {
  at::Tensor out = empty_f32({count, w.in()});
  float* y = f32(out);
  for (int64_t n = 0; n < count; ++n) {
    if (ids[n] < 0 || ids[n] >= w.out()) fail("embedding: token id {} in row {} is outside [0, {}).", ids[n], n, w.out());
    const int64_t panel = ids[n] / kPanel, lane = ids[n] % kPanel;
    const std::byte* from = w.panels(0) + panel * kPanel * w.in() * bytes_of(w.dtype());
    for (int64_t k = 0; k < w.in(); ++k) {
      if (w.dtype() == Dtype::bf16) {
        const uint32_t u = static_cast<uint32_t>(reinterpret_cast<const uint16_t*>(from)[(k / 2 * kPanel + lane) * 2 + k % 2]) << 16;
        std::memcpy(y + n * w.in() + k, &u, 4);
      } else {
        y[n * w.in() + k] = reinterpret_cast<const float*>(from)[k * kPanel + lane];
      }
    }
  }
  return out;
}

}  // namespace kernels
