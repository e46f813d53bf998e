"""Several results, tuples and unpacking, swaps."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (0.3, 1.2), wrt=(0, 1))
def two_scalars(x, y):
    return x * y, x / y


@program(args=lambda rng: (rng.standard_normal(3),))
def scalar_and_array(x):
    return np.sum(x**2), np.sin(x)


@program(args=lambda rng: (0.3, 1.2), wrt=(0, 1))
def nested_tuples(x, y):
    return (x * y, (x + y, math.sin(x))), y**2


@program(args=lambda rng: (rng.standard_normal(3),))
def tuple_of_one(x):
    return (x * x,)


@program(args=lambda rng: (rng.standard_normal(3), 1.2), wrt=(0, 1))
def list_result(x, a):
    return [x * a, a * a]


@program(args=lambda rng: (rng.standard_normal(3), 1.2), wrt=(0, 1))
def dict_result(x, a):
    return {"loss": np.sum(x**2) * a, "scaled": x * a}


@program(args=lambda rng: (0.3, 1.2), wrt=(0, 1))
def swap(a, b):
    a, b = b, a
    return a * a * b, b


@program(args=lambda rng: (0.3, 1.2, 0.8), wrt=(0, 1, 2))
def rotation_of_three(a, b, c):
    for _ in range(4):
        a, b, c = b, c, a * b + c
    return a, b, c


@program(args=lambda rng: ((0.4, 1.1),))
def unpacks_an_argument(pair):
    x, y = pair
    return x * y**2


@program(args=lambda rng: (rng.standard_normal(3),))
def unpacks_an_array(v):
    x, y, z = v
    return x * y + y * z, z * math.sin(x)


@program(args=lambda rng: (rng.standard_normal((2, 3)),))
def unpacks_rows(m):
    a, b = m
    return a * b, a @ b


@program(args=lambda rng: (rng.standard_normal(4),))
def builds_and_indexes_a_tuple(x):
    parts = (x[:2], x[2:], 3.0)
    return parts[0] * parts[1] * parts[-1]


@program(args=lambda rng: (rng.standard_normal(4),))
def integer_among_the_results(x):
    count = 0
    s = 0.0
    for v in x:
        if v > 0:
            count += 1
            s = s + v**2
    return s, count


@program(args=lambda rng: (0.4, 1.1), wrt=(0, 1))
def constant_among_the_results(x, y):
    return x * y, 2.5, x


@program(args=lambda rng: (0.4,))
def same_result_twice(x):
    y = x * x
    return y, y, x


@program(args=lambda rng: (0.8,))
def tuple_carried_by_a_loop(x):
    state = (x, 1.0)
    for k in range(3):
        state = (state[0] * state[1] + k, state[0] - 0.2)
    return state


@program(args=lambda rng: (rng.standard_normal(5),))
def starred_unpacking(x):
    first, *rest = x
    s = first
    for v in rest:
        s = s * v + first
    return s


@program(args=lambda rng: (0.5, 0.25), wrt=(0, 1))
def multiple_targets(x, y):
    a = b = x * y
    a += x
    return a * b, b
