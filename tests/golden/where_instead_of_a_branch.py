import numpy as np


def where_instead_of_a_branch_vjp(x, *, seed):
    """Value of `where_instead_of_a_branch` and the product of `seed` with its Jacobian with respect
    to `x`.

    From where_instead_of_a_branch.py:1, for x: float64[:].
    """
    # forward sweep
    test = x > 0
    expm1 = np.expm1(x)
    value = np.where(test, x, 0.1 * expm1)

    # reverse sweep
    # line 2: return np.where(x > 0, x, 0.1 * np.expm1(x))
    x_bar = np.where(test, seed, 0) + np.where(test, 0, seed) * 0.1 * (expm1 + 1)
    return value, x_bar
