"""The adjoints of one block, while its reverse sweep is written.

An adjoint is assigned at its first contribution: there are no zeros. A name that is written, or read by subscripts, or
summed into from inside of a loop, has an adjoint in memory instead: allocated once, before the first contribution, and
added to in place.

A list or a tuple that the function itself builds has one adjoint for each element.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcgrad.ir import Atom, Var

Key = tuple[str, int | None]  # a name, or one element of what it builds


@dataclass
class Adjoints:
    """`values` holds adjoints that are values, `memory` those that are buffers; `outer` is the enclosing block's."""

    values: dict[Key, Atom] = field(default_factory=dict)
    memory: dict[str, Var] = field(default_factory=dict)
    outer: Adjoints | None = None

    def buffer(self, name: str) -> Var | None:
        found = self.memory.get(name)
        return found if found is not None or self.outer is None else self.outer.buffer(name)

    def branch(self) -> Adjoints:
        """For a branch: it starts from what is known here; buffers stay shared."""
        return Adjoints(dict(self.values), {}, self)

    def inner(self) -> Adjoints:
        """For a loop's body: values start from nothing; buffers stay shared."""
        return Adjoints({}, {}, self)

    def take(self, name: str, part: int | None = None) -> Atom | None:
        """The adjoint that is a value, which has then been used up."""
        return self.values.pop((name, part), None)

    def parts(self, name: str) -> list[int]:
        return [part for key, part in self.values if key == name and part is not None]
