"""Data sets by weight, refilled groups and a curriculum: the numbers they must show, and equal bits after any kill."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys

from runs import PONDER, checkpoints, fail, lines, same_run, train, train_until

TINY = os.path.join(os.path.dirname(__file__), "tiny.toml")
COLD_STEPS, STEPS = 8, 5

# In place of tiny.toml's [data]: two files, with prompts, lengths and rewards of their own.
SETS = """
[[dataset]]
name = "two"
train = "{two}"
eval = "{two}"
eval_problems = 8
weight = 2

[[dataset]]
name = "three"
train = "{three}"
max_prompt_tokens = 20
prefill = "<think>"
rewards = ["exact"]

[filter]
zero_variance = "refill"
max_refills = 3
on_exhausted = "keep_zero_variance"
truncated = "mask"

[curriculum]
kind = "pass_rate"
drop_solved_above = 0.8
return_after_epochs = 1

[[reward]]
name = "format"
weight = 0.1
mode = "strict"
allow_empty_think = true
"""


def write_rows(path, terms, count):
    random.seed(terms)
    with open(path, "w") as out:
        for _ in range(count):
            numbers = [random.randrange(10) for _ in range(terms)]
            answer = sum(numbers) % 10
            out.write(json.dumps({"question": "+".join(map(str, numbers)) + "=", "answer": str(answer),
                                  "completion": f"<think></think><answer>{answer}</answer>"}) + "\n")
    return path


def write_config(folder):
    with open(TINY) as file:
        text = file.read()
    for line in ('train = "generator:arithmetic"\n', 'eval = "generator:arithmetic"\n', "terms = 2\n", "eval_problems = 16\n"):
        assert line in text
        text = text.replace(line, "")
    sets = SETS.format(two=write_rows(f"{folder}/two.jsonl", 2, 30), three=write_rows(f"{folder}/three.jsonl", 3, 20))
    config = f"{folder}/data.toml"
    with open(config, "w") as file:
        file.write(text.replace("[[stage]]", sets + "\n[[stage]]", 1))
    return config


def grpo(folder):
    return [line for line in lines(folder) if line["stage"] == "grpo" and "reward" in line]


def after_step(calm, folder, step):
    """A copy of the run as a kill right after the step's checkpoint leaves it: with everything that came later still in its files."""
    shutil.copytree(calm, folder)
    for name in checkpoints(folder):
        if name > f"step-{step:06d}":
            shutil.rmtree(f"{folder}/checkpoints/{name}")
    return folder


def main(temporary):
    config = write_config(temporary)
    settings = [f"stage.cold-start.steps={COLD_STEPS}", f"stage.grpo.steps={STEPS}", "rollout.prompts_per_step=8", "checkpoint.keep_last=99"]
    for kind in ("pass_rate", "failure"):
        own = settings + ([] if kind == "pass_rate" else ["curriculum.kind=failure", "curriculum.drop_solved_above=0.95",
                                                          "curriculum.return_after_epochs=3"])
        calm = f"{temporary}/{kind}"
        train(config, calm, *own)
        steps = grpo(calm)
        print(f"  curriculum {kind}: rounds {[line['refill/rounds'] for line in steps]}, "
              f"share of set two {[round(line['mix/two/share'], 2) for line in steps]}")
        if sum(line["refill/rounds"] for line in steps) == 0:
            fail("no step refilled: the run tests nothing")
        if not all(abs(line["mix/two/share"] + line["mix/three/share"] - 1) < 1e-12 for line in steps):
            fail("the shares of the sets do not make 1")
        evaluated = [line for line in lines(calm) if "eval/accuracy" in line]
        if not all(line["mix/two/eval_accuracy"] == line["eval/accuracy"] for line in evaluated) or "mix/three/eval_accuracy" in evaluated[0]:
            fail("set two alone is held back, so its accuracy is the whole one")
        for step in (3, *range(COLD_STEPS, COLD_STEPS + STEPS)) if kind == "pass_rate" else (COLD_STEPS + 2,):
            run = after_step(calm, f"{temporary}/{kind}-{step}", step)
            train(config, run, *own, resume=True)
            same_run(calm, run)
            shutil.rmtree(run)

    print("  kill -9 in a step, then --resume auto")
    killed = f"{temporary}/killed"
    code, _ = train_until(config, killed, lambda: f"step-{COLD_STEPS + 2:06d}" in checkpoints(killed), settings=settings)
    if code != -signal.SIGKILL:
        fail(f"exit code {code}")
    train(config, killed, *settings, resume=True)
    same_run(f"{temporary}/pass_rate", killed)

    print("  on_exhausted = stop saves the run and says why")
    told = train(config, f"{temporary}/stopped", *settings, "filter.on_exhausted=stop", "filter.max_refills=1", "rollout.temperature=0.01", expect=1)
    if "filter.on_exhausted" not in told or "--resume auto" not in told:
        fail(f"the message does not say what to do:\n{told}")

    print("  ponder data mix")
    mix = subprocess.run([PONDER, "data", "mix", config, "--draws", "400", "--json"], text=True, capture_output=True, check=True)
    stage = json.loads(mix.stdout)[1]
    drawn = sum(draw["set"] == "two" for draw in stage["draws"])
    if not 229 < drawn < 305:  # 2 of 3: 267, four standard deviations of 9.4
        fail(f"{drawn} of 400 draws are of the set that has two thirds of the weight")
    if [s["rewards"] for s in stage["sets"]] != [[], ["exact"]]:
        fail(f"the rewards of the sets: {stage['sets']}")


main(sys.argv[1])
