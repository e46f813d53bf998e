"""Axes that must have one length, because the program combines them: they get one symbol.

    X: float64[X.0, X.1], w: float64[w.0], y: float64[y.0]
    X @ w - y            ->   w: float64[X.1], y: float64[X.0]

Only statements that always run count, and only axes that are known not to be 1: such axes are never stretched, so an
operation that combines two of them has raised, or they agree.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from srcgrad.ir import Atom, Fn, Function, Let, Method, Var
from srcgrad.rules.operations import rule_of
from srcgrad.types import Dim, Type


def unify_lengths(function: Function) -> Function:
    """The function with the same symbol for axes that must agree."""
    same: dict[str, str] = {}
    for stmt in function.body.stmts:
        if isinstance(stmt, Let):
            for a, b in _equal(stmt, function.types):
                _unite(same, a, b)
    if not same:
        return function
    types = {name: _renamed(known, same) for name, known in function.types.items()}
    return replace(function, types=types)


def _equal(let: Let, types: Mapping[str, Type]) -> list[tuple[Dim, Dim]]:
    """Pairs of axes that an operation requires to be equal."""
    if len(let.args) != 2:
        return []
    left, right = (_shape(atom, types) for atom in let.args)
    if left is None or right is None:
        return []
    if let.op in (Fn(operator.matmul), Fn(np.matmul), Fn(np.dot), Method("dot")):
        return [(left[-1], right[max(0, len(right) - 2)])] if left and right else []
    rule = rule_of(let)
    comparison = isinstance(let.op, Fn) and let.op.target in (operator.lt, operator.le, operator.gt, operator.ge)
    if comparison or (rule is not None and rule.form == "elementwise"):
        return list(zip(left[::-1], right[::-1], strict=False))
    return []


def _shape(atom: Atom, types: Mapping[str, Type]) -> tuple[Dim, ...] | None:
    known = types.get(atom.name) if isinstance(atom, Var) else None
    return known.shape if known is not None and known.kind == "array" else None


def _unite(same: dict[str, str], a: Dim, b: Dim) -> None:
    plain = [d.symbol is not None and d.symbol != "?" and d.offset == 0 and not d.may_be_one for d in (a, b)]
    if not all(plain):
        return
    assert a.symbol is not None
    assert b.symbol is not None
    first, second = sorted((_find(same, a.symbol), _find(same, b.symbol)))
    if first != second:
        same[second] = first


def _find(same: Mapping[str, str], symbol: str) -> str:
    while symbol in same:
        symbol = same[symbol]
    return symbol


def _renamed(known: Type, same: Mapping[str, str]) -> Type:
    if known.dims is not None:
        return replace(known, dims=tuple(_dim(dim, same) for dim in known.dims))
    if known.items:
        return replace(known, items=tuple(_renamed(item, same) for item in known.items))
    return replace(known, length=_dim(known.length, same)) if known.length is not None else known


def _dim(dim: Dim, same: Mapping[str, str]) -> Dim:
    return dim if dim.symbol is None else replace(dim, symbol=_find(same, dim.symbol))
