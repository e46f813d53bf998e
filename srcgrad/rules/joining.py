"""Rules of operations that join arrays: the parameter, and so its cotangent, is mostly a sequence of arrays.

    y = np.concatenate((a, b))    ->   bars = runtime.split_like(y_bar, (a, b), 0)
                                       a_bar, b_bar = bars[0], bars[1]
"""

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import general, linear
from srcgrad.rules.sampling import call, calls, drawn, number


@linear(
    np.concatenate,
    sequences="arrays",
    samples=calls(
        call([drawn(2), drawn(3)]),
        call((drawn(2, 3), drawn(1, 3), drawn(2, 3))),
        call([drawn(2, 3), drawn(2, 1)], axis=1),
        call([drawn(2, 3), drawn(2, 0)], -1),
        call([drawn(2, 3), drawn(4)], axis=None),
        call(drawn(2, 3)),
    ),
)
def concatenate(g, z, arrays, axis=0):
    return runtime.split_like(g, arrays, axis)


@linear(
    np.stack,
    sequences="arrays",
    samples=calls(
        call([drawn(2), drawn(2), drawn(2)]),
        call((number(), number())),
        call([drawn(2, 3), drawn(2, 3)], axis=1),
        call([drawn(2, 3), drawn(2, 3)], -1),
        call(drawn(2, 3), axis=1),
    ),
)
def stack(g, z, arrays, axis=0):
    return np.moveaxis(g, axis, 0)


@linear(
    np.vstack,
    sequences="arrays",
    samples=calls(call([drawn(3), drawn(2, 3)]), call((drawn(3), drawn(3))), call([number(), number()])),
)
def vstack(g, z, arrays):
    return runtime.split_like(g, arrays, 0)


@linear(
    np.hstack, sequences="arrays",
    samples=calls(call([drawn(3), drawn(2)]), call((drawn(2, 3), drawn(2, 1))), call([number(), drawn(2)])),
)
def hstack(g, z, arrays):
    if g.ndim == 1:
        return runtime.split_like(g, arrays, 0)
    return runtime.split_like(g, arrays, 1)


@linear(np.dstack, sequences="arrays", samples=calls(call([drawn(3), drawn(3)]), call((drawn(2, 3), drawn(2, 3, 2)))))
def dstack(g, z, arrays):
    return runtime.split_like(g, arrays, 2)


@linear(np.column_stack, sequences="arrays", samples=calls(call([drawn(3), drawn(3, 2)]), call((drawn(3), drawn(3)))))
def column_stack(g, z, arrays):
    return runtime.split_like(g, arrays, 1)


@linear(
    np.block,
    sequences="arrays",
    samples=calls(
        call([drawn(3), drawn(2)]),
        call([[drawn(2, 3), drawn(2, 1)], [drawn(1, 4)]]),
        call([drawn(2, 2), drawn(2, 3)]),
        call([[[drawn(2, 2)], [drawn(1, 2)]]]),
        call([[drawn(3)], [drawn(3)]]),
        call(drawn(2, 3)),
    ),
)
def block(g, z, arrays):
    return runtime.unblock(g, arrays)


@general(
    np.append,
    samples=calls(
        call(drawn(3), drawn(2)),
        call(drawn(2, 3), drawn(2)),
        call(drawn(3), number()),
        call(drawn(2, 3), drawn(1, 3), axis=0),
        call(drawn(2, 3), drawn(2, 2), axis=-1),
    ),
)
class append:
    def vjp_x(g, z, x, values, axis=None):
        return runtime.split_like(g, (x, values), axis)[0]

    def vjp_values(g, z, x, values, axis=None):
        return runtime.split_like(g, (x, values), axis)[1]

    def jvp_x(g, z, x, values, axis=None):
        return np.append(g, np.zeros_like(values), axis)

    def jvp_values(g, z, x, values, axis=None):
        return np.append(np.zeros_like(x), g, axis)


@general(
    np.meshgrid,
    samples=calls(call(drawn(3), drawn(2)), call(drawn(3), drawn(2), indexing="ij"), call(drawn(1), drawn(1))),
)
class meshgrid:
    def vjp_x(g, z, x, y, indexing="xy"):
        if indexing == "ij":
            return np.sum(g[0], axis=1)
        return np.sum(g[0], axis=0)

    def vjp_y(g, z, x, y, indexing="xy"):
        if indexing == "ij":
            return np.sum(g[1], axis=0)
        return np.sum(g[1], axis=1)

    def jvp_x(g, z, x, y, indexing="xy"):
        return np.meshgrid(g, np.zeros_like(y), indexing=indexing)

    def jvp_y(g, z, x, y, indexing="xy"):
        return np.meshgrid(np.zeros_like(x), g, indexing=indexing)
