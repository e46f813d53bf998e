import numpy as np


def diffuse_grad(u, dt, steps):
    """Gradient of `diffuse` with respect to `u`.

    From diffuse.py:1, for u: float64[:], dt: float, steps: int.
    """
    # forward sweep
    u = u.copy()
    item_tape = []
    for _ in range(steps):
        item_tape.append(u[2:].copy())
        u[1:-1] += dt * (u[2:] ** 2 - u[:-2])

    # reverse sweep
    # line 5: return np.sum(u)
    u_bar = np.ones_like(u)
    # line 3: for t in range(steps):
    for _ in reversed(range(steps)):
        item = item_tape.pop()
        # line 4: u[1:-1] = u[1:-1] + dt * (u[2:] ** 2 - u[:-2])
        diff_bar = u_bar[1:-1] * dt
        u_bar[:-2] -= diff_bar
        u_bar[2:] += diff_bar * 2 * item
    return u_bar
