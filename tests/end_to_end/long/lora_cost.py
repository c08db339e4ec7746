"""What training an adapter costs beside training all of SmolLM2-135M. Usage: lora_cost.py SCRATCH RESULT.md [STEPS]

SFT on GSM8K's solutions (rows of the problem and the answer are the same in every run), then the same with a GRPO step of
fixed length and a reference policy. A step's time is the median of metrics.jsonl without the first; the peak is the
process's own, as summary.json has it.
"""
import datetime
import json
import os
import statistics
import subprocess
import sys

sys.path.append("tests/support")
from endless_model import endless_model

PONDER = os.path.join(os.environ["PONDER_BUILD"], "ponder")
RUNS = [("all weights", []),
        ("LoRA, rank 16, every product", ["model.lora_rank=16", "model.lora_alpha=32"]),
        ("LoRA, rank 16, q_proj and v_proj", ["model.lora_rank=16", "model.lora_alpha=32", 'model.lora_targets=["q_proj", "v_proj"]'])]
SHARED = """
[run]
seed = 1
memory_mb = 6000
[model]
path = "{model}"
compute_dtype = "bf16"
[data]
train = "configs/data/gsm8k/train.jsonl"
completion_key = "answer"
max_prompt_tokens = 256
allow_contamination = ["gsm8k/test"]
[template]
style = "chatml"
[rollout]
prompts_per_step = 4
samples_per_prompt = 4
max_new_tokens = 64
[optimizer]
lr = 1e-5
max_tokens_per_microbatch = 2048
[log]
dump_rollouts_every = 0
show_first_sample = false
[[reward]]
name = "math"
"""
STAGES = {
    "SFT, 16 problems a step": '[[stage]]\nname = "one"\nkind = "sft"\nsteps = {steps}\nsequences_per_step = 16\n',
    "GRPO, 4 x 4 samples of 64 tokens, with a KL": '[[stage]]\nname = "one"\nkind = "grpo"\nsteps = {steps}\n[stage.kl]\ncoef = 0.01\n',
}


def run(folder, text, settings):
    config = folder + ".toml"
    with open(config, "w", encoding="utf-8") as file:
        file.write(text)
    words = [PONDER, "train", config, "--set", f"run.output_dir={folder}"] + [w for s in settings for w in ("--set", s)]
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"FAILED: {settings} ended with {done.returncode}; it printed:\n{done.stdout}")
    with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
        peak = json.load(file)["peak_memory_mb"]
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        steps = [line for line in map(json.loads, file) if "timing/step_seconds" in line]
    median = lambda key: statistics.median(line.get(key, 0) for line in steps[1:])
    saved = sum(os.path.getsize(os.path.join(folder, "final", name)) for name in os.listdir(os.path.join(folder, "final"))
                if name.endswith(".safetensors"))
    return peak, *(median(f"timing/{part}_seconds") for part in ("step", "forward", "backward", "optimizer")), saved / 1e6


def main(scratch, result, steps="4"):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    model = endless_model("models/smollm2-135m", os.path.join(scratch, "model"))
    lines = ["# LoRA beside full training: SmolLM2-135M in bf16", "",
             f"`tests/end_to_end/long/lora.sh`; {datetime.date.today()}, commit {commit}: {steps} steps of each, medians without the first step, {os.cpu_count()} cores. Peak: resident "
             "memory of the whole process. Saved: the tensors of `final/`.", ""]
    for stage_number, (stage, text) in enumerate(STAGES.items()):
        lines += [f"## {stage}", "", "| What is trained | peak MB | s a step | forward s | backward s | optimizer s | saved MB |",
                  "|---|---:|---:|---:|---:|---:|---:|"]
        for number, (name, settings) in enumerate(RUNS):
            peak, *times, saved = run(os.path.join(scratch, f"{stage_number}-{number}"),
                                      SHARED.replace("{model}", model) + text.replace("{steps}", steps), settings)
            lines.append(f"| {name} | {peak:.0f} | " + " | ".join(f"{t:.2f}" for t in times) + f" | {saved:.1f} |")
            print(lines[-1], flush=True)
        lines.append("")
    with open(result, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


main(*sys.argv[1:])
