"""Common problems of public sets, by `ponder data contamination`, against counts made another way.

The counts were made in Python from str.isalnum() and str.casefold(). They hold for the files whose sizes
../shared/data/*/SOURCE.md gives. With an argument the tables are written to that file.
"""
import json
import os
import subprocess
import sys
import time

from runs import PONDER, fail

DATA = "../shared/data"
FILES = {
    "math500": "math500/test.jsonl", "math_test": "math_test/test.jsonl", "math_train": "math_train/train.json",
    "aime_train": "aime_train/train.json", "aime24": "aime24/test.jsonl", "aime25": "aime25/test.jsonl", "amc23": "amc23/test.jsonl",
    "deepmath_5k": "deepmath_5k/train.jsonl", "olympiadbench": "olympiadbench/test.jsonl", "minerva_math": "minerva_math/test.jsonl",
    "comp_math_24_25": "comp_math_24_25/test.jsonl", "gsm8k_train": "gsm8k/train.jsonl", "gsm8k_test": "gsm8k/test.jsonl",
    "mbpp": "mbpp/mbpp.jsonl", "sanitized_mbpp": "mbpp/sanitized-mbpp.json",
}
# (training set, test set): rows of the training set that match exactly, normalised; rows of the test set normalised
KNOWN = {
    ("math500", "math_test"): (500, 500, 500), ("math500", "math_train"): (0, 0, 0),
    ("math_train", "math_test"): (0, 9, 10), ("math_train", "math500"): (0, 0, 0),
    ("aime_train", "math500"): (1, 6, 6), ("aime_train", "math_test"): (18, 40, 40), ("aime_train", "math_train"): (18, 356, 357),
    ("aime_train", "aime24"): (0, 0, 0),
    ("deepmath_5k", "math_test"): (145, 145, 145), ("deepmath_5k", "math_train"): (258, 285, 286),
    ("deepmath_5k", "math500"): (0, 0, 0), ("deepmath_5k", "olympiadbench"): (0, 0, 0),
    ("gsm8k_train", "gsm8k_test"): (0, 0, 0),
}
# Further pairs of the table, without a known number.
OTHERS = [("math_train", "olympiadbench"), ("math_train", "minerva_math"), ("math_train", "amc23"), ("aime_train", "aime25"),
          ("aime_train", "amc23"), ("aime_train", "olympiadbench"), ("deepmath_5k", "minerva_math"), ("deepmath_5k", "amc23"),
          ("deepmath_5k", "comp_math_24_25"), ("mbpp", "sanitized_mbpp")]
COMPLETIONS = ["deepmath_5k", "math_test", "gsm8k_train", "olympiadbench", "aime_train"]


def path(name):
    return f"{DATA}/{FILES[name]}"


def compare(train, tests):
    start = time.perf_counter()
    command = [PONDER, "data", "contamination", path(train), *map(path, tests), "--json", "--examples", "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        fail(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    found = json.loads(done.stdout)
    if (done.returncode == 1) != any(t["train_rows_in_test"]["normalised"] for t in found["tests"]):
        fail(f"{' '.join(command)}: exit code {done.returncode} and its counts differ")
    return dict(zip(tests, found["tests"])), found["train_rows"], seconds


def rows_of(train, pairs):
    tests = [test for one, test in pairs if one == train]
    found, train_rows, seconds = compare(train, tests)
    for test in tests:
        t = found[test]
        a, b = t["train_rows_in_test"], t["test_rows_in_train"]
        got = (a["exact"], a["normalised"], b["normalised"])
        known = KNOWN.get((train, test))
        if known and got != known:
            fail(f"{train} in {test}: exact, normalised, normalised rows of the test set: {got}, expected {known}")
        yield (f"| {train} | {train_rows} | {test} | {b['rows']} | {a['exact']} | {a['normalised']} | {t['normalised_with_other_numbers']} | "
               f"{a['overlap_13_words']} | {b['normalised']} | {b['overlap_13_words']} | {'as expected' if known else ''} |")
    print(f"{train}: {len(tests)} test sets in {seconds:.2f} s")


def identity():
    for name in COMPLETIONS:
        done = subprocess.run([PONDER, "data", "identity", path(name), "--json"], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            fail(f"ponder data identity {path(name)} ended with {done.returncode}: {done.stderr}")
        report = json.loads(done.stdout)[0]
        if report["claims"]:
            fail(f"{name}: claims where there are none: {report['claims'][:3]}")
        yield f"| {name} | {report['rows']} | 0 |"


def main():
    if not os.path.isdir(DATA):
        print(f"skipped: {DATA} is not there")
        return
    pairs = list(KNOWN) + OTHERS
    table = [row for train in dict.fromkeys(train for train, _ in pairs) for row in rows_of(train, pairs)]
    claims = list(identity())
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as out:
            out.write("# Common problems of public data sets\n\n"
                      "`tests/end_to_end/contamination.sh tests/results/contamination.md`; each row is `ponder data contamination TRAIN TEST`. "
                      "*Exact*: the same bytes. *Normalised*: the same letters and digits, exact ones included. *Other numbers*: normalised "
                      "matches that have other numbers or signs and so are other problems (22.5 and 225, x + 3 and x - 3); `ponder check` "
                      "does not count them. *13 words*: further rows that "
                      "share 13 words in a row. *As expected*: a script of another make counts the same.\n\n"
                      "| Training set | rows | Test set | rows | exact | normalised | other numbers | 13 words | test rows normalised | "
                      "test rows 13 words | |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
            out.write("\n".join(table))
            out.write("\n\nClaims to be another vendor's assistant (`ponder data identity FILE`):\n\n| File | rows | claims |\n| --- | --- | --- |\n")
            out.write("\n".join(claims) + "\n")


main()
