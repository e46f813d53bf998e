import math
import numpy as np


def surface_value_and_grad(x, y):
    """Value of `surface` and its gradient with respect to `x`, `y`.

    From surface.py:1, for x: float, y: float.
    """
    # forward sweep
    r = math.sqrt(x * x + y * y)
    value = math.sin(r) / r

    # reverse sweep
    # line 3: return math.sin(r) / r
    r_bar = 1 / r * math.cos(r) - value / r
    # line 2: r = math.sqrt(x * x + y * y)
    total_bar = float(np.divide(0.5 * r_bar, r))
    return value, (total_bar * x * 2, total_bar * y * 2)
