// The child's side of a job: every right goes, one after the other, and the system call filter last.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "reward/sandbox/launcher/jail_parts.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

namespace reward::sandbox {
namespace jail {
namespace {

// Above 0 to 3, which the program gets, and below where anything else is closed.
constexpr int report_at = 4;

void arrange_descriptors() {
  int sources[4] = {job.descriptors[fd_input], job.descriptors[fd_output], job.descriptors[fd_errors],
                    job.request.channel != 0 ? job.descriptors[fd_channel] : -1};
  for (int& source : sources) {
    if (source < 0) continue;
    source = fcntl(source, F_DUPFD_CLOEXEC, 16);
    must(source >= 0, "move a descriptor");
  }
  const int report = fcntl(job.descriptors[fd_report], F_DUPFD_CLOEXEC, 16);
  must(report >= 0 && dup3(report, report_at, O_CLOEXEC) == report_at, "move the report");
  job.descriptors[fd_report] = report_at;
  for (int i = 0; i < 4; ++i) {
    if (sources[i] >= 0) must(dup2(sources[i], i) == i, "place a descriptor");
    else close(i);
  }
  must(close_range(report_at + 1, ~0u, 0) == 0, "close all other descriptors");
}

// Never above what this process has been given itself, which it could not raise.
void limit(int resource, int64_t soft, int64_t hard, const char* step) {
  const auto which = static_cast<__rlimit_resource_t>(resource);
  rlimit both;
  must(getrlimit(which, &both) == 0, step);
  const auto lower = [&both](int64_t wanted) {
    const auto value = static_cast<rlim_t>(wanted);
    return value < both.rlim_max ? value : both.rlim_max;
  };
  both = rlimit{lower(soft), lower(hard)};
  must(setrlimit(which, &both) == 0, step);
}
void limit(int resource, int64_t value, const char* step) { limit(resource, value, value, step); }

void set_limits() {
  const auto& request = job.request;
  limit(RLIMIT_CPU, request.cpu_seconds, request.cpu_seconds + 1, "limit processor time");
  if (request.limit_address_space != 0) limit(RLIMIT_AS, request.memory_bytes, "limit the address space");
  limit(RLIMIT_FSIZE, request.folder_bytes, "limit the size of a file");
  limit(RLIMIT_NOFILE, 128, "limit open files");
  limit(RLIMIT_NPROC, request.processes, "limit processes");
  limit(RLIMIT_STACK, request.stack_bytes, "limit the stack");
  limit(RLIMIT_CORE, 1, "forbid core files");  // 1 and not 0: with 0 a core handler behind a pipe is still started
  limit(RLIMIT_MEMLOCK, 0, "limit locked memory");
  limit(RLIMIT_MSGQUEUE, 0, "limit message queues");
  limit(RLIMIT_SIGPENDING, 128, "limit pending signals");
  limit(RLIMIT_NICE, 0, "limit priorities");
  limit(RLIMIT_RTPRIO, 0, "limit real-time priorities");
}

void drop_rights() {
  const auto& request = job.request;
  for (unsigned capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
  }
  must(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0, "empty the bounding set");
  must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, "clear ambient capabilities");
  constexpr unsigned long secure =
      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  must(prctl(PR_SET_SECUREBITS, secure, 0, 0, 0) == 0, "lock root's capabilities away");
  setgroups(0, nullptr);  // refused where the map was written by an ordinary user, who has no others to lose
  must(setresgid(request.gid, request.gid, request.gid) == 0, "become the slot's group");
  must(setresuid(request.uid, request.uid, request.uid) == 0, "become the slot's user");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  must(syscall(SYS_capset, &header, none) == 0, "drop all capabilities");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "forbid new privileges");
}

// Landlock's numbers are written out: the kernel headers of a build machine are often older than the kernel it runs.
struct RulesetAttributes {
  uint64_t files, network, scoped;
};
struct __attribute__((packed)) PathRule {
  uint64_t allowed;
  int32_t parent;
};
constexpr uint64_t execute = 1, write_file = 2, read_file = 4, read_folder = 8, truncate_file = 1 << 14;

void allow_beneath(int ruleset, const char* path, uint64_t rights) {
  const int parent = open(path, O_PATH | O_CLOEXEC);
  if (parent < 0) return;
  const PathRule rule{rights, parent};
  must(syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0) == 0, "add a Landlock rule");
  close(parent);
}

void enter_landlock() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, 1);
  must(version >= 1, "ask for Landlock");
  RulesetAttributes handled{(1 << 13) - 1, 0, 0};        // version 1: 13 rights
  if (version >= 2) handled.files |= 1 << 13;            // move between folders
  if (version >= 3) handled.files |= truncate_file;
  if (version >= 4) handled.network = 3;                 // bind and connect TCP
  if (version >= 5) handled.files |= 1 << 15;            // ioctl of devices
  if (version >= 6) handled.scoped = 3;                  // abstract sockets and signals to processes outside
  const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const int ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, size, 0));
  must(ruleset >= 0, "make a Landlock ruleset");
  static const char* const runtime[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc"};
  for (const char* folder : runtime) allow_beneath(ruleset, folder, execute | read_file | read_folder);
  allow_beneath(ruleset, "/dev", (read_file | read_folder | write_file | truncate_file) & handled.files);
  allow_beneath(ruleset, "/work", handled.files);
  must(syscall(SYS_landlock_restrict_self, ruleset, 0) == 0, "enter Landlock");
  close(ruleset);
}

void install_filter() {
  sock_fprog program{static_cast<unsigned short>(filter_bytes / sizeof(sock_filter)), reinterpret_cast<sock_filter*>(filter)};
  must(program.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0, "install the system call filter");
}

}  // namespace
}  // namespace jail

void jail_drop() {
  using namespace jail;
  must(setsid() >= 0, "start a session");
  arrange_descriptors();
  set_limits();
  drop_rights();
  must(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "die with process 1");  // after the user, whose change clears it
  if (job.request.landlock != 0) enter_landlock();
  if (job.request.filter != 0) install_filter();
  Report report{};
  report.kind = Report::started;
  send_report(report_at, report, -1);
  close(report_at);
}

}  // namespace reward::sandbox
