import numpy as np


def double_until_vjp(x, *, seed):
    """Value of `double_until` and the product of `seed` with its Jacobian with respect to `x`.

    From double_until.py:1, for x: float64[:].
    """
    # forward sweep
    y = x * 2
    trips = 0
    while np.linalg.norm(y) < 1000:
        y = y * 2
        trips += 1

    # reverse sweep
    y_bar = seed
    # line 3: while np.linalg.norm(y) < 1000:
    for _ in range(trips):
        # line 4: y = y * 2
        y_bar = y_bar * 2
    # line 2: y = x * 2
    return y, y_bar * 2
