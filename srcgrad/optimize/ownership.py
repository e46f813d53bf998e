"""Gradients are arrays of their own: they share memory with no argument, no seed and no other result.

    def f_grad(w):              def f_grad(w):
        return w          ->        return np.copy(w)

A broadcast view is copied too, since it cannot be written into. Runs last, so that no rewrite undoes it.
"""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from srcgrad import ir, runtime
from srcgrad.types import CONTAINERS

_VIEWS = {
    np.reshape, np.transpose, np.swapaxes, np.expand_dims, np.squeeze, np.moveaxis, np.ravel, np.flip, np.diagonal,
    np.broadcast_to, np.asarray, np.atleast_1d, np.atleast_2d, np.atleast_3d, operator.getitem, operator.call,
    runtime.unbroadcast, runtime.fitted, runtime.cast, runtime.rebuilt, runtime.in_memory, runtime.add, runtime.stored,
    runtime.stop_gradient,
}  # fmt: skip
_VIEW_METHODS = {"reshape", "ravel", "transpose", "swapaxes", "squeeze", "view", "diagonal"}
_READ_ONLY = "<read-only>"


def own_results(function: ir.Function, first: int) -> ir.Function:
    """The function with copies for those of its results, from number `first` on, that may share memory."""
    sources = _Sources(function)
    given = {param.name for param in function.params}
    for atom in function.body.results[:first]:
        given |= sources.of(atom)
    names, types = ir.Names.after(function), dict(function.types)
    copies: list[ir.Stmt] = []
    results = list(function.body.results[:first])
    for atom in function.body.results[first:]:
        mine = sources.of(atom)
        if isinstance(atom, ir.Var) and mine & (given | {_READ_ONLY}) and not _is_number(function, atom):
            known = types.get(atom.name)
            target = names.fresh(ir.hint(atom.name))
            types[target] = types[atom.name]
            plain = known is not None and known.kind == "array"
            copy: Any = np.copy if plain else runtime.copy
            copies.append(ir.Let(target, ir.Fn(copy), (atom,), (), ir.Origin(0, "", "reverse")))
            atom = ir.Var(target)
        else:
            given |= mine
        results.append(atom)
    body = ir.Block((*function.body.stmts, *copies), tuple(results))
    return replace(function, body=body, types=types)


def _is_number(function: ir.Function, atom: ir.Var) -> bool:
    known = function.types.get(atom.name)
    return known is not None and known.kind == "scalar"


class _Sources:
    """The names of the memory that a value may share: where views, joins and containers take it from."""

    def __init__(self, function: ir.Function) -> None:
        self.types = function.types
        self.flows: dict[str, list[ir.Atom]] = {}
        self.read_only: set[str] = set()
        for stmt in ir.walk(function.body):
            self._note(stmt)

    def _note(self, stmt: ir.Stmt) -> None:
        match stmt:
            case ir.Let():
                if stmt.target is not None and _shares(stmt):
                    self.flows[stmt.target] = list(_made_of(stmt))
                    if stmt.op == ir.Fn(np.broadcast_to):
                        self.read_only.add(stmt.target)
            case _:
                self.flows.update({name: list(sources) for name, *sources in ir.flows(stmt)})

    def of(self, atom: ir.Atom) -> set[str]:
        found: set[str] = set()
        pending, seen = [atom], set()
        while pending:
            atom = pending.pop()
            if not isinstance(atom, ir.Var) or atom.name in seen:
                continue
            seen.add(atom.name)
            if atom.name in self.read_only:
                found.add(_READ_ONLY)
            known = self.types.get(atom.name)
            if known is not None and known.kind == "scalar":
                continue
            if atom.name in self.flows:
                pending.extend(self.flows[atom.name])
            else:
                found.add(atom.name)
        return found


def _made_of(let: ir.Let) -> tuple[ir.Atom, ...]:
    """The operands that a result may share memory with."""
    if let.op == ir.Fn(runtime.rebuilt):
        return let.args[1:]  # what `rebuilt(x, g)` gives is made of `g`, in the classes of `x`
    return let.args[:1] if _fits(let) else let.args


def _fits(let: ir.Let) -> bool:
    return let.op in (ir.Fn(runtime.unbroadcast), ir.Fn(runtime.fitted), ir.Fn(runtime.cast))


def _shares(let: ir.Let) -> bool:
    match let.op:
        case ir.Fn(target):
            return any(target is view for view in _VIEWS)
        case ir.Method(name):
            return name in _VIEW_METHODS
        case ir.Attr() | ir.Load() | ir.Invoke() | ir.Pop():
            return True
        case ir.Make(kind):
            return kind in CONTAINERS
        case _:
            return False
