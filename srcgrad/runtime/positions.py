"""What gathers and stores send back: cotangents that go to the positions that elements were taken from."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcgrad.runtime.basic import zeros_for


def add_at(target: Any, index: Any, values: Any) -> None:
    """`target[index] += values`, where every occurrence of an element that the index repeats counts."""
    if _holds_integers(index):
        np.add.at(target, index, values)
    else:
        target[index] += values


def _holds_integers(index: Any) -> bool:
    """Whether an index has an array or a list of integers in it: only those can name an element twice."""
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(item, list | np.ndarray) and np.asarray(item).dtype.kind != "b" for item in items)


def store_mask(shape: tuple[int, ...], index: Any) -> Any:
    """Where, in the shape of `target[index]`, a store `target[index] = value` is not overwritten by itself.

    An index of integer arrays may name an element several times; the last write is the one that stays.
    """
    if not _holds_integers(index):
        return True  # also for a list or dict, which is indexed by one position or key
    owner = np.zeros(shape, np.intp)
    writes = np.arange(owner[index].size).reshape(owner[index].shape)
    # The same store as the program's, so that the order of the writes is the same one.
    owner[index] = writes
    return owner[index] == writes


def inserted_at(position: int, length: int) -> int:
    """Where in a list that now has this length an element stands that was put there by `insert(position, ...)`.

    >>> inserted_at(1, 4), inserted_at(9, 4), inserted_at(-1, 4), inserted_at(-9, 4)
    (1, 3, 2, 0)
    """
    return min(position, length - 1) if position >= 0 else max(position + length - 1, 0)


def taken_from(position: int, length: int) -> int:
    """Where in a list that now has this length an element stood that was taken out by `pop(position)`.

    >>> taken_from(1, 3), taken_from(-1, 3), taken_from(-4, 3)
    (1, 3, 0)
    """
    return position if position >= 0 else position + length + 1


def position_of(items: Any, value: Any) -> int:
    """The position of the first element that equals a value; raises what `list.remove` raises."""
    for k, item in enumerate(items):
        if item is value or item == value:
            return k
    raise ValueError("list.remove(x): x not in list")


def order(keys: Any, reverse: Any = False) -> list[int]:
    """The positions of elements in the order of their keys, as `sorted` has it.

    >>> order([3.0, 1.0, 2.0]), order([1, 1, 2], True)
    ([1, 2, 0], [2, 0, 1])
    """
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)


def furthest(keys: Any, largest: Any) -> int:
    """The position of the largest or the smallest key, the first one of equals, as `max` and `min` have it.

    >>> furthest([2, 3, 3], True), furthest([2, 1, 1], False)
    (1, 1)
    """
    return (max if largest else min)(range(len(keys)), key=keys.__getitem__)


def keys_of(x: Any) -> list[Any]:
    """What the parts of a container are taken by, as they are now: the keys of a dict, the positions of a list."""
    return list(x) if hasattr(x, "keys") else list(range(len(x)))


def unrepeat(g: Any, length: int) -> list[Any]:
    """The cotangents of the elements of a list of this length from those of the list repeated."""
    found = []
    for k in range(length):
        total = g[k]
        for i in range(k + length, len(g), length):
            total = total + g[i]
        found.append(total)
    return found


def untake(g: Any, x: Any, indices: Any, axis: int | None) -> Any:
    """The cotangent of `x` from that of `np.take(x, indices, axis)`: repeated elements are summed."""
    x_bar = zeros_for(x, g)
    # np.take reads booleans as the integers 0 and 1, np.add.at as a mask.
    indices = np.asarray(indices, np.intp)
    if axis is None:
        np.add.at(x_bar.reshape(-1), indices, g)
        return x_bar
    axis %= x_bar.ndim
    taken = tuple(range(axis, axis + indices.ndim))
    np.add.at(np.moveaxis(x_bar, axis, 0), indices, np.moveaxis(g, taken, tuple(range(indices.ndim))))
    return x_bar


def untake_along_axis(g: Any, x: Any, indices: Any, axis: int | None) -> Any:
    """The cotangent of `x` from that of `np.take_along_axis(x, indices, axis)`."""
    x_bar = zeros_for(x, g)
    if axis is None:
        np.add.at(x_bar.reshape(-1), indices, g)
        return x_bar
    grid = [np.arange(n).reshape((-1,) + (1,) * (x.ndim - 1 - k)) for k, n in enumerate(g.shape)]
    # An axis of length 1 of the one is stretched to the other's: those of x are read at 0 then.
    grid = [positions % max(n, 1) for positions, n in zip(grid, x.shape, strict=True)]
    grid[axis] = indices
    np.add.at(x_bar, tuple(grid), g)
    return x_bar


def undiagonal(g: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The cotangent of `x` from that of `np.diagonal(x, offset, axis1, axis2)`: zero off the diagonal."""
    x_bar = zeros_for(x, g)
    along = np.arange(g.shape[-1])
    np.moveaxis(x_bar, (axis1, axis2), (-2, -1))[..., along + max(-offset, 0), along + max(offset, 0)] = g
    return x_bar


def inserted_positions(obj: Any, before: int, after: int) -> Any:
    """Where `np.insert` puts new elements into an axis that had one length before and another after, in their order.

    >>> inserted_positions([3, 0], 4, 6)
    array([4, 0])
    """
    return np.argsort(np.insert(np.full(before, -1), obj, np.arange(after - before)), kind="stable")[before:]
