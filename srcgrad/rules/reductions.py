"""Rules for sums, means, extrema and other functions that reduce axes, and for running sums and products.

    y = np.mean(x, axis=0)    ->    x_bar = np.broadcast_to(np.expand_dims(y_bar / (x.size // y.size), 0), x.shape)

The small cotangent is scaled first, then given its axes back, then broadcast.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import Sample, constant, general, linear, since_numpy_2
from srcgrad.rules.sampling import call, calls, drawn

# Samples


def samples_over_axes(rng: np.random.Generator) -> Iterable[Sample]:
    """Every kind of `axis`, with `keepdims` and without."""
    for shape, axis in (((3,), None), ((3,), 0), ((2, 3), -1), ((2, 3, 2), (0, -1)), ((2, 3), (1, 0)), ((2, 3), None)):
        yield (rng.permutation(24)[: int(np.prod(shape))].reshape(shape) / 8 - 1.4,), {"axis": axis}
        yield (rng.normal(size=shape),), {"axis": axis, "keepdims": True}
    yield (rng.normal(size=(2, 3)), 1), {}
    yield (np.array(rng.normal()),), {}


def _with_dtype(rng: np.random.Generator) -> Iterable[Sample]:
    yield from samples_over_axes(rng)
    yield (rng.normal(size=(2, 3)), 0, None), {}
    yield (rng.normal(size=(2, 3)),), {"dtype": None}
    yield (rng.normal(size=(2, 3)),), {"axis": 1, "dtype": float}


def _with_ddof(rng: np.random.Generator) -> Iterable[Sample]:
    for args, kwargs in samples_over_axes(rng):
        if args[0].ndim:
            yield args, kwargs
            yield args, {**kwargs, "ddof": 1}


def _with_zeros(rng: np.random.Generator) -> Iterable[Sample]:
    yield from samples_over_axes(rng)
    yield (np.array([0.0, 2.0, 3.0]),), {}
    yield (np.array([[0.0, 2.0, 0.0], [1.5, 0.0, 2.5]]),), {"axis": 1}


def samples_with_nan(rng: np.random.Generator) -> Iterable[Sample]:
    for args, kwargs in samples_over_axes(rng):
        if args[0].ndim > 1:
            args[0][0, 1] = np.nan
        yield args, kwargs


def _along_axis(rng: np.random.Generator) -> Iterable[Sample]:
    for shape, axis in (((3,), None), ((3,), 0), ((2, 3), None), ((2, 3), 0), ((2, 3, 2), -2)):
        yield (rng.normal(size=shape),), {"axis": axis}
    yield (rng.normal(size=(2, 3)), 1), {}


def _running_with_zeros(rng: np.random.Generator) -> Iterable[Sample]:
    yield from _along_axis(rng)
    yield (np.array([2.0, 0.0, 3.0, 0.0, 1.5]),), {}
    yield (np.array([[2.0, 0.0], [0.0, 1.5], [3.0, 2.0]]),), {"axis": 0}


def _weighted(rng: np.random.Generator) -> Iterable[Sample]:
    yield from samples_over_axes(rng)
    for axis in (None, 0, -1, (0, 1)):
        yield (rng.normal(size=(2, 3)),), {"axis": axis, "weights": rng.uniform(0.5, 2, size=(2, 3))}
    yield (rng.normal(size=(2, 3)), 1, rng.uniform(0.5, 2, size=3)), {"keepdims": True}
    yield (rng.normal(size=(2, 3, 2)), -2, rng.uniform(0.5, 2, size=3)), {}


def _curves(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=4),), {}
    yield (rng.normal(size=(3, 2)),), {"dx": 0.25, "axis": 0}
    yield (rng.normal(size=4), np.sort(rng.normal(size=4))), {}
    yield (rng.normal(size=(3, 2)), np.sort(rng.normal(size=3))), {"axis": 0}
    yield (rng.normal(size=(2, 3)), np.sort(rng.normal(size=(2, 3)))), {"axis": -1}


# Sums and means


@linear(np.sum, method="sum", samples=_with_dtype)
def sum(g, z, a, axis=None, dtype=None, keepdims=False):
    if dtype is not None:
        g = runtime.cast(g, a)
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, a.shape)


@linear(np.mean, method="mean", samples=_with_dtype)
def mean(g, z, a, axis=None, dtype=None, keepdims=False):
    if dtype is not None:
        g = runtime.cast(g, a)
    if axis is None:
        return np.broadcast_to(g / a.size, a.shape)
    g = g / (a.size // z.size)
    if not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, a.shape)


@general(np.nansum, samples=samples_with_nan)
class nansum:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.where(np.isnan(a), 0, g)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        return np.sum(np.where(np.isnan(a), 0, da), axis=axis, keepdims=keepdims)


@general(np.nanmean, samples=samples_with_nan)
class nanmean:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        g = g / np.sum(~np.isnan(a), axis=axis, keepdims=keepdims, dtype=a.dtype)
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.where(np.isnan(a), 0, g)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        count = np.sum(~np.isnan(a), axis=axis, keepdims=keepdims, dtype=a.dtype)
        return np.sum(np.where(np.isnan(a), 0, da), axis=axis, keepdims=keepdims) / count


@general(np.average, samples=_weighted)
class average:
    def vjp_a(g, z, a, axis=None, weights=None, keepdims=False):
        if weights is None:
            g = g / (a.size // z.size)
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return np.broadcast_to(g, a.shape)
        w = runtime.align_weights(weights, a, axis)
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * (w / np.sum(w, axis=axis, keepdims=True))

    def jvp_a(da, z, a, axis=None, weights=None, keepdims=False):
        return np.average(da, axis=axis, weights=weights, keepdims=keepdims)

    def vjp_weights(g, z, a, axis=None, weights=None, keepdims=False):
        w = runtime.align_weights(weights, a, axis)
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
            z = np.expand_dims(z, axis)
        return runtime.unalign_weights(g * (a - z) / np.sum(w, axis=axis, keepdims=True), weights, a, axis)

    def jvp_weights(dw, z, a, axis=None, weights=None, keepdims=False):
        w = runtime.align_weights(weights, a, axis)
        dw = runtime.align_weights(dw, a, axis)
        if axis is not None and not keepdims:
            z = np.expand_dims(z, axis)
        return np.sum(dw * (a - z), axis=axis, keepdims=keepdims) / np.sum(w, axis=axis, keepdims=keepdims)


@general(np.var, method="var", samples=_with_ddof)
class var:
    def vjp_a(g, z, a, axis=None, ddof=0, keepdims=False):
        if axis is None:
            return g * 2 / (a.size - ddof) * (a - np.mean(a))
        g = g * 2 / (a.size // z.size - ddof)
        if not keepdims:
            g = np.expand_dims(g, axis)
        return g * (a - np.mean(a, axis=axis, keepdims=True))

    def jvp_a(da, z, a, axis=None, ddof=0, keepdims=False):
        centred = a - np.mean(a, axis=axis, keepdims=True)
        return 2 * np.sum(da * centred, axis=axis, keepdims=keepdims) / (a.size // z.size - ddof)


@general(np.std, method="std", samples=_with_ddof)
class std:
    """Zero for a constant."""

    def vjp_a(g, z, a, axis=None, ddof=0, keepdims=False):
        g = g / np.where(z == 0, 1, z)
        if axis is None:
            return g / (a.size - ddof) * (a - np.mean(a))
        g = g / (a.size // z.size - ddof)
        if not keepdims:
            g = np.expand_dims(g, axis)
        return g * (a - np.mean(a, axis=axis, keepdims=True))

    def jvp_a(da, z, a, axis=None, ddof=0, keepdims=False):
        centred = a - np.mean(a, axis=axis, keepdims=True)
        slope = np.sum(da * centred, axis=axis, keepdims=keepdims) / (a.size // z.size - ddof)
        return slope / np.where(z == 0, 1, z)


# The methods of ufuncs, whose `axis` is 0 where it is not given


def _reduced(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=3),), {}
    yield (rng.normal(size=(2, 3)),), {}
    yield (rng.normal(size=(2, 3)), 1), {}
    yield (rng.normal(size=(2, 3)),), {"axis": None}
    yield (rng.normal(size=(2, 3, 2)),), {"axis": (0, -1), "keepdims": True}


@linear(np.add.reduce, samples=_reduced)
def add_reduce(g, z, a, axis=0, dtype=None, keepdims=False):
    if dtype is not None:
        g = runtime.cast(g, a)
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, a.shape)


@general(np.multiply.reduce, samples=_reduced)
class multiply_reduce:
    def vjp_a(g, z, a, axis=0, dtype=None, keepdims=False):
        if dtype is not None:
            g = runtime.cast(g, a)
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * runtime.product_of_others(a, axis)

    def jvp_a(da, z, a, axis=0, dtype=None, keepdims=False):
        return np.sum(da * runtime.product_of_others(a, axis), axis=axis, keepdims=keepdims)


@linear(np.add.accumulate, samples=calls(call(drawn(4)), call(drawn(3, 2)), call(drawn(2, 3), 1)))
def add_accumulate(g, z, a, axis=0):
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


@linear(
    np.add.reduceat,
    samples=calls(call(drawn(5), [0, 2]), call(drawn(5), np.array([3, 1, 1, 4])), call(drawn(2, 4), [0, 3], axis=1)),
)
def add_reduceat(g, z, a, indices, axis=0):
    return runtime.unreduceat(g, a, indices, axis)


@general(np.logaddexp.reduce, samples=_reduced)
class logaddexp_reduce:
    def vjp_a(g, z, a, axis=0, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
            z = np.expand_dims(z, axis)
        return g * np.exp(a - z)

    def jvp_a(da, z, a, axis=0, keepdims=False):
        if axis is not None and not keepdims:
            return np.sum(da * np.exp(a - np.expand_dims(z, axis)), axis=axis)
        return np.sum(da * np.exp(a - z), axis=axis, keepdims=keepdims)


# Products


@general(np.prod, method="prod", samples=_with_zeros)
class prod:
    """Exact where there are zeros: the product of the other elements is not divided out."""

    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * runtime.product_of_others(a, axis)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        return np.sum(da * runtime.product_of_others(a, axis), axis=axis, keepdims=keepdims)


@linear(np.cumsum, method="cumsum", samples=_along_axis)
def cumsum(g, z, a, axis=None):
    if axis is None:
        return np.reshape(np.cumsum(g[::-1])[::-1], a.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


def _along_one_axis(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=4),), {}
    yield (rng.normal(size=(2, 3)),), {"axis": 1}
    yield (np.array([[2.0, 0.0], [0.0, 1.5], [3.0, 2.0]]),), {"axis": 0}


@linear(*since_numpy_2("cumulative_sum"), samples=_along_one_axis)
def cumulative_sum(g, z, a, axis=None):
    if axis is None:
        return np.cumsum(g[::-1])[::-1]
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


@general(*since_numpy_2("cumulative_prod"), samples=_along_one_axis)
class cumulative_prod:
    def vjp_a(g, z, a, axis=None):
        return runtime.cumprod_vjp(g, a, axis)

    def jvp_a(da, z, a, axis=None):
        return runtime.cumprod_jvp(da, a, axis)


@general(
    np.multiply.accumulate,
    samples=calls(call(drawn(4)), call(np.array([[2.0, 0.0], [3.0, 1.5]])), call(drawn(2, 3), 1)),
)
class multiply_accumulate:
    def vjp_a(g, z, a, axis=0):
        return runtime.cumprod_vjp(g, a, axis)

    def jvp_a(da, z, a, axis=0):
        return runtime.cumprod_jvp(da, a, axis)


@general(np.cumprod, method="cumprod", samples=_running_with_zeros)
class cumprod:
    def vjp_a(g, z, a, axis=None):
        return runtime.cumprod_vjp(g, a, axis)

    def jvp_a(da, z, a, axis=None):
        return runtime.cumprod_jvp(da, a, axis)


# Extrema and order statistics: ties share evenly


@general(np.max, np.amax, np.min, np.amin, np.nanmax, np.nanmin, method=("max", "min"), samples=samples_over_axes)
class extremum:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
            z = np.expand_dims(z, axis)
        hit = a == z
        return np.where(hit, g / np.sum(hit, axis=axis, keepdims=True, dtype=a.dtype), 0)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            z = np.expand_dims(z, axis)
        hit = a == z
        count = np.sum(hit, axis=axis, keepdims=keepdims, dtype=a.dtype)
        return np.sum(np.where(hit, da, 0), axis=axis, keepdims=keepdims) / count


@general(np.maximum.reduce, np.minimum.reduce, samples=_reduced)
class extremum_reduce:
    def vjp_a(g, z, a, axis=0, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
            z = np.expand_dims(z, axis)
        hit = a == z
        return np.where(hit, g / np.sum(hit, axis=axis, keepdims=True, dtype=a.dtype), 0)

    def jvp_a(da, z, a, axis=0, keepdims=False):
        if axis is not None and not keepdims:
            z = np.expand_dims(z, axis)
        hit = a == z
        count = np.sum(hit, axis=axis, keepdims=keepdims, dtype=a.dtype)
        return np.sum(np.where(hit, da, 0), axis=axis, keepdims=keepdims) / count


@general(
    np.maximum.accumulate,
    np.minimum.accumulate,
    samples=calls(call(drawn(6)), call(drawn(3, 2)), call(drawn(2, 4), 1), call(drawn(2, 4), axis=-1)),
)
class running_extremum:
    """Of equal elements the last one counts."""

    def vjp_a(g, z, a, axis=0):
        return runtime.untake_along_axis(g, a, runtime.last_hits(a == z, axis), axis)

    def jvp_a(da, z, a, axis=0):
        return np.take_along_axis(da, runtime.last_hits(a == z, axis), axis)


@general(np.ptp, samples=samples_over_axes)
class ptp:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * runtime.range_weights(a, axis)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        return np.sum(da * runtime.range_weights(a, axis), axis=axis, keepdims=keepdims)


@general(np.median, samples=samples_over_axes)
class median:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * runtime.median_weights(a, axis)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        return np.sum(da * runtime.median_weights(a, axis), axis=axis, keepdims=keepdims)


# Integrals


@general(np.trapezoid, samples=_curves)
class trapezoid:
    def vjp_y(g, z, y, x=None, dx=1.0, axis=-1):
        return np.expand_dims(g, axis) * runtime.trapezoid_weights(y, x, dx, axis)

    def jvp_y(dy, z, y, x=None, dx=1.0, axis=-1):
        return np.trapezoid(dy, x, dx=dx, axis=axis)

    def vjp_x(g, z, y, x=None, dx=1.0, axis=-1):
        return runtime.trapezoid_points(g, y, x, axis)

    def jvp_x(d_x, z, y, x=None, dx=1.0, axis=-1):
        return np.trapezoid(y, d_x, axis=axis)

    def vjp_dx(g, z, y, x=None, dx=1.0, axis=-1):
        if x is not None:
            return 0.0
        return np.sum(g * np.trapezoid(y, axis=axis))

    def jvp_dx(d_dx, z, y, x=None, dx=1.0, axis=-1):
        if x is not None:
            return np.zeros_like(z)
        return d_dx * np.trapezoid(y, axis=axis)


# Constants

constant(
    *(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.any, np.all, np.count_nonzero, np.argsort, np.searchsorted),
    methods=("argmax", "argmin", "any", "all", "argsort", "searchsorted"),
)
