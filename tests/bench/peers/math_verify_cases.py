#!/usr/bin/env python3
"""Verdicts and times of Math-Verify on the labelled cases of the math verifier.

    python3 -m venv VENV && VENV/bin/pip install math-verify==0.9.0 antlr4-python3-runtime==4.13.2
    VENV/bin/python tests/bench/peers/math_verify_cases.py            (writes tests/reward/math/golden/math_verify.jsonl)

It is used as its README shows: a bare answer stands in \\boxed{}, a bare gold between dollar signs, both are parsed with the
default configuration and compared with verify(gold, answer). Choice letters get its configuration for strings. It works in a
process of its own with 3 GB of memory; a case that takes more than 20 s is a hang, and the process is started again.

Lines: {"id", "match", "us": processor time of the parsing of both and the comparison, "error": what was raised, "crash" or "hang", if so}.
"""

import json
import multiprocessing
import os
import resource
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
CASES = os.path.join(ROOT, "tests", "reward", "math", "cases")
GOLDEN = os.path.join(ROOT, "tests", "reward", "math", "golden", "math_verify.jsonl")
SECONDS = 20


def cases():
    for name in sorted(os.listdir(CASES)):
        if name.endswith(".jsonl"):
            with open(os.path.join(CASES, name), encoding="utf-8") as f:
                for line in f:
                    yield name.removesuffix(".jsonl"), json.loads(line)


def worker(pipe):
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    import logging

    logging.disable(logging.CRITICAL)
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, StringExtractionConfig, parse, verify

    default = (LatexExtractionConfig(), ExprExtractionConfig())
    letters = (StringExtractionConfig(strings=("A", "B", "C", "D", "E"), lowercase=False),) + default

    def verdict(prediction, golds, config):
        answer = parse(prediction, config)
        return any(verify(parse(gold, config), answer) for gold in golds)

    verdict("$1$", ["$1$"], default)  # loads what is loaded at the first call
    while True:
        category, case = pipe.recv()
        bare = "extraction" not in case
        prediction = "\\boxed{" + case["prediction"] + "}" if bare else case["prediction"]
        golds = case["gold"] if isinstance(case["gold"], list) else [case["gold"]]
        golds = [g if "$" in g or "boxed" in g or "####" in g else f"${g}$" for g in golds]
        start = time.process_time()
        try:
            got = {"match": bool(verdict(prediction, golds, letters if category == "choice" else default))}
        except BaseException as e:  # noqa: BLE001  (a crash of the peer is a result)
            got = {"match": False, "error": type(e).__name__}
        pipe.send({"id": case["id"], **got, "us": round((time.process_time() - start) * 1e6)})


class Peer:
    def __init__(self):
        self.start()

    def start(self):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=worker, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.fresh = True

    def ask(self, category, case):
        start = time.perf_counter()
        try:
            self.pipe.send((category, case))
            if self.pipe.poll(SECONDS + (60 if self.fresh else 0)):
                self.fresh = False
                return self.pipe.recv()
            error = "hang"
        except (EOFError, BrokenPipeError, ConnectionResetError):
            error = "crash"
        if self.fresh and error == "crash":
            sys.exit("Math-Verify does not load; see the lines above.")
        self.process.kill()
        self.process.join()
        self.start()
        return {"id": case["id"], "match": False, "error": error, "us": round((time.perf_counter() - start) * 1e6)}


def main():
    peer = Peer()
    os.makedirs(os.path.dirname(GOLDEN), exist_ok=True)
    lines = []
    for category, case in cases():
        if case.get("profile", "default") == "default":
            lines.append(peer.ask(category, case))
            if len(lines) % 200 == 0:
                print(len(lines), "cases", file=sys.stderr, flush=True)
    with open(GOLDEN, "w", encoding="utf-8") as f:
        for line in lines:
            f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
