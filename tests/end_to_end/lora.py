"""Training an adapter on a folder: it learns, resumes to the same bits, and is read, merged and compared by the commands."""
import json
import os
import subprocess
import sys

from runs import PONDER, checkpoints, fail, lines, same_run, train, train_until

HERE = os.path.dirname(__file__)
TINY, CONFIG = os.path.join(HERE, "tiny.toml"), os.path.join(HERE, "lora.toml")
WARM_STEPS = 20  # of lora.toml


def ponder(*words, expect=0):
    done = subprocess.run([PONDER, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != expect:
        fail(f"ponder {' '.join(words)}: exit code {done.returncode}, expected {expect}; it printed:\n{done.stdout}")
    return done.stdout


def wants(text, *parts):
    for part in parts:
        if part not in text:
            fail(f"no \"{part}\" in:\n{text}")


def scored(model, folder, *words):
    output = os.path.join(folder, "scored.jsonl")
    ponder("logprobs", "--model", model, "--input", os.path.join(folder, "texts.jsonl"), "--output", output, *words)
    with open(output) as file:
        return [x for line in file for x in json.loads(line)["logprobs"] if x is not None]


def furthest(a, b):
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def main(temporary):
    base = os.path.join(temporary, "base")
    train(TINY, base, "stage.grpo.steps=1", "stage.cold-start.steps=8")
    base = os.path.join(base, "final")
    on_base = f"model.path={base}"

    print("  an adapter learns in SFT and in GRPO")
    calm = os.path.join(temporary, "calm")
    log = train(CONFIG, calm, on_base)
    wants(log, "frozen; a LoRA adapter of rank 6", "of a LoRA adapter are trained", "an adapter; the weights are the policy's")
    losses = [line["loss"] for line in lines(calm) if line["stage"] == "warm" and "loss" in line]
    rewards = [line["reward"] for line in lines(calm) if line["stage"] == "grpo" and "reward" in line]
    mismatch = max(line["sampling/sampling_logp_difference/max"] for line in lines(calm) if "reward" in line)
    print(f"    loss {losses[0]:.3f} to {losses[-1]:.3f}; reward {rewards[0]:.3f} to {rewards[-1]:.3f}; sampler and trainer apart by {mismatch}")
    if losses[-1] > 0.9 * losses[0] or sum(rewards[-3:]) <= sum(rewards[:3]) or mismatch != 0:
        fail("it does not learn, or sampler and trainer disagree")

    print("  kill -9 in GRPO, then --resume auto")
    killed = os.path.join(temporary, "killed")
    train_until(CONFIG, killed, lambda: f"step-{WARM_STEPS + 3:06d}" in checkpoints(killed), settings=(on_base,))
    wants(train(CONFIG, killed, on_base, resume=True), "stage grpo, step")
    same_run(calm, killed)
    wants(ponder("compare", calm, killed), "equal: metrics of")
    other = os.path.join(temporary, "other")
    train(CONFIG, other, on_base, "run.seed=4", "checkpoint.keep_last=100")
    wants(ponder("compare", other, calm, expect=1), "model.layers.0.self_attn.q_proj.lora_A.weight")

    # By the names of the adapter's own tensors, when its base is away.
    away = base + ".away"
    os.rename(base, away)
    wants(ponder("compare", other, calm, expect=1), "checkpoint step-", "lora_A.weight differs by up to")
    os.rename(away, base)
    print("  a step of it replayed from a checkpoint")
    wants(ponder("replay", calm, "--step", "8"), "step-000027", "equal to the run's, bit for bit")

    print("  the adapter beside its base, and merged")
    with open(os.path.join(temporary, "texts.jsonl"), "w") as file:
        file.write('{"text": "3+4=7"}\n{"text": "9+9=18;"}\n')
    final = os.path.join(calm, "final")
    if os.path.exists(os.path.join(final, "config.json")) or not os.path.exists(os.path.join(final, "tokenizer.json")):
        fail("final/ is a whole model, or has no tokenizer")
    adapted, plain = scored(final, temporary), scored(base, temporary)
    if scored(final, temporary, "--base", base) != adapted:
        fail("--base gives other numbers than the base that the adapter names")
    merged = os.path.join(temporary, "merged")
    wants(ponder("export", calm, merged, "--dtype", "float32"), "merged into")
    apart, moved = furthest(scored(merged, temporary), adapted), furthest(plain, adapted)
    print(f"    merged and beside are {apart:.2g} apart, the base {moved:.2g}")
    if apart > 1e-4 or moved < 0.05:
        fail("merging is wrong, or the adapter does nothing")
    ponder("sample", "--model", final, "--prompt", "3+4=", "--template", "plain", "--temperature", "0")
    wants(ponder("eval", "--model", final, "--data", "generator:arithmetic", "--reward", "exact", "--limit", "8", "--template", "plain",
                 "--max-new-tokens", "8", "--output", f"{temporary}/eval"), "avg@1")

    print("  wrong input")
    wants(ponder("check", CONFIG, "--set", on_base, "--set", 'model.lora_targets=["q_prj"]', expect=2), "model.lora_targets",
          "\"q_prj\" is no product of this model")
    wants(ponder("logprobs", "--model", base, "--base", base, "--input", os.path.join(temporary, "texts.jsonl"), expect=2), "Leave --base out")
    wants(train(CONFIG, calm, on_base, "model.lora_rank=4", resume=True, expect=2), "lora_rank")


main(sys.argv[1])
