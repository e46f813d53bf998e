"""What loops run over. A sequence is walked by its index, so that the reverse sweep can walk it backwards.

    zip(u, v)              a walk over range(min(len(u), len(v))), of (u[k], v[k])
    table.items()          the pairs, where the keys are known
    np.ndindex(2, 3)       a list of what it gives, through which no derivative flows
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gast
import numpy as np

from srcgrad.frontend.calls import Calls
from srcgrad.frontend.expressions import MAX_SPREAD
from srcgrad.frontend.scope import DEAD
from srcgrad.frontend.values import Bound, Lazy, Record, Table, Value
from srcgrad.ir import Assert, Atom, Const, Fn, Let, Make, Method, Raise, Var
from srcgrad.rules.rule import registry
from srcgrad.types import CONTAINERS, INT, UNKNOWN, Type, functions_in

_UNROLLED = 16  # a tuple written in the program is walked in a written-out loop up to this length

_SEQUENCES = (list, tuple, sorted, sum, max, min)  # functions of Python that give back what has positions
_LENGTHS = "the arguments of `zip` have different lengths"
_OF_SETS = (operator.or_, operator.and_, operator.sub, operator.xor)


def strictly(*iterables: Any) -> Any:
    """`zip(*iterables, strict=True)`."""
    return zip(*iterables, strict=True)


@dataclass(frozen=True)
class Walk:
    """How a loop runs: over `iterable` as it stands, or, with `length`, over indices that `item` makes elements of."""

    item: Callable[[Atom], Value]
    iterable: Atom | None = None
    length: Atom | None = None
    element: Type = INT


def name_of(atom: Atom) -> str:
    return atom.name if isinstance(atom, Var) else ""


class Iterables(Calls):
    walked_over: frozenset[str] = frozenset()  # the lists that a loop runs over

    def walk(
        self, node: gast.AST, target: gast.AST | None = None, body: Sequence[gast.AST] = ()
    ) -> Walk | tuple[Value, ...]:
        """How a loop over an expression runs; a tuple of values is walked in a written-out loop."""
        value = self.expression(node)
        if isinstance(value, Var) and self.builder.type(value).kind == "unknown" and _by_key(node, target, body):
            value = self.elements(value)  # it may be a dict
        return self.walk_value(value, node)

    def elements(self, iterable: Atom) -> Var:
        """A list of what an iterable gives, through which no derivative flows."""
        made = self.builder.fn(list, iterable)
        assert isinstance(made, Var)
        return made

    def walked(self, walk: Walk) -> Atom:
        """What a loop runs over."""
        if walk.iterable is not None:
            return walk.iterable
        assert walk.length is not None
        return self.builder.fn(range, walk.length)

    def known_walk(self, node: gast.AST) -> tuple[Value, ...] | None:
        """The elements that a loop over an expression has, where they are known; None where they are not."""
        walk = self.walk(node)
        if isinstance(walk, tuple):
            return walk
        if isinstance(walk.iterable, Const) and isinstance(walk.iterable.value, range):
            return tuple(self.spread(walk.iterable) or ()) or None
        made = self.builder.current()[-1] if self.builder.current() else None
        if isinstance(made, Let) and made.op == Fn(range) and walk.iterable == Var(made.target or ""):
            bounds = [arg.value for arg in made.args if isinstance(arg, Const)]
            if len(bounds) == len(made.args) and len(range(*bounds)) <= MAX_SPREAD:
                return tuple(Const(k) for k in range(*bounds))
        if isinstance(walk.length, Const):
            return tuple([walk.item(Const(k)) for k in range(int(walk.length.value))])
        return None

    def walk_value(self, value: Value, node: gast.AST) -> Walk | tuple[Value, ...]:
        value = self.opened(value, node)
        if isinstance(value, Lazy):
            return _WALKS[value.function](self, value.args, node)
        if self.special_method(value, "__getitem__") is not None and not self._iterates(value):
            return self._by_index(value, node)
        if isinstance(value, Table | Record) or (isinstance(value, tuple) and len(value) <= _UNROLLED):
            return tuple(self.spread(value) or ())
        atom = self.as_atom(value, node)
        if isinstance(atom, Const) and isinstance(atom.value, tuple):
            return tuple(Const(item) for item in atom.value)
        kind = self.builder.type(atom).kind
        keys = self.known_keys(atom)
        if keys is not None and len(keys) <= MAX_SPREAD:
            return tuple(Const(key) for key in keys)
        if kind == "tuple" and isinstance(atom, Var):
            items = self.spread(atom)
            if items is not None and len(items) <= _UNROLLED:
                return tuple(items)
        if kind == "unknown" and self._without_positions(atom):
            return Walk(lambda item: item, iterable=atom, element=self._element_of(atom))
        if kind == "unknown" and self._is_of_container(atom):
            test = self.builder.fn(operator.not_, self.builder.fn(isinstance, atom, Const(dict)))
            self.builder.do(Assert(), test, Const("this loop runs over a dict: write `list(...)` around it"))
        if kind in ("list", "unknown"):
            self.walked_over |= {name_of(atom)}
        if kind in ("array", "list", "tuple", "unknown"):
            return Walk(lambda k: self.builder.fn(operator.getitem, atom, k), length=self.builder.fn(len, atom))
        return Walk(lambda item: item, iterable=atom, element=INT if kind == "range" else UNKNOWN)

    def _without_positions(self, atom: Atom) -> bool:
        """Whether something of an unknown kind comes from a call through which no derivative flows."""
        made = self.builder.last(name_of(atom))
        if made is None or not isinstance(made.op, Fn | Method):
            return False
        if isinstance(made.op, Method):
            return self.builder.type(made.args[0]).kind == "object"
        if made.op.target in _OF_SETS:
            return any(self.builder.type(arg).kind == "object" for arg in made.args)
        module = getattr(made.op.target, "__module__", None) or ""
        known = module in ("operator", "_operator", "srcgrad.runtime") or made.op.target in _SEQUENCES
        return not known and registry.get(made.op.target) is None

    def _element_of(self, iterable: Atom) -> Type:
        """The type of what an iterator gives, which a call has made."""
        made = self.builder.last(name_of(iterable))
        if made is None or made.op != Fn(np.ndindex):
            return UNKNOWN
        types = [self.builder.type(arg) for arg in made.args]
        items = types[0].items if len(types) == 1 and types[0].kind == "tuple" else tuple(types)
        return Type("tuple", items=(INT,) * len(items)) if all(item.kind == "scalar" for item in items) else UNKNOWN

    def _is_of_container(self, atom: Atom) -> bool:
        """Whether something was taken from a list, a dict or an object, so that it may be one itself."""
        while isinstance(atom, Var) and self.builder.type(atom).kind == "unknown":
            if atom.name not in self.builder.part_of:
                return False
            atom, _ = self.builder.part_of[atom.name]
        return isinstance(atom, Var) and self.builder.type(atom).kind in CONTAINERS

    def opened(self, value: Value, node: gast.AST) -> Value:
        """What a loop over a value runs over: of an object whose class defines `__iter__`, what that returns."""
        if isinstance(value, Lazy) and value.function is iter:
            return self.opened(value.args[0], node)
        backwards = isinstance(value, Lazy) and value.function is reversed
        owner = value.args[0] if isinstance(value, Lazy) and backwards else value
        method = self.special_method(owner, "__reversed__" if backwards else "__iter__")
        if method is None or (isinstance(owner, Var) and _is_generator(method)):
            return value
        return self.opened(self.apply(node, method, [], {}), node)

    def _iterates(self, value: Value) -> bool:
        """Whether the class of an object says itself how it is looped over."""
        return hasattr(self.class_of(value), "__iter__")

    def _by_index(self, value: Value, node: gast.AST) -> Walk:
        """A loop over an object that is indexed and has a length."""
        length, element = self.special_method(value, "__len__"), self.special_method(value, "__getitem__")
        if length is None or element is None:
            self.refuse(node, "a loop over an object without `__iter__` and `__len__`", "give its class an `__iter__`")
            return Walk(lambda k: k, length=Const(0))
        count = self.as_atom(self.apply(node, length, [], {}), node)
        return Walk(lambda k: self.apply(node, element, [k], {}), length=count)

    def class_of(self, value: Value) -> type | None:
        raise NotImplementedError

    def _indexed(self, value: Value, node: gast.AST) -> Walk:
        """A walk by index, also over a range."""
        value = self.opened(value, node)
        if isinstance(value, Lazy) and value.function is reversed:
            inner = self._indexed(value.args[0], node)
            assert inner.length is not None
            last = self.builder.fn(operator.sub, inner.length, Const(1))
            return Walk(lambda k: inner.item(self.builder.fn(operator.sub, last, k)), length=inner.length)
        walk = self.walk_value(value, node)
        if isinstance(walk, tuple):
            sequence = self.builder.let(Make("list"), [self.as_atom(v, node) for v in walk])
            return Walk(lambda k: self.builder.fn(operator.getitem, sequence, k), length=Const(len(walk)))
        if walk.length is not None:
            return walk
        iterable = walk.iterable
        assert iterable is not None
        if self.builder.type(iterable).kind == "range":
            return Walk(lambda k: self.builder.fn(operator.getitem, iterable, k), length=self.builder.fn(len, iterable))
        elements = self.elements(iterable)
        return Walk(lambda k: self.builder.fn(operator.getitem, elements, k), length=self.builder.fn(len, elements))

    def _ndenumerate(self, args: tuple[Value, ...], node: gast.AST) -> Walk:
        array = self.as_atom(args[0], node)
        steps = self.builder.fn(np.ndindex, self.builder.fn(np.shape, array))

        def item(position: Atom) -> Value:
            return position, self.builder.fn(operator.getitem, array, position)

        return Walk(item, iterable=steps, element=self._element_of(steps))

    def _enumerate(self, args: tuple[Value, ...], node: gast.AST) -> Walk | tuple[Value, ...]:
        inner = self.walk_value(args[0], node)
        start = self.as_atom(args[1], node) if len(args) > 1 else Const(0)
        if isinstance(inner, tuple):
            return tuple((self.builder.fn(operator.add, start, Const(i)), item) for i, item in enumerate(inner))
        walk = self._indexed(args[0], node)

        def item(k: Atom) -> Value:
            count = k if start == Const(0) else self.builder.fn(operator.add, k, start)
            return (count, walk.item(k))

        return Walk(item, length=walk.length)

    def _zip(self, args: tuple[Value, ...], node: gast.AST, strict: bool = False) -> Walk | tuple[Value, ...]:
        args = tuple(self.opened(arg, node) for arg in args)
        known = self._zip_known(args, node, strict)
        if known is not None:
            return known
        walks = [self._indexed(arg, node) for arg in args]
        lengths = [walk.length for walk in walks if walk.length is not None]
        types = [self.builder.type(length) for length in lengths]
        same = all(t.length is not None and t.length == types[0].length for t in types)
        length = lengths[0] if same or strict or len(lengths) == 1 else self.builder.fn(min, *lengths)
        for other in lengths[1:] if strict and not same else ():
            self.raise_if(self.builder.fn(operator.ne, lengths[0], other), ValueError, _LENGTHS)
        return Walk(lambda k: tuple(walk.item(k) for walk in walks), length=length)

    def _strictly(self, args: tuple[Value, ...], node: gast.AST) -> Walk | tuple[Value, ...]:
        return self._zip(args, node, strict=True)

    def raise_if(self, test: Atom, kind: type[Exception], message: str) -> None:
        def fail() -> None:
            self.builder.do(Raise(), self.builder.fn(kind, Const(message)))
            self.frame.environment[DEAD] = Const(True)

        if not isinstance(test, Const):
            self.join_by(test, fail, lambda: None)
        elif test.value:
            self.refuse(self.node, message, "make them equal")

    def _zip_known(self, args: tuple[Value, ...], node: gast.AST, strict: bool) -> tuple[Value, ...] | None:
        """The tuples of a `zip` of which one part holds functions or objects, and so is known element by element."""
        if not any(self._is_known_part(arg) for arg in args) and args:
            return None
        walks = [self.walk_value(arg, node) for arg in args]
        lengths = [len(walk) for walk in walks if isinstance(walk, tuple)]
        if not lengths:
            return None
        count = min(lengths)
        if strict and max(lengths) > count:
            self.refuse(node, _LENGTHS, "make them equal")
        columns = [walk[:count] if isinstance(walk, tuple) else self._first(arg, count, node)
                   for walk, arg in zip(walks, args, strict=True)]  # fmt: skip
        return tuple(zip(*columns, strict=True))

    def _is_known_part(self, value: Value) -> bool:
        if isinstance(value, Var):
            return bool(functions_in(self.builder.type(value)))
        return self.is_static(value) or (isinstance(value, tuple) and not value)

    def _first(self, value: Value, count: int, node: gast.AST) -> tuple[Value, ...]:
        walk = self._indexed(value, node)
        return tuple(walk.item(Const(k)) for k in range(count))

    def _reversed(self, args: tuple[Value, ...], node: gast.AST) -> Walk | tuple[Value, ...]:
        if self._iterates(args[0]) and self.special_method(args[0], "__getitem__") is not None:
            inner: Walk | tuple[Value, ...] = self._by_index(args[0], node)
        else:
            inner = self.walk_value(args[0], node)
        if isinstance(inner, tuple):
            return inner[::-1]
        if inner.iterable is not None:
            return Walk(inner.item, iterable=self.builder.fn(reversed, inner.iterable), element=inner.element)
        assert inner.length is not None
        steps = self.builder.fn(range, inner.length)
        return Walk(inner.item, iterable=self.builder.fn(reversed, steps))


def _by_key(iterable: gast.AST, target: gast.AST | None, body: Sequence[gast.AST]) -> bool:
    """Whether what a loop runs over is indexed by its variable: `for key in table: ... table[key]`."""
    if not isinstance(target, gast.Name):
        return False
    taken = (n for part in body for n in gast.walk(part) if isinstance(n, gast.Subscript))
    shown = gast.dump(iterable)
    return any(gast.dump(n.value) == shown and mentions(n.slice, target.id) for n in taken)


def _is_generator(method: Value) -> bool:
    return isinstance(method, Bound) and inspect.isgeneratorfunction(method.function)


def mentions(node: gast.AST, name: str) -> bool:
    return any(isinstance(inner, gast.Name) and inner.id == name for inner in gast.walk(node))


_WALKS: dict[Any, Callable[[Any, tuple[Value, ...], gast.AST], Walk | tuple[Value, ...]]] = {
    enumerate: Iterables._enumerate,
    zip: Iterables._zip,
    strictly: Iterables._strictly,
    reversed: Iterables._reversed,
    np.ndenumerate: Iterables._ndenumerate,
}
