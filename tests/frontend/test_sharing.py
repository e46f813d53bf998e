"""Names that may be one object: what is written under one of them and read under the other is right or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import AliasedWrite, UnsupportedSyntax, value_and_grad
from tests.differences import assert_close, gradient

X = np.array([0.6, -1.2, 0.9])


def kept_then_written(x: Any) -> Any:
    history = []
    u = x * 1.0
    for _ in range(2):
        u[0] = u[0] * 2
        new = u * 3
        history.append(new)
        u = new
    return np.sum(history[0])


def popped_and_written_under_its_own_name(x: Any) -> Any:
    items = [x]
    last = items.pop()
    x -= last * 2
    return np.sum(last * last)


def held_twice(x: Any) -> Any:
    y = x * x
    parts = [y, y]
    for k in range(2):
        parts[k][1] *= 2.0
    return np.sum(parts[1])


def one_held_twice(x: Any) -> Any:
    row = [0.0]
    table = {}
    for key in ("a", "b"):
        table[key] = row
    table["a"][0] = x[0] * x[1]
    return table["b"][0] + x[2]


def view_on_one_path(x: Any) -> Any:
    y = x[1:] if x[0] > 0 else np.ones(2)
    y[0] = x[2]
    return np.sum(x * x)


def the_list_that_it_runs_over(x: Any) -> Any:
    items = [x * 1.0, x * 2.0]
    total = 0.0
    for item in items:
        total = total + np.sum(item * item)
        if len(items) < 4:
            items.append(item * 3.0)
    return total


@pytest.mark.parametrize(
    "function", [kept_then_written, popped_and_written_under_its_own_name, held_twice, one_held_twice, view_on_one_path]
)
@pytest.mark.parametrize("specialize", [True, False])
def test_what_another_name_would_miss_is_refused(function: Callable[..., Any], specialize: bool) -> None:
    with pytest.raises(AliasedWrite, match=r"second name|one of several|view|held by"):
        value_and_grad(function, specialize=specialize)(X.copy())


def test_a_list_that_grows_under_its_loop_is_refused() -> None:
    with pytest.raises(UnsupportedSyntax, match="adds to the list that it runs over"):
        value_and_grad(the_list_that_it_runs_over)(X.copy())


def swapped_and_seen_by_the_caller(x: Any, y: Any) -> Any:
    a, b = x, y
    for k in range(3):
        b[k] = a[k] * a[k - 1]
        a, b = b, a
    return np.sum(a * b * x)


def test_the_caller_sees_both_buffers() -> None:
    given, left = (X.copy(), X * 2), (X.copy(), X * 2)
    value, found = value_and_grad(swapped_and_seen_by_the_caller)(*given)
    assert value == swapped_and_seen_by_the_caller(*left)
    np.testing.assert_array_equal(given[0], left[0])
    np.testing.assert_array_equal(given[1], left[1])
    assert_close(found, gradient(lambda v: swapped_and_seen_by_the_caller(v, X * 2), X.copy()))
