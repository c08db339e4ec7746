"""Whole GRPO steps of TRL's GRPOTrainer on the CPU. Reads {"model", "prompts", "dtype", "steps", "prompts_per_step",
"samples", "new_tokens", "rows"} from stdin and prints JSON.

The model's folder names an end token that it never writes, so every completion has all its tokens, as in Ponder's run.
`rows`: completions in one forward and backward pass.
"""

import json
import resource
import sys
import tempfile
import time

import torch
import transformers
import trl
from datasets import load_dataset
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer


class Clock(TrainerCallback):
    def __init__(self):
        self.seconds = []

    def on_step_begin(self, args, state, control, **rest):
        self.start = time.perf_counter()

    def on_step_end(self, args, state, control, **rest):
        self.seconds.append(time.perf_counter() - self.start)


lengths = []


def reward(completion_ids, answer, completions, **rest):
    lengths.extend(len(ids) for ids in completion_ids)
    return [
        1.0 if gold.split("#### ")[-1] in made[0]["content"] else 0.1 * (i % 2)
        for i, (made, gold) in enumerate(zip(completions, answer))
    ]


asked = json.load(sys.stdin)
data = load_dataset("json", data_files=asked["prompts"], split="train")
data = data.map(lambda row: {"prompt": [{"role": "user", "content": row["question"]}]}, remove_columns=["question"])
completions = asked["prompts_per_step"] * asked["samples"]
folder = tempfile.mkdtemp()
config = GRPOConfig(
    output_dir=folder,
    use_cpu=True,
    max_steps=asked["steps"],
    beta=0.0,
    learning_rate=1e-6,
    temperature=1.0,
    num_generations=asked["samples"],
    max_completion_length=asked["new_tokens"],
    generation_batch_size=completions,
    per_device_train_batch_size=asked["rows"],
    gradient_accumulation_steps=completions // asked["rows"],
    gradient_checkpointing=asked.get("checkpointing", False),
    bf16=False,
    fp16=False,
    shuffle_dataset=False,
    save_strategy="no",
    report_to=[],
    logging_steps=1,
    disable_tqdm=True,
    model_init_kwargs={"dtype": asked["dtype"]},
    seed=0,
)
clock = Clock()
trainer = GRPOTrainer(model=asked["model"], reward_funcs=reward, args=config, train_dataset=data, callbacks=[clock])
trainer.train()
logs = [log for log in trainer.state.log_history if "completions/mean_length" in log]
print(
    json.dumps(
        {
            "version": f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}",
            "seconds": clock.seconds,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "completions": len(lengths),
            "new_tokens": sum(lengths),
            "num_tokens": logs[-1].get("num_tokens"),
            "grad_norms": [log.get("grad_norm") for log in logs],
        }
    )
)
