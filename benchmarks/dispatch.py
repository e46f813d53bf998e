"""What a call costs before any of the generated code runs: types looked up, generated function found."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import thread_time
from typing import Any

import numpy as np

from benchmarks.measure import Effort, interleaved
from srcgrad import grad


@dataclass(frozen=True)
class Dispatch:
    """Seconds of one call of a generated gradient beyond those of the same function called directly."""

    label: str
    overhead: float


def trivial(x: float, y: Any, z: Any) -> float:
    return x


def trivial_gradient(x: float, y: Any, z: Any) -> float:
    return 1.0


def dispatch(effort: Effort) -> list[Dispatch]:
    arrays = np.ones(3), np.ones((2, 2))
    generated = grad(trivial)
    return [
        Dispatch("three floats", overhead(generated, (1.0, 2.0, 3.0), effort)),
        Dispatch("a float and two arrays", overhead(generated, (1.0, *arrays), effort)),
    ]


def overhead(generated: Any, arguments: tuple[Any, ...], effort: Effort) -> float:
    times = interleaved(
        {"generated": lambda: generated(*arguments), "direct": lambda: trivial_gradient(*arguments)}, effort
    )
    return median(a - b for a, b in zip(times["generated"], times["direct"], strict=True))


def first_compilation() -> float:
    """Seconds of the first gradient of the process: what is read and built once is paid here."""
    start = thread_time()
    grad(trivial)(1.0, 2.0, 3.0)
    return thread_time() - start
