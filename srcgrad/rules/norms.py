"""Rules of the norms of vectors and of matrices.

y = np.linalg.norm(x)    ->    x_bar = y_bar / np.where(y == 0, 1, y) * x
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from srcgrad.rules.rule import Sample, general, since_numpy_2
from srcgrad.rules.sampling import call, calls, drawn


def _vectors_and_matrices(rng: np.random.Generator) -> Iterable[Sample]:
    for shape, axis in (((3,), None), ((2, 3), None), ((2, 3), 0), ((2, 3), -1), ((2, 3), (0, 1)), ((2, 3, 2), (0, 2))):
        for keepdims in (False, True):
            yield (rng.normal(size=shape),), {"axis": axis, "keepdims": keepdims}
    for order in (1, 2, 3, 2.5, np.inf, -np.inf, -1):
        yield (rng.normal(size=3), order), {}
        yield (rng.normal(size=(2, 3)), order), {"axis": 1}
        yield (rng.normal(size=(2, 3)), order), {"axis": 0, "keepdims": True}
    for matrix_order in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc"):
        yield (rng.normal(size=(2, 3)), matrix_order), {}
        yield (rng.normal(size=(2, 3, 2)), matrix_order), {"axis": (2, 0)}
        yield (rng.normal(size=(2, 3, 2)), matrix_order), {"axis": (0, 1), "keepdims": True}


@general(np.linalg.norm, samples=_vectors_and_matrices)
class norm:
    """Zero at zero. `ord` "fro", and None, are the root of the sum of squares, of whatever has these axes."""

    def vjp_x(g, z, x, ord=None, axis=None, keepdims=False):
        if ord is None or ord == "fro":
            g = g / np.where(z == 0, 1, z)
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return g * x
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * norm_slope(x, ord, axis)

    def jvp_x(dx, z, x, ord=None, axis=None, keepdims=False):
        if ord is None or ord == "fro":
            return np.sum(x * dx, axis=axis, keepdims=keepdims) / np.where(z == 0, 1, z)
        return np.sum(norm_slope(x, ord, axis) * dx, axis=axis, keepdims=keepdims)


@general(
    *since_numpy_2("linalg.vector_norm"),
    samples=calls(
        call(drawn(4)),
        call(drawn(4), ord=3),
        call(drawn(2, 3), axis=1, ord=1),
        call(drawn(2, 3), axis=0, keepdims=True),
    ),
)
class vector_norm:
    """All elements are one vector where there is no axis."""

    def vjp_x(g, z, x, axis=None, keepdims=False, ord=2):
        if axis is None:
            return g * np.reshape(vector_norm_slope(np.ravel(x), ord, 0), x.shape)
        if not keepdims:
            g = np.expand_dims(g, axis)
        return g * vector_norm_slope(x, ord, axis)

    def jvp_x(dx, z, x, axis=None, keepdims=False, ord=2):
        if axis is None:
            return np.sum(np.reshape(vector_norm_slope(np.ravel(x), ord, 0), x.shape) * dx, keepdims=keepdims)
        return np.sum(vector_norm_slope(x, ord, axis) * dx, axis=axis, keepdims=keepdims)


@general(
    *since_numpy_2("linalg.matrix_norm"),
    samples=calls(
        call(drawn(2, 3)), call(drawn(2, 3), ord=1), call(drawn(4, 2, 3), ord="nuc"), call(drawn(2, 3), keepdims=True)
    ),
)
class matrix_norm:
    def vjp_x(g, z, x, keepdims=False, ord="fro"):
        if not keepdims:
            g = np.expand_dims(g, (-2, -1))
            z = np.expand_dims(z, (-2, -1))
        if ord == "fro":
            return g / np.where(z == 0, 1, z) * x
        return g * matrix_norm_slope(x, ord, -2, -1)

    def jvp_x(dx, z, x, keepdims=False, ord="fro"):
        if ord == "fro":
            return np.sum(x * dx, axis=(-2, -1), keepdims=keepdims) / np.where(z == 0, 1, z)
        return np.sum(matrix_norm_slope(x, ord, -2, -1) * dx, axis=(-2, -1), keepdims=keepdims)


def norm_slope(x, ord, axis):
    """The derivative of `np.linalg.norm(x, ord, axis)`, with the axes of `x`."""
    if isinstance(axis, tuple):
        return matrix_norm_slope(x, ord, axis[0], axis[1])
    if axis is not None:
        return vector_norm_slope(x, ord, axis)
    if x.ndim == 2:
        return matrix_norm_slope(x, ord, 0, 1)
    return vector_norm_slope(x, ord, 0)


def vector_norm_slope(x, ord, axis):
    size = np.abs(x)
    if ord == 0:
        return np.zeros_like(x)
    if ord == 1:
        return np.sign(x)
    if ord == np.inf:
        return np.sign(x) * shared(size == np.max(size, axis=axis, keepdims=True), axis, x)
    if ord == -np.inf:
        return np.sign(x) * shared(size == np.min(size, axis=axis, keepdims=True), axis, x)
    z = np.linalg.norm(x, ord, axis=axis, keepdims=True)
    return np.sign(x) * np.where(size == 0, 1, size / np.where(z == 0, 1, z)) ** (ord - 1)


def matrix_norm_slope(x, ord, rows, columns):
    if ord == 2:
        return singular_slope(x, 0, 1, rows, columns)
    if ord == -2:
        return singular_slope(x, -1, None, rows, columns)
    if ord == "nuc":
        return singular_slope(x, 0, None, rows, columns)
    inner, outer = (rows, columns) if ord in (1, -1) else (columns, rows)
    sums = np.sum(np.abs(x), axis=inner, keepdims=True)
    if ord > 0:
        return np.sign(x) * shared(sums == np.max(sums, axis=outer, keepdims=True), outer, x)
    return np.sign(x) * shared(sums == np.min(sums, axis=outer, keepdims=True), outer, x)


def singular_slope(x, start, stop, rows, columns):
    """The derivative of the sum of the singular values from `start` to `stop`; zero for those that are zero."""
    u, s, vh = np.linalg.svd(np.moveaxis(x, (rows, columns), (-2, -1)), full_matrices=False)
    left = u[..., :, start:stop] * np.sign(s)[..., np.newaxis, start:stop]
    return np.moveaxis(left @ vh[..., start:stop, :], (-2, -1), (rows, columns))


def shared(hit, axis, x):
    """1 divided among the true elements."""
    return hit / np.sum(hit, axis=axis, keepdims=True, dtype=x.dtype)
