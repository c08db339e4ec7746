"""Draws reward and completion length by GRPO step as one SVG: draw_reward_curve.py RUN_FOLDER OUT.svg"""
import json
import sys

run, out = sys.argv[1:]
with open(f"{run}/metrics.jsonl") as file:
    rows = [row for row in map(json.loads, file) if row["stage"] == "grpo" and "reward" in row]
summary = json.load(open(f"{run}/summary.json"))

WIDTH, HEIGHT, TOP, BOTTOM = 820, 300, 64, 248
PANELS = [("Reward", "mean of 256 completions", "reward", 52, 392, [0, 0.25, 0.5, 0.75, 1], "a"),
          ("Completion length", "tokens, mean", "completions/mean_length", 460, 800, [0, 10, 20, 30], "b")]
STYLE = """text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#6b6b70}
.title{font-size:15px;font-weight:650;fill:#1d1d1f}.page{fill:#fff}.grid{stroke:#e4e4e2}
.line{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}
.a{stroke:#2f6fde}.b{stroke:#d9772b}.end{font-weight:650;fill:#1d1d1f}
@media(prefers-color-scheme:dark){text{fill:#9a9aa2}.title,.end{fill:#ececee}.page{fill:#141416}.grid{stroke:#323237}
.a{stroke:#78a6ff}.b{stroke:#f2a365}}"""

parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
         f'aria-label="Reward and completion length by GRPO step, quickstart, seed {summary["seed"]}">',
         f"<style>{STYLE}</style>", f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="10"/>']
last = rows[-1]["step"]
for title, unit, key, left, right, ticks, colour in PANELS:
    def x(step):
        return left + (step - 1) / (last - 1) * (right - left)

    def y(value):
        return BOTTOM - value / ticks[-1] * (BOTTOM - TOP)

    parts.append(f'<text class="title" x="{left}" y="32">{title} <tspan font-weight="400" font-size="12">{unit}</tspan></text>')
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
                     f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for step in [1, *range(10, last + 1, 10)]:
        parts.append(f'<text x="{x(step):.1f}" y="{BOTTOM + 20}" text-anchor="middle">{step}</text>')
    points = " ".join(f'{x(row["step"]):.1f},{y(row[key]):.1f}' for row in rows)
    parts.append(f'<polyline class="line {colour}" points="{points}"/>')
    first, end = rows[0][key], rows[-1][key]
    digits = 2 if ticks[-1] <= 1 else 1
    parts.append(f'<text class="end" x="{left + 6}" y="{y(first) + 22:.1f}">{first:.{digits}f}</text>')
    parts.append(f'<text class="end" x="{right}" y="{y(end) + 22:.1f}" text-anchor="end">{end:.{digits}f}</text>')
    parts.append(f'<text x="{(left + right) / 2}" y="{BOTTOM + 38}" text-anchor="middle">GRPO step</text>')
with open(out, "w") as file:
    file.write("\n".join(parts) + "\n</svg>\n")
