// A program with pipes to its stdin, stdout and stderr, read and written line by line against a deadline. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace reward {

class ChildProcess {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Io { done, late, closed, too_long };

  // `command` is found by PATH; the program gets this one's environment and folder, and a process group of its own. Throws
  // reward::Error if it cannot be started. Lines of its stderr are written to ours with `label` before them.
  ChildProcess(const std::vector<std::string>& command, std::string label);
  ~ChildProcess();  // kills it if it lives
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Each also empties what the program writes meanwhile, so that neither side waits for the other for ever.
  Io write_line(const std::string& line, Deadline deadline);
  Io read_line(std::string* line, size_t most_bytes, Deadline deadline);
  bool has_output() const { return !output_.empty(); }  // unread bytes of its stdout that have arrived

  void close_input();                  // it reads the end of its input
  bool wait_for_end(Deadline deadline);
  void kill();                         // it and all it has started and left in its group; returns when it is gone
  // How it ended and `when`, with the last line of its stderr. Kills it if it lives.
  std::string ending(const std::string& when);
  pid_t id() const { return id_; }

 private:
  // Waits for the pipes once and moves what can be moved. False at the deadline.
  bool move_bytes(Deadline deadline);
  bool read_into(int* descriptor, std::string& buffer);
  void forward_errors(bool all);
  void look();

  std::string label_;
  pid_t id_ = -1;
  int input_ = -1, output_fd_ = -1, errors_fd_ = -1;
  std::string pending_, output_, errors_, last_error_;
  size_t written_ = 0;
  bool ended_ = false, reaped_ = false;
  int exit_code_ = 0, signal_ = 0;
};

}  // namespace reward
