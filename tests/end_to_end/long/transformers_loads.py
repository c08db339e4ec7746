"""Born models, one SFT step each, against transformers: ids equal, float32 log-probabilities close, same next token."""
import json
import os
import subprocess
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

from runs import PONDER, fail, train

CONFIG = os.path.join(os.path.dirname(__file__), "..", "tiny.toml")
GQA = ["model.attention=gqa", "model.key_heads=1", "model.head_size=32"]
FAMILIES = {
    "llama": GQA + ["model.experts=0", "model.active_experts=0", "model.expert_width=0", "model.shared_experts=0",
                    "model.router=softmax", "model.dense_width=96", "moe.bias_update_rate=0"],
    "qwen3_moe": GQA + ["model.query_key_norm=true", "model.shared_experts=0", "model.router=softmax", "moe.bias_update_rate=0"],
    "deepseek_v3": [],
}
TEXTS = ["1+2=<think>1+2=3</think><answer>3</answer><eos>", "7+8=<think></think><answer>5</answer><eos>", "0123456789+=;0+0=0;9+9=8",
         "5+5=<think>5+5=0</think><answer>0</answer><eos>4+4=<think>4+4=8</think><answer>8</answer><eos>"]


def ponder_scores(folder):
    texts = f"{folder}/texts.jsonl"
    with open(texts, "w") as out:
        out.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
    done = subprocess.run([PONDER, "logprobs", "--model", folder, "--input", texts, "--top", "1"], text=True, stdout=subprocess.PIPE,
                          check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(family, folder):
    config = json.load(open(f"{folder}/config.json"))
    if config["model_type"] != family:
        fail(f"{family}: saved as {config['model_type']}")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    wrong = {key: sorted(names) for key, names in report.items() if names and key != "error_msgs"}
    if wrong:
        fail(f"{family}: transformers reports {wrong}")
    differences, same, total = [], 0, 0.0
    for text, ours in zip(TEXTS, ponder_scores(folder), strict=True):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if ids != ours["tokens"]:
            fail(f"{family}: ids of {text!r}: transformers {ids}, Ponder {ours['tokens']}")
        if tokenizer.decode(ids, skip_special_tokens=False) != text:
            fail(f"{family}: {text!r} decodes as {tokenizer.decode(ids)!r}")
        with torch.no_grad():
            theirs = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        for row, target, logprob, best in zip(theirs, ids[1:], ours["logprobs"][1:], ours["top"][1:], strict=True):
            differences.append(abs(row[target].item() - logprob))
            same += row.argmax().item() == best[0][0]
            total += logprob
    count = len(differences)
    mean, largest = sum(differences) / count, max(differences)
    print(f"  {family}: {count} positions, mean |difference| {mean:.2e}, largest {largest:.2e}, same next token {same} of {count}, "
          f"mean log-probability {total / count:.3f}", flush=True)
    if mean > 1e-5 or largest > 1e-4 or same != count:
        fail(f"{family}: Ponder and transformers disagree")


print(f"  transformers {transformers.__version__}, torch {torch.__version__}")
for family, settings in FAMILIES.items():
    folder = os.path.join(sys.argv[1], family)
    train(CONFIG, folder, "stage.cold-start.steps=1", "run.steps=1", "eval.every_steps=0", *settings)
    compare(family, f"{folder}/final")
