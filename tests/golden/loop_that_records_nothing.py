import numpy as np


def loop_that_records_nothing_vjp(x, decay, n, *, seed):
    """Value of `loop_that_records_nothing` and the product of `seed` with its Jacobian with respect
    to `x`.

    From loop_that_records_nothing.py:1, for x: float64[:], decay: float, n: int.
    """
    # forward sweep
    y = x
    for _ in range(n):
        y = decay * y - y / 3

    # reverse sweep
    y_bar = seed
    # line 3: for i in range(n):
    for _ in reversed(range(n)):
        # line 4: y = decay * y - y / 3
        y_bar = y_bar * decay - y_bar / 3
    return y, np.copy(y_bar)
