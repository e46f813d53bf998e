"""How tightly each kind of expression binds, from the weakest to the strongest.

>>> import gast
>>> precedence(gast.parse("a + b", mode="eval").body) < precedence(gast.parse("a * b", mode="eval").body)
True
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Level(IntEnum):
    NAMED = 0
    TUPLE = 1
    TEST = 2
    OR = 3
    AND = 4
    NOT = 5
    COMPARE = 6
    BITOR = 7
    BITXOR = 8
    BITAND = 9
    SHIFT = 10
    ARITH = 11
    TERM = 12
    FACTOR = 13
    POWER = 14
    AWAIT = 15
    ATOM = 16


_BINARY = {
    "BitOr": Level.BITOR,
    "BitXor": Level.BITXOR,
    "BitAnd": Level.BITAND,
    "LShift": Level.SHIFT,
    "RShift": Level.SHIFT,
    "Add": Level.ARITH,
    "Sub": Level.ARITH,
    "Mult": Level.TERM,
    "MatMult": Level.TERM,
    "Div": Level.TERM,
    "Mod": Level.TERM,
    "FloorDiv": Level.TERM,
    "Pow": Level.POWER,
}
_KINDS = {
    "NamedExpr": Level.NAMED,
    "Yield": Level.NAMED,
    "YieldFrom": Level.NAMED,
    "Tuple": Level.TUPLE,
    "IfExp": Level.TEST,
    "Lambda": Level.TEST,
    "Compare": Level.COMPARE,
    "Starred": Level.TUPLE,
    "Await": Level.AWAIT,
}


def precedence(node: Any) -> Level:
    """The level of an expression; what needs no parentheses anywhere is `ATOM`."""
    kind = type(node).__name__
    match kind:
        case "BinOp":
            return _BINARY[type(node.op).__name__]
        case "UnaryOp":
            return Level.NOT if type(node.op).__name__ == "Not" else Level.FACTOR
        case "BoolOp":
            return Level.AND if type(node.op).__name__ == "And" else Level.OR
        case "Constant":
            return _constant(node.value)
    return _KINDS.get(kind, Level.ATOM)


def _constant(value: object) -> Level:
    """A negative literal is a unary operation, a complex one with a real part a sum."""
    if isinstance(value, complex) and (value.real or (str(value.real) == "0.0" and repr(value.imag)[0] == "-")):
        return Level.ARITH
    if isinstance(value, complex):
        return Level.FACTOR if str(value.real) == "-0.0" else Level.ATOM
    if isinstance(value, int | float | complex) and not isinstance(value, bool) and repr(value).startswith("-"):
        return Level.FACTOR
    return Level.ATOM
