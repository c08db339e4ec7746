"""Kills runs at moments drawn from the spans of an undisturbed run's trace, resumes them, and compares. See kills.sh."""
import collections
import datetime
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

from runs import checkpoints, command, fail, half_written, lines, text_without_times, train

CONFIG = "configs/quickstart.toml"
# Ten RL steps, a checkpoint after each, evaluations in between, and a program as second reward so that scoring takes time.
SETTINGS = ["stage.cold-start.steps=8", "stage.grpo.steps=10", "stage.grpo.eval.every_steps=2", "data.eval_problems=64",
            "checkpoint.every_steps=1", "log.dump_rollouts_every=1"]
PHASES = ["checkpoint", "rollout", "train", "evaluation", "reward"]


def config_with_judge(temporary):
    path = os.path.join(temporary, "kills.toml")
    text = open(CONFIG).read()
    judge = '[[reward]]                  # a program, so that scoring takes a while\nname = "judge"\nkind = "process"\nweight = 0.5\n' \
            f'command = ["python3", "{os.path.abspath("tests/end_to_end/judge.py")}"]\nworkers = 1\n\n'
    at = text.index("[[stage]]")
    with open(path, "w") as file:
        file.write(text[:at] + judge + text[at:])
    return path


def spans_of(trace):
    """{phase: [(start, end)]} in seconds, of the span names in PHASES. A run's trace lacks its closing bracket when it is cut."""
    text = open(trace).read().rstrip().rstrip(",")
    events = json.loads(text if text.endswith("]") else text + "]")
    spans = collections.defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and event["name"] in PHASES:
            spans[event["name"]].append((event["ts"] / 1e6, (event["ts"] + event["dur"]) / 1e6))
    return spans


def hash_of(folder):
    with open(f"{folder}/final/model.safetensors", "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def states(folder):
    with open(f"{folder}/states.jsonl") as file:
        return file.read()


def killed_at(config, folder, seconds):
    """Where it was: (stage, step) of the last metrics line, or None when the run was over before."""
    with open(folder + ".log", "w") as log:
        run = subprocess.Popen(command(config, folder, *SETTINGS), stdout=log, stderr=subprocess.STDOUT)
        time.sleep(seconds)
        if run.poll() is not None:
            return None
        run.send_signal(signal.SIGKILL)
        run.wait()
    done = lines_of_killed(folder)
    return (done[-1]["stage"], done[-1]["step"]) if done else ("", 0)


def lines_of_killed(folder):
    if not os.path.exists(f"{folder}/metrics.jsonl"):
        return []
    with open(f"{folder}/metrics.jsonl") as file:
        return [json.loads(line) for line in file.read().splitlines() if line.endswith("}")]


def main(temporary, table, kills, seed):
    config = config_with_judge(temporary)
    calm = os.path.join(temporary, "calm")
    start = time.monotonic()
    train(config, calm, *SETTINGS, trace=True)
    whole = time.monotonic() - start
    spans = spans_of(f"{calm}/trace.json")
    # The trace begins a little after the process; what the two differ by is about the start.
    start_up = max(0.0, whole - max(end for phase in spans.values() for _, end in phase))
    for phase in PHASES:
        if not spans[phase]:
            fail(f"the trace has no span \"{phase}\"")
    print(f"  undisturbed: {whole:.1f} s, weights {hash_of(calm)}, {len(lines(calm))} lines of metrics")
    draw, rows, saving = random.Random(seed), [], 0
    for number in range(kills):
        phase = PHASES[number % len(PHASES)]
        first, last = draw.choice(spans[phase])
        moment = start_up + draw.uniform(first, last)
        folder = os.path.join(temporary, f"run{number}")
        where = killed_at(config, folder, moment)
        while where is None:  # the run was over before: the machine is faster now than it was for the undisturbed one
            moment *= draw.uniform(0.3, 0.95)
            where = killed_at(config, folder, moment)
        left, kept = half_written(folder), checkpoints(folder)
        saving += bool(left)
        print(f"    kill {number + 1}: aimed at {phase}, after {moment:.2f} s", flush=True)
        train(config, folder, *SETTINGS, resume=bool(kept))
        if hash_of(folder) != hash_of(calm):
            fail(f"kill {number} at {moment:.2f} s, in {where}: other weights; see `ponder compare`")
        if text_without_times(folder) != text_without_times(calm):
            fail(f"kill {number} at {moment:.2f} s, in {where}: other metrics")
        if states(folder) != states(calm):
            fail(f"kill {number} at {moment:.2f} s, in {where}: other states")
        if half_written(folder):
            fail(f"kill {number}: a half-written checkpoint is still there")
        rows.append((phase, moment, f"{where[0]} {where[1]}".strip() or "nothing", kept[-1] if kept else "none", bool(left)))
        print(f"    kill {number + 1} of {kills}: aimed at {phase}, after {moment:.2f} s; last line {where[0]} {where[1]}, "
              f"newest checkpoint {rows[-1][3]}{', one half written' if left else ''}; equal", flush=True)
        subprocess.run(["rm", "-rf", folder])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open(table, "w") as out:
        out.write(f"# Kills\n\n`tests/end_to_end/long/kills.sh {kills} {seed}`; {datetime.date.today()}, commit {commit}. A run of "
                  f"the quickstart's model ({len(lines(calm))} lines of metrics: 8 cold-start and 10 GRPO steps, evaluations, a "
                  "program as second reward, a checkpoint after each step) is killed with kill -9 and goes on with --resume auto. "
                  "Weights, metrics but their times, and each step's state hashes equal those of the undisturbed run in all "
                  f"{kills} of {kills}. The moments are drawn within the named span of the undisturbed run's trace, so where a kill "
                  f"really fell differs by the machine's noise; {saving} left a half-written checkpoint behind.\n\n"
                  "| aimed at | after, s | last metrics line | newest checkpoint | one half written |\n| --- | ---: | --- | --- | --- |\n")
        for phase, moment, where, kept, left in rows:
            out.write(f"| {phase} | {moment:.2f} | {where} | {kept} | {'yes' if left else ''} |\n")
    print(f"  {kills} of {kills} equal; {saving} in the middle of a checkpoint")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
