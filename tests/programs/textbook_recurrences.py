"""Dynamic programming, recurrent networks, trees, rays, convolutions."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (np.log(rng.uniform(0.2, 1.0, (3, 3))), np.log(rng.uniform(0.2, 1.0, (3, 2))),
                           np.log(np.array([0.5, 0.3, 0.2])), [0, 1, 1, 0, 1]), wrt=(0, 1, 2))
def viterbi(log_transition, log_emission, log_start, observed):
    n = log_start.shape[0]
    score = log_start + log_emission[:, observed[0]]
    back = []
    for symbol in observed[1:]:
        new = np.empty(n)
        pointers = [0] * n
        for j in range(n):
            best, where = -np.inf, 0
            for i in range(n):
                candidate = score[i] + log_transition[i, j]
                if candidate > best:
                    best, where = candidate, i
            new[j] = best + log_emission[j, symbol]
            pointers[j] = where
        score = new
        back.append(pointers)
    state = int(np.argmax(score))
    path = [state]
    for pointers in reversed(back):
        path.append(pointers[path[-1]])
    return score[state], path[::-1]


@program(args=lambda rng: (np.log(rng.uniform(0.2, 1.0, (3, 3))), np.log(rng.uniform(0.2, 1.0, (4, 3)))), wrt=(0, 1))
def viterbi_vectorised(log_transition, log_likelihoods):
    table = np.zeros_like(log_likelihoods)
    table[0] = log_likelihoods[0]
    for t in range(1, len(table)):
        table[t] = np.max(table[t - 1][:, None] + log_transition, axis=0) + log_likelihoods[t]
    return np.max(table[-1])


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _lstm_cell(x, state, w, b):
    h, c = state
    n = len(h)
    gates = w @ np.concatenate([x, h]) + b
    i, f, o = (_sigmoid(gates[k * n : (k + 1) * n]) for k in range(3))
    g = np.tanh(gates[3 * n :])
    c = f * c + i * g
    return o * np.tanh(c), c


@program(args=lambda rng: ([rng.standard_normal(2) for _ in range(3)], rng.standard_normal((8, 4)) * 0.5,
                           rng.standard_normal(8) * 0.1), wrt=(0, 1, 2))
def lstm_over_a_list_of_states(xs, w, b):
    states = [(np.zeros(2), np.zeros(2))]
    for x in xs:
        states.append(_lstm_cell(x, states[-1], w, b))
    return np.sum(np.array([h for h, _ in states[1:]]) ** 2)


@program(args=lambda rng: ([rng.standard_normal(3) for _ in range(3)], rng.standard_normal((8, 5)) * 0.5,
                           rng.standard_normal(8) * 0.1), wrt=(0, 1, 2))
def lstm_written_out(xs, w, b):
    h, c = np.zeros(2), np.zeros(2)
    outputs = []
    for x in xs:
        z = np.dot(w, np.concatenate((x, h))) + b
        i, f = _sigmoid(z[0:2]), _sigmoid(z[2:4] + 1.0)
        o, g = _sigmoid(z[4:6]), np.tanh(z[6:8])
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs)


@program(args=lambda rng: (100.0, 101.3, 1.0, 0.05, 0.25, 5), wrt=("spot", "strike", "t", "rate", "sigma"))
def binomial_option_tree(spot, strike, t, rate, sigma, n):
    dt = t / n
    u = math.exp(sigma * math.sqrt(dt))
    d = 1 / u
    p = (math.exp(rate * dt) - d) / (u - d)
    discount = math.exp(-rate * dt)
    prices = spot * d ** np.arange(n, -1, -1) * u ** np.arange(0, n + 1)
    values = np.maximum(prices - strike, 0)
    for i in range(n, 0, -1):
        values = discount * (p * values[1 : i + 1] + (1 - p) * values[0:i])
    return values[0]


@program(args=lambda rng: (100.0, 0.25, 3), wrt=(0, 1))
def option_tree_by_recursion(spot, sigma, n):
    up = math.exp(sigma / math.sqrt(n))
    p = (1 - 1 / up) / (up - 1 / up)

    def value(price, k):
        if k == n:
            return max(price - 97.1, 0.0)
        return p * value(price * up, k + 1) + (1 - p) * value(price / up, k + 1)

    return value(spot, 0)


@program(args=lambda rng: (rng.standard_normal(5), rng.standard_normal(4)), wrt=(0, 1))
def dynamic_time_warping(a, b):
    n, m = len(a), len(b)
    cost = np.full((n + 1, m + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            d = abs(a[i - 1] - b[j - 1])
            cost[i, j] = d + min(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
    return cost[n, m]


@program(args=lambda rng: (rng.standard_normal(4), rng.standard_normal(5)), wrt=(0, 1))
def time_warping_of_nested_lists(a, b):
    rows = [[0.0] + [math.inf] * len(b)]
    for x in a:
        row = [math.inf]
        for j, y in enumerate(b):
            row.append((x - y) ** 2 + min(rows[-1][j], rows[-1][j + 1], row[j]))
        rows.append(row)
    return rows[-1][-1]


@program(args=lambda rng: (rng.standard_normal((5, 4)), rng.standard_normal((3, 2)), 0.3), wrt=(0, 1, 2))
def convolution_of_an_image(image, kernel, bias):
    h, w = image.shape
    kh, kw = kernel.shape
    out = np.zeros((h - kh + 1, w - kw + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel) + bias
            if out[i, j] < 0:
                out[i, j] *= 0.1
    return out


@program(args=lambda rng: (rng.standard_normal((2, 4, 4, 1)), rng.standard_normal((2, 2, 1, 3)),
                           rng.standard_normal(3)), wrt=(0, 1, 2))
def convolution_of_a_batch(images, weights, bias):
    k = weights.shape[0]
    n, h, w, _ = images.shape
    out = np.empty((n, h - k + 1, w - k + 1, weights.shape[3]))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j, :] = np.sum(
                images[:, i : i + k, j : j + k, :, np.newaxis] * weights[np.newaxis, :, :, :], axis=(1, 2, 3)
            )
    return np.maximum(out + bias, 0.1 * out)


def _hit(origin, direction, centre, radius):
    """The distance to the sphere along the ray, or None."""
    oc = origin - centre
    b = np.dot(oc, direction)
    disc = b * b - (np.dot(oc, oc) - radius * radius)
    if disc < 0:
        return None
    root = math.sqrt(disc)
    near = -b - root
    if near > 1e-6:
        return near
    far = -b + root
    return far if far > 1e-6 else None


SPHERES = [(np.array([0.0, 0.1, 5.0]), 1.0), (np.array([0.4, 0.0, 3.5]), 0.8), (np.array([9.0, 9.0, 9.0]), 0.5)]


@program(args=lambda rng: (np.array([0.1, 0.05, 1.0]), np.array([1.0, 1.0, -1.0])), wrt=(0, 1))
def ray_meets_spheres(direction, light):
    direction = direction / np.linalg.norm(direction)
    light = light / np.sqrt(light @ light)
    origin = np.zeros(3)
    nearest = math.inf
    shade = 0.0
    for centre, radius in SPHERES:
        t = _hit(origin, direction, centre, radius)
        if t is None:
            continue
        if t < nearest:
            nearest = t
            normal = (origin + t * direction - centre) / radius
            shade = max(0.0, float(normal @ light))
    return shade, nearest


@program(args=lambda rng: (np.array([0.2, -0.1, 0.0]), np.array([0.0, 0.1, 1.0]), np.array([0.1, 0.2, 4.0]), 1.3),
         wrt=(0, 1, 2, 3))
def ray_meets_one_sphere(origin, direction, centre, radius):
    a = direction @ direction
    b = 2 * direction @ (origin - centre)
    c = (origin - centre) @ (origin - centre) - radius**2
    disc = b**2 - 4 * a * c
    if disc < 0:
        return -1.0
    t0 = (-b - np.sqrt(disc)) / (2 * a)
    t1 = (-b + np.sqrt(disc)) / (2 * a)
    if t0 > t1:
        t0, t1 = t1, t0
    if t0 < 0:
        t0 = t1
        if t0 < 0:
            return -1.0
    return t0


@program(args=lambda rng: (rng.standard_normal((4, 4)),))
def heaviest_path_down_a_triangle(a):
    best = a.copy()
    for i in range(2, -1, -1):
        for j in range(i + 1):
            best[i, j] += max(best[i + 1, j], best[i + 1, j + 1])
    return best[0, 0]


@program(args=lambda rng: (rng.uniform(0.5, 3.0, (4, 4)),))
def shortest_paths_of_all_pairs(d):
    for k in range(4):
        d = np.minimum(d, d[:, k][:, None] + d[k, :][None, :])
    return d


@program(args=lambda rng: (rng.standard_normal(8),))
def haar_wavelet_in_place(x):
    n = len(x)
    while n > 1:
        half = n // 2
        y = x[:n].copy()
        for i in range(half):
            x[i] = (y[2 * i] + y[2 * i + 1]) / 2
            x[half + i] = (y[2 * i] - y[2 * i + 1]) / 2 * x[i]
        n = half
    return x
