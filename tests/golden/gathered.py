import numpy as np


def gathered_grad(x, index):
    """Gradient of `gathered` with respect to `x`.

    From gathered.py:1, for x: float64[:], index: int64[:].
    """
    # reverse sweep
    # line 2: return np.sum(x[index] ** 2)
    x_bar = np.zeros_like(x)
    np.add.at(x_bar, index, 2 * x[index])
    return x_bar
