"""A derivative as an object: how it is called, read, bound, pickled, and what it says when generated code fails."""

from __future__ import annotations

import copy
import functools
import inspect
import linecache
import pickle
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from srcgrad import Derivative, grad, value_and_grad, vjp
from srcgrad.api.dispatch import key_of
from srcgrad.errors import (
    NonScalarOutput,
    NotDifferentiable,
    SeedMismatch,
    SourceUnavailable,
    UnknownParameter,
)
from srcgrad.types import type_of

Function = Callable[..., Any]


def cubic(x: float, a: float = 2.0) -> float:
    """A cubic."""
    return a * x**3


@grad
def slope(x):
    """The slope of a parabola."""
    return x * x


@grad(wrt="x", optimize=False)
def slope_of_the_second(a, x):
    return a * x * x


class Model:
    def __init__(self, weight: float) -> None:
        self.weight = weight

    @grad(wrt="x")
    def slope(self, x):
        return self.weight * x * x

    def value(self, x):
        return self.weight * x * x

    def value_of_two(self, x, y):
        return self.weight * x * y


# Names and signatures


@pytest.mark.parametrize("transformation", [grad, value_and_grad, vjp])
def test_a_derivative_keeps_name_docstring_and_module(transformation: Function) -> None:
    derivative = transformation(cubic)
    assert isinstance(derivative, Derivative)
    assert callable(derivative)
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        assert getattr(derivative, name) == getattr(cubic, name)
    assert derivative.primal is cubic
    assert "cubic" in repr(derivative)


def test_the_signature_is_that_of_the_primal_and_the_seed() -> None:
    assert inspect.signature(grad(cubic)) == inspect.signature(cubic)
    parameters = inspect.signature(vjp(cubic)).parameters
    assert list(parameters) == ["x", "a", "seed"]
    assert parameters["seed"].kind is inspect.Parameter.KEYWORD_ONLY


def test_wraps_takes_a_derivative() -> None:
    derivative = grad(cubic)

    @functools.wraps(derivative)
    def logged(*args: Any) -> Any:
        return derivative(*args)

    assert logged.__name__ == "cubic"
    assert logged.__doc__ == "A cubic."
    assert inspect.signature(logged) == inspect.signature(cubic)
    assert logged(1.0) == 6.0


# Ways to call


def test_decorators_bare_and_with_options() -> None:
    assert slope(1.5) == 3.0
    assert slope_of_the_second(2.0, 1.5) == 6.0
    assert slope.primal(1.5) == 2.25


def test_wrt_is_the_second_argument() -> None:
    def f(x, y, bias):
        return x * y + bias * y

    assert grad(f, 1)(2.0, 3.0, 5.0) == 7.0
    assert grad(f, -1)(2.0, 3.0, 5.0) == 3.0
    assert grad(f, (0, "bias"))(2.0, 3.0, 5.0) == (3.0, 3.0)
    assert grad(f, ("y",))(2.0, 3.0, 5.0) == (7.0,)
    assert value_and_grad(f, "y")(2.0, 3.0, 5.0) == (21.0, 7.0)


def every_kind(a, /, b, c=3.0, *, d, e=5.0):
    return a * b * c * d * e


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1.0, 2.0, 3.0), {"d": 4.0, "e": 5.0}),
        ((1.0, 2.0), {"d": 4.0}),
        ((1.0,), {"d": 4.0, "b": 2.0}),
        ((1.0,), {"c": 3.0, "e": 5.0, "d": 4.0, "b": 2.0}),
    ],
)
def test_arguments_by_position_by_keyword_and_by_default(args: tuple[float, ...], kwargs: dict[str, float]) -> None:
    wrt = ("a", "b", "c", "d", "e")
    assert grad(every_kind, wrt)(*args, **kwargs) == (120.0, 60.0, 40.0, 30.0, 24.0)
    assert vjp(every_kind, "d")(*args, seed=2.0, **kwargs) == (120.0, 60.0)


def shadowing(type, len, _variant, self, Exception=2.0):
    return type * len * _variant * self * Exception


def test_parameters_may_have_the_names_that_the_call_uses() -> None:
    assert grad(shadowing, "self")(2.0, 3.0, 5.0, 7.0) == 60.0
    assert grad(shadowing, "Exception")(2.0, 3.0, 5.0, self=7.0) == 210.0


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1.0, 2.0, 3.0), {}), ((1.0,), {"z": 1.0}), ((1.0,), {"x": 1.0})]
)
def test_a_wrong_call_reads_like_that_of_the_primal(args: tuple[float, ...], kwargs: dict[str, float]) -> None:
    with pytest.raises(TypeError) as plain:
        cubic(*args, **kwargs)
    with pytest.raises(TypeError) as caught:
        grad(cubic)(*args, **kwargs)
    assert str(caught.value) == str(plain.value)


def test_aux_is_handed_on() -> None:
    def f(x):
        y = x * x
        return y * x, {"square": y}

    assert grad(f, has_aux=True)(2.0) == (12.0, {"square": 4.0})
    assert value_and_grad(f, has_aux=True)(2.0) == ((8.0, {"square": 4.0}), 12.0)


@pytest.mark.parametrize("result", ["x * x", "(x, x, x)", "[x, x]"])
def test_aux_needs_a_pair(result: str) -> None:
    function = written(f"def f(x):\n    return {result}\n")
    with pytest.raises(NonScalarOutput, match="pair"):
        grad(function, has_aux=True)(2.0)


def test_grad_of_what_is_no_number() -> None:
    with pytest.raises(NonScalarOutput, match="none"):
        grad(written("def f(x):\n    y = x * x\n"))(2.0)


def test_the_shape_in_the_message_has_numbers() -> None:
    def f(x, n, mask):
        return np.concatenate([x[1:], np.zeros(n)]), x[mask]

    with pytest.raises(NonScalarOutput, match=r"\(4, 3\)"):
        grad(lambda x: x[1:])(np.ones((5, 3)))
    with pytest.raises(NonScalarOutput, match=r"\(\?,\)"):
        grad(lambda x, mask: x[mask])(np.ones(3), np.array([True, False, True]))


# Derivatives of derivatives


def test_every_transformation_takes_a_derivative() -> None:
    assert grad(grad(cubic))(1.5) == pytest.approx(18.0)
    assert grad(grad(cubic, "x"), "a")(1.5) == pytest.approx(6.75)
    assert value_and_grad(grad(cubic))(1.5) == pytest.approx((13.5, 18.0))
    assert vjp(grad(cubic))(1.5, seed=2.0) == pytest.approx((13.5, 36.0))
    assert grad(grad(cubic), 0).primal.primal is cubic


def test_the_seed_of_a_derivative_is_a_parameter() -> None:
    twice = vjp(vjp(cubic), ("x", "seed"))
    assert list(inspect.signature(twice).parameters) == ["x", "a", "seed", "seed_"]
    (value, first), (by_x, by_seed) = twice(1.5, seed=2.0, seed_=(0.0, 1.0))
    assert (value, first) == pytest.approx((6.75, 27.0))
    assert (by_x, by_seed) == pytest.approx((36.0, 13.5))


def test_a_derivative_of_a_derivative_follows_a_helper() -> None:
    namespace = module_of("def helper(x):\n    return x**2\ndef f(x):\n    return helper(x)\n")
    second = grad(grad(namespace.f))
    assert second(3.0) == 2.0
    define(namespace, "def helper(x):\n    return x**3\n")
    assert second(3.0) == 18.0


# Texts


def test_the_source_before_and_after_a_call() -> None:
    derivative = grad(cubic)
    before = derivative.source
    assert "for arguments of any type" in before
    derivative(1.0)
    assert "x: float" in derivative.source
    derivative(np.float32(1.0))
    assert "x: float32" in derivative.source
    derivative(1.0)
    assert "x: float," in derivative.source


def test_source_for_runs_nothing_and_leaves_the_source(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x, y):
        print("ran")
        return np.sum(x * y)

    derivative = vjp(f)
    before = derivative.source
    assert "x: float64[:], y: float" in derivative.source_for(np.ones(3), y=2.0)
    assert derivative.source_for(np.ones(3), 2.0, seed=1.0) == derivative.source_for(np.ones(5), 2.0)
    assert derivative.source == before
    assert capsys.readouterr().out == ""


def test_a_longer_vector_has_the_same_text_and_a_unit_axis_another() -> None:
    derivative = grad(lambda x, y: np.sum(x * y))
    derivative(np.ones(3), np.ones(3))
    first = derivative.source
    derivative(np.ones(7), np.ones(7))
    assert derivative.source is first
    np.testing.assert_array_equal(derivative(np.ones(1), np.ones(7)), [7.0])
    assert derivative.source != first


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x


VALUES: list[Any] = [
    1, 2, 1.0, True, None, "a", 1j, np.float32(1), np.float64(1), np.int8(1), np.ones(3), np.ones(4), np.ones(1),
    np.ones((3, 1)), np.ones((1, 3)), np.ones((2, 2)), np.ones(3, np.float32), np.array(1.0), (1.0, 2.0), (1.0, 2), (),
    (1.0,), [1.0, 2.0], [1.0], [1.0, np.ones(2)], [], [[1.0]], {"a": 1.0}, {"a": 2.0}, {"a": 1}, {"b": 1.0},
    {"a": np.ones(2)}, ({"a": [np.ones(1)]},), Point(1.0), Point(1), Point(np.ones(2)), Point(Point(1.0)), len,
    cubic, every_kind, np, slice(1, 2), range(3), float,
]  # fmt: skip


def test_one_key_means_one_type() -> None:
    for a in VALUES:
        for b in VALUES:
            assert key_of(a) != key_of(b) or type_of(a) == type_of(b), (a, b)
    assert key_of(np.ones(3)) == key_of(np.ones(4))
    assert key_of(Point(np.ones(3))) == key_of(Point(np.ones(4)))


def test_an_object_that_holds_itself_has_a_key() -> None:
    point = Point(None)
    point.x = point
    assert key_of(point) == key_of(point)


def doubles_a_slope(x):
    return 2 * slope(x)


def test_a_derivative_inside_of_a_function() -> None:
    assert grad(doubles_a_slope)(1.5) == 4.0


# What a function reads from outside


def module_of(text: str) -> Any:
    """A module with this text, of which the source can be read."""
    module = ModuleType(f"module_{len(linecache.cache)}")
    vars(module)["np"] = np
    define(module, text)
    return module


def define(module: Any, text: str) -> None:
    file = f"<text {len(linecache.cache)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), vars(module))


def written(text: str) -> Function:
    function: Function = module_of(text).f
    return function


def test_a_redefined_helper_gets_a_gradient_of_its_own() -> None:
    module = module_of("def helper(x):\n    return x * 2\ndef f(x):\n    return helper(x)\n")
    first = module.helper
    derivative = grad(module.f)
    assert derivative(1.0) == 2.0
    define(module, "def helper(x):\n    return x * 3\n")
    assert derivative(1.0) == 3.0
    module.helper = first
    assert derivative(1.0) == 2.0


def test_a_helper_of_a_helper_may_be_redefined_in_its_module() -> None:
    other = module_of("def inner(x):\n    return x * 2\ndef outer(x):\n    return inner(x) + x\n")
    module = module_of("def f(x):\n    return outer(x)\n")
    module.outer = other.outer
    derivative = grad(module.f)
    assert derivative(1.0) == 3.0
    define(other, "def inner(x):\n    return x * 5\n")
    assert derivative(1.0) == 6.0


def test_a_helper_may_be_redefined_in_the_module_that_it_is_called_from() -> None:
    tools = module_of("def helper(x):\n    return x * 2\n")
    module = module_of("def f(x):\n    return tools.helper(x)\n")
    module.tools = tools
    derivative = grad(module.f)
    assert derivative(1.0) == 2.0
    define(tools, "def helper(x):\n    return x * 3\n")
    assert derivative(1.0) == 3.0


def test_a_global_is_read_at_every_call() -> None:
    module = module_of("SCALE = 2.0\ndef f(x):\n    return SCALE * x\n")
    derivative = grad(module.f)
    assert derivative(1.0) == 2.0
    module.SCALE = 5.0
    assert derivative(1.0) == 5.0
    module.SCALE = np.float32(3.0)
    assert derivative(1.0) == 3.0


def test_a_global_array_may_change_its_rank() -> None:
    module = module_of("W = np.ones(3)\ndef f(x):\n    return np.sum(W * x)\n")
    derivative = grad(module.f)
    np.testing.assert_array_equal(derivative(np.ones(3)), np.ones(3))
    module.W = 2 * np.ones((2, 3))
    np.testing.assert_array_equal(derivative(np.ones(3)), 4 * np.ones(3))
    module.W = np.ones(4)
    np.testing.assert_array_equal(derivative(np.ones(4)), np.ones(4))


def scaled_by(factor: float) -> Function:
    def f(x):
        return factor * x

    return f


def test_closures_have_cells_of_their_own() -> None:
    # hash(-1) == hash(-2): a table by hashes of cells would take them for one.
    assert [grad(scaled_by(factor))(1.0) for factor in (-1, -2, -1.0, -2.0)] == [-1.0, -2.0, -1.0, -2.0]


def test_a_cell_is_read_at_every_call() -> None:
    factor = 2.0

    def f(x):
        return factor * x

    derivative = grad(f)
    assert derivative(1.0) == 2.0
    factor = 7.0
    assert derivative(1.0) == 7.0


def test_a_rebound_module_is_another_module() -> None:
    first = module_of("def helper(x):\n    return x * 2\n")
    second = module_of("def helper(x):\n    return x * 3\n")
    module = module_of("def f(x):\n    return tools.helper(x)\n")
    module.tools = first
    derivative = grad(module.f)
    assert derivative(1.0) == 2.0
    module.tools = second
    assert derivative(1.0) == 3.0


# Methods


def test_a_decorated_method_is_bound() -> None:
    model = Model(3.0)
    assert model.slope(2.0) == 12.0
    assert Model.slope(model, 2.0) == 12.0
    assert Model(5.0).slope(x=2.0) == 20.0
    assert "slope" in model.slope.source
    assert isinstance(Model.slope, Derivative)


def test_the_gradient_of_a_bound_method() -> None:
    model = Model(3.0)
    derivative = grad(model.value)
    assert list(inspect.signature(derivative).parameters) == ["x"]
    assert derivative(2.0) == 12.0
    model.weight = 5.0
    assert derivative(2.0) == 20.0
    assert grad(model.value_of_two, 1)(2.0, 7.0) == 10.0
    assert grad(derivative)(2.0) == 10.0
    assert grad(model.slope)(2.0) == 10.0
    assert "self" in derivative.source_for(1.0)


# Copies and other processes


@pytest.mark.parametrize("derivative", [slope, slope_of_the_second, Model.slope])
def test_a_decorated_function_is_pickled_by_reference(derivative: Any) -> None:
    assert pickle.loads(pickle.dumps(derivative)) is derivative


@pytest.mark.parametrize(
    "derivative", [grad(cubic), value_and_grad(cubic, ("a", 0)), vjp(cubic, optimize=False), grad(grad(cubic))]
)
def test_a_derivative_of_a_function_is_pickled_with_its_options(derivative: Any) -> None:
    derivative(1.5)
    again = pickle.loads(pickle.dumps(derivative))
    assert again is not derivative
    assert again(1.5) == derivative(1.5)
    assert again.source == derivative.source
    assert again.options == derivative.options


def test_a_derivative_of_a_bound_method_is_pickled_with_its_object() -> None:
    assert pickle.loads(pickle.dumps(grad(Model(3.0).value)))(2.0) == 12.0


def test_a_local_function_cannot_be_pickled() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(grad(scaled_by(2.0)))


def test_a_copy_is_the_derivative_itself() -> None:
    derivative = grad(cubic)
    assert copy.copy(derivative) is derivative
    assert copy.deepcopy([derivative])[0] is derivative


# Threads and recursion


def test_threads_share_a_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    from srcgrad.api import derivative as module

    compiled = []
    original = module.compile_derivative
    monkeypatch.setattr(module, "compile_derivative", lambda *args: compiled.append(args) or original(*args))
    derivative = grad(lambda x: np.sum(x**3))
    arguments = [np.full((2,) * rank, 2.0) for rank in range(1, 5)]
    barrier, found = threading.Barrier(8), {}

    def work(number: int) -> None:
        barrier.wait()
        found[number] = [derivative(x) for x in arguments]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiled) == len(arguments), "a text is made once"
    for results in found.values():
        for x, gradient in zip(arguments, results, strict=True):
            np.testing.assert_array_equal(gradient, 12.0 * np.ones_like(x))


# Seeds


def stretched(x):
    return 2 * x


@pytest.mark.parametrize(
    ("x", "seed"),
    [(np.ones(3), np.ones(3, int)), (np.ones(3, np.float32), np.ones(3)), (np.ones(3), np.ones(3, np.float32))],
)
def test_a_seed_of_another_dtype_is_taken_as_one_of_the_result(x: Any, seed: Any) -> None:
    _, cotangent = vjp(stretched)(x, seed=seed)
    assert cotangent.dtype == x.dtype
    np.testing.assert_array_equal(cotangent, 2 * np.ones_like(x))
    with pytest.raises(SeedMismatch, match=str(seed.dtype)):
        vjp(stretched, specialize=False)(x, seed=seed)


def test_numbers_as_seeds() -> None:
    for seed in (3, 3.0, np.float32(3), np.array(3.0), True + 2):
        value, cotangent = vjp(stretched)(1.0, seed=seed)
        assert (value, cotangent) == (2.0, 6.0)
        assert type(cotangent) is float
    assert vjp(stretched)(1.0) == (2.0, 2.0)
    assert vjp(stretched, specialize=False)(1.0) == (2.0, 2.0)


@pytest.mark.parametrize("specialize", [True, False])
@pytest.mark.parametrize("seed", [[1.0, 1.0, 1.0], "abc", {"a": 1.0}, None, np.ones((1, 3)), np.ones(3) * 1j, 1.0])
def test_what_is_no_seed(seed: Any, specialize: bool) -> None:
    expected = (SeedMismatch,) if specialize else (SeedMismatch, TypeError)
    with pytest.raises(expected):
        vjp(stretched, specialize=specialize)(np.ones(3), seed=seed)


def test_none_in_a_seed_is_no_derivative() -> None:
    def pair(x: Any, whole: bool) -> Any:
        values = np.full(3, 2 if whole else x)
        return x * 3.0, values, x + values

    value, cotangents = vjp(pair, 0)(1.5, True, seed=(None, None, np.ones(3)))
    assert value[1].dtype == int
    assert cotangents == 3.0


def test_a_seed_that_does_not_fit_is_refused_before_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x, n):
        print("ran")
        return x[1:], np.zeros((n, 2)) + np.sum(x), {"a": x}

    seeds: list[Any] = [np.ones(2), np.ones((4, 2)), {"a": np.ones(3)}]
    for i, wrong in enumerate([np.ones(3), np.ones((5, 2)), {"b": np.ones(3)}]):
        with pytest.raises(SeedMismatch, match=rf"seed\[{i}\]"):
            vjp(f)(np.ones(3), 4, seed=(*seeds[:i], wrong, *seeds[i + 1 :]))
    assert capsys.readouterr().out == ""
    vjp(f)(np.ones(3), 4, seed=tuple(seeds))


def test_a_seed_is_compared_with_a_value_of_unknown_length() -> None:
    derivative = vjp(lambda x, mask: 2 * x[mask])
    mask = np.array([True, False, True])
    np.testing.assert_array_equal(derivative(np.ones(3), mask, seed=np.ones(2))[1], [2.0, 0.0, 2.0])
    with pytest.raises(SeedMismatch, match=r"\(2,\)"):
        derivative(np.ones(3), mask, seed=np.ones(1))


def test_a_missing_seed_names_the_shape_and_what_to_pass() -> None:
    with pytest.raises(SeedMismatch) as caught:
        vjp(lambda x, y: x[1:] @ y)(np.ones((5, 3)), np.ones((3, 2)))
    assert "no seed is given" in str(caught.value)
    assert "(4, 2)" in str(caught.value)
    assert "seed=" in caught.value.remedy


def test_a_seed_is_left_as_it_was() -> None:
    def f(x):
        y = np.zeros(3)
        parts = [x * 2.0]
        for i in range(3):
            y[i] = x[i] ** 2
            parts.append(x * y[i])
        return y, parts

    x = np.array([1.0, 2.0, 3.0])
    seed = np.ones(3), [np.ones(3) for _ in range(4)]
    vjp(f)(x, seed=seed)
    np.testing.assert_array_equal(seed[0], np.ones(3))
    assert len(seed[1]) == 4
    for part in seed[1]:
        np.testing.assert_array_equal(part, np.ones(3))


def test_a_parameter_named_seed() -> None:
    def f(seed, value):
        return seed * value

    derivative = vjp(f, ("seed", "value"))
    assert list(inspect.signature(derivative).parameters) == ["seed", "value", "seed_"]
    assert derivative(3.0, 5.0, seed_=2.0) == (15.0, (10.0, 6.0))
    assert derivative(seed=3.0, value=5.0) == (15.0, (5.0, 3.0))
    assert "seed_" in derivative.source


# Refusals


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.int64(3), "int64"), (np.bool_(True), "bool"), (np.str_("a"), "str"), (object(), "object"), (None, "None"),
        (np.array(["a"]), "<U1"), (np.array([None]), "object"), ([1, 2], "list"), ({"a": 1}, "dict"),
        (range(3), "range"),
        (np.float64, "type"), (np.arange(2, dtype=np.uint8), "uint8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("specialize", [True, False])
def test_an_argument_without_derivative_is_named(value: Any, kind: str, specialize: bool) -> None:
    derivative = grad(lambda a, weights: weights * a, "weights", specialize=specialize)
    with pytest.raises(NotDifferentiable, match="`weights`") as caught:
        derivative(1.0, value)
    assert kind in str(caught.value)
    assert derivative(3.0, 2.0) == 3.0
    with pytest.raises(NotDifferentiable):
        derivative(1.0, value)


@pytest.mark.parametrize("function", [len, 3, "f", np.exp, functools.partial(cubic, 1.0)])
def test_what_is_no_python_function_is_refused_at_once(function: Any) -> None:
    with pytest.raises(SourceUnavailable):
        grad(function)


def test_an_unknown_parameter_is_refused_at_once() -> None:
    with pytest.raises(UnknownParameter, match="`wrt` names 'y'") as caught:
        grad(cubic, "y")
    assert "x, a" in caught.value.remedy


# When generated code fails


def quotient(x, y):
    a = x * 2
    q = a / y
    for _ in range(2):
        q = q * q
    return q


def logarithm_of_a_positive(x):
    if x <= 0:
        raise ValueError("not positive")
    return np.log(x)


def singular_in_reverse(x):
    y = np.sqrt(x)
    return np.sum(y)


def raised_by(call: Function) -> BaseException:
    with np.errstate(all="raise"), pytest.raises((ArithmeticError, ValueError)) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("function", "args", "text"),
    [(quotient, (1.0, 0.0), "q = a / y"), (logarithm_of_a_positive, (-1.0,), 'raise ValueError("not positive")')],
)
def test_an_exception_of_the_forward_sweep_names_the_primal_line(
    function: Function, args: tuple[Any, ...], text: str
) -> None:
    error = raised_by(lambda: grad(function)(*args))
    lines, first = inspect.getsourcelines(function)
    line = next(first + i for i, each in enumerate(lines) if text in each)
    (note,) = error.__notes__
    assert note.endswith(f"{Path(__file__).name}:{line}: {text}")
    assert f"`{function.__name__}_grad` at" in note


def test_an_exception_of_the_reverse_sweep_names_the_primal_line() -> None:
    error = raised_by(lambda: grad(singular_in_reverse)(np.zeros(2)))
    (note,) = error.__notes__
    assert "in the adjoint of" in note
    assert "y = np.sqrt(x)" in note


def test_an_exception_of_a_second_derivative_names_the_line_of_the_user() -> None:
    error = raised_by(lambda: grad(grad(quotient))(1.0, 0.0))
    (note,) = error.__notes__
    assert note.endswith("q = a / y")
    assert Path(__file__).name in note


def test_the_exception_is_that_of_the_primal() -> None:
    error = raised_by(lambda: grad(logarithm_of_a_positive)(-1.0))
    assert type(error) is ValueError
    assert str(error) == "not positive"


def test_the_traceback_shows_the_generated_line() -> None:
    error = raised_by(lambda: grad(quotient)(1.0, 0.0))
    text = "".join(traceback.format_exception(error))
    assert "in quotient_grad\n    q = a / y\n" in text
    linecache.checkcache()
    assert text == "".join(traceback.format_exception(error))


def test_the_debugger_steps_through_generated_lines(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""\
            import pdb
            from srcgrad import grad

            def f(x):
                y = x * x
                return y * y

            gradient = grad(f)
            gradient(2.0)
            pdb.run("gradient(2.0)", {"gradient": gradient})
            """),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], input="step\n" * 12 + "p x\nwhere\nlist\ncontinue\n",
        capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).parents[1],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "f_grad(2.0)" in done.stdout or "f_grad()" in done.stdout
    assert "-> y = x * x" in done.stdout
    assert "# reverse sweep" in done.stdout, "what `list` shows around the line"
