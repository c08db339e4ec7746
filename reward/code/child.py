# Runs a candidate: gives it arguments, hands back what it returns. Holds no expected value, so there is nothing to steal.
#
# stdin: {"nonce", "setup", "prompt", "code", "entry_point", "calls": [...], "tests"?}. Answers go to descriptor
# 3, one line a call: nonce, number, value. With "tests" (the weak way) the assert file runs here, and only a token says that
# its end was reached; the candidate shares the interpreter with both, so a clever one could steal it.
import importlib
import json
import os
import sys
import types


def _main(write=os.write, leave=os._exit, run=exec, look=eval, make=compile, catch=BaseException, unreadable=Unreadable,
          as_text=encode, from_text=decode, module_of=importlib.import_module):
    job = json.loads(sys.stdin.buffer.read())
    nonce = job["nonce"]
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    space = module.__dict__

    def send(number, text):
        line = (nonce + " " + str(number) + " " + text + "\n").encode()
        while line:
            line = line[write(3, line):]

    def failure(error):
        return "e" + " ".join(kind.__name__ for kind in type(error).__mro__).encode("utf-8", "replace").hex() + ";"

    def run_setup():
        try:
            run(make(job["setup"], "setup", "exec"), space)
            return True
        except catch:
            return False

    def run_prompt():
        # A stub, whose imports and helpers a complete function may use.
        for ending in ("", "\n    pass\n"):
            try:
                code = make(job["prompt"] + ending, "prompt", "exec")
            except SyntaxError:
                continue
            run(code, space)
            return

    # The candidate may replace what it finds in builtins, so what matters later is bound before it runs.
    numbered, programs = enumerate(job["calls"]), [make(call["source"], "call", "eval") for call in job["calls"]]
    late_setup = job["setup"] and not run_setup()
    try:
        run_prompt()
        run(make(job["code"], "solution", "exec"), space)
        if late_setup:
            run(make(job["setup"], "setup", "exec"), space)
    except catch as error:
        send("load", failure(error))
        leave(0)
    for number, call in numbered:
        try:
            names = {name: module_of(value) for name, value in call.get("modules", {}).items()}
            names.update({name: from_text(value) for name, value in call["bind"].items()})
            value = look(programs[number], {**space, **names})
            try:
                text = as_text(value)
            except unreadable as error:
                text = "u" + error.args[0].encode("utf-8", "replace").hex() + ";"
        except catch as error:
            text = failure(error)
            if not call["may_raise"]:
                send(number, text)
                leave(0)
        send(number, text)
    if job.get("tests"):
        try:
            space["__name__"] = "__main__"
            run(make(job["tests"], "tests", "exec"), space)
            checks = [space[name] for name in job["functions"]]
            if job["calls_check"]:
                space["check"](space[job["entry_point"]])
            for check in checks:
                check()
        except catch as error:
            send("tests", failure(error))
            leave(0)
        send("tests", "T")
    leave(0)


_main()
