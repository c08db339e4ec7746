"""Real vocabularies of GGUF files, imported by `ponder import`, against the ids that Hugging Face's tokenizers gave.

    gguf_vocabularies.py MODELS TEMPORARY

MODELS is the folder models/ of llama.cpp's sources (also in the source package llama-cpp-python on PyPI): it has a
vocabulary without weights for each of many tokenizers, ggml-vocab-NAME.gguf, texts (.inp) and their ids (.out). This adds
a small random model to each, imports it and compares all ids. Needs gguf, numpy and tokenizers; PONDER_BUILD.
"""

import os
import subprocess
import sys

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from tokenizers import Tokenizer

NAMES = ["llama-bpe", "llama-spm", "qwen2", "deepseek-llm", "deepseek-coder", "gpt-2"]


def with_model(source, target):
    """The tokenizer of `source` with one random llama layer."""
    reader = GGUFReader(source)
    writer = GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("tokenizer."):
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, inner)
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(4)
    writer.add_feed_forward_length(4)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    shapes = {"token_embd": (len(reader.fields["tokenizer.ggml.tokens"].data), 4), "output_norm": (4,)}
    shapes |= {"blk.0." + part: (4,) for part in ("attn_norm", "ffn_norm")}
    shapes |= {"blk.0." + part: (4, 4)
               for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")}
    for name, shape in shapes.items():
        writer.add_tensor(name + ".weight", np.ones(shape, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    models, temporary = sys.argv[1:]
    ponder = os.path.join(os.environ["PONDER_BUILD"], "ponder")
    wrong = 0
    for name in NAMES:
        source, made, folder = (os.path.join(*parts) for parts in
                                ((models, f"ggml-vocab-{name}.gguf"), (temporary, name + ".gguf"), (temporary, name)))
        with_model(source, made)
        subprocess.run([ponder, "import", made, folder], check=True, stdout=subprocess.DEVNULL)
        theirs = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        texts = open(source + ".inp", encoding="utf-8").read().split("\n__ggml_vocab_test__\n")
        ids = [[int(i) for i in line.split()] for line in open(source + ".out").read().split("\n")]
        ours = [theirs.encode(text, add_special_tokens=False).ids for text in texts]
        bad = [text for text, got, want in zip(texts, ours, ids) if got != want]
        wrong += len(bad)
        print(f"{name}: {len(texts)} texts, {len(bad)} differ {bad[:1] or ''}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
