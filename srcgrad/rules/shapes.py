"""Rules of operations that rearrange, copy, split and make arrays: linear all, and cheap to transpose.

y = x.T                ->   x_bar = y_bar.T
y = x.reshape(2, 3)    ->   x_bar = np.reshape(y_bar, x.shape)
"""

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import general, linear, since_numpy_2
from srcgrad.rules.sampling import call, calls, drawn, number

# The same elements in another shape


@linear(
    np.reshape,
    method="reshape",
    variadic="shape",
    samples=calls(call(drawn(2, 3), (3, 2)), call(drawn(2, 3), -1), call(drawn(4), (2, -1)), call(drawn(1), ())),
)
def reshape(g, z, x, shape):
    return np.reshape(g, np.shape(x))


@linear(np.ravel, method="ravel", samples=calls(call(drawn(2, 3)), call(drawn(3)), call(drawn())))
def ravel(g, z, x):
    return np.reshape(g, np.shape(x))


@linear(method="flatten", samples=calls(call(drawn(2, 3)), call(drawn(3)), call(drawn())))
def flatten(g, z, x):
    return np.reshape(g, x.shape)


@linear(
    np.squeeze,
    method="squeeze",
    samples=calls(call(drawn(1, 3, 1)), call(drawn(1, 3, 1), axis=0), call(drawn(1, 3, 1), (0, -1)), call(drawn(3))),
)
def squeeze(g, z, x, axis=None):
    return np.reshape(g, np.shape(x))


@linear(
    np.expand_dims,
    samples=calls(call(drawn(2, 3), 0), call(drawn(2, 3), -1), call(drawn(3), axis=(0, 2)), call(number(), 0)),
)
def expand_dims(g, z, x, axis):
    return np.squeeze(g, axis)


@linear(np.atleast_1d, samples=calls(call(number()), call(drawn()), call(drawn(3)), call(drawn(2, 3))))
def atleast_1d(g, z, x):
    return np.reshape(g, np.shape(x))


@linear(np.atleast_2d, samples=calls(call(number()), call(drawn(3)), call(drawn(2, 3)), call(drawn(1, 2, 3))))
def atleast_2d(g, z, x):
    return np.reshape(g, np.shape(x))


@linear(np.atleast_3d, samples=calls(call(number()), call(drawn(3)), call(drawn(2, 3)), call(drawn(1, 2, 3))))
def atleast_3d(g, z, x):
    return np.reshape(g, np.shape(x))


@linear(method="item", samples=calls(call(drawn()), call(drawn(1, 1))))
def item(g, z, x):
    return np.reshape(g, x.shape)


# The same elements in another order


@linear(
    np.transpose,
    *since_numpy_2("permute_dims"),
    method="transpose",
    variadic="axes",
    samples=calls(
        call(drawn(2, 3)),
        call(drawn(2, 3, 4), None),
        call(drawn(2, 3, 4), (2, 0, 1)),
        call(drawn(2, 3, 4), (-1, 0, 1)),
        call(drawn(2, 3, 4), [1, -1, 0]),
        call(drawn(3), (0,)),
    ),
)
def transpose(g, z, x, axes=None):
    if axes is None:
        return g.T
    return np.transpose(g, np.argsort(np.mod(axes, g.ndim)))


@linear(attribute="T", samples=calls(call(drawn(2, 3)), call(drawn(3)), call(drawn(2, 3, 4))))
def T(g, z, x):
    return g.T


@linear(
    *since_numpy_2("matrix_transpose", "linalg.matrix_transpose"),
    attribute="mT" if hasattr(np.ndarray, "mT") else None,
    samples=calls(call(drawn(2, 3)), call(drawn(2, 3, 4))),
)
def matrix_transpose(g, z, x):
    return np.swapaxes(g, -1, -2)


@linear(np.swapaxes, method="swapaxes", samples=calls(call(drawn(2, 3, 4), 0, 2), call(drawn(2, 3, 4), -1, 1)))
def swapaxes(g, z, x, axis1, axis2):
    return np.swapaxes(g, axis1, axis2)


@linear(
    np.moveaxis,
    samples=calls(call(drawn(2, 3, 4), 0, -1), call(drawn(2, 3, 4), source=(0, 1), destination=(2, 0))),
)
def moveaxis(g, z, x, source, destination):
    return np.moveaxis(g, destination, source)


@linear(
    np.rollaxis, samples=calls(call(drawn(2, 3, 4), 2), call(drawn(2, 3, 4), 0, 2), call(drawn(2, 3, 4), 1, start=3))
)
def rollaxis(g, z, x, axis, start=0):
    if start > axis:
        return np.moveaxis(g, start - 1, axis)
    return np.moveaxis(g, start, axis)


@linear(
    np.roll,
    samples=calls(
        call(drawn(5), 2),
        call(drawn(2, 3), -1),
        call(drawn(2, 3), 1, axis=1),
        call(drawn(2, 3), (1, 2), axis=(0, 1)),
        call(drawn(2, 3), 1, axis=(0, 1)),
    ),
)
def roll(g, z, x, shift, axis=None):
    if isinstance(shift, tuple):
        return np.roll(g, np.negative(shift), axis)
    return np.roll(g, -shift, axis)


@linear(
    np.flip,
    samples=calls(call(drawn(5)), call(drawn(2, 3)), call(drawn(2, 3), 1), call(drawn(2, 3, 2), axis=(0, 2))),
)
def flip(g, z, x, axis=None):
    return np.flip(g, axis)


@linear(np.fliplr, samples=calls(call(drawn(2, 3)), call(drawn(2, 3, 4))))
def fliplr(g, z, x):
    return np.fliplr(g)


@linear(np.flipud, samples=calls(call(drawn(3)), call(drawn(2, 3))))
def flipud(g, z, x):
    return np.flipud(g)


@linear(
    np.rot90,
    samples=calls(call(drawn(2, 3)), call(drawn(2, 3), 2), call(drawn(2, 3), k=-1), call(drawn(2, 3, 4), 1, (1, 2))),
)
def rot90(g, z, x, k=1, axes=(0, 1)):
    return np.rot90(g, -k, axes)


# Elements several times


@linear(
    np.repeat,
    method="repeat",
    samples=calls(
        call(drawn(3), 2),
        call(drawn(2, 3), 2),
        call(drawn(2, 3), 0),
        call(number(), 3),
        call(drawn(3), [1, 0, 2]),
        call(drawn(2, 3), np.array([1, 0, 2]), axis=1),
        call(drawn(2, 3), 2, axis=-1),
        call(drawn(2, 3), [2], axis=0),
    ),
)
def repeat(g, z, x, repeats, axis=None):
    if axis is not None:
        return runtime.untake(g, x, np.repeat(np.arange(x.shape[axis]), repeats), axis)
    if isinstance(repeats, int):
        return np.reshape(np.sum(np.reshape(g, (np.size(x), repeats)), axis=1), np.shape(x))
    return runtime.untake(g, x, np.repeat(np.arange(np.size(x)), repeats), None)


@linear(
    np.tile,
    samples=calls(
        call(drawn(3), 2),
        call(drawn(2, 3), 2),
        call(drawn(2, 3), (2, 1)),
        call(drawn(3), (2, 2)),
        call(drawn(2, 3), (2, 1, 3)),
        call(drawn(2, 1, 3), [2, 3]),
        call(number(), 3),
        call(drawn(3), ()),
    ),
)
def tile(g, z, x, reps):
    return runtime.untile(g, x, reps)


@linear(np.resize, samples=calls(call(drawn(3), (2, 4)), call(drawn(2, 3), 4), call(drawn(2, 2), (3, 2))))
def resize(g, z, x, new_shape):
    return runtime.untake(g, x, np.resize(np.arange(x.size), new_shape), None)


@linear(
    np.broadcast_to,
    samples=calls(call(drawn(3), (2, 3)), call(drawn(2, 1), (4, 2, 3)), call(drawn(), 3), call(number(), shape=(2, 2))),
)
def broadcast_to(g, z, x, shape):
    if np.ndim(x) == 0:
        return np.sum(g)
    return runtime.unbroadcast(g, x)


@general(
    np.pad,
    samples=calls(
        call(drawn(3), 1),
        call(drawn(3), (1, 2)),
        call(drawn(2, 3), 1),
        call(drawn(2, 3), ((1, 0), (0, 2))),
        call(drawn(2, 3), ((0, 2),), "constant", constant_values=1.5),
        call(drawn(2, 3), 1, constant_values=drawn(2, 2)),
        call(drawn(2, 3), 2, constant_values=drawn(2)),
        call(drawn(4), 2, "edge"),
        call(drawn(4), (5, 7), mode="wrap"),
        call(drawn(2, 3), ((1, 1), (2, 0)), "reflect"),
        call(drawn(2, 3), ((1, 0), (2, 1)), "symmetric"),
    ),
)
class pad:
    def vjp_x(g, z, x, pad_width, mode="constant", constant_values=0):
        if mode != "constant":
            return runtime.untake(g, x, runtime.pad_positions(x.shape, pad_width, mode), None)
        return runtime.unpad(g, x, pad_width)

    def vjp_constant_values(g, z, x, pad_width, mode="constant", constant_values=0):
        return runtime.unpad_border(g, x, pad_width, constant_values)

    def jvp_x(g, z, x, pad_width, mode="constant", constant_values=0):
        if mode != "constant":
            return np.take(g, runtime.pad_positions(x.shape, pad_width, mode))
        return np.pad(g, pad_width)

    def jvp_constant_values(g, z, x, pad_width, mode="constant", constant_values=0):
        return np.pad(np.zeros_like(x), pad_width, constant_values=g)


# Splitting: the result, and so its cotangent, is a list of arrays


@linear(
    np.split,
    samples=calls(
        call(drawn(6), 3), call(drawn(5, 2), [1, 3]), call(drawn(2, 4), 2, axis=1), call(drawn(2, 4), [3], -1)
    ),
)
def split(g, z, x, indices_or_sections, axis=0):
    return np.concatenate(g, axis)


@linear(np.array_split, samples=calls(call(drawn(7), 3), call(drawn(2, 5), 2, axis=1), call(drawn(5), (2, 4))))
def array_split(g, z, x, indices_or_sections, axis=0):
    return np.concatenate(g, axis)


@linear(np.hsplit, samples=calls(call(drawn(6), 3), call(drawn(2, 4), 2), call(drawn(2, 4, 2), [1, 3])))
def hsplit(g, z, x, indices_or_sections):
    return np.hstack(g)


@linear(np.vsplit, samples=calls(call(drawn(4, 2), 2), call(drawn(4, 2), [1])))
def vsplit(g, z, x, indices_or_sections):
    return np.vstack(g)


@linear(np.dsplit, samples=calls(call(drawn(2, 3, 4), 2), call(drawn(2, 3, 4), [1, 1])))
def dsplit(g, z, x, indices_or_sections):
    return np.dstack(g)


@linear(*since_numpy_2("unstack"), samples=calls(call(drawn(3, 2)), call(drawn(2, 3), axis=1)))
def unstack(g, z, x, axis=0):
    return np.stack(g, axis)


# Copies and conversions. What is made an integer has no derivative: the compiler reads that off the result's dtype,
# or, where that is not known and a `dtype` is given, asks for it at run time


@linear(np.copy, method="copy", samples=calls(call(drawn(2, 3)), call(drawn())))
def copy(g, z, x):
    return g


@linear(
    np.ascontiguousarray,
    np.asfortranarray,
    np.asanyarray,
    sequences="x",
    samples=calls(call(drawn(2, 3)), call(drawn(3))),
)
def ascontiguousarray(g, z, x):
    return g


@linear(
    np.array,
    np.asarray,
    sequences="x",
    samples=calls(
        call(drawn(2, 3)),
        call(number()),
        call([number(), number()]),
        call([[number(), 1.0], (number(), number())]),
        call((drawn(3), drawn(3)), dtype=float),
        call(drawn(2, 3), float),
        call(drawn(2, 3), copy=True),
    ),
)
def array(g, z, x, dtype=None, copy=True):
    if dtype is None:
        return g
    return runtime.cast(g, x)


# At zero single precision has all digits of a small step.
@linear(np.float64, np.float32, samples=calls(call(0.0), call(np.zeros(())), call(np.zeros((2, 3)))))
def to_float_of_size(g, z, x):
    if isinstance(x, float):
        return g
    return runtime.cast(g, x)


@linear(method="tolist", samples=calls(call(drawn(3)), call(drawn(2, 3)), call(drawn())))
def tolist(g, z, x):
    return np.reshape(np.array(g, dtype=x.dtype), x.shape)


@linear(
    method="astype",
    samples=calls(call(drawn(2, 3), np.float64), call(drawn(3), dtype=float), call(drawn(3), complex)),
)
def astype(g, z, x, dtype, copy=True):
    if np.iscomplexobj(z):
        return runtime.cast(g, x)
    return g.astype(x.dtype)


# Arrays made from numbers


@linear(
    np.full,
    wrt="fill_value",
    samples=calls(
        call(3, number()), call((2, 3), number(), dtype=float), call((2, 3), drawn(3)), call((2, 3), drawn())
    ),
)
def full(g, z, shape, fill_value, dtype=None):
    if np.ndim(fill_value) == 0:
        return np.sum(g)
    return runtime.unbroadcast(g, fill_value)


@linear(
    np.full_like,
    wrt="fill_value",
    shape_only="x",
    samples=calls(call(np.ones(3), number()), call(np.ones((2, 3)), drawn(3)), call(np.ones(2), drawn(), dtype=float)),
)
def full_like(g, z, x, fill_value, dtype=None):
    g = runtime.uncut(g, z)
    if np.ndim(fill_value) == 0:
        return np.sum(g)
    return runtime.unbroadcast(g, fill_value)


@general(
    np.linspace,
    samples=calls(
        call(number(), number()),
        call(number(), number(), 5),
        call(number(), number(), num=4, endpoint=False),
        call(drawn(3), number(), 4),
        call(drawn(2, 1), drawn(3), 4, False),
    ),
)
class linspace:
    def vjp_start(g, z, start, stop, num=50, endpoint=True):
        weights = 1 - np.linspace(0, 1, num, endpoint, dtype=g.dtype)
        if z.ndim == 1:
            return weights @ g
        return runtime.unbroadcast(np.tensordot(weights, g, axes=1), start)

    def vjp_stop(g, z, start, stop, num=50, endpoint=True):
        weights = np.linspace(0, 1, num, endpoint, dtype=g.dtype)
        if z.ndim == 1:
            return weights @ g
        return runtime.unbroadcast(np.tensordot(weights, g, axes=1), stop)

    def jvp_start(g, z, start, stop, num=50, endpoint=True):
        return np.linspace(g, runtime.zeros_like(stop), num, endpoint)

    def jvp_stop(g, z, start, stop, num=50, endpoint=True):
        return np.linspace(runtime.zeros_like(start), g, num, endpoint)


def _on_the_way(num, endpoint, dtype):
    """How far each of the points of `np.linspace` is from the start to the end."""
    return np.linspace(0, 1, num, endpoint, dtype=dtype)


@general(
    np.logspace,
    samples=calls(
        call(number(), number()),
        call(number(), number(), 5, base=2.0),
        call(number(), number(), num=4, endpoint=False),
    ),
)
class logspace:
    """From number to number."""

    def vjp_start(g, z, start, stop, num=50, endpoint=True, base=10.0):
        return (1 - _on_the_way(num, endpoint, g.dtype)) @ (g * z) * np.log(base)

    def vjp_stop(g, z, start, stop, num=50, endpoint=True, base=10.0):
        return _on_the_way(num, endpoint, g.dtype) @ (g * z) * np.log(base)

    def jvp_start(g, z, start, stop, num=50, endpoint=True, base=10.0):
        return g * (1 - _on_the_way(num, endpoint, z.dtype)) * z * np.log(base)

    def jvp_stop(g, z, start, stop, num=50, endpoint=True, base=10.0):
        return g * _on_the_way(num, endpoint, z.dtype) * z * np.log(base)


@general(
    np.geomspace,
    samples=calls(call(1.5, 40.0), call(-2.0, -0.3, 5), call(0.5, 3.0, num=4, endpoint=False)),
)
class geomspace:
    """From number to number."""

    def vjp_start(g, z, start, stop, num=50, endpoint=True):
        return (1 - _on_the_way(num, endpoint, g.dtype)) @ (g * z) / start

    def vjp_stop(g, z, start, stop, num=50, endpoint=True):
        return _on_the_way(num, endpoint, g.dtype) @ (g * z) / stop

    def jvp_start(g, z, start, stop, num=50, endpoint=True):
        return g * (1 - _on_the_way(num, endpoint, z.dtype)) * z / start

    def jvp_stop(g, z, start, stop, num=50, endpoint=True):
        return g * _on_the_way(num, endpoint, z.dtype) * z / stop


# Differences of neighbours


@linear(
    np.diff,
    samples=calls(
        call(drawn(5)),
        call(drawn(1)),
        call(drawn(6), 3),
        call(drawn(3), n=0),
        call(drawn(2, 5)),
        call(drawn(4, 3), 2, axis=0),
        call(drawn(2), n=3),
    ),
)
def diff(g, z, x, n=1, axis=-1):
    if x.ndim == 1 and n == 1:
        return -np.diff(np.pad(g, 1))
    return runtime.undiff(g, x, n, axis)
