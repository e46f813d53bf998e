"""Stores that NumPy does element by element from the memory that they write into.

    a[:, 2] = a[1]        a[1, 2] is written before it is read, for a[2, 2]

A row of numbers is stored in its order where the memory it comes from is laid out with another step: what is written
and read later is the new element, against the value that the right side had. Equal and opposite steps NumPy minds.
"""

from __future__ import annotations

import operator
from functools import cached_property

from srcgrad.frontend.memory import Facts, is_index, sources
from srcgrad.frontend.sharing import Sharing
from srcgrad.ir import Atom, Const, Fn, Let, Make, Store, Var

Axis = tuple[int, int | None]  # of the array that the memory belongs to, and the step along it, if it is known
Layout = tuple[Axis, ...] | None
_REST, _NEW, _ONE = Const(...), Const(None), Const(0)
_WHOLE = (Const(None),) * 3


class Overlaps:
    """Finds stores of one row of an array into another one, where the two may share elements."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def sharing(self) -> Sharing:
        return Sharing(self.facts)  # few functions store a row of which this has to be asked

    def problem(self, let: Let) -> str:
        """Why the order of a store matters; empty where it does not."""
        if not isinstance(let.op, Store) or let.op.path not in ((), ("[]",)):
            return ""
        target, value = let.args[0], let.args[-1]
        index = let.args[1] if let.op.path else Const(...)
        if not isinstance(target, Var) or not isinstance(value, Var):
            return ""
        if self.facts.kind(target.name) not in ("array", "unknown") or self._rank(value.name) not in (None, 1):
            return ""
        if self.facts.is_advanced(index):
            return ""  # NumPy copies first
        if not self._may_share(target.name, value.name) or self._same_place(target.name, index, value.name):
            return ""
        into = {self._part(layout, index) for layout in self._layouts(target.name, set())}
        rows = [(row, other) for row in into for other in self._layouts(value.name, set())]
        if all(_in_order(row, other) for row, other in rows):
            return ""
        shown = self.facts.path(target.name)[0].partition(".")[0].lstrip("_")
        return (
            f"two parts of `{shown}` may overlap here and are laid out with different steps, so that NumPy reads some "
            "elements after it has written them"
        )

    def _rank(self, name: str) -> int | None:
        known = self.facts.type(name)
        return None if known is None else 0 if known.kind == "scalar" else known.rank

    def _may_share(self, one: str, other: str) -> bool:
        mine, others = (self.sharing.own.get(name, frozenset()) for name in (one, other))
        shared = {held.origin for held in mine} & {held.origin for held in others}
        left, right = self.facts.path(one)[0], self.facts.path(other)[0]
        return bool(shared) and (left == right or not self.sharing.apart(left, right))

    # How a row is laid out

    def _layouts(self, name: str, seen: set[str]) -> set[Layout]:
        """The axes of the array behind a view that its own axes run along, on every way to it."""
        if name in seen:
            return set()
        stmt = self.facts.definition[name]
        ways = sources(stmt, name)
        if ways:
            return set().union(*(self._layouts(way.name, seen | {name}) for way in ways if isinstance(way, Var)))
        base = self.facts.base(name)
        if base is not None:
            owner, step, index = base
            found = self._layouts(owner, seen)
            if step in (".T", ".mT"):
                return {layout if layout is None else layout[::-1] for layout in found}
            if step == "[]" and index is not None and self.facts.kind(owner) in ("array", "unknown"):
                return {self._part(layout, index) for layout in found}
            return {None}
        rank = self._rank(name)
        return {None if rank is None else tuple((axis, 1) for axis in range(rank))}

    def _part(self, layout: Layout, index: Atom) -> Layout:
        """The layout of a part of a view."""
        parts = self._parts(index)
        if layout is None or parts is None:
            return None
        taken = sum(part not in (_REST, _NEW) for part in parts)
        at = parts.index(_REST) if _REST in parts else len(parts)
        parts[at : at + 1] = [_WHOLE] * (len(layout) - taken)
        axes, found = iter(layout), list[Axis]()
        for part in parts:
            axis, step = (-1, None) if part == _NEW else next(axes)
            if isinstance(part, Const) and part != _NEW:
                continue
            by = part[2].value if isinstance(part, tuple) and isinstance(part[2], Const) else 0
            by = 1 if by is None else by
            found.append((axis, step * by if step is not None and by else None))
        return tuple(found)

    def _parts(self, index: Atom) -> list[Atom | tuple[Atom, ...]] | None:
        """The parts of a basic index, slices as their three atoms; None for what is not known to be one."""
        made = self._made(index, "tuple")
        if made is not None:
            each = [self._parts(arg) for arg in made]
            return None if any(part is None for part in each) else [part for found in each for part in found or []]
        made = self._made(index, "slice")
        if made is not None:
            return [made]
        if isinstance(index, Const):
            return [index]
        known = self.facts.type(index.name)
        return [_ONE] if known is not None and known.kind == "scalar" else None

    def _made(self, atom: Atom, kind: str) -> tuple[Atom, ...] | None:
        if isinstance(atom, Const):
            if kind == "tuple" and isinstance(atom.value, tuple):
                return tuple(map(Const, atom.value))
            if kind == "slice" and isinstance(atom.value, slice):
                return Const(atom.value.start), Const(atom.value.stop), Const(atom.value.step)
            return None
        let = self.facts.definition.get(atom.name)
        return let.args if isinstance(let, Let) and isinstance(let.op, Make) and let.op.kind == kind else None

    # Where the order does no harm

    def _same_place(self, target: str, index: Atom, value: str) -> bool:
        """Whether a row and a column are cut in one way, and meet in the same place, as in `a[i, :k] = a[:k, i]`."""
        taken = self.facts.definition[value]
        if not isinstance(taken, Let) or taken.op != Fn(operator.getitem) or taken.args[0] != Var(target):
            return False
        row, column = self._made(index, "tuple"), self._made(taken.args[1], "tuple")
        return row is not None and column is not None and len(row) == 2 and all(map(self._equal, row, column[::-1]))

    def _equal(self, one: Atom, other: Atom) -> bool:
        """Whether two atoms are one value, being computed in the same way."""
        if one == other:
            return True
        if isinstance(one, Const) or isinstance(other, Const):
            return False
        left, right = self.facts.definition[one.name], self.facts.definition[other.name]
        if not isinstance(left, Let) or not isinstance(right, Let) or left.op != right.op or left.keywords:
            return False
        plain = self._rank(one.name) == 0 or is_index(left)
        return plain and len(left.args) == len(right.args) > 0 and all(map(self._equal, left.args, right.args))


def _in_order(one: Layout, other: Layout) -> bool:
    """Whether NumPy stores a row of one layout as if it were copied first: it does for equal and opposite steps, and
    for what has more axes than one."""
    if one is not None and len(one) != 1:
        return True
    if one is None or other is None or len(other) != 1:
        return False
    (axis, step), (along, by) = one[0], other[0]
    return axis == along and step is not None and by is not None and (step == by or step * by < 0)
