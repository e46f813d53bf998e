"""NumPy's objects that are indexed, and members of enumerations."""

import enum

import numpy as np
from numpy.polynomial.hermite import hermgauss

from tests.programs import program


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


class Axis(enum.IntEnum):
    X = 0
    Z = 2


class Part(enum.Flag):
    LEFT = 1
    RIGHT = 2


@program(args=lambda rng: (rng.standard_normal(3),))
def rows_side_by_side(x):
    scaled = [v * 2 for v in x]
    joined = np.r_[x[0], x[1:] ** 2, 1.0, scaled, 0:2, (1.0, x[2])]
    return np.sum(joined * np.arange(11)) + np.sum(np.r_[np.outer(x, x), np.ones((1, 3))][1:] ** 2)


@program(args=lambda rng: (rng.standard_normal(3),))
def columns_side_by_side(x):
    table = np.c_[np.ones(3), x, np.outer(x, x)]
    return np.sum(table**2) + np.sum(np.c_[x[0], x[1]] ** 2) + np.sum(np.c_[0:3, x] @ np.array([1.0, 2.0]))


@program(args=lambda rng: (rng.standard_normal(3),))
def grids_that_are_indexed(x):
    n = len(x)
    rows, columns = np.mgrid[0:1:3j, 0:2]
    steps = np.ogrid[0:n]
    return np.sum(rows * x[0] + columns * x[1] ** 2) + np.sum(np.mgrid[0:n] * x * steps) + np.sum(np.r_[-1:1:3j] * x**2)


@program(args=lambda rng: (rng.standard_normal((3, 4)),))
def slices_with_names(x):
    inner, corner = np.s_[1:-1], np.s_[1:, 0]
    return np.sum(x[:, inner] ** 2) + np.sum(x[corner] * x[np.s_[0, ::2]][0]) + np.sum(x[np.index_exp[:2]] ** 3)


@program(args=lambda rng: (rng.standard_normal(2),))
def quadrature_by_name(x):
    points, weights = np.polynomial.legendre.leggauss(4)
    others, more = hermgauss(3)
    return np.sum(weights * np.exp(x[0] * points)) + np.sum(more * np.cos(x[1] * others))


def slowed(v, mode=Mode.SLOW):
    return v * 2 if mode is Mode.SLOW else v


@program(args=lambda rng: (rng.standard_normal(3), Mode.SLOW, Part.LEFT))
def members_of_enumerations(x, mode, part):
    total = x[Axis.Z] ** 2 * x[Axis.X] if mode == Mode.FAST else x[Axis.Z] * x[mode.value]
    weights = {Mode.FAST: x[0], Mode.SLOW: x[1] ** 2}
    match mode:
        case Mode.FAST:
            total = total + 1.0
        case Mode.SLOW:
            total = total * x[1]
    if part in (Part.LEFT, Part.RIGHT) and part & (Part.LEFT | Part.RIGHT):
        total = total * 2
    for known in Mode:
        total = total + weights[known] * known.value
    return slowed(total) * weights[mode]
