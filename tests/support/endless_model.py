"""A model folder whose completions always have all their tokens, for measurements of full-length work."""

import json
import os

END_TOKEN = {"config.json": ("eos_token_id", 16), "generation_config.json": ("eos_token_id", 16),
             "tokenizer_config.json": ("eos_token", "<empty_output>")}


def endless_model(model, folder):
    """Fills `folder` with links to SmolLM2's files and an end token that the model never writes; returns `folder`."""
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(model):
        target = os.path.join(folder, name)
        if os.path.lexists(target):
            os.remove(target)
        if name not in END_TOKEN:
            os.symlink(os.path.realpath(os.path.join(model, name)), target)
            continue
        key, value = END_TOKEN[name]
        with open(os.path.join(model, name), encoding="utf-8") as file:
            fields = json.load(file)
        with open(target, "w", encoding="utf-8") as out:
            json.dump({**fields, key: value}, out, indent=1)
    return folder
