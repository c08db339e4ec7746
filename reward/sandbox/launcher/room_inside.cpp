#include "reward/sandbox/launcher/room_inside.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "reward/sandbox/launcher/embedded.h"
#include "reward/sandbox/launcher/jail.h"
#include "reward/sandbox/launcher/run_native.h"

// sys/mount.h and linux/mount.h of some releases cannot be included together.
extern "C" int mount(const char* source, const char* target, const char* type, unsigned long flags, const void* data) noexcept;
extern "C" int umount2(const char* target, int flags) noexcept;

namespace reward::sandbox {
namespace {

constexpr unsigned long read_only = 1, no_setuid = 2, no_devices = 4, remount = 32, bind = 4096, recursive = 16384,
                        make_private = 1 << 18;
constexpr int detach = 2;

void must(bool good, const std::string& step) {
  if (!good) throw std::runtime_error(fmt::format("{}: {}", step, std::strerror(errno)));
}

void become_slot_user(const RoomSettings& settings) {
  if (!settings.plan.user) return;  // root then stays root here, and each program drops to the slot's user
  setgroups(0, nullptr);            // refused where an ordinary user wrote the map
  must(setresgid(settings.uid, settings.uid, settings.uid) == 0, "become the slot's group");
  must(setresuid(settings.uid, settings.uid, settings.uid) == 0, "become the slot's user");
}

// Read-only with everything mounted below it, which a plain remount would leave writable.
void lock(const char* path) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  constexpr unsigned at_recursive = 0x8000;
  if (syscall(SYS_mount_setattr, AT_FDCWD, path, at_recursive, &attributes, sizeof attributes) == 0) return;
  must(errno == ENOSYS, fmt::format("make {} read-only", path));
  must(mount(nullptr, path, nullptr, remount | bind | read_only | no_setuid | no_devices, nullptr) == 0,
       fmt::format("make {} read-only", path));
}

// A folder or file of the host at the same place below the new root `top`; what the host has as a link stays one.
void bring(const std::string& top, const char* path) {
  struct stat about;
  if (lstat(path, &about) != 0) return;
  const std::string target = top + path;
  if (S_ISLNK(about.st_mode)) {
    char link[4096];
    const ssize_t n = readlink(path, link, sizeof link - 1);
    must(n > 0, fmt::format("read the link {}", path));
    link[n] = '\0';
    must(symlink(link, target.c_str()) == 0, fmt::format("make the link {}", target));
    return;
  }
  if (S_ISDIR(about.st_mode)) {
    must(mkdir(target.c_str(), 0755) == 0, fmt::format("make {}", target));
  } else {
    const int file = open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(file >= 0, fmt::format("make {}", target));
    close(file);
  }
  must(mount(path, target.c_str(), nullptr, bind | recursive, nullptr) == 0, fmt::format("bind {}", path));
  if (!S_ISCHR(about.st_mode)) lock(target.c_str());
}

void write_file(const std::string& path, std::string_view bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
  must(file >= 0 && write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "write " + path);
  close(file);
}

// /tmp and /dev/shm are the work folder, so one limit holds for all that a program writes.
void make_root() {
  must(mount(nullptr, "/", nullptr, recursive | make_private, nullptr) == 0, "detach the mounts from the host's");
  const std::string top = "/tmp";  // any folder will do: it is covered in this namespace only
  const char* options = "mode=0755,size=4m,nr_inodes=200";
  must(mount("root", top.c_str(), "tmpfs", no_setuid | no_devices, options) == 0, "mount a private root");
  for (const char* folder : {"/etc", "/dev", "/work"}) must(mkdir((top + folder).c_str(), 0755) == 0, "make folders");
  for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives",
                           "/etc/ld.so.cache", "/dev/null", "/dev/zero", "/dev/urandom"}) {
    bring(top, path);
  }
  must(symlink("work", (top + "/tmp").c_str()) == 0, "make /tmp");
  must(symlink("/work", (top + "/dev/shm").c_str()) == 0, "make /dev/shm");
  write_file(top + "/jail.so", embedded_jail());
  must(chdir(top.c_str()) == 0, "enter the private root");
  must(syscall(SYS_pivot_root, ".", ".") == 0, "make it the root");
  must(umount2(".", detach) == 0, "let go of the host's root");
  must(chdir("/") == 0, "enter the root");
  must(mount(nullptr, "/", nullptr, remount | bind | read_only | no_setuid | no_devices, nullptr) == 0,
       "make the root read-only");
}

// Without this an exec by a user other than 0 would lose them, and the Python room could make no namespace for a job.
void keep_capabilities_over_exec() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2];
  must(syscall(SYS_capget, &header, data) == 0, "read capabilities");
  for (auto& half : data) half.inheritable = half.permitted;
  must(syscall(SYS_capset, &header, data) == 0, "make capabilities inheritable");
  for (unsigned capability = 0; capability < 64; ++capability) {
    if ((data[capability / 32].permitted >> (capability % 32) & 1) != 0) {
      must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0, "keep a capability");
    }
  }
}

// The socket at 3, the filter at 4, and nothing else but 0 to 2, which are /dev/null.
void arrange_descriptors(int socket, int filter) {
  const int high_socket = fcntl(socket, F_DUPFD, 16), high_filter = fcntl(filter, F_DUPFD, 16);
  must(high_socket >= 0 && high_filter >= 0 && dup2(high_socket, room_socket) == room_socket &&
           dup2(high_filter, room_filter) == room_filter && close_range(room_filter + 1, ~0u, 0) == 0,
       "arrange descriptors");
}

void say(const std::string& text) { send(room_socket, text.data(), text.size(), MSG_NOSIGNAL); }

void start_python() {
  keep_capabilities_over_exec();
  const std::string python = find_python(), script(embedded_zygote());
  // A fixed seed: sets and dictionaries of texts then have the same order in each run of a program.
  const char* environment[] = {"PYTHONHASHSEED=0", nullptr};
  const char* arguments[] = {"python3", "-s", "-B", "-X", "utf8", "-c", script.c_str(), nullptr};
  execve(python.c_str(), const_cast<char**>(arguments), const_cast<char**>(environment));
  must(false, "start " + python);
}

}  // namespace

void live_in_room(const RoomSettings& settings, int socket) {
  try {
    arrange_descriptors(socket, settings.filter);
    become_slot_user(settings);
    if (settings.plan.cgroup) unshare(CLONE_NEWCGROUP);
    if (settings.plan.uts) sethostname("sandbox", 7);
    umask(022);
    make_root();
    if (settings.python) start_python();
  } catch (const std::exception& error) {
    say(error.what());
    _exit(1);
  }
  jail_begin();
  say("ready");
  jail_serve();
  const int child = fork();
  if (child != 0) jail_guard(child);
  jail_drop();
  run_native();
}

}  // namespace reward::sandbox
