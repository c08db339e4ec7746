"""Evaluates a tiny model of sums: the files, a kill and a resume, a comparison, sampling settings. Under 20 seconds."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from runs import PONDER, fail, train

folder = sys.argv[1]
model = os.path.join(folder, "run", "final")


def call(*words, expect=0, cwd=None):
    done = subprocess.run([PONDER, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)
    if done.returncode != expect:
        fail(f"ponder {' '.join(words)}: exit code {done.returncode}, expected {expect}; it printed:\n{done.stdout}")
    return done.stdout


def words_of(out, *settings, limit=200, samples=4, temperature=0.8):
    return ["eval", "--model", model, "--data", "generator:arithmetic", "--reward", "exact", "--limit", str(limit), "--samples", str(samples),
            "--temperature", str(temperature), "--max-new-tokens", "24", "--output", os.path.join(folder, out), *settings]


def evaluate(out, *settings, expect=0, **choices):
    return call(*words_of(out, *settings, **choices), expect=expect)


def one(out, pattern):
    files = glob.glob(os.path.join(folder, out, pattern))
    if len(files) != 1:
        fail(f"{out}: {len(files)} files {pattern}")
    with open(files[0], encoding="utf-8") as file:
        return file.read()


def results(out):
    """Without what may differ between two equal evaluations."""
    text = json.loads(one(out, "results_*.json"))
    for key in ("date", "total_evaluation_time_seconds"):
        text.pop(key)
    for key in ("sampled_tokens", "tokens_per_second"):
        text["ponder"].pop(key)
    return text


def completions(out):
    return [json.loads(line)["resps"] for line in one(out, "samples_*.jsonl").splitlines()]


def expect_in(text, *parts):
    for part in parts:
        if part not in text:
            fail(f"\"{part}\" is missing in:\n{text}")


def killed(out):
    """Starts an evaluation and kills it when some problems are done; returns how many lines it left."""
    for _ in range(10):
        left = killed_once(out)
        if left is not None:
            return left
        shutil.rmtree(os.path.join(folder, out))
    fail("the evaluation ended each time before it could be killed")


def killed_once(out):
    """Nothing when the evaluation was quicker."""
    journal = os.path.join(folder, out, "unfinished_arithmetic.jsonl")
    run = subprocess.Popen([PONDER, *words_of(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not (os.path.exists(journal) and os.path.getsize(journal) > 20000):
        if run.poll() is not None or time.monotonic() > end:
            run.kill()
            run.wait()
            return None
        time.sleep(0.0005)
    run.send_signal(signal.SIGKILL)
    run.wait()
    if not os.path.exists(journal):
        return None
    with open(journal, "rb") as file:
        left = file.read().count(b"\n")
    return left if left < 200 else None


def check_files():
    text = evaluate("whole", "--threads", "2")
    expect_in(text, "| suite      | metric", "arithmetic: 200 of 256 problems × 4 samples", "avg@4", "pass@2", "pass@4", "noise of the runs", "p95_tokens")
    done = subprocess.run([sys.executable, "tests/support/read_lm_eval.py", os.path.join(folder, "whole")], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        fail(f"read_lm_eval.py: {done.stdout}")
    expect_in(done.stdout, "|arithmetic|none|avg@4|")
    expect_in(one("whole", "report.html"), "prefers-color-scheme:dark", "\"suites\":")
    print("    files: lm-eval's shape, read by tests/support/read_lm_eval.py")


def check_resume():
    left = killed("killed")
    with open(os.path.join(folder, "killed", "unfinished_arithmetic.jsonl"), "a") as file:
        file.write('{"doc_id": 199, "do')  # cut off in the middle of a write
    expect_in(evaluate("killed", "--threads", "1"), f"{left} of 200 problems are there already")
    if one("killed", "samples_*.jsonl") != one("whole", "samples_*.jsonl"):
        fail("the resumed evaluation's samples differ from the undisturbed one's")
    if results("killed") != results("whole"):
        fail("the resumed evaluation's results differ from the undisturbed one's")
    if glob.glob(os.path.join(folder, "killed", "unfinished_*")):
        fail("an unfinished file is left")
    expect_in(evaluate("killed"), "200 of 200 problems are there already", "avg@4")
    expect_in(evaluate("killed", "--seed", "5", expect=2), "seed is 0 there and 5 here", "--output")
    print(f"    killed at {left} of 200 problems and resumed: the same bytes")


def check_compare():
    evaluate("other", "--seed", "5")
    text = call("eval", "compare", os.path.join(folder, "whole"), os.path.join(folder, "other"))
    expect_in(text, "seed is 0 there and 5 here", "| arithmetic |      200 |", "p (permutation)")
    same = call("eval", "compare", os.path.join(folder, "whole"), os.path.join(folder, "killed"))
    expect_in(same, "same settings and the same checkpoint", "+0.0000", "1.0000")
    evaluate("fewer", limit=20)
    expect_in(call("eval", "compare", os.path.join(folder, "whole"), os.path.join(folder, "fewer")), "|       20 |", "180 problems of A and 0 of B")
    for name, answer in (("one", 7), ("two", 8)):
        os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, name, "sums.jsonl"), "w") as file:
            file.write(json.dumps({"question": "3+4=", "answer": answer}) + "\n")
        call("eval", "--model", model, "--data", os.path.join(folder, name, "sums.jsonl"), "--max-new-tokens", "8", "--output",
             os.path.join(folder, name, "out"))
    text = call("eval", "compare", os.path.join(folder, "one", "out"), os.path.join(folder, "two", "out"), expect=2)
    expect_in(text, "sums was measured on different data files")
    print("    compare: paired by problem; another data file is refused")


def check_sampling():
    evaluate("greedy", limit=40, samples=1, temperature=0)
    for name, settings in (("top_k", ["--top-k", "1"]), ("top_p", ["--top-p", "0.000001"])):
        evaluate(name, *settings, limit=40, samples=1, temperature=1.5)
        if completions(name) != completions("greedy"):
            fail(f"{name} is ignored: its completions are not the greedy ones")
    evaluate("free", limit=40, samples=1, temperature=1.5)
    if completions("free") == completions("greedy"):
        fail("the temperature is ignored")
    expect_in(evaluate("refused", temperature=0, expect=2), "all completions of a problem are equal")
    print("    temperature, top-p and top-k reach the sampler")


def check_places():
    expect_in(call("eval", "suites", cwd="/"), "| gsm8k ", "| humaneval ", "from QwenLM/Qwen2.5-Math, evaluation/data/minerva_math/test.jsonl")
    expect_in(call("eval", "--model", model, "--suite", "gsm9k", cwd="/", expect=2), "Did you mean gsm8k?")
    expect_in(call("eval", "--model", model, "--suite", "minerva", cwd="/", expect=2), "PONDER_DATA")
    expect_in(call("eval", "--suite", "gsm8k", expect=2), "no model")
    rows = os.path.join(folder, "list.json")
    with open(rows, "w") as file:
        json.dump([{"q": "3+4=", "a": 7}, {"q": "5+5=", "a": 0}], file)
    text = call("eval", "--model", model, "--data", rows, "--prompt-key", "q", "--answer-key", "a", "--max-new-tokens", "16", "--output",
                os.path.join(folder, "list"))
    expect_in(text, "list: 2 problems × 1 samples")
    print("    suites are found from any folder; a JSON list is read by its keys")


os.environ.pop("PONDER_DATA", None)
train("tests/end_to_end/tiny.toml", os.path.join(folder, "run"), "stage.cold-start.steps=12", "stage.grpo.steps=1", "checkpoint.every_steps=0")
check_files()
check_resume()
check_compare()
check_sampling()
check_places()
