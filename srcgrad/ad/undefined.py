"""Names that have no value on some path, and whose adjoint must have one there.

    for k in range(n):                  t = None
        t = W @ x[k]          ->        for k in range(n):
    return t                                t = W @ x[k]
                                        return t

The adjoint of `t` before its last iteration is zero in the shape of `t`. Where an array, or a value of unknown kind,
may be without a value it gets None, for which `zeros_like` gives 0.0; numbers get it only where a loop may record them,
and so does any other name that is recorded whether it has a value or not. So does an array that is copied as soon as
paths join, to be written later: also where no derivative flows through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from srcgrad import runtime
from srcgrad.ir import (
    UNDEFINED,
    Atom,
    Block,
    Branch,
    Const,
    Fn,
    For,
    Function,
    If,
    Let,
    Method,
    Stmt,
    Try,
    Var,
    While,
    blocks,
    joins,
    uses,
    variables,
    walk,
)
from srcgrad.types import anonymous

Row = tuple[tuple[str, ...], tuple[Atom, ...]]  # names, and the atoms that they are joined of


def define_undefined(function: Function, active: Iterable[str]) -> tuple[Function, frozenset[str]]:
    """The function with None for missing values of active names, and the names that may hold None."""
    copies = _copies(function.body, frozenset())
    rows = _all_rows(function.body, copies)
    missing = _missing(rows)
    wanted = set(active) & missing
    wanted = {name for name in wanted if function.types[name].kind != "scalar" or name in _read(function)}
    wanted = _with_sources(rows, wanted | (copies & missing), missing)
    if not wanted:
        return function, frozenset()
    # Where a value may be None, nothing may be taken from it for another one of the same shape.
    types = {name: anonymous(t) if name in wanted else t for name, t in function.types.items()}
    return replace(function, body=_block(function.body, wanted), types=types), frozenset(wanted)


def define_missing(block: Block, names: Iterable[str]) -> Block:
    """A function's body with None for the missing values of these names, which are recorded, or copied."""
    rows = _all_rows(block, _copies(block, frozenset()))
    missing = _missing(rows)
    wanted = _with_sources(rows, set(names) & missing, missing)
    return _block(block, wanted) if wanted else block


def _with_sources(rows: Iterable[Row], wanted: set[str], missing: set[str]) -> set[str]:
    """These names, and those that they take their missing values from."""
    wanted, size = set(wanted), -1
    while size != len(wanted):
        size = len(wanted)
        for names, sources in rows:
            if wanted & set(names):
                wanted.update(names)
                wanted.update(a.name for a in sources if isinstance(a, Var) and a.name in missing)
    return wanted


def _missing(rows: Iterable[Row]) -> set[str]:
    """The names that may be without a value."""
    found: set[str] = set()
    size = -1
    while size != len(found):
        size = len(found)
        for names, sources in rows:
            if any(a == UNDEFINED or (isinstance(a, Var) and a.name in found) for a in sources):
                found.update(names)
    return found


def _copies(block: Block, joined: frozenset[str]) -> set[str]:
    """The targets of copies that are made directly behind the joins, or at the start of an iteration, of what is
    written later."""
    found: set[str] = set()
    for stmt in block.stmts:
        if isinstance(stmt, Let) and stmt.op == Method("copy") and not joined.isdisjoint(variables(stmt.args)):
            assert stmt.target is not None
            found.add(stmt.target)
            continue
        joined = frozenset() if isinstance(stmt, Let) else frozenset(stmt.targets)
        for inner in blocks(stmt):
            found |= _copies(inner, frozenset(stmt.params) if isinstance(stmt, For | While) else frozenset())
    return found


def _read(function: Function) -> set[str]:
    """The names carried by loops whose bodies read them: what the reverse sweep may have to record."""
    loops = [stmt for stmt in walk(function.body) if isinstance(stmt, For | While)]
    return {param for loop in loops for param in loop.params if param in set(uses(loop.body))}


def _all_rows(body: Block, copies: set[str]) -> list[Row]:
    return [row for stmt in walk(body) for row in _rows(stmt, copies)]


def _rows(stmt: Stmt, copies: set[str]) -> list[Row]:
    """Names that a statement joins, with the atoms that they are joined of."""
    if isinstance(stmt, Let):
        return [((stmt.target,), stmt.args)] if stmt.target is not None and stmt.target in copies else []
    if isinstance(stmt, Branch):
        return [((target,), (then, orelse)) for target, then, orelse in joins(stmt)]
    results, targets = stmt.body.results[stmt.stops :], stmt.targets[stmt.stops :]
    carried = zip(targets, stmt.params, stmt.inits, results, strict=True)
    return [((target, param), (init, result)) for target, param, init, result in carried]


def _block(block: Block, sometimes: set[str]) -> Block:
    return Block(tuple(_stmt(stmt, sometimes) for stmt in block.stmts), block.results)


def _stmt(stmt: Stmt, sometimes: set[str]) -> Stmt:
    match stmt:
        case Let():
            # What has no value in the primal is only copied on paths that do not use it.
            moved = stmt.target in sometimes and stmt.op == Method("copy")
            return replace(stmt, op=Fn(runtime.copy)) if moved else stmt
        case If():
            then, orelse = (_side(inner, stmt.targets, sometimes) for inner in (stmt.then, stmt.orelse))
            return replace(stmt, then=then, orelse=orelse)
        case Try():
            body, handler = (_side(inner, stmt.targets[1:], sometimes) for inner in (stmt.body, stmt.handler))
            return replace(stmt, body=body, handler=handler)
        case For() | While():
            count = len(stmt.params)
            inits = tuple(map(_filled, stmt.params, stmt.inits, [sometimes] * count))
            body = _block(stmt.body, sometimes)
            flag, results = body.results[: stmt.stops], body.results[stmt.stops :]
            results = tuple(map(_filled, stmt.params, results, [sometimes] * count))
            stmt = replace(stmt, inits=inits, body=Block(body.stmts, (*flag, *results)))
            return replace(stmt, test=_block(stmt.test, sometimes)) if isinstance(stmt, While) else stmt


def _side(block: Block, targets: tuple[str, ...], sometimes: set[str]) -> Block:
    """A block of a branch that yields these targets."""
    results = tuple(map(_filled, targets, block.results, [sometimes] * len(targets)))
    return Block(_block(block, sometimes).stmts, results)


def _filled(name: str, atom: Atom, sometimes: set[str]) -> Atom:
    return Const(None) if name in sometimes and atom == UNDEFINED else atom
