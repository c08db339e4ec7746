// Pages of the key cache as numbers with reference counts. Knows no tensor.
//
// A page is 16 positions, one tile of attention: page p owns key rows 16p .. 16p + 15 of every layer's storage. Full
// pages of a prompt are shared by the samples of its group; the last, partial one is copied (kv_cache.h).
//
// A page may be kept: when its last reference goes, it is free, but its rows stay until the page is needed. Kept pages are
// taken last, the one that has been free the longest first.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

namespace rollout {

inline constexpr int64_t page_rows = 16;

// Pages that `rows` positions need.
constexpr int64_t pages_for(int64_t rows) { return (rows + page_rows - 1) / page_rows; }

class PagePool {
 public:
  static constexpr int32_t none = -1;

  explicit PagePool(int64_t pages);

  int32_t allocate();          // with one reference; `none` when no page is free
  void share(int32_t page);    // one more reference, to a page in use or a kept one
  void release(int32_t page);  // one reference less; the last one frees the page

  void keep(int32_t page);     // a page in use
  void forget(int32_t page);   // no longer kept; nothing happens to a page that is not
  bool kept(int32_t page) const { return pages_.at(static_cast<size_t>(page)).kept; }
  // Told of a kept page that allocate() takes; it is not kept any more.
  void on_taken(std::function<void(int32_t page)> told) { taken_ = std::move(told); }

  int64_t size() const { return static_cast<int64_t>(pages_.size()); }
  int64_t free_pages() const { return static_cast<int64_t>(free_.size() + free_kept_.size()); }
  int64_t references(int32_t page) const { return pages_.at(static_cast<size_t>(page)).references; }

 private:
  struct Page {
    int32_t references = 0;
    bool kept = false;
    int64_t freed = 0;  // when: a count of releases
  };
  struct Aged {
    int64_t freed;
    int32_t page;
    bool operator<(const Aged& other) const { return freed < other.freed; }
  };

  Page& used(int32_t page);

  std::vector<Page> pages_;
  std::vector<int32_t> free_;  // a stack: low pages first, and those used last first
  std::set<Aged> free_kept_;
  std::function<void(int32_t)> taken_;
  int64_t releases_ = 0;
};

}  // namespace rollout
