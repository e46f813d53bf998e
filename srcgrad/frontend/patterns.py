"""Lowering of `match`: a chain of branches.

    match n:                               if n == 0:
        case 0: y = x                          y = x
        case 1 | 2: y = x * x        ->    elif n == 1 or n == 2:
        case _: y = -x                         y = x * x
                                           else: y = -x
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import gast

from srcgrad.frontend.exceptions import Exceptions
from srcgrad.frontend.values import Value, is_true
from srcgrad.ir import Const, Var

Bindings = dict[str, Callable[[], Value]]  # what a pattern captures is taken where it is used


class Fits(gast.AST):  # type: ignore[misc]
    """The test of a case, as an expression; it leaves what the pattern captures for `Captures`."""

    _fields = ("pattern", "guard")

    def __init__(self, case: gast.match_case, subject: Value) -> None:
        super().__init__(case.pattern, case.guard)
        gast.copy_location(self, case.pattern)
        self.subject = subject
        self.bindings: Bindings = {}


class Captures(gast.AST):  # type: ignore[misc]
    """A statement that binds what the pattern of a case has captured."""

    def __init__(self, test: Fits) -> None:
        super().__init__()
        gast.copy_location(self, test)
        self.test = test


class Patterns(Exceptions):
    def as_branches(self, node: gast.Match) -> gast.If:
        """The cases as a chain of `if`."""
        subject = self.expression(node.subject)
        chain: list[gast.AST] = []
        for case in reversed(node.cases):
            test = Fits(case, subject)
            branch = gast.If(test, [Captures(test), *case.body], chain)
            chain = [gast.copy_location(branch, node if case is node.cases[0] else case.pattern)]
        return chain[0]

    def _expr_fits(self, node: Fits) -> Value:
        test = self.truth(self._fits(node.pattern, lambda: node.subject, node.bindings), node.pattern)
        if node.guard is None:
            return test

        def guard() -> Value:
            self._bound(node.bindings)
            return self.test(node.guard)

        return self.either(test, guard, lambda: Const(False), "_test")

    def _stmt_captures(self, node: Captures) -> None:
        self._bound(node.test.bindings)

    def _bound(self, bindings: Bindings) -> None:
        for name, value in bindings.items():
            self.frame.environment[self.frame.key(name)] = value()

    def _fits(self, pattern: Any, subject: Callable[[], Value], bindings: Bindings) -> Value:
        """Whether a value fits a pattern; the names that it captures go into `bindings`."""
        match type(pattern).__name__:
            case "MatchValue":
                return self.comparison(gast.Eq(), subject(), self.expression(pattern.value), pattern)
            case "MatchSingleton":
                return self.comparison(gast.Is(), subject(), Const(pattern.value), pattern)
            case "MatchAs":
                return self._captured(pattern, subject, bindings)
            case "MatchOr":
                return self._any_of(list(pattern.patterns), subject, bindings)
            case "MatchSequence":
                return self._sequence(pattern, subject(), bindings)
        return self.refuse(pattern, "this kind of pattern is not supported", "write `if` with `isinstance`")

    def _captured(self, pattern: Any, subject: Callable[[], Value], bindings: Bindings) -> Value:
        fits: Value = Const(True)
        if pattern.pattern is not None:
            fits = self._fits(pattern.pattern, subject, bindings)
        if pattern.name is not None:
            bindings[pattern.name] = subject
        return fits

    def _any_of(self, patterns: list[Any], subject: Callable[[], Value], bindings: Bindings) -> Value:
        first, *others = patterns
        known = len(bindings)
        fits = self.truth(self._fits(first, subject, bindings), first)
        if len(bindings) != known:
            return self.refuse(first, "alternatives of a pattern capture names", "write one `case` for each")
        if not others:
            return fits
        return self.either(fits, lambda: Const(True), lambda: self._any_of(others, subject, bindings), "_test")

    def _sequence(self, pattern: Any, subject: Value, bindings: Bindings) -> Value:
        if any(type(inner).__name__ == "MatchStar" for inner in pattern.patterns):
            return self.refuse(pattern, "a starred pattern is not supported", "write `if` with `len`")
        count = len(pattern.patterns)
        known = self.builder.type(subject).kind if isinstance(subject, Var | Const) else ""
        if known in ("scalar", "array", "str", "none", "dict"):
            return Const(False)
        items = self.spread(subject) if not isinstance(subject, Var) or known == "tuple" else None
        if items is not None:
            taken = [functools.partial(_same, item) for item in items]
            return self._all_of(pattern.patterns, taken, bindings) if len(items) == count else Const(False)
        if known != "list":
            return self.refuse(pattern, "whether this value is a sequence is not known", "write `if` with `len`")
        atom = self.as_atom(subject, pattern)
        length = self.builder.fn(operator.eq, self.builder.fn(len, atom), Const(count))

        def inside() -> Value:
            parts = [functools.partial(self.builder.fn, operator.getitem, atom, Const(i)) for i in range(count)]
            return self._all_of(pattern.patterns, parts, bindings)

        return self.either(length, inside, lambda: Const(False), "_test")

    def _all_of(self, patterns: list[Any], items: Sequence[Callable[[], Value]], bindings: Bindings) -> Value:
        if not patterns:
            return Const(True)
        fits = self.truth(self._fits(patterns[0], items[0], bindings), patterns[0])
        if is_true(fits):
            return self._all_of(patterns[1:], items[1:], bindings)
        return self.either(fits, lambda: self._all_of(patterns[1:], items[1:], bindings), lambda: Const(False), "_test")


def _same(value: Value) -> Value:
    return value
