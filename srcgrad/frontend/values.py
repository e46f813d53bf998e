"""What a name of the user's may stand for beside an atom of the IR: what exists only while the function is lowered.

    step = functools.partial(rk4, f)        Partial(rk4, (f,), ())
    state = State(x, v)                     Record(State, ("x", "v"), (x.0, v.1))      a NamedTuple, a frozen dataclass
    optimiser = Adam(rate)                  Instance(Adam, 3), its fields in the environment under "<3.rate>", ...

Tuples and the compounds below are made of values: two of one structure are joined leaf by leaf. Closures and instances
are leaves that are no atoms: they are the same thing on every path, or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import gast

from srcgrad.frontend.source import Source
from srcgrad.ir import Atom, Const, Undefined, Var


@dataclass(frozen=True, eq=False)
class Closure:
    """A function or lambda defined in the body; its free names are looked up in the frame that made it.

    `defaults` are the values that its parameters had as defaults when it was made; `targets` the names of the
    comprehensions around it, which have other values, or none, later.
    """

    node: gast.FunctionDef | gast.Lambda
    frame: Frame
    defaults: tuple[tuple[str, Value], ...] = ()
    targets: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "<lambda>")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Closure):
            return NotImplemented
        return self.node is other.node and self.frame is other.frame and self.defaults == other.defaults

    def __hash__(self) -> int:
        return id(self.node)


@dataclass(frozen=True)
class Instance:
    """An object of a class of the user's that was made in the body. Its fields are in the environment, so that every
    name of it sees one state; `number` tells it from others."""

    cls: type
    number: int

    def cell(self, name: str) -> str:
        return cell(self.number, name)


class Compound:
    """A value that is made of values."""

    @property
    def head(self) -> Hashable:
        """What two compounds of one structure have in common, beside the structures of their parts."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Value, ...]:
        raise NotImplementedError

    def like(self, parts: tuple[Value, ...]) -> Compound:
        raise NotImplementedError


@dataclass(frozen=True)
class Bound(Compound):
    """A method taken from its object: `step = model.step`. `function` is a value, or the name of an array's method."""

    function: Any
    owner: Value

    @property
    def head(self) -> Hashable:
        return ("bound", self.function)

    @property
    def parts(self) -> tuple[Value, ...]:
        return (self.owner,)

    def like(self, parts: tuple[Value, ...]) -> Bound:
        return Bound(self.function, parts[0])


@dataclass(frozen=True)
class Partial(Compound):
    """`functools.partial(function, *args, **keywords)`."""

    function: Value
    args: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]

    @property
    def head(self) -> Hashable:
        return ("partial", len(self.args), tuple(key for key, _ in self.keywords))

    @property
    def parts(self) -> tuple[Value, ...]:
        return (self.function, *self.args, *(value for _, value in self.keywords))

    def like(self, parts: tuple[Value, ...]) -> Partial:
        function, *rest = parts
        split = len(self.args)
        keys = [key for key, _ in self.keywords]
        return Partial(function, tuple(rest[:split]), tuple(zip(keys, rest[split:], strict=True)))


@dataclass(frozen=True)
class Record(Compound):
    """An object that cannot change, of a NamedTuple or a frozen dataclass."""

    cls: type
    names: tuple[str, ...]
    items: tuple[Value, ...]

    @property
    def head(self) -> Hashable:
        return ("record", self.cls, self.names)

    @property
    def parts(self) -> tuple[Value, ...]:
        return self.items

    def like(self, parts: tuple[Value, ...]) -> Record:
        return replace(self, items=parts)

    @property
    def is_tuple(self) -> bool:
        return issubclass(self.cls, tuple)


@dataclass(frozen=True)
class Table(Compound):
    """A list or dict that holds functions or objects; it does not change. `keys` are those of a dict."""

    kind: str
    keys: tuple[Any, ...]
    items: tuple[Value, ...]

    @property
    def head(self) -> Hashable:
        return (self.kind, self.keys)

    @property
    def parts(self) -> tuple[Value, ...]:
        return self.items

    def like(self, parts: tuple[Value, ...]) -> Table:
        return replace(self, items=parts)


@dataclass(frozen=True)
class Super(Compound):
    """`super()` in a method of `cls`."""

    cls: type
    owner: Value

    @property
    def head(self) -> Hashable:
        return ("super", self.cls)

    @property
    def parts(self) -> tuple[Value, ...]:
        return (self.owner,)

    def like(self, parts: tuple[Value, ...]) -> Super:
        return Super(self.cls, parts[0])


@dataclass(frozen=True)
class Choice(Compound):
    """One of two functions: a call of it is a branch."""

    test: Atom
    then: Value
    orelse: Value

    @property
    def head(self) -> Hashable:
        return ("choice",)

    @property
    def parts(self) -> tuple[Value, ...]:
        return (self.test, self.then, self.orelse)

    def like(self, parts: tuple[Value, ...]) -> Choice:
        test, then, orelse = parts
        assert isinstance(test, Var | Const)
        return Choice(test, then, orelse)


@dataclass(frozen=True)
class Lazy(Compound):
    """A call of `zip`, `enumerate` or `reversed`, which a loop takes apart."""

    function: Any
    args: tuple[Value, ...]

    @property
    def head(self) -> Hashable:
        return ("lazy", self.function)

    @property
    def parts(self) -> tuple[Value, ...]:
        return self.args

    def like(self, parts: tuple[Value, ...]) -> Lazy:
        return Lazy(self.function, parts)


@dataclass(frozen=True)
class Star(Compound):
    """A starred argument, `*values`, of which the number of elements is not known."""

    value: Value
    node: Any

    @property
    def head(self) -> Hashable:
        return ("star",)

    @property
    def parts(self) -> tuple[Value, ...]:
        return (self.value,)

    def like(self, parts: tuple[Value, ...]) -> Star:
        return replace(self, value=parts[0])


Value = Atom | tuple[Any, ...] | Closure | Instance | Compound
Leaf = Atom | Closure | Instance
Environment = dict[str, Value]


@dataclass(eq=False)
class Frame:
    """One activation of a function that is lowered in line: its names, its source, the frame it was defined in.

    `cells` are the variables that functions defined inside write: they are in the environment under other names, which
    go with it into those functions and back.
    """

    source: Source
    environment: Environment
    parent: Frame | None = None
    static: bool = False  # a rule's body: every test must be settled by what is known
    prefix: str = ""
    loops: int = 0
    declared_global: set[str] = field(default_factory=set)
    tree: Any = None
    cells: dict[str, str] = field(default_factory=dict)
    hidden: Environment = field(default_factory=dict)  # what names mean that comprehensions use for their own

    def get(self, name: str) -> Value | None:
        """The value of a variable that functions defined inside do not write."""
        return self.find(name, {})

    def key(self, name: str) -> str:
        """The name under which the environment has a variable of this function."""
        return self.cells.get(name, name)

    def find(self, name: str, cells: Environment) -> Value | None:
        """The value of a variable of this function or of one around it; `cells` has what inner functions write."""
        if name in self.cells:
            return cells.get(self.cells[name])
        value = self.environment.get(name)
        if value is None and self.parent is not None:
            return self.parent.find(name, cells)
        return value


def cell(number: int, name: str) -> str:
    """The name in the environment of a field of an object, or of a variable that an inner function writes."""
    return f"<{number}.{name}>"


def is_cell(name: str) -> bool:
    return name[0] == "<" and name[1].isdigit()


def cell_parts(name: str) -> tuple[int, str]:
    number, _, field_name = name[1:-1].partition(".")
    return int(number), field_name


def parts_of(value: Value) -> tuple[Value, ...] | None:
    """The values that a value is made of; None for a leaf."""
    if isinstance(value, tuple):
        return value
    return value.parts if isinstance(value, Compound) else None


def with_parts(value: Value, parts: tuple[Value, ...]) -> Value:
    return value.like(parts) if isinstance(value, Compound) else parts


def leaves(value: Value) -> list[Leaf]:
    """The leaves of a value, in order."""
    parts = parts_of(value)
    if parts is None:
        return [value]  # type: ignore[list-item]
    return [leaf for item in parts for leaf in leaves(item)]


def atoms_of(value: Value) -> list[Atom]:
    """The leaves that are atoms."""
    return [leaf for leaf in leaves(value) if isinstance(leaf, Var | Const)]


def same_structure(a: Value, b: Value) -> bool:
    left, right = parts_of(a), parts_of(b)
    if left is None or right is None:
        return left is right
    if isinstance(a, tuple) != isinstance(b, tuple):
        return False
    if isinstance(a, Compound) and isinstance(b, Compound) and a.head != b.head:
        return False
    return len(left) == len(right) and all(map(same_structure, left, right))


def rebuild(template: Value, new: Iterator[Any]) -> Value:
    """A value of the structure of `template` with these leaves."""
    parts = parts_of(template)
    if parts is None:
        value: Value = next(new)
        return value
    return with_parts(template, tuple([rebuild(item, new) for item in parts]))


def with_atoms(template: Value, atoms: Iterator[Any]) -> Value:
    """A value like `template` with these atoms; its other leaves stay."""
    return mapped(template, lambda leaf: next(atoms) if isinstance(leaf, Var | Const) else leaf)


def mapped(value: Value, change: Callable[[Leaf], Value]) -> Value:
    """A value with every leaf replaced."""
    parts = parts_of(value)
    if parts is None:
        return change(value)  # type: ignore[arg-type]
    return with_parts(value, tuple([mapped(item, change) for item in parts]))


def rename_instance(environment: Environment, old: Instance, new: Instance) -> None:
    """Puts one object in the place of another: what the names of the other meant is forgotten."""
    for name in [name for name in environment if is_cell(name) and cell_parts(name)[0] == new.number]:
        del environment[name]
    for name, value in list(environment.items()):
        value = mapped(value, lambda leaf: new if leaf == old else leaf)
        if is_cell(name) and cell_parts(name)[0] == old.number:
            del environment[name]
            name = new.cell(cell_parts(name)[1])
        environment[name] = value


def same_names(a: Environment, b: Environment) -> bool:
    """Whether two environments have the same names for the same values."""
    return a.keys() == b.keys() and all(a[name] is b[name] or a[name] == b[name] for name in a)


def is_undefined(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, Undefined)


def is_true(value: Value) -> bool:
    return isinstance(value, Const) and value.value is True


def constantly(value: Value) -> Callable[[], Value]:
    return lambda: value


__all__ = [
    "Bound", "Choice", "Closure", "Compound", "Environment", "Frame", "Instance", "Lazy", "Leaf", "Partial",
    "Record", "Star", "Super", "Table", "Value", "atoms_of", "cell", "cell_parts", "constantly", "is_cell", "is_true",
    "is_undefined", "leaves", "mapped", "parts_of", "rebuild", "rename_instance", "same_names", "same_structure",
    "with_atoms", "with_parts",
]  # fmt: skip
