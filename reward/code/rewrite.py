# What plan.py needs to take tests apart: whose name is whose, and what the candidate is asked.
import ast
import builtins
import copy
import importlib
import sys

_missing = object()


class CannotRewrite(Exception):
    pass


class Later:
    """A variable of the tests whose value the candidate has still to give: an expression over __callN and __constN."""

    def __init__(self, node):
        self.node = node


def free_names(node):
    loaded, bound = set(), set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            (loaded if isinstance(part.ctx, ast.Load) else bound).add(part.id)
        elif isinstance(part, ast.arg):
            bound.add(part.arg)
        elif isinstance(part, ast.alias):
            bound.add((part.asname or part.name).split(".")[0])
        elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            bound.add(part.name)
    return loaded - bound


def stored_names(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}


def rebuilt(node, change):
    """The node with each expression directly inside it changed."""
    def change_any(old):
        if isinstance(old, ast.expr):
            return change(old)
        if isinstance(old, ast.keyword):
            return ast.keyword(arg=old.arg, value=change(old.value))
        return old
    new = copy.copy(node)
    for field, old in ast.iter_fields(node):
        setattr(new, field, [change_any(part) for part in old] if isinstance(old, list) else change_any(old))
    return new


def name(identifier):
    return ast.Name(id=identifier, ctx=ast.Load())


def compiled(node):
    return compile(ast.fix_missing_locations(ast.Expression(body=node)), "tests", "eval")


class Names:
    """What the tests can see: their own names, and those that only the candidate knows."""

    def __init__(self):
        self.shared = {"__name__": "__main__", "__builtins__": builtins}  # of the module
        self.local = {}
        self.candidates = set()  # defined by the candidate even if a builtin has the same name
        self.helpers = set()     # functions of the tests that call the candidate: too deep to rewrite
        self.coming = set()      # defined further down in the tests

    def look_up(self, identifier):
        for space in (self.local, self.shared, vars(builtins)):
            if identifier in space:
                return space[identifier]
        return _missing

    def is_candidates(self, identifier):
        if identifier in self.candidates:
            return True
        return self.look_up(identifier) is _missing and identifier not in self.coming and identifier not in self.helpers

    def depends(self, node):
        """Whether the value of the node is the candidate's to give."""
        return any(self.is_candidates(n) or n in self.helpers or isinstance(self.look_up(n), Later) for n in free_names(node))

    def value(self, node):
        return eval(compiled(node), {**self.shared, **self.local})

    def run(self, statement, at_top):
        module = ast.fix_missing_locations(ast.Module(body=[statement], type_ignores=[]))
        code = compile(module, "tests", "exec")
        if at_top:
            exec(code, self.shared)
            return
        space = {**self.shared, **self.local}
        before = dict(space)
        exec(code, space)
        for identifier, value in space.items():
            if before.get(identifier, _missing) is not value:
                self.local[identifier] = value

    def assign(self, target, value, at_top):
        self.local["__value"] = value
        if at_top:
            self.shared["__value"] = value
        self.run(ast.Assign(targets=[target], value=name("__value"), lineno=1), at_top)

    def import_standard(self, node):
        """Tests may lean on an import that the reference solution makes, as in sys.getsizeof(x)."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                module = part.value.id
                if self.is_candidates(module) and module not in self.candidates and module in sys.stdlib_module_names:
                    self.shared[module] = importlib.import_module(module)


class Calls:
    """The expressions that the candidate's process evaluates."""

    def __init__(self, names, entry_point):
        self.names, self.entry_point, self.parameter = names, entry_point, None
        self.sent, self.nodes = [], []
        self.bound = 0
        self.lent = set()  # variables whose value went out and which a candidate could have changed in place

    def add(self, node, may_raise=False):
        bind, modules = {}, {}
        source = self.source(node, bind, modules)
        self.sent.append({"source": ast.unparse(ast.fix_missing_locations(source)), "bind": bind, "modules": modules,
                          "may_raise": may_raise})
        self.nodes.append((source, bind, modules))
        return name("__call%d" % (len(self.sent) - 1))

    def source(self, node, bind, modules):
        def inside(part):
            return self.source(part, bind, modules)
        if isinstance(node, (ast.Starred, ast.Slice)):
            return rebuilt(node, inside)
        if not self.names.depends(node):
            try:
                return self.bind_value(node, bind)
            except Unreadable:
                pass
        if isinstance(node, ast.Name):
            return self.named(node, bind, modules)
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            for identifier in free_names(node):
                if self.names.look_up(identifier) is not getattr(builtins, identifier, _missing):
                    self.bind_name(identifier, bind)
            return node
        if isinstance(node, ast.JoinedStr):
            raise CannotRewrite("a formatted string over the candidate's values")
        return rebuilt(node, inside)

    def bind_value(self, node, bind):
        text = encode(self.names.value(node))
        identifier = "__bind%d" % self.bound
        self.bound += 1
        bind[identifier] = text
        self.lent |= {n for n in free_names(node) if isinstance(self.names.look_up(n), (list, dict, set))}
        return name(identifier)

    def bind_name(self, identifier, bind):
        if self.names.is_candidates(identifier):
            return
        value = self.names.look_up(identifier)
        try:
            text = encode(value)
        except Unreadable:
            raise CannotRewrite("the candidate's argument uses " + identifier)
        if bind.setdefault(identifier, text) != text:
            raise CannotRewrite("one call with two values of " + identifier)

    def named(self, node, bind, modules):
        identifier = node.id
        if identifier == self.parameter:
            return name(self.entry_point)
        value = self.names.look_up(identifier)
        if isinstance(value, Later):
            if not (isinstance(value.node, ast.Name) and value.node.id.startswith("__call")):
                raise CannotRewrite("an argument made from an earlier result")
            source, earlier_bind, earlier_modules = self.nodes[int(value.node.id[6:])]
            bind.update(earlier_bind)
            modules.update(earlier_modules)
            return source
        if self.names.is_candidates(identifier) or value is getattr(builtins, identifier, _missing):
            return node
        if isinstance(value, type(ast)):
            modules[identifier] = value.__name__
            return node
        raise CannotRewrite("the candidate's argument uses " + identifier)
