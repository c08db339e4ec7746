"""Rewrites of a gold that mean the same; None where a rule does not apply. Used by make_perturbed_golds.py."""
import re
from decimal import Decimal
from fractions import Fraction

from gold_shapes import (based, complex_pair, decimal, degrees, grouped, integer, interval, measured, money,
                         number_list, pair_or_more, percent, pieces, plane, polynomial, quotient, ratio, rows, scalar,
                         scientific, surd, times_pi, word, write_rows, write_terms)

SAME = []


def same(rule):
    SAME.append(rule)
    return rule


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
    if not i:
        return None
    upper = r"+\infty" if i[2] == r"\infty" else i[2]
    return rf"x \in \left{i[0]} {i[1]} , {upper} \right{i[3]}"


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
    text = write_terms(p) if p else None
    return p and rng.choice([rf"\frac{{2({text})}}{{2}}", rf"\left({text}\right)", rf"-(-({text}))"])


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
