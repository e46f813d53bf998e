"""Integration in time, root finding, filters: callables as arguments, lists of bodies, objects, convergence tests."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.programs import program


def _pendulum(t, y, damping):
    angle, speed = y
    return np.array([speed, -9.81 * np.sin(angle) - damping * speed + 0.1 * math.cos(t)])


@program(args=lambda rng: (_pendulum, rng.uniform(-0.5, 0.5, 2), 0.05, 4, 0.3), wrt=("y", "h", "damping"))
def runge_kutta_4(f, y, h, steps, damping):
    t = 0.0
    for _ in range(steps):
        k1 = f(t, y, damping)
        k2 = f(t + h / 2, y + h / 2 * k1, damping)
        k3 = f(t + h / 2, y + h / 2 * k2, damping)
        k4 = f(t + h, y + h * k3, damping)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t += h
    return y


@program(args=lambda rng: (rng.uniform(0.5, 1.0, 2), 0.1, (1.1, 0.4, 0.1, 0.4)), wrt=(0, 1, 2))
def runge_kutta_keeps_a_trajectory(y0, h, rates):
    a, b, c, d = rates

    def lotka_volterra(y):
        dy = np.empty(2)
        dy[0] = a * y[0] - b * y[0] * y[1]
        dy[1] = c * y[0] * y[1] - d * y[1]
        return dy

    ys = [y0]
    for n in range(3):
        y = ys[-1]
        k1 = lotka_volterra(y)
        k2 = lotka_volterra(y + h * k1 / 2)
        k3 = lotka_volterra(y + h * k2 / 2)
        k4 = lotka_volterra(y + h * k3)
        ys.append(y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6)
    return np.stack(ys)


@program(args=lambda rng: (2.0,))
def runge_kutta_with_adaptive_steps(y):
    t, h = 0.0, 0.3
    while t < 1.0:
        if t + h > 1.0:
            h = 1.0 - t
        k1 = -y * y
        k2 = -((y + h * k1 / 2) ** 2)
        k3 = -((y + h * (2 * k2 - k1)) ** 2)
        if abs(h * (k1 - 2 * k2 + k3)) / 6 > 0.03:
            h = h / 2
            continue
        y = y + h * (k1 + 4 * k2 + k3) / 6
        t = t + h
    return y


@program(
    args=lambda rng: ([rng.standard_normal(2) + 3 * k for k in range(3)],
                      [0.1 * rng.standard_normal(2) for k in range(3)], [1.0, 0.5, 2.0], 0.02, 2),
    wrt=(0, 1, 2, 3),
)
def leapfrog_of_lists(positions, velocities, masses, dt, steps):
    def accelerations(positions):
        out = []
        for i, p in enumerate(positions):
            a = np.zeros(2)
            for j, q in enumerate(positions):
                if i != j:
                    d = q - p
                    a += masses[j] * d / (d @ d + 0.01) ** 1.5
            out.append(a)
        return out

    acc = accelerations(positions)
    for _ in range(steps):
        velocities = [v + dt / 2 * a for v, a in zip(velocities, acc)]
        positions = [x + dt * v for x, v in zip(positions, velocities)]
        acc = accelerations(positions)
        velocities = [v + dt / 2 * a for v, a in zip(velocities, acc)]
    return positions, velocities


@dataclass
class Body:
    mass: float
    position: np.ndarray
    velocity: np.ndarray

    def kinetic_energy(self):
        return 0.5 * self.mass * (self.velocity @ self.velocity)

    def drift(self, dt):
        self.position = self.position + dt * self.velocity


@program(args=lambda rng: (rng.standard_normal((2, 2)) + np.array([[0.0], [3.0]]), rng.standard_normal((2, 2)), 0.01),
         wrt=(0, 1, 2))
def leapfrog_of_bodies(x, v, dt):
    bodies = [Body(1.0 + k, x[k], v[k]) for k in range(2)]
    for _ in range(2):
        for body in bodies:
            body.drift(dt / 2)
        d = bodies[1].position - bodies[0].position
        force = bodies[0].mass * bodies[1].mass * d / (d @ d) ** 1.5
        bodies[0].velocity = bodies[0].velocity + dt * force / bodies[0].mass
        bodies[1].velocity = bodies[1].velocity - dt * force / bodies[1].mass
        for body in bodies:
            body.drift(dt / 2)
    return sum(body.kinetic_energy() for body in bodies), bodies[0].position


@dataclass(frozen=True)
class Oscillator:
    stiffness: float
    damping: float

    def force(self, x, v):
        return -self.stiffness * x - self.damping * v


@program(args=lambda rng: (0.7, 4.0, 0.3), wrt=(0, 1, 2))
def oscillator_is_an_object(x, stiffness, damping):
    system = Oscillator(stiffness, damping=damping)
    v = 0.0
    for _ in range(5):
        v += 0.05 * system.force(x, v)
        x += 0.05 * v
    return x, v


class Estimate(NamedTuple):
    mean: np.ndarray
    covariance: np.ndarray


def _predict(estimate, motion, noise):
    return Estimate(motion @ estimate.mean, motion @ estimate.covariance @ motion.T + noise)


def _correct(estimate, z, sensor, noise):
    innovation = z - sensor @ estimate.mean
    s = sensor @ estimate.covariance @ sensor.T + noise
    gain = estimate.covariance @ sensor.T @ np.linalg.inv(s)
    mean = estimate.mean + gain @ innovation
    return Estimate(mean, estimate.covariance - gain @ sensor @ estimate.covariance), innovation, s


@program(
    args=lambda rng: (rng.standard_normal((3, 1)), np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.2]]),
                      0.05 * np.eye(2), np.array([[0.3]])),
    wrt=(0, 1, 2, 3, 4),
)
def kalman_filter_of_named_tuples(measurements, motion, sensor, q, r):
    estimate = Estimate(np.zeros(2), np.eye(2))
    for z in measurements:
        estimate = _predict(estimate, motion, q)
        estimate, _, _ = _correct(estimate, z, sensor, r)
    return estimate.mean, estimate.covariance


@program(args=lambda rng: (rng.standard_normal(4), 0.9, 0.2, 0.4), wrt=(0, 1, 2, 3))
def kalman_filter_log_likelihood(zs, a, q, r):
    mean, variance = 0.0, 1.0
    log_likelihood = 0.0
    for z in zs:
        mean, variance = a * mean, a * a * variance + q
        s = variance + r
        log_likelihood -= 0.5 * (math.log(2 * math.pi * s) + (z - mean) ** 2 / s)
        gain = variance / s
        mean, variance = mean + gain * (z - mean), (1 - gain) * variance
    return log_likelihood


@program(args=lambda rng: (0.8, 1.5), wrt=(0, 1))
def newton_until_convergence(a, x):
    while True:
        f = x**3 + a * x - 2.0
        step = f / (3 * x**2 + a)
        x = x - step
        if abs(step) < 1e-13:
            break
    return x


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 2), np.array([1.0, 1.0])), wrt=0)
def newton_for_a_system(p, x):
    def residual(x):
        return np.array([x[0] ** 2 + p[0] * x[1] - 2.0, x[0] - p[1] * x[1] ** 3])

    def slopes(x):
        j = np.zeros((2, 2))
        j[0, 0] = 2 * x[0]
        j[0, 1] = p[0]
        j[1, 0] = 1.0
        j[1, 1] = -3 * p[1] * x[1] ** 2
        return j

    for iteration in range(20):
        step = np.linalg.solve(slopes(x), residual(x))
        x = x - step
        if np.linalg.norm(step) < 1e-12:
            return x
    raise RuntimeError("no convergence")


@program(args=lambda rng: (math.cos, 0.4, 0.7), wrt=("a", "x"))
def fixed_point_of_a_callable(g, a, x):
    for _ in range(100):
        new = a * g(x) + 0.1
        if abs(new - x) < 1e-12:
            break
        x = new
    else:
        raise ValueError("the iteration does not converge")
    return new


class Adam:
    def __init__(self, rate):
        self.rate = rate
        self.m = 0.0
        self.v = 0.0
        self.t = 0

    def step(self, w, g):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.99 * self.v + 0.01 * g**2
        m = self.m / (1 - 0.9**self.t)
        v = self.v / (1 - 0.99**self.t)
        return w - self.rate * m / (np.sqrt(v) + 1e-3)


@program(args=lambda rng: (rng.standard_normal(3), 0.1), wrt=(0, 1))
def training_with_an_optimiser_object(w, rate):
    optimiser = Adam(rate)
    for _ in range(3):
        w = optimiser.step(w, 2 * w + np.cos(w))
    return w
