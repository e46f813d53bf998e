"""Names used again, shadowing, and names that the generated code would like to have."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (0.6,))
def same_name_throughout(x):
    x = x * 2
    x = math.sin(x)
    x = x * x
    return x


@program(args=lambda rng: (rng.standard_normal(3),))
def scalar_then_array_then_scalar(x):
    t = 2.0
    t = t * x
    t = np.sum(t**2)
    for t2 in (t, t * 0.5):
        t = t + t2
    return t


@program(args=lambda rng: (0.6, 1.1), wrt=(0, 1))
def adjoint_names_are_taken(x, x_bar):
    y_bar = x * x_bar
    y = y_bar + x
    seed = y * y
    return seed * y_bar


@program(args=lambda rng: (rng.standard_normal(3), 0.4), wrt=(0, 1))
def sweep_names_are_taken(tape, trips):
    x_tape = tape * trips
    taken = []
    for i in range(3):
        if x_tape[i] > 0:
            taken.append(x_tape[i] ** 2)
    value = trips
    for stack in taken:
        value = value + stack * trips
    return value


@program(args=lambda rng: (0.6, 1.2), wrt=("seed", "value"))
def parameters_named_seed_and_value(seed, value):
    forward, reverse = seed * value, seed + value
    return forward * reverse


@program(args=lambda rng: (0.6, 3))
def builtins_are_shadowed(sum, range):
    len = sum * 2
    list = 0.0
    max = 0
    while max < range:
        list = list * sum + len
        max += 1
    return list


@program(args=lambda rng: (0.6, rng.standard_normal(3)), wrt=(0, 1))
def numpy_functions_as_names(exp, zeros):
    sin = np.sin(zeros) * exp
    sum = np.sum(sin)
    return sum * np.exp(exp)


@program(args=lambda rng: (0.6,))
def underscores_and_digits(_x):
    x_0 = _x * 2
    x0 = x_0 + 1
    x_1 = x_0 * x0
    _ = x_1 - _x
    return _ * x_1


@program(args=lambda rng: (0.6, 0.9), wrt=(0, 1))
def unicode_names(θ, α):
    β = math.sin(θ) * α
    λ = β**2
    return λ + θ


@program(args=lambda rng: (rng.standard_normal(4),))
def loop_variable_shadows_the_argument(x):
    s = 0.0
    for x in x:
        s = s + x * x
    return s * x


@program(args=lambda rng: (0.4,))
def deleted_name(x):
    t = x * 3
    y = t * t
    del t
    t = y + 1
    return t * x


@program(args=lambda rng: (0.4,))
def annotated_and_walrus(x: float) -> float:
    y: float = x * 3
    z: float
    if (z := y * y) > 1:
        z = z * y
    return z + y


@program(args=lambda rng: (0.5, 0.3), wrt=(0, 1))
def keywords_of_the_derivative(wrt, args):
    grad = wrt * args
    primal = grad + wrt**2
    return primal, grad
