import numpy as np


def loop_with_break_grad(x, bound):
    """Gradient of `loop_with_break` with respect to `x`.

    From loop_with_break.py:1, for x: float64[:], bound: float.
    """
    # forward sweep
    length = len(x)
    test_tape = []
    total = 0.0
    trips = 0
    for k in range(length):
        v = x[k]
        test = total > bound
        test_tape.append(test)
        trips += 1
        if test:
            break
        total += v * v

    # reverse sweep
    # line 3: for v in x:
    x_bar = np.zeros_like(x)
    for k in reversed(range(length)[:trips]):
        test = test_tape.pop()
        v = x[k]
        # line 4: if total > bound:
        if test:
            v_bar = 0.0
        else:
            # line 6: total = total + v * v
            v_bar = v * 2
        x_bar[k] += v_bar
    return x_bar
