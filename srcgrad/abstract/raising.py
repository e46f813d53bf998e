"""Which statements cannot raise: inside of a `try` all others stay, and stay in their order.

    may_raise(_t.1 = make_tuple(x.0, 2))                   False
    may_raise(y.1 = operator.mul(x.0, x.0))                False for Python's floats, True for arrays
    may_raise(y.1 = operator.getitem(table.0, k.2))        True
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping

from srcgrad.ir import (
    Append,
    Atom,
    Attr,
    Const,
    Enter,
    Fn,
    For,
    Global,
    If,
    Let,
    Load,
    Make,
    Stmt,
    Try,
    Var,
    While,
    blocks,
)  # fmt: skip
from srcgrad.types import UNKNOWN, Type, type_of

_SUMS = (operator.add, operator.sub, operator.mul, operator.neg, operator.pos)
_COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.not_)
_IDENTITY = (operator.is_, operator.is_not)
_SMALL = 1 << 60  # an int that has a float


def may_raise(stmt: Stmt, types: Mapping[str, Type]) -> bool:
    """Whether a statement, without those inside of it, may raise an exception, as far as the types tell."""
    match stmt:
        case Let():
            return _operation(stmt, types)
        case If():
            return not _has_truth(_type(stmt.test, types))
        case While():
            return not _has_truth(_type(stmt.test.results[0], types))
        case For():
            return _type(stmt.iterable, types).kind not in ("range", "list", "tuple")
        case Try():
            return False  # what it handles is named by a constant


def any_may_raise(stmts: Iterable[Stmt], types: Mapping[str, Type]) -> bool:
    """Whether one of these statements, or of those inside of them, may raise."""
    return any(may_raise(stmt, types) or any_may_raise(_inner(stmt), types) for stmt in stmts)


def _inner(stmt: Stmt) -> Iterator[Stmt]:
    return (inner for block in blocks(stmt) for inner in block.stmts)


def _operation(let: Let, types: Mapping[str, Type]) -> bool:
    match let.op:
        case Make(kind):
            return kind not in ("tuple", "list", "slice")
        case Load(path):
            return bool(path)
        case Global():
            return False
        case Append(path):
            return bool(path) or _type(let.args[0], types).kind != "list"
        case Enter():
            return bool(let.args)
        case Attr(name):
            return name not in ("shape", "size", "ndim", "dtype", "T") or _type(let.args[0], types).kind != "array"
        case Fn(target):
            return not _cannot(target, let.args, types) or bool(let.keywords)
        case _:
            return True


def _cannot(target: object, args: tuple[Atom, ...], types: Mapping[str, Type]) -> bool:
    if target in _IDENTITY:
        return True
    known = [_type(atom, types) for atom in args]
    if target is range:
        return len(args) == 1 and _is_plain(known[0], "iub")
    if target in _COMPARISONS:
        return all(_is_plain(each, "fiub") for each in known)
    if target not in _SUMS:
        return False
    # Python's int is converted to a float, which a very large one has not.
    floats = all(_is_plain(each, "f") or _is_small(atom) for each, atom in zip(known, args, strict=True))
    return floats or all(_is_plain(each, "iub") for each in known)


def _type(atom: Atom, types: Mapping[str, Type]) -> Type:
    return types.get(atom.name, UNKNOWN) if isinstance(atom, Var) else type_of(atom.value)


def _is_plain(known: Type, kinds: str) -> bool:
    """Whether a type is that of Python's own numbers of these kinds."""
    plain = known.kind == "scalar" and known.weak and not known.whole
    return plain and known.dtype is not None and known.dtype.kind in kinds


def _has_truth(known: Type) -> bool:
    """Whether values of a type are true or false: an array is neither."""
    return known.kind in ("scalar", "none", "str", "tuple", "list", "dict", "range")


def _is_small(atom: Atom) -> bool:
    return isinstance(atom, Const) and isinstance(atom.value, int) and abs(atom.value) < _SMALL
