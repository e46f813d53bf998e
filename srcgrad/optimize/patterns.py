"""Patterns over lets: expressions in ordinary notation that are matched against, and built into, the IR.

>>> x, y = variable("x"), variable("y")
>>> print(-x * y)
mul(neg(x), y)
>>> print(call(operator.not_, x))
not_(x)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from srcgrad import ir

Bindings = dict[str, ir.Atom]


@dataclass(frozen=True, eq=False)
class Pattern:
    """`op` None: any atom, or, with `number`, a constant (equal to `value` where that is given).

    `name`: what the matched atom is called in the result.
    """

    op: ir.Op | None = None
    args: tuple[Pattern, ...] = ()
    name: str = ""
    number: bool = False
    value: float | None = None

    def __str__(self) -> str:
        if self.op is None:
            return self.name or str(self.value)
        name = getattr(self.op.target, "__name__", "?") if isinstance(self.op, ir.Fn) else str(self.op)
        return f"{name}({', '.join(map(str, self.args))})"

    def named(self, name: str) -> Pattern:
        """The same, to be referred to in the result by `variable(name)`."""
        return replace(self, name=name)

    @property
    def size(self) -> int:
        """How many lets this is."""
        return (self.op is not None) + sum(arg.size for arg in self.args)

    def __add__(self, other: Any) -> Pattern:
        return call(operator.add, self, other)

    def __radd__(self, other: Any) -> Pattern:
        return call(operator.add, other, self)

    def __sub__(self, other: Any) -> Pattern:
        return call(operator.sub, self, other)

    def __rsub__(self, other: Any) -> Pattern:
        return call(operator.sub, other, self)

    def __mul__(self, other: Any) -> Pattern:
        return call(operator.mul, self, other)

    def __rmul__(self, other: Any) -> Pattern:
        return call(operator.mul, other, self)

    def __truediv__(self, other: Any) -> Pattern:
        return call(operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Pattern:
        return call(operator.truediv, other, self)

    def __matmul__(self, other: Any) -> Pattern:
        return call(operator.matmul, self, other)

    def __pow__(self, other: Any) -> Pattern:
        return call(operator.pow, self, other)

    def __neg__(self) -> Pattern:
        return call(operator.neg, self)


def variable(name: str) -> Pattern:
    """Any atom; the same one wherever the name stands in a pattern."""
    return Pattern(name=name)


def constant(name: str) -> Pattern:
    """Any number that is written in the program."""
    return Pattern(name=name, number=True)


def literal(value: float) -> Pattern:
    """This number, as an int or a float."""
    return Pattern(number=True, value=value)


def call(function: Callable[..., Any], *args: Any) -> Pattern:
    return Pattern(ir.Fn(function), tuple(map(_pattern, args)))


def method(name: str, *args: Any) -> Pattern:
    return Pattern(ir.Method(name), tuple(map(_pattern, args)))


def attribute(name: str, x: Pattern) -> Pattern:
    return Pattern(ir.Attr(name), (x,))


def _pattern(value: Any) -> Pattern:
    return value if isinstance(value, Pattern) else literal(value)


@dataclass(frozen=True, slots=True)
class Match:
    """`bound`: the atoms by name. `inner`: the lets that were looked through."""

    bound: Bindings
    inner: tuple[ir.Let, ...]


def match(pattern: Pattern, let: ir.Let, definitions: Mapping[str, ir.Let]) -> Match | None:
    """How a let fits a pattern, with the lets that define its operands seen too."""
    if not _may_fit(pattern, let, definitions):
        return None
    bound: Bindings = {}
    inner: list[ir.Let] = []
    return Match(bound, tuple(inner)) if _let(pattern, let, definitions, bound, inner) else None


def _may_fit(pattern: Pattern, let: ir.Let, definitions: Mapping[str, ir.Let]) -> bool:
    """Whether the operands are of the right sort, which is soon seen: most patterns end here."""
    for part, atom in zip(pattern.args, let.args, strict=False):
        if part.op is not None:
            inner = definitions.get(atom.name) if isinstance(atom, ir.Var) else None
            if inner is None or not _same_op(inner.op, part.op):
                return False
        elif part.number and not isinstance(atom, ir.Const):
            return False
    return True


def _same_op(one: ir.Op, other: ir.Op) -> bool:
    if isinstance(one, ir.Fn) and isinstance(other, ir.Fn):
        return one.target is other.target or bool(one.target == other.target)
    return one == other


def _let(
    pattern: Pattern, let: ir.Let, definitions: Mapping[str, ir.Let], bound: Bindings, inner: list[ir.Let]
) -> bool:
    if pattern.op is None or let.keywords or len(let.args) != len(pattern.args) or not _same_op(let.op, pattern.op):
        return False
    pairs = zip(pattern.args, let.args, strict=True)
    return all(_atom(part, atom, definitions, bound, inner) for part, atom in pairs)


def _atom(
    pattern: Pattern, atom: ir.Atom, definitions: Mapping[str, ir.Let], bound: Bindings, inner: list[ir.Let]
) -> bool:
    if pattern.op is not None:
        let = definitions.get(atom.name) if isinstance(atom, ir.Var) else None
        if let is None or not _let(pattern, let, definitions, bound, inner):
            return False
        inner.append(let)
    elif pattern.number and not _is_number(atom, pattern.value):
        return False
    return not pattern.name or bound.setdefault(pattern.name, atom) == atom


def _is_number(atom: ir.Atom, value: float | None) -> bool:
    if not isinstance(atom, ir.Const) or type(atom.value) not in (int, float):
        return False
    return value is None or bool(atom.value == value)
