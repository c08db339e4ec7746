#include "model/sparse_rows.h"

#include <algorithm>
#include <cstring>

namespace model {

void SparseRows::add(const at::Tensor& x, const std::vector<int64_t>& rows) {
  const auto before = static_cast<int64_t>(touched_.size());
  std::vector<int64_t> slots(rows.size(), -1);
  for (size_t n = 0; n < rows.size(); ++n) {
    if (rows[n] < 0) continue;
    int64_t& slot = slot_of_.at(static_cast<size_t>(rows[n]));
    if (slot < 0) {
      slot = static_cast<int64_t>(touched_.size());
      touched_.push_back(rows[n]);
    }
    slots[n] = slot;
  }
  const auto count = static_cast<int64_t>(touched_.size());
  if (count == 0) return;
  make_room(count);
  std::memset(kernels::f32(values_) + before * width_, 0, static_cast<size_t>((count - before) * width_) * sizeof(float));
  kernels::scatter_add_rows(x, slots.data(), values_);
}

void SparseRows::make_room(int64_t slots) {
  const int64_t held = values_.defined() ? values_.size(0) : 0;
  if (slots <= held) return;
  const at::Tensor larger = kernels::empty_f32({std::max(slots, held + held / 2), width_});
  if (held > 0) std::memcpy(kernels::f32(larger), kernels::f32(values_), static_cast<size_t>(held * width_) * sizeof(float));
  values_ = larger;
}

void SparseRows::move_to(const at::Tensor& into) {
  if (touched_.empty()) return;
  kernels::scatter_add_rows(values_.narrow(0, 0, static_cast<int64_t>(touched_.size())), touched_.data(), into);
  for (const int64_t row : touched_) slot_of_[static_cast<size_t>(row)] = -1;
  touched_.clear();
}

}  // namespace model
