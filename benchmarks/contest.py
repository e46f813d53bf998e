"""One case: its contestants are made to agree, then timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import thread_time
from typing import Any

import numpy as np

from benchmarks.case import Case, rebound
from benchmarks.measure import Effort, interleaved, ratio
from srcgrad import grad

try:
    import autograd
    import autograd.numpy

    AUTOGRAD = True
except ImportError:  # a peer to compare with, not a dependency
    AUTOGRAD = False


class Disagreement(Exception):
    """Two contestants return different gradients."""


@dataclass(frozen=True)
class Result:
    """`hand` and `first_call` in seconds, the rest relative to `hand`; `autograd` is None where it is not installed.

    `first_call` is the time of `grad(f)` and its first call, compilation included, less one later call.
    """

    label: str
    hand: float
    primal: float
    srcgrad: float
    autograd: float | None
    first_call: float


def contest(case: Case, effort: Effort) -> Result:
    arguments = case.arguments()
    start = thread_time()
    generated = grad(case.primal, case.wrt)
    generated(*arguments)
    compiled = thread_time() - start

    gradients: dict[str, Callable[..., Any]] = {"hand": case.hand, "srcgrad": generated}
    if AUTOGRAD:
        gradients["autograd"] = autograd.grad(rebound(case.primal, autograd.numpy), case.wrt)
    agree(case, gradients, arguments)

    contestants = {name: partial(f, *arguments) for name, f in {"primal": case.primal, **gradients}.items()}
    times = interleaved(contestants, effort)
    ratios = {name: ratio(each, times["hand"]) for name, each in times.items()}
    return Result(
        case.label,
        median(times["hand"]),
        ratios["primal"],
        ratios["srcgrad"],
        ratios.get("autograd"),
        compiled - median(times["srcgrad"]),
    )


def agree(case: Case, gradients: Mapping[str, Callable[..., Any]], arguments: tuple[Any, ...]) -> None:
    """Raises `Disagreement` unless all gradients have the structure, the shapes and the numbers of the hand's."""
    expected = leaves(gradients["hand"](*arguments))
    for name, gradient in gradients.items():
        found = leaves(gradient(*arguments))
        if [np.shape(each) for each in found] != [np.shape(each) for each in expected]:
            raise Disagreement(f"{case.label}: {name} returns other shapes than the hand-written gradient")
        for a, b in zip(found, expected, strict=True):
            scale = np.max(np.abs(b))
            if not np.allclose(a, b, rtol=1e-9, atol=1e-12 * scale):
                worst = np.max(np.abs(a - b)) / scale
                raise Disagreement(f"{case.label}: {name} differs from the hand-written gradient by {worst:.1e}")


def leaves(gradient: Any) -> tuple[Any, ...]:
    return gradient if isinstance(gradient, tuple) else (gradient,)
