"""Functions as values: partial application, bound methods, closures, choices, `*args` and `**kwargs`."""

from __future__ import annotations

import bisect
import enum
import functools
import logging
import math
import operator
import random
import statistics
import textwrap
import time
from typing import Any

import numpy as np
import pytest

from srcgrad import grad
from tests.frontend.agreement import X, agrees, refused


def scaled(x: Any, factor: Any = 2.0, *, power: Any = 1) -> Any:
    return factor * x**power


def traced(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return 1.5 * function(*args, **kwargs)

    return wrapper


@traced
def decorated(x: Any, a: Any, *, b: Any = 1.0) -> Any:
    return a * np.sin(b * x)


class Polynomial:
    def __init__(self, coefficients: Any) -> None:
        self.coefficients = coefficients

    def value(self, x: Any) -> Any:
        total = 0.0
        for c in self.coefficients:
            total = total * x + c
        return total

    @staticmethod
    def square(x: Any) -> Any:
        return x * x

    @classmethod
    def line(cls, slope: Any) -> Any:
        return cls((slope, 0.5))


def test_partial_application_merges_arguments() -> None:
    def f(x: Any) -> Any:
        triple = functools.partial(scaled, factor=3.0)
        cubic = functools.partial(triple, power=3)
        return np.sum(triple(x) + cubic(x, factor=0.5) + cubic(x))

    agrees(f)


def test_partial_application_of_active_values() -> None:
    def f(x: Any) -> Any:
        product = functools.partial(operator.mul, x[0])
        return np.sum(product(x))

    agrees(f)


def test_bound_methods_are_values() -> None:
    def f(x: Any) -> Any:
        value = Polynomial((x[0], 2.0, x[1])).value
        return value(x[2]) + value(1.5)

    agrees(f)


def test_methods_of_arrays_are_values() -> None:
    def f(x: Any) -> Any:
        total = x.sum
        return total() * x.dot(x)

    agrees(f)


def test_static_and_class_methods() -> None:
    def f(x: Any) -> Any:
        return Polynomial.square(x[0]) + Polynomial.line(x[1]).value(x[2]) + Polynomial.line(2.0).square(x[2])

    agrees(f)


def test_functions_in_containers() -> None:
    def f(x: Any, name: str) -> Any:
        functions = {"sin": np.sin, "square": lambda v: v * v}
        total = functions[name](x)
        for g in (np.sin, np.cos, functions["square"]):
            total = total + g(x) * x
        for g in [np.exp, np.tanh]:
            total = total * g(x)
        return np.sum(total)

    agrees(f, X, "sin")
    agrees(f, X, "square")


def test_functions_are_passed_on() -> None:
    def apply(g: Any, *args: Any) -> Any:
        return g(*args)

    def f(x: Any) -> Any:
        scale = x[0]

        def inner(v: Any) -> Any:
            return scale * v * v

        return apply(inner, x[1]) + apply(lambda a, b: a * b, x[1], x[2]) + apply(math.sin, x[0])

    agrees(f)


def test_a_choice_of_functions_that_is_known() -> None:
    def f(x: Any, kind: str) -> Any:
        g = np.sin if kind == "sin" else np.cos
        return np.sum(g(x) * x)

    agrees(f, X, "sin")
    agrees(f, X, "cos")


def test_a_choice_of_functions_at_run_time() -> None:
    def f(x: Any) -> Any:
        if x[0] > 0:
            g = np.sin
        else:
            def g(v: Any) -> Any:
                return v * v * x[1]
        return np.sum(g(x) * x)

    agrees(f)
    agrees(f, -X)


def test_factories_close_over_active_values() -> None:
    def line(slope: Any, offset: Any) -> Any:
        def value(v: Any) -> Any:
            return slope * v + offset

        return value

    def f(x: Any) -> Any:
        total = 0.0
        for k in range(3):
            total = total + line(x[k], x[0])(total + 1.0)
        return total

    agrees(f)


def test_defaults_are_evaluated_when_the_function_is_made() -> None:
    def f(x: Any) -> Any:
        functions = [lambda v, k=k: v**k for k in (1, 2, 3)]
        a = x[0]

        def g(v: Any, scale: Any = a) -> Any:
            return scale * v

        a = 7.0
        return functions[0](x[0]) + functions[1](x[1]) * functions[2](x[2]) + g(a * x[1])

    agrees(f)


def test_starred_arguments_and_parameters() -> None:
    def total(first: Any, *rest: Any, weight: Any = 1.0, **others: Any) -> Any:
        for v in rest:
            first = first + weight * v * v
        return first + sum(others.values()) * others["b"]

    def f(x: Any) -> Any:
        pair = (x[0], x[1])
        options = {"weight": x[2], "b": 2.0 * x[0]}
        return total(*pair, x[2], c=x[1], **options)

    agrees(f)


def test_wrapped_functions() -> None:
    def f(x: Any) -> Any:
        return np.sum(decorated(x, x[0], b=x[1]))

    agrees(f)


def test_functions_decorated_inside() -> None:
    def f(x: Any) -> Any:
        @traced
        def g(v: Any) -> Any:
            return v * v

        return g(x[0]) + x[1]

    agrees(f)


def test_map_filter_and_reduce() -> None:
    def f(x: Any) -> Any:
        squares = list(map(lambda v: v * v, x))  # noqa: C417
        products = map(operator.mul, squares, x)
        positive = filter(lambda v: v > 0, x)
        return sum(products) + sum(positive) + functools.reduce(lambda a, b: a * b, (x[0], x[1], x[2]))

    agrees(f)


def test_getters() -> None:
    def f(x: Any) -> Any:
        first, last = operator.itemgetter(0), operator.itemgetter(0, 2)
        a, b = last((x[0], x[1], x[2]))
        return first(x) * a * b

    agrees(f)


def test_nonlocal_variables() -> None:
    def f(x: Any) -> Any:
        total = x[0]
        count = 0

        def add(v: Any) -> None:
            nonlocal total, count
            if v > 0:
                total = total * v
                count += 1

        for v in x:
            add(v)
        add(2.0)
        return total + count

    agrees(f)


def test_counters_made_by_factories() -> None:
    def counter(start: Any) -> Any:
        value = start

        def step(by: Any) -> Any:
            nonlocal value
            value = value * by
            return value

        return step

    def f(x: Any) -> Any:
        one, other = counter(x[0]), counter(2.0)
        for _ in range(2):
            one(x[1])
            other(x[2])
        return one(1.0) * other(x[0])

    agrees(f)


def test_a_variable_of_a_comprehension_is_not_read_later() -> None:
    def f(x: Any) -> Any:
        functions = [lambda v: v * k for k in (1.0, 2.0)]  # noqa: B023
        return functions[0](x[0])

    refused(f, "comprehension that has ended")


def test_a_function_that_leaves() -> None:
    def f(x: Any) -> Any:
        return x[0], lambda v: v

    refused(f, "used as a value")


def test_writes_of_variables_outside() -> None:
    seen = 0.0

    def f(x: Any) -> Any:
        nonlocal seen
        seen = x[0]
        return x[0]

    refused(f, "outside of the differentiated function")


class Unit(enum.StrEnum):
    METRE = "m"
    FOOT = "ft"


def bounded(x, bound=float("inf"), unit=Unit.FOOT, shift=-float("inf")):
    scale = 0.5 if unit is Unit.FOOT else 1.0
    return scale * np.sum(np.minimum(x, bound) ** 2 * (x > shift))


def test_defaults_that_are_no_literals() -> None:
    x = np.array([0.5, 2.0])
    assert np.allclose(grad(bounded)(x), x)
    assert np.allclose(grad(bounded)(x, 1.0, Unit.METRE), [1.0, 0.0])


def square(v: Any) -> Any:
    return v**2


@pytest.mark.parametrize("general", [True, False])
def test_another_function_is_another_call(general: bool) -> None:
    def f(x: Any, g: Any) -> Any:
        return g(x)

    derivative = grad(f, specialize=general)
    for g, slope in ((np.sin, math.cos(0.4)), (np.exp, math.exp(0.4)), (math.exp, math.exp(0.4)), (square, 0.8)):
        assert math.isclose(derivative(0.4, g), slope)
        assert math.isclose(derivative(0.4, g), slope)


def test_a_class_and_a_module_as_arguments() -> None:
    def f(x: Any, cls: Any, library: Any) -> Any:
        return cls([0.0, 1.0, 2.0]).value(x[0]) * library.sum(library.sin(x))

    agrees(f, X, Polynomial, np)


STEPS = [np.sin, square]


def test_a_list_of_functions_that_changes_leads_to_new_code() -> None:
    def f(x: Any) -> Any:
        for step in STEPS:
            x = step(x)
        return x

    derivative = grad(f)
    expected = 2 * math.sin(0.4) * math.cos(0.4)
    assert math.isclose(derivative(0.4), expected)
    STEPS.append(square)
    try:
        assert math.isclose(derivative(0.4), 2 * math.sin(0.4) ** 2 * expected)
        STEPS[0] = np.cos
        assert math.isclose(derivative(0.4), -4 * math.cos(0.4) ** 3 * math.sin(0.4))
    finally:
        STEPS[:] = [np.sin, square]
    assert math.isclose(derivative(0.4), expected)


def test_lists_of_functions_as_arguments() -> None:
    def f(x: Any, steps: Any, layers: Any) -> Any:
        y = x[0]
        for k in range(4):
            y = steps[k % len(steps)](y)
        for weight, act in layers:
            y = act(y * weight)
        return y + sum(step(x[1]) for step in steps) + (steps[0] is np.sin) + list(steps)[-1](x[2])

    derivative = grad(f)
    agrees(f, X, [np.sin, square], [[2.0, np.cos], [0.5, square]])
    twice = grad(f, "layers")(X, [np.sin, square, np.sin], [[2.0, np.cos], [0.5, square]])
    assert [act for _, act in twice] == [None, None]
    layers = [(1.0, square)]
    assert not np.allclose(derivative(X, [np.sin], layers), derivative(X, [np.sin, np.sin], layers))


def test_a_list_of_functions_that_is_changed_is_refused() -> None:
    def appends(x: Any, steps: Any) -> Any:
        steps.append(np.exp)
        return steps[-1](x[0])

    def stores(x: Any, steps: Any) -> Any:
        steps[0] = np.exp
        return steps[0](x[0])

    def extends(x: Any, steps: Any) -> Any:
        steps += [np.exp]
        return steps[-1](x[0])

    for f, problem in ((appends, "functions or objects"), (stores, "is changed"), (extends, "in place")):
        refused(f, problem, X, [np.sin, np.cos])


def test_a_position_that_is_not_in_a_list_of_functions() -> None:
    def f(x: Any, k: int) -> Any:
        return STEPS[k](x[0])

    agrees(f, X, -2)
    with pytest.raises(IndexError):
        grad(f)(X, 2)


def test_a_function_of_the_library_is_called_as_it_stands() -> None:
    def f(x: Any) -> Any:
        started = time.perf_counter()
        order = [0, 1]
        random.shuffle(order)
        logging.getLogger("srcgrad.tests").debug("%s", time.perf_counter() - started)
        return x[bisect.bisect([0.0, 1.0], 0.5)] ** 2 * len(textwrap.dedent(" a")) + x[order[0]] * x[order[1]]

    agrees(f)


def test_a_function_of_the_library_without_a_rule_is_refused_where_it_is_called() -> None:
    def f(x: Any) -> Any:
        return statistics.mean(x) * x[0]

    error = refused(f, "no rule for `statistics.mean`")
    assert all(offence.place.file.endswith("test_functions.py") for offence in error.offences if offence.place)
