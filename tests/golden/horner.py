import numpy as np


def horner_grad(coefficients, x):
    """Gradient of `horner` with respect to `coefficients`.

    From horner.py:1, for coefficients: float64[:], x: float.
    """
    # reverse sweep
    # line 3: for c in coefficients:
    coefficients_bar = np.zeros_like(coefficients)
    value_bar = 1.0
    for k in reversed(range(len(coefficients))):
        coefficients_bar[k] += value_bar
        # line 4: value = value * x + c
        value_bar = value_bar * x
    return coefficients_bar
