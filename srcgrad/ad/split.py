"""The split form of a function: a forward sweep that also returns residuals, and a backward sweep that takes them.

    def power(x, n):                      def power_forward(x, n):           -> (value, residuals)
        if n == 0:                        def power_backward(residuals, seed)  -> (x_bar, None)
            return 1.0              ->
        return x * power(x, n - 1)

Functions that are lowered on their own are differentiated in this form: the forward sweep of a call returns the
residuals of the calls inside of it among its own. What is defined on one path only is given a value on the other one
too, which nobody reads: the backward sweep takes the same path.

    else:                                         else:
        t = g(x)              ->                      t = g(x)                  # a target of the branch: None on the
        y = t * t                                     y = t * t                 # other path, 0.0 for a number
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from srcgrad.ad.control import Control
from srcgrad.ad.undefined import define_missing
from srcgrad.analyses.activity import activity
from srcgrad.frontend.rename import rename, rename_block
from srcgrad.frontend.source import Source
from srcgrad.ir import (
    Atom,
    Block,
    Branch,
    Const,
    Fn,
    Function,
    If,
    Let,
    Load,
    Make,
    Method,
    Origin,
    Param,
    Stmt,
    Var,
    blocks,
    defined,
    hint,
    uses,
    walk,
    written_buffer,
)
from srcgrad.types import UNKNOWN, Type, join


def split(
    function: Function, source: Source, active: Collection[int]
) -> tuple[Function, Function, dict[str, set[int]]]:
    """The forward and the backward sweep of a function for some active parameters, and the functions that they call in
    split form, with the positions of their active operands. Of the other parameters the cotangent is None."""
    wrt = [param.name for i, param in enumerate(function.params) if i in active]
    control = Control(function, activity(function, wrt), source)
    function = control.function
    return _Split(control, function, wrt).run()


def without_unused(forward: Function, backward: Function) -> tuple[Function, Function]:
    """The two sweeps with those residuals alone that the optimized backward sweep reads."""
    residuals = Var(backward.params[0].name)
    taken: dict[int, Const] = {}
    for stmt in backward.body.stmts:
        if isinstance(stmt, Let) and stmt.op == Fn(operator.getitem) and stmt.args[0] == residuals:
            assert isinstance(stmt.args[1], Const)
            taken[id(stmt)] = stmt.args[1]
    assert len(taken) == sum(name == residuals.name for name in uses(backward.body))  # all of them are read like this
    read = sorted({index.value for index in taken.values()})
    stmts = [
        replace(stmt, args=(residuals, Const(read.index(taken[id(stmt)].value))))
        if isinstance(stmt, Let) and id(stmt) in taken
        else stmt
        for stmt in backward.body.stmts
    ]
    *rest, pack = forward.body.stmts
    assert isinstance(pack, Let)
    packed = replace(pack, args=tuple(pack.args[i] for i in read))
    return (
        replace(forward, body=replace(forward.body, stmts=(*rest, packed))),
        replace(backward, body=replace(backward.body, stmts=tuple(stmts))),
    )


class _Split:
    def __init__(self, control: Control, function: Function, wrt: list[str]) -> None:
        self.control, self.function, self.wrt = control, function, wrt
        self.builder = control.builder

    def run(self) -> tuple[Function, Function, dict[str, set[int]]]:
        control, function = self.control, self.function
        params = [param.name for param in function.params]
        (result,) = function.body.results
        seed = self.builder.declare("seed", self._seed_type(result))
        with self.builder.block() as stmts, self.builder.at(Origin(0, "", "reverse")):
            if isinstance(result, Var) and result.name in control.active:
                control.contribute(result.name, seed)
            forward = control.block(function.body, False)
            cotangents = [self._cotangent(name) for name in params]
        control.report()
        reverse = Block(tuple(stmts), tuple(cotangents))
        used = set(uses(reverse))
        forward, kept = self._lifted(forward, used)
        kept = {**{name: Var(name) for name in params if name in used}, **kept}
        needed = {atom.name for atom in kept.values() if isinstance(atom, Var)}
        forward = define_missing(Block(tuple(forward)), {*control.recorded, *needed}).stmts
        return self._forward(forward, result, kept), self._backward(reverse, seed, kept), control.split

    def _lifted(self, stmts: Sequence[Stmt], used: set[str]) -> tuple[tuple[Stmt, ...], dict[str, Atom]]:
        """The statements of a block, and what the names that the backward sweep uses of it are called at its end."""
        lifted: list[Stmt] = []
        kept: dict[str, Atom] = {}
        for stmt in stmts:
            if isinstance(stmt, Branch):
                stmt, inner = self._lifted_branch(stmt, used)
                kept.update(inner)
            lifted.append(stmt)
            kept.update({name: Var(name) for name in defined(stmt) if name in used})
        return tuple(lifted), kept

    def _lifted_branch(self, stmt: Branch, used: set[str]) -> tuple[Branch, dict[str, Atom]]:
        """A branch with a target for everything inside of it that the backward sweep uses."""
        sides: list[Block] = []
        rows: dict[str, list[Atom]] = {}
        for i, inner in enumerate(blocks(stmt)):
            body, found = self._lifted(inner.stmts, used)
            body, atoms = self._read(body, found)
            sides.append(Block(body, inner.results))
            for name, atom in atoms.items():
                missing = self._missing(self.builder.types[name])
                rows[name] = [missing, atom] if i else [atom, missing]
        targets: dict[str, Atom] = {}
        for name, row in rows.items():
            known = join(*map(self.builder.type, row))
            targets[name] = self.builder.declare(hint(name), known)
        first, second = (
            replace(side, results=(*side.results, *(row[i] for row in rows.values()))) for i, side in enumerate(sides)
        )
        names = (*stmt.targets, *(target.name for target in targets.values() if isinstance(target, Var)))
        if isinstance(stmt, If):
            return replace(stmt, targets=names, then=first, orelse=second), targets
        return replace(stmt, targets=names, body=first, handler=second), targets

    def _missing(self, known: Type) -> Atom:
        """What a name has on the path that does not define it: a number stays a number."""
        if known.kind != "scalar" or known.dtype is None:
            return Const(None)
        return Const({"b": False, "i": 0, "u": 0}.get(known.dtype.kind, 0.0))

    def _seed_type(self, result: Atom) -> Type:
        known = self.builder.type(result)
        return Type("scalar", known.dtype) if known.kind == "scalar" else known

    def _cotangent(self, name: str) -> Atom:
        if name not in self.wrt:
            return Const(None)
        found = self.control.adjoint(name)
        return self.control.zero(Var(name)) if found is None else found

    def _read(self, stmts: Sequence[Stmt], kept: Mapping[str, Atom]) -> tuple[tuple[Stmt, ...], dict[str, Atom]]:
        """The values of names at the end of a block: memory is read there."""
        loads: list[Stmt] = []
        values: dict[str, Atom] = {}
        for name, atom in kept.items():
            values[name] = atom
            if atom == Var(name) and name in self.control.roots:
                loaded = self.builder.declare(f"_{hint(name).lstrip('_')}", self.builder.types[name])
                loads.append(Let(loaded.name, Load(), (Var(name),)))
                values[name] = loaded
        return (*stmts, *loads), values

    def _forward(self, stmts: Sequence[Stmt], result: Atom, kept: Mapping[str, Atom]) -> Function:
        stmts, values = self._read(stmts, kept)
        residuals = self.builder.declare("residuals", UNKNOWN)
        pack = Let(residuals.name, Make("tuple"), tuple(values.values()))
        body = Block((*stmts, pack), (result, residuals))
        return self._finished("forward", self.function.params, body, ("leaf", "leaf"))

    def _backward(self, reverse: Block, seed: Var, kept: Mapping[str, Atom]) -> Function:
        residuals = self.builder.declare("residuals", UNKNOWN)
        names: dict[str, str] = {}
        lets: list[Stmt] = []
        origin = Origin(0, "", "reverse")
        written = {found for stmt in walk(reverse) if (found := written_buffer(stmt)) is not None}
        for i, (name, atom) in enumerate(kept.items()):
            # What one path alone defines may be missing: nobody else is to ask it for a shape.
            fresh = self.builder.declare(hint(name), self.builder.type(atom))
            names[name] = fresh.name
            if name in written:  # a tape: the caller's residuals are left as they are
                tape = self.builder.declare("_tape", self.builder.types[name])
                lets.append(Let(tape.name, Fn(operator.getitem), (residuals, Const(i)), (), origin))
                lets.append(Let(fresh.name, Method("copy"), (tape,), (), origin))
            else:
                lets.append(Let(fresh.name, Fn(operator.getitem), (residuals, Const(i)), (), origin))
        body = rename_block(reverse, names)
        body = Block((*lets, *body.stmts), body.results)
        structure = ("leaf",) * len(body.results)
        return self._finished("backward", (Param(residuals.name), Param(seed.name)), body, structure)

    def _finished(self, sweep: str, params: tuple[Param, ...], body: Block, structure: object) -> Function:
        name = f"{self.function.name}_{sweep}"
        types = self.builder.types
        made = replace(self.function, name=name, params=params, body=body, types=types, structure=structure)
        return rename(made, self.builder.suggested)
