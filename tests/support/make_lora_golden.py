"""LoRA adapters of small checkpoints, with what PEFT computes from them.

    python make_lora_golden.py tests/model/families/golden tests/model/lora/golden

The bases are the folders of make_family_golden.py. Each case becomes a folder:
  adapter_config.json, adapter_model.safetensors    as PEFT's save_pretrained writes them; of models with experts, whose
      experts newer transformers hold as one tensor, written here with a pair for each expert, as PEFT wrote them before and
      still reads them
  golden.safetensors
    tokens.K, coefficients.K   those of the base
    logits.K                   float32 [n, vocab], of the model that PEFT loads from that folder
    gradient.NAME              float32, of tensor NAME of adapter_model.safetensors: of the sum over texts and positions of
                               coefficients[t] * log p(token t+1 | tokens to t); dense models only
Both A and B are random. Needs torch, transformers, peft, safetensors.
Made with peft 0.21.2, transformers 5.23.0 and torch 2.11.0.
"""
import json, os, shutil, sys, tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

# name: (base, rank, alpha, rslora, target_modules, layers_to_transform)
CASES = {
    "llama_all": ("llama_yarn_biases", 4, 6, False,
                  ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], None),
    "qwen3_odd_rank": ("qwen3", 3, 5, True, ["q_proj", "v_proj", "down_proj"], [0, 2]),
    "deepseek_v3_attention": ("deepseek_v3", 2, 3, False, ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"], None),
    "mixtral_experts": ("mixtral", 2, 3, False, ["q_proj", "w1", "w2", "w3"], None),
    "qwen3_moe_experts": ("qwen3_moe_plain", 3, 4, False, ["v_proj", "gate_proj", "up_proj", "down_proj"], None),
    # With dense layers, and one with shared experts, whose matrices are called as the experts'.
    "qwen3_moe_all_experts": ("qwen3_moe", 2, 3, False,
                              ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], None),
    "deepseek_v3_all_experts": ("deepseek_v3", 2, 3, False,
                                ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj", "gate_proj", "up_proj",
                                 "down_proj"], None),
}


def fill(shape, generator, scale):
    return torch.randn(shape, generator=generator) * scale


def dense_adapter(model, case, generator):
    base, rank, alpha, rslora, targets, layers = case
    config = LoraConfig(r=rank, lora_alpha=alpha, use_rslora=rslora, target_modules=targets, layers_to_transform=layers,
                        task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    for name, p in adapted.named_parameters():
        if "lora_" in name:
            p.data = fill(p.shape, generator, 0.3)
    return adapted


def expert_adapter(folder, base_folder, case, generator):
    """A pair for each expert, as files of the family name them. What has an expert's name and is none is named in
    target_parameters: PEFT takes all of that name in target_modules as the experts' tensors."""
    base, rank, alpha, rslora, targets, layers = case
    tensors, expert_words, others = {}, set(), []
    for name, tensor in load_file(os.path.join(base_folder, "model.safetensors")).items():
        module = name.removesuffix(".weight")
        word = module.rsplit(".", 1)[-1]
        if word not in targets:
            continue
        if ".experts." in module:
            expert_words.add(word)
        else:
            others.append((word, name))
        out, width = tensor.shape
        tensors[f"base_model.model.{module}.lora_A.weight"] = fill((rank, width), generator, 0.3)
        tensors[f"base_model.model.{module}.lora_B.weight"] = fill((out, rank), generator, 0.3)
    save_file(tensors, os.path.join(folder, "adapter_model.safetensors"), metadata={"format": "pt"})
    parameters = sorted(name for word, name in others if word in expert_words)
    LoraConfig(r=rank, lora_alpha=alpha, use_rslora=rslora, target_modules=targets, target_parameters=parameters or None,
               task_type="CAUSAL_LM").save_pretrained(folder)


def name_base(folder, base):
    path = os.path.join(folder, "adapter_config.json")
    config = json.load(open(path))
    config["base_model_name_or_path"] = f"../../../families/golden/{base}"
    config["target_modules"] = sorted(config["target_modules"])
    json.dump(config, open(path, "w"), indent=2, sort_keys=True)


def merged_model(base_folder, folder, case, load):
    """The base with W + scale * B A in its files: PEFT's treatment of experts is checked against it."""
    base, rank, alpha, rslora, targets, layers = case
    pairs = load_file(os.path.join(folder, "adapter_model.safetensors"))
    with tempfile.TemporaryDirectory() as merged:
        shutil.copy(os.path.join(base_folder, "config.json"), merged)
        tensors = load_file(os.path.join(base_folder, "model.safetensors"))
        for name in tensors:
            pair = "base_model.model." + name.removesuffix("weight")
            if pair + "lora_A.weight" in pairs:
                tensors[name] += alpha / (rank ** 0.5 if rslora else rank) * pairs[pair + "lora_B.weight"] @ pairs[pair + "lora_A.weight"]
        save_file(tensors, os.path.join(merged, "model.safetensors"), metadata={"format": "pt"})
        return load(merged)


def make(families, folder, case):
    base = case[0]
    base_folder = os.path.join(families, base)
    os.makedirs(folder, exist_ok=True)
    generator = torch.Generator().manual_seed(7)
    load = lambda place=base_folder: AutoModelForCausalLM.from_pretrained(
        place, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager")
    with_experts = "experts" in folder
    if with_experts:
        expert_adapter(folder, base_folder, case, generator)
    else:
        dense_adapter(load(), case, generator).save_pretrained(folder, save_embedding_layers=False)
    name_base(folder, base)
    readme = os.path.join(folder, "README.md")
    if os.path.exists(readme):
        os.remove(readme)
    adapted = PeftModel.from_pretrained(load(), folder, is_trainable=not with_experts)
    adapted.eval()
    merged = merged_model(base_folder, folder, case, load).eval()
    known = load_file(os.path.join(base_folder, "golden.safetensors"))
    out, loss = {}, 0
    for k in range(3):
        tokens, coefficients = known[f"tokens.{k}"], known[f"coefficients.{k}"]
        logits = adapted(input_ids=tokens[None].long()).logits[0]
        logprobs = torch.log_softmax(logits[:-1].float(), -1).gather(1, tokens[1:, None].long())[:, 0]
        loss = loss + (coefficients * logprobs).sum()
        out[f"tokens.{k}"], out[f"coefficients.{k}"], out[f"logits.{k}"] = tokens, coefficients, logits.detach().contiguous()
        moved = (logits - known[f"logits.{k}"]).abs().max().item()
        print(f"{folder}: text {k}, logits up to {logits.abs().max():.3f}, moved by up to {moved:.3f}")
        assert moved > 0.05, "the adapter changes nothing"
        apart = (logits - merged(input_ids=tokens[None].long()).logits[0]).abs().max().item()
        assert apart < 2e-5 * logits.abs().max().item(), f"PEFT and the merged model are {apart} apart"
    if not with_experts:
        loss.backward()
        for name, p in adapted.named_parameters():
            if "lora_" in name:
                out["gradient." + name.replace(".default", "")] = p.grad.contiguous()
    save_file(out, os.path.join(folder, "golden.safetensors"))


def main(families, folder):
    for name, case in CASES.items():
        make(families, os.path.join(folder, name), case)


main(*sys.argv[1:])
