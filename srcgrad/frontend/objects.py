"""Lowering of objects: their classes' code is lowered in line, and no object is left of them.

    optimiser = Adam(rate)                   rate.1 = ...
    w = optimiser.step(w, g)         ->      m.4 = mul(0.1, g.2)
    w = optimiser.step(w, g)                 ...

An object made in the function is an `Instance`, whose fields are variables, or a `Record` when it cannot change. An
object that comes from outside is read by attributes; its methods are lowered in line, too.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types as python_types
from typing import Any

import gast

from srcgrad.errors import AliasedWrite
from srcgrad.frontend.base import Owner, is_mixed
from srcgrad.frontend.library import STAND_INS
from srcgrad.frontend.lists import Lists
from srcgrad.frontend.scope import Access
from srcgrad.frontend.values import Bound, Closure, Instance, Partial, Record, Super, Table, Value, is_undefined
from srcgrad.ir import UNDEFINED, Atom, Attr, Const, Store, Var
from srcgrad.rules.rule import Key, registry

_BUILT_IN = {"list": list, "dict": dict, "str": str, "tuple": tuple}  # the classes of values, by their kinds
_MISSING = object()
_LIBRARIES = ("builtins", "numpy", "math", "scipy", "functools", "collections", "srcgrad", "enum", "itertools")
_WRITERS = ("__setattr__", "__getattribute__", "__delattr__")
_REFLECTED = frozenset("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split())


class Objects(Lists):
    # Attributes

    def attribute(self, node: gast.AST, name: str, owner: Value) -> Value:
        match owner:
            case Const():
                return self._attribute_of_known(node, name, owner.value)
            case Instance() | Record():
                return self._attribute_of_made(node, name, owner)
            case Super():
                return self._attribute_of_super(node, name, owner)
            case Table() | Closure() | Partial() | Bound():
                return Bound(name, owner)
            case Var() if self.builder.type(owner).kind == "record":
                return self._attribute_of_record(node, name, owner)
        atom = self.as_atom(owner, node)
        known = self.builder.type(atom)
        if known.kind in ("array", "unknown") and registry.get(Key("method", name)) is not None:
            return Bound(name, atom)
        if callable(getattr(_BUILT_IN.get(known.kind), name, None)):
            return Bound(name, atom)
        return self.builder.let(Attr(name), [atom])

    def _attribute_of_known(self, node: gast.AST, name: str, owner: Any) -> Value:
        """An attribute of a module, a class or a function."""
        found = getattr(owner, name, _MISSING)
        if found is _MISSING:
            shown = getattr(owner, "__name__", type(owner).__name__)
            return self.refuse(node, f"`{shown}` has no attribute `{name}`", "check the name")
        if isinstance(owner, python_types.ModuleType):
            return self._attribute_of_module(owner, name, found)
        if isinstance(owner, type) and self.is_users_class(owner):
            return self.object_attribute(owner, name, found)
        if isinstance(owner, type) or type(owner).__module__.partition(".")[0] in _LIBRARIES:
            return Const(found)
        return self.object_attribute(owner, name, found)

    def _attribute_of_module(self, owner: python_types.ModuleType, name: str, found: Any) -> Value:
        library = owner.__name__.partition(".")[0] in _LIBRARIES
        if library or isinstance(found, python_types.ModuleType):
            return Const(found)
        access = Access(Owner(owner), name, "object")
        if callable(found):
            self.free.identities[access] = found
            return Const(found)
        return self.free_value(access, name, found)

    def _attribute_of_made(self, node: gast.AST, name: str, owner: Instance | Record) -> Value:
        found = inspect.getattr_static(owner.cls, name, _MISSING)
        if isinstance(found, property | functools.cached_property):
            return self._from_class(node, name, owner, owner.cls, found)
        value = self.field(owner, name)
        if value is not None and is_mixed(value):
            problem, remedy = value.value.read
            return self.refuse(node, problem.format(name), remedy)
        if value is not None:
            return value
        if isinstance(owner, Record) and owner.is_tuple and name in ("_replace", "_asdict", "index", "count"):
            return Bound(name, owner)
        if found is _MISSING:
            if owner.cls in STAND_INS.values():
                problem = f"`.{name}` of a `{owner.cls.__name__}` is not supported"
                return self.refuse(node, problem, "use a list or a dict")
            shown = f"an object of class `{owner.cls.__name__}` has no attribute `{name}` here"
            return self.refuse(node, shown, "set it in `__init__`")
        return self._from_class(node, name, owner, owner.cls, found)

    def field(self, owner: Instance | Record, name: str) -> Value | None:
        """The value of a field of an object that was made here; None where it has none."""
        if isinstance(owner, Record):
            return owner.items[owner.names.index(name)] if name in owner.names else None
        value = self.frame.environment.get(owner.cell(name))
        return None if value is None or (is_undefined(value) and not is_mixed(value)) else value

    def _attribute_of_record(self, node: gast.AST, name: str, owner: Var) -> Value:
        """An attribute of an object from outside: a field is read, what its class defines is lowered."""
        known = self.builder.type(owner)
        assert known.cls is not None
        found = inspect.getattr_static(known.cls, name, _MISSING)
        if name in known.keys and not isinstance(found, property):
            kind = known.item(name)
            if kind is not None and kind.kind == "callable":
                return Const(kind.value)
            return self.builder.let(Attr(name), [owner])
        if found is _MISSING:
            return self.builder.let(Attr(name), [owner])
        if issubclass(known.cls, tuple) and name in ("_replace", "_asdict", "index", "count"):
            return Bound(name, owner)
        return self._from_class(node, name, owner, known.cls, found)

    def _from_class(self, node: gast.AST, name: str, owner: Value, cls: type, found: Any) -> Value:
        """What a class defines under a name, seen from an object of it."""
        match found:
            case python_types.FunctionType():
                return Bound(found, owner)
            case staticmethod():
                return Const(found.__func__)
            case classmethod():
                return Bound(found.__func__, Const(cls))
            case property() if found.fget is not None:
                return self.apply(node, Const(found.fget), [owner], {})
            case functools.cached_property():
                return self.apply(node, Const(found.func), [owner], {})
        if found is not None and hasattr(type(found), "__get__"):
            problem = f"the descriptor `{name}` of `{cls.__name__}` is not supported"
            return self.refuse(node, problem, "write a property")
        return self.object_attribute(cls, name, found)

    # super()

    def enclosing_class(self, node: gast.Call) -> Value:
        cls = self.frame.source.lookup("__class__") if "__class__" in self.frame.source.cells else None
        first = [*self.frame.source.tree.args.posonlyargs, *self.frame.source.tree.args.args][:1]
        owner = self.frame.environment.get(first[0].id) if first else None
        if cls is None or owner is None:
            return self.refuse(node, "`super()` is used outside of a method", "call the method by its class")
        return Super(cls, owner)

    def _attribute_of_super(self, node: gast.AST, name: str, owner: Super) -> Value:
        inner = owner.owner
        cls = self.class_of(inner) or (inner.value if isinstance(inner, Const) else object)
        order = cls.__mro__
        for base in order[order.index(owner.cls) + 1 :]:
            if name in base.__dict__:
                if base is object and name == "__init__":
                    return Partial(Const(_nothing), (), ())
                return self._from_class(node, name, inner, base, base.__dict__[name])
        return self.refuse(node, f"no class before `{owner.cls.__name__}` has `{name}`", "check the name")

    # Classes

    def class_of(self, value: Value) -> type | None:
        """The class of an object of a class of the user's."""
        if isinstance(value, Instance | Record):
            return value.cls
        known = self.builder.type(value) if isinstance(value, Var) else None
        return known.cls if known is not None and known.kind == "record" else None

    def is_users_class(self, value: Any) -> bool:
        if not isinstance(value, type) or issubclass(value, BaseException) or registry.get(value) is not None:
            return False
        return value.__module__.partition(".")[0] not in _LIBRARIES and type(value).__name__ != "EnumType"

    def construct(self, node: gast.AST, cls: type, args: list[Value], keywords: dict[str, Value]) -> Value:
        """A new object of a class of the user's."""
        problem = _unusual(cls)
        if problem:
            return self.refuse(node, f"an object of class `{cls.__name__}` is made, which {problem}", "make it outside")
        if issubclass(cls, tuple):
            return self._named_tuple(node, cls, args, keywords)
        init = inspect.getattr_static(cls, "__init__")
        if _made_by_dataclass(cls):
            return self._dataclass(node, cls, args, keywords)
        made = self._instance(cls)
        if isinstance(init, python_types.FunctionType):
            self.apply(node, Const(init), [made, *args], keywords)
        elif args or keywords:
            return self.refuse(node, f"`{cls.__name__}()` takes no arguments", "give it an `__init__`")
        return made

    def _instance(self, cls: type) -> Instance:
        self.made += 1
        return Instance(cls, self.made)

    def _named_tuple(self, node: gast.AST, cls: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        names = cls._fields
        found = dict(zip(names, args, strict=False))
        unknown = [key for key in keywords if key not in names or key in found]
        found |= {k: v for k, v in keywords.items() if k not in unknown}
        for name, default in cls._field_defaults.items():
            found.setdefault(name, self.object_value(default, name))
        missing = [name for name in names if name not in found]
        if unknown or missing or len(args) > len(names):
            problem = f"`{cls.__name__}` takes the fields {', '.join(names)}"
            return self.refuse(node, problem, "match them")
        return Record(cls, names, tuple(found[name] for name in names))

    def _dataclass(self, node: gast.AST, cls: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        fields = dataclasses.fields(cls)
        initial = [f for f in fields if f.init]
        positional = [f.name for f in initial if not f.kw_only]
        found: dict[str, Value] = dict(zip(positional, args, strict=False))
        if len(args) > len(positional) or any(key in found or key not in [f.name for f in initial] for key in keywords):
            return self.refuse(node, f"`{cls.__name__}` takes the fields {', '.join(positional)}", "match them")
        found |= keywords
        for item in fields:
            if item.name not in found:
                value = self._default_of(node, item)
                if value is None and item.init:
                    return self.refuse(node, f"`{cls.__name__}` needs a value for `{item.name}`", "give it one")
                if value is not None:
                    found[item.name] = value
        post = inspect.getattr_static(cls, "__post_init__", None)
        if cls.__dataclass_params__.frozen and post is None and len(found) == len(fields):
            return Record(cls, tuple(f.name for f in fields), tuple(found[f.name] for f in fields))
        made = self._instance(cls)
        self.frame.environment.update({made.cell(name): value for name, value in found.items()})
        if post is not None:
            self.apply(node, Const(post), [made], {})
        return made

    def _default_of(self, node: gast.AST, item: dataclasses.Field[Any]) -> Value | None:
        if item.default is not dataclasses.MISSING:
            return self.object_value(item.default, item.name)
        if item.default_factory is not dataclasses.MISSING:
            return self.apply(node, Const(item.default_factory), [], {})
        return None

    # Writing

    def store_attribute(self, target: gast.Attribute, owner: Value, value: Value) -> None:
        name = target.attr
        if isinstance(owner, Instance):
            found = inspect.getattr_static(owner.cls, name, None)
            if isinstance(found, property):
                if found.fset is None:
                    self.refuse(target, f"the property `{name}` cannot be set", "give it a setter")
                else:
                    self.apply(target, Const(found.fset), [owner, value], {})
                return
            if dataclasses.is_dataclass(owner.cls) and owner.cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
                self.refuse(target, f"an object of class `{owner.cls.__name__}` is frozen", "make a new one")
                return
            self.frame.environment[owner.cell(name)] = value
            return
        if isinstance(owner, Record):
            self.refuse(target, f"an object of class `{owner.cls.__name__}` cannot change", "make a new one")
            return
        if isinstance(owner, Var) and self.builder.type(owner).kind == "record":
            self._store_field(target, owner, value)
            return
        problem = f"this writes the attribute `{name}` of an object that is not the function's own"
        self.refuse(target, problem, "return the new value, or make the object in the function", AliasedWrite)

    def _store_field(self, target: gast.Attribute, owner: Var, value: Value) -> None:
        """A store into a field of an object from outside, which the caller sees."""
        known, name = self.builder.type(owner), target.attr
        assert known.cls is not None
        found = inspect.getattr_static(known.cls, name, _MISSING)
        if isinstance(found, property) and found.fset is not None:
            self.apply(target, Const(found.fset), [owner, value], {})
            return
        cls = known.cls.__name__
        if issubclass(known.cls, tuple) or getattr(getattr(known.cls, "__dataclass_params__", None), "frozen", False):
            self.refuse(target, f"an object of class `{cls}` cannot change", "make a new one")
        elif known.cls.__setattr__ is not object.__setattr__ or hasattr(type(found), "__set__"):
            self.refuse(target, f"the class `{cls}` decides what a store into `{name}` does", "return the new value")
        elif name not in known.keys:
            self.refuse(target, f"this gives an object from outside the new attribute `{name}`", "set it in `__init__`")
        else:
            atom = self.as_atom(value, target)
            self.put(owner, atom, Const(name), target)
            self.write(Store((".",)), owner, Const(name), atom)

    def delete_attribute(self, target: gast.Attribute, owner: Value) -> None:
        if isinstance(owner, Instance) and self.field(owner, target.attr) is not None:
            self.frame.environment[owner.cell(target.attr)] = UNDEFINED
            return
        self.refuse(target, f"this deletes the attribute `{target.attr}` of an object from outside", "leave it")

    # Operators

    def special_method(self, value: Value, name: str) -> Value | None:
        cls = self.class_of(value)
        found = None if cls is None else inspect.getattr_static(cls, name, None)
        return Bound(found, value) if isinstance(found, python_types.FunctionType) else None

    def special_operator(self, node: gast.AST, name: str, operands: list[Value]) -> Value | None:
        plain = name.strip("_")
        candidates = [(operands[0], f"__{plain}__", operands[1:])]
        if plain in _REFLECTED and len(operands) == 2:
            candidates.append((operands[1], f"__r{plain}__", operands[:1]))
        for owner, method_name, rest in candidates:
            method = self.special_method(owner, method_name)
            if method is None:
                continue
            result = self.apply(node, method, rest, {})
            if result != Const(NotImplemented):
                return result
        return self._compared(plain, operands)

    def _compared(self, name: str, operands: list[Value]) -> Value | None:
        """`==` of objects without a method for it is their identity; `!=` is the contrary of `==`."""
        if name == "ne" and any(self.special_method(value, "__eq__") is not None for value in operands):
            equal = self.special_operator(self.node, "eq", operands)
            return None if equal is None else self.negated(self.truth(equal, self.node))
        if name in ("eq", "ne") and any(isinstance(value, Instance) for value in operands):
            if not dataclasses.is_dataclass(self.class_of(operands[0])):
                return Const((operands[0] == operands[1]) == (name == "eq"))
        return None

    def truth(self, value: Value, node: gast.AST) -> Atom:
        for name in ("__bool__", "__len__"):
            method = self.special_method(value, name)
            if method is not None:
                return self.truth(self.apply(node, method, [], {}), node)
        if self.class_of(value) is not None and isinstance(value, Var):
            return Const(bool(self.builder.type(value).keys) or not issubclass(self.class_of(value) or object, tuple))
        return super().truth(value, node)


def _nothing() -> None:
    """What `object.__init__` does."""


def _made_by_dataclass(cls: type) -> bool:
    """Whether `dataclass` wrote the `__init__` of a class."""
    code = getattr(cls.__init__, "__code__", None)  # type: ignore[misc]
    return dataclasses.is_dataclass(cls) and code is not None and code.co_filename == "<string>"


def _unusual(cls: type) -> str:
    """Why objects of a class cannot be made by the compiler; empty if they can."""
    if issubclass(cls, tuple):
        return "" if hasattr(cls, "_fields") and type(cls) is type and _plain_new(cls) else "is no plain NamedTuple"
    if type(cls) is not type and type(cls).__name__ != "ABCMeta":
        return f"has the metaclass `{type(cls).__name__}`"
    known = (object, *STAND_INS.values())
    foreign = [c for c in cls.__mro__ if c.__module__.partition(".")[0] in _LIBRARIES and c not in known]
    if foreign:
        return f"is derived from `{foreign[0].__name__}`"
    if cls.__new__ is not object.__new__:
        return "has a `__new__`"
    frozen = getattr(getattr(cls, "__dataclass_params__", None), "frozen", False)
    for name in _WRITERS if not frozen else ("__getattribute__",):
        if getattr(cls, name) is not getattr(object, name):
            return f"has a `{name}`"
    return "has a `__getattr__`" if hasattr(cls, "__getattr__") else ""


def _plain_new(cls: type) -> bool:
    """Whether `namedtuple` wrote the `__new__` of a class."""
    return getattr(getattr(cls.__new__, "__code__", None), "co_filename", "") == "<string>"
