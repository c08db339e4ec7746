// What a program leaves for the next one: nothing. One worker, so the next one is forked from the same interpreter.
#include "tests/reward/sandbox/support.h"
#include "tests/support/catch.h"

using namespace reward::sandbox;
using namespace testing;

TEST_CASE("nothing that a program leaves is there for the next one", "[sandbox]") {
  if (sandbox() == nullptr) return;
  struct Case {
    const char *name, *first, *second, *expected;
  };
  const Case cases[] = {
      {"files", "import os\nfor d in ('/tmp', '/dev/shm', '/work'): open(d + '/left' + d[-1], 'w').write('x')\n"
          "os.mkdir('/tmp/folder')",
       "import os\nprint([sorted(os.listdir(d)) for d in ('/tmp', '/dev/shm', '/work')])",
           "[['main.py'], ['main.py'], ['main.py']]\n"},
      {"builtins", "import builtins\nbuiltins.print = lambda *a: None\nbuiltins.len = lambda x: 7\nbuiltins.__import__ = None",
       "print(len('ab'))", "2\n"},
      {"modules", "import json, math, sys\njson.loads = lambda s: 1\nmath.isclose = lambda *a: True\n"
          "sys.modules['re'] = None\ndel sys.modules['random']",
       "import json, math, re, random\nprint(json.loads('[2]'), math.isclose(1, 2), re.sub('a', 'b', 'a'))", "[2] False b\n"},
      {"random numbers", "import random\nrandom.seed(1)\nrandom.random = lambda: 0.5", "import random\n"
          "print(random.random() != 0.5)", "True\n"},
      {"environment", "import os\nos.environ['LD_PRELOAD'] = '/work/evil.so'\nos.environ['PYTHONSTARTUP'] = '/tmp/x.py'\n"
          "os.putenv('A', 'b')",
       "import os\nprint(dict(os.environ), os.popen('/usr/bin/env').read().strip())", "{} PWD=/work\n"},
      {"import path", "import sys, os\nos.mkdir('/tmp/p')\nsys.path.insert(0, '/tmp/p')\n"
          "open('/tmp/p/string.py', 'w').write('1/0')",
       "import sys, string\nprint(sys.path[0], '/tmp/p' in sys.path, string.digits)", "/work False 0123456789\n"},
      {"customize modules and byte code", "import os\nos.mkdir('__pycache__')\n"
          "for n in ('usercustomize.py', 'sitecustomize.py', '__pycache__/main.cpython-311.pyc'):\n"
          "  open(n, 'w').write('1/0')",
       "import os, sys\nprint(os.listdir('.'), sys.flags.no_user_site, sys.dont_write_bytecode)", "['main.py'] 1 True\n"},
      {"site-packages", "import site, os\nfor d in site.getsitepackages():\n"
          "  try: os.makedirs(d, exist_ok=True); open(d + '/evil.pth', 'w').write('import os; os._exit(0)')\n"
          "  except OSError: pass",
       "import site, os\nprint([d for d in site.getsitepackages() if os.path.exists(d + '/evil.pth')])", "[]\n"},
      {"mask, folder, signals", "import os, signal\nos.umask(0o777)\nos.chdir('/')\nsignal.signal(15, signal.SIG_IGN)\n"
          "signal.pthread_sigmask(signal.SIG_BLOCK, {15})",
       "import os, signal\n"
       "print(oct(os.umask(0)), os.getcwd(), signal.getsignal(15) is signal.SIG_DFL,\n"
       "  signal.pthread_sigmask(signal.SIG_BLOCK, []))", "0o22 /work True set()\n"},
      {"interpreter settings", "import sys, gc\nsys.setrecursionlimit(50)\ngc.disable()\nsys.stdout = None\n"
          "sys.excepthook = lambda *a: None\nsys.settrace(lambda *a: 1/0)",
       "import sys, gc\nprint(sys.getrecursionlimit(), gc.isenabled(), sys.gettrace())", "1000 True None\n"},
      {"memory of the interpreter", "import ctypes\n"
          "ctypes.c_long.from_address(id(7) + ctypes.sizeof(ctypes.c_size_t) * 3).value = 8", "print(7, 3 + 4)", "7 7\n"},
      {"a process", "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(99)", "import os\n"
          "print(os.fork() in (0, 3))\nos._exit(0)", ""},
      {"a crash", "import os, ctypes\nctypes.string_at(0)", "print('alive')", "alive\n"},
      {"memory", "a = []\nwhile True: a.append(bytearray(1 << 20))", "print('alive')", "alive\n"},
  };
  Sandbox own(1);
  for (const auto& one : cases) {
    own.run(python(one.first));
    const Result result = own.run(python(one.second));
    INFO(one.name << ": " << name_of(result.verdict) << "\n" << result.output << result.errors << result.detail);
    CHECK(result.verdict == Verdict::ok);
    CHECK(result.output == one.expected);
  }
}

TEST_CASE("sets of texts have the same order in each run", "[sandbox]") {
  if (sandbox() == nullptr) return;
  const char* program = "print(list({'a', 'bc', 'def', 'ghij'}), hash('text'))";
  Sandbox own(1);
  REQUIRE(own.run(python(program)).output == run_python(program).output);
}
