"""Tables of results: medians over rounds, Markdown, and the README's table.

Usage: tables.py DIR                 prints DIR's results as Markdown
       tables.py DIR --readme FILE   writes their summary between the two bench marks of FILE
"""

import json
import os
import statistics
import sys

from goals import goals

LEVELS = ("ops", "engine", "step")


def key_of(table, row):
    return tuple(list(row.values())[: table["keys"]])


def merged(documents):
    """One document of several rounds: medians of what is measured, the least of *_min and the most of *_max."""
    first = json.loads(json.dumps(documents[0]))
    for table in first["tables"]:
        others = [t for d in documents for t in d["tables"] if t["name"] == table["name"]]
        for row in table["rows"]:
            same = [r for t in others for r in t["rows"] if key_of(table, r) == key_of(table, row)]
            for column in list(row)[table["keys"] :]:
                values = [r[column] for r in same if isinstance(r[column], (int, float))]
                if values:
                    choose = min if column.endswith("_min") else max if column.endswith("_max") else statistics.median
                    row[column] = choose(values)
            if "tok_s" in row and len(same) > 1:
                row["tok_s_min"], row["tok_s_max"] = (choose(r["tok_s"] for r in same) for choose in (min, max))
    for name, value in first["machine"].items():
        if isinstance(value, float):
            first["machine"][name] = max(d["machine"][name] for d in documents)
    return first


def spread(values):
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "values": values,
        "busy": statistics.median(values) < 0.85 * max(values),
    }


def busy_notes(document, what, values):
    if spread(values)["busy"]:
        document["notes"].append(
            f"{what}: the median is below 85 % of the best round ({min(values):.3g} to {max(values):.3g}): the machine was busy."
        )


def missing(document, peer):
    document["notes"].append(
        f"{peer}: not measured, it was not found or failed (see peers/find.py; --install-peers builds it)."
    )


def table_named(document, name):
    return next((t for t in document["tables"] if t["name"] == name), None)


def cell(value):
    if value is None:
        return "not measured"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def markdown(rows):
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(cell(row.get(name, "")) for name in columns) + " |" for row in rows])


def load(folder):
    return {
        level: json.load(open(os.path.join(folder, level + ".json")))
        for level in LEVELS
        if os.path.exists(os.path.join(folder, level + ".json"))
    }


def machine_text(documents):
    document = next(iter(documents.values()))
    m = document["machine"]
    peers = [version for d in documents.values() for version in d.get("peers", [])]
    quick = "A quick run, to try the benchmarks: not to publish. " if any(d.get("quick") for d in documents.values()) else ""
    return (
        f"{quick}{m['processor']}, {m['threads']} threads, {m['isa']}; commit {m['commit']}, {m['date']}. "
        f"Measured in the same run: bf16 peak {m['peak_bf16_gflops']:.0f} GFLOP/s, float32 {m['peak_float32_gflops']:.0f}, "
        f"DRAM read {m['dram_read_gb_per_second']:.1f} GB/s, its best; shares of DRAM are of the best of ten reads just before and after. "
        + ("Beside " + "; ".join(dict.fromkeys(peers)) + "." if peers else "No other tool was measured.")
    )


def whole_page(documents):
    parts = ["# Speed", machine_text(documents), "## Goals", markdown(goals(documents)), markdown(headline(documents))]
    for level, document in documents.items():
        parts.append(f"## {level}")
        parts += ["- " + note for note in document.get("notes", [])]
        for table in document["tables"]:
            parts += [f"### {table['name']}", table["note"], markdown(table["rows"])]
    return "\n\n".join(parts) + "\n"


def headline(documents):
    """What a reader wants first: Ponder's figure beside the others'."""
    rows = []
    engine, step = documents.get("engine", {"tables": []}), documents.get("step", {"tables": []})
    for row in (table_named(engine, "generation") or {"rows": []})["rows"]:
        others = [row.get(f"transformers_{dtype}_tok_s") for dtype in ("bfloat16", "float32")]
        rows.append(
            {
                "what": f"generation, tokens a second, sequences: {row['sequences']}",
                "Ponder": row["tok_s"],
                "llama.cpp": row["llamacpp_tok_s"],
                "transformers or TRL": max((o for o in others if o), default=None),
                "roofline": row["roofline_tok_s"],
            }
        )
    for row in (table_named(engine, "prompt") or {"rows": []})["rows"]:
        rows.append(
            {
                "what": f"prompt, tokens a second, {row['tokens']} tokens",
                "Ponder": row["tok_s"],
                "llama.cpp": row["llamacpp_tok_s"],
            }
        )
    steps = (table_named(step, "grpo step") or {"rows": []})["rows"]
    if steps:
        ours = [row for row in steps if row["tool"].startswith("ponder")]
        theirs = [row for row in steps if row not in ours]
        best = min(theirs, key=lambda row: row["seconds"], default={"seconds": None, "peak_mb": None})
        for row in ours:
            way = row["tool"].removeprefix("ponder, ")
            rows.append({"what": f"GRPO step, seconds, {way}", "Ponder": row["seconds"], "transformers or TRL": best["seconds"]})
            rows.append(
                {"what": f"GRPO step, resident MB, {way}", "Ponder": row["peak_mb"], "transformers or TRL": best["peak_mb"]}
            )
    return rows


def write_readme(documents, file):
    begin, end = "<!-- bench: begin -->", "<!-- bench: end -->"
    text = open(file).read()
    if begin not in text or end not in text:
        sys.exit(f"{file} lacks the marks {begin} and {end}")
    table = "\n\n".join(["", machine_text(documents), markdown(headline(documents)), markdown(goals(documents)), ""])
    with open(file, "w") as out:
        out.write(text[: text.index(begin) + len(begin)] + table + text[text.index(end) :])


if __name__ == "__main__":
    found = load(sys.argv[1])
    if not found:
        sys.exit(f"{sys.argv[1]} has no results; run ./ponder bench first")
    if len(sys.argv) > 3 and sys.argv[2] == "--readme":
        write_readme(found, sys.argv[3])
    else:
        print(whole_page(found), end="")
