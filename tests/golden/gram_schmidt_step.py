import numpy as np


def gram_schmidt_step_grad(a):
    """Gradient of `gram_schmidt_step` with respect to `a`.

    From gram_schmidt_step.py:1, for a: float64[:, :].
    """
    # forward sweep
    a = a.copy()
    item_tape = []
    item_tape_2 = []
    product_tape = []
    item_tape_3 = []
    for j in range(1, 3):
        item_tape.append(a[:, 0].copy())
        item_tape_2.append(a[:, j].copy())
        product = np.dot(a[:, 0], a[:, j])
        product_tape.append(product)
        item_tape_3.append(a[:, 0].copy())
        a[:, j] -= product * a[:, 0]

    # reverse sweep
    # line 5: return np.sum(a**3)
    a_bar = 3 * a**2
    # line 3: for j in range(1, 3):
    for j in reversed(range(1, 3)):
        item = item_tape.pop()
        item_2 = item_tape_2.pop()
        product = product_tape.pop()
        item_3 = item_tape_3.pop()
        # line 4: a[:, j] -= np.dot(a[:, 0], a[:, j]) * a[:, 0]
        product_bar = -a_bar[:, j]
        product_bar_2 = np.sum(product_bar * item_3)
        a_bar[:, 0] += product_bar * product
        a_bar[:, j] += product_bar_2 * item
        a_bar[:, 0] += product_bar_2 * item_2
    return a_bar
