#include "reward/plugins/child_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "reward/reward.h"

namespace reward {
namespace {

using Clock = std::chrono::steady_clock;

void close_one(int* descriptor) {
  if (*descriptor >= 0) ::close(*descriptor);
  *descriptor = -1;
}

int poll_milliseconds(ChildProcess::Deadline deadline) {
  const auto left = deadline - Clock::now();
  if (left <= Clock::duration::zero()) return 0;
  if (left >= std::chrono::hours(1)) return 3600 * 1000;
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count()) + 1;
}

// Default signals, an empty mask, a group of its own, and no descriptor of ours but the three.
pid_t start(const std::vector<std::string>& command, int input, int output, int errors) {
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t id = -1;
  const int error = ::posix_spawnp(&id, words[0], &actions, &attributes, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw Error(fmt::format("{}: cannot be started: {}. Check `command`.", command[0], std::strerror(error)));
  return id;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, std::string label) : label_(std::move(label)) {
  if (command.empty()) throw Error(label_ + ": the command is empty. Name a program.");
  // A socket as its stdin: writing to one that is closed is an error we can ask for, and no signal.
  int input[2] = {-1, -1}, output[2] = {-1, -1}, errors[2] = {-1, -1};
  const auto close_all = [&] {
    for (int* ends : {input, output, errors}) close_one(&ends[0]), close_one(&ends[1]);
  };
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0 || ::pipe2(output, O_CLOEXEC) != 0 ||
      ::pipe2(errors, O_CLOEXEC) != 0) {
    const std::string why = std::strerror(errno);
    close_all();
    throw Error(fmt::format("{}: no pipe for a plug-in: {}. Are too many files open?", label_, why));
  }
  // The child's ends must not be 0, 1 or 2, or the copies would close each other.
  for (int* end : {&input[1], &output[1], &errors[1]})
    if (*end < 3) {
      const int moved = ::fcntl(*end, F_DUPFD_CLOEXEC, 3);
      ::close(*end);
      *end = moved;
    }
  try {
    id_ = start(command, input[1], output[1], errors[1]);
  } catch (...) {
    close_all();
    throw;
  }
  input_ = input[0], output_fd_ = output[0], errors_fd_ = errors[0];
  for (int fd : {input_, output_fd_, errors_fd_}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  for (int fd : {input[1], output[1], errors[1]}) ::close(fd);
}

ChildProcess::~ChildProcess() {
  kill();
  for (int* fd : {&input_, &output_fd_, &errors_fd_}) close_one(fd);
}

bool ChildProcess::read_into(int* descriptor, std::string& buffer) {
  char bytes[65536];
  const ssize_t got = ::read(*descriptor, bytes, sizeof bytes);
  if (got > 0) buffer.append(bytes, static_cast<size_t>(got));
  else if (got == 0 || (errno != EAGAIN && errno != EINTR)) close_one(descriptor);
  return got > 0;
}

// Whole lines; of an endless line, what has come so far.
void ChildProcess::forward_errors(bool all) {
  size_t end;
  while ((end = errors_.find('\n')) != std::string::npos || errors_.size() > 4096 || (all && !errors_.empty())) {
    const size_t size = std::min({end, errors_.size(), size_t{4096}});
    if (const std::string line = errors_.substr(0, size); !line.empty()) {
      last_error_ = line;
      const std::string text = label_ + ": " + line + "\n";
      (void)!::write(STDERR_FILENO, text.data(), text.size());
    }
    errors_.erase(0, size + (size < errors_.size() && errors_[size] == '\n'));
  }
}

bool ChildProcess::move_bytes(Deadline deadline) {
  pollfd files[3] = {{output_fd_, POLLIN, 0}, {errors_fd_, POLLIN, 0}, {written_ < pending_.size() ? input_ : -1, POLLOUT, 0}};
  const int ready = ::poll(files, 3, poll_milliseconds(deadline));
  if (ready <= 0) return ready < 0 || Clock::now() < deadline;  // a signal, or a long deadline cut in pieces
  if (files[0].revents != 0) read_into(&output_fd_, output_);
  if (files[1].revents != 0 && read_into(&errors_fd_, errors_)) forward_errors(false);
  if (files[2].revents != 0) {
    const ssize_t sent = ::send(input_, pending_.data() + written_, pending_.size() - written_, MSG_NOSIGNAL);
    if (sent > 0) written_ += static_cast<size_t>(sent);
    else if (errno != EAGAIN && errno != EINTR) close_one(&input_);
  }
  return true;
}

ChildProcess::Io ChildProcess::write_line(const std::string& line, Deadline deadline) {
  pending_ = line + "\n";
  written_ = 0;
  while (written_ < pending_.size()) {
    if (input_ < 0 || output_fd_ < 0) return Io::closed;
    if (output_.size() > (64u << 20)) return Io::too_long;  // writes and does not read
    if (!move_bytes(deadline)) return Io::late;
  }
  return Io::done;
}

ChildProcess::Io ChildProcess::read_line(std::string* line, size_t most_bytes, Deadline deadline) {
  for (size_t searched = 0;;) {
    const size_t end = output_.find('\n', searched);
    if (std::min(end, output_.size()) > most_bytes) return Io::too_long;
    if (end != std::string::npos) {
      *line = output_.substr(0, end);
      output_.erase(0, end + 1);
      return Io::done;
    }
    searched = output_.size();
    if (output_fd_ < 0) return Io::closed;
    if (!move_bytes(deadline)) return Io::late;
  }
}

void ChildProcess::close_input() { close_one(&input_); }

// Has it ended? It is not reaped here: its number must stay taken until its group is gone.
void ChildProcess::look() {
  siginfo_t info{};
  if (ended_ || reaped_) return;
  if (::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != id_) return;
  ended_ = true;
  (info.si_code == CLD_EXITED ? exit_code_ : signal_) = info.si_status;
}

bool ChildProcess::wait_for_end(Deadline deadline) {
  // Its end closes its pipes, unless a child of its own holds them: then a short sleep between two looks.
  while (look(), !ended_) {
    if (Clock::now() >= deadline) return false;
    if (output_fd_ >= 0 || errors_fd_ >= 0) move_bytes(std::min(deadline, Clock::now() + std::chrono::milliseconds(20)));
    else ::poll(nullptr, 0, 2);
    output_.clear();
  }
  return true;
}

void ChildProcess::kill() {
  if (reaped_) return;
  look();
  ::kill(-id_, SIGKILL);  // also what an ended program has left behind
  while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  while (errors_fd_ >= 0 && read_into(&errors_fd_, errors_)) forward_errors(false);
  forward_errors(true);
}

std::string ChildProcess::ending(const std::string& when) {
  // It has closed its stdout: most likely it is ending.
  if (!ended_ && !reaped_) wait_for_end(Clock::now() + std::chrono::milliseconds(200));
  const bool by_us = !ended_;
  kill();
  std::string how = by_us         ? "closed its stdout"
                    : signal_ > 0 ? fmt::format("was ended by signal {} ({})", signal_, ::sigdescr_np(signal_))
                                  : fmt::format("ended with exit code {}", exit_code_);
  how += when;
  return last_error_.empty() ? how : how + "; its last words: " + last_error_.substr(0, 300);
}

}  // namespace reward
