import math


def early_return_grad(x):
    """Gradient of `early_return` with respect to `x`.

    From early_return.py:1, for x: float.
    """
    # forward sweep
    test = x < 0
    if not test:
        y = x * x
        test_2 = y > 10
        if not test_2:
            log = math.log(x)

    # reverse sweep
    # line 2: if x < 0:
    if test:
        x_bar = -1.0
    else:
        # line 5: if y > 10:
        if test_2:
            y_bar = 1.0
            x_bar = 0.0
        else:
            # line 7: return y * math.log(x)
            x_bar = y / x
            y_bar = log
        # line 4: y = x * x
        product = y_bar * x
        x_bar = x_bar + product + product
    return x_bar
