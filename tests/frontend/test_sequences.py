"""Python's own functions on sequences and dicts, and the methods of lists and dicts."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest

from srcgrad import grad
from tests.differences import assert_close
from tests.frontend.agreement import X, agrees, refused


def test_starred_unpacking() -> None:
    def f(x: Any) -> Any:
        first, *rest, last = x
        a, *b = (first, last, 2.0)
        total = a
        for v in rest:
            total = total * v
        return total + sum(b)

    agrees(f)


def test_dict_views_are_written_out() -> None:
    def f(x: Any) -> Any:
        weights = {"a": x[0], "b": x[1] * 2, "c": 3.0}
        total = 0.0
        for key, value in weights.items():
            total = total * value + len(key)
        for key in weights:
            total = total + weights[key]
        for k, value in enumerate(weights.values()):
            total = total + k * value * x[2]
        return total + len(weights) + weights.get("d", x[0]) * weights.get("a")

    agrees(f)


def test_dicts_as_arguments() -> None:
    def f(x: Any, weights: Any) -> Any:
        total = 0.0
        for _key, value in weights.items():
            total = total + np.sum(value * x)
        if "bias" in weights:
            total = total + weights["bias"] * x[0]
        return total

    agrees(f, X, {"w": X * 2, "bias": 0.5})
    agrees(f, X, {"w": X * 2})


def test_a_dict_that_grows_has_no_known_keys() -> None:
    def f(x: Any) -> Any:
        table = {"a": x[0]}
        for k in range(2):
            table[k] = x[k]
        total = 0.0
        for value in table.values():
            total = total + value
        return total

    agrees(f)


def test_sums_with_a_start() -> None:
    def f(x: Any) -> Any:
        rows = [x * k for k in range(3)]
        return np.sum(sum(rows, np.ones(3)) * x) + sum((x[0], x[1]), x[2])

    agrees(f)


def test_any_all_and_comparisons_in_chains() -> None:
    def f(x: Any) -> Any:
        y = x[0] if any(v < 0 for v in x) and 0 < x[0] < 1 else x[1]
        if all(v > -1 for v in x):
            y = y * x[2]
        if (n := len(x)) > 2:
            y = y * n
        return y

    agrees(f)


def test_a_choice_of_tuples() -> None:
    def f(x: Any) -> Any:
        a, b = (x[0], x[1]) if x[2] > 0 else (x[1], x[2])
        return a * b

    agrees(f)
    agrees(f, -X)


def test_reversed_and_zipped_values() -> None:
    def f(x: Any) -> Any:
        pairs = list(zip(x, reversed(x)))  # noqa: B905
        total = 0.0
        for k, (a, b) in enumerate(pairs, 1):
            total = total + k * a * b * b
        for v in reversed([x[0], x[1]]):
            total = total * v
        return total

    agrees(f)


def test_sorted_of_what_is_constant() -> None:
    def f(x: Any, order: Any) -> Any:
        total = 0.0
        for k in sorted(order):
            total = total * x[k] + k
        return total

    agrees(f, X, [2, 0, 1])


def test_sorted_of_active_values() -> None:
    def f(x: Any) -> Any:
        return sorted([x[0], x[1]])[0]

    agrees(f)


def test_printed_values(capsys: Any) -> None:
    def f(x: Any) -> Any:
        for k, v in enumerate(x):
            print(f"{k}: {v:.1f} {v!r}", end=";")
        return np.sum(x)

    grad(f)(X)
    out = capsys.readouterr().out
    f(X)
    assert out == capsys.readouterr().out


class Rows:
    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __iter__(self) -> Any:
        yield from self.rows


def _walk(x: Any, items: Any) -> Any:
    total = 0.0
    for k in items:
        total = total + x[k] ** 2
    return total


def _walk_together(x: Any, items: Any) -> Any:
    total = 0.0
    for k, v in zip(items, x, strict=False):
        total = total + x[k] * v
    return total


@pytest.mark.parametrize("f", [_walk, _walk_together])
@pytest.mark.parametrize("general", [True, False])
def test_iterables_without_positions_from_outside(f: Any, general: bool) -> None:
    expected = grad(f)(X, [0, 2])
    for items in ({0, 2}, frozenset((0, 2)), {0: 1, 2: 1}, {0: 1, 2: 1}.keys(), deque([0, 2]), Rows([0, 2])):
        assert_close(grad(f, specialize=general)(X, items), expected)
    assert_close(grad(f, specialize=general)(X, iter([0, 2])), expected)
    assert_close(grad(f, specialize=general)(X, (k for k in (0, 2))), expected)


def test_elements_of_a_generator_that_carry_a_derivative_are_refused() -> None:
    def f(rows: Any, x: Any) -> Any:
        total = 0.0
        for row in rows:
            total = total + row * x[0]
        return total

    refused(f, "something that has no positions", Rows([1.0, 2.0]), X)


def test_a_dict_among_lists_is_not_walked_by_position() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for part in [{0: 1, 1: 2}, [1, 2]]:
            for k in part:
                total = total + x[k]
        return total

    with pytest.raises(AssertionError, match="runs over a dict"):
        grad(f)(X)


def test_what_a_deque_does_not_have_is_refused_by_its_name() -> None:
    def f(x: Any) -> Any:
        q = deque([x[0]])
        q.rotate_twice()  # type: ignore[attr-defined]
        return q[0]

    refused(f, "`.rotate_twice` of a `deque` is not supported")


def test_zip_that_is_strict() -> None:
    def f(x: Any, y: Any) -> Any:
        total = 0.0
        for a, b in zip(x, y, strict=True):
            total = total + a * b
        for a, b, c in zip(x, y, [1.0, 2.0], strict=False):
            total = total + a * b * c
        return total

    agrees(f, X, X * 2)
    with pytest.raises(ValueError, match="different lengths"):
        grad(f)(X, X[1:])


def test_a_starred_argument_of_another_length_raises_what_python_raises() -> None:
    def f(x: Any) -> Any:
        return np.hypot(*x) + (lambda a, b: a * b)(*x)

    agrees(f, X[:2])
    with pytest.raises(TypeError, match="needs 2 values from its starred argument"):
        grad(f)(X)


def test_a_starred_argument_that_is_refused_is_named_alone() -> None:
    def f(x: Any) -> Any:
        return np.linspace(*x)[1]

    error = refused(f, "the number of elements of this starred argument is not known")
    assert "constructs" not in str(error)


def test_an_iterator_is_used_once() -> None:
    def once(x: Any, c: bool) -> Any:
        pairs = zip(x, x, strict=True) if c else zip(x, 2 * x, strict=True)
        squares = (v**2 for v in x)
        sines = list(map(np.sin, x))
        if c:
            return sum(a * b for a, b in pairs) * sum(squares)
        return sum(a * b for a, b in pairs) + sines[0] * sines[1]

    def twice(x: Any) -> Any:
        pairs = zip(x, x, strict=True)
        return sum(a * b for a, b in pairs) + sum(a for a, _ in pairs)

    def generated(x: Any) -> Any:
        squares = (v**2 for v in x)
        return sum(squares) * sum(squares)

    def in_a_loop(x: Any) -> Any:
        sines = map(np.sin, x)
        total = 0.0
        for _ in range(2):
            for v in sines:
                total = total + v
        return total

    agrees(once, X, True)
    agrees(once, X, False)
    refused(twice, "`pairs` is an iterator that has been used before")
    refused(generated, "`squares` is an iterator that has been used before")
    refused(in_a_loop, "`sines` is an iterator from before this loop")
