#include "reward/sandbox/launcher/self_check.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "reward/sandbox/launcher/jail.h"

namespace reward::sandbox {
namespace {

constexpr int most_processes = 8;  // the probe's limit; see probe.cpp

std::string lines;
void line(const char* wall, bool stands, const std::string& detail) {
  lines += fmt::format("{}\t{}\t{}\n", wall, stands ? 1 : 0, detail);
}

void check_files() {
  const bool host = access("/etc/passwd", F_OK) == 0 || access("/proc/1", F_OK) == 0 || access("/root", F_OK) == 0;
  const bool writable = access("/usr", W_OK) == 0 || access("/", W_OK) == 0;
  line("private root", !host && !writable,
       host       ? "files of the host can be seen"
       : writable ? "the runtime can be written"
                  : "runtime read-only, nothing else of the host");
  const int outside = open("/jail.so", O_RDONLY | O_CLOEXEC);
  line("landlock", outside < 0 && errno == EACCES,
       outside >= 0 ? "a file outside its rules could be opened" : "second wall for files and TCP");
}

void check_user() {
  line("unprivileged uid", getuid() != 0 && setuid(0) != 0 && geteuid() != 0, fmt::format("uid {} inside", getuid()));
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  bool none = syscall(SYS_capget, &header, data) == 0;
  for (const auto& half : data) none = none && (half.effective | half.permitted | half.inheritable) == 0;
  line("capabilities dropped", none && prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0, "all sets empty");
  line("no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "setuid programs give nothing");
}

void check_calls() {
  const bool traced = ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0;
  const bool socket_made = socket(AF_INET, SOCK_STREAM, 0) >= 0;
  line("seccomp", !traced && !socket_made, "system call filter");
}

void check_limits() {
  int file, last = -1;
  while ((file = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && file < 4096) last = file;
  line("rlimits", last < 1000, fmt::format("a program may open {} files", last + 1));
  close_range(3, ~0u, 0);
}

// Children of this process, itself included, until the kernel refuses one. They end with the job.
void check_processes() {
  int processes = 1;
  for (int pid; processes < 4 * most_processes && (pid = fork()) >= 0; ++processes) {
    if (pid == 0) {
      pause();
      _exit(0);
    }
  }
  line("processes", processes <= most_processes,
       fmt::format("{} could be started where {} are allowed", processes, most_processes));
}

[[noreturn]] void take_memory() {
  constexpr size_t bytes = size_t{256} << 20;
  auto* memory = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (memory == MAP_FAILED) _exit(1);
  for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  _exit(0);
}

}  // namespace

void self_check() {
  if (jail_argument_count() > 0 && std::strcmp(jail_argument(0), "memory") == 0) take_memory();
  line("pid namespace", getppid() == 1, "other processes cannot be seen; all end with process 1");
  check_files();
  check_user();
  check_calls();
  check_limits();
  line("empty environment", environ == nullptr || *environ == nullptr, "no variable is handed on");
  check_processes();
  const bool written = write(1, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  _exit(written ? 0 : 1);
}

}  // namespace reward::sandbox
