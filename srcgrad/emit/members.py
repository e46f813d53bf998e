"""Members of enumerations, which have no text of their own, under names that the generated module is given.

Before:                                          After:

    _test.2 = operator.eq(mode.1, <Mode.FAST>)       _Mode_FAST.5 = global Mode_FAST
                                                     _test.2 = operator.eq(mode.1, _Mode_FAST.5)
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from srcgrad import ir
from srcgrad.optimize.rewriter import with_atoms, with_blocks, with_contents
from srcgrad.types import OBJECT


def name_members(function: ir.Function, namespace: dict[str, Any]) -> ir.Function:
    """The function with its members of enumerations read by names, which are put into the namespace."""
    if not any(_has_member(atom) for atom in _atoms(function.body)):
        return function
    return _Naming(function, namespace).run()


def _atoms(block: ir.Block) -> Iterator[ir.Atom]:
    yield from block.results
    for stmt in block.stmts:
        yield from ir.own_atoms(stmt)
        for inner in ir.blocks(stmt):
            yield from _atoms(inner)


def _has_member(atom: ir.Atom) -> bool:
    return isinstance(atom, ir.Const) and _holds_member(atom.value)


def _holds_member(value: Any) -> bool:
    several = isinstance(value, tuple | list)
    return isinstance(value, enum.Enum) or (several and any(map(_holds_member, value)))


class _Naming:
    def __init__(self, function: ir.Function, namespace: dict[str, Any]) -> None:
        self.function = function
        self.namespace = namespace
        self.names = ir.Names.after(function)
        self.types = dict(function.types)
        self.made: list[ir.Stmt] = []
        self.known: dict[str, ir.Var] = {}

    def run(self) -> ir.Function:
        body = self.block(self.function.body)
        return replace(self.function, body=replace(body, stmts=(*self.made, *body.stmts)), types=self.types)

    def block(self, block: ir.Block) -> ir.Block:
        return with_contents(block, [self.stmt(stmt) for stmt in block.stmts], [self.atom(a) for a in block.results])

    def stmt(self, stmt: ir.Stmt) -> ir.Stmt:
        return with_blocks(with_atoms(stmt, self.atom), [self.block(inner) for inner in ir.blocks(stmt)])

    def atom(self, atom: ir.Atom) -> ir.Atom:
        return self.named(atom.value) if isinstance(atom, ir.Const) and _has_member(atom) else atom

    def named(self, value: Any) -> ir.Atom:
        if isinstance(value, enum.Enum):
            name = self.member(value)
            return self.let(name, ir.Global(name), ())
        if not _holds_member(value):
            return ir.Const(value)
        kind = type(value).__name__
        return self.let(kind, ir.Make(kind), tuple(self.named(item) for item in value))

    def member(self, value: enum.Enum) -> str:
        """The name of a member in the namespace."""
        name = "_".join([type(value).__name__, *(value.name or "members").split("|")])
        while self.namespace.setdefault(name, value) is not value:
            name += "_"
        return name

    def let(self, hint: str, op: ir.Op, args: tuple[ir.Atom, ...]) -> ir.Var:
        if isinstance(op, ir.Global) and op.name in self.known:
            return self.known[op.name]
        target = self.names.fresh(f"_{hint}")
        self.types[target] = OBJECT
        self.made.append(ir.Let(target, op, args, (), ir.Origin()))
        self.known[hint] = ir.Var(target)
        return ir.Var(target)
