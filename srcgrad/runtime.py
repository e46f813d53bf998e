"""All that generated code may call besides NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np


def unbroadcast(g: Any, x: Any) -> Any:
    """The cotangent `g` of a broadcast copy of `x`, summed to the shape of `x` and in its dtype.

    A complex `g` for a real `x` is projected to its real part.
    """
    shape = np.shape(x)
    if np.shape(g) != shape:
        extra = np.ndim(g) - len(shape)
        if extra > 0:
            g = np.sum(g, axis=tuple(range(extra)))
        stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and np.shape(g)[axis] != 1)
        if stretched:
            g = np.sum(g, axis=stretched, keepdims=True)
        if np.shape(g) != shape:
            g = np.broadcast_to(g, shape)
    return cast(g, x)


def cast(g: Any, x: Any) -> Any:
    """`g` in the dtype of `x`."""
    dtype = getattr(x, "dtype", None)
    if dtype is None or getattr(g, "dtype", dtype) == dtype:
        return g
    if np.iscomplexobj(g) and dtype.kind != "c":
        g = np.real(g)
    return g.astype(dtype)


def zeros_like(x: Any) -> Any:
    """Zero in the shape and the dtype of `x`, a Python float for Python's numbers."""
    if isinstance(x, list | tuple):
        return type(x)(zeros_like(item) for item in x)
    return 0.0 if isinstance(x, int | float) else np.zeros_like(x)[()]
