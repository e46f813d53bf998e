"""Chooses who is asked for a shape: a name that is there anyway rather than a temporary that is kept for it.

Before:                                            After:

    _t.3 = numpy.log(p.1)                              _t.3 = numpy.log(p.1)
    _m.4 = numpy.mean(_t.3)                            _m.4 = numpy.mean(_t.3)
    _size.5 = .size(_t.3)                              _size.5 = .size(p.1)

Two values whose types have the same axes have the same shape. A parameter is the best witness, then a name of the
user's. A temporary is always relieved of the question; a name of the user's when it is used for nothing else, so that
it need not be computed.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from srcgrad import ir
from srcgrad.optimize.rewriter import (
    Rewriter,
    Scoped,
    is_arithmetic,
    is_temporary,
    reads_type_alone,
    written_buffers,
)
from srcgrad.types import Type

_Key = tuple[object, ...]
_QUESTIONS: frozenset[object] = frozenset({np.shape, np.size, np.ndim, len})


def choose_witnesses(function: ir.Function) -> ir.Function:
    return _Witnesses(function).run()


def _asks(let: ir.Let, types: Mapping[str, Type]) -> bool:
    """Whether a let wants to know the shape or the dtype of its first argument, nothing else."""
    if not let.args:
        return False
    question = isinstance(let.op, ir.Fn) and any(let.op.target is each for each in _QUESTIONS)
    return reads_type_alone(let, types) or (question and len(let.args) == 1 and not let.keywords)


def _keeps_shape(let: ir.Let) -> bool:
    """Whether a let computes element by element, from at most one array: the others are numbers in the program."""
    if not is_arithmetic(let) or let.op == ir.Fn(operator.matmul):
        return False
    if isinstance(let.op, ir.Fn) and getattr(let.op.target, "signature", None) is not None:
        return False
    return all(isinstance(arg, ir.Var) or isinstance(arg.value, bool | int | float) for arg in let.args)


def _needs_dtype(let: ir.Let, types: Mapping[str, Type]) -> bool:
    if isinstance(let.op, ir.Attr):
        return let.op.name == "dtype"
    return reads_type_alone(let, types)


def _shape_key(known: Type) -> _Key | None:
    """Equal for types that are known to have the same shape."""
    if known.kind != "array" or known.dims is None or any(dim.symbol == "?" for dim in known.dims):
        return None
    return tuple((dim.symbol, dim.offset) for dim in known.dims)


class _Witnesses(Rewriter):
    def __init__(self, function: ir.Function) -> None:
        super().__init__(function)
        self.others = _other_uses(function)
        self.params = frozenset(param.name for param in function.params)
        self.shapes: Scoped[_Key, str] = Scoped()
        self.whole: dict[str, str] = {}
        self.computed: dict[str, ir.Let] = {}
        self.buffers = written_buffers(function)
        self.unsure = _without_value(function)
        for param in function.params:
            self.offer(param.name)

    def enter(self, stmt: ir.Stmt, index: int) -> None:
        if not (isinstance(stmt, ir.While) and index == 1):
            self.shapes.open()
            for name in stmt.params if isinstance(stmt, ir.Loop) else ():
                self.offer(name)

    def leave(self, stmt: ir.Stmt, index: int) -> None:
        if not (isinstance(stmt, ir.While) and index == 0):
            self.shapes.close()

    def emit(self, stmt: ir.Stmt) -> None:
        super().emit(stmt)
        for name in ir.defined(stmt):
            self.offer(name)
            if isinstance(stmt, ir.Let) and _keeps_shape(stmt):
                self.computed[name] = stmt

    def offer(self, name: str) -> None:
        """Makes a name a witness for its shape, and for its dtype, where no better one is known."""
        known = self.types.get(name)
        shape = None if known is None else _shape_key(known)
        if known is None or shape is None or name in self.unsure or not self.is_there(name):
            return
        for key in (shape, *(() if known.whole else ((*shape, known.dtype),))):
            best = self.shapes.get(key)
            if best is None or self.worth(name) < self.worth(best):
                self.shapes[key] = name

    def is_there(self, name: str) -> bool:
        return self.worth(name) == 0 or self.others[name] > 0

    def worth(self, name: str) -> int:
        """The less the better: parameters, names of the user's, adjoints, temporaries."""
        if name in self.params:
            return 0
        if is_temporary(name):
            return 3
        return 2 if ir.hint(name).endswith("_bar") else 1

    def let(self, let: ir.Let) -> None:
        if let.op == ir.Load() and isinstance(let.args[0], ir.Var) and let.target is not None:
            self.whole[let.target] = let.args[0].name
        first, others = (let.args[0], let.args[1:]) if _asks(let, self.types) else (None, ())
        if isinstance(first, ir.Var):
            first = self.memory(first) if reads_type_alone(let, self.types) else first
            known = self.type(first)
            answer = _answer(let, known)
            if answer is not None and let.target is not None:
                self.replaced[let.target] = answer
                self.types.pop(let.target, None)
                return
            witness = self.witness(first.name, known, _needs_dtype(let, self.types))
            if witness == first.name and not _needs_dtype(let, self.types):
                witness = self.operand_of_same_shape(first).name
            if ir.Var(witness) != let.args[0]:
                let = replace(let, args=(ir.Var(witness), *others))
        self.emit(let)

    def operand_of_same_shape(self, atom: ir.Var) -> ir.Var:
        """The array that a temporary was computed from element by element: `x` for `np.sin(x)` and for `x ** 2`."""
        while is_temporary(atom.name) and self.others[atom.name] <= 1 and atom.name in self.computed:
            names = sorted(set(ir.variables(self.computed[atom.name].args)))
            if len(names) != 1 or self.type(ir.Var(names[0])).kind != "array" or names[0] in self.buffers:
                break
            atom = ir.Var(names[0])
        return atom

    def memory(self, atom: ir.Var) -> ir.Var:
        """An array itself for a snapshot of all of it: what is written there changes neither shape nor dtype."""
        buffer = self.whole.get(atom.name)
        if buffer is None or self.type(atom).kind != "array" or self.type(ir.Var(buffer)).kind != "array":
            return atom
        return ir.Var(buffer)

    def witness(self, name: str, known: Type, dtype: bool) -> str:
        shape = _shape_key(known)
        if shape is None or name in self.params or not (is_temporary(name) or self.others[name] == 0):
            return name
        if dtype and known.whole:  # another one may be of floats where this one is of integers
            return name
        best = self.shapes.get((*shape, known.dtype) if dtype else shape)
        return best if best is not None and self.worth(best) < self.worth(name) + (self.others[name] == 0) else name


def _answer(let: ir.Let, known: Type) -> ir.Const | None:
    """What the type alone tells: the rank, and a shape whose axes are all written in the program."""
    if known.kind != "array" or known.dims is None:
        return None
    lengths = tuple(dim.offset for dim in known.dims if dim.symbol is None)
    name = let.op.name if isinstance(let.op, ir.Attr) else getattr(getattr(let.op, "target", None), "__name__", "")
    match name:
        case "ndim":
            return ir.Const(len(known.dims))
        case "size" if len(lengths) == len(known.dims):
            return ir.Const(math.prod(lengths))
        case "shape" if len(lengths) == len(known.dims):
            return ir.Const(lengths)
        case _:
            return None


def _other_uses(function: ir.Function) -> Counter[str]:
    """How often every name is used for more than its shape."""
    uses = function.use_counts.copy()
    for stmt in ir.walk(function.body):
        asked = stmt.args[0] if isinstance(stmt, ir.Let) and _asks(stmt, function.types) else None
        if isinstance(asked, ir.Var):
            uses[asked.name] -= 1
    return uses


def _without_value(function: ir.Function) -> frozenset[str]:
    """The names that some path leaves without a value: nobody who takes another path is to ask them anything."""
    stmts = [stmt for stmt in ir.walk(function.body) if not isinstance(stmt, ir.Let)]
    rows = [(name, way) for stmt in stmts for name, *ways in ir.flows(stmt) for way in ways]
    found: set[str] = set()
    changed = True
    while changed:
        before = len(found)
        for name, way in rows:
            undefined = isinstance(way, ir.Const) and isinstance(way.value, ir.Undefined)
            if undefined or (isinstance(way, ir.Var) and way.name in found):
                found.add(name)
        changed = len(found) > before
    return frozenset(found)
