"""Seeds of vector-Jacobian products: made to fit the result before the run as far as types tell, compared after it.

    vjp(f)(x, seed=1)                  a number, where f returns an array of shape (3,): refused, never broadcast
    vjp(f)(x, seed=np.ones(3, int))    handed on as an array of floats
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from srcgrad.api.variants import Variant
from srcgrad.errors import SeedMismatch
from srcgrad.ir import hint
from srcgrad.pipeline import length_of, lengths_of, shown_shape
from srcgrad.types import Type

ONE = float(1)
"""The seed where none is given: right for a result that is one number, refused for any other."""

_NUMBERS = (bool, int, float, complex, np.generic, np.ndarray)
_REMEDY = "`seed=`, in the structure and the shape of the result; `np.ones_like(result)` for the sum of its elements"

Lengths = Callable[[], Mapping[str, int]]


def fitted(seed: Any, variant: Variant, values: tuple[Any, ...]) -> Any:
    """The seed in the dtypes of the result; raises `SeedMismatch` where the types tell that it does not fit."""
    result = variant.compiled.result
    if type(seed) is float and result.kind == "scalar" and result.weak:
        return seed

    def lengths() -> dict[str, int]:
        names = [hint(param.name) for param in variant.compiled.function.params]
        outside = {name: variant.namespace[name] for name, _, _ in variant.values}
        return lengths_of({**outside, **dict(zip(names, values, strict=False))})

    return _fitted(seed, result, lengths, "")


def _fitted(seed: Any, result: Type, lengths: Lengths, path: str) -> Any:
    if result.kind == "tuple":
        if not isinstance(seed, tuple | list) or len(seed) != len(result.items):
            raise _mismatch(seed, f"a tuple of {len(result.items)}", path)
        parts = zip(seed, result.items, strict=True)
        return tuple(_fitted(part, item, lengths, f"{path}[{i}]") for i, (part, item) in enumerate(parts))
    if result.kind == "dict":
        if not isinstance(seed, dict) or seed.keys() != set(result.keys):
            raise _mismatch(seed, _shown_keys(result.keys), path)
        items = zip(result.keys, result.items, strict=True)
        return {key: _fitted(seed[key], item, lengths, f"{path}[{key!r}]") for key, item in items}
    if result.kind in ("scalar", "array"):
        return _fitted_number(seed, result, lengths, path)
    return _copied(seed)


def _fitted_number(seed: Any, result: Type, lengths: Lengths, path: str) -> Any:
    dtype = result.dtype
    if dtype is not None and dtype.kind not in "fc":
        return seed  # no derivative flows through it: whatever is given is not read
    if not isinstance(seed, _NUMBERS) or not _has_shape(np.shape(seed), result, lengths):
        raise _mismatch(seed, _shown_type(result, lengths), path)
    given = np.result_type(seed) if isinstance(seed, np.ndarray | np.generic) else np.dtype(type(seed))
    if dtype is None or (given == dtype and isinstance(seed, np.ndarray) == (result.kind == "array")):
        return seed
    if not np.can_cast(given, dtype, "same_kind"):
        raise _mismatch(seed, _shown_type(result, lengths), path)
    return np.asarray(seed, dtype) if result.kind == "array" else np.asarray(seed, dtype)[()]


def _has_shape(shape: tuple[int, ...], result: Type, lengths: Lengths) -> bool:
    """Whether a shape may be that of a value of this type."""
    dims = result.shape
    if dims is None:
        return True
    if len(shape) != len(dims):
        return False
    known = lengths() if dims else {}
    return all(length_of(dim, known) in (None, n) for dim, n in zip(dims, shape, strict=True))


def _copied(seed: Any) -> Any:
    """The containers of a seed anew: the reverse sweep takes them apart."""
    if isinstance(seed, dict):
        return {key: _copied(item) for key, item in seed.items()}
    return type(seed)(map(_copied, seed)) if type(seed) in (list, tuple) else seed


def confirm(given: Any, seed: Any, value: Any) -> None:
    """Raises `SeedMismatch` unless the seed has the structure and the shapes of the value that came out."""
    if type(seed) is type(value) is float:
        return
    _confirm(given, value, "")


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
    elif isinstance(value, float | complex | np.generic | np.ndarray) and np.result_type(value).kind in "fc":
        fits = isinstance(seed, _NUMBERS) and np.shape(seed) == np.shape(value)
        if not fits or not np.can_cast(np.result_type(seed), np.result_type(value), "same_kind"):
            raise _mismatch(seed, _shown(value), path)


# Messages


def _mismatch(seed: Any, result: str, path: str) -> SeedMismatch:
    if seed is ONE:
        return SeedMismatch(f"the result is {result}, its derivative needs a seed and none is given", None, f"pass {_REMEDY}")
    return SeedMismatch(f"`seed{path}` is {_shown(seed)}, the result is {result}", None, f"pass {_REMEDY}")


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"of type {type(value).__name__}"


def _shown_keys(keys: Iterable[Any]) -> str:
    return f"a dict with the keys {', '.join(map(repr, keys))}"


def _shown_type(result: Type, lengths: Lengths) -> str:
    if result.kind == "array":
        shape = "unknown shape" if result.dims is None else f"shape {shown_shape(result.dims, lengths())}"
        return f"an array of {shape} and dtype {result.dtype or 'unknown'}"
    return f"one number of type {result}"
