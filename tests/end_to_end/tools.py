"""logprobs, tokenize, detokenize, inspect and upcycle, as a user calls them."""
import json
import os
import subprocess
import sys

from runs import PONDER, fail

GGUF = "tests/model/golden/tiny.gguf"
FOLDER = sys.argv[1]
DENSE = f"{FOLDER}/dense"


def ponder(*words, text=None, expect=0):
    done = subprocess.run([PONDER, *words], input=text, capture_output=True)
    if done.returncode != expect:
        fail(f"ponder {' '.join(words)} ended with {done.returncode}, expected {expect}: {done.stderr.decode()}")
    return done.stdout.decode(), done.stderr.decode()


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def refused(message, *words, text=None):
    _, error = ponder(*words, text=text, expect=2)
    if message not in error:
        fail(f"ponder {' '.join(words)}: expected {message!r}, got {error!r}")


def write(name, text):
    path = f"{FOLDER}/{name}"
    with open(path, "w") as out:
        out.write(text)
    return path


def same(got, wanted, what):
    if got != wanted:
        fail(f"{what}: got {got!r}, expected {wanted!r}")


def tokenize():
    texts = ["two words", "", "naïve 日本 🎉", "  spaces  12 34", "a\tb"]
    plain = "".join(text + "\n" for text in texts).encode()
    ids = lines_of(ponder("tokenize", "--model", DENSE, text=plain)[0])
    same(len(ids), len(texts), "lines of ids")
    same(ids[1], [], "the ids of an empty line")
    same(lines_of(ponder("tokenize", "--model", GGUF, text=plain)[0]), ids, "ids by the GGUF file's tokenizer")
    same(lines_of(ponder("tokenize", "--model", f"{DENSE}/tokenizer.json", text=plain)[0]), ids, "ids by a tokenizer.json")
    listed = "".join(json.dumps(x) + "\n" for x in ids).encode()
    same(ponder("detokenize", "--model", DENSE, text=listed)[0].encode(), plain, "the texts back")
    quoted = "".join(json.dumps(text) + "\n" for text in texts + ["two\nlines"]).encode()
    with_break = lines_of(ponder("tokenize", "--model", DENSE, "--json", text=quoted)[0])
    same(with_break[:-1], ids, "ids of JSON strings")
    listed = "".join(json.dumps(x) + "\n" for x in with_break).encode()
    same(lines_of(ponder("detokenize", "--model", DENSE, "--json", text=listed)[0]), texts + ["two\nlines"], "JSON strings back")

    # A post-processor's tokens come with --special only.
    with open(f"{DENSE}/tokenizer.json") as file:
        tokenizer = json.load(file)
    first = {"id": tokenizer["added_tokens"][0]["content"], "type_id": 0}
    number = tokenizer["added_tokens"][0]["id"]
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing", "single": [{"SpecialToken": first}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {first["id"]: {"id": first["id"], "ids": [number], "tokens": [first["id"]]}}}
    headed = write("headed.json", json.dumps(tokenizer))
    same(lines_of(ponder("tokenize", "--model", headed, text=plain)[0]), ids, "ids without --special")
    same(lines_of(ponder("tokenize", "--model", headed, "--special", text=plain)[0]), [[number] + x for x in ids], "ids with --special")

    # More than one chunk, on one thread and on three, through files.
    many = write("many.txt", "".join(f"line {i} of {i * i}\n" for i in range(40000)))
    for threads in ("1", "3"):
        ponder("tokenize", "--model", DENSE, "--input", many, "--output", f"{FOLDER}/ids{threads}", "--threads", threads)
    with open(f"{FOLDER}/ids1") as one, open(f"{FOLDER}/ids3") as three:
        same(one.read() == three.read(), True, "ids on 1 and on 3 threads are equal")
    ponder("detokenize", "--model", DENSE, "--input", f"{FOLDER}/ids1", "--output", f"{FOLDER}/back")
    with open(many) as one, open(f"{FOLDER}/back") as two:
        same(one.read() == two.read(), True, "40,000 lines come back")

    refused("stdin:2: byte 3 of the line is not UTF-8", "tokenize", "--model", DENSE, text=b"fine\nab\xff\n")
    refused("stdin:1: with --json each line is one JSON string", "tokenize", "--model", DENSE, "--json", text=b"[1]\n")
    refused("stdin:2: holds -4, but must hold ids from 0 to", "detokenize", "--model", DENSE, text=b"[1]\n[-4]\n")
    refused("stdin:1: is not JSON; each line is a JSON list of token ids", "detokenize", "--model", DENSE, text=b"1 2\n")
    refused("cannot be read. Check --input", "tokenize", "--model", DENSE, "--input", f"{FOLDER}/none")
    refused("would be lost", "tokenize", "--model", DENSE, "--input", many, "--output", many)


def logprobs():
    source = write("texts.jsonl", "".join(json.dumps(row) + "\n" for row in [
        {"id": "a", "text": "two words and more"}, {"tokens": [5]}, {"id": 7, "tokens": [3, 1, 4, 1, 5]}]))
    out, error = ponder("logprobs", "--model", DENSE, "--input", source, "--top", "2")
    first, single, tokens = lines_of(out)
    same((first["id"], "id" in single, tokens["id"]), ("a", False, 7), "ids carried over")
    same((single["tokens"], single["logprobs"], single["top"]), ([5], [None], [None]), "a text of one token")
    same(tokens["tokens"], [3, 1, 4, 1, 5], "tokens")
    for row in (first, tokens):
        same((len(row["logprobs"]), len(row["top"])), (len(row["tokens"]), len(row["tokens"])), "entries a token")
        for token, logprob, top in zip(row["tokens"][1:], row["logprobs"][1:], row["top"][1:], strict=True):
            if not (len(top) == 2 and top[0][1] >= top[1][1] >= logprob or token in (top[0][0], top[1][0])):
                fail(f"top {top} beside log-probability {logprob} of {token}")
    if "3 lines" not in error or "perplexity" not in error:
        fail(f"no summary: {error!r}")
    plain, _ = ponder("logprobs", "--model", DENSE, "--input", source, "--output", f"{FOLDER}/scored.jsonl")
    same(plain, "", "stdout beside --output")
    with open(f"{FOLDER}/scored.jsonl") as scored:
        same([row["logprobs"] for row in lines_of(scored.read())], [row["logprobs"] for row in lines_of(out)], "with and without --top")
    warm, _ = ponder("logprobs", "--model", DENSE, "--input", source, "--temperature", "2", "--dtype", "bf16")
    if lines_of(warm)[0]["logprobs"] == first["logprobs"]:
        fail("the temperature changed nothing")

    good = '{"tokens": [1, 2]}\n'
    for line, message in [('{"tokens": []}', "has no tokens"), ('{"text": ""}', "has no tokens"), ('{"tokens": [1, 99999999]}', "holds 99999999"),
                          ('{"tokens": [1, -1]}', "holds -1"), ('{"tokens": "1 2"}', "must be a list"), ('{"text": 5}', "is no text"),
                          ('{"txt": "a"}', "must have one of"), ('{"text": "a", "tokens": [1]}', "must have one of"), ("[1]", "is not a JSON object"),
                          (json.dumps({"tokens": [1] * 100000}), "has 100000 tokens")]:
        wrong = write("wrong.jsonl", good + line + "\n")
        refused(f"{wrong}:2: ", "logprobs", "--model", DENSE, "--input", wrong)
        refused(message, "logprobs", "--model", DENSE, "--input", wrong)
    refused("Raise --memory-mb or cut the text", "logprobs", "--model", DENSE, "--input", source, "--memory-mb", "1")
    refused("is no folder", "logprobs", "--model", f"{FOLDER}/none", "--input", source)


def inspect():
    report = json.loads(ponder("inspect", DENSE, "--json")[0])
    same(report["architecture"]["family"], "llama", "family")
    elements = sum(report["weights"]["bytes_of_type"].values()) // 4
    same(report["parameters"]["total"], elements, "parameters, counted in the file")
    same(report["parameters"]["active"], elements, "active parameters of a dense model")
    attention = report["architecture"]["attention"]
    same(report["cache_bytes_per_token"]["bf16"], report["architecture"]["layers"] * 2 * 2 * attention["key_heads"] * attention["head_size"],
         "cache bytes a token")
    same(report["memory"]["serving"][0]["fits"], True, "a tiny model fits")
    table, _ = ponder("inspect", DENSE)
    for word in ("family", "attention", "grouped-query", "parameters", "tokenizer", "memory to train", "memory to serve"):
        if word not in table:
            fail(f"inspect: no {word!r} in\n{table}")
    same(json.loads(ponder("inspect", GGUF, "--json")[0])["parameters"], report["parameters"], "parameters of the GGUF file")
    bare = f"{FOLDER}/bare"
    os.mkdir(bare)
    with open(f"{DENSE}/config.json") as source, open(f"{bare}/config.json", "w") as copy:
        copy.write(source.read())
    alone = json.loads(ponder("inspect", bare, "--json")[0])
    same((alone["weights"], alone["tokenizer"], alone["parameters"]), (None, None, report["parameters"]), "a folder with config.json alone")
    refused("is no folder", "inspect", f"{FOLDER}/none")


def mean_logprob(folder, source):
    rows = lines_of(ponder("logprobs", "--model", folder, "--input", source)[0])
    values = [x for row in rows for x in row["logprobs"][1:]]
    return sum(values) / len(values)


def upcycle():
    out, _ = ponder("upcycle", DENSE, f"{FOLDER}/moe", "--experts", "8", "--active", "2")
    if "mixtral with 8 experts" not in out or "Its output is the dense model's, up to rounding." not in out:
        fail(f"upcycle printed {out!r}")
    ponder("upcycle", DENSE, f"{FOLDER}/fine", "--experts", "8", "--active", "4", "--granularity", "2")
    source = f"{FOLDER}/texts.jsonl"
    before = mean_logprob(DENSE, source)
    for name in ("moe", "fine"):
        if abs(mean_logprob(f"{FOLDER}/{name}", source) - before) > 1e-5:
            fail(f"{name}: mean log-probability {mean_logprob(f'{FOLDER}/{name}', source)}, the dense model's {before}")
    report = json.loads(ponder("inspect", f"{FOLDER}/moe", "--json")[0])
    same((report["layers"][0]["experts"], report["layers"][0]["active"]), (8, 2), "experts")
    same(report["parameters"]["total"] - report["parameters"]["active"], report["parameters"]["experts"] * 6 // 8, "parameters that rest")
    out, _ = ponder("upcycle", DENSE, f"{FOLDER}/normed", "--experts", "4", "--active", "1", "--family", "qwen3_moe")
    if "NOT the dense model's: qwen3_moe norms queries and keys" not in out:
        fail(f"upcycle to qwen3_moe printed {out!r}")
    refused("--experts is 7", "upcycle", DENSE, f"{FOLDER}/no", "--experts", "7", "--active", "2", "--granularity", "2")
    refused("is the dense model itself", "upcycle", DENSE, DENSE, "--experts", "8", "--active", "2")
    refused("experts already", "upcycle", f"{FOLDER}/moe", f"{FOLDER}/no", "--experts", "8", "--active", "2")


ponder("import", GGUF, DENSE)
for part in (tokenize, logprobs, inspect, upcycle):
    part()
for name in ("logprobs", "tokenize", "detokenize", "inspect", "upcycle"):
    if "Example" not in ponder(name, "--help")[0]:
        fail(f"ponder {name} --help has no example")
print("    logprobs, tokenize, detokenize, inspect, upcycle: as expected")
