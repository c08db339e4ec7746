"""Near misses of a gold, each another answer; None where a rule does not apply. Used by make_perturbed_golds.py."""
import re
from fractions import Fraction

from gold_shapes import (UNITS, based, complex_pair, decimal, degrees, grouped, integer, interval, measured, money,
                         number_list, number_value, pair_or_more, percent, pieces, plane, polynomial, quotient, ratio,
                         rows, scalar, scientific, surd, times_pi, word, write_rows, write_terms)

OTHER = []


def other(rule):
    OTHER.append(rule)
    return rule


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
    return n and rng.choice([str(n), rf"{n}\pi^2", rf"{n + 1}\pi", f"{n * 3.14:.1f}"])


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
