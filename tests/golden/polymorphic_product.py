import numpy as np
from srcgrad.runtime import rebuilt, scalar_seed, unbroadcast


def polymorphic_product_grad(x, a):
    """Gradient of `polymorphic_product` with respect to `x`, `a`.

    From polymorphic_product.py:1, for arguments of any type.
    """
    # forward sweep
    sin = np.sin(x)
    product = sin * a

    # reverse sweep
    # line 2: return np.sum(np.sin(x) * a)
    product_bar = np.broadcast_to(scalar_seed(np.sum(product)), np.shape(product))
    gradient = rebuilt(x, unbroadcast(product_bar * a, sin) * np.cos(x))
    return gradient, rebuilt(a, unbroadcast(product_bar * sin, a))
