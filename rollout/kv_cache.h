// Keys and values of every layer, cut in pages.
//
// The storage is allocated at its first use, and may be given back between two rollouts. It never holds more than
// `bytes_limit`.
#pragma once

#include <cstdint>
#include <vector>

#include "model/transformer.h"
#include "rollout/page_pool.h"

namespace rollout {

// The first `rows` rows of page `from` are also those of page `to`.
struct PageCopy {
  int32_t from = 0, to = 0;
  int64_t rows = 0;
};

class KvCache {
 public:
  // As many pages as `bytes_limit` holds, at most `pages_limit`. Throws UsageError when that is not a single one.
  // `more_bytes_per_row`: what the owner keeps beside the keys and values of a row.
  KvCache(const model::ModelConfig& config, kernels::Dtype dtype, int64_t bytes_limit, int64_t pages_limit,
          int64_t more_bytes_per_row = 0);

  PagePool& pages() { return pages_; }
  const PagePool& pages() const { return pages_; }
  int64_t bytes() const { return pages_.size() * bytes_per_page_; }

  model::KeyStorage& storage();
  void copy(const PageCopy& copy);  // in all layers
  void release_storage();           // throws Error while a page is in use

 private:
  model::ModelConfig config_;
  kernels::Dtype dtype_;
  int64_t bytes_per_page_;
  PagePool pages_;
  model::KeyStorage storage_;
};

}  // namespace rollout
