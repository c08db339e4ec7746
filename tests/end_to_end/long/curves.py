"""Line charts as SVG for tests/results and the README, for light and dark pages."""

STYLE = """text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#6b6b70}
.title{font-size:14px;font-weight:650;fill:#1d1d1f}.page{fill:#fff}.grid{stroke:#e4e4e2}
polyline{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round;stroke:#2f6fde;stroke-opacity:.65}
polyline.b{stroke:#d9772b}polyline.c{stroke:#3a9a5b}
@media(prefers-color-scheme:dark){text{fill:#9a9aa2}.title{fill:#ececee}.page{fill:#141416}.grid{stroke:#323237}
polyline{stroke:#78a6ff}polyline.b{stroke:#f2a365}polyline.c{stroke:#74cf95}}"""
WIDTH, LEFT, PLOT, ROW, TOP, HEIGHT = 820, 46, 214, 190, 74, 120


def panel(name, runs, column, row, last, highest, lowest=0.0, classes=None):
    left, top = LEFT + column * 264, TOP + row * ROW
    x = lambda step: left + step / last * PLOT
    y = lambda value: top + HEIGHT - (min(max(value, lowest), highest) - lowest) / (highest - lowest) * HEIGHT
    parts = [f'<text class="title" x="{left}" y="{top - 10}">{name}</text>']
    for part in range(5):
        tick = lowest + (highest - lowest) * part / 4
        parts.append(f'<line class="grid" x1="{left}" x2="{left + PLOT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        if part % 2 == 0:
            parts.append(f'<text x="{left - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.3g}</text>')
    for step in (0, last // 2, last):
        parts.append(f'<text x="{x(step):.1f}" y="{top + HEIGHT + 17}" text-anchor="middle">{step}</text>')
    for index, points in enumerate(runs):
        line = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
        parts.append(f'<polyline class="{classes[index] if classes else "a"}" points="{line}"/>')
    return parts


def small_multiples(title, curves, last, highest, lowest=0.0, classes=None):
    """One panel for each name of `curves`: {name: [[(step, value)] for each run]}; `classes` names a colour, a to c, for each run."""
    rows = (len(curves) + 2) // 3
    height = TOP + rows * ROW
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">', f"<style>{STYLE}</style>",
             f'<rect class="page" width="{WIDTH}" height="{height}" rx="10"/>', f'<text class="title" x="{LEFT}" y="30">{title}</text>']
    for index, (name, runs) in enumerate(curves.items()):
        parts += panel(name, runs, index % 3, index // 3, last, highest, lowest, classes)
    return "\n".join(parts) + "\n</svg>\n"
