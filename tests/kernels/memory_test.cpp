// The block allocator behind tensors, and the regions behind weights.
#include "kernels/memory.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/tensor.h"
#include "tests/support/catch.h"

using namespace kernels;

namespace {

constexpr int64_t kMegabyte = 1 << 20;

bool aligned(const void* p, uintptr_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

}  // namespace

TEST_CASE("a freed block serves the next tensor of its size, and blocks of huge pages begin at one", "[memory]") {
  const int64_t floats = 3 * kMegabyte / 4;
  at::Tensor x = empty_f32({floats});
  const float* first = f32(x);
  CHECK(aligned(first, 2 * kMegabyte));
  const BlockCounts with = block_counts();
  x.reset();
  const BlockCounts without = block_counts();
  CHECK(with.used - without.used == 3 * kMegabyte);
  CHECK(without.waiting - with.waiting == 3 * kMegabyte);
  x = empty_f32({floats - 1000});  // a little smaller: the same block
  CHECK(f32(x) == first);
  const at::Tensor half = empty_f32({floats / 2});  // much smaller: another
  CHECK(f32(half) != first);
}

TEST_CASE("what waits adds at most a sixteenth, or 64 MB, to the most that was ever in use", "[memory]") {
  const auto make = [&](int64_t megabytes) {
    at::Tensor x = empty_f32({megabytes * kMegabyte / 4});
    const BlockCounts counts = block_counts();
    CHECK(counts.used + counts.waiting <= std::max(counts.peak + counts.peak / 16, counts.used + 64 * kMegabyte));
    return x;
  };
  {
    std::vector<at::Tensor> many;
    for (int i = 0; i < 30; ++i) many.push_back(make(5 + i));
  }
  CHECK(block_counts().waiting >= 585 * kMegabyte);  // 5 + 6 + .. + 34: all of it may be wanted again
  for (int i = 0; i < 30; ++i) make(36 + 7 * i);     // none fits: old ones make room
}

TEST_CASE("a large block that waits is cut for a smaller tensor", "[memory]") {
  at::Tensor large = empty_f32({2001 * kMegabyte / 4});  // never touched, so it costs nothing
  const float* first = f32(large);
  large.reset();
  const int64_t before = block_counts().used;
  const at::Tensor small = empty_f32({1501 * kMegabyte / 4});
  CHECK(f32(small) == first);
  CHECK(block_counts().used - before == 1502 * kMegabyte);  // whole huge pages
}

TEST_CASE("small tensors and empty ones work as before", "[memory]") {
  const BlockCounts before = block_counts();
  const at::Tensor small = zeros_f32({100}), none = empty_f32({0});
  CHECK(aligned(f32(small), 64));
  CHECK(none.numel() == 0);
  CHECK(block_counts().used == before.used);
}

TEST_CASE("weights share a region, do not overlap, and keep it alive", "[memory]") {
  std::vector<std::pair<std::shared_ptr<std::byte>, int64_t>> weights;
  for (const int64_t bytes : {1, 64, 1000, 300000, 9 * 1000 * 1000, 40 * 1000 * 1000, 77}) weights.push_back({weight_memory(bytes), bytes});
  for (size_t i = 0; i < weights.size(); ++i) {
    CHECK(aligned(weights[i].first.get(), 64));
    std::memset(weights[i].first.get(), static_cast<int>(i), static_cast<size_t>(weights[i].second));
  }
  weights.erase(weights.begin());
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto [memory, bytes] = weights[i];
    CHECK(static_cast<int>(memory.get()[0]) == static_cast<int>(i) + 1);
    CHECK(static_cast<int>(memory.get()[bytes - 1]) == static_cast<int>(i) + 1);
  }
}
