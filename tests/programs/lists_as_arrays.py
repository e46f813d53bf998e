"""Lists and tuples of numbers that NumPy takes for arrays."""

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(4),))
def statistics_of_a_comprehension(x):
    losses = [v**2 for v in x]
    return np.mean(losses) + np.std(losses) + np.max(losses) * np.median(losses) + np.quantile(losses, 0.3)


@program(args=lambda rng: (rng.standard_normal(4), 1.5))
def statistics_of_a_list_that_grows(x, a):
    losses = []
    for v in x:
        losses.append(a * v * v)
        a = a + 0.1 * np.mean(losses)
    return np.var(losses) + np.sum(losses[:-1]) * np.mean(losses[1:])


@program(args=lambda rng: ([0.5, 1.5, -0.7, 2.0], (1.0, 0.3, 0.2)))
def functions_of_lists_and_tuples(q, weights):
    smooth = np.average(q[:3], weights=weights) + np.polyval(weights, 0.7) + np.trapezoid(q, dx=0.3)
    rough = np.diff(q)[1] * np.cumsum(q)[2] + np.sort(weights)[1] + np.min(q) + np.clip(q, -0.5, 1.0)[3]
    return smooth + rough + np.sum(np.pad(q, 1) ** 2) + np.correlate(q, [0.2, 0.4])[1]


@program(args=lambda rng: ({"w": [0.3, 0.8], "b": (1.2, 0.4)},))
def functions_of_entries_of_a_dict(model):
    w, b = model["w"], model["b"]
    return np.linalg.norm(w) * np.dot(w, b) + np.kron(w, b)[1] + np.sum(np.maximum(b, 0.7)) + np.vdot(w, [1.0, 2.0])


@program(args=lambda rng: ([[2.0, 0.3], [0.4, 1.5]], rng.standard_normal(2)))
def matrix_in_nested_lists(rows, x):
    solved = np.linalg.solve(rows, [x[0], 2 * x[1]])
    _, logarithm = np.linalg.slogdet(rows)
    return solved[0] * np.linalg.det(rows) + np.trace(rows) + logarithm + np.sum(rows @ x) + (x @ rows)[1]


@program(args=lambda rng: (rng.standard_normal(3),))
def elementwise_functions_of_lists(x):
    slopes = np.arctan([v * 2 for v in x]) + np.log1p((x[0] ** 2, 1.0, x[1] ** 2))
    return np.sum(slopes * np.sinc([x[2], 0.3, x[0]])) + np.sum(np.power([2.0, 3.0], [[x[0]], [x[1]]]))


@program(args=lambda rng: (rng.standard_normal(3), 0.7), wrt=(0, 1))
def arithmetic_of_an_array_and_a_list(p, a):
    q = [a, 2 * a, a**2]
    joined = [1.0, 2.0, 3.0] + p
    scaled = p * q * (1.0, 2.0, a)
    ratios = scaled * (p - q) / [2.0, 3.0, a]
    return np.sum(joined**2) + np.sum(ratios) + np.sum(p ** [2, 2, 3] @ q) + np.sum([[a], [2.0]] - p)


@program(args=lambda rng: (rng.standard_normal(3), [0.5, 1.5, -0.3]), wrt=(0, 1))
def array_plus_a_list_parameter(x, d):
    y = x + d
    return np.sum(y * y) + np.sum((np.sum(x) + d) ** 2)


@program(args=lambda rng: (rng.standard_normal(3), 0.7), wrt=(0, 1))
def array_changed_in_place_by_lists(x, a):
    y = x.copy()
    y += [a, 2 * a, 3 * a]
    y *= (a, x[1], 2.0)
    y[:2] -= [x[0], a**2]
    y[1:] = [y[1] * a, x[2]]
    return np.sum(y**2)


@program(args=lambda rng: (rng.standard_normal(3),))
def prototypes_that_are_lists(x):
    found = []
    for v in x:
        found.append(v * v)
    filled = np.full_like(found, x[0])
    zeros = np.zeros_like(found)
    zeros[1:] = x[1:] ** 2
    return np.sum(np.ones_like(found) * x) + np.sum(filled * zeros) + len(np.empty_like(found)) * x[1]


@program(args=lambda rng: (rng.uniform(0.5, 2, 3),))
def keys_of_a_dict_reduced(r):
    d = {k: v * v for k, v in enumerate(r)}
    return max(d) * d[1] + sum(d) * d[0] + min(d) * d[2] + len(list(d)) * d[max(d.keys())]


@program(args=lambda rng: (rng.uniform(0.5, 2, 4),))
def extremes_of_tuples(w):
    best = min([(w[0] ** 2, 1), (w[1], 2)])
    third = max((1, w[0]), (1, w[1]), (0, w[2] * w[3]))[1]
    points = []
    for k, v in enumerate(w):
        points.append((v * v, k * v))
    value, position = max((v**3, k) for k, v in enumerate(w))
    return best[0] * best[1] + third**2 + max(points)[1] * min(points)[0] + value * position


@program(args=lambda rng: ((2.0, 3.0), ([2.0, 1.0], [3.0, 1.0])), wrt=(0, 1))
def tuple_used_as_a_whole_and_by_parts(p, q):
    a, b = p
    first, second = q
    return a * b * sum(p) + np.sum(np.array(p) ** 2) + np.linalg.norm(q) * q[0][0] + np.dot(first, second)
