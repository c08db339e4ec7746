"""Instructions of each op of counted_ops, by callgrind, against a table. Usage: instruction_counts.py PROGRAM [--record]

AVX2 and plain paths (valgrind knows no AVX-512), one thread. More than 2 % away from the table fails: an op that became
slower, and also one that became faster, so that the table is recorded again and guards the gain.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instruction_counts.json")
TOLERANCE = 0.02


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def counts(program, isa):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", program],
            env={"PATH": os.environ["PATH"], "PONDER_ISA": isa},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            sys.exit(f"valgrind ended with {done.returncode}:\n{done.stdout[-2000:]}")
        found = {}
        for file in sorted(glob.glob(f"{folder}/out.*"), key=lambda name: int(name.rsplit(".", 1)[1])):
            text = open(file).read()
            name, total = (
                re.search(r"Trigger: Client Request: (.*)", text),
                re.search(r"^(?:summary|totals): (\d+)", text, re.M),
            )
            if name and total:
                found[name.group(1)] = int(total.group(1))
        return found


def compare(isa, name, expected, got):
    if got is None:
        return f"{isa}: {name}: is in the table but was not counted"
    if expected is None:
        return f"{isa}: {name}: {got:,} instructions, not in the table"
    change = got / expected - 1
    if abs(change) <= TOLERANCE:
        return None
    return (
        f"{isa}: {name}: {got:,} instructions instead of {expected:,}: {abs(change):.1%} {'slower' if change > 0 else 'faster'}"
    )


def main(program, record):
    compiler = subprocess.run([program, "--compiler"], text=True, stdout=subprocess.PIPE, check=True).stdout.strip()
    if not record:
        table = json.load(open(TABLE))
        if table["compiler"] != compiler:
            skip(f"the table is for {table['compiler']}, the program was built by {compiler}")
    if "sanitizers" in compiler:
        sys.exit(f"this build ({compiler}) is not the one to record; use the release preset")
    if " avx2 " not in open("/proc/cpuinfo").read():
        skip("this processor has no AVX2")
    found = {isa: counts(program, isa) for isa in ("avx2", "plain")}
    if not all(found.values()):
        sys.exit("valgrind counted nothing")
    if record:
        with open(TABLE, "w") as out:
            out.write(json.dumps({"compiler": compiler, "counts": found}, indent=1) + "\n")
        print(f"recorded {sum(map(len, found.values()))} counts in {TABLE}")
        return 0
    wrong = [
        compare(isa, name, table["counts"][isa].get(name), found[isa].get(name))
        for isa in found
        for name in {**table["counts"][isa], **found[isa]}
    ]
    wrong = [line for line in wrong if line]
    print("\n".join(wrong) or f"{sum(map(len, found.values()))} counts within {TOLERANCE:.0%} of the table")
    if wrong:
        print(f"If that is meant, record the table again: {sys.executable} {sys.argv[0]} {program} --record")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--record" in sys.argv))
