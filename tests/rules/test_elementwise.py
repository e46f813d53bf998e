"""Kinks, singular points, ties and kinds of number, for the rules of operators and elementwise functions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import rules
from srcgrad.rules.rule import Key, Rule, registry

assert rules.__doc__
INF, NAN = np.inf, np.nan


def rule_of(operation: Any) -> Rule:
    rule = registry.get(operation)
    assert rule is not None
    return rule


def derivatives(operation: Callable[..., Any], *args: Any) -> list[Any]:
    """The cotangents of all differentiable parameters that are given, for a seed of ones."""
    rule = rule_of(operation)
    with np.errstate(all="ignore"):
        z = operation(*args)
        g = np.ones(np.shape(z))[()] if hasattr(z, "dtype") else 1.0
        given = [pullback for name, pullback in rule.vjps.items() if name in list(rule.parameters)[: len(args)]]
        results = [(p.function(g, z, *rule.bind(args, {}).values()), p.index) for p in given]
    return [result if index is None else result[index] for result, index in results]


KINKS = [
    (np.abs, (np.array([-2.0, 0.0, 3.0]),), [[-1, 0, 1]]),
    (np.fabs, (0.0,), [0]),
    (abs, (0.0,), [0]),
    (math.fabs, (0.0,), [0]),
    (np.sqrt, (np.array([0.0, 4.0]),), [[INF, 0.25]]),
    (math.sqrt, (0.0,), [INF]),
    (math.cbrt, (0.0,), [INF]),
    (np.maximum, (np.array([1.0, 2.0, 3.0]), 2.0), [[0, 0.5, 1], [1, 0.5, 0]]),
    (np.minimum, (np.array([1.0, 2.0, 3.0]), 2.0), [[1, 0.5, 0], [0, 0.5, 1]]),
    (np.fmax, (np.array([NAN, 2.0, 3.0]), np.array([1.0, 2.0, NAN])), [[0, 0.5, 1], [1, 0.5, 0]]),
    (np.fmin, (np.array([NAN, 2.0, 3.0]), np.array([1.0, 2.0, NAN])), [[0, 0.5, 1], [1, 0.5, 0]]),
    (max, (2.0, 2.0), [0.5, 0.5]),
    (max, (3.0, 2.0), [1, 0]),
    (min, (2.0, 2.0), [0.5, 0.5]),
    (min, (3.0, 2.0), [0, 1]),
    (np.clip, (np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0.0, 1.0), [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]),
    (np.clip, (np.array([-1.0, 0.5, 2.0]), 1.0, 0.0), [[0, 0, 0], [0, 0, 0], [1, 1, 1]]),
    (np.hypot, (0.0, 0.0), [0, 0]),
    (math.hypot, (0.0, 0.0), [0, 0]),
    (np.arctan2, (0.0, 0.0), [0, 0]),
    (math.atan2, (0.0, 0.0), [0, 0]),
    (math.pow, (0.0, 0.5), [INF, 0]),
    (math.pow, (0.0, 0.0), [0, 0]),
    (math.pow, (-3.0, 2.0), [-6, NAN]),
    (np.arctan2, (1e-200, 0.0), [0, -1e200]),
    (math.atan2, (1e-200, 0.0), [0, -1e200]),
    (np.sinc, (np.array([0.0]),), [[0]]),
    (np.nan_to_num, (np.array([NAN, 1.0, INF]),), [[0, 1, 0]]),
    (np.copysign, (np.array([0.0, 2.0]), -1.0), [[0, -1], [0, 0]]),
]

POWERS = [
    (np.array([-3.0, 0.0, 2.0]), 2, [[-6, 0, 4]]),
    (np.array([-3.0, 0.0, 2.0]), 3, [[27, 0, 12]]),
    (np.array([-3.0, 0.0, 2.0]), 2.0, [[-6, 0, 4]]),
    (np.array([-3.0, 0.0, 2.0]), 1, [[1, 1, 1]]),
    (np.array([-3.0, 0.0, 2.0]), 0, [[0, 0, 0]]),
    (np.array([-2.0, 4.0]), -1, [[-0.25, -1 / 16]]),
    (np.array([0.0, 4.0]), 0.5, [[INF, 0.25]]),
    (np.array([0.0, 1.0]), 0.25, [[INF, 0.25]]),
    (0.0, 0.5, [INF, 0]),
    (0.0, 0.25, [INF, 0]),
    (0.0, 0.0, [0, 0]),
    (0.0, 2.0, [0, 0]),
    (np.array([0.0, 0.0, 2.0]), np.array([0.0, 3.0, 0.0]), [[0, 0, 0], [0, 0, math.log(2)]]),
    (np.array([-3.0, 0.0]), np.array([2, 2]), [[-6, 0]]),
    (0, np.array([0.0, 1.0]), [[0, 1], [0, 0]]),
]


@pytest.mark.parametrize(("operation", "args", "expected"), KINKS)
def test_kink(operation: Callable[..., Any], args: tuple[Any, ...], expected: list[Any]) -> None:
    for found, value in zip(derivatives(operation, *args), expected, strict=True):
        np.testing.assert_allclose(found * np.ones(np.shape(value)), value, rtol=1e-15)


@pytest.mark.parametrize(("x", "y", "expected"), POWERS)
@pytest.mark.parametrize("operation", [operator.pow, np.power])
def test_power_at_singular_points(operation: Callable[..., Any], x: Any, y: Any, expected: list[Any]) -> None:
    for found, value in zip(derivatives(operation, x, y)[: len(expected)], expected, strict=True):
            np.testing.assert_allclose(found * np.ones(np.shape(value)), value, rtol=1e-15)


def test_exponent_of_a_negative_base_has_no_derivative() -> None:
    assert np.isnan(derivatives(operator.pow, -2.0, 2.0)[1])
    assert np.isnan(derivatives(operator.pow, np.array([-2.0]), np.array([2.0]))[1]).all()


def test_masked_branch_stops_an_infinite_cotangent() -> None:
    x = np.array([-1.0, 4.0])
    z = np.maximum(x, 0)
    with np.errstate(divide="ignore"):
        g = 1 / (2 * np.sqrt(z))
    x_bar = rule_of(np.maximum).vjps["x"].function(g, z, x, 0)[0]
    np.testing.assert_array_equal(x_bar, [0.0, 0.25])


@pytest.mark.parametrize("operation", [f for f in vars(math).values() if registry.get(f) is not None])
def test_math_keeps_python_floats(operation: Callable[..., Any]) -> None:
    rule = rule_of(operation)
    if rule.form != "elementwise":
        return
    args = [1.5 if operation is math.acosh else 0.5] * sum(name != "base" for name in rule.parameters)
    assert {type(bar) for bar in derivatives(operation, *args)} == {float}


SINGLE = [np.add, np.multiply, np.divide, np.power, np.maximum, np.arctan2, np.hypot, np.logaddexp, np.copysign]


@pytest.mark.parametrize("operation", SINGLE)
@pytest.mark.parametrize("number", [2, 2.0, 0.5])
def test_python_number_does_not_promote(operation: Callable[..., Any], number: float) -> None:
    x = np.array([0.5, 1.5], np.float32)
    rule = rule_of(operation)
    for args, active in (((x, number), 0), ((number, x), 1)):
        z = operation(*args)
        pullback = list(rule.vjps.values())[active]
        x_bar = pullback.function(np.ones_like(z), z, *args)
        assert (x_bar if pullback.index is None else x_bar[pullback.index]).dtype == np.float32


CONSTANTS = [
    *(np.floor, np.sign, np.round, np.isnan, np.logical_and, np.less, np.floor_divide, operator.floordiv, operator.lt),
    *(operator.is_, operator.not_, operator.and_, int, bool, len, round, isinstance, math.floor, math.isnan),
    *(np.argmax, np.any, np.count_nonzero, np.argsort, Key("method", "argmax"), Key("method", "round")),
]


@pytest.mark.parametrize("operation", CONSTANTS)
def test_constant(operation: Any) -> None:
    assert rule_of(operation).form == "constant"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.abs, operator.abs),
        (np.absolute, abs),
        (np.multiply, operator.mul),
        (np.power, operator.pow),
        (np.acos, np.arccos),
        (np.pow, pow),
        (np.conj, Key("method", "conj")),
        (np.max, Key("method", "max")),
        (np.true_divide, operator.truediv),
    ],
)
def test_spellings_share_a_rule(one: Any, other: Any) -> None:
    assert rule_of(one) is rule_of(other)


def test_clip_takes_the_names_that_function_and_method_have() -> None:
    x = np.ones(3)
    assert rule_of(np.clip).bind((x,), {"a_max": 1.0})["a_max"] == 1.0
    assert rule_of(Key("method", "clip")).bind((x,), {"max": 1.0})["max"] == 1.0
