"""Lowering of expressions: each becomes an atom, a tuple of atoms or a function, and the lets that compute it."""

from __future__ import annotations

import math
import operator
import types as python_types
from typing import Any

import gast
import numpy as np

from srcgrad.frontend.base import Base, Undecided
from srcgrad.frontend.scope import Closure, Value, leaves, rebuild, same_structure
from srcgrad.ir import Atom, Attr, Block, Const, Fn, If, Let, Make, Var

BINARY = {
    gast.Add: operator.add,
    gast.Sub: operator.sub,
    gast.Mult: operator.mul,
    gast.Div: operator.truediv,
    gast.FloorDiv: operator.floordiv,
    gast.Mod: operator.mod,
    gast.Pow: operator.pow,
    gast.MatMult: operator.matmul,
    gast.BitAnd: operator.and_,
    gast.BitOr: operator.or_,
    gast.BitXor: operator.xor,
    gast.LShift: operator.lshift,
    gast.RShift: operator.rshift,
}
UNARY = {gast.USub: operator.neg, gast.UAdd: operator.pos, gast.Invert: operator.invert, gast.Not: operator.not_}
COMPARE = {
    gast.Lt: operator.lt,
    gast.LtE: operator.le,
    gast.Gt: operator.gt,
    gast.GtE: operator.ge,
    gast.Eq: operator.eq,
    gast.NotEq: operator.ne,
    gast.Is: operator.is_,
    gast.IsNot: operator.is_not,
}
_KNOWN_MODULES = (np, math)


class Expressions(Base):
    def expression(self, node: gast.AST) -> Value:
        """The value of an expression."""
        method = getattr(self, "_expr_" + type(node).__name__.lower(), None)
        if method is None:
            return self.refuse(node, f"`{_kind(node)}` expressions are not supported", "compute it outside")
        value: Value = method(node)
        return value

    def atom(self, node: gast.AST) -> Atom:
        return self.as_atom(self.expression(node), node)

    def as_atom(self, value: Value, node: gast.AST) -> Atom:
        """A value as one operand: tuples are built, functions are refused."""
        if isinstance(value, tuple):
            return self.builder.let(Make("tuple"), [self.as_atom(item, node) for item in value])
        if isinstance(value, Closure):
            return self.refuse(node, f"the function `{value.name}` is used as a value", "call it by its name")
        return value

    # Leaves

    def _expr_constant(self, node: gast.Constant) -> Value:
        return Const(node.value)

    def _expr_name(self, node: gast.Name) -> Value:
        return self.name(node)

    # Operators

    def _expr_binop(self, node: gast.BinOp) -> Value:
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(left, tuple) and isinstance(right, tuple) and isinstance(node.op, gast.Add):
            return left + right
        if isinstance(left, tuple) and isinstance(node.op, gast.Mult) and isinstance(right, Const):
            return left * int(right.value)
        if _is_class(left) and _is_class(right):  # `int | float` in a test of a type
            return Const(left.value | right.value)  # type: ignore[union-attr]
        return self.builder.fn(BINARY[type(node.op)], self.as_atom(left, node), self.as_atom(right, node))

    def _expr_unaryop(self, node: gast.UnaryOp) -> Value:
        return self.builder.fn(UNARY[type(node.op)], self.atom(node.operand))

    def _expr_compare(self, node: gast.Compare) -> Value:
        left = self.atom(node.left)
        return self._comparisons(left, list(zip(node.ops, node.comparators, strict=True)))

    def _comparisons(self, left: Atom, rest: list[tuple[gast.AST, gast.AST]]) -> Atom:
        (op, node), *others = rest
        right = self.atom(node)
        first = self._comparison(op, left, right)
        if not others:
            return first
        return self.either(first, lambda: self._comparisons(right, others), lambda: first, "_test")

    def _comparison(self, op: gast.AST, left: Atom, right: Atom) -> Atom:
        if isinstance(op, gast.In | gast.NotIn):
            found = self.builder.fn(operator.contains, right, left)
            return found if isinstance(op, gast.In) else self.builder.fn(operator.not_, found)
        return self.builder.fn(COMPARE[type(op)], left, right)

    def _expr_boolop(self, node: gast.BoolOp) -> Value:
        return self._boolean(node.values, isinstance(node.op, gast.And))

    def _boolean(self, nodes: list[gast.AST], conjunction: bool) -> Value:
        first = self.expression(nodes[0])
        if len(nodes) == 1:
            return first

        def rest() -> Value:
            return self._boolean(nodes[1:], conjunction)

        def same() -> Value:
            return first

        test = self.as_atom(first, nodes[0])
        return self.either(test, *((rest, same) if conjunction else (same, rest)), "_test")

    def _expr_ifexp(self, node: gast.IfExp) -> Value:
        return self.either(
            self.atom(node.test), lambda: self.expression(node.body), lambda: self.expression(node.orelse), "_choice"
        )

    def either(self, test: Atom, then: Any, orelse: Any, hint: str) -> Any:
        """The value of one of two expressions, of which only that one is computed."""
        if isinstance(test, Const):
            return then() if test.value else orelse()
        if self.frame.static:
            raise Undecided
        with self.builder.block() as then_stmts:
            first = then()
        with self.builder.block() as else_stmts:
            second = orelse()
        if not same_structure(first, second) or any(isinstance(leaf, Closure) for leaf in leaves(first)):
            return self.refuse(self.node, "the two values of this choice differ in structure", "use `if` statements")
        pairs = list(zip(leaves(first), leaves(second), strict=True))
        targets = [self.joined(hint, left, right) for left, right in pairs]
        self.builder.emit(
            If(
                tuple(target.name for target in targets),
                test,
                Block(tuple(then_stmts), tuple(left for left, _ in pairs)),  # type: ignore[misc]
                Block(tuple(else_stmts), tuple(right for _, right in pairs)),  # type: ignore[misc]
                self.builder.origin,
            )
        )
        return rebuild(first, iter(targets))

    def _expr_namedexpr(self, node: gast.NamedExpr) -> Value:
        value = self.expression(node.value)
        if isinstance(value, Var):
            self.builder.suggest(value, self.hint(node.target.id))
        self.assign(node.target, value)
        return value

    # Containers

    def _expr_tuple(self, node: gast.Tuple) -> Value:
        return tuple(self.items(node.elts))

    def items(self, nodes: list[gast.AST]) -> list[Value]:
        """The values of the elements of a display or of a call, stars spread."""
        values: list[Value] = []
        for node in nodes:
            if isinstance(node, gast.Starred):
                inner = self.spread(self.expression(node.value))
                if inner is None:
                    values.append(self.refuse(node, "a starred value of unknown length", "name the elements"))
                else:
                    values.extend(inner)
            else:
                values.append(self.expression(node))
        return values

    def spread(self, value: Value) -> list[Value] | None:
        """The elements of a tuple, or None where their number is not known."""
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, Const) and isinstance(value.value, tuple):
            return [Const(item) for item in value.value]
        known = self.builder.type(value) if isinstance(value, Var) else None
        if known is not None and known.kind == "tuple":
            return [self.builder.fn(operator.getitem, value, Const(i)) for i in range(len(known.items))]  # type: ignore[arg-type]
        return None

    def _expr_joinedstr(self, node: gast.JoinedStr) -> Value:
        pieces = []
        for piece in node.values:
            if isinstance(piece, gast.FormattedValue):
                if piece.conversion != -1 or piece.format_spec is not None:
                    spec = self.atom(piece.format_spec) if piece.format_spec is not None else Const("")
                    value = self.atom(piece.value)
                    if piece.conversion != -1:
                        convert = {"r": repr, "s": str, "a": ascii}[chr(piece.conversion)]
                        value = self.builder.fn(convert, value)
                    pieces.append(self.builder.fn(format, value, spec))
                    continue
                piece = piece.value
            pieces.append(self.atom(piece))
        return self.builder.let(Make("fstring"), pieces)

    def _expr_lambda(self, node: gast.Lambda) -> Value:
        return Closure(node, self.frame)

    # Subscripts and attributes

    def _expr_subscript(self, node: gast.Subscript) -> Value:
        value = self.expression(node.value)
        index = self.index(node.slice)
        if isinstance(value, tuple):
            if isinstance(index, Const) and isinstance(index.value, int | slice):
                return value[index.value]
            value = self.as_atom(value, node)
        return self.builder.fn(operator.getitem, self.as_atom(value, node), index)

    def index(self, node: gast.AST) -> Atom:
        return self.atom(node)

    def _expr_slice(self, node: gast.Slice) -> Value:
        parts = (node.lower, node.upper, node.step)
        return self.builder.let(Make("slice"), [Const(None) if p is None else self.atom(p) for p in parts])

    def _expr_attribute(self, node: gast.Attribute) -> Value:
        value = self.expression(node.value)
        if isinstance(value, Const):
            return self.static_attribute(node, value.value)
        return self.builder.let(Attr(node.attr), [self.as_atom(value, node)])

    def static_attribute(self, node: gast.Attribute, owner: Any) -> Value:
        """An attribute of an object that the compiler knows: a module's function, a constant of NumPy's."""
        missing = object()
        found = getattr(owner, node.attr, missing)
        if found is missing:
            owner_name = getattr(owner, "__name__", type(owner).__name__)
            return self.refuse(node, f"`{owner_name}` has no attribute `{node.attr}`", "check the name")
        if isinstance(owner, python_types.ModuleType) and owner not in _KNOWN_MODULES and not callable(found):
            if isinstance(found, python_types.ModuleType):
                return Const(found)
            return self.builder.let(Attr(node.attr), [self.atom(node.value)])
        return Const(found)


def _is_class(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, type | python_types.UnionType)


def _kind(node: gast.AST) -> str:
    return {
        "Await": "await",
        "Yield": "yield",
        "YieldFrom": "yield from",
        "Set": "set",
    }.get(type(node).__name__, type(node).__name__)


__all__ = ["Expressions", "Fn", "Let"]
