"""Replaces names that can only hold what another name, or a constant, holds.

Before:                                            After:

    y.9 = for i.2 in n.1 with y.3 = x.0                for i.2 in n.1
      _s.4 = numpy.sin(y.3)                               _s.4 = numpy.sin(x.0)
      append(tape.5, _s.4)                                append(tape.5, _s.4)
      yield y.3                                           yield
    z.8 = if True                                      z.7 = operator.mul(x.0, 2)
      z.7 = operator.mul(y.9, 2)
      yield z.7
    else
      yield y.9

That is: carried values that a loop hands on unchanged, targets for which both branches yield the same, branches whose
test is a constant, a `try` whose body cannot raise, and the flag of a loop that never stops early.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from srcgrad import ir
from srcgrad.abstract import any_may_raise
from srcgrad.optimize.rewriter import with_atoms, with_blocks, with_body, with_contents
from srcgrad.types import Type

NEVER = ir.Const(False)


def remove_invariant(function: ir.Function) -> ir.Function:
    same = _Same(function.types)
    same.block(function.body)
    return with_body(function, same.apply(function.body), function.types)


def truth(atom: ir.Atom) -> bool | None:
    """The truth value of a constant, None for all else."""
    if isinstance(atom, ir.Const) and isinstance(atom.value, bool | int | float | str | tuple | None):
        return bool(atom.value)
    return None


class _Same:
    """Which atom a name can be replaced by. `find` follows chains to their end."""

    def __init__(self, types: Mapping[str, Type]) -> None:
        self.types = types
        self.atoms: dict[str, ir.Atom] = {}

    def find(self, atom: ir.Atom) -> ir.Atom:
        seen = []
        while isinstance(atom, ir.Var) and atom.name in self.atoms:
            seen.append(atom.name)
            atom = self.atoms[atom.name]
        for name in seen:
            self.atoms[name] = atom
        return atom

    # Finding

    def block(self, block: ir.Block) -> None:
        for stmt in block.stmts:
            if isinstance(stmt, ir.Let):
                continue
            for inner in ir.blocks(stmt):
                self.block(inner)
            if isinstance(stmt, ir.If):
                self.branches(stmt)
            elif isinstance(stmt, ir.Try):
                self.handled(stmt)
            elif isinstance(stmt, ir.Loop):
                self.loop(stmt)

    def branches(self, stmt: ir.If) -> None:
        taken = truth(self.find(stmt.test))
        for target, yes, no in zip(stmt.targets, stmt.then.results, stmt.orelse.results, strict=True):
            if taken is not None:
                self.atoms[target] = yes if taken else no
            elif self.find(yes) == self.find(no):
                self.atoms[target] = self.find(yes)

    def handled(self, stmt: ir.Try) -> None:
        if not any_may_raise(stmt.body.stmts, self.types):
            self.atoms.update(zip(stmt.targets, (NEVER, *stmt.body.results), strict=True))
            return
        for target, after, before in ir.joins(stmt):
            if self.find(after) == self.find(before):
                self.atoms[target] = self.find(after)
            elif (after, before) == (ir.Const(True), NEVER):
                self.atoms[target] = ir.Var(stmt.raised)

    def loop(self, stmt: ir.Loop) -> None:
        if stmt.stops and self.find(stmt.body.results[0]) == NEVER:
            self.atoms[stmt.targets[0]] = NEVER
        results = stmt.body.results[stmt.stops :]
        carried = list(zip(stmt.targets[stmt.stops :], stmt.params, stmt.inits, results, strict=True))
        changed = True
        while changed:
            changed = False
            for target, param, init, result in carried:
                if param not in self.atoms and self.find(result) in (ir.Var(param), self.find(init)):
                    self.atoms[param] = self.atoms[target] = self.find(init)
                    changed = True

    # Applying

    def apply(self, block: ir.Block) -> ir.Block:
        stmts: list[ir.Stmt] = []
        for stmt in block.stmts:
            stmt = with_atoms(stmt, self.find) if self.atoms else stmt
            if isinstance(stmt, ir.Let):
                stmts.append(stmt)
                continue
            if isinstance(stmt, ir.If) and (taken := truth(stmt.test)) is not None:
                stmts.extend(self.apply(stmt.then if taken else stmt.orelse).stmts)
                continue
            if isinstance(stmt, ir.Try) and self.atoms.get(stmt.raised) == NEVER:
                stmts.extend(self.apply(stmt.body).stmts)
                continue
            stmt = with_blocks(stmt, map(self.apply, ir.blocks(stmt)))
            stmts.append(self.without_replaced(stmt))
        return with_contents(block, stmts, [self.find(result) for result in block.results])

    def without_replaced(self, stmt: ir.Stmt) -> ir.Stmt:
        if isinstance(stmt, ir.Let) or not any(name in self.atoms for name in stmt.targets):
            return stmt
        kept = {i for i, name in enumerate(stmt.targets) if name not in self.atoms}
        if isinstance(stmt, ir.If):
            return keep_targets(stmt, kept)
        if isinstance(stmt, ir.Try):
            return keep_joined(stmt, {i - 1 for i in kept if i})
        stops = stmt.stops and 0 in kept
        slots = {i - stmt.stops for i in kept if i >= stmt.stops}
        return keep_carried(stmt, slots, stops)


def keep_targets(stmt: ir.If, kept: set[int]) -> ir.If:
    """The branch with these targets only."""
    if len(kept) == len(stmt.targets):
        return stmt
    then, orelse = (replace(inner, results=_pick(inner.results, kept)) for inner in ir.blocks(stmt))
    return replace(stmt, targets=_pick(stmt.targets, kept), then=then, orelse=orelse)


def keep_joined(stmt: ir.Try, slots: set[int]) -> ir.Try:
    """The `try` with these targets only, beside its flag."""
    if len(slots) == len(stmt.targets) - 1:
        return stmt
    body, handler = (replace(inner, results=_pick(inner.results, slots)) for inner in ir.blocks(stmt))
    return replace(stmt, targets=(stmt.raised, *_pick(stmt.targets[1:], slots)), body=body, handler=handler)


def keep_carried(stmt: ir.Loop, slots: set[int], stops: bool) -> ir.Loop:
    """The loop with these carried values only, and with or without its flag."""
    if len(slots) == len(stmt.params) and stops == stmt.stops:
        return stmt
    outer = {slot + stmt.stops for slot in slots} | ({0} if stops else set())
    return replace(
        stmt,
        targets=_pick(stmt.targets, outer),
        params=_pick(stmt.params, slots),
        inits=_pick(stmt.inits, slots),
        body=replace(stmt.body, results=_pick(stmt.body.results, outer)),
        stops=stops,
    )


def _pick(items: tuple[Any, ...], kept: set[int]) -> tuple[Any, ...]:
    return tuple(item for i, item in enumerate(items) if i in kept)
