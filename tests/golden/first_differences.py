import numpy as np


def first_differences_vjp(x, *, seed):
    """Value of `first_differences` and the product of `seed` with its Jacobian with respect to `x`.

    From first_differences.py:1, for x: float64[:].
    """
    # forward sweep
    value = x[1:] - x[:-1]

    # reverse sweep
    # line 2: return x[1:] - x[:-1]
    x_bar = np.zeros_like(x)
    x_bar[:-1] -= seed
    x_bar[1:] += seed
    return value, x_bar
