"""The checker itself: wrong rules, seeded one defect each, fail it; the right ones beside them pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import Parameter
from typing import Any

import numpy as np
import pytest

from srcgrad.rules.rule import REAL, Key, Pullback, Rule, Sample
from srcgrad.testing import RuleMismatch, check_rule

Function = Callable[..., Any]



def _elementwise(operation: Any, *bodies: Function) -> Rule:
    names = ("x", "y")[: len(bodies)]
    vjps = {name: Pullback(body) for name, body in zip(names, bodies, strict=True)}
    return Rule("seeded", "elementwise", (operation,), _required(*names), vjps, domain=(REAL,) * len(bodies))


def _required(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, Parameter.empty)


def _vector(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=3),), {}


def _matrices(rng: np.random.Generator) -> Iterable[Sample]:
    yield (rng.normal(size=(2, 3)), rng.normal(size=(3, 2))), {}


def _linear(operation: Any, body: Function) -> Rule:
    return Rule("seeded", "linear", (operation,), _required("x"), {"x": Pullback(body)}, samples=_vector)


def _general(vjp: Function, jvp: Function) -> Rule:
    """Rules for the running sum of squares."""
    return Rule(
        "seeded",
        "general",
        (lambda x: np.cumsum(x * x),),
        _required("x"),
        {"x": Pullback(vjp)},
        {"x": jvp},
        samples=_vector,
    )


def _right_vjp(g: Any, z: Any, x: Any) -> Any:
    return np.cumsum(g[::-1])[::-1] * 2 * x


def _right_jvp(dx: Any, z: Any, x: Any) -> Any:
    return np.cumsum(2 * x * dx)


def _writes(g: Any, z: Any, x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x.flags.writeable = True
        x *= 2
    return g * np.cos(x)


RIGHT = {
    "sin": _elementwise(np.sin, lambda g, z, x: g * np.cos(x)),
    "multiply": _elementwise(np.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * x),
    "sum": _linear(np.sum, lambda g, z, x: np.broadcast_to(g, x.shape)),
    "sum of squares": _general(_right_vjp, _right_jvp),
    "matmul": Rule(
        "seeded",
        "bilinear",
        (np.matmul,),
        _required("x", "y"),
        {"x": Pullback(lambda g, z, x, y: g @ y.T), "y": Pullback(lambda g, z, x, y: x.T @ g)},
        samples=_matrices,
    ),
    "real part": Rule(
        "seeded",
        "linear",
        (Key("attribute", "T"),),
        _required("x"),
        {"x": Pullback(lambda g, z, x: g.T)},
        samples=lambda rng: [((rng.normal(size=(2, 3)),), {})],
    ),
    "sequence": Rule(
        "seeded",
        "linear",
        (np.concatenate,),
        _required("arrays"),
        {"arrays": Pullback(lambda g, z, arrays: (g[:2], g[2:]))},
        samples=lambda rng: [(([rng.normal(size=2), rng.normal(size=1)],), {})],
    ),
}

WRONG: dict[str, tuple[Rule, str]] = {
    "wrong sign": (_elementwise(np.cos, lambda g, z, x: g * np.sin(x)), "central differences"),
    "missing factor": (_elementwise(np.square, lambda g, z, x: g * x), "central differences"),
    "wrong in one element": (
        _elementwise(np.square, lambda g, z, x: g * 2 * x * np.where(np.cumsum(np.ones_like(x)) > 1, 1.0, 1.001)[0]
                     if np.ndim(x) == 1 else g * 2 * x),
        "element [0]",
    ),
    "second parameter wrong": (
        _elementwise(np.multiply, lambda g, z, x, y: g * y, lambda g, z, x, y: g * y),
        "y: central differences",
    ),
    "wrong tangent alone": (_general(_right_vjp, lambda dx, z, x: np.cumsum(2 * x * dx)[::-1]), "dot product"),
    "tangent wrong in the eighth digit": (
        _general(_right_vjp, lambda dx, z, x: np.cumsum(2 * x * dx) * (1 + 1e-8)),
        "dot product",
    ),
    "transpose not reversed": (_general(lambda g, z, x: np.cumsum(g) * 2 * x, _right_jvp), "central differences"),
    "both modes wrong alike": (
        _general(lambda g, z, x: np.cumsum(g[::-1])[::-1] * x, lambda dx, z, x: np.cumsum(x * dx)),
        "central differences",
    ),
    "dtype promoted": (_elementwise(np.sin, lambda g, z, x: g * np.cos(x) * np.float64(1)), "dtype: float64"),
    "tangent promoted": (_general(_right_vjp, lambda dx, z, x: np.cumsum(2 * x * dx, dtype=float)), "a tangent of"),
    "broadcast forgotten": (_linear(np.sum, lambda g, z, x: g), "shape: () for a parameter of shape (3,)"),
    "tangent of another shape": (_general(_right_vjp, lambda dx, z, x: _right_jvp(dx, z, x)[:1]), "tangent's shape"),
    "writes to an argument": (_elementwise(np.sin, _writes), "arguments"),
    "item missing": (
        Rule(
            "seeded",
            "linear",
            (np.concatenate,),
            _required("arrays"),
            {"arrays": Pullback(lambda g, z, arrays: (g[:2],))},
            samples=lambda rng: [(([rng.normal(size=2), rng.normal(size=1)],), {})],
        ),
        "structure: 1 cotangents for 2 items",
    ),
    "not a number": (_elementwise(np.sin, lambda g, z, x: g * np.cos(x) * np.nan), "central differences"),
    "nothing to check at": (
        Rule("seeded", "linear", (np.sum,), _required("x"), {"x": Pullback(lambda g, z, x: g)}),
        "neither a domain nor a sample",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_rule_passes(name: str) -> None:
    check_rule(RIGHT[name])


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rule_fails(name: str) -> None:
    rule, message = WRONG[name]
    with pytest.raises(RuleMismatch) as raised:
        check_rule(rule)
    assert message in str(raised.value)
    assert "seeded" in str(raised.value)
