import numpy as np


def store_columns_vjp(a, *, seed):
    """Value of `store_columns` and the product of `seed` with its Jacobian with respect to `a`.

    From store_columns.py:1, for a: float64[:, :].
    """
    # forward sweep
    b = np.ones_like(a)
    b[:, 0] = a[1]
    item = a[:, 0]
    b[:, 2] = np.sin(item)
    value = b * a

    # reverse sweep
    # line 5: return b * a
    b_bar = seed * a
    a_bar = seed * b
    # line 4: b[:, 2] = np.sin(a[:, 0])
    sin_bar = b_bar[:, 2].copy()
    b_bar[:, 2] = 0.0
    a_bar[:, 0] += sin_bar * np.cos(item)
    # line 3: b[:, 0] = a[1]
    a_bar[1] += b_bar[:, 0]
    return value, a_bar
