"""Writes that two names have to see, where it is known only when it runs whether the two are one array.

    x.2 = if n.1 then x.0 else y.3             x.2, same.4 = if n.1 then x.0, True else y.3, False
    store[](x.2, 0, 1.0)                       x.5 = .copy()(x.2)
    yield x.0                         ->       store[](x.5, 0, 1.0)
                                               if same.4: store[](x.0, 0, 1.0)
                                               yield x.0

A name that joins arrays gets memory of its own, a copy. A write into it is repeated in every other array that may be
the same one and is read later, under a flag that tells whether it is. A list that holds such an array, and is no
buffer itself, is made again where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from srcgrad.frontend.memory import Facts, Point, sources
from srcgrad.frontend.sharing import Conflict, Sharing
from srcgrad.ir import Atom, Branch, Const, For, Let, Make, Names, Var, While, hint, variables
from srcgrad.types import BOOL, CONTAINERS, Type

Pair = tuple[str, str]  # a name that is written, and one that has to see it
_MOST = 8  # writes that one is repeated as: more than that is no code to read


@dataclass(frozen=True)
class Flag:
    """One more joined value of a statement: its targets, its parameter (of a loop) and where it comes from."""

    target: str
    param: str
    rows: tuple[Atom, Atom]


class Mirrors:
    """`repeated`: the roots that a write is repeated in, each with the atom that tells whether it is the same array.
    `lazy`: the names of lists that are made again where they are used. `problems`: why a write is refused."""

    def __init__(self, facts: Facts, roots: Iterable[str], names: Names, types: dict[str, Type]) -> None:
        self.facts = facts
        self.buffers = set(roots)
        self.lazy: set[str] = set()
        self.flags: dict[int, list[Flag]] = {}
        self.repeated: dict[int, list[tuple[str, Atom]]] = {}
        self._names, self._types = names, types
        self._named: dict[Pair, str] = {}
        size = -1
        while size != len(self.buffers) + len(self.lazy):  # what is a buffer too, or made again, shows more writes
            size = len(self.buffers) + len(self.lazy)
            self.problems: dict[int, str] = {}
            self._wanted: dict[int, tuple[Let, str, dict[str, None]]] = {}
            self._sharing = Sharing(facts, self.lazy)
            self._written = set[str]().union(*(self._sharing.reached(name) for name, _, _ in facts.writes))
            for conflict in self._sharing.conflicts():
                self._resolve(conflict)
        for let, written, readers in self._wanted.values():
            if id(let) not in self.problems:
                self.repeated[id(let)] = [(reader, self._same(Var(written), Var(reader))) for reader in readers]

    def _resolve(self, conflict: Conflict) -> None:
        reader = self.facts.path(conflict.reader)[0]
        shown = conflict.written.partition(".")[0].lstrip("_")
        container = conflict.container or reader
        made = self.facts.definition[container] if conflict.container or not conflict.owned else None
        if isinstance(made, Let) and container not in self.buffers and self._can_be_made_again(made):
            self.lazy.add(container)
            return
        let = conflict.write
        _, _, readers = self._wanted.setdefault(id(let), (let, conflict.written, {}))
        readers[reader] = None
        writes = [(self.facts.point[id(let)], let)]
        if (
            not conflict.owned
            or len(readers) > _MOST
            or not self._is_array(conflict.written)
            or not self._is_array(reader)
            or not self._in_scope(reader, writes[0][0])
            or self.facts.problem(reader, writes)
            or not self._decided(conflict.written, reader)
        ):
            other = hint(conflict.container or conflict.reader)
            named = "" if other[0] == "_" or other == shown else f", `{other}`,"
            written = f"what `{shown}` holds" if self.facts.kind(conflict.written) in CONTAINERS else f"`{shown}`"
            self.problems[id(let)] = f"{written} may go under a second name{named} and this writes into it"
            return
        self.buffers.add(reader)

    def _can_be_made_again(self, let: Let) -> bool:
        """Whether a list or dict can be made of what its items are later: those that are written are buffers."""
        return isinstance(let.op, Make) and all(
            self.facts.path(name)[0] in self.buffers or self._written.isdisjoint(self._sharing.reached(name))
            for name in variables(let.args)
        )

    def _is_array(self, name: str) -> bool:
        """Whether a name is surely an array, and one of its own: made here, given by the caller, or a join."""
        joined = isinstance(self.facts.definition[name], Branch | For | While)
        return self.facts.kind(name) == "array" and (joined or self._sharing.is_new(name))

    def _in_scope(self, name: str, point: Point) -> bool:
        made = self.facts.defined_at[name]
        inside = point.loops[: len(made.loops)] == made.loops
        return made.number < point.number and inside and point.branches[: len(made.branches)] == made.branches

    # Whether two names are one array

    def _decided(self, one: str, other: str) -> bool:
        """Whether flags can tell if two names are one array: not where one may be a view of the other."""
        pending, seen = [(one, other)], set[Pair]()
        while pending:
            pair = pending.pop()
            if pair in seen:
                continue
            seen.add(pair)
            if self._sharing.apart(*pair):
                continue
            rows = self._rows(pair)
            if not rows and not self._sharing.is_new(self._later(pair)):
                return False
            for left, right in rows:
                if isinstance(left, Var) and isinstance(right, Var) and left != right:
                    (a, steps, _), (b, more, _) = self.facts.path(left.name), self.facts.path(right.name)
                    if steps or more:
                        if a == b or not self._sharing.apart(a, b):
                            return False
                    else:
                        pending.append((a, b))
        return True

    def _later(self, pair: Pair) -> str:
        return max(pair[::-1], key=lambda name: self.facts.defined_at[name].number)

    def _rows(self, pair: Pair) -> list[tuple[Atom, Atom]]:
        """What the two are on each way into the join that makes the later one."""
        later = self._later(pair)
        join = self.facts.definition[later]
        ways = sources(join, later)
        # One that is not joined there is the same on both ways.
        sides = [sources(join, name) or [Var(name)] * len(ways) for name in pair]
        return list(zip(*sides, strict=True))

    def _same(self, left: Atom, right: Atom) -> Atom:
        """The atom that tells whether two names are one array."""
        known = self._known(left, right, set())
        if known is not None:
            return Const(known)
        assert isinstance(left, Var)
        assert isinstance(right, Var)
        pair = self.facts.path(left.name)[0], self.facts.path(right.name)[0]
        if pair not in self._named:
            later = self._later(pair)
            stmt = self.facts.definition[later]
            target, param = self._names.fresh("_same"), self._names.fresh("_same")
            self._types[target] = self._types[param] = BOOL
            carried = isinstance(stmt, For | While) and later in stmt.params
            self._named[pair] = param if carried else target
            flags = self.flags.setdefault(id(stmt), [])
            at = len(flags)
            flags.append(Flag(target, param, (Const(False), Const(False))))
            first, second = (self._same(*row) for row in self._rows(pair))
            flags[at] = Flag(target, param, (first, second))
        return Var(self._named[pair])

    def _known(self, left: Atom, right: Atom, seen: set[Pair]) -> bool | None:
        """True or False where it is the same on all ways, None where it depends."""
        found = self._ways(left, right, seen)
        return None if len(found) > 1 else next(iter(found), False)

    def _ways(self, left: Atom, right: Atom, seen: set[Pair]) -> set[bool]:
        if not isinstance(left, Var):
            return set()  # what is undefined is not written
        if not isinstance(right, Var):
            return {False}
        a, b = self.facts.path(left.name)[0], self.facts.path(right.name)[0]
        if a == b:
            return {left == right}
        if self._sharing.apart(a, b):
            return {False}
        if (a, b) in seen:
            return set()
        seen.add((a, b))
        rows = self._rows((a, b))
        return set().union(*(self._ways(*row, seen) for row in rows)) if rows else {False}
