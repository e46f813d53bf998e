"""The whole derivative of a function: forward sweep, seed, reverse sweep, results.

    f: (x, a) -> y      grad             (x, a) -> x_bar
                        value_and_grad   (x, a) -> (y, x_bar)
                        vjp              (x, a, *, seed) -> (y, x_bar)
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad import runtime
from srcgrad.ad.broadcasting import fit
from srcgrad.ad.control import Control
from srcgrad.ad.undefined import define_missing
from srcgrad.analyses.activity import activity
from srcgrad.frontend.rename import rename
from srcgrad.frontend.source import Source
from srcgrad.ir import Atom, Block, Const, Fn, Function, Let, Origin, Param, Var, hint
from srcgrad.types import CONTAINERS, UNKNOWN, Type, same_dtype

_KEYWORD_ONLY = 3


@dataclass(frozen=True)
class Request:
    """Which derivative is asked for: `mode` is "grad", "value_and_grad" or "vjp"; `wrt` are positions of parameters;
    `single`: the derivative is not wrapped in a tuple; `aux`: the result is a pair whose second part is handed on."""

    mode: str
    wrt: tuple[int, ...]
    single: bool
    aux: bool = False


def differentiate(function: Function, request: Request, source: Source) -> tuple[Function, dict[str, set[int]]]:
    """The function that computes what is asked for, and the functions that it calls in split form, with the positions
    of their active operands."""
    wrt = [function.params[i].name for i in request.wrt]
    active_function = _without_aux(function) if request.aux else function
    gradient = _Gradient(active_function, request, wrt, source)
    return gradient.run(function), gradient.reverse.split


def _without_aux(function: Function) -> Function:
    """The function with only the first of its results, which derivatives are taken of."""
    count = leaf_count(function.structure[0])
    body = Block(function.body.stmts, function.body.results[:count])
    return replace(function, body=body, structure=function.structure[0])


class _Gradient:
    def __init__(self, function: Function, request: Request, wrt: list[str], source: Source) -> None:
        self.request = request
        self.wrt = wrt
        self.reverse = Control(function, activity(function, wrt), source)
        self.builder = self.reverse.builder
        self.outlines: list[Let] = []  # of containers that the function changes, as they are when it is called

    def run(self, function: Function) -> Function:
        reverse = self.reverse
        params = function.params
        with self.builder.block() as stmts:
            with self.builder.at(Origin(0, "", "reverse")):
                if self.request.mode == "vjp":
                    seed = self.builder.declare("seed", UNKNOWN)
                    params = (*params, Param(seed.name, _KEYWORD_ONLY, None))
                    self.seed(reverse.function, seed)
                else:
                    self.start(reverse.function)
            forward = define_missing(Block(reverse.block(reverse.function.body, False)), reverse.recorded).stmts
            with self.builder.at(Origin(0, "", "reverse")):
                gradients = self.gradients()
        reverse.report()
        forward = (*self.outlines, *forward)
        results, structure = self.results(function, gradients)
        body = Block((*forward, *stmts), tuple(results))
        derivative = replace(
            function,
            name=f"{function.name}_{self.request.mode}",
            params=params,
            body=body,
            types=self.builder.types,
            structure=structure,
        )
        return rename(derivative, self.builder.suggested)

    # Seeds

    def start(self, function: Function) -> None:
        """The seed of a scalar result is one; whether it is a scalar is checked in the text where it is not known."""
        (result,) = function.body.results
        if not isinstance(result, Var) or result.name not in self.reverse.active:
            return
        seed: Atom = Const(1.0)
        known = self.builder.type(result)
        if known.rank is None:
            seed = self.builder.let(Fn(runtime.scalar_seed), [result])
        self.reverse.contribute(result.name, seed)

    def seed(self, function: Function, seed: Var) -> None:
        for path, result in zip(_paths(function.structure), function.body.results, strict=True):
            known = self.builder.type(result)
            part: Atom = seed
            if path:
                for i in path:
                    part = self.builder.fn(operator.getitem, part, Const(i))
            if isinstance(part, Var):
                self.builder.types[part.name] = _seed_type(known)
            if isinstance(result, Var) and result.name in self.reverse.active:
                self.reverse.contribute(result.name, part)

    # Results

    def gradients(self) -> list[Atom]:
        return [self.fitting(self.whole(name), name) for name in self.wrt]

    def whole(self, name: str) -> Atom:
        """The adjoint of a parameter, zero where nothing reached it; in the classes of a container."""
        known = self.builder.types[name]
        gradient = self.reverse.adjoint(name)
        gradient = self.reverse.zero(Var(name)) if gradient is None else gradient
        if known.kind in CONTAINERS:
            return self.builder.fn(runtime.rebuilt, self.as_given(name), gradient)
        return gradient

    def as_given(self, name: str) -> Atom:
        """A parameter in the form that it had at the call."""
        if name not in self.reverse.function.written:
            return Var(name)
        outline = self.builder.declare(f"{hint(name)}_given", self.builder.types[name])
        self.outlines.append(Let(outline.name, Fn(runtime.outline), (Var(name),), (), Origin(0, "", "forward")))
        return outline

    def fitting(self, gradient: Atom, name: str) -> Atom:
        """The gradient in the kind of its parameter."""
        known = self.builder.types[name]
        if known.kind == "scalar" and known.weak:
            if not isinstance(gradient, Var):
                return gradient
            mine = self.builder.type(gradient)
            if not (mine.kind == "scalar" and mine.weak):
                gradient = self.builder.fn(float, gradient)
            return gradient
        if known.kind == "scalar" and known.dtype is not None:
            mine = self.builder.type(gradient)
            same = mine.kind == "scalar" and not mine.weak and same_dtype(mine, known)
            return gradient if same else self.builder.fn(known.dtype.type, gradient)
        if known.kind == "array" and known.rank == 0:
            return self.builder.fn(np.asarray, gradient)
        if not isinstance(gradient, Var):
            return self.builder.fn(np.full_like, Var(name), gradient) if known.kind == "array" else gradient
        if known.kind == "unknown":
            return self.builder.fn(runtime.rebuilt, self.as_given(name), gradient)
        if known.kind == "array":
            gradient = fit(self.builder, gradient, Var(name), False)
        return gradient

    def results(self, function: Function, gradients: Sequence[Atom]) -> tuple[list[Atom], Any]:
        gradient = "leaf" if self.request.single else ("leaf",) * len(gradients)
        values, structure = list(function.body.results), function.structure
        count = leaf_count(structure[0]) if self.request.aux else len(values)
        if self.request.mode == "grad":
            if self.request.aux:
                return [*gradients, *values[count:]], (gradient, *structure[1:])
            return list(gradients), gradient
        return [*values, *gradients], (structure, gradient)


def _seed_type(result: Type) -> Type:
    """A seed has the type of the result; a number may be given as Python's or as NumPy's."""
    return Type("scalar", result.dtype) if result.kind == "scalar" else result


def leaf_count(structure: Any) -> int:
    return sum(map(leaf_count, structure)) if isinstance(structure, tuple) else 1


def _paths(structure: Any, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    if isinstance(structure, tuple):
        return [found for i, item in enumerate(structure) for found in _paths(item, (*path, i))]
    return [path]
