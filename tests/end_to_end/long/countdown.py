"""SmolLM2-135M on countdown, one seed. See countdown.sh."""
import datetime
import os
import statistics
import sys

from curves import small_multiples
from runs import cpu_hours, fail, lines, train_once

CONFIG = "configs/countdown_smollm2.toml"


def main(folder, results, steps):
    out = f"{folder}/run"
    train_once(CONFIG, out, f"run.steps={steps}")
    grpo = [line for line in lines(out) if line["stage"] == "grpo"]
    greedy = [(line["step"], line["eval/accuracy"]) for line in grpo if "eval/accuracy" in line]
    sampled = [(line["step"], line["reward"]) for line in grpo if "reward" in line]
    if not greedy or not sampled:
        fail("the grpo stage has no evaluations or no steps")
    mean = lambda part: statistics.mean(value for _, value in part)
    smooth = [(step, mean(sampled[max(0, i - 4):i + 1])) for i, (step, _) in enumerate(sampled)]
    commit = os.path.basename(folder)  # the runs began at it
    with open(f"{results}/countdown.md", "w") as text:
        text.write(f"# Countdown\n\n`tests/end_to_end/long/countdown.sh {steps}`; {datetime.date.today()}, commit {commit}, {cpu_hours(lines(out)):.2f} CPU hours. "
                   f"SmolLM2-135M-Instruct, `{CONFIG}`, one seed: three numbers of at most 30; a cold start, then {sampled[-1][0]} GRPO steps of 16 "
                   "prompts with 8 samples. Held-back problems: 128.\n\n"
                   "| | after the cold start | after GRPO |\n| --- | ---: | ---: |\n"
                   f"| greedy accuracy | {greedy[0][1]:.3f} | {greedy[-1][1]:.3f} |\n"
                   f"| right samples (temperature 1), ten steps | {mean(sampled[:10]):.3f} | {mean(sampled[-10:]):.3f} |\n\n"
                   "![Curves](countdown.svg)\n")
    with open(f"{results}/countdown.svg", "w") as svg:
        highest = max(0.1, 1.2 * max(value for _, value in greedy + smooth))
        svg.write(small_multiples("Countdown by GRPO step", {"greedy, held back": [greedy], "right samples, 5 steps": [smooth]},
                                  sampled[-1][0], highest))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
