import numpy as np


def rosenbrock_grad(x):
    """Gradient of `rosenbrock` with respect to `x`.

    From rosenbrock.py:1, for x: float64[:].
    """
    # forward sweep
    item = x[:-1]
    diff = x[1:] - item**2

    # reverse sweep
    # line 2: return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    x_bar = np.zeros_like(x)
    x_bar[:-1] -= 2 * (1 - item)
    x_bar[:-1] -= 400 * diff * item
    x_bar[1:] += 200 * diff
    return x_bar
