"""Rules of the helpers that generated code calls, so that a derivative can be differentiated again.

    x_bar = unbroadcast(y_bar, x)     ->    y_bar_bar = unbroadcast(x_bar_bar, y_bar)

Most of them are transposes, so linear in the cotangent, and their own transpose is what they are the transpose of. The
array whose shape they take is a constant to them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from srcgrad import runtime
from srcgrad.rules import operators
from srcgrad.rules.rule import (
    NONZERO,
    POSITIVE,
    REAL,
    Interval,
    Sample,
    Sampler,
    constant,
    elementwise,
    general,
    linear,
)
from srcgrad.rules.sampling import call, calls, drawn, number

_MATRIX = np.arange(6.0).reshape(2, 3)

constant(
    runtime.any_of,
    runtime.keys_of,
    *(runtime.inserted_positions, runtime.last_hits),
    *(runtime.zeros_like, runtime.zeros, runtime.scalar_seed, runtime.store_mask, runtime.pad_positions),
    *(runtime.range_weights, runtime.median_weights, runtime.nanmedian_weights),
)


# Shapes and dtypes


@linear(
    runtime.unbroadcast,
    shape_only="x",
    samples=calls(
        call(drawn(2, 3), drawn(3)),
        call(drawn(2, 3), drawn(2, 1)),
        call(drawn(2, 3), 1.5),
        call(drawn(3), drawn(2, 3)),
        call(number(), drawn(2)),
        call(number(), 2.0),
    ),
)
def unbroadcast(g, z, y, x):
    return runtime.unbroadcast(g, y)


@linear(
    runtime.fitted,
    shape_only="x",
    samples=calls(call(drawn(2, 3), drawn(3)), call(number(), drawn(2)), call([drawn(2)] * 2, [drawn(2)] * 2)),
)
def fitted(g, z, y, x):
    return runtime.fitted(g, y)


@linear(
    runtime.cast,
    shape_only="x",
    samples=calls(call(drawn(3), drawn(3)), call(number(), 1.0), call(drawn(2, 3), [np.ones(3), np.ones(3)])),
)
def cast(g, z, y, x):
    return runtime.cast(g, y)


@linear(runtime.uncut, shape_only="owner", samples=calls(call(drawn(3), np.ones(3)), call(number(), np.ones(2, int))))
def uncut(g, z, y, owner):
    return runtime.uncut(g, owner)


@linear(runtime.copy, samples=calls(call(drawn(3)), call(number()), call([drawn(2), drawn(3)])))
def copy(g, z, x):
    return g


# Numbers


def _numbers(*intervals: Interval) -> Sampler:
    """Python's numbers, one from each interval."""
    return lambda rng: [(tuple(float(rng.uniform(*interval)) for interval in intervals), {})]


@elementwise(runtime.divide_or_zero, samples=_numbers(REAL, NONZERO))
class divide_or_zero:
    def vjp_x(g, z, x, y):
        return runtime.divide_or_zero(g, y)

    def vjp_y(g, z, x, y):
        return -runtime.divide_or_zero(g * z, y)


@elementwise(runtime.log_or_zero, samples=_numbers(POSITIVE))
class log_or_zero:
    def vjp_x(g, z, x):
        return runtime.divide_or_zero(g, x)


def _powers(rng: np.random.Generator) -> Iterable[Sample]:
    yield (float(rng.uniform(0.5, 2)), float(rng.uniform(1.2, 3))), {}
    yield (rng.uniform(0.5, 2, size=(2, 3)), float(rng.uniform(1.2, 3))), {}
    yield (rng.uniform(0.5, 2, size=(2, 1)), rng.uniform(1.2, 3, size=3)), {}


@elementwise(runtime.power_slope, samples=_powers)
class power_slope:
    def vjp_x(g, z, x, y):
        return g * y * runtime.power_slope(x, y - 1)

    def vjp_y(g, z, x, y):
        base = np.where(x == 0, 1, x)
        return g * np.where(x == 0, 0, np.power(base, y - 1) * (1 + y * np.log(base)))


# What the rule of powers is called as where it cannot be written out: its branches on values of the exponent hide what
# the derivative by the exponent is, so it has a rule of its own. The power itself, `w`, follows from base and exponent.


def _power_cotangents(rng: np.random.Generator) -> Iterable[Sample]:
    for (x, y), _ in [*_powers(rng), ((1.5, 2.0), {}), ((np.array([0.5, 1.5]), 2.0), {})]:
        h = rng.normal(size=np.broadcast_shapes(np.shape(x), np.shape(y)))
        yield (h if h.ndim else float(h), np.power(x, y) if h.ndim else x**y, x, y), {}


@elementwise(operators.power.vjp_x, shape_only="w", samples=_power_cotangents)
class power_cotangent:
    def vjp_h(g, z, h, w, x, y):
        return g * runtime.power_slope(x, y)

    def vjp_x(g, z, h, w, x, y):
        return g * h * y * runtime.power_slope(x, y - 1)

    def vjp_y(g, z, h, w, x, y):
        base = np.where(x == 0, 1, x)
        return g * h * np.where(x == 0, 0, np.power(base, y - 1) * (1 + y * np.log(base)))


def _outcomes(rng: np.random.Generator) -> Iterable[Sample]:
    for wins, ties in ((True, False), (False, True), (False, False)):
        yield (float(rng.normal()), wins, ties), {}


@elementwise(runtime.share, wrt="y", samples=_outcomes)
def share(g, z, y, wins, ties):
    return runtime.share(g, wins, ties)


@linear(
    runtime.hand_out,
    shape_only="items",
    samples=calls(
        call(drawn(2, 3), [drawn(3), drawn(2, 3), 1.5]), call(number(), (1.5, 2.5)), call(drawn(3), drawn(2, 3))
    ),
)
def hand_out(g, z, y, items):
    return runtime.total(g, y)


@linear(
    runtime.total,
    shape_only="like",
    samples=calls(call([drawn(3), drawn(2, 3), 1.5], _MATRIX), call(drawn(2, 3), np.ones(3)), call([1.5, 2.5], 0.0)),
)
def total(g, z, items, like):
    return runtime.hand_out(g, items)


@general(
    runtime.best_of,
    shape_only=("items", "best"),
    samples=calls(call(number(), [1.5, 2.5], 2.5), call(number(), (2.5, 2.5, 1.0), 2.5)),
)
class best_of:
    def vjp_h(g, z, h, items, best):
        return runtime.pick_best(g, items, best)

    def jvp_h(g, z, h, items, best):
        return runtime.best_of(g, items, best)


@linear(runtime.pick_best, shape_only=("values", "best"), samples=calls(call([number(), number()], [1.5, 2.5], 2.5)))
def pick_best(g, z, items, values, best):
    return runtime.best_of(g, values, best)


@linear(
    runtime.unselect,
    shape_only="choices",
    samples=calls(
        call(drawn(3), [np.array([True, False, True]), np.array([True, True, False])], [np.ones(3), np.ones(3)])
    ),
)
def unselect(g, z, h, conditions, choices):
    return np.select(conditions, g, 0.0)


@elementwise(runtime.polygamma, wrt="x", samples=calls(call(0, 0.7), call(1, 6.5), call(3, -1.4)))
def polygamma(g, z, n, x):
    return g * runtime.polygamma(n + 1, x)


# Positions


@linear(
    runtime.untake,
    shape_only="x",
    samples=calls(
        call(drawn(3), np.ones(4), [2, 0, 2], None),
        call(drawn(), np.ones(4), 1, None),
        call(drawn(2, 2), _MATRIX, np.array([[0, 5], [-1, 0]]), None),
        call(drawn(2, 4), _MATRIX, [1, 1, -2, 0], 1),
        call(drawn(2, 2, 2, 2), np.ones((2, 3, 2)), np.array([[0, 2], [2, 2]]), -2),
    ),
)
def untake(g, z, y, x, indices, axis):
    return np.take(g, indices, axis)


@linear(
    runtime.untake_along_axis,
    shape_only="x",
    samples=calls(
        call(drawn(2, 3), _MATRIX, np.array([[0, 1, 1], [1, 0, 0]]), 1),
        call(drawn(2, 3), np.ones((1, 3)), np.array([[0, 1, 1], [1, 0, 0]]), 1),
        call(drawn(3), _MATRIX, np.array([0, -1, 0]), None),
    ),
)
def untake_along_axis(g, z, y, x, indices, axis):
    return np.take_along_axis(g, indices, axis)


@linear(
    runtime.undiagonal,
    shape_only="x",
    samples=calls(
        call(drawn(2), _MATRIX), call(drawn(1), _MATRIX, -1), call(drawn(2, 2), np.ones((2, 3, 3)), 1, axis1=1, axis2=2)
    ),
)
def undiagonal(g, z, y, x, offset=0, axis1=0, axis2=1):
    return np.diagonal(g, offset, axis1, axis2)


# Joined, repeated and padded


_PIECES = (np.ones((2, 1)), np.ones((2, 3)))


@linear(
    runtime.split_like,
    shape_only="arrays",
    samples=calls(
        call(drawn(2, 4), _PIECES, 1),
        call(drawn(8), _PIECES, None),
        call(drawn(2, 3), [np.ones(3), np.ones(3)], 0),
        call(drawn(2, 3), _MATRIX, 0),
    ),
)
def split_like(g, z, y, arrays, axis):
    return runtime.join_like(g, y, axis)


@linear(
    runtime.join_like,
    shape_only="like",
    samples=calls(
        call([drawn(2, 1), drawn(2, 3)], np.ones((2, 4)), 1),
        call([drawn(2, 1), drawn(2, 3)], np.ones(8), None),
        call([drawn(3), drawn(3)], _MATRIX, 0),
    ),
)
def join_like(g, z, pieces, like, axis):
    return runtime.split_like(g, pieces, axis)


@linear(
    runtime.unblock,
    shape_only="arrays",
    samples=calls(
        call(drawn(3, 4), [[np.ones((2, 3)), np.ones((2, 1))], [np.ones((1, 4))]]),
        call(drawn(5), [np.ones(3), np.ones(2)]),
    ),
)
def unblock(g, z, y, arrays):
    return np.block(g)


@linear(
    runtime.unreduceat,
    shape_only="a",
    samples=calls(call(drawn(3), np.ones(5), [0, 3, 1], 0), call(drawn(2, 2), np.ones((2, 4)), [0, 3], 1)),
)
def unreduceat(g, z, y, a, indices, axis):
    return np.add.reduceat(g, indices, axis)


@linear(
    runtime.untile,
    shape_only="x",
    samples=calls(
        call(drawn(6), np.ones(3), 2), call(drawn(4, 3), _MATRIX, (2, 1)), call(drawn(2, 6), np.ones(3), (2, 2))
    ),
)
def untile(g, z, y, x, reps):
    return np.tile(g, reps)


@linear(
    runtime.unpad,
    shape_only="x",
    samples=calls(call(drawn(6), np.ones(3), (1, 2)), call(drawn(3, 5), _MATRIX, ((1, 0), (0, 2)))),
)
def unpad(g, z, y, x, pad_width):
    return np.pad(g, pad_width)


@linear(
    runtime.unpad_border,
    shape_only=("x", "values"),
    samples=calls(call(drawn(4, 5), _MATRIX, 1, 1.5), call(drawn(4, 5), _MATRIX, 1, np.ones((2, 2)))),
)
def unpad_border(g, z, y, x, pad_width, values):
    return np.pad(np.zeros_like(x), pad_width, constant_values=g)


@linear(
    runtime.undiff,
    shape_only="x",
    samples=calls(call(drawn(4), np.ones(5), 1, -1), call(drawn(2, 3), np.ones((4, 3)), 2, 0)),
)
def undiff(g, z, y, x, n, axis):
    return np.diff(g, n, axis)


# Containers: a cotangent has the same structure, so that sums and changes of class act leaf by leaf


def _pairs(rng: np.random.Generator) -> Iterable[Sample]:
    yield ([1.0, rng.standard_normal(2)], [2.0, rng.standard_normal(2)]), {}


@general(runtime.add, samples=_pairs)
class add:
    """One of the two may be an array where the other is the list of the same numbers."""

    def vjp_a(g, z, a, b):
        return runtime.cast(g, a)

    def vjp_b(g, z, a, b):
        return runtime.cast(g, b)

    def jvp_a(da, z, a, b):
        return da

    def jvp_b(db, z, a, b):
        return db


def _containers(rng: np.random.Generator) -> Iterable[Sample]:
    yield ([1.0, np.ones(2)], [rng.standard_normal(), rng.standard_normal(2)]), {}


@linear(runtime.rebuilt, wrt="g_", shape_only="x", samples=_containers)
def rebuilt(g, z, x, g_):
    return runtime.in_memory(g)


@linear(runtime.in_memory, samples=lambda rng: [(([rng.standard_normal(), rng.standard_normal(2)],), {})])
def in_memory(g, z, g_):
    return runtime.rebuilt(g_, g)
