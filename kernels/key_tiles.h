// Where attention finds keys and values: tiles of 16 rows, [R / 16, K, 16, d]. Row r is vector r % 16 of tile r / 16, and
// the 16 vectors of a head lie side by side, as attention reads them. A cache's page is a tile.
#pragma once

#include "kernels/rope.h"
#include "kernels/tensor.h"

namespace kernels {

inline constexpr int64_t key_tile = 16;

at::Tensor make_key_tiles(Dtype dtype, int64_t rows, int64_t key_heads, int64_t dim);  // for at least `rows` rows

// Writes x float32 [N, K, d] to the storage rows[n] of `tiles`, rounded to its dtype. Throws Error if a row is not in it.
void store_key_rows(const at::Tensor& x, const int64_t* rows, const at::Tensor& tiles);
// rope_in_place (rope.h) and store_key_rows in one pass: x is turned in place and written.
void rope_and_store_key_rows(const at::Tensor& x, const int32_t* positions, const RopeTable& table, int64_t offset,
                             const int64_t* rows, const at::Tensor& tiles);

}  // namespace kernels
