"""Equal seeds give equal runs: again, with another number of threads, and on every instruction set."""
import os
import sys

from runs import fail, same_run, text_without_times, train

CONFIG = os.path.join(os.path.dirname(__file__), "tiny.toml")


def main(temporary):
    def run(name, *settings, **environment):
        folder = os.path.join(temporary, name)
        train(CONFIG, folder, *settings, environment=environment)
        return folder

    first = run("first")
    for title, other in (
        ("the same seed again", lambda: run("again")),
        ("two threads", lambda: run("threads", "run.threads=2")),
        ("three threads, small forward passes and micro-batches",
         lambda: run("batches", "run.threads=3", "rollout.max_tokens_per_batch=64", "rollout.max_sequences=24",
                     "optimizer.max_tokens_per_microbatch=512")),
        ("PONDER_ISA=avx2", lambda: run("avx2", PONDER_ISA="avx2")),
        ("PONDER_ISA=plain", lambda: run("plain", PONDER_ISA="plain")),
    ):
        print("  " + title)
        same_run(first, other())
    print("  another seed gives another run")
    if text_without_times(first) == text_without_times(run("seed", "run.seed=4")):
        fail("two seeds wrote the same metrics")


main(sys.argv[1])
