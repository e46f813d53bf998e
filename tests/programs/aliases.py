"""Arrays that go under several names, and are written under one of them."""

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(3), 2))
def argument_scaled_then_replaced(x, n):
    for _ in range(n):
        x *= 2.0
        x = x / (1.5 + np.sum(x**2))
    return x


@program(args=lambda rng: (rng.standard_normal(5), rng.standard_normal(5), 3), wrt=(0, 1))
def buffers_of_the_caller_swapped(a, b, n):
    for _ in range(n):
        b[1:-1] = a[2:] * a[1:-1] - a[:-2]
        a, b = b, a
    return a * 1.5


@program(args=lambda rng: (rng.standard_normal(5), 2))
def argument_or_a_new_array(x, n):
    y = x if n > 1 else np.ones(5)
    y[1] = x[0] * x[2]
    return y * x


@program(args=lambda rng: (rng.standard_normal(5), 0))
def new_array_or_the_argument(x, n):
    y = x if n > 1 else np.ones(5)
    y[1] = x[0] * x[3]
    return y * x


@program(args=lambda rng: (rng.standard_normal(4), 2))
def argument_under_a_name_of_a_loop(x, n):
    for _ in range(n):
        y = x
    y[2] *= x[0]
    return x * x


@program(args=lambda rng: (rng.standard_normal(4),))
def list_of_an_array_written_later(x):
    parts = [x, x * 2.0]
    x[1] = x[0] * x[2]
    return np.sum(parts[0] * parts[1])


@program(args=lambda rng: (rng.standard_normal((2, 3)), 3))
def element_of_a_list_taken_in_every_iteration(m, n):
    parts = [m, 2.0]
    for _ in range(n):
        m[0] = np.sin(np.sum(parts[0], axis=0))
    return m


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4), 3))
def returned_while_it_is_written(x, n):
    for i in range(n):
        if np.sum(x) > 100.0:
            return x
        x[i] = x[i] * x[i + 1]
    return x * 2.0


@program(args=lambda rng: (rng.standard_normal(4), 3))
def copies_kept_of_what_is_written(x, n):
    history = []
    u = x * 1.0
    for i in range(n):
        u[i] = u[i] * u[i + 1]
        history.append(u.copy())
    return np.sum(history[0] * history[-1]) + np.sum(u)


@program(args=lambda rng: (rng.standard_normal(4), 3))
def new_array_written_and_kept_in_a_loop(x, n):
    rows = []
    for i in range(n):
        row = np.zeros(4)
        row[i] = x[i] ** 2
        row[i + 1] = x[0] * row[i]
        rows.append(row)
    return np.sum(np.array(rows) * x)


@program(args=lambda rng: (np.array([0.9, 2.1, -0.4]), 3))
def test_of_a_loop_over_a_moved_array(x, n):
    while np.sum(x**2) > 0.5:
        x *= 0.7
        x = x - 0.1 * x**2
    return x


@program(args=lambda rng: (rng.standard_normal(2), 2))
def array_of_an_inner_loop_written_in_the_outer_one(x, n):
    y = x
    for _ in range(n):
        x[:] -= y * y[0]
        for k in range(2):
            if k > 0:
                z = y
    return z


@program(args=lambda rng: (rng.standard_normal(3), 3))
def array_in_a_dict_written_until_its_name_is_another(x, n):
    y = x.copy()
    y *= y
    kept = {"a": y}
    for k in range(n):
        y += (kept["a"] * 0.5) ** 3
        y = np.tanh(x[k]) * np.ones(3)
    return kept["a"] * 2.0 + y


@program(args=lambda rng: (rng.standard_normal(3), rng.standard_normal(3)))
def elements_of_lists_by_their_names(a, b):
    p, q = map(np.array, (a * 2, b * a))
    for i in range(1, 3):
        q[i] = q[i] - p[i - 1] * q[i - 1]
    pair = [a[:2].copy(), b[1:].copy()]
    r, s = pair
    r += s
    both = [p, q]
    both[1][0] = a[1] * b[2]
    table = {"p": p}
    table["p"][2] = b[0]
    return np.sum(pair[0] * s) * (p * q + both[0])


@program(args=lambda rng: (rng.standard_normal(3),))
def parts_of_what_was_made_for_them(x):
    flat = (np.outer(x, x).T * 2.0).reshape(-1)
    flat[1] = x[0] ** 3
    first = np.asarray(x * 2)
    first[0] = x[1]
    for k in range(3):
        wide = np.atleast_2d(x * x[k])
        wide[0, k] = x[1] ** 2
    return flat[:3] * first * wide[0]
