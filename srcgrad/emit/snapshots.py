"""Which loads need a copy: those whose value is still used after the buffer has been written again.

    s = load u[2:]                right = u[2:].copy()
    store u[1:] = s * 2           u[1:] = right * 2
    yield s                       return right

A value may be used through a view of it, a branch's or a loop's result, or a list that it was appended to.

A load that needs a copy is made two where something is computed from it before that write. What the user computed from
a strided view would come out with other last bits from a copy, because sums and products run in another order:

    _s = load q[:, j]                              _v = load q[:, j]
    _d = numpy.dot(_s, _s)                         _s = load q[:, j]        # printed with .copy()
    append(tape, _s)                               _d = numpy.dot(_v, _v)
    store q[:, j] = _d                             append(tape, _s)
                                                   store q[:, j] = _d
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from srcgrad import ir
from srcgrad.analyses.held import may_share
from srcgrad.optimize.rewriter import with_atoms, with_blocks
from srcgrad.types import UNKNOWN

_END = math.inf


@dataclass
class _Layout:
    """Where statements stand in the text, and the loops (start, end) around them."""

    position: dict[str, int] = field(default_factory=dict)
    loops: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    uses: dict[str, list[tuple[float, tuple[tuple[int, int], ...]]]] = field(default_factory=lambda: defaultdict(list))
    flows: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    carried: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)
    writes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    effects: list[float] = field(default_factory=list)
    loads: list[ir.Let] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)  # of lists, which a store into the list does not change
    deep: set[str] = field(default_factory=set)  # containers whose elements are written into


def copied_loads(function: ir.Function) -> frozenset[str]:
    """The targets of the loads that must be copied."""
    found = _Scan(function).run()
    return frozenset(load.target for load in found.loads if load.target and _overwritten(load, found))


def split_loads(function: ir.Function) -> ir.Function:
    """The function with every load that must be copied made two, a view for what is computed before the next write."""
    found = _Scan(function).run()
    copied = frozenset(load.target for load in found.loads if load.target and _overwritten(load, found))
    return _Splitter(function, found, copied).run() if copied else function


class _Splitter:
    def __init__(self, function: ir.Function, found: _Layout, copied: frozenset[str]) -> None:
        self.function, self.found, self.copied = function, found, copied
        self.names = ir.Names.after(function)
        self.types = dict(function.types)

    def run(self) -> ir.Function:
        return replace(self.function, body=self.block(self.function.body), types=self.types)

    def block(self, block: ir.Block) -> ir.Block:
        stmts = [with_blocks(stmt, map(self.block, ir.blocks(stmt))) for stmt in block.stmts]
        for load in [stmt for stmt in stmts if isinstance(stmt, ir.Let) and stmt.target in self.copied]:
            # What is written later is memory of its own, which must not be made twice.
            if load.origin.sweep == "forward" and load.target not in self.found.writes:
                self.split(load, stmts)
        return replace(block, stmts=tuple(stmts))

    def split(self, load: ir.Let, stmts: list[ir.Stmt]) -> None:
        """Gives the statements behind a load that may read the memory itself a load of their own."""
        assert load.target is not None
        at = next(i for i, s in enumerate(stmts) if isinstance(s, ir.Let) and s.target == load.target)
        found = stmts[at]  # an earlier split may have renamed what it reads
        assert isinstance(found, ir.Let)
        load = found
        assert load.target is not None
        early = self.early(load, stmts[at + 1 :])
        if not early:
            return
        view = self.names.fresh(ir.hint(load.target))
        self.types[view] = self.types.get(load.target, UNKNOWN)
        for i in early:
            stmts[at + 1 + i] = _renamed(stmts[at + 1 + i], load.target, view)
        stmts.insert(at, replace(load, target=view))

    def early(self, load: ir.Let, behind: Sequence[ir.Stmt]) -> list[int]:
        buffer = load.args[0]
        assert isinstance(buffer, ir.Var)
        assert load.target is not None
        found: list[int] = []
        for i, stmt in enumerate(behind):
            writes = any(_disturbs(inner, buffer.name) for inner in (stmt, *_inside(stmt)))
            plain = stmt.origin.sweep == "forward" and (not writes or isinstance(stmt, ir.Let))
            if plain and self.computes(stmt, load.target, buffer.name):
                found.append(i)
            if writes:
                break
        return found

    def computes(self, stmt: ir.Stmt, name: str, buffer: str) -> bool:
        """Whether a statement uses a value, and only for what it computes in its place."""
        every = (stmt, *_inside(stmt))
        used = [inner for inner in every if name in ir.variables(ir.own_atoms(inner))]
        passed = any(name in ir.variables(block.results) for inner in every for block in ir.blocks(inner))
        return bool(used) and not passed and all(self.is_computation(inner, buffer) for inner in used)

    def is_computation(self, stmt: ir.Stmt, buffer: str) -> bool:
        if not isinstance(stmt, ir.Let):
            return isinstance(stmt, ir.If)
        if isinstance(stmt.op, ir.Append) or stmt.effect or (isinstance(stmt.op, ir.Store) and self.keeps(stmt)):
            return False
        if stmt.target is None or not may_share(stmt):
            return True
        low, high = _extent(stmt.target, self.found)
        return not any(low < time < high for time in self.found.writes[buffer] + self.found.effects)

    def keeps(self, store: ir.Let) -> bool:
        """Whether what is stored stays the object that it is: in a list."""
        buffer = store.args[0]
        known = self.types.get(buffer.name) if isinstance(buffer, ir.Var) else None
        return known is None or known.kind != "array"


def _inside(stmt: ir.Stmt) -> list[ir.Stmt]:
    return [inner for block in ir.blocks(stmt) for inner in ir.walk(block)]


def _disturbs(stmt: ir.Stmt, buffer: str) -> bool:
    return isinstance(stmt, ir.Let) and (stmt.effect or ir.written_buffer(stmt) == buffer)


def _renamed(stmt: ir.Stmt, old: str, new: str) -> ir.Stmt:
    def block(block: ir.Block) -> ir.Block:
        return ir.Block(tuple(_renamed(inner, old, new) for inner in block.stmts), block.results)

    def atom(atom: ir.Atom) -> ir.Atom:
        return ir.Var(new) if atom == ir.Var(old) else atom

    return with_blocks(with_atoms(stmt, atom), map(block, ir.blocks(stmt)))


def _overwritten(load: ir.Let, found: _Layout) -> bool:
    buffer = load.args[0]
    assert isinstance(buffer, ir.Var)
    assert load.target is not None
    start = found.position[load.target]
    low, high = _extent(load.target, found)
    times = found.writes[buffer.name] + found.effects
    return any(low < time < high and time != start for time in times)


def _extent(load: str, found: _Layout) -> tuple[float, float]:
    """The stretch of the text in which the value of a load may be read."""
    start, around = found.position[load], found.loops[load]
    low, high = float(start), float(start)
    seen, pending = {load}, [load]
    while pending:
        name = pending.pop()
        if name in found.joined:  # an expression that reads it is no load, and may be written further down
            high = _END
        if name in found.kept:
            low, high = min([low, *(float(loop[0]) for loop in around)]), _END
        for time, loops in found.uses[name]:
            foreign = [loop[1] for loop in loops if loop not in around]
            high = max([high, time, *foreign])
        for follower in found.flows[name]:
            back = found.carried.get((name, follower))
            if back is not None:
                low, high = min(low, back[0]), max(high, back[1])
            if follower not in seen:
                seen.add(follower)
                pending.append(follower)
    return low, high


class _Scan:
    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.found = _Layout()
        self.time = 0

    def run(self) -> _Layout:
        self.block(self.function.body, ())
        for name in ir.variables(self.function.body.results):
            self.found.uses[name].append((_END, ()))
        written = set(self.found.writes)
        settled = {let.target for let in self.found.loads if let.target in self.found.elements} - {
            let.target for let in self.found.loads if ir.read_buffer(let) in self.found.deep
        }
        self.found.loads = [
            let for let in self.found.loads if ir.read_buffer(let) in written and let.target not in settled
        ]
        return self.found

    def kind(self, name: str) -> str:
        known = self.function.types.get(name)
        return known.kind if known is not None else "unknown"

    def block(self, block: ir.Block, loops: tuple[tuple[int, int], ...]) -> None:
        for stmt in block.stmts:
            self.time += 1
            for name in ir.variables(ir.own_atoms(stmt)):
                self.found.uses[name].append((self.time, loops))
            match stmt:
                case ir.Let():
                    self.let(stmt, loops)
                case ir.If() | ir.Try():
                    self.branches(stmt, loops)
                case _:
                    self.loop(stmt, loops)

    def results(self, block: ir.Block, targets: tuple[str, ...], loops: tuple[tuple[int, int], ...]) -> None:
        for atom, target in zip(block.results, targets, strict=True):
            if isinstance(atom, ir.Var):
                self.found.uses[atom.name].append((self.time, loops))
                self.found.flows[atom.name].append(target)
                self.found.joined.add(target)

    def let(self, let: ir.Let, loops: tuple[tuple[int, int], ...]) -> None:
        if let.target is not None:
            self.found.position[let.target] = self.time
            self.found.loops[let.target] = loops
        if let.effect:
            self.found.effects.append(self.time)
        buffer = ir.written_buffer(let)
        if buffer is not None:
            self.found.writes[buffer].append(self.time)
            if _is_deep(let):
                self.found.deep.add(buffer)
            stores_objects = isinstance(let.op, ir.Append) or (
                isinstance(let.op, ir.Store) and self.kind(buffer) not in ("array", "unknown")
            )
            if stores_objects:
                self.found.kept.update(ir.variables(let.args[-1:]))
        elif isinstance(let.op, ir.Load):
            self.load(let)
        elif may_share(let) and let.target is not None:
            for name in ir.variables(ir.own_atoms(let)):
                self.found.flows[name].append(let.target)

    def load(self, let: ir.Let) -> None:
        buffer = let.args[0]
        assert isinstance(buffer, ir.Var)
        assert let.target is not None
        element_of_list = self.kind(buffer.name) == "list" and let.op != ir.Load()
        if self.kind(let.target) != "scalar":
            self.found.loads.append(let)
            if element_of_list:
                self.found.elements.add(let.target)

    def branches(self, stmt: ir.Branch, loops: tuple[tuple[int, int], ...]) -> None:
        for inner in ir.blocks(stmt):
            self.block(inner, loops)
            self.time += 1
            self.results(inner, stmt.targets[isinstance(stmt, ir.Try) :], loops)

    def loop(self, stmt: ir.For | ir.While, loops: tuple[tuple[int, int], ...]) -> None:
        start = self.time
        end = start + 1 + sum(_length(inner) for inner in ir.blocks(stmt))
        around = (*loops, (start, end))
        targets = stmt.targets[stmt.stops :]
        for init, param, target in zip(stmt.inits, stmt.params, targets, strict=True):
            self.found.flows[param].append(target)
            if isinstance(init, ir.Var):
                self.found.flows[init.name].append(param)
        if isinstance(stmt, ir.While):
            self.block(stmt.test, around)
            for name in ir.variables(stmt.test.results):
                self.found.uses[name].append((self.time, around))
        self.block(stmt.body, around)
        self.time = end
        results = ir.Block((), stmt.body.results[stmt.stops :])
        self.results(results, stmt.params, around)
        for atom, param in zip(results.results, stmt.params, strict=True):
            if isinstance(atom, ir.Var):
                self.found.carried[atom.name, param] = (start, end)


def _is_deep(let: ir.Let) -> bool:
    """Whether a write into a container changes one of its elements, rather than which elements it has."""
    assert isinstance(let.op, ir.Store | ir.Update | ir.Append | ir.Pop)
    return len(let.op.path) > isinstance(let.op, ir.Store)


def _length(block: ir.Block) -> int:
    return sum(1 + sum(1 + _length(inner) for inner in ir.blocks(stmt)) for stmt in block.stmts)
