"""Loops over what is no list and no array: deques, objects with methods for it, dicts of unknown keys, iterators."""

import collections
import copy
import dataclasses
import itertools
import math
import operator
from collections import deque
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(3),))
def deques_walked_together(w):
    recent = deque([w[0], w[1] ** 2])
    s = 0.0
    for a, b in zip(recent, w):
        s += a * b
    for i, a in enumerate(reversed(recent)):
        s += a * i
    return s + sum(map(operator.mul, recent, w)) + sum([a * b**2 for a, b in zip(w, recent)])


@program(args=lambda rng: (rng.standard_normal(4),))
def two_loop_recursion_by_deques(w):
    steps, slopes = deque(maxlen=2), deque(maxlen=2)
    for i in range(4):
        steps.append(w[i] * (i + 1))
        slopes.append(w[i % 2] ** 2)
    direction = w[0]
    for s, y in zip(reversed(steps), reversed(slopes)):
        direction = direction - s * direction * y
    for s, y in zip(steps, slopes):
        direction = direction + s * y
    return direction


@program(args=lambda rng: (rng.standard_normal(3),))
def deque_by_all_its_methods(w):
    q = deque([w[0], w[1] ** 2])
    a, b = q
    kept = q.copy()
    q += [w[2]]
    q.insert(1, a * w[2])
    q[0] *= b
    counts = deque([1, 2, 1])
    places = counts.index(2) * counts.count(1) * (2 in counts)
    s = places * w[0] + sum(kept) * (kept == deque([a, b])) + (kept != kept)
    for k, v in enumerate(q):
        s = s + (k + 1) * v**2
    return s + np.linalg.norm(np.array(q))


@program(args=lambda rng: (rng.standard_normal(3),))
def a_list_of_deques(w):
    queues = [deque() for _ in range(3)]
    for i in range(3):
        queues[i].append(w[i])
        queues[i].appendleft(w[i] ** 2)
    return sum(q[0] * q[1] for q in queues)


class Samples:
    def __init__(self, x):
        self.x = x

    def __iter__(self):
        return iter(self.x)

    def __len__(self):
        return len(self.x)

    def __abs__(self):
        return np.sqrt(np.sum(self.x**2))

    def __float__(self):
        return float(self.x[0])

    def __neg__(self):
        return Samples(-self.x)

    def __contains__(self, position):
        return 0 <= position < len(self.x)

    def __eq__(self, other):
        return len(self.x) == len(other.x)


class Column:
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, k):
        if k >= len(self.x):
            raise IndexError(k)
        return self.x[k] * 2


@program(args=lambda rng: (rng.standard_normal(3),))
def objects_that_say_how_they_are_walked(w):
    samples, given = Samples(w), Samples(w**3)
    s = 0.0
    for v in samples:
        s = s + v**2
    for a, b, c in zip(samples, given, Column(w)):
        s = s + a * b * c
    first, second, *_ = samples
    s = s + abs(samples) * len(given) + float(-samples) * (2 in samples) + first * second
    return s + sum(given) + abs(given) + (samples != given)


@program(args=lambda rng: (rng.standard_normal(3),))
def objects_walked_by_position(w):
    given = Column(w * 3)
    s = 0.0
    for v in given:
        s = s + v**2 * w[0]
    for v in reversed(Column(w)):
        s = s * 0.5 + v
    return s + given[1] * sum(a * b for a, b in zip(given, w))


@dataclass(frozen=True)
class Bid:
    price: float

    def __lt__(self, other):
        return self.price < other.price

    def __gt__(self, other):
        return self.price > other.price


@program(args=lambda rng: (rng.standard_normal(3),))
def largest_of_objects(w):
    return max(Bid(w[0]), Bid(w[1]), Bid(w[2])).price ** 2 + min(Bid(w[0]), Bid(w[1])).price


@program(args=lambda rng: (rng.standard_normal(3), [{"a": rng.standard_normal()}, {"b": 0.5, "c": 2.0}]), wrt=(0, 1))
def dicts_of_various_keys_in_a_list(w, tables):
    s = 0.0
    for counts in [{"x": 1}, {"y": 2, "z": 0}]:
        for _, k in counts.items():
            s = s + w[k]
        for key in counts:
            s = s + w[counts[key]] ** 2
    for table in tables:
        for key, v in table.items():
            s = s + v**2
        for v in table.values():
            s = s + v * w[0]
        s = s + sum(table[key] ** 3 for key in table)
    return s


@program(args=lambda rng: (rng.standard_normal((2, 3)), {0, 2}))
def walks_over_sets_and_indices(A, chosen):
    s = 0.0
    for i, j in np.ndindex(2, 3):
        s += A[i, j] * A[1 - i, j]
    for place in np.ndindex(A.shape):
        s += A[place] ** 2
    for (i, j), v in np.ndenumerate(A):
        s += v * A[i, 0] * (j + 1)
    for k in set(range(3)) - chosen | frozenset([0]):
        s += A[0, k] ** 3
    for k, row in zip(chosen, A):
        s += row[k]
    for name, count in collections.Counter("abca").items():
        s += A[0, 0] ** count * len(name)
    for v, letter in zip(A[0], "xyz"):
        s += v * ord(letter)
    return s


class Pair(NamedTuple):
    first: float
    second: float


@dataclass
class Scaled:
    first: float
    second: float
    scale: float = 2.0


def weighted(a, b, c=2.0):
    return a * b**2 * c


def spread(first, *others):
    s = first
    for v in others:
        s = s + v**2 * len(others)
    return s


def total(*terms):
    return sum(terms) * terms[0]


@program(args=lambda rng: (np.array([0.6, 1.3]), [0.9, 1.4]), wrt=(0, 1))
def stars_of_as_many_values_as_are_needed(x, ys):
    pair, scaled = Pair(*x), Scaled(*ys)
    s = weighted(*x) + weighted(x[0], *ys[1:]) + weighted(*ys, c=x[1]) + pair.first * scaled.scale * scaled.second
    s = s + np.hypot(*x) + math.atan2(*ys) + max(*x) - min(*ys) + (lambda a, b: a * b)(*map(np.sin, x))
    return s + spread(*x) + spread(1.0, *ys) + total(*x) + total(ys[0], *x)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 2), [rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5)]), wrt=(0, 1))
def stars_in_lists(x, ys):
    zs = [1.0, *x, x[0], *ys]
    zs[1] = zs[1] * zs[4]
    grid = np.zeros((*x.shape, 2))
    return sum(zs) * zs[2] + np.sum((grid + x) ** 3)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, (2, 3)), [np.array([1.2, 0.5, 0.8]), rng.uniform(0.5, 1.5, 3)]),
         wrt=(0, 1))  # fmt: skip
def rows_transposed_by_zip(A, rows):
    s = 0.0
    for a, b in zip(*A):
        s = s + a * b**2
    for column in zip(*rows):
        s = s + sum(column) ** 2
    xs, ys = zip(*[(v, v**2) for v in A[0]])
    first, second = zip(*sorted((v, w) for v, w in zip(rows[0], A[1])))
    return s + sum(xs) * ys[1] + first[0] * second[2]


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3), 3))
def lists_of_positions_that_change(x, n):
    order = list(range(n))
    order[0], order[1] = order[1], order[0]
    left = list(range(3))
    left.remove(1)
    names = list({2: x[0], 0: x[1]})
    names.append(1)
    s = x[order[0]] * x[order[2]] ** 2 + x[left[1]] + x[names[0]] * x[names[2]]
    while left:
        s = s + x[left.pop()] ** 3
    return s


@dataclass
class Point:
    x: float
    y: float


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3), {"w": rng.uniform(0.5, 1.5, 3), "b": [1.0, 2.0]}), wrt=(0, 1))
def copies_of_arrays_containers_and_objects(x, table):
    y, z = copy.copy(x), copy.deepcopy(x)
    y[0] = y[1] * 2
    z *= 3
    kept = copy.deepcopy(table)
    rows = copy.deepcopy([x, y])
    for row in rows:
        row *= 2
    p = Point(x[0], x[1])
    q, r = copy.copy(p), copy.deepcopy(p)
    q.x, r.y = x[2], y[0]
    fields = dataclasses.asdict(p)
    a, b = dataclasses.astuple(q)
    s = sum(getattr(p, f.name) ** 2 for f in dataclasses.fields(p)) + fields["x"] * b + a * r.y
    return s + np.sum(x * y * z * kept["w"]) + kept["b"][1] * rows[0][1] * rows[1][0]


def affine(a, b, c):
    return a * b + c**2


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3), ["a", "b", "c"]))
def dicts_of_pairs(x, names):
    p, q = dict(zip(["a", "b"], x)), dict(zip(names, x))
    filled, empty = dict.fromkeys(names, x[0]), dict.fromkeys(("a", "b"), 0.0)
    empty["a"] += x[1]
    s = p["a"] * p["b"] ** 2 + q["c"] * q["a"] + sum(filled.values()) + empty["a"] ** 2 + empty["b"]
    return s + affine(**{name: v**2 for name, v in zip(names, x)}) + affine(x[0], **dict(zip(["b", "c"], x)))


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3), [rng.uniform(0.5, 1.5, (3, 3)), rng.uniform(0.5, 1.5, (3, 3))]),
         wrt=(0, 1))  # fmt: skip
def folds_of_sequences(x, matrices):
    y = reduce(lambda v, M: M @ v, matrices, x)
    running = list(itertools.accumulate(x, lambda a, b: a * b + 1.0))
    sums = list(itertools.accumulate(x, initial=2.0))
    s = reduce(lambda a, b: a * b + 1.0, x) + reduce(operator.add, [v**2 for v in x], 1.0)
    return np.sum(y) + s + running[2] * running[0] + sums[3] * len(sums)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3), [rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5)]), wrt=(0, 1))
def combinations_and_chains(x, ys):
    s = 0.0
    for a, b in itertools.product([0.1, 1.0], ys):
        s = s + a * b**2
    for a, b in itertools.combinations(x, 2):
        s = s + a * b**2
    for a, b in itertools.pairwise(x):
        s = s + (b - a) ** 2
    for a in itertools.chain(x, ys, (x[1], 1.0)):
        s = s + a**3
    for a in itertools.islice(x, 1, None):
        s = s * a
    for a, b in zip(x, itertools.repeat(ys[0], 3)):
        s = s + a * b
    return s + sum(itertools.starmap(operator.mul, zip(x, x)))
