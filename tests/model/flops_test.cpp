#include "model/flops.h"

#include "tests/model/small_models.h"
#include "tests/support/catch.h"

namespace {

// Rows at positions first.. in one segment each.
model::TokenBatch batch_of(const std::vector<std::pair<int64_t, int64_t>>& first_and_rows, int64_t heads) {
  model::TokenBatch batch;
  for (const auto& [first, rows] : first_and_rows) {
    kernels::AttentionSegment segment;
    segment.first_row = batch.rows(), segment.rows = rows, segment.first_position = first;
    batch.segments.push_back(segment);
    batch.tokens.resize(batch.tokens.size() + static_cast<size_t>(rows));
  }
  batch.head_rows.resize(static_cast<size_t>(heads));
  return batch;
}

}  // namespace

// A layer of small_llama: queries 16 x 16, keys and values 16 x 8 each, output 16 x 16, three matrices 16 x 32, two norms of 16:
// 256 + 128 + 128 + 256 + 1536 + 32 = 2336. Two layers and the last norm: 4688, so 9376 a row. The head: 2 x 24 x 16 = 768.
// Three rows see 1 + 2 + 3 = 6 keys, two rows after three others 4 + 5 = 9; a key costs 2 x 4 heads x (4 + 4) = 64 a layer.
TEST_CASE("a forward pass of 5 rows, 15 keys seen and 2 head rows, by hand", "[flops]") {
  const model::FlopCounter counter(golden::small_llama());
  const auto flops = counter.forward(batch_of({{0, 3}, {3, 2}}, 2));
  REQUIRE(flops.body == 5 * 9376);
  REQUIRE(flops.attention == 2 * 64 * 15);
  REQUIRE(flops.head == 2 * 768);
  REQUIRE(flops.total() == 46880 + 1920 + 1536);
}

TEST_CASE("the backward pass counts twice the forward pass, and a block that runs again its own", "[flops]") {
  const model::FlopCounter counter(golden::small_llama());
  const auto batch = batch_of({{0, 3}, {3, 2}}, 2);
  REQUIRE(counter.training(batch, 0) == 3 * 50336);
  REQUIRE(counter.training(batch, 1) == 3 * 50336 + (46880 + 1920) / 2);  // one of two blocks, without the head
}

// Of the backward pass's 50336 x 2 the frozen products' weight gradients fall away: 46880 + 1536. Attention's 1920 x 2 stay.
TEST_CASE("frozen weights get no gradient of their own", "[flops]") {
  const model::FlopCounter counter(golden::small_llama(), /*frozen=*/true);
  REQUIRE(counter.training(batch_of({{0, 3}, {3, 2}}, 2), 0) == 50336 + 48416 + 3840);
}

// With a window of 2 the first three rows see 1 + 2 + 2 keys and the others 2 each: 9. The second layer sees all 15.
TEST_CASE("a window bounds the keys of the layers that have one", "[flops]") {
  auto config = golden::small_llama();
  config.window = 2, config.full_layers = {1};
  REQUIRE(model::FlopCounter(config).forward(batch_of({{0, 3}, {3, 2}}, 0)).attention == 64 * (9 + 15));
}

// Four experts of which two work: 3 x 16 x 8 entries each, in two of three layers. MLA: 2 x 4 heads x (4 + 2 + 6) = 96.
TEST_CASE("experts that a token does not visit cost nothing, and MLA is counted with whole heads", "[flops]") {
  auto moe = golden::small_qwen3_moe();
  const double half = model::FlopCounter(moe).forward(batch_of({{0, 1}}, 0)).body;
  moe.router.active = 4;
  REQUIRE(model::FlopCounter(moe).forward(batch_of({{0, 1}}, 0)).body - half == 2.0 * 2 * 2 * 3 * 16 * 8);
  REQUIRE(model::FlopCounter(golden::small_deepseek_v3()).forward(batch_of({{0, 1}}, 0)).attention == 96 * 2);
}
