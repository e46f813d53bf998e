import numpy as np


def loss_value_and_grad(w, X, y):
    """Value of `loss` and its gradient with respect to `w`.

    From loss.py:1, for w: float64[:], X: float64[:, :], y: float64[:].
    """
    # forward sweep
    exp = np.exp(-(X @ w))
    p = 1 / (1 + exp)
    diff = 1 - y
    diff_2 = 1 - p
    value = -np.mean(y * np.log(p) + diff * np.log(diff_2))

    # reverse sweep
    # line 3: return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    ratio = -1 / y.size
    p_bar = ratio * y / p - ratio * diff / diff_2
    # line 2: p = 1 / (1 + np.exp(-(X @ w)))
    w_bar = X.T @ (p_bar * p * p * exp)
    return value, w_bar
