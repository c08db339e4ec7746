#include "rollout/route_pages.h"

#include <algorithm>

namespace rollout {
namespace {

int64_t routes_of_row(const model::ModelConfig& config) {
  int64_t layers = 0;
  for (int64_t layer = 0; layer < config.layers; ++layer) layers += config.is_moe(layer);
  return layers * config.router.active;
}

}  // namespace

RoutePages::RoutePages(const model::ModelConfig& config, int64_t pages)
    : per_row_(routes_of_row(config)), routes_(static_cast<size_t>(pages * page_rows * per_row_)) {}

int64_t RoutePages::bytes_per_row(const model::ModelConfig& config) {
  return routes_of_row(config) * static_cast<int64_t>(sizeof(int16_t));
}

void RoutePages::put(const std::vector<int64_t>& key_rows, const std::vector<at::Tensor>& layers) {
  int64_t place = 0;  // of the layer in a row
  for (const at::Tensor& layer : layers) {
    if (!layer.defined()) continue;
    const int64_t active = layer.size(1);
    const int32_t* from = kernels::i32(layer);
    for (const int64_t row : key_rows) {
      int16_t* to = routes_.data() + row * per_row_ + place;
      for (int64_t k = 0; k < active; ++k) to[k] = static_cast<int16_t>(*from++);
    }
    place += active;
  }
}

void RoutePages::copy(const PageCopy& copy) {
  const auto from = routes_.begin() + copy.from * page_rows * per_row_;
  std::copy_n(from, copy.rows * per_row_, routes_.begin() + copy.to * page_rows * per_row_);
}

void RoutePages::append(const std::vector<int32_t>& pages, int64_t first, int64_t end, std::vector<int16_t>& out) const {
  for (int64_t p = first; p < end; ++p) {
    const int64_t row = pages[static_cast<size_t>(p / page_rows)] * page_rows + p % page_rows;
    const auto from = routes_.begin() + row * per_row_;
    out.insert(out.end(), from, from + per_row_);
  }
}

}  // namespace rollout
