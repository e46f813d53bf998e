"""Lowering of expressions: each becomes an atom, a tuple of atoms or a function, and the lets that compute it."""

from __future__ import annotations

import operator
import types as python_types
from collections.abc import Callable
from typing import Any

import gast
import numpy as np

from srcgrad.frontend.base import Base, Undecided, is_mixed, is_users_own
from srcgrad.frontend.library import Deque
from srcgrad.frontend.values import (
    Bound,
    Choice,
    Closure,
    Compound,
    Instance,
    Lazy,
    Partial,
    Record,
    Star,
    Table,
    Value,
    atoms_of,
    leaves,
    parts_of,
    same_names,
    same_structure,
    with_atoms,
)
from srcgrad.ir import Atom, Attr, Block, Const, Fn, If, Let, Make, Var
from srcgrad.types import INT, functions_in

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
MAX_SPREAD = 64  # elements that are written out one by one


class Expressions(Base):
    targets: frozenset[str] = frozenset()  # the names of the comprehensions around what is lowered

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
        """A value as one operand: tuples are built, functions and objects are refused."""
        if isinstance(value, tuple):
            return self.builder.let(Make("tuple"), [self.as_atom(item, node) for item in value])
        if isinstance(value, Closure | Bound | Partial):
            shown = f"the function `{value.name}`" if isinstance(value, Closure) else "a function made here"
            return self.refuse(node, f"{shown} is used as a value", "call it by its name")
        if isinstance(value, Instance | Record):
            problem = f"an object of class `{value.cls.__name__}` leaves the function's own names"
            stands_in = value.cls.__module__ == Deque.__module__
            remedy = "make a list or dict of it first" if stands_in else "pass or return its fields, as a tuple"
            return self.refuse(node, problem, remedy)
        if isinstance(value, Table):
            return self.build_table(value, node)
        if isinstance(value, Lazy):
            return self.as_atom(self.listed(value, node), node)
        if isinstance(value, Star):
            return self.refuse(value.node, "the number of elements of this starred argument is not known", "name them")
        if isinstance(value, Compound):
            return self.refuse(node, "`super()` is used as a value", "call a method of it")
        return self.runtime_object(value.value, value.value.__name__) if is_users_own(value) else value

    def opened(self, value: Value, node: gast.AST) -> Value:
        """What a loop over a value runs over."""
        raise NotImplementedError

    def listed(self, value: Value, node: gast.AST) -> Value:
        """A list of the elements of a sequence or iterator."""
        raise NotImplementedError

    def build_table(self, value: Table, node: gast.AST) -> Atom:
        """A list or dict of functions as an object of the running program."""
        items = [self.as_atom(item, node) for item in value.items]
        if value.kind == "dict":
            items = [atom for key, item in zip(value.keys, items, strict=True) for atom in (Const(key), item)]
        return self.builder.let(Make(value.kind), items)

    # Leaves

    def _expr_constant(self, node: gast.Constant) -> Value:
        return Const(node.value)

    def _expr_name(self, node: gast.Name) -> Value:
        return self.name(node)

    # Operators

    def _expr_binop(self, node: gast.BinOp) -> Value:
        return self.binary(node, self.expression(node.left), self.expression(node.right))

    def binary(self, node: gast.BinOp | gast.AugAssign, left: Value, right: Value) -> Value:
        """`left op right`."""
        if isinstance(left, tuple) and isinstance(right, tuple) and isinstance(node.op, gast.Add):
            return left + right
        if isinstance(left, tuple) and isinstance(node.op, gast.Mult) and isinstance(right, Const):
            return left * int(right.value)
        if _is_class(left) and _is_class(right):  # `int | float` in a test of a type
            return Const(left.value | right.value)  # type: ignore[union-attr]
        special = self.special_operator(node, BINARY[type(node.op)].__name__, [left, right])
        if special is not None:
            return special
        return self.builder.fn(BINARY[type(node.op)], *self._operands(node.op, left, right, node))

    def _operands(self, op: gast.AST, left: Value, right: Value, node: gast.AST) -> list[Atom]:
        """The operands of arithmetic: a list or tuple that meets one of NumPy's values is an array by another name."""
        atoms = [self.as_atom(left, node), self.as_atom(right, node)]
        types = [self.builder.type(atom) for atom in atoms]
        met = any(known.kind == "array" for known in types)
        if not isinstance(op, gast.Mult):  # NumPy's integers repeat lists as Python's do
            met |= any(known.kind == "scalar" and not known.weak for known in types)
        if not isinstance(op, gast.Mult | gast.Add | gast.Mod):  # which join, repeat and fill in
            met |= any(known.kind == "unknown" for known in types)
        return [self.as_array(atom) for atom in atoms] if met else atoms

    def as_array(self, atom: Atom) -> Atom:
        """A list or tuple as the array that NumPy takes it for; all else as it is."""
        return self.builder.fn(np.array, atom) if self.builder.type(atom).kind in ("list", "tuple") else atom

    def special_method(self, value: Value, name: str) -> Value | None:
        """The method that the class of an object defines under a special name; None where it defines none."""
        raise NotImplementedError

    def apply(self, node: gast.AST, callee: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
        """The value of a call of a value."""
        raise NotImplementedError

    def special_operator(self, node: gast.AST, name: str, operands: list[Value]) -> Value | None:
        """What an operator does that a class of the user's defines; None where none does."""
        raise NotImplementedError

    def _expr_unaryop(self, node: gast.UnaryOp) -> Value:
        operand = self.expression(node.operand)
        if isinstance(node.op, gast.Not):
            return self.negated(self.truth(operand, node))
        special = self.special_operator(node, UNARY[type(node.op)].__name__, [operand])
        return special if special is not None else self.builder.fn(UNARY[type(node.op)], self.as_atom(operand, node))

    def negated(self, test: Atom) -> Atom:
        negated = self.builder.fn(operator.not_, test)
        if isinstance(test, Var) and isinstance(negated, Var) and test.name in self.flags:
            raised, positive = self.flags[test.name]
            self.flags[negated.name] = raised, not positive
        return negated

    def truth(self, value: Value, node: gast.AST) -> Atom:
        """A value as a test: functions are true, so are tuples that hold something."""
        if isinstance(value, tuple | Record | Table):
            return Const(bool(parts_of(value)))
        if isinstance(value, Closure | Instance | Bound | Partial | Choice):
            return Const(True)
        return self.as_atom(value, node)

    def test(self, node: gast.AST) -> Atom:
        if isinstance(node, gast.BoolOp):
            return self.as_atom(self._boolean(node.values, isinstance(node.op, gast.And), tested=True), node)
        return self.truth(self.expression(node), node)

    def _expr_compare(self, node: gast.Compare) -> Value:
        left = self.expression(node.left)
        return self._comparisons(left, list(zip(node.ops, node.comparators, strict=True)))

    def _comparisons(self, left: Value, rest: list[tuple[gast.AST, gast.AST]]) -> Value:
        (op, node), *others = rest
        right = self.expression(node)
        first = self.comparison(op, left, right, node)
        if not others:
            return first
        test = self.truth(first, node)
        return self.either(test, lambda: self._comparisons(right, others), lambda: first, "_test")

    def comparison(self, op: gast.AST, left: Value, right: Value, node: gast.AST) -> Value:
        """`left op right`; where the compiler knows both, its result."""
        if isinstance(op, gast.In | gast.NotIn):
            found = self.contained(left, right, node)
            return found if isinstance(op, gast.In) else self.builder.fn(operator.not_, found)
        if isinstance(left, Const) and isinstance(right, Const) and isinstance(op, gast.Is | gast.IsNot):
            if callable(left.value) or callable(right.value):
                return Const((left.value is right.value) == isinstance(op, gast.Is))
        made = any(isinstance(value, Closure | Instance | Compound | tuple) for value in (left, right))
        if made and isinstance(op, gast.Is | gast.IsNot):
            same = left == right
            if not same and (isinstance(left, tuple | Record) and isinstance(right, tuple | Record)):
                return self.refuse(node, "two tuples are compared by `is`", "compare them by `==`")
            return Const(same == isinstance(op, gast.Is))
        if made:
            special = self.special_operator(node, COMPARE[type(op)].__name__, [left, right])
            if special is not None:
                return special
        return self.builder.fn(COMPARE[type(op)], self.as_atom(left, node), self.as_atom(right, node))

    def contained(self, item: Value, owner: Value, node: gast.AST) -> Atom:
        """`item in owner`."""
        if isinstance(owner, Table) and owner.kind == "dict" and isinstance(item, Const):
            return Const(item.value in owner.keys)
        if isinstance(owner, tuple) and isinstance(item, Const) and all(isinstance(i, Const) for i in owner):
            return Const(item.value in [i.value for i in owner])
        method = self.special_method(owner, "__contains__")
        if method is not None:
            return self.truth(self.apply(node, method, [item], {}), node)
        atom = self.as_atom(self.opened(owner, node), node)
        known = self.builder.type(atom)
        if isinstance(item, Const) and self.known_keys(atom) is not None:
            return Const(item.value in known.keys)
        return self.builder.fn(operator.contains, atom, self.as_atom(item, node))

    def _expr_boolop(self, node: gast.BoolOp) -> Value:
        return self._boolean(node.values, isinstance(node.op, gast.And))

    def _boolean(self, nodes: list[gast.AST], conjunction: bool, tested: bool = False) -> Value:
        """`a and b`; `tested`: as a test, of which only the truth counts."""
        first = self.expression(nodes[0])
        if len(nodes) == 1:
            return self.truth(first, nodes[0]) if tested else first

        def rest() -> Value:
            return self._boolean(nodes[1:], conjunction, tested)

        def same() -> Value:
            return test if tested else first

        test = self.truth(first, nodes[0])
        return self.either(test, *((rest, same) if conjunction else (same, rest)), "_test")

    def _expr_ifexp(self, node: gast.IfExp) -> Value:
        return self.either(
            self.test(node.test), lambda: self.expression(node.body), lambda: self.expression(node.orelse), "_choice"
        )

    def either(self, test: Atom, then: Callable[[], Value], orelse: Callable[[], Value], hint: str) -> Value:
        """The value of one of two expressions, of which only that one is computed."""
        if isinstance(test, Const):
            return then() if test.value else orelse()
        if self.frame.static:
            raise Undecided
        before = self.frame.environment
        self.frame.environment = dict(before)
        with self.builder.block() as then_stmts:
            first = then()
        changed = same_names(before, self.frame.environment)
        self.frame.environment = dict(before)
        with self.builder.block() as else_stmts:
            second = orelse()
        changed = not (same_names(before, self.frame.environment) and changed)
        self.frame.environment = before
        if changed:
            return self.either_assigns(test, then, orelse)
        first, second = self.settled(test, first, second)
        if not same_structure(first, second):
            return self.refuse(self.node, "the two values of this choice differ in structure", "use `if` statements")
        every = list(zip(leaves(first), leaves(second), strict=True))
        if any(is_mixed(left) or (left != right and _is_known_thing(left, right)) for left, right in every):
            return self.refuse(self.node, "this is one of two functions or objects", "use it in each branch of an `if`")
        pairs = list(zip(atoms_of(first), atoms_of(second), strict=True))
        targets = [self.joined(hint, left, right) for left, right in pairs]
        self.builder.emit(
            If(
                tuple(target.name for target in targets),
                test,
                Block(tuple(then_stmts), tuple(left for left, _ in pairs)),
                Block(tuple(else_stmts), tuple(right for _, right in pairs)),
                self.builder.origin,
            )
        )
        return with_atoms(first, iter(targets))

    def either_assigns(self, test: Atom, then: Callable[[], Value], orelse: Callable[[], Value]) -> Value:
        """The same where the expressions assign names, or change objects."""
        raise NotImplementedError

    def settled(self, test: Atom, a: Value, b: Value) -> tuple[Value, Value]:
        """Two values whose leaves that are no atoms are the same: a function of two is a choice between them."""
        raise NotImplementedError

    def _expr_namedexpr(self, node: gast.NamedExpr) -> Value:
        value = self.expression(node.value)
        if isinstance(value, Var):
            self.builder.suggest(value, self.hint(node.target.id))
        self.assign(node.target, value)
        return value

    # Containers

    def _expr_tuple(self, node: gast.Tuple) -> Value:
        items = self.items(node.elts)
        if not any(isinstance(item, Star) for item in items):
            return tuple(items)
        return self.builder.fn(tuple, self.as_atom(self.joined_items(items, node), node))

    def items(self, nodes: list[gast.AST]) -> list[Value]:
        """The values of the elements of a display or of a call; stars are spread where their number is known."""
        values: list[Value] = []
        for node in nodes:
            if not isinstance(node, gast.Starred):
                values.append(self.expression(node))
                continue
            value = self.expression(node.value)
            inner = self.spread(value)
            values.extend([Star(value, node)] if inner is None else inner)
        return values

    def joined_items(self, items: list[Value], node: gast.AST) -> Value:
        """A list of elements, among them those of sequences of unknown length."""
        raise NotImplementedError

    def spread(self, value: Value) -> list[Value] | None:
        """The elements of a tuple, or None where their number is not known."""
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, Lazy):
            found = self.listed(value, self.node)
            return self.spread(found) if isinstance(found, Table | tuple) else self._built_items(found)
        if isinstance(value, Record) and value.is_tuple:
            return list(value.items)
        if isinstance(value, Table):
            return list(value.items) if value.kind == "list" else [Const(key) for key in value.keys]
        if isinstance(value, Const) and isinstance(value.value, tuple | range):
            return [Const(item) for item in value.value] if len(value.value) <= MAX_SPREAD else None
        if isinstance(value, Var) and (known := self.builder.type(value)).kind == "record":
            if known.cls is not None and issubclass(known.cls, tuple):
                return [self.builder.let(Attr(key), [value]) for key in known.keys]
        keys = self.known_keys(value)
        if keys is not None:
            return [Const(key) for key in keys]
        if isinstance(value, Var) and (known := self.builder.type(value)).kind == "tuple":
            return [self.part(value, i) for i in range(len(known.items))]
        return None

    def part(self, value: Var, key: Any) -> Value:
        """An element of a container whose elements are known one by one."""
        return self.known_function(self.builder.fn(operator.getitem, value, Const(key)))

    def known_function(self, atom: Atom) -> Atom:
        """The function, class or module that an atom is known to be; any other as it is."""
        known = self.builder.type(atom)
        return Const(known.value) if known.kind == "callable" else atom

    def known_keys(self, value: Value) -> tuple[Any, ...] | None:
        """The keys of a dict to which no others are added; None where they are not known."""
        raise NotImplementedError

    def _built_items(self, value: Value) -> list[Value] | None:
        """The elements of a list that was built last, and is used once."""
        made = self.builder.current()[-1] if self.builder.current() else None
        if not isinstance(made, Let) or made.op != Make("list") or value != Var(made.target or ""):
            return None
        return list(made.args)

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
        return self.closure(node)

    def closure(self, node: gast.FunctionDef | gast.Lambda) -> Closure:
        """A function that is made here: its defaults are evaluated now, its free names when it is called."""
        signature = node.args
        positional = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
        pairs = list(zip(reversed(positional), reversed(signature.defaults), strict=False))
        pairs += [(a.id, d) for a, d in zip(signature.kwonlyargs, signature.kw_defaults, strict=True) if d is not None]
        defaults = tuple((name, self.expression(default)) for name, default in pairs)
        return Closure(node, self.frame, defaults, self.targets)

    # Subscripts and attributes

    def _expr_subscript(self, node: gast.Subscript) -> Value:
        return self.subscripted(node, self.expression(node.value), node.slice)

    def subscripted(self, node: gast.AST, value: Value, part: gast.AST) -> Value:
        """`value[part]`."""
        method = self.special_method(value, "__getitem__")
        if method is not None:
            return self.apply(node, method, [self.expression(part)], {})
        index = self.index(part)
        known = self.element(node, value, index)
        if known is not None:
            return known
        return self.builder.fn(operator.getitem, self.as_atom(value, node), index)

    def element(self, node: gast.AST, value: Value, index: Atom) -> Value | None:
        """An element of what the compiler knows; None where it is found by the running program."""
        is_position = isinstance(index, Const) and isinstance(index.value, int | slice)
        if not isinstance(index, Const) and (table := self._table_of_functions(value)) is not None:
            return self.chosen(node, table, index)
        items = value if isinstance(value, tuple) else value.items if isinstance(value, Record | Table) else None
        if isinstance(value, Var) and is_position:
            known = self.builder.type(value)
            if known.kind == "record" and known.cls is not None and issubclass(known.cls, tuple):
                items = tuple(self.spread(value) or ())
        if items is None or not isinstance(index, Const):
            return None
        if isinstance(value, Table) and value.kind == "dict":
            if index.value in value.keys:
                return items[value.keys.index(index.value)]
            return self.refuse(node, f"the dict has no key {index.value!r}", "check the key")
        if not is_position:
            return None
        if isinstance(index.value, int) and not -len(items) <= index.value < len(items):
            return self.refuse(node, f"position {index.value} of {len(items)} elements", "check the index")
        found = items[index.value]
        return Table("list", (), found) if isinstance(value, Table) and isinstance(index.value, slice) else found

    def _table_of_functions(self, value: Value) -> Table | None:
        """A list, tuple or dict of functions as the compiler knows it; None for all else."""
        if isinstance(value, Table):
            return value
        if isinstance(value, Var) and not functions_in(self.builder.type(value)):
            return None
        if self.known_keys(value) is not None:
            pairs = self.pairs(value) or []
            return Table("dict", tuple(key for key, _ in pairs), tuple(item for _, item in pairs))
        known = isinstance(value, tuple) or (isinstance(value, Var) and self.builder.type(value).kind == "tuple")
        items = tuple(self.spread(value) or ()) if known else ()
        return Table("list", (), items) if any(map(self.is_static, items)) else None

    def chosen(self, node: gast.AST, value: Table, index: Atom, default: Value | None = None) -> Value | None:
        """The function that the running program takes from a list or dict of functions."""
        if not value.items or any(isinstance(item, tuple | Record) for item in value.items):
            return None
        keys = value.keys if value.kind == "dict" else tuple(range(len(value.items)))
        if value.kind == "list":  # a position may be negative, or none of them, which raises
            positions = self.builder.let(Make("list"), [Const(key) for key in keys])
            index = self.builder.let(Fn(operator.getitem), [positions, index], effect=True, known=INT)
        elif default is None:
            guard = self.builder.let(Make("dict"), [Const(v) for key in keys for v in (key, None)])
            self.builder.let(Fn(operator.getitem), [guard, index], effect=True)  # the error of a key that is not there
        choices = list(zip(keys, value.items, strict=True))
        found = choices.pop()[1] if default is None else default
        for key, item in reversed(choices):
            found = Choice(self.builder.fn(operator.eq, index, Const(key)), item, found)
        return found

    def is_static(self, value: Value) -> bool:
        """Whether a value is, or holds, a function or an object that was made here."""
        raise NotImplementedError

    def pairs(self, value: Value) -> list[tuple[Any, Value]] | None:
        """The keys and values of a dict; None where its keys are not known."""
        raise NotImplementedError

    def index(self, node: gast.AST) -> Atom:
        return self.atom(node)

    def _expr_slice(self, node: gast.Slice) -> Value:
        parts = (node.lower, node.upper, node.step)
        return self.builder.let(Make("slice"), [Const(None) if p is None else self.atom(p) for p in parts])

    def _expr_attribute(self, node: gast.Attribute) -> Value:
        return self.attribute(node, node.attr, self.expression(node.value))

    def attribute(self, node: gast.AST, name: str, owner: Value) -> Value:
        """`owner.name`."""
        raise NotImplementedError


def _is_known_thing(*values: Value) -> bool:
    return any(isinstance(value, Closure | Instance) for value in values)


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
