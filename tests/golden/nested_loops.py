import numpy as np


def nested_loops_grad(a):
    """Gradient of `nested_loops` with respect to `a`.

    From nested_loops.py:1, for a: float64[:, :].
    """
    # forward sweep
    row_tape = []
    for i in range(3):
        row = 1.0
        for j in range(4):
            row_tape.append(row)
            row = row * a[i, j]

    # reverse sweep
    # line 3: for i in range(3):
    a_bar = np.zeros_like(a)
    for i in reversed(range(3)):
        row_bar = 1.0
        # line 5: for j in range(4):
        for j in reversed(range(4)):
            row = row_tape.pop()
            # line 6: row = row * a[i, j]
            a_bar[i, j] += row_bar * row
            row_bar = row_bar * a[i, j]
    return a_bar
