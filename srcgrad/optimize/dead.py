"""Removes what nobody needs: values, writes to memory nobody reads, tapes without readers, carried values, loops.

Before:                                            After:

    tape.1 = make_list()                               y.5 = operator.mul(x.0, 2)
    for i.2 in n.9                                     yield y.5
      _s.3 = numpy.sin(x.0)
      append(tape.1, _s.3)
      yield
    _p.4 = pop(tape.1)
    y.5 = operator.mul(x.0, 2)
    yield y.5

Mark and sweep. Roots are the results, the effects, and the writes to memory that someone else may hold. From a live
value its operands are live; from a live read of a buffer, the writes that can run before it; from a live statement,
the tests and iterables that lead to it; from a live `try`, all that may raise in its body. Whatever is then not live
goes, cycles of carried values included. A loop whose results are not live is assumed to end: the primal ran it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from srcgrad import ir
from srcgrad.abstract import may_raise
from srcgrad.optimize.invariant import keep_carried, keep_joined, keep_targets, remove_invariant
from srcgrad.optimize.rewriter import is_fresh, makes_iterator, reads_type_alone, with_blocks, with_contents


def remove_dead(function: ir.Function) -> ir.Function:
    function = remove_invariant(function)
    while True:
        marker = _Marker(function)
        smaller = _sweep(function, marker.run())
        folded = remove_invariant(smaller)
        # What is left is all live: only fewer uses, of something that can be run over once, can change that.
        if folded is smaller and (smaller is function or not marker.consumed):
            return smaller
        function = folded


@dataclass(eq=False, slots=True)
class _Site:
    """One statement in its place. `start` and `end` number the statements in the order of the text, `inner` has the
    sites of its blocks, `slots` the live targets of a branch and the live carried values of a loop."""

    stmt: ir.Stmt
    outer: _Site | None
    start: int
    end: int = 0
    inner: list[list[_Site]] = field(default_factory=list)
    live: bool = False
    slots: set[int] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class _Buffer:
    """The writes to one buffer in the order of the text; the first `done` of them have been marked."""

    writes: list[_Site] = field(default_factory=list)
    done: int = 0


class _Marker:
    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.definitions: dict[str, tuple[_Site, int | None]] = {}
        self.buffers: dict[str, _Buffer] = {}
        self.uses = function.use_counts
        self.pending: list[_Site] = []
        self.count = 0
        self.consumed = False

    def run(self) -> list[_Site]:
        sites = self.place(self.function.body, None)
        self.roots()
        while self.pending:
            self.expand(self.pending.pop())
        return sites

    # Placing

    def place(self, block: ir.Block, outer: _Site | None) -> list[_Site]:
        return [self.site(stmt, outer) for stmt in block.stmts]

    def site(self, stmt: ir.Stmt, outer: _Site | None) -> _Site:
        self.count += 1
        site = _Site(stmt, outer, self.count)
        self.define(site)
        if isinstance(stmt, ir.Let):
            if (buffer := ir.written_buffer(stmt)) is not None:
                self.buffers.setdefault(buffer, _Buffer()).writes.append(site)
        else:
            site.inner = [self.place(block, site) for block in ir.blocks(stmt)]
        site.end = self.count
        if self.is_root(site):
            self.mark(site)
        return site

    def define(self, site: _Site) -> None:
        stmt = site.stmt
        if isinstance(stmt, ir.Let):
            if stmt.target is not None:
                self.definitions[stmt.target] = (site, None)
            return
        skipped = int(stmt.stops) if isinstance(stmt, ir.Loop) else int(isinstance(stmt, ir.Try))
        for i, name in enumerate(stmt.targets):
            self.definitions[name] = (site, i - skipped if i >= skipped else None)
        if isinstance(stmt, ir.Loop):
            self.definitions.update((name, (site, i)) for i, name in enumerate(stmt.params))
        if isinstance(stmt, ir.For):
            self.definitions[stmt.variable] = (site, None)
        if isinstance(stmt, ir.Try):
            self.definitions[stmt.error] = (site, None)

    # Roots

    def is_root(self, site: _Site) -> bool:
        match site.stmt:
            case ir.Let():
                return ir.has_effect(site.stmt) and (site.stmt.effect or ir.written_buffer(site.stmt) is None)
            case ir.For():
                consumes = self.consumes(site.stmt.iterable)
                self.consumed |= consumes
                return consumes
            case _:
                return False

    def consumes(self, iterable: ir.Atom) -> bool:
        """Whether running over this may take elements away from another reader."""
        if not isinstance(iterable, ir.Var) or self.uses[iterable.name] == 1:
            return False
        site, _ = self.definitions.get(iterable.name, (None, None))
        if site is None:
            known = self.function.types.get(iterable.name)
            return known is not None and known.kind == "object"
        stmt = site.stmt
        return isinstance(stmt, ir.Let) and (stmt.effect or makes_iterator(stmt))

    def roots(self) -> None:
        self.use_all(self.function.body.results)
        for name in self.buffers:
            if not self.is_own(name):
                self.read(name, math.inf)

    def is_own(self, name: str) -> bool:
        """Whether a buffer is made by this function."""
        site, _ = self.definitions.get(name, (None, None))
        return site is not None and isinstance(site.stmt, ir.Let) and is_fresh(site.stmt)

    # Marking

    def mark(self, site: _Site) -> None:
        if not site.live:
            site.live = True
            self.pending.append(site)

    def expand(self, site: _Site) -> None:
        """Marks what a live statement itself needs to run."""
        if site.outer is not None:
            self.mark(site.outer)
        match site.stmt:
            case ir.Let() as let:
                self.expand_let(let, site)
            case ir.If(test=test):
                self.use(test)
            case ir.Try(caught=caught):
                self.use(caught)
                self.keep(site.inner[0])
            case ir.For(iterable=iterable):
                self.use(iterable)
            case ir.While(test=test):
                self.use_all(test.results)
        if isinstance(site.stmt, ir.Loop) and site.stmt.stops:
            self.use(site.stmt.body.results[0])

    def keep(self, body: list[_Site]) -> None:
        """Marks what may raise in a body whose exceptions are handled: it decides which path is taken."""
        for site in body:
            if may_raise(site.stmt, self.function.types):
                self.mark(site)
                if (buffer := ir.read_buffer(site.stmt)) is not None:
                    self.read(buffer, self.reach(site, buffer))  # an empty list has nothing to pop
            for inner in site.inner:
                self.keep(inner)

    def expand_let(self, let: ir.Let, site: _Site) -> None:
        atoms = ir.own_atoms(let)
        self.use_all(atoms[1:])
        first = atoms[0] if atoms else None
        if not isinstance(first, ir.Var):
            return
        self.demand(first.name)
        if isinstance(let.op, ir.Load):
            self.read(first.name, self.reach(site, first.name))
        elif ir.written_buffer(let) is None and not reads_type_alone(let, self.function.types):
            self.read(first.name, math.inf)

    def use_all(self, atoms: Iterable[ir.Atom]) -> None:
        for atom in atoms:
            self.use(atom)

    def use(self, atom: ir.Atom) -> None:
        """Marks what the value of an atom needs; a buffer that is handed on may be read at any time."""
        if isinstance(atom, ir.Var):
            self.demand(atom.name)
            self.read(atom.name, math.inf)

    def demand(self, name: str) -> None:
        """Marks the definition of a name."""
        site, slot = self.definitions.get(name, (None, None))
        if site is None:
            return
        self.mark(site)
        if isinstance(site.stmt, ir.Let):
            if isinstance(site.stmt.op, ir.Pop):
                buffer = ir.written_buffer(site.stmt)
                assert buffer is not None
                self.read(buffer, self.reach(site, buffer))
        elif slot is not None and slot not in site.slots:
            site.slots.add(slot)
            self.use_all(_sources(site.stmt, slot))

    def read(self, name: str, until: float) -> None:
        """Marks the writes to a buffer that stand before a position."""
        buffer = self.buffers.get(name)
        if buffer is None:
            return
        while buffer.done < len(buffer.writes) and buffer.writes[buffer.done].start < until:
            self.mark(buffer.writes[buffer.done])
            buffer.done += 1

    def reach(self, site: _Site, buffer: str) -> int:
        """The position before which a write may run before this read: behind the outermost loop around the read that
        is not around the buffer's definition too."""
        home, _ = self.definitions.get(buffer, (None, None))
        born = 0 if home is None else home.start
        position, outer = site.start, site.outer
        while outer is not None and not outer.start < born <= outer.end:
            if isinstance(outer.stmt, ir.Loop):
                position = outer.end + 1
            outer = outer.outer
        return position


def _sources(stmt: ir.Stmt, slot: int) -> tuple[ir.Atom, ...]:
    """What a target of a branch, or a carried value of a loop, may hold."""
    match stmt:
        case ir.If():
            return stmt.then.results[slot], stmt.orelse.results[slot]
        case ir.Try():
            return stmt.body.results[slot], stmt.handler.results[slot]
        case ir.For() | ir.While():
            return stmt.inits[slot], stmt.body.results[slot + stmt.stops]
        case _:
            return ()


def _sweep(function: ir.Function, sites: list[_Site]) -> ir.Function:
    body = _live(function.body, sites)
    names = {param.name for param in function.params} | set(ir.definitions(body))
    types = {name: known for name, known in function.types.items() if name in names}
    same = body is function.body and len(types) == len(function.types)
    return function if same else replace(function, body=body, types=types)


def _live(block: ir.Block, sites: list[_Site]) -> ir.Block:
    return with_contents(block, [_rebuilt(site) for site in sites if site.live], block.results)


def _rebuilt(site: _Site) -> ir.Stmt:
    if isinstance(site.stmt, ir.Let):
        return site.stmt
    stmt = with_blocks(site.stmt, map(_live, ir.blocks(site.stmt), site.inner))
    match stmt:
        case ir.Let():
            return stmt
        case ir.If():
            return keep_targets(stmt, site.slots)
        case ir.Try():
            return keep_joined(stmt, site.slots)
        case ir.For() | ir.While():
            return keep_carried(stmt, site.slots, stmt.stops)
