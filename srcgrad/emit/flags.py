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
from dataclasses import dataclass, replace

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
        """The names that must not be folded: the form of a flag's choice is what `break` is recovered from."""
        return {*self.consumed, *(name for names in self.tests.values() for name in names)}


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


def with_flags_last(block: ir.Block) -> ir.Block:
    """The same block, in which a loop's body ends with the branch that decides whether the loop ends.

    What a pass has put behind that branch, and does not depend on it, is moved before it: `trips = trips + 1`.
    """
    return replace(block, stmts=tuple(map(_with_flags_last, block.stmts)))


def _with_flags_last(stmt: ir.Stmt) -> ir.Stmt:
    match stmt:
        case ir.Let():
            return stmt
        case ir.If():
            return replace(stmt, then=with_flags_last(stmt.then), orelse=with_flags_last(stmt.orelse))
        case ir.Try():
            return replace(stmt, body=with_flags_last(stmt.body), handler=with_flags_last(stmt.handler))
        case ir.For():
            body = with_flags_last(stmt.body)
            return replace(stmt, body=_flag_last(body) if stmt.stops else body)
        case ir.While():
            body = with_flags_last(stmt.body)
            test = with_flags_last(stmt.test)
            return replace(stmt, test=test, body=_flag_last(body) if stmt.stops else body)


def _flag_last(block: ir.Block) -> ir.Block:
    flag = block.results[0]
    if not isinstance(flag, ir.Var):
        return block
    at = next((i for i, stmt in enumerate(block.stmts) if flag.name in ir.defined(stmt)), None)
    if at is None or not isinstance(block.stmts[at], ir.If):
        return block
    branch, behind = block.stmts[at], block.stmts[at + 1 :]
    own = set(ir.defined(branch))
    if any(not _is_movable(stmt) or own.intersection(ir.variables(ir.own_atoms(stmt))) for stmt in behind):
        return block
    return replace(block, stmts=(*block.stmts[:at], *behind, branch))


def _is_movable(stmt: ir.Stmt) -> bool:
    return isinstance(stmt, ir.Let) and not ir.has_effect(stmt) and not isinstance(stmt.op, ir.Load)


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
