"""Random small templates for the comparison with jinja2: every construct of the supported part, and mistakes too."""
import random

# What Ponder refuses on purpose where jinja2 goes on.
REFUSALS = ["outside the supported part", "more than 64 bits", "cannot be printed", "are not compared", "grows larger",
            "use |list before it", "nest deeper", "complex number",
            "cannot be sliced"]  # jinja2 gives undefined where the sliced value is a constant

VARIABLES = {
    "a": 7, "b": -3, "f": 2.5, "s": "Hello, World", "t": " trim me \n", "u": "Straße 東京 😀", "e": "", "n": None, "yes": True,
    "no": False, "xs": [3, 1, 2], "ys": ["b", "A", "c"], "mixed": [1, "x", None, True, 1.5, [1], {"k": "v"}],
    "d": {"x": 1, "y": "two", "items": [5]}, "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo", "n": 2}],
}
# By what goes in: t text, l list, m list of messages, d dict, n number, b anything; and by what comes out.
NAMES = {"t": ["s", "t", "u", "e"], "l": ["xs", "ys", "mixed"], "m": ["messages"], "d": ["d", "messages[0]"], "n": ["a", "b", "f"],
         "b": ["n", "yes", "no", "missing", "d.nothing"]}
LITERALS = {
    "t": ["'x'", '"it\'s"', "'\\n'", "'\\u00e9\\x41\\q'", "'a' 'b'", "'é😀'", "'  pad '", "'one, two,three'", "'l\\nm\\r\\nn'"],
    "l": ["[]", "[1, 2, 'x']", "()", "(1,)", "(1, 'b')", "range(3)", "range(5, 1, -2)", "[[1, 2], [3, 4]]", "['b', 'a', 'B', 'a']"],
    "m": ["[{'role': 'x'}]", "[{'role': 'user', 'n': 1}, {'role': 'user'}]"], "d": ["{}", "{'a': 1, 'b': [2]}", "{'z': 'q', 'A': 'p'}", "dict(a=1)"],
    "n": ["0", "1", "-1", "42", "1.5", "2e3", "1_000", "0.1", "1e16", "7.0"], "b": ["true", "False", "none", "None"]}
FILTERS = {
    "t": {"t": ["trim", "upper", "lower", "default('dflt', true)", "string", "title", "capitalize", "replace('l', 'L')", "replace('o', '0', 1)",
                "replace('', '-')", "indent", "indent(2, true)", "indent('> ', first=true, blank=true)", "trim('H')", "reverse", "first",
                "last", "safe", "escape", "e", "tojson", "tojson(ensure_ascii=true)", "join('.')", "truncate(5)"],
          "n": ["length", "count", "int", "int(5)", "float"], "l": ["list", "unique|list", "sort", "select|list"]},
    "l": {"t": ["join", "join(', ')", "tojson", "tojson(indent=2)", "tojson(indent='\t')", "tojson(separators=(',', ':'))", "string"],
          "l": ["list", "sort", "sort(reverse=true)", "sort(case_sensitive=true)", "unique|list", "reverse|list", "select|list",
                "reject('none')|list", "select('string')|list", "select('gt', 1)|list", "map('string')|list", "map('upper')|list",
                "reject('in', [1])|list", "batch(2)|list"],
          "n": ["length", "sum"], "b": ["first", "last", "min", "max", "select", "unique"]},
    "m": {"t": ["join('-', attribute='role')", "map(attribute='role', default='?')|join(',')", "tojson", "tojson(sort_keys=true)"],
          "l": ["map(attribute='role')|list", "map(attribute='n', default=0)|list", "map('length')|list"],
          "m": ["selectattr('n')|list", "selectattr('role', 'equalto', 'user')|list", "rejectattr('role', 'eq', 'user')|list", "list",
                "sort(attribute='role')", "selectattr('n', 'defined')|list", "rejectattr('n', 'undefined')|list", "unique(attribute='role')|list"],
          "d": ["first", "last"], "n": ["length"]},
    "d": {"t": ["tojson", "tojson(indent=4)", "string", "tojson(sort_keys=true, indent=1)"],
          "l": ["items|list", "list", "dictsort", "dictsort(reverse=true)", "dictsort(by='value')"], "n": ["length"],
          "b": ["attr('x')", "items", "first"]},
    "n": {"n": ["abs", "round", "round(1)", "round(0, 'floor')", "round(1, 'ceil')", "int", "float", "default(3)"], "t": ["string", "tojson"]},
    "b": {"b": ["default('dflt')", "d(1)", "default('x', true)", "string", "tojson", "list", "length", "int", "trim", "upper", "join", "e"]}}
METHODS = {
    "t": {"t": ["strip()", "strip('H d')", "lstrip()", "rstrip()", "upper()", "lower()", "title()", "capitalize()", "replace('l', '')",
                "replace('l', 'LL', 1)", "removeprefix('He')", "removesuffix('ld')", "join(ys)", "format(1, x=2)", "split(',')[0]",
                "split()[-1]", "split('l')|last"],
          "l": ["split()", "split(',')", "split('l', 1)", "rsplit('o', 1)", "rsplit(none, 1)", "split(none, 1)", "splitlines()",
                "splitlines(true)", "partition(', ')"],
          "n": ["find('o')", "rfind('o')", "count('l')", "find('😀')"],
          "b": ["startswith('H')", "endswith(('d', 'x'))", "isdigit()", "isalpha()", "isspace()", "islower()", "isupper()", "isalnum()",
                "nothing", "nothing.more", "append(1)"]},
    "l": {"n": ["index(1)", "count(1)"], "b": ["append(1)", "0", "1", "pop()", "nothing"], "l": ["copy()"]},
    "m": {"d": ["0", "1"]}, "n": {"b": ["nothing"]}, "b": {"b": ["nothing", "x"]},
    "d": {"b": ["get('x')", "get('q', 9)", "x", "y", "role", "items", "pop()", "nothing", "keys()", "update({})"],
          "l": ["items()|list", "keys()|list", "values()|list"], "d": ["copy()"]}}
TESTS = {"b": ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "iterable", "sequence", "true",
               "false", "callable", "sameas(none)", "escaped", "not defined", "not none", "not string", "eq 7", "equalto('x')", "ne(1)",
               "in [1, 7]", "nonsense"],
         "n": ["odd", "even", "divisibleby(2)", "divisibleby 3", "lt 3", "ge(2)", "gt 1", "in(xs)"], "t": ["lower", "upper", "eq 'x'", "in ys"]}
SLICES = {"t": ["[0]", "[-1]", "[1:]", "[:-1]", "[::-1]", "[1:3]", "[::2]", "[-2:]", "[99]", "[:2]", "[5:1:-2]"],
          "l": ["[1:]", "[:-1]", "[::-1]", "[1:3]", "[::2]", "[-2:]", "[:2]"], "m": ["[1:]", "[:1]", "[::-1]"]}
ITEMS = {"l": ["[0]", "[-1]", "[99]", "[a]", "[none]"], "d": ["['x']", "['role']", "['none']", "['items']", "[0]"], "m": ["[0].role", "[-1]['role']"],
         "n": ["[0]"], "b": ["['x']", "[1:]"]}
ARITHMETIC = ["+", "-", "*", "/", "//", "%"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]


class Grammar:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, options):
        return self.r.choice(options)

    def expression(self, depth=0, kind=None):
        kind = kind or self.pick("tttlmdnnb")
        if self.r.random() < 0.04:
            kind = self.pick("tlmdnb")  # a mistake, perhaps
        r = self.r.random()
        if depth > 3 or r < 0.22:
            return self.pick(NAMES[kind]) if self.r.random() < 0.65 else self.pick(LITERALS[kind])
        if r < 0.6:
            table = self.pick([FILTERS, FILTERS, METHODS])
            mark = "|" if table is FILTERS else "."
            sources = [(k, f) for k, outs in table.items() for f in outs.get(kind, [])]
            if sources:
                source, change = self.pick(sources)
                return f"{self.operand(depth, source)}{mark}{change}"
        if r < 0.68 and kind in SLICES:
            return f"{self.operand(depth, kind)}{self.pick(SLICES[kind])}"
        if r < 0.72:
            return f"({self.expression(depth + 1, kind)} if {self.expression(depth + 1)} else {self.expression(depth + 1, kind)})"
        if kind == "t":
            return f"{self.expression(depth + 1, 't')} {self.pick('+~')} {self.operand(depth, 't')}" if r < 0.9 else \
                f"{self.operand(depth, 'b')} ~ {self.operand(depth)}"
        if kind == "n":
            if r < 0.74:  # names only: of a negative constant jinja2 makes -1 ** x, which Python reads as -(1 ** x)
                return f"{self.pick(NAMES['n'])} ** {self.pick(['a', '2', '0.5', 'b'])}"
            return f"{self.operand(depth, 'n')} {self.pick(ARITHMETIC)} {self.operand(depth, 'n')}" if r < 0.95 else f"-{self.operand(depth, 'n')}"
        if kind == "b":
            return self.condition(depth)
        if kind == "d":
            return f"{{'k': {self.expression(depth + 1)}, {self.operand(depth, 't')}: {self.expression(depth + 1)}}}"
        if kind == "l":
            return f"[{self.expression(depth + 1)}, {self.expression(depth + 1)}]" if r < 0.9 else f"{self.operand(depth, 'l')} + {self.operand(depth, 'l')}"
        return f"{self.operand(depth, 'm')} + {self.operand(depth, 'm')}"

    def condition(self, depth):
        r = self.r.random()
        if r < 0.3:
            kind = self.pick("bbbnt")
            return f"{self.operand(depth, None if kind == 'b' else kind)} is {self.pick(TESTS[kind])}"
        if r < 0.5:
            kind = self.pick("ntl")
            return f"{self.operand(depth, kind)} {self.pick(COMPARISONS)} {self.operand(depth, kind)}"
        if r < 0.65:
            left, right = self.pick([("t", "t"), (None, "l"), ("t", "d")])
            return f"{self.operand(depth, left)} {self.pick(['in', 'not in'])} {self.operand(depth, right)}"
        if r < 0.75:
            return f"not {self.expression(depth + 1)}"
        if r < 0.85:
            kind = self.pick("ldmnb")
            return f"{self.operand(depth, kind)}{self.pick(ITEMS[kind])}"
        if r < 0.9:
            return f"{self.operand(depth, 'n')} < {self.operand(depth, 'n')} <= {self.operand(depth, 'n')}"
        if r < 0.93:
            return f"({self.expression(depth + 1)} if {self.expression(depth + 1)})"
        return f"{self.expression(depth + 1)} {self.pick(['and', 'or'])} {self.expression(depth + 1)}"

    def operand(self, depth, kind=None):
        inner = self.expression(depth + 1, kind)
        return inner if self.r.random() < 0.1 or inner.isidentifier() else f"({inner})"

    def space(self):
        return self.pick(["", "", "", " ", "\n", "  ", "\n  ", " \n", "\n\n", "x", "text ", "\t", "é\n"])

    def tag(self, inside):
        left, right = self.pick(["", "", "-", "+"]), self.pick(["", "", "-", "+"])
        return f"{{%{left} {inside} {right}%}}"

    def body(self, depth):
        return "".join(self.space() + self.statement(depth) for _ in range(self.r.randint(1, 2))) + self.space()

    def statement(self, depth=0):
        r = self.r.random()
        if depth > 2 or r < 0.45:
            return "{{" + self.pick(["", "-", " "]) + " " + self.expression() + " " + self.pick(["", "-"]) + "}}"
        if r < 0.58:
            text = self.tag("if " + self.expression()) + self.body(depth + 1)
            if self.r.random() < 0.3:
                text += self.tag("elif " + self.expression()) + self.body(depth + 1)
            if self.r.random() < 0.4:
                text += self.tag("else") + self.body(depth + 1)
            return text + self.tag("endif")
        if r < 0.74:
            return self.loop(depth)
        if r < 0.82:
            name = self.pick(["v", "v", "w", "ns.k", "v, w"])
            value = self.expression() if name != "v, w" else f"{self.expression()}, {self.expression()}"
            return self.tag(f"set {name} = {value}") + "{{ v }}{{ w }}"
        if r < 0.86:
            return self.tag("set v" + self.pick(["", "|upper", "|trim|length"])) + self.body(depth + 1) + self.tag("endset") + "[{{ v }}]"
        if r < 0.91:
            return (self.tag("macro m(p, q=" + self.expression(2) + ")") + "<{{ p }}|{{ q }}>" + self.body(depth + 1) + self.tag("endmacro") +
                    "{{ m(" + self.pick(["a", "1, 2", "q=s", "p=1, q=2", "", "*xs[:2]", "**{'p': 1}"]) + ") }}")
        if r < 0.93:
            return self.tag("with v = " + self.expression()) + self.body(depth + 1) + self.tag("endwith")
        if r < 0.95:
            return self.tag("filter " + self.pick(["upper", "trim", "replace('e', 'E')|lower"])) + self.body(depth + 1) + self.tag("endfilter")
        if r < 0.97:
            return self.pick(["{# note #}", "{#- note -#}", "{#+ x\ny +#}"])
        if r < 0.985:
            return self.pick(["{% raw %}{{ a }}{% if %}{% endraw %}", "{%- raw -%} {{ x }} {%- endraw -%}", "{% raw %}\n{%\n{% endraw %}\n"])
        return "{% generation %}" + self.body(depth + 1) + "{% endgeneration %}"

    def loop(self, depth):
        over = self.pick(["xs", "ys", "messages", "d", "d.items()", "s", "range(3)", "mixed", "missing", "[]", self.expression(2, "l")])
        target = "k, v" if over == "d.items()" else self.pick(["i", "i", "v"])
        chosen = self.pick(["", "", "", " if " + self.expression(2, "b")])
        show = self.pick(["{{ loop.index }}", "{{ loop.first }}{{ loop.last }}", "{{ loop.length - loop.index0 }}", "{{ loop.previtem }}>{{ loop.nextitem }}",
                          "{{ loop.revindex }}", "{{ loop.cycle('o', 'e') }}", "{% if loop.index == 2 %}{% break %}{% endif %}",
                          "{% if loop.first %}{% continue %}{% endif %}", "{{ i }}", "{{ v }}{{ k }}", "{% set ns.c = ns.c + 1 %}{{ ns.c }}", ""])
        text = self.tag(f"for {target} in {over}{chosen}") + self.space() + show + self.body(depth + 1)
        if self.r.random() < 0.2:
            text += self.tag("else") + self.body(depth + 1)
        return text + self.tag("endfor")

    def template(self):
        return "{% set ns = namespace(c=0, k='k') %}" + self.body(0) + self.pick(["", "\n", "\n\n", " "])


def samples(count, seed):
    grammar = Grammar(seed)
    return [{"template": grammar.template(), "variables": VARIABLES} for _ in range(count)]
