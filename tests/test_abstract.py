"""Types and values of single operations: what is claimed holds for every size, and enough is claimed."""

from __future__ import annotations

import itertools
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from srcgrad.abstract import Operand, evaluate, infer
from srcgrad.ir import Attr, Const, Fn, Load, Make, Method, Op, Pop
from srcgrad.types import (
    BOOL,
    FLOAT,
    INT,
    NONE,
    OBJECT,
    RANGE,
    SLICE,
    STR,
    UNIT,
    UNKNOWN,
    Dim,
    Type,
    array,
    fixed,
    join,
    list_of,
    type_of,
)

F8 = np.dtype(float)
X, Y, V, W = (Dim(name, 0, False) for name in ("x.0", "x.1", "v.0", "w.0"))
MAYBE = Dim("m.0", 0, True)
MATRIX, VECTOR, OTHER, COLUMN = array(F8, X, Y), array(F8, V), array(F8, W), array(F8, X, UNIT)
ANY = Dim("?", 0, True)
N = replace(INT, length=Dim("n"))


def tuple_of(*items: Type) -> Type:
    return Type("tuple", items=items)


def text(t: Type) -> str:
    """A type with the lengths of its integers, which `str` leaves out."""
    if t.kind == "tuple":
        return f"({', '.join(map(text, t.items))})"
    return f"{t}={t.length}" if t.length is not None else str(t)


# Enough is claimed

CASES: list[tuple[Any, Sequence[Any], dict[str, Any], str]] = [
    (operator.add, [MATRIX, VECTOR], {}, "float64[x.0, x.1]"),
    (operator.add, [COLUMN, VECTOR], {}, "float64[x.0, v.0]"),
    (operator.add, [array(F8, MAYBE), VECTOR], {}, "float64[v.0]"),
    (operator.add, [array(F8, MAYBE), array(F8, Dim("k.0"))], {}, "float64[?]"),
    (operator.add, [array(F8, MAYBE), array(F8, MAYBE)], {}, "float64[m.0]"),
    (operator.mul, [VECTOR, FLOAT], {}, "float64[v.0]"),
    (operator.mul, [array("float32", V), FLOAT], {}, "float32[v.0]"),
    (operator.mul, [array("float32", V), Type("scalar", F8)], {}, "float64[v.0]"),
    (operator.truediv, [array(int, V), INT], {}, "float64[v.0]"),
    (operator.gt, [VECTOR, 0], {}, "bool[v.0]"),
    (operator.add, [Type("array", F8), VECTOR], {}, "float64[...]"),
    (operator.add, [Type("array", F8), FLOAT], {}, "unknown"),
    (operator.add, [array(F8), FLOAT], {}, "float64"),
    (operator.add, [Type("array", dims=(V,)), VECTOR], {}, "any[v.0]"),
    (np.isnan, [Type("array", dims=(V,))], {}, "bool[v.0]"),
    (operator.add, [N, 1], {}, "int=n+1"),
    (operator.add, [N, -1], {}, "int"),
    (operator.sub, [N, 1], {}, "int"),
    (operator.truediv, [INT, INT], {}, "float"),
    (operator.pow, [INT, INT], {}, "float|int"),
    (operator.pow, [INT, 2], {}, "int"),
    (operator.pow, [FLOAT, 2], {}, "float"),
    (operator.pow, [FLOAT, 0.5], {}, "unknown"),
    (operator.lt, [FLOAT, INT], {}, "bool"),
    (operator.neg, [FLOAT], {}, "float"),
    (operator.add, [UNKNOWN, VECTOR], {}, "unknown"),
    (np.exp, [FLOAT], {}, "float64"),
    (np.maximum, [MATRIX, VECTOR], {}, "float64[x.0, x.1]"),
    (np.where, [array(bool, X, UNIT), VECTOR, 0.0], {}, "float64[x.0, v.0]"),
    (np.clip, [VECTOR, 0, 1], {}, "float64[v.0]"),
    (operator.matmul, [MATRIX, VECTOR], {}, "float64[x.0]"),
    (operator.matmul, [VECTOR, OTHER], {}, "float64"),
    (operator.matmul, [array(F8, W, X, Y), MATRIX], {}, "float64[w.0, x.0, x.1]"),
    (np.dot, [MATRIX, MATRIX], {}, "float64[x.0, x.1]"),
    (np.outer, [VECTOR, OTHER], {}, "float64[v.0, w.0]"),
    (np.einsum, ["ij,j->i", MATRIX, VECTOR], {}, "float64[x.0]"),
    (np.tensordot, [MATRIX, OTHER, 1], {}, "float64[x.0]"),
    (np.linalg.inv, [MATRIX], {}, "float64[x.0, x.0]"),
    (np.linalg.solve, [MATRIX, VECTOR], {}, "float64[x.0]"),
    (np.linalg.norm, [VECTOR], {}, "float64"),
    (np.linalg.eig, [MATRIX], {}, "unknown"),
    (np.sum, [MATRIX], {}, "float64"),
    (np.sum, [MATRIX], {"axis": 0}, "float64[x.1]"),
    (np.sum, [MATRIX], {"axis": 0, "keepdims": True}, "float64[1, x.1]"),
    (np.sum, [MATRIX], {"axis": INT}, "float64[?]"),
    (np.sum, [MATRIX], {"axis": 0, "keepdims": BOOL}, "float64[...]"),
    (np.sum, [Type("array", F8)], {}, "float64"),
    (np.sum, [Type("array", F8)], {"axis": 0}, "unknown"),
    (np.mean, [array("float32", V)], {}, "float32"),
    (np.cumsum, [VECTOR], {}, "float64[v.0]"),
    (np.argmax, [VECTOR], {}, "int64"),
    (np.diff, [VECTOR], {}, "float64[v.0-1]"),
    (np.squeeze, [VECTOR], {}, "float64[v.0]"),
    (np.squeeze, [array(F8, MAYBE)], {}, "float64[...]"),
    (np.squeeze, [array(F8, Dim("n", 2))], {}, "float64[...]"),
    (operator.iadd, [Type("array", dims=(V,)), array(complex, V)], {}, "any[v.0]"),
    (operator.ilshift, [Type("array", dims=(V,)), INT], {}, "unknown"),
    (np.squeeze, [COLUMN], {}, "float64[x.0]"),
    (np.transpose, [MATRIX], {}, "float64[x.1, x.0]"),
    (np.expand_dims, [VECTOR, 0], {}, "float64[1, v.0]"),
    (np.concatenate, [tuple_of(VECTOR, OTHER)], {}, "float64[?]"),
    (np.concatenate, [tuple_of(MATRIX, COLUMN)], {"axis": 1}, "float64[x.0, x.1+1]"),
    (np.stack, [tuple_of(VECTOR, OTHER, VECTOR)], {}, "float64[3, v.0]"),
    (np.stack, [list_of(VECTOR)], {}, "float64[?, ?]"),
    (np.array, [tuple_of(FLOAT, FLOAT)], {}, "float64[2]"),
    (np.array, [list_of(FLOAT)], {}, "float64[?]"),
    (np.array, [list_of(INT)], {}, "float64|int[?]"),
    (np.array, [list_of(FLOAT, INT)], {}, "float64|int[?]"),
    (np.full, [3, join(INT, FLOAT)], {}, "float64|int[3]"),
    (operator.mul, [join(INT, FLOAT), VECTOR], {}, "float64[v.0]"),
    (operator.truediv, [join(INT, FLOAT), 2], {}, "float"),
    (operator.add, [join(INT, Type("scalar", F8)), 1], {}, "float64|int"),
    (np.zeros, [3], {}, "float64[3]"),
    (np.zeros, [(2, 10**9)], {}, "float64[2, 1000000000]"),
    (np.ones, [tuple_of(N, INT)], {"dtype": np.float32}, "float32[n, ?]"),
    (np.full, [N, 1.5], {}, "float64[n]"),
    (np.zeros_like, [MATRIX], {}, "float64[x.0, x.1]"),
    (np.eye, [N], {}, "float64[n, n]"),
    (np.arange, [N], {}, "int64[n]"),
    (np.arange, [1, N], {}, "int64[n-1]"),
    (np.arange, [N, 0, replace(INT, length=Dim("k"))], {}, "int64[?]"),
    (np.arange, [0, 10**9], {}, "int64[?]"),
    (np.linspace, [0.0, 1.0, N], {}, "float64[n]"),
    (np.reshape, [VECTOR, -1], {}, "float64[v.0]"),
    (np.reshape, [VECTOR, N], {}, "float64[?]"),
    (np.reshape, [VECTOR, tuple_of(replace(INT, length=X), INT)], {}, "float64[x.0, ?]"),
    (np.broadcast_to, [FLOAT, tuple_of(replace(INT, length=X))], {}, "float64[x.0]"),
    (np.convolve, [VECTOR, OTHER], {"mode": "same"}, "float64[?]"),
    (np.nonzero, [VECTOR], {}, "unknown"),
    (np.diag, [array(F8, V), N], {}, "float64[?, ?]"),
    (np.fft.rfft, [VECTOR], {}, "complex128[?]"),
    (np.shape, [MATRIX], {}, "(int=x.0, int=x.1)"),
    (np.maximum.reduce, [VECTOR], {}, "float64"),
    (np.random.rand, [3], {}, "unknown"),
    (print, [3], {}, "unknown"),
    (len, [MATRIX], {}, "int=x.0"),
    (range, [INT], {}, "range"),
    (math.sin, [Type("scalar", F8)], {}, "float"),
    (math.floor, [FLOAT], {}, "int"),
    (float, [VECTOR], {}, "float"),
    (max, [FLOAT, FLOAT], {}, "float"),
    (max, [FLOAT, INT], {}, "float|int"),
    (operator.not_, [UNKNOWN], {}, "bool"),
    (operator.add, [tuple_of(INT, FLOAT), tuple_of(FLOAT)], {}, "(int, float, float)"),
    (operator.getitem, [MATRIX, INT], {}, "float64[x.1]"),
    (operator.getitem, [VECTOR, INT], {}, "float64"),
    (operator.getitem, [VECTOR, slice(1, -1)], {}, "float64[v.0-2]"),
    (operator.getitem, [VECTOR, slice(5)], {}, "float64[?]"),
    (operator.getitem, [VECTOR, slice(None, None, -1)], {}, "float64[v.0]"),
    (operator.getitem, [array(F8, fixed(7)), slice(1, -1, 2)], {}, "float64[3]"),
    (operator.getitem, [MATRIX, (slice(None), None, 0)], {}, "float64[x.0, 1]"),
    (operator.getitem, [VECTOR, (Ellipsis, 0)], {}, "float64[]"),
    (operator.getitem, [MATRIX, array(bool, X, Y)], {}, "float64[?]"),
    (operator.getitem, [MATRIX, array(int, W)], {}, "float64[w.0, x.1]"),
    (operator.getitem, [MATRIX, tuple_of(array(int, W), INT)], {}, "float64[w.0]"),
    (operator.getitem, [array(F8, X, Y, V), tuple_of(INT, SLICE, array(int, W))], {}, "float64[w.0, ?]"),
    (operator.getitem, [tuple_of(INT, FLOAT), 1], {}, "float"),
    (operator.getitem, [tuple_of(INT, FLOAT), slice(1)], {}, "(int)"),
    (operator.getitem, [list_of(VECTOR), INT], {}, "float64[?]"),
    (operator.getitem, [RANGE, INT], {}, "int"),
    (Attr("shape"), [array(F8, X, UNIT, ANY)], {}, "(int=x.0, int=1, int)"),
    (Attr("T"), [MATRIX], {}, "float64[x.1, x.0]"),
    (Attr("size"), [VECTOR], {}, "int=v.0"),
    (Attr("real"), [array(complex, V)], {}, "float64[v.0]"),
    (Attr("real"), [FLOAT], {}, "float"),
    (Attr("name"), [OBJECT], {}, "unknown"),
    (Method("sum"), [MATRIX], {"axis": 1}, "float64[x.0]"),
    (Method("reshape"), [MATRIX, 2, -1], {}, "float64[2, ?]"),
    (Method("astype"), [VECTOR, np.float32], {}, "float32[v.0]"),
    (Method("item"), [VECTOR], {}, "unknown"),
    (Method("dot"), [MATRIX, VECTOR], {}, "float64[x.0]"),
    (Method("tolist"), [MATRIX], {}, "list[list[float]]"),
    (Method("tofile"), [VECTOR, "name"], {}, "unknown"),
    (Make("tuple"), [VECTOR, 1], {}, "(float64[v.0], int=1)"),
    (Make("list"), [VECTOR, VECTOR], {}, "list[float64[?]]"),
    (Make("slice"), [INT, None, None], {}, "slice"),
    (Make("fstring"), [VECTOR], {}, "str"),
    (Load(), [VECTOR], {}, "float64[v.0]"),
    (Load(("[]", ".T", "[]")), [array(F8, X, Y, V), 0, slice(1, None)], {}, "float64[v.0-1, x.1]"),
    (Pop(), [list_of(VECTOR)], {}, "float64[?]"),
]


def operation(op: Any) -> Op:
    return op if isinstance(op, Attr | Method | Make | Load | Pop) else Fn(op)


def operand(value: Any) -> Operand:
    return value if isinstance(value, Type) else Const(value)


@pytest.mark.parametrize(("op", "args", "keywords", "expected"), CASES, ids=lambda v: None)
def test_inferred(op: Any, args: Sequence[Any], keywords: dict[str, Any], expected: str) -> None:
    found = infer(operation(op), [operand(arg) for arg in args], {k: operand(v) for k, v in keywords.items()})
    assert text(found) == expected


def test_flags_of_axes() -> None:
    def flag(op: Any, *args: Any) -> bool:
        found = infer(operation(op), [operand(arg) for arg in args])
        assert found.dims is not None
        return found.dims[0].may_be_one

    assert not flag(operator.add, array(F8, MAYBE), VECTOR)
    assert flag(operator.add, array(F8, MAYBE), array(F8, MAYBE))
    assert flag(operator.getitem, VECTOR, slice(1, None))
    assert flag(np.diff, VECTOR)
    assert not flag(np.cumsum, VECTOR)
    assert flag(np.zeros, N)


def test_dtype_of_unknown_kind_is_kept() -> None:
    found = infer(Fn(operator.add), [Type("array", F8), FLOAT])
    assert (found.kind, found.dtype) == ("unknown", F8)


def test_probing_has_no_effect_outside() -> None:
    state = np.random.get_state()[1].copy()  # type: ignore[index]
    constant = np.zeros(3)
    infer(Fn(operator.iadd), [Const(constant), FLOAT])
    infer(Fn(np.random.normal), [])
    infer(Fn(np.sqrt), [FLOAT])
    called: list[int] = []
    infer(Fn(np.apply_along_axis), [Const(called.append), Const(0), VECTOR])
    assert (np.random.get_state()[1] == state).all()  # type: ignore[index]
    assert not constant.any()
    assert not called


def test_callables_without_hash() -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, x: Any) -> Any:
            return x

    assert infer(Fn(Unhashable()), [FLOAT]) == UNKNOWN
    assert evaluate(Fn(Unhashable()), [FLOAT]) is None


# Values

VALUES: list[tuple[Any, Sequence[Any], Any]] = [
    (operator.add, [2, 3], 5),
    (operator.mul, [2, 1.5], 3.0),
    (operator.pow, [2, 10], 1024),
    (operator.lt, [1, 2], True),
    (operator.not_, [True], False),
    (operator.getitem, [(1, 2.5), 1], 2.5),
    (len, [(1, 2)], 2),
    (max, [1, 3, 2], 3),
    (isinstance, [1, (float, int)], True),
    (Make("tuple"), [1, slice(2)], (1, slice(2))),
    (Make("slice"), [None, 1, None], slice(None, 1, None)),
    (Attr("ndim"), [MATRIX], 2),
    (np.ndim, [MATRIX], 2),
    (np.ndim, [FLOAT], 0),
    (len, [tuple_of(INT, INT, INT)], 3),
    (len, [array(F8, fixed(3), X)], 3),
    (Attr("dtype"), [MATRIX], F8),
    (Attr("kind"), [F8], "f"),
    (operator.eq, [F8, np.dtype("float32")], False),
    (operator.eq, [F8, np.float64], True),
    (operator.is_, [VECTOR, None], False),
    (operator.is_not, [None, FLOAT], True),
    (operator.is_, [NONE, None], True),
    (isinstance, [VECTOR, np.ndarray], True),
    (isinstance, [VECTOR, (int, float)], False),
    (isinstance, [Type("scalar", F8), float], True),
    (isinstance, [Type("scalar", np.dtype("float32")), float], False),
    (isinstance, [tuple_of(INT), list], False),
    (isinstance, [tuple_of(INT), (list, tuple)], True),
    (Attr("shape"), [array(F8, UNIT, fixed(3))], (1, 3)),
    (Attr("size"), [array(F8, UNIT, fixed(3))], 3),
    (operator.getitem, [tuple_of(INT, replace(INT, length=fixed(1))), 1], 1),
    (operator.eq, [replace(INT, length=X), 1], False),
    (operator.ne, [replace(INT, length=X), replace(INT, length=X)], False),
    (np.iscomplexobj, [array(complex, X)], True),
]

UNDECIDED: list[tuple[Any, Sequence[Any]]] = [
    (operator.truediv, [1, 0]),
    (operator.pow, [10, 10**9]),
    (operator.mul, ["a", 10**9]),
    (operator.mod, ["%1000000000d", 1]),
    (operator.getitem, [(1,), 3]),
    (operator.add, [INT, 1]),
    (Attr("ndim"), [Type("array", F8)]),
    (Attr("ndim"), [FLOAT]),
    (Attr("shape"), [MATRIX]),
    (Attr("dtype"), [Type("array", dims=(X,))]),
    (operator.is_, [UNKNOWN, None]),
    (operator.is_, [OBJECT, None]),
    (operator.is_, [1000, 1000]),
    (isinstance, [UNKNOWN, float]),
    (isinstance, [tuple_of(INT), type("Pair", (tuple,), {})]),
    (operator.eq, [replace(INT, length=MAYBE), 1]),
    (operator.eq, [replace(INT, length=ANY), replace(INT, length=ANY)]),
    (print, ["text"]),
    (len, [list_of(INT)]),
]


@pytest.mark.parametrize(("op", "args", "expected"), VALUES, ids=lambda v: None)
def test_evaluated(op: Any, args: Sequence[Any], expected: Any) -> None:
    found = evaluate(operation(op), [operand(arg) for arg in args])
    assert found is not None
    assert type(found.value) is type(expected)
    assert found.value == expected


@pytest.mark.parametrize(("op", "args"), UNDECIDED, ids=lambda v: None)
def test_not_evaluated(op: Any, args: Sequence[Any]) -> None:
    assert evaluate(operation(op), [operand(arg) for arg in args]) is None


# What is claimed holds: operations on random operands of small and coincident sizes, of which random parts are known


@dataclass
class Typing:
    """Chooses a type that a value has, and keeps the length that every symbol has."""

    random: np.random.Generator
    lengths: dict[str, int] = field(default_factory=dict)

    def chance(self, p: float) -> bool:
        return bool(self.random.random() < p)

    def operand(self, value: Any) -> Operand:
        if value is None or value is Ellipsis or callable(value) or isinstance(value, str | slice | np.dtype):
            return SLICE if isinstance(value, slice) and self.chance(0.2) else Const(value)
        if isinstance(value, bool | int | float) and self.chance(0.5):
            return Const(value)
        if type(value) is tuple and all(isinstance(v, int | slice) for v in value) and self.chance(0.5):
            return Const(value)
        if type(value) is tuple and any(v is Ellipsis or isinstance(v, slice) for v in value):
            return Const(value) if not any(isinstance(v, np.ndarray) for v in value) else UNKNOWN
        return self.type(value)

    def type(self, value: Any) -> Type:
        if type(value) in (int, float) and self.chance(0.2):
            return replace(FLOAT, weak=type(value) is float or self.chance(0.5), whole=True)
        if type(value) is int:
            return replace(INT, length=self.dim(value)) if self.chance(0.5) else INT
        if type(value) is np.ndarray:
            dims = None if self.chance(0.1) else tuple(map(self.dim, value.shape))
            if value.dtype in (F8, np.dtype(int)) and self.chance(0.2):
                return Type("array", F8, dims=dims, whole=True)
            return Type("array", None if self.chance(0.1) else value.dtype, dims=dims)
        if type(value) is tuple:
            return tuple_of(*map(self.type, value))
        return type_of(value)

    def dim(self, n: int) -> Dim:
        if n >= 0 and self.chance(0.15):
            return fixed(n)
        if self.chance(0.1):
            return Dim("?", 0, n == 1 or self.chance(0.5))
        offset = int(self.random.integers(-2, 3)) if self.chance(0.2) and n > 0 else 0
        same = [s for s, length in self.lengths.items() if length == n - offset]
        symbol = str(self.random.choice(same)) if same and self.chance(0.6) else f"s{len(self.lengths)}"
        self.lengths[symbol] = n - offset
        return Dim(symbol, offset, n == 1 or n < 0 or offset != 0 or self.chance(0.3))


# What is Python's float or NumPy's by the values: taken for NumPy's, as where two paths meet.
WIDENED = ("max", "min", "int pow")


def is_narrower(value: Any, t: Type) -> bool:
    """Whether a value is a number where a wider one is claimed."""
    own = type_of(value)
    joined = join(own, replace(t, length=None))
    return own.kind == "scalar" and own.weak and not t.weak and joined == t


def is_whole(value: Any, t: Type) -> bool:
    """Whether a value is made of integers, as its type says of some runs."""
    dtype = type_of(value).dtype
    return t.whole and dtype is not None and dtype.kind in "iu"


def has(value: Any, t: Type, lengths: Mapping[str, int]) -> bool:
    """Whether a value is of a type."""

    def is_length(n: int, dim: Dim) -> bool:
        if n == 1 and not dim.may_be_one:
            return False
        exact = dim.offset + (0 if dim.symbol in (None, "?") else lengths[dim.symbol or ""])
        return dim.symbol == "?" or n in (exact, max(0, exact))

    own = type_of(value)
    dtype_fits = t.dtype is None or own.dtype == t.dtype or is_whole(value, t)
    match t.kind:
        case "unknown":
            return dtype_fits
        case "scalar":
            length_fits = t.length is None or t.length.symbol == "?" or is_length(value, t.length)
            python_fits = own.weak == t.weak or (own.weak and t.whole)  # taken for NumPy's, as where two paths meet
            return own.kind == "scalar" and dtype_fits and python_fits and length_fits
        case "array":
            if type(value) is not np.ndarray or not dtype_fits:
                return False
            return t.dims is None or (
                len(t.dims) == value.ndim
                and all(is_length(n, dim) for n, dim in zip(value.shape, t.dims, strict=True))
            )
        case "tuple":
            if not isinstance(value, tuple) or len(value) != len(t.items):
                return False
            return all(has(v, item, lengths) for v, item in zip(value, t.items, strict=True))
        case "list":
            return type(value) is list and (not value or all(has(v, t.items[0], lengths) for v in value))
        case _:
            return type_of(value).kind == t.kind


Sampler = Callable[[np.random.Generator], tuple[Sequence[Any], dict[str, Any]]]


def size(random: np.random.Generator) -> int:
    return int(random.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 8]))


def values(random: np.random.Generator, *shape: int, dtypes: str = "dddfliDB?") -> Any:
    dtype = np.dtype(str(random.choice(list(dtypes))))
    fill = random.uniform(-2, 2, shape) if random.random() < 0.6 else random.integers(0, 3, shape)
    return np.asarray(fill).astype(dtype)


def shape(random: np.random.Generator, low: int = 0, high: int = 3) -> tuple[int, ...]:
    return tuple(size(random) for _ in range(int(random.integers(low, high + 1))))


def number(random: np.random.Generator) -> Any:
    choices = [-1, 0, 1, 2, 3, 0.5, -1.5, 2.0, True, 1j, np.float32(0.5), np.float64(-2.0), np.int64(2), np.bool_(True)]
    return choices[int(random.integers(len(choices)))]


def two(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    """Operands that often broadcast: an array, and one whose axes are some of the first's or 1."""
    full = shape(random)
    part = tuple(1 if random.random() < 0.3 else n for n in full)[int(random.integers(0, len(full) + 1)) :]
    operands = [values(random, *full), values(random, *part)]
    for i in range(2):
        if random.random() < 0.2:
            operands[i] = number(random)
    return (operands if random.random() < 0.5 else operands[::-1]), {}


def one(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [values(random, *shape(random)) if random.random() < 0.9 else number(random)], {}


def three(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    (a, b), _ = two(random)
    return [values(random, *np.shape(a), dtypes="?"), a, b], {}


def reduction(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    keywords: dict[str, Any] = {}
    if random.random() < 0.7:
        keywords["axis"] = int(random.integers(-2, 3)) if random.random() < 0.8 else (0, 1)
    if random.random() < 0.5:
        keywords["keepdims"] = bool(random.random() < 0.7)
    return [values(random, *shape(random, 1))], keywords


def along(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [values(random, *shape(random, 1))], {"axis": int(random.integers(-2, 3))} if random.random() < 0.7 else {}


def with_int(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [values(random, *shape(random, 1)), int(random.integers(-3, 5))], {}


def vectors(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [values(random, size(random)), values(random, size(random))], {}


def convolution(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return vectors(random)[0], {"mode": str(random.choice(["full", "same", "valid"]))}


def product(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    n, k, m, b = (size(random) for _ in range(4))
    lefts, rights = [(k,), (n, k), (b, n, k), (1, n, k), ()], [(k,), (k, m), (b, k, m), ()]
    left, right = lefts[int(random.integers(5))], rights[int(random.integers(4))]
    return [values(random, *left), values(random, *right)], {}


def contraction(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [*product(random)[0], int(random.integers(0, 2))], {}


def selection(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    x = values(random, *shape(random, 1))
    return [random.random(x.shape[0]) < 0.5, x], {"axis": 0}


def square(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    n = size(random)
    return [values(random, *shape(random, 0, 1), n, n, dtypes="dfD") + 3 * np.eye(n)], {}


def system(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    (a,), _ = square(random)
    n = a.shape[-1]
    right = [(n,), (n, size(random)), (*a.shape[:-2], n, 2)][int(random.integers(3))]
    return [a, values(random, *right, dtypes="df")], {}


def several(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    full = shape(random, 1, 2)
    axis = int(random.integers(len(full)))
    items = [
        values(random, *(size(random) if i == axis and random.random() < 0.6 else n for i, n in enumerate(full)))
        for _ in range(int(random.integers(1, 4)))
    ]
    keywords = {"axis": axis} if random.random() < 0.6 else {}
    return [tuple(items) if random.random() < 0.7 else items], keywords


def stacked(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    (items,), _ = several(random)
    return [items], {}


def numbers(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    count = int(random.integers(0, 4))
    items = [random.choice([1, 2, 3]).item() if random.random() < 0.5 else 0.5 for _ in range(count)]
    return [tuple(items) if random.random() < 0.5 else items], {}


def sizes(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [shape(random, 0, 2) if random.random() < 0.6 else size(random)], {}


def integers(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [int(n) for n in random.integers(-3, 7, int(random.integers(1, 4)))], {}


def scalars(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    return [number(random), number(random)], {}


def reshaping(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    n, m = size(random), size(random)
    shapes = [(n, m), (n * m,), (-1,), (n, -1), (m, n), (1, n * m), -1, n * m]
    own = [(n, m), (n * m,), (n, m, 1)][int(random.integers(3))]
    return [values(random, *own), shapes[int(random.integers(8))]], {}


def part(random: np.random.Generator, n: int) -> Any:
    bound = [None, *range(-3, 5)]
    match int(random.integers(10)):
        case 0 | 1 | 2:
            a, b = (bound[int(i)] for i in random.integers(0, 9, 2))
            return slice(a, b, [None, None, 1, 2, -1][int(random.integers(5))])
        case 3 | 4:
            return int(random.integers(-2, 3))
        case 5:
            return None
        case 6:
            return np.int64(0)
        case 7:
            return random.integers(0, max(n, 1), shape(random, 0, 2))
        case 8:
            return random.random(n) < 0.5
        case _:
            return Ellipsis


def indexing(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    x = values(random, *shape(random, 1))
    if random.random() < 0.3:
        return [x, part(random, x.shape[0])], {}
    if random.random() < 0.1:
        return [x, random.random(x.shape) < 0.5], {}
    return [x, tuple(part(random, n) for n in x.shape[: int(random.integers(0, x.ndim + 1))])], {}


def advanced(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    """Indices without slices, so that their types, not their values, are given."""
    x = values(random, *shape(random, 2))
    index = tuple(part(random, n) for n in x.shape)
    return [x, tuple(0 if i is Ellipsis or isinstance(i, slice) else i for i in index)], {}


def of_sequence(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    items = [number(random), values(random, *shape(random)), 2, 3.5]
    return [tuple(items) if random.random() < 0.5 else [1.0, 2.0, 3.0], int(random.integers(-3, 4))], {}


def einsum(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    spec = str(random.choice(["ij,jk->ik", "ij,ij->i", "i,i->", "ii->i", "ij->ji", "ij,j", "i,j->ij", "ijk,k->ij"]))
    lengths = {letter: size(random) for letter in "ijk"}
    operands = spec.partition("->")[0].split(",")
    return [spec, *(values(random, *(lengths[c] if random.random() < 0.9 else 1 for c in o)) for o in operands)], {}


def interpolation(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    n = size(random)
    return [values(random, *shape(random, 0, 2), dtypes="d"), np.arange(float(n)), values(random, n, dtypes="d")], {}


def kind_test(random: np.random.Generator) -> tuple[Sequence[Any], dict[str, Any]]:
    classes = (int, float, complex, bool, tuple, list, np.ndarray, np.generic, np.floating, (int, float), (tuple, list))
    value = [number(random), values(random, *shape(random)), (1, 2), [1.0], None, "text"][int(random.integers(6))]
    return [value, classes[int(random.integers(len(classes)))]], {}


_BINARY = "add sub mul truediv floordiv mod pow eq ne lt le gt ge and_ or_ xor iadd imul itruediv ipow"
_REDUCTIONS = "sum mean prod max min std var median any all nansum ptp count_nonzero nanmax"
_ALONG = "cumsum cumprod argmax argmin sort argsort diff flip squeeze concatenate stack"
_UNARY = """
    exp sin sqrt abs negative isnan real imag angle conj square floor sign diag ravel transpose squeeze atleast_1d
    atleast_2d atleast_3d zeros_like ones_like nonzero argwhere flatnonzero unique copy array asarray size ndim
    shape diff cumsum trace tril triu fliplr flipud rot90 nan_to_num isfinite cov corrcoef gradient ediff1d
    real_if_close modf iscomplexobj
"""
_WITH_INT = """
    diag roll repeat tile take tril triu expand_dims diff split array_split delete resize rot90 append vander partition
"""
_METHODS = "copy ravel item tolist conj flatten squeeze transpose nonzero all"
_SQUARE = "inv det slogdet eigh eig cholesky qr svd pinv norm"

SUBJECTS: dict[str, tuple[Op, Sampler]] = {
    **{f"operator.{n}": (Fn(getattr(operator, n)), two) for n in _BINARY.split()},
    **{f"scalar {n}": (Fn(getattr(operator, n)), scalars) for n in _BINARY.split()},
    **{f"int {n}": (Fn(getattr(operator, n)), integers) for n in "add sub mul floordiv mod pow truediv lt".split()},
    **{f"np.{n}": (Fn(getattr(np, n)), one) for n in _UNARY.split()},
    **{f"reduce {n}": (Fn(getattr(np, n)), reduction) for n in _REDUCTIONS.split()},
    **{f"along {n}": (Fn(getattr(np, n)), along) for n in _ALONG.split()},
    **{f"int np.{n}": (Fn(getattr(np, n)), with_int) for n in _WITH_INT.split()},
    **{f"np.{n}": (Fn(getattr(np, n)), two) for n in "maximum arctan2 hypot power divmod isclose array_equal".split()},
    **{f"np.{n}": (Fn(getattr(np, n)), vectors) for n in "outer kron meshgrid append polyval ix_".split()},
    **{f"np.{n}": (Fn(getattr(np, n)), convolution) for n in "convolve correlate".split()},
    **{f"np.{n}": (Fn(getattr(np, n)), product) for n in "dot matmul inner vdot".split()},
    **{f"linalg.{n}": (Fn(getattr(np.linalg, n)), square) for n in _SQUARE.split()},
    **{f"np.{n}": (Fn(getattr(np, n)), stacked) for n in "vstack hstack stack column_stack dstack block".split()},
    **{f"fft.{n}": (Fn(getattr(np.fft, n)), along) for n in "fft rfft irfft fftshift".split()},
    **{f"np.{n}": (Fn(getattr(np, n)), sizes) for n in "zeros ones empty eye identity tri".split()},
    **{f"math.{n}": (Fn(getattr(math, n)), scalars) for n in "hypot pow fmod atan2 gcd comb".split()},
    **{f"{n.__name__}": (Fn(n), scalars) for n in (min, max, divmod, pow)},
    **{f"one {n.__name__}": (Fn(n), one) for n in (abs, float, int, bool, complex, len, sum, round, min, max, tuple)},
    **{f".{n}": (Attr(n), one) for n in "T shape size ndim real imag dtype mT nbytes".split()},
    **{f".{n}()": (Method(n), one) for n in _METHODS.split()},
    **{f".{n}(axis)": (Method(n), reduction) for n in "sum mean max std argmax prod".split()},
    "np.where": (Fn(np.where), three),
    "np.where(one)": (Fn(np.where), one),
    "np.clip": (Fn(np.clip), three),
    "tensordot": (Fn(np.tensordot), contraction),
    "compress": (Fn(np.compress), selection),
    "concatenate": (Fn(np.concatenate), several),
    "stack": (Fn(np.stack), several),
    "array of numbers": (Fn(np.array), numbers),
    "sum of numbers": (Fn(np.sum), numbers),
    "solve": (Fn(np.linalg.solve), system),
    "operator.matmul": (Fn(operator.matmul), product),
    "reshape": (Fn(np.reshape), reshaping),
    ".reshape": (Method("reshape"), reshaping),
    "arange": (Fn(np.arange), integers),
    "linspace": (Fn(np.linspace), integers),
    "getitem": (Fn(operator.getitem), indexing),
    "advanced": (Fn(operator.getitem), advanced),
    "item": (Fn(operator.getitem), of_sequence),
    "einsum": (Fn(np.einsum), einsum),
    "interp": (Fn(np.interp), interpolation),
    "isinstance": (Fn(isinstance), kind_test),
    "maximum.reduce": (Fn(np.maximum.reduce), along),
    "add.outer": (Fn(np.add.outer), vectors),
}


def run(op: Op, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    match op:
        case Fn():
            return op.target(*args, **keywords)
        case Attr():
            return getattr(args[0], op.name)
        case Method():
            return getattr(args[0], op.name)(*args[1:], **keywords)
    raise AssertionError(op)


def outcomes(name: str, count: int) -> Iterator[tuple[Sequence[Operand], Any, Type, Const | None, dict[str, int]]]:
    op, sampler = SUBJECTS[name]
    for seed in range(count):
        random = np.random.default_rng([seed, len(name)])
        args, keywords = sampler(random)
        typing = Typing(random)
        operands = [typing.operand(arg) for arg in args]
        named = {key: typing.operand(value) for key, value in keywords.items()}
        try:
            value = run(op, args, keywords)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            continue
        found = infer(op, operands, named)
        yield [*operands, *named.values()], value, found, evaluate(op, operands, named), typing.lengths


@pytest.mark.parametrize("name", SUBJECTS)
def test_claims_hold(name: str) -> None:
    ran = 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for operands, value, found, constant, lengths in outcomes(name, 80):
            ran += 1
            shown = f"{name}({', '.join(map(str, operands))}) is {value!r}, inferred {text(found)}, {lengths}"
            assert has(value, found, lengths) or (name in WIDENED and is_narrower(value, found)), shown
            if constant is not None:
                assert type(constant.value) is type(value), shown
                assert repr(constant.value) == repr(value), shown
    assert ran > 5


def test_the_test_tells_wrong_claims() -> None:
    x = np.ones((2, 3))
    lengths = {"a": 2, "b": 3}
    right = array(F8, Dim("a"), Dim("b"))
    assert has(x, right, lengths)
    wrong = [
        array(F8, Dim("a"), Dim("a")),
        array(F8, Dim("a", 1), Dim("b")),
        array(F8, fixed(3), Dim("b")),
        array("float32", Dim("a"), Dim("b")),
        array(F8, Dim("a")),
        Type("scalar", F8),
        tuple_of(right),
    ]
    assert not any(itertools.starmap(has, [(x, t, lengths) for t in wrong]))
    assert not has(np.ones(1), array(F8, Dim("?", 0, False)), {})
    assert not has(1.0, INT, {})
    assert not has(np.float64(1), FLOAT, {})
    assert array(F8, ANY) != Type("array", dims=(ANY,))  # though NumPy finds a dtype of floats equal to None
    assert not has(np.ones(1), array("int64", ANY), {})
    assert not has(np.ones(1, int), array(F8, ANY), {})
    assert has(np.ones(1, int), replace(array(F8, ANY), whole=True), {})
    assert not has(np.int64(1), replace(FLOAT, whole=True), {})
    assert is_narrower(1.0, Type("scalar", F8))
    narrower = [(1, Type("scalar", F8)), (True, FLOAT), (np.float64(1), FLOAT), (1j, FLOAT), (1, FLOAT)]
    assert not any(itertools.starmap(is_narrower, narrower))
    assert STR.kind == "str"
