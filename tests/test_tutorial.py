"""The forms that PyTorch's tutorials on automatic differentiation use, written for plain NumPy functions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, value_and_grad, vjp
from srcgrad.errors import NonScalarOutput


def mean_of_shifted_squares(x):
    y = x + 2
    z = y * y * 3
    return np.mean(z)


def mean_in_one_line(x):
    return np.mean(3 * (x + 2) ** 2)


@pytest.mark.parametrize("out", [mean_of_shifted_squares, mean_in_one_line])
def test_the_mean_of_shifted_squares(out: Any) -> None:
    np.testing.assert_allclose(grad(out)(np.ones((2, 2))), np.full((2, 2), 4.5), rtol=1e-15)
    value, gradient = value_and_grad(out)(np.ones((2, 2)))
    assert value == 27
    np.testing.assert_allclose(gradient, np.full((2, 2), 4.5), rtol=1e-15)


def test_the_sum_of_a_sum_has_a_gradient_of_ones() -> None:
    def total(x, y):
        return np.sum(x + y)

    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    for gradient in grad(total, (0, 1))(x, y):
        np.testing.assert_array_equal(gradient, np.ones((2, 3)))


def powers(x, y):
    return x**2 + y**3


def test_a_seed_of_ones() -> None:
    x, y = np.array([2.0, 3.0]), np.array([6.0, 4.0])
    value, (x_bar, y_bar) = vjp(powers, (0, 1))(x, y, seed=np.ones(2))
    np.testing.assert_array_equal(value, x**2 + y**3)
    np.testing.assert_array_equal(x_bar, 2 * x)
    np.testing.assert_array_equal(y_bar, 3 * y**2)


def test_wrt_by_name_gives_one_cotangent_and_a_tuple_gives_a_tuple() -> None:
    x, y = np.array([2.0, 3.0]), np.array([6.0, 4.0])
    _, alone = vjp(powers, "y")(x, y, seed=np.ones(2))
    np.testing.assert_array_equal(alone, 3 * y**2)
    _, several = vjp(powers, ("y",))(x, y, seed=np.ones(2))
    assert isinstance(several, tuple)
    assert len(several) == 1


SEED = np.array([[1.0, 0.1], [0.01, 0.001]])


def tripled(x):
    y = 3 * x
    return y


def test_a_seed_weighs_the_elements() -> None:
    x = np.random.default_rng(2).standard_normal((2, 2))
    _, x_bar = vjp(tripled)(x, seed=SEED)
    np.testing.assert_allclose(x_bar, [[3, 0.3], [0.03, 0.003]], rtol=1e-15)

    def weighed(x):
        return np.sum(tripled(x) * SEED)

    np.testing.assert_array_equal(grad(weighed)(x), x_bar)


def double_until(x):
    y = x * 2
    while np.linalg.norm(y) < 1000:
        y = y * 2
    return y


@pytest.mark.parametrize(
    ("norm", "doublings"), [(1e-3, 20), (1.0, 10), (2.5, 9), (30.0, 6), (499.0, 2), (501.0, 1), (7000.0, 1)]
)
def test_the_doubling_loop(norm: float, doublings: int) -> None:
    start = np.array([2.0, -1.0, 2.0]) / 3 * norm
    seed = np.array([0.1, 1.0, 0.0001])
    value, start_bar = vjp(double_until)(start, seed=seed)
    np.testing.assert_array_equal(value, start * 2**doublings)
    np.testing.assert_array_equal(start_bar, seed * 2**doublings)


def test_one_derivative_serves_starts_with_different_trips() -> None:
    derivative = vjp(double_until)
    seed = np.array([0.1, 1.0, 0.0001])
    for norm, doublings in ((1.0, 10), (7000.0, 1), (30.0, 6), (1.0, 10)):
        _, start_bar = derivative(np.array([2.0, -1.0, 2.0]) / 3 * norm, seed=seed)
        np.testing.assert_array_equal(start_bar, seed * 2**doublings)


def test_grad_of_an_array_says_what_to_call_instead() -> None:
    with pytest.raises(NonScalarOutput) as caught:
        grad(tripled)(np.ones((2, 3)))
    message = str(caught.value)
    assert "(2, 3)" in message
    for remedy in ("vjp(", "seed=", "elementwise_grad", "jacobian"):
        assert remedy in message, f"{remedy} is not named in: {message}"


def test_grad_of_a_tuple_is_refused_as_well() -> None:
    def pair(x):
        return x * 2, x * 3

    with pytest.raises(NonScalarOutput):
        grad(pair)(1.0)


def surface(x, y):
    return x**3 * y**2 + np.sin(x * y)


def test_second_and_mixed_partials() -> None:
    x, y = 0.7, 1.3
    f_x, f_y = grad(surface, 0), grad(surface, 1)
    mixed = 6 * x**2 * y + np.cos(x * y) - x * y * np.sin(x * y)
    np.testing.assert_allclose(grad(f_x, 0)(x, y), 6 * x * y**2 - y**2 * np.sin(x * y), rtol=1e-13)
    np.testing.assert_allclose(grad(f_y, 1)(x, y), 2 * x**3 - x**2 * np.sin(x * y), rtol=1e-13)
    np.testing.assert_allclose(grad(f_x, 1)(x, y), mixed, rtol=1e-13)
    np.testing.assert_allclose(grad(f_y, 0)(x, y), mixed, rtol=1e-13)
    np.testing.assert_allclose(grad(grad(surface, 0), 1)(x, y), grad(grad(surface, 1), 0)(x, y), rtol=1e-13)


def test_derivatives_up_to_the_fourth() -> None:
    def quartic(x):
        return x**4 + 2 * x

    derivative, expected = quartic, (4 * 1.5**3 + 2, 12 * 1.5**2, 24 * 1.5, 24.0)
    for value in expected:
        derivative = grad(derivative)
        assert derivative(1.5) == pytest.approx(value, rel=1e-13)


X = np.random.default_rng(3).standard_normal((20, 3))
TARGETS = X @ np.array([1.0, -2.0, 0.5]) + 0.3


def squared_error(w, b):
    residual = X @ w + b - TARGETS
    return np.mean(residual**2)


def test_gradient_descent_finds_the_weights() -> None:
    gradient = grad(squared_error, ("w", "b"))
    w, b = np.zeros(3), 0.0
    losses = []
    for _ in range(400):
        losses.append(squared_error(w, b))
        w_bar, b_bar = gradient(w, b)
        w -= 0.2 * w_bar
        b -= 0.2 * b_bar
    assert all(later <= earlier for earlier, later in itertools.pairwise(losses[:100]))
    np.testing.assert_allclose(w, [1.0, -2.0, 0.5], rtol=1e-6)
    assert b == pytest.approx(0.3, rel=1e-6)


def test_a_gradient_is_not_a_view_of_an_argument() -> None:
    def halved_square(w):
        return 0.5 * np.sum(w * w)

    w = np.array([1.0, -2.0])
    gradient = grad(halved_square)(w)
    w -= 0.5 * gradient  # in place: the gradient that was returned must not move with it
    np.testing.assert_array_equal(gradient, [1.0, -2.0])
    np.testing.assert_array_equal(w, [0.5, -1.0])
