"""Rules of `rules/indexing.py`, and the helpers for subscripts, on indices that repeat and on ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srcgrad import runtime
from srcgrad.rules import indexing
from srcgrad.rules.rule import Key, registry
from srcgrad.runtime import positions


@pytest.mark.parametrize("name", ["take", "diagonal"])
def test_function_and_method_share_their_rule(name: str) -> None:
    assert registry.get(getattr(np, name)) is registry.get(Key("method", name)) is not None


def test_take_sums_repeated_elements() -> None:
    g = np.array([1.0, 10, 100, 1000])
    np.testing.assert_array_equal(indexing.take(g, None, np.zeros(3), [0, 2, 0, -1]), [101, 0, 1010])
    x_bar = indexing.take(np.array([[1.0, 2], [3, 4]]), None, np.zeros((2, 3)), np.array([1, 1]), axis=1)
    np.testing.assert_array_equal(x_bar, [[0, 3, 0], [0, 7, 0]])


def test_take_of_one_element_with_a_python_number_as_seed() -> None:
    x_bar = indexing.take(1.0, None, np.zeros(3, np.float32), 1)
    assert x_bar.dtype == np.float32
    np.testing.assert_array_equal(x_bar, [0, 1, 0])


def test_take_refuses_modes() -> None:
    rule = registry.get(np.take)
    assert rule is not None
    with pytest.raises(TypeError, match="not handled"):
        rule.bind((np.zeros(3), [0]), {"mode": "wrap"})


def test_take_along_axis_sums_repeated_elements() -> None:
    g = np.array([[1.0, 2, 4]])
    x_bar = indexing.take_along_axis(g, None, np.zeros((1, 2)), np.array([[1, 1, 0]]), 1)
    np.testing.assert_array_equal(x_bar, [[4, 3]])


def test_diag_of_a_matrix_that_is_not_square() -> None:
    x_bar = indexing.diag(np.array([1.0, 2]), None, np.zeros((3, 2)), -1)
    np.testing.assert_array_equal(x_bar, [[0, 0], [1, 0], [0, 2]])


def test_sort_sends_every_cotangent_back_to_its_element() -> None:
    x, g = np.array([3.0, 1, 2]), np.array([10.0, 20, 30])
    np.testing.assert_array_equal(indexing.sort.vjp_x(g, np.sort(x), x), [30, 10, 20])


@pytest.mark.parametrize("axis", [0, 1, None])
def test_sort_with_ties_loses_nothing(axis: int | None) -> None:
    x = np.array([[1.0, 1, 0], [1, 0, 0], [0, 1, 1]])
    g = np.arange(1.0, 10.0).reshape(np.sort(x, axis).shape)
    x_bar = indexing.sort.vjp_x(g, np.sort(x, axis), x, axis)
    np.testing.assert_array_equal(np.sort(x_bar, axis=None), np.arange(1.0, 10.0))


INDICES: list[Any] = [
    1,
    -1,
    slice(1, None),
    slice(None, None, -2),
    (slice(None), 2),
    (Ellipsis, 0),
    (None, 1),
    np.array([0, 0, 2]),
    [2, 2, 2],
    np.int64(1),
    np.array(1),
    np.array([True, False, True]),
    [True, False, True],
    np.eye(3, 4, dtype=bool),
    (np.array([0, 0, 1]), np.array([1, 1, 3])),
    (slice(None), [0, 0, -1]),
    (np.array([[0], [0]]), np.array([1, 1])),
    (np.array([True, True, False]), np.array([3, 3])),
    (slice(0, 2), None, [1, 1]),
    (),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_add_at_counts_every_occurrence(index: Any) -> None:
    target = np.arange(12.0).reshape(3, 4)
    expected = target.copy()
    values = np.arange(1.0, 1.0 + target[index].size).reshape(target[index].shape)
    np.add.at(expected, index, values)
    runtime.add_at(target, index, values)
    np.testing.assert_array_equal(target, expected)


def test_add_at_is_plain_where_nothing_can_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forbidden:
        def __getattr__(self, name: str) -> Any:
            if name == "add":
                raise AssertionError("np.add.at is slow and not needed here")
            return getattr(np, name)

    monkeypatch.setattr(positions, "np", Forbidden())
    target = np.zeros((3, 4))
    for index in (1, slice(None), (Ellipsis, 0), np.eye(3, 4, dtype=bool), (None, slice(1, 2))):
        runtime.add_at(target, index, 1.0)
    with pytest.raises(AssertionError, match="slow"):
        runtime.add_at(target, np.array([0, 0]), 1.0)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_store_mask_marks_what_survives(index: Any) -> None:
    target = np.full((3, 4), -1.0)
    values = np.arange(float(target[index].size)).reshape(target[index].shape)
    target[index] = values
    mask = np.broadcast_to(runtime.store_mask(target.shape, index), np.shape(target[index]))
    np.testing.assert_array_equal(mask, target[index] == values)
    assert np.count_nonzero(mask) == np.count_nonzero(target != -1.0)


def test_store_mask_exact() -> None:
    np.testing.assert_array_equal(runtime.store_mask((3,), [0, 0, 2, 0]), [False, False, True, True])
    np.testing.assert_array_equal(runtime.store_mask((3,), slice(1, None)), [True, True])


@given(st.lists(st.integers(-4, 3), max_size=8))
def test_a_store_with_its_mask_is_a_store_without_repetition(index: list[int]) -> None:
    positions = np.array(index, np.intp)
    values = np.arange(float(positions.size))
    stored, added = np.zeros(4), np.zeros(4)
    stored[positions] = values
    runtime.add_at(added, positions, values * runtime.store_mask((4,), positions))
    np.testing.assert_array_equal(stored, added)
