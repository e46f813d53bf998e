import numpy as np


def several_results_vjp(x, a, *, seed):
    """Value of `several_results` and the product of `seed` with its Jacobian with respect to `x`,
    `a`.

    From several_results.py:1, for x: float64[:], a: float.
    """
    # forward sweep
    y = a * x
    value = np.sum(y**2)

    # reverse sweep
    # line 3: return y, np.sum(y**2)
    y_bar = seed[0] + seed[1] * 2 * y
    # line 2: y = a * x
    return (y, value), (y_bar * a, float(np.sum(y_bar * x)))
