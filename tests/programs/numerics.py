"""Small pieces of real numerical work."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(3), rng.standard_normal((6, 3)), np.array([0.0, 1, 1, 0, 1, 0]), 0.1),
         wrt=("w", "X", "ridge"))
def logistic_loss(w, X, y, ridge):
    p = 1 / (1 + np.exp(-(X @ w)))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), ridge * np.sum(w**2)


@program(args=lambda rng: (rng.standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])))
def softmax_cross_entropy(logits, labels):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    loss = 0.0
    for i, label in enumerate(labels):
        loss = loss - log_p[i, label]
    return loss / len(labels)


@program(args=lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal(4), rng.standard_normal((2, 4)),
                           rng.standard_normal(2), rng.standard_normal((5, 3)), rng.standard_normal((5, 2))),
         wrt=("w1", "b1", "w2", "b2"))
def two_layer_network(w1, b1, w2, b2, inputs, targets):
    hidden = np.tanh(inputs @ w1.T + b1)
    outputs = hidden @ w2.T + b2
    return np.mean(np.sum((outputs - targets) ** 2, axis=1)), outputs


@program(args=lambda rng: ([(rng.standard_normal((3, 2)), rng.standard_normal(3)),
                            (rng.standard_normal((1, 3)), rng.standard_normal(1))], rng.standard_normal(2)))
def network_of_layers(layers, x):
    for w, b in layers:
        x = np.tanh(w @ x + b)
    return x[0]


@program(args=lambda rng: (rng.standard_normal((5, 2)), rng.standard_normal((3, 3)), rng.standard_normal((3, 2)),
                           np.zeros(3)), wrt=("w_h", "w_x", "xs"))
def recurrent_network(xs, w_h, w_x, h):
    loss = 0.0
    for t in range(xs.shape[0]):
        h = np.tanh(w_h @ h + w_x @ xs[t])
        loss = loss + h @ h / (t + 1)
    return loss


@program(args=lambda rng: (0.7, [0.3, -1.2, 0.5, 2.0]), wrt=(0, 1))
def horner(x, coefficients):
    result = 0.0
    for c in coefficients:
        result = result * x + c
    return result


@program(args=lambda rng: (2.3,))
def newton_square_root(a):
    x = a
    while abs(x * x - a) > 1e-13:
        x = 0.5 * (x + a / x)
    return x


@program(args=lambda rng: (rng.standard_normal(2), 0.1, 1.3), wrt=(0, 1, 2))
def runge_kutta_step(y, h, mu):
    def slope(y):
        return np.array([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])

    k1 = slope(y)
    k2 = slope(y + h / 2 * k1)
    k3 = slope(y + h / 2 * k2)
    k4 = slope(y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


@program(args=lambda rng: (0.2, 1.7, 8), wrt=(0, 1))
def trapezoid_rule(a, b, n):
    h = (b - a) / n
    s = 0.5 * (math.exp(-a * a) + math.exp(-b * b))
    for k in range(1, n):
        t = a + k * h
        s += math.exp(-t * t)
    return s * h


@program(args=lambda rng: (1.0, 0.6), wrt=(0, 1))
def geometric_series(a, r):
    total = 0.0
    term = a
    while abs(term) > 1e-15:
        total += term
        term *= r
    return total


@program(args=lambda rng: (-0.4, 0.55), wrt=(0, 1))
def escape_iteration(cx, cy):
    x = 0.0
    y = 0.0
    for n in range(12):
        x, y = x * x - y * y + cx, 2 * x * y + cy
        if x * x + y * y > 4:
            break
    return x * x + y * y


@program(args=lambda rng: (rng.standard_normal(8),))
def running_maximum(x):
    best = x[0]
    out = np.empty_like(x)
    for i in range(len(x)):
        if x[i] > best:
            best = x[i]
        out[i] = best
    return out


@program(args=lambda rng: (rng.standard_normal(8),))
def moving_average_in_place(x):
    y = x.copy()
    for i in range(1, len(y) - 1):
        y[i] = (y[i - 1] + y[i] + y[i + 1]) / 3
    return y


@program(args=lambda rng: (rng.standard_normal((4, 4)) + 5 * np.eye(4), rng.standard_normal(4), np.zeros(4)),
         wrt=(0, 1, 2))
def gauss_seidel(a, b, x):
    for sweep in range(3):
        for i in range(4):
            s = b[i]
            for j in range(4):
                if j != i:
                    s = s - a[i, j] * x[j]
            x[i] = s / a[i, i]
    return x


@program(args=lambda rng: (rng.uniform(-0.5, 0.5, 4), rng.uniform(2.0, 3.0, 5), rng.uniform(-0.5, 0.5, 4),
                           rng.standard_normal(5)), wrt=(0, 1, 2, 3))
def thomas_algorithm(lower, diagonal, upper, right):
    n = len(diagonal)
    c = np.zeros(n - 1)
    d = np.zeros(n)
    c[0] = upper[0] / diagonal[0]
    d[0] = right[0] / diagonal[0]
    for i in range(1, n):
        pivot = diagonal[i] - lower[i - 1] * c[i - 1]
        if i < n - 1:
            c[i] = upper[i] / pivot
        d[i] = (right[i] - lower[i - 1] * d[i - 1]) / pivot
    x = np.zeros(n)
    x[-1] = d[-1]
    for i in range(n - 2, -1, -1):
        x[i] = d[i] - c[i] * x[i + 1]
    return x


@program(args=lambda rng: ((lambda m: m @ m.T + 4 * np.eye(4))(rng.standard_normal((4, 4))),))
def cholesky_by_loops(a):
    n = a.shape[0]
    low = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = a[i, j]
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                low[i, j] = math.sqrt(s)
            else:
                low[i, j] = s / low[j, j]
    return low


@program(args=lambda rng: (rng.standard_normal((3, 3)), 5))
def matrix_power(a, n):
    result = np.eye(3)
    for _ in range(n):
        result = result @ a
    return np.trace(result), result[0]


@program(args=lambda rng: ((lambda m: m + m.T + 3 * np.eye(3))(rng.uniform(0.1, 1.0, (3, 3))), np.ones(3)), wrt=0)
def power_iteration(a, v):
    for _ in range(6):
        v = a @ v
        v = v / np.linalg.norm(v)
    return v @ a @ v


@program(args=lambda rng: (rng.standard_normal(8), 0.15, 5), wrt=("u", "dt"))
def burgers_stencil(u, dt, steps):
    u = u.copy()
    for t in range(steps):
        u[1:-1] = u[1:-1] + dt * (u[2:] ** 2 - u[:-2]) * 0.1
    return np.sum(u**2)


@program(args=lambda rng: (rng.standard_normal((5, 5)), 3))
def heat_with_two_buffers(u, steps):
    old = u.copy()
    new = u.copy()
    for t in range(steps):
        new[1:-1, 1:-1] = 0.25 * (old[2:, 1:-1] + old[:-2, 1:-1] + old[1:-1, 2:] + old[1:-1, :-2])
        old, new = new, old
    return old


@program(args=lambda rng: (rng.standard_normal((4, 2)), rng.uniform(0.5, 1.5, 4)), wrt=(0, 1))
def gravitational_energy(positions, masses):
    energy = 0.0
    for i in range(4):
        for j in range(i + 1, 4):
            d = positions[i] - positions[j]
            energy -= masses[i] * masses[j] / np.sqrt(d @ d + 0.01)
    return energy


@program(args=lambda rng: (rng.standard_normal(2), rng.standard_normal(2), 4, 0.05), wrt=(0, 1, 3))
def leapfrog(q, p, steps, h):
    for _ in range(steps):
        p = p - h / 2 * q**3
        q = q + h * p
        p = p - h / 2 * q**3
    return q, p


@program(args=lambda rng: (rng.uniform(0.2, 1.0, (3, 3)), rng.uniform(0.2, 1.0, (3, 2)),
                           np.array([0.5, 0.3, 0.2]), [0, 1, 1, 0]), wrt=(0, 1, 2))
def hidden_markov_likelihood(transition, emission, start, observed):
    alpha = start * emission[:, observed[0]]
    log_likelihood = 0.0
    for symbol in observed[1:]:
        alpha = (alpha @ transition) * emission[:, symbol]
        total = np.sum(alpha)
        log_likelihood += np.log(total)
        alpha = alpha / total
    return log_likelihood


@program(args=lambda rng: (rng.uniform(0.0, 1.0, 5), rng.uniform(0.0, 1.0, 4), 0.3), wrt=(0, 1, 2))
def soft_dynamic_time_warping(a, b, gamma):
    n, m = len(a), len(b)
    cost = np.full((n + 1, m + 1), 1e3)
    cost[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            d = (a[i - 1] - b[j - 1]) ** 2
            best = min(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
            z = (
                np.exp((best - cost[i - 1, j]) / gamma)
                + np.exp((best - cost[i, j - 1]) / gamma)
                + np.exp((best - cost[i - 1, j - 1]) / gamma)
            )
            cost[i, j] = d + best - gamma * np.log(z)
    return cost[n, m]


@program(args=lambda rng: (rng.standard_normal(6), rng.standard_normal(3)), wrt=(0, 1))
def convolution_by_loops(signal, kernel):
    out = np.zeros(len(signal) - len(kernel) + 1)
    for i in range(len(out)):
        for k in range(len(kernel)):
            out[i] += signal[i + k] * kernel[len(kernel) - 1 - k]
    return out


@program(args=lambda rng: (rng.standard_normal((3, 3)) + 3 * np.eye(3), rng.standard_normal(3)), wrt=(0, 1))
def gaussian_elimination(a, b):
    a = a.copy()
    b = b.copy()
    n = len(b)
    for k in range(n - 1):
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] -= factor * a[k, k:]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return x


@program(args=lambda rng: (rng.standard_normal((3, 3)) + 4 * np.eye(3), rng.standard_normal(3)), wrt=(0, 1))
def solves_and_determinants(a, b):
    x = np.linalg.solve(a, b)
    return x @ b, np.log(np.linalg.det(a)), np.linalg.inv(a)[0]


@program(args=lambda rng: (0.2, 1.9))
def bisection_keeps_the_bracket(low, high):
    for _ in range(5):
        middle = 0.5 * (low + high)
        if middle**3 - 2 > 0:
            high = middle
        else:
            low = middle
    return low * high


@program(args=lambda rng: (100.0, 0.05, 0.2, 1.0, 6), wrt=(0, 1, 2))
def american_option_by_a_tree(spot, rate, volatility, maturity, n):
    dt = maturity / n
    up = math.exp(volatility * math.sqrt(dt))
    p = (math.exp(rate * dt) - 1 / up) / (up - 1 / up)
    values = np.zeros(n + 1)
    for j in range(n + 1):
        values[j] = max(103.7 - spot * up ** (2 * j - n), 0.0)
    for step in range(n - 1, -1, -1):
        for j in range(step + 1):
            hold = math.exp(-rate * dt) * (p * values[j + 1] + (1 - p) * values[j])
            values[j] = max(hold, 103.7 - spot * up ** (2 * j - step))
    return values[0]
