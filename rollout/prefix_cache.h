// Which pages hold the keys of which prompt tokens: prompts that begin alike share the full pages of what they share, with
// one another and with prompts that finished earlier.
//
// A page is found by the chain of tokens before it: a node is a page's sixteen tokens after a certain parent node, and
// tokens are compared, not hashes alone. Each weight set has a root of its own, because keys depend on the weights. Pages
// are kept in the pool (page_pool.h), which takes the one longest unused when it needs one; that page is then forgotten.
//
// Equal bits: a page is a whole tile of attention, and its rows follow from tokens, positions and weights alone.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "model/weight_set.h"
#include "rollout/page_pool.h"

namespace rollout {

class PrefixCache {
 public:
  using Weights = std::shared_ptr<const model::WeightSet>;

  explicit PrefixCache(PagePool& pages);

  // Appends the pages of tokens[16 * from, 16 * (from + 1)), and so on: as many as are known, at most up to page `end`.
  // They are not shared yet: share() each before the next allocate().
  void find(const Weights& weights, const std::vector<int32_t>& tokens, int64_t from, int64_t end, std::vector<int32_t>& found);
  // The rows of tokens[0, 16 * end) are in `pages`, all in use, or will be before the next pass reads them.
  void add(const Weights& weights, const std::vector<int32_t>& tokens, int64_t end, const std::vector<int32_t>& pages);
  // The pages of these weights are not found any more; those in use stay with their users.
  void drop(const Weights& weights);
  void clear();

  int64_t size() const { return static_cast<int64_t>(page_of_.size()); }  // pages that can be found

 private:
  struct Key {
    int64_t parent = 0;  // a node or root; numbers are never used twice
    std::array<int32_t, page_rows> tokens;
    bool operator==(const Key& other) const { return parent == other.parent && tokens == other.tokens; }
  };
  struct Hash {
    size_t operator()(const Key& key) const;
  };
  struct Node {
    int64_t number = 0, root = 0;  // number 0: the page has no node
    Key key;
  };
  struct Root {
    std::weak_ptr<const model::WeightSet> weights;
    int64_t version = 0;  // a set that is written over gets another one
    int64_t number = 0;
  };

  int64_t root_of(const Weights& weights) const;  // 0: none
  int64_t make_root(const Weights& weights);
  void drop_root(int64_t root);
  void forget(int32_t page);
  Key key_of(int64_t parent, const std::vector<int32_t>& tokens, int64_t page) const;

  PagePool& pages_;
  std::vector<Root> roots_;
  std::vector<Node> nodes_;  // by page
  std::unordered_map<Key, int32_t, Hash> page_of_;
  int64_t last_number_ = 0;
};

}  // namespace rollout
