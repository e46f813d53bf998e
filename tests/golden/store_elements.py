import numpy as np


def store_elements_vjp(x, *, seed):
    """Value of `store_elements` and the product of `seed` with its Jacobian with respect to `x`.

    From store_elements.py:1, for x: float64[:].
    """
    # forward sweep
    y = np.zeros_like(x)
    length = len(x)
    for i in range(length):
        y[i] = x[i] ** 2

    # reverse sweep
    # line 3: for i in range(len(x)):
    y_bar = np.copy(seed)
    x_bar = np.zeros_like(x)
    for i in reversed(range(length)):
        # line 4: y[i] = x[i] ** 2
        power_bar = y_bar[i]
        y_bar[i] = 0.0
        x_bar[i] += power_bar * 2 * x[i]
    return y, x_bar
