"""NumPy's functions that a program meets now and then."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.programs import program


@program(args=lambda rng: (rng.uniform(0.5, 2, 4),))
def slopes_along_several_axes(x):
    surface = np.outer(x, np.sin(x))
    down, across = np.gradient(surface, 0.5, np.array([0.0, 1.0, 3.0, 4.0]))
    both = np.gradient(surface, x[0], axis=(1, 0))
    at_edges = np.gradient(x**2, 0.1, edge_order=2) * np.gradient([v**3 for v in x], [0.0, 1.0, 1.5, 4.0], edge_order=2)
    return np.sum(down * across) + np.sum(both[0] * down) + np.sum(at_edges)


@program(args=lambda rng: (rng.uniform(0.5, 2, 3),))
def matrix_in_blocks(x):
    whole = np.block([[np.diag(x), np.zeros((3, 1))], [x**2, 1.0]])
    return np.linalg.det(whole) + np.sum(whole @ np.arange(4.0)) + np.sum(np.block([x, 2.0, x[0]]) ** 2)


@program(args=lambda rng: (rng.uniform(0.5, 2, 3),))
def array_made_a_list(x):
    found = (x**2).tolist()
    found.append(x[0])
    found[0] = found[1] * found[2]
    total = 0.0
    for row in np.outer(x, x).tolist():
        for v in row:
            total += v**2
    return total * sum(found) + np.mean(x).tolist() ** 2


@program(args=lambda rng: (rng.uniform(0.5, 2, 4),))
def functions_where_they_are_defined(x):
    ratio = np.divide(x, x - x[0], where=x != x[0], out=np.zeros_like(x))
    logarithms = 3 * x
    np.log(x - 1.0, out=logarithms, where=x > 1.0)
    return np.sum(ratio * np.arange(4)) + np.sum(logarithms**2)


@program(args=lambda rng: (rng.uniform(0.5, 2, 4),))
def methods_of_ufuncs(x):
    peaks = np.maximum.accumulate(x) * np.minimum.reduce(x) + np.multiply.accumulate(x)
    return np.sum(peaks * np.arange(4)) + np.logaddexp.reduce(x) * np.sum(np.add.reduceat(x, [0, 2]) ** 2)


@program(args=lambda rng: (rng.uniform(0.5, 2, 4),))
def counts_windows_and_insertions(x):
    weights = np.bincount([0, 2, 2, 1], weights=x)
    means = sliding_window_view(x, 3).mean(axis=1)
    longer = np.insert(np.insert(x, 1, x[0] ** 2), [0, 3], [1.0, x[2]])
    return np.sum(weights**2) + np.sum(means**3) + np.sum(longer * np.arange(7)) + np.float64(x[0]) ** 2


@program(args=lambda rng: (rng.standard_normal(5), rng.standard_normal(5)), wrt=(0, 1))
def covariance_and_correlation(x, y):
    table = np.stack([x, y, x * y])
    return np.cov(x, y)[0, 1] + np.corrcoef(table)[0, 2] + np.sum(np.cov(table, bias=True) ** 2) + np.cov(x) * x[0]


@program(args=lambda rng: (rng.uniform(0.5, 2, 3),))
def powers_and_scales(x):
    scales = np.logspace(x[0], x[1], 3, base=2.0) * np.geomspace(x[0], x[2], 3)
    return np.sum(np.vander(x) * scales) + np.sum(np.vander(x, 2, increasing=True) ** 2)


@program(args=lambda rng: (rng.standard_normal((5, 2)), rng.standard_normal(5)), wrt=(0, 1))
def least_squares(a, b):
    solution, residuals, rank, singular = np.linalg.lstsq(a, b, rcond=None)
    several = np.linalg.lstsq(a, np.outer(b, b[:3]), rcond=None)
    return np.sum(solution**2) * rank + residuals[0] + np.sum(np.log(singular)) + np.sum(several[0] ** 3)
