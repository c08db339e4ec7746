#include "reward/sandbox/launcher/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "reward/sandbox/launcher/jail_parts.h"

namespace reward::sandbox {
namespace jail {

Job job;
unsigned char filter[16384];
size_t filter_bytes = 0;

namespace {

constexpr int max_arguments = 256;
const char* arguments[max_arguments];
int argument_count = 0;

// Reads what wire.h wrote: numbers of eight bytes, texts with their length before and a zero behind.
struct Spec {
  const unsigned char* at = nullptr;
  int64_t number() {
    int64_t value;
    memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
  }
  const char* text(int64_t* bytes) {
    *bytes = number();
    const char* start = reinterpret_cast<const char*>(at);
    at += *bytes + 1;
    return start;
  }
};

void write_file(const char* name, const char* bytes, int64_t size, int mode) {
  const int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  must(file >= 0, "make a file in the work folder");
  for (int64_t done = 0; done < size;) {
    const ssize_t n = write(file, bytes + done, static_cast<size_t>(size - done));
    must(n > 0, "fill a file in the work folder; is work_folder_mb too small?");
    done += n;
  }
  must(fchown(file, job.request.uid, job.request.gid) == 0, "give a file to the program");
  must(fchmod(file, static_cast<mode_t>(mode)) == 0, "set the mode of a file");
  close(file);
}

// Formats a number into the mount options without the C++ library; snprintf would do, but this also works in a fresh clone.
char* append(char* to, const char* text) {
  while (*text != 0) *to++ = *text++;
  *to = 0;
  return to;
}
char* append(char* to, uint64_t number, unsigned base) {
  char digits[24];
  int n = 0;
  do {
    digits[n++] = static_cast<char>('0' + number % base);
    number /= base;
  } while (number != 0);
  while (n > 0) *to++ = digits[--n];
  *to = 0;
  return to;
}

void make_work_folder() {
  const auto& request = job.request;
  char options[160];
  char* to = append(append(options, "mode=0700,size="), static_cast<uint64_t>(request.folder_bytes), 10);
  to = append(append(to, ",nr_inodes="), static_cast<uint64_t>(request.folder_files), 10);
  to = append(append(to, ",uid="), request.uid, 10);
  append(append(to, ",gid="), request.gid, 10);
  must(mount("work", "/work", "tmpfs", MS_NOSUID | MS_NODEV, options) == 0, "mount the work folder");
  must(chdir("/work") == 0, "enter the work folder");
}

void read_spec() {
  struct stat about;
  must(fstat(job.descriptors[fd_spec], &about) == 0, "size the job's description");
  void* map = mmap(nullptr, static_cast<size_t>(about.st_size), PROT_READ, MAP_PRIVATE, job.descriptors[fd_spec], 0);
  must(map != MAP_FAILED, "map the job's description");
  Spec spec{static_cast<const unsigned char*>(map)};
  for (int64_t files = spec.number(); files > 0; --files) {
    int64_t name_bytes, bytes;
    const char* name = spec.text(&name_bytes);
    const char* content = spec.text(&bytes);
    write_file(name, content, bytes, strcmp(name, "program") == 0 ? 0700 : 0600);
  }
  argument_count = static_cast<int>(spec.number());
  must(argument_count < max_arguments, "take that many arguments");
  for (int i = 0; i < argument_count; ++i) {
    int64_t bytes;
    arguments[i] = spec.text(&bytes);
  }
}

// One packet and its descriptors, in fixed places of `job`. False at the end of the conversation.
bool receive_job() {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof job.descriptors)];
  iovec data{&job.request, sizeof job.request};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n;
  do n = recvmsg(room_socket, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(sizeof job.request)) return false;
  for (int& descriptor : job.descriptors) descriptor = -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return false;
  const size_t bytes = header->cmsg_len - CMSG_LEN(0);
  if (bytes > sizeof job.descriptors) return false;
  memcpy(job.descriptors, CMSG_DATA(header), bytes);
  return true;
}

void send_with(int socket, const void* bytes, size_t size, int attached) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{const_cast<void*>(bytes), size};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (attached >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &attached, sizeof attached);
  }
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

void close_descriptors() {
  for (const int descriptor : job.descriptors) {
    if (descriptor >= 0) close(descriptor);
  }
}

void become_process_one() {
  close(room_socket);
  close(room_filter);
  signal(SIGCHLD, SIG_DFL);
  must(setsid() >= 0, "start a session");
  make_work_folder();
  read_spec();
  close(job.descriptors[fd_spec]);
}

// The program that a compile job made, if it is a plain file; its reader is outside and checks its size.
int open_program() {
  const int file = open("/work/program", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  struct stat about;
  if (file >= 0 && (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))) {
    close(file);
    return -1;
  }
  return file;
}

int64_t micros(const timeval& time) { return static_cast<int64_t>(time.tv_sec) * 1000000 + time.tv_usec; }

}  // namespace

void send_report(int descriptor, const Report& report, int attached) {
  send_with(descriptor, &report, sizeof report, attached);
}

void fail(const char* step) {
  Report report{};
  report.kind = Report::failed;
  report.error = errno;
  strncpy(report.step, step, sizeof report.step - 1);
  send_report(job.descriptors[fd_report], report, -1);
  _exit(1);
}

}  // namespace jail

void jail_begin() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // the exec and the change of user before it have cleared it
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGCHLD, SIG_IGN);          // the kernel reaps process 1 of each job
  const ssize_t n = pread(room_filter, jail::filter, sizeof jail::filter, 0);
  jail::filter_bytes = n > 0 ? static_cast<size_t>(n) : 0;
}

int jail_serve() {
  while (jail::receive_job()) {
    int pidfd = -1;
    // A raw clone: the C library's fork has no namespaces. One thread lives here, so no lock can be left held.
    const long child = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    if (child == 0) {
      jail::become_process_one();
      return 0;
    }
    const StartAnswer answer{child < 0 ? errno : 0};
    jail::send_with(room_socket, &answer, sizeof answer, pidfd);
    if (pidfd >= 0) close(pidfd);
    jail::close_descriptors();
  }
  _exit(0);
}

void jail_guard(int child) {
  const bool compiled = jail::job.request.kind == Kind::compile_cpp;
  // Its copies of the pipes must go, or their readers would see no end; only the report stays, at 0.
  dup3(jail::job.descriptors[fd_report], 0, O_CLOEXEC);
  close_range(1, ~0u, 0);
  if (setresuid(jail::job.request.uid, jail::job.request.uid, jail::job.request.uid) != 0) _exit(1);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);
  prctl(PR_SET_DUMPABLE, 0);
  int status = 0;
  for (;;) {
    int one;
    const pid_t ended = wait4(-1, &one, 0, nullptr);
    if (ended == child) {
      status = one;
      break;
    }
    if (ended < 0 && errno != EINTR) break;
  }
  Report report{};
  report.kind = Report::ended;
  report.wait_status = status;
  struct statfs folder;
  if (statfs("/work", &folder) == 0) report.folder_full = folder.f_bavail == 0 || folder.f_ffree == 0;
  rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) == 0) {
    report.cpu_micros = jail::micros(usage.ru_utime) + jail::micros(usage.ru_stime);
  }
  jail::send_report(0, report, compiled && status == 0 ? jail::open_program() : -1);
  _exit(0);
}

int jail_argument_count() { return jail::argument_count; }
const char* jail_argument(int index) { return jail::arguments[index]; }
int jail_kind() { return static_cast<int>(jail::job.request.kind); }

}  // namespace reward::sandbox
