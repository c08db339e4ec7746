"""Learning curves with stale samples. Usage: async_curves.py SCRATCH RESULT SEEDS STEPS; see async_curves.sh."""
import datetime
import json
import os
import re
import statistics
import sys

from runs import cpu_hours, lines, train_once

CONFIG = "configs/quickstart.toml"
CORRECTED = ["correction.mode=truncate", "correction.old_logprobs=recompute"]
VARIANTS = [("synchronous", []),
            ("1 step old", ["rollout.max_staleness_steps=1"]),
            ("1 step old, corrected", ["rollout.max_staleness_steps=1"] + CORRECTED),
            ("4 steps old", ["rollout.max_staleness_steps=4"]),
            ("4 steps old, corrected", ["rollout.max_staleness_steps=4"] + CORRECTED)]
COLOURS = ["#333333", "#7fb3e6", "#1f6fb5", "#f2a65a", "#c0560a"]
SHOWN = [1, 5, 10, 15, 20, 30, 40, 50]


def stages():
    """The config's text before its stages, and the two stages."""
    with open(CONFIG) as file:
        top, cold, rl = file.read().split("[[stage]]")
    return top, "[[stage]]" + cold, "[[stage]]" + rl


def cold_start(scratch, seed):
    """Every variant of a seed begins with the same model."""
    top, cold, _ = stages()
    config, folder = f"{scratch}/cold.toml", f"{scratch}/cold-{seed}"
    with open(config, "w") as file:
        file.write(top + cold)
    train_once(config, folder, f"run.seed={seed}")
    return f"{folder}/final"


def learn(scratch, seed, steps, number, model):
    top, _, rl = stages()
    config, folder = f"{scratch}/rl-{seed}.toml", f"{scratch}/{number}-{seed}-{steps}"
    with open(config, "w") as file:
        file.write(re.sub(r"\[model\].*?\n\n", f'[model]\npath = "{model}"\ncompute_dtype = "bf16"\n\n', top, flags=re.S) + rl)
    train_once(config, folder, f"run.seed={seed}", f"run.steps={steps}", *VARIANTS[number][1])
    metrics = [line for line in lines(folder) if "loss" in line]
    with open(f"{folder}/summary.json") as file:
        stage = json.load(file)["stages"][-1]
    rewards = [line["reward"] for line in metrics]
    return {"rewards": rewards,
            "greedy": stage["greedy_after"]["accuracy"],
            "to 0.9": next((n for n, reward in enumerate(rewards, 1) if reward >= 0.9), None),
            "staleness": metrics[-1]["sampling/staleness_mean"],
            "difference": statistics.mean(line.get("sampling/stale_logp_difference/mean", 0) for line in metrics),
            "ratio": max(line["sampling/importance_sampling_ratio/max"] for line in metrics),
            "hours": cpu_hours(metrics),
            "seconds": statistics.mean(line["timing/step_seconds"] for line in metrics)}


def spread(values, digits=3):
    return f"{statistics.mean(values):.{digits}f}" + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def mean_curve(runs):
    return [statistics.mean(run["rewards"][n] for run in runs) for n in range(len(runs[0]["rewards"]))]


def write_table(file, results, seeds, commit):
    with open("/proc/cpuinfo") as info:
        machine = next((line.split(": ")[1].strip() for line in info if line.startswith("model name")), "unknown")
    steps = [n for n in SHOWN if n <= len(results[0][0]["rewards"])]
    text = ["# The quickstart's RL stage with stale samples", "",
            f"By `tests/end_to_end/long/async_curves.sh`; {datetime.date.today()}, commit {commit}, {machine}, {os.cpu_count()} "
            f"processors; {sum(run['hours'] for runs in results for run in runs):.1f} CPU hours; {seeds} seed(s) each, mean ± standard deviation. All variants of a seed begin with the same model. "
            "Correction: `correction.mode = \"truncate\"`, `old_logprobs = \"recompute\"`; without it the ratio is to the sampler's "
            "log-probabilities. Difference: |trainer - sampler| in nats of a stale token, mean over the run.", "",
            "| samples | greedy accuracy after | steps to reward 0.9 | staleness | difference | largest ratio | s a step |",
            "|---|---:|---:|---:|---:|---:|---:|"]
    for (name, _), runs in zip(VARIANTS, results):
        reached = [run["to 0.9"] for run in runs if run["to 0.9"]]
        text.append(f"| {name} | {spread([r['greedy'] for r in runs])} | {spread(reached, 1) if len(reached) == len(runs) else 'not all'} "
                    f"| {runs[0]['staleness']:g} | {spread([r['difference'] for r in runs], 4)} | {max(r['ratio'] for r in runs):.2f} "
                    f"| {spread([r['seconds'] for r in runs], 2)} |")
    text += ["", "Mean reward of the samples at step", "", "| samples | " + " | ".join(map(str, steps)) + " |",
             "|---|" + "---:|" * len(steps)]
    for (name, _), runs in zip(VARIANTS, results):
        curve = mean_curve(runs)
        text.append(f"| {name} | " + " | ".join(f"{curve[n - 1]:.3f}" for n in steps) + " |")
    with open(file, "w") as out:
        out.write("\n".join(text) + "\n")


def write_chart(file, results):
    width, height, left, bottom = 640, 360, 48, 40
    count = len(results[0][0]["rewards"])
    x = lambda n: left + (width - left - 16) * n / max(1, count - 1)
    y = lambda reward: (height - bottom) * (1 - reward) + 12 * reward
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path d="M{left} {y(tick):.1f}H{width - 16}" stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<text x="{(left + width) / 2}" y="{height - 8}" text-anchor="middle">step (of {count}); mean reward</text>')
    for number, runs in enumerate(results):
        points = " ".join(f"{x(n):.1f},{y(reward):.1f}" for n, reward in enumerate(mean_curve(runs)))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[number]}" stroke-width="2"/>')
        top = height - bottom - 18 * (len(results) - number)
        parts.append(f'<path d="M{width - 220} {top}h24" stroke="{COLOURS[number]}" stroke-width="3"/>'
                     f'<text x="{width - 190}" y="{top + 4}">{VARIANTS[number][0]}</text>')
    with open(file, "w") as out:
        out.write("\n".join(parts + ["</svg>"]) + "\n")


def main(scratch, result, seeds, steps):
    results = [[] for _ in VARIANTS]
    for seed in range(seeds):
        model = cold_start(scratch, seed)
        for number, (name, _) in enumerate(VARIANTS):
            run = learn(scratch, seed, steps, number, model)
            results[number].append(run)
            print(f"  seed {seed}, {name}: greedy accuracy {run['greedy']:.3f}, reward 0.9 at step {run['to 0.9']}", flush=True)
    write_table(result + ".md", results, seeds, os.path.basename(scratch))
    write_chart(result + ".svg", results)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
