"""Writing IR: the one way in which statements, names and types come into being.

A `Builder` appends statements to the innermost open block. A let whose operands settle its value becomes a constant and
is not written at all, so that branches of a rule on ranks, or of the user on `axis is None`, fold away while they are
lowered.

>>> import operator
>>> builder = Builder()
>>> builder.let(Fn(operator.add), (Const(1), Const(2)))
Const(value=3)
>>> x = builder.declare("x", FLOAT)
>>> print(builder.let(Fn(operator.mul), (x, Const(2.0))), builder.type(builder.let(Fn(operator.mul), (x, x))))
_product.1 float
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcgrad.abstract import evaluate, infer
from srcgrad.ir import (
    Atom,
    Attr,
    Block,
    Const,
    Fn,
    Let,
    Load,
    Make,
    Method,
    Names,
    Op,
    Origin,
    Pop,
    Stmt,
    Undefined,
    Var,
)
from srcgrad.runtime import zeros
from srcgrad.types import FLOAT, UNDEFINED, UNKNOWN, Type, type_of

__all__ = ["FLOAT", "Builder", "hint_of"]

_HINTS = {
    operator.add: "total",
    operator.sub: "diff",
    operator.mul: "product",
    operator.truediv: "ratio",
    operator.floordiv: "quotient",
    operator.mod: "remainder",
    operator.pow: "power",
    operator.matmul: "product",
    operator.neg: "negative",
    operator.getitem: "item",
    operator.not_: "negated",
}
# What comes out of functions whose own name would hide a builtin, or says what is done.
_RESULTS = {
    function: result
    for result, functions in {
        "total": "sum nansum fsum add",
        "running": "cumsum",
        "diff": "subtract",
        "product": "multiply prod dot matmul",
        "ratio": "divide true_divide",
        "power": "pow float_power",
        "largest": "max amax",
        "smallest": "min amin",
        "larger": "maximum",
        "smaller": "minimum",
        "magnitude": "abs absolute fabs",
        "chosen": "where select",
        "spread": "broadcast_to",
        "expanded": "expand_dims",
        "reshaped": "reshape",
        "transposed": "transpose",
        "squeezed": "squeeze",
        "joined": "concatenate",
        "stacked": "stack vstack hstack",
        "ordered": "sort sorted",
        "order": "argsort",
        "taken": "take",
        "rounded": "round",
        "summed": "unbroadcast",
        "number": "float int complex astype",
        "test": "bool all any isinstance",
        "length": "len",
        "steps": "range",
        "pairs": "zip enumerate",
        "backwards": "reversed",
        "iterator": "iter",
        "elements": "list",
        "items": "tuple",
        "part": "slice",
    }.items()
    for function in functions.split()
}
_COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.is_)


def hint_of(op: Op) -> str:
    """The name of a temporary that holds the result of an operation; the underscore marks it as the compiler's."""
    name = "value"
    match op:
        case Fn(target):
            if target in _COMPARISONS or target in (operator.is_not, operator.contains):
                return "_test"
            name = _HINTS.get(target) or str(getattr(target, "__name__", "value"))
        case Attr(name) | Method(name) | Make(name):
            pass
        case Load():
            name = "item"
        case _:
            name = "value"
    name = _RESULTS.get(name, name)
    return "_" + (name if name.isidentifier() and not hasattr(builtins, name) else "value")


def _of_number(op: Op, args: Sequence[Atom], operands: Sequence[Type | Const]) -> Atom | None:
    """What is asked of a number as if it were an array: its shape, its size, a broadcast to no axes."""
    first = operands[0] if operands else None
    if not isinstance(first, Type) or first.kind != "scalar":
        return None
    match op:
        case Attr("shape"):
            return Const(())
        case Attr("size"):
            return Const(1)
        case Fn(target) if (target is np.broadcast_to and args[1:] == [Const(())]) or args[1:] == (Const(()),):
            return args[0]
    return None


_ASKED: dict[str, Callable[..., Any]] = {"shape": np.shape, "size": np.size, "ndim": np.ndim}


class Builder:
    """Appends statements to blocks; knows the type of every name that it made."""

    def __init__(self, names: Names | None = None, types: dict[str, Type] | None = None) -> None:
        self.names = names or Names()
        self.types: dict[str, Type] = {} if types is None else types
        self.origin = Origin()
        self.suggested: dict[str, str] = {}
        self.hopeful = False  # not all that is put into lists is known yet: out of an empty one comes nothing
        self.hoped = False  # that was of use
        self.displays: dict[str, Type] = {}  # of lists that are written out where they are used: the type of each item
        self.part_of: dict[str, tuple[Var, Atom]] = {}  # the owners of elements and fields, and their names there
        self.filled: set[str] = set()  # lists of which all that is ever put into them is seen
        self.adjoints: set[str] = set()  # what `runtime.zeros` made and its parts: nobody else holds what they hold
        self._open: list[list[Stmt]] = [[]]
        self._watching: list[Callable[[Stmt], None]] = []

    def declare(self, hint: str, known: Type = UNKNOWN) -> Var:
        """A new name of a known type: a parameter, a loop's variable, a target."""
        name = self.names.fresh(hint)
        self.types[name] = known
        return Var(name)

    def type(self, atom: Atom) -> Type:
        if isinstance(atom, Var):
            return self.types.get(atom.name, UNKNOWN)
        return UNDEFINED if isinstance(atom.value, Undefined) else type_of(atom.value)

    def display(self, atom: Atom, operand: Type | Const) -> Type | Const:
        """The types of the items of a list that no one else sees, as a tuple has them."""
        return self.displays.get(atom.name, operand) if isinstance(atom, Var) else operand

    def operand(self, atom: Atom) -> Type | Const:
        return self.type(atom) if isinstance(atom, Var) else atom

    def let(
        self,
        op: Op,
        args: Sequence[Atom] = (),
        keywords: Sequence[tuple[str, Atom]] = (),
        hint: str | None = None,
        effect: bool = False,
        known: Type | None = None,
    ) -> Atom:
        """The result of an operation: a new name, of the type `known` if given, or a constant where the operands
        settle it."""
        if isinstance(op, Attr) and op.name in _ASKED and self.origin.sweep == "reverse":
            if self.type(args[0]).kind == "unknown":  # it may be a number, which has no such attribute
                op = Fn(_ASKED[op.name])
        operands = [self.operand(arg) for arg in args]
        if self.displays and isinstance(op, Fn):
            operands = [self.display(arg, operand) for arg, operand in zip(args, operands, strict=True)]
        named = {key: self.operand(atom) for key, atom in keywords}
        if not effect and known is None:
            settled = _of_number(op, args, operands) or evaluate(op, operands, named)
            if settled is not None:
                return settled
        if known is None:
            # Of what a recursive call returns nothing may be known yet: then nothing is known of what comes of it.
            undefined = any(operand == UNDEFINED for operand in (*operands, *named.values()))
            empty = self._out_of_nothing(op, operands) or self._is_empty(op, args)
            known = UNDEFINED if undefined or empty else infer(op, operands, named)
        target = self.declare(hint or hint_of(op), known)
        let = Let(target.name, op, tuple(args), tuple(keywords), self.origin, effect)
        if args and isinstance(args[0], Var) and (isinstance(op, Attr) or op == Fn(operator.getitem)):
            self.part_of[target.name] = (args[0], Const(op.name) if isinstance(op, Attr) else args[1])
        if known.kind == "list":
            self._note_list(let)
        parts = {arg.name for arg in args[:1] if isinstance(arg, Var)} if op == Fn(operator.getitem) else set()
        if op == Fn(zeros) or parts & self.adjoints:
            self.adjoints.add(target.name)
        if effect:
            self.filled.difference_update(arg.name for arg in args if isinstance(arg, Var))
        self.emit(let)
        return target

    def _out_of_nothing(self, op: Op, operands: Sequence[Type | Const]) -> bool:
        """Whether an element is taken out of a list that nothing was seen to be put into so far."""
        if not self.hopeful or (not isinstance(op, Pop) and op != Fn(operator.getitem)):
            return False
        owner = operands[0]
        empty = isinstance(owner, Type) and owner.kind == "list" and not owner.items
        self.hoped |= empty
        return empty

    def _note_list(self, let: Let) -> None:
        assert let.target is not None
        lists = [arg.name for arg in let.args if isinstance(arg, Var) and self.type(arg).kind == "list"]
        made = (operator.getitem, operator.add, operator.mul)
        if lists and self.filled.issuperset(lists) and isinstance(let.op, Fn) and let.op.target in made:
            self.filled.add(let.target)

    def _is_empty(self, op: Op, args: Sequence[Atom]) -> bool:
        """Whether an element is taken of a list into which nothing is put, as far as is known yet."""
        if op != Fn(operator.getitem) or not isinstance(args[0], Var) or args[0].name not in self.filled:
            return False
        known = self.type(args[0])
        return known.kind == "list" and not known.items and self.type(args[1]).kind != "slice"

    def fn(self, function: Any, *args: Atom, **keywords: Atom) -> Atom:
        """The result of a call of a Python function or operator."""
        return self.let(Fn(function), args, tuple(keywords.items()))

    def do(self, op: Op, *args: Atom) -> None:
        """A statement that writes, and computes nothing."""
        self.emit(Let(None, op, args, (), self.origin))

    def suggest(self, var: Var, hint: str) -> None:
        """The user's name for what has been a temporary so far; the first one counts."""
        if var.name.startswith("_"):
            self.suggested.setdefault(var.name, hint)

    def emit(self, stmt: Stmt) -> None:
        for watch in self._watching:
            watch(stmt)
        self._open[-1].append(stmt)

    def last(self, name: str) -> Let | None:
        """The let of the innermost open block that defines a name, looked for from its end."""
        return next((s for s in reversed(self.current()) if isinstance(s, Let) and s.target == name), None)

    def current(self) -> Sequence[Stmt]:
        """The statements of the innermost open block so far."""
        return self._open[-1]

    @contextmanager
    def block(self) -> Iterator[list[Stmt]]:
        """Statements made inside go into the list that is given, which the caller makes a `Block` of."""
        stmts: list[Stmt] = []
        self._open.append(stmts)
        try:
            yield stmts
        finally:
            self._open.pop()

    @contextmanager
    def watched(self, watch: Callable[[Stmt], None]) -> Iterator[None]:
        """Every statement made inside is shown to a function before it is written."""
        self._watching.append(watch)
        try:
            yield
        finally:
            self._watching.pop()

    @contextmanager
    def at(self, origin: Origin) -> Iterator[None]:
        """Statements made inside belong to another primal line."""
        before, self.origin = self.origin, origin
        try:
            yield
        finally:
            self.origin = before

    def finish(self, results: Sequence[Atom]) -> Block:
        """The outermost block."""
        assert len(self._open) == 1
        return Block(tuple(self._open[0]), tuple(results))
