"""break, continue, else of loops, early and several returns."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 8),))
def breaks_out(x):
    s = 0.0
    for v in x:
        s = s + v * v
        if s > 3.3:
            break
    return s


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def break_before_the_work(x):
    p = 1.0
    for v in x:
        if p > 1e6:
            break
        p = p * v + 0.1
    return p


@program(args=lambda rng: (rng.standard_normal(7),))
def continues(x):
    s = 1.0
    for v in x:
        if v < 0:
            continue
        s = s * (1 + v)
    return s


@program(args=lambda rng: (rng.standard_normal(7), 2.0), wrt=(0, 1))
def continue_and_break(x, limit):
    s = 0.3
    for i, v in enumerate(x):
        if i == 1:
            continue
        s = s + math.exp(v) * s
        if s > limit:
            s = s * limit
            break
        s = s - 0.1
    return s


@program(args=lambda rng: (0.4,))
def while_true_break(x):
    y = x
    while True:
        y = y * 1.9 + x
        if y > 20:
            break
        y = y - 0.01 * y * y
        if y < 0:
            break
    return y


@program(args=lambda rng: (0.9,))
def loop_else_taken(x):
    for i in range(4):
        x = x * 1.1
        if x > 100:
            break
    else:
        x = x**2
    return x


@program(args=lambda rng: (0.9,))
def loop_else_skipped(x):
    y = x
    for i in range(10):
        y = y * 2
        if y > 7:
            y = y - x
            break
    else:
        y = 0.0
    return y


@program(args=lambda rng: (1.2,))
def while_else(x):
    i = 0
    while i < 3:
        x = x + math.sin(x) / (i + 1)
        i += 1
        if x < -50:
            break
    else:
        x = x * 5
    return x


@program(args=lambda rng: (0.4, 3.0), wrt=(0, 1))
def early_return(x, y):
    if x < 0.5:
        return x * y
    z = x + y
    return z * z


@program(args=lambda rng: (0.9, 3.0), wrt=(0, 1))
def early_return_not_taken(x, y):
    z = x / y
    if z > 0.5:
        return z
    elif z > 0.4:
        return math.exp(z)
    return z * z


@program(args=lambda rng: (0.9, -0.3), wrt=(0, 1))
def returns_at_several_depths(x, y):
    if x > 0:
        if y > 0:
            return x
        z = x * y
        if z < -1:
            return z
        if z < -0.2:
            w = z * x
            return w + math.sin(y)
        z = z + 1
    else:
        z = y
    return z * x


@program(args=lambda rng: (rng.uniform(0.2, 0.6, 6), 1.0), wrt=("x", "level"))
def return_inside_loop(x, level):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i]
        if s > level:
            return s**2 * level
    return -s


@program(args=lambda rng: (rng.uniform(0.2, 0.6, 6),))
def return_inside_loop_not_reached(x):
    s = 0.0
    for v in x:
        s = s + v * s + v
        if s > 1e3:
            return s
    return s * 0.5


@program(args=lambda rng: (rng.uniform(0.2, 0.9, (4, 4)),))
def return_inside_nested_loops(a):
    s = 0.0
    for i in range(4):
        row = 1.0
        for j in range(4):
            row = row * a[i, j] + 0.2
            if row + s > 1.6:
                return row * s + a[0, 0]
        s = s + row
    return s


@program(args=lambda rng: (rng.uniform(0.5, 1.5, (3, 4)),))
def break_of_the_inner_loop(a):
    s = 0.0
    for i in range(3):
        t = 0.0
        for j in range(4):
            if j > i:
                break
            t = t + a[i, j] ** 2
        s = s + t * a[i, -1]
    return s


@program(args=lambda rng: (rng.uniform(0.5, 1.5, (3, 4)),))
def break_of_both_loops(a):
    s = 0.0
    stop = False
    for row in a:
        for v in row:
            s = s + v * (1 + s)
            if s > 40:
                stop = True
                break
        if stop:
            break
        s = s * 0.5
    return s


@program(args=lambda rng: (0.3,))
def return_inside_while(x):
    y = x
    n = 0
    while True:
        y = y * y + 0.9
        n += 1
        if y > 4:
            return y * x
        if n > 50:
            return x


@program(args=lambda rng: (2.0, 0.4), wrt=(0, 1))
def returns_tuples_early(x, y):
    if x > y:
        return x * y, x - y
    return y, x * x


@program(args=lambda rng: (rng.standard_normal(6),))
def code_after_continue_in_else(x):
    s = 0.0
    for v in x:
        if v > 0:
            t = v**2
        else:
            if v < -1:
                continue
            t = math.sin(v)
        s = s + t * s + t
    return s


@program(args=lambda rng: (rng.standard_normal(5),))
def break_with_value_of_the_iteration(x):
    found = 0.0
    for v in x:
        scaled = v * 3
        if scaled > 0.5:
            found = scaled * v
            break
        found = found - scaled
    return found + np.sum(x)


@program(args=lambda rng: (np.array([0.4, 1.3, 0.2]),))
def pair_returned_from_a_loop(x):
    for i in range(3):
        if x[i] > 1.0:
            return x[i] ** 2, x * i
    return x[0], x


@program(args=lambda rng: (np.array([[0.4, 0.3], [0.2, 1.7]]),))
def nested_pair_returned_from_two_loops(m):
    for i, row in enumerate(m):
        for j in range(2):
            if row[j] > 1.0:
                return row[j] * (i + j), (row, np.sum(m))
    return m[0, 0], (m[0], np.sum(m))


@program(args=lambda rng: (-0.8, 1.4), wrt=(0, 1))
def comes_to_its_end(x, y):
    def positive(v):
        if v > 0:
            return v * v

    first, second = positive(x), positive(y)
    return (x * y if first is None else first) + (y if second is None else 3.0 * second)


@program(args=lambda rng: (np.array([0.4, 1.3, 0.2]), 0.7), wrt=(0, 1))
def returns_in_nested_branches(x, w):
    if w > 0:
        if x[0] > 1.0:
            return np.max(x)
    y = np.sum(x)
    if y > 1.0:
        if w > 0.5:
            return w * y
    return 1.0


@program(args=lambda rng: (1.49, 0.5), wrt=(0, 1))
def written_after_a_loop_that_returns(x, a):
    for i in range(3):
        if x * a > i + 0.1:
            if i:
                return 0.5 * a
        z = np.full(3, x)
    z /= 1.5
    return np.sum(z) * a


@program(args=lambda rng: (3.49, 0.5), wrt=(0, 1))
def returns_before_an_array_is_made(x, a):
    for i in range(3):
        if x > i:
            return a * x
        z = np.full(3, x)
    z /= 1.5
    return np.sum(z) * a


@program(args=lambda rng: (rng.uniform(0.5, 1.5), 2))
def jumps_of_the_else_of_an_inner_loop(w, n):
    items, s = [w, w * w, w, w, w], 0.0
    for i in range(4):
        for j in range(3):
            if i == 3 and j == 1:
                return s * w
        else:
            if i == 7:
                return w * 2 + s
            if i == n:
                break
            if i == 1:
                continue
            s += w * w
        s += items.pop()
    return w * len(items) + s
