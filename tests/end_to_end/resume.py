"""A run that was killed or interrupted and then resumed equals the run that never stopped, bit for bit."""
import os
import signal
import sys

from runs import checkpoints, fail, half_written, lines, same_run, train, train_until

CONFIG = os.path.join(os.path.dirname(__file__), "tiny.toml")
COLD_STEPS = 12  # of tiny.toml: GRPO step n is checkpoint step-(12 + n)


def resumed(folder, *settings):
    """Resumes the run; returns the step that the log names."""
    log = train(CONFIG, folder, *settings, resume=True)
    told = [line for line in log.splitlines() if line.startswith("resuming from ")]
    if len(told) != 1:
        fail(f"{folder}: one line 'resuming from' expected, got {told}; the log:\n{log}")
    print("    " + told[0].replace(folder, "RUN"))
    return told[0]


def last_step(folder):
    return max(line["step"] for line in lines(folder) if line["stage"] == "grpo")


def killed_in_step_four(folder, *settings):
    for attempt in range(5):
        run = f"{folder}{attempt}"
        code, _ = train_until(CONFIG, run, lambda: f"step-{COLD_STEPS + 3:06d}" in checkpoints(run), settings=settings)
        if code == -signal.SIGKILL and checkpoints(run)[-1] == f"step-{COLD_STEPS + 3:06d}":
            return run
    fail("five runs were all too fast to be killed during step 4")


def killed_while_saving(folder):
    """Killed when the checkpoint of a GRPO step after the second is half written."""
    for attempt in range(20):
        run = f"{folder}{attempt}"
        train_until(CONFIG, run, lambda: any(path[-14:-8] >= f"{COLD_STEPS + 3:06d}" for path in half_written(run)))
        left = half_written(run)
        if left and f"step-{left[0][-14:-8]}" not in checkpoints(run):
            return run, int(left[0][-14:-8]) - COLD_STEPS
    fail("twenty runs all finished their checkpoint before the kill")


def main(temporary):
    calm = os.path.join(temporary, "calm")
    print("  a run of 12 cold-start and 6 GRPO steps, undisturbed")
    train(CONFIG, calm)

    print("  kill -9 during GRPO step 4, then --resume auto")
    run = killed_in_step_four(os.path.join(temporary, "killed"))
    if not resumed(run).endswith("stage grpo, step 3 done"):
        fail("the log does not name step 3 of stage grpo")
    same_run(calm, run)

    print("  kill -9 while a checkpoint is being written")
    run, step = killed_while_saving(os.path.join(temporary, "saving"))
    if last_step(run) != step:
        fail(f"step {step} has no metrics line although its checkpoint was being written")
    if not resumed(run).endswith(f"stage grpo, step {step - 1} done"):
        fail(f"the half-written checkpoint of step {step} was picked up, or a whole one missed")
    same_run(calm, run)
    if half_written(run):
        fail(f"a half-written checkpoint is still there: {half_written(run)}")

    print("  Ctrl-C during a GRPO step: the step is finished, saved, exit code 130")
    run = os.path.join(temporary, "interrupted")
    code, log = train_until(CONFIG, run, lambda: f"step-{COLD_STEPS + 2:06d}" in checkpoints(run), signal.SIGINT)
    if code != 130:
        fail(f"exit code {code}; it printed:\n{log}")
    if checkpoints(run)[-1] != f"step-{COLD_STEPS + last_step(run):06d}":
        fail(f"the last step of metrics.jsonl is {last_step(run)}, the last checkpoint {checkpoints(run)[-1]}")
    resumed(run)
    same_run(calm, run)

    print("  kill -9 between the stages: the first stage's evaluation is written once")
    run = os.path.join(temporary, "between")
    train_until(CONFIG, run, lambda: f"step-{COLD_STEPS:06d}" in checkpoints(run))
    resumed(run)
    same_run(calm, run)

    print("  kill -9 during GRPO step 4 of an over-provisioned run")
    more = "rollout.overprovision=1.3"
    calm_more = os.path.join(temporary, "calm-more")
    train(CONFIG, calm_more, more)
    killed = killed_in_step_four(os.path.join(temporary, "killed-more"), more)
    resumed(killed, more)
    same_run(calm_more, killed)
    if not all(line["rollout/aborted_tokens"] > 0 for line in lines(killed) if "rollout/aborted_tokens" in line):
        fail("no tokens were aborted: nothing was over-provisioned")
    told = train(CONFIG, killed, more, "rollout.max_sequences=20", resume=True, expect=2)
    if "max_sequences" not in told:
        fail(f"with over-provisioning the engine's budgets change the result, but another one is not refused:\n{told}")

    print("  resuming a run that is over changes nothing")
    train(CONFIG, run, resume=True)
    same_run(calm, run)

    print("  another learning rate is refused")
    told = train(CONFIG, run, "stage.grpo.optimizer.lr=0.5", resume=True, expect=2)
    if "optimizer.lr" not in told and "lr" not in told:
        fail(f"the refusal does not name the setting:\n{told}")


main(sys.argv[1])
