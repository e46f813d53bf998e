"""Cotangents of containers. In memory, that of a list or tuple is a list, that of a dict or an object a dict.

x = {"w": (array, 2.0), "name": "a"}     zeros(x) = {"w": [zeros, 0.0], "name": None}
"""

from __future__ import annotations

import copy as copying
from typing import Any

import numpy as np

from srcgrad.errors import UnsupportedSyntax
from srcgrad.runtime.basic import cast
from srcgrad.runtime.positions import add_at, keys_of, store_mask
from srcgrad.types import PROGRAM


class Slots(dict[Any, Any]):
    """The adjoint of a NamedTuple: its items by field or by position."""

    def _key(self, key: Any) -> Any:
        return list(self)[key] if isinstance(key, int) else key

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self._key(key), value)


def zeros(x: Any) -> Any:
    """The adjoint of a container before anything has been added to it; None for leaves that are no numbers.

    What is None now may be a number or a container on another path: its adjoint is the number 0.
    """
    if isinstance(x, dict):
        return {key: zeros(item) for key, item in x.items()}
    fields = _fields(x)
    if fields is not None:
        return Slots({key: zeros(item) for key, item in fields.items()})
    if isinstance(x, list | tuple | range):
        return [zeros(item) for item in x]
    if isinstance(x, np.ndarray | np.generic):
        return np.zeros_like(x)[()] if x.dtype.kind in "fc" else np.zeros(x.shape)[()]
    return 0.0 if isinstance(x, int | float | None) else None


# The next four write into containers. A second derivative takes their bodies in line, so each is plain code in which
# the parts of a container are not known by a second name.


def add_into(target: Any, g: Any) -> None:
    """Adds a cotangent to the adjoint of a container or an array, in place."""
    if g is None:
        return
    if isinstance(target, np.ndarray):
        target[...] += g
    elif not isinstance(target, dict | list):
        problem = "a value is a number in one call and a container in another, and used as a whole and by its parts"
        raise UnsupportedSyntax(problem, None, "write the two cases as two functions")
    else:
        given = in_memory(g)
        keys = keys_of(target)
        for k in range(len(keys)):
            target[keys[k]] = add(target[keys[k]], given[keys[k]])


def add_to_list(target: list[Any], g: Any) -> None:
    """Adds the cotangents of a list's elements to the list's adjoint, in place."""
    for k in range(len(target)):
        target[k] = add(target[k], g[k])


def add_item(target: Any, index: Any, g: Any) -> None:
    """Adds a cotangent to one element of the adjoint of a container or an array."""
    if isinstance(target, np.ndarray):
        add_at(target, index, g)
    else:
        target[index] = add(target[index], g)


def stored(bar: Any, target: Any, index: Any) -> Any:
    """The cotangent of what `target[index] = ...` stored, from the adjoint of an array or a container."""
    if isinstance(target, np.ndarray):
        return np.where(store_mask(target.shape, index), bar[index], 0.0)
    return bar[index]


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents of one container."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(b, dict | list | tuple) and isinstance(a, float):
        return b  # zero, in the place of what was stored over
    if isinstance(a, dict):
        return type(a)({key: add(item, b[key]) for key, item in a.items()})
    if isinstance(a, list | tuple):
        return [add(item, other) for item, other in zip(a, b, strict=True)]
    return a + b


def outline(x: Any) -> Any:
    """A container as it is now: what is put into it, or taken out, later does not change this; its arrays are shared.

    >>> x = [1.0, [2.0]]
    >>> y = outline(x)
    >>> x[1].append(3.0)
    >>> y
    [1.0, [2.0]]
    """
    if isinstance(x, dict):
        return {key: outline(item) for key, item in x.items()}
    fields = _fields(x)
    if fields is not None:
        items = {key: outline(item) for key, item in fields.items()}
        return type(x)(**items) if isinstance(x, tuple) else _with_fields(x, items)
    return type(x)([outline(item) for item in x]) if isinstance(x, list | tuple) else x


def rebuilt(x: Any, g: Any) -> Any:
    """The cotangent `g` in the classes of `x`: a tuple for a tuple, an object for an object."""
    if g is None or x is None:
        return None
    if isinstance(x, np.ndarray | np.generic):
        if x.dtype.kind not in "fc":
            return None
        if isinstance(g, float) and g == 0.0:  # of what is overwritten before it is read
            g = np.zeros_like(x)
        return g if getattr(g, "dtype", None) == x.dtype else cast(np.asarray(g), x)[()]
    if isinstance(x, dict):
        return {key: rebuilt(item, g[key]) for key, item in x.items()}
    fields = _fields(x)
    if fields is not None:
        items = {key: rebuilt(item, g[key]) for key, item in fields.items()}
        return type(x)(**items) if isinstance(x, tuple) else _with_fields(x, items)
    if isinstance(x, list | tuple):
        return type(x)([rebuilt(item, other) for item, other in zip(x, g, strict=True)])
    if isinstance(x, (int, str, range, *PROGRAM)):
        return None
    return float(g) if isinstance(x, float) else g


def in_memory(g: Any) -> Any:
    """A cotangent as adjoints in memory have it: lists for tuples, dicts for objects."""
    if isinstance(g, dict):
        return type(g)({key: in_memory(item) for key, item in g.items()})
    fields = _fields(g)
    if fields is not None:
        return Slots({key: in_memory(item) for key, item in fields.items()})
    return [in_memory(item) for item in g] if isinstance(g, list | tuple) else g


def _fields(x: Any) -> dict[str, Any] | None:
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return dict(zip(x._fields, x, strict=True))
    if isinstance(x, (np.ndarray, np.generic, list, dict, tuple, float, int, str, type(None), *PROGRAM)):
        return None
    return dict(vars(x)) if hasattr(x, "__dict__") else None


def _with_fields(x: Any, items: dict[str, Any]) -> Any:
    """An object of the class of `x` with these fields; its `__init__` is not run."""
    made = copying.copy(x)
    for key, item in items.items():
        object.__setattr__(made, key, item)
    return made
