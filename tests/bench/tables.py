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
    return tuple(list(row.values())[:table["keys"]])


def merged(documents):
    """One document of several rounds: medians of what is measured, the least of *_min and the most of *_max."""
    first = json.loads(json.dumps(documents[0]))
    for table in first["tables"]:
        others = [t for d in documents for t in d["tables"] if t["name"] == table["name"]]
        for row in table["rows"]:
            same = [r for t in others for r in t["rows"] if key_of(table, r) == key_of(table, row)]
            for column in list(row)[table["keys"]:]:
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
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "values": values,
            "busy": statistics.median(values) < 0.85 * max(values)}


def table_named(document, name):
    return next((t for t in document["tables"] if t["name"] == name), None)


def find_row(document, name, **key):
    table = table_named(document, name) or {"rows": []}
    return next((row for row in table["rows"] if all(row.get(k) == v for k, v in key.items())), None)


def cell(value):
    if value is None:
        return "not measured"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def markdown(rows):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(cell(row.get(name, "")) for name in columns) + " |" for row in rows])


def load(folder):
    return {level: json.load(open(os.path.join(folder, level + ".json"))) for level in LEVELS
            if os.path.exists(os.path.join(folder, level + ".json"))}


def machine_text(documents):
    document = next(iter(documents.values()))
    m = document["machine"]
    peers = [version for d in documents.values() for version in d.get("peers", [])]
    quick = "A quick run, to try the benchmarks: not to publish. " if any(d.get("quick") for d in documents.values()) else ""
    return (f"{quick}{m['processor']}, {m['threads']} threads, {m['isa']}; commit {m['commit']}, {m['date']}. Measured in the same run: bf16 peak "
            f"{m['peak_bf16_gflops']:.0f} GFLOP/s, float32 {m['peak_float32_gflops']:.0f}, DRAM read {m['dram_read_gb_per_second']:.1f} GB/s. "
            + ("Beside " + "; ".join(dict.fromkeys(peers)) + "." if peers else "No other tool was measured."))


def whole_page(documents):
    parts = ["# Speed", machine_text(documents), "## Goals", markdown(goals(documents))]
    for level, document in documents.items():
        parts.append(f"## {level}")
        parts += ["- " + note for note in document.get("notes", [])]
        for table in document["tables"]:
            parts += [f"### {table['name']}", table["note"], markdown(table["rows"])]
    return "\n\n".join(parts) + "\n"


def write_readme(documents, file):
    begin, end = "<!-- bench: begin -->", "<!-- bench: end -->"
    text = open(file).read()
    if begin not in text or end not in text:
        sys.exit(f"{file} lacks the marks {begin} and {end}")
    table = "\n\n".join(["", machine_text(documents), markdown(goals(documents)), ""])
    with open(file, "w") as out:
        out.write(text[:text.index(begin) + len(begin)] + table + text[text.index(end):])


if __name__ == "__main__":
    found = load(sys.argv[1])
    if not found:
        sys.exit(f"{sys.argv[1]} has no results; run ./ponder bench first")
    if len(sys.argv) > 3 and sys.argv[2] == "--readme":
        write_readme(found, sys.argv[3])
    else:
        print(whole_page(found), end="")
