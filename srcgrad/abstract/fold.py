"""What constants and types decide before any run.

    evaluate(Attr("ndim"), [float64[x.0, x.1]])                        Const(2)
    evaluate(Fn(operator.is_), [float64[x.0], Const(None)])            Const(False)
    evaluate(Fn(operator.mul), [Const(2), Const(3.5)])                 Const(7.0)

A constant operation that raises is left to raise where the program raises it.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from srcgrad.abstract.operands import Operand, constant_int, type_of_operand
from srcgrad.abstract.purity import hashable
from srcgrad.ir import Attr, Const, Fn, Make, Op
from srcgrad.types import INT, Type, same_length

_FOLDED: frozenset[Any] = frozenset(
    {
        *(getattr(operator, name) for name in "add sub mul truediv floordiv mod pow neg pos invert".split()),
        *(getattr(operator, name) for name in "eq ne lt le gt ge not_ and_ or_ xor getitem is_ is_not".split()),
        *(builtins.abs, builtins.bool, builtins.float, builtins.int, builtins.len, builtins.max, builtins.min),
        *(builtins.isinstance, math.sqrt, operator.contains, operator.truth, np.dtype),
    }
)
_SIZE = 64  # bits of an integer, items of a tuple: what is larger is not written out
_RAISES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def evaluate(op: Op, args: Sequence[Operand], keywords: Mapping[str, Operand] | None = None) -> Const | None:
    """The value of an operation when it is the same in every run, else None."""
    if keywords:
        return None
    if all(isinstance(arg, Const) for arg in args):
        found = _constant(op, [arg.value for arg in args if isinstance(arg, Const)])
        if found is not None:
            return found
    match op:
        case Attr() if len(args) == 1:
            return _attribute(op.name, args[0])
        case Fn() if args:
            decide = _DECIDED.get(op.target) if hashable(op.target) else None
            return None if decide is None else decide(*args) if len(args) == _ARITY[decide] else None
        case _:
            return None


# Constants


def _constant(op: Op, values: list[Any]) -> Const | None:
    match op:
        case Make(kind="tuple"):
            return Const(tuple(values))
        case Make(kind="slice"):
            return Const(slice(*values))
        case Attr(name="kind" | "itemsize" | "name" | "char" | "type" as name):
            return Const(getattr(values[0], name)) if isinstance(values[0], np.dtype) else None
        case Fn() if hashable(op.target) and op.target in _FOLDED and _cheap(op.target, values):
            return _called(op.target, values)
        case _:
            return None


def _called(target: Callable[..., Any], values: list[Any]) -> Const | None:
    try:
        value = target(*values)
    except _RAISES:
        return None
    return Const(value) if _plain(value) else None


def _plain(value: Any) -> bool:
    """Whether a value is small and immutable, and its text gives it back."""
    if type(value) is tuple:
        return len(value) <= _SIZE and all(map(_plain, value))
    if type(value) is int:
        return value.bit_length() <= _SIZE
    if type(value) is str:
        return len(value) <= 1000
    if isinstance(value, np.dtype):
        return value.kind in "biufc"
    return value is None or value is Ellipsis or type(value) in (bool, float, complex, slice)


def _cheap(target: Callable[..., Any], values: list[Any]) -> bool:
    if target in (operator.is_, operator.is_not):
        return all(value is None or isinstance(value, bool) for value in values)
    if target is np.dtype:
        return len(values) == 1 and isinstance(values[0], str | type)
    if target is builtins.isinstance:
        return len(values) == 2 and _plain(values[0])
    if target in (operator.eq, operator.ne):
        return all(_plain(value) or isinstance(value, np.dtype | type) for value in values)
    if target is operator.pow and len(values) == 2:
        return all(map(_number, values)) and abs(values[0]) < 1 << 16 and abs(values[1]) <= _SIZE
    if target in (operator.mul, operator.mod) and not all(map(_number, values)):
        return False
    return all(map(_plain, values))


def _number(value: Any) -> bool:
    return type(value) in (bool, int, float, complex) and _plain(value)


# Types


def _attribute(name: str, operand: Operand) -> Const | None:
    t = type_of_operand(operand)
    strong = t.kind == "array" or (t.kind == "scalar" and not t.weak)
    match name:
        case "ndim" if strong:
            return _ndim(operand)
        case "dtype" if strong and t.dtype is not None and not t.whole:
            return Const(t.dtype)
        case "shape" if strong:
            return _shape(operand)
        case "size" if strong and (shape := _shape(operand)) is not None:
            return Const(math.prod(shape.value))
        case _:
            return None


def _ndim(operand: Operand) -> Const | None:
    t = type_of_operand(operand)
    return Const(t.rank) if t.kind in ("array", "scalar") and t.rank is not None else None


def _shape(operand: Operand) -> Const | None:
    t = type_of_operand(operand)
    if t.kind not in ("array", "scalar") or t.shape is None or any(dim.symbol is not None for dim in t.shape):
        return None
    return Const(tuple(dim.offset for dim in t.shape))


def _len(operand: Operand) -> Const | None:
    t = type_of_operand(operand)
    if t.kind == "tuple":
        return Const(len(t.items))
    if t.kind == "array" and t.dims and t.dims[0].symbol is None:
        return Const(t.dims[0].offset)
    return None


def _item(base: Operand, index: Operand) -> Const | None:
    """An item of a shape whose length is fixed."""
    t, position = type_of_operand(base), constant_int(index)
    if t.kind != "tuple" or position is None or not -len(t.items) <= position < len(t.items):
        return None
    item = t.items[position]
    if item.kind == "none":
        return Const(None)
    return Const(item.length.offset) if _is_int(item) and item.length and item.length.symbol is None else None


def _is_int(t: Type) -> bool:
    return t.kind == "scalar" and t.weak and t.dtype == INT.dtype


_NOT_NONE = ("scalar", "array", "tuple", "list", "range", "slice", "str")


def _is(a: Operand, b: Operand) -> Const | None:
    for one, other in ((a, b), (b, a)):
        if type_of_operand(one).kind == "none":
            kind = type_of_operand(other).kind
            return Const(True) if kind == "none" else Const(False) if kind in _NOT_NONE else None
    return None


def _opposite(decide: Callable[[Operand, Operand], Const | None]) -> Callable[[Operand, Operand], Const | None]:
    def decided(a: Operand, b: Operand) -> Const | None:
        found = decide(a, b)
        return None if found is None else Const(not found.value)

    return decided


def _equal(a: Operand, b: Operand) -> Const | None:
    """Of two lengths, or of a length and 1."""
    left, right = type_of_operand(a), type_of_operand(b)
    if not (_is_int(left) and _is_int(right)) or left.length is None or right.length is None:
        return None
    if same_length(left.length, right.length):
        return Const(True)
    if left.length.symbol is None and right.length.symbol is None:
        return Const(False)
    one = left.length if right.length.is_one else right.length if left.length.is_one else None
    return Const(False) if one is not None and not one.may_be_one else None


_CLASSES: dict[str, type] = {"tuple": tuple, "list": list, "dict": dict, "range": range, "slice": slice, "str": str}
_UNRELATED = (*_CLASSES.values(), bool, int, float, complex, bytes, set, np.ndarray, np.generic)


def _isinstance(operand: Operand, classes: Operand) -> Const | None:
    wanted = classes.value if isinstance(classes, Const) else None
    items = wanted if isinstance(wanted, tuple) else (wanted,)
    if not all(isinstance(item, type) for item in items):
        return None
    answers = [_belongs(type_of_operand(operand), item) for item in items]
    return Const(True) if True in answers else Const(False) if None not in answers else None


def _belongs(t: Type, wanted: type) -> bool | None:
    if t.kind == "none":
        return issubclass(type(None), wanted)
    if t.kind == "array":
        return issubclass(np.ndarray, wanted)
    if t.kind == "scalar" and t.dtype is not None and not t.whole:
        python = {"b": bool, "i": int, "f": float, "c": complex}
        return issubclass(python[t.dtype.kind] if t.weak else t.dtype.type, wanted)
    own = _CLASSES.get(t.kind)
    if own is None:
        return None
    # A named tuple is a tuple, too: of other classes only the unrelated ones are known not to fit.
    return True if issubclass(own, wanted) else False if wanted in _UNRELATED else None


def _iscomplex(operand: Operand) -> Const | None:
    t = type_of_operand(operand)
    known = t.kind in ("array", "scalar") and t.dtype is not None and not t.whole
    return Const(t.dtype.kind == "c") if known and t.dtype is not None else None


def _isreal(operand: Operand) -> Const | None:
    found = _iscomplex(operand)
    return None if found is None else Const(not found.value)


def _truth(operand: Operand) -> Const | None:
    t = type_of_operand(operand)
    return Const(bool(t.items)) if t.kind == "tuple" else Const(False) if t.kind == "none" else None


def _not(operand: Operand) -> Const | None:
    found = _truth(operand)
    return None if found is None else Const(not found.value)


_is_not, _unequal = _opposite(_is), _opposite(_equal)
_DECIDED: dict[Any, Callable[..., Const | None]] = {
    np.ndim: _ndim,
    np.shape: _shape,
    builtins.len: _len,
    operator.getitem: _item,
    operator.is_: _is,
    operator.is_not: _is_not,
    operator.eq: _equal,
    operator.ne: _unequal,
    builtins.isinstance: _isinstance,
    np.iscomplexobj: _iscomplex,
    np.isrealobj: _isreal,
    builtins.bool: _truth,
    operator.truth: _truth,
    operator.not_: _not,
}
_ARITY: dict[Any, int] = {
    decide: 2 if decide in (_item, _is, _is_not, _equal, _unequal, _isinstance) else 1 for decide in _DECIDED.values()
}
