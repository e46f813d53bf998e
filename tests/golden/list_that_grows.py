import numpy as np
from srcgrad.runtime import add_to_list, unbroadcast, zeros


def list_that_grows_grad(x):
    """Gradient of `list_that_grows` with respect to `x`.

    From list_that_grows.py:1, for x: float64[:].
    """
    # forward sweep
    parts = []
    length = len(x)
    for k in range(length):
        v = x[k]
        parts.append(v * v)
    array = np.array(parts)

    # reverse sweep
    # line 5: return np.sum(np.array(parts) * x)
    x_bar = np.broadcast_to(1.0, x.shape) * array
    parts_bar = zeros(parts)
    add_to_list(parts_bar, unbroadcast(x, array))
    # line 3: for v in x:
    for k in reversed(range(length)):
        v = x[k]
        # line 4: parts.append(v * v)
        product_bar = parts_bar.pop()
        x_bar[k] += product_bar * v * 2
    return x_bar
