"""Operands of different shapes, through the operators and the two-operand functions of NumPy."""

import numpy as np

from tests.programs import program

MATRIX_ROW = {"args": lambda rng: (rng.standard_normal((3, 4)), rng.standard_normal(4)), "wrt": (0, 1)}
POSITIVE = {"args": lambda rng: (rng.uniform(0.5, 2.0, (3, 1)), rng.uniform(0.5, 2.0, 4)), "wrt": (0, 1)}


@program(args=lambda rng: (rng.standard_normal(4), 1.5), wrt=(0, 1))
def vector_and_scalar(x, a):
    return x + a, x - a, a - x, x * a, x / a


@program(args=lambda rng: (rng.uniform(0.5, 2.0, 4), 1.5), wrt=(0, 1))
def scalar_over_vector_and_powers(x, a):
    return a / x, x**a, a**x


@program(**MATRIX_ROW)
def matrix_and_row(m, r):
    return m + r, r - m, m * r


@program(**POSITIVE)
def column_and_row(c, r):
    return c / r, c**r, r / c


@program(args=lambda rng: (rng.standard_normal((2, 1, 3)), rng.standard_normal((4, 1))), wrt=(0, 1))
def axes_of_one_on_both_sides(a, b):
    return a * b, np.sum(a - b, axis=0)


@program(args=lambda rng: (rng.standard_normal((1, 1)), rng.standard_normal((2, 3))), wrt=(0, 1))
def one_by_one_matrix(a, b):
    return np.sin(a) * b + a


@program(args=lambda rng: (rng.standard_normal(1), rng.standard_normal(5)), wrt=(0, 1))
def vector_of_length_one(a, x):
    y = x
    for k in range(2):
        y = y * a + x
    return y


@program(args=lambda rng: (np.array(0.7), rng.standard_normal(3)), wrt=(0, 1))
def zero_dimensional(a, x):
    return x * a + a * a


@program(**MATRIX_ROW)
def functions_add_subtract_multiply(m, r):
    return np.add(m, r), np.subtract(r, m), np.multiply(m, r)


@program(**POSITIVE)
def functions_divide_power(c, r):
    return np.divide(c, r), np.true_divide(r, c), np.power(c, r)


@program(**MATRIX_ROW)
def functions_maximum_minimum(m, r):
    return np.maximum(m, r), np.minimum(r, m), np.fmax(m, 0.1), np.fmin(0.2, r)


@program(**POSITIVE)
def functions_hypot_arctan2(c, r):
    return np.hypot(c, r), np.arctan2(c, r)


@program(**MATRIX_ROW)
def functions_logaddexp(m, r):
    return np.logaddexp(m, r), np.logaddexp2(r, m)


@program(**MATRIX_ROW)
def where_with_broadcasting(m, r):
    return np.where(m > 0, r, m * 2), np.where(r > 0, m, 0.5)


@program(args=lambda rng: (rng.uniform(1.1, 1.9, (2, 3)), 3.1), wrt=(0, 1))
def remainders(m, a):
    return np.mod(a, m), a % m, np.fmod(a, m)


@program(args=lambda rng: (rng.standard_normal(3), rng.standard_normal(4)), wrt=(0, 1))
def outer_sums(x, y):
    table = np.add.outer(x, y)
    return table * np.outer(x, y)


@program(args=lambda rng: (rng.standard_normal((4, 2)), rng.standard_normal((3, 2))), wrt=(0, 1))
def pairwise_distances(a, b):
    d = a[:, None, :] - b[None, :, :]
    return np.sqrt(np.sum(d**2, axis=-1))


@program(args=lambda rng: (rng.standard_normal((3, 4)), 0.3, rng.standard_normal(4)), wrt=(0, 1, 2))
def clip_with_array_bounds(m, low, r):
    return np.clip(m, low, 3.0), np.clip(r, -0.4, 0.6)


@program(args=lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal(3), 0.4), wrt=(0, 1, 2))
def broadcast_in_a_loop(m, r, a):
    for k in range(3):
        m = m * r + a
        a = a * 0.9
    return m


@program(args=lambda rng: (rng.standard_normal(3), 0.5), wrt=(0, 1))
def scalar_becomes_an_array_in_a_branch(x, a):
    y = a
    if a < 1:
        y = a * x
    return y + a


@program(args=lambda rng: (rng.standard_normal((3, 2, 4)), rng.standard_normal((4, 2)), rng.standard_normal(4)),
         wrt=(0, 1, 2))
def matmul_of_ranks(a, b, v):
    return a @ b, a @ v, v @ b


@program(args=lambda rng: (rng.standard_normal(3),))
def explicit_broadcast_and_tile(x):
    return np.broadcast_to(x, (2, 3)) * x, np.tile(x, 2), np.repeat(x, 2)
