"""Writes tests/rl/golden/sft.json and sft_model/: losses of TRL's SFTTrainer on a small model, and a cosine schedule of transformers.

    python tests/support/make_sft_golden.py tests/rl/golden

Made with torch 2.11.0, transformers 5.23, trl 1.16 and safetensors, in float32 on the CPU. The model is a random llama of 5,700
parameters. Rows are given as tokens with a completion mask, four a step, in order, and again from the first after the last; the loss
of each step is taken as compute_loss returns it, before any rounding in the log.
"""
import json
import os
import shutil
import sys
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = ""
import torch
import transformers
import trl
from datasets import Dataset

STEPS, ROWS_A_STEP, VOCAB = 8, 4, 32
SETTINGS = {"lr": 1e-2, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.01, "max_grad_norm": 0.5}


def small_model(folder):
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=VOCAB, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        head_dim=4, max_position_embeddings=64, rms_norm_eps=1e-5, initializer_range=0.25, tie_word_embeddings=False, eos_token_id=1,
        bos_token_id=None, pad_token_id=0, dtype="float32", attention_bias=False, mlp_bias=False)
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder)
    for name in os.listdir(folder):
        if name not in ("config.json", "model.safetensors"):
            os.remove(os.path.join(folder, name))
    return transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def rows():
    """Twelve rows of odd and even lengths: a prompt, and a completion that ends in the end token."""
    generator = torch.Generator().manual_seed(9)
    draw = lambda low, high: int(torch.randint(low, high, (1,), generator=generator))
    return [{"prompt": [draw(2, VOCAB) for _ in range(draw(2, 9))],
             "completion": [draw(2, VOCAB) for _ in range(draw(1, 12))] + [1]} for _ in range(12)]


class Recorder(trl.SFTTrainer):
    losses, rates = [], []

    def compute_loss(self, *arguments, **named):
        out = super().compute_loss(*arguments, **named)
        self.losses.append(float((out[0] if isinstance(out, tuple) else out).detach()))
        self.rates.append(float(self.lr_scheduler.get_last_lr()[0]))
        return out

    def _get_train_sampler(self, *unused):
        return torch.utils.data.SequentialSampler(self.train_dataset)


class Tokenizer(transformers.PreTrainedTokenizerFast):
    """TRL wants one; the rows are tokens already."""


def tokenizer():
    from tokenizers import Tokenizer as Core
    from tokenizers.models import WordLevel
    core = Core(WordLevel({f"t{i}": i for i in range(VOCAB)}, unk_token="t2"))
    return Tokenizer(tokenizer_object=core, eos_token="t1", pad_token="t0")


def main(folder):
    model_folder = os.path.join(folder, "sft_model")
    shutil.rmtree(model_folder, ignore_errors=True)
    model = small_model(model_folder)
    data = rows()
    dataset = Dataset.from_list([{"input_ids": r["prompt"] + r["completion"],
                                  "completion_mask": [0] * len(r["prompt"]) + [1] * len(r["completion"])} for r in data])
    with tempfile.TemporaryDirectory() as work:
        trainer = Recorder(
            model=model, processing_class=tokenizer(), train_dataset=dataset,
            args=trl.SFTConfig(
                output_dir=work, per_device_train_batch_size=ROWS_A_STEP, max_steps=STEPS, learning_rate=SETTINGS["lr"],
                lr_scheduler_type="cosine", warmup_steps=0, adam_beta1=SETTINGS["beta1"], adam_beta2=SETTINGS["beta2"],
                adam_epsilon=SETTINGS["eps"], weight_decay=SETTINGS["weight_decay"], max_grad_norm=SETTINGS["max_grad_norm"], optim="adamw_torch",
                bf16=False, fp16=False, gradient_checkpointing=False, logging_steps=1, report_to=[], save_strategy="no", use_cpu=True,
                packing=False, completion_only_loss=True, dataset_kwargs={"skip_prepare_dataset": False}, disable_tqdm=True))
        trainer.train()
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = transformers.get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=4, num_training_steps=12)
    cosine = []
    for _ in range(12):
        cosine.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    out = {"trl": trl.__version__, "transformers": transformers.__version__, "torch": torch.__version__, "steps": STEPS,
           "rows_a_step": ROWS_A_STEP, **SETTINGS, "rows": data, "losses": trainer.losses[:STEPS], "rates": trainer.rates[:STEPS],
           "cosine_warmup_4_of_12": cosine}
    with open(os.path.join(folder, "sft.json"), "w") as file:
        json.dump(out, file, indent=1)
        file.write("\n")
    print(len(trainer.losses), trainer.losses)


main(sys.argv[1])
