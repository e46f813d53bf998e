"""From a function's syntax tree to the core IR.

    def f(x, n):                    function f(x.0, n.1)
        y = x                         steps.2 = range(n.1)
        for _ in range(n):    ->      y.6 = for _.3 in steps.2 with y.4 = x.0
            y = y * x                   y.5 = operator.mul(y.4, x.0)
        return y                        yield y.5
                                      yield y.6

Everything that the compiler does not take is found here, before any code of the user's runs, and reported at once.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gast

from srcgrad.build import Builder
from srcgrad.errors import UnsupportedSyntax, together
from srcgrad.frontend.base import Free, Undecided
from srcgrad.frontend.containers import EVERY, of_anything
from srcgrad.frontend.rename import rename
from srcgrad.frontend.routines import FoundRoutine, Routine, RoutineCalls, Routines
from srcgrad.frontend.scope import structure_of
from srcgrad.frontend.source import Source, source_of
from srcgrad.frontend.values import Frame, Value, leaves
from srcgrad.ir import Atom, Function, Param
from srcgrad.types import UNKNOWN, Type, join

__all__ = ["Lowered", "Lowering", "Undecided", "lower"]


_ROUNDS = 12  # of lowering, until the types of containers settle


class Lowering(RoutineCalls):
    """The lowering of functions and, for the derivative, of the bodies of rules."""

    routines = Routines(in_line=True)

    def rule(self, function: Callable[..., Any], arguments: Mapping[str, Value]) -> Value:
        """The value of a rule's body with these arguments; `Undecided` where a test of it stays open."""
        source = source_of(function)
        names = [arg.id for arg in source.tree.args.args]
        frame = Frame(source, {name: arguments[name] for name in names}, static=True)
        before = len(self.offences)
        value = self.run(frame, source.tree)
        if len(self.offences) > before:
            raise together(self.offences[before:])
        return value

    def lower_now(self, known: Routine) -> None:
        """Lowers a function on its own, to have the type of its result."""
        _new(self.contents, self.holds, self.routines, Free(), self.builder.hopeful).lower_routine(known)


@dataclass(frozen=True)
class Lowered:
    """A function in the IR, those that it calls on their own, and what they take from outside."""

    function: Function
    free: Free
    source: Source
    routines: Mapping[str, Lowered] = field(default_factory=dict)
    has_large: bool = False  # whether some of those are not recursive


def lower(source: Source, types: Mapping[str, Type], in_line: bool = False) -> Lowered:
    """The IR of a function for arguments of these types; raises every refusal of it at once.

    With `in_line`, only recursive functions are lowered on their own.
    """
    contents: dict[object, Type] = {}
    holds: dict[object, set[tuple[str, object]]] = {}
    routines = Routines(in_line)
    hopeful = True
    attempt = 0
    while attempt < _ROUNDS:
        if attempt == _ROUNDS - 5:  # types that do not settle: nothing is known of what containers and calls hold
            contents = {site: of_anything(known) for site, known in contents.items()}
            routines.forget()
            hopeful = False
        if attempt == _ROUNDS - 2:  # nor of what those hold of which it is not known where they were made
            contents |= {EVERY["list"]: Type("list", items=(UNKNOWN,)), EVERY["dict"]: UNKNOWN}
        routines.start()
        free = Free()
        lowering = _new(contents, holds, routines, free, hopeful)
        try:
            lowered = _attempt(lowering, source, types)
            each = {r: _new(contents, holds, routines, free, hopeful) for r in routines.known.values()}
            functions = {r.name: _routine(inner, r) for r, inner in each.items()}
        except FoundRoutine:
            continue
        attempt += 1
        every = (lowering, *each.values())
        if routines.changed or any(one.widened for one in every):
            continue  # a type may be narrower than it turns out to be: what is refused may not be
        if any(one.builder.hoped for one in every):
            hopeful = False  # some list stays empty, or is filled by what the compiler does not see
            continue
        offences = [offence for one in every for offence in one.offences]
        if offences and routines.has_large:
            return lower(source, types, in_line=True)
        if offences:
            raise together(offences)
        if routines.endless():
            place = source.place(source.tree)
            problem = f"the recursion in `{source.name}` never ends"
            raise UnsupportedSyntax(problem, place, "return a value on some path")
        return dataclasses.replace(lowered, routines=functions, has_large=routines.has_large)
    if routines.has_large:
        return lower(source, types, in_line=True)
    problem = f"the recursion of `{source.name}` has no types that settle"
    raise together([UnsupportedSyntax(problem, source.place(source.tree))])


def _new(
    contents: dict[object, Type],
    holds: dict[object, set[tuple[str, object]]],
    routines: Routines,
    free: Free,
    hopeful: bool,
) -> Lowering:
    lowering = Lowering(Builder(), free)
    lowering.builder.hopeful = hopeful
    lowering.contents, lowering.holds, lowering.routines = contents, holds, routines
    return lowering


def _routine(lowering: Lowering, known: Routine) -> Lowered:
    """One function on its own; its parameters are named after those of its text."""
    params, result = lowering.lower_routine(known)
    function = Function(
        known.name,
        tuple(Param(var.name) for var in params),
        lowering.builder.finish([result]),
        lowering.builder.types,
        "leaf",
        known.source.file,
        getattr(known.tree, "lineno", 0),
    )
    return Lowered(rename(function, lowering.builder.suggested), lowering.free, known.source)


def _attempt(lowering: Lowering, source: Source, types: Mapping[str, Type]) -> Lowered:
    builder, tree = lowering.builder, source.tree
    frame = Frame(source, {}, tree=tree)
    with lowering.inside(frame):
        params = tuple(_params(lowering, source, tree))
        if isinstance(tree, gast.AsyncFunctionDef) or _yields(tree):
            lowering.refuse(tree, "a generator or a coroutine has no derivative", "write an ordinary function")
        for param in params:
            _declare(lowering, frame, param, types.get(param.name, UNKNOWN))
    value: Value = lowering.run(frame, tree)
    with lowering.inside(frame):
        atoms: list[Atom] = [lowering.as_atom(leaf, tree) for leaf in leaves(value)]
    doc = "" if isinstance(tree, gast.Lambda) else (inspect.getdoc(source.function) or "")
    named = tuple(dataclasses.replace(p, name=f"{p.name}.{i}") for i, p in enumerate(params))
    function = Function(
        source.name if source.name.isidentifier() else "function",
        named,
        builder.finish(atoms),
        builder.types,
        structure_of(value),
        source.file,
        source.line,
        doc,
    )
    return Lowered(rename(function, builder.suggested), lowering.free, source)


def _declare(lowering: Lowering, frame: Frame, param: Param, known: Type) -> None:
    """Binds a parameter; a function given as an argument is known, and lowered where it is called."""
    known = lowering.contents.get(param.name, known)
    known = join(known, lowering.contents.get(EVERY.get(known.kind, ""), known))
    var = lowering.builder.declare(param.name, known)
    lowering.sites[var.name] = param.name
    frame.environment[param.name] = lowering.known_function(var)


def _params(lowering: Lowering, source: Source, tree: gast.FunctionDef | gast.Lambda) -> list[Param]:
    """The parameters, with their defaults as text where that text stands for itself."""
    signature = inspect.signature(source.function)
    found = []
    for parameter in signature.parameters.values():
        found.append(Param(parameter.name, int(parameter.kind), _literal(parameter.default)))
    return found


def _literal(default: Any) -> str | None:
    """A default as text; None for one that has none: an array, a member of an enumeration."""
    if type(default) is float and not math.isfinite(default):
        return f'float("{default}")'
    return repr(default) if type(default) in (type(None), bool, int, float, str) else None


def _yields(tree: Any) -> bool:
    nested = (gast.FunctionDef, gast.Lambda, gast.AsyncFunctionDef)
    pending = list(tree.body) if isinstance(tree.body, list) else [tree.body]
    while pending:
        node = pending.pop()
        if isinstance(node, gast.Yield | gast.YieldFrom):
            return True
        if not isinstance(node, nested):
            pending.extend(gast.iter_child_nodes(node))
    return False


__all__ += ["UnsupportedSyntax"]
