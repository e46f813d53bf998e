import numpy as np
from srcgrad.rules import products
from srcgrad.runtime import rebuilt, scalar_seed, unbroadcast


def polymorphic_loss_value_and_grad(w, X, y):
    """Value of `polymorphic_loss` and its gradient with respect to `w`.

    From polymorphic_loss.py:1, for arguments of any type.
    """
    # forward sweep
    product = X @ w
    exp = np.exp(-product)
    total = 1 + exp
    p = 1 / total
    log = np.log(p)
    product_2 = y * log
    diff = 1 - y
    diff_2 = 1 - p
    log_2 = np.log(diff_2)
    product_3 = diff * log_2
    total_2 = product_2 + product_3
    value = -np.mean(total_2)

    # reverse sweep
    # line 3: return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    total_bar = np.broadcast_to(-scalar_seed(value) / np.size(total_2), np.shape(total_2))
    product_bar = unbroadcast(total_bar, product_2)
    product_bar_2 = unbroadcast(total_bar, product_3)
    p_bar = (
        unbroadcast(product_bar * y, log) / p - unbroadcast(product_bar_2 * diff, log_2) / diff_2
    )
    # line 2: p = 1 / (1 + np.exp(-(X @ w)))
    gradient = rebuilt(w, products.matmul.vjp_y(p_bar * p / total * exp, product, X, w))
    return value, gradient
