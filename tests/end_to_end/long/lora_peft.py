"""Adapters of some steps of SFT, loaded by PEFT onto their base: float32 log-probabilities close, same next token."""
import json
import os
import subprocess
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from runs import PONDER, fail, train

HERE = os.path.dirname(__file__)
TINY, CONFIG = os.path.join(HERE, "..", "tiny.toml"), os.path.join(HERE, "..", "lora.toml")
GQA = ["model.attention=gqa", "model.key_heads=1", "model.head_size=32"]
FAMILIES = {
    "llama": GQA + ["model.experts=0", "model.active_experts=0", "model.expert_width=0", "model.shared_experts=0",
                    "model.router=softmax", "model.dense_width=96", "moe.bias_update_rate=0"],
    "qwen3_moe": GQA + ["model.query_key_norm=true", "model.shared_experts=0", "model.router=softmax", "moe.bias_update_rate=0"],
    "deepseek_v3": [],
}
TINY_TEXTS = ["1+2=3;<eos>", "7+8=15;<eos>", "0123456789+=;0+0=0;9+9=8"]
SMOLLM2 = "models/smollm2-135m"
SMOLLM2_TEXTS = ["Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.",
                 "The quick brown fox jumps over the lazy dog. 17 * 23 = 391."]
SMOLLM2_SETTINGS = ["data.train=configs/data/gsm8k/train.jsonl", "data.completion_key=answer", "data.eval=",
                    'data.allow_contamination=["gsm8k/test"]', "template.style=chatml", "data.max_prompt_tokens=256",
                    "stage.warm.sequences_per_step=4", "run.threads=0", "model.lora_rank=8"]


def ponder_scores(adapter, texts):
    path = f"{adapter}/texts.jsonl"
    with open(path, "w") as out:
        out.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run([PONDER, "logprobs", "--model", adapter, "--input", path, "--top", "1"], text=True, stdout=subprocess.PIPE,
                          check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(name, base, adapter, texts):
    tokenizer = AutoTokenizer.from_pretrained(adapter)
    load = lambda: AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager",
                                                        experts_implementation="eager")
    plain, adapted = load(), PeftModel.from_pretrained(load(), adapter)
    adapted.eval()
    differences, moved, same = [], [], 0
    for text, ours in zip(texts, ponder_scores(adapter, texts), strict=True):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if ids != ours["tokens"]:
            fail(f"{name}: ids of {text!r}: transformers {ids}, Ponder {ours['tokens']}")
        with torch.no_grad():
            theirs = adapted(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
            before = plain(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        for row, old, target, logprob, best in zip(theirs, before, ids[1:], ours["logprobs"][1:], ours["top"][1:], strict=True):
            differences.append(abs(row[target].item() - logprob))
            moved.append(abs(old[target].item() - logprob))
            same += row.argmax().item() == best[0][0]
    count = len(differences)
    print(f"  {name}: {count} positions, largest |difference| {max(differences):.2e} (the base's: {max(moved):.2e}), same next token "
          f"{same} of {count}", flush=True)
    if max(differences) > 1e-4 or max(moved) < 0.02 or same != count:
        fail(f"{name}: PEFT and Ponder disagree, or the adapter does nothing")


def main(temporary):
    for name, settings in FAMILIES.items():
        base, adapter = os.path.join(temporary, name), os.path.join(temporary, name + "-lora")
        train(TINY, base, *settings, "stage.cold-start.steps=4", "stage.grpo.steps=1")
        train(CONFIG, adapter, f"model.path={base}/final", "stage.grpo.steps=1", "model.compute_dtype=float32")
        compare(name, f"{base}/final", f"{adapter}/final", TINY_TEXTS)
    if not os.path.isdir(SMOLLM2):
        print(f"  left out: {SMOLLM2} is not here")
        return
    adapter = os.path.join(temporary, "smollm2-lora")
    train(CONFIG, adapter, f"model.path={SMOLLM2}", *SMOLLM2_SETTINGS, "stage.warm.steps=4", "stage.grpo.steps=1",
          "rollout.prompts_per_step=1", "rollout.samples_per_prompt=2", "rollout.max_new_tokens=8")
    compare("SmolLM2-135M", SMOLLM2, f"{adapter}/final", SMOLLM2_TEXTS)


main(sys.argv[1])
