#include <algorithm>

#include "kernels/attention.h"
#include "kernels/error.h"

namespace kernels {

AttentionPlan::AttentionPlan(const std::vector<AttentionSegment>& segments, int64_t window_of_all) {
  segments_.reserve(segments.size());
  for (const AttentionSegment& s : segments) {
    if (s.spans.empty()) fail("attention: a segment of {} rows has no key spans.", s.rows);
    if (s.first_row < 0 || s.rows < 0) fail("attention: a segment has rows {}+{}.", s.first_row, s.rows);
    const int64_t first = s.spans.front().first_position;
    int64_t next = first;
    const size_t first_key = key_rows_.size();
    for (const KeySpan& span : s.spans) {
      if (span.first_position != next || span.length < 0 || span.first_key_row < 0)
        fail("attention: span of rows {}+{} at position {} does not follow position {}.", span.first_key_row, span.length,
             span.first_position, next);
      for (int64_t i = 0; i < span.length; ++i) key_rows_.push_back(span.first_key_row + i);
      next += span.length;
      storage_rows_ = std::max(storage_rows_, span.first_key_row + span.length);
    }
    const int64_t last = s.first_position + s.rows;
    if (next < last) fail("attention: the spans end at position {}, but the segment's last row is at {}.", next - 1, last - 1);
    const int64_t window = s.window > 0 ? s.window : window_of_all;
    const int64_t needed = window > 0 ? std::max<int64_t>(0, s.first_position - window + 1) : 0;
    if (first > needed) fail("attention: the spans start at position {}, but the first row sees position {}.", first, needed);
    segments_.push_back({s.first_row, s.rows, s.first_position, s.group, window, first, next - first, first_key, key_tiles_.size()});
    find_tiles(first, first_key);
    rows_ = std::max(rows_, s.first_row + s.rows);
  }
}

// The keys key_rows_[first_key..] have positions first_position...
void AttentionPlan::find_tiles(int64_t first_position, size_t first_key) {
  const int64_t keys = static_cast<int64_t>(key_rows_.size() - first_key), end = first_position + keys;
  for (int64_t start = first_position / key_tile * key_tile; start < end; start += key_tile) {
    int64_t tile = -1;
    if (start >= first_position && start + key_tile <= end) {
      const int64_t* ids = key_rows_.data() + first_key + (start - first_position);
      int64_t in_order = 1;
      while (in_order < key_tile && ids[in_order] == ids[0] + in_order) ++in_order;
      if (ids[0] % key_tile == 0 && in_order == key_tile) tile = ids[0] / key_tile;
    }
    key_tiles_.push_back(tile);
  }
}

std::vector<std::pair<int64_t, int64_t>> AttentionPlan::uncovered(int64_t rows) const {
  std::vector<std::pair<int64_t, int64_t>> covered, free;
  for (const Segment& s : segments_) covered.emplace_back(s.first_row, s.first_row + s.rows);
  std::sort(covered.begin(), covered.end());
  int64_t next = 0;
  for (const auto& [first, end] : covered) {
    if (first > next) free.emplace_back(next, first);
    next = std::max(next, end);
  }
  if (next < rows) free.emplace_back(next, rows);
  return free;
}

}  // namespace kernels
