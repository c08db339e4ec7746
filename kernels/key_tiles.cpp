#include "kernels/key_tiles.h"

#include <algorithm>

#include "kernels/error.h"
#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"

namespace kernels {
namespace {

// Turns row n of x before it is stored; does nothing by default.
struct NoTurn {
  void operator()(int64_t) const {}
};

template <typename Turn>
void store(const at::Tensor& x, const int64_t* rows, const at::Tensor& tiles, const Turn& turn) {
  const int64_t heads = tiles.size(1), dim = tiles.size(3), storage_rows = tiles.size(0) * key_tile;
  if (x.dim() != 3 || x.size(1) != heads || x.size(2) != dim) fail("store_key_rows: x must be [rows, {}, {}].", heads, dim);
  for (int64_t n = 0; n < x.size(0); ++n)
    if (rows[n] < 0 || rows[n] >= storage_rows) fail("store_key_rows: row {} of a storage of {} rows.", rows[n], storage_rows);
  const CpuKernels& cpu = cpu_kernels();
  const float* from = f32(x);
  const bool narrow = dtype_of(tiles) == Dtype::bf16;
  uint16_t* to_bf16 = narrow ? bf16(tiles) : nullptr;
  float* to_f32 = narrow ? nullptr : f32(tiles);
  parallel_ranges(x.size(0), 8192 / (heads * dim) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      turn(n);
      for (int64_t h = 0; h < heads; ++h) {
        const int64_t at = ((rows[n] / key_tile * heads + h) * key_tile + rows[n] % key_tile) * dim;
        const float* vector = from + (n * heads + h) * dim;
        if (narrow) cpu.round_to_bf16(vector, to_bf16 + at, dim);
        else std::copy_n(vector, dim, to_f32 + at);
      }
    }
  });
}

}  // namespace

at::Tensor make_key_tiles(Dtype dtype, int64_t rows, int64_t key_heads, int64_t dim) {
  return empty_of(dtype, {(rows + key_tile - 1) / key_tile, key_heads, key_tile, dim});
}

void store_key_rows(const at::Tensor& x, const int64_t* rows, const at::Tensor& tiles) { store(x, rows, tiles, NoTurn()); }

void rope_and_store_key_rows(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset,
                             const int64_t* rows, const at::Tensor& tiles) {
  const RopeTurn turn(x, positions, table, offset, false);
  store(x, rows, tiles, turn);
}

}  // namespace kernels
