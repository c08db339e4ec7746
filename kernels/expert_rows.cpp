// The stable counting sort of rows by expert (router.h).
#include <vector>

#include "kernels/check.h"
#include "kernels/error.h"
#include "kernels/router.h"

namespace kernels {
namespace {

size_t at(int64_t i) { return static_cast<size_t>(i); }

// Walks (row, slot) in order and calls place(expert, i), and pad(expert) where an expert's count must become even.
template <typename Place, typename Pad>
void walk(const int32_t* chosen, int64_t slots, const std::vector<int64_t>& row_groups, int64_t experts, Place place, Pad pad) {
  std::vector<int64_t> group(at(experts), -1);
  std::vector<char> odd(at(experts), 0);
  for (size_t n = 0; n < row_groups.size(); ++n) {
    if (row_groups[n] < 0) continue;
    for (int64_t i = static_cast<int64_t>(n) * slots; i < static_cast<int64_t>(n + 1) * slots; ++i) {
      const size_t e = at(chosen[i]);
      if (odd[e] && group[e] != row_groups[n]) pad(e), odd[e] = 0;
      group[e] = row_groups[n];
      place(e, i);
      odd[e] = !odd[e];
    }
  }
  for (size_t e = 0; e < odd.size(); ++e)
    if (odd[e]) pad(e);
}

void require_sortable(const at::Tensor& chosen, const std::vector<int64_t>& row_groups, int64_t experts) {
  require_shape("sort_by_expert", "routes.experts", chosen, {static_cast<int64_t>(row_groups.size()), chosen.size(1)});
  const int32_t* ids = i32(chosen);
  for (int64_t i = 0; i < chosen.numel(); ++i)
    if (ids[i] < 0 || ids[i] >= experts)
      fail("sort_by_expert: expert {} of row {} is not in [0, {}).", ids[i], i / chosen.size(1), experts);
  int64_t last = -1;
  for (size_t n = 0; n < row_groups.size(); ++n) {
    if (row_groups[n] < 0) continue;
    if (row_groups[n] < last)
      fail("sort_by_expert: row {} is of group {}, after group {}; groups must ascend.", n, row_groups[n], last);
    last = row_groups[n];
  }
}

}  // namespace

ExpertRows sort_by_expert(const Routes& routes, const std::vector<int64_t>& row_groups, int64_t experts) {
  require_matrix("sort_by_expert", "routes.experts", routes.experts);
  require_sortable(routes.experts, row_groups, experts);
  const int32_t* chosen = i32(routes.experts);
  const int64_t slots = routes.experts.size(1);

  ExpertRows sorted;
  sorted.offsets.assign(at(experts + 1), 0);
  const auto count = [&](size_t e) { ++sorted.offsets[e + 1]; };
  walk(chosen, slots, row_groups, experts, [&](size_t e, int64_t) { count(e); }, count);
  for (int64_t e = 0; e < experts; ++e) sorted.offsets[at(e + 1)] += sorted.offsets[at(e)];

  const size_t entries = at(sorted.offsets.back());
  sorted.rows.assign(entries, -1);
  sorted.slots.assign(entries, -1);
  sorted.entry_of.assign(row_groups.size() * at(slots), -1);
  std::vector<int64_t> next(sorted.offsets.begin(), sorted.offsets.end() - 1);
  const auto place = [&](size_t e, int64_t i) {
    const int64_t entry = next[e]++;
    sorted.rows[at(entry)] = i / slots;
    sorted.slots[at(entry)] = i % slots;
    sorted.entry_of[at(i)] = entry;
  };
  walk(chosen, slots, row_groups, experts, place, [&](size_t e) { ++next[e]; });
  return sorted;
}

}  // namespace kernels
