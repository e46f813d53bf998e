"""Rules of products of arrays: linear in each factor.

y = X @ w    ->   X_bar = np.outer(y_bar, w)
                  w_bar = X.T @ y_bar
"""

import operator

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import bilinear, general, linear, since_numpy_2
from srcgrad.rules.sampling import call, calls, complex_drawn, drawn, number


@bilinear(
    np.matmul,
    operator.matmul,
    *since_numpy_2("linalg.matmul"),
    samples=calls(
        call(drawn(3), drawn(3)),
        call(drawn(2, 3), drawn(3)),
        call(drawn(3), drawn(3, 2)),
        call(drawn(2, 3), drawn(3, 4)),
        call(drawn(5, 2, 3), drawn(3)),
        call(drawn(3), drawn(5, 3, 2)),
        call(drawn(5, 2, 3), drawn(3, 4)),
        call(drawn(2, 3), drawn(5, 3, 4)),
        call(drawn(5, 2, 3), drawn(5, 3, 4)),
        call(drawn(5, 1, 2, 3), drawn(1, 2, 3, 4)),
        call(drawn(1, 1), drawn(1)),
        call(complex_drawn(2, 3), complex_drawn(3)),
        call(complex_drawn(2, 3), drawn(3, 2)),
    ),
)
class matmul:
    def vjp_x(g, z, x, y):
        if x.ndim == 1 and y.ndim == 1:
            return g * y
        if x.ndim == 1 and y.ndim == 2:
            return y @ g
        if x.ndim == 2 and y.ndim == 1:
            return np.outer(g, y)
        if x.ndim == 2 and y.ndim == 2:
            return g @ y.T
        if x.ndim == 1:
            return runtime.unbroadcast((y @ g[..., np.newaxis])[..., 0], x)
        if y.ndim == 1:
            return g[..., np.newaxis] * y
        return runtime.unbroadcast(g @ np.swapaxes(y, -1, -2), x)

    def vjp_y(g, z, x, y):
        if x.ndim == 1 and y.ndim == 1:
            return g * x
        if x.ndim == 1 and y.ndim == 2:
            return np.outer(x, g)
        if x.ndim == 2 and y.ndim == 1:
            return x.T @ g
        if x.ndim == 2 and y.ndim == 2:
            return x.T @ g
        if x.ndim == 1:
            return x[:, np.newaxis] * g[..., np.newaxis, :]
        if y.ndim == 1:
            return runtime.unbroadcast((g[..., np.newaxis, :] @ x)[..., 0, :], y)
        return runtime.unbroadcast(np.swapaxes(x, -1, -2) @ g, y)


@bilinear(
    np.dot,
    method="dot",
    samples=calls(
        call(drawn(3), drawn(3)),
        call(drawn(2, 3), drawn(3)),
        call(drawn(3), drawn(3, 2)),
        call(drawn(2, 3), drawn(3, 4)),
        call(drawn(2, 3), number()),
        call(number(), drawn(2, 3)),
        call(drawn(), drawn()),
        call(number(), number()),
        call(drawn(5, 2, 3), drawn(3)),
        call(drawn(3), drawn(5, 3, 2)),
        call(drawn(5, 2, 3), drawn(3, 4)),
        call(drawn(2, 3), drawn(5, 3, 4)),
        call(drawn(2, 1, 3), drawn(2, 3, 4)),
    ),
)
class dot:
    def vjp_x(g, z, x, y):
        if np.ndim(x) == 0:
            return np.sum(g * y)
        if np.ndim(y) == 0:
            return g * y
        if x.ndim == 1 and y.ndim == 1:
            return g * y
        if x.ndim == 1 and y.ndim == 2:
            return y @ g
        if x.ndim == 2 and y.ndim == 2:
            return g @ y.T
        if x.ndim == 2 and y.ndim == 1:
            return np.outer(g, y)
        if y.ndim == 1:
            return g[..., np.newaxis] * y
        return np.tensordot(g, np.moveaxis(y, -2, -1), axes=y.ndim - 1)

    def vjp_y(g, z, x, y):
        if np.ndim(x) == 0:
            return g * x
        if np.ndim(y) == 0:
            return np.sum(g * x)
        if x.ndim == 1 and y.ndim == 1:
            return g * x
        if x.ndim == 1 and y.ndim == 2:
            return np.outer(x, g)
        if x.ndim == 2 and y.ndim <= 2:
            return x.T @ g
        if y.ndim == 1:
            return np.tensordot(g, x, axes=g.ndim)
        return np.moveaxis(np.tensordot(np.moveaxis(x, -1, 0), g, axes=x.ndim - 1), 0, -2)


@bilinear(
    np.inner,
    samples=calls(
        call(drawn(3), drawn(3)),
        call(drawn(2, 3), drawn(3)),
        call(drawn(3), drawn(4, 3)),
        call(drawn(2, 3), drawn(4, 3)),
        call(drawn(2, 3), number()),
        call(number(), drawn(3)),
        call(drawn(2, 5, 3), drawn(3)),
        call(drawn(3), drawn(2, 5, 3)),
        call(drawn(2, 5, 3), drawn(4, 2, 3)),
    ),
)
class inner:
    def vjp_x(g, z, x, y):
        if np.ndim(x) == 0:
            return np.sum(g * y)
        if np.ndim(y) == 0:
            return g * y
        if x.ndim == 1 and y.ndim == 1:
            return g * y
        if x.ndim == 2 and y.ndim == 1:
            return np.outer(g, y)
        if x.ndim <= 2 and y.ndim == 2:
            return g @ y
        return np.tensordot(g, y, axes=y.ndim - 1)

    def vjp_y(g, z, x, y):
        if np.ndim(x) == 0:
            return g * x
        if np.ndim(y) == 0:
            return np.sum(g * x)
        if x.ndim == 1 and y.ndim == 1:
            return g * x
        if x.ndim == 1 and y.ndim == 2:
            return np.outer(g, x)
        if x.ndim == 2 and y.ndim <= 2:
            return g.T @ x
        return np.tensordot(g, x, axes=(np.arange(x.ndim - 1), np.arange(x.ndim - 1)))


@bilinear(
    np.outer,
    samples=calls(
        call(drawn(2), drawn(3)),
        call(drawn(2, 2), drawn(3)),
        call(drawn(2), drawn(3, 1, 2)),
        call(number(), drawn(3)),
        call(drawn(2), number()),
    ),
)
class outer:
    def vjp_x(g, z, x, y):
        if np.ndim(x) == 1 and np.ndim(y) == 1:
            return g @ y
        return np.reshape(g @ np.ravel(y), np.shape(x))

    def vjp_y(g, z, x, y):
        if np.ndim(x) == 1 and np.ndim(y) == 1:
            return x @ g
        return np.reshape(np.ravel(x) @ g, np.shape(y))


@bilinear(
    np.vdot,
    samples=calls(
        call(drawn(3), drawn(3)),
        call(drawn(2, 3), drawn(2, 3)),
        call(drawn(2, 3), drawn(6)),
        call(complex_drawn(3), complex_drawn(3)),
        call(drawn(3), complex_drawn(3)),
        call(complex_drawn(3), drawn(3)),
    ),
)
class vdot:
    def vjp_x(g, z, x, y):
        if np.iscomplexobj(x):
            return np.conj(g * np.reshape(y, x.shape))
        if x.ndim == 1 and y.ndim == 1:
            return g * y
        return g * np.reshape(y, x.shape)

    def vjp_y(g, z, x, y):
        if np.iscomplexobj(x):
            return g * np.conj(np.reshape(x, y.shape))
        if x.ndim == 1 and y.ndim == 1:
            return g * x
        return g * np.reshape(x, y.shape)


@bilinear(
    np.tensordot,
    samples=calls(
        call(drawn(2, 3, 4), drawn(3, 4, 2)),
        call(drawn(2, 3), drawn(2, 3)),
        call(drawn(2, 3), drawn(3, 4), 1),
        call(drawn(2), drawn(3), axes=0),
        call(drawn(2, 3, 4), drawn(4, 5, 3), axes=([1, 2], [2, 0])),
        call(drawn(2, 3, 4), drawn(5, 4, 2), axes=((0, -1), (-1, 1))),
        call(drawn(2, 3), drawn(3, 4), axes=(1, 0)),
    ),
)
class tensordot:
    def vjp_x(g, z, x, y, axes=2):
        return runtime.untensordot_x(g, x, y, axes)

    def vjp_y(g, z, x, y, axes=2):
        return runtime.untensordot_y(g, x, y, axes)


@bilinear(
    np.einsum,
    samples=calls(
        call("ij,jk->ik", drawn(2, 3), drawn(3, 4)),
        call("ij,jk", drawn(2, 3), drawn(3, 4)),
        call("ij -> ji", drawn(2, 3)),
        call("ij->", drawn(2, 3)),
        call("ba", drawn(2, 3)),
        call("ii->i", drawn(3, 3)),
        call("ii", drawn(3, 3)),
        call("iij,j->i", drawn(3, 3, 2), drawn(2)),
        call("ij,k->k", drawn(2, 3), drawn(4)),
        call("i,i->i", drawn(3), drawn(3)),
        call("...ij,...jk->...ik", drawn(5, 2, 3), drawn(3, 4)),
        call("...i,...i", drawn(2, 1, 3), drawn(4, 3)),
        call("i...->...", drawn(2, 3)),
        call("...,...", number(), drawn(3)),
        call("ij,jk,kl->il", drawn(2, 3), drawn(3, 2), drawn(2, 4)),
        call("i,j,k,ijk->", drawn(2), drawn(3), drawn(4), drawn(2, 3, 4)),
        call("ij,j->i", drawn(2, 1), drawn(3)),
        call("ij,j->i", drawn(2, 3), drawn(3), optimize=True),
        call("ij,j->i", complex_drawn(2, 3), drawn(3)),
    ),
)
class einsum:
    def vjp_x(g, z, subscripts, x, y=None, u=None, v=None, optimize=False):
        return runtime.uneinsum(g, 0, subscripts, x, y, u, v)

    def vjp_y(g, z, subscripts, x, y=None, u=None, v=None, optimize=False):
        return runtime.uneinsum(g, 1, subscripts, x, y, u, v)

    def vjp_u(g, z, subscripts, x, y=None, u=None, v=None, optimize=False):
        return runtime.uneinsum(g, 2, subscripts, x, y, u, v)

    def vjp_v(g, z, subscripts, x, y=None, u=None, v=None, optimize=False):
        return runtime.uneinsum(g, 3, subscripts, x, y, u, v)


@bilinear(
    np.kron,
    samples=calls(
        call(drawn(2), drawn(3)),
        call(drawn(2, 3), drawn(3, 1)),
        call(drawn(2), drawn(3, 2)),
        call(drawn(2, 1, 2), drawn(3, 2)),
    ),
)
class kron:
    def vjp_x(g, z, x, y):
        return np.tensordot(runtime.kron_blocks(g, x, y), y, axes=y.ndim)

    def vjp_y(g, z, x, y):
        return np.tensordot(x, runtime.kron_blocks(g, x, y), axes=x.ndim)


@bilinear(
    np.cross,
    samples=calls(
        call(drawn(3), drawn(3)),
        call(drawn(4, 3), drawn(3)),
        call(drawn(4, 3), drawn(4, 3)),
        call(drawn(3), drawn(2, 3)),
    ),
)
class cross:
    def vjp_x(g, z, x, y):
        if z.ndim < x.ndim or z.ndim < y.ndim:  # vectors of length 2, whose product is a number
            return runtime.unbroadcast(np.expand_dims(g, -1) * np.stack([y[..., 1], -y[..., 0]], -1), x)
        return runtime.unbroadcast(np.cross(y, g), x)

    def vjp_y(g, z, x, y):
        if z.ndim < x.ndim or z.ndim < y.ndim:
            return runtime.unbroadcast(np.expand_dims(g, -1) * np.stack([-x[..., 1], x[..., 0]], -1), y)
        return runtime.unbroadcast(np.cross(g, x), y)


@linear(
    np.trace,
    method="trace",
    samples=calls(
        call(drawn(3, 3)),
        call(drawn(2, 4), 1),
        call(drawn(4, 2), offset=-1),
        call(drawn(2, 3, 4)),
        call(drawn(2, 3, 4), 1, axis1=2, axis2=0),
        call(drawn(5, 3, 3), 0, -2, -1),
    ),
)
def trace(g, z, x, offset=0, axis1=0, axis2=1):
    if x.ndim == 2 and axis1 == 0:
        return g * np.eye(x.shape[0], x.shape[1], offset, x.dtype)
    ones = np.eye(x.shape[axis1], x.shape[axis2], offset, x.dtype)
    return np.moveaxis(np.expand_dims(g, (-2, -1)) * ones, (-2, -1), (axis1, axis2))


@bilinear(
    np.convolve,
    samples=calls(
        call(drawn(5), drawn(3)),
        call(drawn(2), drawn(4)),
        call(drawn(5), drawn(3), "valid"),
        call(drawn(2), drawn(5), mode="valid"),
        call(drawn(5), drawn(3), "same"),
        call(drawn(5), drawn(4), "same"),
        call(drawn(2), drawn(5), "same"),
        call(drawn(4), drawn(4), "same"),
        call(drawn(1), drawn(1)),
    ),
)
class convolve:
    def vjp_x(g, z, x, y, mode="full"):
        if mode != "full":
            g = runtime.full_convolution(g, x, y, mode)
        return np.convolve(g, y[::-1], "valid")

    def vjp_y(g, z, x, y, mode="full"):
        if mode != "full":
            g = runtime.full_convolution(g, x, y, mode)
        return np.convolve(g, x[::-1], "valid")


# The spellings of `numpy.linalg` since NumPy 2: stacks of matrices in the last two axes


@linear(
    *since_numpy_2("linalg.trace"),
    samples=calls(call(drawn(3, 3)), call(drawn(2, 4), offset=1), call(drawn(5, 3, 3))),
)
def stacked_trace(g, z, x, offset=0):
    return np.expand_dims(g, (-2, -1)) * np.eye(x.shape[-2], x.shape[-1], offset, x.dtype)


@linear(
    *since_numpy_2("linalg.diagonal"),
    samples=calls(call(drawn(3, 3)), call(drawn(2, 4), offset=1), call(drawn(5, 3, 3))),
)
def stacked_diagonal(g, z, x, offset=0):
    return runtime.undiagonal(g, x, offset, -2, -1)


@bilinear(
    *since_numpy_2("vecdot", "linalg.vecdot"),
    samples=calls(call(drawn(3), drawn(3)), call(drawn(2, 3), drawn(3)), call(drawn(2, 1, 3), drawn(4, 3))),
)
class vecdot:
    def vjp_x(g, z, x, y):
        return runtime.unbroadcast(np.expand_dims(g, -1) * y, x)

    def vjp_y(g, z, x, y):
        return runtime.unbroadcast(np.expand_dims(g, -1) * x, y)


@bilinear(
    *since_numpy_2("linalg.tensordot"),
    samples=calls(call(drawn(2, 3, 4), drawn(3, 4, 2)), call(drawn(2, 3), drawn(3, 4), axes=1)),
)
class linalg_tensordot:
    def vjp_x(g, z, x, y, axes=2):
        return runtime.untensordot_x(g, x, y, axes)

    def vjp_y(g, z, x, y, axes=2):
        return runtime.untensordot_y(g, x, y, axes)


@bilinear(
    *since_numpy_2("linalg.outer"),
    np.multiply.outer,
    samples=calls(call(drawn(2), drawn(3))),
)
class flat_outer:
    def vjp_x(g, z, x, y):
        return np.tensordot(g, y, axes=np.ndim(y))

    def vjp_y(g, z, x, y):
        return np.tensordot(x, g, axes=np.ndim(x))


@bilinear(*since_numpy_2("linalg.cross"), samples=calls(call(drawn(3), drawn(3)), call(drawn(4, 3), drawn(3))))
class linalg_cross:
    def vjp_x(g, z, x, y):
        return runtime.unbroadcast(np.cross(y, g), x)

    def vjp_y(g, z, x, y):
        return runtime.unbroadcast(np.cross(g, x), y)


# Sums and differences of all pairs


@general(np.add.outer, samples=calls(call(drawn(2), drawn(3)), call(drawn(2, 2), drawn(3)), call(drawn(2), number())))
class add_outer:
    def vjp_x(g, z, x, y):
        return np.tensordot(g, np.ones_like(y), axes=np.ndim(y))

    def vjp_y(g, z, x, y):
        return np.tensordot(np.ones_like(x), g, axes=np.ndim(x))

    def jvp_x(g, z, x, y):
        return np.add.outer(g, np.zeros_like(y))

    def jvp_y(g, z, x, y):
        return np.add.outer(np.zeros_like(x), g)


@general(
    np.subtract.outer, samples=calls(call(drawn(2), drawn(3)), call(drawn(2, 2), drawn(3)), call(number(), drawn(2)))
)
class subtract_outer:
    def vjp_x(g, z, x, y):
        return np.tensordot(g, np.ones_like(y), axes=np.ndim(y))

    def vjp_y(g, z, x, y):
        return -np.tensordot(np.ones_like(x), g, axes=np.ndim(x))

    def jvp_x(g, z, x, y):
        return np.subtract.outer(g, np.zeros_like(y))

    def jvp_y(g, z, x, y):
        return np.subtract.outer(np.zeros_like(x), g)
