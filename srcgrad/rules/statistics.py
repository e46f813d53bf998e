"""Rules of quantiles, and of reductions that leave out what is not a number.

y = np.nanvar(x)    ->    x_bar = np.where(np.isnan(x), 0, y_bar * 2 / count * (x - mean))
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from srcgrad import runtime
from srcgrad.rules.reductions import samples_over_axes, samples_with_nan
from srcgrad.rules.rule import Sample, Sampler, general, linear
from srcgrad.rules.sampling import call, calls, drawn


def _with_nan_and_ddof(rng: np.random.Generator) -> Iterable[Sample]:
    for args, kwargs in samples_with_nan(rng):
        if args[0].ndim and args[0].shape != (2, 3, 2):
            yield args, kwargs
            yield args, {**kwargs, "ddof": 0.5}


@general(np.nanprod, samples=samples_with_nan)
class nanprod:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.where(np.isnan(a), 0, g * runtime.product_of_others(np.where(np.isnan(a), 1, a), axis))

    def jvp_a(da, z, a, axis=None, keepdims=False):
        others = np.where(np.isnan(a), 0, runtime.product_of_others(np.where(np.isnan(a), 1, a), axis))
        return np.sum(da * others, axis=axis, keepdims=keepdims)


@general(np.nanvar, samples=_with_nan_and_ddof)
class nanvar:
    def vjp_a(g, z, a, axis=None, ddof=0, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        count = np.sum(~np.isnan(a), axis=axis, keepdims=True, dtype=a.dtype)
        return g * 2 / (count - ddof) * np.where(np.isnan(a), 0, a - np.nanmean(a, axis=axis, keepdims=True))

    def jvp_a(da, z, a, axis=None, ddof=0, keepdims=False):
        count = np.sum(~np.isnan(a), axis=axis, keepdims=True, dtype=a.dtype)
        slope = 2 / (count - ddof) * (a - np.nanmean(a, axis=axis, keepdims=True))
        return np.sum(np.where(np.isnan(a), 0, slope * da), axis=axis, keepdims=keepdims)


@general(np.nanstd, samples=_with_nan_and_ddof)
class nanstd:
    """Zero for a constant."""

    def vjp_a(g, z, a, axis=None, ddof=0, keepdims=False):
        g = g / np.where(z == 0, 1, z)
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        count = np.sum(~np.isnan(a), axis=axis, keepdims=True, dtype=a.dtype)
        return g / (count - ddof) * np.where(np.isnan(a), 0, a - np.nanmean(a, axis=axis, keepdims=True))

    def jvp_a(da, z, a, axis=None, ddof=0, keepdims=False):
        count = np.sum(~np.isnan(a), axis=axis, keepdims=True, dtype=a.dtype)
        slope = (a - np.nanmean(a, axis=axis, keepdims=True)) / (count - ddof)
        total = np.sum(np.where(np.isnan(a), 0, slope * da), axis=axis, keepdims=keepdims)
        return total / np.where(z == 0, 1, z)


@general(np.nanmedian, samples=samples_with_nan)
class nanmedian:
    def vjp_a(g, z, a, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return g * runtime.nanmedian_weights(a, axis)

    def jvp_a(da, z, a, axis=None, keepdims=False):
        weights = runtime.nanmedian_weights(a, axis)
        return np.sum(np.where(weights == 0, 0, da * weights), axis=axis, keepdims=keepdims)


def _along_axis_with_nan(rng: np.random.Generator) -> Iterable[Sample]:
    yield (np.array([1.5, np.nan, 2.5, 0.5]),), {}
    yield (np.array([[1.5, np.nan], [2.5, 0.5]]),), {}
    yield (np.array([[1.5, np.nan], [2.5, 0.5]]),), {"axis": 1}
    yield (np.array([[1.5, np.nan], [2.5, 0.5]]), 0), {}


@general(np.nancumsum, samples=_along_axis_with_nan)
class nancumsum:
    def vjp_a(g, z, a, axis=None):
        if axis is None:
            return np.where(np.isnan(a), 0, np.reshape(np.cumsum(g[::-1])[::-1], a.shape))
        return np.where(np.isnan(a), 0, np.flip(np.cumsum(np.flip(g, axis), axis), axis))

    def jvp_a(da, z, a, axis=None):
        return np.cumsum(np.where(np.isnan(a), 0, da), axis)


@general(np.nancumprod, samples=_along_axis_with_nan)
class nancumprod:
    def vjp_a(g, z, a, axis=None):
        return np.where(np.isnan(a), 0, runtime.cumprod_vjp(g, np.where(np.isnan(a), 1, a), axis))

    def jvp_a(da, z, a, axis=None):
        return runtime.cumprod_jvp(np.where(np.isnan(a), 0, da), np.where(np.isnan(a), 1, a), axis)


# Quantiles

_A = np.arange(4.0)
_ROWS = np.array([[1.0, 3, 2], [5, 4, 6]])


def _quantiles(scale: float) -> Sampler:
    def sample(rng: np.random.Generator) -> Iterable[Sample]:
        for args, kwargs in samples_over_axes(rng):
            if args[0].ndim and len(args) == 1:
                yield (args[0], 0.3 * scale), kwargs
        yield (rng.normal(size=5), np.array([0.3, 0.85]) * scale), {}
        yield (rng.normal(size=(2, 4)), np.array([0.3, 0.85]) * scale), {"axis": 1}
        yield (rng.normal(size=(2, 4)), np.array([[0.3], [0.85]]) * scale, 0), {"keepdims": True}

    return sample


@general(np.quantile, samples=_quantiles(1))
class quantile:
    """Between two elements, a mixture of them; elements that are equal share."""

    def vjp_a(g, z, a, q, axis=None, keepdims=False):
        return runtime.unquantile(g, a, q, axis, keepdims)

    def jvp_a(g, z, a, q, axis=None, keepdims=False):
        return runtime.quantile_tangent(g, a, q, axis, keepdims)


@general(np.percentile, samples=_quantiles(100))
class percentile:
    def vjp_a(g, z, a, q, axis=None, keepdims=False):
        return runtime.unquantile(g, a, q / 100, axis, keepdims)

    def jvp_a(g, z, a, q, axis=None, keepdims=False):
        return runtime.quantile_tangent(g, a, q / 100, axis, keepdims)


@linear(
    runtime.unquantile,
    shape_only="a",
    samples=calls(call(drawn(2), _ROWS, 0.3, 1, False), call(drawn(), _A, 0.6, None, False)),
)
def unquantile(g, z, h, a, q, axis, keepdims):
    return runtime.quantile_tangent(g, a, q, axis, keepdims)


@linear(
    runtime.quantile_tangent,
    shape_only="a",
    samples=calls(call(drawn(2, 3), _ROWS, 0.3, 1, False), call(drawn(4), _A, 0.6, None, False)),
)
def quantile_tangent(g, z, da, a, q, axis, keepdims):
    return runtime.unquantile(g, a, q, axis, keepdims)


# Covariances

_SERIES = calls(
    call(drawn(5)),
    call(drawn(2, 5)),
    call(drawn(5), drawn(5)),
    call(drawn(2, 5), drawn(5)),
    call(drawn(5, 2), rowvar=False),
)


def _covariances(rng: np.random.Generator) -> Iterable[Sample]:
    yield from _SERIES(rng)
    yield (rng.normal(size=(2, 5)),), {"bias": True}
    yield (rng.normal(size=5), rng.normal(size=5)), {"ddof": 0}


@general(np.cov, samples=_covariances)
class cov:
    def vjp_m(g, z, m, y=None, rowvar=True, bias=False, ddof=None):
        return from_rows(covariance_bar(g, centred(m, y, rowvar), bias, ddof), m, rowvar)

    def vjp_y(g, z, m, y=None, rowvar=True, bias=False, ddof=None):
        return from_last_rows(covariance_bar(g, centred(m, y, rowvar), bias, ddof), y)

    def jvp_m(dm, z, m, y=None, rowvar=True, bias=False, ddof=None):
        rows = centred(m, y, rowvar)
        if y is None:
            return covariance_tangent(centred(dm, None, rowvar), rows, bias, ddof)
        return covariance_tangent(centred(dm, np.zeros_like(y), rowvar), rows, bias, ddof)

    def jvp_y(dy, z, m, y=None, rowvar=True, bias=False, ddof=None):
        return covariance_tangent(centred(np.zeros_like(m), dy, rowvar), centred(m, y, rowvar), bias, ddof)


@general(np.corrcoef, samples=_SERIES)
class corrcoef:
    def vjp_x(g, z, x, y=None, rowvar=True):
        return from_rows(correlation_bar(g, centred(x, y, rowvar)), x, rowvar)

    def vjp_y(g, z, x, y=None, rowvar=True):
        return from_last_rows(correlation_bar(g, centred(x, y, rowvar)), y)

    def jvp_x(dx, z, x, y=None, rowvar=True):
        rows = centred(x, y, rowvar)
        if y is None:
            return correlation_tangent(centred(dx, None, rowvar), rows)
        return correlation_tangent(centred(dx, np.zeros_like(y), rowvar), rows)

    def jvp_y(dy, z, x, y=None, rowvar=True):
        return correlation_tangent(centred(np.zeros_like(x), dy, rowvar), centred(x, y, rowvar))


def centred(x, y, rowvar):
    """The variables of `np.cov` in rows, their means subtracted."""
    rows = np.atleast_2d(x)
    if not rowvar:
        if y is not None:
            raise ValueError("variables in columns have no derivative here beside others: stack them in rows")
        if x.ndim > 1:
            rows = rows.T
    if y is not None:
        rows = np.concatenate((rows, np.atleast_2d(y)))
    return rows - np.mean(rows, axis=1, keepdims=True)


def from_rows(rows, x, rowvar):
    """The cotangent of the first variables, in the shape of `x`."""
    if x.ndim == 1:
        return runtime.cast(rows[0], x)
    if not rowvar:
        return runtime.cast(rows.T, x)
    return runtime.cast(rows[: x.shape[0]], x)


def from_last_rows(rows, y):
    """The cotangent of the other variables, in the shape of `y`."""
    return runtime.cast(np.reshape(rows[-np.atleast_2d(y).shape[0] :], y.shape), y)


def degrees_of_freedom(rows, bias, ddof):
    if ddof is not None:
        return rows.shape[1] - ddof
    if bias:
        return rows.shape[1]
    return rows.shape[1] - 1


def covariance_bar(g, rows, bias, ddof):
    g = np.atleast_2d(g)
    return (g + g.T) @ rows / degrees_of_freedom(rows, bias, ddof)


def covariance_tangent(d_rows, rows, bias, ddof):
    product = d_rows @ rows.T
    return np.squeeze((product + product.T) / degrees_of_freedom(rows, bias, ddof))


def correlation_bar(g, rows):
    g = np.atleast_2d(g)
    lengths = np.sqrt(np.sum(rows * rows, axis=1, keepdims=True))
    units = rows / lengths
    slopes = (g + g.T) @ units
    return (slopes - units * np.sum(units * slopes, axis=1, keepdims=True)) / lengths


def correlation_tangent(d_rows, rows):
    lengths = np.sqrt(np.sum(rows * rows, axis=1, keepdims=True))
    units = rows / lengths
    d_units = (d_rows - units * np.sum(units * d_rows, axis=1, keepdims=True)) / lengths
    product = d_units @ units.T
    return np.squeeze(product + product.T)
