"""Shapes of golds: each function gives the parts of a gold of its shape, or None. Used by make_perturbed_golds.py."""
import re
from decimal import Decimal
from fractions import Fraction


def split_top(text, sep=","):
    """Splits at `sep` outside of all brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == sep and depth == 0 and text[i + 1:i + 3] != "\\!" and text[i + 1:i + 2] != "}":
            parts.append(text[start:i].strip())
            start = i + 1
    return parts + [text[start:].strip()]


def integer(g):
    return int(g) if re.fullmatch(r"-?(0|[1-9]\d*)", g) else None


def quotient(g):
    """(sign, numerator, denominator) of one \\frac of two whole numbers above 0."""
    m = re.fullmatch(r"(-?) ?\\[dt]?frac ?(?:\{(\d+)\}|(\d)) ?(?:\{(\d+)\}|(\d))", g)
    return m and (m[1], int(m[2] or m[3]), int(m[4] or m[5]))


def decimal(g):
    return Decimal(g) if re.fullmatch(r"-?\d*\.\d+", g) else None


def grouped(g):
    """A whole number written in groups of three."""
    return int(re.sub(r"\D", "", g)) if re.fullmatch(r"\d{1,3}(,\\! ?\d{3}|\{,\}\d{3})+", g) else None


def surd(g):
    """(sign, factor, radicand) of a\\sqrt{b}."""
    m = re.fullmatch(r"(-?)(\d*) ?\\sqrt ?(?:\{(\d+)\}|(\d))", g)
    return m and (m[1], int(m[2] or 1), int(m[3] or m[4]))


def times_pi(g):
    m = re.fullmatch(r"(\d+) ?\\pi", g)
    return m and int(m[1])


def complex_pair(g):
    """(real, sign, imaginary), all as text without blanks; whole numbers only."""
    m = re.fullmatch(r"(-?\d+) ?([+-]) ?(\d*)i", g)
    return m and (m[1], m[2], m[3])


def degrees(g):
    m = re.fullmatch(r"(\d+)\^(?:\\circ|\{\\circ\})", g)
    return m and m[1]


def percent(g):
    m = re.fullmatch(r"(\d+) ?\\%", g)
    return m and m[1]


def based(g):
    m = re.fullmatch(r"(\d+)_\{?(\d+)\}?", g)
    return m and (m[1], int(m[2]))


def money(g):
    m = re.fullmatch(r"\\\$ ?(\d+(?:\.\d\d)?)", g)
    return m and m[1]


UNITS = {"cm": "feet", "feet": "inches", "inches": "miles", "miles": "meters", "meters": "inches", "days": "hours",
         "hours": "minutes", "min": "hours", "minutes": "hours", "degrees": "radians", "dollars": "cents", "cents": "dollars",
         "mph": "cm", "ft": "inches", "km": "meters", "pounds": "grams", "gallons": "liters"}


def measured(g):
    """(number, unit) where the unit is one of UNITS."""
    m = re.fullmatch(r"(\d+(?:\.\d+)?)\\?,? ?\\(?:text|mbox)\{ ?(\w+)\}", g)
    return (m[1], m[2]) if m and m[2] in UNITS else None


def word(g):
    m = re.fullmatch(r"\\text\{([A-Z]?[a-z]{3,})\}", g)
    return m and m[1]


def number_value(g):
    """A whole number or a quotient of whole numbers, as Fraction; None for everything else."""
    if integer(g) is not None:
        return Fraction(int(g))
    q = quotient(g)
    return Fraction(q[1], q[2]) * (-1 if q[0] else 1) if q else None


def pair_or_more(g):
    """The entries of (a, b, ...), each a number."""
    m = re.fullmatch(r"(?:\\left ?)?\((.*?)(?:\\right ?)?\)", g)
    parts = split_top(m[1]) if m else []
    return parts if len(parts) > 1 and all(number_value(p) is not None for p in parts) else None


def number_list(g):
    """Different numbers without brackets, none of which could be read as groups of one number."""
    parts = split_top(g)
    values = [number_value(p) for p in parts]
    if len(parts) < 2 or None in values or len(set(values)) < len(values):
        return None
    return None if any(re.fullmatch(r"\d{3}", p) for p in parts[1:]) else parts


def interval(g):
    """(left bracket, lower, upper, right bracket); at least one end closed or infinite, so it is no pair."""
    m = re.fullmatch(r"(?:\\left ?)?([(\[])(.*?)(?:\\right ?)?([)\]])", g)
    ends = split_top(m[2]) if m else []
    if len(ends) != 2 or not all(number_value(e) is not None or e in (r"\infty", r"-\infty") for e in ends):
        return None
    return (m[1], ends[0], ends[1], m[3]) if "[" in m[1] or "]" in m[3] or r"\infty" in m[2] else None


def pieces(g):
    """The intervals of a union of disjoint ones."""
    parts = [p.strip() for p in g.split(r"\cup")]
    if len(parts) < 2 or not all(interval(p) or pair_or_more(p) and len(pair_or_more(p)) == 2 for p in parts):
        return None
    return parts


def polynomial(g):
    """Signed terms of a polynomial in one letter with whole coefficients and different powers: [("+", "3x^2"), ...]."""
    plain = g.replace(" ", "").replace("{", "").replace("}", "")
    if not re.fullmatch(r"[-+]?\d*([a-z]?)(\^\d+)?([-+]\d*[a-z]?(\^\d+)?)+", plain) or re.search(r"(?<![a-z])\^", plain):
        return None
    letters = set(re.findall(r"[a-z]", plain))
    terms = re.findall(r"([-+]?)(\d*[a-z]?(?:\^\d+)?)", plain)
    terms = [(s or "+", t) for s, t in terms if t]
    powers = [re.sub(r"^\d*", "", t) for _, t in terms]
    if len(letters) != 1 or letters & set("ei") or len(set(powers)) < len(powers):
        return None
    return [(s, re.sub(r"\^(\d\d+)", r"^{\1}", t)) for s, t in terms]


def write_terms(terms):
    text = "".join(f" {s} {t}" for s, t in terms).strip()
    return text[2:] if text.startswith("+ ") else "-" + text[2:] if text.startswith("- ") else text


def rows(g):
    m = re.fullmatch(r"\\begin\{pmatrix\}(.*?)(?:\\\\)?\\end\{pmatrix\}", g)
    table = [[c.strip() for c in row.split("&")] for row in m[1].split(r"\\")] if m else None
    return table if table and all(re.fullmatch(r"-?\d+(/\d+)?", c) for row in table for c in row) else None


def write_rows(table, kind="pmatrix"):
    return rf"\begin{{{kind}}} " + r" \\ ".join(" & ".join(row) for row in table) + rf" \end{{{kind}}}"


def plane(g):
    """Signed terms of "ax + by + cz + d = 0"."""
    m = re.fullmatch(r"((?:[-+]? ?\d*[xyz] ?)+[-+] ?\d+) ?= ?0", g)
    terms = [(s.strip() or "+", t) for s, t in re.findall(r"([-+]? ?)(\d*[xyz]|\d+)", m[1])] if m else []
    return [(s, t) for s, t in terms] if len(terms) > 2 else None


def ratio(g):
    m = re.fullmatch(r"(\d+) ?: ?(\d+)", g)
    return m and (int(m[1]), int(m[2])) if m and len(m[2]) == 1 else None  # 9:24 may be a time of day


def scientific(g):
    m = re.fullmatch(r"(-?\d+(?:\.\d+)?)e(-?\d+)", g)
    return m and (m[1], int(m[2]))


def scalar(g):
    """Certain to be one number or one expression, with nothing that binds less than a sum."""
    if any(shape(g) is not None for shape in (integer, decimal)) or quotient(g) or surd(g) or times_pi(g) or polynomial(g):
        return True
    if not re.search(r"\\(frac|sqrt|pi|binom)", g):
        return False
    apart = re.sub(r"\\[a-z]+", lambda m: m[0] + " ", g)
    return not re.search(r"[,=<>:&_\[\]'%$]|\\(?!frac|sqrt|pi|binom|cdot)|[a-z]{4}", apart)
