"""The logistic loss of ten rows: a few operations on arrays so small that only their number counts."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Case


def primal(w: np.ndarray, X: np.ndarray, sign: np.ndarray) -> float:
    margin = sign * (X @ w)
    return np.sum(np.log1p(np.exp(-margin)))


def hand(w: np.ndarray, X: np.ndarray, sign: np.ndarray) -> np.ndarray:
    margin = sign * (X @ w)
    # The derivative of log(1 + exp(-m)) is -1 / (1 + exp(m)).
    return (-sign / (1.0 + np.exp(margin))) @ X


def arguments() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=5), rng.normal(size=(10, 5)), np.sign(rng.normal(size=10))


CASE = Case("b  logistic loss, n = 10", primal, hand, 0, arguments)
