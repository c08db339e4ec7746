#!/usr/bin/env python3
"""Makes tests/rl/golden/algorithms.json: for each preset and for other settings of the loss, what one small batch gives.

    pip install torch==2.11 trl==1.16 transformers==5.23     (in an environment of its own)
    make_algorithm_golden.py

Two oracles, both in float64; each case says which it is of:

    paper  the formulas below, written from the papers that the presets name; gradients by torch's autograd
    trl    TRL's own code: GRPOTrainer._compute_loss and RLOOTrainer._compute_loss with the model's answer put in, and the
           lines of _generate_and_score_completions that make advantages. TRL fixes eps = 1e-4 and the unbiased deviation,
           so those cases override the preset's. Presets that TRL has: grpo-paper, r1-zero, dapo, dr-grpo, gspo, cispo, prorl; of
           rloo the advantages and the gradient on-policy (its loss is written with a ratio). It has no kimi-k1.5.

Log-probabilities, advantages' inputs and entropies are float32 numbers, so both sides begin from the same bits.
"""
import inspect
import json
import os
import textwrap
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import torch
from trl.trainer import grpo_trainer, rloo_trainer
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.rloo_trainer import RLOOTrainer

torch.set_default_dtype(torch.float64)
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rl", "golden", "algorithms.json")
LENGTHS = [[3, 1, 6, 4], [5, 2, 7, 3]]
PART_WEIGHTS = [1.0, 0.5]


def make_batch():
    """Two groups of four. Completions 2 and 5 hold a token that the policy did not choose."""
    rng = np.random.default_rng(20)
    single = lambda x: np.float64(np.float32(x))
    groups, sequence = [], 0
    for lengths in LENGTHS:
        group = []
        for n in lengths:
            policy = single(-rng.exponential(1.0, n))
            noise = rng.normal(0, 0.35, n)
            if sequence in (1, 2, 7):
                noise[0] = -2.0  # a ratio of 7.4
            trained = np.ones(n, dtype=int)
            if sequence in (2, 5):
                trained[1] = 0
            parts = [float(rng.integers(0, 2)), float(rng.integers(0, 3))]
            group.append({
                "policy": policy, "old": single(policy + noise), "trained": trained,
                "reference": single(policy + rng.normal(0, 0.5, n)), "entropy": single(rng.exponential(0.7, n)),
                "parts": parts, "reward": sum(w * p for w, p in zip(PART_WEIGHTS, parts))})
            sequence += 1
        groups.append(group)
    return groups


BATCH = make_batch()
SEQUENCES = [s for g in BATCH for s in g]
WIDTH = max(len(s["policy"]) for s in SEQUENCES)


def padded(key):
    rows = torch.zeros(len(SEQUENCES), WIDTH)
    for i, s in enumerate(SEQUENCES):
        rows[i, : len(s[key])] = torch.tensor(np.asarray(s[key], dtype=np.float64))
    return rows


MASK, OLD, REFERENCE, ENTROPY = padded("trained"), padded("old"), padded("reference"), padded("entropy")
N_TOKENS = MASK.sum(-1)


def per_sequence(rows):
    return [[float(x) for x in rows[i, : len(s["policy"])]] for i, s in enumerate(SEQUENCES)]


# ---- the papers


def std(x, kind):
    return x.std(unbiased=kind == "unbiased")


def paper_advantages(a):
    def of(values):
        out, start = torch.zeros(len(values)), 0
        for group in BATCH:
            members = slice(start, start + len(group))
            r, n = values[members], N_TOKENS[members]
            baseline = {"group_mean": r.mean(), "leave_one_out": (r.sum() - r) / (len(r) - 1), "batch_mean": values.mean(),
                        "length_weighted": (n * r).sum() / n.sum(), "none": 0.0}[a["baseline"]]
            divisor = {"group_std": std(r, a["std"]) + a["eps"], "batch_std": std(values, a["std"]) + a["eps"],
                       "group_mean": r.mean() + a["eps"], "none": 1.0}[a["scale"]]
            out[members] = (r - baseline) / divisor
            start += len(group)
        return out

    if a["combine"] == "normalize_then_sum":
        total = sum(w * of(torch.tensor([s["parts"][i] for s in SEQUENCES])) for i, w in enumerate(PART_WEIGHTS))
    else:
        rewards = torch.tensor([s["reward"] for s in SEQUENCES])
        if a["kl_where"] == "reward":
            rewards = rewards - a["kl_coef"] * (kl_value(OLD - REFERENCE, a["kl_value"]) * MASK).sum(-1)
        total = of(rewards)
    total = total[:, None].expand_as(MASK).clone()
    if a["kl_where"] == "token_reward":
        values = kl_value(OLD - REFERENCE, a["kl_value"]) * MASK
        total -= a["kl_coef"] * values.flip(-1).cumsum(-1).flip(-1)
    if a["whiten"] == "samples":
        total = (total - total[:, 0].mean()) / (std(total[:, 0], a["std"]) + a["eps"])
    if a["whiten"] == "tokens":
        tokens = total[MASK.bool()]
        total = (total - tokens.mean()) / (std(tokens, a["std"]) + a["eps"])
    return total


def kl_value(d, kind):
    return {"k1": d, "k2": d * d / 2, "k3": torch.exp(-d) + d - 1}[kind]


def paper_objective(a, policy, advantages):
    log_ratio = policy - OLD
    if a["ratio_level"] == "sequence":  # GSPO, Eq. 7
        log_ratio = ((log_ratio * MASK).sum(-1) / N_TOKENS)[:, None].expand_as(MASK)
    ratio = torch.exp(log_ratio)
    low, high = 1 - a["clip_low"], 1 + a["clip_high"]
    metrics = {}
    clipped = {"low": (ratio < low) & (advantages < 0), "high": (ratio > high) & (advantages > 0)}
    if a["kind"] == "ppo_clip":
        loss = -torch.min(ratio * advantages, ratio.clamp(low, high) * advantages)
        if a["dual_clip"]:
            loss = torch.where(advantages < 0, torch.min(loss, -a["dual_clip"] * advantages), loss)
        share = {k: (x * MASK).sum(-1) / N_TOKENS for k, x in clipped.items()}
        mean = lambda x: x.mean() if a["ratio_level"] == "sequence" else (x * N_TOKENS).sum() / N_TOKENS.sum()
        metrics = {"clip_ratio/low_mean": mean(share["low"]), "clip_ratio/high_mean": mean(share["high"]),
                   "clip_ratio/region_mean": mean(share["low"] + share["high"]),
                   "clip_ratio/low_min": share["low"].min(), "clip_ratio/high_max": share["high"].max()}
    elif a["kind"] == "cispo":
        loss = -ratio.clamp(low, high).detach() * advantages * policy
        metrics = {"cispo_clip_ratio": (clipped["high"] * MASK).sum() / MASK.sum()}
    elif a["kind"] == "sapo":
        tau = torch.where(advantages > 0, 1.0, 1.05)
        loss = -4 / tau * torch.sigmoid(tau * (ratio - 1)) * advantages
    else:
        loss = -advantages * policy
    return loss, metrics


def paper(a):
    policy = padded("policy").requires_grad_(True)
    advantages = paper_advantages(a)
    loss, metrics = paper_objective(a, policy, advantages)
    token_loss, whole, kl_metric = loss, 0.0, None
    if a["kl_coef"]:
        d = policy - REFERENCE
        if a["kl_level"] == "sequence":  # Kimi: tau / 2 of the square, averaged over completions
            squares = (d * MASK).sum(-1) ** 2 / 2
            whole, kl_metric = a["kl_coef"] * squares.mean(), squares.sum() / MASK.sum()
        else:
            value = kl_value(d, a["kl_value"])
            if a["kl_where"] == "loss" and a["kl_gradient"] == "unbiased":
                value = torch.exp(policy - OLD) * value
            if a["kl_where"] == "loss" and a["kl_gradient"] == "k2":
                value = value.detach() + d * d / 2 - (d * d / 2).detach()
            kl_metric = (value * MASK).sum() / MASK.sum()
            if a["kl_where"] == "loss":
                token_loss = token_loss + a["kl_coef"] * value
    def aggregated(x):
        sums = (x * MASK).sum(-1)
        return {"token_mean": sums.sum() / MASK.sum(), "seq_mean": (sums / N_TOKENS).mean(), "seq_mean_token_sum": sums.mean(),
                "constant": (sums / max(1, a["constant_length"])).mean()}[a["aggregation"]]
    total = aggregated(token_loss) + whole
    total.backward()
    metrics = {k: float(v.detach()) for k, v in metrics.items()}
    metrics.update(loss=float(total.detach()), entropy=float((ENTROPY * MASK).sum() / MASK.sum()))
    if a["kl_coef"]:
        metrics.update(kl=float(kl_metric.detach()), policy_loss=float(aggregated(loss).detach()))
    return result(advantages, policy.grad, metrics)


def result(advantages, gradient, metrics):
    return {"advantages": per_sequence(advantages * MASK), "gradient": per_sequence(gradient * MASK), "metrics": metrics}


# ---- TRL


def trl_advantages(scale, combine):
    source = inspect.getsource(GRPOTrainer._generate_and_score_completions)
    first = source.index('if self.multi_objective_aggregation == "sum_then_normalize":')
    last = source.index("advantages = torch.nan_to_num(advantages, nan=0.0)")
    first = source.rindex("\n", 0, first) + 1
    scope = dict(vars(grpo_trainer))
    rewards = torch.tensor([s["parts"] for s in SEQUENCES])
    scope.update(self=SimpleNamespace(multi_objective_aggregation=combine, scale_rewards=scale, reward_funcs=[0, 1],
                                      reward_weights=torch.tensor(PART_WEIGHTS)),
                 rewards_per_func=rewards, num_generations=4, device=torch.device("cpu"),
                 unscorable_mask=torch.isnan(rewards).all(dim=1))
    exec(textwrap.dedent(source[first:last]), scope)
    return scope["advantages"]


def trl_loss(advantages, loss_type, epsilon=(0.2, 0.2), level="token", beta=0.0, unbiased=False, delta=None, length=1,
             entropy_coef=0.0):
    policy = padded("policy").requires_grad_(True)
    accelerator = SimpleNamespace(num_processes=1, sync_gradients=True, gather=lambda x: x, gather_for_metrics=lambda x: x,
                                  reduce=lambda x, reduction: x)
    trainer = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *a, **k: (policy, ENTROPY, None), aux_loss_enabled=False,
        top_entropy_quantile=1.0, off_policy_mask_threshold=None, importance_sampling_level=level, beta=beta,
        args=SimpleNamespace(use_bias_correction_kl=unbiased, delta=delta, steps_per_generation=1, sapo_temperature_pos=1.0,
                             sapo_temperature_neg=1.05),
        loss_type=loss_type, epsilon_low=epsilon[0], epsilon_high=epsilon[1], use_vllm=False,
        current_gradient_accumulation_steps=1, max_completion_length=length, accelerator=accelerator,
        _entropy_bonus_enabled=entropy_coef != 0, use_adaptive_entropy=False, entropy_coef=entropy_coef,
        model=SimpleNamespace(training=True), _metrics={"train": defaultdict(list)})
    empty = torch.zeros(len(SEQUENCES), 0, dtype=torch.long)
    inputs = {"prompt_ids": empty, "prompt_mask": empty, "completion_ids": MASK.long(), "completion_mask": MASK,
              "advantages": advantages, "old_per_token_logps": OLD, "ref_per_token_logps": REFERENCE,
              "num_items_in_batch": MASK.sum()}
    loss = GRPOTrainer._compute_loss(trainer, SimpleNamespace(training=True), inputs)
    loss.backward()
    metrics = {k: v[0] for k, v in trainer._metrics["train"].items() if k != "entropy_coef"}
    metrics["loss"] = float(loss.detach())
    return result(advantages[:, None].expand_as(MASK), policy.grad, metrics)


def trl_correction(mode, lower, upper):
    """The factors on each token: the batch's "old" are the sampler's log-probabilities here, "policy" the trainer's."""
    source = inspect.getsource(GRPOTrainer._generate_and_score_completions)
    first = source.index("per_token_logps_diff = (old_per_token_logps - sampling_per_token_logps) * mask")
    last = source.index("# Compute the per-token log probabilities for the reference model")
    first = source.rindex("\n", 0, first) + 1
    scope = dict(vars(grpo_trainer), old_per_token_logps=padded("policy"), sampling_per_token_logps=OLD, mask=MASK,
                 self=SimpleNamespace(vllm_importance_sampling_mode=mode, vllm_importance_sampling_clip_min=lower,
                                      vllm_importance_sampling_clip_max=upper))
    exec(textwrap.dedent(source[first:last]), scope)
    return per_sequence(scope["vllm_importance_sampling_ratio"].expand_as(MASK) * MASK)


def trl_rloo():
    """On-policy: old log-probabilities are the policy's."""
    policy = padded("policy").requires_grad_(True)
    rewards = torch.tensor([s["reward"] for s in SEQUENCES])
    source = inspect.getsource(RLOOTrainer._generate_and_score_completions)
    first, last = source.index("grouped_rewards = rewards.view"), source.index("# Normalize advantages over")
    first = source.rindex("\n", 0, first) + 1
    scope = dict(vars(rloo_trainer), rewards=rewards, num_generations=4)
    exec(textwrap.dedent(source[first:last]), scope)
    accelerator = SimpleNamespace(gather=lambda x: x, reduce=lambda x, reduction: x)
    trainer = SimpleNamespace(_get_per_token_logps_and_entropies=lambda *a, **k: (policy, ENTROPY, None), aux_loss_enabled=False,
                              epsilon_low=0.2, epsilon_high=0.2, accelerator=accelerator, model=SimpleNamespace(training=True),
                              _metrics={"train": defaultdict(list)})
    empty = torch.zeros(len(SEQUENCES), 0, dtype=torch.long)
    inputs = {"prompt_ids": empty, "prompt_mask": empty, "completion_ids": MASK.long(), "completion_mask": MASK,
              "advantages": scope["advantages"], "old_logps": (policy.detach() * MASK).sum(-1)}
    RLOOTrainer._compute_loss(trainer, SimpleNamespace(training=True), inputs).backward()
    return result(scope["advantages"][:, None].expand_as(MASK), policy.grad, {})


# ---- the cases

DEFAULTS = {"baseline": "group_mean", "scale": "group_std", "std": "unbiased", "eps": 1e-6, "whiten": "off",
            "combine": "sum_then_normalize", "kind": "ppo_clip", "ratio_level": "token", "clip_low": 0.2, "clip_high": 0.2,
            "dual_clip": 0.0, "aggregation": "token_mean", "constant_length": 0, "kl_coef": 0.0, "kl_where": "loss",
            "kl_value": "k3", "kl_gradient": "unbiased", "kl_level": "token"}

PRESETS = {
    "grpo-paper": dict(std="population", aggregation="seq_mean", kl_coef=0.04, kl_gradient="naive"),
    "r1-zero": dict(std="population", aggregation="seq_mean", kl_coef=0.001, kl_gradient="naive"),
    "dapo": dict(clip_high=0.28),
    "dr-grpo": dict(scale="none", aggregation="constant", constant_length=3000),
    "gspo": dict(ratio_level="sequence", clip_low=3e-4, clip_high=4e-4, aggregation="seq_mean"),
    "cispo": dict(kind="cispo", clip_low=1.0, clip_high=4.0),
    "rloo": dict(baseline="leave_one_out", scale="none", kind="reinforce", aggregation="seq_mean_token_sum"),
    "kimi-k1.5": dict(scale="none", kind="reinforce", aggregation="seq_mean_token_sum", kl_coef=0.1, kl_value="k2",
                      kl_gradient="naive", kl_level="sequence"),
    "prorl": dict(clip_high=0.4, kl_coef=1e-4),
}

# Settings that no preset has: name, what the formulas take, and the same as overrides of a config.
OTHERS = {
    "reinforce++": (dict(baseline="none", scale="none", whiten="tokens", kl_coef=0.01, kl_where="token_reward", kl_value="k1"),
                    ["advantage.baseline=none", "advantage.scale=none", "advantage.whiten=tokens", "kl.coef=0.01",
                     "kl.where=token_reward", "kl.value=k1"]),
    "reinforce++ with a baseline": (dict(scale="none", whiten="tokens"), ["advantage.scale=none", "advantage.whiten=tokens"]),
    "opo": (dict(baseline="length_weighted", scale="none"), ["advantage.baseline=length_weighted", "advantage.scale=none"]),
    "maxrl": (dict(scale="group_mean"), ["advantage.scale=group_mean", "advantage.reward_range=[0, 10]"]),
    "gdpo": (dict(combine="normalize_then_sum", whiten="samples"),
             ["advantage.combine=normalize_then_sum", "advantage.whiten=samples"]),
    "kl in the reward": (dict(kl_coef=0.05, kl_where="reward", kl_value="k1"),
                         ["kl.coef=0.05", "kl.where=reward", "kl.value=k1"]),
    "k3 with the gradient of k2": (dict(kl_coef=0.1, kl_gradient="k2"), ["kl.coef=0.1", "kl.gradient=k2"]),
    "dual clip": (dict(dual_clip=1.5), ["loss.dual_clip=1.5"]),
}

TRL_EPS = ["advantage.eps=1e-4", "advantage.std=unbiased"]


def cases():
    for name, settings in PRESETS.items():
        yield dict(name=name, preset=name, oracle="paper", overrides=[], **paper({**DEFAULTS, **settings}))
    for name, (settings, overrides) in OTHERS.items():
        yield dict(name=name, preset="", oracle="paper", overrides=overrides, **paper({**DEFAULTS, **settings}))

    group, none, batch = (trl_advantages(scale, "sum_then_normalize") for scale in ("group", "none", "batch"))
    trl = lambda name, preset, overrides, got: dict(name=name, preset=preset, oracle="trl", overrides=TRL_EPS + overrides, **got)
    yield trl("grpo-paper", "grpo-paper", [], trl_loss(group, "grpo", beta=0.04))
    yield trl("r1-zero", "r1-zero", [], trl_loss(group, "grpo", beta=0.001))
    yield trl("dapo", "dapo", [], trl_loss(group, "dapo", epsilon=(0.2, 0.28)))
    yield trl("dr-grpo", "dr-grpo", [], trl_loss(none, "dr_grpo", length=3000))
    yield trl("gspo", "gspo", [], trl_loss(group, "grpo", epsilon=(3e-4, 4e-4), level="sequence"))
    yield trl("cispo", "cispo", [], trl_loss(group, "cispo", epsilon=(0.0, 5.0)))
    yield trl("prorl", "prorl", [], trl_loss(group, "dapo", epsilon=(0.2, 0.4), beta=1e-4, unbiased=True))
    yield dict(trl("rloo", "rloo", [], trl_rloo()), on_policy=True)
    yield trl("sapo", "", ["loss.kind=sapo", "loss.aggregation=seq_mean"], trl_loss(group, "sapo"))
    yield trl("delta", "", ["loss.dual_clip=1.5"], trl_loss(group, "dapo", delta=1.5))
    yield trl("scale by the batch", "", ["advantage.scale=batch_std"], trl_loss(batch, "dapo"))
    yield trl("entropy bonus", "", ["loss.entropy_coef=0.01"], trl_loss(group, "dapo", entropy_coef=0.01))
    yield trl("gdpo", "", ["advantage.combine=normalize_then_sum", "advantage.whiten=samples"],
              trl_loss(trl_advantages("group", "normalize_then_sum"), "dapo"))


def main():
    groups = [[{k: (v.tolist() if hasattr(v, "tolist") else v) for k, v in s.items()} for s in g] for g in BATCH]
    with open(OUT, "w") as f:
        corrections = [{"mode": ours, "lower": lower, "upper": upper, "factors": trl_correction(theirs, lower, upper)}
                       for ours, theirs, lower, upper in (("truncate", "token_truncate", 0.8, 1.5), ("mask", "token_mask", 0.8, 1.5),
                                                          ("seq_mask", "sequence_mask", 0.5, 3.0))]
        json.dump({"part_weights": PART_WEIGHTS, "groups": groups, "cases": list(cases()), "corrections": corrections}, f)
        f.write("\n")


if __name__ == "__main__":
    main()
