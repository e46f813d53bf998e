"""The functions whose generated text is kept in `tests/golden`, one file for each.

    @case(grad, lambda rng: (rng.standard_normal(3),))
    def square_norm(x):
        return np.sum(x * x)

Each is put into a file of its own before it is compiled, so that line numbers count from its `def` and a new case
changes no other text. `factory`: the function returns the function to differentiate.
"""

from __future__ import annotations

import inspect
import itertools
import linecache
import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from srcgrad import grad, value_and_grad, vjp

F = TypeVar("F", bound=Callable[..., Any])
SCALE = 2.5
SCOPE = {"np": np, "math": math, "SCALE": SCALE}


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    transform: Callable[..., Any]
    arguments: Callable[[np.random.Generator], tuple[Any, ...]]
    options: dict[str, Any] = field(default_factory=dict)
    order: int = 1
    factory: bool = False

    def function(self) -> Any:
        """The function, from a file that holds it alone."""
        file = f"{self.name}.py"
        linecache.cache[file] = (len(self.text), None, self.text.splitlines(keepends=True), file)
        scope = {**SCOPE, "__name__": self.name}
        exec(compile(self.text, file, "exec"), scope)
        made = scope[self.name]
        return made() if self.factory else made

    def derivative(self) -> Any:
        derivative = self.function()
        for _ in range(self.order):
            derivative = self.transform(derivative, **self.options)
        return derivative

    def source(self) -> str:
        """The generated text."""
        text: str = self.derivative().source_for(*self.arguments(np.random.default_rng(0)))
        return text


CASES: dict[str, Case] = {}


def case(
    transform: Callable[..., Any],
    arguments: Callable[[np.random.Generator], tuple[Any, ...]],
    order: int = 1,
    factory: bool = False,
    **options: Any,
) -> Callable[[F], F]:
    """Registers a function with the derivative whose text is kept."""

    def register(function: F) -> F:
        name = function.__name__
        if name in CASES:
            raise ValueError(f"two cases are named {name}")
        lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
        text = "".join(itertools.dropwhile(lambda line: not line.startswith("def "), lines))
        CASES[name] = Case(name, text, transform, arguments, options, order, factory)
        return function

    return register


# The three of the standard that the text is held to


@case(value_and_grad, lambda rng: (rng.standard_normal(3), rng.standard_normal((5, 3)), rng.random(5)))
def loss(w, X, y):
    p = 1 / (1 + np.exp(-(X @ w)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@case(vjp, lambda rng: (rng.standard_normal(3),))
def double_until(x):
    y = x * 2
    while np.linalg.norm(y) < 1000:
        y = y * 2
    return y


@case(grad, lambda rng: (rng.standard_normal(9), 0.1, 5))
def diffuse(u, dt, steps):
    u = u.copy()
    for t in range(steps):
        u[1:-1] = u[1:-1] + dt * (u[2:] ** 2 - u[:-2])
    return np.sum(u)


# Straight lines


@case(grad, lambda rng: (0.5,))
def scalar_polynomial(x):
    return 3 * x**2 + 2 * x + 1


@case(grad, lambda rng: (rng.standard_normal(6),))
def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@case(value_and_grad, lambda rng: (0.7, 1.3), wrt=(0, 1))
def surface(x, y):
    r = math.sqrt(x * x + y * y)
    return math.sin(r) / r


@case(grad, lambda rng: (rng.standard_normal(4),))
def a_name_is_rebound(x):
    x = np.sin(x)
    x = x * x
    return np.sum(x)


@case(grad, lambda rng: (rng.standard_normal((4, 3)),))
def stable_log_sum_exp(x):
    largest = np.max(x, axis=1, keepdims=True)
    return np.sum(np.log(np.sum(np.exp(x - largest), axis=1)))


# Broadcasting and reductions


@case(vjp, lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal(3), 2.0), wrt=(0, 1, 2))
def affine(m, r, a):
    return a * m + r


@case(vjp, lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal((4, 1))), wrt=(0, 1))
def column_and_matrix(m, c):
    return m / c


@case(grad, lambda rng: (rng.standard_normal((5, 2)),))
def standardised(x):
    centred = x - np.mean(x, axis=0)
    return np.sum((centred / np.sqrt(np.mean(centred**2, axis=0))) ** 3)


@case(grad, lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal((5, 3))), wrt=(0, 1))
def pairwise_distances(a, b):
    diff = a[:, None, :] - b[None, :, :]
    return np.sum(np.sqrt(np.sum(diff**2, axis=2)))


@case(value_and_grad, lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal(3)), wrt=(0, 1))
def quadratic_form(a, x):
    return x @ a @ x


@case(grad, lambda rng: (rng.standard_normal(2), 0.1, rng.standard_normal(2)), wrt=(0, 1))
def matrices_written_out(state, dt, seen):
    F = np.array([[1, dt], [0, 1.0]])
    P = np.array([[2, 0], [0, 1]])
    error = seen - F @ state
    return error @ P @ error


# Networks


@case(
    value_and_grad,
    lambda rng: (
        *(rng.standard_normal((8, 5)), np.zeros(5), rng.standard_normal((5, 2)), np.zeros(2)),
        *(rng.standard_normal((10, 8)), rng.standard_normal((10, 2))),
    ),
    wrt=(0, 1, 2, 3),
)
def two_layers(w1, b1, w2, b2, inputs, targets):
    hidden = np.tanh(inputs @ w1 + b1)
    outputs = hidden @ w2 + b2
    return np.mean((outputs - targets) ** 2)


@case(
    grad,
    lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal((2, 3)), rng.standard_normal((6, 2))),
    wrt=(0, 1),
)
def recurrent(w, u, xs):
    h = np.zeros(3)
    for x in xs:
        h = np.tanh(h @ w + x @ u)
    return np.sum(h**2)


# Loops


@case(grad, lambda rng: (0.5, 6))
def loop_that_records(x, n):
    y = x
    for i in range(n):
        y = math.sin(y) * x
    return y


@case(vjp, lambda rng: (rng.standard_normal(4), 0.9, 6))
def loop_that_records_nothing(x, decay, n):
    y = x
    for i in range(n):
        y = decay * y - y / 3
    return y


@case(grad, lambda rng: (rng.standard_normal(5), 0.3))
def horner(coefficients, x):
    value = 0.0
    for c in coefficients:
        value = value * x + c
    return value


@case(grad, lambda rng: (rng.standard_normal((3, 4)),))
def nested_loops(a):
    total = 0.0
    for i in range(3):
        row = 1.0
        for j in range(4):
            row = row * a[i, j]
        total = total + row
    return total


@case(grad, lambda rng: (2.0,))
def newton_square_root(x):
    y = x
    while abs(y * y - x) > 1e-12:
        y = 0.5 * (y + x / y)
    return y


@case(grad, lambda rng: (rng.random(6), 1.2))
def loop_with_break(x, bound):
    total = 0.0
    for v in x:
        if total > bound:
            break
        total = total + v * v
    return total


@case(grad, lambda rng: (rng.standard_normal(6),))
def loop_with_continue(x):
    total = 0.0
    for v in x:
        if v < 0:
            continue
        total += math.sqrt(v)
    return total


# Branches


@case(grad, lambda rng: (0.8, 0.3), wrt=(0, 1))
def branch(x, a):
    if x > a:
        y = x * a
    else:
        y = math.exp(x)
    return y * x


@case(grad, lambda rng: (0.8,))
def early_return(x):
    if x < 0:
        return -x
    y = x * x
    if y > 10:
        return y
    return y * math.log(x)


@case(grad, lambda rng: (rng.standard_normal(4),))
def conditional_expression(x):
    s = np.sum(x)
    return s * s if s > 0 else np.sum(np.abs(x))


@case(vjp, lambda rng: (rng.standard_normal(5),))
def where_instead_of_a_branch(x):
    return np.where(x > 0, x, 0.1 * np.expm1(x))


# Stores, masks and fancy indices


@case(vjp, lambda rng: (rng.standard_normal(4),))
def store_elements(x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        y[i] = x[i] ** 2
    return y


@case(vjp, lambda rng: (rng.standard_normal((3, 3)),))
def store_columns(a):
    b = np.ones_like(a)
    b[:, 0] = a[1]
    b[:, 2] = np.sin(a[:, 0])
    return b * a


@case(grad, lambda rng: (rng.standard_normal((4, 3)),))
def gram_schmidt_step(a):
    a = a.copy()
    for j in range(1, 3):
        a[:, j] -= np.dot(a[:, 0], a[:, j]) * a[:, 0]
    return np.sum(a**3)


@case(grad, lambda rng: (rng.standard_normal(6),))
def masked_assignment(x):
    y = x * 2
    y[x > 0] = 0.0
    return np.sum(y**2)


@case(grad, lambda rng: (rng.standard_normal(6), np.array([0, 2, 2, 5])))
def gathered(x, index):
    return np.sum(x[index] ** 2)


@case(vjp, lambda rng: (rng.standard_normal(5),))
def first_differences(x):
    return x[1:] - x[:-1]


# Several results, calls, closures, containers


@case(vjp, lambda rng: (rng.standard_normal(3), 1.5), wrt=(0, 1))
def several_results(x, a):
    y = a * x
    return y, np.sum(y**2)


@case(value_and_grad, lambda rng: (rng.standard_normal(4),), has_aux=True)
def loss_with_predictions(x):
    predictions = np.exp(x)
    return np.sum(predictions**2), predictions


@case(grad, lambda rng: (rng.standard_normal(4),), factory=True)
def closure():
    scale = 3.0

    def squashed(v):
        return scale * np.tanh(v)

    def of_the_closure(x):
        return np.sum(squashed(x) * SCALE)

    return of_the_closure


@case(grad, lambda rng: ([rng.standard_normal(3), rng.standard_normal(3)],))
def list_of_arrays(parts):
    return np.sum(parts[0] * parts[1])


@case(grad, lambda rng: ({"w": rng.standard_normal(3), "b": 0.5}, rng.standard_normal((4, 3))))
def dict_of_parameters(params, X):
    return np.sum((X @ params["w"] + params["b"]) ** 2)


@case(grad, lambda rng: (rng.standard_normal(5),))
def list_that_grows(x):
    parts = []
    for v in x:
        parts.append(v * v)
    return np.sum(np.array(parts) * x)


# Names


@case(vjp, lambda rng: (0.6, 3))
def builtins_are_hidden(sum, range):
    max = 0
    while max < range:
        sum = sum * sum
        max += 1
    return sum


@case(grad, lambda rng: (rng.standard_normal(3), 0.5, 1.0), wrt=(0, 1))
def names_of_the_compiler(x, x_bar, seed):
    y_bar = x * x_bar
    return np.sum(y_bar * y_bar) * seed


# Exceptions


@case(grad, lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal(3)), wrt=(0, 1))
def solve_or_descend(matrix, b):
    try:
        step = np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        step = 0.1 * (matrix.T @ b)
    return np.sum(step * step)


@case(value_and_grad, lambda rng: (1.1, {"a": 2.0, "b": 0.5}, ["c", "a", "b"]))
def known_items_alone(x, table, items):
    total = 0.0
    for item in items:
        try:
            rate = table[item]
        except KeyError as error:
            print("not known:", error)
            continue
        total = total + math.exp(rate * x)
    return total


# Without types, and twice


@case(
    value_and_grad,
    lambda rng: (rng.standard_normal(3), rng.standard_normal((5, 3)), rng.random(5)),
    specialize=False,
)
def polymorphic_loss(w, X, y):
    p = 1 / (1 + np.exp(-(X @ w)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@case(grad, lambda rng: (rng.standard_normal(3), 2.0), wrt=(0, 1), specialize=False)
def polymorphic_product(x, a):
    return np.sum(np.sin(x) * a)


@case(grad, lambda rng: (0.7,), order=2)
def second_derivative(x):
    return x**3 * math.sin(x)


@case(grad, lambda rng: (rng.standard_normal(3),), optimize=False)
def without_simplification(x):
    return np.sum(2 * x)
