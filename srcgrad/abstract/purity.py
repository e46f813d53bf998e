"""Which operations may be run on specimens: those that compute their result and do nothing else."""

from __future__ import annotations

import builtins
import math
import operator
from typing import Any

import numpy as np

from srcgrad.rules.rule import Key, registry

# Left out: what draws random numbers, reads or writes files, changes settings, or calls a function that it is given.
_NUMPY = """
    abs all allclose amax amin angle any append arange argmax argmin argpartition argsort argwhere around array
    array_equal array_split asarray ascontiguousarray asfortranarray atleast_1d atleast_2d atleast_3d average
    bartlett bincount blackman block broadcast_arrays broadcast_to choose clip column_stack compress concat
    concatenate convolve copy corrcoef correlate count_nonzero cov cross cumprod cumsum cumulative_prod
    cumulative_sum delete diag diag_indices diagflat diagonal diff digitize dot dsplit dstack ediff1d einsum empty
    empty_like expand_dims extract eye fix flatnonzero flip fliplr flipud full full_like geomspace gradient hamming
    hanning histogram hsplit hstack i0 identity imag indices inner insert interp iscomplex iscomplexobj isclose isin
    isneginf isposinf isreal isrealobj isscalar ix_ kaiser kron lexsort linspace logspace matrix_transpose max mean
    median meshgrid min moveaxis nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
    nanpercentile nanprod nanquantile nanstd nansum nanvar ndim nonzero ones ones_like outer pad partition
    percentile permute_dims poly polyval prod ptp quantile ravel real repeat reshape resize roll rollaxis roots
    rot90 round searchsorted select shape sinc size sort split squeeze stack std sum swapaxes take take_along_axis
    tensordot tile trace transpose trapezoid trapz tri tril tril_indices triu triu_indices unique unstack unwrap
    vander var vdot vsplit vstack where zeros zeros_like
"""
_LINALG = """
    cholesky cond det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power matrix_rank
    matrix_transpose multi_dot norm outer pinv qr slogdet solve svd svdvals tensordot tensorinv tensorsolve trace
    vecdot vector_norm
"""
_OPERATORS = """
    abs add and_ concat contains eq floordiv ge gt iadd iand ifloordiv imatmul imod imul invert ior ipow isub
    itruediv ixor le lshift lt matmul mod mul ne neg or_ pos pow rshift sub truediv xor
"""
_BUILTINS = "abs all any complex divmod max min pow range reversed round sorted sum tuple"
_METHODS = """
    all any argmax argmin argsort astype choose clip compress conj conjugate copy cumprod cumsum diagonal dot
    flatten item max mean min nonzero prod ravel repeat reshape round searchsorted squeeze std sum swapaxes take
    tolist trace transpose var
"""
ATTRIBUTES = frozenset({"T", "mT", "real", "imag", "shape", "size", "ndim", "itemsize", "nbytes"})
METHODS = frozenset(_METHODS.split())
_BY_VALUE = """
    argwhere bincount compress count_nonzero eig eigvals extract flatnonzero fractional_matrix_power lstsq logm
    matrix_rank nonzero poly real_if_close roots signm sqrtm unique
"""
VALUE_DEPENDENT = frozenset(_BY_VALUE.split())
"""The dtype of the result, or its form, depends on values that specimens may miss."""


def _members(module: Any, names: str) -> set[Any]:
    return {getattr(module, name) for name in names.split() if hasattr(module, name)}


_FUNCTIONS = frozenset(
    _members(np, _NUMPY)
    | _members(np.linalg, _LINALG)
    | _members(np.fft, " ".join(np.fft.__all__))
    | _members(operator, _OPERATORS)
    | _members(builtins, _BUILTINS)
    | _members(math, " ".join(name for name in dir(math) if not name.startswith("_")))
)


def hashable(target: Any) -> bool:
    """Whether a callable can be looked up in a table."""
    try:
        hash(target)
    except TypeError:
        return False
    return True


def may_run(target: Any) -> bool:
    """Whether a function is pure, so that running it on specimens has no effect."""
    if isinstance(target, np.ufunc) or not hashable(target):
        return isinstance(target, np.ufunc)
    if isinstance(getattr(target, "__self__", None), np.ufunc):
        return target.__name__ in ("reduce", "accumulate", "outer", "reduceat")
    rule = registry.get(target)
    return target in _FUNCTIONS or (rule is not None and rule.form != "constant")


def value_dependent(target: Any) -> bool:
    """Whether the shape or the dtype of the result depends on more than shapes and dtypes."""
    rule = registry.get(target)
    if rule is not None and rule.value_dependent_shape:
        return True
    name = target.name if isinstance(target, Key) else getattr(target, "__name__", "")
    return name in VALUE_DEPENDENT
