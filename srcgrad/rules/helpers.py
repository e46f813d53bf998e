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
    *(runtime.zeros_like, runtime.scalar_seed, runtime.store_mask, runtime.pad_positions),
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
    runtime.cast,
    shape_only="x",
    samples=calls(call(drawn(3), drawn(3)), call(number(), 1.0), call(drawn(2, 3), [np.ones(3), np.ones(3)])),
)
def cast(g, z, y, x):
    return runtime.cast(g, y)


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
    samples=calls(call(number(), [1.5, 2.5], 2.5), call(number(), np.array([1.5, 2.5, 1.0]), 2.5)),
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


@elementwise(runtime.polygamma, wrt="x", samples=lambda rng: [((n, x), {}) for n in (0, 1, 3) for x in (0.7, 6.5, -1.4)])
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


# Products


@general(
    runtime.untensordot_x,
    shape_only="x",
    samples=calls(
        call(drawn(2, 2), np.ones((2, 3, 4)), drawn(3, 4, 2), 2),
        call(drawn(2, 5), np.ones((2, 3, 4)), drawn(4, 5, 3), ([1, 2], [2, 0])),
    ),
)
class untensordot_x:
    def vjp_h(g, z, h, x, y, axes):
        return np.tensordot(g, y, axes)

    def vjp_y(g, z, h, x, y, axes):
        return runtime.untensordot_y(h, g, y, axes)

    def jvp_h(g, z, h, x, y, axes):
        return runtime.untensordot_x(g, x, y, axes)

    def jvp_y(g, z, h, x, y, axes):
        return runtime.untensordot_x(h, x, g, axes)


@general(
    runtime.untensordot_y,
    shape_only="y",
    samples=calls(
        call(drawn(2, 2), drawn(2, 3, 4), np.ones((3, 4, 2)), 2),
        call(drawn(2, 5), drawn(2, 3, 4), np.ones((4, 5, 3)), ([1, 2], [2, 0])),
    ),
)
class untensordot_y:
    def vjp_h(g, z, h, x, y, axes):
        return np.tensordot(x, g, axes)

    def vjp_x(g, z, h, x, y, axes):
        return runtime.untensordot_x(h, x, g, axes)

    def jvp_h(g, z, h, x, y, axes):
        return runtime.untensordot_y(g, x, y, axes)

    def jvp_x(g, z, h, x, y, axes):
        return runtime.untensordot_y(h, g, y, axes)


@linear(
    runtime.kron_blocks,
    shape_only=("x", "y"),
    samples=calls(call(drawn(6), np.ones(2), np.ones(3)), call(drawn(6, 3), _MATRIX, np.ones((3, 1)))),
)
def kron_blocks(g, z, h, x, y):
    return runtime.join_blocks(g, x, y)


@linear(
    runtime.join_blocks,
    shape_only=("x", "y"),
    samples=calls(
        call(drawn(2, 3), np.ones(2), np.ones(3)), call(drawn(2, 3, 3, 1), _MATRIX, np.ones((3, 1)))
    ),
)
def join_blocks(g, z, blocks, x, y):
    return runtime.kron_blocks(g, x, y)


@linear(
    runtime.full_convolution,
    shape_only=("x", "y"),
    samples=calls(call(drawn(3), np.ones(5), np.ones(3), "valid"), call(drawn(5), np.ones(5), np.ones(4), "same")),
)
def full_convolution(g, z, h, x, y, mode):
    return runtime.convolution_part(g, x, y, mode)


@linear(
    runtime.convolution_part,
    shape_only=("x", "y"),
    samples=calls(call(drawn(7), np.ones(5), np.ones(3), "valid"), call(drawn(8), np.ones(5), np.ones(4), "same")),
)
def convolution_part(g, z, whole, x, y, mode):
    return runtime.full_convolution(g, x, y, mode)


def _einsum(subscripts, x, y, u, v):
    if y is None:
        return np.einsum(subscripts, x)
    if u is None:
        return np.einsum(subscripts, x, y)
    if v is None:
        return np.einsum(subscripts, x, y, u)
    return np.einsum(subscripts, x, y, u, v)


@general(
    runtime.uneinsum,
    samples=calls(
        call(drawn(2, 4), 0, "ij,jk->ik", drawn(2, 3), drawn(3, 4)),
        call(drawn(2, 4), 1, "ij,jk->ik", drawn(2, 3), drawn(3, 4)),
        call(drawn(), 0, "ii", drawn(3, 3)),
        call(drawn(3), 0, "iij,j->i", drawn(3, 3, 2), drawn(2)),
        call(drawn(2, 4), 1, "ij,jk,kl->il", drawn(2, 3), drawn(3, 2), drawn(2, 4)),
        call(drawn(), 3, "i,j,k,ijk->", drawn(2), drawn(3), drawn(4), drawn(2, 3, 4)),
        call(drawn(2), 0, "ij,j->i", drawn(2, 1), drawn(3)),
    ),
)
class uneinsum:
    """The cotangent of one operand is linear in that of the result and in the other operands."""

    def vjp_h(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 0:
            return _einsum(subscripts, g, y, u, v)
        if k == 1:
            return _einsum(subscripts, x, g, u, v)
        if k == 2:
            return _einsum(subscripts, x, y, g, v)
        return _einsum(subscripts, x, y, u, g)

    def vjp_x(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 0:
            return np.zeros_like(x)
        if k == 1:
            return runtime.uneinsum(h, 0, subscripts, x, g, u, v)
        if k == 2:
            return runtime.uneinsum(h, 0, subscripts, x, y, g, v)
        return runtime.uneinsum(h, 0, subscripts, x, y, u, g)

    def vjp_y(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 0:
            return runtime.uneinsum(h, 1, subscripts, g, y, u, v)
        if k == 1:
            return np.zeros_like(y)
        if k == 2:
            return runtime.uneinsum(h, 1, subscripts, x, y, g, v)
        return runtime.uneinsum(h, 1, subscripts, x, y, u, g)

    def vjp_u(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 0:
            return runtime.uneinsum(h, 2, subscripts, g, y, u, v)
        if k == 1:
            return runtime.uneinsum(h, 2, subscripts, x, g, u, v)
        if k == 2:
            return np.zeros_like(u)
        return runtime.uneinsum(h, 2, subscripts, x, y, u, g)

    def vjp_v(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 0:
            return runtime.uneinsum(h, 3, subscripts, g, y, u, v)
        if k == 1:
            return runtime.uneinsum(h, 3, subscripts, x, g, u, v)
        if k == 2:
            return runtime.uneinsum(h, 3, subscripts, x, y, g, v)
        return np.zeros_like(v)

    def jvp_h(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        return runtime.uneinsum(g, k, subscripts, x, y, u, v)

    def jvp_x(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 0:
            return np.zeros_like(z)
        return runtime.uneinsum(h, k, subscripts, g, y, u, v)

    def jvp_y(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 1:
            return np.zeros_like(z)
        return runtime.uneinsum(h, k, subscripts, x, g, u, v)

    def jvp_u(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 2:
            return np.zeros_like(z)
        return runtime.uneinsum(h, k, subscripts, x, y, g, v)

    def jvp_v(g, z, h, k, subscripts, x, y=None, u=None, v=None):
        if k == 3:
            return np.zeros_like(z)
        return runtime.uneinsum(h, k, subscripts, x, y, u, g)


# Linear algebra


@linear(runtime.half_lower, samples=calls(call(drawn(3, 3)), call(drawn(2, 3, 3))))
def half_lower(g, z, m):
    return runtime.half_lower(g)


@linear(runtime.hermitian, samples=calls(call(drawn(3, 3)), call(drawn(2, 3, 3))))
def hermitian(g, z, x):
    return runtime.unhermitian(g)


@linear(runtime.unhermitian, samples=calls(call(drawn(3, 3)), call(drawn(2, 3, 3))))
def unhermitian(g, z, y):
    return runtime.hermitian(g)


_SPREAD = np.array([1.0, 2.5, 4.5])


@general(runtime.inverse_gaps, samples=calls(call(_SPREAD), call(np.array([_SPREAD, _SPREAD**2]))))
class inverse_gaps:
    def vjp_w(g, z, w):
        slopes = g * z * z
        return np.sum(slopes, axis=-1) - np.sum(slopes, axis=-2)

    def jvp_w(g, z, w):
        return z * z * (g[..., :, np.newaxis] - g[..., np.newaxis, :])


@general(
    runtime.unmulti_dot,
    samples=calls(
        call(drawn(2, 2), [drawn(2, 3), drawn(3, 4), drawn(4, 2)]), call(drawn(), [drawn(3), drawn(3, 2), drawn(2)])
    ),
)
class unmulti_dot:
    def vjp_h(g, z, h, arrays):
        return runtime.multi_dot_tangent(g, arrays)

    def vjp_arrays(g, z, h, arrays):
        return runtime.multi_dot_slopes(g, h, arrays)

    def jvp_h(g, z, h, arrays):
        return runtime.unmulti_dot(g, arrays)

    def jvp_arrays(g, z, h, arrays):
        return runtime.multi_dot_slopes(g, h, arrays)


@general(
    runtime.multi_dot_tangent,
    samples=calls(
        call([drawn(2, 3), drawn(3, 4)], [drawn(2, 3), drawn(3, 4)]),
        call([drawn(3), drawn(3, 2), drawn(2)], (drawn(3), drawn(3, 2), drawn(2))),
    ),
)
class multi_dot_tangent:
    def vjp_tangents(g, z, tangents, arrays):
        return runtime.unmulti_dot(g, arrays)

    def vjp_arrays(g, z, tangents, arrays):
        return runtime.multi_dot_slopes(tangents, g, arrays)

    def jvp_tangents(g, z, tangents, arrays):
        return runtime.multi_dot_tangent(g, arrays)

    def jvp_arrays(g, z, tangents, arrays):
        return runtime.multi_dot_bend(g, tangents, arrays)


# Reductions


@general(
    runtime.product_of_others,
    samples=calls(
        call(drawn(4), None), call(drawn(2, 3), 1), call(np.array([0.0, 2.0, 0.0, 1.5]), 0), call(drawn(2, 3, 2), (0, 2))
    ),
)
class product_of_others:
    def vjp_a(g, z, a, axis):
        return runtime.products_of_pairs(g, a, axis)

    def jvp_a(da, z, a, axis):
        return runtime.products_of_pairs(da, a, axis)  # a symmetric matrix


@general(
    runtime.cumprod_vjp,
    samples=calls(call(drawn(4), drawn(4), None), call(drawn(2, 3), drawn(2, 3), 0), call(drawn(6), drawn(2, 3), None)),
)
class cumprod_vjp:
    def vjp_h(g, z, h, a, axis):
        return runtime.cumprod_jvp(g, a, axis)

    def vjp_a(g, z, h, a, axis):
        return runtime.cumprod_slopes(h, g, a, axis)

    def jvp_h(g, z, h, a, axis):
        return runtime.cumprod_vjp(g, a, axis)

    def jvp_a(g, z, h, a, axis):
        return runtime.cumprod_slopes(h, g, a, axis)  # a symmetric matrix


@general(
    runtime.cumprod_jvp,
    samples=calls(call(drawn(4), drawn(4), None), call(drawn(2, 3), drawn(2, 3), -1)),
)
class cumprod_jvp:
    def vjp_da(g, z, da, a, axis):
        return runtime.cumprod_vjp(g, a, axis)

    def vjp_a(g, z, da, a, axis):
        return runtime.cumprod_slopes(g, da, a, axis)

    def jvp_da(g, z, da, a, axis):
        return runtime.cumprod_jvp(g, a, axis)

    def jvp_a(g, z, da, a, axis):
        return runtime.cumprod_bend(g, da, a, axis)


@linear(
    runtime.align_weights,
    shape_only="a",
    samples=calls(call(drawn(3), np.ones((2, 3, 2)), 1), call(drawn(2, 3), _MATRIX, None)),
)
def align_weights(g, z, weights, a, axis):
    return runtime.unalign_weights(g, weights, a, axis)


@linear(
    runtime.unalign_weights,
    shape_only=("weights", "a"),
    samples=calls(call(drawn(2, 3, 2), np.ones(3), np.ones((2, 3, 2)), 1), call(drawn(2, 3), _MATRIX, _MATRIX, None)),
)
def unalign_weights(g, z, h, weights, a, axis):
    return runtime.align_weights(g, a, axis)


@general(
    runtime.trapezoid_weights,
    shape_only="y",
    samples=calls(
        call(np.ones(4), drawn(4), 1.0, -1),
        call(np.ones((3, 2)), drawn(3), 1.0, 0),
        call(np.ones((2, 3)), drawn(2, 3), 1.0, 1),
        call(np.ones((3, 2)), None, number(), 0),
    ),
)
class trapezoid_weights:
    def vjp_x(g, z, y, x, dx, axis):
        return runtime.trapezoid_points(np.ones_like(np.sum(g, axis=axis)), g, x, axis)

    def vjp_dx(g, z, y, x, dx, axis):
        if x is not None:
            return 0.0
        return np.sum(g * runtime.trapezoid_weights(y, x, 1.0, axis))

    def jvp_x(g, z, y, x, dx, axis):
        return runtime.trapezoid_weights(y, g, dx, axis)

    def jvp_dx(g, z, y, x, dx, axis):
        if x is not None:
            return np.zeros_like(z)
        return runtime.trapezoid_weights(y, x, g, axis)


@general(
    runtime.trapezoid_points,
    shape_only="x",
    samples=calls(
        call(drawn(), drawn(4), np.ones(4), -1),
        call(drawn(2), drawn(3, 2), np.ones(3), 0),
        call(drawn(2), drawn(2, 3), np.ones((2, 3)), -1),
    ),
)
class trapezoid_points:
    def vjp_h(g, z, h, y, x, axis):
        return np.trapezoid(y, g, axis=axis)

    def vjp_y(g, z, h, y, x, axis):
        return np.expand_dims(h, axis) * runtime.trapezoid_weights(y, g, 1.0, axis)

    def jvp_h(g, z, h, y, x, axis):
        return runtime.trapezoid_points(g, y, x, axis)

    def jvp_y(g, z, h, y, x, axis):
        return runtime.trapezoid_points(h, g, x, axis)


@general(runtime.ungradient, samples=calls(call(drawn(5), number(), 0), call(drawn(3, 4), 0.5, 1)))
class ungradient:
    def vjp_h(g, z, h, step, axis):
        return np.gradient(g, step, axis=axis)

    def vjp_step(g, z, h, step, axis):
        return -np.sum(g * z) / step

    def jvp_h(g, z, h, step, axis):
        return runtime.ungradient(g, step, axis)

    def jvp_step(g, z, h, step, axis):
        return -g * z / step
