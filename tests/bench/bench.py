"""Runs the benchmarks, beside other tools where these are found, and writes JSON and one Markdown page.

Usage: bench.py [ops|engine|step|all] --build BUILD --output DIR [--quick] [--rounds N] [--model DIR] [--install-peers]
                [--no-peers] [--require]

--quick: small settings, one round; numbers to try the benchmarks, not to publish. --require: ends with 1 if a goal is
missed or was not measured. Peers: llama.cpp and a Python with torch, transformers and trl; see peers/find.py. One that is missing is
reported as not measured; --install-peers downloads and builds it (about 3 GB).
"""

import argparse
import datetime
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "peers")]

import find
from goals import not_reached
from levels import LEVELS
from tables import load, whole_page


def first_line(*command):
    try:
        return subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        ).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def machine():
    names = [line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    family = [line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith(("cpu family", "model\t"))][:2]
    root = os.path.dirname(os.path.dirname(HERE))
    return {
        "processor": f"{names[0] if names else 'unknown'} (family {', model '.join(family)})",
        "cores": len(os.sched_getaffinity(0)),
        "commit": first_line("git", "-C", root, "rev-parse", "--short", "HEAD"),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "load_average": os.getloadavg(),
    }


class Settings:
    """What every level needs to know."""

    def __init__(self, arguments):
        self.build, self.output, self.model, self.quick = (
            arguments.build,
            os.path.abspath(arguments.output),
            arguments.model,
            arguments.quick,
        )
        self.rounds = arguments.rounds or (1 if arguments.quick else 5)
        self.llama = None if arguments.no_peers else find.llama()
        self.python = None if arguments.no_peers else find.python()
        self.threads = len(os.sched_getaffinity(0))

    def ours(self, program, *words):
        """Runs a benchmark of this build; returns the JSON that it writes."""
        file = os.path.join(self.output, f".{program}.json")
        command = [os.path.join(self.build, "bench", program), *words, "--json", file] + (["--quick"] if self.quick else [])
        log = open(os.path.join(self.output, f"{program}.log"), "a")
        find.say(f"{program} {' '.join(words)}")
        if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode:
            sys.exit(f"bench: {program} failed; see {log.name}")
        document = json.load(open(file))
        os.remove(file)
        return document

    def peer(self, script, asked):
        """Runs a peer's script under the peer's Python, best thread settings; returns the JSON that it prints, or None."""
        if not self.python:
            return None
        find.say(f"{script} {json.dumps({k: v for k, v in asked.items() if k in ('dtype', 'dtypes', 'sequences')})}")
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(self.threads),
            "GOMP_SPINCOUNT": "10000",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [self.python, os.path.join(HERE, "peers", script)],
            input=json.dumps(asked),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        if done.returncode:
            find.say(f"{script} failed and is reported as not measured:\n{done.stderr[-2000:]}")
            return None
        return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(prog="ponder bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("level", nargs="?", default="all", choices=[*LEVELS, "all"])
    parser.add_argument("--output", required=True, metavar="DIR")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--model", default="models/smollm2-135m", metavar="DIR", help="SmolLM2-135M: ./ponder fetch smollm2-135m"
    )
    parser.add_argument("--quick", action="store_true", help="small settings, one round: to try the benchmarks, not to publish")
    parser.add_argument("--rounds", type=int, help="rounds that Ponder and its peers are measured in, in turn (5)")
    parser.add_argument(
        "--install-peers", action="store_true", help="build llama.cpp and install torch, transformers and trl where missing"
    )
    parser.add_argument("--no-peers", action="store_true", help="measure Ponder alone")
    parser.add_argument("--require", action="store_true", help="end with 1 if a goal of these levels is missed or was not measured")
    arguments = parser.parse_args()
    wanted = list(LEVELS) if arguments.level == "all" else [arguments.level]
    if wanted != ["ops"] and not os.path.exists(os.path.join(arguments.model, "config.json")):
        sys.exit(f"bench: {arguments.model} is no model folder; run ./ponder fetch smollm2-135m, or name one with --model")
    if arguments.install_peers:
        find.install()
    os.makedirs(arguments.output, exist_ok=True)
    settings = Settings(arguments)
    for level in wanted:
        document = LEVELS[level](settings)
        document["machine"].update(machine())
        document["quick"] = arguments.quick
        with open(os.path.join(arguments.output, level + ".json"), "w") as out:
            json.dump(document, out, indent=1)
    documents = load(arguments.output)
    page = os.path.join(arguments.output, "bench.md")
    with open(page, "w") as out:
        out.write(whole_page(documents))
    left = not_reached(documents, wanted if arguments.require else [])
    for goal in left:
        measured = "" if goal["measured"] is None else f" {goal['measured']:.3g},"
        print(f"{goal['verdict']}: {goal['what']}:{measured} {goal['bound']}")
    print(f"results: {page} and {', '.join(level + '.json' for level in documents)} beside it")
    return 1 if arguments.require and left else 0


if __name__ == "__main__":
    sys.exit(main())
