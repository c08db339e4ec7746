#include "kernels/kept_ids.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "kernels/error.h"

namespace kernels {
namespace {

uint32_t bits_of(const KeptRow& row, int64_t word) { return static_cast<uint32_t>(row.words[word]); }

}  // namespace

void KeptIds::add(const std::vector<int32_t>& ids) {
  const size_t mask = ids.empty() ? 0 : static_cast<size_t>(ids.back()) / 32 + 1;
  if (ids.size() <= mask) {
    sizes.push_back(static_cast<int32_t>(ids.size()));
    words.insert(words.end(), ids.begin(), ids.end());
    return;
  }
  sizes.push_back(-static_cast<int32_t>(mask));
  const size_t begin = words.size();
  words.resize(begin + mask, 0);
  for (const int32_t id : ids) {
    int32_t& word = words[begin + static_cast<size_t>(id) / 32];
    word = static_cast<int32_t>(static_cast<uint32_t>(word) | (1u << (id % 32)));
  }
}

std::vector<int64_t> KeptIds::counts() const {
  const KeptRows rows_of_this(*this);
  std::vector<int64_t> counts;
  for (int64_t row = 0; row < rows(); ++row) counts.push_back(rows_of_this[row].count());
  return counts;
}

int64_t KeptRow::count() const {
  if (size >= 0) return size;
  int64_t ids = 0;
  for (int64_t w = 0; w < -int64_t{size}; ++w) ids += std::popcount(bits_of(*this, w));
  return ids;
}

bool KeptRow::holds(int32_t id) const {
  if (id < 0) return false;
  if (size >= 0) return all() || std::binary_search(words, words + size, id);
  return id / 32 < -size && ((bits_of(*this, id / 32) >> (id % 32)) & 1u) != 0;
}

int64_t KeptRow::ids_in(int64_t first, int64_t end, int32_t* out) const {
  int32_t* to = out;
  if (size >= 0) {
    const int32_t* id = std::lower_bound(words, words + size, first);
    for (; id < words + size && *id < end; ++id) *to++ = *id;
    return to - out;
  }
  for (int64_t w = first / 32; w < -int64_t{size} && w * 32 < end; ++w)
    for (uint32_t bits = bits_of(*this, w); bits != 0; bits &= bits - 1) {
      const int64_t id = w * 32 + std::countr_zero(bits);
      if (id >= first && id < end) *to++ = static_cast<int32_t>(id);
    }
  return to - out;
}

bool KeptRow::fits(int64_t vocab) const {
  if (size < 0) {
    const int64_t last = -int64_t{size} - 1;
    return bits_of(*this, last) != 0 && last * 32 + 31 - std::countl_zero(bits_of(*this, last)) < vocab;
  }
  for (int32_t i = 0; i < size; ++i)
    if (words[i] <= (i == 0 ? -1 : words[i - 1]) || words[i] >= vocab) return false;
  return true;
}

KeptRows::KeptRows(const KeptIds& kept) : kept_(&kept), begins_{0} {
  begins_.reserve(kept.sizes.size() + 1);
  for (const int32_t size : kept.sizes) begins_.push_back(begins_.back() + std::abs(int64_t{size}));
  if (begins_.back() != static_cast<int64_t>(kept.words.size()))
    fail("kept ids: {} rows need {} words, but there are {}.", kept.rows(), begins_.back(), kept.words.size());
}

void KeptRows::copy(int64_t row, KeptIds& to) const {
  const auto begin = kept_->words.begin() + begins_[static_cast<size_t>(row)];
  to.sizes.push_back(kept_->sizes[static_cast<size_t>(row)]);
  to.words.insert(to.words.end(), begin, kept_->words.begin() + begins_[static_cast<size_t>(row) + 1]);
}

}  // namespace kernels
