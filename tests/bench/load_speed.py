#!/usr/bin/env python3
"""How fast a checkpoint of 1 GB loads: Ponder's reader and packer, memcpy, and safetensors' own loader, in turn.

    load_speed.py [--build build/release] [--folder DIR] [--rounds 7]

Needs a Python with torch and safetensors. DIR (default: a temporary one) gets two random llama folders, 1 GB in bf16 and
2 GB in float32; build the program load_bench first. Results are kept in tests/results/load_speed.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

import safetensors
import torch
from safetensors.torch import load_file, save_file

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32000, "hidden_size": 2048,
          "intermediate_size": 5632, "num_hidden_layers": 9, "num_attention_heads": 32, "num_key_value_heads": 8,
          "head_dim": 64, "hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
          "tie_word_embeddings": False, "eos_token_id": 2, "bos_token_id": 1}


def shapes():
    width, key, ff = CONFIG["hidden_size"], CONFIG["num_key_value_heads"] * CONFIG["head_dim"], CONFIG["intermediate_size"]
    yield "model.embed_tokens.weight", (CONFIG["vocab_size"], width)
    for i in range(CONFIG["num_hidden_layers"]):
        at = f"model.layers.{i}."
        yield from ((at + name + ".weight", (width,)) for name in ("input_layernorm", "post_attention_layernorm"))
        for name, shape in (("q", (width, width)), ("k", (key, width)), ("v", (key, width)), ("o", (width, width))):
            yield f"{at}self_attn.{name}_proj.weight", shape
        for name, shape in (("gate", (ff, width)), ("up", (ff, width)), ("down", (width, ff))):
            yield f"{at}mlp.{name}_proj.weight", shape
    yield "model.norm.weight", (width,)
    yield "lm_head.weight", (CONFIG["vocab_size"], width)


def make(folder, dtype):
    if os.path.exists(os.path.join(folder, "config.json")):
        return
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(1)
    save_file({name: torch.randn(shape).to(dtype) for name, shape in shapes()}, os.path.join(folder, "model.safetensors"))
    with open(os.path.join(folder, "config.json"), "w") as out:
        json.dump(CONFIG, out)


def library(folder, rounds):
    """GB/s of load_file and a copy of each tensor: load_file alone only maps."""
    file = os.path.join(folder, "model.safetensors")
    rates = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        tensors = {name: tensor.clone() for name, tensor in load_file(file).items()}
        rates.append(os.path.getsize(file) / (time.perf_counter() - start) * 1e-9)
        del tensors
    return rates[1:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--folder")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name, dtype in (("bf16", torch.bfloat16), ("float32", torch.float32)):
            folder = os.path.join(arguments.folder or temporary, name)
            make(folder, dtype)
            program = os.path.join(arguments.build, "bench", "load_bench")
            print(subprocess.run([program, folder, "--rounds", str(arguments.rounds)], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout, end="")
            rates = library(folder, arguments.rounds)
            what = f"  safetensors {safetensors.__version__}, load and copy".ljust(41)
            print(f"{what}{statistics.median(rates):6.2f} ({min(rates):.2f} to {max(rates):.2f}), "
                  f"{torch.get_num_threads()} threads of torch")


if __name__ == "__main__":
    main()
