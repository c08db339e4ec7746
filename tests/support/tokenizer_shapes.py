"""Small tokenizer.json files in the shapes of well-known model families, and texts to try them on.

Used by make_tokenizer_golden.py (golden values) and by end_to_end/long/tokenizers.py (live comparison). Needs `tokenizers`.
"""
import json
import random
import unicodedata

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

BYTE_TOKENS = [f"<0x{b:02X}>" for b in range(256)]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")


def replace(pattern, content):
    return {"type": "Replace", "pattern": {"String": pattern}, "content": content}


def sequence(kind, *parts):
    return {"type": "Sequence", kind: list(parts)}


def added(i, content, special=True, **more):
    return dict({"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                 "special": special}, **more)


def template(*tokens, after=()):
    part = lambda x: {"SpecialToken": {"id": x, "type_id": 0}}  # noqa: E731
    text = {"Sequence": {"id": "A", "type_id": 0}}
    single = [part(x) for x, _ in tokens] + [text] + [part(x) for x, _ in after]
    return {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {x: {"id": x, "ids": [i], "tokens": [x]} for x, i in list(tokens) + list(after)}}


def sentencepiece_model(corpus, size, fallback=True):
    """A BPE over characters with the metaspace, its vocabulary laid out as SentencePiece does."""
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    start = ["<unk>", "<s>", "</s>"] + (BYTE_TOKENS if fallback else [])
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=start))
    model = json.loads(t.to_str())["model"]
    model.update(unk_token="<unk>", fuse_unk=True, byte_fallback=fallback)
    return model


def byte_level_model(corpus, size, special):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=size, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=special))
    return json.loads(t.to_str())["model"]


def shapes(corpus, size=700):
    """Yields a name and a tokenizer.json as a dictionary."""
    spiece = sentencepiece_model(corpus, size)
    no_bytes = sentencepiece_model(corpus, size - 256, fallback=False)
    bytes_ = byte_level_model(corpus, size, ["<|endoftext|>", "<|padding|>", "<|begin|>"])
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    plain = dict(level, use_regex=False)
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
    s = lambda i, x: added(i, x)  # noqa: E731
    base = [s(0, "<unk>"), s(1, "<s>"), s(2, "</s>")]
    n = len(spiece["vocab"])
    to_spaces = sequence("decoders", replace("\u2581", " "), {"type": "ByteFallback"}, {"type": "Fuse"},
                         {"type": "Strip", "content": " ", "start": 1, "stop": 0})

    def make(model, **parts):
        return dict({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                     "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}, **parts)

    yield "llama-2", make(
        spiece, added_tokens=base, decoder=to_spaces, post_processor=template(("<s>", 1)),
        normalizer=sequence("normalizers", {"type": "Prepend", "prepend": "\u2581"}, replace(" ", "\u2581")))
    yield "mistral-v3", make(
        spiece, added_tokens=base + [s(n, "[INST]"), s(n + 1, "[/INST]")], decoder=to_spaces, pre_tokenizer=metaspace,
        post_processor=template(("<s>", 1), after=[("</s>", 2)]))
    yield "metaspace, always, split", make(
        dict(no_bytes), added_tokens=base, pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True},
        decoder={"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True})
    yield "metaspace, never, unknown ones not fused", make(
        dict(no_bytes, fuse_unk=False), added_tokens=base,
        pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never", "split": True},
        decoder={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never", "split": True})
    yield "gemma", make(
        spiece, added_tokens=base + [s(n, "<start_of_turn>"), added(n + 1, "\n\n\n", special=False), added(n + 2, "<b>", special=False)],
        normalizer=replace(" ", "\u2581"),
        pre_tokenizer={"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        decoder=sequence("decoders", replace("\u2581", " "), {"type": "ByteFallback"}, {"type": "Fuse"}),
        post_processor=template(("<s>", 1)))
    m = len(bytes_["vocab"])
    yield "llama-3", make(
        dict(bytes_, ignore_merges=True), added_tokens=[s(m, "<|begin_of_text|>"), s(m + 1, "<|eot_id|>")], decoder=level,
        pre_tokenizer=sequence("pretokenizers", {"type": "Split", "pattern": {"Regex": LLAMA3}, "behavior": "Isolated", "invert": False}, plain),
        post_processor=sequence("processors", level, template(("<|begin_of_text|>", m))))
    yield "gpt-2, prefix space", make(bytes_, added_tokens=[s(0, "<|endoftext|>")], decoder=level,
                                      pre_tokenizer=dict(level, add_prefix_space=True), post_processor=level)
    yield "gpt-neox", make(
        bytes_, added_tokens=[s(0, "<|endoftext|>"), s(1, "<|padding|>")] + [
            added(m + i, " " * k, special=False, normalized=True) for i, k in enumerate(range(24, 1, -1))],
        normalizer={"type": "NFC"}, pre_tokenizer=level, decoder=level, post_processor=level)
    yield "byte level, then more splits", make(
        bytes_, decoder=level, pre_tokenizer=sequence("pretokenizers", dict(level, add_prefix_space=True), {
            "type": "Split", "pattern": {"String": "\u0120"}, "behavior": "MergedWithNext", "invert": False}, {"type": "Digits", "individual_digits": False}))
    yield "byte level normalizer", make(
        bytes_, decoder=level, normalizer=sequence("normalizers", {"type": "NFKC"}, {"type": "ByteLevel"}),
        pre_tokenizer={"type": "Split", "pattern": {"Regex": "\u0120?\\w+"}, "behavior": "Isolated", "invert": False})
    yield "lower case, words", make(
        dict(no_bytes), added_tokens=base + [added(len(no_bytes["vocab"]), "Clips", special=False, normalized=True, single_word=True)],
        normalizer=sequence("normalizers", {"type": "NFKD"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": True, "strip_right": True}),
        pre_tokenizer={"type": "Whitespace"}, decoder={"type": "Fuse"})
    yield "regex replaced, spaces, punctuation", make(
        dict(no_bytes), added_tokens=base,
        normalizer=sequence("normalizers", {"type": "NFD"}, {"type": "Replace", "pattern": {"Regex": r"\s{2,}|\d"}, "content": "$ "}),
        pre_tokenizer=sequence("pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Contiguous"}))
    yield "metaspace first after splits", make(
        spiece, added_tokens=base + [added(n, "<lr>", lstrip=True, rstrip=True)],
        pre_tokenizer=sequence("pretokenizers", {"type": "Split", "pattern": {"String": "\n"}, "behavior": "Removed", "invert": False},
                               {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}),
        decoder=sequence("decoders", {"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True},
                         {"type": "Strip", "content": "a", "start": 2, "stop": 0}))


SCRIPTS = {
    "Latin": "Les œuvres d'été, où l'Île était près du château; Straße, İstanbul, Đồng bằng.",
    "Greek": "Ἐν ἀρχῇ ἦν ὁ λόγος, καὶ ὁ λόγος ἦν πρὸς τὸν θεόν. Ελληνικά 2026",
    "Cyrillic": "Съешь же ещё этих мягких французских булок, да выпей чаю №5.",
    "Hebrew": "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ ״12״",
    "Arabic": "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ١٢٣٤ والسلام عليكم، كيف حالك؟",
    "Devanagari": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता १२३।",
    "Thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน ๑๒๓ บาท",
    "Han": "人人生而自由，在尊嚴和權利上一律平等。共123个苹果，𠀀𪛖。",
    "Kana": "すべての人間は、生まれながらにして自由であり、ガギグゲゴ が3つ。",
    "Hangul": "모든 인간은 태어날 때부터 자유로우며 \u1112\u1161\u11ab글 12개",
    "Ethiopic": "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።",
    "Georgian": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა.",
    "Emoji": "😀😃 👩‍👩‍👧‍👦 🇩🇪 ✌🏽 ❤️‍🔥 1️⃣ 🏴\U000e0067\U000e0062\U000e007f ☺︎",
}


def is_old(c):
    """In Unicode since 3.2: tables of different libraries know different newer characters."""
    return unicodedata.ucd_3_2_0.category(c) != "Cn"


def random_character(rng, old):
    while True:
        if rng.random() < 0.6:
            c = chr(rng.randrange(0x80, 0x2000))
        else:
            c = chr(rng.choice([rng.randrange(0x2000, 0xD800), rng.randrange(0xE000, 0x10000), rng.randrange(0x10000, 0x20000)]))
        if not old or is_old(c):
            return c


def random_text(rng, old=False, longest=60):
    out = []
    for _ in range(rng.randrange(1, longest)):
        kind = rng.random()
        if kind < 0.45:
            out.append(chr(rng.randrange(32, 127)))
        elif kind < 0.6:
            out.append(rng.choice(" \t\n\r\u00a0\u2003\u180e\u3000\u0085\u2581\u0301\u200d"))
        elif kind < 0.65:
            out.append(rng.choice(["<s>", "</s>", "<0x41>", "[INST]", "<b>", "<|eot_id|>", "<lr>", "   ", "\n\n\n", "<|endoftext|>"]))
        else:
            out.append(random_character(rng, old))
    return "".join(out)


def random_bytes(rng, longest=80):
    """What a caller gets who reads bytes that may not be UTF-8 and lets Python repair them."""
    return bytes(rng.randrange(256) for _ in range(rng.randrange(1, longest))).decode("utf-8", errors="replace")


def texts(rng, count, root):
    """For one tokenizer.json: scripts, random characters, random bytes. Where it rewrites or cuts by Unicode's tables in
    ways that differ between versions, only characters that all of them know."""
    tables = json.dumps([root["normalizer"], root["pre_tokenizer"]])
    old = any(name in tables for name in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Whitespace", "Punctuation"])
    made = [random_bytes(rng) for _ in range(count // 4)]
    return (list(SCRIPTS.values()) + [random_text(rng, old) for _ in range(count)]
            + [x for x in made if not old or all(map(is_old, x))])


def seeded(seed):
    return random.Random(seed)
