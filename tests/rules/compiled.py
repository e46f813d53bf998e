"""Programs of one operation each, made from the points that a rule is tested at.

    np.concatenate([x, y], axis=1)    ->    def program(a, b):
                                                return np.concatenate([a, b], axis=1)

What is floating point becomes a parameter to differentiate with respect to, an array of integers or booleans one that
is not; all else is written into the text.
"""

from __future__ import annotations

import itertools
import linecache
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from srcgrad.emit.paths import path_of
from srcgrad.rules.rule import Key, Operation, Rule

SYMBOLS = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.mod: "%",
    operator.pow: "**",
    operator.matmul: "@",
}
PREFIXES = {operator.neg: "-", operator.pos: "+"}
SHAPES: tuple[tuple[int, ...] | None, ...] = (None, (), (3,), (2, 3), (2, 1))
_PAIRS = ((0, 0), (0, 3), (3, 0), (2, 3), (3, 4), (4, 2), (1, 2), (1, 1))
_SCALAR_ONLY: tuple[Any, ...] = (float, min, max)
_counter = itertools.count()


@dataclass(frozen=True)
class Program:
    """A function of one operation: its text, the arguments to call it with, and which of them are floating point."""

    text: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    wrt: tuple[int, ...]


class _Writer:
    """Writes the arguments of a call; collects those that become parameters."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.imports: set[str] = {"import numpy as np"}

    def write(self, value: Any, literal: bool = False) -> str:
        if literal and isinstance(value, float):
            return repr(float(value)) if isfinite(value) else f"float({str(value)!r})"
        if isinstance(value, float | complex | np.ndarray | np.generic):
            self.values.append(value)
            return f"x{len(self.values) - 1}"
        if isinstance(value, list):
            return f"[{', '.join(self.write(item, literal) for item in value)}]"
        if isinstance(value, tuple):
            return f"({''.join(self.write(item, literal) + ', ' for item in value)})"
        if isinstance(value, type):
            return f"np.{value.__name__}" if value.__module__ == "numpy" else value.__name__
        return repr(value)


def program(rule: Rule, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Program:
    """The function that calls an operation with these arguments."""
    writer = _Writer()
    names = list(rule.parameters)

    fixed: set[int] = set()

    def write(name: str, value: Any) -> str:
        before = len(writer.values)
        text = writer.write(value, literal=name not in rule.differentiable)
        if name not in (*rule.differentiable, *rule.shape_only):
            fixed.update(range(before, len(writer.values)))
        return text

    written = [write(name, value) for name, value in zip(names, args, strict=False)]
    named = [f"{name}={write(name, value)}" for name, value in kwargs.items()]
    body = _expression(operation, written, named, writer.imports)
    parameters = ", ".join(f"x{i}" for i in range(len(writer.values)))
    text = "\n".join([*sorted(writer.imports - {""}), "", f"def program({parameters}):", f"    return {body}", ""])
    wrt = tuple(i for i, v in enumerate(writer.values) if np.asarray(v).dtype.kind == "f" and i not in fixed)
    return Program(text, define(text, "program"), tuple(writer.values), wrt)


def _expression(operation: Operation, args: list[str], named: list[str], imports: set[str]) -> str:
    if isinstance(operation, Key):
        call = f"({', '.join([*args[1:], *named])})" if operation.kind == "method" else ""
        return f"{args[0]}.{operation.name}{call}"
    if operation in SYMBOLS:
        return f" {SYMBOLS[operation]} ".join(args)
    if operation in PREFIXES:
        return PREFIXES[operation] + args[0]
    statement, path = path_of(operation)
    imports.add(statement)
    return f"{path}({', '.join([*args, *named])})"


def define(text: str, name: str) -> Any:
    """The function `name` of a text, whose source is known to `inspect`."""
    file = f"<program {next(_counter)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "programs"}
    exec(compile(text, file, "exec"), namespace)
    return namespace[name]


# Points


def points(rule: Rule, operation: Operation) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The calls that a rule is tested at, as this operation may be spelled."""
    rng = np.random.default_rng(20)
    if rule.samples is not None:
        yield from (call for call in rule.samples(rng) if _possible(operation, *call))
    if rule.form != "elementwise" or list(rule.parameters)[: len(rule.domain)] != list(rule.vjps):
        return
    for shapes in _shapes(operation, len(rule.domain)):
        yield tuple(_draw(rng, interval, shape) for interval, shape in zip(rule.domain, shapes, strict=True)), {}


def _shapes(operation: Operation, count: int) -> Iterator[tuple[tuple[int, ...] | None, ...]]:
    if getattr(operation, "__module__", "") == "math" or operation in _SCALAR_ONLY:
        yield (None,) * count
    elif count == 1:
        yield from ((shape,) for shape in SHAPES[isinstance(operation, Key) :])
    else:
        yield from (tuple(SHAPES[i] for i in pair) for pair in _PAIRS)


def _possible(operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if isinstance(operation, Key):
        plain = isinstance(args[0], np.ndarray)
        return plain and (operation.kind == "method" or (len(args) == 1 and not kwargs))
    if operation in SYMBOLS or operation in PREFIXES or operation is operator.abs:
        return not kwargs and len(args) == (2 if operation in SYMBOLS else 1)
    return not (getattr(operation, "__module__", "") == "math" and kwargs)


def _draw(rng: np.random.Generator, interval: tuple[float, float], shape: tuple[int, ...] | None) -> Any:
    return float(rng.uniform(*interval)) if shape is None else np.asarray(rng.uniform(*interval, size=shape))


def single(value: Any) -> Any:
    """The same value in single precision; Python's numbers stay."""
    low = isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f"
    return value.astype(np.float32) if low else value


def is_complex(call: tuple[tuple[Any, ...], dict[str, Any]]) -> bool:
    def complex_in(value: Any) -> bool:
        if isinstance(value, list | tuple):
            return any(map(complex_in, value))
        return np.iscomplexobj(value) or value is complex

    return complex_in([*call[0], *call[1].values()])
