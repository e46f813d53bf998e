"""Derivatives of products, order statistics, integrals and norms over axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.runtime.basic import cast, unbroadcast


def product_of_others(a: Any, axis: Any) -> Any:
    """For every element of `a` the product of the other elements along `axis`, exact where there are zeros."""
    flat, axes = _flattened(a, axis)
    return _unflattened(_running(flat) * _running(flat[..., ::-1])[..., ::-1], a, axes)


def products_of_pairs(g: Any, a: Any, axis: Any) -> Any:
    """The cotangent of `a` in `product_of_others(a, axis)`: of `k`, the sum of `g[i]` times all but `i` and `k`."""
    flat, axes = _flattened(a, axis)
    rows, _ = _flattened(np.broadcast_to(g, a.shape), axis)
    before, after = _running(flat), _running(flat[..., ::-1])[..., ::-1]
    slopes = _unrunning(rows * after, flat) + _unrunning((rows * before)[..., ::-1], flat[..., ::-1])[..., ::-1]
    return _unflattened(slopes, a, axes)


def _running(rows: Any) -> Any:
    """The products of what comes before each element of a row."""
    products = np.ones_like(rows)
    np.cumprod(rows[..., :-1], axis=-1, out=products[..., 1:])
    return products


def _unrunning(g: Any, rows: Any) -> Any:
    """The cotangent of `rows` in `_running(rows)`."""
    shifted = np.zeros_like(rows)
    shifted[..., :-1] = g[..., 1:]
    return cumprod_vjp(shifted, rows, -1)


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


def cumprod_slopes(g: Any, da: Any, a: Any, axis: Any) -> Any:
    """The cotangent of `a` in `<g, cumprod_jvp(da, a, axis)>`."""
    rows, moves, bars = _rows(a, axis), _rows(da, axis), np.moveaxis(g, -1 if axis is None else axis, -1)
    products, tangents = np.cumprod(rows, axis=-1), _rows(cumprod_jvp(da, a, axis), axis)
    slopes = np.zeros(rows.shape, bars.dtype)
    of_tangent, of_product = np.zeros_like(bars[..., 0]), np.zeros_like(bars[..., 0])
    for i in range(rows.shape[-1] - 1, 0, -1):
        of_tangent = of_tangent + bars[..., i]
        slopes[..., i] = of_tangent * tangents[..., i - 1] + of_product * products[..., i - 1]
        of_product = of_tangent * moves[..., i] + of_product * rows[..., i]
        of_tangent = of_tangent * rows[..., i]
    if rows.shape[-1]:
        slopes[..., 0] = of_product
    return np.reshape(slopes, a.shape) if axis is None else np.moveaxis(slopes, -1, axis)


def cumprod_bend(e: Any, da: Any, a: Any, axis: Any) -> Any:
    """The tangent of `cumprod_jvp(da, a, axis)` where `a` moves by `e`."""
    rows = _rows(a, axis)
    moves, others = np.broadcast_to(_rows(da, axis), rows.shape), np.broadcast_to(_rows(e, axis), rows.shape)
    first = cumprod_jvp(moves, rows, -1)
    second = cumprod_jvp(others, rows, -1)
    bend = np.zeros_like(first)
    for i in range(1, rows.shape[-1]):
        bend[..., i] = (
            rows[..., i] * bend[..., i - 1] + others[..., i] * first[..., i - 1] + moves[..., i] * second[..., i - 1]
        )
    return bend if axis is None else np.moveaxis(bend, -1, axis)


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


def nanmedian_weights(a: Any, axis: Any) -> Any:
    """The derivative of `np.nanmedian(a, axis)`, zero at what is not a number."""
    low = np.nanquantile(a, 0.5, axis=axis, keepdims=True, method="lower")
    high = np.nanquantile(a, 0.5, axis=axis, keepdims=True, method="higher")
    return (_evenly(a == low, axis, a.dtype) + _evenly(a == high, axis, a.dtype)) / 2


def unquantile(g: Any, a: Any, q: Any, axis: Any, keepdims: bool) -> Any:
    """The cotangent of `a` in `np.quantile(a, q, axis, keepdims=keepdims)`."""
    axes, levels = _axes(a, axis), np.ravel(q)
    rows = np.reshape(g, (levels.size, *(1 if i in axes else n for i, n in enumerate(a.shape))))
    return sum((row * _quantile_weights(a, q, axes) for row, q in zip(rows, levels, strict=True)), np.zeros_like(a))


def quantile_tangent(da: Any, a: Any, q: Any, axis: Any, keepdims: bool) -> Any:
    """The tangent of `np.quantile(a, q, axis, keepdims=keepdims)`."""
    axes = _axes(a, axis)
    rows = [np.sum(da * _quantile_weights(a, q, axes), axis=axes, keepdims=keepdims) for q in np.ravel(q)]
    return np.reshape(rows, (*np.shape(q), *np.shape(rows[0])))[()]


def _quantile_weights(a: Any, q: Any, axes: tuple[int, ...]) -> Any:
    """The derivative of one quantile: the shares of the two elements that it lies between, each split among ties."""
    part = q * (math.prod(a.shape[i] for i in axes) - 1) % 1
    low = np.quantile(a, q, axis=axes, keepdims=True, method="lower")
    high = np.quantile(a, q, axis=axes, keepdims=True, method="higher")
    return (_evenly(a == low, axes, a.dtype) * (1 - part) + _evenly(a == high, axes, a.dtype) * part).astype(a.dtype)


def ungradient(g: Any, step: Any, axis: int, edge_order: int = 1) -> Any:
    """The cotangent of `f` in `np.gradient(f, step, axis=axis, edge_order=edge_order)`."""
    rows = np.moveaxis(g, axis, -1)
    spread = np.zeros_like(rows)
    h = np.diff(step) if np.ndim(step) else np.full(rows.shape[-1] - 1, step)
    before, behind, inner = h[:-1], h[1:], rows[..., 1:-1]
    spread[..., :-2] -= inner * behind / (before * (before + behind))
    spread[..., 1:-1] += inner * (behind - before) / (before * behind)
    spread[..., 2:] += inner * before / (behind * (before + behind))
    for edge, second, third, sign in ((0, 1, 2, 1), (-1, -2, -3, -1)):
        row, near = sign * rows[..., edge], h[edge]
        if edge_order == 1:
            spread[..., edge] -= row / near
            spread[..., second] += row / near
        else:
            far = h[second]
            spread[..., edge] -= row * (2 * near + far) / (near * (near + far))
            spread[..., second] += row * (near + far) / (near * far)
            spread[..., third] -= row * near / (far * (near + far))
    return np.moveaxis(spread, -1, axis)


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


def unreduceat(g: Any, a: Any, indices: Any, axis: int) -> Any:
    """The cotangent of `a` from that of `np.add.reduceat(a, indices, axis)`."""
    spread = np.zeros_like(a, g.dtype)
    rows, parts = np.moveaxis(spread, axis, -1), np.moveaxis(g, axis, -1)
    ends = [*indices[1:], a.shape[axis]]
    for k, (start, end) in enumerate(zip(indices, ends, strict=True)):
        rows[..., start : max(end, start + 1)] += parts[..., k, None]
    return spread


def last_hits(hit: Any, axis: int) -> Any:
    """For each element the position, along an axis, of the last one up to it that is a hit."""
    shape = [-1 if i == axis % hit.ndim else 1 for i in range(hit.ndim)]
    return np.maximum.accumulate(np.where(hit, np.arange(hit.shape[axis]).reshape(shape), 0), axis)
