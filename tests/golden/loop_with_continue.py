import math
import numpy as np


def loop_with_continue_grad(x):
    """Gradient of `loop_with_continue` with respect to `x`.

    From loop_with_continue.py:1, for x: float64[:].
    """
    # forward sweep
    length = len(x)
    sqrt_tape = []
    for k in range(length):
        v = x[k]
        if not v < 0:
            sqrt_tape.append(math.sqrt(v))

    # reverse sweep
    # line 3: for v in x:
    x_bar = np.zeros_like(x)
    for k in reversed(range(length)):
        v = x[k]
        # line 4: if v < 0:
        if v < 0:
            v_bar = 0.0
        else:
            # line 6: total += math.sqrt(v)
            v_bar = float(np.divide(0.5, sqrt_tape.pop()))
        x_bar[k] += v_bar
    return x_bar
