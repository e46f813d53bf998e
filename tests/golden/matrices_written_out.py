import numpy as np


def matrices_written_out_grad(state, dt, seen):
    """Gradient of `matrices_written_out` with respect to `state`, `dt`.

    From matrices_written_out.py:1, for state: float64[:], dt: float, seen: float64[:].
    """
    # forward sweep
    F = np.array([[1, dt], [0, 1.0]])
    P = np.array([[2, 0], [0, 1]])
    error = seen - F @ state

    # reverse sweep
    # line 5: return error @ P @ error
    error_bar = error @ P + P @ error
    # line 4: error = seen - F @ state
    product_bar = -error_bar
    # line 2: F = np.array([[1, dt], [0, 1.0]])
    return F.T @ product_bar, float(np.outer(product_bar, state)[0][1])
