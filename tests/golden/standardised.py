import numpy as np


def standardised_grad(x):
    """Gradient of `standardised` with respect to `x`.

    From standardised.py:1, for x: float64[:, :].
    """
    # forward sweep
    centred = x - np.mean(x, axis=0)
    mean = np.mean(centred**2, axis=0)
    sqrt = np.sqrt(mean)
    ratio = centred / sqrt

    # reverse sweep
    # line 3: return np.sum((centred / np.sqrt(np.mean(centred**2, axis=0))) ** 3)
    ratio_bar = 3 * ratio**2
    g = -(np.sum(ratio_bar * ratio / sqrt, axis=0) / (2 * sqrt)) / (x.size // mean.size)
    g_2 = np.expand_dims(g, 0)
    centred_bar = ratio_bar / sqrt + g_2 * 2 * centred
    # line 2: centred = x - np.mean(x, axis=0)
    g = -np.sum(centred_bar, axis=0) / (x.size // g.size)
    g = np.expand_dims(g, 0)
    return centred_bar + g
