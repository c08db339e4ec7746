"""Starts training runs, stops them at a chosen moment, and compares what they wrote. Python's own library only."""
import filecmp
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time

PONDER = os.path.join(os.environ["PONDER_BUILD"], "ponder")


def fail(text):
    print(f"FAILED: {text}")
    sys.exit(1)


def train(config, folder, *settings, resume=False, trace=False, environment=None, expect=0, **overrides):
    """Runs `ponder train` to its end; returns what it printed."""
    words = command(config, folder, *settings, resume=resume, **overrides) + (["--trace"] if trace else [])
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
    if done.returncode != expect:
        fail(f"{folder}: exit code {done.returncode}, expected {expect}; it printed:\n{done.stdout}")
    return done.stdout


def command(config, folder, *settings, resume=False, **overrides):
    words = [PONDER, "train", config, "--set", f"run.output_dir={folder}"]
    for setting in settings:
        words += ["--set", setting]
    for section_key, value in overrides.items():
        words += ["--set", f"{section_key.replace('__', '.')}={value}"]
    return words + (["--resume", "auto"] if resume else [])


def finished(folder):
    """Whether the folder holds a run that came to its end; one that was interrupted has a summary too."""
    try:
        with open(f"{folder}/summary.json") as file:
            return not json.load(file)["interrupted"]
    except FileNotFoundError:
        return False


def train_once(config, folder, *settings):
    """Runs `ponder train` to its end unless it came there before; a run that was stopped goes on."""
    if not finished(folder):
        train(config, folder, *settings, resume=os.path.isdir(folder))


def train_until(config, folder, moment, send=signal.SIGKILL, settings=()):
    """Starts a run, sends the signal as soon as moment() is true, and returns the exit code and what it printed."""
    with open(folder + ".log", "w+") as log:
        run = subprocess.Popen(command(config, folder, *settings), stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + 300
        while not moment():
            if run.poll() is not None or time.monotonic() > end:
                run.kill()
                log.seek(0)
                fail(f"{folder}: the run ended before the moment to stop it; it printed:\n{log.read()}")
            time.sleep(0.0005)
        run.send_signal(send)
        code = run.wait()
        log.seek(0)
        return code, log.read()


def checkpoints(folder):
    return sorted(os.path.basename(p) for p in glob.glob(f"{folder}/checkpoints/step-*"))


def half_written(folder):
    return glob.glob(f"{folder}/checkpoints/.step-*.partial")


def lines(folder):
    with open(f"{folder}/metrics.jsonl") as file:
        return [json.loads(line) for line in file]


def cpu_hours(metrics):
    """Processor time of all threads, of a run's lines of metrics."""
    return sum(line.get("timing/cost/cpu_seconds", 0) for line in metrics) / 3600


def text_without_times(folder):
    """metrics.jsonl as written, without the timing/ entries: nothing else may differ."""
    with open(f"{folder}/metrics.jsonl") as file:
        return re.sub(r',"timing/[^"]*":[^,}]*', "", file.read())


def same_metrics(one, other):
    a, b = text_without_times(one).splitlines(), text_without_times(other).splitlines()
    for number, (left, right) in enumerate(zip(a, b), 1):
        if left != right:
            fail(f"metrics.jsonl differs in line {number}:\n  {one}: {left}\n  {other}: {right}")
    if len(a) != len(b):
        fail(f"metrics.jsonl: {len(a)} lines in {one}, {len(b)} in {other}")
    return len(a)


def same_files(one, other, pattern):
    names = [os.path.relpath(p, one) for p in glob.glob(os.path.join(one, pattern), recursive=True) if os.path.isfile(p)]
    if not names:
        fail(f"{one}: no file {pattern}")
    for name in names:
        if not filecmp.cmp(os.path.join(one, name), os.path.join(other, name), shallow=False):
            fail(f"{name} differs between {one} and {other}")
    return len(names)


def same_run(one, other):
    """Metrics, final weights, tokenizer and config, and optimizer state, bit for bit."""
    count = same_metrics(one, other)
    files = same_files(one, other, "final/**")
    last = checkpoints(one)[-1]
    files += same_files(one, other, f"checkpoints/{last}/trainer/optimizer.safetensors")
    print(f"    equal: {count} lines of metrics.jsonl, {files} files of final/ and {last}")
