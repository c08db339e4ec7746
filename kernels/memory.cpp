#include "kernels/memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>

#include "kernels/error.h"

namespace kernels {
namespace {

constexpr int64_t kSmall = 64 << 10;        // below this the C library's free lists serve as well
constexpr int64_t kHugePage = 2 << 20;
constexpr int64_t kWaitingAtLeast = 64 << 20;
constexpr int64_t kWeightRegion = 32 << 20;

int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// `bytes` is a multiple of the page size. Starts at a huge page where one fits in.
std::byte* map_region(int64_t bytes) {
  const int64_t slack = bytes >= kHugePage ? kHugePage : 0;
  void* mapped = mmap(nullptr, static_cast<size_t>(bytes + slack), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) fail("out of memory: the system gives no block of {} bytes. Lower the batch or cache sizes.", bytes);
  auto* first = static_cast<std::byte*>(mapped);
  const int64_t skip = slack == 0 ? 0 : round_up(static_cast<int64_t>(reinterpret_cast<uintptr_t>(first)), kHugePage) -
                                            static_cast<int64_t>(reinterpret_cast<uintptr_t>(first));
  if (skip > 0) munmap(first, static_cast<size_t>(skip));
  if (slack > skip) munmap(first + skip + bytes, static_cast<size_t>(slack - skip));
#if defined(MADV_HUGEPAGE)
  if (slack > 0) madvise(first + skip, static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
  return first + skip;
}

void unmap_region(std::byte* region, int64_t bytes) { munmap(region, static_cast<size_t>(bytes)); }

// Freed blocks by size, the oldest given back first.
class Blocks {
 public:
  std::byte* take(int64_t wanted) {
    const int64_t bytes = round_up(wanted, kSmall);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = waiting_.lower_bound(bytes);
    std::byte* block = nullptr;
    int64_t size = bytes;
    if (found != waiting_.end() && found->first <= bytes + bytes / 8) {
      size = found->first;
      block = leave(found);
    } else if (found != waiting_.end() && found->first - round_up(bytes, kHugePage) >= kHugePage) {
      size = round_up(bytes, kHugePage);
      const int64_t rest = found->first - size;
      block = leave(found);
      wait(block + size, rest);
    } else {
      block = map_region(bytes);
    }
    counts_.used += size;
    sizes_[block] = size;
    counts_.peak = std::max(counts_.peak, counts_.used);
    drop_surplus();
    return block;
  }

  void give(std::byte* block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto entry = sizes_.find(block);
    const int64_t size = entry->second;
    sizes_.erase(entry);
    counts_.used -= size;
    wait(block, size);
    drop_surplus();
  }

  BlockCounts counts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }

 private:
  using Ages = std::list<std::byte*>;

  void wait(std::byte* block, int64_t size) {
    waiting_.emplace(size, ages_.insert(ages_.end(), block));
    counts_.waiting += size;
  }

  std::byte* leave(std::multimap<int64_t, Ages::iterator>::iterator entry) {
    std::byte* block = *entry->second;
    counts_.waiting -= entry->first;
    ages_.erase(entry->second);
    waiting_.erase(entry);
    return block;
  }

  void drop_surplus() {
    while (counts_.waiting > kWaitingAtLeast && counts_.used + counts_.waiting > counts_.peak + counts_.peak / 16) {
      const auto oldest = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& e) { return e.second == ages_.begin(); });
      const int64_t size = oldest->first;
      unmap_region(leave(oldest), size);
    }
  }

  std::mutex mutex_;
  std::multimap<int64_t, Ages::iterator> waiting_;
  Ages ages_;
  std::unordered_map<std::byte*, int64_t> sizes_;  // of blocks in use
  BlockCounts counts_;
};

// Never destroyed: tensors of static storage may outlive it.
Blocks& blocks() {
  static Blocks* const the_blocks = new Blocks;
  return *the_blocks;
}

void free_small(void* p) { std::free(p); }
void free_block(void* p) { blocks().give(static_cast<std::byte*>(p)); }

class BlockAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    const auto bytes = static_cast<int64_t>(size);
    if (bytes == 0) return {nullptr, nullptr, &c10::detail::deleteNothing, at::Device(at::DeviceType::CPU)};
    if (bytes >= kSmall) {
      std::byte* block = blocks().take(bytes);
      return {block, block, &free_block, at::Device(at::DeviceType::CPU)};
    }
    void* small = std::aligned_alloc(64, static_cast<size_t>(round_up(bytes, 64)));
    if (!small) fail("out of memory: no block of {} bytes.", bytes);
    return {small, small, &free_small, at::Device(at::DeviceType::CPU)};
  }
  void copy_data(void* to, const void* from, std::size_t count) const override { std::memcpy(to, from, count); }
};

struct Region {
  explicit Region(int64_t size) : data(map_region(size)), bytes(size) {}
  ~Region() { unmap_region(data, bytes); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  std::byte* data;
  int64_t bytes, used = 0;
};

}  // namespace

void use_block_allocator() {
  static BlockAllocator allocator;
  static const bool set = (c10::SetCPUAllocator(&allocator, 1), true);
  (void)set;
}

std::shared_ptr<std::byte> weight_memory(int64_t bytes) {
  static std::mutex mutex;
  static std::weak_ptr<Region> open;  // the region that still has room
  const int64_t size = round_up(bytes, 64);
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<Region> region = open.lock();
  if (!region || region->used + size > region->bytes) {
    const bool alone = size > kWeightRegion / 4;
    region = std::make_shared<Region>(alone ? round_up(size, 4096) : kWeightRegion);
    if (!alone) open = region;
  }
  std::byte* data = region->data + region->used;
  region->used += size;
  return {std::move(region), data};
}

BlockCounts block_counts() { return blocks().counts(); }

}  // namespace kernels
