"""Applies the algebraic identities of `rows`.

Before:                                            After:

    _g.3 = numpy.broadcast_to(g.0, _shape.2)           _p.8 = operator.mul(g.0, y.1)
    _n.4 = operator.neg(_g.3)                          x_bar.6 = operator.neg(_p.8)
    _p.5 = operator.mul(_n.4, y.1)                     yield x_bar.6
    x_bar.6 = operator.mul(_p.5, 1.0)
    yield x_bar.6

Only statements of the reverse sweep are rewritten: the primal stays bit for bit what the user wrote. There a rewrite
may round otherwise, and lose the sign of a zero; it keeps shape, dtype and kind, what is infinite and what is NaN.

Every row is subject to two conditions that stand here and not in the table. *No more work*: the result has no more
lets than those that go, the rewritten one and the operands that it alone uses. *Same type*: the lattice must know
that old and new result agree in kind, dtype and shape; of rows marked ELEMENTWISE, whose shape cannot change, in kind
and dtype; of rows marked SIGN, nothing.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np

from srcgrad import ir
from srcgrad.abstract import evaluate, infer
from srcgrad.build import hint_of
from srcgrad.optimize.patterns import Match, Pattern, match
from srcgrad.optimize.rewriter import (
    Rewriter,
    is_hashable,
    is_same,
    is_temporary,
    renamed,
    single_hints,
    written_buffers,
)
from srcgrad.optimize.rows import ELEMENTWISE, IDENTITIES, SETTLED, SIGN, Row
from srcgrad.types import UNKNOWN, Type, same_dtype, same_shape

__all__ = ["IDENTITIES", "SETTLED", "Row", "apply_identities", "settle_signs"]

_OPPOSITE = {operator.iadd: operator.isub, operator.isub: operator.iadd}


def apply_identities(function: ir.Function) -> ir.Function:
    return _Applying(function, IDENTITIES).simplified()


def settle_signs(function: ir.Function) -> ir.Function:
    """Signs that moved outward go back to the first factor, as one writes them: to be run once, at the end.

    Before: `_p.3 = operator.mul(x.0, y.1)`, `z.2 = operator.neg(_p.3)`. After: `_n.4 = operator.neg(x.0)`,
    `z.2 = operator.mul(_n.4, y.1)`.
    """
    return _Settling(function, SETTLED).simplified()


@lru_cache(maxsize=8)
def _by_operation(rows: tuple[Row, ...]) -> dict[ir.Op, list[Row]]:
    found: dict[ir.Op, list[Row]] = {}
    for row in rows:
        assert row.pattern.op is not None
        found.setdefault(row.pattern.op, []).append(row)
    return found


class _Applying(Rewriter):
    def __init__(self, function: ir.Function, rows: tuple[Row, ...]) -> None:
        super().__init__(function)
        self.rows = _by_operation(rows)
        self.definitions: dict[str, ir.Let] = {}
        self.buffers = written_buffers(function)
        self.uses = function.use_counts.copy()
        self.loops: list[int] = [0]
        self.count = 0
        self.home: dict[str, int] = {}
        self.better: dict[str, str] = {}

    @cached_property
    def single(self) -> frozenset[str]:
        return single_hints(self.function)

    def simplified(self) -> ir.Function:
        return renamed(self.run(), self.better)

    def enter(self, stmt: ir.Stmt, index: int) -> None:
        if isinstance(stmt, ir.Loop):
            self.count += 1
            self.loops.append(self.count)

    def leave(self, stmt: ir.Stmt, index: int) -> None:
        if isinstance(stmt, ir.Loop):
            self.loops.pop()

    def emit(self, stmt: ir.Stmt) -> None:
        super().emit(stmt)
        if isinstance(stmt, ir.Let) and stmt.target is not None and not ir.has_effect(stmt):
            self.definitions[stmt.target] = stmt
            self.home[stmt.target] = self.loops[-1]

    def let(self, let: ir.Let) -> None:
        """Emits what a let is rewritten to; if that is an atom, nothing."""
        if let.origin.sweep != "reverse":
            self.emit(let)
            return
        let = self.update(self.negative_sum(let))
        while (found := self.fitting(let)) is not None:
            row, bindings = found
            if row.result.op is None:
                self.stand_in(let, bindings[row.result.name])
                return
            args = tuple(self.build(arg, bindings, let) for arg in row.result.args)
            self.uses.update(ir.variables(args))
            self.release(ir.own_atoms(let))
            let = replace(let, op=row.result.op, args=args)
        known = self.constant(let)
        if known is None:
            self.emit(let)
        else:
            self.stand_in(let, known)

    def constant(self, let: ir.Let) -> ir.Const | None:
        """What a let computes, where its operands settle that."""
        if not self.is_open(let) or let.keywords:
            return None
        return evaluate(let.op, [self.operand(arg) for arg in let.args], {})

    def is_open(self, let: ir.Let) -> bool:
        """Whether a let may be rewritten. What is written to later has to be an array of its own."""
        computes = let.target is not None and not ir.has_effect(let) and let.target not in self.buffers
        return computes and let.origin.sweep == "reverse"

    def update(self, let: ir.Let) -> ir.Let:
        """u += -v -> u -= v, and the other way; any other let as it is."""
        if not isinstance(let.op, ir.Update) or let.op.operator not in _OPPOSITE or let.origin.sweep != "reverse":
            return let
        *others, value = let.args
        source = self.definitions.get(value.name) if isinstance(value, ir.Var) else None
        if source is None or source.op != ir.Fn(operator.neg):
            return let
        self.uses.update(ir.variables(source.args))
        self.release((value,))
        return replace(let, op=replace(let.op, operator=_OPPOSITE[let.op.operator]), args=(*others, *source.args))

    def negative_sum(self, let: ir.Let) -> ir.Let:
        """np.sum(-x, axis=0) -> -np.sum(x, axis=0); any other let as it is."""
        first = let.args[0] if let.op == ir.Fn(np.sum) and let.keywords and len(let.args) == 1 else None
        source = self.definitions.get(first.name) if isinstance(first, ir.Var) else None
        if source is None or source.op != ir.Fn(operator.neg) or not self.is_open(let):
            return let
        if any(key not in ("axis", "keepdims") for key, _ in let.keywords) or not self.is_used_here_alone(source):
            return let
        assert let.target is not None
        name = self.declare(hint_of(let.op), self.types.get(let.target, UNKNOWN))
        self.uses[name] = 1
        self.uses.update(ir.variables(source.args))
        self.release(ir.own_atoms(let))
        self.emit(replace(let, target=name, args=source.args))
        return replace(let, op=ir.Fn(operator.neg), args=(ir.Var(name),), keywords=())

    # Finding a row

    def fitting(self, let: ir.Let) -> tuple[Row, dict[str, ir.Atom]] | None:
        if not self.is_open(let) or not is_hashable(let.op):
            return None
        for row in self.rows.get(let.op, ()):
            found = match(row.pattern, let, self.definitions)
            if found is not None and self.allowed(row, let, found):
                return row, found.bound
        return None

    def allowed(self, row: Row, let: ir.Let, found: Match) -> bool:
        def types(name: str) -> Type:
            return self.type(found.bound[name])

        if row.within and not all(is_temporary(inner.target or "") for inner in found.inner):
            return False
        gone = 1 + sum(self.is_used_here_alone(inner) for inner in found.inner)
        if self.work(row.result, found) > gone or (row.when is not None and not row.when(types)):
            return False
        assert let.target is not None
        if row.kept == SIGN or (row.kept == ELEMENTWISE and self.is_adjoint(found)):
            return True
        old, new = self.infer(let.op, let.args), self.type_of_result(row.result, found)
        return _agree(old, new) and (row.kept == ELEMENTWISE or same_shape(old, new))

    def is_adjoint(self, found: Match) -> bool:
        """Whether all that is bound are adjoints, which are never integers, and numbers written in the program."""
        return all(isinstance(a, ir.Const) or ir.hint(a.name).endswith("_bar") for a in found.bound.values())

    def is_used_here_alone(self, let: ir.Let) -> bool:
        assert let.target is not None
        return self.uses[let.target] == 1 and self.home[let.target] == self.loops[-1]

    def work(self, result: Pattern, found: Match) -> int:
        """How many lets a result is, without those that cost nothing."""
        if result.op is None or all(isinstance(found.bound.get(arg.name), ir.Const) for arg in result.args):
            return 0
        free = isinstance(result.op, ir.Attr) or result.op == ir.Fn(np.broadcast_to)
        return (not free) + sum(self.work(arg, found) for arg in result.args)

    def type_of_result(self, result: Pattern, found: Match) -> Type:
        if result.op is None:
            return self.type(_bound(result, found.bound))
        operands = [self.operand_of(arg, found) for arg in result.args]
        return infer(result.op, operands, {})

    def operand_of(self, part: Pattern, found: Match) -> Type | ir.Const:
        if part.op is None:
            return self.operand(_bound(part, found.bound))
        operands = [self.operand_of(arg, found) for arg in part.args]
        return evaluate(part.op, operands, {}) or infer(part.op, operands, {})

    def infer(self, op: ir.Op, args: tuple[ir.Atom, ...]) -> Type:
        return infer(op, [self.operand(arg) for arg in args], {})

    # Building its result

    def build(self, part: Pattern, bindings: dict[str, ir.Atom], like: ir.Let) -> ir.Atom:
        """The atom of a part of a result, emitted in front of the let that it belongs to."""
        if part.op is None:
            return _bound(part, bindings)
        args = tuple(self.build(arg, bindings, like) for arg in part.args)
        operands = [self.operand(arg) for arg in args]
        known = evaluate(part.op, operands, {})
        if known is not None:
            return known
        name = self.declare(hint_of(part.op), infer(part.op, operands, {}))
        self.uses.update(ir.variables(args))
        self.let(ir.Let(name, part.op, args, (), like.origin))
        return self.atom(ir.Var(name))

    def stand_in(self, let: ir.Let, atom: ir.Atom) -> None:
        """From here on the atom takes the place of the let's target, and its name if it has none of its own."""
        assert let.target is not None
        if isinstance(atom, ir.Var):
            self.uses[atom.name] += self.uses[let.target]
            own = atom.name in self.definitions and is_temporary(atom.name)
            if own and not is_temporary(let.target) and ir.hint(let.target) in self.single:
                self.better.setdefault(atom.name, let.target)
        self.replaced[let.target] = atom
        self.types.pop(let.target, None)
        self.release(ir.own_atoms(let))

    def release(self, atoms: tuple[ir.Atom, ...]) -> None:
        """Counts uses that are gone, and those of lets that are thereby unused."""
        pending = list(ir.variables(atoms))
        while pending:
            name = pending.pop()
            self.uses[name] -= 1
            if self.uses[name] == 0 and name in self.definitions:
                pending.extend(ir.variables(ir.own_atoms(self.definitions[name])))


def _bound(part: Pattern, bindings: dict[str, ir.Atom]) -> ir.Atom:
    if part.value is not None:
        return ir.Const(part.value)
    return bindings[part.name]


def _agree(old: Type, new: Type) -> bool:
    """Whether two values are known to have the same kind and dtype."""
    return old.numeric and (old.kind, old.weak) == (new.kind, new.weak) and same_dtype(old, new)


_TAKES_WHOLE: tuple[ir.Op, ...] = tuple(map(ir.Fn, (operator.add, operator.sub, operator.mul, operator.truediv)))


class _Settling(_Applying):
    """Writes `2 * x` for `2.0 * x` where x is known to be inexact."""

    def emit(self, stmt: ir.Stmt) -> None:
        if isinstance(stmt, ir.Let) and stmt.origin.sweep == "reverse" and stmt.op in _TAKES_WHOLE:
            left, right = stmt.args
            args = self.whole(left, right), self.whole(right, left)
            stmt = stmt if is_same(stmt.args, args) else replace(stmt, args=args)
        super().emit(stmt)

    def whole(self, atom: ir.Atom, other: ir.Atom) -> ir.Atom:
        value = atom.value if isinstance(atom, ir.Const) else None
        if type(value) is not float or not value.is_integer() or abs(value) > 1e6 or value == 0:
            return atom
        return ir.Const(int(value)) if isinstance(other, ir.Var) and self.type(other).inexact else atom
