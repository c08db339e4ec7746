"""A long run that is disturbed again and again. See faults.sh."""
import collections
import datetime
import json
import os
import signal
import subprocess
import sys
import time

from runs import checkpoints, command, fail

CONFIG = "configs/quickstart.toml"


def config_of(temporary, steps):
    """The quickstart with a program as its reward; `exact` is only logged."""
    text = open(CONFIG).read()
    first = text.index("[[reward]]")
    judge = f'''[[reward]]
name = "judge"
kind = "process"
command = ["python3", "{os.path.abspath("tests/end_to_end/judge.py")}"]
workers = 2
timeout_ms = 5000

[[reward]]
name = "exact"
role = "metric"

'''
    path = os.path.join(temporary, "faults.toml")
    with open(path, "w") as file:
        file.write(text[:first] + judge + text[text.index("[[stage]]"):])
    return path, [f"stage.grpo.steps={steps}", "checkpoint.every_steps=20", "log.tensorboard=false",
                  "optimizer.on_non_finite=skip", "advantage.scale=none", "advantage.reward_range=[-1e301, 1e301]",
                  "filter.rescore_share=0.0"]


def metrics_of(folder):
    try:
        with open(f"{folder}/metrics.jsonl") as file:
            return [json.loads(line) for line in file.read().splitlines() if line.endswith("}")]
    except FileNotFoundError:
        return []


def steps_done(folder):
    return max((line["step"] for line in metrics_of(folder) if line["stage"] == "grpo" and "reward" in line), default=0)


def workers_of(run):
    """Process ids of the plug-in's workers."""
    done = subprocess.run(["pgrep", "-f", "tests/end_to_end/judge.py"], capture_output=True, text=True)
    return [int(pid) for pid in done.stdout.split()]


class Disk:
    """A file system of its own for the run, so that it can be filled; without the right to mount one, the fault is left out."""

    def __init__(self, folder, megabytes):
        os.mkdir(folder)
        self.ballast = f"{folder}/ballast"
        self.real = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True).returncode == 0

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def free(self):
        os.remove(self.ballast)


def main(temporary, table, steps):
    config, settings = config_of(temporary, steps)
    disk = Disk(os.path.join(temporary, "disk"), 200)
    folder = os.path.join(temporary, "disk", "run")
    requests = os.path.join(temporary, "requests")
    os.mkdir(requests)
    # The evaluation before the stage asks 512 times, a step 32 times; two of these come back too large.
    plan = {"folder": requests, "faults": {str(512 + 32 * steps * 15 // 100): "huge", str(512 + 32 * steps * 68 // 100): "huge"}}
    plan_file = os.path.join(temporary, "plan.json")
    with open(plan_file, "w") as out:
        json.dump(plan, out)
    environment = {**os.environ, "PONDER_JUDGE_PLAN": plan_file}
    faults = [(steps * 10 // 100, "worker"), (steps * 25 // 100, "full"), (steps * 35 // 100, "free"), (steps * 40 // 100, "term"),
              (steps * 50 // 100, "worker"), (steps * 60 // 100, "kill"), (steps * 80 // 100, "term"), (steps * 90 // 100, "worker")]
    done, log_path, starts, start = [], os.path.join(temporary, "log"), 0, time.monotonic()
    log = open(log_path, "w")
    run = None
    while True:
        if run is None:
            run = subprocess.Popen(command(config, folder, *settings, resume=starts > 0), stdout=log, stderr=subprocess.STDOUT, env=environment)
            starts += 1
        code = run.poll()
        if code is not None:
            if code == 0:
                break
            if not done or done[-1][1] not in ("term", "kill"):
                fail(f"the run ended with {code} by itself:\n{open(log_path).read()[-4000:]}")
            run = None
            continue
        # Lines of metrics wait while the disk is full, so two refused checkpoints tell that it was.
        due = faults and (open(log_path).read().count("no checkpoint at step") >= 2 if faults[0][1] == "free" and disk.real
                          else steps_done(folder) >= faults[0][0])
        if due:
            at, kind = faults.pop(0)
            if kind == "worker":
                victims = workers_of(run)
                if not victims:
                    fail("the reward has no worker to kill")
                os.kill(victims[0], signal.SIGKILL)
            elif kind in ("full", "free"):
                if disk.real:
                    disk.fill() if kind == "full" else disk.free()
            elif kind == "term":
                run.send_signal(signal.SIGTERM)
                run.wait()
            elif kind == "kill":
                run.kill()
                run.wait()
            done.append((steps_done(folder), kind))
            print(f"    step {done[-1][0]}: {kind}", flush=True)
        time.sleep(0.02)
        if time.monotonic() - start > 3600:
            run.kill()
            fail("not done after an hour")
    seconds = time.monotonic() - start

    rows = [line for line in metrics_of(folder) if line["stage"] == "grpo" and "reward" in line]
    counted = collections.Counter(line["step"] for line in rows)
    if sorted(counted) != list(range(1, steps + 1)) or set(counted.values()) != {1}:
        fail(f"not each of the {steps} steps has one line of metrics: {[s for s in range(1, steps + 1) if counted[s] != 1]}")
    with open(f"{folder}/summary.json") as file:
        accuracy = json.load(file)["stages"][-1]["greedy_after"]["accuracy"]
    if accuracy < 0.97:
        fail(f"the accuracy at the end is {accuracy}")
    with open(f"{folder}/events.jsonl") as file:
        events = [json.loads(line) for line in file]
    kinds = collections.Counter(event["kind"] for event in events)
    expected = {"started": 1, "resumed": 3, "step_refused": 2}
    for kind, count in expected.items():
        if kinds[kind] < count:
            fail(f"{kinds[kind]} events \"{kind}\", expected {count}; see {folder}/events.jsonl")
    if disk.real and (kinds["save_failed"] < 1 or kinds["dump_failed"] < 1):
        fail(f"no checkpoint, or no samples, were refused although the disk was full: {kinds}")
    with open(f"{folder}/states.jsonl") as file:
        states = [json.loads(line) for line in file]
    if [state["step"] for state in states if state["stage"] == "grpo"] != list(range(1, steps + 1)):
        fail("not each step has one line of states.jsonl")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open(table, "w") as out:
        out.write(f"# A run through faults\n\n`tests/end_to_end/long/faults.sh {steps}`; {datetime.date.today()}, commit {commit}. The "
                  f"quickstart with {steps} GRPO steps and a program as its reward took {seconds:.0f} s and {starts} starts; greedy accuracy "
                  f"{accuracy:.3f} at the end; each step has one line of metrics.\n\n| after step | fault |\n| ---: | --- |\n")
        names = {"worker": "a reward worker killed with kill -9", "full": "the disk full" if disk.real else "(no tmpfs could be mounted: left out)",
                 "free": "the disk has room again" if disk.real else "(left out)", "term": "SIGTERM, then --resume auto", "kill": "kill -9, then --resume auto"}
        for at, kind in done:
            out.write(f"| {at} | {names[kind]} |\n")
        out.write("\nTwice a reward of 1e300 (requests " + " and ".join(plan["faults"]) + f") made a loss that is not finite.\n\nEvents of the run, "
                  "beside the saved checkpoints:\n\n| step | event | text |\n| ---: | --- | --- |\n")
        for event in events:
            if event["kind"] != "saved":
                text = event["text"].replace(folder, "RUN").replace(temporary + "/", "").replace("|", "\\|")
                out.write(f"| {event['step']} | {event['kind']} | {text[:200]} |\n")
    print(f"  {steps} steps in {starts} starts, accuracy {accuracy:.3f}, {dict(kinds)}, checkpoints {checkpoints(folder)}")


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
