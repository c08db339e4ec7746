#include "rollout/prefix_cache.h"

#include <algorithm>

namespace rollout {

PrefixCache::PrefixCache(PagePool& pages) : pages_(pages), nodes_(static_cast<size_t>(pages.size())) {
  pages_.on_taken([this](int32_t page) { forget(page); });
}

size_t PrefixCache::Hash::operator()(const Key& key) const {
  uint64_t h = static_cast<uint64_t>(key.parent) * 0x9E3779B97F4A7C15u;
  for (const int32_t token : key.tokens) {
    h = (h ^ static_cast<uint32_t>(token)) * 0xFF51AFD7ED558CCDu;
    h ^= h >> 32;
  }
  return static_cast<size_t>(h);
}

PrefixCache::Key PrefixCache::key_of(int64_t parent, const std::vector<int32_t>& tokens, int64_t page) const {
  Key key;
  key.parent = parent;
  std::copy_n(tokens.begin() + page * page_rows, page_rows, key.tokens.begin());
  return key;
}

void PrefixCache::find(const Weights& weights, const std::vector<int32_t>& tokens, int64_t from, int64_t end,
                       std::vector<int32_t>& found) {
  int64_t node = root_of(weights);
  for (int64_t i = 0; node != 0 && i < end; ++i) {
    const auto it = page_of_.find(key_of(node, tokens, i));
    if (it == page_of_.end()) return;
    if (i >= from) found.push_back(it->second);
    node = nodes_[static_cast<size_t>(it->second)].number;
  }
}

void PrefixCache::add(const Weights& weights, const std::vector<int32_t>& tokens, int64_t end, const std::vector<int32_t>& pages) {
  if (end == 0) return;
  int64_t root = root_of(weights);
  if (root == 0) root = make_root(weights);
  int64_t parent = root;
  for (int64_t i = 0; i < end; ++i) {
    const Key key = key_of(parent, tokens, i);
    auto it = page_of_.find(key);
    if (it == page_of_.end()) {
      const int32_t page = pages[static_cast<size_t>(i)];
      forget(page);  // it may be the child of a page that was taken
      nodes_[static_cast<size_t>(page)] = {++last_number_, root, key};
      it = page_of_.emplace(key, page).first;
      pages_.keep(page);
    }
    parent = nodes_[static_cast<size_t>(it->second)].number;
  }
}

void PrefixCache::drop(const Weights& weights) {
  if (const int64_t root = root_of(weights)) drop_root(root);
}

void PrefixCache::clear() {
  while (!roots_.empty()) drop_root(roots_.back().number);
}

int64_t PrefixCache::root_of(const Weights& weights) const {
  for (const Root& root : roots_)
    if (root.version == weights->version && root.weights.lock() == weights) return root.number;
  return 0;
}

int64_t PrefixCache::make_root(const Weights& weights) {
  // Weights that are gone or written over will not ask again.
  for (size_t i = roots_.size(); i-- > 0;) {
    const auto alive = roots_[i].weights.lock();
    if (!alive || alive->version != roots_[i].version) drop_root(roots_[i].number);
  }
  roots_.push_back({weights, weights->version, ++last_number_});
  return roots_.back().number;
}

void PrefixCache::drop_root(int64_t root) {
  for (int64_t page = 0; page < pages_.size(); ++page) {
    if (nodes_[static_cast<size_t>(page)].root != root) continue;
    forget(static_cast<int32_t>(page));
    pages_.forget(static_cast<int32_t>(page));
  }
  std::erase_if(roots_, [&](const Root& r) { return r.number == root; });
}

void PrefixCache::forget(int32_t page) {
  Node& node = nodes_[static_cast<size_t>(page)];
  if (node.number == 0) return;
  page_of_.erase(node.key);
  node = {};
}

}  // namespace rollout
