"""The transposes of operations that cut, join, repeat and pad."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.runtime.basic import cast, unbroadcast


def split_like(g: Any, arrays: Any, axis: int | None) -> Any:
    """`g` cut along an axis into pieces with the sizes, and the shapes, of `arrays`; axis None: cut after flattening.

    The shapes may have fewer axes than `g`, as those of the rows that `np.vstack` joins. The pieces come as a list, or
    stacked where `arrays` is one array.
    """
    flat, axis = (np.ravel(g), 0) if axis is None else (g, axis)
    section = int(np.prod(flat.shape) // flat.shape[axis]) if flat.shape[axis] else 0
    lengths = [np.size(x) // section if section else 0 for x in arrays]
    pieces = np.split(flat, np.cumsum(lengths)[:-1], axis)
    shaped = [cast(np.reshape(piece, np.shape(x)), x) for piece, x in zip(pieces, arrays, strict=True)]
    return np.stack(shaped) if isinstance(arrays, np.ndarray) else shaped


def join_like(pieces: Any, like: Any, axis: int | None) -> Any:
    """The pieces of `split_like(like, pieces, axis)` put together again, in the shape of `like`."""
    if axis is None:
        return cast(np.reshape(np.concatenate([np.ravel(piece) for piece in pieces]), np.shape(like)), like)
    shape = list(np.shape(like))
    section = int(np.prod(shape) // shape[axis]) if shape[axis] else 0
    shaped = []
    for piece in pieces:
        shape[axis] = np.size(piece) // section if section else 0
        shaped.append(np.reshape(piece, shape))
    return cast(np.concatenate(shaped, axis), like)


def untile(g: Any, x: Any, reps: Any) -> Any:
    """The cotangent of `x` from that of `np.tile(x, reps)`: the sum over the copies."""
    counts, shape = tuple(np.atleast_1d(np.asarray(reps, np.intp))), np.shape(x)
    rank = max(len(counts), len(shape))
    counts, lengths = (1,) * (rank - len(counts)) + counts, (1,) * (rank - len(shape)) + shape
    copies = np.reshape(g, tuple(n for pair in zip(counts, lengths, strict=True) for n in pair))
    return np.reshape(np.sum(copies, axis=tuple(range(0, 2 * rank, 2))), shape)


def unpad(g: Any, x: Any, pad_width: Any) -> Any:
    """The part of `g`, the cotangent of `np.pad(x, pad_width)`, that `x` was copied to."""
    before = np.broadcast_to(pad_width, (x.ndim, 2))[:, 0]
    return g[tuple(slice(start, start + n) for start, n in zip(before, x.shape, strict=True))]


def unpad_border(g: Any, x: Any, pad_width: Any, values: Any) -> Any:
    """The cotangent of the numbers that `np.pad(x, pad_width, constant_values=values)` surrounds `x` with."""
    sides = np.arange(2 * x.ndim).reshape(x.ndim, 2)
    labels = np.pad(np.full(x.shape, -1), pad_width, constant_values=sides)
    sums = np.zeros(sides.size, g.dtype)
    np.add.at(sums, labels[labels >= 0], g[labels >= 0])
    return unbroadcast(sums.reshape(sides.shape), values)


def pad_positions(shape: tuple[int, ...], pad_width: Any, mode: str) -> Any:
    """The element of the flattened argument that each element of a padded array is a copy of."""
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f'np.pad(..., mode="{mode}") has no derivative here: its border is not a copy of elements')
    return np.pad(np.arange(int(np.prod(shape))).reshape(shape), pad_width, mode)  # type: ignore[call-overload]


def undiff(g: Any, x: Any, n: int, axis: int) -> Any:
    """The cotangent of `x` from that of `np.diff(x, n, axis)`."""
    n = min(n, x.shape[axis])
    width = [(0, 0)] * x.ndim
    width[axis] = (n, n)
    differences = np.diff(np.pad(g, width), n, axis)
    return -differences if n % 2 else differences


def unblock(g: Any, arrays: Any) -> Any:
    """`g` cut into the blocks that `np.block(arrays)` joins, in lists as `arrays` is."""
    return _cut(g, arrays, -_depth(arrays))


def _depth(arrays: Any) -> int:
    return 1 + max(map(_depth, arrays)) if isinstance(arrays, list) else 0


def _cut(g: Any, arrays: Any, axis: int) -> Any:
    if not isinstance(arrays, list):
        return cast(np.reshape(g, np.shape(arrays)), arrays)
    ends = np.cumsum([_length(part, axis) for part in arrays])
    pieces = np.split(g, ends[:-1], axis)
    return [_cut(piece, part, axis + 1) for piece, part in zip(pieces, arrays, strict=True)]


def _length(arrays: Any, axis: int) -> int:
    """How far a block extends along an axis, counted from the last."""
    depth = _depth(arrays)
    if depth == -axis:
        return sum(_length(part, axis) for part in arrays)
    if depth:
        return _length(arrays[0], axis)
    shape = np.shape(arrays)
    return shape[axis] if len(shape) >= -axis else 1
