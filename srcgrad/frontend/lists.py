"""Lowering of what changes lists and dicts, or makes new ones of them, beside `append`, `pop` and stores.

    q.insert(0, v)            insert(q, 0, v)
    del q[1:3]                for k in reversed(range(len(q))[1:3]): pop(q, k)
    q.reverse()         ->    for k in range(len(q)): insert(q, k, pop(q))
    sorted(q, key=f)          order = runtime.order([f(v) for v in q], False); [q[k] for k in order]
    max(q, key=f)             q[runtime.furthest([f(v) for v in q], True)]
    d.update(a=v)             store[](d, "a", v)

Every change is one of those that the reverse sweep undoes: a store, an element put in or taken out.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from typing import Any

import gast

from srcgrad import runtime
from srcgrad.errors import AliasedWrite
from srcgrad.frontend.containers import Containers
from srcgrad.frontend.values import Table, Value
from srcgrad.ir import Append, Atom, Attr, Const, Fn, Method, Pop, Store, Var
from srcgrad.types import INT, RANGE, UNKNOWN, list_of

NOTHING = Const(None)
_OF_SETS = ("add", "discard", "remove", "clear", "update")
_EVERYTHING = Const(slice(None, None, None))


class Lists(Containers):
    def _each_of(self, node: gast.AST, iterable: Atom, body: Callable[[Var], None]) -> None:
        """A loop over positions."""
        loop = gast.copy_location(gast.For(node, node, [], [], None), node)
        self._loop(loop, [], False, body, (self.hint("k"), INT, iterable))

    # Methods of lists

    def changing_method(
        self, node: gast.AST, name: str, owner: Var, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        if self.builder.type(owner).kind == "object" and name in _OF_SETS and not keywords:
            atoms = [self.as_atom(value, node) for value in args]
            if self.widened or not any(self.builder.type(atom).differentiable for atom in atoms):
                return self.builder.let(Method(name), [owner, *atoms], effect=True)
        if self.builder.type(owner).kind == "unknown" and name == "insert" and len(args) == 2 and not keywords:
            self._insert(node, owner, *args)  # only lists have such a method
            return Const(None)
        if self.builder.type(owner).kind == "list":
            if name == "sort" and not args:
                self._sort(node, owner, keywords)
                return Const(None)
            handler = None if keywords else _METHODS.get((name, len(args)))
            if handler is not None:
                found: Value | None = handler(self, node, owner, *args)
                return Const(None) if found is None else found
        return super().changing_method(node, name, owner, args, keywords)

    def _insert(self, node: gast.AST, owner: Var, position: Value, value: Value) -> None:
        atom = self.as_atom(value, node)
        self.put(owner, atom, None, node)
        self.write(Append(placed=True), owner, self.as_atom(position, node), atom)

    def _pop_at(self, node: gast.AST, owner: Var, position: Value) -> Value:
        return self.builder.let(Pop(placed=True), [owner, self.as_atom(position, node)])

    def _remove(self, node: gast.AST, owner: Var, value: Value) -> None:
        element = self.as_atom(value, node)
        position = self.builder.fn(runtime.position_of, owner, element)
        self._pop_at(node, owner, position)

    def _clear(self, node: gast.AST, owner: Var) -> None:
        steps = self.builder.fn(range, self.builder.fn(len, owner))
        self._each_of(node, steps, lambda _: self._discard(Pop(), owner))

    def _discard(self, op: Pop, owner: Var, *position: Atom) -> None:
        self.builder.let(op, [owner, *position])

    def _reverse(self, node: gast.AST, owner: Var) -> None:
        def body(k: Var) -> None:
            self.write(Append(placed=True), owner, k, self.builder.let(Pop(), [owner]))

        self._each_of(node, self.builder.fn(range, self.builder.fn(len, owner)), body)

    def extend(self, node: gast.AST, owner: Var, values: Value) -> None:
        """Appends the elements of a sequence."""
        walk = self.walk_value(values, node)
        if isinstance(walk, tuple):
            for value in walk:
                self.append(owner, self.as_atom(value, node), node)
            return
        iterable = self.walked(walk)

        def body(variable: Var) -> None:
            self.append(owner, self.as_atom(walk.item(variable), node), node)

        loop = gast.copy_location(gast.For(node, node, [], [], None), node)
        self._loop(loop, [], False, body, (self.hint("k"), walk.element, iterable))

    def _sort(self, node: gast.AST, owner: Var, keywords: dict[str, Value]) -> None:
        """`q.sort()`: the list is emptied and filled again."""
        made = self.ordered(node, owner, keywords)
        self._clear(node, owner)
        self.extend(node, owner, made)

    # Subscripts

    def store_part(self, target: gast.Subscript, base: Var, new: Value) -> None:
        if isinstance(target.slice, gast.Slice) and self.builder.type(base).kind == "list":
            self._replace(target, base, self.index(target.slice), new)
            return
        super().store_part(target, base, new)

    def _is_slice(self, index: Atom) -> bool:
        known = self.builder.type(index)
        return known.kind == "slice" or (isinstance(index, Const) and isinstance(index.value, slice))

    def _replace(self, node: gast.Subscript, owner: Var, index: Atom, new: Value) -> None:
        """`q[i:j] = values`: the elements there are taken out, the others put in."""
        if isinstance(node.slice, gast.Slice) and node.slice.step is not None:
            self.refuse(node, "a store into every n-th element of a list", "write a loop")
            return
        values = self.listed(new, node) if new == owner else new
        if index == _EVERYTHING:
            self._clear(node, owner)
            self.extend(node, owner, values)
            return
        steps = self.builder.let(
            Fn(operator.getitem), [self.builder.fn(range, self.builder.fn(len, owner)), index], known=RANGE
        )
        start = self.builder.let(Attr("start"), [steps], known=INT)
        self._take_out(node, owner, steps)
        walk = self.walk_value(values, node)
        if isinstance(walk, tuple):
            for k, value in enumerate(walk):
                self._insert(node, owner, self.builder.fn(operator.add, start, Const(k)), value)
            return
        indexed = self._indexed(values, node)
        assert indexed.length is not None

        def body(k: Var) -> None:
            self._insert(node, owner, self.builder.fn(operator.add, start, k), indexed.item(k))

        self._each_of(node, self.builder.fn(range, indexed.length), body)

    def _take_out(self, node: gast.AST, owner: Var, steps: Atom) -> None:
        """Takes the elements at positions that increase out of a list, the last one first."""
        self._each_of(node, self.builder.fn(reversed, steps), lambda k: self._discard(Pop(placed=True), owner, k))

    def delete_from_list(self, target: gast.Subscript, owner: Var) -> None:
        """`del q[i]` or `del q[i:j]`."""
        index = self.index(target.slice)
        if not self._is_slice(index):
            self._discard(Pop(placed=True), owner, index)
            return
        if isinstance(target.slice, gast.Slice) and target.slice.step is not None:
            self.refuse(target, "every n-th element of a list is deleted", "write a loop")
            return
        steps = self.builder.fn(range, self.builder.fn(len, owner))
        self._take_out(target, owner, self.builder.let(Fn(operator.getitem), [steps, index], known=RANGE))

    # Operators

    def binary(self, node: gast.BinOp | gast.AugAssign, left: Value, right: Value) -> Value:
        kinds = [self._kind_of(left), self._kind_of(right)]
        if isinstance(node.op, gast.BitOr) and kinds == ["dict", "dict"]:
            pairs = [self.pairs(left), self.pairs(right)]
            if None in pairs:
                return self.refuse(node, "`|` of dicts whose keys are not known", "write a loop over the keys")
            merged = {key: value for one in pairs for key, value in one or ()}
            return self.display("dict", tuple(merged), list(merged.values()), node)
        if isinstance(node.op, gast.Mult) and "list" in kinds and "array" not in kinds:
            owner, count = (left, right) if kinds[0] == "list" else (right, left)
            return self._repeated(node, owner, count)
        return super().binary(node, left, right)

    def _kind_of(self, value: Value) -> str:
        if isinstance(value, Table):
            return value.kind
        return self.builder.type(value).kind if isinstance(value, Var) else ""

    def _repeated(self, node: gast.AST, owner: Value, count: Value) -> Value:
        """`q * n`; a list of objects that may be written has each of them several times."""
        if isinstance(owner, Table):
            if isinstance(count, Const) and isinstance(count.value, int):
                return Table("list", (), owner.items * count.value)
            return self.refuse(node, "a list of functions or objects is repeated", "write the list")
        atom, times = self.as_atom(owner, node), self.as_atom(count, node)
        known = self.builder.type(atom)
        if all(item.kind in ("scalar", "str", "none") for item in known.items) and known.items:
            made = self.builder.let(Fn(operator.mul), [atom, times], known=known)
            return self.foreseen(made, node)
        made = self.make("list", [], node)

        def body(_: Var) -> None:
            assert isinstance(made, Var)
            self.extend(node, made, atom)

        self._each_of(node, self.builder.fn(range, times), body)
        return made

    def grown(self, node: gast.AugAssign, old: Var, value: Value) -> None:
        """`q += values` and `d |= other`, which change the object itself."""
        kind = self.builder.type(old).kind
        if kind == "list" and isinstance(node.op, gast.Add):
            self.extend(node, old, self.listed(value, node) if value == old else value)
        elif kind == "dict" and isinstance(node.op, gast.BitOr):
            self.update(node, old, value)
        else:
            self.refuse(node, "this changes its object in place", "build a new one", AliasedWrite)

    # Methods of dicts

    def update(self, node: gast.AST, owner: Var, *others: Value) -> None:
        for other in others:
            pairs = self.pairs(other)
            if pairs is None:
                self.refuse(node, "`update` by a dict whose keys are not known", "write a loop over the keys")
                return
            for key, value in pairs:
                self.put_item(node, owner, Const(key), value)

    def put_item(self, node: gast.AST, owner: Var, key: Atom, value: Value) -> None:
        """`d[key] = value`."""
        atom = self.as_atom(value, node)
        self.put(owner, atom, key, node)
        self.write(Store(("[]",)), owner, key, atom)

    def take_item(self, node: gast.AST, owner: Var, key: Atom) -> Atom:
        """`d.pop(key)`: its keys are not known from here on."""
        self.grow(owner)
        known = self.builder.type(owner)
        found = known.item(key.value) if isinstance(key, Const) else None
        return self.builder.let(Pop(placed=True, keyed=True), [owner, key], known=found or UNKNOWN)

    def _dict_pop(self, node: gast.AST, owner: Var, key: Value, *default: Value) -> Value:
        atom = self.as_atom(key, node)
        if not default:
            return self.take_item(node, owner, atom)
        self.grow(owner)
        there = self.builder.fn(operator.contains, owner, atom)
        return self.either(there, lambda: self.take_item(node, owner, atom), lambda: default[0], "_item")

    def _setdefault(self, node: gast.AST, owner: Var, key: Value, default: Value = NOTHING) -> Value:
        atom = self.as_atom(key, node)
        test = self.builder.fn(operator.not_, self.contained(atom, owner, node))

        def put() -> None:
            self.put_item(node, owner, atom, default)

        if isinstance(test, Const):
            put() if test.value else None
        else:
            self.join_by(test, put, lambda: None)
        return self.builder.fn(operator.getitem, owner, atom)

    def _dict_get(self, node: gast.AST, owner: Var, key: Value, default: Value = NOTHING) -> Value:
        atom = self.as_atom(key, node)
        there = self.contained(atom, owner, node)
        return self.either(there, lambda: self.builder.fn(operator.getitem, owner, atom), lambda: default, "_item")

    def dict_method(
        self, node: gast.AST, name: str, owner: Var, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        """What a method of a dict comes to; None for those that only the running program has."""
        if name == "update":
            self.update(node, owner, *args)
            for key, value in keywords.items():
                self.put_item(node, owner, Const(key), value)
            return Const(None)
        if name in ("items", "keys", "values") and not args:
            keys = self.builder.fn(runtime.keys_of, owner)
            if name == "keys":
                return keys
            pair = name == "items"

            def entry(key: Value) -> Value:
                value = self.builder.fn(operator.getitem, owner, self.as_atom(key, node))
                return (key, value) if pair else value

            return self.collected(keys, node, entry)
        if len(args) in (1, 2) and not keywords:
            if name == "pop":
                return self._dict_pop(node, owner, *args)
            if name == "setdefault":
                return self._setdefault(node, owner, *args)
            if name == "get":
                return self._dict_get(node, owner, *args)
        if name in ("popitem", "clear", "pop", "setdefault", "move_to_end"):
            return self.refuse(node, f"`.{name}()` of a dict is not supported", "build a new dict")
        return None

    # Order

    def ordered(self, node: gast.AST, values: Value, keywords: dict[str, Value]) -> Value:
        """A list of elements in the order of their keys; which is first is a constant to the derivative."""
        key = keywords.get("key", Const(None))
        backwards = keywords.get("reverse", Const(False))
        known = self.spread(values)
        if known is not None:
            keys = [self._key(node, key, item) for item in known]
            if all(isinstance(k, Const) for k in keys) and isinstance(backwards, Const):
                plain = [k.value for k in keys]  # type: ignore[union-attr]
                order = builtins.sorted(range(len(plain)), key=plain.__getitem__, reverse=bool(backwards.value))
                return self.display("list", (), [known[k] for k in order], node)
        source = self.in_order(values, node)
        every = source if key == Const(None) else self.collected(source, node, lambda item: self._key(node, key, item))
        order_ = self.builder.let(
            Fn(runtime.order),
            [self.as_atom(every, node), self.as_atom(backwards, node)],
            known=list_of(INT),
        )
        return self.collected(order_, node, lambda k: self.item_at(node, source, k))

    def furthest(self, node: gast.AST, values: Value, key: Value, largest: bool) -> Value:
        """The element with the largest or the smallest key; which one it is is a constant to the derivative."""
        source = self.in_order(values, node)
        plain = key == Const(None)
        every = source if plain else self.collected(source, node, lambda item: self._key(node, key, item))
        at = self.builder.let(Fn(runtime.furthest), [self.as_atom(every, node), Const(largest)], known=INT)
        return self.item_at(node, source, at)

    def _key(self, node: gast.AST, key: Value, item: Value) -> Value:
        return item if key == Const(None) else self.apply(node, key, [item], {})

    def in_order(self, values: Value, node: gast.AST) -> Atom:
        values = self.opened(values, node)
        if isinstance(values, Var) and self.builder.type(values).kind in ("list", "array", "tuple", "range"):
            return values
        if isinstance(values, Var) and self.builder.type(values).kind in ("object", "unknown"):
            return self.elements(values)
        return self.as_atom(self.listed(values, node), node)

    def item_at(self, node: gast.AST, owner: Atom, index: Value) -> Value:
        return self.builder.fn(operator.getitem, owner, self.as_atom(index, node))

    def collected(self, values: Value, node: gast.AST, element: Callable[[Value], Value], keep: Any = None) -> Value:
        raise NotImplementedError

    def listed(self, value: Value, node: gast.AST) -> Value:
        raise NotImplementedError


_METHODS: dict[tuple[str, int], Callable[..., Value | None]] = {
    ("insert", 2): Lists._insert,
    ("pop", 1): Lists._pop_at,
    ("remove", 1): Lists._remove,
    ("clear", 0): Lists._clear,
    ("reverse", 0): Lists._reverse,
    ("extend", 1): Lists.extend,
}
