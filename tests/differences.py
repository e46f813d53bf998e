"""Central differences for the tests, over trees: arrays, floats, and tuples, lists and dicts of them.

    gradient(lambda x: float(np.sum(x**3)), np.array([1.0, 2.0]))        # [3, 12]
    gradient(lambda t: t[0] * t[1], (2.0, 5.0))                          # (5.0, 2.0)

A leaf that is not floating point has no derivative: its gradient, and its seed, is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Tree = Any

# Weights of the five-point stencil: with steps of 1e-4 its error is that of rounding, about 1e-11 of the value.
_STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
STEP = 1e-4


def tree_map(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """`function` of every leaf, with the leaves of the other trees at its place; the structure of `tree`."""
    if isinstance(tree, dict):
        return {key: tree_map(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, list | tuple):
        for other in others:
            assert isinstance(other, list | tuple), f"{other!r} is not shaped like {tree!r}"
            assert len(other) == len(tree), f"{other!r} is not shaped like {tree!r}"
        return type(tree)(tree_map(function, *items) for items in zip(tree, *others, strict=True))
    return function(tree, *others)


def leaves(tree: Tree) -> Iterator[Any]:
    """The leaves of a tree from left to right."""
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, list | tuple):
        for item in tree:
            yield from leaves(item)
    else:
        yield tree


def is_floating(leaf: Any) -> bool:
    return isinstance(leaf, float) or (isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind == "f")


def has_floating(tree: Tree) -> bool:
    return any(is_floating(leaf) for leaf in leaves(tree))


def copied(tree: Tree) -> Tree:
    return tree_map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, tree)


def widened(tree: Tree) -> Tree:
    """The tree with its float32 leaves in float64, where differences can be taken."""

    def widen(leaf: Any) -> Any:
        single = isinstance(leaf, np.ndarray | np.generic) and leaf.dtype == np.float32
        return leaf.astype(np.float64) if single else leaf

    return tree_map(widen, tree)


def random_like(tree: Tree, rng: np.random.Generator) -> Tree:
    """A random cotangent for a value: same structure, shapes and dtypes."""

    def draw(leaf: Any) -> Any:
        if not is_floating(leaf):
            return None
        if isinstance(leaf, np.ndarray):
            return rng.standard_normal(leaf.shape).astype(leaf.dtype)
        return type(leaf)(rng.standard_normal())

    return tree_map(draw, tree)


def dot(cotangent: Tree, value: Tree) -> float:
    """The sum of the products of all leaves; a cotangent of None counts for nothing."""
    products: list[float] = []
    tree_map(
        lambda v, c: products.append(0.0 if c is None else float(np.sum(np.asarray(c, np.float64) * v))),
        value,
        cotangent,
    )
    return sum(products)


def gradient(function: Callable[[Tree], float], tree: Tree, step: float = STEP) -> Tree:
    """The central differences of a number with respect to every floating point element of a tree.

    `function` gets a fresh copy at every call and may write into it.
    """

    def difference(place: tuple[Any, ...], leaf: Any, index: Any) -> float:
        value = leaf if index is None else leaf[index]
        h = step * max(1.0, abs(float(value)))
        return sum(
            weight * function(copied(_replaced(tree, place, _moved(leaf, index, k * h)))) for k, weight in _STENCIL
        ) / h

    def visit(subtree: Tree, place: tuple[Any, ...]) -> Tree:
        if isinstance(subtree, dict):
            return {key: visit(item, (*place, key)) for key, item in subtree.items()}
        if isinstance(subtree, list | tuple):
            return type(subtree)(visit(item, (*place, i)) for i, item in enumerate(subtree))
        if not is_floating(subtree):
            return None
        if not isinstance(subtree, np.ndarray):
            return difference(place, subtree, None)
        out = np.zeros(subtree.shape)
        for index in np.ndindex(subtree.shape):
            out[index] = difference(place, subtree, index)
        return out

    return visit(tree, ())


def _moved(leaf: Any, index: tuple[int, ...] | None, by: float) -> Any:
    if index is None:
        return type(leaf)(leaf + by)
    moved = leaf.copy()
    moved[index] += by
    return moved


def _replaced(tree: Tree, place: tuple[Any, ...], leaf: Any) -> Tree:
    if not place:
        return leaf
    head, *rest = place
    if isinstance(tree, dict):
        return {**tree, head: _replaced(tree[head], tuple(rest), leaf)}
    return type(tree)(_replaced(item, tuple(rest), leaf) if i == head else item for i, item in enumerate(tree))


def assert_close(actual: Tree, expected: Tree, rtol: float = 1e-5, atol: float = 1e-8) -> None:
    """Every leaf of the one near that of the other. The absolute tolerance grows with the largest of the leaf."""

    def compare(e: Any, a: Any) -> None:
        if e is None or a is None:
            assert e is a, f"{a!r} where {e!r} is expected"
            return
        largest = float(np.max(np.abs(e), initial=1.0))
        np.testing.assert_allclose(a, e, rtol=rtol, atol=atol * largest)

    tree_map(compare, expected, actual)


def assert_identical(actual: Tree, expected: Tree) -> None:
    """The same types, shapes, dtypes and bits."""

    def compare(e: Any, a: Any) -> None:
        assert type(a) is type(e), f"{type(a).__name__} where {type(e).__name__} is expected"
        if isinstance(e, np.ndarray | np.generic):
            assert (a.dtype, a.shape) == (e.dtype, e.shape)
            assert a.tobytes() == e.tobytes(), f"{a!r} is not bit for bit {e!r}"
        elif isinstance(e, float):
            assert a.hex() == e.hex()
        elif not callable(e):
            assert a == e

    assert type(actual) is type(expected), f"{type(actual).__name__} where {type(expected).__name__} is expected"
    tree_map(compare, expected, actual)


def assert_same_kind(gradient: Tree, argument: Tree) -> None:
    """A gradient is of the kind of its argument: a float stays a float, an array keeps its dtype and shape."""

    def compare(x: Any, g: Any) -> None:
        if not is_floating(x):
            assert g is None, f"{g!r} for {x!r}, which has no derivative"
        elif isinstance(x, float):  # np.float64 is a float as well; an array without axes is not
            assert isinstance(g, float), f"{type(g).__name__} for a float"
        else:
            assert isinstance(g, np.ndarray | np.generic), f"{type(g).__name__} for {type(x).__name__}"
            assert (g.dtype, g.shape) == (x.dtype, x.shape)

    tree_map(compare, argument, gradient)
