"""Rules of linear algebra: solving, inverses, determinants, factorisations.

    x = np.linalg.solve(A, b)    ->   b_bar = np.linalg.solve(A.T, x_bar)
                                      A_bar = -np.outer(b_bar, x)

The formulas are those of M. Giles, "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008). `cholesky`, `eigh` and `eigvalsh` read the lower triangle of their argument alone,
as NumPy's do, and so are their derivatives: the cotangent of an element above the diagonal is zero.
"""

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import general, since_numpy_2
from srcgrad.rules.sampling import (
    call,
    calls,
    complex_drawn,
    complex_matrix,
    drawn,
    positive_definite,
    well_conditioned,
)


@general(
    np.linalg.inv,
    samples=calls(call(well_conditioned(3, 3)), call(well_conditioned(2, 3, 3)), call(complex_matrix(2, 3, 3))),
)
class inv:
    def vjp_x(g, z, x):
        if z.ndim == 2:
            return -z.T @ g @ z.T
        return -np.swapaxes(z, -1, -2) @ g @ np.swapaxes(z, -1, -2)

    def jvp_x(g, z, x):
        return -z @ g @ z


@general(
    np.linalg.det,
    samples=calls(call(well_conditioned(3, 3)), call(well_conditioned(2, 3, 3)), call(complex_matrix(2, 3, 3))),
)
class det:
    def vjp_x(g, z, x):
        if x.ndim == 2:
            return g * z * np.linalg.inv(x).T
        return (g * z)[..., np.newaxis, np.newaxis] * np.swapaxes(np.linalg.inv(x), -1, -2)

    def jvp_x(g, z, x):
        if x.ndim == 2:
            return z * np.trace(np.linalg.solve(x, g))
        return z * np.trace(np.linalg.solve(x, g), axis1=-2, axis2=-1)


@general(
    np.linalg.slogdet,
    samples=calls(call(well_conditioned(3, 3)), call(well_conditioned(2, 3, 3)), call(complex_matrix(2, 3, 3))),
)
class slogdet:
    def vjp_x(g, z, x):
        if np.iscomplexobj(x):
            turned = g[1] + 1j * np.imag(g[0] * z[0])  # the sign turns with the imaginary part of log(det)
            return np.asarray(turned)[..., np.newaxis, np.newaxis] * np.swapaxes(np.linalg.inv(x), -1, -2)
        if x.ndim == 2:
            return g[1] * np.linalg.inv(x).T
        return g[1][..., np.newaxis, np.newaxis] * np.swapaxes(np.linalg.inv(x), -1, -2)

    def jvp_x(g, z, x):
        change = np.trace(np.linalg.solve(x, g), axis1=-2, axis2=-1)
        if np.iscomplexobj(x):
            return 1j * z[0] * np.imag(change), np.real(change)
        return np.zeros_like(z[0]), change


@general(
    np.linalg.solve,
    samples=calls(
        call(well_conditioned(3, 3), drawn(3)),
        call(well_conditioned(3, 3), drawn(3, 2)),
        call(well_conditioned(2, 3, 3), drawn(2, 3, 2)),
        call(well_conditioned(2, 3, 3), drawn(1, 3, 2)),
        call(well_conditioned(3, 3), drawn(2, 3, 2)),
        call(complex_matrix(3, 3), complex_drawn(3)),
    ),
)
class solve:
    def vjp_a(g, z, a, b):
        if a.ndim == 2 and b.ndim == 1:
            return -np.outer(np.linalg.solve(a.T, g), z)
        if a.ndim == 2 and b.ndim == 2:
            return -np.linalg.solve(a.T, g) @ z.T
        if b.ndim == 1:
            return -np.linalg.solve(np.swapaxes(a, -1, -2), g[..., np.newaxis]) * z[..., np.newaxis, :]
        return runtime.unbroadcast(-np.linalg.solve(np.swapaxes(a, -1, -2), g) @ np.swapaxes(z, -1, -2), a)

    def vjp_b(g, z, a, b):
        if a.ndim == 2:
            return np.linalg.solve(a.T, g)
        if b.ndim == 1:
            return runtime.unbroadcast(np.linalg.solve(np.swapaxes(a, -1, -2), g[..., np.newaxis])[..., 0], b)
        return runtime.unbroadcast(np.linalg.solve(np.swapaxes(a, -1, -2), g), b)

    def jvp_a(g, z, a, b):
        if a.ndim > 2 and b.ndim == 1:
            return -np.linalg.solve(a, g @ z[..., np.newaxis])[..., 0]
        return -np.linalg.solve(a, g @ z)

    def jvp_b(g, z, a, b):
        return np.linalg.solve(a, g)


@general(
    np.linalg.cholesky,
    samples=calls(call(positive_definite(3, 3)), call(positive_definite(2, 3, 3)), call(complex_matrix(3, 3))),
)
class cholesky:
    def vjp_x(g, z, x):
        inverse = np.linalg.inv(z)
        m = np.swapaxes(z, -1, -2) @ g
        return runtime.unhermitian(np.swapaxes(inverse, -1, -2) @ runtime.half_lower(m) @ np.conj(inverse))

    def jvp_x(g, z, x):
        inverse = np.linalg.inv(z)
        return z @ runtime.half_lower(inverse @ runtime.hermitian(g) @ np.conj(np.swapaxes(inverse, -1, -2)))


@general(
    np.linalg.eigvalsh,
    samples=calls(call(positive_definite(3, 3)), call(positive_definite(2, 3, 3)), call(complex_matrix(3, 3))),
)
class eigvalsh:
    def vjp_x(g, z, x):
        v = np.linalg.eigh(x)[1]
        return runtime.unhermitian((np.conj(v) * g[..., np.newaxis, :]) @ np.swapaxes(v, -1, -2))

    def jvp_x(g, z, x):
        v = np.linalg.eigh(x)[1]
        return np.real(np.sum(np.conj(v) * (runtime.hermitian(g) @ v), axis=-2))


# The phase of a complex eigenvector is a free choice: the derivative is that of functions which do not depend on it.
@general(np.linalg.eigh, samples=calls(call(positive_definite(3, 3)), call(positive_definite(2, 3, 3))))
class eigh:
    def vjp_x(g, z, x):
        v = z[1]
        vt = np.swapaxes(v, -1, -2)
        along = (np.conj(v) * g[0][..., np.newaxis, :]) @ vt
        return runtime.unhermitian(along + np.conj(v) @ (runtime.inverse_gaps(z[0]) * (vt @ g[1])) @ vt)

    def jvp_x(g, z, x):
        v = z[1]
        m = np.conj(np.swapaxes(v, -1, -2)) @ runtime.hermitian(g) @ v
        return np.real(np.diagonal(m, axis1=-2, axis2=-1)), v @ (runtime.inverse_gaps(z[0]) * m)


@general(
    np.linalg.lstsq,
    value_dependent_shape=True,
    samples=calls(
        call(drawn(5, 2), drawn(5)),
        call(drawn(5, 2), drawn(5, 3), rcond=None),
        call(well_conditioned(3, 3), drawn(3)),
        call(drawn(2, 4), drawn(2)),
    ),
)
class lstsq:
    """Of matrices of full rank."""

    def vjp_a(g, z, a, b, rcond=None):
        x, rest, inverse = lstsq_parts(z, a, b)
        x_bar = columns_of(g[0])
        along = inverse.T @ x_bar
        across = inverse.T @ x @ (x_bar - inverse @ (a @ x_bar)).T
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        solved = rest @ (inverse @ along).T + across - (along + 2 * rest * residual_bar(g[1], x)) @ x.T
        return solved + (u * g[3]) @ vh

    def vjp_b(g, z, a, b, rcond=None):
        x, rest, inverse = lstsq_parts(z, a, b)
        return np.reshape(inverse.T @ columns_of(g[0]) + 2 * rest * residual_bar(g[1], x), b.shape)

    def jvp_a(da, z, a, b, rcond=None):
        x, rest, inverse = lstsq_parts(z, a, b)
        bent = da.T @ (inverse.T @ x)
        dx = inverse @ (inverse.T @ (da.T @ rest)) + bent - inverse @ (a @ bent) - inverse @ (da @ x)
        d_rest = -2 * np.sum(rest * (da @ x), axis=0)
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return np.reshape(dx, z[0].shape), d_rest[: z[1].size], z[2], np.sum(u * (da @ vh.T), axis=0)

    def jvp_b(db, z, a, b, rcond=None):
        _, rest, inverse = lstsq_parts(z, a, b)
        d_rest = 2 * np.sum(rest * columns_of(db), axis=0)
        return np.reshape(inverse @ columns_of(db), z[0].shape), d_rest[: z[1].size], z[2], np.zeros_like(z[3])


def columns_of(b):
    """One right side as a matrix of one column."""
    if b.ndim == 1:
        return b[:, np.newaxis]
    return b


def lstsq_parts(z, a, b):
    """The solution, what is left of the right side, and the inverse of the matrix."""
    check_rank(z[2], a)
    x = columns_of(z[0])
    return x, columns_of(b) - a @ x, np.linalg.pinv(a)


def residual_bar(g, x):
    """The cotangent of the residuals, of which there are none where nothing is left of the right side."""
    return np.append(g, np.zeros(x.shape[1], g.dtype))[: x.shape[1]]


def check_rank(rank, a):
    if rank < min(a.shape):
        raise ValueError("np.linalg.lstsq has a derivative for matrices of full rank alone")


@general(
    np.linalg.pinv,
    samples=calls(
        call(drawn(3, 2)),
        call(drawn(2, 4)),
        call(well_conditioned(3, 3)),
        call(drawn(2, 4, 3)),
        call(complex_drawn(3, 2)),
        call(complex_drawn(2, 3)),
    ),
)
class pinv:
    def vjp_x(g, z, x):
        gt = np.swapaxes(g, -1, -2)
        zt = np.swapaxes(z, -1, -2)
        across = (gt - x @ (z @ gt)) @ z @ np.conj(zt)
        along = np.conj(zt) @ z @ (gt - (gt @ z) @ x)
        return np.conj(across + along) - zt @ g @ zt

    def jvp_x(g, z, x):
        gh = np.conj(np.swapaxes(g, -1, -2))
        zh = np.conj(np.swapaxes(z, -1, -2))
        across = z @ zh @ (gh - (gh @ x) @ z)
        along = (gh - z @ (x @ gh)) @ zh @ z
        return across + along - z @ g @ z


@general(
    np.linalg.matrix_power,
    samples=calls(
        call(drawn(3, 3), 3),
        call(drawn(3, 3), 1),
        call(drawn(3, 3), 0),
        call(well_conditioned(3, 3), -2),
        call(drawn(2, 3, 3), n=4),
    ),
)
class matrix_power:
    def vjp_x(g, z, x, n):
        # The power is a polynomial of one matrix, so its tangent has the same form as its transpose.
        return power_tangent(g, np.swapaxes(x, -1, -2), n)

    def jvp_x(g, z, x, n):
        return power_tangent(g, x, n)


def power_tangent(dx, x, n):
    """The sum of `x**k @ dx @ x**(n - 1 - k)` over k: the product rule, one factor at a time."""
    if n < 0:
        inverse = np.linalg.inv(x)
        return power_tangent_of_positive(-inverse @ dx @ inverse, inverse, -n)
    return power_tangent_of_positive(dx, x, n)


def power_tangent_of_positive(dx, x, n):
    power = np.eye(x.shape[-1], dtype=x.dtype)
    tangent = np.zeros_like(x)
    for _ in range(n):
        tangent = tangent @ x + power @ dx
        power = power @ x
    return tangent


@general(
    np.linalg.multi_dot,
    sequences="arrays",
    samples=calls(
        call([drawn(2, 3), drawn(3, 4)]),
        call((drawn(2, 3), drawn(3, 4), drawn(4, 2))),
        call([drawn(3), drawn(3, 4), drawn(4, 2), drawn(2)]),
        call([drawn(2, 3), drawn(3, 4), drawn(4)]),
        call([drawn(3), drawn(3)]),
    ),
)
class multi_dot:
    def vjp_arrays(g, z, arrays):
        return runtime.unmulti_dot(g, arrays)

    def jvp_arrays(g, z, arrays):
        return runtime.multi_dot_tangent(g, arrays)


# The signs, or phases, of singular vectors are a free choice, as those of eigenvectors are.
@general(
    np.linalg.svd,
    samples=calls(
        call(well_conditioned(3, 3)),
        call(drawn(4, 2), full_matrices=False),
        call(drawn(2, 3), False),
        call(drawn(2, 3, 2), full_matrices=False),
        call(drawn(3, 2), compute_uv=False),
        call(drawn(2, 2, 3), True, False),
    ),
)
class svd:
    def vjp_x(g, z, x, full_matrices=True, compute_uv=True):
        if not compute_uv:
            u, _, vh = np.linalg.svd(x, full_matrices=False)
            return np.conj(u) * g[..., np.newaxis, :] @ np.conj(vh)
        return svd_cotangent(g, z)

    def jvp_x(g, z, x, full_matrices=True, compute_uv=True):
        if not compute_uv:
            u, _, vh = np.linalg.svd(x, full_matrices=False)
            return np.real(np.sum(np.conj(u) * (g @ np.conj(np.swapaxes(vh, -1, -2))), axis=-2))
        return svd_tangents(g, z)


def svd_cotangent(g, z):
    """See J. Townsend, "Differentiating the singular value decomposition" (2016)."""
    u, s, vh = z
    check_svd(u, s, vh)
    gaps = runtime.inverse_gaps(s * s)
    v_bar = np.swapaxes(g[2], -1, -2)
    left, right = np.swapaxes(u, -1, -2) @ g[0], vh @ v_bar
    rows, columns = s[..., :, np.newaxis], s[..., np.newaxis, :]
    core = gaps * (left - np.swapaxes(left, -1, -2)) * columns + rows * gaps * (right - np.swapaxes(right, -1, -2))
    inside = u @ (core + np.eye(s.shape[-1], dtype=s.dtype) * g[1][..., np.newaxis, :]) @ vh
    across = ((g[0] - u @ left) / columns) @ vh
    along = u @ np.swapaxes((v_bar - np.swapaxes(vh, -1, -2) @ right) / columns, -1, -2)
    return inside + across + along


def svd_tangents(dx, z):
    u, s, vh = z
    check_svd(u, s, vh)
    gaps = runtime.inverse_gaps(s * s)
    v = np.swapaxes(vh, -1, -2)
    m = np.swapaxes(u, -1, -2) @ dx @ v
    mt = np.swapaxes(m, -1, -2)
    rows, columns = s[..., :, np.newaxis], s[..., np.newaxis, :]
    du = u @ (gaps * (m * columns + rows * mt)) + (dx @ v - u @ m) / columns
    dv = v @ (gaps * (rows * m + mt * columns)) + (np.swapaxes(dx, -1, -2) @ u - v @ mt) / columns
    return du, np.diagonal(m, axis1=-2, axis2=-1), np.swapaxes(dv, -1, -2)


def check_svd(u, s, vh):
    if u.shape[-1] != s.shape[-1] or vh.shape[-2] != s.shape[-1]:
        raise ValueError("the vectors beside the singular ones are a free choice: use full_matrices=False")
    if np.iscomplexobj(u):
        raise ValueError("np.linalg.svd has no derivative here for complex matrices, but for compute_uv=False")


@general(np.linalg.qr, samples=calls(call(well_conditioned(3, 3)), call(drawn(4, 2)), call(drawn(2, 4, 3))))
class qr:
    def vjp_x(g, z, x):
        m = z[1] @ np.swapaxes(g[1], -1, -2) - np.swapaxes(g[0], -1, -2) @ z[0]
        return (g[0] + z[0] @ runtime.hermitian(m)) @ np.swapaxes(np.linalg.inv(z[1]), -1, -2)

    def jvp_x(g, z, x):
        change = g @ np.linalg.inv(z[1])
        inside = np.swapaxes(z[0], -1, -2) @ change
        turn = np.tril(inside, -1) - np.swapaxes(np.tril(inside, -1), -1, -2)
        return change + z[0] @ (turn - inside), (inside - turn) @ z[1]


@general(*since_numpy_2("linalg.svdvals"), samples=calls(call(well_conditioned(3, 3)), call(drawn(2, 3, 2))))
class svdvals:
    def vjp_x(g, z, x):
        u, _, vh = np.linalg.svd(x, full_matrices=False)
        return np.conj(u) * g[..., np.newaxis, :] @ np.conj(vh)

    def jvp_x(g, z, x):
        u, _, vh = np.linalg.svd(x, full_matrices=False)
        return np.real(np.sum(np.conj(u) * (g @ np.conj(np.swapaxes(vh, -1, -2))), axis=-2))
