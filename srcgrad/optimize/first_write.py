"""Assigns an adjoint buffer at its first contribution, instead of clearing it and adding to it.

Before:                                            After:

    x_bar.3 = numpy.zeros_like(x.0)                    x_bar.3 = operator.mul(g.1, 2)
    _p.4 = operator.mul(g.1, 2)                        u_bar.5 = numpy.ones_like(u.2)
    iadd(x_bar.3, _p.4)
    u_bar.5 = numpy.zeros_like(u.2)
    iadd(u_bar.5, 1.0)

What is added must be known to have the buffer's shape and dtype, or to be one number. If it is no array of its own, or
is needed elsewhere, the buffer is a copy of it.
"""

from __future__ import annotations

import operator
from dataclasses import replace

import numpy as np

from srcgrad import ir
from srcgrad.optimize.rewriter import (
    Rewriter,
    is_arithmetic,
    with_blocks,
    with_body,
    with_contents,
    written_buffers,
)
from srcgrad.types import same_dtype, same_shape


def assign_first_write(function: ir.Function) -> ir.Function:
    return _whole_loads(_FirstWrite(function).run())


class _FirstWrite(Rewriter):
    def __init__(self, function: ir.Function) -> None:
        super().__init__(function)
        self.uses = function.use_counts

    def run(self) -> ir.Function:
        return with_body(self.function, self.block(self.function.body), self.types)

    def block(self, block: ir.Block) -> ir.Block:
        stmts: list[ir.Stmt | None] = []
        position: dict[str, int] = {}
        cleared: dict[str, int] = {}
        for stmt in block.stmts:
            if not isinstance(stmt, ir.Let):
                stmt = with_blocks(stmt, map(self.block, ir.blocks(stmt)))
            if isinstance(stmt, ir.Let) and _adds_to_whole(stmt) and (name := ir.written_buffer(stmt)) in cleared:
                assert name is not None
                self.first(stmt, cleared.pop(name), stmts, position)
                continue
            if cleared:
                for name in _used(stmt):
                    cleared.pop(name, None)
            if isinstance(stmt, ir.Let) and stmt.target is not None:
                position[stmt.target] = len(stmts)
                if _clears(stmt):
                    cleared[stmt.target] = len(stmts)
            stmts.append(stmt)
        return with_contents(block, [stmt for stmt in stmts if stmt is not None], block.results)

    def first(self, update: ir.Let, at: int, stmts: list[ir.Stmt | None], position: dict[str, int]) -> None:
        """Puts an assignment in the place of the clearing at `at` and this update, or leaves both as they are."""
        zeros, value = stmts[at], update.args[-1]
        assert isinstance(zeros, ir.Let)
        negative = isinstance(update.op, ir.Update) and update.op.operator is operator.isub
        source = self.only_use(value, stmts, position)
        if source is not None and not negative and is_arithmetic(source) and self.fills(value, zeros):
            # The array is the buffer.
            assert source.target is not None
            stmts[position[source.target]] = replace(source, target=zeros.target)
            self.types.pop(source.target, None)
            stmts[at] = None
            return
        made = self.assignment(zeros, value, negative, self.let_of(value, stmts, position), update.origin)
        if made:
            stmts[at] = None
            stmts.extend(made)
        else:
            stmts.append(update)

    def assignment(
        self, zeros: ir.Let, value: ir.Atom, negative: bool, source: ir.Let | None, origin: ir.Origin
    ) -> list[ir.Let]:
        """The lets that make a buffer equal to a value, none where it is not known to fit."""
        number = self.number(zeros, value, source)
        if number is not None:
            lets, number = self.negated(number, origin) if negative else ([], number)
            return [*lets, _filled(zeros, number, origin)]
        if not self.fills(value, zeros):
            return []
        op = ir.Fn(operator.neg if negative else np.copy)
        return [ir.Let(zeros.target, op, (value,), (), origin)]

    def negated(self, number: ir.Atom, origin: ir.Origin) -> tuple[list[ir.Let], ir.Atom]:
        if isinstance(number, ir.Const):
            return [], ir.Const(-number.value)
        name = self.declare("_negative", self.type(number))
        return [ir.Let(name, ir.Fn(operator.neg), (number,), (), origin)], ir.Var(name)

    def number(self, zeros: ir.Let, value: ir.Atom, source: ir.Let | None) -> ir.Atom | None:
        """The number that all elements are to have: the value, or what it is a broadcast copy of."""
        if source is not None and source.op == ir.Fn(np.broadcast_to) and self.fills(value, zeros):
            value = source.args[0]
        known, whole = self.type(value), self.type(ir.Var(zeros.target or ""))
        if known.kind != "scalar" or known.dtype is None or whole.dtype is None:
            return None
        return value if np.can_cast(known.dtype, whole.dtype, "same_kind") else None

    def fills(self, value: ir.Atom, zeros: ir.Let) -> bool:
        """Whether a value is known to be an array of the buffer's shape and dtype."""
        new, old = self.type(value), self.type(ir.Var(zeros.target or ""))
        alike = new.kind == old.kind == "array" and new.inexact and same_dtype(new, old)
        return alike and new.rank != 0 and same_shape(new, old)

    def let_of(self, atom: ir.Atom, stmts: list[ir.Stmt | None], position: dict[str, int]) -> ir.Let | None:
        """The let of this block that an atom is the target of."""
        at = position.get(atom.name) if isinstance(atom, ir.Var) else None
        stmt = None if at is None else stmts[at]
        return stmt if isinstance(stmt, ir.Let) else None

    def only_use(self, atom: ir.Atom, stmts: list[ir.Stmt | None], position: dict[str, int]) -> ir.Let | None:
        let = self.let_of(atom, stmts, position)
        if let is None or let.target is None or let.origin.sweep != "reverse":
            return None
        return let if self.uses[let.target] == 1 else None


def _filled(zeros: ir.Let, number: ir.Atom, origin: ir.Origin) -> ir.Let:
    if isinstance(number, ir.Const) and number.value == 1:
        return replace(zeros, op=ir.Fn(np.ones_like), origin=origin)
    return replace(zeros, op=ir.Fn(np.full_like), args=(*zeros.args, number), origin=origin)


def _clears(let: ir.Let) -> bool:
    return let.op == ir.Fn(np.zeros_like) and len(let.args) == 1 and not let.keywords and let.origin.sweep == "reverse"


def _adds_to_whole(let: ir.Let) -> bool:
    """Whether a let adds to a whole array, or subtracts from it, or overwrites it."""
    match let.op:
        case ir.Update(path=(), operator=function):
            return function in (operator.iadd, operator.isub)
        case ir.Store(path=()):
            return True
        case _:
            return False


def _used(stmt: ir.Stmt) -> set[str]:
    names = set(ir.variables(ir.own_atoms(stmt)))
    for block in ir.blocks(stmt):
        names.update(ir.uses(block))
    return names


def _whole_loads(function: ir.Function) -> ir.Function:
    """The function without loads of whole arrays that are never written: the array itself does as well."""
    return _WholeLoads(function).run()


class _WholeLoads(Rewriter):
    def __init__(self, function: ir.Function) -> None:
        super().__init__(function)
        self.buffers = written_buffers(function)

    def let(self, let: ir.Let) -> None:
        buffer = let.args[0] if let.op == ir.Load(()) else None
        if isinstance(buffer, ir.Var) and buffer.name not in self.buffers and let.target not in self.buffers:
            assert let.target is not None
            self.replaced[let.target] = buffer
            self.types.pop(let.target, None)
        else:
            self.emit(let)
