import numpy as np


def pairwise_distances_grad(a, b):
    """Gradient of `pairwise_distances` with respect to `a`, `b`.

    From pairwise_distances.py:1, for a: float64[:, :], b: float64[:, :].
    """
    # forward sweep
    diff = a[:, None, :] - b[None, :, :]

    # reverse sweep
    # line 3: return np.sum(np.sqrt(np.sum(diff**2, axis=2)))
    g = np.expand_dims(1 / (2 * np.sqrt(np.sum(diff**2, axis=2))), 2)
    diff_bar = g * 2 * diff
    # line 2: diff = a[:, None, :] - b[None, :, :]
    b_bar = np.zeros_like(b)
    b_bar[None, :, :] -= np.sum(diff_bar, axis=0, keepdims=True)
    a_bar = np.zeros_like(a)
    a_bar[:, None, :] += np.sum(diff_bar, axis=1, keepdims=True)
    return a_bar, b_bar
