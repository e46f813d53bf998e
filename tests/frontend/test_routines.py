"""Functions on their own: large ones that are called again are compiled once, all others where they are called."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from srcgrad import grad
from srcgrad.frontend import routines
from tests.differences import assert_close, gradient

X = np.array([0.6, -1.2, 0.9])


def slope(t: Any, y: Any, k: Any, damped: bool = False) -> Any:
    a = np.sin(y) * k
    b = np.exp(-a) + y * y
    if t > 0.5:
        b = b * 2
    if damped:
        b = b - 0.1 * y
    return a * b - y


def runge_kutta(y: Any, k: Any, n: int) -> Any:
    t, h = 0.0, 0.2
    for _ in range(n):
        k1 = slope(t, y, k)
        k2 = slope(t + h / 2, y + h / 2 * k1, k)
        k3 = slope(t + h / 2, y + h / 2 * k2, k)
        k4 = slope(t + h, y + h * k3, k)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t += h
    return np.sum(y**2)


def fill(target: Any, value: Any) -> None:
    target[0] = value * value
    target[1] = value + 1.0


def writes_through_a_helper(x: Any) -> Any:
    y = x * 2.0
    fill(y, x[1])
    z = x * 3.0
    fill(z, x[2])
    return np.sum(y * z)


def two_meanings(x: Any) -> Any:
    return np.sum(slope(0.0, x, 1.0)) * slope(1.0, x[0], 2.0) * slope(0.0, x[1], 1.0)


def two_constants(x: Any) -> Any:
    return np.sum(slope(0.0, x, 1.0, True) + slope(0.0, x, 1.0, False) + slope(0.7, x, 2.0, True))


@pytest.fixture
def all_on_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routines, "LARGE", 0)
    monkeypatch.setattr(routines, "REPEATED", 0)


@pytest.mark.usefixtures("all_on_their_own")
def test_a_function_that_is_called_again_is_compiled_once() -> None:
    derivative = grad(runge_kutta, ("y", "k"))
    y_bar, k_bar = derivative(X, 1.3, 3)
    assert_close(y_bar, gradient(lambda y: runge_kutta(y, 1.3, 3), X))
    assert_close(k_bar, gradient(lambda k: runge_kutta(X, k, 3), 1.3))
    assert derivative.source.count("def slope_forward(") == 1
    assert derivative.source.count("slope_forward(") == derivative.source.count("slope_backward(") == 5


@pytest.mark.usefixtures("all_on_their_own")
def test_it_has_the_cotangents_that_are_asked_for() -> None:
    derivative = grad(runge_kutta, "y")
    assert_close(derivative(X, 1.3, 3), gradient(lambda y: runge_kutta(y, 1.3, 3), X))
    backward = derivative.source.partition("def slope_backward")[2].partition("def ")[0]
    assert "return None, y_bar, None\n" in backward


@pytest.mark.usefixtures("all_on_their_own")
@pytest.mark.parametrize("function", [writes_through_a_helper, two_meanings, two_constants])
def test_what_cannot_be_called_is_in_line(function: Any) -> None:
    assert_close(grad(function)(X), gradient(function, X))


def test_what_is_short_is_in_line() -> None:
    derivative = grad(runge_kutta)
    derivative(X, 1.3, 3)
    assert "slope_forward" not in derivative.source


def test_calls_that_branch_into_calls_do_not_multiply(tmp_path: Any) -> None:
    lines = ["import numpy as np", "def f0(x): return np.sin(x) * x"]
    lines += [f"def f{i}(x): return 0.1 * f{i - 1}(x) * f{i - 1}(x + 0.1) + 0.5" for i in range(1, 16)]
    path = tmp_path / "branching.py"
    path.write_text("\n".join(lines) + "\n")
    module = ModuleType("branching")
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    derivative = grad(module.f15)
    assert_close(derivative(0.3), gradient(module.f15, 0.3))
    assert len(derivative.source.splitlines()) < 500


def overwritten(x: Any) -> Any:
    y = x
    np.multiply(x, squared_length(y), out=y)
    return squared_length(y) * y[0]


def squared_length(y: Any) -> Any:
    return np.dot(y, y)


def made_on_one_path(y: Any) -> Any:
    try:
        z = y * np.ones(3)
    except ValueError:
        z = np.ones((4, 3))
    except IndexError:
        pass
    return z[2][1]


def calls_it(m: Any) -> Any:
    m[1] -= made_on_one_path(m)
    return np.sum(m**2)


@pytest.mark.usefixtures("all_on_their_own")
def test_residuals_hold_what_was_there() -> None:
    derivative = grad(overwritten)
    assert_close(derivative(X.copy()), gradient(lambda x: overwritten(x.copy()), X))
    assert "squared_length_forward(x.copy())" in derivative.source


@pytest.mark.usefixtures("all_on_their_own")
def test_residuals_of_a_path_that_was_not_taken_are_asked_for_nothing() -> None:
    m = np.outer(np.array([1.0, -0.5, 0.7, 0.2]), X)
    assert_close(grad(calls_it)(m.copy()), gradient(lambda m: calls_it(m.copy()), m))
