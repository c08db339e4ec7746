#include "rollout/prefix_cache.h"

#include <numeric>

#include "tests/support/catch.h"

using rollout::PagePool;
using rollout::PrefixCache;
using Pages = std::vector<int32_t>;
using Tokens = std::vector<int32_t>;

namespace {

std::shared_ptr<model::WeightSet> weights(int64_t version = 1) {
  auto set = std::make_shared<model::WeightSet>();
  set->version = version;
  return set;
}

Tokens counting(int32_t first, int64_t count) {
  Tokens tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

Tokens joined(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Fixture {
  PagePool pool{8};
  PrefixCache cache{pool};
  std::shared_ptr<const model::WeightSet> set = weights();

  Pages allocate(int64_t count) {
    Pages pages;
    for (int64_t i = 0; i < count; ++i) pages.push_back(pool.allocate());
    return pages;
  }
  void release(const Pages& pages) {
    for (size_t i = pages.size(); i-- > 0;) pool.release(pages[i]);
  }
  Pages find(const Tokens& tokens, int64_t from = 0) {
    Pages found;
    cache.find(set, tokens, from, static_cast<int64_t>(tokens.size()) / rollout::page_rows, found);
    return found;
  }
};

}  // namespace

TEST_CASE("prompts that begin alike find the pages of what they share", "[prefix_cache]") {
  Fixture f;
  const Tokens start = counting(0, 32), first = joined(start, counting(100, 20)), second = joined(start, counting(200, 20));
  const Pages pages = f.allocate(4);  // 52 tokens: three full pages
  f.cache.add(f.set, first, 3, pages);
  CHECK(f.find(first) == Pages{pages[0], pages[1], pages[2]});
  CHECK(f.find(first, 2) == Pages{pages[2]});
  CHECK(f.find(second) == Pages{pages[0], pages[1]});
  CHECK(f.find(counting(1, 32)).empty());
  CHECK(f.find(counting(0, 15)).empty());  // no full page
}

TEST_CASE("the same sixteen tokens after another beginning are another page", "[prefix_cache]") {
  Fixture f;
  const Tokens same = counting(50, 16);
  f.cache.add(f.set, joined(counting(0, 16), same), 2, f.allocate(2));
  CHECK(f.find(joined(counting(1, 16), same)).empty());
  CHECK(f.find(same).empty());
}

TEST_CASE("a page that is known already keeps its place, and what follows it is added", "[prefix_cache]") {
  Fixture f;
  const Tokens tokens = counting(0, 48);
  const Pages one = f.allocate(2), other = f.allocate(3);
  f.cache.add(f.set, tokens, 2, one);
  f.cache.add(f.set, tokens, 3, other);  // computed at the same time
  CHECK(f.find(tokens) == Pages{one[0], one[1], other[2]});
  CHECK(f.cache.size() == 3);
  CHECK_FALSE(f.pool.kept(other[0]));
}

TEST_CASE("pages stay findable when their users are gone, until the pool needs them: the last of a chain first", "[prefix_cache]") {
  Fixture f;
  const Tokens tokens = counting(0, 48);
  const Pages pages = f.allocate(3);
  f.cache.add(f.set, tokens, 3, pages);
  f.release(pages);
  CHECK(f.pool.free_pages() == 8);
  CHECK(f.find(tokens) == pages);
  const Pages others = f.allocate(6);  // five were never used, the sixth is the chain's last
  CHECK(others.back() == pages[2]);
  CHECK(f.find(tokens) == Pages{pages[0], pages[1]});
  f.allocate(2);
  CHECK(f.find(tokens).empty());
  CHECK(f.cache.size() == 0);
  CHECK(f.pool.allocate() == PagePool::none);
}

TEST_CASE("a page whose parent was taken is not found, and may be added again", "[prefix_cache]") {
  Fixture f;
  const Tokens tokens = counting(0, 32);
  const Pages pages = f.allocate(2);
  f.cache.add(f.set, tokens, 2, pages);
  f.pool.release(pages[0]);  // the child is in use, its parent is not
  const Pages rest = f.allocate(7);
  CHECK(rest.back() == pages[0]);
  CHECK(f.find(tokens).empty());
  f.cache.add(f.set, tokens, 2, {rest[0], pages[1]});
  CHECK(f.find(tokens) == Pages{rest[0], pages[1]});
  CHECK(f.cache.size() == 2);
}

TEST_CASE("each weight set has pages of its own; dropping one leaves the others", "[prefix_cache]") {
  Fixture f;
  const Tokens tokens = counting(0, 16);
  const auto other = weights(2);
  const Pages mine = f.allocate(1), others = f.allocate(1);
  f.cache.add(f.set, tokens, 1, mine);
  f.cache.add(other, tokens, 1, others);
  CHECK(f.find(tokens) == mine);
  f.release(mine);
  f.cache.drop(f.set);
  CHECK(f.find(tokens).empty());
  CHECK(f.pool.references(others[0]) == 1);
  Pages found;
  f.cache.find(other, tokens, 0, 1, found);
  CHECK(found == others);
  f.cache.clear();
  CHECK(f.cache.size() == 0);
}

TEST_CASE("weights that were written over have a new version and find nothing of the old", "[prefix_cache]") {
  Fixture f;
  const auto set = weights(1);
  f.set = set;
  f.cache.add(f.set, counting(0, 16), 1, f.allocate(1));
  set->version = 2;
  CHECK(f.find(counting(0, 16)).empty());
  f.cache.add(f.set, counting(5, 16), 1, f.allocate(1));
  CHECK(f.cache.size() == 1);  // the old version's page was dropped
}
