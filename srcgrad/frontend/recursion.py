"""Recursive functions: they are not lowered in line but called, and lowered once, on their own.

    def power(x, n):                                    function power(x.0, n.1)
        return 1.0 if n == 0 else x * power(x, n - 1)     ...
    def f(x):                                             _power.4 = invoke power(x.0, diff.3)
        return power(x, 5)                      ->      function f(x.0)
                                                          _power.1 = invoke power(x.0, 5)

That a function is recursive is found out while it is lowered in line; the lowering then starts again. The types of its
parameters are what all its calls give, the type of its result is what its body returns; both are found by lowering
until nothing changes. What a recursive closure reads from the function around it becomes parameters of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gast

from srcgrad.frontend.patterns import Patterns
from srcgrad.frontend.source import Source
from srcgrad.frontend.values import Closure, Frame, Value, is_undefined
from srcgrad.ir import Atom, Const, Invoke, Var
from srcgrad.types import UNDEFINED, UNKNOWN, Type, anonymous, join


class FoundRecursion(Exception):
    """A function calls itself: the lowering starts again, knowing it."""


@dataclass(eq=False)
class Recursive:
    """One recursive function: `outer` are names that its text takes from the function around it, as parameters."""

    name: str
    tree: Any
    source: Source
    outer: tuple[str, ...]
    siblings: Mapping[str, Closure]
    parameters: tuple[str, ...]
    types: list[Type] = field(default_factory=list)
    unseen: set[int] = field(default_factory=set)  # positions of lists into which others may have put something
    result: Type = UNDEFINED


@dataclass(eq=False)
class Recursions:
    """The recursive functions that a lowering has met, and whether their types have changed since."""

    known: dict[int, Recursive] = field(default_factory=dict)
    changed: bool = False

    def called(self, function: Recursive, types: list[Type]) -> None:
        """Notes the types of the arguments of a call."""
        if not function.types:
            function.types, self.changed = types, True
            return
        joined = [join(a, b) for a, b in zip(function.types, types, strict=True)]
        if joined != function.types:
            function.types, self.changed = joined, True

    def forget(self) -> None:
        """Nothing is known of the arguments and results of recursive functions any more."""
        for function in self.known.values():
            function.types, function.result = [UNKNOWN] * len(function.types), UNKNOWN

    def endless(self) -> bool:
        """Whether a function was met that returns what it returns, and nothing else."""
        return any(function.result == UNDEFINED for function in self.known.values())

    def returned(self, function: Recursive, result: Type) -> None:
        joined = anonymous(join(function.result, result))
        if joined != function.result:
            function.result, self.changed = joined, True


class Recursion(Patterns):
    recursions: Recursions

    def recursive_call(
        self,
        node: gast.AST,
        tree: Any,
        source: Source,
        parent: Frame | None,
        args: list[Value],
        keywords: dict[str, Value],
    ) -> Value | None:
        """The call of a function that is known to be recursive; None for all others."""
        known = self.recursions.known.get(id(tree))
        if known is None:
            if not any(frame.tree is tree for frame in self.active_frames):
                return None
            self._note(tree, source, parent)
            raise FoundRecursion
        try:
            bound = self.bind(node, tree, source, parent, args, keywords)
        except TypeError as error:
            return self.refuse(node, f"`{known.name}` {error}", "match its parameters")
        atoms = [self.as_atom(bound[name], node) for name in known.parameters]
        for name in known.outer:
            value = parent.find(name, self.frame.environment) if parent is not None else None
            if value is None or is_undefined(value):
                return self.refuse(node, f"`{name}` has no value yet when `{known.name}` is called", "assign it before")
            atoms.append(self.as_atom(value, node))
        filled = [isinstance(atom, Var) and atom.name in self.builder.filled for atom in atoms]
        known.unseen.update(i for i, is_filled in enumerate(filled) if not is_filled)
        self.recursions.called(known, [self._argument_type(atom) for atom in atoms])
        return self.builder.let(Invoke(known.name), atoms, hint=f"_{known.name}", known=known.result)

    def _argument_type(self, atom: Atom) -> Type:
        return self.builder.type(atom)

    def _note(self, tree: Any, source: Source, parent: Frame | None) -> None:
        """Enters a function into the list of recursive ones."""
        name = getattr(tree, "name", "function")
        taken = {known.name for known in self.recursions.known.values()}
        while name in taken:
            name += "_"
        outer: dict[str, None] = {}
        siblings: dict[str, Closure] = {}
        if parent is not None:
            self._free_of(tree, parent, outer, siblings)
        signature = tree.args
        parameters = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
        parameters += [signature.vararg.id] if signature.vararg is not None else []
        parameters += [arg.id for arg in signature.kwonlyargs]
        self.recursions.known[id(tree)] = Recursive(name, tree, source, tuple(outer), siblings, tuple(parameters))

    def _free_of(self, tree: Any, parent: Frame, outer: dict[str, None], siblings: dict[str, Closure]) -> None:
        """The names that a closure reads from around it, and the functions defined beside it that it calls."""
        own = {arg.id for arg in gast.walk(tree.args) if isinstance(arg, gast.Name)}
        for node in gast.walk(tree):
            if not isinstance(node, gast.Name) or node.id in own or node.id in outer or node.id in siblings:
                continue
            value = parent.find(node.id, self.frame.environment)
            if isinstance(value, Closure):
                siblings[node.id] = value
                self._free_of(value.node, value.frame, outer, siblings)
            elif value is not None:
                outer[node.id] = None

    def lower_recursive(self, known: Recursive) -> tuple[list[Any], Atom]:
        """The parameters and the result of a recursive function, lowered on its own."""
        frame = Frame(known.source, {}, tree=known.tree)
        params = []
        for i, (name, known_type) in enumerate(zip((*known.parameters, *known.outer), known.types, strict=True)):
            var = self.builder.declare(name, known_type)
            params.append(var)
            if i not in known.unseen:
                self.builder.filled.add(var.name)
            is_function = known_type.kind == "callable"
            frame.environment[name] = Const(known_type.value) if is_function else var
        for name, closure in known.siblings.items():
            frame.environment[name] = Closure(closure.node, frame)
        value = self.run(frame, known.tree)
        with self.inside(frame):
            atom = self.as_atom(value, known.tree)
        self.recursions.returned(known, self.builder.type(atom))
        return params, atom

