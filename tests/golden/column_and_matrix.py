import numpy as np


def column_and_matrix_vjp(m, c, *, seed):
    """Value of `column_and_matrix` and the product of `seed` with its Jacobian with respect to `m`,
    `c`.

    From column_and_matrix.py:1, for m: float64[:, :], c: float64[:, 1].
    """
    # forward sweep
    value = m / c

    # reverse sweep
    # line 2: return m / c
    c_bar = -np.sum(seed * value / c, axis=1, keepdims=True)
    return value, (seed / c, c_bar)
