"""Module constants, closures, helper functions, defaults, keyword arguments, lambdas."""

import math
from functools import partial

import numpy as np
from numpy import exp as e_to_the

from tests.programs import program

GRAVITY = 9.81
WEIGHTS = np.array([0.2, -0.4, 1.1])
OPTIONS = {"scale": 1.5, "steps": 3}


@program(args=lambda rng: (0.8,))
def module_constant(t):
    if t < 0:
        return t
    return 0.5 * GRAVITY * t**2


@program(args=lambda rng: (rng.standard_normal(3),))
def module_array(x):
    s = 0.0
    for w, v in zip(WEIGHTS, x):
        s = s + math.sin(w * v)
    return s * (WEIGHTS @ x)


@program(args=lambda rng: (rng.standard_normal(3),))
def module_dict(x):
    for _ in range(OPTIONS["steps"]):
        x = x * OPTIONS["scale"] - x**2
    return x


@program(args=lambda rng: (rng.standard_normal(3),))
def name_imported_from_numpy(x):
    y = np.empty(3)
    for i in range(3):
        y[i] = e_to_the(x[i]) * math.pi
    return y


def _closures(factor, offsets):
    @program(args=lambda rng: (rng.standard_normal(3),))
    def closure_scalar_and_array(x):
        y = factor * x + offsets
        if factor > 0:
            y = y * factor
        return y

    return closure_scalar_and_array


closure_scalar_and_array = _closures(1.7, np.array([1.0, -1.0, 0.5]))


def _helper_closure(kernel):
    @program(args=lambda rng: (rng.standard_normal(3),))
    def closure_function(x):
        s = 0.0
        for v in x:
            s = s + kernel(v, s)
        return s

    return closure_function


def _kernel(a, b):
    return a * b + math.cos(a)


closure_function = _helper_closure(_kernel)


def square(v):
    return v * v


def affine(x, slope=2.0, *, offset=0.5):
    return slope * x + offset


def clamp(x, low, high):
    if x < low:
        return low
    if x > high:
        return high
    return x


def split(x):
    n = len(x) // 2
    return x[:n], x[n:]


def scale_in_place(y, a):
    for i in range(len(y)):
        y[i] *= a


def recursive_power(x, n):
    if n == 0:
        return 1.0
    return x * recursive_power(x, n - 1)


@program(args=lambda rng: (rng.standard_normal(4),))
def calls_a_helper(x):
    s = 0.0
    for v in x:
        s = s + square(v) * square(s + 1)
    return s


@program(args=lambda rng: (0.3, 1.4), wrt=(0, 1))
def calls_with_keywords(x, a):
    return affine(x), affine(x, a), affine(slope=a, x=x), affine(x, offset=a * x)


@program(args=lambda rng: (rng.standard_normal(5), 0.4), wrt=(0, 1))
def helper_with_early_returns(x, bound):
    s = 0.0
    for v in x:
        s = s + v * clamp(v, -bound, bound)
    return s


@program(args=lambda rng: (rng.standard_normal(6),))
def helper_with_two_results(x):
    a, b = split(x)
    c, d = split(a * b + a)
    return np.sum(c) * d


@program(args=lambda rng: (rng.standard_normal(3), 1.3), wrt=(0, 1))
def helper_writes_its_argument(x, a):
    y = x * x
    scale_in_place(y, a)
    scale_in_place(y, a + 1)
    return y


@program(args=lambda rng: (0.9, 5))
def recursion(x, n):
    return recursive_power(x, n) * x


@program(args=lambda rng: (0.9, 1.2), wrt=(0, 1))
def default_parameters(x, a, b=3.0, n=2):
    for _ in range(n):
        x = a * x + b * x**2
    return x


@program(args=lambda rng: (0.9,), keywords={"rate": 0.3, "n": 3}, wrt=("x", "rate"))
def keyword_only_parameters(x, *, rate, n=1):
    for _ in range(n):
        x = x - rate * math.sin(x)
    return x


@program(args=lambda rng: (0.9, 0.4, 1.5), wrt=("xs",))
def any_number_of_arguments(*xs):
    p = 1.0
    for x in xs:
        p = p * x + 0.1
    return p


@program(args=lambda rng: (0.9,))
def calls_a_lambda(x):
    f = lambda t: t * t + x  # noqa: E731
    y = f(x)
    if y > 0:
        y = f(y)
    return y


@program(args=lambda rng: (0.9, 0.2), wrt=(0, 1))
def nested_function(x, a):
    def step(y, k):
        return y - a * math.sin(y) / k

    for k in range(1, 4):
        x = step(x, k)
    return x


@program(args=lambda rng: (0.9, square))
def function_is_an_argument(x, f):
    y = f(x)
    for _ in range(2):
        y = f(y) + x
    return y


@program(args=lambda rng: (0.9, 0.2), wrt=(0, 1))
def partial_application(x, a):
    doubled = partial(affine, slope=a)
    return doubled(x) * doubled(x, offset=x)


@program(args=lambda rng: (rng.standard_normal(4),))
def comprehension_over_a_helper(x):
    return np.array([square(v) * i for i, v in enumerate(x) if i > 0])


STEPS = [np.sin, np.cos, lambda x: x * x]
ACTIVATIONS = {"tanh": np.tanh, "identity": lambda x: x, "square": np.square}
NAMED = [("a", np.sin), ("bc", np.exp)]


@program(args=lambda rng: (rng.uniform(0.2, 0.9),))
def functions_in_lists_and_dicts_outside(x):
    y = x
    for step in STEPS:
        y = step(y)
    for name, f in NAMED:
        y = y + f(x) * len(name)
    y = y + sum(f(x) for f in STEPS) + [f(x) for f in ACTIVATIONS.values()][2]
    y = y + sum(f(x) for name, f in ACTIVATIONS.items() if name != "tanh")
    return y * STEPS[-1](x) * ACTIVATIONS["tanh"](x)


@program(args=lambda rng: (rng.uniform(0.2, 0.9), ["tanh", "square"], 4))
def functions_chosen_by_name_and_by_position(x, names, n):
    y = x
    for name in names:
        y = ACTIVATIONS[name](y) + ACTIVATIONS.get(name, np.exp)(x)
    for k in range(n):
        y = STEPS[k % 3](y + k) + STEPS[-k % 3](x)
    return y + ACTIVATIONS.get(names[0] + "!", np.exp)(x)
