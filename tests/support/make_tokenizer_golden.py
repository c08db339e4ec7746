#!/usr/bin/env python3
"""Makes the golden values of the tokenizer tests with the PyPI library `tokenizers`.

    pip install tokenizers gguf                      (in an environment of its own)
    make_tokenizer_golden.py GSM8K_DIR SMOLLM2.gguf  (writes tests/model/golden/*)

GSM8K_DIR holds train.jsonl and test.jsonl. The GGUF file is the one that `./ponder fetch smollm2-135m` downloads.
Ids of the many texts are kept as FNV-1a hashes, so that the files stay small.
"""
import json
import os
import random
import sys

import tokenizer_shapes
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model", "golden")

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
            r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

TEXTS = [
    "", " ", "  ", "   \n", "\t\tx", "a", "Hello, world!", "Hello,  world!\n\n", "it's we'll I'D they'VE 'tis",
    "for (int i = 0; i < 10; ++i) {\n  std::cout << v[i] << \"\\n\";\n}\n", "def f(x):\n\treturn x**2  # square\n",
    "x=1;y=22;z=333;w=4444;v=55555", "3.14159 1,000,000 0x1F -7 +8 1e-5", "12345678901234567890", "a1b22c333",
    "Janet’s ducks lay 16 eggs per day. She eats three for breakfast <<16-3=13>>13.", "#### 42",
    "The café is naïve: cafe\u0301 nai\u0308ve", "ÀÉÎÕÜ àéîõü ßſ K", "Привет, мир! Как дела?", "Ελληνικά κείμενα", "שלום עולם",
    "مرحبا بالعالم ١٢٣", "हिन्दी में पाठ १२३", "ภาษาไทยไม่มีช่องว่าง", "日本語のテキスト。漢字とかな", "中文文本，没有空格。123个", "한국어 텍스트 \u1112\u1161\u11ab",
    "አማርኛ", "ქართული", "Tiếng Việt có dấu", "😀😃 👩‍👩‍👧‍👦 🇩🇪 ✌🏽", "½ ² Ⅷ ① ٣ ४ 五", "a\u00a0b\u2003c\u3000d\u200be\u180ef\u0085g\u2028h\ufeffi",
    "\r\n\r\n x \r y", "  leading and trailing  ", "tabs\t\tand   spaces \n \n\n  mixed", "....!!!???---___===", "<|im_start|>user\nhi<|im_end|>\n",
    "<|im_start|><|im_end|><|im_start", "word<sep>word <sep> word", "keepkeep keep, keep!", "  <lr>  both  <lr>x", "e\u0301toile étoile",
    "https://example.com/a?b=c&d=%20#e", "SELECT * FROM t WHERE a='b';", "{\"key\": [1, 2, {\"n\": null}]}", "a" * 300, "ab" * 200, " " * 70 + "x" + "\n" * 40,
    "\u0000\u0001\u007f\u0080", "\U0001d4d7\U0001d4ee\U0001d4f5\U00020000\U0002a6d6", "fi ﬁ Å Å Ω Ω", "“quotes” ‘single’ — dash… «g»",
]

SHORT = ["", " ", "  ", "a", " a", "a ", "\n", "<s>", "<s> a", "a<s>", "Clips clips sClips", "\u2581", "\u2581a", "<0x41>\u00e9<0x42>"]


def random_text(rng):
    out = []
    for _ in range(rng.randrange(1, 60)):
        kind = rng.random()
        if kind < 0.5:
            out.append(chr(rng.randrange(32, 127)))
        elif kind < 0.6:
            out.append(rng.choice(" \t\n\r\u00a0\u2003\u180e\u3000\u0085"))
        elif kind < 0.8:
            out.append(chr(rng.randrange(0x80, 0x2000)))
        else:
            code = rng.randrange(0x2000, 0x30000)
            out.append("\u4e00" if 0xD800 <= code < 0xE000 else chr(code))
    return "".join(out)


def fnv(values, h=0xCBF29CE484222325):
    if isinstance(values, bytes):
        for byte in values:
            h = (h ^ byte) * 0x100000001B3 % (1 << 64)
        return h
    for v in values:
        for byte in int(v).to_bytes(4, "little"):
            h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return h


def small_tokenizer(corpus):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=700, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    return t


def variants(base):
    """Each a name and what replaces parts of the base file."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    plain = dict(byte_level, use_regex=False)
    split = lambda pattern, behavior="Isolated", invert=False: {  # noqa: E731
        "type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
    sequence = lambda *steps: {"pre_tokenizer": {"type": "Sequence", "pretokenizers": list(steps)}}  # noqa: E731
    digits = lambda single: {"type": "Digits", "individual_digits": single}  # noqa: E731
    token = lambda i, text, **more: dict({"id": i, "content": text, "single_word": False, "lstrip": False,  # noqa: E731
                                          "rstrip": False, "normalized": False, "special": False}, **more)
    yield "gpt-2", {}
    yield "smollm", sequence(digits(True), byte_level)
    yield "digit runs", sequence(digits(False), byte_level)
    yield "llama 3", dict(sequence(split({"Regex": LLAMA3}), plain), model={"ignore_merges": True})
    yield "qwen2, NFC", dict(sequence(split({"Regex": LLAMA3.replace("{1,3}", "")}), plain), normalizer={"type": "NFC"})
    yield "deepseek-v3", sequence(split({"Regex": r"\p{N}{1,3}"}), split({"Regex": "[一-龥\u3040-ゟ゠-ヿ]+"}),
                                  split({"Regex": DEEPSEEK}), plain)
    for behavior in ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]:
        for invert in [False, True]:
            yield f"split {behavior} {invert}", sequence(split({"Regex": r"[aeiou ]"}, behavior, invert), plain)
    yield "split string", sequence(split({"String": ". "}, "MergedWithPrevious"), byte_level)
    yield "negated space in a class", sequence(split({"Regex": r"[^\S\r\n]+|[\s\d]"}), plain)
    yield "prefix space", sequence(split({"Regex": r"\n"}), dict(byte_level, add_prefix_space=True))
    n = base.get_vocab_size()
    yield "added tokens", {
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]},
        "added_tokens": json.loads(base.to_str())["added_tokens"] + [
            token(n, "<sep>", special=True), token(n + 1, "keep", single_word=True), token(n + 2, "<lr>", lstrip=True, rstrip=True),
            token(n + 3, "\u00e9toile", normalized=True), token(n + 4, "<|im_start|>user")]}


def shape_cases(corpus):
    """For each shape its parts, texts, hashes of their ids and of what these decode to. Vocabularies are shared."""
    cases, vocabularies = [], []
    for name, root in tokenizer_shapes.shapes(corpus, 520):
        t = Tokenizer.from_str(json.dumps(root))
        texts = tokenizer_shapes.texts(random.Random(name), 12, root) + SHORT
        vocabulary = {key: root["model"][key] for key in ["vocab", "merges"]}
        if vocabulary not in vocabularies:
            vocabularies.append(vocabulary)
        rest = {key: value for key, value in root["model"].items() if key not in vocabulary}
        root["model"] = dict(rest, vocabulary=vocabularies.index(vocabulary))
        ids = [t.encode(x, add_special_tokens=False).ids for x in texts]
        cases.append({"name": name, "tokenizer": root, "texts": texts, "fnv": [f"{fnv(i):016x}" for i in ids],
                      "with_special": t.encode("a b").ids,
                      "decoded": [f"{fnv(t.decode(i, skip_special_tokens=False).encode()):016x}" for i in ids]})
    return {"shapes": cases, "vocabularies": vocabularies}


def trained(corpus):
    """What BpeTrainer makes of the corpus, for each pattern of `ponder tokenizer train`."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for name in ["gpt2", "qwen2", "llama3"]:
        t = Tokenizer(models.BPE())
        pattern = LLAMA3 if name == "llama3" else LLAMA3.replace("{1,3}", "")
        split = pre_tokenizers.Split(Regex(pattern), "isolated")
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if name == "gpt2" else pre_tokenizers.Sequence([split, level])
        if name == "qwen2":
            t.normalizer = normalizers.NFC()
        t.train_from_iterator(corpus, trainers.BpeTrainer(
            vocab_size=1000, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>"]))
        model = json.loads(t.to_str())["model"]
        tokens = "\n".join(sorted(model["vocab"], key=model["vocab"].get))
        merges = "\n".join(" ".join(m) for m in model["merges"])
        yield {"pattern": name, "tokens": f"{fnv(tokens.encode()):016x}", "merges": f"{fnv(merges.encode()):016x}", "count": len(model["merges"])}


def apply(base_json, replacement):
    root = json.loads(base_json)
    for key, value in replacement.items():
        if key == "model":
            root["model"].update(value)
        else:
            root[key] = value
    return Tokenizer.from_str(json.dumps(root))


def write(name, value):
    with open(os.path.join(GOLDEN, name), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=True, indent=0)
        f.write("\n")


def gsm8k(folder):
    for split in ["train", "test"]:
        with open(os.path.join(folder, split + ".jsonl"), encoding="utf-8") as f:
            for line in f:
                row = json.loads(line)
                yield row["question"]
                yield row["answer"]


def smollm2(path):
    from gguf import GGUFReader
    content = lambda key: reader.fields["tokenizer.ggml." + key].contents()  # noqa: E731
    reader = GGUFReader(path)
    tokens = content("tokens")
    t = Tokenizer(models.BPE(vocab={x: i for i, x in enumerate(tokens)}, merges=[tuple(m.split(" ", 1)) for m in content("merges")]))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.add_special_tokens([AddedToken(x, special=True, normalized=False) for x, kind in zip(tokens, content("token_type")) if kind == 3])
    return t


def count_and_hash(t, texts):
    h, count = 0xCBF29CE484222325, 0
    for text in texts:
        ids = t.encode(text).ids
        h, count = fnv(ids, h), count + len(ids)
    return {"ids": count, "fnv": f"{h:016x}"}


def main(gsm8k_dir, gguf_file):
    rng = random.Random(7)
    questions = list(gsm8k(gsm8k_dir))
    base = small_tokenizer(questions[:400])
    base_json = base.to_str()
    with open(os.path.join(GOLDEN, "small_tokenizer.json"), "w", encoding="utf-8") as f:
        f.write(base_json)
    texts = TEXTS + questions[500:530] + [random_text(rng) for _ in range(120)]
    cases = []
    for name, replacement in variants(base):
        t = apply(base_json, replacement)
        cases.append({"name": name, "replace": replacement, "fnv": [f"{fnv(t.encode(x).ids):016x}" for x in texts]})
    write("tokenizer_shapes.json", dict(
        shape_cases(questions[:300]), corpus=questions[:150], trained=list(trained(questions[:150]))))
    first = apply(base_json, {})
    write("tokenizer_cases.json", {"texts": texts, "variants": cases,
                                   "ids": [first.encode(x).ids for x in texts[:40]]})
    character = os.path.join(GOLDEN, "character_tokenizer.json")
    if os.path.exists(character):  # written by character_tokenizer_json; here it is only read
        t = Tokenizer.from_file(character)
        write("character_cases.json", [[x, t.encode(x).ids, t.decode(t.encode(x).ids, skip_special_tokens=False)] for x in [
            "1+2=3", "<think>7+5=2;</think><answer>2</answer><eos>", "9 9", "<<think>>", ""]])
    # transformers 5.23 reads this GGUF file without its pre-tokenizer ("smollm": digits one by one) and so gives other ids
    # to 101 of the 17,584 texts, those with a run of white space before a digit. Both readings are kept.
    without_digits = smollm2(gguf_file)
    without_digits.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    write("gsm8k_hashes.json", {"smollm2": count_and_hash(smollm2(gguf_file), questions),
                                "smollm2, as transformers reads the GGUF file": count_and_hash(without_digits, questions),
                                "small, smollm": count_and_hash(apply(base_json, dict(variants(base))["smollm"]), questions)})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
