"""The table of algebraic identities, each with the condition that makes it sound.

    -(-x)                   ->  x               unless x is a 0-d array, of which arithmetic makes a scalar
    broadcast(g, s) * y     ->  g * y           where y has the shape s
    x + x                   ->  x * 2           for floating point x

`identities` applies them; every row is subject to the two conditions that stand there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from srcgrad import runtime
from srcgrad.optimize.patterns import Pattern, attribute, call, constant, literal, method, variable
from srcgrad.types import Type, same_dtype, same_shape

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
        return is_real(x)(types) and is_real(y)(types) and types(y).inexact

    return holds


def have_one_dtype(one: str, other: str) -> Condition:
    """Python's own numbers have no dtype that could be asked for."""

    def holds(types: Types) -> bool:
        a, b = types(one), types(other)
        return a.numeric and b.numeric and not (a.weak or b.weak) and same_dtype(a, b)

    return holds


def have_one_kind(one: str, other: str) -> Condition:
    """A scalar and a 0-d array are two things."""
    return lambda types: have_one_dtype(one, other)(types) and types(one).kind == types(other).kind


def have_one_type(one: str, other: str) -> Condition:
    return lambda types: have_one_kind(one, other)(types) and same_shape(types(one), types(other))


def is_inexact(name: str) -> Condition:
    return lambda types: types(name).inexact


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


def is_array_of_floats(name: str) -> Condition:
    return lambda types: is_inexact(name)(types) and types(name).kind == "array" and types(name).rank not in (None, 0)


def broadcast(x: Pattern, shape: Pattern) -> Pattern:
    return call(np.broadcast_to, x, shape)


x, y, g, w, t, s, z = map(variable, "xygwtsz")
c, d = constant("c"), constant("d")
negative = -x
tall = call(np.expand_dims, broadcast(g, s), t)
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
    Row(tall * y, g * y, is_number("g")),  # expand_dims(broadcast(g), a) * y -> g * y for a number g
    Row(y * tall, y * g, is_number("g")),
    Row(tall / y, g / y, is_number("g")),
    Row(tall + y, g + y, is_number("g")),
    Row(y + tall, y + g, is_number("g")),
    Row(tall - y, g - y, is_number("g")),
    Row(y - tall, y - g, is_number("g")),
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
    Row(call(runtime.zeros_like, x), call(np.zeros_like, x), is_array_of_floats("x"), SIGN),  # for what is no number
    Row(call(runtime.uncut, g, x), g, is_inexact("x")),  # floats cut nothing
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
