import numpy as np
from srcgrad.runtime import rebuilt, unbroadcast, zeros


def list_of_arrays_grad(parts):
    """Gradient of `list_of_arrays` with respect to `parts`.

    From list_of_arrays.py:1, for parts: list[float64[:]].
    """
    # forward sweep
    item = parts[0]
    item_2 = parts[1]

    # reverse sweep
    # line 2: return np.sum(parts[0] * parts[1])
    product_bar = np.broadcast_to(1.0, (item * item_2).shape)
    parts_bar = zeros(parts)
    parts_bar[1] += unbroadcast(product_bar * item, item_2)
    parts_bar[0] += unbroadcast(product_bar * item_2, item)
    return rebuilt(parts, parts_bar)
