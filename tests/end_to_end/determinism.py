"""Equal seeds give equal runs: again, with another number of threads, and on every instruction set."""
import json
import os
import sys

from runs import fail, same_run, text_without_times, train

CONFIG = os.path.join(os.path.dirname(__file__), "tiny.toml")


def check_trace(folder):
    """trace.json loads, and shows every part of a GRPO step."""
    with open(f"{folder}/trace.json") as file:
        events = json.load(file)
    spans = [event for event in events if event["ph"] == "X"]
    missing = {"step", "prompts", "rollout", "prefill", "decode", "draw", "reward", "reward wait", "train", "pack", "forward", "score",
               "backward", "optimizer", "checkpoint", "evaluation"} - {event["name"] for event in spans}
    if missing:
        fail(f"trace.json shows no {', '.join(sorted(missing))}")
    if not all(event["ts"] >= 0 and event["dur"] >= 0 for event in spans):
        fail("trace.json has a span before the run or of negative length")
    lanes = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    if lanes != {"training", "rewards", "prompts"}:
        fail(f"trace.json has the lanes {lanes}")


def main(temporary):
    def run(name, *settings, trace=False, **environment):
        folder = os.path.join(temporary, name)
        train(CONFIG, folder, *settings, trace=trace, environment=environment)
        if trace:
            check_trace(folder)
        return folder

    first = run("first")
    for title, other in (
        ("the same seed again", lambda: run("again")),
        ("two threads", lambda: run("threads", "run.threads=2")),
        ("three threads, small forward passes and micro-batches",
         lambda: run("batches", "run.threads=3", "rollout.max_tokens_per_batch=64", "rollout.max_sequences=24",
                     "optimizer.max_tokens_per_microbatch=512")),
        ("without the prefix cache, with a trace", lambda: run("prefix", "rollout.prefix_cache=false", trace=True)),
        ("PONDER_ISA=avx2", lambda: run("avx2", PONDER_ISA="avx2")),
        ("PONDER_ISA=plain", lambda: run("plain", PONDER_ISA="plain")),
    ):
        print("  " + title)
        same_run(first, other())
    print("  an over-provisioned run twice, with one thread and with three")
    same_run(run("more", "rollout.overprovision=1.5"), run("more-threads", "rollout.overprovision=1.5", "run.threads=3"))
    print("  another seed gives another run")
    if text_without_times(first) == text_without_times(run("seed", "run.seed=4")):
        fail("two seeds wrote the same metrics")


main(sys.argv[1])
