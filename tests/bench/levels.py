"""The levels ops and engine: each runs Ponder's programs and its peers in turn, and returns one document of tables."""

import os

import find
import llama
from step_level import step
from tables import busy_notes, merged, missing, spread, table_named


def ops(settings):
    shapes = [[576, 960, 30], [576, 576, 30], [576, 1536, 60], [1536, 576, 30], [576, 49152, 1]]
    rows = [1, 16, 64, 512] if settings.quick else [1, 8, 16, 32, 64, 512, 2048]
    asked = {
        "shapes": [s[:2] + [max(1, s[2] // 5)] for s in shapes] if settings.quick else shapes,
        "rows": rows,
        "samples": 3 if settings.quick else 5,
    }
    rounds, theirs = [], []
    for _ in range(settings.rounds):
        rounds.append(settings.ours("ops_bench", "products", "--samples", str(asked["samples"])))
        theirs.append(settings.peer("torch_products.py", asked))
    document = merged(rounds)
    document["notes"], document["peers"] = [], []
    theirs = [t for t in theirs if t]
    if theirs:
        document["peers"].append(theirs[0]["version"] + " (bf16 products)")
    else:
        missing(document, "LibTorch's products")
    for name, column, keys in (("products", "us_median", ("in", "out", "rows")), ("model products", "ms_median", ("rows",))):
        for row in table_named(document, name)["rows"]:
            values = [r[column] for t in theirs for r in t[name] if all(r[k] == row[k] for k in keys)]
            row["libtorch_" + column] = spread(values)["median"] if values else None
            row["vs_libtorch"] = spread(values)["median"] / row[column] if values else None
    document["tables"] += settings.ours("ops_bench", "linear", "attention", "sampling", "loss", "optimizer")["tables"]
    return document


def generation_of_llama(settings, gguf, sequences, new_tokens, chosen):
    """One speed for each count of sequences, with the setting that was fastest in the first round."""
    speeds = {}
    for count in sequences:
        if count not in chosen:
            chosen[count] = llama.best_setting(settings.llama, gguf, settings.threads, 64, min(new_tokens, 32), count)
        find.say(f"llama.cpp, {count} sequences, {chosen[count]}")
        speeds[count] = llama.measure(settings.llama, gguf, settings.threads, 64, new_tokens, count, chosen[count])[1]
    if "prompt" not in chosen:
        chosen["prompt"] = llama.best_setting(settings.llama, gguf, settings.threads, 512, 1, 1)
    speeds["prompt"] = llama.measure(settings.llama, gguf, settings.threads, 512, 1, 1, chosen["prompt"])[0]
    return speeds


def engine(settings):
    sequences, new_tokens = ([1, 8], 16) if settings.quick else ([1, 8, 16, 32, 64], 128)
    compared = [n for n in sequences if n in (8, 32)]
    gguf = find.gguf(settings.model) if settings.llama and settings.python else None
    rounds, llamas, generates, chosen = [], [], [], {}
    for _ in range(settings.rounds):
        rounds.append(
            settings.ours(
                "engine_bench",
                "generation",
                "prompt",
                "--model",
                settings.model,
                "--sequences",
                ",".join(map(str, sequences)),
                "--new-tokens",
                str(new_tokens),
            )
        )
        if gguf:
            llamas.append(generation_of_llama(settings, gguf, sequences, new_tokens, chosen))
        generates.append(
            settings.peer(
                "transformers_generate.py",
                {
                    "model": os.path.abspath(settings.model),
                    "dtypes": ["bfloat16", "float32"],
                    "sequences": compared,
                    "new_tokens": new_tokens,
                },
            )
        )
    document = merged(rounds)
    document["notes"], document["peers"] = [], []
    generates = [g for g in generates if g]
    if llamas:
        document["peers"].append(find.llama_version(settings.llama) + " (bf16, flash attention)")
        document["notes"] += [
            f'llama.cpp, {what if what == "prompt" else f"{what} sequences"}: its fastest setting was "{setting}".'
            for what, setting in chosen.items()
        ]
    else:
        missing(document, "llama.cpp")
    if generates:
        document["peers"].append(generates[0]["version"])
    else:
        missing(document, "transformers.generate")
    for row in table_named(document, "generation")["rows"]:
        busy_notes(document, f"Ponder, {row['sequences']} sequences", [find_row(d, row)["tok_s"] for d in rounds])
        add_generation_peers(document, row, [speeds[row["sequences"]] for speeds in llamas], generates)
    row = table_named(document, "prompt")["rows"][0]
    speeds = [s["prompt"] for s in llamas]
    row["llamacpp_tok_s"] = spread(speeds)["median"] if speeds else None
    row["prompt_vs_llamacpp"] = row["tok_s"] / spread(speeds)["median"] if speeds else None
    if speeds:
        busy_notes(document, "llama.cpp, prompt", speeds)
    document["tables"] += settings.ours("engine_bench", "curves", "--model", settings.model)["tables"]
    return document


def find_row(document, row):
    return next(r for r in table_named(document, "generation")["rows"] if r["sequences"] == row["sequences"])


def add_generation_peers(document, row, speeds, generates):
    row["llamacpp_tok_s"] = spread(speeds)["median"] if speeds else None
    row["generation_vs_llamacpp"] = row["tok_s"] / spread(speeds)["median"] if speeds else None
    if speeds:
        busy_notes(document, f"llama.cpp, {row['sequences']} sequences", speeds)
    best = None
    for dtype in ("bfloat16", "float32"):
        values = [
            r["tok_s"] for g in generates for r in g["rows"] if r["dtype"] == dtype and r["sequences"] == row["sequences"]
        ]
        row[f"transformers_{dtype}_tok_s"] = spread(values)["median"] if values else None
        if values:
            busy_notes(document, f"transformers {dtype}, {row['sequences']} sequences", values)
            best = max(best or 0, spread(values)["median"])
    row["generation_vs_transformers"] = row["tok_s"] / best if best else None


LEVELS = {"ops": ops, "engine": engine, "step": step}
