#!/usr/bin/env python3
"""Makes 2,000 perturbed golds: rewrites that mean the same, and near misses. The label follows from the rule.

    make_perturbed_golds.py      (reads tests/reward/math/cases/golds.txt, writes perturbed.jsonl beside it)

A rule takes the shape of a gold (an integer, a quotient, a pair...) and gives another spelling, or None where it does not
apply or the label would not be certain. Half of the lines are rewrites and half near misses; each half goes round its
rules and takes one gold at a time, so rare shapes are seen as well as integers. The random numbers have a fixed seed.
"""
import json
import os
import random
import re
from decimal import Decimal
from fractions import Fraction

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reward", "math", "cases")
SETS = ("math500", "math_test", "aime24", "aime25", "olympiadbench", "minerva")
SAME, OTHER = [], []  # the rules


def same(rule):
    SAME.append(rule)
    return rule


def other(rule):
    OTHER.append(rule)
    return rule


# ---- shapes -------------------------------------------------------------------------------------------------------------

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
    return bool(re.search(r"\\(frac|sqrt|pi|binom)", g)) and not re.search(r"[,=<>:&_\[\]'%$]|\\(?!frac|sqrt|pi|binom|cdot)|[a-z]{4}",
                                                                             re.sub(r"\\[a-z]+", lambda m: m[0] + " ", g))


# ---- rewrites that mean the same -----------------------------------------------------------------------------------------

@same
def frac_style(g, rng):
    to = rng.choice([r"\dfrac", r"\tfrac", r"\cfrac"])
    return re.sub(r"\\[dt]?frac(?![a-z])", lambda m: to, g) if r"\frac{" in g else None


@same
def slash(g, rng):
    q = quotient(g)
    return q and f"{q[0]}{q[1]}/{q[2]}"


@same
def exact_decimal(g, rng):
    q = quotient(g)
    if not q or q[2] % 2 and q[2] % 5 or q[2] == 1:
        return None
    value = Decimal(q[1]) / Decimal(q[2])
    return q[0] + format(value, "f") if Fraction(value) == Fraction(q[1], q[2]) else None


@same
def unreduced(g, rng):
    q, k = quotient(g), rng.randint(2, 9)
    return q and rf"{q[0]}\frac{{{q[1] * k}}}{{{q[2] * k}}}"


@same
def sign_moves_up(g, rng):
    q = quotient(g)
    return rf"\frac{{-{q[1]}}}{{{q[2]}}}" if q and q[0] else None


@same
def mixed_number(g, rng):
    q = quotient(g)
    if not q or q[1] < q[2] or q[1] % q[2] == 0:
        return None
    return rf"{q[0]}{q[1] // q[2]}\frac{{{q[1] % q[2]}}}{{{q[2]}}}"


@same
def separators(g, rng):
    n = integer(g)
    return rng.choice([f"{n:,}", f"{n:,}".replace(",", "{,}"), f"{n:,}".replace(",", r"\,")]) if n and n > 999 else None


@same
def no_separators(g, rng):
    n = grouped(g)
    return n and str(n)


@same
def assignment(g, rng):
    return rng.choice(["x = ", "n=", "S = "]) + g if integer(g) is not None or quotient(g) or surd(g) else None


@same
def with_point_zero(g, rng):
    return g + rng.choice([".0", ".00", "."]) if integer(g) is not None else None


@same
def as_sum(g, rng):
    n = integer(g)
    if n is None or n < 3:
        return None
    k = rng.randint(1, n - 1)
    return f"{k} + {n - k}"


@same
def as_product(g, rng):
    n = integer(g)
    divisors = [d for d in range(2, 50) if n and n > d and n % d == 0]
    if not divisors:
        return None
    d = rng.choice(divisors)
    return rng.choice([rf"{d} \cdot {n // d}", rf"{d}\times{n // d}", f"{d}*{n // d}"])


@same
def dollars_around(g, rng):
    return f"${g}$" if "$" not in g else None


@same
def under_the_root(g, rng):
    s = surd(g)
    return s and s[1] > 1 and rf"{s[0]}\sqrt{{{s[1] ** 2 * s[2]}}}" or None


@same
def rational_denominator_undone(g, rng):
    s = surd(g)
    return s and rf"{s[0]}\frac{{{s[1] * s[2]}}}{{\sqrt{{{s[2]}}}}}"


@same
def root_first(g, rng):
    s = surd(g)
    return s and s[1] > 1 and rf"{s[0]}\sqrt{{{s[2]}}}\cdot {s[1]}" or None


@same
def plain_sqrt(g, rng):
    s = surd(g)
    return s and (f"{s[0]}{s[1]}*sqrt({s[2]})" if s[1] > 1 else f"{s[0]}sqrt({s[2]})")


@same
def pi_first(g, rng):
    n = times_pi(g)
    return n and rng.choice([rf"\pi \cdot {n}", f"{n}*pi", f"{n}π", rf"\frac{{{2 * n}\pi}}{{2}}"])


@same
def imaginary_first(g, rng):
    c = complex_pair(g)
    return c and f"{'-' if c[1] == '-' else ''}{c[2]}i {'' if c[0][0] == '-' else '+ '}{c[0].replace('-', '- ')}"


@same
def degree_spelling(g, rng):
    d = degrees(g)
    return d and rng.choice([d, d + r"\text{ degrees}", d + r"^{\circ}", d + "°", d + r"\,^\circ"])


@same
def percent_as_decimal(g, rng):
    p = percent(g)
    return p and rng.choice([str(Decimal(p) / 100), rf"\frac{{{p}}}{{100}}", p + "%"])


@same
def base_spelling(g, rng):
    b = based(g)
    return b and (f"{b[0]}_{{{b[1]}}}" if "{" not in g else f"{b[0]}_{b[1]}" if b[1] < 10 else None)


@same
def money_spelling(g, rng):
    m = money(g)
    return m and rng.choice([m, m + r"\text{ dollars}", rf"\${m}"])


@same
def without_unit(g, rng):
    m = measured(g)
    return m and rng.choice([m[0], rf"{m[0]}\,\mathrm{{{m[1]}}}", f"{m[0]} {m[1]}"])


@same
def word_spelling(g, rng):
    w = word(g)
    return w and rng.choice([w, w.upper(), rf"\text{{{w}.}}", rf"\textbf{{{w}}}", rf"\mathrm{{{w}}}"])


@same
def pair_spacing(g, rng):
    p = pair_or_more(g)
    return p and rng.choice([r"\left(" + ", ".join(p) + r"\right)", "(" + ",".join(p) + ")", "( " + r" ,\ ".join(p) + " )"])


@same
def list_order(g, rng):
    p = number_list(g)
    if not p:
        return None
    p = p[1:] + p[:1]
    return rng.choice([", ".join(p), r"\{" + ", ".join(p) + r"\}", " and ".join(p) if len(p) == 2 else ", ".join(p)])


@same
def inequality(g, rng):
    i = interval(g)
    if not i or i[1] == r"-\infty" and i[2] == r"\infty":
        return None
    low, high = r"\le" if i[0] == "[" else "<", r"\le" if i[3] == "]" else "<"
    if i[1] == r"-\infty":
        return f"x {high} {i[2]}"
    return f"{i[1]} {low} x" if i[2] == r"\infty" else f"{i[1]} {low} x {high} {i[2]}"


@same
def interval_spelling(g, rng):
    i = interval(g)
    return i and rf"x \in \left{i[0]} {i[1]} , {i[2].replace(chr(92) + 'infty', '+' + chr(92) + 'infty') if i[2][0] != '-' else i[2]} \right{i[3]}"


@same
def union_order(g, rng):
    p = pieces(g)
    return p and r" \cup ".join(reversed(p))


@same
def term_order(g, rng):
    p = polynomial(g)
    return p and write_terms(list(reversed(p)))


@same
def twice_and_half(g, rng):
    p = polynomial(g)
    return p and rng.choice([rf"\frac{{2({write_terms(p)})}}{{2}}", rf"\left({write_terms(p)}\right)", rf"-(-({write_terms(p)}))"])


@same
def matrix_spelling(g, rng):
    r = rows(g)
    if not r:
        return None
    if rng.random() < 0.5:
        return write_rows(r, "bmatrix")
    columns = "c" * len(r[0])
    return rf"\left(\begin{{array}}{{{columns}}} " + r" \\ ".join(" & ".join(row) for row in r) + r" \end{array}\right)"


@same
def equation_scaled(g, rng):
    p, k = plane(g), rng.choice([2, 3])
    if not p:
        return None
    grown = [(s, re.sub(r"^\d*", lambda m: str(k * int(m[0] or 1)), t)) for s, t in p]
    flip = {"+": "-", "-": "+"}
    return rng.choice([f"{write_terms(grown)} = 0", f"{write_terms([(flip[s], t) for s, t in p])} = 0",
                       f"{write_terms(p[:-1])} = {write_terms([(flip[p[-1][0]], p[-1][1])])}"])


@same
def ratio_scaled(g, rng):
    r = ratio(g)
    return r and f"{2 * r[0]}:{2 * r[1]}"


@same
def decimal_spelling(g, rng):
    d = decimal(g)
    if d is None:
        return None
    f = Fraction(d)
    return rng.choice([format(d, "f") + "0", rf"{'-' if f < 0 else ''}\frac{{{abs(f.numerator)}}}{{{f.denominator}}}"])


@same
def power_of_ten(g, rng):
    s = scientific(g)
    return s and rng.choice([rf"{s[0]} \times 10^{{{s[1]}}}", rf"{s[0]}\cdot10^{{{s[1]}}}", f"{s[0]}E{s[1]}"])


@same
def blanks(g, rng):
    return re.sub(r" ?([+=]) ?", r"\\,\1\\;", g) if scalar(g) and "+" in g else None


# ---- near misses ---------------------------------------------------------------------------------------------------------

def raise_last_digit(text):
    """Adds 1 to the last run of digits."""
    at = [m for m in re.finditer(r"\d+", text)]
    m = at[-1]
    return text[:m.start()] + str(int(m[0]) + 1).zfill(len(m[0])) + text[m.end():]


@other
def next_number(g, rng):
    ok = integer(g) is not None or decimal(g) is not None or quotient(g) or surd(g) or degrees(g) or percent(g) or money(g)
    return raise_last_digit(g) if ok and not (integer(g) is not None and integer(g) < 0) and not g.startswith("-") else None


@other
def any_digit(g, rng):
    if integer(g) is None and decimal(g) is None and grouped(g) is None:
        return None
    at = rng.choice([i for i, c in enumerate(g) if c.isdigit()])
    return g[:at] + str((int(g[at]) + rng.randint(1, 8)) % 10 or 9 if g[at] != "9" else 8) + g[at + 1:]


@other
def sign_flip(g, rng):
    ok = (integer(g) or quotient(g) or surd(g) or decimal(g)) and g.strip("-0.") != ""
    return (g[1:].strip() if g.startswith("-") else "-" + g) if ok else None


@other
def upside_down(g, rng):
    q = quotient(g)
    return rf"{q[0]}\frac{{{q[2]}}}{{{q[1]}}}" if q and q[1] != q[2] else None


@other
def next_denominator(g, rng):
    q = quotient(g)
    return q and rf"{q[0]}\frac{{{q[1]}}}{{{q[2] + 1}}}"


@other
def short_decimal(g, rng):
    """A third as 0.33: under six digits no decimal stands for a quotient that it does not equal."""
    q = quotient(g)
    value = f"{q[1] / q[2]:.3f}" if q else None
    return q[0] + value if q and Fraction(value) != Fraction(q[1], q[2]) else None


@other
def ten_times(g, rng):
    n = integer(g)
    if n:
        return g + "0"
    d = decimal(g)
    return format(d * 10, "f") if d else None


@other
def other_radicand(g, rng):
    s = surd(g)
    return s and rf"{s[0]}{s[1] if s[1] > 1 else ''}\sqrt{{{s[2] + 1}}}"


@other
def root_lost(g, rng):
    s = surd(g)
    return s and s[2] > 1 and rng.choice([f"{s[0]}{s[1] * s[2]}", rf"{s[0]}{s[1] + 1}\sqrt{{{s[2]}}}"]) or None


@other
def wrongly_under_the_root(g, rng):
    s = surd(g)
    return s and s[1] > 1 and rf"{s[0]}\sqrt{{{s[1] * s[2]}}}" or None


@other
def pi_lost(g, rng):
    n = times_pi(g)
    return n and rng.choice([str(n), rf"{n}\pi^2", rf"{n + 1}\pi", f"{n * 3.14159:.2f}"])


@other
def other_complex(g, rng):
    c = complex_pair(g)
    if not c:
        return None
    swapped = f"{c[1].replace('+', '')}{c[2] or 1} {'' if c[0][0] == '-' else '+ '}{c[0].replace('-', '- ')}i"
    conjugate = f"{c[0]} {'-' if c[1] == '+' else '+'} {c[2]}i"
    real_lost = f"{c[1].replace('+', '')}{c[2]}i"
    same_parts = int(c[0]) == int(c[1] + (c[2] or "1"))
    return rng.choice([conjugate] + ([real_lost] if int(c[0]) else []) + ([] if same_parts else [swapped]))


@other
def other_base(g, rng):
    b = based(g)
    if not b or len(b[0]) < 2:
        return None
    return rng.choice([f"{b[0]}_{{{b[1] + 1}}}", f"{raise_last_digit(b[0])}_{{{b[1]}}}"
                       if int(b[0][-1]) + 1 < b[1] else f"1{b[0]}_{{{b[1]}}}"])


@other
def other_unit(g, rng):
    m = measured(g)
    return m and rf"{m[0]}\text{{ {UNITS[m[1]]}}}"


@other
def other_amount(g, rng):
    m = measured(g)
    return m and rf"{raise_last_digit(m[0])}\text{{ {m[1]}}}"


WORDS = ["even", "odd", "ellipse", "hyperbola", "parabola", "circle", "east", "west", "Monday", "Friday", "yes", "none"]


@other
def other_word(g, rng):
    w = word(g)
    return w and rf"\text{{{rng.choice([x for x in WORDS if x.lower() != w.lower()])}}}"


@other
def entries_swapped(g, rng):
    p = pair_or_more(g)
    if not p or number_value(p[0]) == number_value(p[1]):
        return None
    return "(" + ", ".join([p[1], p[0]] + p[2:]) + ")"


@other
def entry_changed(g, rng):
    p = pair_or_more(g)
    if not p:
        return None
    at = rng.randrange(len(p))
    entry = str(number_value(p[at]) + 1)
    return "(" + ", ".join(p[:at] + [entry] + p[at + 1:]) + ")"


@other
def entry_lost(g, rng):
    p = pair_or_more(g) or number_list(g)
    if not p:
        return None
    inner = ", ".join(p[:-1])
    return f"({inner})" if pair_or_more(g) and len(p) > 2 else inner


@other
def entry_gained(g, rng):
    p = number_list(g)
    return p and g + f", {max(int(number_value(x)) for x in p) + 7}"


@other
def element_changed(g, rng):
    p = number_list(g)
    return p and ", ".join(p[:-1] + [str(max(int(number_value(x)) for x in p) + 3)])


@other
def end_opened(g, rng):
    i = interval(g)
    if not i:
        return None
    left = i[1] != r"-\infty" and (i[2] == r"\infty" or rng.random() < 0.5)
    if left:
        return ("(" if i[0] == "[" else "[") + f"{i[1]},{i[2]}{i[3]}"
    return f"{i[0]}{i[1]},{i[2]}" + (")" if i[3] == "]" else "]") if i[2] != r"\infty" else None


@other
def end_moved(g, rng):
    i = interval(g)
    if not i or number_value(i[2]) is None and number_value(i[1]) is None:
        return None
    if number_value(i[2]) is not None:
        return f"{i[0]}{i[1]},{number_value(i[2]) + 1}{i[3]}"
    return f"{i[0]}{number_value(i[1]) - 1},{i[2]}{i[3]}"


@other
def piece_lost(g, rng):
    p = pieces(g)
    return p and r" \cup ".join(p[:-1])


@other
def term_lost(g, rng):
    p = polynomial(g)
    return p and write_terms(p[:-1])


@other
def term_sign(g, rng):
    p = polynomial(g)
    if not p:
        return None
    at = rng.randrange(len(p))
    flipped = ("-" if p[at][0] == "+" else "+", p[at][1])
    return write_terms(p[:at] + [flipped] + p[at + 1:])


@other
def other_letter(g, rng):
    p = polynomial(g)
    letter = re.search(r"[a-z]", g)[0] if p else None
    return p and write_terms([(s, t.replace(letter, "q" if letter != "q" else "x")) for s, t in p])


@other
def transposed(g, rng):
    r = rows(g)
    turned = [list(c) for c in zip(*r)] if r else None
    return write_rows(turned) if r and len(r) == len(r[0]) and turned != r else None


@other
def matrix_entry(g, rng):
    r = rows(g)
    if not r:
        return None
    i, j = rng.randrange(len(r)), rng.randrange(len(r[0]))
    r[i][j] = str(Fraction(r[i][j]) + rng.choice([1, -1]))
    return write_rows(r)


@other
def equation_constant(g, rng):
    p = plane(g)
    if not p:
        return None
    flip = {"+": "-", "-": "+"}
    moved = [(p[0][0], p[0][1]), (flip[p[1][0]], p[1][1])] + p[2:]
    return rng.choice([f"{write_terms(p[:-1] + [(p[-1][0], raise_last_digit(p[-1][1]))])} = 0", f"{write_terms(moved)} = 0"])


@other
def ratio_turned(g, rng):
    r = ratio(g)
    return r and (f"{r[1]}:{r[0]}" if r[0] != r[1] else f"{r[0]}:{r[1] + 1}")


@other
def other_exponent(g, rng):
    s = scientific(g)
    return s and rng.choice([f"{s[0]}e{s[1] + 1}", rf"{s[0]} \times 10^{{{-s[1]}}}" if s[1] else f"{s[0]}e1"])


@other
def one_more(g, rng):
    return g + " + 1" if scalar(g) and integer(g) is None else None


# ---- the golden file -----------------------------------------------------------------------------------------------------

def read_golds():
    golds = []
    with open(os.path.join(CASES, "golds.txt"), encoding="utf-8") as f:
        for line in f:
            name, tab, gold = line.rstrip("\n").partition("\t")
            if tab and name in SETS and 0 < len(gold) < 200:
                golds.append((name, gold))
    return golds


def shape_text(gold):
    """The gold without formula signs around it and without a final point."""
    inner = gold[1:-1] if re.fullmatch(r"\$[^$]*\$", gold) else gold
    return inner.strip().rstrip(".") if not inner.endswith("..") else inner


def take(rules, label, golds, count, rng):
    queues = {}
    for rule in rules:
        hits = [(s, g) for s, g in golds if rule(shape_text(g), random.Random(0))]
        rng.shuffle(hits)
        hits.sort(key=lambda h: h[0] in ("math_test",))  # the small sets first
        queues[rule] = hits
    lines, seen = [], set()
    while len(lines) < count and any(queues.values()):
        for rule in rules:
            if not queues[rule] or len(lines) == count:
                continue
            name, gold = queues[rule].pop(0)
            text = rule(shape_text(gold), rng)
            if text is None or text == shape_text(gold) or (text, gold) in seen:
                continue
            seen.add((text, gold))
            lines.append({"id": "", "prediction": text, "gold": gold, "match": label, "rule": rule.__name__, "set": name})
    return lines


def main():
    rng = random.Random(20260201)
    golds = read_golds()
    lines = take(SAME, True, golds, 1000, rng) + take(OTHER, False, golds, 1000, rng)
    for i, line in enumerate(lines):
        line["id"] = f"perturbed-{i + 1:04d}"
    with open(os.path.join(CASES, "perturbed.jsonl"), "w", encoding="utf-8") as f:
        for line in lines:
            f.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
