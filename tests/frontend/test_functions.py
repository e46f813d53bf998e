"""Functions as values: partial application, bound methods, closures, choices, `*args` and `**kwargs`."""

from __future__ import annotations

import enum
import functools
import math
import operator
from typing import Any

import numpy as np

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
