"""The order of the passes: from a function and the types of a call to the text of its derivative."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from srcgrad import rules
from srcgrad.ad.gradient import Request, differentiate
from srcgrad.analyses.lengths import unify_lengths
from srcgrad.emit.module import module_text
from srcgrad.errors import NonScalarOutput, NotDifferentiable
from srcgrad.frontend.base import Free
from srcgrad.frontend.buffers import separate_buffers
from srcgrad.frontend.lower import lower
from srcgrad.frontend.source import Source
from srcgrad.ir import Function, dump, verify
from srcgrad.optimize.accumulate import stores_to_updates, updates_to_stores
from srcgrad.optimize.cse import share_common
from srcgrad.optimize.dead import remove_dead
from srcgrad.optimize.first_write import assign_first_write
from srcgrad.optimize.identities import apply_identities, settle_signs
from srcgrad.optimize.witness import choose_witnesses
from srcgrad.types import Type

__all__ = ["OPTIMIZATIONS", "Compiled", "compile_derivative", "rules"]

Pass = Callable[[Function], Function]

_PRIMAL: tuple[Pass, ...] = (updates_to_stores, stores_to_updates)
_ADJOINT: tuple[Pass, ...] = (remove_dead, share_common, apply_identities, assign_first_write, choose_witnesses)
_LAST: tuple[Pass, ...] = (settle_signs, remove_dead)
_ROUNDS = 6  # what one pass uncovers another uses; most functions settle in two or three

OPTIMIZATIONS: tuple[str, ...] = tuple(dict.fromkeys(p.__name__ for p in (stores_to_updates, *_ADJOINT, settle_signs)))


@dataclass(frozen=True)
class Compiled:
    """The text of a derivative, the name of its function, and what it reads from outside."""

    text: str
    name: str
    function: Function
    free: Free


def compile_derivative(
    source: Source, types: Mapping[str, Type], request: Request, optimize: bool | frozenset[str] = True
) -> Compiled:
    """The derivative of a function for arguments of these types; with none known, for arguments of any type."""
    chosen = frozenset(OPTIMIZATIONS) if optimize is True else optimize or frozenset()
    lowered = lower(source, types)
    function = _checked("lower", lowered.function)
    function = _checked("remove_dead", remove_dead(function))
    function = _checked("unify_lengths", unify_lengths(function))
    function = _checked("separate_buffers", separate_buffers(function, source))
    for step in _PRIMAL:
        if step is updates_to_stores or step.__name__ in chosen:
            function = _checked(step.__name__, step(function))
    _check_result(function, request, source)
    _check_parameters(function, request)
    function = _checked("differentiate", differentiate(function, request, source))
    function = _optimized(function, chosen)
    function = replace(function, doc=_docstring(function, source, types, request, lowered.function))
    return Compiled(module_text([function], ""), function.name, function, lowered.free)


def _optimized(function: Function, chosen: frozenset[str]) -> Function:
    for _ in range(_ROUNDS):
        before = function
        for step in _ADJOINT:
            if step.__name__ in chosen:
                function = _checked(step.__name__, step(function))
        if function.body == before.body:
            break
    for step in _LAST:
        if step.__name__ in chosen:
            function = _checked(step.__name__, step(function))
    return function


def _checked(name: str, function: Function) -> Function:
    """Verifies what a pass made; prints it to standard error where `SRCGRAD_DUMP` names the pass, or says `all`."""
    wanted = os.environ.get("SRCGRAD_DUMP", "")
    if wanted and (wanted == "all" or name in wanted.split(",")):
        sys.stderr.write(f"# after {name}\n{dump(function)}\n")
    return verify(function)


def _check_result(function: Function, request: Request, source: Source) -> None:
    """`grad` and `value_and_grad` are of one number."""
    if request.mode == "vjp":
        return
    structure: Any = function.structure
    if request.aux:
        structure = structure[0] if isinstance(structure, tuple) else structure
    place = source.place(source.tree)
    if isinstance(structure, tuple):
        raise NonScalarOutput(
            f"the gradient needs a scalar result, `{source.name}` returns a tuple of {len(structure)}",
            place,
            "return one number, or use `has_aux=True` for a pair (number, anything), or `vjp(f)(..., seed=v)`",
        )
    known = function.types.get(getattr(function.body.results[0], "name", ""))
    if known is not None and known.kind == "array" and known.dims:
        shape = ", ".join(str(dim) for dim in known.dims)
        raise NonScalarOutput.of_shape(f"({shape}{',' if len(known.dims) == 1 else ''})", place)


def _check_parameters(function: Function, request: Request) -> None:
    for position in request.wrt:
        param = function.params[position]
        known = function.types.get(param.name)
        if known is not None and not known.differentiable:
            raise NotDifferentiable(
                f"the argument `{param.name.partition('.')[0]}` is {_described(known)}, which has no derivative",
                None,
                "pass a float or an array of floats, or leave it out of `wrt`",
            )


def _described(known: Type) -> str:
    return f"an array of {known.dtype}" if known.kind == "array" else f"of type {known}"


def _docstring(
    function: Function, source: Source, types: Mapping[str, Type], request: Request, primal: Function
) -> str:
    names = [param.name.partition(".")[0] for param in primal.params]
    wrt = ", ".join(f"`{names[i]}`" for i in request.wrt)
    what = {
        "grad": f"Gradient of `{source.name}` with respect to {wrt}.",
        "value_and_grad": f"Value of `{source.name}` and its gradient with respect to {wrt}.",
        "vjp": f"Value of `{source.name}` and the product of `seed` with its Jacobian with respect to {wrt}.",
    }[request.mode]
    known = ", ".join(f"{name}: {signature_text(types[name])}" for name in names if name in types)
    where = f"From {os.path.basename(source.file)}:{source.line}"
    return f"{what}\n\n{where}, for {known}." if known else f"{what}\n\n{where}, for arguments of any type."


def signature_text(known: Type) -> str:
    """A type without its symbols: `float64[:, 1]`."""
    if known.kind == "array" and known.dims is not None:
        return f"{known.dtype}[{', '.join('1' if dim.is_one else ':' for dim in known.dims)}]"
    if known.kind in ("tuple", "list"):
        return f"{known.kind}[{', '.join(map(signature_text, known.items))}]"
    return str(known)
