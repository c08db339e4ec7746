#!/usr/bin/env python3
"""Makes the golden files of the GGUF and safetensors tests with the PyPI libraries `gguf` and `safetensors`.

    pip install gguf==0.19.0 safetensors numpy tokenizers==0.23.3 transformers==5.23.0   (in an environment of its own)
    make_gguf_golden.py                  (writes tests/model/golden/*)
"""
import json
import os

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, dequantize, quantize
from gguf.constants import GGML_QUANT_SIZES
from safetensors import safe_open
from safetensors.numpy import save_file

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model", "golden")
RNG = np.random.default_rng(11)
K_TYPES = [Type.Q4_K, Type.Q5_K, Type.Q6_K]  # the library has no quantisers for these


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h:016x}"


def save_json(name, value, **how):
    with open(os.path.join(GOLDEN, name), "w", encoding="utf-8") as f:
        json.dump(value, f, **how)
        f.write("\n")


# Where a block keeps its halves, by type: scale, and minimum if there is one.
HALVES = {Type.Q8_0: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q4_K: [0, 2],
          Type.Q5_K: [0, 2], Type.Q6_K: [208]}
# Zero, signed zero, denormals, the smallest normal, ordinary ones, the largest, infinite, not a number.
EXTREME = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x2E66, 0xBC00, 0x7BFF, 0xFBFF, 0x7C00, 0x7E00]


def random_blocks(kind, rows, columns, halves):
    """Any bits in the quants and group scales; the halves drawn from `halves`."""
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = RNG.integers(0, 256, (rows * columns // elements, size), dtype=np.uint8)
    for at in HALVES.get(kind, []):
        chosen = RNG.choice(np.array(halves, dtype=np.uint16), len(blocks))
        blocks[:, at:at + 2] = chosen.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


def dequantisation():
    """Random blocks of every type; what they stand for as a hash per block, every NaN as 0x7fc00000."""
    cases = []
    for kind in [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1] + K_TYPES:
        plain = kind in (Type.F32, Type.F16, Type.BF16)
        elements, size = (256, 256 * GGML_QUANT_SIZES[kind][1]) if plain else GGML_QUANT_SIZES[kind]
        data = random_blocks(kind, 1, 1024 if plain else 24 * elements if elements == 32 else 12 * elements, EXTREME)
        raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
        typed = {Type.F32: np.float32, Type.F16: np.float16}.get(kind, np.uint8)
        with np.errstate(all="ignore"):
            values = dequantize(raw.view(typed).reshape(1, -1), kind).astype(np.float32).reshape(-1)
        bits = np.where(np.isnan(values), np.uint32(0x7FC00000), values.view(np.uint32)).astype(np.uint32).reshape(-1, elements)
        cases.append({"name": kind.name, "type": int(kind), "bytes": raw.tobytes().hex(), "block_elements": elements,
                      "fnv": [fnv(block.tobytes()) for block in bits]})
    save_json("dequantized.json", cases, indent=0)


def permute(w, heads):
    """What the converters do to q and k of llama; the import undoes it."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


class Family:
    """A random GGUF file of one architecture, and hashes of the tensors that its import must give."""

    def __init__(self, name, architecture, heads=4, key_heads=2, head_size=8, width=32, layers=1):
        self.name, self.permuted = name, architecture == "llama"
        self.heads, self.key_heads, self.head_size, self.width, self.layers = heads, key_heads, head_size, width, layers
        self.expected = {}
        w = self.writer = GGUFWriter(os.path.join(GOLDEN, name + ".gguf"), architecture)
        w.add_block_count(layers)
        w.add_context_length(128)
        w.add_embedding_length(width)
        w.add_feed_forward_length(256)
        w.add_head_count(heads)
        w.add_head_count_kv(key_heads)
        w.add_layer_norm_rms_eps(1e-5)

    def add(self, name, hf_name, shape, kind, heads=0):
        w = RNG.normal(0, 0.1, shape).astype(np.float32)
        if kind in K_TYPES:
            data = random_blocks(kind, *shape, [0x0CEB, 0x8CEB])
        else:
            data = quantize(permute(w, heads) if heads else w, kind)
        self.writer.add_tensor(name, data, raw_dtype=kind)
        values = dequantize(data, kind).astype(np.float32).reshape(shape)
        if heads:  # the inverse of permute()
            values = values.reshape(heads, shape[0] // heads // 2, 2, *shape[1:]).swapaxes(1, 2).reshape(shape)
            assert np.abs(values - w).max() < 0.05
        values = np.ascontiguousarray(values)
        self.expected[hf_name] = {"shape": list(shape), "fnv": fnv(values.tobytes()), "first": float(values.reshape(-1)[0])}

    def layer(self, i, kinds, bias=False, norms=False):
        """kinds: of q, k, v, output, gate, up, down."""
        at, hf, width = f"blk.{i}.", f"model.layers.{i}.", self.width
        q, k = self.heads * self.head_size, self.key_heads * self.head_size
        heads = {"q": self.heads, "k": self.key_heads} if self.permuted else {}
        self.add(at + "attn_norm.weight", hf + "input_layernorm.weight", (width,), Type.F32)
        for part, rows, kind in zip("qkv", (q, k, k), kinds):
            self.add(f"{at}attn_{part}.weight", f"{hf}self_attn.{part}_proj.weight", (rows, width), kind, heads.get(part, 0))
            if bias:
                self.add(f"{at}attn_{part}.bias", f"{hf}self_attn.{part}_proj.bias", (rows,), Type.F32, heads.get(part, 0))
        if norms:
            for part in "qk":
                self.add(f"{at}attn_{part}_norm.weight", f"{hf}self_attn.{part}_norm.weight", (self.head_size,), Type.F32)
        self.add(at + "attn_output.weight", hf + "self_attn.o_proj.weight", (width, q), kinds[3])
        self.add(at + "ffn_norm.weight", hf + "post_attention_layernorm.weight", (width,), Type.F32)
        self.add(at + "ffn_gate.weight", hf + "mlp.gate_proj.weight", (256, width), kinds[4])
        self.add(at + "ffn_up.weight", hf + "mlp.up_proj.weight", (256, width), kinds[5])
        self.add(at + "ffn_down.weight", hf + "mlp.down_proj.weight", (width, 256), kinds[6])

    def byte_pairs(self, pre, count=280):
        with open(os.path.join(GOLDEN, "small_tokenizer.json"), encoding="utf-8") as f:
            small = json.load(f)["model"]
        vocabulary = sorted(small["vocab"], key=small["vocab"].get)[:count]  # 3 special, 256 bytes, then merged ones
        w = self.writer
        w.add_tokenizer_model("gpt2")
        w.add_tokenizer_pre(pre)
        w.add_token_list(vocabulary)
        w.add_token_types([3, 3, 3] + [1] * (count - 3))
        w.add_token_merges([" ".join(m) for m in small["merges"][:count - 259]])
        w.add_bos_token_id(1)
        w.add_eos_token_id(2)
        w.add_pad_token_id(0)

    def finish(self):
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()
        save_json(self.name + "_gguf.json", self.expected, indent=1)


def tiny_llama():
    """One layer, width 32, 4 heads of 8 over 2 key heads, feed-forward 256, tied; seven tensor types."""
    f = Family("tiny", "llama")
    f.writer.add_name("Tiny test model")
    f.writer.add_rope_freq_base(10000.0)
    f.writer.add_rope_dimension_count(8)
    f.byte_pairs("smollm")
    f.writer.add_chat_template("{{ messages }}")
    f.add("token_embd.weight", "model.embed_tokens.weight", (280, 32), Type.Q8_0)
    f.layer(0, [Type.Q4_1, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q4_0, Type.Q6_K])
    f.add("output_norm.weight", "model.norm.weight", (32,), Type.F32)
    f.finish()


def tiny_qwen2():
    """Two layers, biases of q, k and v, untied, the last 4 rows of the embedding are padding."""
    f = Family("tiny_qwen2", "qwen2", layers=2)
    f.writer.add_rope_freq_base(1e6)
    f.byte_pairs("qwen2", 276)
    tokens = f.writer.kv_data[0]["tokenizer.ggml.tokens"]
    tokens.value = tokens.value + [f"[PAD{i}]" for i in range(276, 280)]
    f.writer.kv_data[0]["tokenizer.ggml.token_type"].value += [5] * 4
    f.add("token_embd.weight", "model.embed_tokens.weight", (280, 32), Type.Q5_0)
    for i in range(2):
        f.layer(i, [Type.Q5_1, Type.Q5_0, Type.Q8_0, Type.Q5_1, Type.Q5_0, Type.Q8_0, [Type.Q4_K, Type.Q5_K][i]], bias=True)
    f.add("output_norm.weight", "model.norm.weight", (32,), Type.F32)
    f.add("output.weight", "lm_head.weight", (280, 32), Type.Q5_1)
    f.finish()


def tiny_qwen3():
    """Norms of q and k, heads of 16 where width / heads is 8, tied."""
    f = Family("tiny_qwen3", "qwen3", head_size=16)
    f.writer.add_key_length(16)
    f.writer.add_value_length(16)
    f.writer.add_rope_freq_base(1e6)
    f.byte_pairs("qwen2")
    f.add("token_embd.weight", "model.embed_tokens.weight", (280, 32), Type.Q4_0)
    f.layer(0, [Type.Q8_0, Type.BF16, Type.Q4_1, Type.Q8_0, Type.Q5_1, Type.Q4_0, Type.Q5_K], norms=True)
    f.add("output_norm.weight", "model.norm.weight", (32,), Type.F32)
    f.finish()


TEXTS = ["the cats", " the  cat's hat\n", "", " ", "caf\u00e9 12, \U0001f999", "<s>the</s> hat", "cats\u2581hats",
         "a tool here", "tHe\tTHE", "\u0435\u0436"]


def sentencepiece_pieces():
    """Pieces as a SentencePiece BPE trainer numbers them: special, bytes, merged by rank, characters."""
    words = "\u2581the \u2581cat \u2581cats \u2581hat \u2581hats \u2581that \u2581a \u2581at s the ha t\u2581".split()
    merged = []
    for word in words:
        for size in range(2, len(word) + 1):
            if word[:size] not in merged:
                merged.append(word[:size])
    merged += ["at", "ats", "he", "\u2581\u2581"]
    characters = sorted({c for piece in merged for c in piece})
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    pieces += [(f"<0x{i:02X}>", 0.0, 6) for i in range(256)]
    pieces += [(piece, -float(i // 2), 1) for i, piece in enumerate(merged)]  # pairs of equal scores
    pieces += [(c, -float(len(merged) + i), 1) for i, c in enumerate(characters)] + [("<tool>", 0.0, 4)]
    return pieces


def sentencepiece_golden(pieces):
    """The tokenizer that transformers' converter would make of these pieces, and its ids."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers.convert_slow_tokenizer import generate_merges
    vocabulary = {piece: i for i, (piece, _, _) in enumerate(pieces)}
    merges = generate_merges(vocabulary, [(piece, score) for piece, score, _ in pieces])
    t = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    t.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                   decoders.Strip(" ", 1, 0)])
    for piece, _, kind in pieces:
        if kind in (2, 3, 4):
            t.add_tokens([AddedToken(piece, normalized=False, special=kind != 4)])
    texts = [{"text": text, "ids": t.encode(text, add_special_tokens=False).ids} for text in TEXTS + ["<tool> the"]]
    for case in texts:
        case["decoded"] = t.decode(case["ids"], skip_special_tokens=False)
    return {"merges": [list(m) for m in merges], "texts": texts}


def tiny_mistral():
    """Architecture llama with a SentencePiece tokenizer, Llama 3's rope divisors, and Q4_K."""
    f = Family("tiny_mistral", "llama")
    pieces = sentencepiece_pieces()
    w = f.writer
    w.add_rope_freq_base(500000.0)
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list([piece for piece, _, _ in pieces])
    w.add_token_scores([score for _, score, _ in pieces])
    w.add_token_types([kind for _, _, kind in pieces])
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    f.add("token_embd.weight", "model.embed_tokens.weight", (len(pieces), 32), Type.Q8_0)
    w.add_tensor("rope_freqs.weight", llama3_divisors(500000.0, 8, 32.0))
    f.layer(0, [Type.F32, Type.F16, Type.Q8_0, Type.Q4_0, Type.Q8_0, Type.Q8_0, Type.Q4_K])
    f.add("output_norm.weight", "model.norm.weight", (32,), Type.F32)
    f.add("output.weight", "lm_head.weight", (len(pieces), 32), Type.BF16)
    f.finish()
    save_json("tiny_mistral_tokenizer.json", sentencepiece_golden(pieces), indent=0)


def llama3_divisors(theta, size, factor, low=1.0, high=4.0, original=8192):
    """What the converters write: plain over scaled frequency, by the three bands of Llama 3.1's rule."""
    divisors = []
    for j in range(size // 2):
        wavelength = 2 * np.pi * theta ** (2 * j / size)
        if wavelength < original / high:
            divisors.append(1.0)
        elif wavelength > original / low:
            divisors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(divisors, dtype=np.float32)


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
    tiny_llama()
    tiny_qwen2()
    tiny_qwen3()
    tiny_mistral()
    small_safetensors()
