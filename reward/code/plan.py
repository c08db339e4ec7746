# Turns the tests of a gold into calls for the candidate and checks for the judge. Trusted: no candidate runs here.
#
# The tests are walked statement by statement. What does not depend on the candidate is simply executed (imports, helpers,
# loops, local variables). An expression that starts at a name the candidate defines becomes a call: its source, with every
# argument replaced by its value. What remains of an assert is a small expression over the calls' results.
#
# The request is the gold; the answer, on descriptor 3, holds the calls, and each check as a tree that check.h can settle, or
# null. A request with "answers" (the values that came back) walks again and settles each check with Python itself.
import ast
import builtins
import json
import math
import os
import random
import sys

_comparisons = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Is: "is",
                ast.IsNot: "is_not", ast.In: "in", ast.NotIn: "not_in"}
# With one of these in the tests, Python might run text that the candidate wrote, beside the expected values.
_runs_text = {"eval", "exec", "compile", "__import__", "importlib", "runpy", "pickle", "marshal", "shelve", "subprocess",
              "system", "popen", "ctypes"}
_functions = [(abs, "abs"), (math.fabs, "abs"), (set, "set"), (frozenset, "frozenset"), (sorted, "sorted"), (tuple, "tuple"),
              (list, "list"), (len, "len"), (bool, "truth"), (all, "all")]


class BadGold(Exception):
    pass


class LoopEnd(Exception):
    def __init__(self, goes_on):
        self.goes_on = goes_on


def is_stub(function):
    """A function of the prompt that is left to the candidate."""
    def says_nothing(statement):
        constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        return constant or isinstance(statement, ast.Pass)
    return isinstance(function, ast.FunctionDef) and all(says_nothing(statement) for statement in function.body)


class Walk:
    def __init__(self, gold, answers=None):
        self.gold, self.answers = gold, answers
        self.names = Names()
        self.calls = Calls(self.names, gold.get("entry_point") or "")
        self.constants = {}
        self.checks, self.verdicts, self.why = [], [], []
        self.test_functions, self.has_check = [], False
        self.runs_text = self.wants_pytest = False

    # Expressions.

    def constant(self, value):
        try:
            value = decode(encode(value))  # as it is now: a later statement may change it
        except Unreadable:
            pass
        identifier = "__const%d" % len(self.constants)
        self.constants[identifier] = value
        return name(identifier)

    def starts_at_candidate(self, node):
        while isinstance(node, (ast.Call, ast.Attribute)):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and self.names.is_candidates(node.id)

    def reduced(self, node):
        """The expression over __callN and __constN that is left of a node."""
        if isinstance(node, (ast.Starred, ast.Slice)):
            return rebuilt(node, self.reduced)
        if not self.names.depends(node):
            return self.constant(self.names.value(node))
        if self.starts_at_candidate(node):
            return self.calls.add(node)
        if isinstance(node, ast.Name):
            value = self.names.look_up(node.id)
            if isinstance(value, Later):
                return value.node
            raise CannotRewrite(node.id + " calls the candidate")
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            parts = self.unrolled(node)
            return ast.Set(elts=parts) if isinstance(node, ast.SetComp) and parts else ast.List(elts=parts, ctx=ast.Load())
        if isinstance(node, ast.IfExp) and not self.names.depends(node.test):
            return self.reduced(node.body if self.names.value(node.test) else node.orelse)
        if isinstance(node, (ast.Lambda, ast.DictComp, ast.JoinedStr, ast.NamedExpr, ast.IfExp)):
            raise CannotRewrite("a %s over the candidate's values" % type(node).__name__)
        return rebuilt(node, self.reduced)

    def unrolled(self, node):
        kept, parts = dict(self.names.local), []

        def run(depth):
            if depth == len(node.generators):
                parts.append(self.reduced(node.elt))
                return
            loop = node.generators[depth]
            if self.names.depends(loop.iter) or loop.is_async:
                raise CannotRewrite("a loop over the candidate's values")
            for value in self.names.value(loop.iter):
                self.names.assign(loop.target, value, at_top=False)
                if any(self.names.depends(test) for test in loop.ifs):
                    raise CannotRewrite("a condition on the candidate's values")
                if all(self.names.value(test) for test in loop.ifs):
                    run(depth + 1)
        run(0)
        self.names.local = kept
        return parts

    # Checks.

    def tree(self, node):
        """What check.h can settle, as lists; None where only Python can."""
        if isinstance(node, ast.Name):
            if node.id.startswith("__call"):
                return ["call", int(node.id[6:])]
            try:
                return ["const", encode(self.constants[node.id])]
            except Unreadable:
                return None
        if isinstance(node, ast.Compare):
            sides = [node.left] + node.comparators
            pairs = [[_comparisons[type(op)], self.tree(a), self.tree(b)] for op, a, b in zip(node.ops, sides, sides[1:])]
            tree = pairs[0] if len(pairs) == 1 else ["and"] + pairs
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            tree = ["not", self.tree(node.operand)]
        elif isinstance(node, ast.BoolOp):
            tree = ["and" if isinstance(node.op, ast.And) else "or"] + [self.tree(part) for part in node.values]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            tree = ["sub", self.tree(node.left), self.tree(node.right)]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            tree = self.call_tree(node)
        else:
            return None
        return None if tree is None or has_gap(tree) else tree

    def call_tree(self, node):
        function = self.constants.get(node.func.id)
        parts = [self.tree(part) for part in node.args if not isinstance(part, ast.List)]
        if function is math.isclose and len(parts) == 2:
            given = {k.arg: self.constants.get(getattr(k.value, "id", None)) for k in node.keywords}
            tolerances = [given.pop("rel_tol", 1e-9), given.pop("abs_tol", 0.0)]
            if given or not all(type(t) in (int, float) for t in tolerances):
                return None
            return ["isclose"] + parts + [["const", encode(float(t))] for t in tolerances]
        word = next((word for known, word in _functions if known is function), None)
        if word == "all" and len(node.args) == 1 and isinstance(node.args[0], ast.List):
            return ["and"] + [self.tree(part) for part in node.args[0].elts] if node.args[0].elts else None
        return [word] + parts if word and word != "all" and len(parts) == len(node.args) == 1 and not node.keywords else None

    def settle(self, node):
        """Judge: the truth of a check, with plain values in place of the calls."""
        space = dict(self.constants)
        try:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and part.id.startswith("__call"):
                    space[part.id] = decode(self.answers[int(part.id[6:])])
            return bool(eval(compiled(node), space))
        except Exception:
            return False

    def check(self, test):
        self.names.import_standard(test)
        if not self.names.depends(test):
            if free_names(test) & self.calls.lent:
                raise CannotRewrite("looks at what the candidate may have changed in place")
            if not self.names.value(test):
                raise CannotRewrite("an assert without a call that fails")
            return
        node = self.reduced(test)
        tree = self.tree(node)
        if tree is None and self.runs_text:
            raise CannotRewrite("the tests may run text that the candidate returns")
        if self.answers is None:
            self.checks.append(tree)
        else:
            self.verdicts.append(self.settle(node))

    def check_raises(self, statement, kinds):
        """The candidate must raise one of the kinds."""
        node = getattr(statement, "value", None)
        if not (isinstance(statement, (ast.Expr, ast.Assign)) and node is not None and self.starts_at_candidate(node)):
            raise CannotRewrite("an exception from something that is not one call")
        names = [kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,))]
        call = int(self.calls.add(node, may_raise=True).id[6:])
        if self.answers is None:
            self.checks.append(["raises", call] + names)
        else:
            text = self.answers[call]
            raised = bytes.fromhex(text[1:-1]).decode().split() if text.startswith("e") else []
            self.verdicts.append(any(kind in raised for kind in names))

    def expected_kinds(self, node):
        """The exceptions of `with pytest.raises(E):` or of `try: f(x); assert False` with `except E: pass`; else None."""
        if isinstance(node, ast.With) and len(node.items) == 1 and len(node.body) == 1:
            call = node.items[0].context_expr
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.raises" and len(call.args) == 1:
                return None if self.names.depends(call.args[0]) else self.names.value(call.args[0])
        if isinstance(node, ast.Try) and len(node.handlers) == 1 and not node.finalbody and node.handlers[0].type is not None:
            fails = node.body[1:] + node.orelse
            handled = node.handlers[0]
            if len(fails) == 1 and ast.unparse(fails[0]).startswith("assert False") and isinstance(handled.body[0], ast.Pass):
                return None if self.names.depends(handled.type) else self.names.value(handled.type)
        return None

    # Statements.

    def statement(self, node, at_top):
        if isinstance(node, ast.Assert):
            try:
                self.check(node.test)
            except CannotRewrite as reason:  # binds no name, so the statements after it still mean what they say
                self.why.append(str(reason))
        elif isinstance(node, (ast.With, ast.Try)) and (kinds := self.expected_kinds(node)) is not None:
            self.check_raises(node.body[0], kinds)
        elif isinstance(node, ast.For) and not self.names.depends(node.iter):
            self.loop(node, at_top)
        elif isinstance(node, ast.If) and not self.names.depends(node.test):
            self.statements(node.body if self.names.value(node.test) else node.orelse, at_top)
        elif isinstance(node, (ast.Break, ast.Continue)):
            raise LoopEnd(isinstance(node, ast.Continue))
        elif isinstance(node, ast.Assign) and self.names.depends(node.value):
            self.assign_later(node, at_top)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and self.names.depends(node):
            self.names.helpers.add(node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal, ast.Return)):
            raise CannotRewrite("a %s statement" % type(node).__name__.lower())
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "print":
            pass
        elif not self.names.depends(node):
            self.names.run(node, at_top)
        else:
            raise CannotRewrite("a statement that depends on the candidate: " + ast.unparse(node)[:60])

    def statements(self, nodes, at_top):
        for node in nodes:
            self.names.import_standard(node)
            self.statement(node, at_top)

    def loop(self, node, at_top):
        for value in self.names.value(node.iter):
            self.names.assign(node.target, value, at_top)
            try:
                self.statements(node.body, at_top)
            except LoopEnd as end:
                if not end.goes_on:
                    return
        self.statements(node.orelse, at_top)

    def assign_later(self, node, at_top):
        target = node.targets[0]
        if len(node.targets) != 1 or not isinstance(target, ast.Name):
            raise CannotRewrite("an assignment of the candidate's values to more than one name")
        space = self.names.shared if at_top else self.names.local
        space[target.id] = Later(self.reduced(node.value))

    # The whole gold.

    def body(self, nodes):
        """One function of the tests, or its top level. What comes after a statement that cannot be rewritten is not walked."""
        try:
            self.statements(nodes, at_top=False)
        except CannotRewrite as reason:
            self.why.append(str(reason))

    def run_prompt(self):
        prompt = self.gold.get("prompt") or ""
        try:
            tree = ast.parse(prompt)
        except SyntaxError:
            tree = parsed(prompt + "\n    pass\n", "prompt")
        for node in tree.body:
            if not is_stub(node):
                self.given(node)

    def given(self, node):
        """A statement of prompt or setup. It may need what the candidate defines; then its names are the candidate's too."""
        if isinstance(node, ast.ImportFrom) and node.module == "solution" and not any(part.asname for part in node.names):
            return  # what child.py calls the candidate
        if isinstance(node, ast.Import) and [part.name for part in node.names] == ["pytest"]:
            self.wants_pytest = True
            self.names.helpers.add("pytest")
            return
        try:
            self.names.run(node, at_top=True)
        except ImportError as error:
            raise BadGold("the sandbox has no module for: " + ast.unparse(node)[:80] + " (" + str(error)[:80] + ")")
        except Exception:
            for identifier in stored_names(node):
                self.names.shared.pop(identifier, None)

    def find_entry_point(self, tree):
        for node in tree.body:
            call = node.value if isinstance(node, ast.Expr) else None
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check" and len(call.args) == 1:
                return getattr(call.args[0], "id", "")
        return ""

    def shadowed_builtin(self, tree):
        """assert sum(10, 15) == 6: the candidate's own sum."""
        asserts = [node.test for node in tree.body if isinstance(node, ast.Assert)]
        if any(self.names.depends(test) for test in asserts):
            return
        for test in asserts:
            left = test.left if isinstance(test, ast.Compare) else test
            if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and hasattr(builtins, left.func.id):
                self.names.candidates.add(left.func.id)

    def run(self):
        random.seed(0)
        self.run_prompt()
        for node in parsed(self.gold.get("setup") or "", "setup").body:
            self.given(node)
        tree = parsed(self.gold["tests"], "tests")
        self.runs_text = any(may_run_text(parsed(text, "gold")) for text in (self.gold["tests"], self.gold.get("setup") or ""))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        check = functions.get("check")
        tests = [node for key, node in functions.items() if key.startswith("test") and not node.args.args]
        if check is not None and len(check.args.args) != 1:
            raise BadGold("check must take one argument, the candidate")
        self.calls.entry_point = self.calls.entry_point or self.find_entry_point(tree)
        if check is not None and not self.calls.entry_point:
            raise BadGold("entry_point is missing: check(candidate) needs the name of the function")
        if self.calls.entry_point:
            self.names.candidates.add(self.calls.entry_point)
        self.names.coming = set(functions)
        self.test_functions, self.has_check = [function.name for function in tests], check is not None
        rest = [node for node in tree.body if node is not check and node not in tests and not is_check_call(node)]
        self.top_level(rest, tree)
        for function in tests:
            self.names.local = {}
            self.body(function.body)
        if check is not None:
            self.names.local = {}
            self.calls.parameter = check.args.args[0].arg
            self.names.candidates.add(self.calls.parameter)
            self.body(check.body)

    def top_level(self, nodes, tree):
        for node in nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.given(node)
        if not self.gold.get("entry_point"):
            self.shadowed_builtin(tree)
        try:
            self.statements([n for n in nodes if not isinstance(n, (ast.Import, ast.ImportFrom))], at_top=True)
        except CannotRewrite as reason:
            self.why.append(str(reason))


def may_run_text(tree):
    for node in ast.walk(tree):
        words = [getattr(node, field, None) for field in ("id", "attr", "module")]
        if isinstance(node, ast.alias):
            words.append(node.name)
        if any(part in _runs_text for word in words if isinstance(word, str) for part in word.split(".")):
            return True
    return False


def has_gap(tree):
    return any(part is None or (isinstance(part, list) and has_gap(part)) for part in tree)


def is_check_call(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "check"


def parsed(text, what):
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise BadGold("%s: not Python: %s" % (what, str(error)[:120]))


def answer(job):
    walk = Walk(job, job.get("answers"))
    try:
        walk.run()
    except BadGold as error:
        return {"error": str(error)}
    except Exception as error:  # a test that cannot be run without the candidate
        walk.why.append("%s: %s" % (type(error).__name__, str(error)[:100]))
    if job.get("answers") is not None:
        same = json.dumps(walk.calls.sent, sort_keys=True) == json.dumps(job["calls"], sort_keys=True)
        return {"verdicts": walk.verdicts} if same else {"error": "the tests make other calls each time they run"}
    if walk.why and walk.wants_pytest:
        return {"error": "the sandbox has no pytest, and the tests need it: " + walk.why[0]}
    if not walk.checks and not walk.why:
        return {"error": "the tests hold no check of a candidate"}
    return {"entry_point": walk.calls.entry_point, "calls": walk.calls.sent, "checks": walk.checks, "why": walk.why[:3],
            "test_functions": walk.test_functions, "calls_check": walk.has_check}


def main():
    text = json.dumps(answer(json.loads(sys.stdin.buffer.read()))).encode()
    while text:
        text = text[os.write(3, text):]


main()
