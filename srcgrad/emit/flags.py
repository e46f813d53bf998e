"""Which flags that stop a loop are written as `break`.

    stop.9 = for ... stops                     for ...:
      _stop.8 = if _c.6                            if c:
        yield True                                     break
      else                                         x = x + 1
        x.7 = ...
        yield False
      yield _stop.8
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from srcgrad import ir


@dataclass(frozen=True)
class Flags:
    """`consumed`: the flags that no variable is needed for; `tests`: the other names that stop a loop, by the loop's
    first target; they are read when an iteration's results have been assigned."""

    consumed: frozenset[str]
    tests: dict[str, tuple[str, ...]]

    def tested(self, loop: ir.For | ir.While) -> tuple[str, ...]:
        return self.tests.get(loop.targets[0], ()) if loop.stops else ()

    @property
    def pinned(self) -> set[str]:
        return {name for names in self.tests.values() for name in names}


def find_flags(function: ir.Function) -> Flags:
    """The flags of every loop that may end early."""
    counts = Counter(ir.uses(function.body))
    consumed: set[str] = set()
    tests: dict[str, tuple[str, ...]] = {}
    for stmt in ir.walk(function.body):
        if isinstance(stmt, ir.Loop) and stmt.stops:
            tested: list[str] = []
            _follow(stmt.body, stmt.body.results[0], counts, consumed, tested)
            tests[stmt.targets[0]] = tuple(tested)
    return Flags(frozenset(consumed), tests)


def _follow(block: ir.Block, flag: ir.Atom, counts: Counter[str], consumed: set[str], tested: list[str]) -> None:
    if not isinstance(flag, ir.Var):
        return
    last = block.stmts[-1] if block.stmts else None
    if not isinstance(last, ir.If) or flag.name not in last.targets or counts[flag.name] != 1:
        tested.append(flag.name)
        return
    consumed.add(flag.name)
    for inner in ir.blocks(last):
        _follow(inner, inner.results[last.targets.index(flag.name)], counts, consumed, tested)
