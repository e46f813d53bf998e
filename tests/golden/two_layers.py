import numpy as np


def two_layers_value_and_grad(w1, b1, w2, b2, inputs, targets):
    """Value of `two_layers` and its gradient with respect to `w1`, `b1`, `w2`, `b2`.

    From two_layers.py:1, for w1: float64[:, :], b1: float64[:], w2: float64[:, :],
    b2: float64[:], inputs: float64[:, :], targets: float64[:, :].
    """
    # forward sweep
    hidden = np.tanh(inputs @ w1 + b1)
    outputs = hidden @ w2 + b2
    diff = outputs - targets
    value = np.mean(diff**2)

    # reverse sweep
    # line 4: return np.mean((outputs - targets) ** 2)
    diff_bar = 1 / targets.size * 2 * diff
    # line 3: outputs = hidden @ w2 + b2
    hidden_bar = diff_bar @ w2.T
    # line 2: hidden = np.tanh(inputs @ w1 + b1)
    total_bar = hidden_bar * (1 - hidden * hidden)
    return (
        value,
        (
            inputs.T @ total_bar,
            np.sum(total_bar, axis=0),
            hidden.T @ diff_bar,
            np.sum(diff_bar, axis=0),
        ),
    )
