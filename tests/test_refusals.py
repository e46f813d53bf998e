"""What is refused: with which class, at which place, with which words, and before any of the user's code has run.

Every function here that is refused prints first, so that a test can tell whether it ran.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, value_and_grad, vjp
from srcgrad.errors import (
    NonScalarOutput,
    NoRule,
    NotDifferentiable,
    SeedMismatch,
    SourceUnavailable,
    SrcgradError,
    UnknownParameter,
    UnsupportedSyntax,
)
from srcgrad.rules.rule import Key
from srcgrad.rules.suggest import near_misses

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_has_run(capsys: pytest.CaptureFixture[str]) -> Any:
    yield
    assert capsys.readouterr().out == "", "user code ran although the function was refused"


def assert_points_at(error: SrcgradError, function: Function, *snippets: str) -> None:
    """The error's place is where one of the snippets begins, and its message shows file, line, column and a caret.

    `*` before a snippet: the caret may also be at the beginning of its statement.
    """
    lines, first = inspect.getsourcelines(function)
    allowed = set()
    for snippet in snippets:
        matches = [(first + i, text) for i, text in enumerate(lines) if snippet.removeprefix("*") in text]
        assert len(matches) == 1, f"{snippet!r} is on {len(matches)} lines"
        line, text = matches[0]
        allowed.add((line, text.index(snippet.removeprefix("*")) + 1))
        if snippet.startswith("*"):
            allowed.add((line, len(text) - len(text.lstrip()) + 1))
    place = error.place
    assert place is not None, f"no place in: {error}"
    assert Path(place.file).resolve() == Path(__file__).resolve()
    assert (place.line, place.column) in allowed, f"{place} is none of {sorted(allowed)}"
    assert place.text.rstrip() == lines[place.line - first].rstrip()
    message = str(error).splitlines()
    assert any(f"{place.file}:{place.line}:{place.column}" in line for line in message)
    shown = next(i for i, line in enumerate(message) if place.text.strip() in line and place.text)
    assert message[shown + 1].index("^") == message[shown].index(place.text) + place.column - 1
    assert error.remedy, "what should be written instead?"


# Arguments


def area(width, height):
    print("ran")
    return np.sum(width * height)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, "int"),
        (True, "bool"),
        ("three", "str"),
        (None, "None"),
        (np.arange(3), "int64"),
        (np.array([True, False]), "bool"),
        (np.int32(3), "int32"),
    ],
)
def test_an_argument_without_derivative(value: Any, kind: str) -> None:
    with pytest.raises(NotDifferentiable) as caught:
        grad(area, "width")(value, 2.0)
    assert "width" in str(caught.value)
    assert kind.lower() in str(caught.value).lower()


def test_the_argument_without_derivative_is_named_among_several() -> None:
    with pytest.raises(NotDifferentiable, match="height") as caught:
        grad(area, (0, 1))(2.0, 3)
    assert isinstance(caught.value, TypeError)
    assert "`width`" not in str(caught.value)


@pytest.mark.parametrize("wrt", ["depth", 2, -3, ("width", "depth"), (0, 7)])
@pytest.mark.parametrize("transformation", [grad, value_and_grad, vjp])
def test_wrt_names_an_unknown_parameter(transformation: Function, wrt: Any) -> None:
    with pytest.raises(UnknownParameter) as caught:
        transformation(area, wrt)(1.0, 2.0)
    message = str(caught.value)
    unknown = wrt[1] if isinstance(wrt, tuple) else wrt
    assert str(unknown) in message
    assert "width" in message, "the parameters that there are"
    assert "height" in message
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), ((1.0,), {}), ((1.0, 2.0, 3.0), {}), ((1.0, 2.0), {"depth": 3.0}), ((1.0, 2.0), {"width": 3.0})],
)
def test_a_call_that_does_not_fit_raises_what_python_raises(args: tuple[float, ...], kwargs: dict[str, float]) -> None:
    with pytest.raises(TypeError) as plain:
        area(*args, **kwargs)
    with pytest.raises(TypeError) as caught:
        grad(area)(*args, **kwargs)
    assert not isinstance(caught.value, SrcgradError)
    named = {word for word in ("width", "height", "depth") if f"'{word}'" in str(plain.value)}
    assert not named or any(f"'{word}'" in str(caught.value) for word in named)


# Seeds


def stretched(x):
    return 2 * x


def sum_and_double(x):
    return np.sum(x), 2 * x


@pytest.mark.parametrize("seed", [np.ones(2), np.ones((3, 1)), np.ones((1, 3)), 1.0, np.ones((2, 3))])
def test_a_seed_of_another_shape(seed: Any) -> None:
    with pytest.raises(SeedMismatch) as caught:
        vjp(stretched)(np.ones(3), seed=seed)
    message = str(caught.value)
    assert "(3,)" in message, "the shape of the result"
    assert str(np.shape(seed)) in message or "float" in message, "the shape of the seed"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("seed", [np.ones(3), (1.0,), (1.0, np.ones(3), 1.0), (np.ones(3), 1.0), {"a": 1.0}, None])
def test_a_seed_of_another_structure(seed: Any) -> None:
    with pytest.raises(SeedMismatch) as caught:
        vjp(sum_and_double)(np.ones(3), seed=seed)
    message = str(caught.value)
    assert "(3,)" in message or "tuple of 2" in message, "the structure of the result"
    shape = str(getattr(seed, "shape", "no array"))
    assert type(seed).__name__ in message or shape in message or "seed[0]" in message, "the structure of the seed"


def test_a_tuple_for_one_result() -> None:
    with pytest.raises(SeedMismatch, match="tuple"):
        vjp(stretched)(np.ones(3), seed=(np.ones(3),))


def test_a_complex_seed_for_a_real_result() -> None:
    with pytest.raises(SeedMismatch) as caught:
        vjp(stretched)(np.ones(3), seed=np.ones(3) * 1j)
    assert "complex128" in str(caught.value)
    assert "float64" in str(caught.value)


def test_an_array_without_a_seed() -> None:
    with pytest.raises((SeedMismatch, NonScalarOutput)) as caught:
        vjp(stretched)(np.ones(3))
    assert "(3,)" in str(caught.value)
    assert "seed" in str(caught.value)


# Constructs. Each is always refused: what it computes cannot be followed.

COUNTER = 0.0


async def coroutine(x):
    print("ran")
    return x * x


def generator(x):
    print("ran")
    yield x * x


def generator_that_delegates(x):
    print("ran")
    yield from (x, x * x)


def writes_a_global(x):
    global COUNTER
    print("ran")
    COUNTER = x * 2
    return x * x


def defines_a_class(x):
    print("ran")
    class Point:
        coordinate = x

    return Point.coordinate * x


def reads_an_unknown_name(x):
    print("ran")
    return x * undefined_scale  # noqa: F821


def calls_an_unknown_name(x):
    print("ran")
    y = undefined_function(x)  # noqa: F821
    return y * x


def unknown_attribute_of_a_module(x):
    print("ran")
    return np.sine(x) * x


def evaluates_text(x):
    print("ran")
    return eval("x * x")


def executes_text(x):
    print("ran")
    scope = {"x": x}
    exec("y = x * x", scope)
    return scope["y"]


def reads_locals(x):
    print("ran")
    return locals()["x"] * 2


REFUSED: dict[str, tuple[Function, tuple[str, ...], str]] = {
    "coroutine": (coroutine, ("async def",), "coroutine"),
    "yield": (generator, ("def generator", "yield x * x"), "generator"),
    "yield from": (generator_that_delegates, ("def generator", "yield from"), "generator"),
    "global": (writes_a_global, ("global COUNTER", "COUNTER = x"), "global"),
    "class": (defines_a_class, ("class Point",), "class"),
    "unknown name": (reads_an_unknown_name, ("undefined_scale",), "undefined_scale"),
    "unknown function": (calls_an_unknown_name, ("undefined_function",), "undefined_function"),
    "unknown attribute": (unknown_attribute_of_a_module, ("np.sine",), "sine"),
    "eval": (evaluates_text, ('*eval("',), "eval"),
    "exec": (executes_text, ('exec("',), "exec"),
    "locals": (reads_locals, ("*locals()",), "locals"),
}


@pytest.mark.parametrize("construct", REFUSED)
def test_a_construct_is_refused_at_its_place(construct: str) -> None:
    function, snippets, word = REFUSED[construct]
    with pytest.raises(UnsupportedSyntax) as caught:
        grad(function)(1.5)
    first = caught.value.offences[0]
    assert word in first.problem
    assert_points_at(first, function, *snippets)


def test_an_unknown_name_reads_like_a_name_error() -> None:
    with pytest.raises(UnsupportedSyntax, match="undefined_scale") as caught:
        grad(reads_an_unknown_name)(1.5)
    assert re.search("not defined|does not exist", caught.value.problem)


# Constructs that may be refused or differentiated, but never differentiated wrongly.


def handles_an_exception(x):
    try:
        y = math.sqrt(x - 5)
    except ValueError:
        y = x * x
    return y


def writes_a_cell(x):
    total = 0.0

    def add(v):
        nonlocal total
        total = total + v * v

    add(x)
    add(2 * x)
    return total


def closes_a_context(x):
    with suppress(ZeroDivisionError):
        x = x * x
    return x


def matches(x):
    match x > 1:
        case True:
            return x**3
    return x


def imports_inside(x):
    from math import sin

    return sin(x)


def stores_in_a_list(x):
    parts = [x, 1.0]
    parts[1] = x * x
    return parts[0] * parts[1]


def stores_in_a_dict(x):
    parts = {"a": 1.0}
    parts["a"] = x * x
    return parts["a"] * x


def rebinds_an_attribute_by_name(x):
    holder = np.array([1.0, 2.0])
    holder.flat = [x, x]
    return np.sum(holder) * x


REFUSED_OR_RIGHT: dict[str, tuple[Function, Callable[[float], float], tuple[str, ...]]] = {
    "try": (handles_an_exception, lambda x: 2 * x, ("try:",)),
    "nonlocal": (writes_a_cell, lambda x: 10 * x, ("nonlocal total", "total = total", "add(x)", "add(2")),
    "with": (closes_a_context, lambda x: 2 * x, ("with suppress", "suppress(")),
    "match": (matches, lambda x: 3 * x**2, ("match x",)),
    "import": (imports_inside, math.cos, ("from math import",)),
    "list item": (stores_in_a_list, lambda x: 3 * x**2, ("parts[1] = x", "*[x, 1.0]")),
    "dict item": (stores_in_a_dict, lambda x: 3 * x**2, ('parts["a"] = x', '*{"a": 1.0}')),
    "flat": (rebinds_an_attribute_by_name, lambda x: 4 * x, ("holder.flat",)),
}


@pytest.mark.parametrize("construct", REFUSED_OR_RIGHT)
def test_a_construct_is_refused_or_right(construct: str) -> None:
    function, derivative, snippets = REFUSED_OR_RIGHT[construct]
    try:
        gradient = grad(function)(1.5)
    except UnsupportedSyntax as error:
        assert_points_at(error.offences[0], function, *snippets)
    else:
        assert gradient == pytest.approx(derivative(1.5), rel=1e-13)


# Several offences


def four_offences(x):
    print("ran")
    global COUNTER
    y = x * undefined_scale  # noqa: F821
    class Point:
        pass

    z = undefined_function(y)  # noqa: F821
    COUNTER = 1.0
    return z


def test_every_offence_is_in_one_report() -> None:
    """Each is there once; what only follows from another is not."""
    with pytest.raises(UnsupportedSyntax) as caught:
        grad(four_offences)(1.5)
    offences = caught.value.offences
    found = ("undefined_scale", "class Point", "undefined_function", "COUNTER = 1.0")
    assert len(offences) == len(found), str(caught.value)
    for offence, snippet in zip(offences, found, strict=True):
        assert_points_at(offence, four_offences, snippet)
        assert str(offence) in str(caught.value)
    assert "4" in str(caught.value).splitlines()[0]


def offence_in_a_helper(x):
    print("ran")
    return reads_an_unknown_name(x) + 1


def test_an_offence_in_a_helper_is_shown_there() -> None:
    with pytest.raises(UnsupportedSyntax) as caught:
        grad(offence_in_a_helper)(1.5)
    assert_points_at(caught.value.offences[0], reads_an_unknown_name, "undefined_scale")


# Operations without a rule


def no_rule(x):
    print("ran")
    mantissa, _ = np.frexp(x)
    return np.sum(mantissa) * 2


def no_rule_but_inactive(x, table):
    mantissa, _ = np.frexp(table)
    return np.sum(mantissa * x)


def two_without_rule(x):
    print("ran")
    a, _ = np.frexp(x)
    c, _ = np.modf(x)
    return np.sum(a * c)


def unhandled_keyword(x, mask):
    print("ran")
    return np.sum(x, where=mask)


def unhandled_keyword_of_an_operator(x):
    print("ran")
    return np.sum(np.add(x, x, casting="unsafe"))


def test_an_operation_without_rule() -> None:
    with pytest.raises(NoRule) as caught:
        grad(no_rule)(np.ones(3))
    assert_points_at(caught.value, no_rule, "*np.frexp(x)")
    assert "frexp" in caught.value.problem
    assert "`exp`" in caught.value.remedy, "a near miss"


def unknown_method_of_a_ufunc(x):
    return np.sum(np.hypot.reduceat(x, [0]))


def points_of_a_gradient(x):
    return np.sum(np.gradient(x**2, x))


def test_a_method_of_a_ufunc_without_rule_has_one_message() -> None:
    with pytest.raises(NoRule, match=r"no rule for `hypot\.reduceat`") as caught:
        grad(unknown_method_of_a_ufunc)(np.ones(3))
    assert len(caught.value.offences) == 1


def test_what_a_rule_does_not_know_is_refused_before_it_runs() -> None:
    with pytest.raises(NoRule, match="no derivative with respect to points"):
        grad(points_of_a_gradient)(np.arange(3.0))


def test_only_near_public_names_are_suggested() -> None:
    assert near_misses(np.cov) == near_misses(np.block) == near_misses(list) == ""
    assert near_misses(Key("method", "values")) == near_misses(Key("attribute", "r")) == ""
    assert near_misses(np.linalg.eigvals) == "`eigvalsh`"
    assert near_misses(Key("method", "cumsums")) == "`cumsum`"


def test_every_operation_without_rule_is_in_one_report() -> None:
    with pytest.raises(NoRule) as caught:
        grad(two_without_rule)(np.ones(3))
    assert len(caught.value.offences) == 2
    for offence, snippet in zip(caught.value.offences, ("*np.frexp(x)", "*np.modf(x)"), strict=True):
        assert isinstance(offence, NoRule)
        assert_points_at(offence, two_without_rule, snippet)


def test_an_operation_without_rule_may_compute_constants() -> None:
    x, table = np.array([1.0, 2.0]), np.array([3.0, 10.0])
    np.testing.assert_array_equal(grad(no_rule_but_inactive)(x, table), np.frexp(table)[0])


def test_a_keyword_that_the_rule_does_not_take() -> None:
    with pytest.raises(NoRule) as caught:
        grad(unhandled_keyword)(np.ones(3), np.array([True, False, True]))
    assert_points_at(caught.value, unhandled_keyword, "*np.sum(x, where=mask)")
    assert "`where`" in caught.value.problem


def test_a_keyword_of_an_operation_on_two_operands() -> None:
    with pytest.raises(UnsupportedSyntax) as caught:
        grad(unhandled_keyword_of_an_operator)(np.ones(3))
    assert_points_at(caught.value.offences[0], unhandled_keyword_of_an_operator, "*np.add(x", "*np.sum(")


# Functions without source


def made_from_text() -> Function:
    scope: dict[str, Any] = {}
    exec("def square(x):\n    print('ran')\n    return x * x\n", scope)
    made: Function = scope["square"]
    return made


@pytest.mark.parametrize("function", [len, made_from_text(), np.linalg.LinAlgError, 3, "f"])
def test_a_function_without_source(function: Any) -> None:
    with pytest.raises((SourceUnavailable, TypeError)) as caught:
        grad(function)(1.5)
    if callable(function):
        assert isinstance(caught.value, SourceUnavailable)
        assert getattr(function, "__name__", "") in str(caught.value)
    assert str(caught.value)


def test_a_refusal_can_be_sent_to_another_process() -> None:
    import pickle

    with pytest.raises(UnsupportedSyntax) as caught:
        grad(reads_an_unknown_name)(1.5)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)
    assert again.place == caught.value.place


def two_structures(x):
    for v in x:
        if v > 100:
            return v
        w = (v,)
    return w


def test_a_name_of_two_structures_is_refused() -> None:
    with pytest.raises(UnsupportedSyntax, match="structure"):
        vjp(two_structures)(np.ones(3), seed=(1.0,))


def two_structures_in_a_loop(x):
    pair = x
    for v in x:
        pair = (v, v)
    return pair


def two_structures_across_iterations(x):
    pair = x
    total = 0.0
    for v in x:
        total += np.sum(pair)
        pair = (v, v)
    return total


@pytest.mark.parametrize("function", [two_structures_in_a_loop, two_structures_across_iterations])
def test_a_name_that_changes_its_structure_in_a_loop_is_refused_where_it_is_used(function):
    with pytest.raises(UnsupportedSyntax, match="`pair` is one of two things"):
        vjp(function)(np.ones(3), seed=1.0)
