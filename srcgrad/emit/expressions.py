"""One operation of the IR as a gast expression.

    operator.getitem(x.0, Const(slice(1, None)))      x[1:]
    numpy.linalg.norm(x.0, axis=Const(0))             np.linalg.norm(x, axis=0)
    operator.not_(operator.contains(d.0, k.1))        k not in d
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import gast
import numpy as np

from srcgrad import ir
from srcgrad.emit.paths import path_of

Expr = Any

IMPORTED = "imported"  # in the field of a name for type comments, which the printer does not read

BINARY: dict[Callable[..., Any], type] = {
    operator.add: gast.Add,
    operator.sub: gast.Sub,
    operator.mul: gast.Mult,
    operator.truediv: gast.Div,
    operator.floordiv: gast.FloorDiv,
    operator.mod: gast.Mod,
    operator.pow: gast.Pow,
    operator.matmul: gast.MatMult,
    operator.and_: gast.BitAnd,
    operator.or_: gast.BitOr,
    operator.xor: gast.BitXor,
    operator.lshift: gast.LShift,
    operator.rshift: gast.RShift,
}
COMPARE: dict[Callable[..., Any], type] = {
    operator.eq: gast.Eq,
    operator.ne: gast.NotEq,
    operator.lt: gast.Lt,
    operator.le: gast.LtE,
    operator.gt: gast.Gt,
    operator.ge: gast.GtE,
    operator.is_: gast.Is,
    operator.is_not: gast.IsNot,
}
UNARY: dict[Callable[..., Any], type] = {
    operator.neg: gast.USub,
    operator.pos: gast.UAdd,
    operator.invert: gast.Invert,
}
IN_PLACE: dict[Callable[..., Any], type] = {
    getattr(operator, "i" + function.__name__.strip("_")): node for function, node in BINARY.items()
}
_REPEATED: dict[Callable[..., Any], np.ufunc] = {
    operator.iadd: np.add,
    operator.isub: np.subtract,
    operator.imul: np.multiply,
    operator.itruediv: np.divide,
}
_OPPOSITE = {
    gast.Is: gast.IsNot,
    gast.IsNot: gast.Is,
    gast.In: gast.NotIn,
    gast.NotIn: gast.In,
    gast.Eq: gast.NotEq,
    gast.NotEq: gast.Eq,
}


INFIX = frozenset([*BINARY, *COMPARE, *UNARY, operator.contains, operator.getitem, operator.not_, operator.call])


def name(identifier: str) -> Expr:
    return gast.Name(identifier, gast.Load(), None, None)


def stored(identifier: str) -> Expr:
    return gast.Name(identifier, gast.Store(), None, None)


def constant(value: Any) -> Expr:
    return gast.Constant(value, None)


def imported(identifier: str) -> Expr:
    """The name of a module, a helper or a builtin: marked, so that it is told from a parameter of the same name."""
    return gast.Name(identifier, gast.Load(), None, IMPORTED)


def dotted(path: str) -> Expr:
    first, *rest = path.split(".")
    node = imported(first)
    for part in rest:
        node = attribute(node, part)
    return node


def attribute(node: Expr, part: str) -> Expr:
    return gast.Attribute(node, part, gast.Load())


def call(function: Expr, args: Sequence[Expr], keywords: Sequence[tuple[str, Expr]] = ()) -> Expr:
    return gast.Call(function, list(args), [gast.keyword(key, value) for key, value in keywords])


def subscript(node: Expr, index: Expr) -> Expr:
    return gast.Subscript(node, in_subscript(index), gast.Load())


def in_subscript(index: Expr) -> Expr:
    """An index as it is written in brackets: calls of `slice` become `a:b:c`, also inside of tuples."""
    if isinstance(index, gast.Tuple):
        return gast.Tuple([in_subscript(item) for item in index.elts], gast.Load())
    is_slice = isinstance(index, gast.Call) and isinstance(index.func, gast.Name) and index.func.id == "slice"
    if not is_slice or index.keywords or not 1 <= len(index.args) <= 3:
        return index
    bounds = [None if _is_none(bound) else bound for bound in index.args]
    if len(bounds) == 1:
        return gast.Slice(None, bounds[0], None)
    return gast.Slice(*bounds, *([None] * (3 - len(bounds))))


def _is_none(node: Expr) -> bool:
    return isinstance(node, gast.Constant) and node.value is None


def negation(test: Expr) -> Expr:
    """`not test`, in the form that a person writes."""
    if isinstance(test, gast.UnaryOp) and isinstance(test.op, gast.Not):
        return test.operand
    return _not(test)


def _not(test: Expr) -> Expr:
    if isinstance(test, gast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return gast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return gast.UnaryOp(gast.Not(), test)


def choice(test: Expr, then: Expr, orelse: Expr) -> Expr:
    """`then if test else orelse`."""
    return gast.IfExp(test, then, orelse)


def both(first: Expr, second: Expr, op: type) -> Expr:
    """`first and second`, `first or second`; a chain of one operator needs no parentheses."""
    rest = second.values if isinstance(second, gast.BoolOp) and isinstance(second.op, op) else [second]
    return gast.BoolOp(op(), [first, *rest])


def literal(value: Any) -> Expr:
    """A constant of the IR."""
    match value:
        case None | bool() | str() | bytes() | builtins.Ellipsis:
            return constant(value)
        case np.generic():
            return _numpy_scalar(value)
        case int() | float():
            return _number(value)
        case complex():
            return _complex(value)
        case tuple():
            return gast.Tuple([literal(item) for item in value], gast.Load())
        case list():
            return gast.List([literal(item) for item in value], gast.Load())
        case slice():
            return slice_call([literal(bound) for bound in (value.start, value.stop, value.step)])
        case range():
            bounds = [value.start, value.stop, value.step] if value.step != 1 else [value.start, value.stop]
            return call(imported("range"), [literal(bound) for bound in bounds[value.start == 0 and value.step == 1 :]])
        case np.dtype():
            return call(dotted("np.dtype"), [_dtype(value)])
    return dotted(path_of(value)[1])


def _dtype(value: np.dtype[Any]) -> Expr:
    """The argument of `np.dtype`: a name where it has one, else its fields or its code."""
    if value.names is not None:
        return literal(value.descr)
    return constant(value.name if value.isnative and value.kind in "biufc" else value.str)


def _number(value: int | float) -> Expr:
    if not math.isfinite(value):
        if math.isnan(value):
            return dotted("np.nan")
        return dotted("np.inf") if value > 0 else gast.UnaryOp(gast.USub(), dotted("np.inf"))
    if value == math.pi:
        return dotted("np.pi")
    negative = math.copysign(1, value) < 0
    return gast.UnaryOp(gast.USub(), constant(-value)) if negative else constant(value)


def _complex(value: complex) -> Expr:
    if value.real == 0 and math.copysign(1, value.real) > 0 and math.isfinite(value.imag) and value.imag >= 0:
        return constant(value)
    return call(imported("complex"), [_number(value.real), _number(value.imag)])


def _numpy_scalar(value: Any) -> Expr:
    return call(dotted(path_of(type(value))[1]), [literal(value.item())])


def slice_call(bounds: list[Expr]) -> Expr:
    """`slice(stop)`, `slice(start, stop)` or the long form."""
    if len(bounds) == 3 and _is_none(bounds[2]):
        bounds = bounds[:2]
    return call(imported("slice"), bounds[1:] if len(bounds) == 2 and _is_none(bounds[0]) else bounds)


def operation(let: ir.Let, args: list[Expr], keywords: list[tuple[str, Expr]]) -> Expr:
    """The expression that computes a let's target."""
    match let.op:
        case ir.Fn(target):
            return _function(target, args, keywords)
        case ir.Attr(part):
            return attribute(args[0], part)
        case ir.Method(part):
            return call(attribute(args[0], part), args[1:], keywords)
        case ir.Make(kind):
            return _MAKERS[kind](args)
        case ir.Global(identifier):
            return name(identifier)
        case ir.Load(path):
            return place(args[0], path, args[1:])
        case ir.Invoke(identifier):
            return call(name(identifier), args)
        case ir.Pop(path, placed):
            return call(attribute(place(args[0], path, args[1:]), "pop"), args[-1:] if placed else [])
    raise AssertionError(f"{let.op} computes no value")


def _function(target: Callable[..., Any], args: list[Expr], keywords: list[tuple[str, Expr]]) -> Expr:
    if not keywords and len(args) == 2:
        if target in BINARY:
            return gast.BinOp(args[0], BINARY[target](), args[1])
        if target in COMPARE:
            return gast.Compare(args[0], [COMPARE[target]()], [args[1]])
        if target is operator.contains:
            return gast.Compare(args[1], [gast.In()], [args[0]])
        if target is operator.getitem:
            return subscript(args[0], args[1])
    if not keywords and len(args) == 1:
        if target in UNARY:
            return gast.UnaryOp(UNARY[target](), args[0])
        if target is operator.not_:
            return _not(args[0])
    if target is operator.call:
        return call(args[0], args[1:], keywords)
    if target is slice:
        return slice_call(args)
    return call(dotted(path_of(target)[1]), args, keywords)


def _dict(args: list[Expr]) -> Expr:
    return gast.Dict(args[::2], args[1::2])


def _fstring(args: list[Expr]) -> Expr:
    literals = [isinstance(arg, gast.Constant) and isinstance(arg.value, str) for arg in args]
    return gast.JoinedStr(
        [arg if is_text else gast.FormattedValue(arg, -1, None) for arg, is_text in zip(args, literals, strict=True)]
    )


_MAKERS: dict[str, Callable[[list[Expr]], Expr]] = {
    "tuple": lambda args: gast.Tuple(args, gast.Load()),
    "list": lambda args: gast.List(args, gast.Load()),
    "slice": slice_call,
    "dict": _dict,
    "fstring": _fstring,
}


def place(buffer: Expr, path: tuple[str, ...], indices: Sequence[Expr]) -> Expr:
    """The part of a buffer that a path leads to."""
    remaining = iter(indices)
    for step in path:
        match step:
            case "[]":
                buffer = subscript(buffer, next(remaining))
            case ".":
                buffer = attribute(buffer, next(remaining).value)
            case "reshape":
                buffer = call(attribute(buffer, step), [next(remaining)])
            case _:
                buffer = attribute(buffer, step[1:])
    return buffer


def writable(buffer: Expr, path: tuple[str, ...], indices: Sequence[Expr], whole: bool) -> Expr:
    """The same as the target of an assignment; `whole`: a name is written into, not rebound."""
    node = place(buffer, path, indices)
    if (whole and not path) or (path and path[-1] not in ("[]", ".")):
        node = gast.Subscript(node, constant(...), gast.Store())
    node.ctx = gast.Store()
    return node


def write(let: ir.Let, args: list[Expr]) -> Any:
    """The statement for an operation without a target."""
    match let.op:
        case ir.Store(path):
            return gast.Assign([writable(args[0], path, args[1:-1], whole=True)], args[-1], None)
        case ir.Update(path, function, unique):
            if not unique and path:
                ufunc = dotted(path_of(_REPEATED[function])[1] + ".at")
                return gast.Expr(call(ufunc, [place(args[0], path[:-1], args[1:-2]), *args[-2:]]))
            target, value = writable(args[0], path, args[1:-1], whole=False), args[-1]
            if function is operator.iadd and isinstance(value, gast.UnaryOp) and isinstance(value.op, gast.USub):
                return gast.AugAssign(target, gast.Sub(), value.operand)
            return gast.AugAssign(target, IN_PLACE[function](), value)
        case ir.Append(path, placed):
            method = attribute(place(args[0], path, args[1:-1]), "insert" if placed else "append")
            return gast.Expr(call(method, args[-2:] if placed else args[-1:]))
        case ir.Raise():
            exception, cause = (*args, None, None)[:2]
            return gast.Raise(exception, cause)
        case ir.Assert():
            return gast.Assert(args[0], args[1] if len(args) > 1 else None)
    raise AssertionError(f"{let.op} computes a value")


def imports_of_op(op: ir.Op) -> list[str]:
    """The imports that the text of an operation needs."""
    match op:
        case ir.Fn(target):
            return [] if target in INFIX else [path_of(target)[0]]
        case ir.Update(_, _, False):
            return ["import numpy as np"]
    return []


def imports_of_atom(atom: ir.Atom) -> list[str]:
    """The imports that the text of a constant needs."""
    return [] if isinstance(atom, ir.Var) or atom == ir.UNDEFINED else _imports_of_value(atom.value)


def _imports_of_value(value: Any) -> list[str]:
    match value:
        case None | bool() | str() | bytes() | int() | builtins.Ellipsis | range():
            return []
        case np.generic() | np.dtype():
            return ["import numpy as np"]
        case float() | complex():
            parts = (value.real, value.imag)
            named = any(not math.isfinite(part) or part == math.pi for part in parts)
            return ["import numpy as np"] if named else []
        case tuple() | list():
            return [line for item in value for line in _imports_of_value(item)]
        case slice():
            return _imports_of_value((value.start, value.stop, value.step))
    return [path_of(value)[0]]
