#include "rollout/scheduler.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <tuple>

#include "kernels/error.h"
#include "rollout/prefix_cache.h"
#include "tests/support/catch.h"

using rollout::Group;
using rollout::PagePool;
using rollout::page_rows;
using rollout::Plan;
using rollout::Scheduler;
using rollout::SchedulerConfig;
using rollout::Sequence;
using rollout::Work;

namespace {

// Runs a scheduler with a cache of labels instead of keys: each row remembers whose key it holds. Every rule that must
// hold at every step is checked at every step. With `share_prefixes` prompts share pages across groups.
struct Simulation : rollout::Prefixes {
  using Label = std::tuple<int64_t, int64_t, int64_t>;  // group, sample (-1: the prompt's), position

  Simulation(const SchedulerConfig& c, int64_t page_count, bool share_prefixes = false)
      : config(c), pool(page_count), prefixes(pool), scheduler(c, pool, share_prefixes ? this : nullptr) {
    cache.resize(static_cast<size_t>(page_count * page_rows), {-1, -1, -1});
  }

  void find(const Group& group, int64_t from, int64_t end, std::vector<int32_t>& found) override {
    prefixes.find(weights, tokens.at(&group), from, end, found);
  }
  void add(const Group& group, int64_t end, const std::vector<int32_t>& pages) override {
    prefixes.add(weights, tokens.at(&group), end, pages);
  }

  // Sample i ends after lengths[i] tokens. The first `common` tokens of the prompt are those of all other prompts.
  Group& submit(int64_t prompt, std::vector<int64_t> lengths, int64_t max_new_tokens, int64_t common = 0) {
    groups.push_back(std::make_unique<Group>(prompt, static_cast<int64_t>(lengths.size()), max_new_tokens));
    wanted[groups.back().get()] = std::move(lengths);
    const auto own = static_cast<int32_t>(1000 * groups.size());
    for (int32_t p = 0; p < prompt; ++p) tokens[groups.back().get()].push_back(p < common ? p : own + p);
    scheduler.submit(*groups.back());
    return *groups.back();
  }

  static int64_t prompt_length(const Sequence& s) { return s.group->prompt.length; }

  Label label(const Sequence& s, int64_t position) const {
    if (position >= prompt_length(s)) return {s.group->order, s.sample, position};
    const bool common = tokens.at(s.group)[static_cast<size_t>(position)] == position;
    return {common ? -1 : s.group->order, -1, position};
  }

  Label& row(const Sequence& s, int64_t position) {
    const int64_t page = s.pages.at(static_cast<size_t>(position / page_rows));
    return cache.at(static_cast<size_t>(page * page_rows + position % page_rows));
  }

  // One step. False when there was nothing to do.
  bool step() {
    const Plan& plan = scheduler.plan();
    if (plan.work.empty()) return false;
    check_budgets(plan);
    for (const rollout::PageCopy& copy : plan.copies)
      for (int64_t i = 0; i < copy.rows; ++i)
        cache.at(static_cast<size_t>(copy.to * page_rows + i)) = cache.at(static_cast<size_t>(copy.from * page_rows + i));
    written.clear();
    for (const Work& work : plan.work) write(work);
    for (const Work& work : plan.work) check_rows(work);
    const std::vector<Work> done = plan.work;
    for (const Work& work : done) scheduler.computed(work);
    for (const Work& work : done) draw(work);
    check_references();
    ++steps;
    return true;
  }

  void check_budgets(const Plan& plan) {
    int64_t rows = 0;
    std::map<const Sequence*, int> seen;
    for (const Work& work : plan.work) {
      REQUIRE(work.rows >= 1);
      REQUIRE(work.rows <= std::max<int64_t>(1, config.prefill_chunk));
      REQUIRE(++seen[work.sequence] == 1);
      rows += work.rows;
      computed_rows += work.rows;
    }
    REQUIRE(rows <= config.max_tokens_per_batch);
    REQUIRE(static_cast<int64_t>(plan.work.size()) <= config.max_sequences);
    largest_batch = std::max(largest_batch, static_cast<int64_t>(plan.work.size()));
  }

  void write(const Work& work) {
    const Sequence& s = *work.sequence;
    REQUIRE(work.first == s.computed);
    for (int64_t p = work.first; p < work.first + work.rows; ++p) {
      if (p == work.first || p % page_rows == 0) check_writer(s, s.pages.at(static_cast<size_t>(p / page_rows)));
      row(s, p) = label(s, p);
    }
  }

  // A page is written by one sequence of the pass. It has one owner; with shared prefixes others may wait for these rows.
  void check_writer(const Sequence& s, int32_t page) {
    REQUIRE(written.insert(page).second);
    if (prefixes.size() == 0) REQUIRE(pool.references(page) == 1);
  }

  // The row sees the keys of its own past, and only those.
  void check_rows(const Work& work) {
    const Sequence& s = *work.sequence;
    bool right = true;
    for (int64_t p = 0; p < work.first + work.rows; ++p) right &= row(s, p) == label(s, p);
    REQUIRE(right);
    REQUIRE(work.completes == (work.first + work.rows == s.length));
  }

  void draw(const Work& work) {
    if (!work.completes) return;
    Sequence& s = *work.sequence;
    if (!s.is_prompt()) return take_token(s);
    if (drawn[s.group]++ > 0) return;
    for (Sequence& sample : s.group->samples) take_token(sample);
  }

  void take_token(Sequence& s) {
    scheduler.append(s);
    const int64_t taken = s.length - prompt_length(s);
    if (taken == wanted[s.group][static_cast<size_t>(s.sample)]) finish(s);
  }

  void finish(Sequence& s) {
    finished.emplace_back(s.group->order, s.sample);
    scheduler.finish(s);
  }

  void check_references() {
    std::map<int32_t, int64_t> count;
    for (const auto& group : groups) {
      for (const int32_t page : group->prompt.pages) ++count[page];
      for (const Sequence& s : group->samples)
        for (const int32_t page : s.pages) ++count[page];
    }
    bool right = true;
    for (int32_t page = 0; page < pool.size(); ++page) right &= pool.references(page) == (count.count(page) ? count[page] : 0);
    REQUIRE(right);
  }

  void run() {
    while (step()) REQUIRE(steps < 200000);
    REQUIRE(pool.free_pages() == pool.size());
    for (const auto& group : groups) REQUIRE(group->unfinished == 0);
  }

  SchedulerConfig config;
  PagePool pool;
  rollout::PrefixCache prefixes;
  std::shared_ptr<model::WeightSet> weights = std::make_shared<model::WeightSet>();
  Scheduler scheduler;
  std::map<const Group*, std::vector<int32_t>> tokens;
  std::set<int32_t> written;  // in this pass
  std::vector<Label> cache;
  std::vector<std::unique_ptr<Group>> groups;
  std::map<const Group*, std::vector<int64_t>> wanted;
  std::map<const Group*, int> drawn;
  std::vector<std::pair<int64_t, int64_t>> finished;
  int64_t steps = 0, computed_rows = 0, largest_batch = 0;
};

}  // namespace

TEST_CASE("a group of four computes its prompt once", "[scheduler]") {
  // 20 prompt rows, then each sample's tokens but the last are rows: 4 * (6 - 1) = 20. Together 40.
  Simulation s({64, 8, 64}, 100);
  s.submit(20, {6, 6, 6, 6}, 6);
  s.run();
  CHECK(s.computed_rows == 40);
  CHECK(s.steps == 1 + 5);
  CHECK(s.largest_batch == 4);
}

TEST_CASE("a fork copies the partial page for all samples but the last, which takes it", "[scheduler]") {
  Simulation s({64, 8, 64}, 100);
  Group& group = s.submit(20, {6, 6, 6}, 6);
  s.step();
  CHECK(group.prompt.pages.size() == 2);
  const Plan& plan = s.scheduler.plan();
  REQUIRE(plan.copies.size() == 2);
  CHECK(plan.copies[0].rows == 4);  // 20 = 16 + 4
  CHECK(plan.copies[0].from == plan.copies[1].from);
  CHECK(group.samples[2].pages[1] == plan.copies[0].from);
  CHECK(group.samples[0].pages[0] == group.samples[2].pages[0]);
  CHECK(s.pool.references(group.samples[0].pages[0]) == 4);  // three samples and the prompt
}

TEST_CASE("a prompt that fills its pages is shared without a copy", "[scheduler]") {
  Simulation s({64, 8, 64}, 100);
  s.submit(32, {3, 3}, 3);
  s.step();
  CHECK(s.scheduler.plan().copies.empty());
}

TEST_CASE("a long prompt runs in chunks while others decode", "[scheduler]") {
  // Budget 10, chunk 8. Step 1: prompt A (4 rows). From step 2 A decodes one row, and B gets min(8, 10 - 1) = 8.
  Simulation s({10, 8, 8}, 100);
  s.submit(4, {20}, 20);
  s.step();
  Group& b = s.submit(30, {2}, 2);
  s.step();
  CHECK(b.prompt.computed == 8);
  const Plan& plan = s.scheduler.plan();
  REQUIRE(plan.work.size() == 2);
  CHECK(plan.work[0].rows == 1);
  CHECK(plan.work[1].rows == 8);
  CHECK_FALSE(plan.work[1].completes);
}

TEST_CASE("the rows of a pass never exceed the budget, shared among several prompts", "[scheduler]") {
  // Prompts of 6, 6 and 6 under a budget of 8: 6 + 2, then 1 decode + 4 + 3, ...
  Simulation s({8, 8, 8}, 100);
  for (int i = 0; i < 3; ++i) s.submit(6, {3}, 3);
  s.step();
  CHECK(s.groups[0]->prompt.computed == 6);
  CHECK(s.groups[1]->prompt.computed == 2);
  CHECK(s.groups[2]->prompt.computed == 0);
  s.run();
}

TEST_CASE("with one sequence at a time the samples finish one after the other", "[scheduler]") {
  Simulation s({64, 1, 64}, 100);
  s.submit(5, {4, 4}, 4);
  s.submit(5, {4}, 4);
  s.run();
  CHECK(s.largest_batch == 1);
  CHECK(s.finished == std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {0, 1}, {1, 0}});
}

TEST_CASE("a group whose samples fill all places keeps the next prompt from starting", "[scheduler]") {
  Simulation s({64, 2, 64}, 100);
  s.submit(5, {9, 9, 9, 9}, 9);
  Group& second = s.submit(5, {1}, 1);
  s.step();
  s.step();
  CHECK_FALSE(second.started);
  s.run();
}

TEST_CASE("when pages run out the youngest sequence gives way and the oldest goes on", "[scheduler]") {
  // 5 pages; each request needs 3 in the end (48 rows). Both begin with 2 pages. The younger, 4 rows ahead, takes the
  // fifth at its row 32; the older finds none at its own.
  Simulation s({64, 8, 64}, 5);
  Group& old = s.submit(16, {33}, 33);
  Group& young = s.submit(20, {29}, 29);
  while (s.scheduler.preemptions() == 0) REQUIRE(s.step());
  CHECK(old.samples[0].state == Sequence::State::running);
  CHECK(young.samples[0].state == Sequence::State::waiting);
  CHECK(young.samples[0].pages.empty());
  s.run();
  CHECK(s.finished == std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {1, 0}});
}

TEST_CASE("a preempted sample forks from its prompt again when a sibling kept it alive", "[scheduler]") {
  // Prompt 32 (2 pages), two samples of 40 tokens: 71 rows, 5 pages each, 3 of their own. 6 pages: 2 + 3 + 1.
  Simulation s({64, 8, 64}, 6);
  Group& group = s.submit(32, {40, 40}, 40);
  s.run();
  CHECK(s.scheduler.preemptions() > 0);
  CHECK(group.unfinished == 0);
  // Nobody computed the prompt's 32 rows again: 32 + 39 + 39 rows, and again at most the 39 of the one that gave way,
  // once for each time.
  CHECK(s.computed_rows <= 32 + 78 + 39 * s.scheduler.preemptions());
}

TEST_CASE("a sample that needs every page of the cache still finishes, with siblings waiting", "[scheduler]") {
  // 20 + 13 - 1 = 32 rows: exactly the 2 pages.
  Simulation s({64, 8, 64}, 2);
  s.submit(20, {13, 13, 13}, 13);
  s.submit(20, {13, 13, 13}, 13);
  s.run();
  CHECK(s.finished.size() == 6);
}

TEST_CASE("a request that cannot fit alone is refused, with the budget named", "[scheduler]") {
  Simulation s({64, 8, 64}, 2);
  CHECK_THROWS_AS(s.submit(20, {14}, 14), kernels::UsageError);  // 33 rows
  CHECK_THROWS_WITH(s.submit(20, {14}, 14), Catch::Contains("3 cache pages") && Catch::Contains("cache_mb"));
}

TEST_CASE("a budget below one is refused", "[scheduler]") {
  PagePool pool(1);
  CHECK_THROWS_WITH(Scheduler({0, 8, 8}, pool), Catch::Contains("max_tokens_per_batch"));
  CHECK_THROWS_WITH(Scheduler({8, 0, 8}, pool), Catch::Contains("max_sequences"));
  CHECK_THROWS_WITH(Scheduler({8, 8, 0}, pool), Catch::Contains("prefill_chunk"));
}

TEST_CASE("a restarted group computes its rows again, its prompt once", "[scheduler]") {
  // After 3 steps (prompt, 2 decode rows each) the rows are thrown away: 32 + 2 * 2, then 32 + 2 * (9 - 1).
  Simulation s({64, 8, 64}, 100);
  Group& group = s.submit(32, {9, 9}, 9);
  for (int i = 0; i < 3; ++i) s.step();
  CHECK(s.computed_rows == 36);
  s.scheduler.restart(group);
  s.run();
  CHECK(s.computed_rows == 36 + 32 + 16);
}

TEST_CASE("an aborted group gives all pages back at any step", "[scheduler]") {
  for (int when = 0; when < 12; ++when) {
    Simulation s({12, 4, 5}, 9);
    s.submit(20, {9, 9, 9}, 9);
    Group& second = s.submit(37, {30, 30, 30}, 30);
    s.submit(20, {9, 9, 9}, 9);
    for (int i = 0; i < when; ++i) s.step();
    for (Sequence& sample : second.samples) s.scheduler.finish(sample);
    s.check_references();
    CHECK(second.prompt.pages.empty());
    s.run();
  }
}

TEST_CASE("prompts that begin alike compute it once, even in the same pass", "[scheduler]") {
  // 40 common rows: two full pages. The first prompt computes 45 rows, the others 45 - 32 each: 45 + 2 * 13 = 71.
  Simulation s({128, 8, 64}, 100, true);
  for (int i = 0; i < 3; ++i) s.submit(45, {1}, 1, 40);
  s.step();
  CHECK(s.computed_rows == 71);
  CHECK(s.groups[0]->prompt.cached == 0);
  CHECK(s.groups[1]->prompt.cached == 32);
  CHECK(s.groups[2]->prompt.cached == 32);
  s.submit(45, {1}, 1, 40);  // all others have finished
  s.run();
  CHECK(s.groups[3]->prompt.cached == 32);
}

TEST_CASE("two prompts with a long common beginning split its chunks between them", "[scheduler]") {
  // Chunks of 32. Pass 1: the first computes 0..31, the second takes them and computes 32..63; pass 2: the first takes
  // those and computes 64..95, the second takes these and goes on at 96. Together 128 rows and the 10 of each one's own.
  Simulation s({128, 8, 32}, 100, true);
  for (int i = 0; i < 2; ++i) s.submit(138, {1}, 1, 128);
  s.step();
  CHECK(s.groups[0]->prompt.computed == 32);
  CHECK(s.groups[1]->prompt.computed == 64);
  s.run();
  CHECK(s.computed_rows == 128 + 2 * 10);
  CHECK(s.steps == 3);
}

TEST_CASE("a whole prompt that is known computes its last row at least, in a page of its own", "[scheduler]") {
  // 32 rows: of the two full pages only the first is taken; the second is written again, elsewhere.
  Simulation s({128, 8, 64}, 100, true);
  s.submit(32, {1}, 1, 32);
  s.run();
  Group& again = s.submit(32, {3, 3}, 3, 32);
  s.step();
  CHECK(again.prompt.cached == 16);
  s.run();
}

TEST_CASE("kept pages of finished prompts hold up nobody", "[scheduler]") {
  // Four finished prompts leave all 4 pages kept; a request that needs every page starts at once.
  Simulation s({64, 8, 64}, 4, true);
  for (int i = 0; i < 4; ++i) {
    s.submit(16, {1}, 1);
    s.run();
  }
  CHECK(s.prefixes.size() == 4);
  Group& large = s.submit(60, {5}, 5);
  s.step();
  CHECK(large.prompt.computed == 60);
  s.run();
  CHECK(s.scheduler.preemptions() == 0);
}

TEST_CASE("random loads in tight budgets: every rule holds at every step and all finish", "[scheduler]") {
  std::mt19937 random(11);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  int64_t preemptions = 0, copies_of_prompts = 0, cached = 0;
  for (int round = 0; round < 600; ++round) {
    INFO("round " << round);
    const SchedulerConfig config{1 + below(40), 1 + below(12), 1 + below(40)};
    const int64_t pages = 4 + below(20);
    Simulation s(config, pages, round % 2 == 1);
    const int64_t common = below(50);
    int64_t to_submit = 1 + below(8);
    while (to_submit > 0 || s.scheduler.running() > 0) {
      if (to_submit > 0 && below(3) == 0) {
        const int64_t prompt = 1 + below(40), most = 1 + below(pages * page_rows - prompt);
        std::vector<int64_t> lengths;
        for (int64_t i = 0, n = 1 + below(6); i < n; ++i) lengths.push_back(1 + below(most));
        s.submit(prompt, lengths, most, below(3) == 0 ? 0 : common);
        --to_submit;
      }
      if (below(40) == 0 && !s.groups.empty()) {
        Group& group = *s.groups[static_cast<size_t>(below(static_cast<int64_t>(s.groups.size())))];
        if (below(2) == 0) s.scheduler.restart(group);
        else
          for (Sequence& sample : group.samples) s.scheduler.finish(sample);
        s.check_references();
      }
      s.step();
      REQUIRE(s.steps < 100000);
    }
    s.run();
    preemptions += s.scheduler.preemptions();
    for (const auto& group : s.groups) cached += group->prompt.cached;
    for (const auto& [group, times] : s.drawn) copies_of_prompts += times - 1;
  }
  CHECK(preemptions > 1000);
  CHECK(cached > 2000);
  CHECK(copies_of_prompts > 10);  // prompts that were dropped and computed again for several samples
}
