"""Rules of functions that select elements by position; subscripts themselves are the compiler's own.

    y = np.take(x, i)    ->   x_bar = runtime.untake(y_bar, x, i, None)
    y = np.sort(x)       ->   x_bar = y_bar[np.argsort(np.argsort(x))]
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from srcgrad import runtime
from srcgrad.rules.rule import general, linear
from srcgrad.rules.sampling import call, calls, drawn, number

_ROWS = np.array([[0, 1, 1], [1, 0, 0]])


@linear(
    np.take,
    method="take",
    samples=calls(
        call(drawn(4), [2, 0, 2]),
        call(drawn(4), 1),
        call(drawn(2, 3), -1),
        call(drawn(2, 3), np.array([[0, 5], [-1, 0]])),
        call(drawn(4), [True, False, True]),
        call(drawn(2, 3), [1, 1, -2, 0], axis=1),
        call(drawn(2, 3), 1, 0),
        call(drawn(2, 3, 2), np.array([[0, 2], [2, 2]]), axis=-2),
    ),
)
def take(g, z, x, indices, axis=None):
    return runtime.untake(g, x, indices, axis)


@linear(
    np.take_along_axis,
    samples=calls(
        call(drawn(2, 3), _ROWS, 1),
        call(drawn(2, 3), _ROWS, axis=-2),
        call(drawn(2, 3), _ROWS[:1], axis=1),
        call(drawn(1, 3), _ROWS, axis=1),
        call(drawn(2, 3), np.array([0, -1, 0]), axis=None),
    ),
)
def take_along_axis(g, z, x, indices, axis):
    return runtime.untake_along_axis(g, x, indices, axis)


_FLAGS = np.array([True, False, True])


@general(
    np.compress,
    value_dependent_shape=True,
    samples=calls(call(_FLAGS, drawn(3)), call([False, True], drawn(2, 3)), call(_FLAGS, drawn(2, 3), axis=1)),
)
class compress:
    def vjp_x(g, z, condition, x, axis=None):
        return runtime.untake(g, x, np.flatnonzero(condition), axis)

    def jvp_x(g, z, condition, x, axis=None):
        return np.compress(condition, g, axis)


@general(
    method="compress",
    value_dependent_shape=True,
    samples=calls(call(drawn(3), _FLAGS), call(drawn(2, 3), [False, True]), call(drawn(2, 3), _FLAGS, axis=1)),
)
class compress_method:
    def vjp_x(g, z, x, condition, axis=None):
        return runtime.untake(g, x, np.flatnonzero(condition), axis)

    def jvp_x(g, z, x, condition, axis=None):
        return np.compress(condition, g, axis)


@general(
    np.extract,
    value_dependent_shape=True,
    samples=calls(call(_FLAGS, drawn(3)), call(np.array([_FLAGS, ~_FLAGS]), drawn(2, 3))),
)
class extract:
    def vjp_x(g, z, condition, x):
        return runtime.untake(g, x, np.flatnonzero(condition), None)

    def jvp_x(g, z, condition, x):
        return np.extract(condition, g)


@linear(
    np.delete,
    samples=calls(
        call(drawn(4), 1),
        call(drawn(4), [0, -1]),
        call(drawn(2, 3), 4),
        call(drawn(2, 3), np.s_[::2], axis=1),
        call(drawn(2, 3), 0, -1),
    ),
)
def delete(g, z, x, obj, axis=None):
    if axis is None:
        return runtime.untake(g, x, np.delete(np.arange(x.size), obj), None)
    return runtime.untake(g, x, np.delete(np.arange(x.shape[axis]), obj), axis)


@general(
    np.insert,
    samples=calls(
        call(drawn(4), 1, number()),
        call(drawn(4), 1, drawn(3)),
        call(drawn(4), [3, 0, -1], drawn(3)),
        call(drawn(4), [3, 0], number()),
        call(drawn(2, 3), 4, drawn(2)),
        call(drawn(2, 3), 1, drawn(2), axis=1),
        call(drawn(2, 3), [2, 0], drawn(2, 2), axis=-1),
        call(drawn(2, 3), np.s_[::2], drawn(2, 1), 1),
        call(drawn(2, 3), 0, number(), 0),
    ),
)
class insert:
    def vjp_x(g, z, x, obj, values, axis=None):
        if axis is None:
            new = runtime.inserted_positions(obj, x.size, z.size)
            return np.reshape(np.delete(g, new), x.shape)
        return np.delete(g, runtime.inserted_positions(obj, x.shape[axis], z.shape[axis]), axis)

    def vjp_values(g, z, x, obj, values, axis=None):
        g = runtime.uncut(g, z)  # the result has the dtype of `x`
        if axis is None:
            return runtime.unbroadcast(np.take(g, runtime.inserted_positions(obj, x.size, z.size)), values)
        taken = np.take(g, runtime.inserted_positions(obj, x.shape[axis], z.shape[axis]), axis)
        if isinstance(obj, int):
            taken = np.moveaxis(taken, axis, 0)
        return runtime.unbroadcast(taken, values)

    def jvp_x(dx, z, x, obj, values, axis=None):
        return np.insert(dx, obj, np.zeros_like(values), axis)

    def jvp_values(d_values, z, x, obj, values, axis=None):
        return np.insert(np.zeros_like(x), obj, d_values, axis)


@general(
    np.bincount,
    value_dependent_shape=True,
    samples=calls(call(np.array([0, 2, 2, 1]), drawn(4)), call([3, 0], weights=drawn(2), minlength=6)),
)
class bincount:
    def vjp_weights(g, z, x, weights=None, minlength=0):
        return runtime.cast(np.take(g, x), weights)

    def jvp_weights(d_weights, z, x, weights=None, minlength=0):
        return np.bincount(x, d_weights, minlength)


@linear(
    sliding_window_view,
    samples=calls(
        call(drawn(5), 2),
        call(drawn(3, 4), (2, 3)),
        call(drawn(3, 4), 2, axis=1),
        call(drawn(3, 4), window_shape=(2, 2), axis=(0, 0)),
    ),
)
def windows(g, z, x, window_shape, axis=None):
    positions = np.reshape(np.arange(x.size), x.shape)
    return runtime.untake(g, x, sliding_window_view(positions, window_shape, axis), None)


# Diagonals and triangles


@linear(
    np.diag,
    samples=calls(
        call(drawn(3)),
        call(drawn(3), 1),
        call(drawn(3), k=-2),
        call(drawn(3, 3)),
        call(drawn(2, 4), 1),
        call(drawn(4, 2), k=-1),
    ),
)
def diag(g, z, x, k=0):
    if x.ndim == 1:
        return np.diag(g, k)
    return runtime.undiagonal(g, x, k)


@linear(
    np.diagonal,
    method="diagonal",
    samples=calls(
        call(drawn(3, 3)),
        call(drawn(2, 4), 1),
        call(drawn(4, 2), offset=-1),
        call(drawn(2, 3, 4)),
        call(drawn(2, 3, 4), 1, 2, 0),
        call(drawn(2, 3, 3), axis1=-2, axis2=-1),
    ),
)
def diagonal(g, z, x, offset=0, axis1=0, axis2=1):
    return runtime.undiagonal(g, x, offset, axis1, axis2)


@linear(np.diagflat, samples=calls(call(drawn(3)), call(drawn(2, 2), 1), call(drawn(2), k=-1)))
def diagflat(g, z, x, k=0):
    return np.reshape(np.diag(g, k), x.shape)


@linear(
    np.tril,
    samples=calls(call(drawn(3, 3)), call(drawn(2, 4), 1), call(drawn(2, 3, 3), k=-1), call(drawn(3))),
)
def tril(g, z, x, k=0):
    if x.ndim == 1:
        return np.sum(np.tril(g, k), axis=0)
    return np.tril(g, k)


@linear(
    np.triu,
    samples=calls(call(drawn(3, 3)), call(drawn(2, 4), 1), call(drawn(2, 3, 3), k=-1), call(drawn(3))),
)
def triu(g, z, x, k=0):
    if x.ndim == 1:
        return np.sum(np.triu(g, k), axis=0)
    return np.triu(g, k)


# Sorting: the positions that the elements come from do not change under small changes of the elements


@general(
    np.sort,
    samples=calls(
        call(drawn(5)), call(drawn(3, 4)), call(drawn(3, 4), 0), call(drawn(3, 4), axis=None), call(drawn(2, 3, 4), -2)
    ),
)
class sort:
    def vjp_x(g, z, x, axis=-1):
        if x.ndim == 1:
            return g[np.argsort(np.argsort(x))]
        if axis is None:
            return np.reshape(g[np.argsort(np.argsort(x, axis=None))], x.shape)
        return np.take_along_axis(g, np.argsort(np.argsort(x, axis), axis), axis)

    def jvp_x(g, z, x, axis=-1):
        if x.ndim == 1:
            return g[np.argsort(x)]
        if axis is None:
            return np.ravel(g)[np.argsort(x, axis=None)]
        return np.take_along_axis(g, np.argsort(x, axis), axis)
