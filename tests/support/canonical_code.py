#!/usr/bin/env python3
"""HumanEval and MBPP as golds of code_function, their reference solutions, and copies with one operator flipped.

  canonical_code.py golden DATA > tests/reward/code/canonical_20.jsonl   what the quick test reads
  canonical_code.py check DATA PONDER [--every N] [--set NAME] [--output FILE.md]     all solutions and flips, by `ponder score`

DATA holds humaneval/HumanEval.jsonl.gz, mbpp/mbpp.jsonl and mbpp/sanitized-mbpp.json. `check` asks plain Python too, by running
program and asserts together: these programs do not cheat, so both must say the same.
"""
import argparse
import ast
import copy
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

FLIPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
         ast.Pow: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
         ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or,
         ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift,
         ast.RShift: ast.LShift}


class Problem:
    def __init__(self, name, gold, program, body=None):
        self.name, self.gold, self.program = name, gold, program
        self.completion = body if body is not None else fenced(program)
        # The prompt's own helpers are not the solution: plain Python would let the tests use the flipped ones.
        self.given_lines = gold.get("prompt", "").count("\n")


def fenced(program):
    return "```python\n" + program.rstrip() + "\n```\n"


def load(data):
    sets = {"humaneval": [], "mbpp": [], "mbpp_sanitized": []}
    with gzip.open(os.path.join(data, "humaneval/HumanEval.jsonl.gz"), "rt") as lines:
        for p in map(json.loads, lines):
            gold = {"tests": p["test"], "entry_point": p["entry_point"], "prompt": p["prompt"]}
            program = p["prompt"] + p["canonical_solution"]
            sets["humaneval"].append(Problem(p["task_id"], gold, program, body=p["canonical_solution"]))
    with open(os.path.join(data, "mbpp/mbpp.jsonl")) as lines:
        for p in map(json.loads, lines):
            gold = {"tests": p["test_list"] + p["challenge_test_list"], "setup": p["test_setup_code"]}
            sets["mbpp"].append(Problem("MBPP/%d" % p["task_id"], gold, p["code"]))
    with open(os.path.join(data, "mbpp/sanitized-mbpp.json")) as file:
        for p in json.load(file):
            gold = {"tests": p["test_list"], "setup": "\n".join(p["test_imports"])}
            sets["mbpp_sanitized"].append(Problem("sanitized/%d" % p["task_id"], gold, p["code"]))
    return sets


def operators(problem, tree):
    """Where an operator of the solution stands: (node, field, index or None)."""
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) <= problem.given_lines:
            continue
        if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in FLIPS:
            yield node, "op", None
        elif isinstance(node, ast.Compare):
            for i, op in enumerate(node.ops):
                if type(op) in FLIPS:
                    yield node, "ops", i


def flips(problem):
    """(what was done, program) for each operator of the program."""
    tree = ast.parse(problem.program)
    for k in range(len(list(operators(problem, tree)))):
        changed = copy.deepcopy(tree)
        node, field, index = list(operators(problem, changed))[k]
        old = node.op if index is None else node.ops[index]
        new = FLIPS[type(old)]()
        if index is None:
            node.op = new
        else:
            node.ops[index] = new
        what = "line %d: %s -> %s" % (node.lineno, type(old).__name__, type(new).__name__)
        yield what, ast.unparse(ast.fix_missing_locations(changed))


def run_plainly(problem, program):
    tests = problem.gold["tests"]
    text = "\n".join(tests) if isinstance(tests, list) else tests
    space = {"__name__": "plain"}
    exec(program, space)
    exec(problem.gold.get("setup", ""), space)
    exec(text, space)
    if "entry_point" in problem.gold:
        space["check"](space[problem.gold["entry_point"]])


def passes_plainly(problem, program, seconds=20):
    child = os.fork()
    if child == 0:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds // 2 + 1, seconds // 2 + 1))
        signal.alarm(seconds)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        try:
            run_plainly(problem, program)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def golden(data):
    """Twenty problems spread over the sets, with the first flip that plain Python refuses."""
    sets = load(data)
    chosen = sets["humaneval"][::14][:8] + [sets["humaneval"][i] for i in (32, 38)]
    chosen += sets["mbpp"][::162][:5] + sets["mbpp_sanitized"][::85][:5]
    for problem in chosen:
        wrong = next((p for _, p in flips(problem) if not passes_plainly(problem, p, 4)), None)
        print(json.dumps({"name": problem.name, "gold": json.dumps(problem.gold), "right": problem.completion,
                          "wrong": fenced(wrong) if wrong else ""}))


def score(ponder, rows, timeout):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "in.jsonl")
        with open(path, "w") as file:
            for problem, completion in rows:
                file.write(json.dumps({"prediction": completion, "gold": {**problem.gold, "timeout": timeout}}) + "\n")
        done = subprocess.run([ponder, "score", "--reward", "code_function", "--input", path], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(options):
    report, failed = [], 0
    for name, problems in load(options.data).items():
        if options.set not in ("", name):
            continue
        problems = problems[::options.every]
        start = time.time()
        right = score(options.ponder, [(p, p.completion) for p in problems], timeout=20)
        seconds = time.time() - start
        weak = sum("weak" in r["detail"] for r in right)
        refused = [(p.name, r["detail"]) for p, r in zip(problems, right) if r["value"] != 1]
        cases = [(p, what, program) for p in problems for what, program in flips(p)]
        start = time.time()
        got = score(options.ponder, [(p, fenced(program)) for p, _, program in cases], timeout=2)
        flip_seconds = time.time() - start
        survivors, different, endless = {}, [], 0
        for (problem, what, program), result in zip(cases, got):
            paid = result["value"] == 1
            if paid:
                survivors.setdefault(problem.name, []).append(what)
            if result["reason"].startswith("timeout"):
                endless += 1  # plain Python would not end either
            elif result["status"] != "scored" or paid != passes_plainly(problem, program):
                different.append("%s %s: %s %s" % (problem.name, what, result["status"], result["detail"]))
        failed += len(refused) + len(different)
        passing = sum(map(len, survivors.values()))
        report += ["", "## %s" % name, "",
                   "- %d reference solutions, %d paid, %.1f s; %d golds strong, %d weak" %
                   (len(problems), len(problems) - len(refused), seconds, len(problems) - weak, weak),
                   "- %d flips, %d refused (%d of them by the time limit of 2 s), %d pass every test of their problem, %.1f s" %
                   (len(cases), len(cases) - passing, endless, passing, flip_seconds),
                   "- plain Python (program and asserts run together) says otherwise: %d" % len(different)]
        report += ["  - refused solution: %s: %s" % row for row in refused] + ["  - other verdict: " + row for row in different]
        report += ["", "Flips that pass every test:", ""] + ["- %s: %s" % (name, "; ".join(what)) for name, what in survivors.items()]
        write_report(options.output, report)
    sys.exit(1 if failed else 0)


def write_report(output, report):
    text = "\n".join(["# Reference solutions and flipped operators through code_function", "",
                      "Command: `tests/end_to_end/long/canonical_code.sh`, %s. A flip that passes every test is equivalent to the"
                      " solution as far as the problem's own tests can tell; plain Python passes it too." %
                      time.strftime("%Y-%m-%d", time.gmtime())] + report) + "\n"
    if output:
        with open(output, "w") as file:
            file.write(text)
    print(text.split("Flips that pass")[-2][-600:], file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["golden", "check"])
    parser.add_argument("data")
    parser.add_argument("ponder", nargs="?")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--set", default="", help="only humaneval, mbpp or mbpp_sanitized")
    parser.add_argument("--output")
    options = parser.parse_args()
    golden(options.data) if options.mode == "golden" else check(options)


main()
