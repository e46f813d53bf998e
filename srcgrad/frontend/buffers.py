"""Separates memory from values: names whose objects are written become buffers, and are read by `Load` from here on.

    y.1 = numpy.zeros(n.0)                 y.1 = numpy.zeros(n.0)
    store[](y.1, 0, x.2)                   store[](y.1, 0, x.2)
    row.3 = operator.getitem(y.1, slice)   row.3 is the path y.1[slice], a view, and each of its uses
    z.4 = operator.mul(row.3, 2)      ->   load.5 = load[](y.1, slice)
                                           z.4 = operator.mul(load.5, 2)

A view of a buffer is re-read at each of its uses, as the view itself would show the memory then. Where a second name
may share the memory and the order of its use and of a write cannot be told to be harmless, the write is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from srcgrad.errors import AliasedWrite, Place, together
from srcgrad.frontend.source import Source
from srcgrad.ir import (
    Append,
    Atom,
    Attr,
    Block,
    Const,
    Fn,
    For,
    Function,
    Global,
    If,
    Invoke,
    Let,
    Load,
    Loop,
    Make,
    Method,
    Names,
    Pop,
    Stmt,
    Store,
    Update,
    Var,
    While,
    blocks,
    defined,
    own_atoms,
    variables,
    walk,
)
from srcgrad.rules.operations import rule_of
from srcgrad.rules.views import VIEWS
from srcgrad.types import CONTAINERS, Type

_WRITERS = (Store, Update, Append, Pop)
_VIEW_ATTRIBUTES = ("T", "mT", "real", "imag", "flat")
_VIEW_NAMES = VIEWS | {"view", "iter", "reversed", "enumerate", "zip"}


@dataclass(frozen=True)
class _Point:
    """Where a statement stands: its number in the text, and the loops around it."""

    number: int
    loops: tuple[int, ...]


def separate_buffers(function: Function, source: Source) -> Function:
    """The function with its buffers read by `Load`; raises `AliasedWrite` where two names cannot be told apart."""
    facts = _Facts(function)
    function = _rebound(function, facts, source)
    roots = facts.roots()
    if not roots:
        return function
    facts = _Facts(function)
    moves = Moves(facts, roots)
    offences = [
        AliasedWrite(problem, _place(source, writes[0][1]), "write into an array made here: `y = x.copy()` first")
        for root, writes in roots.items()
        if (problem := moves.problem(root) or facts.problem(root, writes))
    ]
    if offences:
        raise together(list(offences))
    return _Rewriter(function, facts, roots, moves.copied).run()


_REBINDING = {
    getattr(operator, f"i{name}"): getattr(operator, name)
    for name in "add sub mul truediv floordiv mod pow matmul xor lshift rshift".split()
} | {operator.iand: operator.and_, operator.ior: operator.or_}


def _rebound(function: Function, facts: _Facts, source: Source) -> Function:
    """Augmented assignments to names of unknown kind as operations: `y = y + v` for `y += v`.

    That is the same where the old value is new memory, or no memory, that nobody sees again; anything else is refused,
    since an array would be written in place and a number would not.
    """
    found = [s for s in walk(function.body) if isinstance(s, Let) and isinstance(s.op, Fn) and _is_inplace(s.op)]
    if not found:
        return function
    offences = [
        AliasedWrite(
            f"whether `{owner.name.partition('.')[0]}` is an array, which this would change in place, is not known",
            _place(source, let),
            "write `y = y + v`, or let the types of the arguments be known",
        )
        for let in found
        for owner in let.args[:1]
        if isinstance(owner, Var) and not facts.is_temporary(owner.name, let)
    ]
    if offences:
        raise together(list(offences))
    return replace(function, body=_plain(function.body))


def _is_inplace(op: Fn) -> bool:
    return any(op.target is inplace for inplace in _REBINDING)


def _plain(block: Block) -> Block:
    stmts: list[Stmt] = []
    for stmt in block.stmts:
        match stmt:
            case Let(op=Fn() as op) if _is_inplace(op):
                stmts.append(replace(stmt, op=Fn(_REBINDING[op.target]), effect=False))
            case If():
                stmts.append(replace(stmt, then=_plain(stmt.then), orelse=_plain(stmt.orelse)))
            case For():
                stmts.append(replace(stmt, body=_plain(stmt.body)))
            case While():
                stmts.append(replace(stmt, test=_plain(stmt.test), body=_plain(stmt.body)))
            case _:
                stmts.append(stmt)
    return Block(tuple(stmts), block.results)


class _Facts:
    """Definitions, uses and writes of a function, and which names are views of which."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.definition: dict[str, Stmt | None] = {param.name: None for param in function.params}
        self.point: dict[int, _Point] = {}
        self.defined_at: dict[str, _Point] = {param.name: _Point(-1, ()) for param in function.params}
        self.uses: dict[str, list[tuple[_Point, Stmt | None]]] = {}
        self.writes: list[tuple[str, _Point, Let]] = []
        self.branches: list[tuple[int, int, int]] = []  # of every `if`: its number, the last ones of both its sides
        self._count = 0
        self._by_root: dict[str, list[str]] | None = None
        self._scan(function.body, ())
        self.written_through = self._written_through()
        end = _Point(self._next(), ())
        for name in variables(function.body.results):
            self.uses.setdefault(name, []).append((end, None))

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _scan(self, block: Block, loops: tuple[int, ...]) -> None:
        for stmt in block.stmts:
            point = _Point(self._next(), loops)
            self.point[id(stmt)] = point
            self._use(own_atoms(stmt), point, stmt)
            if isinstance(stmt, Let) and isinstance(stmt.op, _WRITERS) and isinstance(stmt.args[0], Var):
                self.writes.append((stmt.args[0].name, point, stmt))
            inner = (*loops, point.number) if isinstance(stmt, Loop) else loops
            if isinstance(stmt, Loop):
                names = [*stmt.params, *([stmt.variable] if isinstance(stmt, For) else [])]
                for name in names:
                    self.definition[name], self.defined_at[name] = stmt, _Point(point.number, inner)
            ends = []
            for child in blocks(stmt):
                self._scan(child, inner)
                self._use(child.results, _Point(self._next(), inner), stmt)
                ends.append(self._count)
            if isinstance(stmt, If):
                self.branches.append((point.number, ends[0], ends[1]))
            for name in defined(stmt):
                self.definition[name], self.defined_at[name] = stmt, _Point(self._count, loops)

    def _use(self, atoms: Iterable[Atom], point: _Point, stmt: Stmt) -> None:
        for name in variables(atoms):
            self.uses.setdefault(name, []).append((point, stmt))

    def _written_through(self) -> set[str]:
        """Names of parts by which the containers that they are taken from are written."""
        found: set[str] = set()
        for name, _, _ in self.writes:
            while name not in found:
                found.add(name)
                stmt = self.definition.get(name)
                if not isinstance(stmt, Let) or not (stmt.op == Fn(operator.getitem) or isinstance(stmt.op, Attr)):
                    continue
                if stmt.args and isinstance(stmt.args[0], Var):
                    name = stmt.args[0].name
        return found

    def _replaced(self, name: str, writes: list[tuple[_Point, Let]]) -> bool:
        """Whether an element that is written may by then have been replaced in its container by another one."""
        let = self.definition.get(name)
        if not isinstance(let, Let) or let.op != Fn(operator.getitem) or not self._is_element(let):
            return False
        point = self.defined_at[name]
        atoms = [(w, write.args[0]) for w, write in writes]
        owners = [(w, self.path(atom.name)[:2]) for w, atom in atoms if isinstance(atom, Var)]
        assert isinstance(let.args[0], Var)
        slots = [w for w, owner in owners if owner == self.path(let.args[0].name)[:2]]
        return any(_between(point, w, use) for w in slots for use, _ in self.uses.get(name, []))

    def is_temporary(self, name: str, last: Let) -> bool:
        """Whether a value is new memory or a number, and is used by no one after the statement `last`."""
        point = self.point[id(last)]
        for use, stmt in self.uses.get(name, []):
            again = set(use.loops) & set(point.loops) - set(self.defined_at[name].loops)
            later = use.number > point.number and not self._excluded(point, use)
            if stmt is not last and (later or again):
                return False
        return self._is_new(name, set())

    def _excluded(self, one: _Point, other: _Point) -> bool:
        """Whether two points are in the two branches of an `if`."""
        first, last = sorted((one.number, other.number))
        return any(start <= first <= middle < last <= end for start, middle, end in self.branches)

    def _is_new(self, name: str, seen: set[str]) -> bool:
        if name in seen:
            return True
        seen.add(name)
        stmt = self.definition.get(name)
        if isinstance(stmt, Let):
            rule = rule_of(stmt)
            arithmetic = rule is not None and rule.form in ("elementwise", "bilinear") and not _may_be_view(stmt)
            fresh = stmt.op in (Fn(np.zeros), Fn(np.ones), Fn(np.copy), Method("copy"))
            return arithmetic or fresh or (isinstance(stmt.op, Fn) and _is_inplace(stmt.op))
        if stmt is None:
            return False
        return all(
            self._is_number(source) or (self._is_new(source, seen) and not self._seen_after(source, stmt))
            for source in variables(_sources(stmt, name))
        )

    def _seen_after(self, source: str, join: Stmt) -> bool:
        """Whether what becomes the value of a name at a join is handed to another one there too, or used later."""
        point, end = self.point[id(join)], max(self.defined_at[name].number for name in defined(join))
        handed = [use for use, stmt in self.uses.get(source, []) if stmt is join]
        inside = point.number < self.defined_at[source].number <= end
        return len(handed) > 1 or any(
            use.number > point.number and not any(self._excluded(use, other) for other in handed)
            for use, stmt in self.uses.get(source, [])
            if stmt is not join and not inside
        )

    def _is_number(self, name: str) -> bool:
        return self.kind(name) == "scalar"

    # Views

    def base(self, name: str) -> tuple[str, str, Atom | None] | None:
        """(base, step, index) when a name is a view of another one; None when it is an object of its own."""
        stmt = self.definition.get(name)
        if not isinstance(stmt, Let) or not stmt.args or not isinstance(stmt.args[0], Var):
            return None
        if isinstance(stmt.op, Attr) and stmt.op.name in ("T", "mT"):
            return stmt.args[0].name, f".{stmt.op.name}", None
        if stmt.op == Fn(operator.getitem) and self._is_view(stmt):
            return stmt.args[0].name, "[]", stmt.args[1]
        return None

    def _is_element(self, let: Let) -> bool:
        """Whether a subscript takes an element of a container, an object of its own, and no view."""
        assert isinstance(let.args[0], Var)
        return self.kind(let.args[0].name) in CONTAINERS and not self._takes_slice(let)

    def _takes_slice(self, let: Let) -> bool:
        """Whether a subscript is a slice: of a list or a tuple a new one, of an array a view."""
        index = let.args[1]
        return self.kind(index.name) == "slice" if isinstance(index, Var) else isinstance(index.value, slice)

    def _is_part_list(self, let: Let) -> bool:
        """Whether a subscript makes a new list or tuple, of elements that the old one holds too."""
        assert isinstance(let.args[0], Var)
        return self.kind(let.args[0].name) in CONTAINERS and self._takes_slice(let)

    def _is_view(self, let: Let) -> bool:
        assert let.target is not None
        kind = self._type(let.target)
        if kind is not None and kind.kind == "scalar":
            return False
        if self._is_element(let):
            return let.target in self.written_through
        if self._is_part_list(let):
            return False
        return not self._advanced(let.args[1])

    def _type(self, name: str) -> Type | None:
        return self.function.types.get(name)

    def kind(self, name: str) -> str:
        known = self._type(name)
        return "unknown" if known is None else known.kind

    def _advanced(self, index: Atom) -> bool:
        """Whether an index makes a copy: an array or a list of integers, a mask."""
        if isinstance(index, Const):
            parts = index.value if isinstance(index.value, tuple) else (index.value,)
            return any(isinstance(part, list | np.ndarray) for part in parts)
        known = self._type(index.name)
        if known is None:
            return False
        if known.kind == "tuple":
            return any(item.kind in ("array", "list") for item in known.items)
        return known.kind in ("array", "list") and known.rank != 0

    def path(self, name: str) -> tuple[str, tuple[str, ...], tuple[Atom, ...]]:
        """The object that a name shows: its root, the way to the part, the indices on that way."""
        steps: list[str] = []
        indices: list[Atom] = []
        found = self.base(name)
        while found is not None:
            name, step, index = found
            steps.append(step)
            if index is not None:
                indices.append(index)
            found = self.base(name)
        return name, tuple(reversed(steps)), tuple(reversed(indices))

    def roots(self) -> dict[str, list[tuple[_Point, Let]]]:
        """The objects that are written, and where."""
        found: dict[str, list[tuple[_Point, Let]]] = {}
        for name, point, let in self.writes:
            found.setdefault(self.path(name)[0], []).append((point, let))
        return found

    # Refusals

    def problem(self, root: str, writes: list[tuple[_Point, Let]]) -> str:
        """Why writes into an object cannot be told from writes into another one; empty where they can."""
        stmt = self.definition.get(root)
        shown = root.partition(".")[0].lstrip("_")
        if isinstance(stmt, Let):
            if isinstance(stmt.op, Global):
                return f"this writes into `{shown}`, which is not the function's own"
            if _may_be_view(stmt) or isinstance(stmt.op, Pop):
                return f"`{shown}` may share its memory with another array, and this writes into it"
        if isinstance(stmt, Let) and stmt.op == Fn(operator.getitem) and self._is_part_list(stmt):
            if any(name != root and name in self.written_through for name in self.names_of(root)):
                return f"the elements of `{shown}` are held by another list too, and this writes into one"
        for name in self.names_of(root):
            if self._may_be_part_list(name):
                part = name.partition(".")[0].lstrip("_")
                return f"whether `{part}` is a list or a view of `{shown}`, into which this writes, is not known"
            let = self.definition.get(name)
            element = isinstance(let, Let) and let.op == Fn(operator.getitem) and self._is_element(let)
            if name != root and self.kind(name) == "unknown" and not element and self._changes_meanwhile(name, writes):
                part = name.partition(".")[0].lstrip("_")
                return f"whether `{part}` is a number or a view of `{shown}`, into which this writes, is not known"
            if self._escapes(name, root, writes) or (name != root and self._replaced(name, writes)):
                return f"`{shown}` is held under a second name, and this writes into it"
            if name != root and name in self.written_through and self._held_elsewhere(root):
                return f"`{shown}` is held under a second name, and this writes into it"
        return ""

    def _may_be_part_list(self, name: str) -> bool:
        """Whether a name that is written is a slice of what may be a list, and then is a new one, or an array."""
        let = self.definition.get(name)
        if not isinstance(let, Let) or let.op != Fn(operator.getitem) or name not in self.written_through:
            return False
        return isinstance(let.args[0], Var) and self.kind(let.args[0].name) == "unknown" and self._takes_slice(let)

    def _lives_on(self, name: str, stmt: If, writes: list[tuple[_Point, Let]]) -> bool:
        """Whether what a branch makes of a buffer is used after a later write into it."""
        rows = zip(stmt.targets, stmt.then.results, stmt.orelse.results, strict=True)
        return self._seen_later([target for target, *sources in rows if Var(name) in sources], writes)

    def _seen_later(self, targets: list[str], writes: list[tuple[_Point, Let]]) -> bool:
        """Whether what holds a buffer is handed on, or used after a later write into the buffer."""
        for target in targets:
            for use, user in self.uses.get(target, []):
                if not isinstance(user, Let) or isinstance(user.op, Make | Append | Store) or _may_be_view(user):
                    return True
                if user.op == Fn(operator.getitem) or user.effect:
                    return True
                if any(_between(self.defined_at[target], w, use) for w, _ in writes):
                    return True
        return False

    def _changes_meanwhile(self, name: str, writes: list[tuple[_Point, Let]]) -> bool:
        """Whether a write may run between the taking of a part and a use of it."""
        uses = [
            use
            for use, stmt in self.uses.get(name, [])
            if not (isinstance(stmt, Let) and stmt.args[:1] == (Var(name),) and isinstance(stmt.op, _WRITERS))
        ]
        return any(_between(self.defined_at[name], w, use) for w, _ in writes for use in uses)

    def _held_elsewhere(self, root: str) -> bool:
        """Whether something that was put into a container, whose elements are written, is known by another name."""
        put: list[tuple[_Point, Atom]] = []
        made = self.definition.get(root)
        if isinstance(made, Let) and isinstance(made.op, Make):
            put += [(self.point[id(made)], atom) for atom in made.args]
        for name in self.names_of(root):
            for point, stmt in self.uses.get(name, []):
                if isinstance(stmt, Let) and isinstance(stmt.op, Append | Store) and stmt.args[0] == Var(name):
                    put.append((point, stmt.args[-1]))
        owners = [(p, self.path(a.name)[0]) for p, a in put if isinstance(a, Var) and self.kind(a.name) != "scalar"]
        if len({owner for _, owner in owners}) < len(owners):
            return True
        return any(
            use.number != point.number and (use.number > point.number or self.later(owner, use, point))
            for point, owner in owners
            for alias in self.names_of(owner)
            for use, _ in self.uses.get(alias, [])
        ) or any(set(p.loops) - set(self.defined_at[o].loops) for p, o in owners if o in self.defined_at)

    def names_of(self, root: str) -> list[str]:
        """All names for an object or parts of it."""
        if self._by_root is None:
            self._by_root = {}
            for name in self.definition:
                self._by_root.setdefault(self.path(name)[0], []).append(name)
        return self._by_root.get(root, [])

    def later(self, root: str, write: _Point, point: _Point) -> bool:
        """Whether a write into an object may run after a point at which the same object was seen."""
        again = set(write.loops) & set(point.loops) - set(self.defined_at[root].loops)
        return write.number > point.number or bool(again)

    def _escapes(self, name: str, root: str, writes: list[tuple[_Point, Let]]) -> bool:
        """Whether a use of a buffer makes something that would see a later write."""
        for point, stmt in self.uses.get(name, []):
            if isinstance(stmt, Let) and isinstance(stmt.op, Append | Make) and not _is_index(stmt):
                if isinstance(stmt.op, Append) and stmt.args[0] == Var(name):
                    continue
                if stmt.target is not None and not self._seen_later([stmt.target], writes):
                    continue  # `np.sum([y])`: gone before the next write
                if any(self.later(root, w, point) for w, _ in writes):
                    return True
            if isinstance(stmt, Let) and _may_be_view(stmt) and stmt.target is not None:
                uses = self.uses.get(stmt.target, [])
                if any(_between(point, w, use) for w, _ in writes for use, _ in uses):
                    return True
            if isinstance(stmt, If) and stmt.test != Var(name) and not self._lives_on(name, stmt, writes):
                continue
            if isinstance(stmt, If | For | While) and any(self.later(root, w, point) for w, _ in writes):
                if not isinstance(stmt, For) or stmt.iterable != Var(name):
                    return True
            if isinstance(stmt, Let) and isinstance(stmt.op, Store) and stmt.args[-1] == Var(name):
                if isinstance(stmt.args[0], Var) and self.kind(stmt.args[0].name) in ("list", "dict", "unknown"):
                    return True
        return False


def _sources(stmt: Stmt, name: str) -> list[Atom]:
    """The atoms that may become the value of a name at a join."""
    if isinstance(stmt, If):
        at = stmt.targets.index(name)
        return [stmt.then.results[at], stmt.orelse.results[at]]
    if isinstance(stmt, For | While) and (name in stmt.params or name in stmt.targets[stmt.stops :]):
        at = (stmt.params if name in stmt.params else stmt.targets[stmt.stops :]).index(name)
        return [stmt.inits[at], stmt.body.results[stmt.stops + at]]
    return [Var(name)]


def _is_index(let: Let) -> bool:
    return isinstance(let.op, Make) and let.op.kind in ("slice", "fstring")


def _may_be_view(let: Let) -> bool:
    """Whether the result of an operation may share memory with an operand, other than by a basic subscript or `.T`."""
    match let.op:
        case Attr(name):
            return name in _VIEW_ATTRIBUTES and name not in ("T", "mT")
        case Invoke():
            return True
        case Method(name):
            return name in _VIEW_NAMES
        case Fn(target):
            return getattr(target, "__name__", "") in _VIEW_NAMES
        case _:
            return False


def _between(start: _Point, write: _Point, use: _Point) -> bool:
    """Whether a write may run after a definition and before a use of what it defined."""
    if start.number < write.number < use.number:
        return True
    shared = set(write.loops) & set(use.loops)
    return bool(shared - set(start.loops))


def _place(source: Source, let: Let) -> Place:
    line = let.origin.line + source.line - 1
    text = source.text(line)
    column = len(text) - len(text.lstrip()) + 1
    return Place(source.file, line, column, text, len(text.strip()))


class Moves:
    """Arrays that are handed from one name to another at joins, as in `u, new = new, u` in a time loop.

    A join whose result is written gets an array of its own, a copy. That is what the program computes as long as each
    array goes to one name only, and is seen under no other one afterwards; anything else is refused.
    """

    def __init__(self, facts: _Facts, roots: Mapping[str, object]) -> None:
        self.facts = facts
        self.written = {root for root in roots if isinstance(facts.definition.get(root), If | For | While)}
        self.copied = frozenset(self.written)
        self.problems: dict[str, str] = {}
        if self.written:
            self._slots = list(self._all_slots())
            for root in self.written:
                self.problems[root] = self._checked(root)

    def problem(self, root: str) -> str:
        return self.problems.get(root, "")

    def _all_slots(self) -> Iterator[tuple[Stmt, tuple[str, ...], tuple[Atom, ...], tuple[Atom, ...]]]:
        """(statement, names, sources from before it, sources from inside of it) of everything that is joined."""
        seen: dict[int, Stmt] = {id(s): s for s in self.facts.definition.values() if isinstance(s, If | For | While)}
        for stmt in seen.values():
            if isinstance(stmt, If):
                for target, *sources in zip(stmt.targets, stmt.then.results, stmt.orelse.results, strict=True):
                    yield stmt, (target,), (), tuple(sources)
            elif isinstance(stmt, For | While):
                results, targets = stmt.body.results[stmt.stops :], stmt.targets[stmt.stops :]
                for target, param, init, result in zip(targets, stmt.params, stmt.inits, results, strict=True):
                    yield stmt, (target, param), (init,), (result,)

    def _checked(self, root: str) -> str:
        shown = root.partition(".")[0].lstrip("_")
        if self.facts.kind(root) != "array":
            return f"`{shown}` is one of several objects here, and this writes into it"
        members = self._class_of(root)
        for stmt, names, before, inside in self._slots:
            if not members & set(names):
                continue
            for source in variables((*before, *inside)):
                owner, path, _ = self.facts.path(source)
                if path or owner in (p.name for p in self.facts.function.params) or self._is_global(owner):
                    return f"`{shown}` is one of several arrays here, and this writes into it"
                if self._seen_elsewhere(owner, stmt):
                    return f"`{shown}` is held under a second name, and this writes into it"
        for name in members:
            if any(self._kept(alias) for alias in self.facts.names_of(name)):
                return f"`{shown}` is held under a second name, and this writes into it"
        return ""

    def _class_of(self, root: str) -> set[str]:
        """All names between which arrays are handed that may become `root`, or that it becomes."""
        members, size = {root}, 0
        while size != len(members):
            size = len(members)
            for _, names, before, inside in self._slots:
                owners = {self.facts.path(name)[0] for name in variables((*before, *inside))}
                if members & (set(names) | owners):
                    members |= set(names) | owners
        return members

    def _is_global(self, name: str) -> bool:
        let = self.facts.definition.get(name)
        return isinstance(let, Let) and (isinstance(let.op, Global) or _may_be_view(let))

    def _seen_elsewhere(self, owner: str, stmt: Stmt) -> bool:
        """Whether an array that is handed on at a join is handed on twice, or used under its own name later."""
        point = self.facts.point[id(stmt)]
        given = 0
        for other, _, before, inside in self._slots:
            if other is stmt:
                roots = [self.facts.path(name)[0] for name in variables((*before, *inside))]
                if isinstance(stmt, If):
                    given += owner in roots
                else:
                    given += roots.count(owner)
        if given > 1:
            return True
        inside_loop = point.number in self.facts.defined_at[owner].loops
        for alias in self.facts.names_of(owner):
            for use, user in self.facts.uses.get(alias, []):
                if user is stmt:
                    continue
                if inside_loop:
                    if point.number not in use.loops:
                        return True
                elif use.number > point.number or set(use.loops) & set(point.loops) - set(
                    self.facts.defined_at[owner].loops
                ):
                    return True
        return False

    def _kept(self, name: str) -> bool:
        """Whether a name, or a view of it, goes into a container or may live on under another name."""
        for _, stmt in self.facts.uses.get(name, []):
            if isinstance(stmt, Let):
                if isinstance(stmt.op, Append) and stmt.args[0] != Var(name):
                    return True
                if isinstance(stmt.op, Make) and not _is_index(stmt):
                    return True
                if isinstance(stmt.op, Store) and stmt.args[-1] == Var(name):
                    owner = stmt.args[0]
                    if isinstance(owner, Var) and self.facts.kind(owner.name) != "array":
                        return True
        return False


class _Rewriter:
    """Replaces uses of buffers and of their views by loads."""

    def __init__(self, function: Function, facts: _Facts, roots: Iterable[str], copied: frozenset[str]) -> None:
        self.function = function
        self.copied = copied
        self.facts = facts
        self.roots = set(roots)
        self.index_of: dict[str, Atom] = {}  # the indices of views, as they were when the views were made
        self.names = Names.after(function)
        self.types = dict(function.types)

    def run(self) -> Function:
        body = self.block(self.function.body)
        return replace(self.function, body=body, types=self.types)

    def own(self, names: Sequence[str], stmt: Stmt) -> tuple[tuple[str, ...], list[Let]]:
        """Names of values instead of those of moved buffers, and the lets that make the buffers from them."""
        found, lets = [], []
        for name in names:
            if name not in self.copied:
                found.append(name)
                continue
            value = self.names.fresh(name.partition(".")[0])
            self.types[value] = self.types[name]
            lets.append(Let(name, Method("copy"), (Var(value),), (), stmt.origin))
            found.append(value)
        return tuple(found), lets

    def block(self, block: Block) -> Block:
        stmts: list[Stmt] = []
        for stmt in block.stmts:
            self.stmt(stmt, stmts)
        results = tuple(self.read(atom, stmts, block.stmts[-1] if block.stmts else None) for atom in block.results)
        return Block(tuple(stmts), results)

    def buffer_path(self, atom: Atom) -> tuple[str, tuple[str, ...], tuple[Atom, ...]] | None:
        if not isinstance(atom, Var):
            return None
        root, steps, _ = self.facts.path(atom.name)
        if root not in self.roots:
            return None
        indices: list[Atom] = []
        name = atom.name
        while (found := self.facts.base(name)) is not None:
            owner, _, index = found
            if index is not None:
                indices.insert(0, self.index_of.get(name, index))
            name = owner
        return root, steps, tuple(indices)

    def read(self, atom: Atom, stmts: list[Stmt], near: Stmt | None) -> Atom:
        found = self.buffer_path(atom)
        if found is None:
            return atom
        root, path, indices = found
        assert isinstance(atom, Var)
        hint = atom.name.partition(".")[0]
        target = self.names.fresh(hint if hint.startswith("_") else f"_{hint}")
        self.types[target] = self.types[atom.name]
        origin = near.origin if near is not None else None
        let = Let(target, Load(path), (Var(root), *indices))
        stmts.append(let if origin is None else replace(let, origin=origin))
        return Var(target)

    def stmt(self, stmt: Stmt, stmts: list[Stmt]) -> None:
        read: Callable[[Atom], Atom] = lambda atom: self.read(atom, stmts, stmt)  # noqa: E731
        match stmt:
            case Let():
                self.let(stmt, stmts, read)
            case If():
                targets, owned = self.own(stmt.targets, stmt)
                then, orelse = self.block(stmt.then), self.block(stmt.orelse)
                stmts.append(replace(stmt, targets=targets, test=read(stmt.test), then=then, orelse=orelse))
                stmts.extend(owned)
            case For() | While():
                self._loop(stmt, stmts, read)

    def _loop(self, loop: For | While, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        inits = tuple(map(read, loop.inits))
        params, entering = self.own(loop.params, loop)
        targets, owned = self.own(loop.targets, loop)
        body = self.block(loop.body)
        body = Block((*entering, *body.stmts), body.results)
        loop = replace(loop, inits=inits, params=params, targets=targets, body=body)
        if isinstance(loop, For):
            stmts.append(replace(loop, iterable=read(loop.iterable)))
        else:
            stmts.append(replace(loop, test=self.block(loop.test)))
        stmts.extend(owned)

    def let(self, let: Let, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        if isinstance(let.op, _WRITERS):
            self._write(let, stmts, read)
            return
        if let.target is not None and self.facts.base(let.target) is not None and self.buffer_path(Var(let.target)):
            if let.op == Fn(operator.getitem):
                self.index_of[let.target] = read(let.args[1])
            return  # a view: re-read where it is used
        if let.op == Fn(operator.getitem):
            found = self.buffer_path(let.args[0])
            if found is not None:
                root, path, indices = found
                stmts.append(replace(let, op=Load((*path, "[]")), args=(Var(root), *indices, read(let.args[1]))))
                return
        keywords = tuple((key, read(atom)) for key, atom in let.keywords)
        stmts.append(replace(let, args=tuple(map(read, let.args)), keywords=keywords))

    def _write(self, let: Let, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        target, *rest = let.args
        found = self.buffer_path(target)
        assert found is not None
        root, path, indices = found
        rest = [read(atom) for atom in rest]
        assert isinstance(let.op, Store | Update | Append | Pop)
        let = replace(let, op=replace(let.op, path=(*path, *let.op.path)))
        stmts.append(replace(let, args=(Var(root), *indices, *rest)))
