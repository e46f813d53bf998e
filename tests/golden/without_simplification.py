import numpy as np


def without_simplification_grad(x):
    """Gradient of `without_simplification` with respect to `x`.

    From without_simplification.py:1, for x: float64[:].
    """
    # forward sweep
    product = 2 * x

    # reverse sweep
    # line 2: return np.sum(2 * x)
    product_bar = np.broadcast_to(1.0, product.shape)
    return product_bar * 2
