"""Operands: a type, or a constant, which is its own best type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from srcgrad.ir import Const
from srcgrad.types import INT, NONE, OBJECT, Type, fixed, type_of

Operand = Type | Const


def type_of_operand(operand: Operand) -> Type:
    """The type of an operand; the axes of a constant array and a constant int have fixed lengths."""
    return operand if isinstance(operand, Type) else _type_of_value(operand.value)


def _type_of_value(value: Any) -> Type:
    if type(value) is int:
        return replace(INT, length=fixed(value)) if value >= 0 else INT
    if type(value) is np.ndarray:
        return Type("array", value.dtype, dims=tuple(map(fixed, value.shape)))
    if type(value) is tuple:
        return Type("tuple", items=tuple(map(_type_of_value, value)))
    if value is Ellipsis or callable(value):
        return OBJECT
    return NONE if value is None else type_of(value)


def whole_number(operand: Operand) -> bool:
    """Whether an operand is an integer, of Python or of NumPy, and not a boolean."""
    t = type_of_operand(operand)
    return t.kind == "scalar" and t.dtype is not None and t.dtype.kind in "iu"


def constant_int(operand: Operand | None, default: int | None = None) -> int | None:
    """The value of a constant integer; `default` where there is no operand, None where the value is not known."""
    if operand is None:
        return default
    value = operand.value if isinstance(operand, Const) else None
    return value if type(value) is int else None
