"""What a generated expression is, the choices that it is made from, and the names in scope.

    Array((3,))     a vector of length 3
    Int(4)          an integer from 0 to 3: an index of an axis of length 4
    List(FLOAT, 2)  a list of floats that has two elements or more
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")


class Choices(Protocol):
    """Where decisions come from; 0 is the simplest choice, which Hypothesis shrinks to."""

    def below(self, n: int) -> int: ...


class RandomChoices:
    """The choices of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, n: int) -> int:
        return int(self._random.random() * n)


@dataclass(frozen=True)
class Float:
    """A Python float or a NumPy scalar."""


@dataclass(frozen=True)
class Bool:
    pass


@dataclass(frozen=True)
class Int:
    """An integer from 0 to `bound` - 1; `bound` 0: any integer."""

    bound: int = 0


@dataclass(frozen=True)
class Array:
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Indices:
    """A constant array of integers from 0 to `bound` - 1, with repetitions."""

    length: int
    bound: int


@dataclass(frozen=True)
class Tuple:
    items: tuple[Kind, ...]


@dataclass(frozen=True)
class List:
    """`length` elements or more."""

    item: Kind
    length: int


@dataclass(frozen=True)
class Dict:
    """These keys or more, all with elements of one kind."""

    item: Kind
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Object:
    """An object of the class `State`: `p` is a vector of this length, `q` a float, `r` a list of two such vectors."""

    length: int


Kind = Float | Bool | Int | Array | Indices | Tuple | List | Dict | Object

FLOAT, BOOL = Float(), Bool()

NAMES = tuple("y z s t r u v w q g h e d p l o".split())

FEATURES = (
    "stores slice_stores row_stores mask_stores index_stores chained_stores augmented views alias store_arguments "
    "branches for while jumps returns loop_else lists tuples helpers closures choices masks comprehensions matrices "
    "integers boolean_operators rebinding swaps reversed_steps joins methods exceptions dicts outs norms buffers "
    "elements whole objects"
).split()


@dataclass(frozen=True)
class Signature:
    """A function that a program may call; `defaults` tells which parameters may be left out."""

    name: str
    params: tuple[tuple[str, Kind], ...]
    defaults: tuple[str, ...]
    result: Kind | None
    keyword_only: tuple[str, ...] = ()


@dataclass
class Maker:
    """What the parts of the generator share: choices, features, the names in scope, the lines so far."""

    choices: Choices
    features: frozenset[str] = frozenset()
    scope: dict[str, Kind] = field(default_factory=dict)
    functions: list[Signature] = field(default_factory=list)
    length: int = 3

    def below(self, n: int) -> int:
        return self.choices.below(n)

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def chance(self, percent: int) -> bool:
        return self.below(100) >= 100 - percent

    def has(self, feature: str) -> bool:
        return feature in self.features

    def weighted(self, options: Sequence[tuple[int, Callable[[], T]]]) -> T:
        """The result of one of the functions, chosen by weight; weight 0: not possible here."""
        at = self.below(sum(weight for weight, _ in options))
        for weight, function in options:
            at -= weight
            if at < 0:
                return function()
        raise AssertionError

    def names(self, kind: type | Kind) -> list[str]:
        """The names in scope that have a kind, or any kind of a class."""
        if isinstance(kind, type):
            return [name for name, known in self.scope.items() if isinstance(known, kind)]
        return [name for name, known in self.scope.items() if known == kind]

    def arrays(self, rank: int) -> list[tuple[str, tuple[int, ...]]]:
        return [(n, k.shape) for n, k in self.scope.items() if isinstance(k, Array) and len(k.shape) == rank]
