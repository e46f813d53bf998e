"""Calls that ask what an object is, or copy it: `isinstance`, `getattr`, `copy.deepcopy`, `dataclasses.asdict`.

    isinstance(model, Layer)          True
    copy.deepcopy([x, y])      ->     [np.copy(x), np.copy(y)]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import gast
import numpy as np

from srcgrad.frontend.library import STAND_INS
from srcgrad.frontend.objects import Objects
from srcgrad.frontend.values import (
    Bound,
    Choice,
    Closure,
    Instance,
    Lazy,
    Partial,
    Record,
    Table,
    Value,
    cell_parts,
    is_cell,
    parts_of,
    with_parts,
)
from srcgrad.ir import Block, Const, Make, Var, walk, written_buffer
from srcgrad.types import UNKNOWN, Type

_UNCHANGING = ("scalar", "str", "none", "range", "slice", "callable")  # kinds of values that are their own copies
_FUNCTIONS = Closure | Partial | Bound | Choice


class Reflection(Objects):
    def _isinstance(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        value, kinds = args
        if isinstance(kinds, tuple) and all(isinstance(kind, Const) for kind in kinds):
            kinds = Const(tuple(kind.value for kind in kinds))
        cls = tuple if isinstance(value, tuple) else self._public_class(value)
        if isinstance(value, Table):
            cls = list if value.kind == "list" else dict
        known = self.builder.type(value).kind if isinstance(value, Var) else "unknown"
        plain = known in ("scalar", "array", "list", "dict", "str", "none")
        if plain and self.is_users_class(getattr(kinds, "value", None)):
            return Const(False)
        if cls is None or not isinstance(kinds, Const):
            return None if isinstance(kinds, Const) else self.refuse(node, "the class is not known", "name it")
        return Const(issubclass(cls, kinds.value))

    def _public_class(self, value: Value) -> type | None:
        """The class that the program knows an object by."""
        cls = self.class_of(value)
        return next((public for public, inner in STAND_INS.items() if inner is cls), cls)

    def _type(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        cls = self._public_class(args[0]) if len(args) == 1 else None
        return None if cls is None else Const(cls)

    def _bool(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        return self.builder.fn(bool, self.truth(args[0], node)) if args and self.class_of(args[0]) is not None else None

    def _iter(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        if len(args) != 1:
            return self.refuse(node, "`iter` of a function is not supported", "write a `while` loop")
        return Lazy(iter, tuple(args))

    def _callable(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        if isinstance(args[0], _FUNCTIONS):
            return Const(True)
        if self.class_of(args[0]) is None:
            return None
        return Const(self.special_method(args[0], "__call__") is not None)

    def _getattr(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        owner, name, *default = args
        if not isinstance(name, Const):
            return self.refuse(node, "`getattr` of a name that is not known", "write the attribute")
        if default and not self._has(owner, name.value):
            return default[0]
        return self.attribute(node, name.value, owner)

    def _hasattr(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        owner, name = args
        if isinstance(name, Const) and (self.class_of(owner) is not None or isinstance(owner, Const)):
            return Const(self._has(owner, name.value))
        return None

    def _has(self, owner: Value, name: str) -> bool:
        cls = self.class_of(owner)
        if isinstance(owner, Instance | Record) and self.field(owner, name) is not None:
            return True
        if isinstance(owner, Var) and name in self.builder.type(owner).keys:
            return True
        return hasattr(owner.value, name) if isinstance(owner, Const) else cls is None or hasattr(cls, name)

    def _replaced(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        """`dataclasses.replace(obj, field=...)`."""
        cls = self.class_of(args[0])
        if cls is None or not dataclasses.is_dataclass(cls):
            return self.refuse(node, "`replace` of something that is no dataclass", "make a new object")
        fields = {f.name: self.attribute(node, f.name, args[0]) for f in dataclasses.fields(cls) if f.init}
        return self.construct(node, cls, [], fields | keywords)

    def _copied(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """`copy.copy`: arrays have their layout kept, containers and objects hold what they held."""
        (value,) = args
        kind = self.builder.type(value).kind if isinstance(value, Var) else ""
        if kind == "array":
            return self.builder.fn(np.copy, self.as_atom(value, node))
        if kind in ("list", "dict"):
            return self.method(node, "copy", value, [], {})
        if isinstance(value, Instance):
            method = self.special_method(value, "copy") if value.cls in STAND_INS.values() else None
            if value.cls in STAND_INS.values():
                return None if method is None else self.apply(node, method, [], {})
            made = self._instance(value.cls)
            for name in self._cells(value):
                self.frame.environment[made.cell(cell_parts(name)[1])] = self.frame.environment[name]
            return made
        return value if not isinstance(value, Var) or kind in _UNCHANGING else None

    def _holds_distinct(self, value: Value) -> bool:
        """Whether a list or dict holds no object twice: one that is given, or a display of several."""
        if not isinstance(value, Var):
            return False
        if self._part_of(value) is not None:
            return self._holds_distinct(self._part_of(value)[0])  # type: ignore[index]
        made = self.builder.last(value.name)
        if made is None or not isinstance(made.op, Make):
            return isinstance(self.sites.get(value.name), str)
        filled = any(written_buffer(stmt) == value.name for stmt in walk(Block(tuple(self.builder.current()))))
        held = [arg for arg in made.args if isinstance(arg, Var) and self.builder.type(arg).kind != "scalar"]
        return not filled and len(set(held)) == len(held) > 0

    def _deeply_copied(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """`copy.deepcopy` of arrays, and of lists, dicts and objects of them; None where more is to be known."""
        (value,) = args
        known = self.builder.type(value) if isinstance(value, Var) else UNKNOWN
        if isinstance(value, tuple | Table | Record):
            parts = self._each_deeply_copied(node, parts_of(value) or ())
            return None if parts is None else with_parts(value, parts)
        if isinstance(value, Instance):
            made = self._copied(node, args, {})
            for name in self._cells(made) if isinstance(made, Instance) else ():
                copied = self._deeply_copied(node, [self.frame.environment[name]], {})
                if copied is None:
                    return None
                self.frame.environment[name] = copied
            return made
        plain = known.items and all(item.kind in _UNCHANGING for item in known.items)
        if known.kind in ("list", "dict") and not plain and not self._holds_distinct(value):
            return None  # one object that is held twice is copied once
        if known.kind == "dict" and (pairs := self.pairs(value)) is not None:
            items = self._each_deeply_copied(node, [item for _, item in pairs])
            return None if items is None else self.display("dict", tuple(key for key, _ in pairs), list(items), node)
        if known.kind in ("list", "dict") and plain:
            return self._copied(node, args, {})
        if known.kind == "list" and known.items and _has_copies(known.items[0]):
            return self.collected(value, node, lambda item: self._deeply_copied(node, [item], {}) or Const(None))
        return None if known.kind in ("list", "dict") else self._copied(node, args, {})

    def _each_deeply_copied(self, node: gast.AST, values: Iterable[Value]) -> tuple[Value, ...] | None:
        copied = [self._deeply_copied(node, [value], {}) for value in values]
        known = tuple([item for item in copied if item is not None])
        return known if len(known) == len(copied) else None

    def _cells(self, owner: Instance) -> list[str]:
        """The names in the environment of the fields of an object that was made here."""
        return [name for name in self.frame.environment if is_cell(name) and cell_parts(name)[0] == owner.number]

    def _fields(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        cls = args[0].value if isinstance(args[0], Const) else self.class_of(args[0])
        return tuple([Const(item) for item in dataclasses.fields(cls)]) if dataclasses.is_dataclass(cls) else None

    def _as_dict(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        found = self._as_tuple(node, args, keywords)
        names = [item.value.name for item in self._fields(node, args, {}) or ()]  # type: ignore[union-attr]
        return None if not isinstance(found, tuple) else self.display("dict", tuple(names), list(found), node)

    def _as_tuple(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        fields = self._fields(node, args, {}) if self.class_of(args[0]) is not None and not keywords else None
        if fields is None:
            return None
        values = [self.attribute(node, item.value.name, args[0]) for item in fields]  # type: ignore[union-attr]
        if any(self.class_of(value) is not None for value in values):
            return None
        return self._each_deeply_copied(node, values)


def _has_copies(known: Type) -> bool:
    """Whether it is known how a value of a type is copied with all that it holds."""
    inner = known.kind in ("list", "tuple", "dict") and bool(known.items) and all(map(_has_copies, known.items))
    return known.kind in ("array", *_UNCHANGING) or inner
