"""SmolLM2-135M on arithmetic stories: two algorithms and a random reward. See word_problems.sh."""
import datetime
import os
import statistics
import sys

from curves import small_multiples
from runs import cpu_hours, fail, lines, train_once

CONFIG = "configs/word_problems_smollm2.toml"
RANDOM = '[[reward]]\nname = "random"\n\n[[reward]]\nname = "math"\nrole = "metric"\n'
SETTINGS = ["dr-grpo", "grpo-paper", "random reward"]


def config_of(folder, setting):
    with open(CONFIG) as file:
        text = file.read()
    if setting == "random reward":
        text = text.replace('[[reward]]\nname = "math"\n', RANDOM)
    if setting == "grpo-paper":
        text = text.replace('preset = "dr-grpo"', 'preset = "grpo-paper"').replace("constant_length = 48\n", "")
    path = f"{folder}/{setting.replace(' ', '-')}.toml"
    with open(path, "w") as file:
        file.write(text)
    return path


def learned(folder, setting, seed, steps):
    """The lines of metrics.jsonl of a run that is begun, or goes on where it was stopped."""
    out = f"{folder}/{setting.replace(' ', '-')}-{seed}"
    train_once(config_of(folder, setting), out, f"run.seed={seed}", f"run.steps={steps}")
    return lines(out)


def accuracy(metrics):
    return [(line["step"], line["eval/accuracy"]) for line in metrics if "eval/accuracy" in line]


def right_samples(metrics):
    """Share of right samples by step."""
    return [(line["step"], line["rewards/math/mean"] if "rewards/math/mean" in line else line["reward"]) for line in metrics if "reward" in line]


def spread(values):
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def row(setting, runs):
    first, last = [accuracy(r)[0][1] for r in runs], [accuracy(r)[-1][1] for r in runs]
    begin = [statistics.mean(v for _, v in right_samples(r)[:5]) for r in runs]
    end = [statistics.mean(v for _, v in right_samples(r)[-5:]) for r in runs]
    return (f"| {setting} | {len(runs)} | {spread(first)} | {spread(last)} | {spread(begin)} | {spread(end)} "
            f"| {sum(cpu_hours(r) for r in runs):.2f} |")


def main(folder, results, seeds, steps):
    runs = {setting: [] for setting in SETTINGS}
    for seed in range(seeds):
        for setting in SETTINGS:
            runs[setting].append(learned(folder, setting, seed, steps))
            print(row(setting, runs[setting]), flush=True)
            if not accuracy(runs[setting][-1]):
                fail(f"{setting}, seed {seed}: was never evaluated")
    commit = os.path.basename(folder)  # the runs began at it
    with open(f"{results}/word_problems.md", "w") as out:
        out.write(f"# A real model on arithmetic stories\n\n`tests/end_to_end/long/word_problems.sh {seeds} {steps}`; {datetime.date.today()}, "
                  f"commit {commit}, two cores. SmolLM2-135M-Instruct, `{CONFIG}`: {steps} steps of 8 prompts with 8 samples; `grpo-paper` with the "
                  "same sizes and rate, and dr-grpo with a reward that is 1 or 0 by chance. Accuracy is greedy on 128 held-back problems; right "
                  "samples are those of the training rollouts (temperature 1), five steps' mean. Mean over the seeds, least to most.\n\n"
                  "| setting | seeds | greedy before | greedy after | right samples, first steps | right samples, last steps | CPU hours |\n"
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n" + "".join(row(s, r) + "\n" for s, r in runs.items())
                  + "\n![Greedy accuracy by step](word_problems.svg)\n")
    with open(f"{results}/word_problems.svg", "w") as out:
        out.write(small_multiples("Greedy accuracy on held-back stories by step, a line for each seed",
                                  {s: [accuracy(r) for r in all_runs] for s, all_runs in runs.items()}, steps, 0.6))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
