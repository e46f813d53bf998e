"""What a program changes that its caller sees, or that two of its own names see: done as in the primal, or refused.

Gradients are compared with central differences, objects with what the primal leaves of them.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, stop_gradient, value_and_grad
from srcgrad.errors import SrcgradError

STEP = 1e-6
POINT = np.array([0.3, -0.7, 1.2, 0.1])


@dataclass
class Body:
    x: np.ndarray
    v: np.ndarray
    mass: float = 2.0

    def step(self, dt: float) -> None:
        self.x += dt * self.v
        self.v = self.v - dt * np.sin(self.x) / self.mass


@dataclass
class Model:
    body: Body
    rate: float
    history: list[float]

    @property
    def decay(self) -> float:
        return self.rate

    @decay.setter
    def decay(self, value: float) -> None:
        self.rate = value * 0.5


def body() -> Body:
    return Body(np.array([0.3, 0.4]), np.array([0.7, -0.2]))


def replaced(p, dt):
    for _ in range(3):
        p.step(dt)
    return np.sum(p.x * p.v) * p.mass


def partly_written(p, dt):
    p.x[0] = dt * p.v[1]
    p.x[1:] += p.v[1:] ** 2
    return np.sum(p.x * p.v)


def swapped(p, dt):
    p.x, p.v = p.v, p.x
    return np.sum(p.x**2 * p.v) * dt


def never_read(p, dt):
    p.x = dt * p.v
    return np.sum(p.x**2)


def changed_on_a_path(p, dt):
    while p.x[0] < 1.0:
        p.step(dt)
        p.v = p.v + 1
    if p.v[0] > 0:
        p.mass *= dt
    return p.x[0] * p.mass


def of_another_shape(p, dt):
    s = np.sum(p.x**2)
    p.x = np.outer(p.x, p.v)
    p.x[0, 1] = s * dt
    return np.sum(p.x**2)


@pytest.mark.parametrize(
    "function", [replaced, partly_written, swapped, never_read, changed_on_a_path, of_another_shape]
)
def test_the_fields_of_an_object_from_outside(function: Callable[..., Any]) -> None:
    given, left = body(), body()
    value, (p_bar, dt_bar) = value_and_grad(function, (0, 1))(given, 0.2)
    assert value == function(left, 0.2)
    assert np.array_equal(given.x, left.x)
    assert np.array_equal(given.v, left.v)
    assert given.mass == left.mass
    assert np.isclose(dt_bar, (function(body(), 0.2 + STEP) - function(body(), 0.2 - STEP)) / (2 * STEP), rtol=1e-5)
    for field in ("x", "v"):
        for k in range(2):
            ends = []
            for sign in (1, -1):
                moved = body()
                getattr(moved, field)[k] += sign * STEP
                ends.append(function(moved, 0.2))
            slope = (ends[0] - ends[1]) / (2 * STEP)
            assert np.isclose(getattr(p_bar, field)[k], slope, rtol=1e-5, atol=1e-8)


def test_objects_in_objects_and_their_properties() -> None:
    def train(model, g):
        model.body.x = model.body.x - model.rate * g
        model.decay = model.rate * 3.0
        model.history.append(model.rate * model.body.x[0])
        return np.sum(model.body.x * model.body.v) + model.history[-1] ** 2

    def model() -> Model:
        return Model(body(), 0.3, [1.0])

    given, left, g = model(), model(), np.array([0.5, 0.2])
    gradient = grad(train)(given, g)
    train(left, g)
    assert (given.rate, given.history) == (left.rate, left.history)
    assert np.array_equal(given.body.x, left.body.x)
    assert gradient.history == [0.0]
    ends = [train(Model(body(), 0.3 + h, [1.0]), g) for h in (STEP, -STEP)]
    assert np.isclose(gradient.rate, (ends[0] - ends[1]) / (2 * STEP), rtol=1e-5)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda q: q.append(q[0] * q[1]) or q[2] ** 2, [2 * 0.3 * 0.16, 2 * 0.4 * 0.09]),
        (lambda q: q.pop() * q[0], [0.4, 0.3]),
        (lambda q: q.insert(0, q[1] ** 2) or q[0] * q[1], [0.16, 2 * 0.4 * 0.3]),
    ],
)
def test_a_list_that_grows_or_shrinks_has_the_gradient_of_what_was_given(function: Any, expected: list[float]) -> None:
    assert np.allclose(grad(function)([0.3, 0.4]), expected)


def written_through_operator(x):
    a = x * 2
    operator.setitem(a, 0, x[1])
    return np.sum(a)


def written_by_a_special_method(x):
    a = x * 2
    a.__setitem__(0, x[1])
    return np.sum(a)


def written_by_an_iterator(x):
    a = x * 2
    for e in np.nditer(a, op_flags=["readwrite"]):
        e[...] = 2 * e
    return np.sum(a * x)


def shuffled(x):
    a = x * 2
    np.random.default_rng(0).shuffle(a)
    return np.sum(a * x)


def conjugate_is_the_array(x):
    a = x * 2
    b = a.conj()
    a[0] = x[1]
    return np.sum(a * b)


def converted_without_a_copy(x):
    a = x * 2
    b = a.astype(float, copy=False)
    b[0] = x[1]
    return np.sum(a * x)


def part_of_a_view(x):
    a = x * 2
    p, q = np.hsplit(a, 2)
    a[0] = x[1]
    return np.sum(p * q)


def element_taken_before(x):
    q = [x * 1.0]
    first = q[0]
    q[0][1] = 5.0
    return np.sum(first * x)


def element_held_twice(x):
    q = [x * 1.0]
    q.append(q[0])
    q[0][1] = 5.0
    return np.sum(q[1] * x)


def copied_list(x):
    q = [x * 1.0, x]
    r = q.copy()
    r[0][1] = 5.0
    return np.sum(q[0] * x)


def repeated_list(x):
    q = [x * 1.0] * 3
    q[0][1] = 5.0
    return np.sum(q[1] * x)


def merged_dict(x):
    d = {"a": x * 1.0}
    e = d | {"b": x}
    d["a"][1] = 5.0
    return np.sum(e["a"] * x)


def field_held_twice(x):
    def inner(p):
        p.x = p.v
        p.x[0] = 3.0
        return np.sum(p.x * p.v)

    return inner(BODY) * x[0]


def memory_of_a_recursion(x):
    out = np.zeros(4)

    def go(i):
        if i == 4:
            return 0.0
        out[i] = x[i] ** 2
        return go(i + 1)

    go(0)
    return out[0] * out[3]


def memoised_recursion(x):
    memo = {}

    def go(i):
        if i in memo:
            return memo[i]
        value = x[0] if i == 0 else go(i - 1) * x[i]
        memo[i] = value
        return value

    return go(3) + go(2)


def variable_of_a_recursion(x):
    total = 0.0

    def go(i):
        nonlocal total
        if i < 4:
            total = total + x[i] ** 2
            go(i + 1)

    go(0)
    return total


def result_of_stop_gradient(x):
    y = x * 2
    z = stop_gradient(y)
    z[0] = 5.0
    return np.sum(y * z)


def reshaped_argument(x):
    a = x.reshape(2, 2).T
    a.reshape(-1)[1] = 3.0
    return np.sum(x * x)


def reshaped_without_knowing_the_order(x):
    a = np.outer(x, x).T * 2.0
    a.reshape(-1)[1] = x[0]
    return np.sum(a)


def set_of_active_values(x):
    return sum({x[0], x[1]})


def entry_changed_under_another_name(x):
    table = {"a": x[0], "b": x[1]}
    same = table
    for _, value in table.items():
        same["b"] = value * value
    return table["a"] * table["b"]


def entry_changed_by_a_method(x):
    class Table:
        def __init__(self):
            self.entries = {"a": x[0], "b": x[1]}

        def double(self):
            self.entries["b"] = self.entries["b"] * 2

    table = Table()
    total = 0.0
    for value in table.entries.values():
        table.double()
        total = total + value**2
    return total


def entry_of_a_grown_dict_changed(x):
    table = {}
    for i in range(3):
        table[i] = x[i]
    for _, value in table.items():
        table[1] = value * value
    return table[0] * table[1]


def own_entries_changed(x):
    table = {}
    for i in range(3):
        table[i] = x[i]
    fixed = {"a": x[0], "b": x[1]}
    for key, value in table.items():
        table[key] = value * value
    for i, (key, value) in enumerate(fixed.items()):
        if i == 1:
            break
        fixed[key] = value * value * 3.0
    for _, value in list(fixed.items()):
        fixed["b"] = value * fixed["b"]
    return table[0] * table[1] + fixed["a"] * fixed["b"]


def test_a_loop_over_a_dict_may_change_the_entry_that_it_is_given() -> None:
    slopes = [(own_entries_changed(POINT + e) - own_entries_changed(POINT - e)) / (2 * STEP) for e in STEP * np.eye(4)]
    assert np.allclose(grad(own_entries_changed)(POINT), slopes, rtol=1e-5, atol=1e-9)


BODY = body()


@pytest.mark.parametrize(
    "function",
    [
        entry_changed_under_another_name, entry_changed_by_a_method, entry_of_a_grown_dict_changed,
        written_through_operator, written_by_a_special_method, written_by_an_iterator, shuffled, part_of_a_view,
        conjugate_is_the_array, converted_without_a_copy, element_held_twice, copied_list,
        repeated_list, field_held_twice, memory_of_a_recursion, memoised_recursion,
        variable_of_a_recursion, result_of_stop_gradient, reshaped_argument, reshaped_without_knowing_the_order,
        set_of_active_values,
    ],
)  # fmt: skip
@pytest.mark.parametrize("specialize", [True, False])
def test_what_is_refused(function: Callable[..., Any], specialize: bool) -> None:
    before = copy.deepcopy(BODY)
    x = POINT.copy()
    with pytest.raises(SrcgradError):
        grad(function, specialize=specialize)(x)
    assert np.array_equal(x, POINT)
    assert np.array_equal(BODY.x, before.x)


@pytest.mark.parametrize("function", [element_taken_before, merged_dict])
@pytest.mark.parametrize("specialize", [True, False])
def test_elements_that_stay_go_by_their_own_names(function: Callable[..., Any], specialize: bool) -> None:
    slopes = [(function(POINT + e) - function(POINT - e)) / (2 * STEP) for e in STEP * np.eye(4)]
    assert np.allclose(grad(function, specialize=specialize)(POINT), slopes, rtol=1e-5, atol=1e-9)


def test_a_recursive_closure_reads_what_functions_beside_it_write() -> None:
    def f(x):
        scale = 1.0

        def bump():
            nonlocal scale
            scale = scale * x[1]

        def go(i):
            return x[0] if i == 0 else np.sin(go(i - 1)) * scale

        bump()
        first = go(3)
        bump()
        return first * go(2)

    slopes = [(f(POINT + e) - f(POINT - e)) / (2 * STEP) for e in STEP * np.eye(4)]
    assert np.allclose(grad(f)(POINT), slopes, rtol=1e-5, atol=1e-9)
