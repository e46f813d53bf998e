"""Puts the statements between the two ends of a `with` together again.

    enter(manager.1)                  Region(enter, (y.2 = sqrt(x.0),))
    y.2 = sqrt(x.0)             ->
    exit()
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from srcgrad import ir


@dataclass(frozen=True)
class Region:
    """The statements that run in a context; `final` are those of a `finally`."""

    enter: ir.Let
    stmts: tuple[ir.Stmt | Region, ...]
    final: tuple[ir.Stmt | Region, ...] = ()

    @property
    def origin(self) -> ir.Origin:
        return self.enter.origin


def regions(stmts: Iterable[ir.Stmt | Region]) -> list[ir.Stmt | Region]:
    """The statements of a block, those in a context as one `Region`."""
    open_: list[tuple[ir.Let | None, list[ir.Stmt | Region]]] = [(None, [])]
    bodies: list[tuple[ir.Stmt | Region, ...]] = []
    for stmt in stmts:
        if isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Enter):
            open_.append((stmt, []))
        elif isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Exit):
            enter, inner = open_.pop()
            assert enter is not None, "every end of a context has its beginning in the same block"
            if not stmt.op.last:
                bodies.append(tuple(inner))
                open_.append((enter, []))
            elif enter.args:
                open_[-1][1].append(Region(enter, tuple(inner)))
            else:
                open_[-1][1].append(Region(enter, bodies.pop(), tuple(inner)))
        else:
            open_[-1][1].append(stmt)
    return open_[0][1]
