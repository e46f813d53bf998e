"""What the reverse sweep of a loop reads of the forward sweep: recorded on a tape, or computed again.

    for i in range(n):                                        ->    for i in reversed(range(n)):
                                        s = s_tape.pop()
                                        item = x[i]                 # computed again: nothing to keep

A name that an iteration defines and its reverse iteration reads is appended to a list where it is defined, and popped
at the start of the reverse block that mirrors it. Memory is appended at the end of the block, after all writes into it.
Not recorded are the variable of the loop, which the reversed range
gives again, and what costs no more to compute again than to keep: subscripts of arrays that are never written, index
arithmetic, shapes, tuples and slices.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from srcgrad.build import Builder
from srcgrad.frontend.rename import rename_block
from srcgrad.ir import (
    Append,
    Atom,
    Attr,
    Block,
    Const,
    Fn,
    Global,
    Let,
    Make,
    Pop,
    Stmt,
    Var,
    defined,
    hint,
    own_atoms,
    uses,
    variables,
)

_ALWAYS = (Make("tuple"), Make("slice"))
_CHEAP_ATTRIBUTES = ("shape", "ndim", "size", "dtype", "T")
_CHEAP = (
    range, len, min, max, operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod, operator.neg,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.not_, reversed,
)  # fmt: skip


@dataclass
class Tapes:
    """Decides between recording and computing again; holds the tapes of the outermost loop that is being reversed."""

    builder: Builder
    definition: Mapping[str, Stmt]
    outside: set[str]  # names defined outside of all loops
    memory: set[str]  # names of buffers
    variables: set[str] = field(default_factory=set)  # of loops whose reverse walks the same values
    made: list[Let] = field(default_factory=list)
    recorded: set[str] = field(default_factory=set)

    def record(
        self,
        forward: Sequence[Stmt],
        reverse: Block,
        entering: Sequence[str],
        given: Mapping[str, str],
        at_end: bool = False,
    ) -> tuple[list[Stmt], Block]:
        """The forward and the reverse statements of one block of a loop, with what the latter reads recorded.

        `entering` are names that have their values when the block starts; `given` maps names to those of the reverse
        sweep that have the same value. `at_end`: nothing is recorded before the whole block has run.
        """
        own = [*entering, *(name for stmt in forward for name in defined(stmt))]
        needed = self._needed(set(own), reverse)
        renamed = {name: new for name, new in given.items() if name in needed}
        pops: list[Stmt] = []
        again: list[Stmt] = []
        pushed: dict[str, Let] = {}
        for name in [name for name in own if name in needed and name not in given]:
            fresh = self.builder.declare(hint(name), self.builder.types[name]).name
            renamed[name] = fresh
            let = self.definition.get(name)
            if self.computed_again(name) and isinstance(let, Let):
                again.append(Let(fresh, let.op, let.args, let.keywords, let.origin))
            else:
                self.recorded.add(name)
                push, pop = self._tape(name, fresh)
                pushed[name] = push
                pops.append(pop)
        stmts = (*pops, *again, *reverse.stmts)
        if at_end:
            pushing = [*forward, *(self._push(push, None) for push in pushed.values())]
        else:
            pushing = self._pushing(forward, entering, pushed)
        return pushing, rename_block(Block(stmts, reverse.results), renamed)

    def _needed(self, own: set[str], reverse: Block) -> set[str]:
        needed = {name for name in uses(reverse) if name in own}
        pending = list(needed)
        while pending:
            name = pending.pop()
            let = self.definition.get(name)
            if isinstance(let, Let) and self.computed_again(name):
                for operand in variables(own_atoms(let)):
                    if operand in own and operand not in needed:
                        needed.add(operand)
                        pending.append(operand)
        return needed

    def _tape(self, name: str, fresh: str) -> tuple[Let, Let]:
        with self.builder.block() as stmts:
            shown = hint(name).lstrip("_")
            made = self.builder.let(Make("list"), (), hint=shown + ("s" if shown.endswith("_tape") else "_tape"))
        assert isinstance(made, Var)
        assert isinstance(stmts[0], Let)
        self.made.append(stmts[0])
        origin = self.builder.origin
        return Let(None, Append(), (made, Var(name)), (), origin), Let(fresh, Pop(), (made,), (), origin)

    def _pushing(self, forward: Sequence[Stmt], entering: Sequence[str], pushed: Mapping[str, Let]) -> list[Stmt]:
        stmts: list[Stmt] = [self._push(pushed[name], None) for name in entering if name in pushed]
        for stmt in forward:
            stmts.append(stmt)
            stmts += [self._push(push, stmt) for name, push in self._of(stmt, pushed) if name not in self.memory]
        for stmt in forward:
            stmts += [self._push(push, stmt) for name, push in self._of(stmt, pushed) if name in self.memory]
        return stmts

    def _of(self, stmt: Stmt, pushed: Mapping[str, Let]) -> list[tuple[str, Let]]:
        return [(name, pushed[name]) for name in defined(stmt) if name in pushed]

    def _push(self, push: Let, after: Stmt | None) -> Let:
        origin = push.origin if after is None else after.origin
        return Let(None, push.op, push.args, (), type(origin)(origin.line, origin.text, "forward"))

    # Computing again

    def computed_again(self, name: str) -> bool:
        """Whether the value of a name is computed again in the reverse sweep rather than recorded."""
        let = self.definition.get(name)
        if not isinstance(let, Let) or let.effect:
            return False
        if let.op in _ALWAYS:
            return True
        return self._cheap(let) and all(self._free(operand) for operand in own_atoms(let))

    def _cheap(self, let: Let) -> bool:
        match let.op:
            case Attr(name):
                return name in _CHEAP_ATTRIBUTES
            case Global():
                return True
            case Fn(target) if target is operator.getitem:
                return self._basic(let.args[1])
            case Fn(target):
                return target in _CHEAP and all(map(self._small, let.args))
            case _:
                return False

    def _small(self, atom: Atom) -> bool:
        known = self.builder.type(atom)
        return known.kind in ("range", "array", "list", "tuple") or (known.kind == "scalar" and known.dtype is not None)

    def _basic(self, index: Atom) -> bool:
        known = self.builder.type(index)
        parts = known.items if known.kind == "tuple" else (known,)
        return all(part.kind in ("scalar", "slice", "none", "object") for part in parts)

    def _free(self, atom: Atom) -> bool:
        """Whether a value is at hand in the reverse sweep without having been recorded."""
        if isinstance(atom, Const) or atom.name in self.outside or atom.name in self.variables:
            return True
        return self.computed_again(atom.name) and all(
            self._free(operand) for operand in own_atoms(self.definition[atom.name])
        )

