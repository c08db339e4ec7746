// Pages of the key cache as numbers with reference counts. Knows no tensor.
//
// A page is 16 positions, one tile of attention: page p owns key rows 16p .. 16p + 15 of every layer's storage. Full
// pages of a prompt are shared by the samples of its group; the last, partial one is copied (kv_cache.h).
#pragma once

#include <cstdint>
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
  void share(int32_t page);    // one more reference
  void release(int32_t page);  // one reference less; the last one frees the page

  int64_t size() const { return static_cast<int64_t>(references_.size()); }
  int64_t free_pages() const { return static_cast<int64_t>(free_.size()); }
  int64_t references(int32_t page) const;

 private:
  int32_t& live(int32_t page);

  std::vector<int32_t> references_;
  std::vector<int32_t> free_;  // a stack: low pages first, and those used last first
};

}  // namespace rollout
