"""Derivatives of linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np


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
