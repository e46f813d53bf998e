"""while: trips that depend on the data, on counters, none at all."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.uniform(0.5, 1.0, 3),))
def double_until(x):
    y = x * 2
    while np.linalg.norm(y) < 100:
        y = y * 2
    return y


@program(args=lambda rng: (0.37,))
def nonlinear_until(x):
    y = x
    while y < 10:
        y = y * y + x + 1
    return y


@program(args=lambda rng: (2.5,))
def while_without_trips(x):
    while x < 1:
        x = x * x
    return x * 3


@program(args=lambda rng: (0.9, 4))
def while_counts(x, n):
    i = 0
    s = 0.0
    while i < n:
        s = s + x**i / (i + 1)
        i += 1
    return s


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 6),))
def while_inside_for(x):
    s = 0.0
    for v in x:
        w = v
        while w < 4:
            w = w * 1.7 + 0.1 * v
        s += w * v
    return s


@program(args=lambda rng: (1.3, 3))
def for_inside_while(x, n):
    y = x
    while y < 50:
        for k in range(n):
            y = y + 0.5 * x * k
        y = y * x
    return y


@program(args=lambda rng: (0.31, 2), wrt=0)
def while_inside_while(x, n):
    total = 0.0
    outer = x
    while outer < 3:
        inner = outer
        while inner < 5:
            inner = inner * n
            total = total + math.sin(inner)
        outer = outer + 0.9
    return total


@program(args=lambda rng: (0.15, 0.85), wrt=(0, 1))
def while_with_two_conditions(a, b):
    steps = 0
    while steps < 20 and abs(a - b) > 1e-3 or steps < 2:
        a, b = 0.75 * a + 0.25 * b * b, 0.6 * b + 0.4 * a
        steps += 1
    return a, b


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 5),))
def while_walks_an_array(x):
    i = 0
    s = 0.0
    while i < len(x) and s < 2.9:
        s = s + x[i] ** 2
        i = i + 1
    return s * i


@program(args=lambda rng: (0.6,))
def while_not(x):
    done = False
    y = x
    while not done:
        y = y + math.sin(y)
        done = y > 2.5
    return y


@program(args=lambda rng: (0.83, 12), wrt=0)
def binary_power(x, n):
    result = 1.0
    base = x
    while n > 0:
        if n % 2 == 1:
            result = result * base
        base = base * base
        n = n // 2
    return result


@program(args=lambda rng: (rng.standard_normal(8),))
def pairwise_halving(x):
    while x.shape[0] > 1:
        x = x[::2] * x[1::2] + x[::2]
    return x[0]
