"""A reward plug-in that is killed, hangs, lies and is slow in the middle of a run: no score is made up, and nothing is lost that
need not be; an outage stops the run with a checkpoint, from which it ends in the bits of the run that had none."""
import glob
import json
import os
import sys

import judge
from runs import checkpoints, fail, lines, same_run, train

CONFIG = os.path.join(os.path.dirname(__file__), "plugins.toml")
STEP = 16 * 8  # completions
CALM = {"PATH": "/usr/bin:" + os.environ["PATH"]}  # Debian's Python starts at once; another may be a script that looks for it


def plan(temporary, name, **faults):
    """The environment in which judge.py follows the plan."""
    folder = os.path.join(temporary, name + "-requests")
    os.mkdir(folder)
    file = os.path.join(temporary, name + ".json")
    with open(file, "w") as out:
        json.dump({"folder": folder, "faults": {}, **faults}, out)
    return {**CALM, "PONDER_JUDGE_PLAN": file}


def samples(run):
    for file in sorted(glob.glob(f"{run}/rollouts/grpo-*.jsonl")):
        with open(file) as dump:
            yield from (json.loads(line) for line in dump)


def completions_with(run, share):
    return [round(line[share] * STEP) for line in lines(run) if line["stage"] == "grpo"]


def scores_are_true(run):
    """Each reward is the judge's score of that very completion; without one it is null."""
    scored = 0
    for sample in samples(run):
        right = judge.score({"completion": sample["completion"], "truth": sample["answer"]})
        if sample["status"] == "scored" and sample["reward"] == sample["components"]["judge"] == right:
            scored += 1
        elif sample["reward"] is not None or sample["status"] not in ("timeout", "infra_error") or "judge" in sample.get("components", {}):
            fail(f"{run}: a score that is not the completion's own: {sample}")
    return scored


def main(temporary):
    calm = os.path.join(temporary, "calm")
    print("  a run of 12 cold-start and 4 GRPO steps whose plug-in never fails")
    train(CONFIG, calm, environment=CALM)
    if scores_are_true(calm) != 4 * STEP:
        fail("not every completion was scored")

    print("  a plug-in that dies twice and is slow twice costs nothing: the same bits")
    run = os.path.join(temporary, "dying")
    train(CONFIG, run, environment=plan(temporary, "dying", faults={"5": "die", "20": "slow", "33": "die", "40": "slow"}))
    same_run(calm, run)

    print("  one that hangs and lies costs the completions that it had, each counted")
    run = os.path.join(temporary, "hanging")
    settings = ("filter.max_infra_error_share=0.2",)
    train(CONFIG, run, *settings, environment=plan(temporary, "hanging", faults={"10": "hang", "25": "lie", "26": "die", "50": "slow"}))
    late, failed = completions_with(run, "rewards/judge/timeout_share"), completions_with(run, "rewards/judge/error_share")
    print(f"    completions without a score, by step: {late} timed out, {failed} failed")
    if len(late) != 4 or sum(late) != 8 or sum(failed) != 8:
        fail("one group of 8 should have timed out and one failed")
    if completions_with(run, "completions/unscored_share") != [a + b for a, b in zip(late, failed)]:
        fail("completions/unscored_share does not add up")
    if scores_are_true(run) != 4 * STEP - 16:
        fail("more completions than those two groups have no score")

    print("  one that breaks down stops the run, with a checkpoint")
    run = os.path.join(temporary, "broken")
    told = train(CONFIG, run, environment=plan(temporary, "broken", broken_from=24), expect=1)
    message = told[told.rindex("stage grpo, step 2: "):].strip().splitlines()
    print("\n".join("    " + line.replace(run, "RUN")[:150] for line in message))
    if "filter.max_infra_error_share" not in message[0] or "--resume auto" not in message[-1] or len(message) != 2:
        fail(f"two lines that name the limit and the way on expected, got:\n{told}")
    if checkpoints(run)[-1] != "step-000013" or "step-000013" not in message[-1]:
        fail(f"a checkpoint after the last whole step (12 + 1) expected, there are {checkpoints(run)}")
    if lines(run)[-1]["step"] != 2 or lines(run)[-1]["rewards/judge/error_share"] <= 0.05:
        fail(f"the failed step's counts are not in metrics.jsonl: {lines(run)[-1]}")

    print("  and goes on from there when the plug-in works again: the bits of the run that never stopped")
    train(CONFIG, run, resume=True, environment=CALM)
    same_run(calm, run)


main(sys.argv[1])
