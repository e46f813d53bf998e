"""Operations through which no derivative flows, though an argument may be active: sizes, positions, tests, new arrays.

Those that have a rule of their own elsewhere are skipped, so this file is read last.
"""

import numpy as np

from srcgrad.rules.rule import constant
from srcgrad.runtime import furthest, inserted_at, keys_of, order, position_of, stop_gradient, taken_from

constant(stop_gradient, furthest, inserted_at, keys_of, order, position_of, taken_from)

# Sizes and types
constant(
    len,
    isinstance,
    type,
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.can_cast,
    np.promote_types,
    np.min_scalar_type,
    np.broadcast_shapes,
    np.isscalar,
    np.iterable,
    np.iscomplexobj,
    np.isrealobj,
    np.finfo,
    np.iinfo,
    np.dtype,
    np.shares_memory,
    np.may_share_memory,
    attributes=("shape", "ndim", "size", "dtype", "itemsize", "nbytes", "strides", "flags"),
)

# New arrays, whose elements no argument decides
constant(
    np.zeros,
    np.ones,
    np.empty,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.eye,
    np.identity,
    np.tri,
    np.indices,
)

# Positions
constant(
    np.argsort,
    np.argmax,
    np.argmin,
    np.nanargmax,
    np.nanargmin,
    np.argpartition,
    np.lexsort,
    np.searchsorted,
    np.digitize,
    np.tril_indices,
    np.triu_indices,
    np.tril_indices_from,
    np.triu_indices_from,
    np.diag_indices,
    np.diag_indices_from,
    np.unravel_index,
    np.ravel_multi_index,
    np.ix_,
    methods=("argsort", "argmax", "argmin", "argpartition", "searchsorted"),
)
constant(np.nonzero, np.flatnonzero, np.argwhere, methods=("nonzero",), value_dependent_shape=True)

# Tests
constant(
    np.array_equal,
    np.array_equiv,
    np.allclose,
    np.isclose,
    np.all,
    np.any,
    np.isin,
    np.count_nonzero,
    methods=("all", "any"),
)

# Conversions to types without derivative
constant(bool, int, str, np.bool_, np.int8, np.int16, np.int32, np.int64, np.intp, np.uint8, np.uint32, np.uint64)
