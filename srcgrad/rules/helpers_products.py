"""Rules of the helpers for products, linear algebra and reductions; see `helpers`."""

from __future__ import annotations

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import (
    general,
    linear,
)
from srcgrad.rules.sampling import call, calls, drawn, number

_MATRIX = np.arange(6.0).reshape(2, 3)


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
    samples=calls(call(drawn(2, 3), np.ones(2), np.ones(3)), call(drawn(2, 3, 3, 1), _MATRIX, np.ones((3, 1)))),
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
        call(drawn(4), None),
        call(drawn(2, 3), 1),
        call(np.array([0.0, 2.0, 0.0, 1.5]), 0),
        call(drawn(2, 3, 2), (0, 2)),
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


@general(
    runtime.ungradient,
    samples=calls(call(drawn(5), number(), 0), call(drawn(3, 4), 0.5, 1), call(drawn(3, 4), 0.5, 1, 2)),
)
class ungradient:
    def vjp_h(g, z, h, step, axis, edge_order=1):
        return np.gradient(g, step, axis=axis, edge_order=edge_order)

    def vjp_step(g, z, h, step, axis, edge_order=1):
        if np.ndim(step) != 0:
            raise ValueError("np.gradient has no derivative with respect to points here: give the distance")
        return -np.sum(g * z) / step

    def jvp_h(g, z, h, step, axis, edge_order=1):
        return runtime.ungradient(g, step, axis, edge_order)

    def jvp_step(g, z, h, step, axis, edge_order=1):
        return -g * z / step
