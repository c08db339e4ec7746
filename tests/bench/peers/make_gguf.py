"""A llama-family folder as a bf16 GGUF file for llama.cpp. Usage: make_gguf.py MODEL_FOLDER FILE.gguf"""

import json
import os
import sys

import gguf
import numpy
from gguf.quants import quantize
from safetensors import safe_open

NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def their_name(name):
    stem = name.removesuffix(".weight")
    if stem in NAMES:
        return NAMES[stem] + ".weight"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{LAYER[part]}.weight"


def pairs_together(x, heads):
    """llama.cpp turns neighbouring elements, Hugging Face the two halves of a head."""
    return x.reshape(heads, 2, x.shape[0] // heads // 2, x.shape[1]).swapaxes(1, 2).reshape(x.shape)


def write(folder, file):
    config = json.load(open(os.path.join(folder, "config.json")))
    tokenizer = json.load(open(os.path.join(folder, "tokenizer.json")))
    out = gguf.GGUFWriter(file, "llama")
    heads, key_heads = config["num_attention_heads"], config["num_key_value_heads"]
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(heads)
    out.add_head_count_kv(key_heads)
    out.add_rope_dimension_count(config["hidden_size"] // heads)
    out.add_rope_freq_base(config["rope_theta"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_vocab_size(config["vocab_size"])
    out.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    vocab = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("smollm")
    out.add_token_list(vocab)
    out.add_token_types([gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in vocab])
    out.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
    out.add_bos_token_id(config["bos_token_id"])
    out.add_eos_token_id(config["eos_token_id"])
    with safe_open(os.path.join(folder, "model.safetensors"), "numpy") as weights:
        for name in weights.keys():
            x = weights.get_tensor(name).astype(numpy.float32)
            if "q_proj" in name or "k_proj" in name:
                x = pairs_together(x, heads if "q_proj" in name else key_heads)
            if x.ndim == 1:
                out.add_tensor(their_name(name), x)
            else:
                packed = quantize(x, gguf.GGMLQuantizationType.BF16)
                out.add_tensor(their_name(name), packed, raw_dtype=gguf.GGMLQuantizationType.BF16)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


write(*sys.argv[1:])
