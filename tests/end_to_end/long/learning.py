"""Each preset on the quickstart's task, from one cold start a seed. See learning.sh."""
import datetime
import glob
import json
import os
import re
import statistics
import sys

from curves import small_multiples
from runs import cpu_hours, fail, lines, train

STEPS, EVERY, GOAL = 50, 2, 0.9
# A preset's sizes are for billions of parameters; these are the quickstart's. All else is the preset's.
SIZES = """
[rollout]
prompts_per_step = 32
samples_per_prompt = 8
max_new_tokens = 33

[optimizer]
lr = 1e-4
warmup_steps = 0
"""


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def split_quickstart():
    """(the sections that all stages share without model and rollout, the model section, the cold start's stage)."""
    text = open("configs/quickstart.toml").read()
    stages = text.index("[[stage]]")
    shared, cold = text[:stages], text[stages:text.index("[[stage]]", stages + 1)]
    model = re.search(r"\[model\].*?\n(?=\[)", shared, re.S).group(0)
    rollout = re.search(r"\[rollout\].*?\n(?=\[)", shared, re.S).group(0)
    return shared.replace(model, "").replace(rollout, ""), model, rollout, cold


def cold_start(folder, seed):
    shared, model, rollout, stage = split_quickstart()
    out = f"{folder}/cold-{seed}"
    if not os.path.exists(f"{out}/final/model.safetensors"):
        print(f"  cold start, seed {seed}", flush=True)
        train(write(f"{folder}/cold.toml", shared + model + rollout + stage), out, f"run.seed={seed}", "data.eval_problems=0")
    return f"{out}/final"


def has_constant_length(preset):
    with open(f"configs/presets/{preset}.toml") as file:
        return '"constant"' in file.read()


def learned(folder, preset, seed):
    """[(step, greedy accuracy)], step 0 before the first update; and what it took in CPU hours."""
    out = f"{folder}/{preset}-{seed}"
    if not os.path.exists(f"{out}/final/model.safetensors"):
        shared, _, _, _ = split_quickstart()
        model = f'[model]\npath = "{cold_start(folder, seed)}"\ncompute_dtype = "bf16"\n'
        stage = f'\n[[stage]]\nname = "grpo"\nkind = "grpo"\nsteps = {STEPS}\n[stage.eval]\nevery_steps = {EVERY}\n'
        length = "\n[loss]\nconstant_length = 33\n" if has_constant_length(preset) else ""
        config = write(f"{folder}/{preset}.toml", f'preset = "{preset}"\n' + shared + model + SIZES + length + stage)
        train(config, out, f"run.seed={seed}", "log.tensorboard=false", "log.dump_rollouts_every=0")
    return [(line["step"], line["eval/accuracy"]) for line in lines(out) if "eval/accuracy" in line], cpu_hours(lines(out))


def steps_to_goal(points):
    return next((step for step, accuracy in points if accuracy >= GOAL), None)


def row(preset, runs):
    last = [points[-1][1] for points in runs]
    reached = [steps_to_goal(points) for points in runs]
    steps = [step for step in reached if step is not None]
    shown = f"{statistics.median(steps):g} ({min(steps)} to {max(steps)})" if steps else "never"
    return (f"| `{preset}` | {statistics.mean(points[0][1] for points in runs):.3f} | {statistics.mean(last):.3f} | {min(last):.3f} to "
            f"{max(last):.3f} | {len(steps)} of {len(runs)} | {shown} |")


def main(folder, results, seeds, presets):
    curves, hours = {}, 0
    for preset in presets:
        runs = [learned(folder, preset, seed) for seed in range(seeds)]
        curves[preset], hours = [points for points, _ in runs], hours + sum(own for _, own in runs)
        print(row(preset, curves[preset]), flush=True)
        if not all(points for points in curves[preset]):
            fail(f"{preset}: a run was never evaluated")
    commit = os.path.basename(folder)  # the runs began at it
    with open(f"{results}/learning.md", "w") as out:
        out.write(f"# What each preset learns\n\n`tests/end_to_end/long/learning.sh {seeds}`; {datetime.date.today()}, commit {commit}, "
                  f"{hours:.1f} CPU hours. The quickstart's task and cold start (one for each of {seeds} seeds), then {STEPS} steps of 32 prompts with 8 "
                  "samples at lr 1e-4 by each preset, whose other values are its own (r1-zero's and dapo's several updates a step, for "
                  f"example, so a step is not the same work for all). Greedy accuracy on 256 held-back problems, every {EVERY} steps.\n\n"
                  f"| preset | before | after, mean | after, least to most | seeds that reached {GOAL} | steps to {GOAL}, median |\n"
                  "| --- | ---: | ---: | ---: | ---: | ---: |\n" + "".join(row(p, runs) + "\n" for p, runs in curves.items())
                  + "\n![Accuracy by step](learning.svg)\n")
    with open(f"{results}/learning.svg", "w") as out:
        out.write(small_multiples("Greedy accuracy by step, a line for each seed", curves, STEPS, 1.0))


asked = sys.argv[3:]
known = sorted(os.path.splitext(os.path.basename(file))[0] for file in glob.glob("configs/presets/*.toml"))
main(sys.argv[1], sys.argv[2], int(asked[0]), asked[1:] or known)
