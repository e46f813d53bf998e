"""A program: its text and the arguments of its function `f`; how it is loaded, called and printed."""

from __future__ import annotations

import itertools
import linecache
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

_numbers = itertools.count()


@dataclass(frozen=True)
class Argument:
    """`value` is a number, or nested tuples of numbers for an array."""

    name: str
    value: Any

    def make(self) -> Any:
        return np.array(self.value) if isinstance(self.value, tuple) else self.value

    @property
    def differentiable(self) -> bool:
        return np.asarray(self.value).dtype.kind == "f"

    def __str__(self) -> str:
        return f"{self.name} = {self.make()!r}".replace("array(", "np.array(").replace("\n" + " " * 6, "\n")


@dataclass(frozen=True)
class Program:
    text: str
    arguments: tuple[Argument, ...]

    def __str__(self) -> str:
        return "\n".join([self.text, *map(str, self.arguments), f"# with respect to {', '.join(self.wrt)}"])

    @property
    def wrt(self) -> tuple[str, ...]:
        return tuple(argument.name for argument in self.arguments if argument.differentiable)

    def make_arguments(self) -> dict[str, Any]:
        return {argument.name: argument.make() for argument in self.arguments}


@contextmanager
def loaded(text: str, **names: Any) -> Iterator[dict[str, Any]]:
    """The names that a text defines; its lines can be read by `inspect` inside."""
    file = f"<random program {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"__name__": "random_program", "np": np, "math": math, **names}
    try:
        exec(compile(text, file, "exec"), scope)
        yield scope
    finally:
        del linecache.cache[file]


class TooLong(BaseException):
    """A call that does not end soon: no handler of the program's is to catch it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends a call that runs longer: a shrunk loop may have lost what ends it."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return function(*arguments.values())
