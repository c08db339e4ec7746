// Who runs next: fills each forward pass under a budget of rows, sequences and cache pages. Knows lengths and pages, no
// tokens and no tensors.
//
// A group's prompt runs once; then its samples fork from the prompt's pages. Order is by age (group in order of
// submission, then the prompt, then sample index), everywhere:
//   1. every running sequence that lacks one row gets it (decode);
//   2. the others get chunks of at most prefill_chunk rows from what is left of the row budget;
//   3. then the oldest waiting ones are admitted while rows, sequences and pages last.
// When a running sequence needs a page and none is free, the youngest running sequence gives its pages back and waits;
// later it computes its rows again. The oldest sequence thus always goes on, so nothing starves or locks up.
//
// Prompts that begin alike share pages (Prefixes): when a sequence starts, and at each chunk of its prompt, it takes the
// pages that others have computed, or compute in this very pass. Two prompts with the same long beginning thus split its
// chunks between them.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "kernels/attention.h"
#include "rollout/kv_cache.h"

namespace rollout {

struct Group;

// One line of positions: a prompt, or a sample with its prompt in front.
struct Sequence {
  enum class State {
    parked,    // a sample whose prompt is not computed
    waiting,   // wants to run
    running,
    held,      // a computed prompt, kept for samples that fork from it
    dropped,   // a prompt that nobody needs now, or whose pages were taken
    finished,
  };

  Group* group = nullptr;
  int64_t sample = -1;    // -1: the prompt
  State state = State::parked;
  int64_t length = 0;     // tokens known
  int64_t computed = 0;   // the first `computed` of them have their keys in the pages
  int64_t most_computed = 0;  // a row below it is computed again
  int64_t cached = 0;         // prompt rows that it never had to compute: they were there
  std::vector<int32_t> pages;

  bool is_prompt() const { return sample < 0; }
};

// The samples of one prompt. Owned by the caller, who keeps it in place until every sample has finished.
struct Group {
  explicit Group(int64_t prompt_length, int64_t samples, int64_t max_new_tokens);
  Group(const Group&) = delete;

  Sequence prompt;
  std::vector<Sequence> samples;
  int64_t max_new_tokens = 0;
  int64_t unfinished = 0;

  // The scheduler's own.
  int64_t order = -1;
  int64_t running = 0;   // samples that run
  int64_t waiting = 0;   // samples that wait or are parked
  bool started = false;  // the prompt was admitted once
  bool idle = false;     // the prompt's pages are held for samples of which none runs
};

// `rows` rows of one sequence, from position `first` on.
struct Work {
  Sequence* sequence = nullptr;
  int64_t first = 0, rows = 0;
  bool completes = false;  // the last row is the last known token: its logits give the next one
};

struct Plan {
  std::vector<PageCopy> copies;  // to be done in order, before the pass
  std::vector<Work> work;
};

// Knows which pages hold the beginning of which prompt (prefix_cache.h). Pages are counted from the prompt's start.
class Prefixes {
 public:
  virtual ~Prefixes() = default;
  // Appends the known pages [from, end) of the group's prompt, up to the first that is not known.
  virtual void find(const Group& group, int64_t from, int64_t end, std::vector<int32_t>& found) = 0;
  // The first `end` pages of `pages` hold the prompt's rows before the next pass reads them.
  virtual void add(const Group& group, int64_t end, const std::vector<int32_t>& pages) = 0;
};

struct SchedulerConfig {
  int64_t max_tokens_per_batch = 4096;  // rows of one pass
  int64_t max_sequences = 512;          // sequences that run at once
  int64_t prefill_chunk = 512;          // most rows of one sequence in one pass
};

class Scheduler {
 public:
  // Throws UsageError for a budget below 1. Without `prefixes` only the samples of a group share pages.
  Scheduler(const SchedulerConfig& config, PagePool& pages, Prefixes* prefixes = nullptr);

  // Throws UsageError when one sample alone would not fit in the cache.
  void submit(Group& group);
  // The next pass; empty when nothing is live. Valid until the next call.
  const Plan& plan();
  // The rows of `work` are in the cache. A complete prompt frees its samples to run.
  void computed(const Work& work);
  void append(Sequence& sample) { ++sample.length; }
  void finish(Sequence& sample);
  // The group's rows are worth nothing any more: they are computed again.
  void restart(Group& group);

  int64_t preemptions() const { return preemptions_; }
  int64_t running() const { return static_cast<int64_t>(running_.size()); }

 private:
  struct ByAge {
    bool operator()(const Sequence* a, const Sequence* b) const {
      return a->group->order != b->group->order ? a->group->order < b->group->order : a->sample < b->sample;
    }
  };
  struct ByOrder {
    bool operator()(const Group* a, const Group* b) const { return a->order < b->order; }
  };

  void plan_running();
  void plan_waiting();
  bool give_page(Sequence& sequence);
  void add_work(Sequence& sequence);
  void take_known_pages(Sequence& sequence);
  std::vector<int32_t> share_known_pages(const Sequence& sequence, int64_t from);
  void skip_to(Sequence& sequence, int64_t row);
  bool admit_prompt(Sequence& prompt);
  bool admit_sample(Sequence& sample);
  bool admit_alone(Sequence& sample);
  void fork(Sequence& sample, int64_t shared_rows, bool take_partial);
  bool make_room(int64_t pages, const Group* keep);
  void allocate_rest(Sequence& sequence);
  void start(Sequence& sequence);
  void stop(Sequence& sequence, Sequence::State state);
  void wait(Sequence& sequence);
  void preempt(Sequence& sequence);
  void park_samples(Group& group);
  void release_pages(Sequence& sequence);
  void drop_partial_page(Sequence& prompt);
  void update_idle(Group& group);

  SchedulerConfig config_;
  PagePool& pages_;
  Prefixes* prefixes_;
  Plan plan_;
  int64_t rows_left_ = 0;
  std::vector<Sequence*> running_;        // by age
  std::vector<Sequence*> chunked_;        // of the plan being made
  std::set<Sequence*, ByAge> waiting_;
  std::set<Group*, ByOrder> idle_;
  int64_t started_samples_ = 0;           // unfinished samples of started groups
  int64_t next_order_ = 0;
  int64_t preemptions_ = 0;
};

}  // namespace rollout
