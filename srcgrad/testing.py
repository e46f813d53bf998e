"""Checks of differentiation rules, and of derivatives.

    check_rule(registry.get(np.divide))

runs `np.divide`, and every other operation that the rule is for, at points of the rule's domain, and its transposes as
ordinary functions. They are held against central differences, which find a wrong formula that both modes share, and
against the tangent in a dot product, which finds a wrong transpose to the last digits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcgrad import runtime
from srcgrad.rules.rule import Key, Operation, Rule

# Rules


class RuleMismatch(AssertionError):
    """A rule gives another derivative than its operation has; the message names rule, parameter, element and check."""


def check_rule(rule: Rule, operation: Operation | None = None) -> None:
    """Holds a rule against its operation, or one of them, in both modes; raises `RuleMismatch` where they disagree.

    The cotangent of every differentiable parameter must agree with central differences in double precision, satisfy
    `<g, J dx> == <J^T g, dx>` with the tangent of the rule's form, have the parameter's shape, and be of its precision
    in single and in double precision; no array may be written to. Constant rules pass.
    """
    if rule.form == "constant":
        return
    rng = np.random.default_rng(20)
    for each in rule.operations if operation is None else (operation,):
        calls = [_Call(rule, each, args, kwargs) for args, kwargs in _points(rule, each, rng)]
        if not calls:
            raise RuleMismatch(f"{rule.name} ({_label(each)}): neither a domain nor a sample to check it at")
        for call in calls:
            _check_call(call, rng)


_SHAPES: tuple[tuple[int, ...] | None, ...] = (None, (), (3,), (2, 3), (2, 1), (1, 3))
_SCALAR_ONLY: tuple[Any, ...] = (float, min, max)
_STEP = 1e-4
_STENCIL = ((1.0, 8 / 12), (-1.0, -8 / 12), (2.0, -1 / 12), (-2.0, 1 / 12))


@dataclass(frozen=True)
class _Call:
    """One call of an operation; parameters are replaced by name."""

    rule: Rule
    operation: Operation
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def parameters(self) -> dict[str, Any]:
        return self.rule.bind(self.args, self.kwargs)

    def active(self) -> list[str]:
        parameters = self.parameters()
        return [name for name in self.rule.differentiable if _is_inexact(parameters[name])]

    def replace(self, name: str, value: Any) -> _Call:
        i = list(self.rule.parameters).index(name)
        if i >= len(self.args):
            return replace(self, kwargs={**self.kwargs, name: value})
        return replace(self, args=(*self.args[:i], value, *self.args[i + 1 :]))

    def map(self, function: Callable[[Any], Any]) -> _Call:
        kwargs = {name: _map(function, value) for name, value in self.kwargs.items()}
        return replace(self, args=tuple(_map(function, value) for value in self.args), kwargs=kwargs)

    def run(self) -> Any:
        if not isinstance(self.operation, Key):
            return self.operation(*self.args, **self.kwargs)
        array, *rest = self.args
        member = getattr(array, self.operation.name)
        return member if self.operation.kind == "attribute" else member(*rest, **self.kwargs)

    def vjp(self, name: str, g: Any, z: Any) -> Any:
        pullback = self.rule.vjps[name]
        cotangent = pullback.function(g, z, *self.parameters().values())
        return cotangent if pullback.index is None else cotangent[pullback.index]

    def jvp(self, name: str, dx: Any, z: Any) -> Any:
        """The tangent of the result, as the form of the rule says."""
        if self.rule.form in ("linear", "bilinear"):
            return self.replace(name, dx).run()
        if name not in self.rule.jvps:
            return self.vjp(name, np.broadcast_to(dx, np.shape(z)) if np.ndim(z) else dx, z)
        return self.rule.jvps[name](dx, z, *self.parameters().values())

    def fail(self, name: str, check: str, message: str) -> None:
        shown = ", ".join([*map(_brief, self.args), *(f"{k}={_brief(v)}" for k, v in self.kwargs.items())])
        raise RuleMismatch(f"{self.rule.name} ({_label(self.operation)}) at ({shown}), {name}: {check}: {message}")


# Points


def _points(rule: Rule, operation: Operation, rng: np.random.Generator) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if rule.samples is not None:
        for args, kwargs in rule.samples(rng):
            yield from _spellings(rule, operation, args, kwargs)
    if rule.form == "elementwise" and list(rule.parameters)[: len(rule.domain)] == list(rule.vjps):
        method = isinstance(operation, Key)
        shapes = (None,) * 4 if _is_scalar_only(operation) else _SHAPES
        for combination in itertools.product(shapes[method:], *[shapes] * (len(rule.domain) - 1)):
            yield tuple(_draw(rng, i, s) for i, s in zip(rule.domain, combination, strict=True)), {}


def _spellings(
    rule: Rule, operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The call as the operation may be spelled: operators take no keyword, a method needs an array, ..."""
    if isinstance(operation, Key) and not isinstance(args[0], np.ndarray):
        return
    if isinstance(operation, Key) and operation.kind == "attribute":
        if len(args) == 1 and not kwargs:
            yield args, kwargs
        return
    if getattr(operation, "__module__", "") in ("_operator", "math") and kwargs:
        return
    yield args, kwargs


def _is_scalar_only(operation: Operation) -> bool:
    return getattr(operation, "__module__", "") == "math" or operation in _SCALAR_ONLY


def _draw(rng: np.random.Generator, interval: tuple[float, float], shape: tuple[int, ...] | None) -> Any:
    return float(rng.uniform(*interval)) if shape is None else np.asarray(rng.uniform(*interval, size=shape))


# Checks


def _check_call(call: _Call, rng: np.random.Generator) -> None:
    call = call.map(_read_only)
    z = call.run()
    g = _map(lambda leaf: _cotangent(leaf, rng), z)
    for name in call.active():
        kept = [np.array(leaf) for leaf in _memory(call, z, g)]
        cotangent = _transpose(call, name, g, z)
        if not all(map(_same, kept, _memory(call, z, g))):
            call.fail(name, "arguments", "the rule writes to the cotangent, the result or an argument")
        _check_differences(call, name, g, cotangent)
        _check_dot_product(call, name, g, z, cotangent, rng)
    _check_single_precision(call, rng)


def _memory(call: _Call, z: Any, g: Any) -> list[Any]:
    return _leaves([list(call.args), list(call.kwargs.values()), z, g])


def _same(before: Any, after: Any) -> bool:
    return np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")


def _transpose(call: _Call, name: str, g: Any, z: Any) -> Any:
    """The cotangent of a parameter, its shape and dtype checked; broadcasting reversed for elementwise rules."""
    raw = call.vjp(name, g, z)
    value = call.parameters()[name]
    elementwise = call.rule.form == "elementwise"
    for x, x_bar in _paired(call, name, value, raw):
        if not elementwise and np.shape(x_bar) != np.shape(x):
            call.fail(name, "shape", f"{np.shape(x_bar)} for a parameter of shape {np.shape(x)}")
        _check_dtype(call, name, x, x_bar, _leaves(z))
    return _map(runtime.unbroadcast, raw, value) if elementwise else _map(runtime.cast, raw, value)


def _paired(call: _Call, name: str, value: Any, cotangent: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, list | tuple):
        return [(value, cotangent)]
    if len(cotangent) != len(value):
        call.fail(name, "structure", f"{len(cotangent)} cotangents for {len(value)} items")
    return [pair for i, item in enumerate(value) for pair in _paired(call, name, item, cotangent[i])]


def _check_dtype(call: _Call, name: str, x: Any, x_bar: Any, results: list[Any]) -> None:
    dtype = getattr(x, "dtype", None)
    others = [leaf.dtype for leaf in results if leaf.dtype.kind in "fc"]
    # Where precisions meet, or the complex and the real, the compiler casts; elsewhere the rule keeps the dtype.
    if dtype is None or dtype.kind not in "fc" or any(other != dtype for other in others):
        return
    if getattr(x_bar, "dtype", dtype) != dtype:
        call.fail(name, "dtype", f"{x_bar.dtype} for a parameter of {dtype}")


def _check_differences(call: _Call, name: str, g: Any, cotangent: Any) -> None:
    value = call.parameters()[name]
    leaves = _leaves(value)
    for k, (x, x_bar) in enumerate(zip(leaves, _leaves(_like(value, cotangent)), strict=True)):
        if x.dtype.kind not in "fc":
            continue
        expected = _differences(call, name, k, g)
        error = np.abs(np.asarray(x_bar) - expected)
        scale = 1.0 + float(np.max(np.abs(expected), initial=0.0))
        wrong = ~(error <= 1e-6 * scale)
        if np.any(wrong):
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            item = f"item {k}, " if len(leaves) > 1 else ""
            values = f"the rule gives {np.asarray(x_bar)[at]!s}, differences give {expected[at]!s}"
            call.fail(name, "central differences", f"{item}element {list(at)}: {values}")


def _differences(call: _Call, name: str, k: int, g: Any) -> Any:
    """The derivative of `<g, operation>` with respect to leaf `k` of a parameter, df/dx - i df/dy for complex ones."""
    x = _leaves(call.parameters()[name])[k]
    result = np.zeros(x.shape, x.dtype)
    for at in np.ndindex(x.shape):
        for unit in (1.0, 1.0j) if x.dtype.kind == "c" else (1.0,):
            slope = 0.0
            for distance, weight in _STENCIL:
                moved = np.array(x)
                moved[at] += distance * _STEP * unit
                slope += weight * _inner(g, call.replace(name, _with_leaf(call.parameters()[name], k, moved)).run())
            result[at] += slope / _STEP / unit if unit == 1.0 else -1.0j * slope / _STEP
    return result


def _check_dot_product(call: _Call, name: str, g: Any, z: Any, cotangent: Any, rng: np.random.Generator) -> None:
    value = call.parameters()[name]
    dx = _map(lambda leaf: _cotangent(leaf, rng), value)
    dz = call.jvp(name, dx, z)
    shapes, found = ([np.shape(leaf) for leaf in _leaves(_like(z, tree))] for tree in (z, dz))
    if shapes != found:
        call.fail(name, "tangent's shape", f"{found} for a result of {shapes}")
    forward, reverse = _inner(g, _like(z, dz)), _inner(_like(value, cotangent), dx)
    scale = 1.0 + _norm(g) * _norm(_like(z, dz)) + _norm(_like(value, cotangent)) * _norm(dx)
    single = any(leaf.dtype == np.float32 for leaf in _leaves(z))
    if not abs(forward - reverse) <= (1e-6 if single else 1e-10) * scale:
        call.fail(name, "dot product", f"<g, J dx> is {forward!s}, <J^T g, dx> is {reverse!s}")


def _check_single_precision(call: _Call, rng: np.random.Generator) -> None:
    low = call.map(_single)
    z = low.run()
    g = _map(lambda leaf: _cotangent(leaf, rng), z)
    for name in low.active():
        _transpose(low, name, g, z)
        dx = _map(lambda leaf: _cotangent(leaf, rng), low.parameters()[name])
        for leaf, tangent in zip(_leaves(z), _leaves(_like(z, low.jvp(name, dx, z))), strict=True):
            if leaf.dtype == np.float32 and any(d.dtype == np.float64 for d in (tangent,)) and _has_dtype(dx):
                low.fail(name, "dtype", f"a tangent of {tangent.dtype} for a result of {leaf.dtype}")


# Trees of arrays: a parameter or a result is an array, or a list or tuple of such


def _map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    if isinstance(tree, list | tuple):
        items = [_map(function, item, *(other[i] for other in others)) for i, item in enumerate(tree)]
        return tuple(items) if isinstance(tree, tuple) else items
    return function(tree, *others)


def _like(tree: Any, values: Any) -> Any:
    """`values`, which is indexable where `tree` is a sequence, with the structure of `tree`."""
    if isinstance(tree, list | tuple):
        return [_like(item, values[i]) for i, item in enumerate(tree)]
    return values


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, list | tuple):
        return [leaf for item in tree for leaf in _leaves(item)]
    return [np.asarray(tree)]


def _with_leaf(tree: Any, k: int, leaf: Any) -> Any:
    """A copy of the tree with leaf number `k` replaced, a Python number by a Python number."""
    counter = itertools.count()
    return _map(lambda x: (leaf if hasattr(x, "dtype") else leaf.item()) if next(counter) == k else x, tree)


def _is_inexact(tree: Any) -> bool:
    return any(leaf.dtype.kind in "fc" for leaf in _leaves(tree))


def _has_dtype(tree: Any) -> bool:
    return all(hasattr(item, "dtype") for item in (tree if isinstance(tree, list | tuple) else [tree]))


def _cotangent(leaf: Any, rng: np.random.Generator) -> Any:
    """A random value like a leaf: read-only and not contiguous, zero for what has no derivative."""
    array = np.asarray(leaf)
    if array.dtype.kind not in "fc":
        return np.zeros(array.shape)
    values = rng.normal(size=(*array.shape, 2))
    if array.dtype.kind == "c":
        values = values + 1j * rng.normal(size=values.shape)
    drawn = values.astype(array.dtype)[..., 0]
    if not hasattr(leaf, "dtype"):
        return drawn.item()
    if isinstance(drawn, np.ndarray):
        drawn.flags.writeable = False
    return drawn


def _read_only(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray):
        return leaf
    copy = leaf.copy()
    copy.flags.writeable = False
    return copy


def _single(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray | np.generic) or leaf.dtype.kind not in "fc":
        return leaf
    return leaf.astype(np.float32 if leaf.dtype.kind == "f" else np.complex64)


def _inner(left: Any, right: Any) -> float:
    return sum(float(np.real(np.sum(a * b))) for a, b in zip(_leaves(left), _leaves(right), strict=True))


def _norm(tree: Any) -> float:
    return float(np.sqrt(sum(np.sum(np.abs(leaf) ** 2) for leaf in _leaves(tree))))


def _label(operation: Operation) -> str:
    if isinstance(operation, Key):
        return f"{operation.kind} {operation.name}"
    return str(getattr(operation, "__qualname__", None) or getattr(operation, "__name__", operation))


def _brief(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_brief, value))}]"
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)
