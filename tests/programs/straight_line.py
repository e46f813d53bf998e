"""No control flow: chains of operations, shared subexpressions, several results."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (0.7,))
def cubed(x):
    return x * x * x


@program(args=lambda rng: (0.4, 1.3), wrt=(0, 1))
def shared_subexpression(x, y):
    s = x * y
    t = s + math.sin(s)
    return t * s - t / y


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def long_chain(x):
    a = np.exp(-x)
    b = np.log(1.0 + a)
    c = np.sqrt(b + x**2)
    d = np.tanh(c) / c
    return np.sum(d * a)


@program(args=lambda rng: (1.2, 0.3), wrt=("radius", "angle"))
def polar_to_cartesian(radius, angle):
    return radius * math.cos(angle), radius * math.sin(angle)


@program(args=lambda rng: (rng.standard_normal(3), rng.standard_normal(3)), wrt=(0, 1))
def cross_and_dot(u, v):
    dot = u @ v
    cross = np.cross(u, v)
    return cross, dot


@program(args=lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal(3)), wrt=(0, 1))
def quadratic_form(a, x):
    ax = a @ x
    return x @ ax, ax


@program(args=lambda rng: (rng.uniform(0.5, 2.0, 5), 1.7), wrt=("x", "p"))
def power_mean(x, p):
    return np.mean(x**p) ** (1 / p)


@program(args=lambda rng: (rng.standard_normal(6),))
def unused_work(x):
    wasted = np.exp(x) * 3
    kept = x * 2
    wasted = wasted + kept
    return np.sum(kept**2), kept


@program(args=lambda rng: (rng.standard_normal(4), rng.standard_normal(4)), wrt=(0, 1))
def one_argument_is_not_used(x, y):
    return np.sum(np.sin(x)), np.cos(x)


@program(args=lambda rng: (rng.standard_normal(3),))
def result_is_an_argument(x):
    y = 2 * x
    return x, y, x
