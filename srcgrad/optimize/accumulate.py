"""Recognises sums that are accumulated in place, before differentiation.

Before:                                            After:

    _item.3 = load[](u.0, i.1)
    _total.4 = operator.add(_item.3, d.2)
    store[](u.0, i.1, _total.4)                        iadd[](u.0, i.1, d.2)

The adjoint of `u[i] += d` leaves the adjoint of `u` alone, that of a store clears it and adds it back. The other way,
an update by another operator is written as load, operation and store, for which there are adjoints; likewise a sum
whose index may hold an element twice, because `u[i] += d` then counts one of the occurrences.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from srcgrad import ir
from srcgrad.abstract import infer
from srcgrad.optimize.rewriter import Rewriter, with_blocks
from srcgrad.types import CONTAINERS, Type

_SUMS: Mapping[Any, Callable[[Any, Any], Any]] = {operator.add: operator.iadd, operator.sub: operator.isub}
_BINARY: Mapping[Any, Callable[[Any, Any], Any]] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.ifloordiv: operator.floordiv,
    operator.imod: operator.mod,
    operator.ipow: operator.pow,
    operator.imatmul: operator.matmul,
}


def stores_to_updates(function: ir.Function) -> ir.Function:
    return _ToUpdates(function).run()


def updates_to_stores(function: ir.Function) -> ir.Function:
    return _ToStores(function).run()


def is_basic(index: Type) -> bool:
    """Whether an index is known to hold no element twice: integers, slices, masks."""
    match index.kind:
        case "slice" | "none" | "scalar" | "object":  # what has no elements: an object is the Ellipsis
            return True
        case "array":
            return index.dtype is not None and index.dtype.kind == "b"
        case "tuple":
            return all(map(is_basic, index.items))
        case _:
            return False


class _ToUpdates(Rewriter):
    """`definitions` has the lets of the function, `uses` how often a name is used."""

    def __init__(self, function: ir.Function) -> None:
        super().__init__(function)
        self.uses = Counter(ir.uses(function.body))
        lets = (stmt for stmt in ir.walk(function.body) if isinstance(stmt, ir.Let))
        self.definitions = {let.target: let for let in lets if let.target is not None}

    def run(self) -> ir.Function:
        return replace(self.function, body=self.block(self.function.body), types=self.types)

    def block(self, block: ir.Block) -> ir.Block:
        stmts: list[ir.Stmt | None] = []
        position: dict[str, int] = {}
        written: dict[str, int] = {}
        for stmt in block.stmts:
            stmt = with_blocks(stmt, map(self.block, ir.blocks(stmt)))
            if isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Store):
                stmt = self.store(stmt, stmts, position, written)
            position.update((name, len(stmts)) for name in ir.defined(stmt))
            written.update((name, len(stmts)) for name in _written(stmt))
            stmts.append(stmt)
        return replace(block, stmts=tuple(stmt for stmt in stmts if stmt is not None))

    def store(
        self, store: ir.Let, stmts: list[ir.Stmt | None], position: dict[str, int], written: dict[str, int]
    ) -> ir.Let:
        """The store, or the update that takes its place; then the load and the sum are taken out of `stmts`."""
        buffer, *_, value = store.args
        total = self.once(value, position)
        if total is None or not isinstance(total.op, ir.Fn) or total.op.target not in _SUMS or total.keywords:
            return store
        for item, other in (total.args, total.args[::-1])[: 1 + (total.op.target is operator.add)]:
            load = self.once(item, position)
            if load is None or not self.fits(store, load, other):
                continue
            assert isinstance(buffer, ir.Var)
            assert load.target is not None
            assert total.target is not None
            if written.get(buffer.name, -1) > position[load.target]:
                continue
            for name in (load.target, total.target):
                stmts[position[name]] = None
                self.types.pop(name, None)
            assert isinstance(store.op, ir.Store)
            update = ir.Update(store.op.path, _SUMS[total.op.target])
            return replace(store, op=update, args=(*store.args[:-1], other))
        return store

    def once(self, atom: ir.Atom, position: dict[str, int]) -> ir.Let | None:
        """The let of this block whose target is used here alone."""
        if not isinstance(atom, ir.Var) or self.uses[atom.name] != 1 or atom.name not in position:
            return None
        let = self.definitions.get(atom.name)
        return None if let is None or let.effect else let

    def fits(self, store: ir.Let, load: ir.Let, other: ir.Atom) -> bool:
        """Whether the load reads what is stored, and adding in place gives the same numbers, bit for bit."""
        if not isinstance(load.op, ir.Load) or not isinstance(store.op, ir.Store) or load.op.path != store.op.path:
            return False
        if load.args[0] != store.args[0] or not all(map(self.same, load.args[1:], store.args[1:-1])):
            return False
        return all(is_basic(self.type(index)) for index in load.args[1:]) and self.keeps_type(load, other)

    def keeps_type(self, load: ir.Let, other: ir.Atom) -> bool:
        """Whether the sum has the shape of the item, and its dtype can be cast to that of the array in place."""
        whole, item, added = self.type(load.args[0]), self.type(ir.Var(load.target or "")), self.type(other)
        if whole.kind != "array" or whole.dtype is None or added.dtype is None or not whole.inexact:
            return False
        if item.rank is None or added.rank is None or added.rank > item.rank:
            return False
        return added.dtype.kind != "c" or whole.dtype.kind == "c"

    def same(self, left: ir.Atom, right: ir.Atom) -> bool:
        """Whether two indices are equal: one name, or computed alike."""
        if left == right:
            return True
        if not isinstance(left, ir.Var) or not isinstance(right, ir.Var):
            return False
        one, two = self.definitions.get(left.name), self.definitions.get(right.name)
        if one is None or two is None or not (_is_index_part(one) and _is_index_part(two)):
            return False
        if one.op != two.op or len(one.args) != len(two.args):
            return False
        return all(map(self.same, one.args, two.args))


def _is_index_part(let: ir.Let) -> bool:
    """Whether a let builds an index out of values: its result depends on its operands alone."""
    arithmetic = isinstance(let.op, ir.Fn) and let.op.target in (operator.add, operator.sub, operator.neg, operator.mul)
    return (arithmetic or isinstance(let.op, ir.Make)) and not let.keywords and not let.effect


def _written(stmt: ir.Stmt) -> set[str]:
    """The buffers that a statement, or one inside of it, writes to."""
    inner = (each for block in ir.blocks(stmt) for each in ir.walk(block))
    return {name for each in (stmt, *inner) if (name := ir.written_buffer(each)) is not None}


class _ToStores(Rewriter):
    def let(self, let: ir.Let) -> None:
        if not isinstance(let.op, ir.Update) or not self.needed(let.op, let):
            self.emit(self.through_tuple(let))
            return
        buffer, *indices, value = let.args
        path = let.op.path
        item = self.compute(ir.Load(path), (buffer, *indices), "_item", let)
        result = self.compute(ir.Fn(_BINARY[let.op.operator]), (item, value), "_new", let)
        if path and self.holder(let).kind in CONTAINERS and self.type(item).kind == "array":
            path, indices = (*path, "[]"), [*indices, ir.Const(...)]  # the element stays the array that it is
        self.emit(replace(let, op=ir.Store(path), args=(buffer, *indices, result)))

    def through_tuple(self, let: ir.Let) -> ir.Let:
        """An update of an array in a tuple, of all of its elements: Python cannot put it back into its place."""
        if not isinstance(let.op, ir.Update) or self.type(let.args[0]).kind not in CONTAINERS or not let.op.path:
            return let
        *args, value = let.args
        if self.holder(let).kind != "tuple":
            return let
        return replace(let, op=replace(let.op, path=(*let.op.path, "[]")), args=(*args, ir.Const(...), value))

    def holder(self, update: ir.Let) -> Type:
        """The type of the array or container whose part an update changes."""
        load, args = ir.holder_of(update)
        return infer(load, [self.operand(arg) for arg in args], {})

    def selects(self, update: ir.Let) -> bool:
        """Whether what is updated is known to be a part of an array: no list or dict takes an array as an index."""
        index = self.type(update.args[-2])
        return self.holder(update).kind == "array" or index.kind in ("array", "list")

    def needed(self, update: ir.Update, let: ir.Let) -> bool:
        if not update.unique or update.operator not in _BINARY:
            return False
        whole = self.type(let.args[0])
        if whole.kind in CONTAINERS:
            whole = infer(ir.Load(update.path), [self.operand(arg) for arg in let.args[:-1]], {})
            if whole.kind not in ("array", "scalar") and not self.selects(let):
                return False  # whether it is changed in place or replaced is not known
        if whole.dtype is not None and whole.dtype.kind not in "fc":
            return False  # no derivative flows through it, and a store would cast where an update refuses
        repeated = not all(is_basic(self.type(index)) for index in let.args[1:-1])
        return repeated or update.operator not in _SUMS.values()

    def compute(self, op: ir.Op, args: tuple[ir.Atom, ...], hint: str, like: ir.Let) -> ir.Var:
        name = self.declare(hint, infer(op, [self.operand(arg) for arg in args], {}))
        self.emit(ir.Let(name, op, args, (), like.origin))
        return ir.Var(name)
