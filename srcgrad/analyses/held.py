"""Values that may share memory, and those that a container may hold and hand out to be written.

    _p.1 = operator.mul(u.0, 2)             split.2 may share memory with _p.1, rows.3 holds it,
    split.2 = numpy.split(_p.1, 3)          and the store writes into it
    rows.3 = make_list(split.2)
    store[][](rows.3, 0, 1, 5.0)
"""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np

from srcgrad import ir, runtime
from srcgrad.rules.rule import registry
from srcgrad.rules.views import VIEWS, asks_for_no_copy
from srcgrad.types import UNKNOWN

_PLAIN_ATTRIBUTES = {"shape", "size", "ndim", "dtype", "itemsize", "nbytes"}
_VIEW_METHODS = set(
    "reshape ravel transpose swapaxes squeeze view diagonal conj conjugate get setdefault items values".split()
)
_VIEW_FUNCTIONS = VIEWS | {"array", "ix_", "meshgrid"}
_WRITERS = tuple(
    ir.Fn(writer) for writer in (runtime.add_at, runtime.add_into, runtime.add_item, runtime.add_to_list)
)
_RULES = "srcgrad.rules."
_FRESH_BUILTINS = set("int float bool complex len abs str repr range isinstance round sum print hash divmod".split())


def may_share(let: ir.Let) -> bool:
    """Whether the value of a let may share memory with one of its arguments."""
    match let.op:
        case ir.Make(kind):
            return kind != "fstring"
        case ir.Attr(name):
            return name not in _PLAIN_ATTRIBUTES
        case ir.Method(name):
            return let.effect or name in _VIEW_METHODS or asks_for_no_copy(name, let.keywords)
        case ir.Fn(np.array):
            return len(let.args) > 1 or bool(let.keywords)  # a dtype may be that of objects, a copy may not be made
        case ir.Fn(target):
            return _function_shares(target)
        case ir.Invoke():
            return True  # the residuals of a forward sweep hold what it was given
    return False


def sharers(let: ir.Let) -> tuple[ir.Atom, ...]:
    """The arguments of a let with which its value may share memory."""
    if not may_share(let):
        return ()
    if not isinstance(let.op, ir.Fn):
        return ir.own_atoms(let)
    if (getattr(let.op.target, "__module__", None) or "").startswith(_RULES):
        return let.args[:1]  # a rule gives new memory, or that of the cotangent that it was given
    rule = registry.get(let.op.target)
    if rule is None or not rule.shape_only:
        return ir.own_atoms(let)
    shapes = [name in rule.shape_only for name in rule.parameters]
    values = [arg for arg, is_shape in zip(let.args, shapes, strict=False) if not is_shape]
    return (*values, *dict(let.keywords).values())


def _function_shares(target: Any) -> bool:
    module = (getattr(target, "__module__", None) or "").partition(".")[0]
    name = getattr(target, "__name__", "")
    if target in (runtime.zeros, runtime.zeros_like):
        return False
    if isinstance(target, np.ufunc) or isinstance(getattr(target, "__self__", None), np.ufunc) or module == "math":
        return False
    if module == "numpy":
        return name in _VIEW_FUNCTIONS
    if getattr(operator, name, None) is target:
        return name in ("getitem", "call")
    if getattr(builtins, name, None) is target:
        return name not in _FRESH_BUILTINS
    return True


def held(function: ir.Function) -> frozenset[str]:
    """The names of memory that may be written by way of a container that holds it, and of such containers; and of what
    helpers write into."""
    stmts = list(ir.walk(function.body))
    lets = [stmt for stmt in stmts if isinstance(stmt, ir.Let)]
    found = {ir.written_buffer(let) or "" for let in lets if _writes_into_elements(function, let)}
    found.update(name for let in lets if let.op in _WRITERS for name in ir.variables(let.args[:1]))
    changed = bool(found)
    while changed:
        before = len(found)
        for stmt in reversed(stmts):
            if isinstance(stmt, ir.Let):
                if stmt.target in found:
                    found.update(ir.variables(stmt.args if isinstance(stmt.op, ir.Load) else sharers(stmt)))
                if isinstance(stmt.op, ir.Append | ir.Store) and ir.written_buffer(stmt) in found:
                    found.update(ir.variables(stmt.args[1:]))
            elif isinstance(stmt, ir.Branch):
                found.update(name for target, *ways in ir.joins(stmt) if target in found for name in ir.variables(ways))
            elif not found.isdisjoint((*stmt.params, *stmt.targets)):
                found.update(ir.variables((*stmt.inits, *stmt.body.results)))
                found.update(stmt.params)
        changed = len(found) > before
    return frozenset(name for name in found if function.types.get(name, UNKNOWN).kind != "scalar")


def _writes_into_elements(function: ir.Function, let: ir.Let) -> bool:
    """Whether a let changes an element of a container in place, or a part of one."""
    if isinstance(let.op, ir.Store):
        return len(let.op.path) > 1
    owner = function.types.get(ir.written_buffer(let) or "", UNKNOWN)
    return isinstance(let.op, ir.Update | ir.Append | ir.Pop) and len(let.op.path) > 0 and owner.kind != "array"
