"""The split form of a function: a forward sweep that also returns residuals, and a backward sweep that takes them.

    def power(x, n):                      def power_forward(x, n):           -> (value, residuals)
        if n == 0:                        def power_backward(residuals, seed)  -> (x_bar, None)
            return 1.0              ->
        return x * power(x, n - 1)

Recursive functions are differentiated in this form: the forward sweep of a call returns the residuals of the calls
inside of it among its own. What is defined on one path only is recorded on a tape, as in a loop.
"""

from __future__ import annotations

import operator
from dataclasses import replace

from srcgrad.ad.control import Control
from srcgrad.ad.tape import Tapes
from srcgrad.analyses.activity import activity
from srcgrad.frontend.rename import rename, rename_block
from srcgrad.frontend.source import Source
from srcgrad.ir import Atom, Block, Const, Fn, Function, Let, Load, Make, Origin, Param, Stmt, Var, defined, hint, uses
from srcgrad.types import UNKNOWN, Type


def split(function: Function, source: Source) -> tuple[Function, Function, set[str]]:
    """The forward and the backward sweep of a function, and the recursive functions that they call in split form."""
    wrt = [param.name for param in function.params if function.types[param.name].differentiable]
    control = Control(function, activity(function, wrt), source)
    function = control.function
    return _Split(control, function, wrt).run()


class _Split:
    def __init__(self, control: Control, function: Function, wrt: list[str]) -> None:
        self.control, self.function, self.wrt = control, function, wrt
        self.builder = control.builder

    def run(self) -> tuple[Function, Function, set[str]]:
        control, function = self.control, self.function
        params = [param.name for param in function.params]
        outside = {*params, *(name for stmt in function.body.stmts for name in defined(stmt))}
        control.tapes, control.depth = Tapes(self.builder, control.definition, outside, control.roots), 1
        (result,) = function.body.results
        seed = self.builder.declare("seed", self._seed_type(result))
        with self.builder.block() as stmts, self.builder.at(Origin(0, "", "reverse")):
            if isinstance(result, Var) and result.name in control.active:
                control.contribute(result.name, seed)
            forward = control.block(function.body, True)
            cotangents = [self._cotangent(name) for name in params]
        control.report()
        made = [replace(let, origin=Origin()) for let in control.tapes.made]
        reverse = Block(tuple(stmts), tuple(cotangents))
        own = [*(let.target for let in made), *params, *(name for stmt in forward for name in defined(stmt))]
        used = set(uses(reverse))
        kept = [name for name in own if name in used and name is not None]
        forwards = self._forward([*made, *forward], result, kept)
        return forwards, self._backward(reverse, seed, kept), control.split

    def _seed_type(self, result: Atom) -> Type:
        known = self.builder.type(result)
        return Type("scalar", known.dtype) if known.kind == "scalar" else known

    def _cotangent(self, name: str) -> Atom:
        if name not in self.wrt:
            return Const(None)
        found = self.control.adjoint(name)
        return self.control.zero(Var(name)) if found is None else found

    def _forward(self, stmts: list[Stmt], result: Atom, kept: list[str]) -> Function:
        loads: list[Stmt] = []
        atoms: list[Atom] = []
        for name in kept:
            if name in self.control.roots:
                loaded = self.builder.declare(f"_{hint(name).lstrip('_')}", self.builder.types[name])
                loads.append(Let(loaded.name, Load(), (Var(name),)))
                atoms.append(loaded)
            else:
                atoms.append(Var(name))
        residuals = self.builder.declare("residuals", UNKNOWN)
        pack = Let(residuals.name, Make("tuple"), tuple(atoms))
        body = Block((*stmts, *loads, pack), (result, residuals))
        return self._finished("forward", self.function.params, body, ("leaf", "leaf"))

    def _backward(self, reverse: Block, seed: Var, kept: list[str]) -> Function:
        residuals = self.builder.declare("residuals", UNKNOWN)
        names: dict[str, str] = {}
        lets: list[Stmt] = []
        origin = Origin(0, "", "reverse")
        for i, name in enumerate(kept):
            fresh = self.builder.declare(hint(name), self.builder.types[name])
            names[name] = fresh.name
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
