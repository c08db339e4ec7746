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


def start():
    import ctypes
    import gc
    import os
    import types  # noqa: F401
    # What programs import most. They pay for it here, once.
    import bisect, collections, copy, datetime, decimal, fractions, functools, heapq, io, itertools  # noqa: E401,F401
    import json, math, operator, random, re, statistics, string, threading, traceback, typing        # noqa: E401,F401

    os.environ.clear()
    jail = ctypes.PyDLL("/jail.so")
    jail.jail_argument.restype = ctypes.c_char_p
    gc.collect()
    gc.freeze()
    jail.jail_begin()
    return jail


def run(arguments):
    import atexit
    import builtins
    import os
    import threading
    import traceback
    import types
    main = types.ModuleType("__main__")
    main.__file__ = "/work/main.py"
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
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
            sys.excepthook(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
        except BaseException:
            traceback.print_exc()
    # The end of an interpreter without its last step, the taking down of all modules, which would cost more than the rest.
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
    except SystemExit as end:
        code = exit_code(end.code)
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            code = code or 120
    os._exit(code)


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
