def masked_assignment_grad(x):
    """Gradient of `masked_assignment` with respect to `x`.

    From masked_assignment.py:1, for x: float64[:].
    """
    # forward sweep
    y = x * 2
    test = x > 0
    y[test] = 0.0

    # reverse sweep
    # line 4: return np.sum(y**2)
    y_bar = 2 * y
    # line 3: y[x > 0] = 0.0
    y_bar[test] = 0.0
    # line 2: y = x * 2
    return y_bar * 2
