"""Algebraic identities, as a table.

Before:                                            After:

    _g.3 = numpy.broadcast_to(g.0, _shape.2)           _p.8 = operator.mul(g.0, y.1)
    _n.4 = operator.neg(_g.3)                          x_bar.6 = operator.neg(_p.8)
    _p.5 = operator.mul(_n.4, y.1)                     yield x_bar.6
    x_bar.6 = operator.mul(_p.5, 1.0)
    yield x_bar.6

Only statements of the reverse sweep are rewritten: the primal stays bit for bit what the user wrote. There a rewrite
may round otherwise, and lose the sign of a zero; it keeps shape, dtype and kind, what is infinite and what is NaN.

Every row is subject to two conditions that stand here and not in the table. *No more work*: the result has no more
lets than those that go, the rewritten one and the operands that it alone uses. *Same type*: the lattice must know
that old and new result agree in kind, dtype and shape; of rows marked ELEMENTWISE, whose shape cannot change, in kind
and dtype; of rows marked SIGN, nothing.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from srcgrad import ir, runtime
from srcgrad.abstract import evaluate, infer
from srcgrad.build import hint_of
from srcgrad.optimize.patterns import Match, Pattern, attribute, call, constant, literal, match, method, variable
from srcgrad.optimize.rewriter import Rewriter, is_hashable, is_temporary, renamed, single_hints, written_buffers
from srcgrad.types import UNKNOWN, Type, same_shape

ELEMENTWISE = "shape"
SIGN = "shape and dtype"

Types = Callable[[str], Type]
Condition = Callable[[Types], bool]


@dataclass(frozen=True, eq=False)
class Row:
    """`pattern` becomes `result` if `when`, which is given the types of the pattern's variables, agrees.

    `kept`: what the row keeps whatever the types are. `within`: the operands looked through must be temporaries, since
    an adjoint with the name of a variable of the user's is to stay a statement of its own.
    """

    pattern: Pattern
    result: Pattern
    when: Condition | None = None
    kept: str = ""
    within: bool = False

    def __str__(self) -> str:
        return f"{self.pattern} -> {self.result}"


def is_real(name: str) -> Condition:
    return lambda types: (dtype := types(name).dtype) is not None and dtype.kind in "biuf"


def are_real(*names: str) -> Condition:
    return lambda types: all(is_real(name)(types) for name in names)


def is_real_quotient(x: str, y: str) -> Condition:
    """A zero among integers has no sign that could turn, in a complex quotient it turns another part's."""

    def holds(types: Types) -> bool:
        dtype = types(y).dtype
        return is_real(x)(types) and dtype is not None and dtype.kind == "f"

    return holds


def have_one_dtype(one: str, other: str) -> Condition:
    """Python's own numbers have no dtype that could be asked for."""

    def holds(types: Types) -> bool:
        a, b = types(one), types(other)
        return a.dtype is not None and a.dtype == b.dtype and a.numeric and b.numeric and not (a.weak or b.weak)

    return holds


def have_one_kind(one: str, other: str) -> Condition:
    """A scalar and a 0-d array are two things."""
    return lambda types: have_one_dtype(one, other)(types) and types(one).kind == types(other).kind


def have_one_type(one: str, other: str) -> Condition:
    return lambda types: have_one_kind(one, other)(types) and same_shape(types(one), types(other))


def is_inexact(name: str) -> Condition:
    return lambda types: (dtype := types(name).dtype) is not None and dtype.kind in "fc"


def is_float_by_int(x: str, y: str) -> Condition:
    """A quotient of two of Python's own numbers is a float, even of two integers."""

    def holds(types: Types) -> bool:
        a, b = types(x), types(y)
        python = a.kind == b.kind == "scalar" and a.weak and b.weak
        return python and a.dtype == np.float64 and b.dtype is not None and b.dtype.kind == "i"

    return holds


def is_signed(name: str) -> Condition:
    return lambda types: (dtype := types(name).dtype) is None or dtype.kind != "u"


def is_not_zero_d(name: str) -> Condition:
    """Arithmetic makes a scalar of a 0-d array."""
    return lambda types: types(name).kind != "array" or types(name).rank != 0


def is_number(name: str) -> Condition:
    return lambda types: types(name).rank == 0


def is_flat(name: str) -> Condition:
    return lambda types: types(name).rank in (0, 1)


def is_proper_array(name: str) -> Condition:
    return lambda types: types(name).kind == "array" and types(name).rank not in (None, 0)


def broadcast(x: Pattern, shape: Pattern) -> Pattern:
    return call(np.broadcast_to, x, shape)


x, y, g, w, t, s, z = map(variable, "xygwtsz")
c, d = constant("c"), constant("d")
negative = -x
wide = broadcast(g, s)  # where an operand has the full shape anyway, the copies are made by the operation itself

IDENTITIES = (
    # Neutral elements. `x + 0.0` differs from x in the sign of a zero alone.
    Row(x * 1, x, kept=ELEMENTWISE),  # x * 1 -> x
    Row(literal(1) * x, x, kept=ELEMENTWISE),  # 1 * x -> x
    Row(x / 1, x, kept=ELEMENTWISE),  # x / 1 -> x
    Row(x**1, x, kept=ELEMENTWISE),  # x ** 1 -> x
    Row(x + 0, x, kept=ELEMENTWISE),  # x + 0 -> x
    Row(literal(0) + x, x, kept=ELEMENTWISE),  # 0 + x -> x
    Row(x - 0, x, kept=ELEMENTWISE),  # x - 0 -> x
    Row(literal(0) - x, -x, kept=ELEMENTWISE),  # 0 - x -> -x
    # Numbers written in the program are multiplied here; a sum of two equal terms is one with a factor.
    Row(c * (d * x), c * d * x, is_inexact("x"), SIGN),  # 2 * (3 * x) -> 6 * x
    Row(c * (x * d), c * d * x, is_inexact("x"), SIGN),
    Row((c * x) * d, c * d * x, is_inexact("x"), SIGN),
    Row((x * c) * d, x * (c * d), is_inexact("x"), SIGN),
    Row(x + x, x * 2, is_inexact("x"), SIGN),  # x + x -> x * 2
    # Signs move outward and cancel.
    Row(literal(-1) * x, -x, kept=ELEMENTWISE),  # -1 * x -> -x
    Row(x * -1, -x, kept=ELEMENTWISE),  # x * -1 -> -x
    Row(-negative, x, is_not_zero_d("x"), SIGN),  # -(-x) -> x
    Row(-x * y, -(x * y), kept=SIGN),  # (-x) * y -> -(x * y)
    Row(x * -y, -(x * y), kept=SIGN),  # x * (-y) -> -(x * y)
    Row(-x / y, -(x / y), kept=SIGN),  # (-x) / y -> -(x / y)
    Row(x / -y, -(x / y), is_real_quotient("x", "y"), SIGN),  # x / (-y) -> -(x / y)
    Row(-x @ y, -(x @ y), kept=SIGN),  # (-x) @ y -> -(x @ y)
    Row(x @ -y, -(x @ y), kept=SIGN),  # x @ (-y) -> -(x @ y)
    Row(x + -y, x - y, kept=SIGN),  # x + (-y) -> x - y
    Row(x - -y, x + y, kept=SIGN),  # x - (-y) -> x + y
    Row(-x + y, y - x, kept=SIGN),  # (-x) + y -> y - x
    Row(-(x - y), y - x, kept=SIGN, within=True),  # -(x - y) -> y - x
    Row(attribute("T", -x), -attribute("T", x), kept=SIGN),  # (-x).T -> -(x.T)
    Row(call(np.sum, -x), -call(np.sum, x), kept=SIGN),  # np.sum(-x) -> -np.sum(x)
    Row(call(runtime.unbroadcast, -x, w), -call(runtime.unbroadcast, x, w), kept=SIGN),  # likewise for all its sums
    # Broadcast copies. The condition on types says when the other operand has the full shape.
    Row(wide * y, g * y),  # broadcast(g) * y -> g * y
    Row(y * wide, y * g),
    Row(wide / y, g / y),
    Row(y / wide, y / g),
    Row(wide + y, g + y),
    Row(y + wide, y + g),
    Row(wide - y, g - y),
    Row(y - wide, y - g),
    Row(-wide, broadcast(-g, s), kept=ELEMENTWISE),  # -broadcast(g) -> broadcast(-g)
    # broadcast(g) * y -> broadcast(g * y) for a number y
    Row(wide * y, broadcast(g * y, s), is_number("y"), ELEMENTWISE),
    Row(y * wide, broadcast(y * g, s), is_number("y"), ELEMENTWISE),
    Row(wide / y, broadcast(g / y, s), is_number("y"), ELEMENTWISE),
    Row(y / wide, broadcast(y / g, s), is_number("y"), ELEMENTWISE),
    Row(wide + y, broadcast(g + y, s), is_number("y"), ELEMENTWISE),
    Row(y + wide, broadcast(y + g, s), is_number("y"), ELEMENTWISE),
    Row(wide - y, broadcast(g - y, s), is_number("y"), ELEMENTWISE),
    Row(y - wide, broadcast(y - g, s), is_number("y"), ELEMENTWISE),
    # The full shape is that of the operand itself, whatever it is.
    Row(broadcast(g, attribute("shape", y)) * y, g * y, is_number("g"), ELEMENTWISE),
    Row(y * broadcast(g, attribute("shape", y)), y * g, is_number("g"), ELEMENTWISE),
    Row(broadcast(wide, t), broadcast(g, t)),  # broadcast(broadcast(g)) -> broadcast(g)
    # The sum of equal numbers. An infinite g over no elements gives NaN, where the sum gives 0.
    Row(call(np.sum, broadcast(g, attribute("shape", w))), g * attribute("size", w), is_number("g")),
    Row(method("sum", broadcast(g, attribute("shape", w))), g * attribute("size", w), is_number("g")),
    # Operations that do nothing: the condition on types says so.
    Row(wide, g),  # np.broadcast_to(g, g.shape) -> g
    Row(call(np.reshape, x, s), x),  # np.reshape(x, x.shape) -> x
    Row(method("reshape", x, s), x),
    Row(method("astype", x, attribute("dtype", w)), x, have_one_dtype("x", "w"), SIGN),  # x.astype(x.dtype) -> x
    Row(call(runtime.cast, x, w), x, have_one_kind("x", "w"), SIGN),
    Row(call(runtime.unbroadcast, x, w), x, have_one_type("x", "w"), SIGN),  # unbroadcast(x, w) -> x
    Row(call(np.sum, x), x),  # np.sum(x) -> x for a number x
    Row(method("sum", x), x),
    Row(call(np.conj, x), x, is_real("x")),  # np.conj(x) -> x for real x
    Row(call(np.real, x), x, is_real("x")),
    Row(attribute("real", x), x, is_real("x")),
    Row(attribute("T", attribute("T", x)), x, kept=SIGN),  # x.T.T -> x
    Row(attribute("T", x), x, is_flat("x"), SIGN),  # x.T -> x for a vector
    # Zeros of a known kind.
    Row(call(runtime.zeros_like, x), call(np.zeros_like, x), is_proper_array("x"), SIGN),  # for what is no number
    # A reciprocal that is at hand: with z = 1 / x, dividing by x is multiplying by z. Restricted to quotients that
    # have z as a factor already: there 0, inf and NaN come out the same, if all are real.
    Row((g * (literal(1) / x).named("z")).named("t") / x, t * z, are_real("g", "x")),  # (g * z) / x -> (g * z) * z
    Row(((literal(1) / x).named("z") * g).named("t") / x, t * z, are_real("g", "x")),  # (z * g) / x -> (z * g) * z
)

SETTLED = (
    Row(literal(1).named("c") / x, literal(1) / x, is_float_by_int("c", "x"), SIGN),  # 1.0 / n -> 1 / n
    Row(literal(-1).named("c") / x, literal(-1) / x, is_float_by_int("c", "x"), SIGN),
    Row(-(c * x), -c * x, is_signed("x"), SIGN),  # -(c * x) -> (-c) * x
    Row(-(x * c), x * -c, is_signed("x"), SIGN),  # -(x * c) -> x * (-c)
    Row(-(c / x), -c / x, kept=SIGN),  # -(c / x) -> (-c) / x
    Row(-(x * y), -x * y, kept=SIGN),  # -(x * y) -> (-x) * y, which is written without parentheses
    Row(-(x / y), -x / y, kept=SIGN),  # -(x / y) -> (-x) / y
)


_OPPOSITE = {operator.iadd: operator.isub, operator.isub: operator.iadd}


def apply_identities(function: ir.Function) -> ir.Function:
    return _Applying(function, IDENTITIES).simplified()


def settle_signs(function: ir.Function) -> ir.Function:
    """Signs that moved outward go back to the first factor, as one writes them: to be run once, at the end.

    Before: `_p.3 = operator.mul(x.0, y.1)`, `z.2 = operator.neg(_p.3)`. After: `_n.4 = operator.neg(x.0)`,
    `z.2 = operator.mul(_n.4, y.1)`.
    """
    return _Settling(function, SETTLED).simplified()


class _Applying(Rewriter):
    def __init__(self, function: ir.Function, rows: tuple[Row, ...]) -> None:
        super().__init__(function)
        self.rows: dict[ir.Op, list[Row]] = {}
        for row in rows:
            assert row.pattern.op is not None
            self.rows.setdefault(row.pattern.op, []).append(row)
        self.definitions: dict[str, ir.Let] = {}
        self.buffers = written_buffers(function)
        self.uses = Counter(ir.uses(function.body))
        self.loops: list[int] = [0]
        self.count = 0
        self.home: dict[str, int] = {}
        self.single = single_hints(function)
        self.better: dict[str, str] = {}

    def simplified(self) -> ir.Function:
        return renamed(self.run(), self.better)

    def enter(self, stmt: ir.Stmt, index: int) -> None:
        if isinstance(stmt, ir.Loop):
            self.count += 1
            self.loops.append(self.count)

    def leave(self, stmt: ir.Stmt, index: int) -> None:
        if isinstance(stmt, ir.Loop):
            self.loops.pop()

    def emit(self, stmt: ir.Stmt) -> None:
        super().emit(stmt)
        if isinstance(stmt, ir.Let) and stmt.target is not None and not ir.has_effect(stmt):
            self.definitions[stmt.target] = stmt
            self.home[stmt.target] = self.loops[-1]

    def let(self, let: ir.Let) -> None:
        """Emits what a let is rewritten to; if that is an atom, nothing."""
        let = self.update(self.negative_sum(let))
        while (found := self.fitting(let)) is not None:
            row, bindings = found
            if row.result.op is None:
                self.stand_in(let, bindings[row.result.name])
                return
            args = tuple(self.build(arg, bindings, let) for arg in row.result.args)
            self.uses.update(ir.variables(args))
            self.release(ir.own_atoms(let))
            let = replace(let, op=row.result.op, args=args)
        known = self.constant(let)
        if known is None:
            self.emit(let)
        else:
            self.stand_in(let, known)

    def constant(self, let: ir.Let) -> ir.Const | None:
        """What a let computes, where its operands settle that."""
        if not self.is_open(let) or let.keywords:
            return None
        return evaluate(let.op, [self.operand(arg) for arg in let.args], {})

    def is_open(self, let: ir.Let) -> bool:
        """Whether a let may be rewritten. What is written to later has to be an array of its own."""
        computes = let.target is not None and not ir.has_effect(let) and let.target not in self.buffers
        return computes and let.origin.sweep == "reverse"

    def update(self, let: ir.Let) -> ir.Let:
        """u += -v -> u -= v, and the other way; any other let as it is."""
        if not isinstance(let.op, ir.Update) or let.op.operator not in _OPPOSITE or let.origin.sweep != "reverse":
            return let
        *others, value = let.args
        source = self.definitions.get(value.name) if isinstance(value, ir.Var) else None
        if source is None or source.op != ir.Fn(operator.neg):
            return let
        self.uses.update(ir.variables(source.args))
        self.release((value,))
        return replace(let, op=replace(let.op, operator=_OPPOSITE[let.op.operator]), args=(*others, *source.args))

    def negative_sum(self, let: ir.Let) -> ir.Let:
        """np.sum(-x, axis=0) -> -np.sum(x, axis=0); any other let as it is."""
        first = let.args[0] if let.op == ir.Fn(np.sum) and let.keywords and len(let.args) == 1 else None
        source = self.definitions.get(first.name) if isinstance(first, ir.Var) else None
        if source is None or source.op != ir.Fn(operator.neg) or not self.is_open(let):
            return let
        if any(key not in ("axis", "keepdims") for key, _ in let.keywords) or not self.is_used_here_alone(source):
            return let
        assert let.target is not None
        name = self.declare(hint_of(let.op), self.types.get(let.target, UNKNOWN))
        self.uses[name] = 1
        self.uses.update(ir.variables(source.args))
        self.release(ir.own_atoms(let))
        self.emit(replace(let, target=name, args=source.args))
        return replace(let, op=ir.Fn(operator.neg), args=(ir.Var(name),), keywords=())

    # Finding a row

    def fitting(self, let: ir.Let) -> tuple[Row, dict[str, ir.Atom]] | None:
        if not self.is_open(let) or not is_hashable(let.op):
            return None
        for row in self.rows.get(let.op, ()):
            found = match(row.pattern, let, self.definitions)
            if found is not None and self.allowed(row, let, found):
                return row, found.bound
        return None

    def allowed(self, row: Row, let: ir.Let, found: Match) -> bool:
        def types(name: str) -> Type:
            return self.type(found.bound[name])

        if row.within and not all(is_temporary(inner.target or "") for inner in found.inner):
            return False
        gone = 1 + sum(self.is_used_here_alone(inner) for inner in found.inner)
        if self.work(row.result, found) > gone or (row.when is not None and not row.when(types)):
            return False
        assert let.target is not None
        if row.kept == SIGN or (row.kept == ELEMENTWISE and self.is_adjoint(found)):
            return True
        old, new = self.infer(let.op, let.args), self.type_of_result(row.result, found)
        return _agree(old, new) and (row.kept == ELEMENTWISE or same_shape(old, new))

    def is_adjoint(self, found: Match) -> bool:
        """Whether all that is bound are adjoints, which are never integers, and numbers written in the program."""
        return all(isinstance(a, ir.Const) or ir.hint(a.name).endswith("_bar") for a in found.bound.values())

    def is_used_here_alone(self, let: ir.Let) -> bool:
        assert let.target is not None
        return self.uses[let.target] == 1 and self.home[let.target] == self.loops[-1]

    def work(self, result: Pattern, found: Match) -> int:
        """How many lets a result is, without those that cost nothing."""
        if result.op is None or all(isinstance(found.bound.get(arg.name), ir.Const) for arg in result.args):
            return 0
        free = isinstance(result.op, ir.Attr) or result.op == ir.Fn(np.broadcast_to)
        return (not free) + sum(self.work(arg, found) for arg in result.args)

    def type_of_result(self, result: Pattern, found: Match) -> Type:
        if result.op is None:
            return self.type(_bound(result, found.bound))
        operands = [self.operand_of(arg, found) for arg in result.args]
        return infer(result.op, operands, {})

    def operand_of(self, part: Pattern, found: Match) -> Type | ir.Const:
        if part.op is None:
            return self.operand(_bound(part, found.bound))
        operands = [self.operand_of(arg, found) for arg in part.args]
        return evaluate(part.op, operands, {}) or infer(part.op, operands, {})

    def infer(self, op: ir.Op, args: tuple[ir.Atom, ...]) -> Type:
        return infer(op, [self.operand(arg) for arg in args], {})

    # Building its result

    def build(self, part: Pattern, bindings: dict[str, ir.Atom], like: ir.Let) -> ir.Atom:
        """The atom of a part of a result, emitted in front of the let that it belongs to."""
        if part.op is None:
            return _bound(part, bindings)
        args = tuple(self.build(arg, bindings, like) for arg in part.args)
        operands = [self.operand(arg) for arg in args]
        known = evaluate(part.op, operands, {})
        if known is not None:
            return known
        name = self.declare(hint_of(part.op), infer(part.op, operands, {}))
        self.uses.update(ir.variables(args))
        self.let(ir.Let(name, part.op, args, (), like.origin))
        return self.atom(ir.Var(name))

    def stand_in(self, let: ir.Let, atom: ir.Atom) -> None:
        """From here on the atom takes the place of the let's target, and its name if it has none of its own."""
        assert let.target is not None
        if isinstance(atom, ir.Var):
            self.uses[atom.name] += self.uses[let.target]
            own = atom.name in self.definitions and is_temporary(atom.name)
            if own and not is_temporary(let.target) and ir.hint(let.target) in self.single:
                self.better.setdefault(atom.name, let.target)
        self.replaced[let.target] = atom
        self.types.pop(let.target, None)
        self.release(ir.own_atoms(let))

    def release(self, atoms: tuple[ir.Atom, ...]) -> None:
        """Counts uses that are gone, and those of lets that are thereby unused."""
        pending = list(ir.variables(atoms))
        while pending:
            name = pending.pop()
            self.uses[name] -= 1
            if self.uses[name] == 0 and name in self.definitions:
                pending.extend(ir.variables(ir.own_atoms(self.definitions[name])))


def _bound(part: Pattern, bindings: dict[str, ir.Atom]) -> ir.Atom:
    if part.value is not None:
        return ir.Const(part.value)
    return bindings[part.name]


def _agree(old: Type, new: Type) -> bool:
    """Whether two values are known to have the same kind and dtype."""
    return old.numeric and old.dtype is not None and (old.kind, old.dtype, old.weak) == (new.kind, new.dtype, new.weak)


_TAKES_WHOLE = (operator.add, operator.sub, operator.mul, operator.truediv)


class _Settling(_Applying):
    """Writes `2 * x` for `2.0 * x` where x is known to be inexact."""

    def emit(self, stmt: ir.Stmt) -> None:
        if isinstance(stmt, ir.Let) and stmt.origin.sweep == "reverse" and stmt.op in map(ir.Fn, _TAKES_WHOLE):
            left, right = stmt.args
            stmt = replace(stmt, args=(self.whole(left, right), self.whole(right, left)))
        super().emit(stmt)

    def whole(self, atom: ir.Atom, other: ir.Atom) -> ir.Atom:
        value = atom.value if isinstance(atom, ir.Const) else None
        if type(value) is not float or not value.is_integer() or abs(value) > 1e6 or value == 0:
            return atom
        dtype = self.type(other).dtype if isinstance(other, ir.Var) else None
        return ir.Const(int(value)) if dtype is not None and dtype.kind in "fc" else atom
