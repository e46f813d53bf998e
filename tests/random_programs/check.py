"""One program under one mode: is its derivative right, refused, wrong, or does the compiler fail?

    check(program, "all")       Outcome("right")
    check(program, "none")      Outcome("wrong", "gradient", "x: [0., 2.] where differences give [1., 2.]")

A program is rejected, as no test at all, where it does not run, where its numbers are large, and where differences
disagree between two steps or between the two sides: at kinks and jumps.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import srcgrad
from srcgrad import Derivative, NoRule, UnsupportedSyntax, grad
from srcgrad import vjp as vjp
from srcgrad.frontend import routines
from srcgrad.pipeline import OPTIMIZATIONS
from tests.differences import (
    Tree,
    assert_identical,
    assert_same_kind,
    copied,
    dot,
    has_floating,
    is_floating,
    leaves,
    random_like,
    tree_map,
)
from tests.random_programs.program import Program, TooLong, at_most, call, loaded

MODES = ("all", "none", *OPTIMIZATIONS, "polymorphic", "again", "twice", "called")
LARGEST = 1e4
STEPS = (1e-4, 3e-5)
RTOL, ATOL = 1e-5, 1e-7
_CENTRAL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
_ONE_SIDED = ((0, -1.5), (1, 2.0), (2, -0.5))
_PACKAGE = Path(srcgrad.__file__).parent


@dataclass(frozen=True)
class Outcome:
    """`kind`: right, rejected, refused, wrong, internal. `key` groups outcomes of the same cause."""

    kind: str
    key: str = ""
    detail: str = ""

    def fails_like(self, other: Outcome) -> bool:
        return (self.kind, self.key) == (other.kind, other.key)


class _Failed(Exception):
    """The gradient that is to be differentiated again raises this error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class _Rejected(Exception):
    """The program is no test: the message says why."""


def check(program: Program, mode: str = "all", seconds: float = 10.0) -> Outcome:
    """The outcome of one program; `mode` is one of `MODES`."""
    with np.errstate(all="ignore"), ExitStack() as texts:
        function = texts.enter_context(loaded(program.text))["f"]
        if mode == "called":  # every function that is called is on its own, small ones too
            texts.enter_context(patch.multiple(routines, LARGE=0, REPEATED=0))
        try:
            if mode == "twice":
                function = grad(_seeded(program, function, texts), program.wrt)
            outcome = _first_order(program, function, mode, seconds)
            if outcome.kind == "wrong" and _first_order(_beside(program), function, mode, seconds).kind == "right":
                return Outcome("rejected", "kinks that cancel")  # `np.minimum(x, x.max())` where two are largest
            return outcome
        except _Rejected as rejected:
            return Outcome("rejected", str(rejected))
        except _Failed as failed:
            return _internal(failed.error)
        except UnsupportedSyntax as refused:
            return _refused(refused)


def _assert_same_value(found: Tree, value: Tree) -> None:
    """The value is that of the primal, but for the last digit of a sum over an array in another order in memory."""

    def compare(expected: Any, actual: Any) -> None:
        if not is_floating(expected):
            assert_identical(actual, expected)
            return
        assert type(actual) is type(expected)
        assert np.shape(actual) == np.shape(expected)
        np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-15)

    tree_map(compare, value, found)


def _refused(refused: UnsupportedSyntax) -> Outcome:
    first = refused.offences[0]
    problem = first.problem if isinstance(first, NoRule) else re.sub("`[^`]*`", "`_`", first.problem)
    return Outcome("refused", f"{type(first).__name__}: {problem}", str(first))


def _beside(program: Program) -> Program:
    """The program with arguments that differ by so little that no branch is another one, but at its edge."""
    rng = np.random.default_rng(2)

    def moved(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(moved, value))
        return value + 1e-4 * rng.standard_normal() if isinstance(value, float) else value

    return replace(program, arguments=tuple(replace(a, value=moved(a.value)) for a in program.arguments))


def _first_order(program: Program, function: Callable[..., Any], mode: str, seconds: float) -> Outcome:
    value, after = _primal(program, function)
    rng = np.random.default_rng(0)
    seed = tree_map(_known_length, value, random_like(value, rng))
    options: dict[str, Any] = {}
    if mode == "none":
        options["optimize"] = False
    elif mode in OPTIMIZATIONS:
        options["optimize"] = frozenset((mode,))
    elif mode == "polymorphic":
        options["specialize"] = False
    arguments, given = program.make_arguments(), copied(seed)
    try:
        with at_most(seconds):
            derivative = vjp(function, program.wrt, **options)
            if mode == "again":
                derivative(*program.make_arguments().values(), seed=copied(seed))
            found, cotangents = derivative(*arguments.values(), seed=given)
    except UnsupportedSyntax:
        raise
    except (Exception, TooLong) as error:  # noqa: BLE001 - whatever it is, the primal did not raise it
        return _internal(error)
    return (
        _compare("value", lambda: _assert_same_value(found, value))
        or _compare("arguments", lambda: assert_identical(arguments, after))
        or _compare("seed", lambda: assert_identical(given, seed))
        or _gradient(program, function, seed, cotangents)
    )


def _known_length(leaf: Any, seed: Any) -> Any:
    """None stands for no derivative, but not for an array of a length that the compiler cannot tell."""
    return np.zeros(leaf.shape) if seed is None and isinstance(leaf, np.ndarray) else seed


def _internal(error: BaseException) -> Outcome:
    """An exception that the plain function does not raise, by its type and by where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    last = (inside or frames)[-1]
    where = f"{Path(last.filename).name}:{last.name}"
    generated = frames[-1].filename.startswith("<srcgrad")
    message = re.sub(r"[\w.]*\.\d+|\d+|'\w+'", "_", (str(error).splitlines() or [""])[0])
    key = f"{type(error).__name__}: {message[:70]} in {'generated code' if generated else where}"
    return Outcome("internal", key, "".join(traceback.format_exception(error)[-4:]))


def _compare(what: str, comparison: Callable[[], None]) -> Outcome | None:
    try:
        comparison()
    except AssertionError as error:
        return Outcome("wrong", what, str(error))
    return None


# The primal


def _primal(program: Program, function: Callable[..., Any]) -> tuple[Tree, dict[str, Any]]:
    """What the function returns and what it leaves in its arguments."""
    arguments = program.make_arguments()
    overflows: list[str] = []  # zero times what has overflowed is no number, in any derivative
    try:
        with (
            at_most(10.0 if isinstance(function, Derivative) else 0.3),
            np.errstate(over="call", call=lambda kind, flag: overflows.append(kind)),
        ):
            value = copied(call(function, arguments))
    except UnsupportedSyntax:
        raise
    except TooLong:
        raise _Rejected("does not end") from None
    except Exception as error:  # noqa: BLE001 - a program that does not run
        if isinstance(function, Derivative):
            raise _Failed(error) from None
        raise _Rejected(f"raises {type(error).__name__}") from None
    numbers = [np.max(np.abs(leaf), initial=0.0) for leaf in leaves((value, arguments)) if is_floating(leaf)]
    if overflows or not np.all(np.array(numbers) < LARGEST):
        raise _Rejected("large numbers")
    if not program.wrt or not has_floating(value):
        raise _Rejected("nothing to differentiate")
    return value, arguments


def _seeded(program: Program, function: Callable[..., Any], texts: ExitStack) -> Callable[..., Any]:
    """The function of the same arguments that returns the seeded result, as one number."""
    seeds: list[Any] = []
    terms: list[str] = []

    def visit(tree: Tree, path: str) -> None:
        if isinstance(tree, list | tuple):
            for i, item in enumerate(tree):
                visit(item, f"{path}[{i}]")
        elif is_floating(tree):
            terms.append(f"np.sum({path} * seeds[{len(seeds)}])")
            seeds.append(random_like(tree, np.random.default_rng(len(seeds))))

    visit(_primal(program, function)[0], "value")
    names = ", ".join(program.make_arguments())
    text = f"def seeded({names}):\n    value = f({names})\n    return {' + '.join(terms)}\n"
    made: Callable[..., Any] = texts.enter_context(loaded(text, f=function, seeds=seeds))["seeded"]
    return made


# Differences


def _gradient(program: Program, function: Callable[..., Any], seed: Tree, cotangents: tuple[Any, ...]) -> Outcome:
    """Compares along random directions; only where these disagree, element by element."""
    arguments = program.make_arguments()
    point = tuple(arguments[name] for name in program.wrt)
    if failed := _compare("kind of the gradient", lambda: assert_same_kind(cotangents, point)):
        return failed

    def seeded(at: Tree) -> float:
        moved = program.make_arguments() | dict(zip(program.wrt, copied(at), strict=True))
        return dot(seed, call(function, moved))

    rng = np.random.default_rng(1)
    for _ in range(2):
        direction = random_like(point, rng)
        expected = _slope(seeded, point, direction)
        actual = dot(cotangents, direction)
        if not abs(actual - expected) <= RTOL * max(abs(expected), 1.0):
            _reject_kinks(seeded, point, direction)
            return _element_by_element(program, seeded, point, cotangents)
    return Outcome("right")


def _difference(
    seeded: Callable[[Tree], float], point: Tree, direction: Tree, step: float, weights: tuple[tuple[int, float], ...]
) -> float:
    """The slope of a function along a direction."""

    def moved(k: int) -> Tree:
        return tree_map(lambda x, d: x + k * step * d, point, direction)

    try:
        with at_most(2.0):
            return sum(weight * seeded(moved(k)) for k, weight in weights) / step
    except TooLong:
        raise _Rejected("does not end near by") from None
    except (ValueError, TypeError, LookupError, ArithmeticError, AssertionError, UnboundLocalError):
        raise _Rejected("does not run near by") from None


def _slope(seeded: Callable[[Tree], float], point: Tree, direction: Tree) -> float:
    wide, narrow = (_difference(seeded, point, direction, step, _CENTRAL) for step in STEPS)
    if not abs(wide - narrow) <= 1e-6 * max(abs(wide), 1.0):
        raise _Rejected("kink or jump")
    return wide


def _reject_kinks(seeded: Callable[[Tree], float], point: Tree, direction: Tree) -> None:
    """Rejects a point whose slopes to the two sides differ."""
    left = tuple((-k, -weight) for k, weight in _ONE_SIDED)
    sides = [_difference(seeded, point, direction, 1e-4, weights) for weights in (_ONE_SIDED, left)]
    if not abs(sides[0] - sides[1]) <= 1e-3 * max(1.0, abs(sides[0])):
        raise _Rejected("one-sided kink")


def _element_by_element(
    program: Program, seeded: Callable[[Tree], float], point: tuple[Any, ...], cotangents: tuple[Any, ...]
) -> Outcome:
    lines = []
    for i, (name, value, cotangent) in enumerate(zip(program.wrt, point, cotangents, strict=True)):
        expected = np.zeros(np.shape(value))
        for index in np.ndindex(np.shape(value)):
            unit = np.zeros(np.shape(value))
            unit[index] = 1.0
            direction = tuple(
                (unit if k == i else np.zeros(np.shape(p))) if isinstance(p, np.ndarray) else float(k == i)
                for k, p in enumerate(point)
            )
            expected[index] = _slope(seeded, point, direction)
            if not np.isclose(np.asarray(cotangent)[index], expected[index], rtol=RTOL, atol=1e-6):
                _reject_kinks(seeded, point, direction)
        if not np.allclose(cotangent, expected, rtol=RTOL, atol=1e-6):
            lines.append(f"{name}: {np.asarray(cotangent)!r}\nwhere differences give\n{expected!r}")
    if not lines:
        raise _Rejected("ill-conditioned")
    return Outcome("wrong", "gradient", "\n".join(lines))
