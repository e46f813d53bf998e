"""sum, mean, prod, max, var and their kin, with axis and keepdims, as functions and as methods."""

import numpy as np

from tests.programs import program

MATRIX = {"args": lambda rng: (rng.standard_normal((3, 4)),)}


@program(**MATRIX)
def sums_over_axes(m):
    return np.sum(m * m), np.sum(m, axis=0), np.sum(m, axis=1), np.sum(m, axis=(0, 1)), np.sum(m, axis=-1)


@program(**MATRIX)
def kept_dimensions(m):
    return m / (1 + np.sum(m**2, axis=1, keepdims=True)), m - np.mean(m, axis=0, keepdims=True)


@program(**MATRIX)
def methods_of_arrays(m):
    return m.sum(), m.sum(axis=0), m.mean(axis=1), m.mean(keepdims=True), m.prod(axis=0)


@program(**MATRIX)
def means_and_variances(m):
    return np.mean(m), np.var(m), np.std(m, axis=0), m.var(axis=1), np.std(m, ddof=1)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, (2, 3)),))
def products(m):
    return np.prod(m), np.prod(m, axis=1), m.prod(axis=0, keepdims=True)


@program(args=lambda rng: (np.array([0.0, 2.0, 3.0]),), only="first")
def product_with_a_zero(x):
    return np.prod(x)


@program(**MATRIX)
def extrema(m):
    return np.max(m), np.min(m, axis=0), m.max(axis=1), np.amin(m, axis=1, keepdims=True)


@program(**MATRIX)
def cumulative(m):
    return np.cumsum(m, axis=1), np.cumsum(m[0]), m.cumsum(axis=0) * m


@program(**MATRIX)
def norms(m):
    return np.linalg.norm(m), np.linalg.norm(m, axis=1), np.linalg.norm(m[0])


@program(args=lambda rng: (rng.standard_normal(5), rng.uniform(0.1, 1.0, 5)), wrt=(0, 1))
def weighted_average(x, w):
    mean = np.average(x, weights=w)
    return mean, np.sum(w * (x - mean) ** 2) / w.sum()


@program(**MATRIX)
def reduction_in_a_loop(m):
    s = 0.0
    for axis in (0, 1):
        s = s + np.sum(np.sum(m, axis=axis) ** 2) * (axis + 1)
    return s


@program(args=lambda rng: (rng.standard_normal(5),))
def builtin_sum_max_min(x):
    largest = max(x[0], x[1], x[2])
    return sum(x) * largest, min(x[3], 0.7)


@program(args=lambda rng: (rng.standard_normal(6),))
def differences_and_trapezoid(x):
    d = np.diff(x)
    return d * d, np.sum(np.diff(x, n=2) ** 2)


@program(args=lambda rng: (rng.standard_normal(6),))
def sorted_and_median(x):
    return np.sort(x) * np.arange(6.0), np.median(x[:5])


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def trace_and_diagonal(m):
    return np.trace(m @ m), np.diag(m) ** 2, np.einsum("ij,ji->", m, m)


@program(args=lambda rng: (0.7, 1.2), wrt=(0, 1))
def reductions_of_python_numbers(x, y):
    s = 0.0
    for v in (x, y, 2.0):
        s = s + np.sum(v * v) * np.mean(x)
    return np.max(s) * np.sum(y)


@program(args=lambda rng: (rng.standard_normal(5),))
def generator_expression(x):
    return sum(v * v for v in x), sum([x[i] * i for i in range(5)])
