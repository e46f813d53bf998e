"""for over ranges, arrays, lists, tuples, enumerate, zip, reversed."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (0.9, 5))
def range_stop(x, n):
    y = x
    for i in range(n):
        y = y * x + i
    return y


@program(args=lambda rng: (rng.standard_normal(6),))
def range_start_stop(x):
    s = 0.0
    for i in range(2, len(x)):
        s = s + x[i] * x[i - 2]
    return s


@program(args=lambda rng: (rng.standard_normal(9),))
def range_step(x):
    s = 1.0
    for i in range(1, 9, 3):
        s = s * math.exp(0.1 * x[i]) + x[i]
    return s


@program(args=lambda rng: (rng.standard_normal(6), 0.3), wrt=(0, 1))
def range_negative_step(c, x):
    y = c[-1]
    for i in range(len(c) - 2, -1, -1):
        y = y * x + c[i]
    return y


@program(args=lambda rng: (0.4, 0))
def range_without_trips(x, n):
    y = x * 2
    for i in range(n):
        y = y * y
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def over_an_array(x):
    s = 0.0
    for v in x:
        s += v * v * s + v
    return s


@program(args=lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal(3)), wrt=(0, 1))
def over_rows(a, w):
    h = w
    for row in a:
        h = np.tanh(h + row * w)
    return h


@program(args=lambda rng: ([rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal(3)],))
def over_a_list_of_arrays(parts):
    total = np.zeros(3)
    for part in parts:
        total = total + part * total + part
    return total


@program(args=lambda rng: ((rng.standard_normal((2, 3)), rng.standard_normal((2, 2))), rng.standard_normal(3)),
         wrt=(0, 1))
def over_a_tuple_of_shapes(weights, x):
    for w in weights:
        x = np.tanh(w @ x)
    return x


@program(args=lambda rng: (1.1,))
def over_constants(x):
    y = 0.0
    for c in [0.5, -1.0, 2.0]:
        y = y + c * math.sin(c * x)
    for k in (1, 2, 4):
        y = y * x**k
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def enumerate_array(x):
    s = 0.0
    for i, v in enumerate(x):
        s = s + (i + 1) * v**2
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def enumerate_with_start(x):
    s = 1.0
    for i, v in enumerate(x, 2):
        s = s + s * v / i
    return s


@program(args=lambda rng: (rng.standard_normal(4), rng.standard_normal(4)), wrt=(0, 1))
def zip_two_arrays(x, y):
    s = 0.0
    for a, b in zip(x, y):
        s = s + a * math.exp(b) * (1 + s)
    return s


@program(args=lambda rng: (rng.standard_normal((3, 2)), rng.standard_normal(3), 4), wrt=(0, 1))
def zip_rows_numbers_and_range(a, b, n):
    r = np.ones(2)
    for row, c, k in zip(a, b, range(n)):
        r = r * row + c * k
    return r


@program(args=lambda rng: (rng.standard_normal(5),))
def enumerate_of_zip(x):
    s = 0.0
    for i, (a, b) in enumerate(zip(x[:-1], x[1:])):
        s = s + (b - a) ** 2 * (i + 1)
    return s


@program(args=lambda rng: (rng.standard_normal(4), 0.6), wrt=(0, 1))
def reversed_array(c, x):
    y = 0.0
    for v in reversed(c):
        y = y * x + v
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def reversed_range(x):
    s = 0.0
    for i in reversed(range(1, 5)):
        s = math.sin(s + x[i]) * x[i - 1]
    return s


@program(args=lambda rng: (rng.standard_normal((3, 4)),))
def nested_scalar_loops(a):
    s = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            s = s + a[i, j] * (s + i - j)
    return s


@program(args=lambda rng: (rng.standard_normal(5),))
def nested_triangular_loops(x):
    energy = 0.0
    for i in range(len(x)):
        for j in range(i):
            d = x[i] - x[j]
            energy += d * d / (1 + d * d)
    return energy


@program(args=lambda rng: (0.7, 0.2, 6), wrt=(0, 1))
def carries_two_names(a, b, n):
    for _ in range(n):
        a, b = a + 0.1 * b, b - 0.1 * math.sin(a)
    return a, b


@program(args=lambda rng: (rng.standard_normal(3), 4))
def carries_four_names(x, n):
    p = x
    q = x * 2
    r = 1.0
    count = 0
    for k in range(n):
        p = p * 0.5 + q
        q = q - p * r
        r = r + np.sum(q * p) * 0.01
        count += k
    return p * count, q, r


@program(args=lambda rng: (1.3, 3))
def first_assigned_inside(x, n):
    for i in range(n):
        y = x * (i + 1)
        z = y * y
    return y + z


@program(args=lambda rng: (rng.standard_normal(4),))
def loop_variable_read_after(x):
    s = 0.0
    for i, v in enumerate(x):
        s = s + v**3
    return s * v + i * x[i]


@program(args=lambda rng: (rng.standard_normal(3),))
def loop_variable_reassigned(x):
    s = 0.0
    for v in x:
        v = v * v
        v += s
        s = s + math.cos(v)
    return s


@program(args=lambda rng: (rng.standard_normal(4), 3))
def linear_loop(x, n):
    y = x
    for i in range(n):
        y = 2 * y - 0.5 * x + i
    return y


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 5),))
def product_of_elements(x):
    p = 1.0
    for i in range(len(x)):
        p *= x[i]
    return p


@program(args=lambda rng: (rng.standard_normal(6),))
def branch_inside_loop(x):
    s = 0.0
    for v in x:
        if v > 0:
            s = s + v**2
        else:
            s = s * 0.5 - v
    return s


@program(args=lambda rng: (rng.standard_normal(6),))
def branch_on_the_counter(x):
    even = 0.0
    odd = 1.0
    for i in range(len(x)):
        if i % 2 == 0:
            even += x[i] * odd
        elif i % 3 == 0:
            odd *= x[i]
    return even, odd


@program(args=lambda rng: (rng.standard_normal(4), 3))
def loop_inside_branch(x, n):
    if np.sum(x**2) > 0.1:
        y = x
        for i in range(n):
            y = np.sin(y) + x
    else:
        y = -x
    return y


@program(args=lambda rng: (0.8,))
def two_loops_in_a_row(x):
    a = 1.0
    for i in range(3):
        a = a * x + i
    b = a
    for j in range(2):
        b = b * a - j * x
    return b


@program(args=lambda rng: (rng.standard_normal(4),))
def appends_to_a_list(x):
    ys = []
    y = 1.0
    for v in x:
        y = 0.5 * y + math.tanh(v)
        ys.append(y * v)
    return np.array(ys)


@program(args=lambda rng: (rng.standard_normal((3, 2)), rng.standard_normal(2)), wrt=(0, 1))
def stacks_appended_rows(a, h):
    states = []
    for row in a:
        h = np.tanh(h * row + 0.5)
        states.append(h)
    return np.stack(states)


@program(args=lambda rng: (rng.standard_normal((2, 2, 3)),))
def three_levels(a):
    s = 1.0
    for i in range(2):
        t = 0.0
        for j in range(2):
            for k in range(3):
                t = t + a[i, j, k] ** 2 * s
        s = s * math.exp(-0.1 * t)
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def counter_changed_inside(x):
    s = 0.0
    for i in range(4):
        k = i
        i = (i + 2) % 4
        s = s * x[k] + x[i]
    return s


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def name_of_two_structures_that_is_not_used(x):
    r = x
    total = 0.0
    for t in x:
        r = (t, t * t)
        total += r[1]
    return total


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def pair_made_in_an_inner_loop(x):
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            pair = (x[i], x[j])
            total += pair[0] * pair[1]
    return total


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def pair_of_the_last_iteration(x):
    for k in range(len(x)):
        if k > 0:
            x = x * last[0]  # noqa: F821 - that of the iteration before
        last = (x[k], x[k] * k)
    return last


@program(args=lambda rng: (rng.standard_normal(4),))
def sum_from_a_whole_zero(x):
    s = 0
    for i in range(len(x)):
        s += x[i] * x[i]
    s *= 2
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def sum_of_a_list_changed_in_place(x):
    s = sum([v * v for v in x])
    s *= sum(x)
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def element_updated_by_a_sum(x):
    y = x * 2
    y[1] += sum(v * v for v in x)
    return y
