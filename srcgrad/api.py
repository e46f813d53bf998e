"""The public transformations: `grad`, `value_and_grad` and `vjp`, and the `Derivative` that each of them makes.

    @grad
    def loss(w, x, y): ...

    loss(w, x, y)        # the gradient with respect to w
    loss.source          # the Python text that computed it
    loss.primal          # the function as it was written
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcgrad.ad.gradient import Request
from srcgrad.emit.module import load_module
from srcgrad.errors import SeedMismatch, UnknownParameter
from srcgrad.frontend.scope import Access
from srcgrad.frontend.source import Source, source_of
from srcgrad.pipeline import Compiled, compile_derivative
from srcgrad.types import Type, type_of

Wrt = int | str | tuple[int | str, ...]
Optimize = bool | frozenset[str]

_PLAIN = {kind: kind for kind in (float, int, bool, complex, str, type(None), np.float64, np.float32)}
_MISSING = object()


def grad(
    function: Callable[..., Any] | None = None,
    wrt: Wrt = 0,
    has_aux: bool = False,
    *,
    optimize: Optimize = True,
    specialize: bool = True,
) -> Any:
    """The gradient of a scalar function, as a function of the same arguments.

    wrt: the position or the name of the parameter, or a tuple of such; with a tuple the result is a tuple.
    has_aux: the function returns `(value, anything)`; the result is `(gradient, anything)`.
    optimize: False leaves the generated text as the differentiation wrote it; a frozenset names the passes to run.
    specialize: False uses the text that needs no types of the arguments.

    The gradient has the shape and the dtype of the parameter.

    Raises, before any of the function's code runs: `UnsupportedSyntax`, `NoRule` or `AliasedWrite` for what cannot be
    differentiated, `NonScalarOutput` for a result that is not one number, `NotDifferentiable` for an integer argument
    named in `wrt`, `UnknownParameter`, `SourceUnavailable`.

    >>> grad(lambda x: x ** 2)(3.0)
    6.0
    """
    return _transform("grad", function, wrt, has_aux, optimize, specialize)


def value_and_grad(
    function: Callable[..., Any] | None = None,
    wrt: Wrt = 0,
    has_aux: bool = False,
    *,
    optimize: Optimize = True,
    specialize: bool = True,
) -> Any:
    """The value of a scalar function and its gradient, computed together: `(value, gradient)`. Otherwise as `grad`.

    >>> value_and_grad(lambda x: x ** 2)(3.0)
    (9.0, 6.0)
    """
    return _transform("value_and_grad", function, wrt, has_aux, optimize, specialize)


def vjp(
    function: Callable[..., Any] | None = None,
    wrt: Wrt = 0,
    *,
    optimize: Optimize = True,
    specialize: bool = True,
) -> Any:
    """The vector-Jacobian product of a function: called with the keyword `seed`, it returns `(value, cotangent)`.

    The seed has the structure and the shapes of the function's result; the cotangent is the seed times the Jacobian,
    in the shape of the parameter. Raises `SeedMismatch` for a seed that does not fit.

    >>> import numpy as np
    >>> vjp(lambda x: 3 * x)(np.ones(2), seed=np.array([1.0, 0.1]))
    (array([3., 3.]), array([3. , 0.3]))
    """
    return _transform("vjp", function, wrt, False, optimize, specialize)


def _transform(
    mode: str, function: Callable[..., Any] | None, wrt: Wrt, aux: bool, optimize: Optimize, specialize: bool
) -> Any:
    if function is None:
        return lambda f: _transform(mode, f, wrt, aux, optimize, specialize)
    return Derivative(function, mode, wrt, aux, optimize, specialize)


@dataclass
class _Variant:
    """Generated code for one signature, and how to hand it what it reads from outside."""

    compiled: Compiled
    run: Callable[..., Any]
    namespace: dict[str, Any]
    inner: _Variant | None = None
    free_key: tuple[Any, ...] = ()
    accesses: list[tuple[str, Access]] = field(default_factory=list)
    identities: list[tuple[Access, object]] = field(default_factory=list)

    def fits(self) -> bool:
        """Whether the objects that the code was made for are still there; hands it the values that it reads."""
        for access, known in self.identities:
            if _read(access) is not known:
                return False
        values = [_read(access) for _, access in self.accesses]
        if tuple(map(_key, values)) != self.free_key:
            return False
        for (name, _), value in zip(self.accesses, values, strict=True):
            self.namespace[name] = value
        return True


class Derivative:
    """A derivative of a function: called like the function; `.source` is the text that ran last.

    The text is specialised to the kinds, dtypes, ranks and unit axes of the arguments, never to sizes, and kept.
    """

    def __init__(
        self, function: Callable[..., Any], mode: str, wrt: Wrt, aux: bool, optimize: Optimize, specialize: bool
    ) -> None:
        self.primal = function
        self.mode = mode
        self.wrt = wrt
        self.aux = aux
        self.optimize = optimize
        self.specialize = specialize
        self._inner = function if isinstance(function, Derivative) else None
        self._signature = _signature_of(function)
        self._positions = _positions(self._signature, wrt)
        self._request = Request(mode, self._positions, not isinstance(wrt, tuple), aux)
        self._variants: dict[Any, list[_Variant]] = {}
        self._last: _Variant | None = None
        self._source: Source | None = None
        parameters = list(self._signature.parameters.values())
        self._arity = len(parameters) if all(p.kind in (0, 1) for p in parameters) else -1
        functools.update_wrapper(self, function, updated=())
        self.__signature__ = _with_seed(self._signature) if mode == "vjp" else self._signature

    def __repr__(self) -> str:
        return f"<{self.mode} of {getattr(self.primal, '__qualname__', self.primal)}>"

    # Calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.mode == "vjp":
            return self._call_vjp(args, kwargs)
        if kwargs or len(args) != self._arity:
            return self._call_bound(args, kwargs)
        variant = self._variant(args)
        return variant.run(*args)

    def _call_bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        bound = self._bind(args, kwargs)
        variant = self._variant(tuple(bound.arguments.values()))
        return variant.run(*bound.args, **bound.kwargs)

    def _call_vjp(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        seed = kwargs.pop("seed", _MISSING)
        bound = self._bind(args, kwargs)
        variant = self._variant(tuple(bound.arguments.values()))
        if seed is _MISSING:
            seed = self._default_seed(variant)
        value, cotangent = variant.run(*bound.args, **bound.kwargs, seed=seed)
        _check_seed(seed, value)
        return value, cotangent

    def _default_seed(self, variant: _Variant) -> float:
        """A scalar result needs no seed; any other does."""
        function = variant.compiled.function
        known = function.types.get(getattr(function.body.results[0], "name", ""))
        if function.structure[0] != "leaf" or known is None or known.rank != 0:
            shape = "a tuple" if function.structure[0] != "leaf" else f"{known}"
            raise SeedMismatch(
                f"the result of `{self.primal.__name__}` is {shape}, no number: its derivative needs a seed",
                None,
                "pass `seed=`, an array of the shape of the result; `np.ones_like(result)` for the sum of its elements",
            )
        return 1.0

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound

    def _variant(self, values: tuple[Any, ...]) -> _Variant:
        """The generated code for arguments of these types, made at their first appearance."""
        key: Any = tuple([_PLAIN.get(type(value)) or _key(value) for value in values]) if self.specialize else ()
        inner = None if self._inner is None else self._inner._variant(values)
        for variant in self._variants.get(key, ()):
            if variant.inner is inner and variant.fits():
                self._last = variant
                return variant
        variant = self._compile(values, inner)
        self._variants.setdefault(key, []).append(variant)
        self._last = variant
        return variant

    def _compile(self, values: tuple[Any, ...] | None, inner: _Variant | None) -> _Variant:
        types: dict[str, Type] = {}
        if values is not None and self.specialize:
            types = {name: type_of(v, name) for name, v in zip(self._signature.parameters, values, strict=True)}
        source = self._source_of(inner)
        compiled = compile_derivative(source, types, self._request, self.optimize)
        free = compiled.free
        namespace = load_module(compiled.text, compiled.name, dict(free.values))
        return _Variant(
            compiled,
            namespace[compiled.name],
            namespace,
            inner,
            tuple(_key(value) for value in free.values.values()),
            list(free.accesses.items()),
            [(access, known) for access, known in free.identities.items() if access.where != "builtin"],
        )

    def _source_of(self, inner: _Variant | None) -> Source:
        if inner is not None:
            return source_of(inner.run)
        if self._source is None:
            self._source = source_of(self.primal)
        return self._source

    # Reading

    @property
    def source(self) -> str:
        """The generated text that ran last; before the first call, the text that needs no types."""
        if self._last is not None:
            return self._last.compiled.text
        return self._polymorphic().compiled.text

    def _polymorphic(self) -> _Variant:
        inner = None if self._inner is None else self._inner._polymorphic()
        return self._compile(None, inner)

    def source_for(self, *args: Any, **kwargs: Any) -> str:
        """The text specialised to these arguments, without running it."""
        kwargs.pop("seed", None)
        last = self._last
        variant = self._variant(tuple(self._bind(args, kwargs).arguments.values()))
        self._last = last
        return variant.compiled.text


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    if isinstance(function, Derivative):
        return function.__signature__
    return inspect.signature(source_of(function).function)


def _with_seed(signature: inspect.Signature) -> inspect.Signature:
    seed = inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY)
    return signature.replace(parameters=[*signature.parameters.values(), seed])


def _positions(signature: inspect.Signature, wrt: Wrt) -> tuple[int, ...]:
    names = list(signature.parameters)
    found = []
    for item in wrt if isinstance(wrt, tuple) else (wrt,):
        if isinstance(item, str) and item in names:
            found.append(names.index(item))
        elif isinstance(item, int) and not isinstance(item, bool) and -len(names) <= item < len(names):
            found.append(item % len(names))
        else:
            raise UnknownParameter(
                f"`wrt` names {item!r}, which is no parameter", None, f"one of {', '.join(names) or 'none'}, or a position"
            )
    return tuple(found)


def _read(access: Access) -> Any:
    """What a free name stands for now."""
    function: Any = access.function
    if access.where == "cell":
        return function.__closure__[function.__code__.co_freevars.index(access.name)].cell_contents
    return function.__globals__.get(access.name, _MISSING)


def _key(value: Any) -> Any:
    """What of a value the generated code depends on: kind, dtype, rank and unit axes, never sizes."""
    kind = type(value)
    if kind is np.ndarray:
        shape = value.shape
        return (value.dtype, len(shape), tuple([n == 1 for n in shape])) if 1 in shape else (value.dtype, len(shape))
    if kind is tuple or kind is list:
        return (kind, *(_key(item) for item in value)) if kind is tuple else (kind, type_of(value))
    return kind


def _check_seed(seed: Any, value: Any, where: str = "the seed") -> None:
    if isinstance(value, tuple):
        if not isinstance(seed, tuple | list) or len(seed) != len(value):
            raise SeedMismatch(
                f"{where} is {_shown(seed)}, the result is {_shown(value)}", None, "a tuple with one seed for each result"
            )
        for i, (s, v) in enumerate(zip(seed, value, strict=True)):
            _check_seed(s, v, f"{where}[{i}]")
        return
    if np.shape(seed) != np.shape(value):
        raise SeedMismatch(
            f"{where} is {_shown(seed)}, the result is {_shown(value)}", None, "a seed of the shape of the result"
        )


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an array of shape {np.shape(value)}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


__all__ = ["Derivative", "Sequence", "grad", "value_and_grad", "vjp"]
