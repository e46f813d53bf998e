import math


def loop_that_records_grad(x, n):
    """Gradient of `loop_that_records` with respect to `x`.

    From loop_that_records.py:1, for x: float, n: int.
    """
    # forward sweep
    y_tape = []
    sin_tape = []
    y = x
    for _ in range(n):
        y_tape.append(y)
        sin = math.sin(y)
        sin_tape.append(sin)
        y = sin * x

    # reverse sweep
    y_bar = 1.0
    x_bar = 0.0
    # line 3: for i in range(n):
    for _ in reversed(range(n)):
        y = y_tape.pop()
        # line 4: y = math.sin(y) * x
        x_bar += y_bar * sin_tape.pop()
        y_bar = y_bar * x * math.cos(y)
    return float(x_bar + y_bar)
