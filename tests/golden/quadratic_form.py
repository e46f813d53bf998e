import numpy as np


def quadratic_form_value_and_grad(a, x):
    """Value of `quadratic_form` and its gradient with respect to `a`, `x`.

    From quadratic_form.py:1, for a: float64[:, :], x: float64[:].
    """
    # forward sweep
    product = x @ a
    value = product @ x

    # reverse sweep
    # line 2: return x @ a @ x
    return value, (np.outer(x, x), product + a @ x)
