"""Iterations on grids: relaxation, heat, waves, alternating directions, shallow water; slices in place, two buffers."""

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(6), rng.standard_normal(6), 4), wrt=(0, 1))
def jacobi_1d(a, b, steps):
    for t in range(1, steps):
        b[1:-1] = 0.33333 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = 0.33333 * (b[:-2] + b[1:-1] + b[2:])
    return a


@program(args=lambda rng: (rng.standard_normal((4, 4)), rng.standard_normal((4, 4)), 3), wrt=(0, 1))
def jacobi_2d_with_a_source(u, f, steps):
    new = u.copy()
    for _ in range(steps):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                new[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - f[i, j] * u[i, j] ** 2)
        u, new = new, u
    return u


@program(args=lambda rng: (rng.standard_normal((4, 4)) + 6 * np.eye(4), rng.standard_normal(4), 4), wrt=(0, 1))
def jacobi_linear_solver(a, b, sweeps):
    x = np.zeros_like(b)
    d = np.diag(a)
    r = a - np.diagflat(d)
    for _ in range(sweeps):
        x = (b - r @ x) / d
    return x


@program(args=lambda rng: (rng.standard_normal((5, 4)), 3))
def seidel_2d(a, steps):
    n, m = a.shape
    for t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = (
                    a[i - 1, j - 1] + a[i - 1, j] + a[i - 1, j + 1]
                    + a[i, j - 1] + a[i, j] + a[i, j + 1]
                    + a[i + 1, j - 1] + a[i + 1, j] + a[i + 1, j + 1]
                ) / 9.0
    return np.sum(a**2)


@program(args=lambda rng: (rng.standard_normal((3, 3)), 1.2, 2), wrt=(0, 1))
def red_black_relaxation(u, omega, sweeps):
    u = np.pad(u, 1)
    for _ in range(sweeps):
        for colour in (0, 1):
            for i in range(1, 4):
                first = 1 + (i + colour) % 2
                near = u[i - 1, first:-1:2] + u[i + 1, first:-1:2] + u[i, first - 1 : -2 : 2] + u[i, first + 1 :: 2]
                u[i, first:-1:2] += omega * (near / 4 - u[i, first:-1:2] - 0.1 * u[i, first:-1:2] ** 3)
    return u[1:-1, 1:-1]


@program(args=lambda rng: (rng.standard_normal((4, 3, 4)), np.zeros((4, 3, 4)), 2), wrt=(0, 1))
def heat_3d(a, b, steps):
    for t in range(1, steps + 1):
        b[1:-1, 1:-1, 1:-1] = (
            0.125 * (a[2:, 1:-1, 1:-1] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[:-2, 1:-1, 1:-1])
            + 0.125 * (a[1:-1, 2:, 1:-1] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[1:-1, :-2, 1:-1])
            + 0.125 * (a[1:-1, 1:-1, 2:] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[1:-1, 1:-1, 0:-2])
            + a[1:-1, 1:-1, 1:-1]
        )
        a, b = b, a
    return np.sum(a * a)


@program(
    args=lambda rng: (rng.standard_normal((4, 5)), rng.standard_normal((4, 5)), rng.standard_normal((4, 5)),
                      np.linspace(0.1, 0.9, 3)),
    wrt=(0, 1, 2, 3),
)
def fdtd_2d(ex, ey, hz, source):
    for t in range(len(source)):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return np.sum(hz**2), ex


@program(args=lambda rng: (rng.standard_normal((5, 5)), 2))
def adi(u, steps):
    n = u.shape[0]
    v = np.empty(u.shape, dtype=u.dtype)
    p = np.empty(u.shape, dtype=u.dtype)
    q = np.empty(u.shape, dtype=u.dtype)
    dx, dt = 1.0 / n, 1.0 / steps
    mul1 = 2.0 * dt / (dx * dx)
    mul2 = 1.0 * dt / (dx * dx)
    a = -mul1 / 2.0
    b = 1.0 + mul1
    c = a
    d = -mul2 / 2.0
    e = 1.0 + mul2
    f = d
    for t in range(1, steps + 1):
        v[0, 1:-1] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = v[0, 1:-1]
        for j in range(1, n - 1):
            p[1:-1, j] = -c / (a * p[1:-1, j - 1] + b)
            q[1:-1, j] = (
                -d * u[j, 0 : n - 2] + (1.0 + 2.0 * d) * u[j, 1 : n - 1] - f * u[j, 2:n] - a * q[1:-1, j - 1]
            ) / (a * p[1:-1, j - 1] + b)
        v[n - 1, 1:-1] = 1.0
        for j in range(n - 2, 0, -1):
            v[j, 1:-1] = p[1:-1, j] * v[j + 1, 1:-1] + q[1:-1, j]
        u[1:-1, 0] = 1.0
        p[1:-1, 0] = 0.0
        q[1:-1, 0] = u[1:-1, 0]
        for j in range(1, n - 1):
            p[1:-1, j] = -f / (d * p[1:-1, j - 1] + e)
            q[1:-1, j] = (
                -a * v[0 : n - 2, j] + (1.0 + 2.0 * a) * v[1 : n - 1, j] - c * v[2:n, j] - d * q[1:-1, j - 1]
            ) / (d * p[1:-1, j - 1] + e)
        u[1:-1, n - 1] = 1.0
        for j in range(n - 2, 0, -1):
            u[1:-1, j] = p[1:-1, j] * u[1:-1, j + 1] + q[1:-1, j]
    return u


def _flux(h, u, gravity):
    return h * u, h * u**2 + 0.5 * gravity * h**2


@program(
    args=lambda rng: (rng.uniform(0.8, 1.2, 6), rng.uniform(-0.2, 0.2, 6), 9.81, 0.02, 3),
    wrt=("h", "u", "gravity", "dt"),
)
def shallow_water_lax_friedrichs(h, u, gravity, dt, steps):
    dx = 0.5
    hu = h * u
    for _ in range(steps):
        mass, momentum = _flux(h, hu / h, gravity)
        h_new = h.copy()
        hu_new = hu.copy()
        h_new[1:-1] = 0.5 * (h[2:] + h[:-2]) - dt / (2 * dx) * (mass[2:] - mass[:-2])
        hu_new[1:-1] = 0.5 * (hu[2:] + hu[:-2]) - dt / (2 * dx) * (momentum[2:] - momentum[:-2])
        h_new[0], h_new[-1] = h_new[1], h_new[-2]
        hu_new[0], hu_new[-1] = -hu_new[1], -hu_new[-2]
        h, hu = h_new, hu_new
    return h, hu / h


@program(args=lambda rng: (rng.uniform(0.9, 1.1, (3, 4)), rng.standard_normal((4, 4)) * 0.1,
                           rng.standard_normal((3, 5)) * 0.1, 2), wrt=(0, 1, 2))
def shallow_water_staggered(eta, u, v, steps):
    dt, dx, gravity, depth = 0.01, 0.1, 9.81, 2.0
    for t in range(steps):
        u[1:-1, :] -= gravity * dt / dx * (eta[1:, :] - eta[:-1, :])
        v[:, 1:-1] -= gravity * dt / dx * (eta[:, 1:] - eta[:, :-1])
        eta -= dt / dx * depth * (u[1:, :] - u[:-1, :] + v[:, 1:] - v[:, :-1]) * eta
    return np.sum(eta**2) + np.sum(u[1] * v[:, 1:].mean())


@program(args=lambda rng: (rng.standard_normal(7), rng.uniform(0.5, 1.0, 7), 0.4, 4), wrt=(0, 1, 2))
def wave_equation_of_three_levels(u0, speed, courant, steps):
    c2 = (courant * speed) ** 2
    u_old = u0.copy()
    u = u0.copy()
    u_new = np.zeros_like(u0)
    u[1:-1] = u_old[1:-1] + 0.5 * c2[1:-1] * (u_old[2:] - 2 * u_old[1:-1] + u_old[:-2])
    for n in range(1, steps):
        u_new[1:-1] = 2 * u[1:-1] - u_old[1:-1] + c2[1:-1] * (u[2:] - 2 * u[1:-1] + u[:-2])
        u_new[0] = u[0]
        u_new[-1] = u[-1]
        u_old, u, u_new = u, u_new, u_old
    return u


@program(args=lambda rng: (rng.standard_normal((5, 5)), rng.uniform(0.5, 1.5, 5)), wrt=(0, 1))
def upwind_advection(c, velocity):
    out = np.zeros_like(c)
    for i in range(1, 4):
        for j in range(1, 4):
            w = velocity[i] * c[i, 0]
            if w > 0:
                slope = c[i, j] - c[i, j - 1]
            else:
                slope = c[i, j + 1] - c[i, j]
            out[i, j] = c[i, j] - 0.2 * w * slope
    return out
