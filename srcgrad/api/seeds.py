"""Seeds of vector-Jacobian products: made to fit the result before the run as far as types tell, compared after it.

    vjp(f)(x, seed=1)                  a number, where f returns an array of shape (3,): refused, never broadcast
    vjp(f)(x, seed=np.ones(3, int))    handed on as an array of floats
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from srcgrad.api.variants import Variant
from srcgrad.errors import SeedMismatch
from srcgrad.pipeline import length_of, shown_shape
from srcgrad.types import Type

ONE = float(1)
"""The seed where none is given: right for a result that is one number, refused for any other."""

_NUMPY = (np.ndarray, np.generic)
_NUMBERS = (*_NUMPY, bool, int, float, complex)
_REMEDY = "`seed=`, in the structure and the shape of the result; `np.ones_like(result)` for the sum of its elements"

Values = Mapping[str, Any]  # arguments and globals, by the names that the symbols in types begin with


def fitted(seed: Any, variant: Variant, values: tuple[Any, ...]) -> Any:
    """The seed in the dtypes of the result; raises `SeedMismatch` where the types tell that it does not fit."""
    result = variant.compiled.result
    if type(seed) is float and result.kind == "scalar" and result.weak:
        return seed

    names = {name: variant.namespace[name] for name, _, _ in variant.values}
    names |= zip(variant.parameters, values, strict=False)
    return _fitted(seed, result, names, "")


def _fitted(seed: Any, result: Type, values: Values, path: str) -> Any:
    if result.kind == "tuple":
        if not isinstance(seed, tuple | list) or len(seed) != len(result.items):
            raise _mismatch(seed, f"a tuple of {len(result.items)}", path)
        parts = zip(seed, result.items, strict=True)
        return tuple(_fitted(part, item, values, f"{path}[{i}]") for i, (part, item) in enumerate(parts))
    if result.kind == "dict":
        if not isinstance(seed, dict) or seed.keys() != set(result.keys):
            raise _mismatch(seed, _shown_keys(result.keys), path)
        items = zip(result.keys, result.items, strict=True)
        return {key: _fitted(seed[key], item, values, f"{path}[{key!r}]") for key, item in items}
    if result.kind in ("scalar", "array"):
        return _fitted_number(seed, result, values, path)
    return _copied(seed)


def _fitted_number(seed: Any, result: Type, values: Values, path: str) -> Any:
    dtype = result.dtype
    if dtype is not None and dtype.kind not in "fc":
        return seed  # no derivative flows through it: whatever is given is not read
    if seed is None and (path or result.kind == "scalar"):
        return _zero(result, values, path)  # what `None` stands for in cotangents: no derivative
    if not isinstance(seed, _NUMBERS) or not _has_shape(np.shape(seed), result, values):
        raise _mismatch(seed, _shown_type(result, values), path)
    given = _dtype(seed)
    if dtype is None or (given == dtype and isinstance(seed, np.ndarray) == (result.kind == "array")):
        return seed
    if not np.can_cast(given, dtype, "same_kind"):
        raise _mismatch(seed, _shown_type(result, values), path)
    return np.asarray(seed, dtype) if result.kind == "array" else np.asarray(seed, dtype)[()]


def _zero(result: Type, values: Values, path: str) -> Any:
    """Zeros for a result that has this type, or has not even a derivative: an array of integers where the type says
    that it may hold floats."""
    if result.kind == "scalar":
        return 0.0
    lengths = None if result.dims is None else [length_of(dim, values) for dim in result.dims]
    if lengths is None or None in lengths:
        raise _mismatch(None, _shown_type(result, values), path)
    return np.zeros([n for n in lengths if n is not None], result.dtype)


def _dtype(value: Any) -> np.dtype[Any]:
    """The dtype of an array or a number."""
    return value.dtype if isinstance(value, _NUMPY) else np.dtype(type(value))


def _has_shape(shape: tuple[int, ...], result: Type, values: Values) -> bool:
    """Whether a shape may be that of a value of this type."""
    dims = result.shape
    if dims is None:
        return True
    if len(shape) != len(dims):
        return False
    return all(length_of(dim, values) in (None, n) for dim, n in zip(dims, shape, strict=True))


def _copied(seed: Any) -> Any:
    """A seed for a result of unknown type; the containers anew, as the reverse sweep takes them apart."""
    if isinstance(seed, dict):
        return {key: _copied(item) for key, item in seed.items()}
    if type(seed) in (list, tuple):
        return type(seed)(map(_copied, seed))
    if seed is None:
        return 0.0
    return float(seed) if type(seed) is int else seed


def confirm(given: Any, seed: Any, value: Any) -> None:
    """Raises `SeedMismatch` unless the seed, made to fit, has structure, shapes and dtypes of the value that came out.

    `given` is the seed as the caller wrote it, for the message.
    """
    if type(seed) is type(value) is float:
        return
    if type(seed) is type(value) is np.ndarray and seed.shape == value.shape and seed.dtype == value.dtype:
        return
    _confirm(ONE if given is ONE else seed, value, "")


def _confirm(seed: Any, value: Any, path: str) -> None:
    if isinstance(value, tuple | list):
        if not isinstance(seed, tuple | list) or len(seed) != len(value):
            raise _mismatch(seed, _shown(value), path)
        for i, (part, item) in enumerate(zip(seed, value, strict=True)):
            _confirm(part, item, f"{path}[{i}]")
    elif isinstance(value, dict):
        if not isinstance(seed, dict) or seed.keys() != value.keys():
            raise _mismatch(seed, _shown_keys(value), path)
        for key, item in value.items():
            _confirm(seed[key], item, f"{path}[{key!r}]")
    elif isinstance(value, _NUMBERS) and _dtype(value).kind in "fc":
        fits = isinstance(seed, _NUMBERS) and np.shape(seed) == np.shape(value)
        if not fits or not (_dtype(seed) == _dtype(value) or (type(seed) is float and np.ndim(value) == 0)):
            raise _mismatch(seed, _shown(value), path)


# Messages


def _mismatch(seed: Any, result: str, path: str) -> SeedMismatch:
    given = "no seed is given" if seed is ONE else f"`seed{path}` is {_shown(seed)}"
    return SeedMismatch(f"{given}, the result{path} is {result}", None, f"pass {_REMEDY}")


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"of type {type(value).__name__}"


def _shown_keys(keys: Iterable[Any]) -> str:
    return f"a dict with the keys {', '.join(map(repr, keys))}"


def _shown_type(result: Type, values: Values) -> str:
    if result.kind == "array":
        shape = "unknown shape" if result.dims is None else f"shape {shown_shape(result.dims, values)}"
        return f"an array of {shape} and dtype {result.dtype or 'unknown'}"
    return f"one number of type {result}"
