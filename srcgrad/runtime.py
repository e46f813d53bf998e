"""All that generated code may call besides NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.errors import NonScalarOutput


def unbroadcast(g: Any, x: Any) -> Any:
    """The cotangent `g` of a broadcast copy of `x`, summed to the shape of `x` and in its dtype.

    A complex `g` for a real `x` is projected to its real part.
    """
    shape = np.shape(x)
    if np.shape(g) != shape:
        extra = np.ndim(g) - len(shape)
        if extra > 0:
            g = np.sum(g, axis=tuple(range(extra)))
        stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and np.shape(g)[axis] != 1)
        if stretched:
            g = np.sum(g, axis=stretched, keepdims=True)
        if np.shape(g) != shape:
            g = np.broadcast_to(g, shape)
    return cast(g, x)


def cast(g: Any, x: Any) -> Any:
    """`g` in the dtype of `x`."""
    dtype = getattr(x, "dtype", None)
    if dtype is None or getattr(g, "dtype", dtype) == dtype:
        return g
    if np.iscomplexobj(g) and dtype.kind != "c":
        g = np.real(g)
    return g.astype(dtype)


def zeros_like(x: Any) -> Any:
    """Zero in the shape and the dtype of `x`; a Python float for Python's numbers, and for a name without value."""
    if x is None:
        return 0.0
    if isinstance(x, list | tuple):
        return type(x)(zeros_like(item) for item in x)
    return 0.0 if isinstance(x, int | float) else np.zeros_like(x)[()]


# Singular points and ties, for the rules of operators, of elementwise functions and of reductions


def divide_or_zero(x: Any, y: Any) -> Any:
    """`x / y` of Python's numbers, and 0 where `y` is 0."""
    return x / y if y else 0.0


def log_or_zero(x: Any) -> Any:
    """The logarithm of a Python number, 0 at 0 and nan below."""
    if x == 0:
        return 0.0
    return math.log(x) if x > 0 else math.nan


def power_slope(x: Any, y: Any) -> Any:
    """The derivative of `x ** y` of Python's numbers by `x`: 0 where `y` is 0, infinite where Python would raise."""
    if y == 0:
        return 0.0
    return y * x ** (y - 1) if x or y >= 1 else math.inf


def share(g: Any, wins: Any, ties: Any) -> Any:
    """The part of a cotangent that one of two scalar operands gets: all, half or none of it."""
    return g if wins else g / 2 if ties else g * 0


def hand_out(g: Any, items: Any) -> Any:
    """The cotangents of the items of `sum(items)`."""
    if isinstance(items, np.ndarray):
        return np.broadcast_to(g, items.shape)
    return [unbroadcast(g, item) for item in items]


def total(items: Any, like: Any) -> Any:
    """`sum(items)` in the shape of `like`."""
    result = sum(items)
    return result if np.shape(result) == np.shape(like) else np.broadcast_to(result, np.shape(like))


# Indexing: what stores and gathers send back


def add_at(target: Any, index: Any, values: Any) -> None:
    """`target[index] += values`, where every occurrence of an element that the index repeats counts."""
    if _holds_integers(index):
        np.add.at(target, index, values)
    else:
        target[index] += values


def _holds_integers(index: Any) -> bool:
    """Whether an index has an array or a list of integers in it: only those can name an element twice."""
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(item, list | np.ndarray) and np.asarray(item).dtype.kind != "b" for item in items)


def store_mask(shape: tuple[int, ...], index: Any) -> Any:
    """Where, in the shape of `target[index]`, a store `target[index] = value` is not overwritten by itself.

    An index of integer arrays may name an element several times; the last write is the one that stays.
    """
    owner = np.zeros(shape, np.intp)
    writes = np.arange(owner[index].size).reshape(owner[index].shape)
    # The same store as the program's, so that the order of the writes is the same one.
    owner[index] = writes
    return owner[index] == writes


def _zeros(x: Any, g: Any) -> Any:
    """Zeros in the shape of `x` and the dtype of `g`, which may be a Python number."""
    return np.zeros(np.shape(x), getattr(g, "dtype", getattr(x, "dtype", None)))


def untake(g: Any, x: Any, indices: Any, axis: int | None) -> Any:
    """The cotangent of `x` from that of `np.take(x, indices, axis)`: repeated elements are summed."""
    x_bar = _zeros(x, g)
    # np.take reads booleans as the integers 0 and 1, np.add.at as a mask.
    indices = np.asarray(indices, np.intp)
    if axis is None:
        np.add.at(x_bar.reshape(-1), indices, g)
        return x_bar
    axis %= x_bar.ndim
    taken = tuple(range(axis, axis + indices.ndim))
    np.add.at(np.moveaxis(x_bar, axis, 0), indices, np.moveaxis(g, taken, tuple(range(indices.ndim))))
    return x_bar


def untake_along_axis(g: Any, x: Any, indices: Any, axis: int | None) -> Any:
    """The cotangent of `x` from that of `np.take_along_axis(x, indices, axis)`."""
    x_bar = _zeros(x, g)
    if axis is None:
        np.add.at(x_bar.reshape(-1), indices, g)
        return x_bar
    grid = [np.arange(n).reshape((-1,) + (1,) * (x.ndim - 1 - k)) for k, n in enumerate(g.shape)]
    # An axis of length 1 of the one is stretched to the other's: those of x are read at 0 then.
    grid = [positions % max(n, 1) for positions, n in zip(grid, x.shape, strict=True)]
    grid[axis] = indices
    np.add.at(x_bar, tuple(grid), g)
    return x_bar


def undiagonal(g: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The cotangent of `x` from that of `np.diagonal(x, offset, axis1, axis2)`: zero off the diagonal."""
    x_bar = _zeros(x, g)
    along = np.arange(g.shape[-1])
    np.moveaxis(x_bar, (axis1, axis2), (-2, -1))[..., along + max(-offset, 0), along + max(offset, 0)] = g
    return x_bar


# Shapes


def split_like(g: Any, arrays: Any, axis: int | None) -> Any:
    """`g` cut along an axis into pieces with the sizes, and the shapes, of `arrays`; axis None: cut after flattening.

    The shapes may have fewer axes than `g`, as those of the rows that `np.vstack` joins. The pieces come as a list, or
    stacked where `arrays` is one array.
    """
    flat, axis = (np.ravel(g), 0) if axis is None else (g, axis)
    section = int(np.prod(flat.shape) // flat.shape[axis]) if flat.shape[axis] else 0
    lengths = [np.size(x) // section if section else 0 for x in arrays]
    pieces = np.split(flat, np.cumsum(lengths)[:-1], axis)
    shaped = [np.reshape(piece, np.shape(x)) for piece, x in zip(pieces, arrays, strict=True)]
    return np.stack(shaped) if isinstance(arrays, np.ndarray) else shaped


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


# Products


def untensordot(g: Any, x: Any, y: Any, axes: Any) -> tuple[Any, Any]:
    """The cotangents of both arguments of `np.tensordot(x, y, axes)`."""
    of_x, of_y = _contracted(x.ndim, y.ndim, axes)
    free_x = [k for k in range(x.ndim) if k not in of_x]
    free_y = [k for k in range(y.ndim) if k not in of_y]
    kept = list(range(len(free_x)))
    x_order = free_x + [of_x[of_y.index(k)] for k in sorted(of_y)]
    y_order = [of_y[of_x.index(k)] for k in sorted(of_x)] + free_y
    x_bar = np.tensordot(g, y, (list(range(len(free_x), np.ndim(g))), free_y))
    y_bar = np.tensordot(x, g, (free_x, kept))
    return np.transpose(x_bar, np.argsort(x_order)), np.transpose(y_bar, np.argsort(y_order))


def _contracted(x_rank: int, y_rank: int, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of the two arguments of `np.tensordot` that are summed over, from 0, in pairs."""
    if isinstance(axes, int | np.integer):
        return list(range(x_rank - int(axes), x_rank)), list(range(int(axes)))
    of_x, of_y = (np.atleast_1d(np.asarray(each, np.intp)) for each in axes)
    return [int(k) % x_rank for k in of_x], [int(k) % y_rank for k in of_y]


def kron_blocks(g: Any, x: Any, y: Any) -> Any:
    """The cotangent of `np.kron(x, y)` as an array over the axes of `x`, then those of `y`."""
    rank = max(x.ndim, y.ndim)
    outer, inner = ((1,) * (rank - a.ndim) + a.shape for a in (x, y))
    pairs = np.reshape(g, tuple(n for pair in zip(outer, inner, strict=True) for n in pair))
    blocks = np.moveaxis(pairs, tuple(range(0, 2 * rank, 2)), tuple(range(rank)))
    return np.reshape(blocks, x.shape + y.shape)


def uneinsum(g: Any, subscripts: str, operands: tuple[Any, ...], k: int) -> Any:
    """The cotangent of operand number `k` of `np.einsum(subscripts, *operands)`; operands may be None at the end."""
    operands = tuple(operand for operand in operands if operand is not None)
    terms, result = _einsum_terms(subscripts, [np.ndim(operand) for operand in operands])
    others = [(term, x) for i, (term, x) in enumerate(zip(terms, operands, strict=True)) if i != k]
    axes = "".join(dict.fromkeys(terms[k]))
    reached = "".join(c for c in axes if any(c in term for term in (result, *(term for term, _ in others))))
    inputs = ",".join([result, *(term for term, _ in others)])
    x_bar = np.einsum(f"{inputs}->{reached}", g, *(x for _, x in others))
    x_bar = np.reshape(x_bar, [x_bar.shape[reached.index(c)] if c in reached else 1 for c in axes])
    whole = _zeros(operands[k], g)
    # For a repeated index such as "ii" this is a view of the diagonal, for others all of the array.
    diagonal = np.einsum(f"{terms[k]}->{axes}", whole) if axes else whole
    diagonal[...] = unbroadcast(x_bar, diagonal)
    return whole


def _einsum_terms(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """The terms of the operands and of the result, the result spelled out and ellipses replaced by letters."""
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    letters = inputs.replace(".", "").replace(",", "")
    if not arrow:
        result = "..." * ("..." in inputs) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    free = "".join(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in letters)
    hidden = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    widest = max((n for n, term in zip(hidden, terms, strict=True) if "..." in term), default=0)
    stretch = free[:widest]
    spelled = [t.replace("...", stretch[widest - n :]) if "..." in t else t for t, n in zip(terms, hidden, strict=True)]
    return spelled, result.replace("...", stretch)


def full_convolution(g: Any, x: Any, y: Any, mode: str) -> Any:
    """The cotangent of `np.convolve(x, y)` from that of `np.convolve(x, y, mode)`: zero where this was cut off."""
    shorter = min(x.size, y.size)
    start = shorter - 1 if mode == "valid" else (shorter - 1) // 2
    whole = np.zeros(x.size + y.size - 1, g.dtype)
    whole[start : start + g.size] = g
    return whole


# Linear algebra


def matrix_power_tangent(dx: Any, x: Any, n: int) -> Any:
    """The tangent of `np.linalg.matrix_power(x, n)` in direction `dx`: the sum of `x**k @ dx @ x**(n - 1 - k)`."""
    if n < 0:
        inverse = np.linalg.inv(x)
        dx, x, n = -inverse @ dx @ inverse, inverse, -n
    power = np.linalg.matrix_power
    terms = (power(x, k) @ dx @ power(x, n - 1 - k) for k in range(n))
    return sum(terms, start=np.zeros_like(x))


def multi_dot_tangent(tangents: Any, arrays: Any) -> Any:
    """The tangent of `np.linalg.multi_dot(arrays)`: each factor in turn replaced by its tangent."""
    factors = list(arrays)
    terms = [np.linalg.multi_dot([*factors[:k], dx, *factors[k + 1 :]]) for k, dx in enumerate(tangents)]
    return np.sum(terms, axis=0)


def unmulti_dot(g: Any, arrays: Any) -> list[Any]:
    """The cotangents of the factors of `np.linalg.multi_dot(arrays)`."""
    first, last = np.ndim(arrays[0]), np.ndim(arrays[-1])
    factors = [np.atleast_2d(arrays[0]), *arrays[1:]]
    factors[-1] = factors[-1][:, np.newaxis] if last == 1 else factors[-1]
    g = np.reshape(g, (len(factors[0]), factors[-1].shape[1]))
    bars = []
    for k, factor in enumerate(factors):
        before, after = factors[:k], factors[k + 1 :]
        chain = [*(m.T for m in reversed(before)), g, *(m.T for m in reversed(after))]
        bars.append(np.reshape(np.linalg.multi_dot(chain), factor.shape))
    bars[0] = bars[0][0] if first == 1 else bars[0]
    bars[-1] = bars[-1][:, 0] if last == 1 else bars[-1]
    return bars


def half_lower(m: Any) -> Any:
    """The lower triangle of a matrix, its diagonal halved: `l` of `m == l + l.T` for a symmetric `m`."""
    return (np.tril(m) + np.tril(m, -1)) / 2


def hermitian(x: Any) -> Any:
    """The symmetric, or Hermitian, matrix that LAPACK reads off a lower triangle."""
    lower = half_lower(x)
    return lower + np.conj(np.swapaxes(lower, -1, -2))


def unhermitian(g: Any) -> Any:
    """The cotangent of `x` from that of `hermitian(x)`: zero above the diagonal."""
    return half_lower(g + np.conj(np.swapaxes(g, -1, -2)))


def inverse_gaps(w: Any) -> Any:
    """`1 / (w[j] - w[i])` at `[i, j]`, zero where two eigenvalues coincide."""
    gaps = w[..., np.newaxis, :] - w[..., :, np.newaxis]
    return np.divide(1, gaps, out=np.zeros_like(gaps), where=gaps != 0)


def product_of_others(a: Any, axis: Any) -> Any:
    """For every element of `a` the product of the other elements along `axis`, exact where there are zeros."""
    flat, axes = _flattened(a, axis)
    before, after = np.ones_like(flat), np.ones_like(flat)
    np.cumprod(flat[..., :-1], axis=-1, out=before[..., 1:])
    after[..., :-1] = np.cumprod(flat[..., :0:-1], axis=-1)[..., ::-1]
    return _unflattened(before * after, a, axes)


def _flattened(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """`a` with the reduced axes moved to the end and made one, and these axes."""
    axes = _axes(a, axis)
    moved = np.moveaxis(a, axes, range(-len(axes), 0))
    return np.reshape(moved, (*moved.shape[: a.ndim - len(axes)], math.prod(a.shape[i] for i in axes))), axes


def _axes(a: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(a.ndim))
    return tuple(int(i) % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,)))


def _unflattened(flat: Any, a: Any, axes: tuple[int, ...]) -> Any:
    others = [n for i, n in enumerate(a.shape) if i not in axes]
    return np.moveaxis(np.reshape(flat, (*others, *(a.shape[i] for i in axes))), range(-len(axes), 0), axes)


def cumprod_vjp(g: Any, a: Any, axis: Any) -> Any:
    """The cotangent of `a` in `np.cumprod(a, axis)`, by the recurrence, which divides by nothing."""
    rows, slopes = _rows(a, axis), np.moveaxis(np.array(g), -1 if axis is None else axis, -1)
    for i in range(rows.shape[-1] - 2, -1, -1):
        slopes[..., i] += rows[..., i + 1] * slopes[..., i + 1]
    slopes[..., 1:] *= np.cumprod(rows[..., :-1], axis=-1)
    return np.reshape(slopes, a.shape) if axis is None else np.moveaxis(slopes, -1, axis)


def cumprod_jvp(da: Any, a: Any, axis: Any) -> Any:
    """The tangent of `np.cumprod(a, axis)`."""
    rows, tangent = _rows(a, axis), np.array(_rows(da, axis))
    tangent[..., 1:] *= np.cumprod(rows[..., :-1], axis=-1)
    for i in range(1, rows.shape[-1]):
        tangent[..., i] += rows[..., i] * tangent[..., i - 1]
    return tangent if axis is None else np.moveaxis(tangent, -1, axis)


def _rows(a: Any, axis: Any) -> Any:
    return np.ravel(a) if axis is None else np.moveaxis(a, axis, -1)


def range_weights(a: Any, axis: Any) -> Any:
    """The derivative of `np.ptp(a, axis)`: 1 at the largest element, -1 at the smallest, shared among ties."""
    largest = _evenly(a == np.max(a, axis=axis, keepdims=True), axis, a.dtype)
    return largest - _evenly(a == np.min(a, axis=axis, keepdims=True), axis, a.dtype)


def median_weights(a: Any, axis: Any) -> Any:
    """The derivative of `np.median(a, axis)`: a half at each of the two middle elements, shared among ties."""
    low = np.quantile(a, 0.5, axis=axis, keepdims=True, method="lower")
    high = np.quantile(a, 0.5, axis=axis, keepdims=True, method="higher")
    return (_evenly(a == low, axis, a.dtype) + _evenly(a == high, axis, a.dtype)) / 2


def _evenly(mask: Any, axis: Any, dtype: Any) -> Any:
    """1 divided among the true elements."""
    return mask / np.sum(mask, axis=axis, keepdims=True, dtype=dtype)


def align_weights(weights: Any, a: Any, axis: Any) -> Any:
    """The weights of `np.average` with the axes of `a`: one vector of weights belongs to `axis`."""
    if np.shape(weights) == a.shape:
        return weights
    axes = _axes(a, axis)
    shape = tuple(a.shape[i] if i in axes else 1 for i in range(a.ndim))
    return np.broadcast_to(np.reshape(np.transpose(weights, np.argsort(np.argsort(axes))), shape), a.shape)


def unalign_weights(g: Any, weights: Any, a: Any, axis: Any) -> Any:
    """The cotangent of `weights`, given that of `align_weights(weights, a, axis)`."""
    if np.shape(weights) == a.shape:
        return g
    axes = _axes(a, axis)
    kept = np.sum(g, axis=tuple(i for i in range(a.ndim) if i not in axes))
    return cast(np.transpose(kept, np.argsort(axes)) if len(axes) > 1 else kept, weights)


def trapezoid_weights(y: Any, x: Any, dx: Any, axis: int) -> Any:
    """What every element of `y` is multiplied by in `np.trapezoid(y, x, dx, axis)`."""
    n = y.shape[axis]
    steps = np.full(n - 1, dx, y.dtype) if x is None else np.diff(x, axis=axis if np.ndim(x) > 1 else -1)
    if steps.ndim == 1:
        steps = np.reshape(steps, [-1 if i == axis % y.ndim else 1 for i in range(y.ndim)])
    rows = np.moveaxis(steps, axis, -1)
    weights = np.zeros((*rows.shape[:-1], n), steps.dtype)
    weights[..., :-1] += rows / 2
    weights[..., 1:] += rows / 2
    return np.moveaxis(weights, -1, axis)


def trapezoid_points(g: Any, y: Any, x: Any, axis: int) -> Any:
    """The cotangent of `x` in `np.trapezoid(y, x, axis=axis)`."""
    rows = np.moveaxis(y, axis, -1)
    slopes = (rows[..., 1:] + rows[..., :-1]) / 2 * np.expand_dims(g, -1)
    spread = np.zeros_like(rows)
    spread[..., 1:] += slopes
    spread[..., :-1] -= slopes
    return unbroadcast(spread if np.ndim(x) == 1 else np.moveaxis(spread, -1, axis), x)


def norm_slope(x: Any, ord: Any, axis: Any) -> Any:
    """The derivative of `np.linalg.norm(x, ord, axis)` with the axes of `x`, for vectors and for matrices."""
    axes = _axes(x, axis)
    if len(axes) == 1:
        return _vector_norm_slope(x, ord, axes[0])
    if ord in (2, -2, "nuc"):
        return _singular_norm_slope(x, ord, axes)
    inner, outer = axes if ord in (1, -1) else axes[::-1]
    sums = np.sum(np.abs(x), axis=inner, keepdims=True)
    best = np.max(sums, axis=outer, keepdims=True) if ord > 0 else np.min(sums, axis=outer, keepdims=True)
    return np.sign(x) * _evenly(sums == best, outer, x.dtype)


def _vector_norm_slope(x: Any, ord: Any, axis: int) -> Any:
    size = np.abs(x)
    if abs(ord) == np.inf:
        best = np.max(size, axis=axis, keepdims=True) if ord > 0 else np.min(size, axis=axis, keepdims=True)
        return np.sign(x) * _evenly(size == best, axis, x.dtype)
    if ord == 0:
        return np.zeros_like(x)
    z = np.linalg.norm(x, ord, axis=axis, keepdims=True)
    return np.sign(x) * np.where(size == 0, 0, size / np.where(z == 0, 1, z)) ** (ord - 1)


def _singular_norm_slope(x: Any, ord: Any, axes: tuple[int, ...]) -> Any:
    u, s, vh = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), full_matrices=False)
    if ord == "nuc":
        return np.moveaxis(u * np.sign(s)[..., None, :] @ vh, (-2, -1), axes)
    i = 0 if ord == 2 else -1
    return np.moveaxis(u[..., :, i, None] * vh[..., i, None, :] * (s[..., i, None, None] != 0), (-2, -1), axes)


# Seeds and results


def scalar_seed(value: Any) -> float:
    """The seed 1.0 of a result that is one number; `NonScalarOutput` for any other."""
    if np.ndim(value) != 0:
        raise NonScalarOutput.of_shape(np.shape(value))
    return 1.0


def copy(x: Any) -> Any:
    """A copy of an array or of a list of arrays; numbers as they are."""
    if isinstance(x, list | tuple):
        return type(x)(copy(item) for item in x)
    return x.copy() if isinstance(x, np.ndarray) else x


def accumulate(target: list[Any], g: Any) -> None:
    """Adds the cotangents of a list's elements to the list's adjoint, in place."""
    for i in range(len(target)):
        target[i] = target[i] + g[i]


def unsvdvals(g: Any, x: Any) -> Any:
    """The cotangent of `x` from that of its singular values."""
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return np.conj(u) * g[..., np.newaxis, :] @ np.conj(vh)


def svdvals_tangent(dx: Any, x: Any) -> Any:
    """The tangent of the singular values of `x`."""
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    return np.real(np.sum(np.conj(u) * (dx @ np.conj(np.swapaxes(vh, -1, -2))), axis=-2))


def unsvd(g: Any, z: Any) -> Any:
    """The cotangent of a real matrix from those of its factors `z == (u, s, vh)`.

    See J. Townsend, "Differentiating the singular value decomposition" (2016).
    """
    u, s, vh, gaps = _thin_svd(z)
    ut, v, v_bar = np.swapaxes(u, -1, -2), np.swapaxes(vh, -1, -2), np.swapaxes(g[2], -1, -2)
    left, right = ut @ g[0], vh @ v_bar
    rows, columns = s[..., :, np.newaxis], s[..., np.newaxis, :]
    core = gaps * (left - np.swapaxes(left, -1, -2)) * columns + rows * gaps * (right - np.swapaxes(right, -1, -2))
    inside = u @ (core + np.eye(s.shape[-1], dtype=s.dtype) * g[1][..., np.newaxis, :]) @ vh
    across = ((g[0] - u @ left) / columns) @ vh
    along = u @ np.swapaxes((v_bar - v @ right) / columns, -1, -2)
    return inside + across + along


def svd_tangent(dx: Any, z: Any) -> tuple[Any, Any, Any]:
    """The tangents of the factors of a real matrix, `z == (u, s, vh)`."""
    u, s, vh, gaps = _thin_svd(z)
    ut, v, dxt = np.swapaxes(u, -1, -2), np.swapaxes(vh, -1, -2), np.swapaxes(dx, -1, -2)
    m = ut @ dx @ v
    mt = np.swapaxes(m, -1, -2)
    rows, columns = s[..., :, np.newaxis], s[..., np.newaxis, :]
    du = u @ (gaps * (m * columns + rows * mt)) + (dx @ v - u @ m) / columns
    dv = v @ (gaps * (rows * m + mt * columns)) + (dxt @ u - v @ mt) / columns
    return du, np.diagonal(m, axis1=-2, axis2=-1), np.swapaxes(dv, -1, -2)


def _thin_svd(z: Any) -> tuple[Any, Any, Any, Any]:
    """The factors of a singular value decomposition and the inverse gaps of the squared singular values."""
    u, s, vh = z
    if not u.shape[-1] == s.shape[-1] == vh.shape[-2]:
        raise ValueError("the vectors beside the singular ones are a free choice: use full_matrices=False")
    if np.iscomplexobj(u):
        raise ValueError("np.linalg.svd has no derivative here for complex matrices, but for compute_uv=False")
    return u, s, vh, inverse_gaps(s * s)
