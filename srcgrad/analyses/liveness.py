"""Where in the text of a function each name holds a value that is still read.

Every point of the text has a time; a name has the times at which it is assigned, and the spans of time in which its
value is live. Two names may share one Python variable when none is assigned while the other is live.

    y.1 = operator.mul(x.0, 2)       1: reads x.0, 2: assigns y.1        x.0 live 0..3
    z.2 = operator.add(y.1, x.0)     3: reads both, 4: assigns z.2       y.1 live 2..3
    yield z.2                        5: reads z.2                        z.2 live 4..5

Liveness follows the paths that exist: a name assigned in one branch and read later, under the same test, is not live in
the other branch.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from srcgrad import ir
from srcgrad.abstract import may_raise


@dataclass
class Ranges:
    """The times at which a variable is assigned, and the disjoint spans in which it is live, in order."""

    defs: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    @property
    def first(self) -> int:
        return self.defs[0] if self.defs else 0

    @property
    def last(self) -> int:
        return max(self.ends[-1] if self.ends else 0, self.defs[-1] if self.defs else 0)

    def add(self, start: int, end: int) -> None:
        low, high = bisect_left(self.ends, start), bisect_right(self.starts, end)
        if low < high:
            start, end = min(start, self.starts[low]), max(end, self.ends[high - 1])
        self.starts[low:high] = [start]
        self.ends[low:high] = [end]

    def absorb(self, other: Ranges) -> None:
        for time in other.defs:
            insort(self.defs, time)
        for start, end in zip(other.starts, other.ends, strict=True):
            self.add(start, end)

    def live_at(self, time: int) -> bool:
        at = bisect_right(self.starts, time) - 1
        return at >= 0 and self.ends[at] >= time

    def assigned_in(self, start: int, end: int) -> bool:
        at = bisect_left(self.defs, start)
        return at < len(self.defs) and self.defs[at] <= end

    def interferes(self, other: Ranges) -> bool:
        """Whether one is assigned while the other is live."""
        small, large = (self, other) if len(self.defs) <= len(other.defs) else (other, self)
        return any(large.live_at(time) for time in small.defs) or any(
            large.assigned_in(start, end) for start, end in zip(small.starts, small.ends, strict=True)
        )


@dataclass(frozen=True)
class Printed:
    """What of a function is printed, and where.

    `leaves` gives the names that an atom reads, `skipped` the statements that print nothing where they stand; `ignored`
    are names that are never printed; `tested` gives the names that a loop reads after an iteration to see whether it
    ends.
    """

    leaves: Callable[[ir.Atom], Iterable[str]]
    skipped: Callable[[ir.Stmt], bool]
    ignored: frozenset[str]
    tested: Callable[[ir.For | ir.While], Iterable[str]]


def live_ranges(function: ir.Function, printed: Printed) -> dict[str, Ranges]:
    """The ranges of every name that has a variable."""
    return _Backward(function, printed).run()


class _Backward:
    """Walks a function from its end to its start, with the live names and the ends of their open spans."""

    def __init__(self, function: ir.Function, printed: Printed) -> None:
        self.function, self.printed, self.skipped = function, printed, printed.skipped
        self.ranges: dict[str, Ranges] = defaultdict(Ranges)
        self.live: dict[str, int] = {}
        self.time = 0
        self.under: dict[tuple[str, bool], set[str]] = defaultdict(set)
        self.free: dict[int, set[str]] = {}

    def run(self) -> dict[str, Ranges]:
        self.free_names(self.function.body)
        self.read(self.leaves(self.function.body.results))
        self.block(self.function.body)
        self.tick()
        for param in self.function.params:
            self.assign(param.name)
        return self.forward(self.time)

    def forward(self, start: int) -> dict[str, Ranges]:
        """The ranges with times that count up from 0."""
        for ranges in self.ranges.values():
            ranges.defs = sorted(time - start for time in ranges.defs)
            spans = sorted(zip(ranges.starts, ranges.ends, strict=True))
            ranges.starts, ranges.ends = [], []
            for low, high in spans:
                ranges.add(low - start, high - start)
        return dict(self.ranges)

    def leaves(self, atoms: Iterable[ir.Atom]) -> Iterator[str]:
        printed = self.printed
        return (name for atom in atoms for name in printed.leaves(atom) if name not in printed.ignored)

    def tick(self) -> None:
        self.time -= 1

    def assign(self, name: str) -> None:
        ranges = self.ranges[name]
        ranges.defs.append(self.time)
        if name in self.live:
            self.close(name)

    def close(self, name: str) -> None:
        ranges = self.ranges[name]
        ranges.starts.append(self.time)
        ranges.ends.append(self.live.pop(name))

    def read(self, names: Iterable[str]) -> None:
        for name in names:
            self.live.setdefault(name, self.time)

    def switch(self, wanted: set[str]) -> None:
        """Goes to a point of the text whose live names are known."""
        for name in self.live.keys() - wanted:
            self.close(name)
        self.tick()
        self.read(wanted)

    # Names that a block reads from outside of it, and those assigned under a test

    def free_names(self, block: ir.Block) -> tuple[set[str], set[str]]:
        used, assigned = set(self.leaves(block.results)), set()
        for stmt in block.stmts:
            if self.skipped(stmt):
                continue
            used |= set(self.leaves(ir.own_atoms(stmt)))
            assigned |= set(ir.defined(stmt))
            inner_used, inner_assigned = self.inner_names(stmt)
            used |= inner_used
            assigned |= inner_assigned
        return used - assigned, assigned

    def inner_names(self, stmt: ir.Stmt) -> tuple[set[str], set[str]]:
        pairs = [self.free_names(inner) for inner in ir.blocks(stmt)]
        if isinstance(stmt, ir.Branch):
            for polarity, (_, assigned) in zip(ir.polarities(stmt), pairs, strict=True):
                self.under[str(ir.test_of(stmt)), polarity] |= assigned
        used = set().union(*(pair[0] for pair in pairs))
        assigned = set().union(*(pair[1] for pair in pairs))
        if isinstance(stmt, ir.Loop):
            self.free[id(stmt)] = used - assigned
            assigned |= {*stmt.params, *([stmt.variable] if isinstance(stmt, ir.For) else [])}
        if isinstance(stmt, ir.Try):
            used.discard(stmt.error)
        return used, assigned

    # Statements

    def block(self, block: ir.Block, handled: Iterable[str] = ()) -> None:
        """Walks a block; `handled` are the names that are read where a statement of it raises."""
        for stmt in reversed(block.stmts):
            if self.skipped(stmt):
                continue
            match stmt:
                case ir.Let():
                    self.let(stmt)
                case ir.If():
                    self.branches(stmt, handled)
                case ir.Try():
                    self.read(handled)
                    self.attempt(stmt)
                case _:
                    self.read(handled)
                    self.loop(stmt)
            if not isinstance(stmt, ir.Let) or self.may_raise(stmt):
                self.read(handled)

    def may_raise(self, let: ir.Let) -> bool:
        """Whether a let may raise, or an expression that is folded into it."""
        return may_raise(let, self.function.types) or set(self.leaves(ir.own_atoms(let))) != set(
            ir.variables(ir.own_atoms(let))
        )

    def let(self, let: ir.Let) -> None:
        self.tick()
        if let.target is not None:
            self.assign(let.target)
        self.tick()
        self.read(self.leaves(ir.own_atoms(let)))

    def branches(self, stmt: ir.If, handled: Iterable[str] = ()) -> None:
        after = set(self.live)
        targets = set(stmt.targets)
        entries: set[str] = set()
        for polarity, inner in ((False, stmt.orelse), (True, stmt.then)):
            absent = self.under[str(stmt.test), not polarity]
            self.switch(after - absent)
            self.copies(stmt.targets, inner.results, after)
            self.block(inner, handled)
            entries |= set(self.live)
        self.switch(entries - targets)
        self.read(self.leaves((stmt.test,)))

    def attempt(self, stmt: ir.Try) -> None:
        """The flag is assigned before the `try` and at the start of the handler; what the handler reads is live in the
        body up to the last statement that may raise; Python deletes the name of the exception behind the handler."""
        after = set(self.live)
        raised, *targets = stmt.targets
        self.switch(after - self.under[raised, False])
        self.tick()
        end = self.time
        self.copies(targets, stmt.handler.results, after)
        self.block(stmt.handler)
        self.tick()
        if raised in after:
            self.ranges[raised].defs.append(self.time)
        self.tick()
        if stmt.error in self.live:
            self.ranges[stmt.error].defs.append(end)
            self.assign(stmt.error)
        handled = {*self.live, *self.leaves((stmt.caught,))} - {raised}
        self.switch(after - self.under[raised, True])
        self.copies(targets, stmt.body.results, after)
        self.block(stmt.body, handled)
        self.switch({*self.live, *handled})
        if raised in self.live:
            self.tick()
            self.assign(raised)

    def copies(self, targets: Iterable[str], sources: Iterable[ir.Atom], wanted: set[str]) -> None:
        """A parallel assignment of the wanted targets, all of whose sources are read before."""
        pairs = [(t, s) for t, s in zip(targets, sources, strict=True) if t in wanted]
        self.tick()
        for target, source in pairs:
            if source != ir.UNDEFINED:
                self.assign(target)
            elif target in self.live:
                self.close(target)
        self.tick()
        self.read(self.leaves(source for _, source in pairs))

    def loop(self, stmt: ir.For | ir.While) -> None:
        targets, flag = stmt.targets[stmt.stops :], set(stmt.targets[: stmt.stops]) & self.live.keys()
        after = set(self.live)
        self.copies(targets, [ir.Var(param) for param in stmt.params], after)
        leaving = set(self.live)
        params = set(stmt.params)
        header = leaving | self.free[id(stmt)]
        self.switch(header | set(self.printed.tested(stmt)))
        self.tick()
        for name in flag:
            self.ranges[name].defs.append(self.time)
        self.copies(stmt.params, stmt.body.results[stmt.stops :], header)
        self.block(stmt.body)
        self.enter(stmt, header, leaving)
        self.copies(stmt.params, stmt.inits, header & params)
        for name in flag:
            self.assign(name)
        if isinstance(stmt, ir.For):
            self.tick()

    def enter(self, stmt: ir.For | ir.While, header: set[str], leaving: set[str]) -> None:
        if isinstance(stmt, ir.While):
            self.switch(set(self.live) | leaving | set(self.leaves(stmt.test.results)))
            self.block(stmt.test)
            self.switch(header)
            return
        self.tick()
        self.assign(stmt.variable)
        self.switch(header)
        self.read(self.leaves((stmt.iterable,)))
