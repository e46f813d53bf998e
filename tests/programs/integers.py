"""Arrays and numbers that are integers in some runs: what is stored into integers is cut, and has no derivative."""

import numpy as np

from tests.programs import program


def numbers(rng):
    return np.array([1.3, 0.61, 2.27]), np.array([1, 2, 3])


def below_zero(rng):
    return np.array([-1.3, 0.61, 2.27]), np.array([1, 2, 3])


def floats(rng):
    return np.array([1.3, 0.61, 2.27]), np.array([1.0, 2.0, 3.0])


@program(args=numbers)
def an_array_of_a_list_of_integers(x, k):
    z = np.array([3 for _ in range(3)])
    z[0] = x[0] * 5
    z[1] += x[1] * 3.7
    z += 2
    return np.sum(z * x)


@program(args=numbers)
def integers_made_of_what_is_differentiated(x, k):
    z = np.array([int(v) for v in x])
    z[1:] = x[1:] * 3
    return np.sum(z * x)


def _an_integer_on_one_path(x, k):
    v = 2 if x[0] > 0 else 2.5
    z = np.full(3, v)
    z[0] = x[1] * 3.7
    w = np.array([v, v])
    w[0] += x[2] * 3.7
    return np.sum(z * x) + w @ x[1:] + x[2] ** v


@program(args=numbers)
def an_integer_on_this_path(x, k):
    return _an_integer_on_one_path(x, k)


@program(args=below_zero)
def an_integer_on_the_other_path(x, k):
    return _an_integer_on_one_path(x, k) * x[0]


@program(args=numbers)
def an_integer_told_from_a_float(x, k):
    v = 1 if x[0] > 0 else 2.5
    return x[1] * 3 if isinstance(v, float) else x[2] * x[1]


@program(args=numbers)
def the_sum_of_no_terms(x, k):
    s = 0
    for i in range(len(x[5:])):
        s = s + x[i]
    z = np.full(3, s)
    z[0] = x[1] * 3.7
    return np.sum(z) * x[1]


@program(args=numbers)
def the_sum_of_some_terms(x, k):
    s = 0
    for i in range(len(x)):
        s = s + x[i]
    z = np.full(3, s)
    z[0] = x[1] * 3.7
    return np.sum(z**2) * x[1]


@program(args=numbers)
def the_largest_so_far_in_an_array(x, k):
    best = 0
    for v in x:
        if v > best:
            best = v
    z = np.full(3, best)
    z[1] = x[0]
    return np.sum(np.sort(z) * np.cumsum(z) / (1 + z)) + np.linalg.norm(z) + np.prod(z) + np.outer(z, z)[0] @ x


@program(args=numbers)
def integers_stored_in_a_loop(x, k):
    z = np.array([3, 4, 5])
    y = z
    for i in range(3):
        y[i] = x[i] * 2
        y = y + 0
    return np.sum(z) * x[1] + np.sum(y * x)


def _of_the_dtype_of(k, x):
    filled = np.full_like(k, x[0]) + np.full(3, x[1] * 3, dtype=k.dtype) + np.insert(k, 0, x[0] * 3)[:3]
    made = x.astype(k.dtype) + np.array(x * 3, dtype=k.dtype) + np.asarray([x[0] * 3, x[1] * 4, 2], dtype=k.dtype)
    summed = np.sum(np.outer(x, x), axis=0, dtype=k.dtype) + np.mean(x * 3, dtype=k.dtype)
    copy = k.copy()
    copy[0] += x[0] * 3.7
    copy[[1, 1]] = x[1:] * 3
    return np.sum((filled + made + summed + copy) * x)


@program(args=numbers)
def the_dtype_of_integers(x, k):
    return _of_the_dtype_of(k, x)


@program(args=floats)
def the_dtype_of_floats(x, k):
    return _of_the_dtype_of(k, x) * x[0]


@program(args=numbers)
def counts_up_to_an_integer_or_a_float(x, k):
    v = 2 if x[0] > 0 else 2.5
    z = np.arange(0, 3 * v, v)
    z[0] = x[1] * 3.7
    return np.sum(z) * x[1]


@program(args=numbers)
def an_array_of_either_on_two_paths(x, k):
    y = x.copy()
    for i in range(2):
        y = x.astype(int) if x[i] > 1 else np.arctan(x)
    return np.sum(y[1] ** 2) + np.sum(y * x)


@program(args=numbers)
def places_of_floats_beside_integers(x, k):
    rows = [x * 2, np.arange(3)]
    which = int(x[0] > 100)
    rows[which][[1, 1, 0]] += x
    return np.sum(rows[0] * x) + np.sum(rows[1])


@program(args=numbers)
def a_number_taken_out_before_a_store(x, k):
    t = np.where(x > 0.5, np.arange(3) if x[0] > 100 else x * 2, 0.5)
    r = t[2]
    for i in range(2):
        t[2] = x[0] * i
        s = t[2]
        t[2] = 0.0
    return r * s + np.sum(t)
