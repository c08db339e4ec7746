#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <thread>

#include "reward/item_reward.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

// A reward that keeps its deadline gets this long to hand back what it has.
constexpr auto grace = std::chrono::milliseconds(250);

// One group: one call of the reward.
struct Task {
  std::vector<Item> items;
  std::vector<Outcome> outcomes;
  Clock::time_point given_up;  // while running: its deadline and the grace
  bool done = false;
};
using TaskPtr = std::shared_ptr<Task>;

std::vector<Outcome> score_task(Reward& reward, const Task& task, Clock::time_point deadline) {
  std::string why;
  try {
    auto outcomes = reward.score(task.items, deadline);
    if (outcomes.size() == task.items.size()) return outcomes;
    why = fmt::format("{}: returned {} outcomes for {} items", reward.name(), outcomes.size(), task.items.size());
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
    why = "threw something that is not an exception";
  }
  return std::vector<Outcome>(task.items.size(), unscored(Status::infra_error, why, "broken_contract"));
}

// Shared by the scorer and its threads; a thread left behind in a hung call keeps it alive.
struct Shared {
  std::mutex mutex;
  std::condition_variable work, finished;
  std::deque<TaskPtr> queue;
  std::vector<TaskPtr> running;
  bool closing = false;
  int64_t threads = 0;  // that still take tasks
  std::shared_ptr<Reward> reward;
  std::chrono::milliseconds timeout;
};

// With the lock held.
void finish(Shared& shared, const TaskPtr& task) {
  task->done = true;
  shared.running.erase(std::find(shared.running.begin(), shared.running.end(), task));
  shared.finished.notify_all();
}

void run_thread(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->work.wait(lock, [&] { return shared->closing || !shared->queue.empty(); });
    if (shared->closing) break;
    const TaskPtr task = shared->queue.front();
    shared->queue.pop_front();
    const auto deadline = Clock::now() + shared->timeout;
    task->given_up = deadline + grace;
    shared->running.push_back(task);
    shared->finished.notify_all();  // who waits learns when to give up
    lock.unlock();
    auto outcomes = score_task(*shared->reward, *task, deadline);
    lock.lock();
    if (task->done) return;  // given up: another thread took this one's place
    task->outcomes = std::move(outcomes);
    finish(*shared, task);
  }
  --shared->threads;
  shared->finished.notify_all();
}

void start_thread(const std::shared_ptr<Shared>& shared) { std::thread(run_thread, shared).detach(); }

// With the lock held: items of overdue calls become timeouts and their threads are replaced. Sleeps only if none was.
void sleep(const std::shared_ptr<Shared>& shared, std::unique_lock<std::mutex>& lock) {
  const auto running = shared->running;
  auto until = Clock::time_point::max();
  bool gave_up = false;
  for (const auto& task : running) {
    until = std::min(until, task->given_up);
    if (Clock::now() < task->given_up) continue;
    task->outcomes.assign(task->items.size(), unscored(Status::timeout, "the reward did not come back by its deadline",
                                                       "deadline"));
    finish(*shared, task);
    gave_up = true;
    if (shared->closing) --shared->threads;
    else start_thread(shared);
  }
  if (gave_up) return;
  if (running.empty()) shared->finished.wait(lock);
  else shared->finished.wait_until(lock, until);
}

std::vector<TaskPtr> split_groups(std::vector<Item> items) {
  std::vector<TaskPtr> tasks;
  for (auto& item : items) {
    if (tasks.empty() || tasks.back()->items.back().group_id != item.group_id) tasks.push_back(std::make_shared<Task>());
    tasks.back()->items.push_back(std::move(item));
  }
  return tasks;
}

}  // namespace

struct AsyncScorer::State {
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
  std::map<int64_t, std::vector<TaskPtr>> tickets;  // submitted and not yet waited for
  int64_t next_ticket = 0;
};

AsyncScorer::AsyncScorer(std::shared_ptr<Reward> reward, int64_t threads, int64_t timeout_ms) {
  if (!reward) throw Error("AsyncScorer: there is no reward. Pass one made by make_sum or make_reward.");
  if (threads < 1 || timeout_ms < 1)
    throw Error(fmt::format("AsyncScorer: threads is {} and timeout_ms is {}. Set both to 1 or more.", threads, timeout_ms));
  state_ = std::make_unique<State>();
  state_->shared->reward = std::move(reward);
  state_->shared->timeout = std::chrono::milliseconds(timeout_ms);
  state_->shared->threads = threads;
  for (int64_t i = 0; i < threads; ++i) start_thread(state_->shared);
}

// Calls under way may come to their end; what is still queued is dropped.
AsyncScorer::~AsyncScorer() {
  const auto shared = state_->shared;
  std::unique_lock lock(shared->mutex);
  shared->closing = true;
  shared->work.notify_all();
  while (shared->threads > 0) sleep(shared, lock);
}

int64_t AsyncScorer::submit(std::vector<Item> items) {
  auto tasks = split_groups(std::move(items));
  const auto& shared = state_->shared;
  std::lock_guard lock(shared->mutex);
  shared->queue.insert(shared->queue.end(), tasks.begin(), tasks.end());
  shared->work.notify_all();
  state_->tickets[state_->next_ticket] = std::move(tasks);
  return state_->next_ticket++;
}

bool AsyncScorer::ready(int64_t ticket) const {
  std::lock_guard lock(state_->shared->mutex);
  const auto found = state_->tickets.find(ticket);
  return found == state_->tickets.end() ||
         std::all_of(found->second.begin(), found->second.end(), [](const TaskPtr& task) { return task->done; });
}

std::vector<Outcome> AsyncScorer::wait(int64_t ticket) {
  const auto& shared = state_->shared;
  std::unique_lock lock(shared->mutex);
  const auto found = state_->tickets.find(ticket);
  if (found == state_->tickets.end())
    throw Error(fmt::format("AsyncScorer: ticket {} is unknown or was waited for before. Wait once for each ticket.", ticket));
  const auto tasks = std::move(found->second);
  state_->tickets.erase(found);
  std::vector<Outcome> outcomes;
  for (const auto& task : tasks) {
    while (!task->done) sleep(shared, lock);
    std::move(task->outcomes.begin(), task->outcomes.end(), std::back_inserter(outcomes));
  }
  return outcomes;
}

}  // namespace reward
