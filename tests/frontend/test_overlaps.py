"""Stores of a part of an array into a part of it: right as NumPy copies first, or refused where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import AliasedWrite, value_and_grad
from tests.differences import assert_close, gradient

M = np.array([[0.6, -1.2, 0.9], [0.3, 1.1, -0.4], [1.5, 0.2, -0.8]])


def row_into_column(m: Any) -> Any:
    m[:, 2] = m[1]


def row_into_column_of_a_transpose(m: Any) -> Any:
    m.T[2] = m[1]


def row_or_number_into_column(m: Any) -> Any:
    m[:, 2] = m[1] if m[0, 0] > 0 else 3.0


def steps_of_different_length(m: Any) -> Any:
    v = m[0] * 1.0
    v[0::2] = v[:2]
    m[0] = v


def diagonal_into_row(m: Any) -> Any:
    m[0] = np.diagonal(m)


def rows_of_a_loop_into_a_column(m: Any) -> Any:
    for row in m:
        m[:, 1] = row


def copied_by_copyto(m: Any) -> Any:
    np.copyto(m[..., 2], m[1])


def lower_triangle_mirrored(m: Any) -> Any:
    for i in range(3):
        m[i, i + 1 :] = m[i + 1 :, i]


def upper_triangle_mirrored(m: Any) -> Any:
    for i in range(3):
        m[i, :i] = m[:i, i]


def copy_of_a_row_into_a_column(m: Any) -> Any:
    m[:, 2] = m[1].copy()


def steps_of_equal_and_opposite_length(m: Any) -> Any:
    v = m[1]
    v[1:] = v[:-1]
    v[:] = v[::-1]
    v[::2] = v[2::-2]


def matrices(m: Any) -> Any:
    m[:] = m.T
    m[1:] = m[:-1]
    m[:] = m[1]


def columns(m: Any) -> Any:
    m[..., 1] = m[:, 0]
    m[:, None, 2] = m[:, None, 0]


def row_at_places(m: Any) -> Any:
    m[[2, 0, 1], 2] = m[1]


def row_of_another_array_into_a_column(m: Any) -> Any:
    other = m * 2.0
    m[:, 2] = other[1]


RIGHT = [
    lower_triangle_mirrored,
    upper_triangle_mirrored,
    copy_of_a_row_into_a_column,
    steps_of_equal_and_opposite_length,
    matrices,
    columns,
    row_at_places,
    row_of_another_array_into_a_column,
]
REFUSED = [
    row_into_column,
    row_into_column_of_a_transpose,
    row_or_number_into_column,
    steps_of_different_length,
    diagonal_into_row,
    rows_of_a_loop_into_a_column,
    copied_by_copyto,
]


def of(change: Callable[..., Any]) -> Callable[..., Any]:
    def changed(x: Any) -> Any:
        m = x * 1.5
        change(m)
        return np.sum(m * np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5], [2.5, -0.7, 0.3]]))

    return changed


@pytest.mark.parametrize("change", RIGHT)
def test_what_numpy_copies_first_is_right(change: Callable[..., Any]) -> None:
    function = of(change)
    value, found = value_and_grad(function)(M)
    assert value == function(M)
    assert_close(found, gradient(function, M))


@pytest.mark.parametrize("change", REFUSED)
def test_what_it_reads_after_it_has_written_it_is_refused(change: Callable[..., Any]) -> None:
    with pytest.raises(AliasedWrite, match=r"overlap[\s\S]*\.copy\(\)") as caught:
        value_and_grad(of(change))(M)
    assert "test_overlaps" in str(caught.value)
