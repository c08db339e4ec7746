#include "reward/sandbox/launcher/room.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "reward/reward.h"
#include "reward/sandbox/launcher/jail.h"
#include "reward/sandbox/launcher/room_inside.h"

namespace reward::sandbox {
namespace {

constexpr int64_t start_ms = 10000;  // an interpreter starts in 30 ms; a machine under load takes longer

int namespaces_of(const Plan& plan) {
  return CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | (plan.user ? CLONE_NEWUSER : 0) | (plan.network ? CLONE_NEWNET : 0) |
         (plan.uts ? CLONE_NEWUTS : 0);
}

void write_map(pid_t process, const char* file, const std::string& text) {
  const std::string path = fmt::format("/proc/{}/{}", process, file);
  const int map = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool good = map >= 0 && write(map, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (map >= 0) close(map);
  if (!good) throw Error(fmt::format("sandbox: cannot write \"{}\" to {}: {}", text, path, std::strerror(error)));
}

// One user and one group exist in the room: the slot's. Root gives a user id of its own; an ordinary user can only give his.
void write_maps(pid_t process, uint32_t uid) {
  const bool root = geteuid() == 0;
  if (!root) write_map(process, "setgroups", "deny");
  write_map(process, "uid_map", fmt::format("{} {} 1", uid, root ? uid : geteuid()));
  write_map(process, "gid_map", fmt::format("{} {} 1", uid, root ? uid : getegid()));
}

}  // namespace

std::string find_python() {
  for (const char* path : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return "";
}

Room::Room(const RoomSettings& settings) {
  int sockets[2], gate[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0 || pipe2(gate, O_CLOEXEC) != 0) {
    throw Error(fmt::format("sandbox: cannot make a room's sockets: {}", std::strerror(errno)));
  }
  const long child = syscall(SYS_clone, namespaces_of(settings.plan) | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    close(sockets[0]);
    close(gate[1]);
    char go;
    if (::read(gate[0], &go, 1) != 1) _exit(1);  // the launcher gave up, or died
    live_in_room(settings, sockets[1]);
  }
  const int error = errno;
  close(sockets[1]);
  close(gate[0]);
  socket_ = sockets[0];
  process_ = static_cast<pid_t>(child);
  try {
    if (child < 0) throw Error(fmt::format("sandbox: cannot make the namespaces of a room: {}", std::strerror(error)));
    if (settings.plan.user) write_maps(process_, settings.uid);
    if (settings.cgroup != nullptr) settings.cgroup->add(process_);
    if (write(gate[1], "g", 1) != 1) throw Error("sandbox: a room died at once");
    close(gate[1]);
    gate[1] = -1;
    wait_until_ready(settings.python);
  } catch (...) {
    if (gate[1] >= 0) close(gate[1]);
    end();
    throw;
  }
}

// The room says "ready", or in words what failed.
void Room::wait_until_ready(bool python) {
  char text[512];
  pollfd ready{socket_, POLLIN, 0};
  const int64_t deadline = now_ms() + start_ms;
  int n;
  do n = poll(&ready, 1, static_cast<int>(std::max<int64_t>(0, deadline - now_ms())));
  while (n < 0 && errno == EINTR);
  const ssize_t bytes = n == 1 ? recv(socket_, text, sizeof text, 0) : -1;
  const std::string said(text, bytes > 0 ? static_cast<size_t>(bytes) : 0);
  if (said == "ready") return;
  const char* what = python ? "the Python room" : "the room";
  if (n == 0) throw Error(fmt::format("sandbox: {} was not ready after {} s", what, start_ms / 1000));
  throw Error(fmt::format("sandbox: {}: {}", what, said.empty() ? "it ended while it was made" : said));
}

Room::~Room() { end(); }

void Room::end() {
  if (socket_ >= 0) close(socket_);
  if (process_ > 0) {
    kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  socket_ = process_ = -1;
}

}  // namespace reward::sandbox
