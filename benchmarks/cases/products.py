"""Four products of 200 x 200 matrices: what is measured is the number of products."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Case


def primal(A: np.ndarray, B: np.ndarray, C: np.ndarray, D: np.ndarray, E: np.ndarray) -> float:
    return np.sum((A @ B @ C @ D @ E) ** 2)


def hand(A: np.ndarray, B: np.ndarray, C: np.ndarray, D: np.ndarray, E: np.ndarray) -> tuple[np.ndarray, ...]:
    AB = A @ B
    ABC = AB @ C
    ABCD = ABC @ D
    ABCDE_bar = ABCD @ E
    ABCDE_bar *= 2.0
    ABCD_bar = ABCDE_bar @ E.T
    ABC_bar = ABCD_bar @ D.T
    AB_bar = ABC_bar @ C.T
    return AB_bar @ B.T, A.T @ AB_bar, AB.T @ ABC_bar, ABC.T @ ABCD_bar, ABCD.T @ ABCDE_bar


def arguments() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    return tuple(rng.normal(0.0, 200**-0.5, (200, 200)) for _ in range(5))


CASE = Case("f  four products of 200 x 200", primal, hand, (0, 1, 2, 3, 4), arguments)
