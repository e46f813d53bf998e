import numpy as np


def a_name_is_rebound_grad(x):
    """Gradient of `a_name_is_rebound` with respect to `x`.

    From a_name_is_rebound.py:1, for x: float64[:].
    """
    # forward sweep
    x_2 = np.sin(x)

    # reverse sweep
    # line 2: x = np.sin(x)
    return x_2 * 2 * np.cos(x)
