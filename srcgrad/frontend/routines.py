"""Functions that are called, and lowered once, on their own: recursive ones, and large ones that are called often.

    def power(x, n):                                    function power(x.0, n.1)
        return 1.0 if n == 0 else x * power(x, n - 1)     ...
    def f(x):                                             _power.4 = invoke power(x.0, diff.3)
        return power(x, 5)                      ->      function f(x.0)
                                                          _power.1 = invoke power(x.0, 5)

All other functions are lowered in line. That one is recursive, or large and called again, is found out while that is
done; the lowering then starts again. The types of the parameters are what all calls give, the type of the result is
what the body returns; for recursive functions both are found by lowering until nothing changes. What a recursive
closure reads from the function around it becomes parameters of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gast

from srcgrad.frontend.patterns import Patterns
from srcgrad.frontend.source import Source
from srcgrad.frontend.values import Closure, Frame, Value, is_undefined
from srcgrad.ir import Atom, Const, Invoke, Var
from srcgrad.types import UNDEFINED, UNKNOWN, Type, anonymous, join

LARGE = 30  # lets: what is shorter is written where it is called
REPEATED = 90  # lets of the second call and those after it


class FoundRoutine(Exception):
    """A function calls itself, or is large and called again: the lowering starts again, knowing it."""


@dataclass(eq=False)
class Passed:
    """A function that a routine is passed in every call; `outer` and `siblings` are as those of the routine itself."""

    closure: Closure
    outer: tuple[str, ...]
    siblings: Mapping[str, Closure]

    def within(self, variables: Mapping[str, Value]) -> Closure:
        """The same function in the routine, where what it takes from around it are parameters."""
        frame = Frame(self.closure.frame.source, dict(variables))
        frame.environment.update({name: Closure(other.node, frame) for name, other in self.siblings.items()})
        return Closure(self.closure.node, frame)


@dataclass(eq=False)
class Routine:
    """A function on its own. `outer` are names that its text takes from the function around it, as parameters; `fixed`
    are those of its own parameters that every call gives the same constant, `passed` those that are a function of the
    user's."""

    name: str
    tree: Any
    source: Source
    parameters: tuple[str, ...]
    recursive: bool = True
    outer: tuple[str, ...] = ()
    siblings: Mapping[str, Closure] = field(default_factory=dict)
    fixed: Mapping[str, Const] = field(default_factory=dict)
    passed: Mapping[str, Passed] = field(default_factory=dict)
    types: list[Type] = field(default_factory=list)
    unseen: set[int] = field(default_factory=set)  # positions of lists into which others may have put something
    result: Type = UNDEFINED


@dataclass(eq=False)
class Routines:
    """The functions on their own that a lowering has met, and whether their types have changed since."""

    in_line: bool = False  # whether large functions are lowered in line as well
    recursive: set[int] = field(default_factory=set)  # the trees of the functions that call themselves
    known: dict[Hashable, Routine] = field(default_factory=dict)
    changed: bool = False
    sizes: dict[Hashable, list[int]] = field(default_factory=dict)  # of the large functions that were lowered in line
    unfit: set[Hashable] = field(default_factory=set)  # those that mean another thing in one call than in another

    def start(self) -> None:
        """Another attempt begins."""
        self.changed = False
        self.sizes.clear()

    @property
    def has_large(self) -> bool:
        return not all(routine.recursive for routine in self.known.values())

    def name_for(self, tree: Any) -> str:
        name = getattr(tree, "name", "function")
        taken = {known.name for known in self.known.values()}
        while name in taken:
            name += "_"
        return name

    def called(self, routine: Routine, types: list[Type]) -> None:
        """Notes the types of the arguments of a call."""
        if not routine.types:
            routine.types, self.changed = types, True
            return
        joined = [join(a, b) for a, b in zip(routine.types, types, strict=True)]
        if joined != routine.types:
            routine.types, self.changed = joined, True

    def forget(self) -> None:
        """Nothing is known of the arguments and results of recursive functions any more."""
        for routine in self.known.values():
            routine.types, routine.result = [UNKNOWN] * len(routine.types), UNKNOWN

    def endless(self) -> bool:
        """Whether a function was met that returns what it returns, and nothing else."""
        return any(routine.result == UNDEFINED for routine in self.known.values())

    def returned(self, routine: Routine, result: Type) -> None:
        joined = anonymous(join(routine.result, result)) if routine.recursive else result
        if joined != routine.result:
            routine.result, self.changed = joined, True


class RoutineCalls(Patterns):
    routines: Routines

    # Recursive functions

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
        if id(tree) not in self.routines.recursive:
            if not any(frame.tree is tree for frame in self.active_frames):
                return None
            self.routines.recursive.add(id(tree))
            raise FoundRoutine
        try:
            bound = self.bind(node, tree, source, parent, args, keywords)
        except TypeError as error:
            return self.refuse(node, f"`{getattr(tree, 'name', 'lambda')}` {error}", "match its parameters")
        known = self._recursive(tree, source, parent, bound)
        atoms = [self.as_atom(bound[name], node) for name in known.parameters]
        taken = [(name, parent) for name in known.outer]
        for name, passed in known.passed.items():
            taken += [(outer, bound[name].frame) for outer in passed.outer]  # type: ignore[union-attr]
        for name, frame in taken:
            value = frame.find(name, self.frame.environment) if frame is not None else None
            if value is None or is_undefined(value):
                return self.refuse(node, f"`{name}` has no value yet when `{known.name}` is called", "assign it before")
            atoms.append(self.as_atom(value, node))
        return self._invoke(known, atoms)

    def _recursive(self, tree: Any, source: Source, parent: Frame | None, bound: Mapping[str, Value]) -> Routine:
        """The routine of a recursive function for the functions that it is passed; noted where it is a new one."""
        closures = {n: value for n, value in bound.items() if isinstance(value, Closure) and not value.defaults}
        fixed = {n: value for n, value in bound.items() if isinstance(value, Const) and callable(value.value)}
        nodes = [(name, id(closure.node)) for name, closure in closures.items()]
        key = (id(tree), *nodes, *((name, id(const.value)) for name, const in fixed.items()))
        known = self.routines.known.get(key)
        if known is None:
            passed = {name: Passed(closure, *self._free_names(closure)) for name, closure in closures.items()}
            names = tuple(name for name in parameter_names(tree) if name not in passed and name not in fixed)
            outer, siblings = self._free_names(Closure(tree, parent)) if parent is not None else ((), {})
            name = self.routines.name_for(tree)
            known = Routine(name, tree, source, names, True, outer, siblings, fixed, passed)
            self.routines.known[key] = known
        return known

    def _invoke(self, known: Routine, atoms: list[Atom]) -> Atom:
        filled = [isinstance(atom, Var) and atom.name in self.builder.filled for atom in atoms]
        known.unseen.update(i for i, is_filled in enumerate(filled) if not is_filled)
        self.routines.called(known, [self.builder.type(atom) for atom in atoms])
        return self.builder.let(Invoke(known.name), atoms, hint=f"_{known.name}", known=known.result)

    def _free_names(self, closure: Closure) -> tuple[tuple[str, ...], dict[str, Closure]]:
        """The names that a closure reads from around it, and the functions defined beside it that it calls."""
        outer: dict[str, None] = {}
        siblings: dict[str, Closure] = {}
        self._free_of(closure.node, closure.frame, outer, siblings)
        return tuple(outer), siblings

    def _free_of(self, tree: Any, parent: Frame, outer: dict[str, None], siblings: dict[str, Closure]) -> None:
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

    # Large functions

    def large_call(self, node: gast.AST, tree: Any, bound: Mapping[str, Value]) -> Value | None:
        """The call of a large function that is lowered on its own; None for all others."""
        fixed = fixed_arguments(bound)
        known = None if fixed is None else self.routines.known.get(_key(tree, fixed))
        if fixed is None or known is None:
            return None
        atoms = [self.as_atom(bound[name], node) for name in known.parameters]
        types = [self.builder.type(atom) for atom in atoms]
        if known.types and any(a.kind != b.kind or a.rank != b.rank for a, b in zip(types, known.types, strict=True)):
            del self.routines.known[_key(tree, fixed)]
            self.routines.unfit.add(_key(tree, fixed))
            raise FoundRoutine
        if not known.types:
            self.routines.called(known, types)
            self.lower_now(known)
        return self._invoke(known, atoms)

    def lower_now(self, known: Routine) -> None:
        """Lowers a function on its own, to have the type of its result."""
        raise NotImplementedError

    def note_size(self, tree: Any, source: Source, bound: Mapping[str, Value], size: int) -> None:
        """Notes that a function was lowered in line, as so many lets; one that is large and comes again is noted."""
        fixed = None if size < LARGE or self.routines.in_line else fixed_arguments(bound)
        if fixed is None or _key(tree, fixed) in self.routines.unfit:
            return
        key = _key(tree, fixed)
        sizes = self.routines.sizes.setdefault(key, [])
        sizes.append(size)
        if sum(sizes[1:]) >= REPEATED:
            names = tuple(name for name in parameter_names(tree) if name not in fixed)
            name = self.routines.name_for(tree)
            self.routines.known[key] = Routine(name, tree, source, names, recursive=False, fixed=fixed)
            raise FoundRoutine

    # Their bodies

    def lower_routine(self, known: Routine) -> tuple[list[Any], Atom]:
        """The parameters and the result of a function, lowered on its own."""
        frame = Frame(known.source, dict(known.fixed), tree=known.tree)
        names = [*known.parameters, *known.outer, *(name for passed in known.passed.values() for name in passed.outer)]
        params, values = [], list[Value]()
        for i, (name, known_type) in enumerate(zip(names, known.types, strict=True)):
            var = self.builder.declare(name, known_type)
            params.append(var)
            if i not in known.unseen:
                self.builder.filled.add(var.name)
            values.append(Const(known_type.value) if known_type.kind == "callable" else var)
        given = iter(values)
        frame.environment.update(zip((*known.parameters, *known.outer), given, strict=False))
        for name, closure in known.siblings.items():
            frame.environment[name] = Closure(closure.node, frame)
        for name, passed in known.passed.items():
            frame.environment[name] = passed.within({outer: next(given) for outer in passed.outer})
        value = self.run(frame, known.tree)
        with self.inside(frame):
            atom = self.as_atom(value, known.tree)
        self.routines.returned(known, self.builder.type(atom))
        return params, atom


def parameter_names(tree: Any) -> tuple[str, ...]:
    signature = tree.args
    names = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
    names += [signature.vararg.id] if signature.vararg is not None else []
    return (*names, *(arg.id for arg in signature.kwonlyargs))


def _key(tree: Any, fixed: Mapping[str, Const]) -> Hashable:
    return id(tree), tuple((name, repr(const.value), const.value) for name, const in fixed.items())


def fixed_arguments(bound: Mapping[str, Value]) -> dict[str, Const] | None:
    """The arguments that are known and decide what a function does; None where there are others than these and values
    of the running program."""
    fixed: dict[str, Const] = {}
    for name, value in bound.items():
        items = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(item, Var | Const) for item in items):
            return None
        if isinstance(value, Const) and not isinstance(value.value, float):
            fixed[name] = value
    try:
        hash(tuple(const.value for const in fixed.values()))
    except TypeError:
        return None
    return fixed
