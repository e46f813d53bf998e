"""Factorisations and products from their definitions: LU, Cholesky, Gram-Schmidt, Durbin, solves, determinants."""

import math

import numpy as np

from tests.programs import program


def _positive_definite(rng, n):
    m = rng.standard_normal((n, n))
    return m @ m.T + n * np.eye(n)


@program(args=lambda rng: (rng.standard_normal((4, 4)) + 5 * np.eye(4),))
def lu_in_place(a):
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            a[i, j] -= a[i, :j] @ a[:j, j]
            a[i, j] /= a[j, j]
        for j in range(i, n):
            a[i, j] -= a[i, :i] @ a[:i, j]
    return a


@program(args=lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal(3)), wrt=(0, 1))
def lu_with_pivots(a, b):
    a, b = a.copy(), b.copy()
    n = len(b)
    sign = 1.0
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[pivot, k]):
                pivot = i
        if pivot != k:
            a[[k, pivot]] = a[[pivot, k]]
            b[k], b[pivot] = b[pivot], b[k]
            sign = -sign
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            a[i, k + 1 :] -= a[i, k] * a[k, k + 1 :]
            b[i] -= a[i, k] * b[k]
    x = np.empty(n)
    for i in reversed(range(n)):
        x[i] = (b[i] - np.dot(a[i, i + 1 :], x[i + 1 :])) / a[i, i]
    return x, sign * np.prod(np.diag(a))


@program(args=lambda rng: (_positive_definite(rng, 4),))
def cholesky_in_place(a):
    n = a.shape[0]
    a[0, 0] = np.sqrt(a[0, 0])
    for i in range(1, n):
        for j in range(i):
            a[i, j] -= np.dot(a[i, :j], a[j, :j])
            a[i, j] /= a[j, j]
        a[i, i] -= np.dot(a[i, :i], a[i, :i])
        a[i, i] = np.sqrt(a[i, i])
    return np.tril(a)


@program(args=lambda rng: (_positive_definite(rng, 3), rng.standard_normal(3)), wrt=(0, 1))
def gaussian_density_by_cholesky(cov, r):
    n = len(r)
    low = np.zeros((n, n))
    z = np.zeros(n)
    logdet = 0.0
    for j in range(n):
        low[j, j] = math.sqrt(cov[j, j] - low[j, :j] @ low[j, :j])
        low[j + 1 :, j] = (cov[j + 1 :, j] - low[j + 1 :, :j] @ low[j, :j]) / low[j, j]
        z[j] = (r[j] - low[j, :j] @ z[:j]) / low[j, j]
        logdet += 2 * math.log(low[j, j])
    return -0.5 * (z @ z + logdet + n * math.log(2 * math.pi))


@program(args=lambda rng: (rng.standard_normal((4, 3)),))
def gram_schmidt(a):
    q = np.zeros_like(a)
    r = np.zeros((a.shape[1], a.shape[1]))
    for k in range(a.shape[1]):
        r[k, k] = np.sqrt(np.dot(a[:, k], a[:, k]))
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, a.shape[1]):
            r[k, j] = np.dot(q[:, k], a[:, j])
            a[:, j] -= q[:, k] * r[k, j]
    return q, r


@program(args=lambda rng: (rng.standard_normal((3, 4)),))
def gram_schmidt_of_a_list(vectors):
    basis = []
    for v in vectors[:2]:
        w = v.copy()
        for b in basis:
            w -= (w @ b) * b
        basis.append(w / np.linalg.norm(w))
    return np.array(basis)


@program(args=lambda rng: (rng.standard_normal((4, 3)),))
def householder_triangle(a):
    r = a.copy()
    for k in range(3):
        x = r[k:, k].copy()
        if x[0] >= 0:
            x[0] += np.linalg.norm(x)
        else:
            x[0] -= np.linalg.norm(x)
        v = x / np.linalg.norm(x)
        r[k:, k:] -= 2.0 * np.outer(v, v @ r[k:, k:])
    return r


@program(args=lambda rng: (rng.uniform(-0.4, 0.4, 5),))
def durbin(r):
    y = np.empty_like(r)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    for k in range(1, len(r)):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return y


@program(args=lambda rng: (np.tril(rng.standard_normal((4, 4))) + 3 * np.eye(4), rng.standard_normal(4)), wrt=(0, 1))
def forward_substitution(low, b):
    x = np.zeros(len(b))
    for i in range(len(b)):
        x[i] = (b[i] - low[i, :i] @ x[:i]) / low[i, i]
    return x


@program(args=lambda rng: (np.triu(rng.standard_normal((4, 4))) + 3 * np.eye(4), rng.standard_normal(4)), wrt=(0, 1))
def back_substitution_by_columns(up, b):
    for j in range(len(b) - 1, -1, -1):
        b[j] /= up[j, j]
        for i in range(j):
            b[i] -= up[i, j] * b[j]
    return b


@program(
    args=lambda rng: ([rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), rng.standard_normal((4, 2)),
                       rng.standard_normal((2, 2))],),
)
def matrix_chain_in_the_cheapest_order(matrices):
    n = len(matrices)
    dims = [matrices[0].shape[0]]
    for m in matrices:
        dims.append(m.shape[1])
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            cost[i][j] = 10**9
            for k in range(i, j):
                c = cost[i][k] + cost[k + 1][j] + dims[i] * dims[k + 1] * dims[j + 1]
                if c < cost[i][j]:
                    cost[i][j] = c
                    split[i][j] = k

    def multiply(i, j):
        if i == j:
            return matrices[i]
        return multiply(i, split[i][j]) @ multiply(split[i][j] + 1, j)

    return multiply(0, n - 1)


@program(
    args=lambda rng: (1.5, 1.2, rng.standard_normal((2, 2)), rng.standard_normal((2, 3)), rng.standard_normal((3, 2)),
                      rng.standard_normal((2, 2))),
    wrt=(0, 1, 2, 3, 4, 5),
)
def two_products_in_place(alpha, beta, tmp, a, b, d):
    tmp[:] = 0.0
    for i in range(2):
        for k in range(3):
            tmp[i] += alpha * a[i, k] * b[k]
    d *= beta
    for i in range(2):
        for j in range(2):
            for k in range(2):
                d[i, j] += tmp[i, k] * d[k, j]
    return d


def _minor(m, column):
    return np.hstack([m[1:, :column], m[1:, column + 1 :]])


def _determinant(m):
    if m.shape[0] == 1:
        return m[0, 0]
    total = 0.0
    for j in range(m.shape[1]):
        total += (-1) ** j * m[0, j] * _determinant(_minor(m, j))
    return total


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def determinant_by_minors(m):
    return _determinant(m)


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def determinant_by_minors_of_lists(m):
    def det(rows):
        if len(rows) == 1:
            return rows[0][0]
        return sum(
            (-1) ** j * rows[0][j] * det([row[:j] + row[j + 1 :] for row in rows[1:]]) for j in range(len(rows))
        )

    return det([list(row) for row in m])


@program(args=lambda rng: (_positive_definite(rng, 3), rng.standard_normal(3), 3), wrt=(0, 1))
def conjugate_gradients(a, b, steps):
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rs = r @ r
    for _ in range(steps):
        ap = a @ p
        alpha = rs / (p @ ap)
        x += alpha * p
        r -= alpha * ap
        rs_new = r @ r
        if rs_new < 1e-20:
            break
        p = r + (rs_new / rs) * p
        rs = rs_new
    return x


@program(args=lambda rng: (rng.standard_normal((3, 4)), rng.standard_normal((4, 2))), wrt=(0, 1))
def product_by_three_loops(a, b):
    c = [[0.0 for _ in range(b.shape[1])] for _ in range(a.shape[0])]
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                c[i][j] += a[i, k] * b[k, j]
    return np.array(c)
