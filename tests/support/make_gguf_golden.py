#!/usr/bin/env python3
"""Makes the golden files of the GGUF and safetensors tests with the PyPI libraries `gguf` and `safetensors`.

    pip install gguf safetensors numpy   (in an environment of its own)
    make_gguf_golden.py                  (writes tests/model/golden/*)
"""
import json
import os

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, dequantize, quantize
from safetensors import safe_open
from safetensors.numpy import save_file

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model", "golden")
RNG = np.random.default_rng(11)


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h:016x}"


def q6_k(rows, columns):
    """Random blocks; the library has no quantiser for this type."""
    blocks = RNG.integers(0, 256, (rows, columns // 256, 210), dtype=np.uint8)
    blocks[:, :, 208:] = np.frombuffer(np.float16(0.0003).tobytes(), dtype=np.uint8)
    return blocks.reshape(rows, -1)


def dequantisation():
    cases = []
    for kind in [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q6_K]:
        data = q6_k(1, 256) if kind == Type.Q6_K else quantize(RNG.normal(0, 2, (1, 64)).astype(np.float32), kind)
        raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
        values = dequantize(data, kind).astype(np.float32).reshape(-1)
        cases.append({"name": kind.name, "type": int(kind), "bytes": raw.tobytes().hex(),
                      "values": values.view(np.uint32).tolist()})
    # Halves that are denormal, infinite or signed zero.
    halves = np.array([0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0xFC00, 0x7C00], dtype=np.uint16)
    cases.append({"name": "F16 limits", "type": 1, "bytes": halves.tobytes().hex(),
                  "values": halves.view(np.float16).astype(np.float32).view(np.uint32).tolist()})
    with open(os.path.join(GOLDEN, "dequantized.json"), "w") as f:
        json.dump(cases, f)
        f.write("\n")


def permute(w, heads):
    """What the converters do to q and k; the import undoes it."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def tiny_gguf():
    """One llama layer, width 32, 4 heads of 8 over 2 key heads, feed-forward 256, every tensor type."""
    with open(os.path.join(GOLDEN, "small_tokenizer.json"), encoding="utf-8") as f:
        small = json.load(f)["model"]
    vocabulary = sorted(small["vocab"], key=small["vocab"].get)[:280]  # 3 special, 256 bytes, 21 merged
    merges = [" ".join(m) for m in small["merges"][:21]]
    writer = GGUFWriter(os.path.join(GOLDEN, "tiny.gguf"), "llama")
    writer.add_name("Tiny test model")
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(256)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(8)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(vocabulary)
    writer.add_token_types([3, 3, 3] + [1] * 277)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_chat_template("{{ messages }}")
    expected = {}

    def add(name, hf_name, shape, kind, heads=0):
        w = RNG.normal(0, 0.1, shape).astype(np.float32)
        data = q6_k(*shape) if kind == Type.Q6_K else quantize(permute(w, heads) if heads else w, kind)
        writer.add_tensor(name, data, raw_dtype=kind)
        values = dequantize(data, kind).astype(np.float32).reshape(shape)
        if heads:  # the inverse of permute()
            values = values.reshape(heads, shape[0] // heads // 2, 2, shape[1]).swapaxes(1, 2).reshape(shape)
            assert np.abs(values - w).max() < 0.05
        values = np.ascontiguousarray(values)
        expected[hf_name] = {"shape": list(shape), "fnv": fnv(values.tobytes()), "first": float(values.reshape(-1)[0])}

    layer = "model.layers.0."
    add("token_embd.weight", "model.embed_tokens.weight", (280, 32), Type.Q8_0)
    add("blk.0.attn_norm.weight", layer + "input_layernorm.weight", (32,), Type.F32)
    add("blk.0.attn_q.weight", layer + "self_attn.q_proj.weight", (32, 32), Type.Q4_1, heads=4)
    add("blk.0.attn_k.weight", layer + "self_attn.k_proj.weight", (16, 32), Type.F16, heads=2)
    add("blk.0.attn_v.weight", layer + "self_attn.v_proj.weight", (16, 32), Type.BF16)
    add("blk.0.attn_output.weight", layer + "self_attn.o_proj.weight", (32, 32), Type.Q4_0)
    add("blk.0.ffn_norm.weight", layer + "post_attention_layernorm.weight", (32,), Type.F32)
    add("blk.0.ffn_gate.weight", layer + "mlp.gate_proj.weight", (256, 32), Type.Q4_1)
    add("blk.0.ffn_up.weight", layer + "mlp.up_proj.weight", (256, 32), Type.Q4_0)
    add("blk.0.ffn_down.weight", layer + "mlp.down_proj.weight", (32, 256), Type.Q6_K)
    add("output_norm.weight", "model.norm.weight", (32,), Type.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open(os.path.join(GOLDEN, "tiny_gguf.json"), "w") as f:
        json.dump(expected, f, indent=1)
        f.write("\n")


def small_safetensors():
    save_file({"a": np.arange(6, dtype=np.float32).reshape(2, 3) / 4, "half": np.array([1.5, -2.0, 65504.0], dtype=np.float16),
               "double": np.array([0.1], dtype=np.float64), "ints": np.array([[-7], [8]], dtype=np.int64),
               "empty": np.zeros((0, 4), dtype=np.float32), "bytes": np.array([255, 0, 1], dtype=np.uint8)},
              os.path.join(GOLDEN, "by_library.safetensors"), metadata={"who": "the library"})
    ours = os.path.join(GOLDEN, "by_ponder.safetensors")  # what write_safetensors writes in the test
    if os.path.exists(ours):
        with safe_open(ours, framework="numpy") as f:
            assert f.metadata() == {"format": "pt", "step": "3"}, f.metadata()
            assert f.get_tensor("x").tolist() == [[0.5, 1.5, -2.0]] and f.get_tensor("n").tolist() == [1, -2]
            assert f.get_slice("b").get_dtype() == "BF16" and f.get_slice("b").get_shape() == [2]
        print("the library reads what write_safetensors wrote")


if __name__ == "__main__":
    dequantisation()
    tiny_gguf()
    small_safetensors()
