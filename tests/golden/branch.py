import math


def branch_grad(x, a):
    """Gradient of `branch` with respect to `x`, `a`.

    From branch.py:1, for x: float, a: float.
    """
    # forward sweep
    test = x > a
    if test:
        y = x * a
    else:
        y = math.exp(x)

    # reverse sweep
    # line 2: if x > a:
    if test:
        # line 3: y = x * a
        a_bar = x * x
        x_bar = y + y
    else:
        # line 5: y = math.exp(x)
        x_bar = y + x * y
        a_bar = 0.0
    return x_bar, a_bar
