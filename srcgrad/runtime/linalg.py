"""Derivatives of linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np


def multi_dot_tangent(tangents: Any, arrays: Any) -> Any:
    """The tangent of `np.linalg.multi_dot(arrays)`: each factor in turn replaced by its tangent."""
    factors = list(arrays)
    terms = [np.linalg.multi_dot([*factors[:k], dx, *factors[k + 1 :]]) for k, dx in enumerate(tangents)]
    return np.sum(terms, axis=0)


def unmulti_dot(g: Any, arrays: Any) -> list[Any]:
    """The cotangents of the factors of `np.linalg.multi_dot(arrays)`."""
    first, last = np.ndim(arrays[0]), np.ndim(arrays[-1])
    factors = [np.atleast_2d(arrays[0]), *map(np.asarray, arrays[1:])]
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


def multi_dot_slopes(tangents: Any, g: Any, arrays: Any) -> list[Any]:
    """The cotangents of the factors in `<g, multi_dot_tangent(tangents, arrays)>`."""
    slopes: list[Any] = [np.zeros_like(factor) for factor in arrays]
    for k, dx in enumerate(tangents):
        factors = [*arrays[:k], dx, *arrays[k + 1 :]]
        bars = unmulti_dot(g, factors)
        slopes = [slope if i == k else slope + bars[i] for i, slope in enumerate(slopes)]
    return slopes


def multi_dot_bend(others: Any, tangents: Any, arrays: Any) -> Any:
    """The tangent of `multi_dot_tangent(tangents, arrays)` where the factors move by `others`."""
    count = len(arrays)
    terms = []
    for i in range(count):
        for k in range(count):
            if i != k:
                factors = list(arrays)
                factors[i], factors[k] = others[i], tangents[k]
                terms.append(np.linalg.multi_dot(factors))
    return np.sum(terms, axis=0)


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
