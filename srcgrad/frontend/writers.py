"""Lowering of calls that write into their arguments.

    np.sin(x, out=y)                        store(y, sin(x))
    np.copyto(y, x, where=mask)      ->     store(y, where(mask, x, y))
    np.fill_diagonal(a, v)                  store[](a, (order, order), v)

Whatever is known to write and is not lowered here is refused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from srcgrad import runtime
from srcgrad.errors import AliasedWrite
from srcgrad.frontend.statements import Statements
from srcgrad.ir import Atom, Const, Fn, Make, Method, Op, Store, Update, Var
from srcgrad.types import same_length

_IN_PLACE = "iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift iconcat".split()
_OPERATORS = tuple(getattr(operator, name) for name in ("setitem", "delitem", *_IN_PLACE))
MUTATING_METHODS = frozenset(
    "fill sort partition put resize setflags itemset byteswap setfield extend insert remove clear reverse update "
    "setdefault popitem add discard shuffle appendleft popleft extendleft rotate move_to_end difference_update "
    "intersection_update symmetric_difference_update __setitem__ __delitem__ __setattr__ __delattr__".split()
) | {f"__{name}__" for name in _IN_PLACE}
_MUTATING_FUNCTIONS = frozenset("copyto put put_along_axis place putmask fill_diagonal".split())


class Writers(Statements):
    def written_into(self, node: gast.AST, op: Op, args: list[Atom], named: list[tuple[str, Atom]]) -> Atom:
        """A call with `out=`: the result is stored, `y[...] = f(x)`."""
        (target,) = [atom for key, atom in named if key == "out"]
        if not isinstance(target, Var) or self.builder.type(target).kind not in ("array", "unknown"):
            return self.refuse(node, "`out=` of something that is no array", "assign the result")
        others = {key: atom for key, atom in named if key != "out"}
        if isinstance(op, Fn) and "where" in others and _is_smooth_at_one(op.target):
            mask = others.pop("where")
            # What is left out may be outside of the function's domain: 1 takes its place, whose slope is a number.
            taken = [self.builder.fn(np.where, mask, arg, Const(1)) for arg in args]
            value = self.builder.fn(np.where, mask, self.builder.let(op, taken, list(others.items())), target)
        else:
            value = self.builder.let(op, args, list(others.items()))
        self.write(Store(()), target, value)
        return target

    def writing_function(
        self, node: gast.AST, callee: Any, atoms: list[Atom], named: list[tuple[str, Atom]]
    ) -> Atom | None:
        """What a call comes to of a function that writes into an argument; None for all others."""
        atoms, named = _by_keyword(callee, atoms, named)
        if any(key == "out" for key, _ in named):
            return self.written_into(node, Fn(callee), atoms, named)
        if callee is runtime.add_at and isinstance(atoms[0], Var):
            self.write(Update(("[]",), operator.iadd, False), *atoms)
            return Const(None)
        name = getattr(callee, "__name__", "")
        if name == "at" and isinstance(getattr(callee, "__self__", None), np.ufunc):
            return self._ufunc_at(node, callee.__self__, atoms)
        if name in _MUTATING_FUNCTIONS:
            handler = _HANDLERS.get(callee)
            done = handler is not None and isinstance(atoms[0], Var) and handler(self, atoms, dict(named))
            if done:
                return Const(None)
            return self.refuse(node, f"`{name}` writes into its argument", "assign to a subscript", AliasedWrite)
        if any(callee is function for function in _OPERATORS):
            return self.refuse(node, f"`operator.{name}` writes into its argument", "write the statement", AliasedWrite)
        if callee in (np.nditer, np.nested_iters):
            return self.refuse(node, f"`{name}` shows an array by views of its elements", "loop over the indices")
        return None

    def writing_method(
        self, node: gast.AST, name: str, owner: Atom, args: list[Atom], keywords: list[tuple[str, Atom]]
    ) -> Atom | None:
        """The same for a method of an array."""
        kind = self.builder.type(owner).kind
        if kind not in ("array", "unknown"):
            return None
        args, keywords = _by_keyword(getattr(np.ndarray, name, None), [owner, *args], keywords)
        if any(key == "out" for key, _ in keywords):
            return self.written_into(node, Method(name), args, keywords)
        if kind == "array" and isinstance(owner, Var):
            if name == "fill" and len(args) == 2 and not keywords:
                self.write(Store(()), owner, args[1])
                return Const(None)
            if name in ("sort", "partition"):
                function = np.sort if name == "sort" else np.partition
                self.write(Store(()), owner, self.builder.fn(function, *args, **dict(keywords)))
                return Const(None)
        return None

    def _ufunc_at(self, node: gast.AST, ufunc: np.ufunc, atoms: list[Atom]) -> Atom:
        """`np.add.at(y, index, v)`: an augmented store in which every occurrence of an index counts."""
        known: dict[np.ufunc, Callable[..., Any]] = {np.add: operator.iadd, np.subtract: operator.isub}
        inplace = known.get(ufunc)
        if inplace is None or len(atoms) != 3 or not isinstance(atoms[0], Var):
            return self.refuse(node, f"`np.{ufunc.__name__}.at` is not supported", "loop over the indices")
        self.write(Update(("[]",), inplace, False), *atoms)
        return Const(None)

    # NumPy's functions: each says whether it could write what is asked for

    def _copyto(self, atoms: list[Atom], named: dict[str, Atom]) -> bool:
        target, value = atoms[:2]
        if len(atoms) != 2 or named.keys() - {"where"}:
            return False
        if "where" in named:
            value = self.builder.fn(np.where, named["where"], value, target)
        self.write(Store(()), target, value)
        return True

    def _putmask(self, atoms: list[Atom], named: dict[str, Atom]) -> bool:
        """With one value, or one for each element; values of another number are repeated, which is refused."""
        if len(atoms) != 3 or named:
            return False
        target, mask, value = atoms
        known, whole = self.builder.type(value), self.builder.type(target)
        alike = known.dims is not None and whole.dims is not None and len(known.dims) == len(whole.dims)
        alike = alike and all(map(same_length, known.dims or (), whole.dims or ()))
        if known.kind != "scalar" and not alike:
            return False
        self.write(Store(()), target, self.builder.fn(np.where, mask, value, target))
        return True

    def _place(self, atoms: list[Atom], named: dict[str, Atom]) -> bool:
        return len(atoms) == 3 and self.builder.type(atoms[2]).kind == "scalar" and self._putmask(atoms, named)

    def _fill_diagonal(self, atoms: list[Atom], named: dict[str, Atom]) -> bool:
        """Of a square matrix, with a number or with an array as long as the diagonal."""
        target, value = atoms[:2]
        known, whole = self.builder.type(value), self.builder.type(target)
        if len(atoms) != 2 or named or whole.dims is None or len(whole.dims) != 2:
            return False
        if not same_length(*whole.dims):
            return False
        if known.kind != "scalar" and not (known.rank == 1 and same_length((known.dims or ())[0], whole.dims[0])):
            return False
        order = self.builder.fn(np.arange, self.builder.fn(len, target))
        self.write(Store(("[]",)), target, self.builder.let(Make("tuple"), [order, order]), value)
        return True


def _is_smooth_at_one(function: Any) -> bool:
    """Whether a ufunc has a derivative where its operands are 1."""
    return isinstance(function, np.ufunc) and function not in (np.arcsin, np.arccos, np.arccosh, np.arctanh)


def _by_keyword(
    callee: Any, atoms: list[Atom], named: list[tuple[str, Atom]]
) -> tuple[list[Atom], list[tuple[str, Atom]]]:
    """The arguments of a call with an `out` that was given by its position as the keyword that it is."""
    position = _position_of_out(callee)
    if position is None or position >= len(atoms):
        return atoms, named
    rest = _parameters(callee)[position + 1 : len(atoms)]
    kept = [("out", atoms[position])] if atoms[position] != Const(None) else []
    return atoms[:position], [*kept, *zip(rest, atoms[position + 1 :], strict=True), *named]


def _position_of_out(callee: Any) -> int | None:
    if isinstance(callee, np.ufunc):
        return callee.nin
    module = getattr(callee, "__module__", None) or ""
    if not module.startswith("numpy") and getattr(callee, "__objclass__", None) is not np.ndarray:
        return None
    parameters = _parameters(callee)
    return parameters.index("out") if "out" in parameters else None


def _parameters(callee: Any) -> list[str]:
    """The names of the positional parameters of a function of NumPy's, where it tells them."""
    try:
        parameters = inspect.signature(callee).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


_HANDLERS: dict[Any, Callable[[Writers, list[Atom], dict[str, Atom]], bool]] = {
    np.copyto: Writers._copyto,
    np.putmask: Writers._putmask,
    np.place: Writers._place,
    np.fill_diagonal: Writers._fill_diagonal,
}
