"""What the passes share: rebuilding statements with other atoms, facts with a scope, and a walk that rewrites lets.

Before, with `{a.1: b.2}` to be substituted:

    y.3 = operator.add(a.1, 1)

After:

    y.3 = operator.add(b.2, 1)
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from srcgrad import ir, runtime
from srcgrad.types import UNKNOWN, Type, type_of

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ARITHMETIC: frozenset[object] = frozenset(
    {
        operator.add,
        operator.sub,
        operator.mul,
        operator.truediv,
        operator.floordiv,
        operator.mod,
        operator.pow,
        operator.matmul,
        operator.neg,
    }
)
ALLOCATIONS: frozenset[object] = frozenset(
    {
        np.zeros,
        np.zeros_like,
        np.ones,
        np.ones_like,
        np.full,
        np.full_like,
        np.empty,
        np.empty_like,
        np.copy,
        np.array,
        runtime.zeros_like,
    }
)
PROTOTYPES: frozenset[object] = frozenset({np.zeros_like, np.ones_like, np.full_like, np.empty_like})
ITERATORS: frozenset[object] = frozenset({iter, zip, map, filter, enumerate, reversed})
METADATA = frozenset({"shape", "size", "ndim", "dtype"})


def is_arithmetic(let: ir.Let) -> bool:
    """Whether a let is arithmetic on whole values, whose result shares no memory with anything."""
    if not isinstance(let.op, ir.Fn) or let.effect:
        return False
    target = let.op.target
    return (isinstance(target, np.ufunc) and not let.keywords) or _among(target, ARITHMETIC)


def is_fresh(let: ir.Let) -> bool:
    """Whether a let makes an object that nothing else refers to."""
    match let.op:
        case ir.Make(kind):
            return kind in ("list", "dict")
        case ir.Method(name):
            return name == "copy"
        case ir.Fn(target):
            return is_arithmetic(let) or _among(target, ALLOCATIONS)
        case _:
            return False


def reads_type_alone(let: ir.Let, types: Mapping[str, Type]) -> bool:
    """Whether a let depends on the shape and the dtype of its first argument, not on its elements.

    What may be a list may grow: its length is what has been put into it.
    """
    match let.op:
        case ir.Attr(name):
            return name in METADATA
        case ir.Fn(target):
            first = let.args[0] if let.args else None
            known = types.get(first.name, UNKNOWN) if isinstance(first, ir.Var) else UNKNOWN
            return _among(target, PROTOTYPES) and known.kind in ("array", "scalar")
        case _:
            return False


def makes_iterator(let: ir.Let) -> bool:
    """Whether a let makes an object that can be run over once."""
    return isinstance(let.op, ir.Fn) and _among(let.op.target, ITERATORS)


def written_buffers(function: ir.Function) -> frozenset[str]:
    return function.written


def is_hashable(op: ir.Op) -> bool:
    """Whether an operation can be looked up in a table."""
    return not isinstance(op, ir.Fn) or type(op.target).__hash__ is not None


def _among(target: object, group: frozenset[object]) -> bool:
    return type(target).__hash__ is not None and target in group


def with_atoms(stmt: ir.Stmt, change: Callable[[ir.Atom], ir.Atom]) -> ir.Stmt:
    """The statement with every atom that it itself uses changed; its blocks stay. The same one if nothing changes."""
    before = ir.own_atoms(stmt)
    after = tuple(map(change, before))
    if is_same(before, after):
        return stmt
    match stmt:
        case ir.Let():
            count = len(stmt.args)
            keywords = tuple((key, atom) for (key, _), atom in zip(stmt.keywords, after[count:], strict=True))
            return ir.Let(stmt.target, stmt.op, after[:count], keywords, stmt.origin, stmt.effect)
        case ir.If():
            return replace(stmt, test=after[0])
        case ir.Try():
            return replace(stmt, caught=after[0])
        case ir.For():
            return replace(stmt, inits=after[:-1], iterable=after[-1])
        case ir.While():
            return replace(stmt, inits=after)


def is_same(before: Sequence[object], after: Sequence[object]) -> bool:
    """Whether two sequences hold the very same objects."""
    return len(before) == len(after) and all(map(operator.is_, before, after))


def with_contents(block: ir.Block, stmts: Sequence[ir.Stmt], results: Sequence[ir.Atom]) -> ir.Block:
    """The block with this in it; the same one if nothing changes."""
    if is_same(block.stmts, stmts) and is_same(block.results, results):
        return block
    return ir.Block(tuple(stmts), tuple(results))


def with_body(function: ir.Function, body: ir.Block, types: Mapping[str, Type]) -> ir.Function:
    """The function with another body; the same one if nothing changes."""
    return function if body is function.body else replace(function, body=body, types=types)


def with_blocks(stmt: ir.Stmt, blocks: Iterable[ir.Block]) -> ir.Stmt:
    """The statement with other blocks, in the order of `ir.blocks`."""
    match stmt:
        case ir.Let():
            return stmt
        case ir.If():
            then, orelse = blocks
            same = then is stmt.then and orelse is stmt.orelse
            return stmt if same else replace(stmt, then=then, orelse=orelse)
        case ir.Try():
            body, handler = blocks
            same = body is stmt.body and handler is stmt.handler
            return stmt if same else replace(stmt, body=body, handler=handler)
        case ir.For():
            (body,) = blocks
            return stmt if body is stmt.body else replace(stmt, body=body)
        case ir.While():
            test, body = blocks
            return stmt if test is stmt.test and body is stmt.body else replace(stmt, test=test, body=body)


class Scoped(Generic[K, V]):
    """A dictionary whose entries are forgotten when the scope that made them closes."""

    def __init__(self) -> None:
        self._entries: dict[K, V] = {}
        self._undo: list[dict[K, V | None]] = [{}]

    def __getitem__(self, key: K) -> V:
        return self._entries[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._undo[-1].setdefault(key, self._entries.get(key))
        self._entries[key] = value

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[K]:
        return iter(self._entries)

    def get(self, key: K) -> V | None:
        return self._entries.get(key)

    def open(self) -> None:
        self._undo.append({})

    def close(self) -> dict[K, V]:
        """Closes the innermost scope; what it made is the result."""
        made: dict[K, V] = {}
        for key, before in self._undo.pop().items():
            made[key] = self._entries.pop(key)
            if before is not None:
                self._entries[key] = before
        return made


class Rewriter:
    """Walks a function in the order of its text and builds it anew. A pass overrides `let`, which emits what takes the
    place of one let; names to be replaced from there on go into `replaced`."""

    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.types = dict(function.types)
        self.replaced: dict[str, ir.Atom] = {}
        self._open: list[list[ir.Stmt]] = []

    @cached_property
    def names(self) -> ir.Names:
        return ir.Names.after(self.function)

    def run(self) -> ir.Function:
        return with_body(self.function, self.block(self.function.body), self.types)

    def let(self, let: ir.Let) -> None:
        self.emit(let)

    def enter(self, stmt: ir.Stmt, index: int) -> None:
        """Called before block `index` of a statement is walked."""

    def leave(self, stmt: ir.Stmt, index: int) -> None:
        """Called behind it."""

    def emit(self, stmt: ir.Stmt) -> None:
        self._open[-1].append(stmt)

    def atom(self, atom: ir.Atom) -> ir.Atom:
        while isinstance(atom, ir.Var) and atom.name in self.replaced:
            atom = self.replaced[atom.name]
        return atom

    def type(self, atom: ir.Atom) -> Type:
        if isinstance(atom, ir.Var):
            return self.types.get(atom.name, UNKNOWN)
        return UNKNOWN if isinstance(atom.value, ir.Undefined) else type_of(atom.value)

    def operand(self, atom: ir.Atom) -> Type | ir.Const:
        return self.type(atom) if isinstance(atom, ir.Var) else atom

    def declare(self, hint: str, known: Type = UNKNOWN) -> str:
        name = self.names.fresh(hint)
        self.types[name] = known
        return name

    def block(self, block: ir.Block) -> ir.Block:
        self._open.append([])
        for stmt in block.stmts:
            self.stmt(with_atoms(stmt, self.atom) if self.replaced else stmt)
        return with_contents(block, self._open.pop(), [self.atom(result) for result in block.results])

    def stmt(self, stmt: ir.Stmt) -> None:
        if isinstance(stmt, ir.Let):
            self.let(stmt)
            return
        inner = []
        for index, block in enumerate(ir.blocks(stmt)):
            self.enter(stmt, index)
            inner.append(self.block(block))
            self.leave(stmt, index)
        self.emit(with_blocks(stmt, inner))


def renamed(function: ir.Function, names: Mapping[str, str]) -> ir.Function:
    """The function with other names. The new ones must not be in it."""
    if not names:
        return function

    def new(name: str) -> str:
        return names.get(name, name)

    def atom(atom: ir.Atom) -> ir.Atom:
        return ir.Var(new(atom.name)) if isinstance(atom, ir.Var) else atom

    def block(block: ir.Block) -> ir.Block:
        return ir.Block(tuple(map(stmt, block.stmts)), tuple(map(atom, block.results)))

    def stmt(stmt: ir.Stmt) -> ir.Stmt:
        stmt = with_blocks(with_atoms(stmt, atom), map(block, ir.blocks(stmt)))
        match stmt:
            case ir.Let(target=target):
                return stmt if target is None else replace(stmt, target=new(target))
            case ir.If():
                return replace(stmt, targets=tuple(map(new, stmt.targets)))
            case ir.Try():
                return replace(stmt, targets=tuple(map(new, stmt.targets)), error=new(stmt.error))
            case ir.For() | ir.While():
                stmt = replace(stmt, targets=tuple(map(new, stmt.targets)), params=tuple(map(new, stmt.params)))
                return replace(stmt, variable=new(stmt.variable)) if isinstance(stmt, ir.For) else stmt

    params = tuple(replace(param, name=new(param.name)) for param in function.params)
    types = {new(name): known for name, known in function.types.items()}
    return replace(function, params=params, body=block(function.body), types=types)


def is_temporary(name: str) -> bool:
    """Whether the compiler, not the user, made this name up."""
    return name.startswith("_")


def single_hints(function: ir.Function) -> frozenset[str]:
    """The hints that one name alone has: giving such a name to another value cannot make two that live at once."""
    names = [param.name for param in function.params] + list(ir.definitions(function.body))
    counts = Counter(map(ir.hint, names))
    return frozenset(hint for hint, count in counts.items() if count == 1)
