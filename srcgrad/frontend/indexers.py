"""What NumPy's objects that are indexed instead of called come to.

    np.s_[1:-1]                 the slice itself
    np.r_[x[0], x[1:], 1.0]     np.hstack((x[0], x[1:], 1.0))
    np.c_[x, y]                 np.column_stack((x, y))
"""

from __future__ import annotations

import math
import operator
from typing import Any

import gast
import numpy as np

from srcgrad.frontend.expressions import Expressions
from srcgrad.frontend.values import Value
from srcgrad.ir import Atom, Const, Fn, Make
from srcgrad.types import Type, anonymous, type_of

_LARGEST = 10_000  # elements of a grid that is made to see its type


class Indexers(Expressions):
    def subscripted(self, node: gast.AST, value: Value, part: gast.AST) -> Value:
        owner = value.value if isinstance(value, Const) else None
        if owner is np.s_ or owner is np.index_exp:
            index = self.expression(part)
            return index if owner is np.s_ or isinstance(index, tuple) else (index,)
        if owner is np.r_ or owner is np.c_:
            return self._side_by_side(node, owner, self.expression(part))
        if owner is np.mgrid or owner is np.ogrid:
            return self._grid(node, owner, self.index(part))
        return super().subscripted(node, value, part)

    def _grid(self, node: gast.AST, owner: Any, index: Atom) -> Atom:
        """`np.mgrid[...]`, or a range in `np.r_`: where the bounds are known, so is the type."""
        known = None
        if self._may_be_active(index):
            return self.refuse(node, "the bounds of a range may carry a derivative", "write `np.linspace`")
        if isinstance(index, Const) and _elements(index.value) <= _LARGEST:
            known = anonymous(type_of(owner[index.value]))
        return self.builder.let(Fn(operator.getitem), [Const(owner), index], known=known)

    def _side_by_side(self, node: gast.AST, owner: Any, parts: Value) -> Value:
        """`np.r_[...]` of numbers and vectors, `np.c_[...]` of those and matrices, as the functions that they call."""
        values = parts if isinstance(parts, tuple) else (parts,)
        atoms = [self._as_part(node, value) for value in values]
        types = [self.builder.type(atom) for atom in atoms]
        if not any(known.differentiable for known in types):
            return self.builder.fn(operator.getitem, Const(owner), self.as_atom(parts, node))
        rows = owner is np.r_
        stacked = rows and all(known.rank is not None and known.rank > 1 for known in types)
        if not stacked and not all(known.rank in ((0, 1) if rows else (0, 1, 2)) for known in types):
            shown, remedy = ("r_", "np.concatenate") if rows else ("c_", "np.column_stack")
            problem = f"`np.{shown}` of other than numbers and {'vectors' if rows else 'vectors and matrices'}"
            return self.refuse(node, problem, f"write `{remedy}`")
        if not _agree(types):
            return self.refuse(node, "`np.r_` and `np.c_` of several dtypes", "make them arrays of one dtype")
        join = np.concatenate if stacked else np.hstack if rows else np.column_stack
        return self.builder.fn(join, self.builder.let(Make("tuple"), atoms))

    def _may_be_active(self, index: Atom) -> bool:
        if isinstance(index, Const):
            return False
        known, made = self.builder.type(index), self.builder.last(index.name)
        if made is None or not isinstance(made.op, Make):
            return known.kind in ("slice", "tuple") or known.differentiable
        return any(map(self._may_be_active, made.args))

    def _as_part(self, node: gast.AST, value: Value) -> Atom:
        """One of the parts of `np.r_`, lists and ranges such as `1:3` or `0:1:5j` as arrays."""
        atom = self.as_atom(value, node)
        is_range = self.builder.type(atom).kind == "slice"
        return self._grid(node, np.r_, atom) if is_range else self.as_array(atom)


def _agree(types: list[Type]) -> bool:
    """Whether Python's numbers, which NumPy's functions make arrays of their own dtype, change no dtype so."""
    plain = (np.dtype(float), np.dtype(int))
    dtypes = [known.dtype for known in types]
    return not any(known.weak for known in types) or all(dtype is not None and dtype in plain for dtype in dtypes)


def _elements(index: Any) -> float:
    """How many elements a grid has."""
    if isinstance(index, tuple):
        return math.prod(map(_elements, index))
    if not isinstance(index, slice):
        return 1
    if isinstance(index.step, complex):
        return abs(index.step)
    return float(abs(((index.stop or 0) - (index.start or 0)) / (index.step or 1)))
