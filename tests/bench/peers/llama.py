"""llama.cpp's llama-batched-bench: speeds of generation and of prompts."""

import json
import subprocess

SETTINGS = {"a cache for each sequence": [], "one cache": ["-kvu"], "weights as they are": ["--no-repack"]}


def measure(binary, gguf, threads, prompt, new_tokens, sequences, setting):
    """Tokens a second of prompt and of generation. Flash attention on."""
    context = sequences * (prompt + new_tokens)
    command = [
        binary,
        "-m",
        gguf,
        "-t",
        str(threads),
        "-tb",
        str(threads),
        "-fa",
        "on",
        "-c",
        str(context),
        "-npp",
        str(prompt),
        "-ntg",
        str(new_tokens),
        "-npl",
        str(sequences),
        "--output-format",
        "jsonl",
        *SETTINGS[setting],
    ]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not rows:
        raise RuntimeError(f"llama-batched-bench ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return rows[0]["speed_pp"], rows[0]["speed_tg"]


def best_setting(binary, gguf, threads, prompt, new_tokens, sequences):
    """The fastest of SETTINGS, by generation, or by prompt when one token is made."""
    which = 0 if new_tokens == 1 else 1
    return max(SETTINGS, key=lambda s: measure(binary, gguf, threads, prompt, new_tokens, sequences, s)[which])
