"""Golden log-probabilities of SmolLM2-135M on GSM8K text, by transformers reading the GGUF file itself.

    python make_smollm2_golden.py FILE.gguf GSM8K_TEST.jsonl tests/model/golden/smollm2_logprobs.json

Weights and tokenizer both come from the GGUF file (gguf_file=), not from Ponder's import. float32. 200 positions: the
first texts (question, newline, answer) until their next-token positions are 200. Needs torch, transformers, gguf,
accelerate. Made with transformers 5.23.0 and torch 2.11.0.
"""
import json, os, sys

import torch, transformers

gguf, data, out = sys.argv[1:]
folder, name = os.path.split(os.path.abspath(gguf))
tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
texts, left = [], 200
with torch.no_grad():
    for line in open(data, encoding="utf-8"):
        row = json.loads(line)
        text = row["question"] + "\n" + row["answer"]
        ids = tokenizer(text, add_special_tokens=False)["input_ids"][: left + 1]
        logprobs = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        texts.append({"ids": ids,
                      "logprobs": [round(x, 7) for x in logprobs.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()],
                      "next": logprobs.argmax(-1).tolist()})
        left -= len(ids) - 1
        if left <= 0:
            break
mean = sum(sum(t["logprobs"]) for t in texts) / 200
json.dump({"transformers": transformers.__version__, "torch": torch.__version__, "file": name, "mean_logprob": mean, "texts": texts},
          open(out, "w"))
print(f"{len(texts)} texts, 200 positions, mean log-probability {mean:.4f}")
