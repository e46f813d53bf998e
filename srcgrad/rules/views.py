"""Names of NumPy's functions and methods whose result may share memory with an operand."""

from __future__ import annotations

VIEWS = frozenset(
    "reshape ravel transpose swapaxes moveaxis rollaxis squeeze expand_dims broadcast_to broadcast_arrays asarray "
    "asanyarray ascontiguousarray asfortranarray asmatrix require atleast_1d atleast_2d atleast_3d diagonal diag "
    "einsum real imag real_if_close nan_to_num flip fliplr flipud rot90 split array_split hsplit vsplit dsplit unstack "
    "permute_dims matrix_transpose trim_zeros sliding_window_view as_strided stop_gradient".split()
)
