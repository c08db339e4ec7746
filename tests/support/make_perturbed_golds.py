#!/usr/bin/env python3
"""Makes 2,000 perturbed golds: rewrites that mean the same, and near misses. The label follows from the rule.

    make_perturbed_golds.py      (reads tests/reward/math/cases/golds.txt, writes perturbed.jsonl beside it)

A rule takes the shape of a gold (an integer, a quotient, a pair...) and gives another spelling, or None where it does not
apply or the label would not be certain. Half of the lines are rewrites and half near misses; each half goes round its
rules and takes one gold at a time, so rare shapes are seen as well as integers. The random numbers have a fixed seed.
"""
import json
import os
import random
import re

from gold_near_misses import OTHER
from gold_rewrites import SAME

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reward", "math", "cases")
SETS = ("math500", "math_test", "aime24", "aime25", "olympiadbench", "minerva")


def read_golds():
    golds = []
    with open(os.path.join(CASES, "golds.txt"), encoding="utf-8") as f:
        for line in f:
            name, tab, gold = line.rstrip("\n").partition("\t")
            if tab and name in SETS and 0 < len(gold) < 200:
                golds.append((name, gold))
    return golds


def shape_text(gold):
    """The gold without formula signs around it and without a final point."""
    inner = gold[1:-1] if re.fullmatch(r"\$[^$]*\$", gold) else gold
    return inner.strip().rstrip(".") if not inner.endswith("..") else inner


def take(rules, label, golds, count, rng):
    queues = {}
    for rule in rules:
        hits = [(s, g) for s, g in golds if rule(shape_text(g), random.Random(0))]
        rng.shuffle(hits)
        hits.sort(key=lambda h: h[0] in ("math_test",))  # the small sets first
        queues[rule] = hits
    lines, seen = [], set()
    while len(lines) < count and any(queues.values()):
        for rule in rules:
            if not queues[rule] or len(lines) == count:
                continue
            name, gold = queues[rule].pop(0)
            text = rule(shape_text(gold), rng)
            if text is None or text == shape_text(gold) or (text, gold) in seen:
                continue
            seen.add((text, gold))
            lines.append({"id": "", "prediction": text, "gold": gold, "match": label, "rule": rule.__name__, "set": name})
    return lines


def main():
    rng = random.Random(20260201)
    golds = read_golds()
    lines = take(SAME, True, golds, 1000, rng) + take(OTHER, False, golds, 1000, rng)
    for i, line in enumerate(lines):
        line["id"] = f"perturbed-{i + 1:04d}"
    with open(os.path.join(CASES, "perturbed.jsonl"), "w", encoding="utf-8") as f:
        for line in lines:
            f.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
