"""Reversal of broadcasting, once for all rules: a cotangent is summed to the shape of the value that it belongs to.

    x of type float64[x.0], g of type float64[X.0, x.0]       np.sum(g, axis=0)
    x a number, g an array                                    np.sum(g)
    shapes that are not known                                 unbroadcast(g, x)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad import runtime
from srcgrad.build import Builder
from srcgrad.ir import Atom, Attr, Const, Method, Var
from srcgrad.types import Dim, Type, same_length


def fit(builder: Builder, g: Atom, x: Var, stretched: bool) -> Atom:
    """The cotangent `g` in the shape (where it may have been `stretched`) and the dtype of `x`."""
    given, wanted = builder.type(g), builder.type(x)
    if stretched:
        plan = _plan(given, wanted)
        if plan is None:
            return builder.fn(runtime.unbroadcast, g, x)
        g = _reduce(builder, g, x, *plan)
    return _cast(builder, g, builder.type(g), wanted)


def _plan(given: Type, wanted: Type) -> tuple[int, tuple[int, ...], bool] | None:
    """(leading axes to sum away, axes to sum to one, whether `g` has to be stretched); None where it is not known."""
    have, want = given.shape, wanted.shape
    if have is None or want is None:
        return None
    extra = len(have) - len(want)
    if extra < 0:
        return 0, (), True
    ones: list[int] = []
    for axis, (mine, its) in enumerate(zip(have[extra:], want, strict=True)):
        if its.is_one:
            if not mine.is_one:
                ones.append(axis)
        elif not _same(mine, its):
            return None
    return extra, tuple(ones), False


def _same(a: Dim, b: Dim) -> bool:
    """Whether two axes that meet by broadcasting, `b` that of an operand, have one length in every run."""
    return same_length(a, b) or not b.may_be_one


def _reduce(builder: Builder, g: Atom, x: Var, extra: int, ones: tuple[int, ...], stretch: bool) -> Atom:
    if stretch:
        return builder.fn(np.broadcast_to, g, builder.let(Attr("shape"), [x]))
    rank = builder.type(g).rank
    if extra:
        axis: Any = None if extra == rank else 0 if extra == 1 else tuple(range(extra))
        g = builder.fn(np.sum, g) if axis is None else builder.fn(np.sum, g, axis=Const(axis))
    if ones:
        g = builder.fn(np.sum, g, axis=Const(ones if len(ones) > 1 else ones[0]), keepdims=Const(True))
    return g


def _cast(builder: Builder, g: Atom, given: Type, wanted: Type) -> Atom:
    if given.dtype is None or wanted.dtype is None or given.dtype == wanted.dtype or given.weak or wanted.weak:
        return g
    return builder.let(Method("astype"), [g, Const(wanted.dtype.type)])
