import numpy as np


def stable_log_sum_exp_grad(x):
    """Gradient of `stable_log_sum_exp` with respect to `x`.

    From stable_log_sum_exp.py:1, for x: float64[:, :].
    """
    # forward sweep
    largest = np.max(x, axis=1, keepdims=True)
    exp = np.exp(x - largest)

    # reverse sweep
    # line 3: return np.sum(np.log(np.sum(np.exp(x - largest), axis=1)))
    g = np.expand_dims(1 / np.sum(exp, axis=1), 1)
    diff_bar = g * exp
    # line 2: largest = np.max(x, axis=1, keepdims=True)
    hit = x == largest
    total = np.sum(hit, axis=1, keepdims=True, dtype=np.dtype("float64"))
    x_bar = diff_bar + np.where(hit, -np.sum(diff_bar, axis=1, keepdims=True) / total, 0)
    return x_bar
