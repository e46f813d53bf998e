"""What the tests of the frontend share: a gradient against differences, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import UnsupportedSyntax, grad, value_and_grad
from tests.differences import assert_close, gradient

X = np.array([0.4, 1.3, -0.7])


def fresh(args: tuple[Any, ...]) -> list[Any]:
    return [arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args]


def agrees(function: Callable[..., Any], *args: Any, general: bool = True) -> Any:
    """Asserts that value and gradient with respect to the first argument are right, optimised or not.

    With no arguments but an array, the text that needs no types has to agree, too; `general` is False where it
    has to know more.
    """
    general: list[dict[str, Any]] = [{"specialize": False}] if general and len(args) < 2 else []
    args = args or (X,)
    expected = gradient(lambda x: float(function(x, *args[1:])), args[0])
    for options in ({}, {"optimize": False}, *general):
        value, found = value_and_grad(function, **options)(*fresh(args))
        assert value == function(*fresh(args))
        assert_close(found, expected)
    return expected


def refused(function: Callable[..., Any], problem: str, *args: Any) -> UnsupportedSyntax:
    """Asserts that a function is refused, with these words, a place and a remedy."""
    with pytest.raises(UnsupportedSyntax) as caught:
        grad(function)(*(args or (X,)))
    first = caught.value.offences[0]
    assert problem in str(caught.value)
    assert first.place is not None
    assert first.remedy
    return caught.value
