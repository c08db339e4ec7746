#include "reward/plugins/worker.h"

#include <fmt/core.h>

#include <algorithm>

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;
using Io = ChildProcess::Io;

// The first restart is at once, the next after 0.1 s, 0.2 s, and so on up to 30 s.
Clock::duration back_off(int64_t failures) {
  if (failures < 2) return Clock::duration::zero();
  return std::chrono::milliseconds(std::min<int64_t>(100ll << std::min<int64_t>(failures - 2, 20), 30000));
}

}  // namespace

Worker::~Worker() {
  if (!child_) return;
  begin_shutdown();
  child_->wait_for_end(Clock::now() + std::chrono::milliseconds(500));
}

void Worker::begin_shutdown() {
  if (!child_) return;
  child_->write_line(protocol::shutdown_request(), Clock::now() + std::chrono::milliseconds(50));
  child_->close_input();
}

Worker::Answer Worker::end(Fate fate, std::string reason, std::string detail) {
  child_.reset();
  ready_ = false;
  not_before_ = Clock::now() + back_off(++failures_);
  return {fate, {}, std::move(reason), settings_->label + ": " + std::move(detail)};
}

// Sends one line and reads one. `read` turns it into outcomes and throws Violation.
template <typename Read>
Worker::Answer Worker::exchange(const std::string& request, size_t most_bytes, Deadline deadline, Read read) {
  std::string reply;
  if (child_->has_output()) return end(Fate::broke, "junk", "wrote to its stdout without being asked");
  Io io = child_->write_line(request, deadline);
  if (io == Io::done) io = child_->read_line(&reply, most_bytes, deadline);
  switch (io) {
    case Io::late: return end(Fate::late, "deadline", "did not answer by the deadline and was killed");
    case Io::too_long: return end(Fate::broke, "huge", fmt::format("wrote a line of more than {} bytes", most_bytes));
    case Io::closed: {
      const std::string how = child_->ending(" while it had a question");
      return end(Fate::died, "died", how);
    }
    case Io::done: break;
  }
  try {
    Answer answer{Fate::answered, read(reply), "", ""};
    failures_ = 0;
    return answer;
  } catch (const protocol::Violation& violation) {
    return end(Fate::broke, violation.reason, violation.what());
  }
}

Worker::Answer Worker::get_ready(Deadline deadline) {
  if (child_ && ready_) return {};
  if (!child_) {
    try {
      child_ = std::make_unique<ChildProcess>(settings_->command, settings_->label);
    } catch (const Error& error) {
      return end(Fate::failed, "start_failed", error.what());
    }
    start_deadline_ = Clock::now() + settings_->start_timeout;
    if (child_->write_line(protocol::hello_request(settings_->config), start_deadline_) == Io::late)
      return end(Fate::failed, "start_failed", "does not read its input");
  }
  std::string reply;
  switch (child_->read_line(&reply, protocol::most_hello_bytes, std::min(deadline, start_deadline_))) {
    case Io::late:
      if (Clock::now() < start_deadline_) return {Fate::starting, {}, "starting", settings_->label + ": has not said hello yet"};
      return end(Fate::failed, "start_failed", fmt::format("said no hello within {} ms", settings_->start_timeout.count()));
    case Io::too_long: return end(Fate::failed, "start_failed", "its first line is too long for a hello");
    case Io::closed: {
      const std::string how = child_->ending(" before its hello");
      return end(Fate::failed, "start_failed", how);
    }
    case Io::done: break;
  }
  try {
    hello_ = protocol::read_hello(reply);
  } catch (const protocol::Violation& violation) {
    return end(Fate::failed, "start_failed", violation.what());
  }
  ready_ = true;
  return {};
}

Worker::Answer Worker::ask(const std::vector<Item>& items, Deadline deadline) {
  if (Answer answer = get_ready(deadline); answer.fate != Fate::answered) return answer;
  const int64_t id = next_id_++;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  const std::string request = protocol::score_request(id, std::max<int64_t>(left, 0), items);
  return exchange(request, protocol::most_reply_bytes(items.size()), deadline,
                  [&](const std::string& reply) { return protocol::read_results(reply, id, items); });
}

Worker::Answer Worker::ping(Deadline deadline) {
  if (Answer answer = get_ready(deadline); answer.fate != Fate::answered) return answer;
  const int64_t id = next_id_++;
  return exchange(protocol::ping_request(id), protocol::most_hello_bytes, deadline, [&](const std::string& reply) {
    protocol::read_pong(reply, id);
    return std::vector<Outcome>();
  });
}

}  // namespace reward
