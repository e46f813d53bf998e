"""Every rule of the registry through the compiler, at the points that it declares, in every spelling.

Once: value and cotangents of a program of one operation, specialised to its arguments and not, optimised and not.
Twice: the text of the derivative is differentiated again, with respect to the arguments and to the cotangent.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from srcgrad import rules, vjp
from srcgrad.rules.rule import Key, Rule, registry
from tests.differences import (
    assert_close,
    assert_identical,
    assert_same_kind,
    copied,
    dot,
    gradient,
    has_floating,
    random_like,
    tree_map,
)
from tests.rules.compiled import Program, define, is_complex, points, program, single

assert rules.__doc__
RULES = [rule for rule in registry if rule.form != "constant"]
CASES = [(rule, operation) for rule in RULES for operation in rule.operations]

# The transposes of these are helpers without a rule: the order is that of the operation that calls them, less one.
ONCE = {
    "product_of_others": "what it gives is the derivative of a product already",
    "cumprod_vjp": "what it gives is the derivative of a running product already",
    "cumprod_jvp": "what it gives is the derivative of a running product already",
    "unmulti_dot": "what it gives is the derivative of a chain of products already",
    "multi_dot_tangent": "what it gives is the derivative of a chain of products already",
}


def _name(value: Any) -> str:
    if isinstance(value, Rule):
        return value.name
    return f"{value.kind}.{value.name}" if isinstance(value, Key) else f"{value.__module__}.{value.__name__}".lower()


def _programs(rule: Rule, operation: Any) -> Iterator[Program]:
    for args, kwargs in points(rule, operation):
        if not is_complex((args, kwargs)):
            made = program(rule, operation, args, kwargs)
            if made.wrt:
                yield made


def _plain(value: Any) -> Any:
    """NumPy's named tuples as tuples."""
    return tuple(value) if isinstance(value, tuple) else value


def _value(made: Program) -> Any:
    with np.errstate(all="ignore"):
        return _plain(made.function(*copied(made.args)))


def _wanted(made: Program) -> tuple[Any, ...]:
    return tuple(made.args[i] for i in made.wrt)


def _with(made: Program, values: Any) -> list[Any]:
    args = list(made.args)
    for i, value in zip(made.wrt, values, strict=True):
        args[i] = value
    return args


def _pairing(made: Program, seed: Any, values: Any) -> float:
    return dot(seed, _plain(made.function(*_with(made, values))))


@pytest.mark.parametrize("specialize", [True, False], ids=["specialised", "polymorphic"])
@pytest.mark.parametrize(("rule", "operation"), CASES, ids=_name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_cotangents(rule: Rule, operation: Any, specialize: bool, rng: np.random.Generator) -> None:
    for made in _programs(rule, operation):
        value = _value(made)
        seed = random_like(value, rng)
        expected = gradient(functools.partial(_pairing, made, seed), _wanted(made))
        for optimize in (True, False):
            derivative = vjp(made.function, made.wrt, optimize=optimize, specialize=specialize)
            result, cotangents = derivative(*copied(made.args), seed=copied(seed))
            assert_identical(_plain(result), value)
            assert_same_kind(cotangents, _wanted(made))
            assert_close(cotangents, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("rule", "operation"), CASES, ids=_name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_single_precision_stays_single(rule: Rule, operation: Any, rng: np.random.Generator) -> None:
    for made in itertools.islice(_programs(rule, operation), 4):
        args = tree_map(single, made.args)
        wanted = tuple(args[i] for i in made.wrt)
        seed = random_like(_plain(made.function(*copied(args))), rng)
        _, cotangents = vjp(made.function, made.wrt)(*copied(args), seed=copied(seed))
        assert_same_kind(cotangents, wanted)


@pytest.mark.parametrize("specialize", [True, False], ids=["specialised", "polymorphic"])
@pytest.mark.parametrize(("rule", "operation"), [(r, r.operations[0]) for r in RULES if r.name not in ONCE], ids=_name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_derivative_of_the_derivative(rule: Rule, operation: Any, specialize: bool, rng: np.random.Generator) -> None:
    for made in itertools.islice(_programs(rule, operation), 10):
        value = _value(made)
        if has_floating(value):
            _check_twice(made, random_like(value, rng), specialize, rng)


def _check_twice(made: Program, seed: Any, specialize: bool, rng: np.random.Generator) -> None:
    derivative = vjp(made.function, made.wrt, specialize=specialize)
    cotangents = derivative(*copied(made.args), seed=copied(seed))[1]
    direction = random_like(_wanted(made), rng)
    names = ", ".join(f"x{i}" for i in range(len(made.args)))
    twice = define(
        f"{derivative.source}\n\ndef cotangents({names}, g):\n    return program_vjp({names}, seed=g)[1]\n",
        "cotangents",
    )
    wrt = (*made.wrt, len(made.args))
    result, second = vjp(twice, wrt, specialize=specialize)(*copied(made.args), copied(seed), seed=copied(direction))
    assert_close(result, cotangents)

    def inner_product(values: Any) -> float:
        return dot(direction, derivative(*_with(made, values[:-1]), seed=values[-1])[1])

    expected = gradient(inner_product, (*_wanted(made), seed))
    assert_close(tuple(map(_like, expected, second)), expected, rtol=1e-5, atol=1e-6)
    assert_same_kind(second[:-1], _wanted(made))


def _like(tree: Any, value: Any) -> Any:
    """The adjoint of a tuple is a list, or one array, where the text does not know that it is a tuple."""
    return type(tree)(value) if isinstance(tree, list | tuple) else value


def test_there_is_a_reason_for_every_exception() -> None:
    assert {rule.name for rule in RULES} >= set(ONCE)


def _is_numpys(case: tuple[Rule, Any]) -> bool:
    return not isinstance(case[1], Key) and not str(getattr(case[1], "__module__", "")).startswith("srcgrad")


@pytest.mark.parametrize("specialize", [True, False], ids=["specialised", "polymorphic"])
@pytest.mark.parametrize(("rule", "operation"), list(filter(_is_numpys, CASES)), ids=_name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_lists_in_the_place_of_arrays(rule: Rule, operation: Any, specialize: bool, rng: np.random.Generator) -> None:
    """Where NumPy takes lists of numbers for arrays, their cotangents are those of the arrays."""
    for made in itertools.islice(_programs(rule, operation), 2):
        value, given = _value(made), enumerate(made.args)
        lists = [x.tolist() if isinstance(x, np.ndarray) and i in made.wrt else x for i, x in given]
        try:
            assert_close(_plain(made.function(*lists)), value)
        except (AssertionError, AttributeError, TypeError, ValueError):
            continue  # lists are joined, or not taken at all
        if has_floating(value):
            seed = random_like(value, rng)
            derivative = vjp(made.function, made.wrt, specialize=specialize)
            found = derivative(*copied(lists), seed=copied(seed))[1]
            expected = derivative(*copied(made.args), seed=copied(seed))[1]
            assert_close(tuple(map(np.array, found)), tuple(map(np.array, expected)))
