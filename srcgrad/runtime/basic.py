"""Shapes, dtypes and zeros of cotangents, and the singular points of scalar operations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcgrad.errors import NonScalarOutput, UnsupportedSyntax


def unbroadcast(g: Any, x: Any) -> Any:
    """The cotangent `g` of a broadcast copy of `x`, summed to the shape of `x` and in its dtype.

    A complex `g` for a real `x` is projected to its real part.
    """
    if isinstance(x, list | tuple) and isinstance(g, list | tuple):
        problem = "lists are joined by `+` where their types are not known"
        raise UnsupportedSyntax(problem, None, "append their elements")
    shape = np.shape(x)
    if np.shape(g) != shape:
        extra = np.ndim(g) - len(shape)
        if extra < 0:
            g = np.broadcast_to(g, shape)
        if extra > 0:
            g = np.sum(g, axis=tuple(range(extra)))
        stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and np.shape(g)[axis] != 1)
        if stretched:
            g = np.sum(g, axis=stretched, keepdims=True)
        if np.shape(g) != shape:
            g = np.broadcast_to(g, shape)
    return cast(g, x)


def fitted(g: Any, x: Any) -> Any:
    """The cotangent of a value that was stored: that of a container as it is, any other summed to the value's shape."""
    return g if isinstance(x, list | tuple | dict) else unbroadcast(g, x)


def cast(g: Any, x: Any) -> Any:
    """`g` in the dtype of `x`; item by item where `x` is a list or a tuple."""
    if isinstance(x, list | tuple):
        return [cast(g[i], item) for i, item in enumerate(x)]
    if isinstance(g, list | tuple):
        return np.array(g, getattr(x, "dtype", None))
    dtype = getattr(x, "dtype", None)
    if np.iscomplexobj(g) and not np.iscomplexobj(x):
        g = np.real(g)
    if dtype is not None and hasattr(g, "dtype") and g.dtype != dtype:
        g = g.astype(dtype)
    # a number stays a number: an array without axes is none
    return g[()] if isinstance(g, np.ndarray) and not isinstance(x, np.ndarray) and g.ndim == 0 else g


def zeros_like(x: Any) -> Any:
    """Zero in the shape and the dtype of `x`, of integers a float; a Python float for Python's numbers, and for a name
    without value.

    Of a list or a tuple, a list; of a dict, a dict.
    """
    if x is None:
        return 0.0
    if isinstance(x, dict):
        return {key: zeros_like(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        return [zeros_like(item) for item in x]  # memory to add to, which a tuple is not
    if isinstance(x, np.ndarray) and x.dtype.kind in "biu":
        return np.zeros(x.shape)[()]  # cotangents that are added to it are floats
    return 0.0 if isinstance(x, int | float) else np.zeros_like(x)[()]


def uncut(g: Any, owner: Any) -> Any:
    """The cotangent `g` of what was stored into `owner` or converted to it; zero where that is made of integers."""
    return g * 0 if getattr(getattr(owner, "dtype", None), "kind", "f") in "biu" else g


def zeros_for(x: Any, g: Any) -> Any:
    """Zeros in the shape of `x` and the dtype of `g`, which may be a Python number."""
    return np.zeros(np.shape(x), getattr(g, "dtype", getattr(x, "dtype", None)))


def copy(x: Any) -> Any:
    """A copy of an array or of a list of arrays; numbers as they are."""
    if isinstance(x, list | tuple):
        return type(x)(copy(item) for item in x)
    return x.copy() if isinstance(x, np.ndarray) else x


def accumulate(target: list[Any], g: Any) -> None:
    """Adds the cotangents of a list's elements to the list's adjoint, in place."""
    for i in range(len(target)):
        target[i] = target[i] + g[i]


def scalar_seed(value: Any) -> float:
    """The seed 1.0 of a result that is one number; `NonScalarOutput` for any other."""
    if np.ndim(value) != 0:
        raise NonScalarOutput.of_shape(np.shape(value))
    return 1.0


def divide_or_zero(x: Any, y: Any) -> Any:
    """`x / y` of Python's numbers, and 0 where `y` is 0."""
    return x / y if y else 0.0


def log_or_zero(x: Any) -> Any:
    """The logarithm of a Python number, 0 at 0 and nan below."""
    if x == 0:
        return 0.0
    return math.log(x) if x > 0 else math.nan


def power_slope(x: Any, y: Any) -> Any:
    """The derivative of `x ** y` by `x`: 0 where `y` is 0, infinite where Python would raise."""
    if not isinstance(y, int | float):
        return y * np.power(x, np.where(y == 0, 1, y - 1))
    if y == 0:
        return zeros_like(x)
    if isinstance(x, int | float) and (x or y >= 1):
        return y * x ** (y - 1)
    return y * np.power(x, y - 1)


def share(g: Any, wins: Any, ties: Any) -> Any:
    """The part of a cotangent that one of two scalar operands gets: all, half or none of it."""
    return g if wins else g / 2 if ties else g * 0


def hand_out(g: Any, items: Any) -> Any:
    """The cotangents of the items of `sum(items)`."""
    if isinstance(items, np.ndarray):
        return np.broadcast_to(g, items.shape)
    return [unbroadcast(g, item) for item in items]


def total(items: Any, like: Any) -> Any:
    """`sum(items)`, every item in the shape of `like`: stretched to it, or summed as the cotangent of a broadcast."""
    if isinstance(items, np.ndarray):
        return unbroadcast(items, like)
    return sum((unbroadcast(item, like) for item in items), zeros_like(like))


def unselect(g: Any, conditions: Any, choices: Any) -> list[Any]:
    """The cotangents of the choices of `np.select(conditions, choices)`: the first condition that holds decides."""
    decided: Any = False
    bars = []
    for condition, choice in zip(conditions, choices, strict=True):
        bars.append(unbroadcast(np.where(condition & ~np.asarray(decided), g, 0), choice))
        decided = condition | np.asarray(decided)
    return bars


def any_of(conditions: Any) -> Any:
    """Where one of several conditions holds."""
    held: Any = False
    for condition in conditions:
        held = condition | np.asarray(held)
    return held


def best_of(g: Any, items: Any, z: Any) -> Any:
    """The cotangents of the items of `max(items)` or `min(items)`, whose value is `z`: ties share evenly."""
    count = sum(bool(item == z) for item in items)
    bars = [g / count if item == z else g * 0 for item in items]
    return np.array(bars, items.dtype) if isinstance(items, np.ndarray) else bars


def pick_best(items: Any, values: Any, z: Any) -> Any:
    """The mean of the `items` whose `values` are `z`: the tangent of an extremum."""
    chosen = [item for item, value in zip(items, values, strict=True) if value == z]
    return sum(chosen) / len(chosen)


def polygamma(n: int, x: float) -> float:
    """The derivative number `n` of the digamma function, by its recurrence and its asymptotic series."""
    if x <= 0 and x == math.floor(x):
        return math.nan
    sign, total = (-1.0) ** (n + 1), 0.0
    while x < 15:
        total += sign * math.factorial(n) / x ** (n + 1) if n else -1 / x
        x += 1
    if n == 0:
        return total + math.log(x) - 1 / (2 * x) - sum(b / (2 * k * x ** (2 * k)) for k, b in _BERNOULLI)
    series = math.factorial(n - 1) / x**n + math.factorial(n) / (2 * x ** (n + 1))
    series += sum(b * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * x ** (2 * k + n)) for k, b in _BERNOULLI)
    return total + sign * series


_BERNOULLI = tuple(enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510), 1))
