"""Points to run an operation on, written down without drawing them.

    samples=calls(call(drawn(2, 3), axis=1), call([drawn(2), drawn(3)]))

is a sampler of two calls, the first `(x, axis=1)` for a random `x` of shape (2, 3), the second with a list of two
vectors. Whatever is not drawn is passed on as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.rules.rule import Sample, Sampler


@dataclass(frozen=True, slots=True)
class Drawn:
    """An array of standard normal numbers of shape `shape`, made into something else by `then`."""

    shape: tuple[int, ...]
    then: Callable[[Any], Any] = np.asarray


def drawn(*shape: int) -> Drawn:
    return Drawn(shape)


def complex_drawn(*shape: int) -> Drawn:
    """Complex numbers, both parts standard normal."""
    return Drawn((*shape, 2), lambda x: x[..., 0] + 1j * x[..., 1])


def number() -> Drawn:
    """A Python float."""
    return Drawn((), float)


def well_conditioned(*shape: int) -> Drawn:
    """Square matrices, the last two axes of `shape`, that are far from singular; their determinants are positive."""
    return Drawn(shape, lambda x: 0.3 * x + 2 * np.eye(shape[-1]))


def positive_definite(*shape: int) -> Drawn:
    """Symmetric matrices with eigenvalues that are positive and far from each other."""
    spread = np.diag(np.arange(1.0, shape[-1] + 1))
    return Drawn(shape, lambda x: 0.1 * (x + np.swapaxes(x, -1, -2)) + spread)


def complex_matrix(*shape: int) -> Drawn:
    """Square matrices as of `well_conditioned`, complex."""
    return Drawn((2, *shape), lambda x: 0.3 * (x[0] + 1j * x[1]) + 2 * np.eye(shape[-1]))


def call(*args: Any, **kwargs: Any) -> Sample:
    return args, kwargs


def calls(*each: Sample) -> Sampler:
    """The sampler of these calls."""

    def sample(rng: np.random.Generator) -> Iterator[Sample]:
        for args, kwargs in each:
            yield tuple(_fill(arg, rng) for arg in args), {name: _fill(arg, rng) for name, arg in kwargs.items()}

    return sample


def _fill(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, Drawn):
        return value.then(rng.normal(size=value.shape))
    if type(value) in (list, tuple):
        return type(value)(_fill(item, rng) for item in value)
    return value
