#include "rollout/page_pool.h"

#include <limits>

#include "kernels/error.h"

namespace rollout {

PagePool::PagePool(int64_t pages) {
  if (pages < 0 || pages > std::numeric_limits<int32_t>::max())
    kernels::fail("page pool: {} pages were asked for; the count must be in [0, 2^31).", pages);
  pages_.resize(static_cast<size_t>(pages));
  free_.resize(static_cast<size_t>(pages));
  for (int64_t i = 0; i < pages; ++i) free_[static_cast<size_t>(i)] = static_cast<int32_t>(pages - 1 - i);
}

int32_t PagePool::allocate() {
  int32_t page = none;
  if (!free_.empty()) {
    page = free_.back();
    free_.pop_back();
  } else if (!free_kept_.empty()) {
    page = free_kept_.begin()->page;
    free_kept_.erase(free_kept_.begin());
    pages_[static_cast<size_t>(page)].kept = false;
    if (taken_) taken_(page);
  } else {
    return none;
  }
  pages_[static_cast<size_t>(page)].references = 1;
  return page;
}

PagePool::Page& PagePool::used(int32_t page) {
  if (page < 0 || page >= size() || pages_[static_cast<size_t>(page)].references == 0)
    kernels::fail("page pool: page {} of {} is not in use.", page, size());
  return pages_[static_cast<size_t>(page)];
}

void PagePool::share(int32_t page) {
  if (page >= 0 && page < size() && kept(page) && references(page) == 0) {
    Page& p = pages_[static_cast<size_t>(page)];
    free_kept_.erase({p.freed, page});
    p.references = 1;
    return;
  }
  ++used(page).references;
}

void PagePool::release(int32_t page) {
  Page& p = used(page);
  if (--p.references > 0) return;
  if (!p.kept) return free_.push_back(page);
  p.freed = ++releases_;
  free_kept_.insert({p.freed, page});
}

void PagePool::keep(int32_t page) { used(page).kept = true; }

void PagePool::forget(int32_t page) {
  Page& p = pages_.at(static_cast<size_t>(page));
  if (!p.kept) return;
  p.kept = false;
  if (p.references > 0) return;
  free_kept_.erase({p.freed, page});
  free_.push_back(page);
}

}  // namespace rollout
