"""SmolLM2 upcycled: the same perplexity as the dense model where the construction says so, here and in transformers."""
import datetime
import json
import math
import os
import shutil
import subprocess
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM

from runs import PONDER, fail

DENSE = "models/smollm2-135m"
FOLDER, RESULT = sys.argv[1:]
PROBLEMS = 200
# What is made, and whether the construction says that the output is equal.
MADE = [("8 copies, 2 active", ["--experts", "8", "--active", "2"], True),
        ("4 slices, 4 copies of each, 4 active", ["--experts", "16", "--active", "4", "--granularity", "4"], True),
        ("4 slices, 4 copies of each, 2 active", ["--experts", "16", "--active", "2", "--granularity", "4"], False),
        ("qwen3_moe, 4 copies, 2 active", ["--experts", "4", "--active", "2", "--family", "qwen3_moe"], False)]
# Of a token's log-probability in float32, in nats: 30 layers whose sums are rounded in another order. The dense model here and in
# transformers, which differ by nothing else, are up to 8e-4 apart on these texts.
TOLERANCE = 3e-4
COMPARED = 50  # problems that transformers computes too, which takes minutes for each model


def write_texts():
    source = f"{FOLDER}/gsm8k.jsonl"
    with open("configs/data/gsm8k/test.jsonl") as problems, open(source, "w") as out:
        for row in [json.loads(line) for line in problems][:PROBLEMS]:
            out.write(json.dumps({"text": row["question"] + "\n" + row["answer"]}) + "\n")
    return source


def by_ponder(folder, source):
    start = time.perf_counter()
    done = subprocess.run([PONDER, "logprobs", "--model", folder, "--input", source], text=True, stdout=subprocess.PIPE, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [row["tokens"] for row in rows], [row["logprobs"][1:] for row in rows], time.perf_counter() - start


def by_transformers(folder, tokens):
    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    wrong = {key: sorted(names) for key, names in report.items() if names and key != "error_msgs"}
    if wrong:
        fail(f"{folder}: transformers reports {wrong}")
    logprobs = []
    for ids in tokens[:COMPARED]:
        row = torch.tensor([ids])
        with torch.no_grad():
            scores = model(row).logits[0, :-1].log_softmax(-1)
        logprobs.append(scores.gather(1, row[0, 1:, None])[:, 0].tolist())
    return type(model).__name__, logprobs


def flat(rows):
    return [x for row in rows for x in row]


def perplexity(rows):
    return math.exp(-sum(flat(rows)) / len(flat(rows)))


def largest(a, b):
    """Over the rows that both have."""
    return max(abs(x - y) for left, right in zip(a, b) for x, y in zip(left, right, strict=True))


def row(name, kind, ours, theirs, dense, seconds):
    return (f"| {name} | {kind} | {perplexity(ours):.6f} | {perplexity(ours[:COMPARED]):.6f} | {perplexity(theirs):.6f} | "
            f"{largest(ours, dense):.1e} | {largest(ours, theirs):.1e} | {len(flat(ours)) / seconds:.0f} |")


torch.set_num_threads(os.cpu_count())
source = write_texts()
tokens, dense, seconds = by_ponder(DENSE, source)
kind, theirs = by_transformers(DENSE, tokens)
if largest(dense, theirs) > 1e-3:
    fail(f"dense: {largest(dense, theirs)} from transformers")
rows = [row("dense", kind, dense, theirs, dense, seconds)]
print(rows[-1], flush=True)
for name, settings, equal in MADE:
    out = f"{FOLDER}/made"
    said = subprocess.run([PONDER, "upcycle", DENSE, out, *settings], text=True, stdout=subprocess.PIPE, check=True).stdout
    if equal != ("Its output is the dense model's, up to rounding." in said):
        fail(f"{name}: upcycle said {said!r}")
    _, ours, seconds = by_ponder(out, source)
    kind, theirs = by_transformers(out, tokens)
    rows.append(row(name, kind, ours, theirs, dense, seconds))
    print(rows[-1], flush=True)
    if equal and (largest(ours, dense) > TOLERANCE or abs(perplexity(ours) / perplexity(dense) - 1) > 1e-6):
        fail(f"{name}: not the dense model's log-probabilities")
    if largest(ours, theirs) > 1e-3 or abs(perplexity(ours[:COMPARED]) / perplexity(theirs) - 1) > 2e-5:
        fail(f"{name}: Ponder and transformers disagree")
    if not equal and perplexity(ours) < 1.01 * perplexity(dense):
        fail(f"{name}: said to differ, but has the dense model's perplexity")
    shutil.rmtree(out)
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
with open(RESULT, "w") as result:
    result.write(
        f"# SmolLM2 upcycled\n\n`bash tests/end_to_end/long/upcycle.sh`; {datetime.date.today()}, commit {commit}, transformers "
        f"{transformers.__version__}, torch {torch.__version__}. `ponder upcycle models/smollm2-135m OUT`, the first {PROBLEMS} problems of "
        f"GSM8K's test set with their solutions ({len(flat(dense)):,} tokens scored), float32. Perplexity by `ponder logprobs`, and by both on the same ids of the first "
        f"{COMPARED}; largest differences of one token's log-probability, in nats. The last two rows are those that the command says "
        "differ from the dense model.\n\n"
        f"| model | loaded by transformers as | perplexity | of {COMPARED} | of {COMPARED}, by transformers | from the dense model | from transformers | tokens a second |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n" + "\n".join(rows) + "\n")
