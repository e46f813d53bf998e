"""A derivative as an object: called like the function that it is made of, and readable as text."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, cast

from srcgrad.ad.gradient import Request
from srcgrad.api.dispatch import call_of, key_of
from srcgrad.api.notes import annotate
from srcgrad.api.seeds import ONE, confirm, fitted
from srcgrad.api.variants import Variant, make_variant
from srcgrad.errors import NotDifferentiable, UnknownParameter, UnsupportedSyntax
from srcgrad.frontend.source import Source, source_of
from srcgrad.pipeline import compile_derivative, seed_keyword
from srcgrad.types import CONTAINERS, Type, anonymous, type_of

Wrt = int | str | tuple[int | str, ...]
Optimize = bool | frozenset[str]
Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """Which derivative it is: the transformation's name and its options."""

    mode: str
    wrt: Wrt
    aux: bool
    optimize: Optimize
    specialize: bool


class Derivative:
    """A derivative of a function: called like the function; `.source` is the text that ran last.

    The text is specialised to the kinds, dtypes, ranks and unit axes of the arguments, never to sizes, and kept. What
    the function reads from outside is compared at every call: a helper that was redefined, a global array that got
    another rank, lead to a text of their own.

    Several threads may call one derivative. It can be pickled where the function can, and where it has taken the
    function's place in its module, as a decorator. As a decorator of a method it is bound like one.
    """

    def __init__(self, function: Callable[..., Any], options: Options) -> None:
        unbound = function.__func__ if isinstance(function, MethodType) else function
        if not isinstance(unbound, Derivative | FunctionType):
            source_of(unbound)  # raises, with the reason
        self.primal = function
        self.options = options
        self._unbound = unbound
        self._inner = unbound if isinstance(unbound, Derivative) else None
        self._owner = _owner(function, self._inner)
        self._names, visible = _parameters(unbound, function)
        self._seed = seed_keyword(self._names) if options.mode == "vjp" else None
        self._positions = _positions(visible, options.wrt, len(self._owner))
        self._source: Source | None = None
        self._variants: dict[Any, list[Variant]] = {}
        self._ready: dict[Any, Variant] = {}
        self._last: Variant | None = None
        self._lock = threading.RLock()
        functools.update_wrapper(self, function, updated=())
        self.__signature__ = _with_seed(visible, self._seed)
        self.__class__ = self._with_own_call()

    def _with_own_call(self) -> type[Derivative]:
        """A class for this derivative alone: Python looks `__call__` up in the class, never in the object."""
        helpers = {
            "ready": self._ready,
            "find": self._find,
            "derivative": self,
            "annotate": annotate,
            "fitted": fitted,
            "confirm": confirm,
        }
        name = getattr(self, "__name__", "")
        name = name if name.isidentifier() else "function"
        call = call_of(name, self.__signature__, self._owner, self._seed, helpers)
        own = type("Derivative", (Derivative,), {"__call__": staticmethod(call), "__module__": __name__})
        return cast(type[Derivative], own)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Every derivative has a `__call__` of its own instead: see `srcgrad.api.dispatch`."""
        raise NotImplementedError

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self.options.mode} of {getattr(self.primal, '__qualname__', self.primal)}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = getattr(self, "__qualname__", "")
        return name if _found_at(self.__module__, name) is self else (Derivative, (self.primal, self.options))

    def __copy__(self) -> Derivative:
        return self

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Derivative:
        return self

    # Finding the generated code

    def _find(self, key: tuple[Any, ...], values: Values) -> Variant:
        """The generated code for arguments of these types, made at their first appearance."""
        inner = None if self._inner is None else self._inner._find_for(values)
        if not self.options.specialize:
            self._check_active(values)
        variant = self._kept(key, values, inner)
        if variant is None:
            with self._lock:
                # Another thread may have made it while this one waited.
                variant = self._kept(key, values, inner) or self._made(key, values, inner)
        if variant.constant:
            self._ready[key] = variant
        return variant

    def _find_for(self, values: Values) -> Variant:
        """The same for the arguments of a derivative of this one, among which is the seed of this one."""
        own = values[: len(self._names)]
        return self._find(tuple(map(key_of, own)), own)

    def _fitting(self, wanted: Any, inner: Variant | None) -> Variant | None:
        for variant in self._variants.get(wanted, ()):
            if variant.inner is inner and variant.fits():
                return variant
        return None

    def _kept(self, key: Any, values: Values, inner: Variant | None) -> Variant | None:
        if self.options.specialize:
            return self._fitting(key, inner)
        plain = None if _hold(values) else self._fitting((), inner)
        return plain or (self._fitting(self._kinds(values), inner) if self._variants else None)

    def _made(self, key: Any, values: Values, inner: Variant | None) -> Variant:
        if self.options.specialize:
            self._check_active(values)
            known = [type_of(value, name) for name, value in zip(self._names, values, strict=True)]
            return self._compile(key, known, inner, values)
        if not _hold(values):
            with suppress(UnsupportedSyntax):  # what the function means depends on what is a number and what a view
                return self._compile((), (), inner, values)
        kinds = self._kinds(values)
        return self._compile(kinds, kinds, inner, values)

    def _kinds(self, values: Values) -> tuple[Type, ...]:
        return tuple(anonymous(type_of(value)) for value in values)

    def _compile(self, wanted: Any, known: Sequence[Type], inner: Variant | None, values: Values = ()) -> Variant:
        types = dict(zip(self._names, known, strict=False))
        arguments = dict(zip(self._names, values, strict=False))
        options = self.options
        request = Request(options.mode, self._positions, not isinstance(options.wrt, tuple), options.aux)
        source = self._source_of(inner)
        variant = make_variant(compile_derivative(source, types, request, options.optimize, arguments), source, inner)
        self._variants.setdefault(wanted, []).append(variant)
        return variant

    def _source_of(self, inner: Variant | None) -> Source:
        if inner is not None:
            return source_of(inner.run)
        if self._source is None:
            self._source = source_of(self._unbound)
        return self._source

    def _check_active(self, values: Values) -> None:
        for position in self._positions:
            value = values[position]
            known = type_of(value)
            if not known.differentiable:
                raise NotDifferentiable(
                    f"the argument `{self._names[position]}` is {_described(value, known)}, which has no derivative",
                    None,
                    "pass a float or an array of floats, or name another parameter in `wrt`",
                )

    # Reading

    @property
    def source(self) -> str:
        """The generated text that ran last; before the first call, the text that needs no types."""
        last = self._last
        return (self._polymorphic() if last is None else last).compiled.text

    def _polymorphic(self) -> Variant:
        inner = None if self._inner is None else self._inner._polymorphic()
        with self._lock:
            return self._fitting((), inner) or self._compile((), (), inner)

    def generated_function(self) -> Callable[..., Any] | None:
        """The generated function that needs no types, for use inside of other functions; None if it reads more than
        its arguments."""
        variant = self._polymorphic()
        return None if variant.compiled.free.accesses else variant.run

    def source_for(self, *args: Any, **kwargs: Any) -> str:
        """The text specialised to these arguments, without running it. A seed may be among them or not."""
        bound = self.__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        values = (*self._owner, *bound.arguments.values())
        return self._find_for(values).compiled.text


# Parameters


def _hold(values: Values) -> bool:
    """Whether an argument is a container, whose structure decides what `+`, `*` and subscripts mean, or no number or
    array at all."""
    return any(type_of(value).kind in (*CONTAINERS, "object") for value in values)


def _owner(function: Any, inner: Derivative | None) -> Values:
    """What the generated code is passed before the arguments: the object of a bound method."""
    if isinstance(function, MethodType):
        return (function.__self__,)
    return () if inner is None else inner._owner


def _parameters(unbound: Any, function: Any) -> tuple[tuple[str, ...], inspect.Signature]:
    """The names of all parameters, that of the owner included, and the signature of a call, without it."""
    if isinstance(unbound, Derivative):
        signature = unbound.__signature__
        names = unbound._names if unbound._seed is None else (*unbound._names, unbound._seed)
    else:
        signature = inspect.signature(unbound, follow_wrapped=False)
        names = tuple(signature.parameters)
    if isinstance(function, MethodType):
        _, *rest = signature.parameters.values()
        signature = signature.replace(parameters=rest)
    return names, signature


def _with_seed(signature: inspect.Signature, seed: str | None) -> inspect.Signature:
    if seed is None:
        return signature
    parameters = list(signature.parameters.values())
    added = inspect.Parameter(seed, inspect.Parameter.KEYWORD_ONLY, default=ONE)
    place = len(parameters) - any(p.kind is p.VAR_KEYWORD for p in parameters)
    return signature.replace(parameters=[*parameters[:place], added, *parameters[place:]])


def _positions(signature: inspect.Signature, wrt: Wrt, hidden: int) -> tuple[int, ...]:
    """The positions of the parameters that `wrt` means, among all parameters, the first `hidden` of which are given."""
    names = list(signature.parameters)
    found = []
    for item in wrt if isinstance(wrt, tuple) else (wrt,):
        if isinstance(item, str) and item in names:
            found.append(hidden + names.index(item))
        elif isinstance(item, int) and not isinstance(item, bool) and -len(names) <= item < len(names):
            found.append(hidden + item % len(names))
        else:
            remedy = f"one of {', '.join(names) or 'none'}, or a position"
            raise UnknownParameter(f"`wrt` names {item!r}, which is no parameter", None, remedy)
    return tuple(found)


def _described(value: Any, known: Type) -> str:
    if known.kind == "array":
        return f"an array of {known.dtype}"
    if known.kind in CONTAINERS and known.items:
        return f"{known}, without a float in it"
    return "None" if value is None else f"of type {type(value).__name__}"


def _found_at(module: str | None, qualified_name: str) -> Any:
    """The object that pickle would find under this name, None where there is none."""
    found: Any = sys.modules.get(module or "")
    for part in qualified_name.split("."):
        found = getattr(found, part, None)
    return found
