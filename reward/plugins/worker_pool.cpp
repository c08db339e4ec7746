#include "reward/plugins/worker_pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "reward/item_reward.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;
using Fate = Worker::Fate;

uint64_t key_of(const Item& item) {
  const std::hash<std::string> hash;
  return hash(item.completion) * 31 + hash(item.prompt) * 7 + hash(item.answer);
}

Outcome outcome_of(const Worker::Answer& answer) {
  return unscored(answer.fate == Fate::late ? Status::timeout : Status::infra_error, answer.detail, answer.reason);
}

std::vector<Outcome> all_like(const Worker::Answer& answer, size_t count) {
  return std::vector<Outcome>(count, outcome_of(answer));
}

}  // namespace

// A worker for as long as this lives; none if all were busy or resting until the deadline.
class WorkerPool::Lease {
 public:
  Lease(WorkerPool& pool, Deadline deadline) : pool_(pool) {
    std::unique_lock lock(pool.mutex_);
    for (;;) {
      // One that runs goes before one that must be started, and that before one that rests.
      const auto rest = [](const Worker* w) { return w->runs() ? Deadline::min() : w->not_before(); };
      const auto best = std::min_element(pool.free_.begin(), pool.free_.end(),
                                         [&](const Worker* a, const Worker* b) { return rest(a) < rest(b); });
      if (best != pool.free_.end() && rest(*best) <= Clock::now()) {
        worker_ = *best;
        pool.free_.erase(best);
        return;
      }
      resting_ = best != pool.free_.end();
      const Deadline until = resting_ ? std::min(deadline, rest(*best)) : deadline;
      if (Clock::now() >= deadline || (resting_ && rest(*best) >= deadline && pool.free_.size() == pool.workers_.size())) return;
      pool.freed_.wait_until(lock, until);
    }
  }
  ~Lease() {
    if (!worker_) return;
    std::lock_guard lock(pool_.mutex_);
    pool_.free_.push_back(worker_);
    pool_.freed_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  explicit operator bool() const { return worker_ != nullptr; }
  Worker* operator->() const { return worker_; }
  Worker::Answer none() const {
    const std::string& label = pool_.settings_->label;
    if (resting_) return {Fate::failed, {}, "restarting", label + ": failed, and is not started again before the deadline"};
    return {Fate::late, {}, "busy", label + ": all workers were busy until the deadline"};
  }

 private:
  WorkerPool& pool_;
  Worker* worker_ = nullptr;
  bool resting_ = false;
};

WorkerPool::WorkerPool(WorkerSettings settings, int64_t workers)
    : settings_(std::make_shared<const WorkerSettings>(std::move(settings))) {
  for (int64_t i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(settings_));
    free_.push_back(workers_.back().get());
  }
}

WorkerPool::~WorkerPool() {
  for (auto& worker : workers_) worker->begin_shutdown();
}

std::optional<protocol::Hello> WorkerPool::hello() const {
  std::lock_guard lock(mutex_);
  return hello_;
}

Worker::Answer WorkerPool::learn_hello(Deadline deadline) {
  if (hello()) return {};
  Lease worker(*this, deadline);
  if (!worker) return worker.none();
  Worker::Answer answer = worker->get_ready(deadline);
  if (answer.fate != Fate::answered) return answer;
  std::lock_guard lock(mutex_);
  hello_ = worker->hello();
  return answer;
}

std::string WorkerPool::check(Deadline deadline) {
  if (const auto answer = learn_hello(deadline); answer.fate != Fate::answered) return answer.detail;
  Lease worker(*this, deadline);
  if (!worker) return worker.none().detail;
  const auto answer = worker->ping(deadline);
  return answer.fate == Fate::answered ? "" : "asked for a pong: " + answer.detail;
}

bool WorkerPool::poisonous(const Item& item) const {
  std::lock_guard lock(mutex_);
  const auto found = deaths_.find(key_of(item));
  return found != deaths_.end() && found->second >= deaths_of_poison;
}

std::vector<Outcome> WorkerPool::score(const std::vector<Item>& items, Deadline deadline) {
  if (const auto answer = learn_hello(deadline); answer.fate != Fate::answered) return all_like(answer, items.size());
  const protocol::Hello hello = *this->hello();
  const size_t most = hello.batch ? static_cast<size_t>(hello.max_batch) : 1;
  std::vector<Outcome> outcomes;
  for (size_t from = 0; from < items.size();) {
    size_t to = from + 1;
    while (to < items.size() && (hello.group ? items[to].group_id == items[from].group_id : to - from < most)) ++to;
    const auto begin = items.begin();
    auto part = ask({begin + static_cast<ptrdiff_t>(from), begin + static_cast<ptrdiff_t>(to)}, deadline);
    std::move(part.begin(), part.end(), std::back_inserter(outcomes));
    from = to;
  }
  return outcomes;
}

// One request, and what follows from its failure.
std::vector<Outcome> WorkerPool::ask(const std::vector<Item>& items, Deadline deadline) {
  if (std::any_of(items.begin(), items.end(), [&](const Item& item) { return poisonous(item); })) {
    const std::string why = fmt::format("{}: died {} times on it", settings_->label, deaths_of_poison);
    const Worker::Answer poison{Fate::died, {}, "poison", why};
    if (items.size() == 1 || hello()->group) return all_like(poison, items.size());
    return ask_again(items, deadline, poison);
  }
  Worker::Answer answer;
  {
    Lease worker(*this, deadline);
    answer = worker ? worker->ask(items, deadline) : worker.none();
  }
  if (answer.fate == Fate::answered) {
    std::lock_guard lock(mutex_);
    if (!deaths_.empty())
      for (const Item& item : items) deaths_.erase(key_of(item));
    return std::move(answer.outcomes);
  }
  if (answer.fate != Fate::died) return all_like(answer, items.size());
  {
    std::lock_guard lock(mutex_);
    for (const Item& item : items) ++deaths_[key_of(item)];
  }
  return ask_again(items, deadline, answer);
}

// After a death: one by one, so that the item that causes it is alone; a group in one piece.
std::vector<Outcome> WorkerPool::ask_again(const std::vector<Item>& items, Deadline deadline, const Worker::Answer& last) {
  if (Clock::now() >= deadline) return all_like(last, items.size());
  if (items.size() == 1 || hello()->group) return ask(items, deadline);
  std::vector<Outcome> outcomes;
  for (const Item& item : items) outcomes.push_back(ask({item}, deadline).at(0));
  return outcomes;
}

}  // namespace reward
