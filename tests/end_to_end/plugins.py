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

    evaluations(temporary)
    ahead_and_refilled(temporary)


def evaluations(temporary):
    """An outage in each of the stage's evaluations: 16 requests each, after 32 of the cold start's; 32 for two steps."""
    print("  a breakdown in an evaluation loses no step, and the run goes on with that evaluation: the same bits")
    settings = ("data.eval=generator:arithmetic", "data.eval_problems=8", "stage.grpo.eval.every_steps=2")
    calm = os.path.join(temporary, "evaluated")
    train(CONFIG, calm, *settings, environment=CALM)
    for when, request, step in (("before", 40, 12), ("during", 85, 14), ("after", 130, 16)):
        run = os.path.join(temporary, f"broken-{when}")
        told = train(CONFIG, run, *settings, environment=plan(temporary, f"broken-{when}", broken_from=request), expect=1)
        if "of the evaluation could not be scored" not in told or "--resume auto" not in told:
            fail(f"the evaluation's failure and the way on expected, got:\n{told}")
        if checkpoints(run)[-1] != f"step-{step:06d}":
            fail(f"a checkpoint after step {step} expected, there are {checkpoints(run)}")
        # Out of order still, and then killed between the evaluation and the next checkpoint: its line must not stand there twice.
        train(CONFIG, run, *settings, resume=True, environment=plan(temporary, f"still-{when}", broken_from=5), expect=1)
        evaluation = next(line for line in lines(calm) if "eval/accuracy" in line and line["stage"] == "grpo" and line["step"] == step - 12)
        with open(f"{run}/metrics.jsonl", "a") as file:
            file.write(json.dumps(evaluation) + "\n")
        train(CONFIG, run, *settings, resume=True, environment=CALM)
        same_run(calm, run)


def ahead_and_refilled(temporary):
    print("  a breakdown a step ahead, with refilling: the saved samples are scored again and trained on")
    settings = ("rollout.max_staleness_steps=1", "filter.zero_variance=refill", "filter.max_refills=8",
                "rollout.prompts_per_step=4")
    calm, run = os.path.join(temporary, "ahead"), os.path.join(temporary, "broken-ahead")
    train(CONFIG, calm, *settings, environment=CALM)
    train(CONFIG, run, *settings, environment=plan(temporary, "broken-ahead", broken_from=2), expect=1)
    train(CONFIG, run, *settings, resume=True, environment=CALM)
    first, again = ([line for line in lines(folder) if line["stage"] == "grpo"] for folder in (calm, run))
    if [line["step"] for line in again] != [1, 2, 3, 4] or not all(line["step_tokens"] > 0 for line in again):
        fail(f"a step trained on nothing: {again}")
    if again[0]["loss"] != first[0]["loss"] or again[0]["step_tokens"] != first[0]["step_tokens"]:
        fail(f"the first step is not that of the undisturbed run:\n{first[0]}\n{again[0]}")


main(sys.argv[1])
