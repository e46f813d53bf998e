"""A corpus of plain NumPy functions, crossed by the tests with every way of differentiating them.

    @program(args=lambda rng: (rng.standard_normal(4), 2.0))
    def scaled(x, a):
        y = np.zeros_like(x)
        for i in range(len(x)):
            y[i] = a * x[i]
        return y

registers `scaled`, which stays what it is: nothing of the compiler is in these files. The arguments are made anew for
every call from a generator that is seeded with the function's name. The points lie away from kinks, and the tests say
so where one does not.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Wrt = int | str | tuple[int | str, ...]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Program:
    """A function of the corpus, and the point at which to differentiate it.

    `wrt` is what a user would ask for; the tests also ask for every other floating point argument. `only` is "first"
    where a derivative of the derivative says nothing (its comment says why), else "".
    """

    function: Callable[..., Any]
    topic: str
    args: Callable[[np.random.Generator], tuple[Any, ...]]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    wrt: Wrt = 0
    only: str = ""

    @property
    def name(self) -> str:
        return self.function.__name__

    def call(self, **replaced: Any) -> inspect.BoundArguments:
        """Fresh arguments, always the same, with some of them replaced."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        bound = inspect.signature(self.function).bind(*self.args(rng), **self.keywords)
        bound.arguments.update(replaced)
        return bound

    def names(self, wrt: Wrt) -> tuple[str, ...]:
        """The parameters that a `wrt` means."""
        parameters = list(inspect.signature(self.function).parameters)
        several = wrt if isinstance(wrt, tuple) else (wrt,)
        return tuple(parameters[item] if isinstance(item, int) else item for item in several)


PROGRAMS: dict[str, Program] = {}


def program(
    args: Callable[[np.random.Generator], tuple[Any, ...]],
    wrt: Wrt = 0,
    keywords: Mapping[str, Any] | None = None,
    only: str = "",
) -> Callable[[F], F]:
    """Registers a function as a program of the corpus and returns it as it is."""

    def register(function: F) -> F:
        if function.__name__ in PROGRAMS:
            raise ValueError(f"two programs are named {function.__name__}")
        topic = function.__module__.rpartition(".")[2]
        PROGRAMS[function.__name__] = Program(function, topic, args, keywords or {}, wrt, only)
        return function

    return register


for _module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
