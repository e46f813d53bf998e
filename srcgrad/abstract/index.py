"""What a subscript yields.

    float64[x.0, x.1][1:-1, None, i]       float64[x.0-2, 1]
    float64[x.0, x.1][mask]                float64[?, x.1]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from srcgrad.abstract.operands import Operand, constant_int, type_of_operand, whole_number
from srcgrad.abstract.shapes import ANY, Dims, broadcast
from srcgrad.ir import Const
from srcgrad.types import INT, RANGE, STR, UNKNOWN, Dim, Type, fixed, join, made_of


def subscript(base: Operand, index: Operand) -> Type:
    """The type of `base[index]`."""
    t = type_of_operand(base)
    match t.kind:
        case "array":
            return _array(t, index)
        case "tuple" | "list":
            return _sequence(t, index)
        case "dict":
            if isinstance(index, Const):
                return t.item(index.value) or UNKNOWN
            return reduce(join, t.items) if t.items else UNKNOWN
        case "range" if (isinstance(index, Type) and index.kind == "slice") or _is_slice(index):
            return RANGE
        case "range":
            return INT if whole_number(index) else UNKNOWN
        case "str":
            return STR
        case _:
            return UNKNOWN


def _is_slice(index: Operand) -> bool:
    return isinstance(index, Const) and isinstance(index.value, slice)


def _sequence(t: Type, index: Operand) -> Type:
    position = constant_int(index)
    if isinstance(index, Const) and isinstance(index.value, slice):
        return replace(t, items=t.items[index.value]) if t.kind == "tuple" else t
    if t.kind == "list" and type_of_operand(index).kind == "slice":
        return t
    if not whole_number(index) or not t.items:
        return UNKNOWN
    if t.kind == "tuple" and position is not None:
        return t.items[position] if -len(t.items) <= position < len(t.items) else UNKNOWN
    return reduce(join, t.items) if len(set(t.items)) > 1 else t.items[0]


@dataclass(frozen=True)
class _Part:
    """One item of an index: "int", "slice", "new", "rest" (an ellipsis) or "array"; `takes` axes of the base."""

    kind: str
    takes: int
    dims: Dims = ()
    bounds: slice | None = None


def _parts(index: Operand) -> list[_Part] | None:
    items: Sequence[Operand] = [index]
    if isinstance(index, Const) and isinstance(index.value, tuple):
        items = [Const(item) for item in index.value]
    elif isinstance(index, Type) and index.kind == "tuple":
        items = index.items
    parts = [_part(item) for item in items]
    return None if None in parts else [part for part in parts if part is not None]


def _part(item: Operand) -> _Part | None:
    value = item.value if isinstance(item, Const) else None
    t = type_of_operand(item)
    if whole_number(item):
        return _Part("int", 1)
    if isinstance(value, slice):
        return _Part("slice", 1, bounds=value)
    if value is Ellipsis:
        return _Part("rest", 0)
    if t.kind == "none":
        return _Part("new", 0)
    if t.kind == "slice":
        return _Part("slice", 1)
    if t.kind == "array" and t.dims is not None and t.dtype is not None:
        return _array_part(t.dtype.kind, t.dims)
    if t.kind == "list" and t.items and t.items[0].kind == "scalar" and t.items[0].dtype is not None:
        return _array_part(t.items[0].dtype.kind, (ANY,))
    return None


def _array_part(kind: str, dims: Dims) -> _Part | None:
    if kind == "b" and dims:
        return _Part("array", len(dims), (ANY,))
    return _Part("array", 1, dims) if kind in "iu" else None


def _array(t: Type, index: Operand) -> Type:
    parts = _parts(index)
    if t.dtype is not None and t.dtype.kind in "VO":
        return UNKNOWN
    if parts is None or t.dims is None:
        return UNKNOWN if parts is None else made_of(t, "unknown")
    rest = len(t.dims) - sum(part.takes for part in parts)
    if rest < 0:
        return UNKNOWN
    if not any(part.kind == "rest" for part in parts):
        parts = [*parts, _Part("rest", 0)]
        explicit = False
    else:
        explicit = True
    dims = _selected(t.dims, parts, rest)
    if dims or explicit:
        return made_of(t, "array", dims)
    return UNKNOWN if t.dtype is None else made_of(t, "scalar")


def _selected(base: Dims, parts: Sequence[_Part], rest: int) -> Dims:
    """The axes of a selection. Integer arrays, and integers among them, give one group of axes: in the place of the
    first where they stand together, else before all others."""
    arrays = [part for part in parts if part.kind == "array"]
    advanced = [i for i, part in enumerate(parts) if part.kind == "array" or (arrays and part.kind == "int")]
    together = not advanced or advanced[-1] - advanced[0] + 1 == len(advanced)
    group = broadcast([part.dims for part in arrays])
    dims: list[Dim] = [] if together else list(group)
    axis = 0
    for i, part in enumerate(parts):
        if together and advanced and i == advanced[0]:
            dims += group
        takes = rest if part.kind == "rest" else part.takes
        match part.kind:
            case "rest":
                dims += base[axis : axis + takes]
            case "new":
                dims.append(fixed(1))
            case "slice":
                dims.append(sliced(base[axis], part.bounds))
        axis += takes
    return tuple(dims)


def sliced(dim: Dim, bounds: slice | None) -> Dim:
    """The length of a slice of an axis, where it can be written as the axis less a constant.

    `x[a:-b]` has max(0, n - a - b) elements for any n; `x[:a]` has min(a, n), for which there is no way of writing.
    """
    if bounds is None or not all(v is None or type(v) is int for v in (bounds.start, bounds.stop, bounds.step)):
        return ANY
    if dim.symbol is None:
        return fixed(len(range(dim.offset)[bounds]))
    start, stop = bounds.start or 0, bounds.stop
    if bounds.step == -1 and bounds.start is None and stop is None:
        return dim
    if bounds.step not in (None, 1) or start < 0 or (stop is not None and stop >= 0) or dim.symbol == "?":
        return ANY
    less = start - (stop or 0)
    return replace(dim, offset=dim.offset - less, may_be_one=True) if less else dim

