"""Small random checkpoints of every family with what transformers computes from them.

    python make_family_golden.py tests/model/families/golden [CASE ...]

Each case becomes a folder: config.json and model.safetensors as save_pretrained writes them, and golden.safetensors:
  tokens.K        int32 [n]     text K; some are longer than a sliding window and than the original positions of a scaling
  logits.K        float32 [n, vocab]
  bf16_logits.K   bfloat16: the same with weights and arithmetic in bfloat16 (eager attention and experts)
  coefficients.K  float32 [n - 1]
  loss            float32 [1]: sum over texts and positions of coefficients[t] * log p(token t+1 | tokens to t)
  gradient.NAME   float32: of that loss, in the shape of the parameter. Experts of a layer are one tensor under the names
                  ...mlp.experts.{gate,up,down}_proj.weight [E, out, in], whatever the family calls them.

DeepSeek-V3 has an rms_norm_eps that the norms of the latents must not use, and scores below 0 in groups that are closed.
Weights are large enough for logits that vary; no norm is 1 and no bias 0. Of a hundred seeds the one is taken whose
routers decide most clearly, so that no choice of experts hangs on rounding. Needs torch, transformers, safetensors.
Made with transformers 5.23.0 and torch 2.11.0.
"""
import json, os, sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, CONFIG_MAPPING

BASE = dict(vocab_size=50, hidden_size=20, intermediate_size=28, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
MLA = dict(kv_lora_rank=10, qk_nope_head_dim=6, qk_rope_head_dim=8, v_head_dim=4, num_key_value_heads=4)
YARN = dict(rope_type="yarn", factor=6.0, original_max_position_embeddings=16, rope_theta=10000.0, beta_fast=4, beta_slow=1)

CASES = {
    "llama_llama3": ("llama", dict(head_dim=6, rms_norm_eps=1e-5, tie_word_embeddings=False, rope_parameters=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=24,
        rope_theta=500.0))),
    "llama_linear": ("llama", dict(tie_word_embeddings=True, num_key_value_heads=4, hidden_size=24, rope_parameters=dict(
        rope_type="linear", factor=2.5, rope_theta=10000.0))),
    "llama_yarn_biases": ("llama", dict(attention_bias=True, mlp_bias=True, rope_parameters=dict(YARN), head_dim=10)),
    "mistral_window": ("mistral", dict(sliding_window=7, head_dim=8, rope_parameters=dict(rope_type="default", rope_theta=1e6))),
    "qwen2_tied": ("qwen2", dict(tie_word_embeddings=True, hidden_size=24, num_key_value_heads=1,
                                 rope_parameters=dict(rope_type="default", rope_theta=1e6))),
    "qwen2_mixed_layers": ("qwen2", dict(hidden_size=16, num_hidden_layers=3, use_sliding_window=True, sliding_window=5,
                                         intermediate_size=18, layer_types=[
        "sliding_attention", "full_attention", "sliding_attention"])),
    "qwen3": ("qwen3", dict(head_dim=6, tie_word_embeddings=True, num_hidden_layers=3, use_sliding_window=True,
                            sliding_window=9, max_window_layers=1, attention_bias=True)),
    "qwen3_moe": ("qwen3_moe", dict(head_dim=6, num_hidden_layers=4, hidden_size=16, intermediate_size=20, num_experts=6,
                                    num_experts_per_tok=2, moe_intermediate_size=6, decoder_sparse_step=2, norm_topk_prob=True,
                                    mlp_only_layers=[3], num_attention_heads=6)),
    "qwen3_moe_plain": ("qwen3_moe", dict(head_dim=4, hidden_size=16, num_experts=4, num_experts_per_tok=3, tie_word_embeddings=True,
                                          moe_intermediate_size=10, num_key_value_heads=1)),
    "olmoe_clip": ("olmoe", dict(hidden_size=16, num_experts=6, num_experts_per_tok=3, intermediate_size=8, clip_qkv=1.25,
                                 norm_topk_prob=False, num_key_value_heads=2)),
    "mixtral": ("mixtral", dict(hidden_size=16, num_local_experts=6, intermediate_size=10, sliding_window=11, head_dim=6,
                                router_jitter_noise=0.1)),
    "deepseek_v2_greedy": ("deepseek_v2", dict(MLA, hidden_size=16, q_lora_rank=None, first_k_dense_replace=1, n_routed_experts=6,
                                               n_shared_experts=2, num_experts_per_tok=2, moe_intermediate_size=6,
                                               topk_method="greedy", num_hidden_layers=3, intermediate_size=18,
                                               mlp_bias=True)),
    "deepseek_v2_groups": ("deepseek_v2", dict(MLA, hidden_size=16, q_lora_rank=12, attention_bias=True, n_routed_experts=8,
                                               n_shared_experts=1, num_experts_per_tok=3, moe_intermediate_size=6, n_group=4,
                                               topk_group=2, topk_method="group_limited_greedy", routed_scaling_factor=3.0,
                                               tie_word_embeddings=True,
                                               rope_parameters=dict(YARN, mscale=0.707, mscale_all_dim=0.707))),
    "deepseek_v3": ("deepseek_v3", dict(MLA, hidden_size=16, q_lora_rank=12, first_k_dense_replace=1, num_hidden_layers=3,
                                        n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=3, moe_intermediate_size=6,
                                        intermediate_size=18, n_group=4, topk_group=2, routed_scaling_factor=2.5,
                                        attention_bias=True, num_nextn_predict_layers=0, rms_norm_eps=0.01,
                                        rope_parameters=dict(YARN, mscale=1.3, mscale_all_dim=0.8))),
    "deepseek_v3_no_query_rank": ("deepseek_v3", dict(MLA, hidden_size=16, q_lora_rank=None, first_k_dense_replace=1,
                                                      n_routed_experts=6, n_shared_experts=2, num_experts_per_tok=2,
                                                      moe_intermediate_size=6, intermediate_size=18, n_group=1, topk_group=1,
                                                      routed_scaling_factor=2.446, norm_topk_prob=True, rope_interleave=False,
                                                      tie_word_embeddings=True, num_nextn_predict_layers=0)),
}
LENGTHS = [1, 9, 30]


def fill(model, seed):
    generator = torch.Generator().manual_seed(seed)
    tensors = list(model.named_parameters()) + [(n, b) for n, b in model.named_buffers() if n.endswith("correction_bias")]
    with torch.no_grad():
        for name, p in tensors:
            x = torch.randn(p.shape, generator=generator)
            if name.endswith("norm.weight"):
                p.copy_(1 + 0.3 * x)
            elif name.endswith("correction_bias"):
                p.copy_(0.5 * x - 1.0)  # below 0 with the score: a mask of 0 would open closed groups
            elif name.endswith(".bias"):
                p.copy_(0.4 * x)
            elif "embed_tokens" in name or "lm_head" in name:
                p.copy_(0.8 * x)
            elif name.endswith("mlp.gate.weight"):
                p.copy_(1.2 * x / p.shape[-1] ** 0.5)
            else:
                p.copy_(1.1 * x / p.shape[-1] ** 0.5)


def margin(model, texts):
    """The smallest distance, in any router and row, between the logit of a chosen expert and of one that is not (by the
    scores that are compared), and between a kept group and one that is not."""
    found = []

    def look(module, inputs, output):
        logits = output[0].float()
        c = model.config
        if c.model_type == "deepseek_v3":
            scores = logits.sigmoid() + module.e_score_correction_bias
        else:
            scores = logits.softmax(-1)
        groups = getattr(c, "n_group", None) or 1
        if groups > 1 and getattr(c, "topk_method", "") != "greedy":
            split = scores.view(len(scores), groups, -1)
            by_group = split.topk(2, -1)[0].sum(-1) if c.model_type == "deepseek_v3" else split.max(-1).values
            best = by_group.sort(-1, descending=True).values
            found.append((best[:, c.topk_group - 1] - best[:, c.topk_group]).min())
            closed = by_group < best[:, c.topk_group - 1 : c.topk_group]
            scores = split.masked_fill(closed[:, :, None], -9.0).view(len(scores), -1)
        best = scores.sort(-1, descending=True).values
        k = c.num_experts_per_tok
        found.append((best[:, k - 1] - best[:, k]).min())

    hooks = [m.register_forward_hook(look) for n, m in model.named_modules() if n.endswith("mlp.gate")]
    with torch.no_grad():
        for text in texts:
            model(text[None])
    for hook in hooks:
        hook.remove()
    return min(found).item() if found else 1.0


def own_names(gradients):
    """transformers' names -> one tensor for each part of a layer's experts."""
    out = {}
    for name, g in gradients.items():
        if name.endswith("experts.gate_up_proj"):
            gate, up = g.chunk(2, dim=1)
            out[name.replace("gate_up_proj", "gate_proj.weight")] = gate.contiguous()
            out[name.replace("gate_up_proj", "up_proj.weight")] = up.contiguous()
        elif name.endswith("experts.down_proj"):
            out[name + ".weight"] = g
        else:
            out[name] = g
    return out


def make(case, folder):
    family, overrides = CASES[case]
    config = CONFIG_MAPPING[family](**{**BASE, **overrides})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager",
                                             experts_implementation="eager").eval()
    generator = torch.Generator().manual_seed(7)
    texts = [torch.randint(0, config.vocab_size, (n,), generator=generator) for n in LENGTHS]
    coefficients = [torch.randn(n - 1, generator=generator) for n in LENGTHS]
    clearest = (-1.0, 0)
    for seed in range(100):
        fill(model, seed)
        clearest = max(clearest, (margin(model, texts), seed))
        if clearest[0] == 1.0:
            break
    fill(model, clearest[1])
    out, loss = {}, 0.0
    for k, (text, coefficient) in enumerate(zip(texts, coefficients)):
        logits = model(text[None]).logits[0]
        logprobs = logits[:-1].log_softmax(-1).gather(1, text[1:, None])[:, 0]
        loss = loss + (coefficient * logprobs).sum()
        out |= {f"tokens.{k}": text.int(), f"logits.{k}": logits.detach(), f"coefficients.{k}": coefficient}
    loss.backward()
    out["loss"] = loss.detach()[None]
    for name, g in own_names({n: p.grad for n, p in model.named_parameters()}).items():
        out["gradient." + name] = g
    os.makedirs(folder, exist_ok=True)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "generation_config.json"))
    rough = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="eager",
                                                 experts_implementation="eager").eval()
    with torch.no_grad():
        for k, text in enumerate(texts):
            out[f"bf16_logits.{k}"] = rough(text[None]).logits[0]
    save_file({n: t.contiguous().clone() for n, t in out.items()}, os.path.join(folder, "golden.safetensors"))
    size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))
    print(f"{case}: seed {clearest[1]}, router margin {clearest[0]:.4f}, loss {loss.item():.3f}, "
          f"logits to {max(out[f'logits.{k}'].abs().max().item() for k in range(len(LENGTHS))):.2f}, {size // 1000} kB")


def main():
    folder, cases = sys.argv[1], sys.argv[2:] or list(CASES)
    for case in cases:
        make(case, os.path.join(folder, case))


main()
