"""float32 in, float32 out: nothing on the way may widen."""

import numpy as np

from tests.programs import program


def _singles(rng, *shape):
    return rng.uniform(0.5, 1.5, shape).astype(np.float32)


@program(args=lambda rng: (_singles(rng, 4),))
def single_chain(x):
    y = np.exp(-x) * 2.0
    for k in range(3):
        y = y * x + k
    return np.sum(y)


@program(args=lambda rng: (_singles(rng, 4), _singles(rng, 3, 4)), wrt=(0, 1))
def single_products(w, m):
    h = np.tanh(m @ w)
    return h, np.mean(h**2)


@program(args=lambda rng: (_singles(rng, 5),))
def single_stores(x):
    y = np.zeros_like(x)
    for i in range(1, 5):
        y[i] = y[i - 1] * 0.5 + x[i] ** 2
    y[1:-1] *= x[2:]
    return y


@program(args=lambda rng: (_singles(rng, 4), 1.5), wrt=(0, 1))
def single_array_python_scalar(x, a):
    y = a * x + 1
    if a > 1:
        y = y / a
    return y


@program(args=lambda rng: (_singles(rng, 3, 2), _singles(rng, 2)), wrt=(0, 1))
def single_rows(m, h):
    for row in m:
        h = np.sin(h) * row + 0.5
    return h


@program(args=lambda rng: (_singles(rng, 3, 4),))
def single_reductions(m):
    return np.mean(m, axis=0), np.max(m, axis=1), np.sqrt(np.sum(m**2)), m.var()


@program(args=lambda rng: (_singles(rng, 4), rng.uniform(0.5, 1.5, 4)), wrt=(0, 1))
def single_meets_double(x, y):
    z = x * y
    for v in x:
        z = z + v
    return z, x * 2
