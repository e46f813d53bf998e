import numpy as np


def affine_vjp(m, r, a, *, seed):
    """Value of `affine` and the product of `seed` with its Jacobian with respect to `m`, `r`, `a`.

    From affine.py:1, for m: float64[:, :], r: float64[:], a: float.
    """
    # forward sweep
    value = a * m + r

    # reverse sweep
    # line 2: return a * m + r
    return value, (seed * a, np.sum(seed, axis=0), float(np.sum(seed * m)))
