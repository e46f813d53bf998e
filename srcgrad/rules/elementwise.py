"""Rules for NumPy's elementwise functions.

    y = np.tanh(x)            ->    x_bar = y_bar * (1 - y * y)
    y = np.where(c, a, b)     ->    a_bar = np.where(c, y_bar, 0)

Those which Python's operators call on arrays are in `operators`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import (
    ABOVE_ONE,
    NEGATIVE,
    NONZERO,
    POSITIVE,
    REAL,
    UNIT,
    Sample,
    constant,
    elementwise,
    general,
    linear,
)

# Powers, exponentials and logarithms


@elementwise(np.square)
def square(g, z, x):
    return g * 2 * x


@elementwise(np.reciprocal, domain=NONZERO)
def reciprocal(g, z, x):
    return -g * z * z


@elementwise(np.sqrt, domain=POSITIVE)
def sqrt(g, z, x):
    return g / (2 * z)


@elementwise(np.cbrt, domain=NEGATIVE)
def cbrt(g, z, x):
    return g / (3 * z * z)


@elementwise(np.exp)
def exp(g, z, x):
    return g * z


@elementwise(np.exp2)
def exp2(g, z, x):
    return g * z * math.log(2)


@elementwise(np.expm1)
def expm1(g, z, x):
    return g * (z + 1)


@elementwise(np.log, domain=POSITIVE)
def log(g, z, x):
    return g / x


@elementwise(np.log2, domain=POSITIVE)
def log2(g, z, x):
    return g / (x * math.log(2))


@elementwise(np.log10, domain=POSITIVE)
def log10(g, z, x):
    return g / (x * math.log(10))


@elementwise(np.log1p, domain=POSITIVE)
def log1p(g, z, x):
    return g / (x + 1)


@elementwise(np.logaddexp, domain=(REAL, REAL))
def logaddexp(g, z, x, y):
    return g * np.exp(x - z), g * np.exp(y - z)


@elementwise(np.logaddexp2, domain=(REAL, REAL))
def logaddexp2(g, z, x, y):
    return g * np.exp2(x - z), g * np.exp2(y - z)


# Trigonometric and hyperbolic functions


@elementwise(np.sin)
def sin(g, z, x):
    return g * np.cos(x)


@elementwise(np.cos)
def cos(g, z, x):
    return -g * np.sin(x)


@elementwise(np.tan, domain=UNIT)
def tan(g, z, x):
    return g * (1 + z * z)


@elementwise(np.arcsin, domain=UNIT)
def arcsin(g, z, x):
    return g / np.sqrt(1 - x * x)


@elementwise(np.arccos, domain=UNIT)
def arccos(g, z, x):
    return -g / np.sqrt(1 - x * x)


@elementwise(np.arctan)
def arctan(g, z, x):
    return g / (1 + x * x)


@elementwise(np.sinh)
def sinh(g, z, x):
    return g * np.cosh(x)


@elementwise(np.cosh)
def cosh(g, z, x):
    return g * np.sinh(x)


@elementwise(np.tanh)
def tanh(g, z, x):
    return g * (1 - z * z)


@elementwise(np.arcsinh)
def arcsinh(g, z, x):
    return g / np.sqrt(x * x + 1)


@elementwise(np.arccosh, domain=ABOVE_ONE)
def arccosh(g, z, x):
    return g / np.sqrt(x * x - 1)


@elementwise(np.arctanh, domain=UNIT)
def arctanh(g, z, x):
    return g / (1 - x * x)


@elementwise(np.sinc)
def sinc(g, z, x):
    return g * (np.cos(math.pi * x) - z) / np.where(x == 0, 1, x)


@elementwise(np.deg2rad, np.radians)
def radians(g, z, x):
    return g * (math.pi / 180)


@elementwise(np.rad2deg, np.degrees)
def degrees(g, z, x):
    return g * (180 / math.pi)


@elementwise(np.arctan2, domain=(REAL, REAL))
def arctan2(g, z, y, x):
    r = np.hypot(x, y)
    r = np.where(r == 0, 1, r)
    return g * x / r / r, -g * y / r / r


@elementwise(np.hypot, domain=(REAL, REAL))
def hypot(g, z, x, y):
    r = np.where(z == 0, 1, z)
    return g * x / r, g * y / r


# Magnitude, sign and remainder


@elementwise(np.fabs)
def fabs(g, z, x):
    return g * np.sign(x)


@elementwise(np.copysign, domain=(REAL, REAL))
def copysign(g, z, x, y):
    return np.sign(x) * np.where(np.signbit(y), -g, g), g * 0


@elementwise(np.fmod, domain=(REAL, NONZERO))
def fmod(g, z, x, y):
    return g, -g * np.trunc(x / y)


@elementwise(np.heaviside, domain=(REAL, REAL))
def heaviside(g, z, x, y):
    return g * 0, g * (x == 0)


def _scalings(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=(2, 3)), np.array([1, -2, 3])), {}
    yield (rng.normal(size=(2, 1)), np.array([1, -2, 3])), {}


@elementwise(np.ldexp, wrt="x", samples=_scalings)
def ldexp(g, z, x, y):
    return np.ldexp(g, y)


# Selection


@elementwise(np.maximum, domain=(REAL, REAL))
def maximum(g, z, x, y):
    return np.where(x < y, 0, np.where(x == y, g / 2, g)), np.where(y < x, 0, np.where(x == y, g / 2, g))


@elementwise(np.minimum, domain=(REAL, REAL))
def minimum(g, z, x, y):
    return np.where(x > y, 0, np.where(x == y, g / 2, g)), np.where(y > x, 0, np.where(x == y, g / 2, g))


@elementwise(np.fmax, np.fmin, domain=(REAL, REAL))
def fmax(g, z, x, y):
    half = np.where(x == y, g / 2, g)  # not g where one is nan: the other is the result
    return np.where(x == z, half, 0), np.where(y == z, half, 0)


def _choices(rng: np.random.Generator) -> Iterable[Sample]:
    mask = np.array([True, False, True])
    for shapes in (((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((), ())):
        yield (mask, *(rng.normal(size=shape) for shape in shapes)), {}
    yield (mask, rng.normal(size=3), 0.0), {}
    yield (mask, 1.0, rng.normal(size=3)), {}
    yield (np.array([[True], [False]]), rng.normal(size=3), rng.normal(size=3)), {}
    yield (True, rng.normal(size=3), rng.normal(size=3)), {}


@elementwise(np.where, wrt=("x", "y"), samples=_choices)
def where(g, z, condition, x, y):
    return np.where(condition, g, 0), np.where(condition, 0, g)


def _bounds(rng: np.random.Generator) -> Iterable[Sample]:
    x = np.array([[-1.5, -0.5, 0.2], [0.7, 1.3, 2.0]])
    yield (x, -1.0, 1.0), {}
    yield (x, -1, 1), {}
    yield (x, np.array([-2.0, -0.4, 0.0]), np.array([[0.5], [1.5]])), {}
    yield (x, 0.5, -0.25), {}
    yield (x, None, 1.0), {}
    yield (x, -1.0, None), {}
    yield (x[0], x - 1, x + 0.125), {}


def _given(bound, named):
    if bound is None:
        return named
    return bound


def _clip_names(rng: np.random.Generator) -> Iterable[Sample]:
    yield from _bounds(rng)
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        yield (rng.normal(size=5),), {"min": 0.25}
        yield (rng.normal(size=5),), {"max": np.array(0.25), "min": -0.5}


@elementwise(np.clip, samples=_clip_names)
class clip:
    """Where the bounds are crossed, the upper one is the result. Since NumPy 2.1 they have a second name."""

    def vjp_a(g, z, a, a_min=None, a_max=None, min=None, max=None):
        return clip_method.vjp_a(g, z, a, _given(a_min, min), _given(a_max, max))

    def vjp_a_min(g, z, a, a_min=None, a_max=None, min=None, max=None):
        return clip_method.vjp_min(g, z, a, a_min, _given(a_max, max))

    def vjp_a_max(g, z, a, a_min=None, a_max=None, min=None, max=None):
        return clip_method.vjp_max(g, z, a, _given(a_min, min), a_max)

    def vjp_min(g, z, a, a_min=None, a_max=None, min=None, max=None):
        return clip_method.vjp_min(g, z, a, min, _given(a_max, max))

    def vjp_max(g, z, a, a_min=None, a_max=None, min=None, max=None):
        return clip_method.vjp_max(g, z, a, _given(a_min, min), max)


def _named_bounds(rng: np.random.Generator) -> Iterable[Sample]:
    yield from _bounds(rng)
    yield (rng.normal(size=5),), {"min": 0.25}
    yield (rng.normal(size=5),), {"max": np.array(0.25), "min": -0.5}


@elementwise(method="clip", samples=_named_bounds)
class clip_method:
    """`np.clip` with the names that the method has for the bounds."""

    def vjp_a(g, z, a, min=None, max=None):
        if min is None:
            return np.where(a < max, g, 0)
        if max is None:
            return np.where(a > min, g, 0)
        return np.where((a > min) & (a < max), g, 0)

    def vjp_min(g, z, a, min=None, max=None):
        if max is None:
            return np.where(a < min, g, 0)
        return np.where((a < min) & (min < max), g, 0)

    def vjp_max(g, z, a, min=None, max=None):
        if min is None:
            return np.where(a > max, g, 0)
        return np.where((a > max) | (min >= max), g, 0)


def _holes(rng: np.random.Generator) -> Iterable[Sample]:
    yield (np.array([1.0, -2.0, 0.0]),), {}
    yield (np.array([1.0, -2.0, 0.0]),), {"nan": 3.0, "posinf": 1.0, "neginf": -1.0}


@elementwise(np.nan_to_num, wrt="x", samples=_holes)
def nan_to_num(g, z, x, nan=0.0, posinf=None, neginf=None):
    return np.where(np.isfinite(x), g, 0)


def _quotients(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.uniform(1, 5, size=(2, 3)), rng.uniform(1, 2, size=3)), {}
    yield (7.5, 2.25), {}
    yield (rng.uniform(1, 5, size=3), 1.5), {}


@general(np.divmod, divmod, samples=_quotients)
class quotient_and_remainder:
    """The quotient is a whole number."""

    def vjp_x(g, z, x, y):
        return runtime.unbroadcast(g[1], x)

    def vjp_y(g, z, x, y):
        return runtime.unbroadcast(-g[1] * z[0], y)

    def jvp_x(g, z, x, y):
        return runtime.zeros_like(z[0]), runtime.unbroadcast(g, z[1])

    def jvp_y(g, z, x, y):
        return runtime.zeros_like(z[0]), -g * z[0]


def _selections(rng: np.random.Generator) -> Iterable[Sample]:
    x = np.array([-1.0, 0.5, 2.0])
    yield ([x < 0, x > 1], [rng.normal(size=3), rng.normal(size=3)]), {}
    yield ([x < 0, x < 1], [rng.normal(size=3), rng.normal(size=(2, 3))], 0.5), {}


@general(np.select, sequences="choices", samples=_selections)
class select:
    def vjp_choices(g, z, conditions, choices, default=0):
        return runtime.unselect(g, conditions, choices)

    def vjp_default(g, z, conditions, choices, default=0):
        return runtime.unbroadcast(np.where(runtime.any_of(conditions), 0, g), default)

    def jvp_choices(g, z, conditions, choices, default=0):
        return runtime.unbroadcast(np.select(conditions, g, 0.0), z)

    def jvp_default(g, z, conditions, choices, default=0):
        return np.select(conditions, [np.zeros_like(choice) for choice in choices], g)


# Parts of complex numbers; the cotangent of x + iy is df/dx - i df/dy


def _complex_and_real(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=(2, 3)),), {}
    yield (np.array(rng.normal()),), {}
    yield (rng.normal(size=3) + 1j * rng.normal(size=3),), {}


@linear(np.real, attribute="real", samples=_complex_and_real)
def real(g, z, val):
    if np.iscomplexobj(val):
        return g + 0j
    return g


@linear(np.imag, attribute="imag", samples=_complex_and_real)
def imag(g, z, val):
    if np.iscomplexobj(val):
        return -1j * g
    return g * 0


@elementwise(np.conjugate, method=("conj", "conjugate"), samples=_complex_and_real)
def conjugate(g, z, x):
    return np.conj(g)


# Constants

constant(
    *(np.floor, np.ceil, np.trunc, np.rint, np.fix, np.round, np.around, np.floor_divide, np.sign, np.signbit),
    *(np.less, np.less_equal, np.equal, np.not_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not),
    *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.bitwise_count),
    *(np.isnan, np.isinf, np.isfinite, np.isposinf, np.isneginf, np.isclose, np.allclose, np.isreal, np.iscomplex),
    *(np.array_equal, np.array_equiv, np.isrealobj, np.iscomplexobj, np.isscalar, np.gcd, np.lcm, np.spacing),
    methods=("round",),
)
