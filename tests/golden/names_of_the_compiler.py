import numpy as np


def names_of_the_compiler_grad(x, x_bar, seed):
    """Gradient of `names_of_the_compiler` with respect to `x`, `x_bar`.

    From names_of_the_compiler.py:1, for x: float64[:], x_bar: float, seed: float.
    """
    # reverse sweep
    # line 3: return np.sum(y_bar * y_bar) * seed
    y_bar_bar = seed * (x * x_bar) * 2
    # line 2: y_bar = x * x_bar
    return y_bar_bar * x_bar, float(np.sum(y_bar_bar * x))
