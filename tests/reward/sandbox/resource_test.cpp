// Programs that take more than they may have.
#include "tests/reward/sandbox/support.h"
#include "tests/support/catch.h"

using namespace reward::sandbox;
using namespace testing;

namespace {

constexpr auto ok = Verdict::ok, cpu = Verdict::timeout_cpu, wall = Verdict::timeout_wall, memory = Verdict::memory,
               output = Verdict::output_limit, pids = Verdict::pids, file = Verdict::file_limit, error = Verdict::runtime_error;

Job sleeper(const std::string& program) {
  Job job = python(program);
  job.limits.wall_seconds = 1;
  return job;
}

}  // namespace

TEST_CASE("programs that take too many processes or too much time are stopped", "[sandbox]") {
  if (sandbox() == nullptr) return;
  check_attacks({
      {"fork bomb", python("import os\nwhile True: os.fork()"), {pids}},
      {"fork bomb that goes on", python("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"), {cpu, wall}},
      {"thread bomb", python("import threading, time\n"
          "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"), {pids}},
      {"infinite loop", python("while True: pass"), {cpu, wall}},
      {"sleeps forever", sleeper("import time\ntime.sleep(1e6)"), {wall}},
      {"waits for input that ends", python("import sys\nprint(repr(sys.stdin.read()))"), {ok}, "''\n"},
      {"waits for its own pipe", sleeper("import os\nr, w = os.pipe()\nos.read(r, 1)"), {wall}},
      {"catches everything", sleeper("import signal\nfor s in range(1, 65):\n  try: signal.signal(s, lambda *a: None)\n"
          "  except (OSError, ValueError): pass\n"
                                     "while True:\n  try:\n    while True: pass\n  except BaseException: pass"), {cpu, wall}},
      {"ignores SIGTERM and sleeps", sleeper("import signal, time\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\n"
          "time.sleep(99)"), {wall}},
      {"processor time in a child", python("import os\nif os.fork() == 0:\n  while True: pass\nos.wait()"), {cpu, wall}},
      {"processor time in children that end", python("import os\nwhile True:\n"
          "  if os.fork() == 0: sum(range(10**6)); os._exit(0)\n  os.wait()"), {cpu, wall}},
      {"regular expression bomb", python("import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')"), {cpu, wall}},
      {"huge power", python("9 ** 9 ** 9"), {cpu, wall, memory}},
  });
}

TEST_CASE("programs that take too much memory are stopped", "[sandbox]") {
  if (sandbox() == nullptr) return;
  check_attacks({
      {"heap", python("a = []\nwhile True: a.append(bytearray(1 << 20))"), {memory}},
      {"one block", python("a = b'x' * (1 << 40)"), {memory}},
      {"anonymous map", python("import mmap\nm = mmap.mmap(-1, 1 << 28)\nfor i in range(0, 1 << 28, 4096): m[i] = 1"), {memory}},
      {"children that each take some", python("import os, time\nfor i in range(8):\n  if os.fork() == 0:\n"
          "    a = b'x' * (30 << 20)\n    time.sleep(9)\n"
                                              "time.sleep(9)"), {memory, wall}},
      {"a line of a gigabyte", python("print('x' * 10**9)"), {memory}},
      {"zip bomb", python("import zlib\na = zlib.compress(bytes(1 << 25))\nb = [zlib.decompress(a) for i in range(9)]"),
          {memory, cpu, wall}},
      {"deep recursion", python("import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()"), {memory, error, cpu, wall}},
      {"shared memory as a file", python("f = open('/dev/shm/a', 'wb')\nwhile True: f.write(bytes(1 << 20))"), {file}},
      {"tmpfs", python("n = 0\nwhile True:\n  n += 1\n  open('/tmp/%d' % n, 'wb').write(bytes(1 << 20))"), {file}},
      {"mapped file", python("import mmap\nfor n in range(3):\n  f = open('f%d' % n, 'w+b')\n  f.truncate(6 << 20)\n"
          "  m = mmap.mmap(f.fileno(), 6 << 20)\n"
                             "  for i in range(0, 6 << 20, 4096): m[i] = 1"), {file}},
  });
}

TEST_CASE("programs that write too much are stopped, and what they wrote first is kept", "[sandbox]") {
  if (sandbox() == nullptr) return;
  check_attacks({
      {"huge stdout", python("while True: print('spam')"), {output}},
      {"huge stderr", python("import sys\nwhile True: print('spam', file=sys.stderr)"), {output}},
      {"endless line", python("import sys\nwhile True: sys.stdout.write('x' * 1000)"), {output}},
      {"many files", python("n = 0\nwhile True:\n  n += 1\n  open('f%d' % n, 'w')"), {file}},
      {"many folders", python("import os\nwhile True:\n  os.mkdir('d')\n  os.chdir('d')"), {file}},
      {"huge sparse file", python("open('a', 'wb').truncate(1 << 40)"), {file}},
      {"seek and write", python("f = open('a', 'wb')\nf.seek(1 << 40)\nf.write(b'x')\nf.flush()"), {file}},
      {"descriptors", python("a = []\nwhile True: a.append(open('/dev/null'))"), {file}},
      {"core dump", python("import os\nos.abort()"), {error}},
      {"segmentation fault", python("import ctypes\nctypes.string_at(0)"), {error}},
  });
  const Result result = run_python("while True: print('spam')");
  REQUIRE(result.output.size() == size_t{1} << 16);
  REQUIRE(result.output.substr(0, 10) == "spam\nspam\n");
}

TEST_CASE("the result channel has its own cap", "[sandbox]") {
  if (sandbox() == nullptr) return;
  Job job = python("import os\nwhile True: os.write(3, b'x' * 1000)");
  job.result_channel = true;
  const Result result = sandbox()->run(job);
  REQUIRE(result.verdict == output);
  REQUIRE(result.channel.size() == size_t{1} << 16);
}
