import numpy as np


def of_the_closure_grad(x):
    """Gradient of `of_the_closure` with respect to `x`.

    From closure.py:7, for x: float64[:].
    """
    # forward sweep
    tanh = np.tanh(x)

    # reverse sweep
    # line 2: return np.sum(squashed(x) * SCALE)
    return SCALE * scale * (1 - tanh * tanh)
