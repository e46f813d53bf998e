"""Generated code for arguments of certain types, and what ties it to the world outside of the function.

    SCALE = 2.0
    def f(x):
        return SCALE * helper(x)

The text of `grad(f)` reads `SCALE`, which is handed to it before each call, and was made from `helper`, which must
still be the same function then. A variant without such ties is found by the types of the arguments alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

from srcgrad.api.dispatch import key_of
from srcgrad.emit.module import load_module
from srcgrad.frontend.scope import Access
from srcgrad.frontend.source import Source
from srcgrad.ir import hint
from srcgrad.pipeline import Compiled

_MISSING = object()
_LIBRARIES = sys.stdlib_module_names | {"numpy", "scipy", "srcgrad"}

Read = Callable[[], Any]


@dataclass(frozen=True, eq=False, slots=True)
class Variant:
    """One generated function. `inner` is the variant of the derivative that it is the derivative of, if it is.

    `identities` are read and must be what they were; `values` are read, must be of the kind that they were, and are
    put under their names into the namespace of the generated function; `functions` must have the code and the defaults
    that they had. `constant`: there is nothing to check.
    """

    compiled: Compiled
    source: Source
    parameters: tuple[str, ...]
    run: Callable[..., Any]
    namespace: dict[str, Any]
    inner: Variant | None
    identities: tuple[tuple[Read, Any], ...]
    values: tuple[tuple[str, Read, Any], ...]
    constant: bool
    functions: tuple[tuple[Any, tuple[Any, ...]], ...] = ()

    def fits(self) -> bool:
        """Whether the code is still that of the function; hands it the values that it reads."""
        for read, known in self.identities:
            if read() is not known:
                return False
        for function, made_of in self.functions:
            if (function.__code__, function.__defaults__, function.__kwdefaults__) != made_of:
                return False
        for name, read, key in self.values:
            value = read()
            if key_of(value) != key:
                return False
            self.namespace[name] = value
        return True


def make_variant(compiled: Compiled, source: Source, inner: Variant | None) -> Variant:
    """Loads the text."""
    free = compiled.free
    namespace = load_module(compiled.text, compiled.name, dict(free.values))
    identities = tuple((_reader(a), known) for a, known in free.identities.items() if _may_change(a, known))
    values = tuple((name, _reader(access), key_of(free.values[name])) for name, access in free.accesses.items())
    constant = not identities and not values and (inner is None or inner.constant)
    parameters = tuple(hint(param.name) for param in compiled.function.params)
    run = namespace[compiled.name]
    functions = tuple(
        (known, (known.__code__, known.__defaults__, known.__kwdefaults__))
        for _, known in identities
        if isinstance(known, FunctionType)
    )
    return Variant(compiled, source, parameters, run, namespace, inner, identities, values, constant, functions)


def _may_change(access: Access, known: object) -> bool:
    """Whether a name may come to stand for another object: libraries and generated modules are not written to."""
    if access.where == "builtin":
        return False
    if access.where == "object":
        return not (_is_library(_owner(access)) or _is_library(known))
    if (getattr(access.function, "__module__", None) or "").startswith("srcgrad.generated"):
        return False
    return not _is_library(known)


def _is_library(value: object) -> bool:
    return isinstance(value, ModuleType) and value.__name__.partition(".")[0] in _LIBRARIES


def _owner(access: Access) -> Any:
    """The object that an access is of, instead of a function's names."""
    wrapped: Any = access.function
    return wrapped.value


def _reader(access: Access) -> Read:
    """What reads the object that a free name stands for."""
    function: Any = access.function
    if access.where == "object":
        return partial(getattr, _owner(access), access.name, _MISSING) if access.name else partial(_owner, access)
    if access.where == "cell":
        return partial(_contents, function.__closure__[function.__code__.co_freevars.index(access.name)])
    return partial(function.__globals__.get, access.name, _MISSING)


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # how Python says that a cell is empty
        return _MISSING
