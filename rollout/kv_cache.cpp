#include "rollout/kv_cache.h"

#include <algorithm>

#include "kernels/error.h"

namespace rollout {

namespace {

static_assert(page_rows == kernels::key_tile, "a page is a tile of the key storage");

int64_t page_count(int64_t bytes_per_page, int64_t bytes_limit, int64_t pages_limit) {
  const int64_t pages = std::min(bytes_limit / bytes_per_page, pages_limit);
  if (pages < 1)
    kernels::fail_usage("rollout: the cache may hold {} bytes, but one page of {} positions needs {}; raise the cache's size.",
                        bytes_limit, page_rows, bytes_per_page);
  return pages;
}

void copy_rows(const at::Tensor& tensor, const PageCopy& copy) {
  if (tensor.defined())
    tensor.narrow(0, copy.to, 1).narrow(2, 0, copy.rows).copy_(tensor.narrow(0, copy.from, 1).narrow(2, 0, copy.rows));
}

}  // namespace

KvCache::KvCache(const model::ModelConfig& config, kernels::Dtype dtype, int64_t bytes_limit, int64_t pages_limit,
                 int64_t more_bytes_per_row)
    : config_(config),
      dtype_(dtype),
      bytes_per_page_(page_rows * (model::key_storage_bytes_per_row(config, dtype) + more_bytes_per_row)),
      pages_(page_count(bytes_per_page_, bytes_limit, pages_limit)) {}

model::KeyStorage& KvCache::storage() {
  if (storage_.keys.empty()) storage_ = model::make_key_storage(config_, dtype_, pages_.size() * page_rows);
  return storage_;
}

void KvCache::copy(const PageCopy& copy) {
  model::KeyStorage& rows = storage();
  for (const at::Tensor& keys : rows.keys) copy_rows(keys, copy);
  for (const at::Tensor& values : rows.values) copy_rows(values, copy);
}

void KvCache::release_storage() {
  if (pages_.free_pages() != pages_.size())
    kernels::fail("rollout: the cache cannot be given back while {} of its pages are in use.",
                  pages_.size() - pages_.free_pages());
  storage_ = {};
}

}  // namespace rollout
