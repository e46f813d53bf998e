"""Activity: which names depend on the parameters of interest (varied) and influence the result (useful).

    def f(x, a):
        b = a * 2          # not varied
        c = x * b          # active
        d = x + 1          # varied, not useful
        return c
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from srcgrad.ir import (
    Append,
    Atom,
    Block,
    For,
    Function,
    If,
    Let,
    Load,
    Pop,
    Stmt,
    Store,
    Try,
    Update,
    Var,
    While,
    blocks,
    joins,
    variables,
)
from srcgrad.rules.operations import differentiable_operands
from srcgrad.types import UNKNOWN


@dataclass(frozen=True)
class Activity:
    varied: frozenset[str]
    useful: frozenset[str]

    @property
    def active(self) -> frozenset[str]:
        return self.varied & self.useful


def activity(function: Function, wrt: Iterable[str]) -> Activity:
    """The activity of every name for derivatives of all results with respect to the parameters `wrt`."""
    operands = _Operands()
    varied = _Varied(function, wrt, operands).run()
    useful = _Useful(function, operands).run()
    return Activity(frozenset(varied), frozenset(useful))


class _Operands:
    """What flows into the results of lets, looked up once for each."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, let: Let) -> tuple[str, ...]:
        if let.target is None:
            return ()
        known = self._known.get(let.target)
        if known is None:
            known = self._known[let.target] = differentiable_operands(let)
        return known


class _Spread:
    """A set of names that grows until a pass over the function adds nothing."""

    def __init__(self, function: Function, start: Iterable[str], operands: _Operands) -> None:
        self.function = function
        self.found = set(start)
        self.operands = operands

    def run(self) -> set[str]:
        size = -1
        while size != len(self.found):
            size = len(self.found)
            self.block(self.function.body)
        return self.found

    def block(self, block: Block) -> None:
        raise NotImplementedError

    def flows(self, name: str) -> bool:
        return self.function.types.get(name, UNKNOWN).differentiable

    def any(self, atoms: Iterable[Atom]) -> bool:
        return any(name in self.found for name in variables(atoms))


class _Varied(_Spread):
    def block(self, block: Block) -> None:
        for stmt in block.stmts:
            self.stmt(stmt)

    def add(self, name: str | None, condition: bool) -> None:
        if condition and name is not None and self.flows(name):
            self.found.add(name)

    def stmt(self, stmt: Stmt) -> None:
        match stmt:
            case Let(op=Store() | Update() | Append()):
                assert isinstance(stmt.args[0], Var)
                self.add(stmt.args[0].name, self.any(stmt.args[-1:]))
            case Let(op=Load() | Pop()):
                self.add(stmt.target, self.any(stmt.args[:1]))
            case Let():
                self.add(stmt.target, any(name in self.found for name in self.operands.of(stmt)))
            case If() | Try():
                if isinstance(stmt, Try):
                    self.found.add(stmt.error)  # it may carry a value that the body has computed
                for inner in blocks(stmt):
                    self.block(inner)
                for target, *values in joins(stmt):
                    self.add(target, self.any(values))
            case For() | While():
                self._loop(stmt)

    def _loop(self, loop: For | While) -> None:
        if isinstance(loop, While):
            self.block(loop.test)
        else:
            self.add(loop.variable, self.any([loop.iterable]))
        self.block(loop.body)
        results, targets = loop.body.results[loop.stops :], loop.targets[loop.stops :]
        for param, init, result, target in zip(loop.params, loop.inits, results, targets, strict=True):
            self.add(param, self.any([init, result]))
            self.add(target, self.any([init, result]))


class _Useful(_Spread):
    def __init__(self, function: Function, operands: _Operands) -> None:
        super().__init__(function, variables(function.body.results), operands)

    def block(self, block: Block) -> None:
        for stmt in reversed(block.stmts):
            self.stmt(stmt)

    def add(self, atoms: Iterable[Atom]) -> None:
        self.found.update(variables(atoms))

    def stmt(self, stmt: Stmt) -> None:
        match stmt:
            case Let(op=Store() | Update() | Append()):
                if self.any(stmt.args[:1]):
                    self.add(stmt.args[-1:])
            case Let(op=Load() | Pop()):
                if stmt.target in self.found:
                    self.add(stmt.args[:1])
            case Let():
                if stmt.target in self.found:
                    self.found.update(self.operands.of(stmt))
            case If() | Try():
                for target, *values in joins(stmt):
                    if target in self.found:
                        self.add(values)
                for inner in blocks(stmt):
                    self.block(inner)
            case For() | While():
                self._loop(stmt)

    def _loop(self, loop: For | While) -> None:
        results, targets = loop.body.results[loop.stops :], loop.targets[loop.stops :]
        for param, init, result, target in zip(loop.params, loop.inits, results, targets, strict=True):
            if target in self.found or param in self.found:
                self.add([init, result])
        self.block(loop.body)
        if isinstance(loop, While):
            self.block(loop.test)
        elif loop.variable in self.found:
            self.add([loop.iterable])
