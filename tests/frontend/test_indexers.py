"""What is refused of NumPy's objects that are indexed, and of arithmetic on lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from srcgrad import UnsupportedSyntax, grad


def matrices_in_rows(x):
    return np.sum(np.r_["0,2", x, x])


def grid_up_to(x):
    return np.sum(np.mgrid[0 : x[0] : 3j])


def range_among_rows(x):
    return np.sum(np.r_[0 : x[0] : 3j])


def single_beside_double(x):
    return np.sum(np.r_[x.astype(np.float32), 1.0])


def list_of_unknown_elements(x):
    found = []
    for v in x:
        found.append(v if v > 0 else [v])
    return np.sum(found[0] + [x[0], x[1]])


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (matrices_in_rows, "`np.r_` of other than"),
        (grid_up_to, "the bounds of a range may carry a derivative"),
        (range_among_rows, "the bounds of a range may carry a derivative"),
        (single_beside_double, "several dtypes"),
        (list_of_unknown_elements, "whether this joins or repeats a list"),
    ],
)
def test_what_is_not_known_is_refused(function: Any, problem: str) -> None:
    with pytest.raises(UnsupportedSyntax, match=problem):
        grad(function)(np.array([0.5, 1.5]))
