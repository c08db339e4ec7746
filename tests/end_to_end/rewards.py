"""`ponder score` on files of answers, and `ponder reward list, conformance, attack`, with their exit codes."""
import json
import os
import re
import subprocess
import sys

from runs import PONDER, fail

LINES = [
    {"prediction": "so it is \\boxed{18}", "gold": "#### 18", "id": "a"},
    {"prediction": "\\boxed{17}", "gold": "18", "id": {"n": 2}},
    {"prediction": "no idea 18", "gold": 18},
    {"prediction": "\\boxed{1}", "gold": ""},
    {"prediction": "\u00e9 \\boxed{\\frac12}", "gold": "0.5", "prompt": "What is a half?"},
]
BUILD = os.environ["PONDER_BUILD"]
PATH = {**os.environ, "PATH": "/usr/bin:" + os.environ["PATH"]}  # see plugins.py


def ponder(*words, expect=0):
    done = subprocess.run([PONDER, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=PATH)
    if done.returncode != expect:
        fail(f"ponder {' '.join(words)}: exit code {done.returncode}, expected {expect}; it printed:\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def write(file, rows):
    with open(file, "w") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return file


def score(reward, file, *words):
    out, err = ponder("score", "--reward", reward, "--input", file, *words)
    if not re.search(r"5 lines, \d with a value, .* median [\d.]+ ms, p99 [\d.]+ ms\n$", err):
        fail(f"no line with median and p99 on stderr, but:\n{err}")
    return [json.loads(line) for line in out.splitlines()]


def scores(temporary):
    file = write(os.path.join(temporary, "in.jsonl"), LINES)
    rows = score("math", file)
    for row in rows:
        if list(row) != ["id", "value", "status", "reason", "extracted", "components", "detail"]:
            fail(f"the keys of a line are {list(row)}")
    if [row["id"] for row in rows] != ["a", {"n": 2}, 2, 3, 4]:
        fail(f"the ids are {[row['id'] for row in rows]}")
    if [row["value"] for row in rows[:2]] != [1, 0] or rows[3]["value"] is not None or rows[4]["value"] != 1:
        fail(f"the values are {[row['value'] for row in rows]}")
    if rows[3]["status"] != "not_applicable" or rows[0]["status"] != "scored" or rows[0]["extracted"] != "18":
        fail(f"status or answer is wrong: {rows}")

    rows = score("configs/rewards/last_word.toml", file)
    if [row["value"] for row in rows] != [0, 0, 1, 0, 0] or rows[2]["components"] != {"last_word": 1, "format": 0}:
        fail(f"the plug-in's values are {rows}")

    for isolate in ("none", "process"):  # process: the program runs itself as the library's host
        library = os.path.join(temporary, "library.toml")
        with open(library, "w") as toml:
            toml.write('[[reward]]\nname = "last_word"\nkind = "library"\n'
                       f'file = "{BUILD}/tests/libraries/last_word.so"\nisolate = "{isolate}"\n')
        if [row["value"] for row in score(library, file)] != [0, 0, 1, 0, 0]:
            fail(f"the library's values with isolate = {isolate} are {score(library, file)}")

    out = os.path.join(temporary, "out.jsonl")
    ponder("score", "--reward", "math", "--input", file, "--output", out)
    with open(out) as written:
        if len(written.readlines()) != 5:
            fail("--output does not hold a line for each")
    for row, told in [({"gold": "1"}, ':1: has no key "prediction"'),
                      ({"prediction": None, "gold": "1"}, ':1: the value of "prediction" is null'),
                      ([1], ":1: is not a JSON object")]:
        _, err = ponder("score", "--reward", "math", "--input", write(os.path.join(temporary, "bad.jsonl"), [row]), expect=2)
        if told not in err:
            fail(f"{told!r} expected, got {err}")
    ponder("score", "--reward", "math", "--input", file, "--output", file, expect=2)
    ponder("score", "--reward", "math", "--input", os.devnull, expect=2)
    ponder("score", "--reward", "maths", "--input", file, expect=2)
    ponder("score", "--reward", "exact", "--profile", "x", "--input", file, expect=2)


def rewards():
    out, _ = ponder("reward", "list")
    if "countdown" not in out or "allow_empty_think" not in out:
        fail(f"the list lacks rewards or options:\n{out}")
    out, _ = ponder("reward", "conformance", "python3", "configs/rewards/last_word.py")
    if out.count("pass  ") != 13 or "FAIL" in out:
        fail(f"thirteen passes expected:\n{out}")
    out, _ = ponder("reward", "conformance", "sh -c 'echo loading; cat'", expect=1)
    if "FAIL  handshake" not in out or '"protocol":1' not in out:
        fail(f"a failed handshake with its fix expected:\n{out}")
    ponder("reward", "conformance", expect=2)
    out, _ = ponder("reward", "attack", "exact")
    if " 0 paid" not in out:
        fail(f"exact pays for junk:\n{out}")
    out, _ = ponder("reward", "attack", "format", expect=1)
    if "tags around nothing" not in out:
        fail(f"format pays for tags, which an attack must show:\n{out}")


def check_starts_plugins():
    _, err = ponder("check", "tests/end_to_end/plugins.toml", "--set", 'reward.judge.command=["python3", "no_such_program.py"]', expect=2)
    told = err.splitlines()[-1]
    if not re.match(r"\S+plugins.toml:\d+: reward: judge: its self-test failed: .* exit code 2 before its hello; .*no_such_program.py", told):
        fail(f"a line about the plug-in's self-test expected, got:\n{err}")
    ponder("check", "tests/end_to_end/plugins.toml")


scores(sys.argv[1])
check_starts_plugins()
rewards()
print("  score, reward list, conformance and attack print and end as they should")
