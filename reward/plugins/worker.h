// One plug-in process that speaks the protocol: started when needed, ended when it hangs, dies or breaks the protocol. Used by
// one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reward/plugins/child_process.h"
#include "reward/plugins/protocol.h"

namespace reward {

struct WorkerSettings {
  std::string label;  // before its stderr's lines, and in messages
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> config;
  std::chrono::milliseconds start_timeout{60000};
};

class Worker {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  // What became of a question. `outcomes` has a value an item only for `answered`.
  enum class Fate {
    answered,
    late,      // not by the deadline: killed
    broke,     // answered, but not as the protocol says: killed
    died,      // while it had the question
    starting,  // not ready by the deadline, but it may be later: left alone
    failed,    // could not be started, or died or broke the protocol before its hello
  };
  struct Answer {
    Fate fate = Fate::answered;
    std::vector<Outcome> outcomes;
    std::string reason, detail;  // unless answered
  };

  explicit Worker(std::shared_ptr<const WorkerSettings> settings) : settings_(std::move(settings)) {}
  ~Worker();  // asks it to shut down; kills it half a second later

  // Starts it if it does not run, and waits for its hello: fate answered, starting or failed.
  Answer get_ready(Deadline deadline);
  Answer ask(const std::vector<Item>& items, Deadline deadline);
  Answer ping(Deadline deadline);

  void begin_shutdown();  // without waiting, so that several can end at once
  const protocol::Hello& hello() const { return hello_; }  // after it was ready once
  bool runs() const { return child_ != nullptr; }
  Deadline not_before() const { return not_before_; }     // back-off: not to be started earlier
  pid_t id() const { return child_ ? child_->id() : -1; }

 private:
  template <typename Read>
  Answer exchange(const std::string& request, size_t most_bytes, Deadline deadline, Read read);
  Answer end(Fate fate, std::string reason, std::string detail);

  std::shared_ptr<const WorkerSettings> settings_;
  std::unique_ptr<ChildProcess> child_;
  bool ready_ = false;
  Deadline start_deadline_{}, not_before_{};
  int64_t failures_ = 0;  // in a row; a good answer ends the row
  int64_t next_id_ = 1;
  protocol::Hello hello_;
};

}  // namespace reward
