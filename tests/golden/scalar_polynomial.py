def scalar_polynomial_grad(x):
    """Gradient of `scalar_polynomial` with respect to `x`.

    From scalar_polynomial.py:1, for x: float.
    """
    # reverse sweep
    # line 2: return 3 * x**2 + 2 * x + 1
    return 2 + 6 * x
