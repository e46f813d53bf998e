import math


def second_derivative_grad_grad(x):
    """Gradient of `second_derivative_grad` with respect to `x`.

    From <srcgrad second_derivative_grad-28ccfa22d7e7>:4, for x: float.
    """
    # forward sweep
    cos = math.cos(x)
    sin = math.sin(x)
    power = x**2

    # reverse sweep
    # line 8: return x**3 * math.cos(x) + math.sin(x) * 3 * x**2
    return sin * 6 * x + power * 3 * cos - x**3 * sin + cos * 3 * power
