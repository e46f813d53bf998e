import numpy as np


def solve_or_descend_grad(matrix, b):
    """Gradient of `solve_or_descend` with respect to `matrix`, `b`.

    From solve_or_descend.py:1, for matrix: float64[:, :], b: float64[:].
    """
    # forward sweep
    raised = False
    try:
        step = np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        raised = True
        step = 0.1 * (matrix.T @ b)

    # reverse sweep
    # line 6: return np.sum(step * step)
    step_bar = step * 2
    # line 2: try:
    if raised:
        # line 5: step = 0.1 * (matrix.T @ b)
        product_bar = step * 0.2
        b_bar = matrix @ product_bar
        matrix_bar = np.outer(product_bar, b).T
    else:
        # line 3: step = np.linalg.solve(matrix, b)
        b_bar = np.linalg.solve(matrix.T, step_bar)
        matrix_bar = -np.outer(b_bar, step)
    return matrix_bar, b_bar
