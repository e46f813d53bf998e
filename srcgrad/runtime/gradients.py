"""Where derivatives end: what a program may call to say that no derivative flows through a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def stop_gradient(value: T) -> T:
    """The value itself: a number, an array or a container. In a differentiated function it counts as a constant.

    >>> from srcgrad import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return value


@contextmanager
def no_grad() -> Iterator[None]:
    """`with no_grad():` around statements of a differentiated function: what they assign or store counts as constant.

    Elsewhere it does nothing.
    """
    yield


__all__ = ["no_grad", "stop_gradient"]
