"""Which of NumPy's functions and methods give back what may share memory with an operand."""

from __future__ import annotations

from collections.abc import Iterable

VIEWS = frozenset(
    "reshape ravel transpose swapaxes moveaxis rollaxis squeeze expand_dims broadcast_to broadcast_arrays asarray "
    "asanyarray ascontiguousarray asfortranarray asmatrix require atleast_1d atleast_2d atleast_3d diagonal diag "
    "einsum real imag real_if_close nan_to_num flip fliplr flipud rot90 split array_split hsplit vsplit dsplit unstack "
    "permute_dims matrix_transpose trim_zeros sliding_window_view as_strided stop_gradient".split()
)
_COPY_ON_DEMAND = ("array", "astype")


def asks_for_no_copy(name: str, keywords: Iterable[tuple[str, object]]) -> bool:
    """Whether a call of a function or method may hand out its operand because of a keyword: `x.astype(t, copy=False)`.

    >>> asks_for_no_copy("astype", [("copy", False)]), asks_for_no_copy("astype", [("order", "C")])
    (True, False)
    """
    return name in _COPY_ON_DEMAND and any(key == "copy" for key, _ in keywords)
