"""transformers.generate, greedy, no end token: the decode phase's tokens a second.
Reads {"model", "dtypes", "sequences", "new_tokens"} from stdin and prints JSON."""

import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig


def seconds(model, sequences, new_tokens):
    ids = torch.randint(0, model.config.vocab_size, (sequences, 64))
    settings = GenerationConfig(
        do_sample=False, max_new_tokens=new_tokens, min_new_tokens=None, eos_token_id=None, pad_token_id=0
    )
    start = time.perf_counter()
    out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=settings)
    if out.shape[1] != 64 + new_tokens:
        sys.exit(f"generate gave {out.shape[1] - 64} tokens instead of {new_tokens}")
    return time.perf_counter() - start


asked = json.load(sys.stdin)
rows = []
with torch.inference_mode():
    for dtype in asked["dtypes"]:
        model = AutoModelForCausalLM.from_pretrained(
            asked["model"], dtype=getattr(torch, dtype), attn_implementation="sdpa"
        ).eval()
        model.generation_config.eos_token_id = None
        seconds(model, 1, 4)
        for sequences in asked["sequences"]:
            prompt = seconds(model, sequences, 1)
            decode = seconds(model, sequences, asked["new_tokens"] + 1) - prompt
            rows.append({"dtype": dtype, "sequences": sequences, "tok_s": sequences * asked["new_tokens"] / decode})
print(json.dumps({"version": f"transformers {transformers.__version__}, torch {torch.__version__}", "rows": rows}))
