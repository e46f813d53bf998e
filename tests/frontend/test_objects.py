"""Objects: made in the function, given as arguments, found in globals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from srcgrad import grad
from tests.frontend.agreement import X, agrees, refused


class State(NamedTuple):
    x: Any
    v: Any = 1.0

    @property
    def energy(self) -> Any:
        return self.x**2 + self.v**2


@dataclass
class Momentum:
    rate: Any
    velocity: Any = 0.0
    history: list[Any] = field(default_factory=list)

    def step(self, w: Any, g: Any) -> Any:
        self.velocity = 0.9 * self.velocity - self.rate * g
        return w + self.velocity


@dataclass(frozen=True)
class Vector:
    a: Any
    b: Any

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.a + other.a, self.b + other.b)

    def __mul__(self, k: Any) -> Vector:
        return Vector(self.a * k, self.b * k)

    __rmul__ = __mul__

    def __neg__(self) -> Vector:
        return Vector(-self.a, -self.b)

    def dot(self, other: Vector) -> Any:
        return self.a * other.a + self.b * other.b


class Layer:
    scale = 2.0

    def __init__(self, w: Any) -> None:
        self.w = w

    def __call__(self, x: Any) -> Any:
        return self.activation(self.w * x) * self.scale

    def activation(self, x: Any) -> Any:
        return np.tanh(x)


class Rough(Layer):
    def __init__(self, w: Any, b: Any) -> None:
        super().__init__(w)
        self.b = b

    def activation(self, x: Any) -> Any:
        return super().activation(x) + self.b

    @property
    def size(self) -> Any:
        return self.w * self.w

    @size.setter
    def size(self, value: Any) -> None:
        self.w = np.sqrt(value)


class Cell:
    def __init__(self, value: Any) -> None:
        self.value = value


MODEL = Rough(np.array([0.5, 1.0, -0.3]), 0.1)


def test_named_tuples_in_loops_and_branches() -> None:
    def f(x: Any) -> Any:
        state = State(x[0])
        for k in range(3):
            new = State(state.x + 0.1 * state.v, v=state.v - x[k] * state.x)
            if new.x > 0.45:
                state = new._replace(v=0.5 * new.v)
            else:
                state = new
        position, velocity = state
        return state.energy + position * velocity + state[1]

    agrees(f)


def test_dataclasses_change_in_loops() -> None:
    def f(x: Any) -> Any:
        optimiser = Momentum(x[2])
        w = x[0]
        for _ in range(3):
            if w > 0:
                optimiser.rate *= 0.5
            w = optimiser.step(w, 2 * w + np.cos(x[1]))
        return w + optimiser.velocity

    agrees(f, general=False)


def test_two_names_of_one_object() -> None:
    def f(x: Any) -> Any:
        one = Cell(x[0])
        other = one
        for k in range(2):
            other.value = one.value * x[k]
        one.value += 1.0
        return other.value

    agrees(f, general=False)


def test_operators_of_classes() -> None:
    def f(x: Any) -> Any:
        u, v = Vector(x[0], x[1]), Vector(1.0, x[2])
        w = 2.0 * u + v * x[0] + -v
        return w.dot(u) + replace(w, a=x[1]).a

    agrees(f)


def test_objects_in_lists() -> None:
    def f(x: Any) -> Any:
        layers = [Layer(x[0]), Rough(x[1], 0.5), Rough(x[2], x[0])]
        y = x[0]
        for layer in layers:
            y = layer(y) + y
        for i in range(len(layers)):
            y = y + layers[i].w
        first = next_layer = layers[0]
        return y + next_layer.w * first.w

    agrees(f)


def test_inheritance_and_properties() -> None:
    def f(x: Any) -> Any:
        layer = Rough(x[0], x[1])
        before = layer.size
        layer.size = before + x[2] ** 2
        assert isinstance(layer, Layer)
        return layer(x[1]) + before

    agrees(f)


def test_objects_made_in_every_iteration() -> None:
    def f(x: Any) -> Any:
        cell = Cell(x[0])
        for k in range(3):
            value = cell.value * x[k]
            cell = Cell(value + 1.0)
        return cell.value

    agrees(f)


def test_objects_made_in_branches() -> None:
    def f(x: Any) -> Any:
        if x[0] > 0:
            cell = Cell(x[1])
        else:
            cell = Cell(x[2] * x[0])
        cell.value *= 2.0
        return cell.value

    agrees(f, general=False)
    agrees(f, -X, general=False)


def test_methods_of_arguments() -> None:
    def f(x: Any, model: Any) -> Any:
        return np.sum(model(x) * model.size)

    agrees(f, X, Rough(np.array([1.0, 2.0, 0.5]), 0.3))


def test_named_tuples_as_arguments() -> None:
    def f(x: Any, state: Any) -> Any:
        position, velocity = state
        return np.sum(x * position * velocity) + state[0] + state.energy

    agrees(f, X, State(0.3, 2.0))


def test_objects_from_globals() -> None:
    def f(x: Any) -> Any:
        return np.sum(MODEL(x) * Layer.scale)

    agrees(f)
    before = grad(f)(X)
    old = MODEL.b, Layer.scale
    MODEL.b, Layer.scale = 2.0, 3.0
    try:
        assert not np.allclose(grad(f)(X), before)
        agrees(f)
    finally:
        MODEL.b, Layer.scale = old


def test_attributes_are_read_at_every_call() -> None:
    model = Layer(2.0)

    def f(x: Any) -> Any:
        return model(x) * model.scale

    derivative = grad(f)
    first = derivative(0.5)
    model.w = 3.0
    assert derivative(0.5) != first
    assert derivative(0.5) == pytest.approx(grad(f)(0.5))
    agrees(f, 0.5)


def test_methods_as_arguments() -> None:
    def f(x: Any, step: Any) -> Any:
        return np.sum(step(x))

    agrees(f, X, Layer(1.5))
    agrees(f, X, Layer(1.5).activation)


def test_an_object_that_leaves_is_refused() -> None:
    def f(x: Any) -> Any:
        return x[0], Cell(x[1])

    refused(f, "leaves the function's own names")


def test_a_field_of_two_structures_is_refused_where_it_is_read() -> None:
    def f(x: Any) -> Any:
        cell = Cell(x[0])
        for k in range(3):
            cell.value = (x[k], x[k])
        return cell.value[0]

    def unread(x: Any) -> Any:
        cell = Cell(x[0])
        for k in range(3):
            cell.value = (x[k], x[k] * x[1])
            x = x * cell.value[1]
        return x[0]

    refused(f, "`value` is one of two things")
    agrees(unread, X)


def test_a_write_to_an_argument_is_seen_by_the_caller() -> None:
    def f(x: Any, cell: Any) -> Any:
        cell.value = x[0]
        return cell.value * x[1]

    cell = Cell(1.0)
    agrees(f, X, cell)
    assert cell.value == X[0]


def test_a_new_attribute_of_an_argument_is_refused() -> None:
    def f(x: Any, cell: Any) -> Any:
        cell.other = x[0]
        return x[0]

    refused(f, "the new attribute `other`", X, Cell(1.0))


def test_an_object_that_is_held_twice_in_a_loop_is_refused() -> None:
    def f(x: Any) -> Any:
        cell = Cell(x[0])
        first = cell
        for k in range(3):
            cell = Cell(cell.value * x[k])
        return cell.value + first.value

    refused(f, "one of two things")


def test_a_frozen_object_does_not_change() -> None:
    def f(x: Any) -> Any:
        v = Vector(x[0], x[1])
        v.a = 2.0
        return v.a

    refused(f, "cannot change")


class Countdown:
    def __init__(self, n: int, value: Any) -> None:
        self.n = n
        self.value = value

    def advance(self, factor: Any) -> bool:
        self.n -= 1
        if self.value > 0:
            self.value = self.value * factor
        return self.n > 0


def test_a_test_that_changes_an_object() -> None:
    def f(x: Any) -> Any:
        steps = Countdown(4, x[0])
        total = 0.0
        while steps.advance(x[1]):
            total = total + steps.value
        return total * steps.value + steps.n

    agrees(f, general=False)
    agrees(f, -X, general=False)


def test_an_expression_that_changes_an_object() -> None:
    def f(x: Any) -> Any:
        steps = Countdown(4, x[0])
        ok = x[0] > 0.5 and steps.advance(x[1])
        other = steps.advance(x[2]) if x[1] > 0 else x[2]
        return steps.value * x[2] + ok + other

    agrees(f, general=False)
    agrees(f, 2 * X, general=False)
    agrees(f, -X, general=False)


def test_a_walrus_in_a_test() -> None:
    def f(x: Any) -> Any:
        y = x[0]
        while (y := y * 2) < 10:
            pass
        return y * x[1]

    agrees(f)
