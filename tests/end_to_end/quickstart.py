"""Trains configs/quickstart.toml and holds its numbers against what the README promises."""
import datetime
import json
import os
import subprocess
import sys
import time

from runs import PONDER, fail, finished, lines, train


def numbers(folder):
    """What a finished quickstart run reached."""
    with open(f"{folder}/summary.json") as file:
        summary = json.load(file)
    cold, rl = summary["stages"]
    metrics = lines(folder)
    steps = [line for line in metrics if line["stage"] == "grpo" and "reward" in line]
    cold_steps = [line for line in metrics if line["stage"] == "cold-start" and "moe/load_min_share" in line]
    return {
        "seed": summary["seed"],
        "greedy before": rl["greedy_before"]["accuracy"],
        "greedy after": rl["greedy_after"]["accuracy"],
        "greedy length before": rl["greedy_before"]["mean_length"],
        "greedy length after": rl["greedy_after"]["mean_length"],
        "sampled length before": rl["sampled_before"]["mean_length"],
        "sampled length after": rl["sampled_after"]["mean_length"],
        "least expert share": cold_steps[-1]["moe/load_min_share"],
        "sampler - trainer, largest": max(s["sampling/sampling_logp_difference/max"] for s in steps),
        "ratio, smallest": min(s["sampling/importance_sampling_ratio/min"] for s in steps),
        "ratio, largest": max(s["sampling/importance_sampling_ratio/max"] for s in steps),
        "GRPO steps": len(steps),
        "cold start s": cold["seconds"],
        "GRPO s": rl["seconds"],
        "whole run s": summary["seconds"],
    }


def missed(n):
    """The promises that the numbers break."""
    promises = [
        ("greedy accuracy before RL at most 0.30", n["greedy before"] <= 0.30),
        ("greedy accuracy after RL at least 0.97", n["greedy after"] >= 0.97),
        ("greedy length at least 3 times as long", n["greedy length after"] >= 3 * n["greedy length before"]),
        ("sampled length at least 1.8 times as long", n["sampled length after"] >= 1.8 * n["sampled length before"]),
        ("every expert above 1 % of the tokens after the cold start", n["least expert share"] > 0.01),
        ("50 GRPO steps with a metrics line", n["GRPO steps"] == 50),
        ("sampler and trainer log-probabilities equal at every step", n["sampler - trainer, largest"] == 0),
        ("importance ratio exactly 1 at every step", n["ratio, smallest"] == 1 and n["ratio, largest"] == 1),
    ]
    return [text for text, kept in promises if not kept]


def run(folder, seed):
    start = time.monotonic()
    log = train("configs/quickstart.toml", folder, f"run.seed={seed}")
    n = numbers(folder)
    print(f"  seed {seed}: greedy accuracy {n['greedy before']:.3f} -> {n['greedy after']:.3f}, length "
          f"{n['greedy length before']:.1f} -> {n['greedy length after']:.1f}; sampled length {n['sampled length before']:.1f} -> "
          f"{n['sampled length after']:.1f}; least used expert {n['least expert share']:.3f}; sampler - trainer at most "
          f"{n['sampler - trainer, largest']}; {time.monotonic() - start:.0f} s", flush=True)
    if broken := missed(n):
        print(log)
        fail(f"seed {seed}: not so: " + "; ".join(broken))
    return n


def sample(folder):
    """The README's next command: the model that came out works through a sum."""
    done = subprocess.run([PONDER, "sample", "--model", f"{folder}/final", "--template", "plain", "--temperature", "0", "--prompt",
                           "3+9+1+7+4="], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print("  " + done.stdout.replace("\n", "\n  ").rstrip())
    if done.returncode != 0 or not done.stdout.startswith("<think>3+9=") or "</answer>" not in done.stdout:
        fail(f"ponder sample: exit code {done.returncode}; worked steps and an answer were expected")


def write_table(file, rows, commit):
    with open("/proc/cpuinfo") as info:
        machine = next((line.split(": ")[1].strip() for line in info if line.startswith("model name")), "unknown")
    shown = [key for key in rows[0] if key != "GRPO steps"]
    with open(file + ".new", "w") as out:
        out.write("# The quickstart, seed by seed\n\n`./ponder train configs/quickstart.toml --set run.seed=N`, by "
                  "`tests/end_to_end/long/quickstart_seeds.sh`; "
                  f"{datetime.date.today()}, commit {commit}, {machine}, {os.cpu_count()} processors. Accuracy is the share of 256 "
                  "held-back problems, lengths are in tokens.\n\n")
        out.write("| " + " | ".join(shown) + " |\n|" + " ---: |" * len(shown) + "\n")
        for row in rows:
            out.write("| " + " | ".join(f"{row[key]:.4g}" for key in shown) + " |\n")
    os.replace(file + ".new", file)


def main():
    """quickstart.py run FOLDER: one run. quickstart.py seeds FOLDER TABLE: five, skipping those that FOLDER, named for the
    commit, already has."""
    if sys.argv[1] == "run":
        run(sys.argv[2], 0)
        sample(sys.argv[2])
        return
    rows = []
    for seed in range(5):
        folder = os.path.join(sys.argv[2], f"seed{seed}")
        rows.append(numbers(folder) if finished(folder) else run(folder, seed))
        if broken := missed(rows[-1]):
            fail(f"seed {seed}: not so: " + "; ".join(broken))
        write_table(sys.argv[3], rows, os.path.basename(sys.argv[2]))


if __name__ == "__main__":
    main()
