"""What a function says of its names: where they are defined, used and written, and which are views of which.

    row.3 = operator.getitem(y.1, slice)      row.3 is the path y.1[slice]; y.1 is its root

Shared by those who find out what may be written under two names, and who tell memory from values.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from srcgrad.ir import (
    Append,
    Atom,
    Attr,
    Block,
    Branch,
    Const,
    Fn,
    For,
    Function,
    Global,
    If,
    Invoke,
    Let,
    Loop,
    Make,
    Method,
    Pop,
    Stmt,
    Store,
    Try,
    Update,
    Var,
    While,
    blocks,
    defined,
    joins,
    own_atoms,
    variables,
)
from srcgrad.rules.operations import rule_of
from srcgrad.rules.views import VIEWS, asks_for_no_copy
from srcgrad.runtime import zeros
from srcgrad.types import CONTAINERS, INT, Type, type_of

SHAPES = (
    *(Fn(function) for function in (np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, len)),
    *(Attr(name) for name in ("shape", "ndim", "size", "dtype")),
)
WRITERS = (Store, Update, Append, Pop)
# Calls that make arrays whose elements stand in memory in their order, and with how many arguments.
_IN_ORDER = frozenset(
    [(Method("copy"), 1), (Method("flatten"), 1)]
    + [(Fn(function), count) for function in (np.zeros, np.ones, np.empty, np.eye, np.identity) for count in (1, 2)]
    + [(Fn(np.full), 2), (Fn(np.full), 3)]
)
_ORDERED = (("dtype", Const(float)), ("order", Const("C")))
_VIEW_ATTRIBUTES = ("T", "mT", "real", "imag", "flat")
_VIEW_NAMES = VIEWS | {"view", "iter", "reversed", "enumerate", "zip"}


REBINDING = {
    getattr(operator, f"i{name}"): getattr(operator, name)
    for name in "add sub mul truediv floordiv mod pow matmul xor lshift rshift".split()
} | {operator.iand: operator.and_, operator.ior: operator.or_}


def is_inplace(op: Fn) -> bool:
    return any(op.target is inplace for inplace in REBINDING)


@dataclass(frozen=True)
class Point:
    """Where a statement stands: its number in the text, the loops around it, and the branches (of which `if`, and
    which of the two)."""

    number: int
    loops: tuple[int, ...] = ()
    branches: tuple[tuple[int, int], ...] = ()

    def again(self, other: Point, life: Iterable[int]) -> bool:
        """Whether both stand in a loop that is not among those around the life of a name: each may run after the
        other."""
        return not set(self.loops).intersection(other.loops).issubset(life)

    def excludes(self, other: Point) -> bool:
        """Whether the two stand in different branches of one `if`."""
        return any(number == n and branch != b for number, branch in self.branches for n, b in other.branches)


class Facts:
    """Definitions, uses and writes of a function, and which names are views of which."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.definition: dict[str, Stmt | None] = {param.name: None for param in function.params}
        self.point: dict[int, Point] = {}
        self.defined_at: dict[str, Point] = {param.name: Point(-1, ()) for param in function.params}
        self.uses: dict[str, list[tuple[Point, Stmt | None]]] = {}
        self.writes: list[tuple[str, Point, Let]] = []
        self.handlers: list[tuple[int, int, int]] = []  # of every `try`: where body and handler begin, and the end
        self._count = 0
        self._by_root: dict[str, list[str]] | None = None
        self._paths: dict[str, tuple[str, tuple[str, ...], tuple[Atom, ...]]] = {}
        self._scan(function.body, Point(0))
        self.written_through = self._written_through()
        self.end = Point(self._next())
        for name in variables(function.body.results):
            self.uses.setdefault(name, []).append((self.end, None))

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _scan(self, block: Block, around: Point) -> None:
        for stmt in block.stmts:
            point = replace(around, number=self._next())
            self.point[id(stmt)] = point
            self._use(own_atoms(stmt), point, stmt)
            if isinstance(stmt, Let) and isinstance(stmt.op, WRITERS) and isinstance(stmt.args[0], Var):
                self.writes.append((stmt.args[0].name, point, stmt))
            inner = replace(point, loops=(*point.loops, point.number)) if isinstance(stmt, Loop) else point
            if isinstance(stmt, Loop):
                names = [*stmt.params, *([stmt.variable] if isinstance(stmt, For) else [])]
                for name in names:
                    self.definition[name], self.defined_at[name] = stmt, inner
            if isinstance(stmt, Try):
                self.definition[stmt.error], self.defined_at[stmt.error] = stmt, point
            starts: list[int] = []
            for which, child in enumerate(blocks(stmt)):
                starts.append(self._count)
                if isinstance(stmt, If):
                    inner = replace(point, branches=(*point.branches, (point.number, which)))
                self._scan(child, inner)
                self._use(child.results, replace(inner, number=self._next()), stmt)
            if isinstance(stmt, Try):
                self.handlers.append((starts[0], starts[1], self._count))
            for name in defined(stmt):
                self.definition[name], self.defined_at[name] = stmt, replace(around, number=self._count)

    def _use(self, atoms: Iterable[Atom], point: Point, stmt: Stmt) -> None:
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

    def _replaced(self, name: str, writes: list[tuple[Point, Let]]) -> bool:
        """Whether an element that is written may by then have been replaced in its container by another one."""
        let = self.definition.get(name)
        if not isinstance(let, Let) or not (self.is_field(let) or self._is_subscript_of_container(let)):
            return False
        point = self.defined_at[name]
        assert isinstance(let.args[0], Var)
        taken = self.path(let.args[0].name)[:2]
        owners = [(w, write.args[0]) for w, write in writes]
        slots = [w for w, owner in owners if isinstance(owner, Var) and self.path(owner.name)[:2] == taken]
        return any(_between(point, w, use) for w in slots for use, _ in self.uses.get(name, []))

    def is_temporary(self, name: str, last: Let) -> bool:
        """Whether a value is new memory or a number, and is used by no one after the statement `last`."""
        point = self.point[id(last)]
        for use, stmt in self.uses.get(name, []):
            again = use.again(point, self.defined_at[name].loops)
            later = use.number > point.number and not use.excludes(point) and not self._instead(point, use)
            if again or (stmt is not last and later):
                return False
        return not self._is_held(name) and self._is_new(name, set())

    def _is_held(self, name: str) -> bool:
        """Whether a container, or what may be a view, goes on holding a value."""
        for _, stmt in self.uses.get(name, []):
            if not isinstance(stmt, Let):
                continue
            if isinstance(stmt.op, Make) and not is_index(stmt):
                return True
            if isinstance(stmt.op, Append | Store) and Var(name) in stmt.args[1:] and self._holds(stmt.args[0]):
                return True
        return False

    def _holds(self, owner: Atom) -> bool:
        return isinstance(owner, Var) and self.kind(owner.name) != "array"

    def _instead(self, point: Point, use: Point) -> bool:
        """Whether a use in a handler runs only where a statement of the body has raised, or has not been reached."""
        return any(body < point.number <= handler < use.number <= end for body, handler, end in self.handlers)

    def _is_new(self, name: str, seen: set[str]) -> bool:
        if name in seen:
            return True
        seen.add(name)
        stmt = self.definition.get(name)
        if isinstance(stmt, Let):
            return makes_new(stmt, self.function.types)
        if stmt is None:
            return False
        found = sources(stmt, name)
        return bool(found) and all(
            self._is_number(source)
            or (self._is_new(source, seen) and not self._seen_after(source, stmt) and not self._is_held(source))
            for source in variables(found)
        )

    def _seen_after(self, source: str, join: Stmt) -> bool:
        """Whether what becomes the value of a name at a join is handed to another one there too, or used later."""
        point, end = self.point[id(join)], max(self.defined_at[name].number for name in defined(join))
        handed = [use for use, stmt in self.uses.get(source, []) if stmt is join]
        inside = point.number < self.defined_at[source].number <= end
        return len(handed) > 1 or any(
            use.number > point.number and not any(use.excludes(other) for other in handed)
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
        if isinstance(stmt.op, Attr) and stmt.op.name in ("T", "mT") and not self.is_field(stmt):
            return stmt.args[0].name, f".{stmt.op.name}", None
        if stmt.op == Attr("flat") and self.kind(stmt.args[0].name) == "array":
            return stmt.args[0].name, ".flat", None
        if stmt.op == Fn(operator.getitem) and self._is_view(stmt):
            return stmt.args[0].name, "[]", stmt.args[1]
        if stmt.op in (Method("transpose"), Fn(np.transpose)) and len(stmt.args) == 1 and not stmt.keywords:
            return stmt.args[0].name, ".T", None
        shape = reshaped_to(stmt)
        if shape is not None and self._is_contiguous(stmt.args[0].name):
            return stmt.args[0].name, "reshape", shape
        if isinstance(stmt.op, Attr) and self.is_field(stmt) and name in self.written_through:
            return stmt.args[0].name, ".", Const(stmt.op.name)
        return None

    def _is_contiguous(self, name: str) -> bool:
        """Whether the elements of an array are known to stand in memory in their order, so that `reshape` is a view."""
        let = self.definition.get(name)
        if not isinstance(let, Let):
            return False
        if (let.op, len(let.args)) in _IN_ORDER and all(pair in _ORDERED for pair in let.keywords):
            return True
        if any(pair in _ORDERED[1:] for pair in let.keywords):
            return let.op in (Fn(np.zeros_like), Fn(np.ones_like), Fn(np.empty_like), Fn(np.copy))
        known = self.type(name)
        if known is not None and known.kind == "array" and known.rank == 1 and self._is_new(name, set()):
            return True
        if reshaped_to(let) is not None or (let.op == Fn(operator.getitem) and _takes_first(let.args[1])):
            return isinstance(let.args[0], Var) and self._is_contiguous(let.args[0].name)
        return False

    def is_field(self, let: Let) -> bool:
        """Whether a let takes a field of an object."""
        return isinstance(let.op, Attr) and any(self.kind(name) == "record" for name in variables(let.args))

    def _is_element(self, let: Let) -> bool:
        """Whether a subscript takes an element of a container, an object of its own, and no view."""
        assert isinstance(let.args[0], Var)
        return self.kind(let.args[0].name) in CONTAINERS

    def _is_subscript_of_container(self, let: Let) -> bool:
        return let.op == Fn(operator.getitem) and self._is_element(let)

    def takes_slice(self, let: Let) -> bool:
        """Whether a subscript is a slice: of a list or a tuple a new one, of an array a view."""
        index = let.args[1]
        return self.kind(index.name) == "slice" if isinstance(index, Var) else isinstance(index.value, slice)

    def _is_view(self, let: Let) -> bool:
        assert let.target is not None
        kind = self.type(let.target)
        if (kind is not None and kind.kind == "scalar") or self._is_number_of_array(let):
            return False
        if self._is_element(let):
            return let.target in self.written_through and not self.takes_slice(let)
        return not self.is_advanced(let.args[1])

    def type(self, name: str) -> Type | None:
        return self.function.types.get(name)

    def kind(self, name: str) -> str:
        known = self.type(name)
        return "unknown" if known is None else known.kind

    def is_advanced(self, index: Atom) -> bool:
        """Whether an index makes a copy: an array or a list of integers, a mask."""
        if isinstance(index, Const):
            parts = index.value if isinstance(index.value, tuple) else (index.value,)
            return any(isinstance(part, list | np.ndarray) for part in parts)
        known = self.type(index.name)
        if known is None:
            return False
        if known.kind == "tuple":
            return any(item.kind in ("array", "list") for item in known.items)
        return known.kind in ("array", "list") and known.rank != 0

    def path(self, name: str) -> tuple[str, tuple[str, ...], tuple[Atom, ...]]:
        """The object that a name shows: its root, the way to the part, the indices on that way."""
        if name not in self._paths:
            found = self.base(name)
            if found is None:
                self._paths[name] = name, (), ()
            else:
                owner, step, index = found
                root, steps, indices = self.path(owner)
                self._paths[name] = root, (*steps, step), indices if index is None else (*indices, index)
        return self._paths[name]

    def roots(self) -> dict[str, list[tuple[Point, Let]]]:
        """The objects that are written, and where."""
        found: dict[str, list[tuple[Point, Let]]] = {}
        for name, point, let in self.writes:
            found.setdefault(self.path(name)[0], []).append((point, let))
        return found

    # Refusals

    def problem(self, root: str, writes: list[tuple[Point, Let]]) -> str:
        """Why writes into an object cannot be told from writes into another one; empty where they can."""
        stmt = self.definition.get(root)
        shown = root.partition(".")[0].lstrip("_")
        if isinstance(stmt, Let):
            if isinstance(stmt.op, Global):
                return f"this writes into `{shown}`, which is not the function's own"
            shows = may_be_view(stmt, self.function.types) and not self._is_of_temporaries(stmt)
            if shows or isinstance(stmt.op, Pop):
                return f"`{shown}` may share its memory with another array, and this writes into it"
        elif stmt is not None and self.kind(root) != "array":
            return f"`{shown}` is one of several objects here, and this writes into it"
        for name in self.names_of(root):
            if self._may_be_part_list(name):
                part = name.partition(".")[0].lstrip("_")
                return f"whether `{part}` is a list or a view of `{shown}`, into which this writes, is not known"
            let = self.definition.get(name)
            element = isinstance(let, Let) and self._is_subscript_of_container(let)
            if name != root and self.kind(name) == "unknown" and not element and self._changes_meanwhile(name, writes):
                part = name.partition(".")[0].lstrip("_")
                return f"whether `{part}` is a number or a view of `{shown}`, into which this writes, is not known"
            if self._may_copy(name) and (name in self.written_through or self._changes_meanwhile(name, writes)):
                part = name.partition(".")[0].lstrip("_")
                return f"whether `{part}` is a copy or a view of `{shown}`, into which this writes, is not known"
            if name != root and self._replaced(name, writes):
                return f"`{shown}` may go under a second name and this writes into it"
        return ""

    def _is_number_of_array(self, let: Let) -> bool:
        """Whether this takes one number out of an array, of whatever dtype: an integer for every axis."""
        if let.op != Fn(operator.getitem) or not isinstance(let.args[0], Var):
            return False
        whole, index = self.type(let.args[0].name), let.args[1]
        known = self.type(index.name) if isinstance(index, Var) else type_of(index.value)
        items = known.items if known is not None and known.kind == "tuple" else (known,)
        numbers = [item for item in items if item is not None and item.kind == "scalar" and item.dtype is not None]
        return whole is not None and whole.rank == len(items) == sum(t.dtype.kind in "iu" for t in numbers if t.dtype)

    def _may_copy(self, name: str) -> bool:
        """Whether a name is a part of an array by an index that is a number or an array, which one is not known."""
        let = self.definition.get(name)
        if not isinstance(let, Let) or let.op != Fn(operator.getitem) or not isinstance(let.args[0], Var):
            return False
        index = self.type(let.args[1].name) if isinstance(let.args[1], Var) else INT
        items = index.items if index is not None and index.kind == "tuple" else (index,)
        open_ended = any(item is None or item.kind == "unknown" for item in items)
        return open_ended and self.kind(let.args[0].name) not in CONTAINERS

    def _is_of_temporaries(self, let: Let) -> bool:
        """Whether an operation shows memory that was made for it alone, if it shows any."""
        names = [name for name in variables(let.args) if not self._is_number(name)]
        return isinstance(let.op, Fn | Method) and all(self.is_temporary(name, let) for name in names)

    def _may_be_part_list(self, name: str) -> bool:
        """Whether a name that is written is a slice of what may be a list, and then is a new one, or an array."""
        let = self.definition.get(name)
        if not isinstance(let, Let) or let.op != Fn(operator.getitem) or name not in self.written_through:
            return False
        return isinstance(let.args[0], Var) and self.kind(let.args[0].name) == "unknown" and self.takes_slice(let)

    def _changes_meanwhile(self, name: str, writes: list[tuple[Point, Let]]) -> bool:
        """Whether a write may run between the taking of a part and a use of it."""
        uses = [
            use
            for use, stmt in self.uses.get(name, [])
            if not (isinstance(stmt, Let) and stmt.args[:1] == (Var(name),) and isinstance(stmt.op, WRITERS))
        ]
        return any(_between(self.defined_at[name], w, use) for w, _ in writes for use in uses)

    def names_of(self, root: str) -> list[str]:
        """All names for an object or parts of it."""
        if self._by_root is None:
            self._by_root = {}
            for name in self.definition:
                self._by_root.setdefault(self.path(name)[0], []).append(name)
        return self._by_root.get(root, [])

    def later(self, root: str, write: Point, point: Point) -> bool:
        """Whether a write into an object may run after a point at which the same object was seen."""
        again = write.again(point, self.defined_at[root].loops)
        return again or (write.number > point.number and not write.excludes(point))

    def reads(self, name: str, inside: bool = False) -> Iterator[Point]:
        """Where a name's object is looked at, or handed on; the caller looks at a parameter's at the end.

        To ask for a shape is no look at the contents. To take an element out of a container is none at what the element
        holds, for those who ask what `inside` of the object is looked at.
        """
        for point, stmt in self.uses.get(name, []):
            if isinstance(stmt, Let) and self._looks_away(stmt, name, inside):
                continue
            yield point
        if self.definition[name] is None:
            yield self.end

    def _looks_away(self, let: Let, name: str, inside: bool) -> bool:
        if isinstance(let.op, Store | Append):
            return let.args[0] == Var(name) and Var(name) not in let.args[1:]
        if let.op in SHAPES and let.args == (Var(name),) and self.kind(name) == "array":
            return True
        return inside and self.takes_part(let) and let.args[0] == Var(name) and self.kind(name) in CONTAINERS

    def takes_part(self, let: Let) -> bool:
        """Whether an operation gives an element of a container, or a field of an object."""
        if not let.args or not isinstance(let.args[0], Var):
            return False
        if let.op == Fn(operator.getitem):
            return not self.takes_slice(let) or self.kind(let.args[0].name) not in CONTAINERS
        return isinstance(let.op, Pop | Attr)


def makes_new(let: Let, types: Mapping[str, Type]) -> bool:
    """Whether the result of an operation is a number, or memory that no operand shares."""
    if may_be_view(let, types):
        return False
    if not isinstance(let.op, Fn):
        return let.op == Method("copy")
    target, rule = let.op.target, rule_of(let)
    if is_inplace(let.op) or (rule is not None and rule.form in ("elementwise", "bilinear")):
        return True
    module = str(getattr(target, "__module__", ""))
    return module.partition(".")[0] == "numpy" or target is zeros or (target is sum and len(let.args) == 1)


def sources(stmt: Stmt | None, name: str) -> list[Atom]:
    """The atoms that may become the value of a name at a join, those of a loop being its start and what an iteration
    yields; none for what is no join."""
    if isinstance(stmt, Branch):
        return [source for target, *both in joins(stmt) if target == name for source in both]
    if isinstance(stmt, For | While) and (name in stmt.params or name in stmt.targets[stmt.stops :]):
        at = (stmt.params if name in stmt.params else stmt.targets[stmt.stops :]).index(name)
        return [stmt.inits[at], stmt.body.results[stmt.stops + at]]
    return []


def is_index(let: Let) -> bool:
    """Whether a let makes a slice or a text: nothing that holds its operands."""
    return isinstance(let.op, Make) and let.op.kind in ("slice", "fstring")


def reshaped_to(let: Let) -> Atom | None:
    """The shape that a call of `reshape` or `ravel` asks for; None for all else, and where it is several atoms."""
    if let.keywords or not isinstance(let.args[0] if let.args else None, Var):
        return None
    if let.op in (Method("ravel"), Fn(np.ravel)):
        return Const(-1) if len(let.args) == 1 else None
    if let.op == Fn(np.reshape):
        return let.args[1] if len(let.args) == 2 else None
    if let.op != Method("reshape") or len(let.args) < 2:
        return None
    sizes = [atom.value for atom in let.args[1:] if isinstance(atom, Const)]
    several = Const(tuple(sizes)) if len(sizes) == len(let.args) - 1 else None
    return let.args[1] if len(let.args) == 2 else several


def _takes_first(index: Atom) -> bool:
    """Whether a subscript takes one element, or consecutive ones, along the first axis."""
    if isinstance(index, Const) and isinstance(index.value, slice):
        return index.value.step is None
    return isinstance(index, Const) and isinstance(index.value, int)


def may_be_view(let: Let, types: Mapping[str, Type]) -> bool:
    """Whether the result of an operation may share memory with an operand, other than by a basic subscript or `.T`."""
    match let.op:
        case Attr(name):
            return name in _VIEW_ATTRIBUTES and name not in ("T", "mT")
        case Invoke():
            return True
        case Method(name):
            # `conj` of what is not complex is the array itself.
            return name in _VIEW_NAMES or name in ("conj", "conjugate") or asks_for_no_copy(name, let.keywords)
        case Fn(np.diag):
            known = types.get(next(variables(let.args[:1]), ""))
            return known is None or known.rank != 1  # of a vector it is a new matrix
        case Fn(target):
            name = getattr(target, "__name__", "")
            return name in _VIEW_NAMES or target in (min, max) or asks_for_no_copy(name, let.keywords)
        case _:
            return False


def _between(start: Point, write: Point, use: Point) -> bool:
    """Whether a write may run after a definition and before a use of what it defined."""
    return start.number < write.number < use.number or write.again(use, start.loops)
