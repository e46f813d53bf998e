"""Running an operation on small operands of several sizes and values, and reading off what all runs have in common.

    np.diff, float64[x.0]      lengths 5, 7, 3, 2, 0 give 4, 6, 2, 1, 0      float64[x.0-1]
    np.squeeze, float64[x.0]   length 5 gives one axis, length 1 none         unknown rank

A symbol stands for one length in a run. Among the runs are those in which different symbols have equal lengths, and
those in which axes are empty, or 1 where they may be: what holds there by coincidence does not hold elsewhere, and the
reverse.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad.abstract.operands import Operand
from srcgrad.abstract.shapes import ANY
from srcgrad.ir import Const
from srcgrad.types import BOOL, INT, UNKNOWN, Dim, Type, fixed, list_of, made_of, type_of

LIMIT = 100_000
_REFUSALS = (ArithmeticError, AttributeError, LookupError, MemoryError, NotImplementedError, RuntimeError, TypeError)
_LENGTHS = (5, 7, 11, 13, 17, 19, 23, 29)
_SHUFFLED = ((7, 3, 9, 4, 12, 8, 2, 10), (10, 4, 6, 3, 14, 8, 12, 9), (3, 13, 2, 11, 6, 15, 5, 17))
_INTS = (0, 1, 2, 3, -1, 5, -2, 4)
_FLOATS = (0.5, 1.5, -0.5, 2.5, 0.25, -1.75, 1.0, 0.75)
_DTYPES = tuple(map(np.dtype, ("float64", "complex128", "int64", "bool", "float16", "complex64", "int32")))
_PYTHON = tuple(map(np.dtype, (bool, int, float, complex)))  # of Python's own numbers
_OFFSETS = (0, -1, 1, -2, 2, -3, 3, -4, 4)
_VARIANTS = 50
_POOL = np.random.default_rng(0).random(LIMIT + 1000)


class NotProbed(Exception):
    """Operands of which no small specimen can be made."""


@dataclass(frozen=True)
class Run:
    """One run: the length of every symbol, and the result."""

    lengths: Mapping[str, int]
    value: Any

    def length(self, dim: Dim) -> int:
        return dim.offset if dim.symbol is None else max(0, self.lengths[dim.symbol] + dim.offset)


Relate = Callable[[Sequence[Operand]], Sequence[Operand]]


def probe(
    call: Callable[..., Any],
    args: Sequence[Operand],
    keywords: Mapping[str, Operand],
    relate: Relate = lambda args: args,
) -> Type:
    """The type of the result of a pure callable; `relate` gives one name to axes that have to be equal."""
    names = tuple(keywords)
    runs: list[Run] = []
    dims: list[Dim] = []
    complete = True
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for variant in _variants((*args, *keywords.values())):
                named = _Naming().all(variant)
                related = [*relate(named[: len(args)]), *named[len(args) :]]
                found = _runs(call, related, names)
                complete = complete and found is not None
                runs += found or []
                dims += [dim for operand in related for dim in _dims(operand)]
    except NotProbed:
        return UNKNOWN
    result = generalize(runs, [dim for dim in dict.fromkeys(dims) if dim.symbol and dim.symbol[0] != "?"])
    # A rank for which no run came through may still be one for which the program's does.
    return result if complete else made_of(result, "unknown") if result.numeric else UNKNOWN


# Specimens


def _variants(operands: tuple[Operand, ...]) -> Iterator[tuple[Operand, ...]]:
    """The operands with every rank and dtype that is not known replaced by several."""
    choices = [list(_variants_of(operand)) for operand in operands]
    if math.prod(map(len, choices)) > _VARIANTS:
        raise NotProbed
    return itertools.product(*choices)


def _variants_of(operand: Operand) -> Iterator[Operand]:
    if isinstance(operand, Const):
        yield operand
    elif operand == BOOL:
        yield from (Const(True), Const(False))
    elif _is_whole(operand):
        yield from _variants_of(_settled(operand, None))
        yield from _variants_of(_settled(operand, INT))
        yield from _variants_of(_settled(operand, Type("scalar", INT.dtype)))
    elif operand.kind == "list" and operand.items and operand.items[0] != BOOL:
        elements = (item for item in _variants_of(operand.items[0]) if isinstance(item, Type))
        yield from (replace(operand, items=(element,)) for element in elements)
    elif operand.kind == "tuple":
        parts = [[item] if item == BOOL else list(_variants_of(item)) for item in operand.items]
        for items in itertools.product(*parts):
            yield replace(operand, items=tuple(item for item in items if isinstance(item, Type)))
    elif operand.kind == "array":
        ranks = [operand.dims] if operand.dims is not None else [(ANY,) * rank for rank in range(5)]
        for dims, dtype in itertools.product(ranks, [operand.dtype] if operand.dtype else _DTYPES):
            yield replace(operand, dims=dims, dtype=dtype)
    elif operand.kind == "unknown" and operand.dtype is not None:
        if operand.dtype in _PYTHON:
            yield Type("scalar", operand.dtype, weak=True)
        yield Type("scalar", operand.dtype)
        yield from (Type("array", operand.dtype, dims=(ANY,) * rank) for rank in range(5))
    else:
        yield operand


def _is_whole(t: Type) -> bool:
    return t.whole or any(map(_is_whole, t.items))


def _settled(t: Type, integers: Type | None) -> Type:
    """One of the types that a type stands for which is of integers in some runs: of these or, with None, of floats.

    Of several numbers in a container all are the one or the other: what both give together lies in between.
    """
    if t.items:
        return replace(t, items=tuple(_settled(item, integers) for item in t.items))
    if not t.whole or integers is None:
        return replace(t, whole=False)
    if t.kind == "scalar":
        return INT if t.weak else integers
    return replace(t, dtype=integers.dtype, whole=False)


class _Naming:
    """Gives every axis without a name one of its own, so that it has a length in a run."""

    def __init__(self) -> None:
        self.count = 0

    def all(self, operands: Sequence[Operand]) -> list[Operand]:
        return [operand if isinstance(operand, Const) else self.type(operand) for operand in operands]

    def type(self, t: Type) -> Type:
        if t.dims is not None:
            return replace(t, dims=tuple(map(self.dim, t.dims)))
        if t.length is not None and t.length.symbol == "?":
            return replace(t, length=None)
        return replace(t, items=tuple(map(self.type, t.items))) if t.items else t

    def dim(self, dim: Dim) -> Dim:
        if dim.symbol != "?":
            return dim
        self.count += 1
        return replace(dim, symbol=f"?{self.count}")


def _dims(operand: Operand) -> Iterator[Dim]:
    if isinstance(operand, Const):
        return
    yield from operand.dims or ()
    if operand.length is not None:
        yield operand.length
    for item in operand.items:
        yield from _dims(item)


def _axes(operand: Operand) -> Iterator[Dim]:
    if isinstance(operand, Type):
        yield from operand.dims or ()
        for item in operand.items:
            yield from _axes(item)


def _free(operand: Operand) -> bool:
    """Whether there is an integer or a boolean in it of which nothing is known, which may be an axis or a flag."""
    if isinstance(operand, Const):
        return False
    if operand.kind == "scalar":
        return operand.dtype is not None and operand.dtype.kind in "biu" and operand.length is None
    return operand.kind in ("slice", "list") or any(map(_free, operand.items))


@dataclass
class _Specimens:
    """Makes the operands of one run."""

    lengths: Mapping[str, int]
    number: int
    made: int = 0

    def of(self, operand: Operand) -> Any:
        if isinstance(operand, Const):
            return operand.value.copy() if isinstance(operand.value, np.ndarray) else operand.value
        self.made += 1
        match operand.kind:
            case "scalar":
                return self.scalar(operand)
            case "array":
                return self.array(operand)
            case "tuple":
                return tuple(map(self.of, operand.items))
            case "list" if operand.items:
                return [self.of(operand.items[0]) for _ in range((self.number + 2) % 4)]
            case "none":
                return None
            case "slice":
                return (slice(None), slice(1, None), slice(0, 2), slice(None, None, 2))[self.number % 4]
            case _:
                raise NotProbed

    def scalar(self, t: Type) -> Any:
        assert t.dtype is not None
        if t.length is not None:
            n = t.length.offset + self.lengths.get(t.length.symbol or "", 0)
            return n if t.length.offset >= 0 else max(0, n)
        at = (self.number * 2654435761 + self.made * 2246822519) >> 11 & 7
        match t.dtype.kind:
            case "b":
                value: Any = at % 2 == 0
            case "i":
                value = _INTS[at % 8]
            case "u":
                value = abs(_INTS[at % 8])
            case "f":
                value = _FLOATS[at % 8]
            case "c":
                value = complex(_FLOATS[at % 8], 0.5)
            case _:
                raise NotProbed
        return value if t.weak else t.dtype.type(value)

    def array(self, t: Type) -> Any:
        if t.dtype is None or t.dims is None or t.dtype.kind not in "biufc":
            raise NotProbed
        shape = tuple(map(Run(self.lengths, None).length, t.dims))
        size = math.prod(shape)
        start = (self.number * 37 + self.made * 101) % 1000
        fill = _POOL[start : start + size].reshape(shape)
        match t.dtype.kind:
            case "b":
                return np.asarray(fill < (0.5, 0.0, 1.0, 0.5)[self.number % 4])
            case "i" | "u":
                return np.asarray((fill < 0.5) & (self.number % 4 != 1)).astype(t.dtype)
            case _:
                return np.asarray(self.reals(fill)).astype(t.dtype)

    def reals(self, fill: Any) -> Any:
        """Values inside of most domains, of both signs, with ties and zeros."""
        match self.number % 4:
            case 0 | 2:
                return 0.3 + 0.4 * fill
            case 1:
                return 4 * fill - 2
            case _:
                return fill < 0.5


# Runs


def _lengths(dims: Sequence[Dim], numbers: set[str | None], free: bool) -> list[tuple[dict[str, int], bool]]:
    """The lengths of the symbols in every run, and whether no two are equal in it."""
    symbols = list(dict.fromkeys(dim.symbol for dim in dims if dim.symbol is not None))
    count = len(symbols)
    if count > len(_LENGTHS):
        raise NotProbed
    up = _LENGTHS[:count]
    distinct = [up, tuple(n + 1 for n in reversed(up)), *(row[:count] for row in _SHUFFLED)]
    equal = [(n,) * count for n in dict.fromkeys((2, 3, 0, 1, 4, *(dim.offset for dim in dims if dim.symbol is None)))]
    rows = [*distinct, *equal]
    ones = {(dim.symbol, 1 - dim.offset) for dim in dims if dim.symbol is not None and dim.may_be_one}
    rows += [tuple(n if s == symbol else m for s, m in zip(symbols, up, strict=True)) for symbol, n in sorted(ones)]
    random = np.random.default_rng(count)
    rows += [tuple(map(int, random.integers(0, 5, count))) for _ in range(8 if count else 0)]
    rows += distinct[:2] * 10 + equal * 4 if free else []
    found = [(_admissible(dict(zip(symbols, row, strict=True)), dims), row in distinct) for row in rows]
    # A number that is no axis may be negative, and small where the axes are long.
    alone: list[set[str | None]] = [{symbol} for symbol in symbols if symbol in numbers]
    for some in [numbers, *alone] if numbers else []:
        found += [({s: -n if s in some else n for s, n in row.items()}, False) for row, _ in found[:3]]
        found += [({s: v if s in some else n for s, n in found[0][0].items()}, False) for v in (0, 1, 2, 3)]
    return found


def _admissible(lengths: dict[str, int], dims: Sequence[Dim]) -> dict[str, int]:
    """The same lengths, but none that makes an axis 1 that is known not to be."""
    for _ in range(len(dims)):
        for dim in dims:
            if dim.symbol is not None and not dim.may_be_one and Run(lengths, None).length(dim) == 1:
                lengths[dim.symbol] += 1
    return lengths


def _runs(call: Callable[..., Any], operands: Sequence[Operand], names: tuple[str, ...]) -> list[Run] | None:
    """The runs that do not raise; None when too few do to tell."""
    dims = [dim for operand in operands for dim in _dims(operand)]
    free = any(map(_free, operands))
    numbers = {dim.symbol for dim in dims} - {dim.symbol for operand in operands for dim in _axes(operand)}
    runs = []
    distinct = 0
    refused: set[type[Exception]] = set()
    for number, (lengths, differ) in enumerate(_lengths(dims, numbers, free)):
        value = _run(call, operands, names, lengths, number)
        if isinstance(value, _Raised):
            refused.add(value.kind)
        else:
            runs.append(Run(lengths, value))
            distinct += differ
    if distinct >= 2:
        return runs
    # What takes none but special lengths tells nothing of others; what takes no such dtype or rank has no others.
    return [] if not runs and not free and all(issubclass(kind, _NEVER) for kind in refused) else None


_NEVER = (TypeError, np.exceptions.AxisError)


@dataclass(frozen=True)
class _Raised:
    kind: type[Exception]


def _run(
    call: Callable[..., Any],
    operands: Sequence[Operand],
    names: tuple[str, ...],
    lengths: Mapping[str, int],
    number: int,
) -> Any:
    specimens = _Specimens(lengths, number)
    axes = (dim for operand in operands for dim in _axes(operand))
    if math.prod(max(1, Run(lengths, None).length(dim)) for dim in axes) > LIMIT:
        return _Raised(MemoryError)
    values = [specimens.of(operand) for operand in operands]
    positional = len(values) - len(names)
    try:
        return call(*values[:positional], **dict(zip(names, values[positional:], strict=True)))
    except (*_REFUSALS, ValueError) as error:
        return _Raised(type(error))


# What runs have in common


def generalize(runs: Sequence[Run], dims: Sequence[Dim]) -> Type:
    """The smallest type that the results of all runs have; `dims` are the axes that theirs may be named after."""
    if not runs:
        return UNKNOWN
    types = [type_of(run.value) for run in runs]
    kinds = {t.kind for t in types}
    if any(isinstance(run.value, tuple) for run in runs):
        return _common_tuple(runs, dims)
    if kinds == {"scalar"} and len({(t.weak, t.dtype) for t in types}) == 1:
        length = _common_length([(run, run.value) for run in runs], dims) if types[0] == INT else None
        return replace(types[0], length=length)
    element = _common_dtype(types)
    if kinds == {"scalar"} and element.whole:
        return replace(element, kind="scalar", weak=all(t.weak for t in types))  # `2**k` is an int or a float
    if kinds == {"array"}:
        return _common_array(runs, element, dims)
    if kinds == {"list"}:
        return _common_list([type_of(item) for run in runs for item in run.value])
    if kinds <= {"scalar", "array"}:
        return element
    return types[0] if len(set(types)) == 1 and types[0].kind != "object" else UNKNOWN


def _common_list(items: Sequence[Type]) -> Type:
    return list_of(*items) if len(set(map(str, map(_leaf, items)))) <= 1 else Type("list", items=(UNKNOWN,))


def _leaf(t: Type) -> Type:
    """The element of lists in lists: Python's numbers of several types have no one type."""
    return _leaf(t.items[0]) if t.kind == "list" and t.items else replace(t, dims=None)


def _common_dtype(types: Sequence[Type]) -> Type:
    """Something unknown of the dtype that all have, but for those that are made of integers."""
    dtypes = {t.dtype for t in types}
    wide = {dtype for dtype in dtypes if dtype is None or dtype.kind not in "iu"} if len(dtypes) > 1 else dtypes
    dtype = wide.pop() if len(wide) == 1 else None
    whole = len(dtypes) > 1
    return Type("unknown", dtype, whole=whole) if dtype is not None and (not whole or dtype.kind in "fc") else UNKNOWN


def _common_array(runs: Sequence[Run], element: Type, dims: Sequence[Dim]) -> Type:
    ranks = {run.value.ndim for run in runs}
    if len(ranks) != 1:
        return made_of(element, "array")
    axes = range(ranks.pop())
    found = (_common_length([(run, run.value.shape[axis]) for run in runs], dims) or ANY for axis in axes)
    return made_of(element, "array", tuple(found))


def _common_tuple(runs: Sequence[Run], dims: Sequence[Dim]) -> Type:
    counts = {len(run.value) if isinstance(run.value, tuple) else -1 for run in runs}
    if len(counts) != 1:
        return UNKNOWN
    each = [[Run(run.lengths, run.value[i]) for run in runs] for i in range(counts.pop())]
    return Type("tuple", items=tuple(generalize(item, dims) for item in each))


def _common_length(lengths: Sequence[tuple[Run, int]], dims: Sequence[Dim]) -> Dim | None:
    """The axis that has this length in every run: one written in the program, or an operand's, or near to that."""
    counts = {length for _, length in lengths}
    if len(counts) == 1 and min(counts) >= 0:
        return fixed(counts.pop())
    for offset in _OFFSETS:
        for dim in dims:
            moved = dim if offset == 0 else Dim(dim.symbol, dim.offset + offset, True)
            if all(_named(run, dim) and run.length(moved) == length for run, length in lengths):
                return moved
    return None


def _named(run: Run, dim: Dim) -> bool:
    return dim.symbol in run.lengths
