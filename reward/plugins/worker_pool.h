// The workers of one plug-in, and what becomes of items when they fail.
//
// A call goes to any free worker. A worker that misses the deadline is killed: its items are `timeout`. One that breaks the
// protocol is killed: `infra_error`. When one dies, its items are asked again of another, one by one (a group in one piece, if
// the plug-in wants groups); an item that three workers died on is `infra_error` with reason "poison", then and ever after.
// Failed workers are started again, after a pause that doubles with each failure in a row (worker.cpp).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "reward/plugins/worker.h"

namespace reward {

class WorkerPool {
 public:
  using Deadline = Worker::Deadline;
  static constexpr int64_t deaths_of_poison = 3;

  WorkerPool(WorkerSettings settings, int64_t workers);
  ~WorkerPool();

  // One outcome an item, by the deadline. Thread-safe: as many calls are under way as there are workers, the others wait.
  std::vector<Outcome> score(const std::vector<Item>& items, Deadline deadline);
  // Starts one worker and pings it. Empty, or what went wrong.
  std::string check(Deadline deadline);
  std::optional<protocol::Hello> hello() const;  // of the worker that was ready first

 private:
  class Lease;
  std::vector<Outcome> ask(const std::vector<Item>& items, Deadline deadline);
  std::vector<Outcome> ask_again(const std::vector<Item>& items, Deadline deadline, const Worker::Answer& last);
  Worker::Answer learn_hello(Deadline deadline);
  bool poisonous(const Item& item) const;

  std::shared_ptr<const WorkerSettings> settings_;
  std::vector<std::unique_ptr<Worker>> workers_;
  mutable std::mutex mutex_;  // guards what follows; a worker is used outside it, by who has taken it
  std::condition_variable freed_;
  std::vector<Worker*> free_;
  std::optional<protocol::Hello> hello_;
  std::unordered_map<uint64_t, int64_t> deaths_;  // by item; an item that is answered leaves
};

}  // namespace reward
