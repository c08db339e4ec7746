"""Compares the memory that a run plans with the most that it held. Usage: memory_plan.py SCRATCH RESULT.md

The plan counts full-length completions and full micro-batches. So SmolLM2 runs with an end token that it never writes,
with micro-batches of two whole groups, and for two steps: AdamW's moments take memory from the first update on. The
quickstart's completions end early: for it the plan is only a bound.
"""
import json
import os
import re
import subprocess
import sys

sys.path.append("tests/support")
from endless_model import endless_model

PONDER = os.path.join(os.environ["PONDER_BUILD"], "ponder")
LIMIT = 0.10

SMOLLM2 = ["run.steps=2", "data.eval=", "rollout.max_new_tokens=128", "data.max_prompt_tokens=128",
           "optimizer.max_tokens_per_microbatch=2304"]
RUNS = [
    ("quickstart", "configs/quickstart.toml", ["run.steps=1", "data.eval_problems=16"]),
    ("SmolLM2-135M, bf16, 8 x 8 x 128", "configs/gsm8k_smollm2.toml", SMOLLM2),
    ("the same in 3,300 MB", "configs/gsm8k_smollm2.toml", SMOLLM2 + ["run.memory_mb=3300"]),
    ("the same in 2,100 MB, masters and moments in files", "configs/gsm8k_smollm2.toml",
     SMOLLM2 + ["run.threads=2", "run.memory_mb=2100", "model.offload_folder=build/memory_plan_state"]),
    ("the same in float32", "configs/gsm8k_smollm2.toml", SMOLLM2 + ["model.compute_dtype=float32"]),
]


def run(folder, config, settings):
    """Planned and measured, in MB."""
    words = [PONDER, "train", config, "--set", f"run.output_dir={folder}"] + [w for s in settings for w in ("--set", s)]
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"FAILED: {config} ended with {done.returncode}; it printed:\n{done.stdout}")
    with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
        measured = json.load(file)["peak_memory_mb"]
    return float(re.search(r"at most +([\d.]+) MB", done.stdout).group(1)), measured


def main(scratch, result):
    lines, wrong = ["# The memory plan against what a run held at its peak", "",
                    "By `tests/end_to_end/long/memory_plan.sh`. The plan counts full-length completions and full micro-batches; the "
                    "quickstart's end early, so for it the plan is only a bound.", "", "| Run | planned MB | measured MB | difference |",
                    "|---|---|---|---|"], []
    for number, (name, config, settings) in enumerate(RUNS):
        if "smollm2" in config and not os.path.isdir("models/smollm2-135m"):
            print(f"{name}: left out, models/smollm2-135m is not here")
            continue
        if "smollm2" in config:
            settings = settings + ["model.path=" + endless_model("models/smollm2-135m", os.path.join(scratch, "model"))]
        planned, measured = run(os.path.join(scratch, str(number)), config, settings)
        difference = planned / measured - 1
        lines.append(f"| {name} | {planned:.0f} | {measured:.0f} | {difference:+.1%} |")
        print(lines[-1], flush=True)
        if difference < -LIMIT or (difference > LIMIT and name != "quickstart"):
            wrong.append(name)
    with open(result, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    if wrong:
        sys.exit(f"FAILED: the plan is off by more than {LIMIT:.0%} for: {', '.join(wrong)}")


main(*sys.argv[1:])
