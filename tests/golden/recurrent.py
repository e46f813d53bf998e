import numpy as np


def recurrent_grad(w, u, xs):
    """Gradient of `recurrent` with respect to `w`, `u`.

    From recurrent.py:1, for w: float64[:, :], u: float64[:, :], xs: float64[:, :].
    """
    # forward sweep
    h = np.zeros(3)
    length = len(xs)
    h_tape = []
    h_tape_2 = []
    for k in range(length):
        h_tape.append(h)
        x = xs[k]
        h = np.tanh(h @ w + x @ u)
        h_tape_2.append(h)

    # reverse sweep
    # line 5: return np.sum(h**2)
    h_bar = 2 * h
    # line 3: for x in xs:
    w_bar = np.zeros_like(w)
    u_bar = np.zeros_like(u)
    for k in reversed(range(length)):
        h = h_tape.pop()
        h_2 = h_tape_2.pop()
        x = xs[k]
        # line 4: h = np.tanh(h @ w + x @ u)
        total_bar = h_bar * (1 - h_2 * h_2)
        u_bar += np.outer(x, total_bar)
        h_bar = w @ total_bar
        w_bar += np.outer(h, total_bar)
    return w_bar, u_bar
