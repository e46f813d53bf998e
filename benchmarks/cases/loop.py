"""A thousand steps of a scalar recurrence: what is measured is the tape and the loop that reads it."""

from __future__ import annotations

from benchmarks.case import Case


def primal(x: float, h: float, steps: int) -> float:
    for _ in range(steps):
        x = x + h * (1.0 - x * x)
    return x


def hand(x: float, h: float, steps: int) -> float:
    tape = []
    for _ in range(steps):
        tape.append(x)
        x = x + h * (1.0 - x * x)
    x_bar = 1.0
    slope = 2.0 * h
    for x in reversed(tape):
        x_bar -= slope * x * x_bar
    return x_bar


CASE = Case("e  loop of 1000 scalar steps", primal, hand, 0, lambda: (-0.5, 0.003, 1000))
