# A Python interpreter that is started once and forked for each program, because a fork costs a tenth of a start.
#
# Why that is safe. This process runs no line of a program, reads none of its bytes and takes only fixed-size packets from the
# launcher, all in jail_serve, which is C++. A program runs in a grandchild: process 1 of a fresh pid, mount and ipc namespace
# is cloned from here, its fork drops every right (jail_drop) and only then reads main.py. Memory is copied on write, so nothing
# that a program changes - a module, a builtin, a file, its environment - is seen by this process or by a later program. What
# it could learn from the memory it inherits is what any Python 3 has: this process never holds a test, an answer or another
# program. It lives in the room itself, as the slot's user, and has rights over the room's namespaces only: were it taken over,
# it would still be a process without a network, without the host's files and under the slot's limits.
import sys

sys.path.pop(0)  # '' would be the folder of the moment


SAMPLE = """
import io, json, re
from typing import List
class Point:
    def __init__(self, x: int = 0, *rest, **named): self.x = x
    def __repr__(self): return f"Point({self.x!r:>3})"
def steps(n):
    for i in range(n):
        if i % 2 == 0 and i not in (4, 6): yield i
        elif i: continue
        else: break
def check(f):
    try:
        assert f([3, 1, 2]) == [1, 2, 3], "sorted"
    except (AssertionError, ValueError) as error: raise error
    finally: pass
    with io.StringIO() as out: print(Point(), {i: str(i) for i in steps(9)}, {1}, sep=" ", file=out)
    while False: pass
    return lambda a, b=1: -a + b if a else [*range(b)][::-1]
check(sorted)(2)
json.loads(json.dumps({"a": [1, 2.5, None, True]}))
re.sub(r"(\\w+)", "x", "words")
async def later(): await None
global_value: List[int] = [1 << 70]; global_value[0] += 1; del global_value
"""


def start():
    import ctypes
    import gc
    import os
    import types  # noqa: F401
    # What programs import most. They pay for it here, once.
    import bisect, collections, copy, datetime, decimal, fractions, functools, heapq, io, itertools  # noqa: E401,F401
    import json, math, operator, random, re, statistics, string, threading, traceback, typing        # noqa: E401,F401

    os.environ.clear()
    # The first use of the compiler and of much else builds tables; a child would build them again for each program.
    scope = {"__name__": "warm_up"}
    exec(compile(SAMPLE, "sample.py", "exec"), scope)
    scope.clear()
    jail = ctypes.PyDLL("/jail.so")
    jail.jail_argument.restype = ctypes.c_char_p
    gc.collect()
    gc.freeze()
    jail.jail_begin()
    return jail


def run(arguments):
    import atexit
    import builtins
    import gc
    import os
    import threading
    import traceback
    import types
    main = types.ModuleType("__main__")
    main.__file__ = "/work/main.py"
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    open_streams()
    sys.argv = ["main.py", *arguments]
    sys.orig_argv = ["python3", *sys.argv]
    sys.path.insert(0, "/work")
    code = 0
    try:
        with open("/work/main.py", "rb") as file:
            source = file.read()
        exec(compile(source, "main.py", "exec"), main.__dict__)
    except SystemExit as end:
        code = exit_code(end.code)
    except BaseException as error:
        code = 1
        try:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            sys.excepthook(type(error), error, error.__traceback__)
        except BaseException:
            traceback.print_exc()
    # The end of an interpreter without its last step, the taking down of all modules, which would cost more than the rest. The
    # program's own names go, so that files it left open are written.
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        flush((sys.stdout, sys.stderr))
        main.__dict__.clear()
        gc.collect()
        flush((sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__))
    except SystemExit as end:
        code = exit_code(end.code)
    except OSError:
        code = code or 120
    except BaseException:
        traceback.print_exc()
    os._exit(code)


# As the interpreter makes them at its start. Those of this process looked at /dev/null, and remember what it can do.
def open_streams():
    import io

    def stream(descriptor, name, errors, newline=None, line_buffering=False):
        raw = io.FileIO(descriptor, "w" if descriptor else "r", closefd=False)
        raw.name = name
        buffer = io.BufferedWriter(raw) if descriptor else io.BufferedReader(raw)
        return io.TextIOWrapper(buffer, "utf-8", errors, newline, line_buffering)

    sys.stdin = sys.__stdin__ = stream(0, "<stdin>", "surrogateescape")
    sys.stdout = sys.__stdout__ = stream(1, "<stdout>", "surrogateescape", "\n")
    sys.stderr = sys.__stderr__ = stream(2, "<stderr>", "backslashreplace", "\n", True)


def flush(streams):
    for stream in streams:
        if stream is not None and not stream.closed:
            stream.flush()


def exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def serve():
    import os
    try:
        jail = start()
    except BaseException as error:
        os.write(3, ("cannot prepare Python: %r" % error).encode()[:500])
        os._exit(1)
    os.write(3, b"ready")
    jail.jail_serve()  # returns in process 1 of a job
    child = os.fork()
    if child:
        jail.jail_guard(child)
    jail.jail_drop()
    arguments = [jail.jail_argument(i).decode("utf-8", "surrogateescape") for i in range(jail.jail_argument_count())]
    run(arguments)


serve()
