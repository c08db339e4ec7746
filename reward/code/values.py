# Plain Python values as ASCII text: what crosses the wall between a program and its judge. value.h has the grammar.
#
# Only values of exactly the built-in types below can be written. An instance of a subclass could lie when it is compared,
# so it cannot cross. The names are bound here, before any candidate runs, because it may replace those in builtins.
import collections
import re
import struct

_type, _len, _dict, _dict_items = type, len, dict, dict.items
_pack, _unpack, _bytes, _complex = struct.pack, struct.unpack, bytes, complex
_dict_types = {dict, collections.Counter, collections.OrderedDict, collections.defaultdict}
_true_objects = {re.Match}  # of no plain value, but always true: `return re.match(...)` is a common way to answer yes
_brackets = {tuple: "()", list: "[]", set: "{}", frozenset: "<>"}
_most_parts, _most_deep = 1 << 20, 60


class Unreadable(Exception):
    pass


def _bits(number):
    return _pack(">d", number).hex()


def _write(value, out, depth):
    kind = _type(value)
    if depth > _most_deep or _len(out) > _most_parts:
        raise Unreadable("a value that is too large or too deep")
    if value is None:
        out.append("N")
    elif kind is bool:
        out.append("T" if value else "F")
    elif kind is int:
        out.append("i%x;" % value)
    elif kind is float:
        out.append("f" + _bits(value) + ";")
    elif kind is complex:
        out.append("c" + _bits(value.real) + _bits(value.imag) + ";")
    elif kind is str:
        out.append("s" + value.encode("utf-8", "surrogatepass").hex() + ";")
    elif kind is _bytes or kind is bytearray:
        out.append("b" + value.hex() + ";")
    elif kind in _brackets:
        opening, closing = _brackets[kind]
        out.append(opening)
        for part in value:
            _write(part, out, depth + 1)
        out.append(closing)
    elif kind in _dict_types:
        out.append("d")
        for key, item in _dict_items(value):
            _write(key, out, depth + 1)
            _write(item, out, depth + 1)
        out.append(";")
    elif kind in _true_objects:
        out.append("o" + kind.__name__.encode().hex() + ";")
    else:
        raise Unreadable("a " + kind.__name__)


def encode(value):
    out = []
    _write(value, out, 0)
    return "".join(out)


def _read_hex(text, at):
    end = text.index(";", at)
    return text[at:end], end + 1


def _read_items(text, at, closing):
    items = []
    while text[at] != closing:
        item, at = _read(text, at)
        items.append(item)
    return items, at + 1


def _read(text, at):
    tag, at = text[at], at + 1
    if tag in "NTF":
        return {"N": None, "T": True, "F": False}[tag], at
    for kind, (opening, closing) in _brackets.items():
        if tag == opening:
            items, at = _read_items(text, at, closing)
            return kind(items), at
    if tag == "d":
        items, at = _read_items(text, at, ";")
        return _dict(zip(items[::2], items[1::2])), at
    digits, at = _read_hex(text, at)
    if tag == "i":
        return int(digits, 16), at
    if tag == "s":
        return _bytes.fromhex(digits).decode("utf-8", "surrogatepass"), at
    if tag == "o":
        return object(), at
    numbers = _bytes.fromhex(digits)
    if tag == "b":
        return numbers, at
    if tag == "f":
        return _unpack(">d", numbers)[0], at
    if tag == "c":
        return _complex(*_unpack(">dd", numbers)), at
    raise Unreadable("not a value: " + tag)


def decode(text):
    return _read(text, 0)[0]
