"""The measurements as a table in Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from math import prod

import numpy as np

from benchmarks.contest import AUTOGRAD, Result
from benchmarks.dispatch import Dispatch
from benchmarks.measure import Effort

HEADER = ("case", "hand-written", "primal", "srcgrad", "autograd", "first call")


TEXT = """\
# Gradients against hand-written ones

Written by `python -m benchmarks`. A figure is the time of a gradient over the time of the hand-written NumPy gradient
of the same function: smaller is better. `primal` is the function itself. The contestants take turns in one process with
one thread, {rounds} rounds, and a figure is the median of the ratios of each round: ratios carry over to other machines
better than times do. Before a case is timed, its gradients are checked against each other.
{versions}.

{table}

Geometric mean of the column `srcgrad`: {mean:.2f}.

`first call` is `grad(f)` and its first call, compilation included. The first gradient of a process also builds what is
built once: {first}.

A call of a generated gradient costs, beyond the generated function itself:

{dispatches}
"""


def report(results: Sequence[Result], dispatches: Sequence[Dispatch], first: float, effort: Effort) -> str:
    """The whole text of `results.md`."""
    return TEXT.format(
        rounds=effort.rounds,
        versions=", ".join(versions()),
        table="\n".join(table(results)),
        mean=prod(each.srcgrad for each in results) ** (1 / len(results)),
        first=duration(first),
        dispatches="\n".join(f"* {each.label}: {duration(each.overhead)}" for each in dispatches),
    )


def versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    yield f"NumPy {np.__version__}"
    if AUTOGRAD:
        yield f"autograd {metadata.version('autograd')}"


def table(results: Sequence[Result]) -> list[str]:
    rows = [HEADER, *map(row, results)]
    widths = [max(len(each[column]) for each in rows) for column in range(len(HEADER))]
    lines = [f"| {' | '.join(map(aligned, each, widths, range(len(widths))))} |" for each in rows]
    rule = ["-" * width if column == 0 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return [lines[0], f"| {' | '.join(rule)} |", *lines[1:]]


def aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)


def row(result: Result) -> tuple[str, ...]:
    peer = "" if result.autograd is None else significant(result.autograd)
    return (
        result.label,
        duration(result.hand),
        significant(result.primal),
        significant(result.srcgrad),
        peer,
        duration(result.first_call),
    )


def significant(ratio: float) -> str:
    """Two digits after the point below ten, none from a hundred on.

    >>> significant(1.0449), significant(28.66), significant(564.7)
    ('1.04', '28.7', '565')
    """
    return f"{ratio:.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"


def duration(seconds: float) -> str:
    """Microseconds below a tenth of a millisecond, then milliseconds; two digits, or as many as stand before the point.

    >>> duration(2.5e-7), duration(3.14e-3), duration(0.144)
    ('0.25 us', '3.1 ms', '144 ms')
    """
    amount, unit = (seconds * 1e6, "us") if seconds < 9.95e-5 else (seconds * 1e3, "ms")
    return f"{amount:.{2 if amount < 0.995 else 1 if amount < 9.95 else 0}f} {unit}"
