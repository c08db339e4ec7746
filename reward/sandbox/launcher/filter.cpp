#include "reward/sandbox/launcher/filter.h"

#include <fmt/core.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "reward/reward.h"

namespace reward::sandbox {
namespace {

// Never needed by a program that computes.
constexpr const char* denied[] = {
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
    // file systems and namespaces
    "mount", "umount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount", "open_tree", "fsopen", "fsconfig",
    "fsmount", "fspick", "setns", "unshare", "open_by_handle_at", "name_to_handle_at", "quotactl", "quotactl_fd", "swapon",
    "swapoff", "sysfs", "ustat", "acct", "fanotify_init", "fanotify_mark",
    // the network; socketpair(AF_UNIX) is let through below
    "socket", "connect", "bind", "listen", "accept", "accept4",
    // the kernel
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "kexec_load",
    "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "get_kernel_syms", "query_module",
    "reboot", "syslog", "iopl", "ioperm", "modify_ldt", "vm86", "vm86old", "lookup_dcookie", "nfsservctl", "_sysctl",
    "uselib", "vhangup", "personality", "seccomp", "vmsplice", "move_pages", "migrate_pages", "mbind", "set_mempolicy",
    // keys, clocks, names
    "add_key", "request_key", "keyctl", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "sethostname",
    "setdomainname",
    // memory that outlives a process or is a program without a file
    "shmget", "shmat", "shmctl", "msgget", "semget", "mq_open", "memfd_create", "memfd_secret",
};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW)) {
    if (context_ == nullptr) throw Error("sandbox: libseccomp could not be started");
    must(seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "bad architecture");
    must(seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree");
  }
  ~Filter() { seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void deny(const char* call, int error = EPERM) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number < 0) return;  // not a call of this architecture
    must(seccomp_rule_add(context_, SCMP_ACT_ERRNO(error), number, 0), call);
  }
  void deny_if(const char* call, scmp_arg_cmp condition) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number < 0) return;
    must(seccomp_rule_add_array(context_, SCMP_ACT_ERRNO(EPERM), number, 1, &condition), call);
  }

  std::string bytes() const {
    const int file = memfd_create("filter", MFD_CLOEXEC);
    std::string result(1 << 16, '\0');
    const int error = file < 0 ? -errno : seccomp_export_bpf(context_, file);
    const ssize_t n = error == 0 ? pread(file, result.data(), result.size(), 0) : -1;
    if (file >= 0) close(file);
    must(n > 0 ? 0 : error, "export");
    result.resize(static_cast<size_t>(n));
    return result;
  }

 private:
  static void must(int error, const char* what) {
    if (error != 0) throw Error(fmt::format("sandbox: the system call filter: {}: {}", what, std::strerror(-error)));
  }
  scmp_filter_ctx context_;
};

scmp_arg_cmp bits_set(unsigned argument, uint64_t bits) { return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, bits, bits); }
// The kernel looks at the low half of such arguments only, so the high half must not matter here.
scmp_arg_cmp low_half_is(unsigned argument, uint64_t value) {
  return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, 0xffffffffu, value);
}

void deny_by_argument(Filter& filter) {
  for (const uint64_t space :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP}) {
    filter.deny_if("clone", bits_set(0, space));
  }
  constexpr uint64_t tioclinux = 0x541C;
  for (const uint64_t request : {uint64_t{TIOCSTI}, tioclinux, uint64_t{TIOCSETD}}) {
    filter.deny_if("ioctl", low_half_is(1, request));
  }
  filter.deny_if("socketpair", SCMP_CMP(0, SCMP_CMP_NE, AF_UNIX));
  filter.deny_if("prctl", low_half_is(0, PR_SET_SECCOMP));
  filter.deny_if("prctl", low_half_is(0, PR_SET_MM));
  filter.deny_if("prlimit64", SCMP_CMP(0, SCMP_CMP_NE, 0));  // limits of other processes
  for (const uint64_t device : {S_IFCHR, S_IFBLK}) {
    filter.deny_if("mknod", SCMP_CMP(1, SCMP_CMP_MASKED_EQ, S_IFMT, device));
    filter.deny_if("mknodat", SCMP_CMP(2, SCMP_CMP_MASKED_EQ, S_IFMT, device));
  }
}

// Jumps in classic BPF are relative, so instructions may stand before the others.
std::string deny_unknown_calls() {
#if defined(__x86_64__)
  constexpr uint32_t architecture = AUDIT_ARCH_X86_64, first = 453;
#elif defined(__aarch64__)
  constexpr uint32_t architecture = AUDIT_ARCH_AARCH64, first = 453;
#else
#error "reward/sandbox: say which system call numbers this architecture has"
#endif
  constexpr uint32_t x32_bit = 0x40000000;
  const std::array<sock_filter, 6> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  }};
  return {reinterpret_cast<const char*>(code.data()), sizeof code};
}

}  // namespace

std::string make_filter() {
  Filter filter;
  for (const char* call : denied) filter.deny(call);
  filter.deny("clone3", ENOSYS);  // its flags lie in memory, where a filter cannot look
  deny_by_argument(filter);
  return deny_unknown_calls() + filter.bytes();
}

}  // namespace reward::sandbox
