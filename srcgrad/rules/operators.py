"""Rules for Python's operators, built-in functions and `math`.

    y = x ** 3          ->    x_bar = y_bar * 3 * x ** 2
    y = math.log(x)     ->    x_bar = y_bar / x

In-place operators are these operators followed by a store. The rules for operators are those of the ufuncs which they
call on arrays. A rule for `math` computes with `math`, so that Python's numbers stay Python's.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Iterable

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import ABOVE_ONE, NONZERO, POSITIVE, REAL, UNIT, Sample, constant, elementwise, general

# Arithmetic


@elementwise(np.add, operator.add, domain=(REAL, REAL))
def add(g, z, x, y):
    return g, g


@elementwise(np.subtract, operator.sub, domain=(REAL, REAL))
def subtract(g, z, x, y):
    return g, -g


@elementwise(np.multiply, operator.mul, domain=(REAL, REAL))
def multiply(g, z, x, y):
    return g * y, g * x


@elementwise(np.divide, operator.truediv, domain=(REAL, NONZERO))
def divide(g, z, x, y):
    return g / y, -g * z / y


@elementwise(np.remainder, operator.mod, domain=(REAL, NONZERO))
def mod(g, z, x, y):
    return g, -g * (x // y)


@elementwise(np.negative, operator.neg)
def negative(g, z, x):
    return -g


@elementwise(np.positive, operator.pos)
def positive(g, z, x):
    return g


def _absolute_samples(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=3) + 1j * rng.normal(size=3),), {}


@elementwise(np.absolute, operator.abs, abs, domain=REAL, samples=_absolute_samples)
class absolute:
    def vjp_x(g, z, x):
        if np.iscomplexobj(x):
            return g * np.conj(np.sign(x))
        return g * np.sign(x)

    def jvp_x(dx, z, x):
        if np.iscomplexobj(x):
            return np.real(np.conj(np.sign(x)) * dx)
        return np.sign(x) * dx


def _powers(rng: np.random.Generator) -> Iterable[Sample]:
    for exponent in (2, 3, 1, 0, 4):
        yield (rng.uniform(-2, 2, size=(2, 3)), exponent), {}
        yield (float(rng.uniform(-2, 2)), exponent), {}
    for fraction in (-1, -2, -0.5, 0.5, 1.5, 0.3, 2.0, 1.0, 0.0):
        yield (rng.uniform(0.3, 2, size=(2, 3)), fraction), {}
        yield (float(rng.uniform(0.3, 2)), fraction), {}
    yield (rng.uniform(-2, 2, size=3), np.array([2, 3, 0])), {}
    for base in (2, 0.5):
        yield (base, rng.normal(size=3)), {}
    yield (np.array([2, 3]), rng.normal(size=2)), {}


@elementwise(np.power, np.float_power, operator.pow, pow, domain=(POSITIVE, REAL), samples=_powers)
class power:
    """Exact at negative bases; at (0, 0) both derivatives are 0, and so is the exponent's at 0 ** y for y > 0."""

    def vjp_x(g, z, x, y):
        if isinstance(y, int | float):
            if y == 2:
                return g * 2 * x
            if y == 1:
                return g
            if y == 0:
                return g * 0
            if y == -1:
                return -g * z * z
            if y == 0.5:
                return np.divide(0.5 * g, z)  # infinite at 0, where Python's division would raise
            if abs(y) < 1:
                return g * y * np.power(x, y - 1)
            return g * y * x ** (y - 1)
        return g * y * x ** np.where(y == 0, 1, y - 1)

    def vjp_y(g, z, x, y):
        if isinstance(x, int | float):
            if x > 0:
                return g * z * math.log(x)
            return g * z * runtime.log_or_zero(x)
        return g * z * np.log(np.where(x == 0, 1, x))


# Built-in functions


@elementwise(float)
def to_float(g, z, x):
    return g


def _extrema(rng: np.random.Generator) -> Iterable[Sample]:
    yield (1.5, 2.5), {}
    yield (1.5, -2.5), {}
    yield ([1.5, 2.5, -1.0],), {}
    yield ((1.5, -2.5),), {}
    yield (rng.normal(size=4),), {}


@elementwise(max, samples=_extrema)
class larger:
    """Of two numbers, or of the items of a sequence."""

    def vjp_x(g, z, x, y=None):
        if y is None:
            return runtime.best_of(g, x, z)
        return runtime.share(g, x > y, x == y)

    def vjp_y(g, z, x, y=None):
        return runtime.share(g, y > x, x == y)

    def jvp_x(g, z, x, y=None):
        if y is None:
            return runtime.pick_best(g, x, z)
        return runtime.share(g, x > y, x == y)

    def jvp_y(g, z, x, y=None):
        return runtime.share(g, y > x, x == y)


@elementwise(min, samples=_extrema)
class smaller:
    def vjp_x(g, z, x, y=None):
        if y is None:
            return runtime.best_of(g, x, z)
        return runtime.share(g, x < y, x == y)

    def vjp_y(g, z, x, y=None):
        return runtime.share(g, y < x, x == y)

    def jvp_x(g, z, x, y=None):
        if y is None:
            return runtime.pick_best(g, x, z)
        return runtime.share(g, x < y, x == y)

    def jvp_y(g, z, x, y=None):
        return runtime.share(g, y < x, x == y)


def _sums(rng: np.random.Generator) -> Iterable[Sample]:
    yield ([1.5, 2.5, -1.0],), {}
    yield ([rng.normal(size=3), rng.normal(size=(2, 3)), 1.5],), {}
    yield ((rng.normal(size=3), rng.normal(size=3)), 2.0), {}
    yield (rng.normal(size=(2, 3)),), {}


@general(builtins.sum, samples=_sums)
class total:
    def vjp_items(g, z, items, start=0):
        return runtime.hand_out(g, items)

    def vjp_start(g, z, items, start=0):
        return runtime.unbroadcast(g, start)

    def jvp_items(d_items, z, items, start=0):
        return runtime.total(d_items, z)

    def jvp_start(d_start, z, items, start=0):
        return runtime.unbroadcast(d_start, z)


# math


@elementwise(math.exp)
def scalar_exp(g, z, x):
    return g * z


@elementwise(math.exp2)
def scalar_exp2(g, z, x):
    return g * z * math.log(2)


@elementwise(math.expm1)
def scalar_expm1(g, z, x):
    return g * (z + 1)


def _logarithms(rng: np.random.Generator) -> Iterable[Sample]:
    yield (2.5,), {}
    yield (2.5, 3.5), {}
    yield (2.5, 10), {}


@elementwise(math.log, samples=_logarithms)
class scalar_log:
    def vjp_x(g, z, x, base=None):
        if base is None:
            return g / x
        return g / (x * math.log(base))

    def vjp_base(g, z, x, base=None):
        return -g * z / (base * math.log(base))


@elementwise(math.log2, domain=POSITIVE)
def scalar_log2(g, z, x):
    return g / (x * math.log(2))


@elementwise(math.log10, domain=POSITIVE)
def scalar_log10(g, z, x):
    return g / (x * math.log(10))


@elementwise(math.log1p, domain=POSITIVE)
def scalar_log1p(g, z, x):
    return g / (x + 1)


@elementwise(math.sqrt, domain=POSITIVE)
def scalar_sqrt(g, z, x):
    return float(np.divide(0.5 * g, z))


@elementwise(math.cbrt, domain=POSITIVE)
def scalar_cbrt(g, z, x):
    return float(np.divide(g, 3 * z * z))


@elementwise(math.sin)
def scalar_sin(g, z, x):
    return g * math.cos(x)


@elementwise(math.cos)
def scalar_cos(g, z, x):
    return -g * math.sin(x)


@elementwise(math.tan, domain=UNIT)
def scalar_tan(g, z, x):
    return g * (1 + z * z)


@elementwise(math.asin, domain=UNIT)
def scalar_asin(g, z, x):
    return float(np.divide(g, math.sqrt(1 - x * x)))


@elementwise(math.acos, domain=UNIT)
def scalar_acos(g, z, x):
    return float(np.divide(-g, math.sqrt(1 - x * x)))


@elementwise(math.atan)
def scalar_atan(g, z, x):
    return g / (1 + x * x)


@elementwise(math.sinh)
def scalar_sinh(g, z, x):
    return g * math.cosh(x)


@elementwise(math.cosh)
def scalar_cosh(g, z, x):
    return g * math.sinh(x)


@elementwise(math.tanh)
def scalar_tanh(g, z, x):
    return g * (1 - z * z)


@elementwise(math.asinh)
def scalar_asinh(g, z, x):
    return g / math.sqrt(x * x + 1)


@elementwise(math.acosh, domain=ABOVE_ONE)
def scalar_acosh(g, z, x):
    return float(np.divide(g, math.sqrt(x * x - 1)))


@elementwise(math.atanh, domain=UNIT)
def scalar_atanh(g, z, x):
    return g / (1 - x * x)


@elementwise(math.pow, domain=(POSITIVE, REAL))
class scalar_pow:
    def vjp_x(g, z, x, y):
        if isinstance(y, int) and y == 2:
            return g * 2 * x
        return g * runtime.power_slope(x, y)

    def vjp_y(g, z, x, y):
        return g * z * runtime.log_or_zero(x)


@elementwise(math.fabs)
def scalar_fabs(g, z, x):
    return g * float(np.sign(x))


@elementwise(math.hypot, domain=(REAL, REAL))
def scalar_hypot(g, z, x, y):
    return runtime.divide_or_zero(g * x, z), runtime.divide_or_zero(g * y, z)


@elementwise(math.atan2, domain=(REAL, REAL))
def scalar_atan2(g, z, y, x):
    r = math.hypot(x, y)
    g = runtime.divide_or_zero(g, r)
    return runtime.divide_or_zero(g * x, r), runtime.divide_or_zero(-g * y, r)


@elementwise(math.degrees)
def scalar_degrees(g, z, x):
    return math.degrees(g)


@elementwise(math.radians)
def scalar_radians(g, z, x):
    return math.radians(g)


@elementwise(math.copysign, domain=(REAL, REAL))
def scalar_copysign(g, z, x, y):
    return g * float(np.sign(x)) * math.copysign(1, y), g * 0


@elementwise(math.fmod, domain=((3.2, 3.8), (0.9, 1.0)))
def scalar_fmod(g, z, x, y):
    return g, -g * math.trunc(x / y)


@elementwise(math.erf)
def scalar_erf(g, z, x):
    return g * 2 / math.sqrt(math.pi) * math.exp(-x * x)


@elementwise(math.erfc)
def scalar_erfc(g, z, x):
    return -g * 2 / math.sqrt(math.pi) * math.exp(-x * x)


@elementwise(math.gamma, domain=POSITIVE)
def scalar_gamma(g, z, x):
    return g * z * runtime.polygamma(0, x)


@elementwise(math.lgamma, domain=POSITIVE)
def scalar_lgamma(g, z, x):
    return g * runtime.polygamma(0, x)


@elementwise(math.remainder, domain=((3.2, 3.4), (0.9, 1.0)))
def scalar_remainder(g, z, x, y):
    return g, g * round((z - x) / y)


def _lists(rng: np.random.Generator) -> Iterable[Sample]:
    yield ([1.5, 2.5, -1.0],), {}
    yield ((1.5,),), {}
    yield ([float(x) for x in rng.normal(size=4)],), {}


@general(math.fsum, samples=_lists)
class scalar_fsum:
    def vjp_items(g, z, items):
        return runtime.hand_out(g, items)

    def jvp_items(d_items, z, items):
        return math.fsum(d_items)


@general(math.prod, samples=_lists)
class scalar_prod:
    def vjp_items(g, z, items):
        return g * runtime.product_of_others(np.asarray(items), None)

    def jvp_items(d_items, z, items):
        return float(np.sum(np.asarray(d_items) * runtime.product_of_others(np.asarray(items), None)))


def _two_points(rng: np.random.Generator) -> Iterable[Sample]:
    yield ([1.5, 2.5, -1.0], [0.5, 1.5, 2.0]), {}
    yield (rng.normal(size=3), rng.normal(size=3)), {}


@general(math.dist, samples=_two_points)
class scalar_dist:
    def vjp_p(g, z, p, q):
        return runtime.divide_or_zero(g, z) * np.subtract(p, q)

    def vjp_q(g, z, p, q):
        return runtime.divide_or_zero(g, z) * np.subtract(q, p)

    def jvp_p(d_p, z, p, q):
        return runtime.divide_or_zero(float(np.dot(np.subtract(p, q), d_p)), z)

    def jvp_q(d_q, z, p, q):
        return runtime.divide_or_zero(float(np.dot(np.subtract(q, p), d_q)), z)


# Constants

constant(
    *(operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt),
    *(operator.is_, operator.is_not, operator.not_, operator.truth, operator.contains, operator.index),
    *(operator.and_, operator.or_, operator.xor, operator.invert, operator.lshift, operator.rshift),
    *(operator.floordiv, round, int, bool, len, range, any, all, isinstance, issubclass, callable, hasattr, type),
    *(str, repr, format, ord, chr, hash, id),
    *(math.floor, math.ceil, math.trunc, math.isnan, math.isinf, math.isfinite, math.isclose),
    *(math.gcd, math.lcm, math.factorial, math.comb, math.perm, math.isqrt),
)
