"""Objects from outside whose fields are stored into, objects made inside, patterns that take them apart."""

from dataclasses import dataclass

import numpy as np

from tests.programs import program


@dataclass
class Particle:
    x: float
    v: float

    def step(self, dt):
        self.x += dt * self.v
        self.v = self.v - dt * np.sin(self.x)


@dataclass
class Body:
    position: np.ndarray
    velocity: np.ndarray


@dataclass
class Momentum:
    rate: float
    mean: np.ndarray


class Layer:
    def __init__(self, w, momentum):
        self.w = w
        self.momentum = momentum
        self.norms = []

    @property
    def size(self):
        return np.sum(self.w**2)

    def update(self, g):
        self.momentum.mean = 0.9 * self.momentum.mean + 0.1 * g
        self.w -= self.momentum.rate * self.momentum.mean
        self.norms.append(self.size)


@dataclass(frozen=True)
class Circle:
    radius: float


@dataclass(frozen=True)
class Box:
    width: float
    height: float


@program(args=lambda rng: (0.3, 0.7, 0.2), wrt=(0, 1, 2))
def particle_made_inside(x, v, dt):
    p = Particle(x, v)
    while p.x < 0.9:
        p.step(dt)
        p.v = p.v + 1
    return p.x * p.v


@program(args=lambda rng: (rng.standard_normal(4), 0.1), wrt=(0, 1))
def particles_in_a_list(x, dt):
    particles = [Particle(x[i], x[i + 2]) for i in range(2)]
    for _ in range(3):
        for i, p in enumerate(particles):
            for j, q in enumerate(particles):
                if i != j:
                    p.v += dt * (q.x - p.x)
        for p in particles:
            p.step(dt)
    return particles[0].x * particles[1].v


def area(shape):
    match shape:
        case Circle(radius=r):
            return 3 * r * r
        case Box(width, height) if height > 0:
            return width * height
        case Box():
            return 0.0
        case [first, *rest]:
            return first * rest[0] * len(rest)
        case {"side": side, **rest}:
            return side**2 * len(rest)
        case float(side):
            return side**3
    return 0.0


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 7),))
def areas_by_patterns(x):
    shapes = area(Circle(x[0])) + area(Box(x[1], x[2])) + area(Box(x[1], -1.0))
    return shapes + area([x[3], x[4], x[5]]) + area({"side": x[6], "name": "square"}) + area(x[0])


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def product_by_a_starred_pattern(x):
    def product(items):
        match items:
            case []:
                return 1.0
            case [first, *rest]:
                return first * product(rest)

    return product([x[i] ** 2 for i in range(4)])


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3),))
def alternatives_that_capture(x):
    s = 0.0
    for pair in [(0, x[0]), (1, x[1]), (2, x[2])]:
        match pair:
            case (0, value) | (2, value):
                s = s + value**2
            case (_, value):
                s = s * value
    return s


class Wave:
    def __init__(self, shape, height):
        self.shape, self.height = shape, height

    def damped(self, rate):
        self.shape = self.shape * rate
        self.height = self.height + rate
        return self.shape.sum()


class Pair:
    def __init__(self, shape, height):
        self.wave = Wave(shape, height)
        self.height = height


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def object_made_in_a_loop(x):
    for i in range(3):
        if x[i] > 1:
            wave = Wave(x * i, x[i])
        else:
            wave = Wave(x + i, x[0])
        wave.shape[i] *= x[0]
    return wave.damped(x[2]) + wave.height + np.sum(wave.shape * x)


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def objects_in_an_object_made_in_a_loop(x):
    i = 0
    while i < 3:
        pair = Pair(x * i, x[i])
        pair.wave.damped(x[0])
        heights = (pair.wave.height, pair.height)
        i += 1
    return pair.wave.damped(x[2]) * pair.height + heights[0] * heights[1]


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def object_made_in_a_nest_of_loops(x):
    for i in range(2):
        for j in range(2):
            wave = Wave(x * i + j, x[i])
            if j:
                break
        wave.height *= x[j]
    return wave.damped(wave.height)


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def object_made_of_the_one_before(x):
    wave = Wave(x, x[0])
    for i in range(3):
        new = Wave(wave.shape * x[i], wave.height + 1)
        wave = new
    return new.damped(x[1]) + wave.height


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def object_in_a_tuple_made_in_one_iteration(x):
    for i in range(3):
        if i == 1:
            made = (Wave(x * i, x[i]), x[i])
    return made[0].damped(made[1]) * made[0].height
