"""Every preset trains, a run with all that an algorithm keeps between steps resumes bit for bit, and experts recorded by the sampler
are the trainer's."""
import glob
import math
import os
import sys

from runs import fail, lines, same_files, same_metrics, train

HERE = os.path.dirname(__file__)
CONFIG = os.path.join(HERE, "tiny.toml")
# A short cold start; two small steps.
SHORT = ["stage.cold-start.steps=2", "stage.grpo.eval.every_steps=0", "data.eval_problems=2", "rollout.max_new_tokens=12"]

# A moving reference, moments that are reset, an entropy bonus that adapts, two epochs of two updates on replayed experts, old
# log-probabilities computed again, a correction, a balance loss, rewards normalised alone and whitened.
MOVING = ["kl.reference_update=polyak", "kl.reference_every_steps=1", "kl.reset_optimizer=true", "loss.entropy_target=3.0",
          "loss.entropy_coef_delta=0.01", "loss.entropy_coef_max=0.1", "loss.updates_per_step=2", "loss.epochs_per_step=2",
          "moe.replay=trainer", "moe.aux_loss_coef=0.01", "correction.old_logprobs=recompute", "correction.mode=truncate",
          "advantage.whiten=tokens"]


def grpo_lines(folder):
    return [line for line in lines(folder) if line["stage"] == "grpo" and "loss" in line]


def check_preset(name, folder):
    # The file wins over a preset: its sections keep the run small, and its KL is there for all.
    settings = SHORT + [f"preset={name}", "stage.grpo.steps=1"]
    train(CONFIG, folder, *settings)
    line = grpo_lines(folder)[0]
    for key in ("loss", "entropy", "grad_norm", "sampling/importance_sampling_ratio/mean"):
        if not math.isfinite(line[key]):
            fail(f"{name}: {key} is {line[key]}")
    if line["sampling/importance_sampling_ratio/min"] != 1 or line["sampling/importance_sampling_ratio/max"] != 1:
        fail(f"{name}: the first update's ratio is not 1: {line}")
    print(f"    {name}: loss {line['loss']:.4g}, gradient norm {line['grad_norm']:.4g}")


def main(temporary):
    print("  one step of each preset")
    for file in sorted(glob.glob(os.path.join(HERE, "..", "..", "configs", "presets", "*.toml"))):
        name = os.path.splitext(os.path.basename(file))[0]
        check_preset(name, os.path.join(temporary, name))

    print("  what an algorithm keeps between steps: four steps at once, and two with two more after --resume auto")
    calm, cut = os.path.join(temporary, "calm"), os.path.join(temporary, "cut")
    train(CONFIG, calm, *SHORT, *MOVING, "stage.grpo.steps=4")
    train(CONFIG, cut, *SHORT, *MOVING, "stage.grpo.steps=2")
    train(CONFIG, cut, *SHORT, *MOVING, "stage.grpo.steps=4", resume=True)
    last = grpo_lines(cut)[-1]
    if not (last["entropy_coef"] > 0 and last["kl"] != 0 and last["aux_loss"] > 0):
        fail(f"the settings have no effect: {last}")
    same_run_but_evaluations(calm, cut)

    print("  experts recorded by the sampler, in small batches, against the trainer's own at the step's start: three updates a step")
    trainer, rollout, live = (os.path.join(temporary, name) for name in ("trainer", "rollout", "live"))
    several = SHORT + ["stage.grpo.steps=3", "loss.updates_per_step=3", "rollout.top_p=0.9", "correction.truncation=keep_mask"]
    train(CONFIG, trainer, *several, "moe.replay=trainer")
    train(CONFIG, rollout, *several, "moe.replay=rollout", "rollout.max_tokens_per_batch=24", "rollout.max_sequences=9")
    train(CONFIG, live, *several, "moe.replay=off")
    same_metrics(trainer, rollout)
    print(f"    equal: {same_files(trainer, rollout, 'states.jsonl')} files of hashes")
    if grpo_lines(live)[-1]["loss"] == grpo_lines(rollout)[-1]["loss"]:
        fail("replayed experts change nothing")


def same_run_but_evaluations(calm, cut):
    """The cut run was evaluated once more, after its second step."""
    strip = lambda line: {k: v for k, v in line.items() if not k.startswith("timing/")}
    if [strip(line) for line in grpo_lines(calm)] != [strip(line) for line in grpo_lines(cut)]:
        fail("the steps of the resumed run differ")
    print(f"    equal: {same_files(calm, cut, 'final/**')} files of final/")


if __name__ == "__main__":
    main(sys.argv[1])
