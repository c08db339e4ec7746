#!/usr/bin/env python3
"""The table of tests/results/math_verifier.md: errors and time of the math verifier beside Math-Verify.

    build/release/bench/verifier_bench tests/reward/math/cases > ours.jsonl
    tests/bench/verifier_table.py ours.jsonl > tests/results/math_verifier.md

Math-Verify's verdicts and times are those of tests/reward/math/golden/math_verify.jsonl.
"""

import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CASES = os.path.join(ROOT, "tests", "reward", "math", "cases")
PEER = os.path.join(ROOT, "tests", "reward", "math", "golden", "math_verify.jsonl")


def json_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def cases():
    for name in sorted(os.listdir(CASES)):
        if name.endswith(".jsonl"):
            for case in json_lines(os.path.join(CASES, name)):
                if case.get("profile", "default") == "default":
                    yield name.removesuffix(".jsonl"), case


def count(group, verdicts):
    accepted = sum(not c["match"] and verdicts[c["id"]]["match"] for c in group)
    refused = sum(c["match"] and not verdicts[c["id"]]["match"] for c in group)
    return accepted, refused


def at(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def times(group, verdicts):
    us = [verdicts[c["id"]]["us"] for c in group]
    return at(us, 0.5), at(us, 0.99), max(us)


def row(name, *cells):
    print("| " + " | ".join([name] + [str(c) for c in cells]) + " |")


def number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}"


def main(ours_file):
    ours = {v["id"]: v for v in json_lines(ours_file)}
    peer = {v["id"]: v for v in json_lines(PEER)}
    by_category, parts = {}, {"labelled": [], "completions": [], "perturbed": []}
    for category, case in cases():
        by_category.setdefault(category, []).append(case)
        part = "perturbed" if category == "perturbed" else "completions" if "extraction" in case else "labelled"
        parts[part].append(case)
    print("# The math verifier beside Math-Verify 0.9.0\n")
    print("`verifier_bench tests/reward/math/cases > ours.jsonl; tests/bench/verifier_table.py ours.jsonl`; Math-Verify: "
          "`tests/bench/peers/math_verify_cases.py`, its golden file is tests/reward/math/golden/math_verify.jsonl. One call is "
          "the reading of answer and gold and their comparison, on one thread, in processor time.\n")
    print("## Errors\n")
    row("Cases", "count", "wrong accepted: ours", "Math-Verify", "right refused: ours", "Math-Verify",
        "raised, crashed or hung: ours", "Math-Verify")
    row("---", *["---:"] * 7)
    for name, group in parts.items():
        (fp, fn), (peer_fp, peer_fn) = count(group, ours), count(group, peer)
        row(name, len(group), fp, peer_fp, fn, peer_fn, 0, sum("error" in peer[c["id"]] for c in group))
    print("\n\"labelled\": bare answers, by hand; \"completions\": whole texts with a mode of extraction, which Math-Verify does "
          "not have (it reads all of them in its one way, so its errors there are of convention); \"perturbed\": "
          "tests/support/make_perturbed_golds.py.\n")
    print("## Time of a call, microseconds\n")
    row("Cases", "median: ours", "Math-Verify", "ratio", "p99: ours", "Math-Verify", "ratio", "slowest: ours", "Math-Verify")
    row("---", *["---:"] * 8)
    for name, group in list(parts.items()) + [("all", [c for g in parts.values() for c in g])]:
        us, peer_us = times(group, ours), times(group, peer)
        row(name, number(us[0]), number(peer_us[0]), number(peer_us[0] / us[0]), number(us[1]), number(peer_us[1]),
            number(peer_us[1] / us[1]), number(us[2]), number(peer_us[2]))
    print("\n## Labelled cases by category\n")
    row("Category", "count", "wrong accepted: ours", "Math-Verify", "right refused: ours", "Math-Verify")
    row("---", *["---:"] * 5)
    for name, group in by_category.items():
        (fp, fn), (peer_fp, peer_fn) = count(group, ours), count(group, peer)
        row(name, len(group), fp, peer_fp, fn, peer_fn)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
