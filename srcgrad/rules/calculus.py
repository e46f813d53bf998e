"""Rules of functions of sampled curves and polynomials: interpolation, differences, correlation.

y = np.interp(x, xp, fp)    ->    x_bar = y_bar * slope, where x lies between the first and the last point
"""

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import bilinear, elementwise, general, linear
from srcgrad.rules.sampling import call, calls, drawn, number

_POINTS = np.array([-2.0, -1.0, 0.5, 1.5, 2.5])


@general(
    np.interp,
    samples=calls(
        call(np.array([-1.5, 0.2, 1.7, 3.0, -4.0]), _POINTS, drawn(5)),
        call(np.array([[0.1, 0.2], [2.2, -1.7]]), _POINTS, drawn(5)),
        call(0.7, _POINTS, drawn(5)),
    ),
)
class interp:
    """Outside of the points the first and the last value, whose slope is zero."""

    def vjp_x(g, z, x, xp, fp):
        return np.where((x >= xp[0]) & (x <= xp[-1]), g * interpolated_slope(x, xp, fp), 0)

    def vjp_xp(g, z, x, xp, fp):
        left, part = interval(x, xp)
        slope = np.where((x >= xp[0]) & (x <= xp[-1]), -g * interpolated_slope(x, xp, fp), 0)
        return runtime.untake(slope * (1 - part), xp, left, None) + runtime.untake(slope * part, xp, left + 1, None)

    def vjp_fp(g, z, x, xp, fp):
        left, part = interval(x, xp)
        return runtime.untake(g * (1 - part), fp, left, None) + runtime.untake(g * part, fp, left + 1, None)

    def jvp_x(g, z, x, xp, fp):
        return np.where((x >= xp[0]) & (x <= xp[-1]), g * interpolated_slope(x, xp, fp), 0)

    def jvp_xp(g, z, x, xp, fp):
        left, part = interval(x, xp)
        moved = np.take(g, left) * (1 - part) + np.take(g, left + 1) * part
        return np.where((x >= xp[0]) & (x <= xp[-1]), -moved * interpolated_slope(x, xp, fp), 0)

    def jvp_fp(g, z, x, xp, fp):
        return np.interp(x, xp, g)


def interval(x, xp):
    """The point to the left of each `x`, and how far `x` is on the way to the next one."""
    left = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, np.size(xp) - 2)
    start = np.take(xp, left)
    return left, np.clip((x - start) / (np.take(xp, left + 1) - start), 0, 1)


def interpolated_slope(x, xp, fp):
    left = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, np.size(xp) - 2)
    return (np.take(fp, left + 1) - np.take(fp, left)) / (np.take(xp, left + 1) - np.take(xp, left))


@general(
    np.gradient,
    samples=calls(
        call(drawn(5)),
        call(drawn(5), 0.5),
        call(drawn(2)),
        call(drawn(3, 4), axis=1),
        call(drawn(3, 4), 0.5, axis=0),
        call(drawn(4, 3), 0.5, axis=0, edge_order=2),
    ),
)
class gradient:
    """Along one axis; the frontend writes that along several as several."""

    def vjp_f(g, z, f, step=1, axis=None, edge_order=1):
        if axis is None:
            if f.ndim != 1:
                raise ValueError("np.gradient of several axes at once has no derivative here: give one axis")
            axis = 0
        if edge_order == 1:
            return runtime.ungradient(g, step, axis)
        return runtime.ungradient(g, step, axis, edge_order)

    def vjp_step(g, z, f, step=1, axis=None, edge_order=1):
        if np.ndim(step) != 0:
            raise ValueError("np.gradient has no derivative with respect to points here: give the distance")
        return -np.sum(g * z) / step

    def jvp_f(g, z, f, step=1, axis=None, edge_order=1):
        return np.gradient(g, step, axis=axis, edge_order=edge_order)

    def jvp_step(g, z, f, step=1, axis=None, edge_order=1):
        return -g * z / step


@linear(np.ediff1d, samples=calls(call(drawn(5)), call(drawn(2, 3))))
def ediff1d(g, z, x):
    return np.reshape(-np.diff(np.pad(g, 1)), x.shape)


@elementwise(np.unwrap, samples=calls(call(3 * np.arange(5.0)), call(np.array([[0.1, 4.0, 0.3]]))))
class unwrap:
    """Adds multiples of the period, which do not change under small changes of the elements."""

    def vjp_x(g, z, x):
        return g


@general(
    np.polyval,
    samples=calls(
        call(drawn(4), drawn(3)), call(drawn(3), drawn(2, 3)), call(drawn(1), drawn(2)), call(drawn(4), number())
    ),
)
class polyval:
    def vjp_p(g, z, p, x):
        powers = np.power(np.reshape(x, (-1, 1)), np.arange(p.shape[0] - 1, -1, -1).astype(p.dtype))
        return runtime.cast(np.reshape(g, -1) @ powers, p)

    def vjp_x(g, z, p, x):
        return g * np.polyval(p[:-1] * np.arange(p.shape[0] - 1, 0, -1).astype(p.dtype), x)

    def jvp_p(g, z, p, x):
        return np.polyval(g, x)

    def jvp_x(g, z, p, x):
        return g * np.polyval(p[:-1] * np.arange(p.shape[0] - 1, 0, -1).astype(p.dtype), x)


@bilinear(
    np.correlate,
    samples=calls(
        call(drawn(5), drawn(3)),
        call(drawn(5), drawn(3), "full"),
        call(drawn(5), drawn(3), mode="same"),
        call(drawn(4), drawn(4), "valid"),
    ),
)
class correlate:
    """The convolution with the second array turned round."""

    def vjp_x(g, z, x, y, mode="valid"):
        if mode != "full":
            g = runtime.full_convolution(g, x, y, mode)
        return np.convolve(g, y, "valid")

    def vjp_y(g, z, x, y, mode="valid"):
        if mode != "full":
            g = runtime.full_convolution(g, x, y, mode)
        return np.convolve(g, x[::-1], "valid")[::-1]


@general(
    np.vander,
    samples=calls(call(drawn(4)), call(drawn(3), 2), call(drawn(3), N=4, increasing=True), call(drawn(2), 1)),
)
class vander:
    def vjp_x(g, z, x, N=None, increasing=False):
        return np.sum(g * vander_slopes(x, z.shape[1], increasing), axis=1)

    def jvp_x(g, z, x, N=None, increasing=False):
        return np.reshape(g, (-1, 1)) * vander_slopes(x, z.shape[1], increasing)


def vander_slopes(x, n, increasing):
    powers = np.arange(n)
    if not increasing:
        powers = powers[::-1]
    return powers * np.power(np.reshape(x, (-1, 1)), np.maximum(powers - 1, 0))
