"""Eight elementwise operations on a million elements: what is measured is memory traffic."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Case


def primal(x: np.ndarray) -> float:
    a = np.sin(x)
    b = a * x
    c = np.tanh(b)
    d = c + a
    e = np.exp(-d)
    return np.sum(np.log(1.0 + e))


def hand(x: np.ndarray) -> np.ndarray:
    a = np.sin(x)
    c = np.tanh(a * x)
    e = c + a
    np.negative(e, out=e)
    np.exp(e, out=e)

    # d_bar = -e / (1 + e)
    d_bar = e + 1.0
    np.divide(e, d_bar, out=d_bar)
    np.negative(d_bar, out=d_bar)
    # b_bar = d_bar * (1 - c ** 2)
    c *= c
    b_bar = np.subtract(1.0, c, out=c)
    b_bar *= d_bar
    # x_bar = b_bar * a + (d_bar + b_bar * x) * cos(x)
    a *= b_bar
    b_bar *= x
    b_bar += d_bar
    b_bar *= np.cos(x)
    a += b_bar
    return a


CASE = Case(
    "d  eight elementwise operations, 1e6", primal, hand, 0, lambda: (np.random.default_rng(0).normal(size=1_000_000),)
)
