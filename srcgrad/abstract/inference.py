"""The type of one operation's result.

    infer(Fn(operator.add), [float64[x.0, 1], float64[y.0]])     float64[x.0, y.0]
    infer(Fn(np.sum), [float64[x.0]])                            float64
    infer(Attr("shape"), [float64[x.0]])                         tuple[int], the int being the length of x.0
"""

from __future__ import annotations

import builtins
import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from srcgrad.abstract.index import subscript
from srcgrad.abstract.operands import Operand, constant_int, type_of_operand, whole_number
from srcgrad.abstract.probe import LIMIT, probe
from srcgrad.abstract.purity import ATTRIBUTES, METHODS, hashable, may_run, value_dependent
from srcgrad.abstract.shapes import ANY, broadcast, equated, reshaped, shape_argument
from srcgrad.ir import Attr, Const, Fn, Load, Make, Method, Op, Pop
from srcgrad.rules.rule import Key, registry
from srcgrad.runtime import add, stop_gradient, zeros, zeros_like
from srcgrad.types import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    NONE,
    OBJECT,
    RANGE,
    SLICE,
    STR,
    UNKNOWN,
    Dim,
    Type,
    fixed,
    join,
    list_of,
    made_of,
    same_dtype,
)

Keywords = Mapping[str, Operand]


def infer(op: Op, args: Sequence[Operand], keywords: Keywords | None = None) -> Type:
    """The type that the result of an operation has in every run that does not raise."""
    if isinstance(op, Fn) and not hashable(op.target):
        return UNKNOWN
    return _infer(op, tuple(args), tuple((keywords or {}).items()))


@lru_cache(maxsize=4096)
def _infer(op: Op, args: tuple[Operand, ...], keywords: tuple[tuple[str, Operand], ...]) -> Type:
    match op:
        case Fn():
            return _function(op.target, args, dict(keywords))
        case Attr():
            return _attribute(op.name, args)
        case Method():
            return _method(op.name, args, dict(keywords))
        case Make():
            return _made(op.kind, args)
        case Load():
            return _loaded(op.path, args)
        case Pop():
            t = _loaded(op.path, args)
            return t.items[0] if t.kind == "list" and t.items else UNKNOWN
        case _:
            return UNKNOWN


def _made(kind: str, args: Sequence[Operand]) -> Type:
    types = [type_of_operand(arg) for arg in args]
    match kind:
        case "tuple":
            return Type("tuple", items=tuple(types))
        case "list":
            return list_of(*types)
        case "slice":
            return SLICE
        case "fstring":
            return STR
        case "dict" if all(isinstance(key, Const) for key in args[::2]):
            keys = tuple(key.value for key in args[::2] if isinstance(key, Const))
            return Type("dict", keys=keys, items=tuple(types[1::2]))
        case _:
            return Type("dict") if kind == "dict" else UNKNOWN


def _loaded(path: Sequence[str], args: Sequence[Operand]) -> Type:
    t = type_of_operand(args[0])
    indices = iter(args[1:])
    for step in path:
        if step == "[]":
            t = subscript(t, next(indices))
        elif step == "reshape":
            t = _reshaped(t, [next(indices)])
        else:
            name = next(indices) if step == "." else Const(step[1:])
            t = _attribute(name.value, (t,)) if isinstance(name, Const) else UNKNOWN
    return t


# Attributes and methods


def _attribute(name: str, args: Sequence[Operand]) -> Type:
    t = type_of_operand(args[0])
    if t.kind == "record":
        return t.item(name) or UNKNOWN
    if t.kind not in ("array", "scalar"):
        return UNKNOWN
    if name == "dtype":
        return OBJECT
    if name in ("ndim", "size") and (t.kind == "array" or not t.weak) and t.rank != 1:
        return INT
    return probe(operator.attrgetter(name), [t], {}) if name in ATTRIBUTES else UNKNOWN


def _method(name: str, args: Sequence[Operand], keywords: Keywords) -> Type:
    t = type_of_operand(args[0])
    if name == "copy" and t.kind in ("list", "dict"):
        return t
    if t.kind not in ("array", "scalar") or name not in METHODS or value_dependent(Key("method", name)):
        return UNKNOWN
    if name == "tolist":
        return _nested_list(t)
    if name == "reshape":
        return _reshaped(t, args[1:] or [keywords.get("shape", UNKNOWN)])
    if not _modest([*args[1:], *keywords.values()]):
        return UNKNOWN

    def call(array: Any, *rest: Any, **named: Any) -> Any:
        return getattr(array, name)(*rest, **named)

    return _probed(name, call, args, keywords)


def _nested_list(t: Type) -> Type:
    python = {"b": BOOL, "i": INT, "u": INT, "f": FLOAT, "c": COMPLEX}
    if t.rank is None or t.dtype is None or t.dtype.kind not in python or t.dtype.char in "gG":
        return UNKNOWN
    nested = replace(python[t.dtype.kind], whole=t.whole)
    for _ in range(t.rank):
        nested = list_of(nested)
    return nested


def _reshaped(t: Type, sizes: Sequence[Operand]) -> Type:
    if len(sizes) == 1:
        sizes = _items(sizes[0])
    dims = reshaped(t, sizes) if all(map(whole_number, sizes)) else None
    return made_of(t, "array", dims)


def _items(operand: Operand) -> Sequence[Operand]:
    """The items of a tuple, or what is none alone."""
    if isinstance(operand, Const):
        return [Const(item) for item in operand.value] if isinstance(operand.value, tuple) else [operand]
    return operand.items if operand.kind == "tuple" else [operand]


# Functions


def _function(target: Callable[..., Any], args: Sequence[Operand], keywords: Keywords) -> Type:
    if target is operator.add and [type_of_operand(arg).kind for arg in args] == ["list", "list"]:
        return list_of(*(item for arg in args for item in type_of_operand(arg).items))
    if target is operator.mul and sorted(type_of_operand(arg).kind for arg in args) == ["list", "scalar"]:
        return next(t for t in map(type_of_operand, args) if t.kind == "list")
    if target is stop_gradient and len(args) == 1:
        return type_of_operand(args[0])
    special = _SPECIAL.get(target)
    found = None if special is None else special(args, keywords)
    if found is not None:
        return found
    if not may_run(target) or value_dependent(target):
        return UNKNOWN
    if _elementwise(target) and _numbers(args) and set(keywords) <= {"dtype"}:
        return _pointwise(target, args, keywords)
    if not _modest([*args, *keywords.values()]):
        return UNKNOWN
    return _probed(getattr(target, "__name__", ""), target, args, keywords)


def _probed(name: str, call: Callable[..., Any], args: Sequence[Operand], keywords: Keywords) -> Type:
    """What runs tell. An integer is a length for `size` and `shape` alone: others may be counts that equal one."""
    result = probe(call, args, keywords, lambda named: equated(name, named, keywords))
    return result if name in ("size", "shape") else _without_numbers(result)


def _without_numbers(t: Type) -> Type:
    if t.kind == "tuple":
        return replace(t, items=tuple(map(_without_numbers, t.items)))
    return replace(t, length=None)


def _modest(operands: Sequence[Operand]) -> bool:
    """Whether no constant makes a run long, and none is a function that a run would call."""
    product = 1
    for operand in operands:
        if isinstance(operand, Const):
            value = operand.value
            if callable(value) and not isinstance(value, type):
                return False
            for item in value if isinstance(value, tuple | list) else (value,):
                if isinstance(item, int) and item > 1:
                    product *= item
            if isinstance(value, np.ndarray):
                product *= max(1, value.size)
    return product <= LIMIT


def _numbers(args: Sequence[Operand]) -> bool:
    return bool(args) and all(type_of_operand(arg).kind in ("scalar", "array") for arg in args)


_OPERATORS = """
    add sub mul truediv floordiv mod pow and_ or_ xor lshift rshift eq ne lt le gt ge neg pos invert abs
    iadd isub imul itruediv ifloordiv imod ipow iand ior ixor
"""
_ELEMENTWISE: frozenset[Any] = frozenset(
    {np.where, np.clip, *(getattr(operator, name) for name in _OPERATORS.split()), builtins.abs}
)


def _elementwise(target: Any) -> bool:
    if isinstance(target, np.ufunc):
        return target.signature is None and target.nout == 1
    rule = registry.get(target)
    return target in _ELEMENTWISE or (rule is not None and rule.form == "elementwise")


def _pointwise(target: Callable[..., Any], args: Sequence[Operand], keywords: Keywords) -> Type:
    """An elementwise operation: its dtype and kind are those on one element an axis, its axes are broadcast."""
    types = [type_of_operand(arg) for arg in args]
    if target is np.where and len(args) != 3:
        return UNKNOWN
    shapes = [t.shape for t in types]
    # Of an operand of unknown rank only two things can matter: that it is a single element, or that it is not.
    result, *others = (
        probe(target, [_without_lengths(arg, rank) for arg in args], keywords)
        for rank in ((0, 1) if None in shapes else (0,))
    )
    if any(other.kind != result.kind for other in others):
        return made_of(result, "unknown") if all(same_dtype(other, result) for other in others) else UNKNOWN
    if result.kind == "scalar":
        return replace(result, length=_sum_of_lengths(target, args))
    if result.kind != "array":
        return result
    known = [shape for shape in shapes if shape is not None]
    return replace(result, dims=broadcast(known) if len(known) == len(shapes) else None)


def _without_lengths(operand: Operand, rank: int) -> Operand:
    if isinstance(operand, Const) and not isinstance(operand.value, np.ndarray):
        return operand
    t = type_of_operand(operand)
    if t.kind == "scalar":
        return replace(t, length=None)
    return replace(t, dims=(fixed(2),) * (rank if t.dims is None else len(t.dims)))


def _sum_of_lengths(target: Any, args: Sequence[Operand]) -> Dim | None:
    """`n + 1`, where n is the length of an axis. Less than n would not be a length for all n."""
    if target is not operator.add or len(args) != 2:
        return None
    for one, other in (args, args[::-1]):
        more, length = constant_int(other), type_of_operand(one).length
        if more is not None and more >= 0 and length is not None and length.symbol != "?" and length.offset >= 0:
            return Dim(length.symbol, length.offset + more, True) if length.symbol else fixed(length.offset + more)
    return None


# Functions with an answer of their own


def _always(t: Type) -> Callable[[Sequence[Operand], Keywords], Type | None]:
    return lambda args, keywords: t


def _on_scalars(t: Type) -> Callable[[Sequence[Operand], Keywords], Type | None]:
    return lambda args, keywords: t if _numbers(args) else UNKNOWN


def _getitem(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    return subscript(args[0], args[1])


def _set(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """A set holds no values through which a derivative flows; of what may have some nothing is known."""
    return UNKNOWN if any(type_of_operand(arg).differentiable for arg in args) else OBJECT


def _list(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """A new list of what an iterable gives; None for arrays, of which a run tells."""
    t = type_of_operand(args[0]) if args else list_of()
    match t.kind:
        case "range":
            return list_of(INT)
        case "list" | "tuple":
            return list_of(*t.items)
        case "str":
            return list_of(STR)
        case "array":
            return None
        case _:
            return list_of(UNKNOWN)


def _of_sets(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """Unions and their kin; None where the operands may be numbers."""
    return OBJECT if all(type_of_operand(arg).kind == "object" for arg in args) else None


def _len(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    t = type_of_operand(args[0])
    if t.kind == "tuple":
        return replace(INT, length=fixed(len(t.items)))
    length = t.dims[0] if t.kind == "array" and t.dims else None
    return replace(INT, length=None if length is None or length.symbol == "?" else length)


def _extremum(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    if keywords:
        return UNKNOWN
    types = [type_of_operand(arg) for arg in args]
    if len(types) == 1 and types[0].kind in ("tuple", "list") and types[0].items:
        types = list(types[0].items)
    elif len(types) == 1:
        return made_of(types[0], "scalar") if types[0].rank == 1 and types[0].dtype is not None else UNKNOWN
    if not all(t.kind == "scalar" and t.dtype is not None and t.dtype.kind in "if" for t in types):
        same = len({(t.kind, t.dtype, t.weak) for t in types}) == 1 and types[0].kind == "scalar"
        return replace(types[0], length=None) if same else UNKNOWN
    # An int or a float, one of Python's or one of NumPy's: taken for the wider, as where two paths meet.
    joined = reduce(join, types)
    return replace(joined, length=None) if joined.kind == "scalar" else UNKNOWN


def _sum(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """Numbers added one after the other; of no numbers, what it starts from."""
    whole = type_of_operand(args[0]) if args else UNKNOWN
    total = type_of_operand(args[1] if len(args) > 1 else keywords.get("start", Const(0)))
    if whole.kind == "tuple":
        for item in whole.items:
            total = infer(Fn(operator.add), [total, item])
        return total if total.kind == "scalar" else None
    items = whole.items or (UNKNOWN,) if whole.kind == "list" else (subscript(whole, INT),)
    for _ in range(2):  # what more elements come to is what two come to
        total = join(total, infer(Fn(operator.add), [total, items[0]]))
    return total if total.kind == "scalar" else None


def _created(args: Sequence[Operand], keywords: Keywords, target: Any, fill: bool = False) -> Type | None:
    """`zeros`, `ones`, `empty`, `full`: an array of a given shape."""
    given = dict(keywords)
    names = ("shape", "fill_value", "dtype") if fill else ("shape", "dtype")
    if len(args) > len(names) or "like" in given:
        return UNKNOWN
    given.update(zip(names, args, strict=False))
    shape = given.pop("shape", None)
    if shape is None or not _modest(list(given.values())):
        return UNKNOWN
    if fill and type_of_operand(given.get("fill_value", Const(None))).rank != 0:
        return UNKNOWN
    made = probe(target, [Const(())], given)
    return replace(made, dims=shape_argument(shape)) if made.kind == "array" else UNKNOWN


def _arange(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """Long ranges of constants are not run."""
    values = [arg.value for arg in args if isinstance(arg, Const)]
    if all(isinstance(v, int | float) and (v == 0 or 0.01 <= abs(v) <= 1000) for v in values):
        made = probe(np.arange, args, keywords)
        by_chance = made.kind == "array" and len(values) < len(args) and made.dims and made.dims[0].symbol is None
        return replace(made, dims=(ANY,)) if by_chance else made
    whole = len(values) == len(args) and all(type(v) is int for v in values)
    return Type("array", np.dtype(int), dims=(ANY,)) if whole and not keywords else UNKNOWN


def _tensordot(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """Which axes have to be equal is not known without `axes`."""
    axes = [*args[2:], *keywords.values()]
    return None if all(isinstance(operand, Const) for operand in axes) else UNKNOWN


def _split(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    t = type_of_operand(args[0]) if args else UNKNOWN
    return list_of(t) if t.kind == "array" and t.rank != 0 else UNKNOWN


def _reshape(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    shape = args[1] if len(args) > 1 else keywords.get("shape", keywords.get("newshape"))
    t = type_of_operand(args[0]) if args else UNKNOWN
    return _reshaped(t, [shape]) if shape is not None and t.kind in ("array", "scalar") else UNKNOWN


def _broadcast_to(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    shape = args[1] if len(args) > 1 else keywords.get("shape")
    t = type_of_operand(args[0]) if args else UNKNOWN
    if shape is None or t.kind not in ("array", "scalar") or "subok" in keywords or len(args) > 2:
        return UNKNOWN
    return made_of(t, "array", shape_argument(shape))


def _matmul(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """Stacks of matrices: the axes before the last two are broadcast."""
    types = [type_of_operand(arg) for arg in args]
    dims = [t.dims for t in types if t.kind == "array" and t.dims is not None]
    if len(dims) != 2 or keywords or min(map(len, dims)) < 1 or max(map(len, dims)) < 3:
        return None
    left, right = dims
    matrix = probe(np.matmul, [replace(t, dims=(fixed(2),) * len(t.dims or ())) for t in types], {})
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    return replace(matrix, dims=(*broadcast([left[:-2], right[:-2]]), *rows, *columns)) if matrix.dims else UNKNOWN


def _zeros(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """`runtime.zeros`: the adjoint of a container, lists for tuples."""
    return _zero(type_of_operand(args[0]))


def _zero(t: Type) -> Type:
    match t.kind:
        case "list" | "tuple":
            return list_of(*map(_zero, t.items))
        case "dict":
            return replace(t, items=tuple(map(_zero, t.items)))
        case "scalar" | "array" if t.dtype is not None and t != COMPLEX:
            dtype = t.dtype if t.dtype.kind in "fc" else np.dtype(float)
            made = Type("unknown" if t.dims is None else "array", dtype, dims=t.dims)
            return made if t.kind == "array" and t.rank != 0 else Type("scalar", dtype)
        case "none":
            return FLOAT
        case "range":
            return list_of(Type("scalar", np.dtype(float)))
        case "str" | "slice":
            return NONE
        case _:
            return UNKNOWN


def _add(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """`runtime.add`: the sum of two cotangents of one container."""
    return _total(*map(type_of_operand, args))


def _total(a: Type, b: Type) -> Type:
    if "none" in (a.kind, b.kind):
        return b if a.kind == "none" else a
    if {a.kind, b.kind} <= {"list", "tuple"}:
        return list_of(*(_total(x, y) for x, y in itertools.product(a.items, b.items)))
    if a.kind == b.kind == "dict" and a.keys == b.keys:
        return replace(a, items=tuple(map(_total, a.items, b.items)))
    return infer(Fn(operator.add), [a, b]) if _numbers([a, b]) else UNKNOWN


def _like(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """`zeros_like` and its kin: an array, whatever their argument is."""
    return None if not args or type_of_operand(args[0]).kind != "unknown" else Type("array")


def _zeros_like(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """`runtime.zeros_like` of an array, floats for integers; None for what may be a number, of which a run tells."""
    t = type_of_operand(args[0])
    if t.kind != "array" or not t.rank:
        return None
    return Type("array", None if t.dtype is None else t.dtype if t.dtype.kind in "fc" else np.dtype(float), dims=t.dims)


def _outer(args: Sequence[Operand], keywords: Keywords) -> Type | None:
    """Whatever its operands are, two axes."""
    known = all(t.numeric and t.dtype is not None for t in map(type_of_operand, args))
    return None if known else Type("array", dims=(ANY, ANY))


def _maths() -> dict[Any, Callable[[Sequence[Operand], Keywords], Type | None]]:
    whole = {"ceil", "floor", "trunc", "gcd", "lcm", "comb", "perm", "factorial", "isqrt"}
    flags = {"isnan", "isinf", "isfinite", "isclose"}
    other = {"prod", "sumprod", "frexp", "modf"}
    functions = {name: f for name, f in vars(math).items() if callable(f) and not name.startswith("_")}
    results = {name: INT if name in whole else BOOL if name in flags else FLOAT for name in functions}
    return {functions[name]: _on_scalars(t) for name, t in results.items() if name not in other}


_SPECIAL: dict[Any, Callable[[Sequence[Operand], Keywords], Type | None]] = {
    **_maths(),
    **dict.fromkeys((bool, isinstance, issubclass, callable, hasattr, np.isscalar), _always(BOOL)),
    **dict.fromkeys((operator.not_, operator.is_, operator.is_not, operator.contains, operator.truth), _always(BOOL)),
    **dict.fromkeys((np.iscomplexobj, np.isrealobj, np.allclose, np.array_equal), _always(BOOL)),
    **dict.fromkeys((str, repr), _always(STR)),
    int: _always(INT),
    float: _always(FLOAT),
    complex: _always(COMPLEX),
    range: _always(RANGE),
    list: _list,
    set: _set,
    frozenset: _set,
    **dict.fromkeys((operator.or_, operator.and_, operator.sub, operator.xor), _of_sets),
    slice: _always(SLICE),
    len: _len,
    min: _extremum,
    max: _extremum,
    sum: _sum,
    operator.getitem: _getitem,
    np.arange: _arange,
    np.tensordot: _tensordot,
    np.split: _split,
    np.array_split: _split,
    np.reshape: _reshape,
    np.broadcast_to: _broadcast_to,
    np.matmul: _matmul,
    operator.matmul: _matmul,
    np.outer: _outer,
    **dict.fromkeys((np.zeros_like, np.ones_like, np.empty_like), _like),
    add: _add,
    zeros: _zeros,
    zeros_like: _zeros_like,
    np.zeros: lambda args, keywords: _created(args, keywords, np.zeros),
    np.ones: lambda args, keywords: _created(args, keywords, np.ones),
    np.empty: lambda args, keywords: _created(args, keywords, np.empty),
    np.full: lambda args, keywords: _created(args, keywords, np.full, fill=True),
}
