"""The order of the passes: from a function and the types of a call to the text of its derivative."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad import rules
from srcgrad.ad.gradient import Request, differentiate, leaf_count
from srcgrad.ad.split import split, without_unused
from srcgrad.analyses.lengths import unify_lengths
from srcgrad.emit.members import name_members
from srcgrad.emit.module import module_text
from srcgrad.errors import AliasedWrite, NonScalarOutput, Place, SrcgradError, UnsupportedSyntax
from srcgrad.frontend.base import Free, is_mixed
from srcgrad.frontend.buffers import separate_buffers
from srcgrad.frontend.lower import Lowered, lower
from srcgrad.frontend.rename import rename_block
from srcgrad.frontend.source import Source
from srcgrad.ir import Atom, Const, Function, Invoke, Let, blocks, dump, hint, own_atoms, verify, walk, written_buffer
from srcgrad.optimize.accumulate import stores_to_updates, updates_to_stores
from srcgrad.optimize.cse import share_common
from srcgrad.optimize.dead import remove_dead
from srcgrad.optimize.displays import name_elements
from srcgrad.optimize.elements import own_elements
from srcgrad.optimize.first_write import assign_first_write
from srcgrad.optimize.identities import apply_identities, settle_signs
from srcgrad.optimize.ownership import own_results
from srcgrad.optimize.witness import choose_witnesses
from srcgrad.types import UNKNOWN, Dim, Type, fields_of, type_of

__all__ = [
    "OPTIMIZATIONS", "Compiled", "compile_derivative", "length_of", "rules", "seed_keyword", "shown_shape",
]  # fmt: skip

Pass = Callable[[Function], Function]

_PRIMAL: tuple[Pass, ...] = (updates_to_stores, stores_to_updates)
_ADJOINT: tuple[Pass, ...] = (remove_dead, share_common, apply_identities, assign_first_write, choose_witnesses)
_LAST: tuple[Pass, ...] = (settle_signs, remove_dead)
_ROUNDS = 6  # what one pass uncovers another uses; most functions settle in two or three

OPTIMIZATIONS: tuple[str, ...] = tuple(dict.fromkeys(p.__name__ for p in (stores_to_updates, *_ADJOINT, settle_signs)))


@dataclass(frozen=True)
class Compiled:
    """The text of a derivative, the name of its function, and what it reads from outside.

    `result` is the type of what the primal returns, for seeds; the tuples in it are those of its `return`.
    """

    text: str
    name: str
    function: Function
    free: Free
    result: Type


_LOCK = threading.RLock()  # what is set for the time of a compilation is set for the whole process
_RECURSION = 20_000  # every function that is lowered in line takes a dozen frames, every level of nesting some more


@contextmanager
def _settings() -> Iterator[None]:
    """No search for cyclic garbage inside: what a compilation makes it mostly keeps, and going through it costs a
    quarter of the time. And room for deeply nested programs, whose depth the compiler bounds itself."""
    with _LOCK:
        enabled, limit = gc.isenabled(), sys.getrecursionlimit()
        gc.disable()
        sys.setrecursionlimit(max(limit, _RECURSION))
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)
            if enabled:
                gc.enable()


@_settings()
def compile_derivative(
    source: Source,
    types: Mapping[str, Type],
    request: Request,
    optimize: bool | frozenset[str] = True,
    values: Mapping[str, Any] | None = None,
) -> Compiled:
    """The derivative of a function for arguments of these types; with none known, for arguments of any type.

    `values` are the arguments themselves, for messages alone: the text never depends on them.
    """
    chosen = frozenset(OPTIMIZATIONS) if optimize is True else optimize or frozenset()
    lowered = lower(source, types)
    if lowered.has_large:
        with suppress(SrcgradError):  # in line, more is known of what a function is given
            return _derivative(lowered, source, types, request, chosen, values)
        lowered = lower(source, types, in_line=True)
    return _derivative(lowered, source, types, request, chosen, values)


def _derivative(
    lowered: Lowered,
    source: Source,
    types: Mapping[str, Type],
    request: Request,
    chosen: frozenset[str],
    values: Mapping[str, Any] | None,
) -> Compiled:
    function = _primal(lowered, chosen)
    result = _result_type(function)
    _check_result(result, request, source, {**lowered.free.values, **(values or {})})
    function, called = differentiate(function, request, source)
    function = _checked("differentiate", function)
    function = _checked("separate_seed", separate_seed(function, request))
    function = _optimized(function, chosen)
    function = _checked("own_elements", own_elements(function))
    function = _checked("own_results", own_results(function, _value_count(function, request)))
    function = replace(function, doc=_docstring(function, source, types, request, lowered.function))
    functions = [*_routines(lowered, function, called, chosen), function]
    functions = [_checked("name_members", name_members(each, lowered.free.values)) for each in functions]
    return Compiled(module_text(functions, ""), function.name, function, lowered.free, result)


def _value_count(function: Function, request: Request) -> int:
    """How many of the results are values of the primal, before the gradients."""
    return 0 if request.mode == "grad" else leaf_count(function.structure[0])


def _primal(lowered: Lowered, chosen: frozenset[str]) -> Function:
    """A lowered function, ready to be differentiated."""
    function = _checked("lower", lowered.function)
    function = _checked("remove_dead", remove_dead(function))
    _check_structure(function, lowered.source)
    function = _checked("unify_lengths", unify_lengths(function))
    function = _checked("name_elements", name_elements(function))
    function = _checked("separate_buffers", separate_buffers(function, lowered.source))
    for step in _PRIMAL:
        if step is updates_to_stores or step.__name__ in chosen:
            function = _checked(step.__name__, step(function))
    return function


def _check_structure(function: Function, source: Source) -> None:
    """Refuses names that hold one structure on one path and another on another, where that is still of use."""
    for stmt in walk(function.body):
        atoms = [*own_atoms(stmt), *(atom for block in blocks(stmt) for atom in block.results)]
        for mixed in filter(is_mixed, atoms):
            problem, remedy = mixed.value.used
            raise UnsupportedSyntax(problem, source.place_of(stmt.origin), remedy)


def _routines(
    lowered: Lowered, main: Function, called: Mapping[str, set[int]], chosen: frozenset[str]
) -> list[Function]:
    """The functions that a derivative calls: in split form, and as they are where no derivative flows."""
    if not lowered.routines:
        return []
    primal = {name: _primal(inner, chosen) for name, inner in lowered.routines.items()}
    for name, function in primal.items():
        _check_own_writes(function, lowered.routines[name].source)
    active: dict[str, set[int]] = {}
    done: dict[str, tuple[Function, Function]] = {}
    pending = sorted(called.items())
    while pending:
        name, operands = pending.pop()
        if name in done and operands <= active[name]:
            continue
        active.setdefault(name, set()).update(operands)
        forward, backward, more = split(primal[name], lowered.routines[name].source, active[name])
        done[name] = forward, backward
        pending.extend(sorted(more.items()))
    halves = [half for name in sorted(done) for half in _halves(*done[name], chosen)]
    plain: dict[str, Function] = {}
    waiting = [main, *halves]
    while waiting:
        for name in _invoked(waiting.pop()) & primal.keys() - plain.keys():
            plain[name] = primal[name]
            waiting.append(primal[name])
    return [*(plain[name] for name in sorted(plain)), *halves]


def _halves(forward: Function, backward: Function, chosen: frozenset[str]) -> tuple[Function, Function]:
    backward = _optimized(_checked("split", backward), chosen)
    forward, backward = without_unused(forward, backward)
    forward = _optimized(_checked("split", forward), chosen)
    return _checked("own_elements", own_elements(forward)), _checked("without_unused", backward)


def _check_own_writes(function: Function, source: Source) -> None:
    """Refuses a function on its own that writes into what it is given: its callers would not know."""
    given = {param.name for param in function.params}
    for stmt in walk(function.body):
        name = written_buffer(stmt)
        if name in given:
            problem = f"the recursive function `{function.name}` writes into `{hint(name or '')}`, which is not its own"
            raise AliasedWrite(problem, source.place_of(stmt.origin), "return what it computes, or write a loop")


def _invoked(function: Function) -> set[str]:
    ops = (stmt.op for stmt in walk(function.body) if isinstance(stmt, Let))
    return {op.name for op in ops if isinstance(op, Invoke)}


def _optimized(function: Function, chosen: frozenset[str]) -> Function:
    settled: dict[str, Function] = {}  # what a pass has left as it was
    for _ in range(_ROUNDS):
        before = function
        for step in _ADJOINT:
            function = _step(step, function, chosen, settled)
        if function.body == before.body:
            break
    for step in _LAST:
        function = _step(step, function, chosen, settled)
    return function


def _step(step: Pass, function: Function, chosen: frozenset[str], settled: dict[str, Function]) -> Function:
    """What a pass makes of a function, if it is chosen and has not seen this very one before."""
    name = step.__name__
    if name not in chosen or settled.get(name) is function:
        return function
    changed = _checked(name, step(function))
    if changed is function:
        settled[name] = function
    return changed


def _checked(name: str, function: Function) -> Function:
    """What a pass made: verified where `SRCGRAD_VERIFY` is set, printed to standard error where `SRCGRAD_DUMP` names
    the pass, or says `all`."""
    wanted = os.environ.get("SRCGRAD_DUMP", "")
    if wanted and (wanted == "all" or name in wanted.split(",")):
        sys.stderr.write(f"# after {name}\n{dump(function)}\n")
    return verify(function) if os.environ.get("SRCGRAD_VERIFY") else function


# What is asked for


def seed_keyword(parameters: Iterable[str]) -> str:
    """The keyword that a vector-Jacobian product of a function with these parameters takes its seed by.

    >>> seed_keyword(["x", "y"]), seed_keyword(["seed", "value"])
    ('seed', 'seed_')
    """
    taken, name = set(parameters), "seed"
    while name in taken:
        name += "_"
    return name


def separate_seed(function: Function, request: Request) -> Function:
    """Gives the seed a name of its own where the primal has a parameter `seed`."""
    if request.mode != "vjp":
        return function
    *params, seed = function.params
    keyword = seed_keyword(hint(param.name) for param in params)
    if keyword == hint(seed.name):
        return function
    name = f"{keyword}.{seed.name.partition('.')[2]}"
    types = {name if old == seed.name else old: known for old, known in function.types.items()}
    body = rename_block(function.body, {seed.name: name})
    return replace(function, params=(*params, replace(seed, name=name)), body=body, types=types)


def _result_type(function: Function) -> Type:
    results = iter(function.body.results)

    def visit(structure: Any) -> Type:
        if isinstance(structure, tuple):
            return Type("tuple", items=tuple(map(visit, structure)))
        atom: Atom = next(results)
        return type_of(atom.value) if isinstance(atom, Const) else function.types.get(atom.name, UNKNOWN)

    return visit(function.structure)


def _check_result(result: Type, request: Request, source: Source, values: Mapping[str, Any]) -> None:
    """`grad` and `value_and_grad` are of one number."""
    if request.mode == "vjp":
        return
    place = source.place(source.tree)
    if request.aux:
        result = _first_of_pair(result, source, place)
    if result.kind == "array" and result.dims:
        raise NonScalarOutput.of_shape(shown_shape(result.dims, values), place)
    if not result.numeric:
        shown = f"a tuple of {len(result.items)}" if result.kind == "tuple" else f"no number: {result}"
        raise NonScalarOutput(
            f"the gradient needs a scalar result, `{source.name}` returns {shown}",
            place,
            "return one number, or use `has_aux=True` for a pair (number, anything), or `vjp(f)(..., seed=v)`",
        )


def _first_of_pair(result: Type, source: Source, place: Place) -> Type:
    if result.kind == "tuple" and len(result.items) == 2:
        return result.items[0]
    shown = f"a tuple of {len(result.items)}" if result.kind == "tuple" else str(result)
    raise NonScalarOutput(
        f"`has_aux=True` needs a function that returns a pair (number, anything), `{source.name}` returns {shown}",
        place,
        "return two values, `return loss, (a, b)`, or leave out `has_aux`",
    )


# Lengths in messages


def length_of(dim: Dim, values: Mapping[str, Any]) -> int | None:
    """The length of an axis where the arguments, by name, are these; None where its symbol stands for nothing known.

    >>> length_of(Dim("x.0", -1), {"x": np.ones((3, 2))})
    2
    """
    if dim.symbol is None:
        return dim.offset
    name, *path = dim.symbol.split(".")
    value = values.get(name)
    for part in path:
        value = value.shape[int(part)] if isinstance(value, np.ndarray) else _parts(value).get(part)
    return max(0, value + dim.offset) if type(value) is int else None


def _parts(value: Any) -> Mapping[Any, Any]:
    if type(value) is tuple:
        return {str(i): item for i, item in enumerate(value)}
    return value if type(value) is dict else fields_of(value) or {}


def shown_shape(dims: Iterable[Dim], values: Mapping[str, Any]) -> str:
    """A shape with numbers, `?` for a length that is not known.

    >>> shown_shape((Dim("x.0", -1), Dim("?")), {"x": np.ones(3)})
    '(2, ?)'
    """
    shown = ["?" if n is None else str(n) for n in (length_of(dim, values) for dim in dims)]
    return f"({shown[0]},)" if len(shown) == 1 else f"({', '.join(shown)})"


# The head of the text


def _docstring(
    function: Function, source: Source, types: Mapping[str, Type], request: Request, primal: Function
) -> str:
    names = [param.name.partition(".")[0] for param in primal.params]
    wrt = ", ".join(f"`{names[i]}`" for i in request.wrt)
    what = {
        "grad": f"Gradient of `{source.name}` with respect to {wrt}.",
        "value_and_grad": f"Value of `{source.name}` and its gradient with respect to {wrt}.",
        "vjp": f"Value of `{source.name}` and the product of `{seed_keyword(names)}` with its Jacobian "
        f"with respect to {wrt}.",
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
