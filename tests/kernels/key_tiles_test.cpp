// The storage of keys and values: where rows go, how they are rounded, and rope on the way.
#include "kernels/attention.h"
#include "kernels/isa/table.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

using namespace kernels;
using testing::random_f32;
using testing::same_bits;

TEST_CASE("row r is vector r % 16 of tile r / 16, head by head", "[key_tiles]") {
  // Two heads of two elements: row 18 is vector 2 of tile 1, so head 1's begins at ((1 * 2 + 1) * 16 + 2) * 2 = 100.
  const at::Tensor x = empty_f32({1, 2, 2});
  for (int i = 0; i < 4; ++i) f32(x)[i] = static_cast<float>(i + 1);
  const at::Tensor tiles = make_key_tiles(Dtype::float32, 20, 2, 2);
  REQUIRE(tiles.numel() == 2 * 2 * 16 * 2);
  tiles.zero_();
  const int64_t rows[] = {18};
  store_key_rows(x, rows, tiles);
  CHECK(f32(tiles)[100] == 3.0f);
  CHECK(f32(tiles)[101] == 4.0f);
  CHECK(f32(tiles)[68] == 1.0f);  // head 0: (1 * 2 * 16 + 2) * 2
  float sum = 0;
  for (int64_t i = 0; i < tiles.numel(); ++i) sum += f32(tiles)[i];
  CHECK(sum == 10.0f);  // nothing else was written
}

TEST_CASE("stored keys are rounded to the storage's dtype", "[key_tiles]") {
  const at::Tensor x = empty_f32({1, 1, 1}), tiles = make_key_tiles(Dtype::bf16, 1, 1, 1);
  f32(x)[0] = 1.0f + 3.0f / 256;  // half way up from 1 + 1/128: to the even 1 + 2/128
  const int64_t row[] = {0};
  store_key_rows(x, row, tiles);
  CHECK(f32(widened(tiles))[0] == 1.015625f);
}

TEST_CASE("rope on the way to the storage is rope, then the storage, bit for bit", "[key_tiles]") {
  const RopeTable table = make_rope_table({1.0, 0.1, 0.01}, 100, false);
  for (Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const at::Tensor x = random_f32({40, 2, 10}, 1), y = random_f32({40, 2, 10}, 1);
    std::vector<int32_t> positions;
    std::vector<int64_t> rows;
    for (int i = 0; i < 40; ++i) positions.push_back(99 - i), rows.push_back((i * 7) % 40);
    const at::Tensor one = make_key_tiles(dtype, 40, 2, 10), two = make_key_tiles(dtype, 40, 2, 10);
    one.zero_(), two.zero_();
    rope_and_store_key_rows(x, positions.data(), table, 4, rows.data(), one);
    rope_in_place(y, positions.data(), table, 4);
    store_key_rows(y, rows.data(), two);
    CHECK(same_bits(widened(one), widened(two)));
    CHECK(same_bits(x, y));
  }
}

TEST_CASE("a row that is not in the storage is refused", "[key_tiles]") {
  const at::Tensor x = empty_f32({1, 1, 4}), tiles = make_key_tiles(Dtype::float32, 16, 1, 4);
  for (const int64_t row : {int64_t{-1}, int64_t{16}})
    CHECK_THROWS_WITH(store_key_rows(x, &row, tiles), Catch::Contains("storage of 16 rows"));
  const int64_t row = 0;
  CHECK_THROWS_WITH(store_key_rows(empty_f32({1, 2, 4}), &row, tiles), Catch::Contains("[rows, 1, 4]"));
}
