"""The three levels: each runs Ponder's programs and its peers in turn, and returns one document of tables."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

import find
import llama
from tables import find_row, merged, spread, table_named


def busy_notes(document, what, values):
    if spread(values)["busy"]:
        document["notes"].append(f"{what}: the median is below 85 % of the best round ({min(values):.3g} to {max(values):.3g}): the machine was busy.")


def missing(document, peer):
    document["notes"].append(f"{peer}: not measured, it was not found or failed (see peers/find.py; --install-peers builds it).")


def ops(settings):
    shapes = [[576, 960, 30], [576, 576, 30], [576, 1536, 60], [1536, 576, 30], [576, 49152, 1]]
    rows = [1, 16, 64, 512] if settings.quick else [1, 8, 16, 32, 64, 512, 2048]
    asked = {"shapes": [s[:2] + [s[2] // 5 + 1] for s in shapes] if settings.quick else shapes, "rows": rows, "samples": 3 if settings.quick else 5}
    rounds, theirs = [], []
    for _ in range(settings.rounds):
        rounds.append(settings.ours("ops_bench", "products", "--samples", str(asked["samples"])))
        theirs.append(settings.peer("torch_products.py", asked))
    document = merged(rounds)
    document["notes"], document["peers"] = [], []
    theirs = [t for t in theirs if t]
    if theirs:
        document["peers"].append(theirs[0]["version"] + " (bf16 products)")
    else:
        missing(document, "LibTorch's products")
    for name, column, keys in (("products", "us_median", ("in", "out", "rows")), ("model products", "ms_median", ("rows",))):
        for row in table_named(document, name)["rows"]:
            values = [r[column] for t in theirs for r in t[name] if all(r[k] == row[k] for k in keys)]
            row["libtorch_" + column] = spread(values)["median"] if values else None
            row["vs_libtorch"] = spread(values)["median"] / row[column] if values else None
    document["tables"] += settings.ours("ops_bench", "linear", "attention", "sampling", "loss", "optimizer")["tables"]
    return document


def generation_of_llama(settings, gguf, sequences, new_tokens, chosen):
    """One speed for each count of sequences, with the setting that was fastest in the first round."""
    speeds = {}
    for count in sequences:
        if count not in chosen:
            chosen[count] = llama.best_setting(settings.llama, gguf, settings.threads, 64, min(new_tokens, 32), count)
        find.say(f"llama.cpp, {count} sequences, {chosen[count]}")
        speeds[count] = llama.measure(settings.llama, gguf, settings.threads, 64, new_tokens, count, chosen[count])[1]
    if "prompt" not in chosen:
        chosen["prompt"] = llama.best_setting(settings.llama, gguf, settings.threads, 512, 1, 1)
    speeds["prompt"] = llama.measure(settings.llama, gguf, settings.threads, 512, 1, 1, chosen["prompt"])[0]
    return speeds


def engine(settings):
    sequences, new_tokens = ([1, 8], 16) if settings.quick else ([1, 8, 16, 32, 64], 128)
    compared = [n for n in sequences if n in (8, 32)]
    gguf = find.gguf(settings.model) if settings.llama and settings.python else None
    rounds, llamas, generates, chosen = [], [], [], {}
    for _ in range(settings.rounds):
        rounds.append(settings.ours("engine_bench", "generation", "prompt", "--model", settings.model, "--sequences",
                                    ",".join(map(str, sequences)), "--new-tokens", str(new_tokens)))
        if gguf:
            llamas.append(generation_of_llama(settings, gguf, sequences, new_tokens, chosen))
        generates.append(settings.peer("transformers_generate.py", {"model": os.path.abspath(settings.model), "dtypes": ["bfloat16", "float32"],
                                                                    "sequences": compared, "new_tokens": new_tokens}))
    document = merged(rounds)
    document["notes"], document["peers"] = [], []
    generates = [g for g in generates if g]
    if llamas:
        document["peers"].append(find.llama_version(settings.llama) + " (bf16, flash attention)")
        document["notes"] += [f"llama.cpp, {what if what == 'prompt' else f'{what} sequences'}: its fastest setting was \"{setting}\"."
                              for what, setting in chosen.items()]
    else:
        missing(document, "llama.cpp")
    if generates:
        document["peers"].append(generates[0]["version"])
    else:
        missing(document, "transformers.generate")
    for row in table_named(document, "generation")["rows"]:
        add_generation_peers(document, row, [speeds[row["sequences"]] for speeds in llamas], generates)
    row = table_named(document, "prompt")["rows"][0]
    speeds = [s["prompt"] for s in llamas]
    row["llamacpp_tok_s"] = spread(speeds)["median"] if speeds else None
    row["prompt_vs_llamacpp"] = row["tok_s"] / spread(speeds)["median"] if speeds else None
    if speeds:
        busy_notes(document, "llama.cpp, prompt", speeds)
    document["tables"] += settings.ours("engine_bench", "curves", "--model", settings.model)["tables"]
    return document


def add_generation_peers(document, row, speeds, generates):
    row["llamacpp_tok_s"] = spread(speeds)["median"] if speeds else None
    row["generation_vs_llamacpp"] = row["tok_s"] / spread(speeds)["median"] if speeds else None
    if speeds:
        busy_notes(document, f"llama.cpp, {row['sequences']} sequences", speeds)
    best = None
    for dtype in ("bfloat16", "float32"):
        values = [r["tok_s"] for g in generates for r in g["rows"] if r["dtype"] == dtype and r["sequences"] == row["sequences"]]
        row[f"transformers_{dtype}_tok_s"] = spread(values)["median"] if values else None
        if values:
            busy_notes(document, f"transformers {dtype}, {row['sequences']} sequences", values)
            best = max(best or 0, spread(values)["median"])
    row["generation_vs_transformers"] = row["tok_s"] / best if best else None


def model_without_end(settings):
    """The model's folder with an end token that it never writes, so that every completion has all its tokens."""
    folder = os.path.join(settings.output, "model_without_end")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(settings.model):
        target = os.path.join(folder, name)
        if os.path.lexists(target):
            os.remove(target)
        if name in ("config.json", "generation_config.json", "tokenizer_config.json"):
            fields = json.load(open(os.path.join(settings.model, name)))
            fields["eos_token" if name == "tokenizer_config.json" else "eos_token_id"] = \
                "<empty_output>" if name == "tokenizer_config.json" else 16
            json.dump(fields, open(target, "w"), indent=1)
        else:
            os.symlink(os.path.realpath(os.path.join(settings.model, name)), target)
    return folder


def timed(command, log):
    """Runs a program to its end: seconds, and its own peak of memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=open(log, "a"), stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {' '.join(command[:3])} failed; see {log}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def our_step(settings, words):
    """Seconds of each step and peak memory of one `ponder train`."""
    find.say("ponder train tests/bench/grpo_step.toml")
    folder, log = os.path.join(settings.output, "grpo_step"), os.path.join(settings.output, "grpo_step.log")
    ponder = os.path.join(settings.build, "ponder")
    config = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grpo_step.toml")
    words = [w for word in [*words, f"run.output_dir={folder}"] for w in ("--set", word)]
    plan = subprocess.run([ponder, "check", config, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    planned = re.search(r"at most\s+([\d.]+) MB", plan)
    _, peak_mb = timed([ponder, "train", config, *words], log)
    steps = [json.loads(line) for line in open(os.path.join(folder, "metrics.jsonl"))]
    steps = [s for s in steps if "timing/step_seconds" in s]
    shutil.rmtree(folder)  # half a gigabyte of weights
    return steps, peak_mb, float(planned.group(1)) if planned else None


def step(settings):
    document = settings.ours("step_bench", "pass", "loss-memory", "--model", settings.model)
    document["notes"], document["peers"] = [], []
    prompts, samples, new_tokens, steps = (2, 2, 8, 1) if settings.quick else (8, 8, 128, 2)
    model = model_without_end(settings)
    data = os.path.join(settings.output, "prompts.jsonl")
    with open(data, "w") as out:
        out.writelines(open("configs/data/gsm8k/train.jsonl").readlines()[:prompts * steps])
    words = [f"run.steps={steps}", f"model.path={model}", f"data.train={data}", f"rollout.prompts_per_step={prompts}",
             f"rollout.samples_per_prompt={samples}", f"rollout.max_new_tokens={new_tokens}"]
    ours, theirs = [our_step(settings, words)], {}
    for dtype in ("bfloat16", "float32"):
        asked = {"model": model, "prompts": data, "dtype": dtype, "steps": steps, "prompts_per_step": prompts, "samples": samples,
                 "new_tokens": new_tokens, "rows": min(8, prompts * samples)}
        theirs[dtype] = settings.peer("trl_step.py", asked)
        ours.append(our_step(settings, words))
    add_step_table(document, ours, {k: v for k, v in theirs.items() if v}, prompts * samples, new_tokens)
    add_start_table(document, settings)
    return document


def add_step_table(document, ours, theirs, completions, new_tokens):
    lines = [line for steps, _, _ in ours for line in steps]
    seconds, peak = spread([line["timing/step_seconds"] for line in lines]), max(mb for _, mb, _ in ours)
    planned = ours[0][2]
    if any(line["completions/mean_length"] != new_tokens for line in lines):
        sys.exit("bench: a completion of Ponder's step ended early; the work would not be equal.")
    table = {"name": "grpo step", "keys": 2, "rows": [],
             "note": f"SmolLM2-135M, GSM8K, {completions} completions of {new_tokens} tokens, one update, no KL; the folder that both read names "
                     "an end token that the model does not write, so no completion ends early; peak: resident memory of the process"}
    rollout, train = (spread([line["timing/" + part] for line in lines])["median"] for part in ("rollout_seconds", "train_seconds"))
    table["rows"].append({"tool": "ponder", "dtype": "bf16", "seconds": seconds["median"], "seconds_min": seconds["min"],
                          "seconds_max": seconds["max"], "rollout_seconds": rollout, "train_seconds": train, "peak_mb": peak,
                          "planned_mb": planned, "plan_difference": abs(planned - peak) / peak if planned else None})
    for dtype, row in theirs.items():
        if row["new_tokens"] != row["completions"] * new_tokens:
            document["notes"].append(f"TRL in {dtype} made {row['new_tokens']} tokens in {row['completions']} completions: not the same work.")
        table["rows"].append({"tool": row["version"], "dtype": dtype, "seconds": spread(row["seconds"])["median"],
                              "seconds_min": min(row["seconds"]), "seconds_max": max(row["seconds"]), "peak_mb": row["peak_mb"]})
    best = min(theirs.values(), key=lambda t: spread(t["seconds"])["median"], default=None)
    mine = table["rows"][0]
    mine["step_vs_trl"] = spread(best["seconds"])["median"] / mine["seconds"] if best else None
    mine["memory_vs_trl"] = peak / best["peak_mb"] if best else None
    if best:
        document["peers"].append(best["version"])
    else:
        missing(document, "TRL")
    busy_notes(document, "Ponder's step", [1 / line["timing/step_seconds"] for line in lines])
    document["tables"].append(table)


def add_start_table(document, settings):
    command = [os.path.join(settings.build, "ponder"), "sample", "--model", settings.model, "--prompt", "1+1=", "--max-new-tokens", "1"]
    seconds = [timed(command, os.path.join(settings.output, "start.log"))[0] for _ in range(settings.rounds)]
    document["tables"].append({"name": "start", "keys": 1, "note": "`ponder sample` of one token, from start to end, files in memory",
                               "rows": [{"model": "SmolLM2-135M", "seconds": spread(seconds)["median"], "seconds_min": min(seconds),
                                         "seconds_max": max(seconds)}]})


LEVELS = {"ops": ops, "engine": engine, "step": step}
