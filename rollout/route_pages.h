// The experts of each row in the cache, beside its keys: what a row chose when it was computed, for whoever shares its page.
//
// A prompt's rows may have been computed for another request (prefix cache) or in several passes, so a request that wants their
// routes finds them by page, as it finds the keys. They follow from the same weights and are overwritten with the same row.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"
#include "rollout/kv_cache.h"

namespace rollout {

class RoutePages {
 public:
  // For a model with experts, as many pages as the cache has.
  RoutePages(const model::ModelConfig& config, int64_t pages);

  static int64_t bytes_per_row(const model::ModelConfig& config);  // 0 without experts

  // What rows `key_rows` of a pass chose: int32 [rows, active] a layer, undefined for a dense one.
  void put(const std::vector<int64_t>& key_rows, const std::vector<at::Tensor>& layers);
  void copy(const PageCopy& copy);
  // Appends [moe layer][active] of the positions [first, end) of a sequence with these pages.
  void append(const std::vector<int32_t>& pages, int64_t first, int64_t end, std::vector<int16_t>& out) const;

 private:
  int64_t per_row_;
  std::vector<int16_t> routes_;
};

}  // namespace rollout
