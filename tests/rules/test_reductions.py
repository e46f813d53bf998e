"""Zeros, ties and constants, and which calls are accepted, for the rules of reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import rules
from srcgrad.rules.rule import Rule, registry

assert rules.__doc__


def rule_of(operation: Any) -> Rule:
    rule = registry.get(operation)
    assert rule is not None
    return rule


def both_modes(operation: Callable[..., Any], x: Any, **kwargs: Any) -> tuple[Any, Any]:
    """The gradient of the sum of the results, by transposes and by tangents along the unit vectors."""
    rule = rule_of(operation)
    (name,) = list(rule.vjps)[:1]
    parameters = list(rule.bind((x,), kwargs).values())
    z = operation(x, **kwargs)
    tangents = [rule.jvps[name](unit.reshape(x.shape), z, *parameters) for unit in np.eye(x.size)]
    forward = np.reshape([np.sum(tangent) for tangent in tangents], x.shape)
    return rule.vjps[name].function(np.ones_like(z), z, *parameters), forward


CASES = [
    (np.prod, [0.0, 2.0, 3.0], {}, [6, 0, 0]),
    (np.prod, [0.0, 2.0, 0.0], {}, [0, 0, 0]),
    (np.prod, [[0.0, 2.0], [3.0, 4.0]], {"axis": 1}, [[2, 0], [4, 3]]),
    (np.cumprod, [2.0, 0.0, 3.0], {}, [1, 8, 0]),
    (np.max, [1.0, 3.0, 3.0], {}, [0, 0.5, 0.5]),
    (np.max, [[1.0, 1.0], [1.0, 0.0]], {"axis": 0}, [[0.5, 1], [0.5, 0]]),
    (np.min, [1.0, 1.0, 1.0, 2.0], {}, [1 / 3, 1 / 3, 1 / 3, 0]),
    (np.nanmax, [np.nan, 3.0, 3.0], {}, [0, 0.5, 0.5]),
    (np.ptp, [1.0, 3.0, 3.0], {}, [-1, 0.5, 0.5]),
    (np.ptp, [2.0, 2.0], {}, [0, 0]),
    (np.median, [5.0, 1.0, 3.0], {}, [0, 0, 1]),
    (np.median, [4.0, 1.0, 3.0, 0.0], {}, [0, 0.5, 0.5, 0]),
    (np.median, [2.0, 2.0, 2.0], {}, [1 / 3, 1 / 3, 1 / 3]),
    (np.std, [2.0, 2.0, 2.0], {}, [0, 0, 0]),
    (np.std, [[1.0, 3.0], [2.0, 2.0]], {"axis": 1}, [[-0.5, 0.5], [0, 0]]),
    (np.nansum, [np.nan, 1.0], {}, [0, 1]),
    (np.nanmean, [np.nan, 1.0, 3.0], {}, [0, 0.5, 0.5]),
    (np.linalg.norm, [0.0, 0.0], {}, [0, 0]),
    (np.linalg.norm, [0.0, 0.0], {"ord": 2}, [0, 0]),
    (np.linalg.norm, [0.0, 0.0], {"ord": 1}, [0, 0]),
    (np.linalg.norm, [0.0, 0.0], {"ord": np.inf}, [0, 0]),
    (np.linalg.norm, [0.0, -2.0], {"ord": 1}, [0, -1]),
    (np.linalg.norm, [2.0, -2.0], {"ord": np.inf}, [0.5, -0.5]),
    (np.linalg.norm, [[0.0, 0.0], [0.0, 0.0]], {"ord": 2}, [[0, 0], [0, 0]]),
    (np.linalg.norm, [[3.0, 4.0], [0.0, 0.0]], {"axis": 1}, [[0.6, 0.8], [0, 0]]),
]


@pytest.mark.parametrize(("operation", "x", "kwargs", "expected"), CASES)
def test_singular_point(operation: Callable[..., Any], x: Any, kwargs: dict[str, Any], expected: Any) -> None:
    reverse, forward = both_modes(operation, np.array(x), **kwargs)
    np.testing.assert_allclose(reverse, expected, rtol=1e-14)
    np.testing.assert_allclose(forward, expected, rtol=1e-14)


@pytest.mark.parametrize("operation", [np.max, np.var, np.std, np.prod])
@pytest.mark.parametrize("keyword", ["dtype", "out", "where", "initial"])
def test_unhandled_keyword_is_refused(operation: Any, keyword: str) -> None:
    with pytest.raises(TypeError, match=keyword):
        rule_of(operation).bind((np.ones(3),), {keyword: None})


@pytest.mark.parametrize("operation", [np.sum, np.mean])
def test_sums_take_a_dtype_and_nothing_more(operation: Any) -> None:
    assert rule_of(operation).bind((np.ones(3), 0, None), {})["dtype"] is None
    with pytest.raises(TypeError, match="by position"):
        rule_of(operation).bind((np.ones(3), 0, None, True), {})
    for keyword in ("out", "where", "initial"):
        with pytest.raises(TypeError, match=keyword):
            rule_of(operation).bind((np.ones(3),), {keyword: None})


@pytest.mark.parametrize("operation", [np.max, np.var, np.std, np.prod, np.cumsum, np.median])
def test_third_position_is_not_keepdims(operation: Any) -> None:
    """NumPy has `dtype` or `out` there."""
    with pytest.raises(TypeError, match="by position"):
        rule_of(operation).bind((np.ones(3), 0, True), {})


def test_norm_takes_its_axis_by_position() -> None:
    bound = rule_of(np.linalg.norm).bind((np.ones((2, 3)), 2, 0, True), {})
    assert (bound["ord"], bound["axis"], bound["keepdims"]) == (2, 0, True)


def test_zero_in_a_product_of_many_is_exact() -> None:
    x = np.linspace(0.5, 1.5, 30)
    x[7] = 0
    reverse, _ = both_modes(np.prod, x)
    assert reverse[7] == pytest.approx(np.prod(np.delete(x, 7)), rel=1e-14)
    assert np.count_nonzero(reverse) == 1
