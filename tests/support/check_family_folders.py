"""Loads in transformers what Ponder writes for every family, and compares logits and settings with the originals.

    PONDER_FAMILY_FOLDERS=OUT build/release/tests/model_test [family_folders]
    python check_family_folders.py OUT tests/model/families/golden

Needs torch, transformers, safetensors. Last run with transformers 5.23.0 and torch 2.11.0.
"""
import logging, os, sys

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

written, golden = sys.argv[1:]
# What we do not train with, and keys that only older readers know.
IGNORED = {"router_aux_loss_coef", "router_jitter_noise", "transformers_version", "_name_or_path", "rope_scaling", "rope_theta",
           "max_window_layers", "topk_method", "scoring_func", "moe_layer_freq", "head_dim", "n_group", "topk_group", "layer_types"}
for case in sorted(os.listdir(golden)):
    folder = os.path.join(written, case)
    values = load_file(os.path.join(golden, case, "golden.safetensors"))
    model, loading = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                          experts_implementation="eager", output_loading_info=True)
    problems = {k: v for k, v in loading.items() if v and k != "error_msgs"}
    worst = 0.0
    with torch.no_grad():
        for k in range(3):
            wanted = values[f"logits.{k}"]
            got = model.eval()(values[f"tokens.{k}"].long()[None]).logits[0]
            worst = max(worst, ((got - wanted).abs().max() / wanted.abs().max()).item())
    a, b = (AutoConfig.from_pretrained(f).to_dict() for f in (os.path.join(golden, case), folder))
    differing = {k: (a[k], b.get(k)) for k in a if k not in IGNORED and a[k] != b.get(k)}
    print(f"{case}: relative difference {worst:.1e}", problems or "", differing or "")
    assert worst < 1e-6 and not problems, case
print("all load")
