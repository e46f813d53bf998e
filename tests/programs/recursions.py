"""Functions that call themselves or each other, with loops, branches and memory inside."""

import math

import numpy as np

from tests.programs import program


def _even_step(x, n):
    return x if n == 0 else x * _odd_step(np.sin(x), n - 1)


def _odd_step(x, n):
    return 1.0 if n == 0 else x + _even_step(x * x, n - 1)


@program(args=lambda rng: (0.7, 5))
def two_functions_call_each_other(x, n):
    return _even_step(x, n)


@program(args=lambda rng: (rng.standard_normal(8),))
def sum_by_halves(x):
    def halves(part):
        if part.shape[0] == 1:
            return part[0] * part[0]
        middle = part.shape[0] // 2
        left, right = halves(part[:middle]), halves(part[middle:])
        return left + right + left * right

    return halves(x)


@program(args=lambda rng: (rng.standard_normal(3), 3))
def recursion_with_memory_in_a_branch(x, depth):
    def refined(v, level):
        if level == 0:
            return np.sum(v**2)
        finer = np.zeros(v.shape[0] + 1)
        for i in range(v.shape[0]):
            finer[i] += 0.5 * v[i]
            finer[i + 1] += 0.5 * np.cos(v[i])
        return refined(finer, level - 1) + v[0]

    return refined(x, depth)


@program(args=lambda rng: (1.3, 4))
def recursion_with_nested_branches(x, n):
    def walk(x, n):
        if n > 0:
            if n % 2:
                y = math.sin(x)
                return y * walk(y, n - 1)
            y = x * x
            if y > 1.0:
                z = math.log(y)
                return z + walk(z + 0.5, n - 1)
            return walk(y + 0.1, n - 1) - y
        return x**3

    return walk(x, n)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3), 3))
def recursion_that_returns_a_tuple(x, n):
    def pair(x, n):
        if n == 0:
            return x, np.sum(x)
        y, s = pair(x * x, n - 1)
        return y + x, s * x[0]

    y, s = pair(x, n)
    return np.sum(y) * s


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4), 2.0), wrt=(0, 1))
def recursion_over_a_list(x, a):
    def total(items):
        if len(items) == 0:
            return 0.0
        return items[0] ** 2 * a + total(items[1:])

    return total([v * a for v in x])


@program(args=lambda rng: (0.8, 3))
def recursion_inside_of_a_loop(x, n):
    def branches(x, n):
        s = x
        for k in range(n):
            s = s + math.sin(s * (k + 1)) * branches(0.5 * x, n - 1)
        return s

    return branches(x, n)


@program(args=lambda rng: (rng.standard_normal((2, 3)), rng.standard_normal(3)), wrt=(0, 1))
def adaptive_simpson(weights, x):
    def integrand(t):
        return np.tanh(weights[0] * t) @ x + t**2 * weights[1, 0]

    def simpson(a, b, level):
        middle = 0.5 * (a + b)
        if level == 0:
            return (b - a) / 6.0 * (integrand(a) + 4.0 * integrand(middle) + integrand(b))
        return simpson(a, middle, level - 1) + simpson(middle, b, level - 1)

    return simpson(0.0, 1.0, 2)


def simpson(f, a, b):
    return (b - a) / 6 * (f(a) + 4 * f((a + b) / 2) + f(b))


def adaptive(f, a, b, eps):
    c = (a + b) / 2
    left, right = simpson(f, a, c), simpson(f, c, b)
    if abs(simpson(f, a, b) - left - right) < eps:
        return left + right
    return adaptive(f, a, c, eps / 2) + adaptive(f, c, b, eps / 2)


def cubed(t):
    return t**3 + np.sin(3 * t)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3),))
def adaptive_quadrature_of_functions(x):
    k = x[0] * x[1]

    def wave(t):
        return np.sin(k * t) * scaled(t)

    def scaled(t):
        return t * x[2]

    line = adaptive(lambda t: t * x[1], 0.0, 1.0, 1e-3)
    return adaptive(wave, 0.0, 1.0, 1e-4) + adaptive(cubed, 0.0, x[0], 1e-4) * line


def folded(f, values, start):
    if len(values) == 0:
        return start
    return folded(f, values[1:], f(start, values[0]))


def mapped_over(f, tree):
    if isinstance(tree, list | tuple):
        return [mapped_over(f, branch) for branch in tree]
    return f(tree)


@program(args=lambda rng: (rng.standard_normal(3),))
def functions_passed_down_a_recursion(x):
    found = mapped_over(lambda v: v * x[0], [x[1], [x[2], x[0]]])
    return folded(lambda a, b: a * b + x[1], x, 1.0) + found[0] * found[1][0] * found[1][1]
