"""What names stand for while a function is lowered.

A name of the user's stands for an atom of the IR, for a tuple of such (packing and unpacking leave no trace in the IR),
or for a function defined in the body. Assignments `z = y` therefore make two names for one atom, and need no alias
analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gast

from srcgrad.frontend.source import Source
from srcgrad.ir import UNDEFINED, Atom, Const, Names, Undefined, Var

# Pseudo-names, no identifiers: they live in the environment beside the user's names and merge at joins as those do.
STOP = "<stop>"  # the innermost loop ends after this iteration
SKIP = "<skip>"  # the rest of this block is not executed
RETURNED = "<returned>"  # the function has returned
RESULT = "<result>"  # what it has returned
DEAD = "<dead>"  # this path has raised
FLAG_HINTS = {STOP: "stop", SKIP: "_skip", DEAD: "_dead", RETURNED: "returned", RESULT: "value"}


@dataclass(frozen=True, eq=False)
class Closure:
    """A function or lambda defined in the body; its free names are looked up in the frame that made it."""

    node: gast.FunctionDef | gast.Lambda
    frame: Frame

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "<lambda>")


Value = Atom | tuple[Any, ...] | Closure
Environment = dict[str, Value]


@dataclass(eq=False)
class Frame:
    """One activation of a function that is lowered in line: its names, its source, the frame it was defined in."""

    source: Source
    environment: Environment
    parent: Frame | None = None
    static: bool = False  # a rule's body: every test must be settled by what is known
    prefix: str = ""
    loops: int = 0
    declared_global: set[str] = field(default_factory=set)

    def get(self, name: str) -> Value | None:
        value = self.environment.get(name)
        if value is None and self.parent is not None:
            return self.parent.get(name)
        return value


@dataclass(frozen=True)
class Access:
    """How a free name of the function is read when it is called: `name` in `function`'s cells or globals."""

    function: Callable[..., Any]
    name: str
    where: str  # "cell", "global" or "builtin"


def leaves(value: Value) -> list[Atom | Closure]:
    """The atoms of a value, in order."""
    if isinstance(value, tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def same_structure(a: Value, b: Value) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same_structure, a, b))
    return not isinstance(a, tuple) and not isinstance(b, tuple)


def rebuild(template: Value, atoms: Iterator[Any]) -> Value:
    """A value of the structure of `template` with these atoms as its leaves."""
    if isinstance(template, tuple):
        return tuple(rebuild(item, atoms) for item in template)
    value: Value = next(atoms)
    return value


def structure_of(value: Value) -> Any:
    """The structure of results as `ir.Function.structure` wants it."""
    return tuple(map(structure_of, value)) if isinstance(value, tuple) else "leaf"


def is_undefined(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, Undefined)


def is_true(value: Value) -> bool:
    return isinstance(value, Const) and value.value is True


def assigned_names(nodes: Sequence[gast.AST]) -> list[str]:
    """The names that statements may assign, in the order of their first appearance."""
    found: dict[str, None] = {}
    pending = list(reversed(list(nodes)))
    while pending:
        node = pending.pop()
        if isinstance(node, gast.Name) and isinstance(node.ctx, gast.Store | gast.Del):
            found[node.id] = None
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


def plain(name: str) -> str:
    """A hint made from a name of the environment."""
    return FLAG_HINTS.get(name, name)


__all__ = [
    "DEAD", "RESULT", "RETURNED", "SKIP", "STOP", "UNDEFINED", "Access", "Closure", "Environment", "Frame", "Names", "Value",
    "Var", "always_jumps", "assigned_names", "contains", "is_true", "is_undefined", "leaves", "may_jump", "plain",
    "rebuild", "same_structure", "structure_of",
]  # fmt: skip
