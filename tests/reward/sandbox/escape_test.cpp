// Programs that reach for what is outside. Each prints what it got; the host is looked at afterwards.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/reward/sandbox/support.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

using namespace reward::sandbox;
using namespace testing;
namespace fs = std::filesystem;

namespace {

constexpr auto ok = Verdict::ok, wall = Verdict::timeout_wall, error = Verdict::runtime_error;

// attempt(f, ...) prints what f gave, or the name of the error. reach(f, ...) prints "no" for any of the errors that a wall
// gives: which of two walls answers first depends on the kernel.
const std::string prelude =
    "import ctypes, errno, os, signal, sys, time\n"
    "def attempt(f, *a):\n"
    "  try: print('got', f(*a))\n"
    "  except OSError as e: print(errno.errorcode[e.errno])\n"
    "def reach(f, *a):\n"
    "  try: print('got', f(*a))\n"
    "  except OSError as e: print('no' if errno.errorcode[e.errno] in ('EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EXDEV', 'EINVAL') else e)\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "def call(number, *a):\n"
    "  r = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(x) if isinstance(x, int) else x for x in a])\n"
    "  print('got' if r >= 0 else errno.errorcode[ctypes.get_errno()])\n";

Attack attack(const std::string& name, const std::string& program, const std::string& output, Verdict verdict = ok) {
  return {name, python(prelude + program), {verdict}, output};
}

}  // namespace

TEST_CASE("programs cannot write, see or reach the host's files", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const std::string mark = fmt::format("ponder-escape-{}", getpid());
  const std::string here = source_dir() + "/README.md";
  check_attacks({
      attack("writes to the root", "reach(open, '/" + mark + "', 'w')", "no\n"),
      attack("writes to the runtime", "reach(open, '/usr/" + mark + "', 'w')\n"
          "reach(open, '/usr/lib/python3/dist-packages/x.py', 'w')", "no\nno\n"),
      attack("writes to home folders", "reach(open, '/root/" + mark + "', 'w')\nreach(open, '/home/" + mark + "', 'w')",
          "no\nno\n"),
      attack("leaves its folder by ..", "reach(open, '../" + mark + "', 'w')\nopen('../../../tmp/" + mark + "', 'w').close()\n"
             "print(sorted(os.listdir('/work')))", "no\n['main.py', '" + mark + "']\n"),
      attack("reads the trainer's files", "reach(open, '" + here + "')\nreach(open, '/etc/passwd')\n"
          "reach(open, '/etc/shadow')", "no\nno\nno\n"),
      attack("lists the root", "reach(os.listdir, '/')\nreach(open, '/jail.so')", "no\nno\n"),
      attack("symbolic link out", "os.symlink('/etc/passwd', 'a')\nreach(open, 'a')\nos.symlink('/usr', 'b')\n"
          "reach(open, 'b/x', 'w')", "no\nno\n"),
      attack("hard link out", "reach(os.link, '/usr/bin/env', 'a')\nreach(os.rename, '/usr/bin/env', 'b')", "no\nno\n"),
      attack("race on the work folder", "for i in range(300):\n  os.mkdir('d'); os.rmdir('d'); os.symlink('/', 'd')\n"
             "  try: open('d/" + mark + "', 'w'); print('wrote')\n  except OSError: pass\n  os.unlink('d')", ""),
      attack("device nodes", "reach(os.mknod, 'disk', 0o600 | 0o060000, os.makedev(254, 0))\n"
          "reach(os.mknod, 'mem', 0o600 | 0o020000, os.makedev(1, 1))\n"
             "reach(open, '/dev/mem')\n"
             "names = ('null', 'zero', 'urandom', 'kmsg', 'sda', 'vda', 'tty', 'ptmx', 'fuse')\n"
             "print(sorted(n for n in names if os.path.exists('/dev/' + n)))",
             "no\nno\nno\n['null', 'urandom', 'zero']\n"),
      attack("chroot and fchdir", "reach(os.chroot, '.')\nreach(os.chdir, '/proc/1/root')", "no\nno\n"),
      attack("setuid programs", "import shutil\n"
          "print(bool(os.statvfs('/usr').f_flag & os.ST_NOSUID), bool(os.statvfs('/work').f_flag & os.ST_NOSUID))\n"
             "shutil.copy('/usr/bin/id', 'id')\nos.chmod('id', 0o6755)\nsys.stdout.flush()\n"
                 "print(os.popen('./id -u').read().strip() == str(os.getuid()), os.getuid() != 0)",
             "True True\nTrue True\n"),
      attack("becomes another user", "reach(os.setuid, 0)\nreach(os.setgid, 0)\nreach(os.setgroups, [0])\n"
          "reach(os.seteuid, 61999)", "no\nno\nno\nno\n"),
  });
  for (const char* folder : {"/", "/usr/", "/root/", "/home/", "/tmp/"}) {
    std::error_code denied;  // an ordinary user cannot look everywhere
    REQUIRE(!fs::exists(folder + mark, denied));
  }
}

TEST_CASE("programs cannot see, signal or read other processes", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const std::string trainer = std::to_string(getpid());
  check_attacks({
      attack("sees only its own", "print(os.getpid(), os.getppid(), os.path.exists('/proc'))", "2 1 False\n"),
      attack("signals the trainer", "attempt(os.kill, " + trainer + ", 9)\nattempt(os.kill, " + trainer + ", 0)\n"
          "attempt(os.killpg, " + trainer + ", 9)", "ESRCH\nESRCH\nESRCH\n"),
      attack("kill -1", "if os.fork() == 0: time.sleep(99)\nos.kill(-1, 9)\nprint('alone', os.getppid())", "alone 1\n"),
      attack("kills process 1", "for s in (9, 15, 19, 11):\n  try: os.kill(1, s)\n  except PermissionError: pass\n"
          "time.sleep(.1)\nprint('still', os.getppid())", "still 1\n"),
      attack("proc files of others",
          "for f in ('1/mem', '1/environ', 'self/environ', 'self/fd', 'self/mem', 'sys/kernel/core_pattern', '" + trainer +
          "/environ', 'sysrq-trigger'):\n"
             "  attempt(open, '/proc/' + f, 'r+')", "ENOENT\nENOENT\nENOENT\nENOENT\nENOENT\nENOENT\nENOENT\nENOENT\n"),
      attack("sys files", "attempt(os.listdir, '/sys')\nattempt(open, '/sys/fs/cgroup/memory/memory.limit_in_bytes', 'w')",
          "ENOENT\nENOENT\n"),
      attack("environment secrets", "print(dict(os.environ), ctypes.cast(libc.getenv(b'PATH'), ctypes.c_char_p).value)",
          "{} None\n"),
      attack("other descriptors", "def is_open(n):\n  try: os.fstat(n); return True\n  except OSError: return False\n"
             "print([n for n in range(3, 200) if is_open(n)])", "[]\n"),
      attack("shared memory and queues of the host", "call(29, 1, 4096, 0o1666)\ncall(68, 1, 0o1666)\n"
          "call(64, 1, 1, 0o1666)\ncall(240, b'/q', 0o102, 0o600, 0)", "EPERM\nEPERM\nEPERM\nEPERM\n"),
      attack("raises its limits", "import resource\n"
          "for r in (resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):\n"
             "  try: resource.setrlimit(r, (-1, -1)); print('raised')\n  except ValueError: print('no')", "no\nno\nno\nno\n"),
      attack("limits of process 1", "import resource\ntry: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0))\n"
          "except PermissionError: print('no')", "no\n"),
      attack("better priority", "attempt(os.nice, -5)\nattempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))",
          "EPERM\nEPERM\n"),
  });
}

TEST_CASE("children that hide end with the program", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const auto before = descendants(getpid()).size();
  const std::string later = "time.sleep(.4); print('late', flush=True); time.sleep(99)";
  std::vector<Attack> attacks = {
      attack("a child", "if os.fork() == 0: " + later + "\nprint('first')", "first\n"),
      attack("a new session", "if os.fork() == 0: os.setsid(); " + later + "\nprint('first')", "first\n"),
      attack("a double fork", "if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: " + later + "\n  os._exit(0)\n"
          "os.wait()\nprint('first')", "first\n"),
      attack("a child that ignores every signal", "if os.fork() == 0:\n  for s in range(1, 65):\n"
          "    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n  " +
             later + "\nprint('first')", "first\n"),
      attack("a stopped child", "if os.fork() == 0: os.kill(os.getpid(), 19)\nprint('first')", "first\n"),
      attack("a stopped program", "os.kill(os.getpid(), 19)", "", wall),
      attack("a program that kills itself", "os.kill(os.getpid(), 9)", "", error),
  };
  for (auto& one : attacks) one.job.limits.wall_seconds = 1.5;
  check_attacks(attacks);
  REQUIRE(descendants(getpid()).size() <= before + 12);  // launchers and rooms of four slots, and no program
}

#if defined(__x86_64__)
TEST_CASE("system calls that programs do not need are refused", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const std::string trainer = std::to_string(getpid());
  const auto refused = [](const std::string& name, const std::string& arguments, const std::string& answer = "EPERM\n") {
    return attack(name, "call(" + arguments + ")", answer);
  };
  check_attacks({
      refused("ptrace attach", "101, 16, 1, 0, 0"),
      refused("ptrace traceme", "101, 0, 0, 0, 0"),
      refused("process_vm_readv", "310, " + trainer + ", 0, 0, 0, 0, 0"),
      refused("process_vm_writev", "311, 1, 0, 0, 0, 0, 0"),
      refused("kcmp", "312, 1, 2, 0, 0, 0"),
      refused("pidfd_getfd", "438, 0, 0, 0"),
      refused("nested user namespace by unshare", "272, 0x10000000"),
      refused("nested user namespace by clone", "56, 0x10000011, 0, 0, 0, 0"),
      refused("mount namespace by clone", "56, 0x00020011, 0, 0, 0, 0"),
      refused("clone3", "435, 0, 0", "ENOSYS\n"),
      refused("setns", "308, 0, 0"),
      refused("mount", "165, b'none', b'/work', b'tmpfs', 0, 0"),
      refused("umount2", "166, b'/work', 2"),
      refused("pivot_root", "155, b'.', b'.'"),
      refused("move_mount", "429, -100, b'.', -100, b'/', 0"),
      refused("open_tree", "428, -100, b'.', 1"),
      refused("fsopen", "430, b'tmpfs', 0"),
      refused("mount_setattr", "442, -100, b'/', 0, 0, 0"),
      refused("open_by_handle_at", "304, -100, 0, 0"),
      refused("name_to_handle_at", "303, -100, b'.', 0, 0, 0"),
      refused("bpf", "321, 0, 0, 0"),
      refused("perf_event_open", "298, 0, 0, -1, -1, 0"),
      refused("userfaultfd", "323, 0"),
      refused("add_key", "248, b'user', b'a', b'b', 1, -3"),
      refused("keyctl", "250, 0, -3, 0"),
      refused("io_uring_setup", "425, 1, 0"),
      refused("init_module", "175, 0, 0, b''"),
      refused("finit_module", "313, 0, b'', 0"),
      refused("delete_module", "176, b'x', 0"),
      refused("kexec_load", "246, 0, 0, 0, 0"),
      refused("reboot", "169, 0, 0, 0, 0"),
      refused("swapon", "167, b'x', 0"),
      refused("quotactl", "179, 0, 0, 0, 0"),
      refused("personality", "135, 0x0040000"),
      refused("memfd_create", "319, b'x', 0"),
      refused("seccomp", "317, 1, 0, 0"),
      refused("acct", "163, 0"),
      refused("syslog", "103, 3, 0, 0"),
      refused("sethostname", "170, b'x', 1"),
      refused("a call that is newer than the filter", "470, 0, 0, 0", "ENOSYS\n"),
      refused("TIOCSTI", "16, 0, 0x5412, b'x'"),
      refused("TIOCSTI with a high half", "16, 0, 0x100005412, b'x'"),
  });
}
#endif

TEST_CASE("there is no network, not even on the machine itself", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(server, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0);
  REQUIRE(listen(server, 5) == 0);
  socklen_t size = sizeof local;
  REQUIRE(getsockname(server, reinterpret_cast<sockaddr*>(&local), &size) == 0);
  const std::string port = std::to_string(ntohs(local.sin_port));
  check_attacks({
      attack("TCP to a service of the machine", "import socket\nattempt(socket.create_connection, ('127.0.0.1', " + port +
          "))", "EPERM\n"),
      attack("the metadata address", "import urllib.request\n"
          "try: print(urllib.request.urlopen('http://169.254.169.254/latest/', timeout=1).read())\n"
             "except Exception as e: print('no')", "no\n"),
      attack("DNS", "import socket\ntry: print(socket.gethostbyname('example.com'))\nexcept Exception as e: print('no')", "no\n"),
      attack("every kind of socket", "import socket\n"
          "for f, t in ((1, 1), (1, 2), (2, 2), (10, 1), (16, 3), (17, 3), (40, 1)): attempt(socket.socket, f, t)",
             "EPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\nEPERM\n"),
      attack("abstract sockets", "import socket\na, b = socket.socketpair()\nattempt(a.bind, b'\\0ponder')\n"
          "attempt(b.connect, b'\\0/tmp/.X11-unix/X0')", "EPERM\nEPERM\n"),
  });
  pollfd waiting{server, POLLIN, 0};
  REQUIRE(poll(&waiting, 1, 0) == 0);  // nobody came
  close(server);
}
