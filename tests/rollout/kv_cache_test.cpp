#include "rollout/kv_cache.h"

#include "kernels/error.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

using kernels::Dtype;
using rollout::KvCache;

TEST_CASE("the cache holds as many pages as its bytes allow, and not one more", "[kv_cache]") {
  // GQA: 2 layers * (16 + 16) elements * 4 bytes * 16 rows = 4,096 bytes a page. MLA: 2 * (16 + 8) * 2 * 16 = 1,536.
  CHECK(KvCache(toy::dense(), Dtype::float32, 40960, 1000).pages().size() == 10);
  CHECK(KvCache(toy::dense(), Dtype::float32, 40959, 1000).pages().size() == 9);
  CHECK(KvCache(toy::mla_moe(), Dtype::bf16, 1536, 1000).pages().size() == 1);
  CHECK(KvCache(toy::dense(), Dtype::float32, 1 << 30, 12).pages().size() == 12);
  const KvCache cache(toy::dense(), Dtype::float32, 40959, 1000);
  CHECK(cache.bytes() == 9 * 4096);
}

TEST_CASE("the storage takes the bytes that the pages count", "[kv_cache]") {
  for (const auto& config : {toy::dense(), toy::mla_moe()}) {
    KvCache cache(config, Dtype::bf16, 1 << 20, 7);
    int64_t bytes = 0;
    for (const auto& tensors : {cache.storage().keys, cache.storage().values})
      for (const at::Tensor& t : tensors)
        if (t.defined()) bytes += t.numel() * t.element_size();
    CHECK(bytes == cache.bytes());
  }
}

TEST_CASE("a cache without room for one page is refused, with both sizes", "[kv_cache]") {
  CHECK_THROWS_AS(KvCache(toy::dense(), Dtype::float32, 4095, 1000), kernels::UsageError);
  CHECK_THROWS_WITH(KvCache(toy::dense(), Dtype::float32, 4095, 1000), Catch::Contains("4095") && Catch::Contains("4096"));
}

TEST_CASE("a copied page has the first rows of the other in every layer, and keeps its own rest", "[kv_cache]") {
  KvCache cache(toy::dense(), Dtype::float32, 40960, 1000);
  // 10 pages of 16 rows of 2 heads of 8: element e of a page is of row e / 8 % 16, whatever its head.
  const auto filled = [](size_t layer, int64_t page, int64_t row) { return static_cast<float>(1000 * static_cast<int64_t>(layer) + 16 * page + row); };
  for (const auto& tensors : {cache.storage().keys, cache.storage().values})
    for (size_t layer = 0; layer < tensors.size(); ++layer)
      for (int64_t e = 0; e < 10 * 256; ++e) kernels::f32(tensors[layer])[e] = filled(layer, e / 256, e / 8 % 16);
  cache.copy({2, 5, 3});
  for (const auto& tensors : {cache.storage().keys, cache.storage().values})
    for (size_t layer = 0; layer < tensors.size(); ++layer)
      for (int64_t e = 0; e < 10 * 256; ++e) {
        const int64_t page = e / 256, row = e / 8 % 16;
        REQUIRE(kernels::f32(tensors[layer])[e] == filled(layer, page == 5 && row < 3 ? 2 : page, row));
      }
}

TEST_CASE("the storage can be given back when no page is in use, and comes again", "[kv_cache]") {
  KvCache cache(toy::dense(), Dtype::float32, 40960, 1000);
  cache.storage();
  const int32_t page = cache.pages().allocate();
  CHECK_THROWS_AS(cache.release_storage(), kernels::Error);
  cache.pages().release(page);
  cache.release_storage();
  CHECK(cache.storage().keys.size() == 2);
}
