// The ids that truncated sampling kept, a row for each token, in the shorter of two forms.
//
// Row r, with n = sizes[r]:
//   n > 0   n ids, ascending
//   n < 0   a bit for each id in -n words: bit i of word w stands for id 32 w + i
//   n = 0   no list: all ids
// `words` has the rows one after the other. A row takes at most vocab / 8 bytes, however many ids were kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kernels {

struct KeptIds {
  std::vector<int32_t> sizes, words;

  bool empty() const { return sizes.empty(); }
  int64_t rows() const { return static_cast<int64_t>(sizes.size()); }
  void add(const std::vector<int32_t>& ids);  // ascending, not below 0; none: a row without a list
  std::vector<int64_t> counts() const;          // ids in each row's list
};

// One row, as a view.
struct KeptRow {
  int32_t size = 0;
  const int32_t* words = nullptr;

  bool all() const { return size == 0; }
  int64_t count() const;                                               // of a row with a list
  bool holds(int32_t id) const;
  int64_t ids_in(int64_t first, int64_t end, int32_t* out) const;      // those in [first, end), ascending; how many
  bool fits(int64_t vocab) const;                                      // ascending ids in [0, vocab)
};

// Where the rows begin. `kept` must live as long.
class KeptRows {
 public:
  explicit KeptRows(const KeptIds& kept);  // throws Error when sizes and words do not fit together
  KeptRow operator[](int64_t row) const {
    const auto r = static_cast<size_t>(row);
    return {kept_->sizes[r], kept_->words.data() + begins_[r]};
  }
  void copy(int64_t row, KeptIds& to) const;

 private:
  const KeptIds* kept_;
  std::vector<int64_t> begins_;  // one more than rows
};

}  // namespace kernels
