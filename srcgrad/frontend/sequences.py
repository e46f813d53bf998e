"""Calls of Python's own functions on what the compiler knows, and of those that take functions.

    list(map(f, xs))               out = []
                             ->    for k in range(len(xs)): out.append(f(xs[k]))
    isinstance(model, Layer)       True
    functools.partial(f, 2)        a function that is lowered where it is called
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import functools
import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from srcgrad import runtime
from srcgrad.frontend.iterables import Walk, strictly
from srcgrad.frontend.library import STAND_INS, Deque
from srcgrad.frontend.reflection import Reflection
from srcgrad.frontend.values import (
    Instance,
    Lazy,
    Partial,
    Record,
    Star,
    Table,
    Value,
    cell,
    constantly,
    is_true,
    mapped,
)
from srcgrad.ir import Atom, Const, Fn, Make, Var
from srcgrad.runtime import stop_gradient
from srcgrad.types import INT, UNKNOWN, Type, list_of

_REFUSED = {locals, globals, vars, exec, eval, setattr, delattr, next, compile}
# Functions that ask an iterable for its elements, and give back something new.
_READERS = (list, tuple, set, frozenset, sum, max, min, any, all, sorted, math.fsum, math.prod)
# Functions that call a method of an object's class.
_SPECIAL = {
    abs: "__abs__", float: "__float__", int: "__int__", complex: "__complex__", round: "__round__",
    math.floor: "__floor__", math.ceil: "__ceil__",
}  # fmt: skip
_COMBINATIONS = (
    itertools.product, itertools.permutations, itertools.combinations, itertools.combinations_with_replacement,
)  # fmt: skip
_OF_TUPLES = ("index", "count")
class Sequences(Reflection):
    def special(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """What a call comes to that the compiler runs itself; None for all others."""
        if type(callee) in (operator.itemgetter, operator.attrgetter):
            return self._getter(node, callee, args)
        try:
            handler = _HANDLERS.get(callee)
        except TypeError:  # a callable object without a hash
            return None
        if handler is not None:
            found: Value | None = handler(self, node, args, keywords)
            if found is not None:
                return found
        method = self.special_method(args[0], _SPECIAL[callee]) if args and callee in _SPECIAL else None
        if method is not None:
            return self.apply(node, method, args[1:], keywords)
        found = self._extreme(callee, node, args, keywords) if callee in (max, min) else None
        if found is not None:
            return found
        if callee in _REFUSED:
            return self.refuse(node, f"`{callee.__name__}` is not supported", "name what you mean")
        if callee in (max, min) and len(args) > 2 and not keywords:
            first, *rest = args
            for value in rest:
                first = self.primitive(node, callee, [first, value], {})
            return first
        if getattr(callee, "__module__", "") == "itertools":
            return self._combined(node, callee, args, keywords)
        if callee in STAND_INS:
            return self.construct(node, STAND_INS[callee], args, keywords)
        if callee is collections.OrderedDict:
            return self._dict(node, args, keywords)
        if self.is_users_class(callee):
            return self.construct(node, callee, args, keywords)
        return None

    def call(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        if any(callee is reader for reader in _READERS) and len(args) == 1:
            args = [self._read(args[0], node)]
        elif (getattr(callee, "__module__", None) or "").partition(".")[0] == "numpy":
            args = [self._read(arg, node) if _is_deque(arg) else arg for arg in args]
        if callee in (list, sum, max, min):
            args = [self._keys_of(arg) for arg in args]
        return super().call(node, callee, args, keywords)

    def _read(self, value: Value, node: gast.AST) -> Value:
        """The elements of an object that can be looped over."""
        if self.special_method(value, "__getitem__") is not None and self.special_method(value, "__iter__") is None:
            return self.listed(value, node)
        return self.opened(value, node)

    def _keys_of(self, value: Value) -> Value:
        """What a dict is as a sequence: its keys, through which no derivative flows."""
        keys = self.known_keys(value)
        if keys is not None:
            return tuple(map(Const, keys))
        if isinstance(value, Var) and self.builder.type(value).kind == "dict":
            return self.builder.fn(runtime.keys_of, value)
        return value

    def _combined(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        """A list of what a function of `itertools` makes of positions and names."""
        handler = _ITERATORS.get(callee)
        made = None if handler is None else handler(self, node, args, keywords)
        if made is not None:
            return made
        if callee not in _COMBINATIONS or any(isinstance(arg, Star) for arg in args):
            problem = f"`itertools.{callee.__name__}` is not supported, or without an end"
            return self.refuse(node, problem, "loop over the positions")
        atoms = [self.as_atom(arg, node) for arg in args]
        types = [self.builder.type(atom) for atom in atoms]
        if any(t.differentiable for t in types):
            return self._combined_by_position(node, callee, atoms, keywords)
        named = [(key, self.as_atom(value, node)) for key, value in keywords.items()]
        found = self.builder.let(Fn(callee), atoms, named)
        count = len(atoms) if callee is itertools.product and not named else None
        if len(atoms) == 2 and callee is not itertools.product and isinstance(atoms[1], Const):
            count, types = atoms[1].value, types[:1]
        known = Type("tuple", items=(INT,) * count) if count and {t.kind for t in types} == {"range"} else UNKNOWN
        return self.builder.let(Fn(list), [found], known=list_of(known))

    def _combined_by_position(
        self, node: gast.AST, callee: Any, atoms: list[Atom], keywords: dict[str, Value]
    ) -> Value:
        """The same of what may carry a derivative: of its positions, with the elements put in their place."""
        several = callee is itertools.product
        sources = [self.in_order(atom, node) for atom in (atoms if several else atoms[:1])]
        ranges: list[Value] = [self.builder.fn(range, self.builder.fn(len, source)) for source in sources]
        positions = self._combined(node, callee, [*ranges, *([] if several else atoms[1:])], keywords)
        length = Const(len(sources)) if several and not keywords else atoms[1] if len(atoms) == 2 else None
        if not isinstance(length, Const):
            problem = f"`itertools.{callee.__name__}` of which it is not known how many elements are taken"
            return self.refuse(node, problem, "loop over the positions")

        def element(taken: Value) -> Value:
            places = [self.item_at(node, self.as_atom(taken, node), Const(k)) for k in range(length.value)]
            return tuple([self.item_at(node, sources[k if several else 0], place) for k, place in enumerate(places)])

        return self.collected(positions, node, element)

    def _pairwise(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        source = self.in_order(args[0], node)
        return Lazy(zip, (source, self.builder.fn(operator.getitem, source, Const(slice(1, None)))))

    def _chain(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        return self.joined_items([Star(arg, node) for arg in args], node)

    def _part(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """`itertools.islice`."""
        atoms = [self.as_atom(arg, node) for arg in args[1:]]
        bounds = [Const(None), atoms[0], Const(None)] if len(atoms) == 1 else [*atoms, Const(None)][:3]
        return self.builder.fn(operator.getitem, self.in_order(args[0], node), self.builder.let(Make("slice"), bounds))

    def _repeat(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        if len(args) != 2 or keywords:
            return None
        return self.collected(self.builder.fn(range, self.as_atom(args[1], node)), node, lambda _: args[0])

    def _starmap(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        def element(item: Value) -> Value:
            items = self.spread(item)
            if items is None:
                return self.refuse(node, "`itertools.starmap` over elements of unknown length", "write a loop")
            return self.apply(node, args[0], items, {})

        return self.collected(args[1], node, element)

    def _accumulate(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        start = keywords.get("initial", Const(None))
        function = args[1] if len(args) > 1 else keywords.get("func", Const(operator.add))
        made = self.make("list", [], node)
        first = [] if start == Const(None) else [start]
        self._folded(node, function, args[0], first, lambda v: self.append(made, self.as_atom(v, node), node))
        return made

    # Sequences

    def _tuple(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        items = self.spread(args[0]) if args else []
        return None if items is None else tuple(items)

    def _list(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        if not args:
            return self.make("list", [], node)
        if isinstance(args[0], Lazy):
            return self.listed(args[0], node)
        if isinstance(args[0], tuple | Record | Table) or self.holds_functions(args[0]):
            return self.display("list", (), self.spread(args[0]) or [], node)
        known = self.builder.type(args[0]) if isinstance(args[0], Var) else None
        return self.listed(args[0], node) if known is not None and known.kind in ("list", "array") else None

    def listed(self, value: Value, node: gast.AST) -> Value:
        if isinstance(value, Lazy) and value.function is iter:
            return value.args[0]
        return self.collected(value, node, lambda item: item)

    def _dict(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        found = self.pairs(args[0]) if args else []
        if found is None and isinstance(args[0], tuple):
            entries = [self.spread(item) or [] for item in args[0]]
            if all(len(entry) == 2 and isinstance(entry[0], Const) for entry in entries):
                found = [(entry[0].value, entry[1]) for entry in entries]  # type: ignore[union-attr]
        if found is None and isinstance(args[0], Lazy | Var) and not keywords:
            return self._dict_of_pairs(node, args[0])
        if found is None:
            return self.refuse(node, "`dict` of something whose keys are not known", "write a dict display")
        known = dict(found) | keywords
        return self.display("dict", tuple(known), list(known.values()), node)

    def _dict_of_pairs(self, node: gast.AST, pairs: Value) -> Value:
        made = self.make("dict", [], node)

        def put(pair: Value) -> None:
            items = self.spread(pair)
            key, value = items or [self.item_at(node, self.as_atom(pair, node), Const(k)) for k in range(2)]
            self.put_item(node, made, self.as_atom(key, node), value)

        self._for_each(node, pairs, put)
        return made

    def _from_keys(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        value = args[1] if len(args) > 1 else Const(None)
        keys = self.spread(args[0])
        if keys is not None and all(isinstance(key, Const) for key in keys):
            names = tuple(dict.fromkeys(key.value for key in keys))  # type: ignore[union-attr]
            return self.display("dict", names, [value] * len(names), node)
        made = self.make("dict", [], node)
        self._for_each(node, args[0], lambda key: self.put_item(node, made, self.as_atom(key, node), value))
        return made

    def _for_each(self, node: gast.AST, values: Value, act: Callable[[Value], None]) -> None:
        """Does something with each element of an iterable."""
        walk = self.walk_value(values, node)
        if isinstance(walk, tuple):
            for item in walk:
                act(item)
            return
        loop = gast.copy_location(gast.For(node, node, [], [], None), node)
        iterable = self.walked(walk)
        self._loop(loop, [], False, lambda k: act(walk.item(k)), (self.hint("k"), walk.element, iterable))

    def _len(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        (value,) = args
        if isinstance(value, tuple | Table) or (isinstance(value, Record) and value.is_tuple):
            return Const(len(self.spread(value) or ()))
        keys = self.known_keys(value)
        if keys is not None:
            return Const(len(keys))
        method = self.special_method(value, "__len__")
        return None if method is None else self.apply(node, method, [], {})

    def _zipped(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        strict = keywords.get("strict", Const(False))
        if not isinstance(strict, Const):
            return self.refuse(node, "`zip` with `strict` that is not known", "write `strict=True` or leave it")
        if any(isinstance(arg, Star) for arg in args):
            return self._transposed(node, args[0].value)  # type: ignore[union-attr]
        return Lazy(strictly if strict.value else zip, tuple(args))

    def _transposed(self, node: gast.AST, rows: Value) -> Value:
        """`zip(*rows)`: lists of the first elements, of the second ones and so on."""
        source = self.in_order(rows, node)
        self.raise_if(self.builder.fn(operator.not_, self.builder.fn(len, source)), ValueError, "`zip` of nothing")
        row = self.builder.fn(operator.getitem, source, Const(0))

        def column(k: Atom) -> Value:
            return self.collected(source, node, lambda item: self.item_at(node, self.as_atom(item, node), k))

        known = self.builder.type(row)
        if known.kind == "tuple":
            return tuple([column(Const(k)) for k in range(len(known.items))])
        lengths = self.collected(source, node, lambda item: self.builder.fn(len, self.as_atom(item, node)))
        if self.builder.type(source).kind == "array":
            shortest = self.builder.fn(len, row)
        else:
            shortest = self.builder.fn(min, self.as_atom(lengths, node))
        return self.collected(self.builder.fn(range, shortest), node, lambda k: column(self.as_atom(k, node)))

    def _map(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        function, *rest = args
        values = rest[0] if len(rest) == 1 else Lazy(zip, tuple(rest))

        def element(item: Value) -> Value:
            return self.apply(node, function, list(self.spread(item) or ()) if len(rest) > 1 else [item], {})

        return self.collected(values, node, element)

    def _filter(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        function, values = args

        def keep(item: Value) -> Atom:
            kept = item if function == Const(None) else self.apply(node, function, [item], {})
            return self.truth(kept, node)

        return self.collected(values, node, lambda item: item, keep)

    def collected(
        self,
        values: Value,
        node: gast.AST,
        element: Callable[[Value], Value],
        keep: Callable[[Value], Atom] | None = None,
    ) -> Value:
        """A list of what a function makes of the elements of a sequence."""
        walk = self.walk_value(values, node)
        if isinstance(walk, tuple):
            tests = [Const(True) if keep is None else keep(item) for item in walk]
            if all(isinstance(test, Const) for test in tests):
                kept = [item for item, test in zip(walk, tests, strict=True) if is_true(test)]
                return self.display("list", (), [element(item) for item in kept], node)
        made = self.make("list", [], node)
        if isinstance(walk, tuple):
            for item in walk:
                self._kept(item, made, element, keep, node)
            return made
        self._collect(walk, made, element, keep, node)
        return made

    def _collect(self, walk: Walk, made: Var, element: Any, keep: Any, node: gast.AST) -> None:
        iterable = self.walked(walk)

        def body(variable: Var) -> None:
            self._kept(walk.item(variable), made, element, keep, node)

        loop = gast.copy_location(gast.For(node, node, [], [], None), node)
        self._loop(loop, [], False, body, (self.hint("k"), walk.element, iterable))

    def _kept(self, item: Value, made: Var, element: Any, keep: Any, node: gast.AST) -> None:
        def put() -> None:
            self.append(made, self.as_atom(element(item), node), node)

        test = Const(True) if keep is None else keep(item)
        if isinstance(test, Const):
            put() if test.value else None
        else:
            self.join_by(test, put, lambda: None)

    def _sum(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        items = args[0] if isinstance(args[0], tuple) else None
        if isinstance(args[0], Table):
            items = args[0].items
        if items is None:
            return None
        total = args[1] if len(args) > 1 else keywords.get("start", Const(0))
        for item in items:
            total = self.binary(gast.BinOp(node, gast.Add(), node), total, item)
        return total

    def _reduce(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        function, values, *start = args
        return self._folded(node, function, values, start, lambda _: None)

    def _folded(
        self, node: gast.AST, function: Value, values: Value, start: list[Value], each: Callable[[Value], None]
    ) -> Value:
        """What a function of two makes of elements one after the other; `each` is given what there is so far."""
        walk = self.walk_value(values, node)
        if isinstance(walk, tuple):
            items = [*start, *walk]
            if not items:
                return self.refuse(node, "a sequence of nothing is folded", "give it a start")
            total = items[0]
            each(total)
            for item in items[1:]:
                total = self.apply(node, function, [total, item], {})
                each(total)
            return total
        indexed = self._indexed(values, node)
        assert indexed.length is not None
        self.made += 1
        name = cell(self.made, "total")  # which a loop carries as it does the fields of objects
        self.frame.environment[name] = start[0] if start else indexed.item(Const(0))
        each(self.frame.environment[name])

        def body(k: Var) -> None:
            total = self.apply(node, function, [self.frame.environment[name], indexed.item(k)], {})
            self.frame.environment[name] = total
            each(total)

        bounds = [indexed.length] if start else [Const(1), indexed.length]
        self._each_of(node, self.builder.fn(range, *bounds), body)
        return self.frame.environment.pop(name)

    def _sorted(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        plain = isinstance(args[0], Var) and not _may_be_active(self.builder.type(args[0])) and not keywords
        if plain and self.known_keys(args[0]) is None:
            return None
        return self.ordered(node, args[0], keywords)

    def _extreme(self, callee: Any, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """The largest or smallest element by a key, or a default where there is none; None for a plain call."""
        if "default" in keywords:
            values = self.listed(args[0], node) if isinstance(args[0], Lazy) else args[0]
            key = {name: value for name, value in keywords.items() if name == "key"}
            filled = self.truth(self.call(node, len, [values], {}), node)
            most = lambda: self.call(node, callee, [values], key)  # noqa: E731
            return self.either(filled, most, lambda: keywords["default"], "_most")
        if "key" in keywords:
            values = args[0] if len(args) == 1 else tuple(args)
            return self.furthest(node, values, keywords["key"], callee is max)
        if len(args) > 1 and any(self.class_of(arg) is not None for arg in args):
            largest, *others = args
            for other in others:
                larger = self.comparison(gast.Gt() if callee is max else gast.Lt(), other, largest, node)
                largest = self.either(self.truth(larger, node), constantly(other), constantly(largest), "_most")
            return largest
        values = args[0] if len(args) == 1 else tuple(args)
        values = self.listed(values, node) if isinstance(values, Lazy) else values
        return self.furthest(node, values, Const(None), callee is max) if self._holds_sequences(values) else None

    def _holds_sequences(self, values: Value) -> bool:
        """Whether this is a list or tuple of lists or tuples, which are compared item by item."""
        if isinstance(values, tuple):
            types = [self.builder.type(item) for item in values if isinstance(item, Var)]
            return any(isinstance(item, tuple) for item in values) or any(t.kind in ("list", "tuple") for t in types)
        known = self.builder.type(values) if isinstance(values, Var) else UNKNOWN
        return known.kind in ("list", "tuple") and any(item.kind in ("list", "tuple") for item in known.items)

    # Functions

    def _partial(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        return Partial(args[0], tuple(args[1:]), tuple(keywords.items()))

    def _wraps(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        return Const(_identity)

    def _same(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        return args[0]

    def _getter(self, node: gast.AST, getter: Any, args: list[Value]) -> Value:
        """A call of what `operator.itemgetter` or `attrgetter` made."""
        _, keys = getter.__reduce__()
        found: list[Value] = []
        for key in keys:
            if isinstance(getter, operator.itemgetter):
                found.append(self.item(node, args[0], Const(key)))
                continue
            owner = args[0]
            for name in key.split("."):
                owner = self.attribute(node, name, owner)
            found.append(owner)
        return found[0] if len(found) == 1 else tuple(found)

    def _stop(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        return mapped(args[0], self.stopped_leaf)

    def stopped_leaf(self, leaf: Any) -> Value:
        """A leaf of a value as a constant; functions and objects stay."""
        return self.stopped(leaf) if isinstance(leaf, Var) else leaf

    def item(self, node: gast.AST, owner: Value, index: Const) -> Value:
        """`owner[index]`."""
        found = self.element(node, owner, index)
        return found if found is not None else self.builder.fn(operator.getitem, self.as_atom(owner, node), index)

    # Methods

    def known_method(
        self, node: gast.AST, name: str, owner: Value, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        cls = self.class_of(owner)
        if cls is not None and issubclass(cls, tuple) and name in ("_replace", "_asdict"):
            fields = {key: self.attribute(node, key, owner) for key in cls._fields}  # type: ignore[attr-defined]
            if name == "_replace":
                return self.construct(node, cls, [], fields | keywords)
            return self.display("dict", tuple(fields), list(fields.values()), node)
        if self.holds_functions(owner) and name == "copy":
            return owner
        fixed = isinstance(owner, Table) and owner.kind == "list"
        if fixed or (self.holds_functions(owner) and name not in _OF_TUPLES):
            problem = f"`.{name}()` of a list of functions or objects"
            return self.refuse(node, problem, "build the list at once, and loop over it")
        if isinstance(owner, Table) or (isinstance(owner, Var) and self.builder.type(owner).kind == "dict"):
            return self._dict_method(node, name, owner, args, keywords)
        if name in ("items", "keys", "values") and isinstance(owner, Var) and not args and not keywords:
            if self.builder.type(owner).kind == "unknown":  # only dicts, and what is like them, have such methods
                return self.dict_method(node, name, owner, args, keywords)
        return None

    def _dict_method(
        self, node: gast.AST, name: str, owner: Table | Var, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        pairs = self.pairs(owner)
        if name in ("items", "keys", "values") and not args and pairs is not None:
            if name == "items":
                return tuple((Const(key), value) for key, value in pairs)
            return tuple(Const(key) if name == "keys" else value for key, value in pairs)
        if name == "get" and pairs is not None and isinstance(args[0], Const):
            found = [value for key, value in pairs if key == args[0].value]
            return found[0] if found else args[1] if len(args) > 1 else Const(None)
        if name == "get" and pairs is not None and args and any(self.is_static(value) for _, value in pairs):
            table = Table("dict", tuple(key for key, _ in pairs), tuple(value for _, value in pairs))
            chosen = self.chosen(node, table, self.as_atom(args[0], node), args[1] if len(args) > 1 else Const(None))
            if chosen is not None:
                return chosen
        if isinstance(owner, Table):
            return self.refuse(node, f"`.{name}()` of a dict of functions or objects", "build a new dict")
        return self.dict_method(node, name, owner, args, keywords)


def _identity(value: Any) -> Any:
    return value


def _is_deque(value: Value) -> bool:
    return isinstance(value, Instance) and value.cls is Deque


def _may_be_active(known: Type) -> bool:
    return known.differentiable


def _lazy(function: Any) -> Handler:
    """What makes a `zip`, `enumerate` or `reversed` of values."""

    def made(self: Sequences, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        return Lazy(function, (*args, *keywords.values()))

    return made


def _maker(kind: Any) -> Handler:
    """What makes an `operator.itemgetter` or `attrgetter`."""

    def made(self: Sequences, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        if all(isinstance(arg, Const) for arg in args):
            return Const(kind(*(arg.value for arg in args)))  # type: ignore[union-attr]
        return self.refuse(node, f"`operator.{kind.__name__}` of a value that is not known", "write a `lambda`")

    return made


Handler = Callable[[Sequences, gast.AST, list[Value], dict[str, Value]], Value | None]
_ITERATORS: dict[Any, Handler] = {
    itertools.pairwise: Sequences._pairwise,
    itertools.chain: Sequences._chain,
    itertools.islice: Sequences._part,
    itertools.repeat: Sequences._repeat,
    itertools.starmap: Sequences._starmap,
    itertools.accumulate: Sequences._accumulate,
}
_HANDLERS: dict[Any, Handler] = {
    tuple: Sequences._tuple,
    list: Sequences._list,
    dict: Sequences._dict,
    dict.fromkeys: Sequences._from_keys,
    len: Sequences._len,
    zip: Sequences._zipped,
    enumerate: _lazy(enumerate),
    reversed: _lazy(reversed),
    np.ndenumerate: _lazy(np.ndenumerate),
    map: Sequences._map,
    filter: Sequences._filter,
    sum: Sequences._sum,
    sorted: Sequences._sorted,
    functools.reduce: Sequences._reduce,
    functools.partial: Sequences._partial,
    functools.wraps: Sequences._wraps,
    _identity: Sequences._same,
    operator.itemgetter: _maker(operator.itemgetter),
    operator.attrgetter: _maker(operator.attrgetter),
    stop_gradient: Sequences._stop,
    isinstance: Sequences._isinstance,
    type: Sequences._type,
    callable: Sequences._callable,
    bool: Sequences._bool,
    iter: Sequences._iter,
    getattr: Sequences._getattr,
    hasattr: Sequences._hasattr,
    dataclasses.replace: Sequences._replaced,
    dataclasses.fields: Sequences._fields,
    dataclasses.asdict: Sequences._as_dict,
    dataclasses.astuple: Sequences._as_tuple,
    copy.copy: Sequences._copied,
    copy.deepcopy: Sequences._deeply_copied,
}
