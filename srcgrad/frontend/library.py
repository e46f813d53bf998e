"""Classes of Python's library in terms of lists and dicts, which are lowered in their place like a user's own.

    q = collections.deque(maxlen=2)          items = []
    q.append(x)                        ->    append(items, x)
                                             if len(items) > 2: pop(items, 0)

An object of one of these classes is never made: what cannot be lowered with its code is refused.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

_MISSING = object()


class Deque:
    """`collections.deque`."""

    def __init__(self, iterable: Any = (), maxlen: int | None = None) -> None:
        self.items: list[Any] = []
        self.maxlen = maxlen
        self.extend(iterable)

    def append(self, value: Any) -> None:
        self.items.append(value)
        if self.maxlen is not None and len(self.items) > self.maxlen:
            self.items.pop(0)

    def appendleft(self, value: Any) -> None:
        self.items.insert(0, value)
        if self.maxlen is not None and len(self.items) > self.maxlen:
            self.items.pop()

    def extend(self, iterable: Any) -> None:
        for value in iterable:
            self.append(value)

    def __iadd__(self, iterable: Any) -> Any:
        self.extend(iterable)
        return self

    def insert(self, index: int, value: Any) -> None:
        if self.maxlen is not None and len(self.items) >= self.maxlen:
            raise IndexError("deque already at its maximum size")
        self.items.insert(index, value)

    def remove(self, value: Any) -> None:
        self.items.remove(value)

    def copy(self) -> Any:
        return collections.deque(self.items, self.maxlen)

    def index(self, value: Any) -> int:
        return self.items.index(value)

    def count(self, value: Any) -> int:
        return self.items.count(value)

    def extendleft(self, iterable: Any) -> None:
        for value in iterable:
            self.appendleft(value)

    def pop(self) -> Any:
        return self.items.pop()

    def popleft(self) -> Any:
        return self.items.pop(0)

    def clear(self) -> None:
        self.items.clear()

    def reverse(self) -> None:
        self.items.reverse()

    def rotate(self, n: int = 1) -> None:
        for _ in range(n):
            self.items.insert(0, self.items.pop())
        for _ in range(-n):
            self.items.append(self.items.pop(0))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return self.items  # type: ignore[return-value]  # a list is walked as it stands

    def __reversed__(self) -> Any:
        return reversed(self.items)

    def __contains__(self, value: Any) -> bool:
        return value in self.items

    def __eq__(self, other: Any) -> Any:
        return self.items == other.items

    def __getitem__(self, index: int) -> Any:
        return self.items[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self.items[index] = value


class DefaultDict:
    """`collections.defaultdict`."""

    def __init__(self, factory: Any = None) -> None:
        self.items_: dict[Any, Any] = {}
        self.default_factory = factory

    def __getitem__(self, key: Any) -> Any:
        if key not in self.items_:
            self.items_[key] = self.default_factory()
        return self.items_[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items_[key] = value

    def __contains__(self, key: Any) -> bool:
        return key in self.items_

    def __len__(self) -> int:
        return len(self.items_)

    def __iter__(self) -> Iterator[Any]:
        return self.items_.keys()  # type: ignore[return-value]

    def get(self, key: Any, default: Any = None) -> Any:
        return self.items_.get(key, default)

    def pop(self, key: Any) -> Any:
        return self.items_.pop(key)

    def __eq__(self, other: Any) -> Any:
        return self.items_ == other

    def setdefault(self, key: Any, default: Any = None) -> Any:
        return self.items_.setdefault(key, default)

    def keys(self) -> Any:
        return self.items_.keys()

    def values(self) -> Any:
        return self.items_.values()

    def items(self) -> Any:
        return self.items_.items()


for _public, _inner in ((collections.deque, Deque), (collections.defaultdict, DefaultDict)):
    _inner.__name__ = _public.__name__  # as messages have it

STAND_INS: dict[Any, type] = {collections.deque: Deque, collections.defaultdict: DefaultDict}
