"""What the text of a derivative looks like and does: views and copies, names that hide others, comments, docstrings."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, value_and_grad, vjp


def body(text: str) -> str:
    """The lines below the docstring, without what the indentation of the function adds."""
    return textwrap.dedent(text.split('"""', 2)[2]).strip()


# A value read from an array that is written again


def columns(a: Any) -> Any:
    a = a.copy()
    for j in range(1, a.shape[1]):
        a[:, j] -= np.dot(a[:, 0], a[:, j]) * a[:, 0]
    return a


def test_the_forward_sweep_computes_from_the_view_to_the_last_bit() -> None:
    a = np.random.default_rng(3).standard_normal((300, 7))
    value, _ = vjp(columns)(a, seed=np.ones_like(a))
    np.testing.assert_array_equal(value, columns(a))
    text = vjp(columns).source_for(a)
    assert "np.dot(a[:, 0], a[:, j])" in text
    assert ".append(a[:, j].copy())" in text


def test_a_value_used_after_the_write_is_the_copy() -> None:
    def shifted(u: Any) -> Any:
        u = u.copy()
        right = u[1:] * 1.0
        kept = u[:-1]
        before = np.sum(kept)
        u[:-1] = right
        return before * np.sum(u**2)

    u = np.arange(1.0, 5.0)
    value, gradient = value_and_grad(shifted)(u)
    assert value == 6 * (4 + 9 + 16 + 16)
    np.testing.assert_array_equal(gradient, [45, 45 + 24, 45 + 36, 6 * 16])


def test_a_buffer_keeps_the_name_of_the_users() -> None:
    def squares(u: Any) -> Any:
        u = u.copy()
        u[1:] = u[1:] * 2
        return np.sum(u)

    text = grad(squares).source_for(np.ones(3))
    assert "u_2" not in text
    assert "u_bar = np.ones_like(u)" in text


# Parameters with names that the text needs


def test_a_parameter_hides_a_builtin() -> None:
    def counted(x: Any, range: int) -> Any:
        while range > 0:
            x = x * x
            range = range - 1
        return x

    derivative = grad(counted)
    assert derivative(1.1, 3) == pytest.approx(8 * 1.1**7)
    assert "import builtins\n" in derivative.source
    assert "builtins.range(" in derivative.source


def test_a_builtin_that_is_not_needed_is_not_imported() -> None:
    def scaled(sum: float, max: float) -> float:
        return sum * max

    assert "import" not in grad(scaled).source_for(1.0, 2.0)


def test_a_parameter_hides_a_module() -> None:
    def angle(math: float) -> float:
        return _sine(math)

    derivative = grad(angle)
    assert derivative(0.5) == math.cos(0.5)
    assert "import math as math_module" in derivative.source


def _sine(x: float) -> float:
    return math.sin(x)


def test_a_parameter_hides_a_helper() -> None:
    def product(x: Any, unbroadcast: Any) -> Any:
        return np.sum(x * unbroadcast)

    x, y = np.ones(3), 2.0
    derivative = grad(product, (0, 1), specialize=False)
    x_bar, y_bar = derivative(x, y)
    np.testing.assert_array_equal(x_bar, np.full(3, 2.0))
    assert y_bar == 3
    assert "srcgrad.runtime.unbroadcast(" in derivative.source


# Names, comments, numbers


def test_an_adjoint_that_is_used_on_another_line_is_a_statement_under_its_comment() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        return np.sum(y * np.exp(y))

    lines = body(grad(f).source_for(np.ones(3))).splitlines()
    assert lines[lines.index("# line 3: return np.sum(y * np.exp(y))") + 1].startswith("y_bar = ")
    assert lines[-2:] == ["# line 2: y = np.sin(x)", "return y_bar * np.cos(x)"]


def test_an_adjoint_does_not_lend_its_name_to_the_forward_sweep() -> None:
    def f(x: float) -> float:
        y = x * x
        if y > 10:
            return y
        return y * math.log(x)

    forward, _ = grad(f).source_for(0.8).split("# reverse sweep")
    assert "_bar" not in forward


def test_a_branch_leaves_no_copy() -> None:
    def f(x: float, a: float) -> float:
        if x > a:
            y = x * a
        else:
            y = math.exp(x)
        return y * x

    assert "y_2" not in grad(f, (0, 1)).source_for(0.8, 0.3)


def test_the_head_of_a_loop_is_named_once() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for v in x:
            total += math.sin(v) * v
        return total

    text = grad(f).source_for(np.ones(3))
    assert text.count("# line 3: for v in x:") == 1


def test_temporaries_do_not_look_like_builtins() -> None:
    def f(x: Any) -> Any:
        return np.sum(x) * np.max(x) * np.min(x)

    text = grad(f).source_for(np.arange(3.0))
    assert "total = np.sum(x)" in text
    assert not {"sum = ", "max = ", "min = "} & set(text.split("    "))


def test_numbers_of_the_program_are_multiplied() -> None:
    def f(x: Any) -> Any:
        return np.sum(100.0 * (3 * x) ** 2)

    x = np.array([0.5, 2.0])
    derivative = grad(f)
    np.testing.assert_array_equal(derivative(x), 1800 * x)
    assert body(derivative.source).endswith("return 1800 * x")


def test_single_precision_stays() -> None:
    def f(x: Any) -> Any:
        return np.sum(100.0 * (x + x) ** 2) / x.size

    gradient = grad(f)(np.ones(3, np.float32))
    assert gradient.dtype == np.float32


def test_a_long_docstring_is_wrapped() -> None:
    def a_function_with_a_name_of_quite_some_length_indeed(first: Any, second: Any, third: Any) -> Any:
        return np.sum(first * second * third)

    text = vjp(a_function_with_a_name_of_quite_some_length_indeed, (0, 1, 2)).source_for(*[np.ones((2, 2))] * 3)
    assert max(map(len, text.splitlines())) <= 100
    assert "float64[:, :]" in text
    assert "third: float64[:, :]" in text


def test_a_derivative_of_one_line_has_its_title() -> None:
    assert body(grad(_square).source_for(2.0)) == "# reverse sweep\n# line 2: return x * x\nreturn x * 2"


def _square(x: float) -> float:
    return x * x
