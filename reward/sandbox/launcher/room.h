// A room: what the jobs of one slot share, because it holds no state that a program could change or read from.
//
// Its first process lives in own user, mount, pid, network, ipc, uts and cgroup namespaces, as the slot's user, which holds
// capabilities over these namespaces only. The root is a tmpfs, read-only once it is made, with read-only binds of the runtime
// (/usr, libraries) and /dev/{null,zero,urandom}; there is no /proc, no /sys, no home. The network has no interface that is
// up. The process then waits for jobs (jail_serve): as this launcher's own code for native programs, or as a Python interpreter
// that has the usual modules loaded. Each job gets its own pid, mount and ipc namespaces and its own work folder inside.
//
// When a room's first process dies, the kernel ends everything in it.
#pragma once

#include <sys/types.h>

#include <string>

#include "reward/sandbox/launcher/cgroup.h"
#include "reward/sandbox/protocol.h"

namespace reward::sandbox {

struct RoomSettings {
  Plan plan;
  bool python = false;
  uint32_t uid = 0;          // and gid
  int filter = -1;           // a file with the system call filter
  const Cgroup* cgroup = nullptr;
};

class Room {
 public:
  // Returns when the room waits for jobs. Throws Error with the step that failed.
  explicit Room(const RoomSettings& settings);
  ~Room();  // ends everything in it
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  int socket() const { return socket_; }

 private:
  void wait_until_ready(bool python);
  void end();
  pid_t process_ = -1;
  int socket_ = -1;
};

// The interpreter that a Python room runs; empty if the runtime has none.
std::string find_python();

}  // namespace reward::sandbox
