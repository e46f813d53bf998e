"""Times of several functions, taken in turns so that a machine that slows down slows all of them.

Every round times each contestant once, over as many calls as fill `span` seconds; a ratio is the median over the rounds
of two times of the same round. The clock is that of the thread, which stands still while another process runs; nothing
here has a second thread.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from time import thread_time
from typing import Any, NamedTuple

Call = Callable[[], Any]


class Effort(NamedTuple):
    """How often and how long: `span` is the seconds of one contestant in one round."""

    rounds: int
    span: float


FULL = Effort(rounds=21, span=0.03)
QUICK = Effort(rounds=5, span=0.005)


@contextmanager
def collector_off() -> Iterator[None]:
    """A garbage collection in the middle of one contestant would be charged to it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def seconds(call: Call, number: int) -> float:
    """The mean time of `number` calls."""
    counted = range(number)
    start = thread_time()
    for _ in counted:
        call()
    return (thread_time() - start) / number


def calls_in(call: Call, span: float) -> int:
    """How many calls fill `span` seconds; the function is warm afterwards."""
    number = 1
    while (once := seconds(call, number)) * number < span / 4:
        number *= 4
    return max(1, round(span / once))


def interleaved(contestants: Mapping[str, Call], effort: Effort) -> dict[str, list[float]]:
    """For each contestant its time per call, one entry a round; every other round goes in the opposite order."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    with collector_off():
        numbers = {name: calls_in(call, effort.span) for name, call in contestants.items()}
        for turn in range(effort.rounds):
            for name in list(contestants)[:: 1 if turn % 2 == 0 else -1]:
                times[name].append(seconds(contestants[name], numbers[name]))
    return times


def ratio(numerator: list[float], denominator: list[float]) -> float:
    """The median of the ratios of each round."""
    return median(a / b for a, b in zip(numerator, denominator, strict=True))
