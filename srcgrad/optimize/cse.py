"""Shares common subexpressions: what is computed already is not computed again.

Before:                                            After:

    _e.1 = numpy.exp(x.0)                              _e.1 = numpy.exp(x.0)
    y.2 = operator.mul(_e.1, 2)                        y.2 = operator.mul(_e.1, 2)
    _e.3 = numpy.exp(x.0)                              x_bar.4 = operator.mul(_e.1, g.9)
    x_bar.4 = operator.mul(_e.3, g.9)                  yield x_bar.4
    yield x_bar.4

A let is shared with an equal one that runs before it whenever it runs itself: one before it in its own block or in
those around it, or in an earlier branch under the same test. Memory is not looked into: loads, iterators,
whatever makes an object of its own, and what a container may hold and have written into, stay as they are.
"""

from __future__ import annotations

import operator
from functools import cached_property

from srcgrad import ir
from srcgrad.analyses.held import held
from srcgrad.optimize.rewriter import (
    ALLOCATIONS,
    Rewriter,
    Scoped,
    is_hashable,
    is_temporary,
    makes_iterator,
    reads_type_alone,
    renamed,
    single_hints,
    written_buffers,
)

_COMMUTATIVE = (operator.add, operator.mul)

_Key = tuple[object, ...]
_Facts = dict[_Key, str]


def share_common(function: ir.Function) -> ir.Function:
    sharing = _Sharing(function)
    return renamed(sharing.run(), sharing.better)


class _Sharing(Rewriter):
    def __init__(self, function: ir.Function) -> None:
        super().__init__(function)
        self.known: Scoped[_Key, str] = Scoped()
        self.branches: Scoped[tuple[ir.Atom, bool], _Facts] = Scoped()
        self.buffers = written_buffers(function)
        self.held = held(function)
        self.better: dict[str, str] = {}

    @cached_property
    def single(self) -> frozenset[str]:
        return single_hints(self.function)

    def let(self, let: ir.Let) -> None:
        if let.target is None or not self.shareable(let):
            self.emit(let)
            return
        key = self.key(let)
        earlier = self.known.get(key)
        if earlier is None:
            self.known[key] = let.target
            self.emit(let)
            return
        self.replaced[let.target] = ir.Var(earlier)
        self.types.pop(let.target, None)
        if is_temporary(earlier) and ir.hint(let.target) in self.single and not is_temporary(let.target):
            self.better.setdefault(earlier, let.target)

    def shareable(self, let: ir.Let) -> bool:
        if ir.has_effect(let) or let.target in self.buffers or let.target in self.held:
            return False
        if isinstance(let.op, ir.Load) or makes_iterator(let):
            return False
        if isinstance(let.op, ir.Make) and let.op.kind in ("list", "dict"):
            return False
        if not is_hashable(let.op) or (isinstance(let.op, ir.Fn) and let.op.target in ALLOCATIONS):
            return False
        if isinstance(let.op, ir.Fn) and isinstance(let.op.target, type) and issubclass(let.op.target, BaseException):
            return False
        if reads_type_alone(let, self.types):
            return True
        return not any(name in self.buffers for name in ir.variables(ir.own_atoms(let)))

    def key(self, let: ir.Let) -> _Key:
        args = let.args
        if isinstance(let.op, ir.Fn) and let.op.target in _COMMUTATIVE and self.numeric(args):
            args = tuple(sorted(args, key=str))
        return let.op, args, let.keywords

    def numeric(self, args: tuple[ir.Atom, ...]) -> bool:
        """Whether these are known to be numbers: strings and lists do not commute."""
        return all(self.type(arg).kind in ("scalar", "array") for arg in args)

    def enter(self, stmt: ir.Stmt, index: int) -> None:
        if isinstance(stmt, ir.While) and index == 1:
            return  # what the test computes, the body may use
        self.known.open()
        self.branches.open()
        if isinstance(stmt, ir.If):
            for key, name in (self.branches.get((stmt.test, ir.polarities(stmt)[index])) or {}).items():
                self.known[key] = name

    def leave(self, stmt: ir.Stmt, index: int) -> None:
        if isinstance(stmt, ir.While) and index == 0:
            return
        made = self.known.close()
        self.branches.close()
        if isinstance(stmt, ir.Branch):
            self.branches[ir.test_of(stmt), ir.polarities(stmt)[index]] = made
