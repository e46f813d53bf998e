"""What one benchmark is, and how a function is carried over to autograd's NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any


@dataclass(frozen=True)
class Case:
    """`hand` returns what `grad(primal, wrt)` returns, written as a good NumPy programmer would: it is the standard.

    `label` is the letter of the case and what it computes; `arguments` makes the arguments, the same at every call.
    """

    label: str
    primal: Callable[..., Any]
    hand: Callable[..., Any]
    wrt: int | tuple[int, ...]
    arguments: Callable[[], tuple[Any, ...]]


def rebound(function: Callable[..., Any], numpy: ModuleType) -> Callable[..., Any]:
    """The same code with `np` and `math` standing for another module: autograd traces only its own functions."""
    assert isinstance(function, FunctionType)
    namespace = {**function.__globals__, "np": numpy, "math": numpy}
    return FunctionType(function.__code__, namespace, function.__name__, function.__defaults__)
