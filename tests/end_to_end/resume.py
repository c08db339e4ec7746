"""A run that was killed or interrupted and then resumed equals the run that never stopped, bit for bit."""
import json
import os
import signal
import subprocess
import sys

from runs import checkpoints, fail, half_written, lines, same_files, same_run, train, train_until

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


def failing_disk(folder):
    """A library whose msync says what a disk says that lost a page."""
    source, library = os.path.join(folder, "msync.c"), os.path.join(folder, "msync.so")
    with open(source, "w") as out:
        out.write("#include <errno.h>\n#include <stddef.h>\nint msync(void* a, size_t n, int f) { errno = EIO; return -1; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def main(temporary):
    calm = os.path.join(temporary, "calm")
    print("  a run of 12 cold-start and 6 GRPO steps, undisturbed")
    train(CONFIG, calm)

    print("  kill -9 during GRPO step 4, then --resume auto")
    run = killed_in_step_four(os.path.join(temporary, "killed"))
    if not resumed(run).endswith("stage grpo, step 3 done"):
        fail("the log does not name step 3 of stage grpo")
    same_run(calm, run)

    print("  masters and moments in files: kill -9, then --resume auto")
    state = os.path.join(os.environ["PONDER_BUILD"], "resume_state")  # a disk; temporary files may lie in memory
    offloaded = f"model.offload_folder={state}"
    run = killed_in_step_four(os.path.join(temporary, "offloaded"), offloaded)
    resumed(run, offloaded, "run.pin_threads=true")
    same_run(calm, run)
    if os.listdir(state):
        fail("model.offload_folder holds files after its runs ended")
    print("  a disk that fails under them ends the run before a checkpoint")
    run = os.path.join(temporary, "failing")
    log = train(CONFIG, run, offloaded, environment={"LD_PRELOAD": failing_disk(temporary)}, expect=1)
    if "the disk failed to write (Input/output error)" not in log or checkpoints(run):
        fail(f"a failed write was not told, or a checkpoint was made of it:\n{log}")

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

    print("  --resume of an earlier checkpoint: the later ones are set aside")
    again = os.path.join(temporary, "again")
    train(CONFIG, again, "checkpoint.keep_last=9")
    earlier = os.path.join(again, "checkpoints", f"step-{COLD_STEPS + 4:06d}")
    with open(os.path.join(earlier, "trainer", "state.json")) as file:
        if not json.load(file)["summary"]["stages"][-1]["seconds"] > 0:
            fail("a checkpoint in the middle of a stage does not know how long that took")
    os.makedirs(os.path.join(again, "checkpoints", ".step-000099.partial"))
    told = train(CONFIG, again, f"checkpoint.resume={earlier}", "checkpoint.keep_last=9")
    for step in (COLD_STEPS + 5, COLD_STEPS + 6):
        if f"abandoned-step-{step:06d}" not in told:
            fail(f"checkpoint {step}, later than the one that was resumed, is not set aside:\n{told}")
        same_files(os.path.join(again, "checkpoints", f"step-{step:06d}"), os.path.join(again, "checkpoints", f"abandoned-step-{step:06d}"),
                   "*.safetensors")
    same_run(calm, again)
    if half_written(again):
        fail(f"a half-written checkpoint is still there: {half_written(again)}")

    print("  another keep_best: what was kept by the one before is not compared with it")
    best = os.path.join(temporary, "best")
    train(CONFIG, best, "stage.grpo.steps=2", "checkpoint.keep_best=eval/mean_length", "checkpoint.best_is=max")
    train(CONFIG, best, "checkpoint.keep_best=eval/accuracy", resume=True)
    with open(os.path.join(best, "checkpoints", "best", "best.json")) as file:
        if json.load(file)["metric"] != "eval/accuracy":
            fail("no accuracy is better than a length")

    print("  resuming a run that is over changes nothing")
    train(CONFIG, run, resume=True)
    same_run(calm, run)

    print("  another learning rate is refused")
    told = train(CONFIG, run, "stage.grpo.optimizer.lr=0.5", resume=True, expect=2)
    if "optimizer.lr" not in told and "lr" not in told:
        fail(f"the refusal does not name the setting:\n{told}")


main(sys.argv[1])
