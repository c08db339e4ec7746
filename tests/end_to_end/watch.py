"""Disturbs short runs: signals, alarms, updates that are not finite, a folder that refuses files, output that nobody takes. See
watch.sh."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import runs

TINY = "tests/end_to_end/tiny.toml"


def events(folder, kind):
    with open(f"{folder}/events.jsonl") as file:
        return [event for event in map(json.loads, file) if event["kind"] == kind]


def check(truth, text):
    if not truth:
        runs.fail(text)


def weights(folder):
    with open(f"{folder}/final/model.safetensors", "rb") as file:
        return file.read()


def steps_done(folder, stage):
    try:
        with open(f"{folder}/metrics.jsonl") as file:
            return sum(f'"stage":"{stage}"' in line and '"loss"' in line for line in file)
    except FileNotFoundError:
        return 0


def alarms(work, undisturbed):
    printed = runs.train(TINY, f"{work}/warned", "stage.grpo.alarm.entropy_low=50", "stage.grpo.alarm.window_steps=2")
    check("ALARM: stage grpo, step 2: entropy is" in printed, f"no alarm at step 2:\n{printed}")
    check(len(events(f"{work}/warned", "alarm")) == 1, "one alarm is one event")
    check(os.path.exists(f"{work}/warned/rollouts/grpo-000002.jsonl"), "the alarm's samples are not there")
    check(weights(f"{work}/warned") == undisturbed, "an alarm that warns changed the weights")

    folder = f"{work}/stopped"
    printed = runs.train(TINY, folder, "stage.grpo.alarm.entropy_low=50", "stage.grpo.alarm.window_steps=2", "alarm.action=stop",
                         expect=1)
    check("stopped after step 2 by an alarm" in printed and "--resume auto" in printed, f"the alarm did not stop the run:\n{printed}")
    runs.train(TINY, folder, resume=True)
    check(weights(folder) == undisturbed, "a run that an alarm stopped does not end in the undisturbed run's weights")
    print("  alarms warn or stop with a checkpoint; the samples are kept, the result is that of an undisturbed run")


def save_on_signal(work, undisturbed):
    folder = f"{work}/signalled"
    code, printed = runs.train_until(TINY, folder, lambda: steps_done(folder, "cold-start") >= 3, signal.SIGUSR1,
                                     settings=["checkpoint.every_steps=0", "checkpoint.keep_last=9"])
    check(code == 0, f"SIGUSR1: exit code {code}\n{printed}")
    check(len(events(folder, "signal")) == 1, "SIGUSR1 is no event")
    check(len(runs.checkpoints(folder)) == 3, f"SIGUSR1 made no checkpoint: {runs.checkpoints(folder)}")
    check(weights(folder) == undisturbed, "SIGUSR1 changed the weights")
    print("  SIGUSR1 saves after the step and the run goes on")


def hang_up(work):
    folder = f"{work}/hung-up"
    code, printed = runs.train_until(TINY, folder, lambda: steps_done(folder, "cold-start") >= 3, signal.SIGHUP,
                                     settings=["checkpoint.every_steps=0"])
    check(code == 130, f"SIGHUP: exit code {code}\n{printed}")
    check(len(runs.checkpoints(folder)) == 1, "a run whose terminal closed is not saved")
    print("  SIGHUP ends the run after the step, saved")


def nobody_listens(work, undisturbed):
    """The log on a full disk, and a reader that went away."""
    with open("/dev/full", "w") as full:
        code = subprocess.run(runs.command(TINY, f"{work}/full-log"), stdout=full, stderr=full).returncode
    check(code == 0, f"a log that cannot be written ended the run with {code}")
    check(weights(f"{work}/full-log") == undisturbed, "a log that cannot be written changed the weights")
    run = subprocess.Popen(runs.command(TINY, f"{work}/no-reader"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    run.stdout.readline()
    run.stdout.close()
    check(run.wait() == 0, f"a reader that went away ended the run with {run.returncode}")
    print("  output that nobody takes ends no run")


# A KL penalty of 1e300: nothing while the policy is its reference, and more than float32 holds after the first update.
def not_finite(work):
    infinite = "stage.grpo.kl.coef=1e300"
    printed = runs.train(TINY, f"{work}/refused", infinite, expect=1)
    check("the update is not applied" in printed and "on_non_finite" in printed, f"an infinite loss was not refused:\n{printed}")
    check(len(events(f"{work}/refused", "step_refused")) == 1, "a refused step is no event")
    runs.train(TINY, f"{work}/skipped", infinite, "optimizer.on_non_finite=skip")
    refused = events(f"{work}/skipped", "step_refused")
    check(len(refused) >= 1, "no step was refused")
    check(os.path.exists(f"{work}/skipped/rollouts/grpo-{refused[0]['step']:06d}.records"), "the refused step's samples are not there")
    print(f"  a loss that is not finite is never applied: the run stops, or skips the step ({len(refused)} of 6)")
    printed = runs.train(TINY, f"{work}/all-refused", infinite, "optimizer.on_non_finite=skip", "stage.grpo.steps=20",
                         "stage.grpo.kl.reference_every_steps=100", expect=1)
    check("the 10th refused update in a row" in printed, f"a run that refuses every update goes on:\n{printed}")
    print("  ten refused updates in a row end the run")


def train_past_a_refusal(folder, place, *settings):
    """A file stands where the run wants its folder `place`, and goes away once that was refused. Returns what the run printed."""
    os.mkdir(folder)
    open(f"{folder}/{place}", "w").close()

    def unblock():
        while not (os.path.exists(f"{folder}/events.jsonl") and events(folder, "save_failed")):
            time.sleep(0.005)
        os.remove(f"{folder}/{place}")

    helper = threading.Thread(target=unblock, daemon=True)
    helper.start()
    printed = runs.train(TINY, folder, *settings)
    helper.join()
    return printed


def refused_saves(work, undisturbed):
    folder = f"{work}/blocked"
    printed = train_past_a_refusal(folder, "checkpoints", "checkpoint.every_steps=1")
    check("no checkpoint at step 1, it is tried again after the next" in printed, f"a refused checkpoint was not told:\n{printed}")
    check(len(runs.checkpoints(folder)) == 2, "no checkpoints once there was room")
    check(weights(folder) == undisturbed, "refused checkpoints changed the weights")
    print("  checkpoints that the disk refuses are told and tried again; the run goes on")


def refused_samples(work, undisturbed):
    folder = f"{work}/no-samples"
    os.mkdir(folder)
    open(f"{folder}/rollouts", "w").close()
    printed = runs.train(TINY, folder, "log.dump_rollouts_every=1")
    check(printed.count("are not kept, nor later ones") == 1, f"refused samples are not told once:\n{printed}")
    check(len(events(folder, "dump_failed")) == 1, "refused samples are no event")
    check(weights(folder) == undisturbed, "refused samples changed the weights")
    check(os.path.getsize(f"{folder}/report.html") > 10000, "a run without samples has no report")
    print("  samples that the disk refuses are told; the run goes on")


def refused_end(work, undisturbed):
    folder = f"{work}/no-stage-end"
    printed = train_past_a_refusal(folder, "checkpoints", "checkpoint.every_steps=0")
    check("the checkpoint could not be saved" in printed, f"a refused checkpoint at a stage's end was not told:\n{printed}")
    check(len(runs.checkpoints(folder)) == 2, f"the end of a stage was not kept until there was room: {runs.checkpoints(folder)}")
    folder = f"{work}/no-end"
    printed = train_past_a_refusal(folder, "final")
    check("the final model could not be saved" in printed, f"a refused final model was not told:\n{printed}")
    check(weights(folder) == undisturbed, "a refused final model changed the weights")
    print("  the ends of stages and the final model wait for a disk that refuses them")


# A data file that nobody writes: reading it never ends.
def hangs(work):
    os.mkfifo(f"{work}/never")
    printed = runs.train(TINY, f"{work}/hung", f"data.train={work}/never", "run.wait_deadline_s=0.3", expect=3)
    check(f"waiting for {work}/never to be read since" in printed, f"a wait past its deadline was not told:\n{printed}")
    check("state S" in printed and f"waits for {work}/never to be read" in printed, f"no report of the threads:\n{printed}")
    print("  a wait past its deadline ends the run and says what every thread does")
    # The folder's disk hangs as well: stuck.txt is never opened. And nobody takes what the run prints.
    folder = f"{work}/hung-disk"
    os.mkdir(folder)
    os.mkfifo(f"{folder}/stuck.txt")
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    run = subprocess.Popen(runs.command(TINY, folder, f"data.train={work}/never", "run.wait_deadline_s=0.3"), stderr=write)
    try:
        check(run.wait(timeout=30) == 3, f"with a hung disk the run ended with {run.returncode}")
    finally:
        run.kill()
    os.close(read)
    os.close(write)
    print("  also when neither the report nor its file can be written")


def stands_still(work):
    """Ctrl-Z, or a paused container: the time in which the run itself stood still is nobody's waiting. And SIGUSR1 this early."""
    words = runs.command(TINY, f"{work}/paused", f"data.train={work}/never", "run.wait_deadline_s=1.5")
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(0.5)
    run.send_signal(signal.SIGUSR1)
    run.send_signal(signal.SIGSTOP)
    time.sleep(4)
    run.send_signal(signal.SIGCONT)
    printed = run.communicate()[0]
    check(run.returncode == 3, f"a wait in a run that was paused ended with {run.returncode}:\n{printed}")
    waited = float(printed.split("to be read since ")[1].split(" s")[0])
    check(waited < 4, f"the time of the pause was counted: {waited} s")
    print("  the time in which a run is paused is no waiting; SIGUSR1 before the first step ends nothing")


def two_at_once(work, undisturbed):
    folder = f"{work}/two"
    with open(f"{folder}.log", "w") as log:
        first = subprocess.Popen(runs.command(TINY, folder), stdout=log, stderr=log)
    while steps_done(folder, "cold-start") < 2:
        check(first.poll() is None, "the run ended before a second one could be started")
        time.sleep(0.005)
    first.send_signal(signal.SIGSTOP)  # or it may be over too soon
    for resume in (False, True):
        printed = runs.train(TINY, folder, resume=resume, expect=2)
        check(f"another ponder (process {first.pid}) runs in this folder" in printed, f"two runs in one folder:\n{printed}")
    first.send_signal(signal.SIGCONT)
    check(first.wait() == 0 and weights(folder) == undisturbed, "a second start disturbed the run")
    check(not os.path.exists(f"{folder}.1") and not os.path.exists(f"{folder}/.lock"), "a second start moved the folder, or a lock is left")
    print("  a second run in the same folder is refused, with the first one's process")


def main():
    work = tempfile.mkdtemp()
    try:
        runs.train(TINY, f"{work}/undisturbed")
        undisturbed = weights(f"{work}/undisturbed")
        kinds = [json.loads(line)["kind"] for line in open(f"{work}/undisturbed/events.jsonl")]
        check(kinds[0] == "started" and kinds[-1] == "ended", f"events of an undisturbed run: {kinds}")
        alarms(work, undisturbed)
        save_on_signal(work, undisturbed)
        hang_up(work)
        nobody_listens(work, undisturbed)
        two_at_once(work, undisturbed)
        not_finite(work)
        refused_saves(work, undisturbed)
        refused_samples(work, undisturbed)
        refused_end(work, undisturbed)
        hangs(work)
        stands_still(work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
