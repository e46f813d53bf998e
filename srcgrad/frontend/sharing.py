"""Which names may share memory, and which of them would miss a write into it.

    new.3 = numpy.zeros_like(u.0)           new.3 is an object of its own
    u.5 = for ... with u.4 = u.0            u.4 and u.5 may be the objects u.0 and new.3 ...
      store[](u.4, 0, 1.0)                  ... so this write is one into u.0 in the first iteration:
      yield new.3                           whoever reads u.0 after it, the caller for one, has to see it

In the IR every buffer is memory of its own, and every other name is the value that its object had when the name got
hold of it. That is what the program computes, unless an object is written under one name and read under another one
later: such a pair is a `Conflict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from srcgrad.frontend.memory import Facts, Point, is_index, may_be_view, sources
from srcgrad.ir import (
    Append,
    Atom,
    Branch,
    Const,
    Fn,
    For,
    If,
    Invoke,
    Let,
    Make,
    Pop,
    Stmt,
    Store,
    Var,
    While,
    joins,
)
from srcgrad.runtime import zeros
from srcgrad.types import CONTAINERS, UNKNOWN, Type

_PARTS = "[]"  # what was in an object when it was come upon: all its elements are one to the analysis
_DEEPEST = 3
_NO_MEMORY = ("scalar", "none", "str", "range", "slice", "callable")


@dataclass(frozen=True, slots=True)
class Held:
    """An object that a name may be, or may hold: the name that it was made under, and since when this one shows it.

    `crossed` are the loops from one of whose iterations to a later one it was carried. An element that is taken out of
    a container shows what was written through that container until then: `taken` is the container, and the point.
    `depth` is 0 for what the name may be, 1 for its elements, 2 for theirs; 3 stands for all that is deeper.
    """

    origin: str
    since: Point
    crossed: frozenset[int] = frozenset()
    taken: tuple[str, Point] | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A write into an object that `reader` is read after, which may be the same object (`owned`) or hold it."""

    write: Let
    written: str
    reader: str
    owned: bool
    container: str | None = None  # that the reader was taken out of


Objects = frozenset[Held]
_NOTHING: Objects = frozenset()


def _name(atom: Atom) -> str:
    assert isinstance(atom, Var)
    return atom.name


def _origins(objects: Objects) -> set[str]:
    return {held.origin for held in objects}


def _maker(origin: str) -> str:
    return origin.partition(_PARTS)[0]


def _since(objects: Objects, point: Point) -> Objects:
    return frozenset(replace(held, since=point, taken=None) for held in objects)


def _deeper(objects: Objects, steps: int = 1) -> Objects:
    """What is so many steps deeper in a container than it was in what is put into it."""
    return frozenset(replace(held, depth=min(held.depth + steps, _DEEPEST)) for held in objects)


def _kinds_at(t: Type, depth: int) -> set[str]:
    """The kinds of what may be so deep in a value of a type."""
    if depth == 0:
        return {t.kind}
    if t.kind not in CONTAINERS or (t.kind in ("list", "dict") and not t.items):
        return {"unknown"}
    return set[str]().union(*(_kinds_at(item, depth - 1) for item in t.items))


class Sharing:
    """What every name may be (`own`) and may hold (`inside`); `lazy` lists are made again where they are used."""

    def __init__(self, facts: Facts, lazy: Iterable[str] = ()) -> None:
        self.facts, self.lazy = facts, frozenset(lazy)
        self.own: dict[str, Objects] = {}
        self.inside: dict[str, Objects] = {}
        self._put: dict[str, list[tuple[Atom, Point, int]]] = {}
        for name, uses in facts.uses.items():
            for point, stmt in uses:
                if isinstance(stmt, Let) and isinstance(stmt.op, Append | Store) and stmt.args[0] == Var(name):
                    root, steps, _ = facts.path(name)
                    if facts.kind(name) != "array":
                        self._put.setdefault(root, []).append((stmt.args[-1], point, len(steps) + 1))
        self._apart: dict[frozenset[str], bool] = {}
        self._kinds: dict[str, set[str]] = {}
        changed = True
        while changed:
            changed = False
            for name in facts.definition:
                own, inside = self._objects(name)
                if own - self.own.get(name, _NOTHING) or inside - self.inside.get(name, _NOTHING):
                    self.own[name] = self.own.get(name, _NOTHING) | own
                    self.inside[name] = self.inside.get(name, _NOTHING) | inside
                    changed = True

    # What a name may be

    def _objects(self, name: str) -> tuple[Objects, Objects]:
        if self.facts.kind(name) in _NO_MEMORY:
            return _NOTHING, _NOTHING
        stmt = self.facts.definition[name]
        at = self.facts.defined_at[name]
        itself = frozenset([Held(name, at)])
        levels = range(1, _DEEPEST + 1) if self._may_hold(name) else ()
        parts = frozenset(Held(name + _PARTS * depth, at, depth=depth) for depth in levels)
        if stmt is None:
            own, inside = itself, parts
        elif isinstance(stmt, Let):
            own, inside = self._of_let(name, stmt, itself, parts)
        else:
            own, inside = self._joined(name, stmt)
        for atom, point, depth in self._put.get(name, []) if self._may_hold(name) else ():
            inside |= self._kept(name, _deeper(self._all(atom, point), depth), point)
        own = frozenset(held for held in own if self._may_be(name, held.origin))
        return own, inside if self._may_hold(name) else _NOTHING

    def _kept(self, owner: str, put: Objects, point: Point) -> Objects:
        """What a container holds of what is put into it: in a later iteration of the loop that makes it and puts it
        there, also what an earlier one put there."""
        found = set(put)
        for held in put:
            made = self._made(held.origin)
            shared = set(made.loops).intersection(point.loops)
            around = [loop for loop in made.loops if loop in shared.difference(self.facts.defined_at[owner].loops)]
            if around:
                since = Point(around[0], made.loops[: made.loops.index(around[0]) + 1])
                found.add(Held(held.origin, since, held.crossed | {around[0]}, None, held.depth))
        return frozenset(found)

    def _may_be(self, name: str, origin: str) -> bool:
        """Whether the kinds of the two allow that they are one object."""
        if origin not in self._kinds:
            known = self.facts.type(_maker(origin)) or UNKNOWN
            depth = origin.count(_PARTS)
            self._kinds[origin] = _kinds_at(known, depth) if depth < _DEEPEST else {"unknown"}
        kind, kinds = self.facts.kind(name), self._kinds[origin]
        return kind in ("unknown", "object") or not kinds.isdisjoint((kind, "unknown", "object"))

    def _of_let(self, name: str, let: Let, itself: Objects, parts: Objects) -> tuple[Objects, Objects]:
        point = self.facts.point[id(let)]
        if isinstance(let.op, Make):
            if is_index(let):
                return _NOTHING, _NOTHING
            return itself, _deeper(self._union(let.args, point))
        atoms = (*let.args, *(atom for _, atom in let.keywords))
        containers = [atom.name for atom in atoms if isinstance(atom, Var) and self.facts.kind(atom.name) in CONTAINERS]
        held = frozenset[Held]().union(*(self._held(each, point) for each in containers))
        if isinstance(let.op, Fn) and let.op.target in (list, tuple, sorted):
            arrays = [arg for arg in let.args if isinstance(arg, Var) and self.facts.kind(arg.name) not in CONTAINERS]
            held |= _deeper(self._union(arrays, point))  # the elements are views
        if self.facts.takes_part(let):
            first = _name(let.args[0])
            if self.facts.kind(first) in CONTAINERS or isinstance(let.op, Pop):
                return self._element(first, point)
            if self.facts.kind(first) in ("unknown", "object"):
                own, inside = self._element(first, point)
                return own | self._seen(first, point), inside
        if self.facts.base(name) is not None:
            return self._seen(_name(let.args[0]), point), _NOTHING
        if isinstance(let.op, Invoke) or may_be_view(let, self.facts.function.types):
            found = self._union(atoms, point)
            own = frozenset(replace(held, depth=0) for held in found)
            return itself | own, parts | frozenset(replace(h, depth=d) for h in found for d in range(1, _DEEPEST + 1))
        target = let.op.target if isinstance(let.op, Fn) else None
        counts = target is zeros or (getattr(target, "__module__", None) or "").partition(".")[0] == "numpy"
        return itself, parts if counts else parts | held  # a copy of a list holds what the list holds

    def _joined(self, name: str, stmt: Stmt) -> tuple[Objects, Objects]:
        point, loop = self.facts.defined_at[name], self.facts.point[id(stmt)].number
        if isinstance(stmt, Branch):
            rows = [(source, False) for target, *both in joins(stmt) if target == name for source in both]
        else:
            assert isinstance(stmt, For | While)
            if isinstance(stmt, For) and name == stmt.variable:
                over = stmt.iterable
                return self._element(over.name, point) if isinstance(over, Var) else (_NOTHING, _NOTHING)
            if name in stmt.targets[: stmt.stops]:
                return _NOTHING, _NOTHING
            carried = name in stmt.params
            at = (stmt.params if carried else stmt.targets[stmt.stops :]).index(name)
            rows = [(stmt.inits[at], False), (stmt.body.results[stmt.stops + at], carried)]
            if carried and stmt.stops and self._set_at_the_end({name}, stmt.body.results[0], rows[1][0]):
                rows = rows[:1]
        own = inside = _NOTHING
        for atom, back in rows:
            if isinstance(atom, Var):
                own |= self._carried(self._seen(atom.name, point), loop if back else None)
                inside |= self._carried(self._held(atom.name, point), loop if back else None)
        return own, inside

    def _set_at_the_end(self, unset: set[str], stop: Atom, value: Atom) -> bool:
        """Whether a value is one of those that stand for none yet, or a flag ends the loop, as `return` does."""
        if not isinstance(value, Var) or value.name in unset or stop == Const(True):
            return True
        join = self.facts.definition[value.name]
        if isinstance(stop, Var) and self.facts.definition[stop.name] is not join:
            return isinstance(join, If) and all(
                self._set_at_the_end(unset, stop, way) for way in sources(join, value.name)
            )
        if isinstance(join, If) and isinstance(stop, Var):
            ways = zip(sources(join, stop.name), sources(join, value.name), strict=True)
            return all(self._set_at_the_end(unset, *way) for way in ways)
        if not isinstance(join, For | While) or not isinstance(stop, Var) or value.name not in join.targets:
            return False
        at = join.targets.index(value.name) - join.stops
        unset = {*unset, join.params[at]}
        first, last = join.inits[at], join.body.results[at + join.stops]
        ended = join.targets.index(stop.name)
        flags = (Const(False) if join.stops and not ended else join.inits[ended - join.stops], join.body.results[ended])
        ends = join.stops and self._set_at_the_end(unset, join.body.results[0], last)
        return ends and self._set_at_the_end(unset, flags[0], first) and self._set_at_the_end(unset, flags[1], last)

    def _carried(self, objects: Objects, loop: int | None) -> Objects:
        """The objects, those made in a loop being of an earlier iteration than the one that runs."""
        if loop is None:
            return objects
        return frozenset(
            replace(held, crossed=held.crossed | {loop}) if loop in self._made(held.origin).loops else held
            for held in objects
        )

    def _seen(self, name: str, point: Point) -> Objects:
        """What a name may be, for one that shows it from here on: handing it on is a read, and checked as such."""
        return _since(self.own.get(name, _NOTHING), point)

    def _all(self, atom: Atom, point: Point) -> Objects:
        if not isinstance(atom, Var):
            return _NOTHING
        return self._seen(atom.name, point) | self._held(atom.name, point)

    def _held(self, name: str, point: Point) -> Objects:
        return _since(self.inside.get(name, _NOTHING), point)

    def reached(self, name: str) -> set[str]:
        """The objects that a name may be or hold."""
        return _origins(self.own.get(name, _NOTHING) | self.inside.get(name, _NOTHING))

    def is_new(self, name: str) -> bool:
        """Whether a name is an object of its own, known before under no other name."""
        return _origins(self.own.get(name, _NOTHING)) == {name}

    def _union(self, atoms: Iterable[Atom], point: Point) -> Objects:
        return frozenset().union(*(self._all(atom, point) for atom in atoms))

    def _element(self, name: str, point: Point) -> tuple[Objects, Objects]:
        """The objects in a container; they are not looked at yet, unless the container is made only now."""
        if name in self.lazy:
            inside = self._held(name, point)
        else:
            taken = (self.facts.path(name)[0], point)
            inside = frozenset(
                replace(held, taken=held.taken or taken)
                for held in self.inside.get(name, _NOTHING)
                if self._before(held.since, point, name)
            )
        own = frozenset(replace(held, depth=0) for held in inside if held.depth in (1, _DEEPEST))
        deeper = frozenset(replace(held, depth=held.depth - 1) for held in inside if held.depth > 1)
        return own, deeper | frozenset(held for held in inside if held.depth == _DEEPEST)

    def _before(self, one: Point, other: Point, name: str) -> bool:
        """Whether a point may be reached before another one, in one life of a name."""
        return one.number <= other.number or one.again(other, self.facts.defined_at[name].loops)

    def _made(self, origin: str) -> Point:
        return self.facts.defined_at[_maker(origin)]

    def _may_hold(self, name: str) -> bool:
        return self.facts.kind(name) in (*CONTAINERS, "unknown", "object")

    # What misses a write

    def conflicts(self) -> Iterator[Conflict]:
        """Every write that a name does not show, though it may be, or hold, what is written, and is read after it."""
        readers: dict[str, list[tuple[str, Held]]] = {}
        for name in self.facts.definition:
            for held in self.own.get(name, _NOTHING) | self.inside.get(name, _NOTHING):
                readers.setdefault(held.origin, []).append((name, held))
        for name, point, let in self.facts.writes:
            root = self.facts.path(name)[0]
            itself = _origins(self.own.get(name, _NOTHING)) <= _origins(self.own.get(root, _NOTHING))
            for written in sorted(self.own.get(name, _NOTHING), key=str):
                for reader, held in readers[written.origin]:
                    if reader in self.lazy:
                        continue
                    deep = name != root
                    if self.facts.path(reader)[0] == root and not (deep and self._twice(root, written.origin)):
                        continue
                    if not self._same_instance(written, held) or not self._missed(reader, held, point, root):
                        continue
                    owned = held in self.own.get(reader, _NOTHING)
                    if not owned or not itself or not self.apart(root, reader):
                        yield Conflict(let, root, reader, owned, held.taken[0] if held.taken else None)

    def is_seen_elsewhere(self, owner: str, name: str, update: Let) -> bool:
        """Whether the update of an element of a container is seen by other names, or under another index."""
        objects, write = self.own.get(name, _NOTHING), self.facts.point[id(update)]
        if any(self._twice(owner, held.origin) for held in objects):
            return True
        return any(
            self._same_instance(written, held) and self._missed(reader, held, write, owner)
            for reader in self.facts.definition
            if self.facts.path(reader)[0] not in (owner, name, update.target)
            for held in self.own.get(reader, _NOTHING) | self.inside.get(reader, _NOTHING)
            for written in objects
            if held.origin == written.origin
        )

    def _twice(self, root: str, origin: str) -> bool:
        """Whether a container may hold an object twice: a write under one index is one under another as well."""
        if self.facts.kind(root) not in (*CONTAINERS, "unknown"):
            return False
        made = self.facts.definition.get(root)
        put = list(self._put.get(root, []))
        if isinstance(made, Let) and isinstance(made.op, Make):
            put += [(atom, self.facts.point[id(made)], 1) for atom in made.args]
        times = 0
        for atom, point, _ in put:
            if any(held.origin == origin for held in self._all(atom, point)):
                times += 1
                if point.again(point, self._made(origin).loops):
                    times += 1
        return times > 1

    def _same_instance(self, one: Held, other: Held) -> bool:
        """Whether two may be one object: not where one was made in this iteration, the other in an earlier one."""
        return bool(one.crossed) == bool(other.crossed)

    def _missed(self, reader: str, held: Held, write: Point, root: str) -> bool:
        """Whether a write by way of `root` may run after a name got hold of an object, and before a read of it."""
        since, holder = held.since, reader
        if held.taken is not None:  # what is taken out of a container is as old as what it holds
            container, point = held.taken
            shown = container == root and not self._twice(root, held.origin)
            since, holder = (point, reader) if shown else (since, container)
        again = write.again(since, (*self.facts.defined_at[holder].loops, *self._made(held.origin).loops))
        if not again and (write.number < since.number or write.excludes(since)):
            return False
        return any(self.facts.later(holder, use, write) for use in self._reads(reader, held.depth > 0))

    def _reads(self, name: str, inside: bool) -> Iterator[Point]:
        """Where a name's object is looked at: what a list that is made again holds, wherever that is used."""
        yield from self.facts.reads(name, inside)
        for stmt in dict.fromkeys(stmt for _, stmt in self.facts.uses.get(name, [])):
            if isinstance(stmt, Let) and stmt.target in self.lazy:
                yield from self._uses(stmt.target)

    def _uses(self, container: str) -> Iterator[Point]:
        for point, stmt in self.facts.uses.get(container, []):
            yield point
            if isinstance(stmt, Let) and stmt.target in self.lazy:
                yield from self._uses(stmt.target)

    # What is never the same

    def apart(self, one: str, other: str) -> bool:
        """Whether two names are never one object at one time, as those are not that a time loop swaps."""
        if self._pair(Var(one), Var(other)):
            changed = True
            while changed:  # what was taken for granted on the way is looked at again, until nothing falls
                changed = False
                for pair, holds in list(self._apart.items()):
                    if holds and not self._apart_given(*sorted(pair)):
                        self._apart[pair] = False
                        changed = True
        return self._pair(Var(one), Var(other))

    def _pair(self, one: Atom, other: Atom) -> bool:
        if not isinstance(one, Var) or not isinstance(other, Var):
            return True
        left, right = self.facts.path(one.name)[0], self.facts.path(other.name)[0]
        if left == right:
            return False
        if not self._meet(left, right):
            return True
        pair = frozenset((left, right))
        if pair not in self._apart:
            self._apart[pair] = True
            self._apart[pair] = self._apart_given(*sorted(pair))
        return self._apart[pair]

    def _meet(self, left: str, right: str) -> bool:
        mine, others = self.own.get(left, _NOTHING), self.own.get(right, _NOTHING)
        return any(a.origin == b.origin and self._same_instance(a, b) for a in mine for b in others)

    def _apart_given(self, left: str, right: str) -> bool:
        """Whether two names are apart, if those are from which their objects come."""
        if self.facts.defined_at[left].number > self.facts.defined_at[right].number:
            left, right = right, left
        rows, others = (sources(self.facts.definition[name], name) for name in (right, left))
        if self.facts.definition[left] is self.facts.definition[right] and len(rows) == len(others) > 0:
            return all(self._pair(a, b) for a, b in zip(others, rows, strict=True))
        return bool(rows) and all(self._pair(Var(left), row) for row in rows)
