// Weights in the layout that the products read: panels of 64 outputs, bf16 [in / 2][64][2] or float32 [in][64].
#include "kernels/packed_weight.h"

#include <algorithm>
#include <cstring>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/linear.h"
#include "kernels/memory.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

constexpr int64_t kPanel = 64;

// Inputs of one tile of a panel: runs are long enough for the memory's prefetcher, and what was read is still in the
// second-level cache when the panel is written, in one ascending stream.
constexpr int64_t kTileIn = 512;
constexpr int64_t kTileStride = kTileIn + 32;  // not a power of two: the rows of a tile then use different cache sets
constexpr int64_t kBlock = 16;                 // columns turned at a time: 4 KB of the panel

// Where one panel of a job goes.
struct Panel {
  const PackJob* job;
  int64_t matrix, first;  // first output
  std::byte* to;
};

// Rows of the stored matrix are outputs.
void pack_outputs(const Panel& p) {
  const CpuKernels& cpu = cpu_kernels();
  const MatrixView& shape = p.job->shape;
  const bool bf16 = p.job->into->dtype() == Dtype::bf16;
  const int64_t element = bytes_of(p.job->into->dtype()), pair = bf16 ? 2 : 1;  // a pair moves as one
  const int64_t outputs = std::min(kPanel, shape.out - p.first);
  alignas(64) float run[kTileIn];
  alignas(64) std::byte tile[kPanel * kTileStride * sizeof(float)];
  if (outputs < kPanel) std::memset(tile, 0, sizeof tile);
  for (int64_t k = 0; k < shape.in; k += kTileIn) {
    const int64_t columns = std::min(kTileIn, shape.in - k);
    for (int64_t r = 0; r < outputs; ++r) {
      const int64_t at = p.matrix * shape.count_stride + (p.first + r) * shape.out_stride + k;
      std::byte* row = tile + r * kTileStride * element;
      if (bf16 && p.job->read.has_bf16()) {
        std::memcpy(row, p.job->read.bf16(at, columns), static_cast<size_t>(columns) * 2);
        continue;
      }
      const float* values = p.job->read(at, columns, run);
      if (bf16) cpu.round_to_bf16(values, reinterpret_cast<uint16_t*>(row), columns);
      else std::memcpy(row, values, static_cast<size_t>(columns * element));
    }
    for (int64_t c = 0; c < columns / pair; c += kBlock)
      cpu.transpose_u32(reinterpret_cast<const uint32_t*>(tile) + c, kTileStride / pair, kPanel, std::min(kBlock, columns / pair - c),
                        reinterpret_cast<uint32_t*>(p.to) + (k / pair + c) * kPanel, kPanel);
  }
}

// Rows of the stored matrix are inputs (MLA's key half).
void pack_inputs(const Panel& p) {
  const CpuKernels& cpu = cpu_kernels();
  const MatrixView& shape = p.job->shape;
  const int64_t outputs = std::min(kPanel, shape.out - p.first);
  const auto row = [&](int64_t k, float* run) {
    return p.job->read(p.matrix * shape.count_stride + p.first + k * shape.in_stride, outputs, run);
  };
  alignas(64) float run[kPanel];
  if (p.job->into->dtype() == Dtype::float32) {
    auto* to = reinterpret_cast<float*>(p.to);
    for (int64_t k = 0; k < shape.in; ++k, to += kPanel) {
      std::memset(to, 0, kPanel * sizeof(float));
      std::memcpy(to, row(k, run), static_cast<size_t>(outputs) * sizeof(float));
    }
    return;
  }
  uint16_t pair[2 * kPanel] = {};
  auto* to = reinterpret_cast<uint16_t*>(p.to);
  for (int64_t k = 0; k < shape.in; k += 2, to += 2 * kPanel) {
    cpu.round_to_bf16(row(k, run), pair, outputs);
    cpu.round_to_bf16(row(k + 1, run), pair + kPanel, outputs);
    cpu.pair_rows_bf16(pair, kPanel, 2, kPanel, to);
  }
}

// A row lies across its panel: a pair of elements (bf16), or one, in each 256 bytes.
void embedding_row(const PackedWeight& w, int64_t id, float* y) {
  const std::byte* panel = w.panels(0) + id / kPanel * kPanel * w.in() * bytes_of(w.dtype());
  const int64_t lane = id % kPanel;
  if (w.dtype() == Dtype::float32) {
    const auto* from = reinterpret_cast<const float*>(panel) + lane;
    for (int64_t k = 0; k < w.in(); ++k) y[k] = from[k * kPanel];
    return;
  }
  const auto* from = reinterpret_cast<const uint16_t*>(panel) + 2 * lane;
  for (int64_t k = 0; k < w.in(); ++k) {
    const uint32_t bits = static_cast<uint32_t>(from[k / 2 * 2 * kPanel + k % 2]) << 16;
    std::memcpy(y + k, &bits, 4);
  }
}

}  // namespace

ReadRun ReadRun::from(int64_t offset) const {
  Values values = [read = values_, offset](int64_t first, int64_t count, float* scratch) {
    return read(offset + first, count, scratch);
  };
  if (!bits_) return values;
  return {std::move(values), [read = bits_, offset](int64_t first, int64_t count) { return read(offset + first, count); }};
}

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

void pack(const std::vector<PackJob>& jobs) {
  for (const PackJob& job : jobs) {
    const PackedWeight& w = *job.into;
    if (job.shape.count != w.count() || job.shape.out != w.out() || job.shape.in != w.in())
      fail("PackedWeight: packing [{}, {}, {}] into [{}, {}, {}].", job.shape.count, job.shape.out, job.shape.in, w.count(), w.out(),
           w.in());
  }
  // A thread packs the part of each matrix that it will read when few rows are multiplied, see linear.cpp: what it writes first
  // lies in the memory next to it (in pages of 2 MB: of smaller matrices all parts lie together). parallel_runs deals equal
  // counts, so short shares end with nothing.
  const int64_t shares = threads();
  std::vector<std::vector<Panel>> parts(static_cast<size_t>(shares));
  size_t longest = 0;
  for (int64_t share = 0; share < shares; ++share) {
    auto& part = parts[static_cast<size_t>(share)];
    for (const PackJob& job : jobs)
      for (int64_t matrix = 0; matrix < job.into->count(); ++matrix) {
        const PackedWeight& w = *job.into;
        for (int64_t p = w.panel_count() * share / shares; p < w.panel_count() * (share + 1) / shares; ++p)
          part.push_back({&job, matrix, p * kPanel, const_cast<std::byte*>(w.panels(matrix)) + p * kPanel * w.in() * bytes_of(w.dtype())});
      }
    longest = std::max(longest, part.size());
  }
  parallel_runs(static_cast<int64_t>(longest) * shares, [&](int64_t i, int64_t) {
    const auto& part = parts[static_cast<size_t>(i) / longest];
    if (static_cast<size_t>(i) % longest >= part.size()) return;
    const Panel& panel = part[static_cast<size_t>(i) % longest];
    if (panel.job->shape.in_stride == 1) pack_outputs(panel);
    else pack_inputs(panel);
  });
}

void PackedWeight::pack(const MatrixView& source) {
  kernels::pack({{this, source, [&](int64_t first, int64_t, float*) { return source.data + first; }}});
}

at::Tensor embedding(const PackedWeight& w, const int32_t* ids, int64_t count) {
  at::Tensor out = empty_f32({count, w.in()});
  float* y = f32(out);
  for (int64_t n = 0; n < count; ++n)
    if (ids[n] < 0 || ids[n] >= w.out()) fail("embedding: token id {} in row {} is outside [0, {}).", ids[n], n, w.out());
  parallel_ranges(count, 4, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) embedding_row(w, ids[n], y + n * w.in());
  });
  return out;
}

}  // namespace kernels
