"""Sampling ahead of training, and partial rollouts: staleness as set, and equal bits after a kill."""
import os
import signal
import sys

from runs import checkpoints, fail, lines, same_run, train, train_until

CONFIG = os.path.join(os.path.dirname(__file__), "tiny.toml")
COLD_STEPS = 4
STEPS = 6  # of the GRPO stage
SMALL = ["stage.cold-start.steps=4", "data.eval_problems=8", "log.dump_rollouts_every=0"]
PARTIAL = ["rollout.overprovision=1.5", "rollout.partial=true"]


def grpo(folder):
    return [line for line in lines(folder) if line["stage"] == "grpo" and "loss" in line]


def killed(folder, settings, step):
    """A run that was killed soon after the checkpoint of a GRPO step."""
    for attempt in range(5):
        run, name = f"{folder}{attempt}", f"step-{COLD_STEPS + step:06d}"
        code, _ = train_until(CONFIG, run, lambda: name in checkpoints(run), settings=settings)
        if code == -signal.SIGKILL and checkpoints(run)[-1] == name:
            return run
    fail(f"five runs were all too fast to be killed during step {step + 1}")


def samples_of(run):
    return os.path.getsize(os.path.join(run, "checkpoints", checkpoints(run)[-1], "trainer", "samples.cbor"))


def check_staleness(folder, lag):
    """Step n (from 1) is drawn with the weights of min(n - 1, lag) steps before; partial groups may be older still."""
    for line in grpo(folder):
        wanted = min(line["step"] - 1, lag)
        if lag and not line["sampling/staleness_mean"] >= wanted:
            fail(f"{folder}: step {line['step']} has staleness {line['sampling/staleness_mean']}, at least {wanted} expected")
        own = line.get("sampling/sampling_logp_difference/max")
        if own not in (None, 0):
            fail(f"{folder}: step {line['step']}: sampler and trainer differ by {own} on tokens of the trainer's own weights")
        if (wanted > 0) != ("sampling/stale_logp_difference/max" in line) and not line["sampling/staleness_max"]:
            fail(f"{folder}: step {line['step']}: stale tokens are not told apart")


def main(temporary):
    ahead = lambda lag: [f"stage.grpo.rollout.max_staleness_steps={lag}"]
    calm = os.path.join(temporary, "calm")
    print("  sampled step by step, and with staleness 0 set")
    train(CONFIG, calm, *SMALL)
    check_staleness(calm, 0)
    if any(line["sampling/staleness_max"] for line in grpo(calm)):
        fail("a run that samples step by step has stale tokens")

    for name, lag, settings in [("one", 1, []), ("two-partial", 2, PARTIAL), ("none-partial", 0, PARTIAL)]:
        print(f"  {lag} step(s) ahead{', partial rollouts' if settings else ''}: kill -9 after step 3, then --resume auto")
        settings = SMALL + settings + (ahead(lag) if lag else [])
        run = os.path.join(temporary, name)
        train(CONFIG, run, *settings)
        check_staleness(run, lag)
        if not settings[len(SMALL):] == ahead(lag) and not all(line["rollout/carried_tokens"] > 0 for line in grpo(run)[:-1]):
            fail(f"{run}: no group went on in the next step")
        again = killed(os.path.join(temporary, f"{name}-killed"), settings, 3)
        print(f"    {samples_of(again)} bytes of samples in the checkpoint")
        train(CONFIG, again, *settings, resume=True)
        same_run(run, again)

    print("  two threads, another budget of the engine, and Ctrl-C: the same bits")
    settings = SMALL + ahead(1)
    run = os.path.join(temporary, "interrupted")
    more = ["run.threads=2", "rollout.max_tokens_per_batch=64"]
    code, log = train_until(CONFIG, run, lambda: f"step-{COLD_STEPS + 2:06d}" in checkpoints(run), signal.SIGINT, settings + more)
    if code != 130:
        fail(f"exit code {code}; it printed:\n{log}")
    train(CONFIG, run, *settings, *more, resume=True)
    one = os.path.join(temporary, "one")
    if [l for l in map(strip, grpo(one))] != [l for l in map(strip, grpo(run))]:
        fail("with two threads and other budgets a run that samples ahead gives other bits")

    print("  wrong settings are refused")
    told = train(CONFIG, os.path.join(temporary, "wrong"), "rollout.partial=true", expect=2)
    if "overprovision" not in told:
        fail(f"the refusal does not say what is missing:\n{told}")
    told = train(CONFIG, run, *SMALL, *ahead(2), *more, resume=True, expect=2)
    if "max_staleness_steps" not in told:
        fail(f"another staleness is not refused:\n{told}")


def strip(line):
    return {key: value for key, value in line.items() if not key.startswith("timing/")}


main(sys.argv[1])
