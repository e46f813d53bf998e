import numpy as np


def loss_with_predictions_value_and_grad(x):
    """Value of `loss_with_predictions` and its gradient with respect to `x`.

    From loss_with_predictions.py:1, for x: float64[:].
    """
    # forward sweep
    predictions = np.exp(x)
    value = np.sum(predictions**2)

    # reverse sweep
    # line 2: predictions = np.exp(x)
    return (value, predictions), 2 * predictions * predictions
