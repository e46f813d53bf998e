"""Lowering of lists and dicts, comprehensions, and the methods that change containers.

    [f(v) for v in xs if v > 0]     ->     out = []
                                           for k in range(len(xs)):
                                               if xs[k] > 0: out.append(f(xs[k]))

The type of a container's elements is what is ever put into it: where something is put into a container that its type
does not foresee, the wider type is noted for the place that made the container, and the function is lowered again.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import gast

from srcgrad.frontend.iterables import Walk
from srcgrad.frontend.library import STAND_INS
from srcgrad.frontend.loops import Loops
from srcgrad.frontend.scope import assigned_names, is_named
from srcgrad.frontend.source import MissingName
from srcgrad.frontend.values import Bound, Choice, Instance, Partial, Record, Star, Table, Value, leaves
from srcgrad.ir import UNDEFINED, Append, Atom, Const, Make, Method, Pop, Store, Var
from srcgrad.types import CONTAINERS, UNKNOWN, Type, functions_in, join, list_of, type_of

# The places that stand for all that make a list or a dict: some list of unknown origin is found to hold anything.
EVERY = {"list": "every list", "dict": "every dict"}


class Containers(Loops):
    widened = False  # a container was found to hold more than its type says

    # Displays

    def _expr_list(self, node: gast.List) -> Value:
        items = self.items(node.elts)
        if any(isinstance(item, Star) for item in items):
            return self.joined_items(items, node)
        return self.display("list", (), items, node)

    def joined_items(self, items: list[Value], node: gast.AST) -> Value:
        made = self.make("list", [], node)
        for item in items:
            if isinstance(item, Star):
                self.extend(node, made, item.value)
            else:
                self.append(made, self.as_atom(item, node), node)
        return made

    def extend(self, node: gast.AST, owner: Var, values: Value) -> None:
        """Appends the elements of a sequence."""
        raise NotImplementedError

    def display(self, kind: str, keys: tuple[Any, ...], items: list[Value], node: gast.AST) -> Value:
        """A list or dict: one that holds functions or objects is known to the compiler alone."""
        if any(self.is_static(item) for item in items):
            return Table(kind, keys, tuple(items))
        atoms = [self.as_atom(item, node) for item in items]
        if kind == "dict":
            atoms = [atom for key, item in zip(keys, atoms, strict=True) for atom in (Const(key), item)]
        return self.make(kind, atoms, node)

    def is_static(self, value: Value) -> bool:
        """Whether a value is, or holds, a function or an object that was made here."""
        for leaf in leaves(value):
            if not isinstance(leaf, Var | Const) or (isinstance(leaf, Const) and callable(leaf.value)):
                return True
        compounds = Bound | Choice | Partial | Record | Table
        return isinstance(value, compounds) or (isinstance(value, tuple) and any(map(self.is_static, value)))

    def _expr_dict(self, node: gast.Dict) -> Value:
        entries = self._entries(node)
        if entries is None:
            return Const(None)
        if any(not isinstance(key, Const) for key, _ in entries):
            pairs = [self.as_atom(value, node) for entry in entries for value in entry]
            return self.make("dict", pairs, node)
        known = {key.value: value for key, value in entries}  # type: ignore[union-attr]
        return self.display("dict", tuple(known), list(known.values()), node)

    def _entries(self, node: gast.Dict) -> list[tuple[Value, Value]] | None:
        """The keys and values of a display, `**` spread; None where it was refused."""
        found: list[tuple[Value, Value]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                found.append((self.atom(key), self.expression(value)))
                continue
            pairs = self.pairs(self.expression(value))
            if pairs is None:
                self.refuse(value, "`**` of a dict whose keys are not known", "write the keys")
                return None
            found += [(Const(k), item) for k, item in pairs]
        return found

    def pairs(self, value: Value) -> list[tuple[Any, Value]] | None:
        if isinstance(value, Table) and value.kind == "dict":
            return list(zip(value.keys, value.items, strict=True))
        keys = self.known_keys(value)
        if keys is None or not isinstance(value, Var):
            return None
        return [(key, self.part(value, key)) for key in keys]

    def known_keys(self, value: Value) -> tuple[Any, ...] | None:
        """The keys of a dict to which no others are added; None where they are not known."""
        if not isinstance(value, Var) or self.builder.type(value).kind != "dict":
            return None
        sites: set[object] = {"everywhere", self.sites.get(value.name, "everywhere")}
        if value.name not in self.sites:
            sites.update(site for _, site in self._held_in(self._site_of(value)))
        return None if any(("grown", site) in self.contents for site in sites) else self.builder.type(value).keys

    def _expr_set(self, node: gast.Set) -> Value:
        return self.builder.fn(set, self._expr_list(gast.copy_location(gast.List(node.elts, gast.Load()), node)))  # type: ignore[arg-type]

    def make(self, kind: str, atoms: list[Atom], site: object) -> Var:
        """A new list or dict, of the type that it will have when it is filled."""
        made = self.foreseen(self.builder.let(Make(kind), atoms), site)
        for atom in atoms:
            self._note_held(site, atom)
        if kind == "list":
            self.builder.filled.add(made.name)
        return made

    def foreseen(self, made: Atom, site: object) -> Var:
        """A container that was made, with the type that it will have when it is filled."""
        assert isinstance(made, Var)
        for place in (site, EVERY.get(self.builder.types[made.name].kind)):
            wider = self.contents.get(place)
            if wider is not None:
                self.builder.types[made.name] = join(self.builder.types[made.name], wider)
        self.sites[made.name] = site
        return made

    def _note_held(self, site: object, atom: Atom) -> None:
        """Notes that a container made at a site may hold another one: what is put into that as its part is of both."""
        self.holds.setdefault(site, set()).update(self._made_in(atom))

    def _made_in(self, atom: Atom) -> Iterator[tuple[str, object]]:
        if not isinstance(atom, Var):
            return
        if atom.name in self.sites:
            yield self.builder.type(atom).kind, self.sites[atom.name]
            return
        if self._part_of(atom) is not None:
            yield from self._held_in(self._site_of(atom))
            return
        made = self.builder.last(atom.name)
        for arg in made.args if made is not None and isinstance(made.op, Make) else ():
            yield from self._made_in(arg)

    def _held_in(self, site: object) -> set[tuple[str, object]]:
        """The containers that one made at a site may hold, and those that they may."""
        found: set[tuple[str, object]] = set()
        pending = [site]
        while pending:
            new = self.holds.get(pending.pop(), set()) - found
            found |= new
            pending += [inner for _, inner in new]
        return found

    def expression(self, node: gast.AST) -> Value:
        value = super().expression(node)
        if isinstance(value, Var) and isinstance(node, gast.BinOp | gast.Call | gast.Subscript):
            made = self.builder.last(value.name) if value.name not in self.sites else None
            if made is not None and self.builder.type(value).kind in ("list", "dict") and self._part_of(value) is None:
                self.foreseen(value, node)
        return value

    def _part_of(self, value: Var) -> tuple[Var, Atom] | None:
        """The container and the key that a list or dict was taken from; None where it was made by an operation."""
        part = self.builder.part_of.get(value.name)
        return None if part is None or self.builder.type(part[1]).kind == "slice" else part

    # Comprehensions

    def _expr_listcomp(self, node: gast.ListComp) -> Value:
        return self._comprehended(node, node.elt)

    def _expr_generatorexp(self, node: gast.GeneratorExp) -> Value:
        return self._comprehended(node, node.elt)

    def _expr_setcomp(self, node: gast.SetComp) -> Value:
        return self.builder.fn(set, self.as_atom(self._comprehended(node, node.elt), node))

    def _expr_dictcomp(self, node: gast.DictComp) -> Value:
        written_out = self._dict_written_out(node)
        if written_out is not None:
            return written_out
        made = self.make("dict", [], node)

        def put() -> None:
            key = self.atom(node.key)
            value = self.atom(node.value)
            self.put(made, value, key, node)
            self.write(Store(("[]",)), made, key, value)

        self._nested(node, node.generators, put)
        return made

    def _comprehended(self, node: gast.ListComp, element: gast.AST) -> Value:
        written_out = self._written_out(node, element)
        if written_out is not None:
            return self.display("list", (), written_out, node)
        made = self.make("list", [], node)
        self._nested(node, node.generators, lambda: self.append(made, self.atom(element), node))
        return made

    def _written_out(self, node: gast.ListComp, element: gast.AST) -> list[Value] | None:
        """The values of a comprehension over one sequence whose elements are known."""
        if len(node.generators) != 1 or self.frame.static:
            return None
        generator = node.generators[0]
        known = isinstance(generator.iter, gast.Tuple) or self._is_known(generator.iter)
        known = known or self._is_known_call(generator.iter)
        if known or (self._makes_objects(element, generator.target) and not generator.ifs):
            walk = self.known_walk(generator.iter)
            if walk is not None:
                return self._each(generator, walk, element)
        return None

    def _dict_written_out(self, node: gast.DictComp) -> Value | None:
        """The dict of a comprehension over the keys or items of a dict whose keys are known, without a condition."""
        if len(node.generators) != 1 or node.generators[0].ifs or self.frame.static:
            return None
        generator = node.generators[0]
        key = generator.target.elts[0] if isinstance(generator.target, gast.Tuple) else generator.target
        call = generator.iter
        shown = call.func.value if isinstance(call, gast.Call) and isinstance(call.func, gast.Attribute) else call
        if not is_named(shown) or (shown is not call and (call.args or call.func.attr not in ("items", "keys"))):
            return None
        if not isinstance(node.key, gast.Name) or not isinstance(key, gast.Name) or key.id != node.key.id:
            return None
        walk = self.walk(generator.iter)
        firsts = [item[0] if isinstance(item, tuple) else item for item in walk] if isinstance(walk, tuple) else [None]
        keys = [first.value for first in firsts if isinstance(first, Const)]
        if not isinstance(walk, tuple) or len(keys) != len(firsts):
            return None
        return self.display("dict", tuple(keys), self._each(generator, walk, node.value) or [], node)

    def _is_known(self, node: gast.AST) -> bool:
        """Whether an expression names a tuple or table."""
        return any(self._is_known_name(inner.id) for inner in gast.walk(node) if isinstance(inner, gast.Name))

    def _is_known_name(self, name: str) -> bool:
        value = self.frame.find(name, self.frame.environment)
        if isinstance(value, Var):
            return bool(functions_in(self.builder.type(value)))
        if value is not None or self.frame.source.where(name) not in ("global", "cell"):
            return isinstance(value, tuple | Table)
        try:
            found = self.frame.source.lookup(name)
        except MissingName:
            return False
        return isinstance(found, list | tuple | dict) and bool(functions_in(type_of(found)))

    def _is_known_call(self, node: gast.AST) -> bool:
        """Whether an expression is `dataclasses.fields(...)`, or the same by another name."""
        if not isinstance(node, gast.Call) or not isinstance(node.func, gast.Name | gast.Attribute) or node.keywords:
            return False
        return self.expression(node.func) == Const(dataclasses.fields)

    def _makes_objects(self, node: gast.AST, target: gast.AST) -> bool:
        """Whether an expression makes an object or a function, so that a list of it is known to the compiler alone."""
        if isinstance(node, gast.Lambda):
            return True
        owner = node.func if isinstance(node, gast.Call) else node
        while isinstance(owner, gast.Attribute):
            owner = owner.value
        if not isinstance(node, gast.Call) or not isinstance(owner, gast.Name) or owner.id in assigned_names([target]):
            return False
        callee = self.expression(node.func)
        if not isinstance(callee, Const):
            return False
        made = (functools.partial, *STAND_INS)
        return self.is_users_class(callee.value) or any(callee.value is function for function in made)

    def is_users_class(self, value: Any) -> bool:
        raise NotImplementedError

    def _each(
        self, generator: gast.comprehension, values: tuple[Value, ...], element: gast.AST
    ) -> list[Value] | None:
        """The values of an element where the conditions hold; None where only the run tells whether they do."""
        found = []
        with self._own(generator.target):
            for value in values:
                self.assign(generator.target, value)
                tests = [self.test(test) for test in generator.ifs]
                if not all(isinstance(test, Const) for test in tests):
                    return None
                if all(test.value for test in tests if isinstance(test, Const)):
                    found.append(self.expression(element))
        return found

    @contextmanager
    def _own(self, target: gast.AST) -> Iterator[None]:
        """Inside, the names of a comprehension are its own."""
        hidden, outer, frame = self._hide(target), self.targets, self.frame
        self.targets = outer | set(assigned_names([target]))
        meant = frame.hidden
        frame.hidden = {name: UNDEFINED if value is None else value for name, value in hidden.items()} | meant
        try:
            yield
        finally:
            self.targets, frame.hidden = outer, meant
        self._unhide(hidden)

    def _hide(self, target: gast.AST) -> dict[str, Value | None]:
        """The names of a comprehension are its own: what they mean outside."""
        names = [self.frame.key(name) for name in assigned_names([target])]
        return {name: self.frame.environment.get(name) for name in names}

    def _unhide(self, hidden: dict[str, Value | None]) -> None:
        for name, value in hidden.items():
            if value is None:
                self.frame.environment.pop(name, None)
            else:
                self.frame.environment[name] = value

    def _nested(self, node: gast.AST, generators: list[gast.comprehension], innermost: Callable[[], None]) -> None:
        first, *others = generators
        if first.is_async:
            self.refuse(node, "an asynchronous comprehension is not supported", "write an ordinary one")
            return
        walk = self.walk(first.iter, first.target, [node])
        if isinstance(walk, tuple):
            elements = self.make("list", [self.as_atom(v, node) for v in walk], first.iter)
            length = Const(len(walk))
            walk = Walk(lambda k: self.builder.fn(operator.getitem, elements, k), length=length)
        iterable = self.walked(walk)
        hint = first.target.id if walk.iterable is not None and isinstance(first.target, gast.Name) else "k"
        walked = walk

        def body(variable: Var) -> None:
            with self._own(first.target):
                self.assign(first.target, walked.item(variable))
                inner = functools.partial(self._nested, node, others, innermost) if others else innermost
                self._filtered(node, first.ifs, inner)

        loop = gast.copy_location(gast.For(first.target, first.iter, [], [], None), node)
        walrus = [name for name in assigned_names([node]) if name not in assigned_names([g.target for g in generators])]
        self._loop(loop, walrus, False, body, (self.hint(hint), walk.element, iterable))

    def _filtered(self, node: gast.AST, tests: list[gast.AST], then: Callable[[], None]) -> None:
        if not tests:
            then()
            return
        test = self.test(tests[0])
        if isinstance(test, Const):
            if test.value:
                self._filtered(node, tests[1:], then)
            return
        self.join_by(test, lambda: self._filtered(node, tests[1:], then), lambda: None)

    # Filling

    def put(self, owner: Var, value: Atom, key: Atom | None, node: gast.AST) -> None:
        """Sees to it that the type of a container foresees a value that is put into it."""
        self._note_held(self._site_of(owner), value)
        self._foresee(owner, self.builder.type(value), key)

    def _site_of(self, owner: Var) -> object:
        """Where the container was made that something is, or is a part of."""
        while owner.name not in self.sites and (part := self._part_of(owner)) is not None:
            owner = part[0]
        return self.sites.get(owner.name, "everywhere")

    def _foresee(self, owner: Var, new: Type, key: Atom | None) -> None:
        if new.kind == "undefined" or (self.widened and _is_open(new)):
            return  # it may be known when the function is lowered again
        known = self.builder.type(owner)
        if known.kind == "list":
            if key is not None and self.builder.type(key).kind == "slice":
                wider = list_of(*known.items, *(new.items if new.kind in ("list", "tuple") else (UNKNOWN,)))
            else:
                wider = list_of(*known.items, new)
        elif known.kind == "dict":
            if not isinstance(key, Const) or key.value not in known.keys:
                self.grow(owner)
            wider = self._with_key(known, key, new)
        elif known.kind in ("record", "tuple") and isinstance(key, Const):
            keys = known.keys if known.kind == "record" else tuple(range(len(known.items)))
            items = [join(t, new) if k == key.value else t for k, t in zip(keys, known.items, strict=True)]
            wider = replace(known, items=tuple(items))
        else:
            return
        if join(known, wider) == known:
            return
        part = self._part_of(owner) if owner.name not in self.sites else None
        if part is not None and self.builder.type(part[0]).kind in CONTAINERS:
            for kind, site in self._held_in(self._site_of(owner)):
                if kind == known.kind:
                    self._widen(site, wider)
            self._foresee(part[0], wider, part[1])
            return
        self._widen(self.sites.get(owner.name, "everywhere"), wider)

    def _widen(self, site: object, wider: Type) -> None:
        before = self.contents.get(site)
        if before is None or join(before, wider) != before:
            self.contents[site] = wider if before is None else join(before, wider)
            self.widened = True

    def grow(self, owner: Var) -> None:
        """Notes that keys are added to a dict, or taken from it: its type does not tell them."""
        sites = {self.sites.get(owner.name, "everywhere")}
        if owner.name not in self.sites:
            sites = {site for kind, site in self._held_in(self._site_of(owner)) if kind == "dict"} or sites
        for mark in [("grown", site) for site in sites]:
            if mark not in self.contents:
                self.contents[mark] = UNKNOWN
                self.widened = True

    def _with_key(self, known: Type, key: Atom | None, new: Type) -> Type:
        if isinstance(key, Const) and key.value in known.keys:
            items = [join(t, new) if k == key.value else t for k, t in zip(known.keys, known.items, strict=True)]
            return Type("dict", keys=known.keys, items=tuple(items))
        return Type("dict", keys=known.keys, items=tuple(join(t, new) for t in known.items)) if known.items else known

    def append(self, owner: Var, value: Atom, node: gast.AST) -> None:
        self.put(owner, value, None, node)
        self.write(Append(), owner, value)

    def store(self, target: gast.Subscript, new: Value) -> None:
        base = self.expression(target.value)
        if isinstance(base, Instance):
            self.special_operator(target, "setitem", [base, self.expression(target.slice), new])
            return
        if isinstance(base, Table):
            self.refuse(target, "a list or dict of functions or objects is changed", "build it at once")
            return
        if not isinstance(base, Var):
            self.refuse(target, "a store into something that is no array, list or dict", "store into an array")
            return
        if self.holds_functions(base):
            self.refuse(target, "a list of functions or objects is changed", "build it at once")
            return
        self.store_part(target, base, new)

    def holds_functions(self, value: Value) -> bool:
        """Whether a value is a list from outside that holds functions, each known by its position; or such a tuple."""
        known = self.builder.type(value) if isinstance(value, Var) else UNKNOWN
        return known.kind == "tuple" and bool(functions_in(known))

    def store_part(self, target: gast.Subscript, base: Var, new: Value) -> None:
        """`base[part] = new`."""
        value = self.as_atom(new, target)
        index = self.index(target.slice)
        is_flat = self.builder.part_of.get(base.name, (base, index))[1] == Const("flat")
        if is_flat and self.builder.type(value).kind != "scalar":
            self.refuse(target, "a store into `flat` of other than a number", "store into `y.reshape(-1)`")
            return
        self.put(base, value, index, target)
        self.write(Store(("[]",)), base, index, value)

    # Methods

    def changing_method(
        self, node: gast.AST, name: str, owner: Var, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        """What a method that changes its object comes to; None where it is no such method of this kind of object."""
        kind = self.builder.type(owner).kind
        if kind in ("list", "dict") and name == "copy" and not args:
            made = self.builder.let(Method("copy"), [owner], known=self.builder.type(owner))
            if isinstance(made, Var) and owner.name in self.sites:
                self.sites[made.name] = self.sites[owner.name]
            return made
        if kind in ("list", "unknown") and not keywords:
            if name == "append" and len(args) == 1:
                self.append(owner, self.as_atom(args[0], node), node)
                return Const(None)
            if name == "pop" and not args:
                return self.builder.let(Pop(), [owner])
        return None


def _is_open(known: Type) -> bool:
    """Whether something of a type is unknown."""
    return known.kind == "unknown" or any(map(_is_open, known.items))

def of_anything(known: Type) -> Type:
    """A container of the same kind, of whose elements nothing is known."""
    if known.kind == "dict":
        return replace(known, items=(UNKNOWN,) * len(known.items))
    return Type("list", items=(UNKNOWN,))
