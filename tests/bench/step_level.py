"""The level step: whole GRPO steps of `ponder train` and of TRL, in turn, and the start of the program."""

import json
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
import find
from endless_model import endless_model
from tables import busy_notes, missing, spread


def timed(command, log):
    """Runs a program to its end: seconds, and its own peak of memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=open(log, "a"), stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {' '.join(command[:3])} failed; see {log}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grpo_step.toml")


def ways(settings, words, notes):
    """Ponder's two, by name, with their settings: masters and moments in memory, and in files, within a third of TRL's memory in
    bf16 (each thread above two takes 96 MB more). One that `ponder check` refuses here is left out."""
    in_files = [f"run.memory_mb={1908 + 96 * len(os.sched_getaffinity(0))}", f"model.offload_folder={settings.output}"]
    found = {}
    for way, more in (("ponder, all in memory", []), ("ponder, masters and moments in files", in_files)):
        sets = [w for word in [*words, *more, f"run.output_dir={step_folder(settings)}"] for w in ("--set", word)]
        check = subprocess.run(
            [os.path.join(settings.build, "ponder"), "check", CONFIG, *sets],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        planned = re.search(r"at most\s+([\d.]+) MB", check.stdout)
        if check.returncode != 0 or planned is None:
            notes.append(f"{way}: not measured, ponder check said: {check.stdout.strip()}")
        else:
            found[way] = (sets, float(planned.group(1)))
    return found


def step_folder(settings):
    return os.path.join(settings.output, "grpo_step")


def our_step(settings, sets):
    """Seconds of each step and peak memory of one `ponder train`."""
    find.say("ponder train tests/bench/grpo_step.toml")
    folder = step_folder(settings)
    _, peak_mb = timed([os.path.join(settings.build, "ponder"), "train", CONFIG, *sets], folder + ".log")
    steps = [json.loads(line) for line in open(os.path.join(folder, "metrics.jsonl"))]
    steps = [s for s in steps if "timing/step_seconds" in s]
    shutil.rmtree(folder)  # half a gigabyte of weights
    return steps, peak_mb


def step(settings):
    document = settings.ours("step_bench", "pass", "loss-memory", "--model", settings.model)
    document["notes"], document["peers"] = [], []
    prompts, samples, new_tokens, steps = (2, 2, 8, 1) if settings.quick else (8, 8, 128, 2)
    model = endless_model(settings.model, os.path.join(settings.output, "endless_model"))
    data = os.path.join(settings.output, "prompts.jsonl")
    with open(data, "w") as out:
        out.writelines(open("configs/data/gsm8k/train.jsonl").readlines()[: prompts * steps])
    words = [
        f"run.steps={steps}",
        f"model.path={model}",
        f"data.train={data}",
        f"rollout.prompts_per_step={prompts}",
        f"rollout.samples_per_prompt={samples}",
        f"rollout.max_new_tokens={new_tokens}",
    ]
    possible = ways(settings, words, document["notes"])
    ours, theirs = {way: [] for way in possible}, {}

    def measure_ours():
        for way, (sets, _) in possible.items():
            ours[way].append(our_step(settings, sets))

    measure_ours()
    for dtype in ("bfloat16", "float32"):
        asked = {
            "model": model,
            "prompts": data,
            "dtype": dtype,
            "steps": steps,
            "prompts_per_step": prompts,
            "samples": samples,
            "new_tokens": new_tokens,
            "rows": min(8, prompts * samples),
        }
        theirs[dtype] = settings.peer("trl_step.py", asked)
        measure_ours()
    rows = [our_row(way, runs, possible[way][1], new_tokens) for way, runs in ours.items()]
    for way, runs in ours.items():
        busy_notes(document, way + ": a step", [1 / line["timing/step_seconds"] for steps, _ in runs for line in steps])
    add_step_table(document, rows, {k: v for k, v in theirs.items() if v}, prompts * samples, new_tokens)
    add_start_table(document, settings)
    return document


def our_row(way, runs, planned, new_tokens):
    """runs: what our_step returned."""
    lines = [line for steps, _ in runs for line in steps]
    seconds, peak = spread([line["timing/step_seconds"] for line in lines]), max(mb for _, mb in runs)
    if any(line["completions/mean_length"] != new_tokens for line in lines):
        sys.exit("bench: a completion of Ponder's step ended early; the work would not be equal.")
    rollout, train = (
        spread([line["timing/" + part] for line in lines])["median"] for part in ("rollout_seconds", "train_seconds")
    )
    return {
        "tool": way,
        "dtype": "bf16",
        "seconds": seconds["median"],
        "seconds_min": seconds["min"],
        "seconds_max": seconds["max"],
        "rollout_seconds": rollout,
        "train_seconds": train,
        "peak_mb": peak,
        "planned_mb": planned,
        "plan_difference": abs(planned - peak) / peak,
    }


def add_step_table(document, rows, theirs, completions, new_tokens):
    table = {
        "name": "grpo step",
        "keys": 2,
        "rows": list(rows),
        "note": f"SmolLM2-135M, GSM8K, {completions} completions of {new_tokens} tokens, one update, no KL; the folder "
        "that both read names an end token that the model does not write, so no completion ends early; TRL: 8 completions in one "
        "pass, no gradient checkpointing (its fastest); peak: resident memory of the process; what lies in files, 1,614 MB, is "
        "not in it while no step works on it, though the system may keep it in its cache",
    }
    for dtype, row in theirs.items():
        if row["new_tokens"] != row["completions"] * new_tokens:
            document["notes"].append(
                f"TRL in {dtype} made {row['new_tokens']} tokens in {row['completions']} completions: not the same work."
            )
        table["rows"].append(
            {
                "tool": row["version"],
                "dtype": dtype,
                "seconds": spread(row["seconds"])["median"],
                "seconds_min": min(row["seconds"]),
                "seconds_max": max(row["seconds"]),
                "peak_mb": row["peak_mb"],
            }
        )
    best = min(theirs.values(), key=lambda t: spread(t["seconds"])["median"], default=None)
    for mine in rows:
        mine["step_vs_trl"] = spread(best["seconds"])["median"] / mine["seconds"] if best else None
        mine["memory_vs_trl"] = mine["peak_mb"] / best["peak_mb"] if best else None
    if best:
        document["peers"].append(best["version"])
    else:
        missing(document, "TRL")
    document["tables"].append(table)


def add_start_table(document, settings):
    command = [
        os.path.join(settings.build, "ponder"),
        "sample",
        "--model",
        settings.model,
        "--prompt",
        "1+1=",
        "--max-new-tokens",
        "1",
    ]
    seconds = [timed(command, os.path.join(settings.output, "start.log"))[0] for _ in range(settings.rounds)]
    document["tables"].append(
        {
            "name": "start",
            "keys": 1,
            "note": "`ponder sample` of one token, from start to end, files in memory",
            "rows": [
                {
                    "model": "SmolLM2-135M",
                    "seconds": spread(seconds)["median"],
                    "seconds_min": min(seconds),
                    "seconds_max": max(seconds),
                }
            ],
        }
    )
