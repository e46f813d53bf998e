"""A function of one Python float, ten operations: what is measured is the overhead of a call."""

from __future__ import annotations

import math

from benchmarks.case import Case


def primal(x: float) -> float:
    a = x * x
    b = math.sin(x)
    c = a * b + x
    d = math.exp(-c)
    return d * a - b / (1.0 + a)


def hand(x: float) -> float:
    a = x * x
    b = math.sin(x)
    d = math.exp(-(a * b + x))
    q = 1.0 + a
    c_bar = -d * a
    a_bar = d + b / (q * q) + c_bar * b
    b_bar = c_bar * a - 1.0 / q
    return 2.0 * x * a_bar + b_bar * math.cos(x) + c_bar


CASE = Case("a  scalar function of ten operations", primal, hand, 0, lambda: (0.7,))
