"""Separates memory from values: names whose objects are written become buffers, and are read by `Load` from here on.

    y.1 = numpy.zeros(n.0)                 y.1 = numpy.zeros(n.0)
    store[](y.1, 0, x.2)                   store[](y.1, 0, x.2)
    row.3 = operator.getitem(y.1, slice)   row.3 is the path y.1[slice], a view, and each of its uses
    z.4 = operator.mul(row.3, 2)      ->   load.5 = load[](y.1, slice)
                                           z.4 = operator.mul(load.5, 2)

A view of a buffer is re-read at each of its uses, as the view itself would show the memory then. Where a second name may
share the memory and the order of its use and of a write cannot be told to be harmless, the write is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from srcgrad.errors import AliasedWrite, Place, SrcgradError, together
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
)
from srcgrad.types import Type

_WRITERS = (Store, Update, Append, Pop)
_VIEW_ATTRIBUTES = ("T", "mT", "real", "imag", "flat")
_VIEW_NAMES = frozenset(
    "asarray asanyarray ascontiguousarray reshape ravel transpose swapaxes squeeze expand_dims moveaxis rollaxis "
    "atleast_1d atleast_2d atleast_3d broadcast_to broadcast_arrays diagonal real imag view split array_split hsplit "
    "vsplit dsplit flip fliplr flipud rot90 permute_dims matrix_transpose nan_to_num iter reversed enumerate zip "
    "real_if_close unstack".split()
)


@dataclass(frozen=True)
class _Point:
    """Where a statement stands: its number in the text, and the loops around it."""

    number: int
    loops: tuple[int, ...]


def separate_buffers(function: Function, source: Source) -> Function:
    """The function with its buffers read by `Load`; raises `AliasedWrite` where two names cannot be told apart."""
    facts = _Facts(function)
    roots = facts.roots()
    if not roots:
        return function
    offences = facts.offences(roots, source)
    if offences:
        raise together(offences)
    return _Rewriter(function, facts, roots).run()


class _Facts:
    """Definitions, uses and writes of a function, and which names are views of which."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.definition: dict[str, Stmt | None] = {param.name: None for param in function.params}
        self.point: dict[int, _Point] = {}
        self.defined_at: dict[str, _Point] = {param.name: _Point(-1, ()) for param in function.params}
        self.uses: dict[str, list[tuple[_Point, Stmt | None]]] = {}
        self.writes: list[tuple[str, _Point, Let]] = []
        self._count = 0
        self._scan(function.body, ())
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
            for child in blocks(stmt):
                self._scan(child, inner)
                self._use(child.results, _Point(self._next(), inner), stmt)
            for name in defined(stmt):
                self.definition[name], self.defined_at[name] = stmt, _Point(self._count, loops)

    def _use(self, atoms: Iterable[Atom], point: _Point, stmt: Stmt) -> None:
        for name in variables(atoms):
            self.uses.setdefault(name, []).append((point, stmt))

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

    def _is_view(self, let: Let) -> bool:
        assert let.target is not None
        kind = self._type(let.target)
        if kind is not None and kind.kind == "scalar":
            return False
        return not self._advanced(let.args[1])

    def _type(self, name: str) -> Type | None:
        return self.function.types.get(name)

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

    def offences(self, roots: dict[str, list[tuple[_Point, Let]]], source: Source) -> list[SrcgradError]:
        found: list[SrcgradError] = []
        for root, writes in roots.items():
            problem = self._problem(root, writes)
            if problem:
                let = writes[0][1]
                place = _place(source, let)
                found.append(AliasedWrite(problem, place, "write into an array made here: `y = x.copy()` first"))
        return found

    def _problem(self, root: str, writes: list[tuple[_Point, Let]]) -> str:
        stmt = self.definition.get(root)
        shown = root.partition(".")[0].lstrip("_")
        if isinstance(stmt, If | For | While):
            return f"`{shown}` is one of several arrays here, and this writes into it"
        if isinstance(stmt, Let):
            if isinstance(stmt.op, Global):
                return f"this writes into `{shown}`, which is not the function's own"
            if _may_be_view(stmt):
                return f"`{shown}` may share its memory with another array, and this writes into it"
        for name in [n for n in self.definition if self.path(n)[0] == root]:
            if self._escapes(name, writes):
                return f"`{shown}` is held under a second name, and this writes into it"
        return ""

    def _escapes(self, name: str, writes: list[tuple[_Point, Let]]) -> bool:
        """Whether a use of a buffer makes something that would see a later write."""
        for point, stmt in self.uses.get(name, []):
            if isinstance(stmt, Let) and isinstance(stmt.op, Append | Make) and not _is_index(stmt):
                if isinstance(stmt.op, Append) and stmt.args[0] == Var(name):
                    continue
                if any(_follows(w, point) for w, _ in writes):
                    return True
            if isinstance(stmt, Let) and _may_be_view(stmt) and stmt.target is not None:
                uses = self.uses.get(stmt.target, [])
                if any(_between(point, w, use) for w, _ in writes for use, _ in uses):
                    return True
            if isinstance(stmt, If | For | While) and any(_follows(w, point) for w, _ in writes):
                if not isinstance(stmt, For) or stmt.iterable != Var(name):
                    return True
            if isinstance(stmt, Let) and isinstance(stmt.op, Store) and stmt.args[-1] == Var(name):
                if self._type(stmt.args[0].name) is not None and self._type(stmt.args[0].name).kind == "list":  # type: ignore[union-attr]
                    return True
        return False


def _is_index(let: Let) -> bool:
    return isinstance(let.op, Make) and let.op.kind in ("slice", "fstring")


def _may_be_view(let: Let) -> bool:
    """Whether the result of an operation may share memory with an operand, other than by a basic subscript or `.T`."""
    match let.op:
        case Attr(name):
            return name in _VIEW_ATTRIBUTES and name not in ("T", "mT")
        case Method(name):
            return name in _VIEW_NAMES
        case Fn(target):
            return getattr(target, "__name__", "") in _VIEW_NAMES
        case _:
            return False


def _follows(write: _Point, point: _Point) -> bool:
    """Whether a write may run after a point."""
    return write.number > point.number or bool(set(write.loops) & set(point.loops))


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


class _Rewriter:
    """Replaces uses of buffers and of their views by loads."""

    def __init__(self, function: Function, facts: _Facts, roots: Iterable[str]) -> None:
        self.function = function
        self.facts = facts
        self.roots = set(roots)
        self.names = Names.after(function)
        self.types = dict(function.types)

    def run(self) -> Function:
        body = self.block(self.function.body)
        return replace(self.function, body=body, types=self.types)

    def block(self, block: Block) -> Block:
        stmts: list[Stmt] = []
        for stmt in block.stmts:
            self.stmt(stmt, stmts)
        results = tuple(self.read(atom, stmts, block.stmts[-1] if block.stmts else None) for atom in block.results)
        return Block(tuple(stmts), results)

    def buffer_path(self, atom: Atom) -> tuple[str, tuple[str, ...], tuple[Atom, ...]] | None:
        if not isinstance(atom, Var):
            return None
        found = self.facts.path(atom.name)
        return found if found[0] in self.roots else None

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
                test = read(stmt.test)
                stmts.append(replace(stmt, test=test, then=self.block(stmt.then), orelse=self.block(stmt.orelse)))
            case For():
                inits, iterable = tuple(map(read, stmt.inits)), read(stmt.iterable)
                stmts.append(replace(stmt, inits=inits, iterable=iterable, body=self.block(stmt.body)))
            case While():
                inits = tuple(map(read, stmt.inits))
                stmts.append(replace(stmt, inits=inits, test=self.block(stmt.test), body=self.block(stmt.body)))

    def let(self, let: Let, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        if isinstance(let.op, _WRITERS):
            self._write(let, stmts, read)
            return
        if let.target is not None and self.facts.base(let.target) is not None and self.buffer_path(Var(let.target)):
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
        if isinstance(let.op, Store | Update):
            let = replace(let, op=replace(let.op, path=(*path, *let.op.path)))
        stmts.append(replace(let, args=(Var(root), *indices, *rest)))
