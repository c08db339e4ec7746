#include "rollout/page_pool.h"

#include <limits>

#include "kernels/error.h"

namespace rollout {

PagePool::PagePool(int64_t pages) {
  if (pages < 0 || pages > std::numeric_limits<int32_t>::max())
    kernels::fail("page pool: {} pages were asked for; the count must be in [0, 2^31).", pages);
  references_.assign(static_cast<size_t>(pages), 0);
  free_.resize(static_cast<size_t>(pages));
  for (int64_t i = 0; i < pages; ++i) free_[static_cast<size_t>(i)] = static_cast<int32_t>(pages - 1 - i);
}

int32_t PagePool::allocate() {
  if (free_.empty()) return none;
  const int32_t page = free_.back();
  free_.pop_back();
  references_[static_cast<size_t>(page)] = 1;
  return page;
}

int32_t& PagePool::live(int32_t page) {
  if (page < 0 || page >= size() || references_[static_cast<size_t>(page)] == 0)
    kernels::fail("page pool: page {} of {} is not in use.", page, size());
  return references_[static_cast<size_t>(page)];
}

void PagePool::share(int32_t page) { ++live(page); }

void PagePool::release(int32_t page) {
  if (--live(page) == 0) free_.push_back(page);
}

int64_t PagePool::references(int32_t page) const { return references_.at(static_cast<size_t>(page)); }

}  // namespace rollout
