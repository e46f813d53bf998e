import numpy as np


def conditional_expression_grad(x):
    """Gradient of `conditional_expression` with respect to `x`.

    From conditional_expression.py:1, for x: float64[:].
    """
    # forward sweep
    s = np.sum(x)

    # reverse sweep
    # line 3: return s * s if s > 0 else np.sum(np.abs(x))
    if s > 0:
        s_bar = s * 2
        x_bar = np.zeros_like(x)
    else:
        s_bar = 0.0
        x_bar = np.sign(x)
    # line 2: s = np.sum(x)
    return x_bar + s_bar
