"""What names stand for while a function is lowered.

A name of the user's stands for an atom of the IR, for a tuple of such (packing and unpacking leave no trace in the IR),
or for a function defined in the body. Assignments `z = y` therefore make two names for one atom, and need no alias
analysis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gast

from srcgrad.frontend.values import Value, cell_parts, is_cell

# Pseudo-names, no identifiers: they live in the environment beside the user's names and merge at joins as those do.
STOP = "<stop>"  # the innermost loop ends after this iteration
SKIP = "<skip>"  # the rest of this block is not executed
RETURNED = "<returned>"  # the function has returned
RESULT = "<result>"  # what it has returned
DEAD = "<dead>"  # this path has raised
CHOSEN = "<chosen>"  # the value of one of two expressions that assign
FLAG_HINTS = {STOP: "stop", SKIP: "_skip", DEAD: "_dead", RETURNED: "returned", RESULT: "value", CHOSEN: "_choice"}


@dataclass(frozen=True)
class Access:
    """How a free name of the function is read when it is called: `name` in `function`'s cells or globals."""

    function: Any
    name: str
    where: str  # "cell", "global" or "builtin"; "object": `name` is an attribute of it, "" for the object itself


def structure_of(value: Value) -> Any:
    """The structure of results as `ir.Function.structure` wants it."""
    return tuple(map(structure_of, value)) if isinstance(value, tuple) else "leaf"


def inner_writes(nodes: Sequence[gast.AST]) -> set[str]:
    """The names that functions defined in these statements declare `nonlocal`."""
    found: set[str] = set()
    for node in nodes:
        for inner in gast.walk(node):
            if isinstance(inner, gast.FunctionDef | gast.Lambda):
                found.update(*(n.names for n in gast.walk(inner) if isinstance(n, gast.Nonlocal)))
    return found


def assigned_names(nodes: Sequence[gast.AST]) -> list[str]:
    """The names that statements may assign, in the order of their first appearance."""
    found: dict[str, None] = {}
    pending = list(reversed(list(nodes)))
    while pending:
        node = pending.pop()
        if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store | gast.Del):
            found[node.id] = None
        if isinstance(node, gast.MatchAs) and node.name is not None:
            found[node.name] = None
        if isinstance(node, gast.Import | gast.ImportFrom):
            found.update({alias.asname or alias.name.partition(".")[0]: None for alias in node.names})
        if isinstance(node, gast.FunctionDef):
            found[node.name] = None
        elif not isinstance(node, gast.Lambda | gast.ListComp | gast.SetComp | gast.DictComp | gast.GeneratorExp):
            pending.extend(reversed(list(gast.iter_child_nodes(node))))
    return list(found)


def contains(nodes: Sequence[gast.AST], kinds: tuple[type, ...], through_loops: bool = True) -> bool:
    """Whether statements of these kinds occur, in nested functions not counted."""
    for node in nodes:
        if isinstance(node, kinds):
            return True
        if isinstance(node, gast.FunctionDef | gast.Lambda):
            continue
        if not through_loops and isinstance(node, gast.For | gast.While):
            if contains(node.orelse, kinds, False):
                return True
            continue
        if contains(list(gast.iter_child_nodes(node)), kinds, through_loops):
            return True
    return False


def may_jump(nodes: Sequence[gast.AST]) -> bool:
    """Whether statements may leave the block that they stand in."""
    jumps = (gast.Break, gast.Continue)
    return contains(nodes, jumps, through_loops=False) or contains(nodes, (gast.Return,))


def always_jumps(nodes: Sequence[gast.AST]) -> bool:
    """Whether statements leave the block that they stand in on every path."""
    if not nodes:
        return False
    last = nodes[-1]
    if isinstance(last, gast.Return | gast.Break | gast.Continue):
        return True
    return isinstance(last, gast.If) and always_jumps(last.body) and always_jumps(last.orelse)


def may_fall_off(nodes: Sequence[gast.AST]) -> bool:
    """Whether a function with this body may come to its end, and return None, where it returns values elsewhere."""
    returns = [inner for node in nodes for inner in gast.walk(node) if isinstance(inner, gast.Return)]
    return any(inner.value is not None for inner in returns) and not _ends(nodes)


def _ends(nodes: Sequence[gast.AST]) -> bool:
    """Whether the end of a block is never reached."""
    match nodes[-1]:
        case gast.Return() | gast.Raise():
            return True
        case gast.If(body=body, orelse=orelse):
            return bool(orelse) and _ends(body) and _ends(orelse)
        case gast.While(test=gast.Constant(value=value), body=body):
            return bool(value) and not contains(body, (gast.Break,), through_loops=False)
        case gast.With(body=body):
            return _ends(body)
        case gast.Match(cases=cases):
            last = cases[-1]
            open_ended = isinstance(last.pattern, gast.MatchAs) and last.pattern.pattern is None and last.guard is None
            return open_ended and all(_ends(case.body) for case in cases)
    return False


def plain(name: str) -> str:
    """A hint made from a name of the environment."""
    return cell_parts(name)[1] if is_cell(name) else FLAG_HINTS.get(name, name)


def is_named(node: gast.AST) -> bool:
    """Whether an expression is a name, or an attribute of one, and evaluating it changes nothing."""
    while isinstance(node, gast.Attribute):
        node = node.value
    return isinstance(node, gast.Name)
