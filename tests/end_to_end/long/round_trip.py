"""Exported models against transformers and llama.cpp's converter: same logits, same greedy text, same weights."""
import glob
import json
import os
import subprocess
import sys

import torch
import transformers
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from runs import PONDER, fail, train

HERE = os.path.dirname(__file__)
QUESTIONS = ["What is the capital of France?", "Natalia has 3 apples and buys 4 more. How many apples has she?",
             "Write a short poem about the sea."]
TEXTS = ["The quick brown fox jumps over the lazy dog. 3 + 4 = 7.", "def f(x):\n    return x * x  # a square".replace("\n", " "),
         "Bonjour, je m'appelle Marie et j'habite à Zürich. 東京は日本の首都です。"]
SIZES = """[model]
compute_dtype = "float32"
init_std = 0.1
layers = 3
width = 64
heads = 4
max_positions = 128
norm_eps = 1e-6
alphabet = "0123456789+=; abcdefghijklmnopqrstuvwxyz"
special_tokens = ["<eos>", "<pad>"]
eos_token = "<eos>"
dense_width = 96
"""
GQA = "key_heads = 2\nhead_size = 16\n"
MLA = "latent_rank = 24\nnope_size = 16\nrope_size = 8\nvalue_size = 12\nquery_rank = 20\nfirst_dense_layers = 1\nshared_experts = 1\n"
MOE = "experts = 4\nactive_experts = 2\nexpert_width = 32\n"
FAMILIES = {
    "llama": GQA + 'rope_scaling = "llama3"\nrope_factor = 8\nrope_original_positions = 32\n',
    "mistral": GQA + "window = 16\n",
    "qwen2": GQA + "tied_embedding = true\n",
    "qwen3": GQA + "rope_theta = 1e6\n",
    "qwen3_moe": GQA + MOE + "first_dense_layers = 0\n",
    "olmoe": GQA.replace("key_heads = 2", "key_heads = 4") + MOE,
    "mixtral": GQA + MOE,
    "deepseek_v2": MLA + MOE,
    "deepseek_v3": MLA + MOE.replace("experts = 4", "experts = 8", 1) + "router_groups = 2\nrouter_groups_kept = 1\nrouter_scale = 2.5\n"
    + "rope_interleaved = true\n",
}


def run(*words, expect=0):
    done = subprocess.run([PONDER, *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != expect:
        fail(f"ponder {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ponder_scores(folder, texts):
    """Log-probabilities, and the likeliest token at each position."""
    file = f"{sys.argv[1]}/texts.jsonl"
    with open(file, "w") as out:
        out.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    out = run("logprobs", "--model", folder, "--input", file, "--top", "1", "--dtype", "float32")
    return [json.loads(line) for line in out.splitlines()]


def load(folder, label):
    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    wrong = {key: sorted(names) for key, names in report.items() if names and key != "error_msgs"}
    if wrong:
        fail(f"{label}: transformers reports {wrong}")
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def compare_logits(label, folder, model, tokenizer, texts):
    """Ponder's log-probability of each next token against transformers' log-softmax, and the likeliest token."""
    largest, same, count = 0.0, 0, 0
    for text, ours in zip(texts, ponder_scores(folder, texts), strict=True):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if ids != ours["tokens"]:
            fail(f"{label}: ids of {text!r}: transformers {ids}, Ponder {ours['tokens']}")
        with torch.no_grad():
            rows = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        for row, target, logprob, best in zip(rows, ids[1:], ours["logprobs"][1:], ours["top"][1:], strict=True):
            largest = max(largest, abs(row[target].item() - logprob))
            same += row.argmax().item() == best[0][0]
            count += 1
    print(f"  {label}: {count} positions, largest difference of a log-probability {largest:.2e}, same next token {same} of {count}",
          flush=True)
    if largest > 1e-4 or same != count:
        fail(f"{label}: Ponder and transformers disagree")


def compare_text(label, folder, model, tokenizer):
    for question in QUESTIONS:
        ours = run("sample", "--model", folder, "--prompt", question, "--temperature", "0", "--max-new-tokens", "64", "--dtype",
                   "float32", "--template", "chatml")
        prompt = tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True,
                                               return_tensors="pt", return_dict=True)
        with torch.no_grad():
            ids = model.generate(**prompt, do_sample=False, max_new_tokens=64)[0, prompt["input_ids"].shape[1]:]
        theirs = tokenizer.decode(ids, skip_special_tokens=True)
        if ours.rstrip("\n") != theirs.rstrip("\n"):
            fail(f"{label}: {question!r}: Ponder writes\n{ours}\ntransformers writes\n{theirs}")
        print(f"  {label}: {question!r}: the same {len(ids)} tokens", flush=True)


def tensors(folder):
    found = {}
    for file in glob.glob(f"{folder}/*.safetensors"):
        with safe_open(file, "pt") as opened:
            found.update({name: opened.get_tensor(name) for name in opened.keys()})
    return found


def same_tensors(label, one, other):
    a, b = tensors(one), tensors(other)
    differing = [name for name in a if name not in b or not torch.equal(a[name], b[name])]
    if differing or len(a) != len(b):
        fail(f"{label}: {len(a)} and {len(b)} tensors, these differ: {differing[:5]}")
    print(f"  {label}: {len(a)} tensors, all equal", flush=True)


def convert(folder, out):
    """llama.cpp's converter and our import of what it wrote."""
    checkout = os.environ.get("PONDER_LLAMA_CPP")
    if not checkout:
        print("  llama.cpp: PONDER_LLAMA_CPP is not set, its converter is not tried", flush=True)
        return
    done = subprocess.run([sys.executable, "convert_hf_to_gguf.py", os.path.abspath(folder), "--outfile", out + ".gguf", "--outtype", "f32"],
                          cwd=checkout, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        fail(f"llama.cpp's converter: exit code {done.returncode}\n{done.stdout[-3000:]}")
    print("  " + run("import", out + ".gguf", out).strip(), flush=True)
    same_tensors("smollm2, converted by llama.cpp and imported", folder, out)


def smollm2(folder):
    config = os.path.join(HERE, "round_trip.toml")
    train(config, f"{folder}/run")
    changed = sum(not torch.equal(a, b) for a, b in zip(tensors("models/smollm2-135m").values(), tensors(f"{folder}/run/final").values()))
    print(f"  two steps changed {changed} tensors", flush=True)
    if changed < 100:
        fail("training changed nothing")
    exported = f"{folder}/smollm2"
    print("  " + run("export", f"{folder}/run", exported, "--shard-mb", "200").splitlines()[0], flush=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        if open(f"models/smollm2-135m/{name}", "rb").read() != open(f"{exported}/{name}", "rb").read():
            fail(f"{name} is not that of the model it came from")
    model, tokenizer = load(exported, "smollm2")
    compare_logits("smollm2", exported, model, tokenizer, TEXTS)
    compare_text("smollm2", exported, model, tokenizer)
    convert(exported, f"{folder}/converted")


def family(name, settings, folder):
    with open(f"{folder}/sizes.toml", "w") as file:
        file.write(SIZES + f'family = "{name}"\n' + settings)
    born, exported, saved = (f"{folder}/{name}-{what}" for what in ("born", "exported", "saved"))
    run("init", f"{folder}/sizes.toml", born)
    run("export", born, exported, "--shard-mb", "1")
    model, tokenizer = load(exported, name)
    texts = ["12+34=46; the sum of two numbers", "abcdefghijklmnopqrstuvwxyz 0123456789"]
    compare_logits(name, exported, model, tokenizer, texts)
    model.save_pretrained(saved)
    tokenizer.save_pretrained(saved)
    if ponder_scores(saved, texts) != ponder_scores(exported, texts):
        fail(f"{name}: what transformers saved gives other log-probabilities")


print(f"  transformers {transformers.__version__}, torch {torch.__version__}")
for name, settings in FAMILIES.items():
    family(name, settings, sys.argv[1])
smollm2(sys.argv[1])
