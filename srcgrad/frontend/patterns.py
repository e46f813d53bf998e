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
from srcgrad.frontend.values import Table, Value, is_true
from srcgrad.ir import Atom, Const, Var

Subject = Callable[[], Value]  # what is matched is taken where it is used
Bindings = dict[str, Subject]
# For these a positional pattern is for the object itself.
_WHOLE = (bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple)


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

    def _fits(self, pattern: Any, subject: Subject, bindings: Bindings) -> Value:
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
                return self._sequence(pattern, subject, bindings)
            case "MatchClass":
                return self._class_pattern(pattern, subject, bindings)
            case "MatchMapping":
                return self._mapping(pattern, subject, bindings)
        return self.refuse(pattern, "this kind of pattern is not supported", "write `if` with `isinstance`")

    def _captured(self, pattern: Any, subject: Subject, bindings: Bindings) -> Value:
        fits: Value = Const(True)
        if pattern.pattern is not None:
            fits = self._fits(pattern.pattern, subject, bindings)
        if pattern.name is not None:
            bindings[pattern.name] = subject
        return fits

    def _any_of(self, patterns: list[Any], subject: Subject, bindings: Bindings) -> Value:
        first, *others = patterns
        own: Bindings = {}
        fits = self.truth(self._fits(first, subject, own), first)
        if not others or is_true(fits):
            bindings.update(own)
            return fits
        if isinstance(fits, Const):
            return self._any_of(others, subject, bindings)
        rest: Bindings = {}
        found = self.either(fits, lambda: Const(True), lambda: self._any_of(others, subject, rest), "_test")
        for name, value in own.items():
            bindings[name] = functools.partial(self.either, fits, value, rest[name], name)
        return found

    # Sequences

    def _sequence(self, pattern: Any, subject: Subject, bindings: Bindings) -> Value:
        value = subject()
        known = self.builder.type(value).kind if isinstance(value, Var | Const) else ""
        if known in ("scalar", "array", "str", "none", "dict"):
            return Const(False)
        if isinstance(value, Table) and value.kind == "dict":
            return Const(False)
        if self.class_of(value) is not None and not issubclass(self.class_of(value) or object, tuple):
            return Const(False)
        items = self.spread(value) if not isinstance(value, Var) or known in ("tuple", "record") else None
        if items is not None:
            return self._known_sequence(pattern, len(items), lambda: self.spread(subject()) or [], bindings)
        if known != "list":
            return self.refuse(pattern, "whether this value is a sequence is not known", "write `if` with `len`")
        star = _star(pattern.patterns)
        count = len(pattern.patterns) - (star is not None)
        compare = operator.eq if star is None else operator.ge
        length = self.builder.fn(compare, self.builder.fn(len, self.as_atom(value, pattern)), Const(count))

        def part(index: int | slice) -> Value:
            # Taken anew at each use: where the case is tested, and where it runs.
            return self.builder.fn(operator.getitem, self.as_atom(subject(), pattern), Const(index))

        before = pattern.patterns[:star]
        after = [] if star is None else pattern.patterns[star + 1 :]
        places = [*range(len(before)), *range(-len(after), 0)]
        parts = [functools.partial(part, i) for i in places]
        if star is not None and pattern.patterns[star].name is not None:
            middle = slice(star, -len(after) if after else None)
            bindings[pattern.patterns[star].name] = lambda: self.listed(part(middle), pattern)

        def inside() -> Value:
            return self._all_of([*before, *after], parts, bindings)

        if not count and star is not None:
            return inside()
        return self.either(length, inside, lambda: Const(False), "_test")

    def _known_sequence(self, pattern: Any, count: int, items: Callable[[], list[Value]], bindings: Bindings) -> Value:
        """A sequence whose elements the compiler knows."""
        places = list(range(count))
        patterns = list(pattern.patterns)
        star = _star(patterns)
        if star is not None:
            end = star + count - len(patterns) + 1
            if end < star:
                return Const(False)
            name = patterns.pop(star).name
            if name is not None:
                bindings[name] = lambda: self.display("list", (), items()[star:end], pattern)
            del places[star:end]
        taken = [functools.partial(lambda i: items()[i], i) for i in places]
        return self._all_of(patterns, taken, bindings) if len(taken) == len(patterns) else Const(False)

    # Objects and dicts

    def _class_pattern(self, pattern: Any, subject: Subject, bindings: Bindings) -> Value:
        """`Point(x, y=0)`: an object of a class, with patterns for its attributes."""
        cls = self.expression(pattern.cls)
        if not isinstance(cls, Const) or not isinstance(cls.value, type):
            return self.refuse(pattern, "the class of this pattern is not known", "name it")
        named = list(zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True))
        whole = cls.value in _WHOLE and len(pattern.patterns) == 1
        if not whole:
            order = getattr(cls.value, "__match_args__", ())
            if len(pattern.patterns) > len(order):
                problem = f"`{cls.value.__name__}()` accepts {len(order)} positional sub-patterns"
                return self.refuse(pattern, problem, "name the attributes")
            named = [*zip(order, pattern.patterns, strict=False), *named]
        fits = self.truth(self.call(pattern, isinstance, [subject(), cls], {}), pattern)

        def field(name: str) -> Value:
            return self.attribute(pattern, name, subject())

        def inside() -> Value:
            if not all(self._has(subject(), name) for name, _ in named):
                return Const(False)
            patterns = [*pattern.patterns, *(p for _, p in named)] if whole else [p for _, p in named]
            fields = [functools.partial(field, name) for name, _ in named]
            return self._all_of(patterns, [subject, *fields] if whole else fields, bindings)

        if isinstance(fits, Const):
            return inside() if fits.value else fits
        return self.either(fits, inside, lambda: Const(False), "_test")

    def _mapping(self, pattern: Any, subject: Subject, bindings: Bindings) -> Value:
        """`{"kind": "sum", **rest}`: a dict that has these keys, with patterns for what they hold."""
        value = subject()
        known = value.kind if isinstance(value, Table) else ""
        known = self.builder.type(value).kind if isinstance(value, Var | Const) else known
        if known in ("unknown", "object"):
            return self.refuse(pattern, "whether this value is a dict is not known", "write `if` with `isinstance`")
        if known != "dict":
            return Const(False)
        keys = [self.atom(key) for key in pattern.keys]
        if pattern.rest is not None:
            pairs = self.pairs(value)
            if pairs is None or not all(isinstance(key, Const) for key in keys):
                return self.refuse(pattern, "`**` of a dict whose keys are not known", "take elements by their keys")
            names = tuple(key for key, _ in pairs if Const(key) not in keys)
            bindings[pattern.rest] = lambda: self.display(
                "dict", names, [item for key, item in self.pairs(subject()) or () if key in names], pattern
            )

        def element(key: Atom) -> Value:
            owner = subject()
            found = self.element(pattern, owner, key)
            return self.builder.fn(operator.getitem, self.as_atom(owner, pattern), key) if found is None else found

        def has(rest: list[Atom]) -> Value:
            if not rest:
                return self._all_of(pattern.patterns, [functools.partial(element, key) for key in keys], bindings)
            there = self.contained(rest[0], subject(), pattern)
            return self.either(there, lambda: has(rest[1:]), lambda: Const(False), "_test")

        return has(keys)

    def _all_of(self, patterns: list[Any], items: Sequence[Subject], bindings: Bindings) -> Value:
        if not patterns:
            return Const(True)
        fits = self.truth(self._fits(patterns[0], items[0], bindings), patterns[0])
        if is_true(fits):
            return self._all_of(patterns[1:], items[1:], bindings)
        return self.either(fits, lambda: self._all_of(patterns[1:], items[1:], bindings), lambda: Const(False), "_test")


def _star(patterns: list[Any]) -> int | None:
    """The position of the starred pattern."""
    return next((i for i, inner in enumerate(patterns) if type(inner).__name__ == "MatchStar"), None)
