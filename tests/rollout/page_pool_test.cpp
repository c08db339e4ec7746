#include "rollout/page_pool.h"

#include <map>
#include <random>
#include <set>

#include "kernels/error.h"
#include "tests/support/catch.h"

using rollout::PagePool;

TEST_CASE("a page holds sixteen positions, and a started page counts whole", "[page_pool]") {
  CHECK(rollout::pages_for(0) == 0);
  CHECK(rollout::pages_for(1) == 1);
  CHECK(rollout::pages_for(16) == 1);
  CHECK(rollout::pages_for(17) == 2);
}

TEST_CASE("an empty pool gives its pages in ascending order, then none", "[page_pool]") {
  PagePool pool(3);
  CHECK(pool.allocate() == 0);
  CHECK(pool.allocate() == 1);
  CHECK(pool.allocate() == 2);
  CHECK(pool.allocate() == PagePool::none);
  pool.release(1);
  CHECK(pool.allocate() == 1);
}

TEST_CASE("a shared page is free only when its last reference is gone", "[page_pool]") {
  PagePool pool(1);
  const int32_t page = pool.allocate();
  pool.share(page);
  pool.release(page);
  CHECK(pool.free_pages() == 0);
  CHECK(pool.references(page) == 1);
  pool.release(page);
  CHECK(pool.free_pages() == 1);
}

TEST_CASE("a page that is not in use cannot be shared or released", "[page_pool]") {
  PagePool pool(2);
  CHECK_THROWS_AS(pool.release(0), kernels::Error);
  CHECK_THROWS_AS(pool.share(1), kernels::Error);
  CHECK_THROWS_AS(pool.release(2), kernels::Error);
  CHECK_THROWS_AS(pool.release(PagePool::none), kernels::Error);
  const int32_t page = pool.allocate();
  pool.release(page);
  CHECK_THROWS_AS(pool.release(page), kernels::Error);
}

TEST_CASE("a kept page is free but taken last, the one free for longest first, and its keeper is told", "[page_pool]") {
  PagePool pool(4);
  std::vector<int32_t> taken;
  pool.on_taken([&](int32_t page) { taken.push_back(page); });
  for (int32_t page = 0; page < 4; ++page) CHECK(pool.allocate() == page);
  for (const int32_t page : {0, 1, 2}) pool.keep(page);
  for (const int32_t page : {2, 3, 0, 1}) pool.release(page);
  CHECK(pool.free_pages() == 4);
  CHECK(pool.allocate() == 3);  // the only one that nobody keeps
  CHECK(taken.empty());
  CHECK(pool.allocate() == 2);
  CHECK(pool.allocate() == 0);
  CHECK(taken == std::vector<int32_t>{2, 0});
  pool.release(2);  // it is not kept any more
  CHECK(pool.allocate() == 2);
}

TEST_CASE("a kept page comes back into use by sharing it, and is free again like any other once it is forgotten", "[page_pool]") {
  PagePool pool(2);
  const int32_t page = pool.allocate();
  pool.keep(page);
  pool.release(page);
  CHECK(pool.references(page) == 0);
  pool.share(page);
  CHECK(pool.references(page) == 1);
  CHECK(pool.free_pages() == 1);
  pool.release(page);
  pool.forget(page);
  CHECK_THROWS_AS(pool.share(page), kernels::Error);
  CHECK(pool.free_pages() == 2);
  CHECK(pool.allocate() == page);
  pool.keep(page);
  pool.forget(page);  // in use: it stays so
  CHECK(pool.references(page) == 1);
  pool.forget(page);
}

TEST_CASE("after 20,000 random operations the pool agrees with a plain count of references", "[page_pool]") {
  std::mt19937 random(7);
  PagePool pool(37);
  std::map<int32_t, int64_t> model;  // page -> references, of pages in use
  std::set<int32_t> kept;
  pool.on_taken([&](int32_t page) { REQUIRE(kept.erase(page) == 1); });
  for (int i = 0; i < 20000; ++i) {
    const auto pick = [&] { return std::next(model.begin(), static_cast<long>(random() % model.size())); };
    const uint32_t what = random() % 5;
    if (what == 0 || model.empty()) {
      const int32_t page = pool.allocate();
      REQUIRE((page == PagePool::none) == (model.size() == 37));
      if (page != PagePool::none) REQUIRE(model.emplace(page, 1).second);
    } else if (what == 1) {
      const auto it = pick();
      pool.share(it->first);
      ++it->second;
    } else if (what == 2) {
      pool.keep(pick()->first);
      kept.clear();
      for (int32_t page = 0; page < 37; ++page)
        if (pool.kept(page)) kept.insert(page);
    } else if (what == 3 && !kept.empty()) {
      const int32_t page = *std::next(kept.begin(), static_cast<long>(random() % kept.size()));
      if (random() % 2) {
        pool.share(page);
        ++model[page];
      } else {
        pool.forget(page);
        kept.erase(page);
      }
    } else {
      const auto it = pick();
      pool.release(it->first);
      if (--it->second == 0) model.erase(it);
    }
    REQUIRE(pool.free_pages() == 37 - static_cast<int64_t>(model.size()));
    bool right = true;
    for (int32_t page = 0; page < 37; ++page) right &= pool.references(page) == (model.count(page) ? model[page] : 0);
    REQUIRE(right);
  }
}
