"""What every part of the lowering uses: the builder, the frame, names, joins, refusals."""

from __future__ import annotations

import enum
import functools
import operator
import sys
import sysconfig
import types as python_types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import gast
import numpy as np

from srcgrad.build import Builder
from srcgrad.errors import Place, SrcgradError, UnsupportedSyntax
from srcgrad.frontend.scope import Access, plain
from srcgrad.frontend.source import MissingName
from srcgrad.frontend.values import Environment, Frame, Lazy, Value, is_undefined
from srcgrad.ir import UNDEFINED, Append, Atom, Const, Fn, Global, Let, Origin, Store, Undefined, Update, Var, hint
from srcgrad.runtime import stop_gradient
from srcgrad.types import OBJECT, UNKNOWN, Type, fields_of, join, type_of


class Mixed(Undefined):
    """The value of a name that stands for two things which cannot be joined."""

    read = (
        "`{}` is one of two things here that have not one structure",
        "give it one structure, and one function or object, on every path, or use it in each branch",
    )
    used = (
        "a name holds values of different structure on different paths from here",
        "give it one structure, or another name",
    )


@dataclass(frozen=True, eq=False)
class Half(Mixed):
    """The value of a name that the body of a `try` assigns, and may have assigned or not when it raised.

    Behind the statement it has `value` where the flag `raised` is false.
    """

    raised: str = ""
    value: Value = UNDEFINED

    read = (
        "`{}` may have been assigned or not when the `try` raised",
        "assign it before the `try` statement, or in the handler before it is used",
    )
    used = (
        "a name that is used later may have been assigned or not when a `try` raised here",
        "assign it before the `try` statement, or in its handlers",
    )


class Ended(Mixed):
    """The value of a name of an iterator that has been used."""

    read = (
        "`{}` is an iterator that has been used before, and has no more elements",
        "make a list of it where it is assigned: `list(...)`",
    )
    used = read


ENDED = Const(Ended())
MIXED = Const(Mixed())
HALF = Const(Half())


def is_half(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, Half)


def is_mixed(value: Value) -> TypeGuard[Const]:
    return isinstance(value, Const) and isinstance(value.value, Mixed)


@dataclass(frozen=True, eq=False)
class Owner:
    """An object whose attributes the generated code reads, told from others by its identity."""

    value: Any
    __module__ = "srcgrad.frontend.base"


def is_known(found: Any) -> bool:
    """Whether an object is part of the program rather than data: a function, a class, a module."""
    if isinstance(found, python_types.ModuleType | type) or hasattr(type(found), "generated_function"):
        return True
    plain = (python_types.FunctionType, python_types.MethodType, functools.partial)
    if not callable(found) or isinstance(found, plain):
        return callable(found)
    written = isinstance(type(found).__call__, python_types.FunctionType) and fields_of(found) is not None
    return not written or type(found).__module__.partition(".")[0] == "numpy"


_REFUSED = "_refused"


_LIBRARIES = frozenset(
    "builtins numpy math cmath operator _operator scipy functools collections random srcgrad".split()
)


_LIBRARY = sysconfig.get_path("stdlib")
_READABLE = ("typing", "colorsys")  # modules of the library whose functions are lowered in line
_CHANGING = frozenset(
    "heappush heappop heapify heapreplace heappushpop insort insort_left insort_right shuffle setattr".split()
)


def is_of_library(function: Any) -> bool:
    """Whether a function of Python's library is called as it stands: where a derivative flows, there is no rule for it.

    Those that change an argument are none of them.
    """
    if not isinstance(function, python_types.FunctionType | python_types.BuiltinFunctionType):
        return False
    module = (getattr(function, "__module__", None) or "").partition(".")[0]
    if module not in sys.stdlib_module_names or module in _READABLE or function.__name__ in _CHANGING:
        return False
    if isinstance(function, python_types.BuiltinFunctionType):
        return isinstance(function.__self__, python_types.ModuleType)
    file = function.__code__.co_filename
    return file.startswith(_LIBRARY) and "site-packages" not in file and not hasattr(function, "__wrapped__")


def is_users_own(value: Value) -> TypeGuard[Const]:
    """Whether a value is a class or a function of the user's, which the generated code can only read as an object."""
    if not isinstance(value, Const) or not isinstance(value.value, type | python_types.FunctionType):
        return False
    return value.value.__module__.partition(".")[0] not in _LIBRARIES and not is_of_library(value.value)


class Undecided(Exception):
    """A test in the body of a rule that the known types do not settle."""


@dataclass
class Free:
    """The free names of a function: what is read when it is called, and what must still be the same object then.

    `accesses` maps the printed name of a `Global` to how it is read; `identities` lists callables and modules that the
    generated code was made from.
    """

    accesses: dict[str, Access] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    identities: dict[Access, object] = field(default_factory=dict)


class Base:
    def __init__(self, builder: Builder, free: Free | None = None) -> None:
        self.builder = builder
        self.free = free or Free()
        self.offences: list[SrcgradError] = []
        self.node: gast.AST = gast.Pass()
        self.sites: dict[str, object] = {}  # where a container that is known by this name was made
        self.contents: dict[object, Type] = {}  # what containers made there come to hold
        self.holds: dict[object, set[tuple[str, object]]] = {}  # kinds and sites of containers that others hold
        self.active_frames: list[Frame] = []
        self.owners: dict[int, Access] = {}  # objects that were found in others, by identity
        self.defaults: dict[int, dict[str, Value]] = {}  # of functions defined inside, by their text
        self.constant = 0  # `no_grad` statements around what is lowered
        self.made = 0  # objects and cells so far
        self.flags: dict[str, tuple[str, bool]] = {}  # says whether a `try` raised: its flag, if not negated

    @property
    def frame(self) -> Frame:
        return self.active_frames[-1]

    @contextmanager
    def inside(self, frame: Frame) -> Iterator[None]:
        self.active_frames.append(frame)
        try:
            yield
        finally:
            self.active_frames.pop()

    # Refusals

    def place(self, node: gast.AST) -> Place:
        return self.frame.source.place(node)

    def refuse(
        self, node: gast.AST, problem: str, remedy: str = "", kind: type[SrcgradError] = UnsupportedSyntax
    ) -> Var:
        """Notes an offence and goes on with a value of which nothing is known, to find the others."""
        offence = kind(problem, self.place(node), remedy)
        if str(offence) not in map(str, self.offences):
            self.offences.append(offence)
        return self.offended()

    def offended(self) -> Var:
        """A value that stands for what was refused."""
        refused = self.builder.declare(_REFUSED)
        self.builder.emit(Let(refused.name, Global(_REFUSED), (), (), self.builder.origin))
        return refused

    def is_refused(self, value: Value) -> bool:
        """Whether a value stands for something that was refused already."""
        return isinstance(value, Var) and value.name.startswith(_REFUSED)

    # Names

    def name(self, node: gast.Name) -> Value:
        value = None if node.id in self.frame.declared_global else self.frame.find(node.id, self.frame.environment)
        if value is None:
            return self.free_name(node)
        if is_mixed(value):
            problem, remedy = value.value.read
            return self.refuse(node, problem.format(node.id), remedy)
        if is_undefined(value):
            return self.refuse(node, f"`{node.id}` has no value here", "assign it on every path that leads here")
        if isinstance(value, Lazy) and self.frame.key(node.id) in self.frame.environment:
            self.frame.environment[self.frame.key(node.id)] = ENDED
        return value

    def free_name(self, node: gast.Name) -> Value:
        """A global or a cell: an object that is known now, or a number or array that is read at every call."""
        source = self.frame.source
        try:
            found = source.lookup(node.id)
        except MissingName:
            return self.refuse(node, f"the name `{node.id}` does not exist", "define it before the derivative is taken")
        access = Access(source.function, node.id, source.where(node.id))
        return self.free_value(access, node.id, found)

    def free_value(self, access: Access, name: str, found: Any) -> Value:
        if is_known(found):
            if access.where != "builtin":
                self.free.identities[access] = found
            return Const(found)
        if found is None or isinstance(found, bool | str | enum.Enum | type(Ellipsis)):
            self.free.identities[access] = found
            return Const(found)
        return self.global_read(access, name, found)

    def object_value(self, found: Any, name: str) -> Value:
        """An object that the compiler came by: known for good, or read where the function is called."""
        if is_known(found) or found is None or isinstance(found, bool | int | float | str | enum.Enum | type(Ellipsis)):
            return Const(found)
        access = self.owners.setdefault(id(found), Access(Owner(found), "", "object"))
        return self.global_read(access, name, found)

    def runtime_object(self, found: Any, name: str) -> Atom:
        """A function or class of the user's as an object of the running program."""
        access = self.owners.setdefault(id(found), Access(Owner(found), "", "object"))
        return self.global_read(access, name, found)

    def object_attribute(self, owner: Any, name: str, found: Any) -> Value:
        """An attribute of a class or object that the compiler knows, as it is when the function is called."""
        root = self.owners.setdefault(id(owner), Access(Owner(owner), "", "object"))
        shown = getattr(owner, "__name__", type(owner).__name__)
        return self.free_value(Access(root.function, name, "object"), f"{shown}_{name}", found)

    def global_read(self, access: Access, name: str, found: Any) -> Atom:
        printed = self._printed(access, name)
        self.free.accesses[printed] = access
        self.free.values[printed] = found
        atom = self.builder.let(Global(printed), hint=f"_{printed}")
        assert isinstance(atom, Var)
        known = type_of(found, printed)
        self.builder.types[atom.name] = OBJECT if known == UNKNOWN and not isinstance(found, np.ndarray) else known
        return atom

    def _printed(self, access: Access, name: str) -> str:
        printed, number = name.replace(".", "_"), 1
        while self.free.accesses.get(printed, access) != access:
            number += 1
            printed = f"{name.replace('.', '_')}_{number}"
        return printed

    # Writing

    def write(self, op: Store | Update | Append, owner: Atom, *args: Atom) -> None:
        """A write into memory; inside of `no_grad`, of what counts as constant."""
        *indices, value = args
        if self.constant and isinstance(op, Update):
            old = self.builder.let(Fn(operator.getitem), [owner, *indices]) if indices else owner
            plain = getattr(operator, op.operator.__name__.removeprefix("i"), op.operator)
            op, value = Store(op.path), self.builder.fn(plain, old, value)
        self.builder.do(op, owner, *indices, self.stopped(value) if self.constant else value)

    def stopped(self, value: Atom) -> Atom:
        """A value through which no derivative flows."""
        if not isinstance(value, Var) or not self.builder.type(value).differentiable:
            return value
        return self.builder.let(Fn(stop_gradient), [value], hint=f"_{hint(value.name).lstrip('_')}")

    # Joins

    def joined(self, hint: str, left: Atom, right: Atom) -> Var:
        return self.builder.declare(hint, join(self.builder.type(left), self.builder.type(right)))

    def hint(self, name: str) -> str:
        """The hint of a name of the user's; in a function lowered in line, marked with that function's name."""
        return plain(name) if not self.frame.prefix else f"_{self.frame.prefix}{plain(name)}"

    def origin(self, node: gast.AST, source_line: int | None = None) -> Origin:
        """Where a statement stands, its line counted from the `def` of the function; that of the call in a callee."""
        if self.frame.static or self.frame.source.function is not self.active_frames[0].source.function:
            return self.builder.origin
        line = getattr(node, "lineno", 0)
        source = self.frame.source
        return Origin(line - source.line + 1 if line else 0, source.text(line).strip() if line else "")

    # Given by the other parts

    def expression(self, node: gast.AST) -> Value:
        raise NotImplementedError

    def atom(self, node: gast.AST) -> Atom:
        raise NotImplementedError

    def as_atom(self, value: Value, node: gast.AST) -> Atom:
        raise NotImplementedError

    def assign(self, target: gast.AST, value: Value) -> None:
        raise NotImplementedError

    def spread(self, value: Value) -> list[Value] | None:
        raise NotImplementedError

    def either(self, test: Atom, then: Callable[[], Any], orelse: Callable[[], Any], hint: str) -> Value:
        raise NotImplementedError

    def body(self, nodes: Sequence[gast.AST]) -> None:
        raise NotImplementedError

    def environment(self) -> Environment:
        return self.frame.environment
