#!/usr/bin/env python3
"""Collects the golds of the mathematics data sets, each different one of a set once.

    make_golds.py [DATA_DIR]      (default ../shared/data; writes tests/reward/math/cases/golds.txt)

A line is "set<TAB>gold", in the order of the problems; "# set problems different_golds" opens a set. Line ends within a
gold become spaces, which mean the same to LaTeX. Golds are facts about public problems; the sets are named in each
folder's SOURCE.md.
"""
import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CASES = os.path.join(ROOT, "tests", "reward", "math", "cases")


def last_box(text):
    """The inside of the last \\boxed{...} or \\fbox{...}; "\\boxed 3" gives 3. None without one."""
    at = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if at < 0:
        return None
    at = text.index("boxed" if text.startswith("\\boxed", at) else "fbox", at)
    rest = text[at:].removeprefix("boxed").removeprefix("fbox").lstrip()
    if not rest.startswith("{"):
        return rest.split("$")[0].split()[0]
    depth = 0
    for i, c in enumerate(rest):
        depth += (c == "{") - (c == "}")
        if depth == 0:
            return rest[1:i]
    return None


def json_lines(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def golds(data):
    yield "gsm8k", [r["answer"].rsplit("####", 1)[1] for split in ("train", "test")
                    for r in json_lines(data, "gsm8k", split + ".jsonl")]
    yield "math500", [r["answer"] for r in json_lines(data, "math500", "test.jsonl")]
    with open(os.path.join(data, "math_train", "train.json"), encoding="utf-8") as f:
        yield "math_train", [r["answer"] for r in json.load(f) if r["answer"] is not None]
    yield "math_test", [last_box(r["solution"]) for r in json_lines(data, "math_test", "test.jsonl")]
    yield "aime24", [str(r["answer"]) for r in json_lines(data, "aime24", "test.jsonl")]
    yield "aime25", [r["expected_answer"] for r in json_lines(data, "aime25", "test.jsonl")]
    yield "amc23", [str(r["answer"]) for r in json_lines(data, "amc23", "test.jsonl")]
    yield "minerva", [last_box(r["solution"]) for r in json_lines(data, "minerva_math", "test.jsonl")]
    yield "olympiadbench", [a for r in json_lines(data, "olympiadbench", "test.jsonl") for a in r["final_answer"]]


def main(data):
    with open(os.path.join(CASES, "golds.txt"), "w", encoding="utf-8") as out:
        for name, answers in golds(data):
            different = list(dict.fromkeys(" ".join(a.split()) for a in answers))
            out.write(f"# {name} {len(answers)} {len(different)}\n")
            for gold in different:
                out.write(f"{name}\t{gold}\n")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(sys.argv[1] if len(sys.argv) == 2 else os.path.join(ROOT, "..", "shared", "data"))
