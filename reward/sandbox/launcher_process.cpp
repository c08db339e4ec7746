#include "reward/sandbox/launcher_process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "reward/reward.h"
#include "reward/sandbox/embedded_launcher.h"
#include "reward/sandbox/protocol.h"

namespace reward::sandbox {
namespace {

[[noreturn]] void refuse(const char* call, int error) {
  throw Error(fmt::format("sandbox: cannot start the launcher: {}: {}", call, std::strerror(error)));
}

// The launcher as a file in memory, once a process.
int launcher_file() {
  static const int file = [] {
    const int low = memfd_create("ponder-sandbox", MFD_CLOEXEC);
    // Out of the way of 3, which becomes the socket before the file is run.
    const int made = fcntl(low, F_DUPFD_CLOEXEC, 16);
    if (made < 0) refuse("memfd_create", errno);
    close(low);
    const std::string_view bytes = embedded_launcher();
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t n = write(made, bytes.data() + done, bytes.size() - done);
      if (n <= 0) refuse("write", errno);
      done += static_cast<size_t>(n);
    }
    return made;
  }();
  return file;
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  explicit SpawnSettings(int socket) {
    posix_spawn_file_actions_init(&actions);
    // First: where the trainer has closed its own 0 to 2, `socket` may be one of them.
    posix_spawn_file_actions_adddup2(&actions, socket, 3);
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

void LauncherProcess::start() {
  if (running()) return;
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) refuse("socketpair", errno);
  const std::string path = fmt::format("/proc/self/fd/{}", launcher_file());
  std::vector<char*> words;
  std::string name = "ponder-sandbox";
  words.push_back(name.data());
  for (auto& argument : arguments_) words.push_back(argument.data());
  words.push_back(nullptr);
  char* environment[] = {nullptr};
  SpawnSettings settings(sockets[1]);
  const int error = posix_spawn(&process_, path.c_str(), &settings.actions, &settings.attributes, words.data(), environment);
  close(sockets[1]);
  socket_ = sockets[0];
  if (error != 0) {
    process_ = -1;
    close(socket_);
    socket_ = -1;
    refuse("posix_spawn", error);
  }
}

bool LauncherProcess::send(const std::string& bytes) {
  if (send_message(socket_, bytes)) return true;
  end(true);
  return false;
}

bool LauncherProcess::receive(std::string& bytes, double seconds) {
  if (receive_message(socket_, bytes, now_ms() + static_cast<int64_t>(seconds * 1000))) return true;
  end(true);
  return false;
}

void LauncherProcess::end(bool at_once) {
  if (socket_ >= 0) close(socket_);
  if (process_ > 0) {
    if (at_once) kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  socket_ = process_ = -1;
}

}  // namespace reward::sandbox
