"""How axes meet: broadcasting, axes that a contraction needs to be equal, and shapes given as arguments.

    float64[x.0, 1] + float64[y.0]         both known not to be 1, or 1: float64[x.0, y.0]
    float64[x.0, x.1] @ float64[w.0]       a run that does not raise has x.1 == w.0
    np.zeros((n, 3))                       float64[n, 3]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from srcgrad.abstract.operands import Operand, constant_int, type_of_operand, whole_number
from srcgrad.ir import Const
from srcgrad.types import Dim, Type, fixed, same_length

ANY = Dim("?", 0, True)
Dims = tuple[Dim, ...]


def broadcast(shapes: Sequence[Dims]) -> Dims:
    """The axes of what operands of these shapes broadcast to."""
    result: Dims = ()
    for shape in shapes:
        rank = max(len(result), len(shape))
        left, right = _padded(result, rank), _padded(shape, rank)
        result = tuple(map(meet, left, right))
    return result


def _padded(shape: Dims, rank: int) -> Dims:
    return (fixed(1),) * (rank - len(shape)) + shape


def meet(a: Dim, b: Dim) -> Dim:
    """The axis that two axes broadcast to, when they do."""
    if a.is_one:
        return b
    if b.is_one:
        return a
    if same_length(a, b):
        return a if not a.may_be_one else b
    if not a.may_be_one and not b.may_be_one:
        return equal(a, b)
    if a.may_be_one and b.may_be_one:
        return ANY
    return b if a.may_be_one else a


def equal(a: Dim, b: Dim) -> Dim:
    """The better known of two axes that have one length."""
    better = b if a.symbol == "?" or (b.symbol is None and a.symbol is not None) else a
    return better if better.symbol is None else replace(better, may_be_one=a.may_be_one and b.may_be_one)


def shape_argument(operand: Operand) -> Dims | None:
    """The axes that a shape, given as an int or as several, stands for; None where their number is not known."""
    t = type_of_operand(operand)
    if t.kind == "tuple":
        items: Sequence[Operand] = t.items if isinstance(operand, Type) else [Const(v) for v in operand.value]
        return tuple(map(_axis, items)) if all(map(whole_number, items)) else None
    return (_axis(operand),) if whole_number(operand) else None


def _axis(operand: Operand) -> Dim:
    value = constant_int(operand)
    if value is not None and value >= 0:
        return fixed(value)
    return type_of_operand(operand).length or ANY


def reshaped(array: Type, sizes: Sequence[Operand]) -> Dims:
    """The axes of a reshaped array. An int of unknown sign may be -1, which stands for another length."""
    own = array.shape or ()
    if len(sizes) == 1 and constant_int(sizes[0]) == -1 and len(own) == 1:
        return own
    dims = map(_axis, sizes)
    return tuple(dim if dim.symbol is None or not dim.may_be_one or _among(dim, own) else ANY for dim in dims)


def _among(dim: Dim, own: Dims) -> bool:
    return any(same_length(dim, other) for other in own)


# Axes that an operation needs to be equal


def equated(name: str, args: Sequence[Operand], keywords: Mapping[str, Operand]) -> list[Operand]:
    """The operands with one name for the axes that have one length in every run that does not raise."""
    axes = _Axes(args)
    rule = _CONTRACTIONS.get(name)
    if rule is not None:
        rule(axes, keywords)
    if name in _JOININGS:
        return _joined(name, args, keywords)
    return axes.operands()


class _Axes:
    """The axes of the operands of one call, some of which are set equal."""

    def __init__(self, args: Sequence[Operand]) -> None:
        self.args = args
        self.dims = [list(t.dims) if t.kind == "array" and t.dims else [] for t in map(type_of_operand, args)]

    def equate(self, first: int, axis: int, second: int, other: int) -> None:
        for operand, at in ((first, axis), (second, other)):
            if operand >= len(self.dims) or not -len(self.dims[operand]) <= at < len(self.dims[operand]):
                return
        one = equal(self.dims[first][axis], self.dims[second][other])
        self.dims[first][axis] = self.dims[second][other] = one

    def rank(self, operand: int) -> int:
        return len(self.dims[operand]) if operand < len(self.dims) else 0

    def operands(self) -> list[Operand]:
        return [
            replace(arg, dims=tuple(dims)) if isinstance(arg, Type) and dims else arg
            for arg, dims in zip(self.args, self.dims, strict=True)
        ]


def _matmul(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    axes.equate(0, -1, 1, -2 if axes.rank(1) > 1 else -1)


def _inner(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    axes.equate(0, -1, 1, -1)


def _vdot(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    if axes.rank(0) == axes.rank(1) == 1:
        axes.equate(0, 0, 1, 0)


def _tensordot(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    count = constant_int(keywords.get("axes", axes.args[2] if len(axes.args) > 2 else None), 2)
    for k in range(min(count or 0, axes.rank(0), axes.rank(1))):
        axes.equate(0, k - (count or 0), 1, k)


def _square(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    axes.equate(0, -2, 0, -1)


def _solve(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    _square(axes, keywords)
    if axes.rank(0) == 2:  # of stacks of matrices, versions of NumPy differ on what is a vector
        axes.equate(0, -1, 1, 0 if axes.rank(1) == 1 else -2)
        _square(axes, keywords)


def _interp(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    axes.equate(1, 0, 2, 0)


def _einsum(axes: _Axes, keywords: Mapping[str, Operand]) -> None:
    first = axes.args[0] if axes.args else None
    text = first.value if isinstance(first, Const) else ""
    if not isinstance(text, str) or "." in text:
        return
    seen: dict[str, tuple[int, int]] = {}
    for number, letters in enumerate(text.replace(" ", "").partition("->")[0].split(","), start=1):
        for axis, letter in enumerate(letters if len(letters) == axes.rank(number) else ""):
            operand, at = seen.setdefault(letter, (number, axis))
            # einsum stretches axes of length 1
            if not (axes.dims[operand][at].may_be_one or axes.dims[number][axis].may_be_one):
                axes.equate(operand, at, number, axis)


_SQUARE = ("inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh", "eig", "eigvals", "matrix_power", "expm")
_CONTRACTIONS: dict[str, Any] = {
    "matmul": _matmul,
    "dot": _matmul,
    "inner": _inner,
    "vdot": _vdot,
    "tensordot": _tensordot,
    "solve": _solve,
    "interp": _interp,
    "einsum": _einsum,
    **dict.fromkeys(_SQUARE, _square),
}
_JOININGS = ("stack", "array", "asarray", "vstack", "hstack", "column_stack", "concatenate", "concat")


def _joined(name: str, args: Sequence[Operand], keywords: Mapping[str, Operand]) -> list[Operand]:
    """Arrays that are put together in one have the same axes, but for the one along which they are joined."""
    if not args or not isinstance(args[0], Type) or args[0].kind != "tuple":
        return list(args)
    items = args[0].items
    ranks = {len(item.dims) if item.kind == "array" and item.dims is not None else -1 for item in items}
    if len(ranks) != 1 or -1 in ranks:
        return list(args)
    rank = ranks.pop()
    free = _free_axes(name, rank, keywords.get("axis", args[1] if len(args) > 1 else None))
    if free is None:
        return list(args)
    axes = _Axes(items)
    for axis in set(range(rank)) - free:
        for number in range(1, len(items)):
            axes.equate(0, axis, number, axis)
        for number in range(1, len(items)):
            axes.equate(0, axis, number, axis)
    return [replace(args[0], items=tuple(map(type_of_operand, axes.operands()))), *args[1:]]


def _free_axes(name: str, rank: int, axis: Operand | None) -> set[int] | None:
    match name:
        case "concatenate" | "concat":
            along = constant_int(axis, 0)
            return None if along is None or rank == 0 else {along % rank}
        case "hstack":
            return {0} if rank == 1 else {1}
        case "vstack":
            return set() if rank == 1 else {0}
        case "column_stack":
            return set() if rank == 1 else {1}
        case _:
            return set()
