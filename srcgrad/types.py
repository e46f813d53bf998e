"""What the compiler knows of a value: a lattice of kinds, dtypes, ranks and axis lengths, with "unknown" at its top.

Sizes are never part of it, except 1: a longer vector has the same type. An axis is written as a symbol with an offset
(`x` of type `float64[x.0]`, `x[1:]` of type `float64[x.0-1]`), so that two arrays are seen to have the same shape.

>>> import numpy as np
>>> str(type_of(np.ones((3, 1)), "x"))
'float64[x.0, 1]'
>>> str(join(type_of(1.0), type_of(2)))
'float|int'
"""

from __future__ import annotations

import enum
import functools
import types as python_types
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Dim:
    """The length of an axis: `symbol + offset`, not below 0; with symbol None, exactly `offset`.

    `may_be_one` is False where the length is known not to be 1: such an axis is never stretched by broadcasting.
    """

    symbol: str | None
    offset: int = 0
    may_be_one: bool = True

    def __str__(self) -> str:
        if self.symbol is None:
            return str(self.offset)
        return self.symbol + (f"{self.offset:+d}" if self.offset else "")

    @property
    def is_one(self) -> bool:
        return self.symbol is None and self.offset == 1


UNIT = Dim(None, 1, True)
CONTAINERS = ("tuple", "list", "dict", "record")
_HEAP_TYPE = 1 << 9  # of classes that a `class` statement made
_DEPTH = 6  # of nested objects whose fields are looked at


def fixed(length: int) -> Dim:
    """An axis of a length written in the program."""
    return Dim(None, length, length == 1)


@dataclass(frozen=True, slots=True)
class Type:
    """`kind`: unknown, undefined (no value on this path), none, scalar, array, tuple, list, dict, record, callable,
    range, slice, str, object.

    scalar: `dtype`, and `weak` for Python's own bool, int, float and complex; an int that is known to be the length
        of an axis has it as `length`.
    array: `dtype` and `dims` (None: rank unknown). NumPy's 0-d arrays are arrays, its scalars are scalars.
    tuple: `items`, one type each. list: `items` holds one type that fits all elements (empty: no element seen).
    dict: `keys`, and `items`, one type for each. record: the same for the fields of an object of class `cls`.
    callable: `value` is the function, class or module itself, which is part of the type: the call of another one is
        another call.
    unknown: `dtype` may still be known.
    `whole`: in some runs it is made of integers instead of what `dtype` says (a sum of no terms that starts from 0).
    """

    kind: str
    dtype: np.dtype[Any] | None = None
    weak: bool = False
    dims: tuple[Dim, ...] | None = None
    items: tuple[Type, ...] = ()
    length: Dim | None = None
    keys: tuple[Any, ...] = ()
    cls: type | None = None
    value: Any = None
    whole: bool = False

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Type):
            return NotImplemented
        # To NumPy a dtype equals None where it is that of floats.
        return (self.dtype is None) == (other.dtype is None) and self._fields() == other._fields()

    def _fields(self) -> tuple[Any, ...]:
        return (
            *(self.kind, self.dtype, self.weak, self.dims, self.items, self.length, self.keys, self.cls, self.value),
            self.whole,
        )

    def __str__(self) -> str:
        match self.kind:
            case "scalar":
                assert self.dtype is not None
                python = {"float64": "float", "int64": "int", "complex128": "complex"} if self.weak else {}
                return python.get(self.dtype.name, self.dtype.name) + ("|int" if self.whole else "")
            case "array":
                dims = "..." if self.dims is None else ", ".join(map(str, self.dims))
                return f"{self.dtype or 'any'}{'|int' if self.whole else ''}[{dims}]"
            case "tuple":
                return f"tuple[{', '.join(map(str, self.items))}]"
            case "list":
                return f"list[{', '.join(map(str, self.items))}]"
            case "dict" | "record":
                name = "dict" if self.cls is None else self.cls.__name__
                fields = ", ".join(f"{key}: {item}" for key, item in zip(self.keys, self.items, strict=True))
                return f"{name}[{fields}]"
            case _:
                return self.kind

    @property
    def rank(self) -> int | None:
        """The number of axes where it is known; 0 for scalars."""
        if self.kind == "scalar":
            return 0
        return None if self.dims is None else len(self.dims)

    @property
    def shape(self) -> tuple[Dim, ...] | None:
        """The axes where they are known; () for scalars."""
        return () if self.kind == "scalar" else self.dims

    @property
    def numeric(self) -> bool:
        """Whether this may be a number or an array of numbers."""
        return self.kind in ("unknown", "scalar", "array")

    @property
    def inexact(self) -> bool:
        """Whether this is known to be made of floating point numbers, real or complex, in every run."""
        return self.dtype is not None and self.dtype.kind in "fc" and not self.whole

    @property
    def differentiable(self) -> bool:
        """Whether a derivative may flow through a value of this type."""
        if self.kind in CONTAINERS:
            # A list or dict of which no element is known may hold anything.
            open_ended = self.kind in ("list", "dict") and not self.items
            return open_ended or any(item.differentiable for item in self.items)
        # What has no type yet may turn out to be anything.
        return self.kind == "undefined" or (self.numeric and (self.dtype is None or self.dtype.kind in "fc"))

    def item(self, key: Any) -> Type | None:
        """The type under a key of a dict, or of a field of a record."""
        return self.items[self.keys.index(key)] if key in self.keys else None


UNKNOWN = Type("unknown")
UNDEFINED = Type("undefined")
NONE = Type("none")
BOOL = Type("scalar", np.dtype(bool), weak=True)
INT = Type("scalar", np.dtype(int), weak=True)
FLOAT = Type("scalar", np.dtype(float), weak=True)
COMPLEX = Type("scalar", np.dtype(complex), weak=True)
STR = Type("str")
OBJECT = Type("object")
SLICE = Type("slice")
RANGE = Type("range")

# Functions, classes and modules: which one it is, is part of a type.
PROGRAM = (
    python_types.FunctionType, python_types.MethodType, python_types.BuiltinFunctionType, functools.partial, np.ufunc,
    type(np.sum), type(functools.cache(len)), type, python_types.ModuleType,
)  # fmt: skip
_PYTHON = {bool: BOOL, int: INT, float: FLOAT, complex: COMPLEX, str: STR, slice: SLICE, range: RANGE}


def same_dtype(a: Type, b: Type) -> bool:
    """Whether two types are known to have one dtype in every run."""
    return a.dtype is not None and b.dtype is not None and a.dtype == b.dtype and not (a.whole or b.whole)


def made_of(t: Type, kind: str, dims: tuple[Dim, ...] | None = None) -> Type:
    """An array, a number or something unknown of the dtype of `t`."""
    return Type(kind, t.dtype, dims=dims, whole=t.whole)


def array(dtype: Any, *dims: Dim) -> Type:
    return Type("array", np.dtype(dtype), dims=dims)


def type_of(value: Any, symbol: str = "", depth: int = 0) -> Type:
    """The type of an object; the axes of an array, and an int, get names made from `symbol`."""
    known = _PYTHON.get(type(value))
    if known is not None:
        return replace(known, length=Dim(symbol)) if known is INT and symbol else known
    if value is None:
        return NONE
    if type(value) is np.ndarray:
        return Type("array", value.dtype, dims=_dims(value.shape, symbol))
    if isinstance(value, np.generic):
        return Type("scalar", value.dtype)
    if isinstance(value, enum.Enum):
        return INT if isinstance(value, int) else STR if isinstance(value, str) else OBJECT
    if depth > _DEPTH:
        return OBJECT
    if type(value) is tuple:
        return Type("tuple", items=tuple(type_of(v, f"{symbol}.{i}", depth + 1) for i, v in enumerate(value)))
    if type(value) is list:
        return _of_list([type_of(item, f"{symbol}[]", depth + 1) for item in value])
    if type(value) is dict:
        return _fields("dict", value, None, symbol, depth)
    if isinstance(value, PROGRAM):
        return Type("callable", value=value) if hashable(value) else OBJECT
    if isinstance(value, str | np.dtype):
        return OBJECT
    fields = fields_of(value)
    if fields is not None:
        return _fields("record", fields, type(value), symbol, depth)
    return UNKNOWN if hasattr(value, "__array__") or hasattr(value, "__add__") else OBJECT


def fields_of(value: Any) -> dict[str, Any] | None:
    """The fields of a NamedTuple, a dataclass or another object of a class written in Python; None for all else."""
    if isinstance(value, (enum.Enum, *PROGRAM)):
        return None
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    if type(value).__flags__ & _HEAP_TYPE and isinstance(getattr(value, "__dict__", None), dict):
        return dict(value.__dict__)
    return None


def _fields(kind: str, fields: dict[Any, Any], cls: type | None, symbol: str, depth: int) -> Type:
    items = tuple(type_of(item, f"{symbol}.{key}", depth + 1) for key, item in fields.items())
    return Type(kind, keys=tuple(fields), items=items, cls=cls)


def hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _dims(shape: tuple[int, ...], symbol: str) -> tuple[Dim, ...]:
    return tuple(UNIT if n == 1 else Dim(f"{symbol}.{axis}", 0, False) for axis, n in enumerate(shape))


def list_of(*items: Type) -> Type:
    """A list of elements of these types. The axes of its arrays are forgotten: two elements need not agree."""
    joined: Type | None = None
    for item in items:
        plain = anonymous(item)
        joined = plain if joined is None else join(joined, plain)
    return Type("list", items=() if joined is None else (joined,))


def _of_list(types: list[Type]) -> Type:
    """A list that holds different functions is to the compiler what a tuple is: each element is known."""
    joined = list_of(*types)
    held = [functions_in(t) for t in types]
    if any(held) and any(each != functions_in(joined.items[0]) for each in held):
        return Type("tuple", items=tuple(types))
    return joined


def functions_in(t: Type) -> tuple[Any, ...]:
    """The functions, classes and modules that a value of a type is or holds."""
    if t.kind == "callable":
        return (t.value,)
    return tuple([function for item in t.items for function in functions_in(item)])


def anonymous(t: Type) -> Type:
    """The same type with the lengths of its axes forgotten, its rank kept."""
    if t.dims is not None:
        return replace(t, dims=tuple(Dim("?", 0, True) for _ in t.dims))
    if t.items:
        return replace(t, items=tuple(anonymous(item) for item in t.items))
    return replace(t, length=None)


def join(a: Type, b: Type) -> Type:
    """The smallest type that both fit."""
    if a == b or b.kind == "undefined":
        return a
    if a.kind == "undefined":
        return b
    element = _join_dtypes(a, b)
    if a.kind == b.kind == "scalar":
        if element.dtype is None:
            return UNKNOWN
        # One of Python's and one of NumPy's: taken for NumPy's, whose dtype is the wider in every combination.
        length = a.length if a.length == b.length else None
        return replace(made_of(element, "scalar"), weak=a.weak and b.weak, length=length)
    if a.kind == b.kind == "array":
        if a.dims is None or b.dims is None or len(a.dims) != len(b.dims):
            return made_of(element, "array")
        return made_of(element, "array", tuple(map(join_dims, a.dims, b.dims)))
    if a.kind == b.kind == "tuple" and len(a.items) == len(b.items):
        return Type("tuple", items=tuple(map(join, a.items, b.items)))
    if a.kind == b.kind and a.kind in ("dict", "record") and (a.keys, a.cls) == (b.keys, b.cls):
        return replace(a, items=tuple(map(join, a.items, b.items)))
    if a.kind == b.kind == "list":
        return list_of(*a.items, *b.items)
    if "none" in (a.kind, b.kind):  # arithmetic with None raises: where it does not, the dtype is known
        known = b if a.kind == "none" else a
        return made_of(known, "unknown") if known.numeric else UNKNOWN
    return element if a.numeric and b.numeric else UNKNOWN


def _join_dtypes(a: Type, b: Type) -> Type:
    """Something unknown of the dtype that both have, or that includes that of the other."""
    if a.dtype is None or b.dtype is None:
        return UNKNOWN
    if a.dtype == b.dtype:
        return Type("unknown", a.dtype, whole=a.whole or b.whole)
    # Python's own scalars that differ (an int that becomes a float in a loop) join to the wider of the two, as does an
    # int with one of NumPy's: the zero that a sum starts from.
    whole = a.whole or b.whole or (a.dtype.kind in "biu") != (b.dtype.kind in "biu")
    if a.weak and b.weak:
        return Type("unknown", np.result_type(a.dtype, b.dtype), whole=whole)
    if a.kind == b.kind == "scalar" and (a.weak or b.weak):
        counted, other = (a.dtype, b.dtype) if a.weak else (b.dtype, a.dtype)
        return Type("unknown", other, whole=whole) if counted.kind == "i" and other.kind in "fc" else UNKNOWN
    return UNKNOWN


def same_length(a: Dim, b: Dim) -> bool:
    """Whether two axes are known to have one length."""
    return a.symbol != "?" and (a.symbol, a.offset) == (b.symbol, b.offset)


def join_dims(a: Dim, b: Dim) -> Dim:
    if same_length(a, b):
        return replace(a, may_be_one=a.may_be_one or b.may_be_one) if a.symbol is not None else a
    return Dim("?", 0, a.may_be_one or b.may_be_one)


def same_shape(a: Type, b: Type) -> bool:
    """Whether values of the two types are known to have the same shape."""
    left, right = a.shape, b.shape
    if left is None or right is None or len(left) != len(right):
        return False
    # Two axes that are both known not to be 1 and meet in a program that runs have the same length.
    return all(same_length(x, y) for x, y in zip(left, right, strict=True))
