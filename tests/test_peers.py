"""What other tools for NumPy get silently wrong, one construct a test, against derivatives worked out by hand.

Right, or refused before it runs where a test says so; never a wrong number. The lists are those of Tangent and its
fork, of Warp and Taichi (values carried by dynamic loops, arrays overwritten after a read), and of autograd.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, value_and_grad, vjp
from srcgrad.errors import NotDifferentiable, UnsupportedSyntax
from tests.differences import assert_close, gradient

Function = Callable[..., Any]
X = np.array([0.7, -1.3, 2.1])
EXACT = {"rtol": 1e-14, "atol": 1e-14}


def check(function: Function, expected: Any, *args: Any, wrt: Any = 0, **keywords: Any) -> None:
    """The gradient is the expected one: specialised, without types, with no passes; and so is the value."""

    def fresh() -> list[Any]:
        return [arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args]

    plain = function(*fresh(), **keywords)
    for options in ({}, {"optimize": False}, {"specialize": False}):
        value, actual = value_and_grad(function, wrt, **options)(*fresh(), **keywords)
        assert value == plain
        several = isinstance(wrt, tuple)
        for a, e in zip(actual if several else (actual,), expected if several else (expected,), strict=True):
            np.testing.assert_allclose(a, e, **EXACT)


def check_or_refused(function: Function, expected: Any, *args: Any, wrt: Any = 0, **keywords: Any) -> None:
    """As `check`, but a refusal that says where is as good."""
    try:
        grad(function, wrt)(*args, **keywords)
    except UnsupportedSyntax as error:
        place = error.offences[0].place
        assert place is not None
        assert place.line > 0
        return
    check(function, expected, *args, wrt=wrt, **keywords)


# Tangent and its fork: stores


def augmented_store(x, v):
    y = x * 1.0
    y[1] += v * x[0]
    y[0] *= v
    return np.sum(y * y)


def test_an_augmented_store() -> None:
    v = 1.5
    y1 = X[1] + v * X[0]
    expected = np.array([2 * v * v * X[0] + 2 * y1 * v, 2 * y1, 2 * X[2]])
    check(augmented_store, (expected, 2 * v * X[0] ** 2 + 2 * y1 * X[0]), X, v, wrt=(0, 1))


def augmented_store_by_element(x, v):
    y = np.zeros(3)
    for i in range(3):
        y[i] += v[i] * x[i]
        y[i] += x[i]
    return np.sum(y)


def test_an_augmented_store_into_zeros() -> None:
    v = np.array([1.0, 2.0, 3.0])
    check(augmented_store_by_element, (v + 1, X), X, v, wrt=(0, 1))


def constant_into_active(x):
    y = x * x
    y[1] = 5.0
    return np.sum(y * x)


def test_a_constant_that_is_not_zero_stored_into_an_active_array() -> None:
    check(constant_into_active, np.array([3 * X[0] ** 2, 5.0, 3 * X[2] ** 2]), X)


def constant_into_a_slice(x):
    y = x.copy()
    y[:2] = 3
    z = np.prod(y)
    y[2] = -1.0
    return z * y[2]


def test_a_constant_stored_into_a_slice() -> None:
    check(constant_into_a_slice, np.array([0.0, 0.0, -9.0]), X)


def constant_into_the_argument(x):
    x[0] = 4.0
    return np.sum(x * x)


def test_a_constant_stored_into_the_argument() -> None:
    check(constant_into_the_argument, np.array([0.0, 2 * X[1], 2 * X[2]]), X)


# Reads


def element_read_twice(x):
    return x[1] * x[1] + x[1]


def test_an_element_is_read_twice() -> None:
    check(element_read_twice, np.array([0.0, 2 * X[1] + 1, 0.0]), X)


def overlapping_slices(x):
    return np.sum(x[:2] * x[1:]) + np.sum(x[::2]) + x[-1]


def test_overlapping_slices() -> None:
    check(overlapping_slices, np.array([X[1] + 1, X[0] + X[2], X[1] + 2]), X)


def repeated_indices(x, where):
    return np.sum(x[where] * np.array([1.0, 10.0, 100.0, 1000.0]))


def test_repeated_indices() -> None:
    check(repeated_indices, np.array([1010.0, 0.0, 101.0]), X, np.array([2, 0, 2, 0]))


def repeated_rows_and_columns(m, rows, columns):
    return np.sum(m[rows, columns] ** 2)


def test_repeated_rows_and_columns() -> None:
    m = np.arange(1.0, 7.0).reshape(2, 3)
    expected = np.array([[0.0, 3 * 2 * 2.0, 0.0], [2 * 4.0, 0.0, 0.0]])
    check(repeated_rows_and_columns, expected, m, np.array([0, 0, 1, 0]), np.array([1, 1, 0, 1]))


def repeated_list(x):
    return np.sum(x[[0, 0, 1]] * 3)


def test_a_literal_list_of_repeated_indices() -> None:
    check(repeated_list, np.array([6.0, 3.0, 0.0]), X)


# Aliases


def alias(x):
    y = x * x
    z = y
    z[0] = 3 * x[1]
    return np.sum(y)


def test_an_alias_is_written() -> None:
    check(alias, np.array([0.0, 2 * X[1] + 3, 2 * X[2]]), X)


def alias_the_other_way(x):
    y = x * x
    z = y
    y[0] = x[1] * x[2]
    return z[0] * z[1]


def test_an_alias_is_read() -> None:
    expected = np.array([0.0, 3 * X[1] ** 2 * X[2], X[1] ** 3])
    check(alias_the_other_way, expected, X)


def alias_by_a_view(x):
    y = x * x
    z = y[1:]
    z *= x[0]
    return np.sum(y)


def test_a_view_is_written() -> None:
    expected = np.array([2 * X[0] + X[1] ** 2 + X[2] ** 2, 2 * X[1] * X[0], 2 * X[2] * X[0]])
    check(alias_by_a_view, expected, X)


def alias_in_a_branch(x, flag):
    y = x * x
    z = x * 3
    w = y if flag else z
    w[0] = 1.0
    return np.sum(y) + np.sum(z)


@pytest.mark.parametrize("flag", [True, False])
def test_one_of_two_arrays_is_written(flag: bool) -> None:
    expected = 2 * X + 3
    expected[0] = 3.0 if flag else 2 * X[0]
    check_or_refused(alias_in_a_branch, expected, X, flag)


def alias_of_the_argument(x):
    y = x
    y[0] = y[1] * 2
    return np.sum(x * x)


def test_an_alias_of_the_argument() -> None:
    check(alias_of_the_argument, np.array([0.0, 2 * X[1] + 8 * X[1], 2 * X[2]]), X)


def the_same_array_twice(x, y):
    x[0] = y[1] * y[1]
    return y[0] * y[2] + x[0]


def test_one_array_is_passed_for_two_parameters() -> None:
    """The caller's alias, which no text shows: two parameters are two arrays, or the call is refused."""
    x = X.copy()
    try:
        value, _ = value_and_grad(the_same_array_twice, (0, 1))(x, x)
    except (UnsupportedSyntax, ValueError):
        return
    z = X.copy()
    assert value == the_same_array_twice(z, z)
    np.testing.assert_array_equal(x, z)


def list_holds_the_array(x):
    y = x * x
    parts = [y, y]
    parts[0][1] = 2.0
    return np.sum(parts[1])


def test_an_array_that_a_list_holds_twice() -> None:
    check_or_refused(list_holds_the_array, np.array([2 * X[0], 0.0, 2 * X[2]]), X)


# Broadcasting


COLUMN, ROW = np.array([[1.5], [0.5]]), np.array([2.0, 3.0, 0.7])


@pytest.mark.parametrize(
    ("function", "d_column", "d_row"),
    [
        (lambda c, r: np.sum(c / r), lambda c, r: 1 / r + 0 * c, lambda c, r: -c / r**2),
        (lambda c, r: np.sum(c**r), lambda c, r: r * c ** (r - 1), lambda c, r: c**r * np.log(c)),
        (lambda c, r: np.sum(np.multiply(c, r)), lambda c, r: r + 0 * c, lambda c, r: c + 0 * r),
        (lambda c, r: np.sum(np.divide(r, c)), lambda c, r: -r / c**2, lambda c, r: 1 / c + 0 * r),
        (lambda c, r: np.sum(np.power(r, c)), lambda c, r: r**c * np.log(r), lambda c, r: c * r ** (c - 1)),
        (lambda c, r: np.sum(r - c), lambda c, r: -1 + 0 * c * r, lambda c, r: 1 + 0 * c * r),
    ],
    ids=["/", "**", "multiply", "divide", "power", "-"],
)
def test_broadcasting(function: Function, d_column: Function, d_row: Function) -> None:
    expected_column = np.sum(d_column(COLUMN, ROW), axis=1, keepdims=True)
    expected_row = np.sum(d_row(COLUMN, ROW), axis=0)
    for options in ({}, {"specialize": False}):
        actual = grad(function, (0, 1), **options)(COLUMN, ROW)
        assert_close(actual, (expected_column, expected_row), rtol=1e-13, atol=1e-13)


def number_over_array(a, x):
    return np.sum(a / x) + np.sum(x**a)


def test_a_number_is_broadcast() -> None:
    x = np.array([0.5, 2.0])
    da = np.sum(1 / x) + np.sum(x**1.7 * np.log(x))
    value = grad(number_over_array, (0, 1))(1.7, x)
    assert isinstance(value[0], float)
    assert_close(value, (da, -1.7 / x**2 + 1.7 * x**0.7), rtol=1e-14)


# Calls and containers


def _affine(x, slope=2.0, *, offset=0.0):
    return slope * x + offset


def keyword_arguments(x, a, b):
    return _affine(x, slope=a * a) + _affine(offset=b * a, x=x) * _affine(x=b)


def test_keyword_arguments_of_a_helper() -> None:
    x, a, b = 1.3, 0.7, -0.4
    # f = a^2 x + (2 x + a b) 2 b
    expected = (a * a + 4 * b, 2 * a * x + 2 * b * b, 4 * x + 4 * a * b)
    check(keyword_arguments, expected, x, a, b, wrt=(0, 1, 2))


def appends(x):
    parts = []
    for i in range(3):
        parts.append(x[i] * x[2 - i])
        parts.append(parts[-1] * 2)
    return parts[1] + parts[2] * parts[5]


def test_append() -> None:
    # parts: ac, 2ac, bb, 2bb, ca, 2ca; f = 2ac + 2abbc
    a, b, c = X
    check(appends, np.array([2 * c + 2 * b * b * c, 4 * a * b * c, 2 * a + 2 * a * b * b]), X)


def nested_lists_that_grow(x):
    rows = []
    row = [x[0]]
    row.append(x[1] * x[2])
    rows.append(row)
    return rows[0][1] * rows[0][0]


def test_a_list_in_a_list() -> None:
    a, b, c = X
    check_or_refused(nested_lists_that_grow, np.array([b * c, a * c, a * b]), X)


def lists_of_a_table(x):
    table = [[1.0, 2.0]]
    for v in x:
        table.append([v * table[-1][1], v + table[-1][0]])
    return table[-1][1]


def test_a_table_of_lists() -> None:
    # rows: [1, 2], [2a, a + 1], [b(a + 1), b + 2a], [.., c + b(a + 1)]
    a, b, _ = X
    check_or_refused(lists_of_a_table, np.array([b, a + 1, 1.0]), X)


def pops(x):
    stack = [x[0], x[1]]
    stack.append(stack.pop() * stack[-1])
    return stack.pop() * x[2]


def test_pop() -> None:
    a, b, c = X
    check(pops, np.array([b * c, a * c, a * b]), X)


# Jumps


def breaks(x):
    s = 0.0
    for v in x:
        if v < 0:
            break
        s = s + v * v
    return s * x[2]


def test_break() -> None:
    check(breaks, np.array([2 * X[0] * X[2], 0.0, X[0] ** 2]), X)


def break_after_the_work(x):
    s = 1.0
    for i in range(3):
        s = s * x[i]
        if i == 1:
            break
        s = s * 2
    return s


def test_break_after_the_work() -> None:
    check(break_after_the_work, np.array([2 * X[1], 2 * X[0], 0.0]), X)


def while_true(x):
    n = 0
    while True:
        x = x * x
        n += 1
        if n == 3:
            return x


def test_return_out_of_an_endless_loop() -> None:
    check(while_true, 8 * 1.1**7, 1.1)


def with_block(x):
    with np.errstate(divide="ignore"):
        y = x * x
        z = y * y
    return z * x


def test_with() -> None:
    check_or_refused(with_block, 5 * 1.3**4, 1.3)


@contextmanager
def _doubling(scale):
    yield scale * 2


def with_that_binds(x):
    with _doubling(x) as y:
        z = y * y
    return z * x


def test_with_that_binds() -> None:
    check_or_refused(with_that_binds, 12 * 1.3**2, 1.3)


def with_null(x):
    with nullcontext(x) as y, nullcontext(3.0) as three:
        y = y * three
    return y * y


def test_with_of_two() -> None:
    check_or_refused(with_null, 18 * 1.3, 1.3)


# Integers


def integers_scale(n, x):
    k = n * 2
    table = np.zeros(3)
    for i in n:
        table[i] += x[i] * k[i]
    return np.sum(table * n)


def test_integer_arrays_are_constants() -> None:
    n = np.array([2, 0, 1])
    # table[i] gets x[i] k[i] once for each i: 2 n[i] x[i]; times n[i]
    check(integers_scale, 2.0 * n * n, n, X, wrt=1)


def test_an_integer_array_is_no_argument_to_differentiate() -> None:
    with pytest.raises(NotDifferentiable):
        grad(integers_scale)(np.array([2, 0, 1]), X)


def stored_into_integers(x):
    y = np.zeros(3, dtype=int)
    y[0] = x[0] * 10
    return y[0] * x[1]


def test_what_is_stored_into_integers_is_cut_off() -> None:
    check_or_refused(stored_into_integers, np.array([0.0, 7.0, 0.0]), np.array([0.7001, -1.3, 2.1]))


def copies_integers(n, x):
    y = n.copy()
    y[0] = 7
    return np.sum(y * x * x)


def test_integer_array_is_written() -> None:
    check(copies_integers, 2 * X * np.array([7, 0, 1]), np.array([2, 0, 1]), X, wrt=1)


# Closures


def _scaled_by(factor):
    def scaled(x):
        return factor * x * x

    return scaled


def test_closures_that_hold_minus_one_and_minus_two() -> None:
    """`hash(-1) == hash(-2)`: a cache that goes by the hashes of cells mixes the two up."""
    first, second = grad(_scaled_by(-1)), grad(_scaled_by(-2))
    assert hash(-1) == hash(-2)
    assert first(3.0) == -6.0
    assert second(3.0) == -12.0
    assert grad(_scaled_by(-1))(3.0) == -6.0
    assert grad(_scaled_by(-1.0))(3.0) == -6.0
    assert grad(_scaled_by(True))(3.0) == 6.0
    assert grad(_scaled_by(1))(3.0) == 6.0


def test_closure_cells_are_not_written_to_globals() -> None:
    before = dict(globals())
    grad(_scaled_by(2.5))(3.0)
    assert globals().keys() == before.keys()
    assert all(globals()[name] is before[name] for name in before)


def test_a_cell_is_read_when_the_derivative_is_called() -> None:
    factor = 2.0

    def scaled(x):
        return factor * x * x

    derivative = grad(scaled)
    assert derivative(3.0) == 12.0
    factor = 5.0
    assert derivative(3.0) == 30.0


# Warp and Taichi


def carried_by_a_dynamic_loop(x, n):
    y = x
    for _ in range(n):
        y = y * y + x
    return y


def test_values_carried_by_a_dynamic_loop() -> None:
    # y1 = x^2 + x, y2 = y1^2 + x
    x = 0.3
    y1, d1 = x * x + x, 2 * x + 1
    y2, d2 = y1 * y1 + x, 2 * y1 * d1 + 1
    check(carried_by_a_dynamic_loop, 2 * y2 * d2 + 1, x, 3)
    check(carried_by_a_dynamic_loop, 1.0, x, 0)


def carried_by_while(x):
    y, n = x, 0
    while y < 10.0:
        y, n = y * y, n + 1
    return y * n


def test_values_carried_by_while() -> None:
    check(carried_by_while, 3 * 8 * 1.5**7, 1.5)


def carried_in_an_array(x, n):
    y = x.copy()
    for _ in range(n):
        y[0] = y[0] * y[1]
        y[1] = np.sin(y[0])
    return y[0] + y[1]


def test_an_array_carried_by_a_dynamic_loop() -> None:
    x = np.array([1.1, 0.6])
    expected = gradient(lambda v: float(carried_in_an_array(v, 3)), x)
    for options in ({}, {"specialize": False}, {"optimize": False}):
        assert_close(grad(carried_in_an_array, **options)(x, 3), expected, rtol=1e-9)


def overwritten_after_a_read(x):
    y = x.copy()
    s = y[0] * y[0]
    y[0] = 10.0 * y[1]
    t = s * y[0]
    y[1] = 0.0
    return t + y[1]


def test_an_array_is_overwritten_after_a_read() -> None:
    a, b, _ = X
    check(overwritten_after_a_read, np.array([20 * a * b, 10 * a * a, 0.0]), X)


def scaled_in_place_after_a_read(x):
    y = x * x
    z = np.sin(y)
    y *= 0.0
    return np.sum(z) + np.sum(y)


def test_an_array_is_scaled_after_a_nonlinear_read() -> None:
    check(scaled_in_place_after_a_read, 2 * X * np.cos(X * X), X)


def view_read_after_a_write(x):
    y = x * x
    head = y[:2]
    s = np.sum(head * head)
    y[0] = 100.0 * x[2]
    return s + head[0] * head[1]


def test_a_view_is_read_before_and_after_a_write() -> None:
    a, b, c = X
    expected = np.array([4 * a**3, 4 * b**3 + 200 * c * b, 100 * b * b])
    check(view_read_after_a_write, expected, X)


def buffer_of_the_loop(x):
    row = np.zeros(3)
    s = 0.0
    for k in range(3):
        row[:] = x * (k + 1)
        s += np.sum(row * row)
    return s


def test_one_buffer_for_every_trip() -> None:
    check(buffer_of_the_loop, 2 * 14 * X, X)


# autograd


def test_where_of_a_reduction() -> None:
    mask = np.array([True, False, True])
    check_or_refused(lambda x, m: np.sum(x * x, where=m), 2 * X * mask, X, mask)
    check_or_refused(lambda x, m: np.mean(x * x, where=m), X * mask, X, mask)
    check_or_refused(lambda x, m: np.prod(x, where=m), np.array([X[2], 0.0, X[0]]), X, mask)


def test_where_of_an_elementwise_function() -> None:
    mask = np.array([True, False, True])
    check_or_refused(lambda x, m: np.sum(np.exp(x, where=m, out=np.zeros(3))), np.exp(X) * mask, X, mask)


def test_initial_of_a_reduction() -> None:
    check_or_refused(lambda x: np.max(x, initial=5.0), np.zeros(3), X)
    check_or_refused(lambda x: np.max(x, initial=1.0), np.array([0.0, 0.0, 1.0]), X)
    check_or_refused(lambda x: np.min(x, initial=-5.0), np.zeros(3), X)
    check_or_refused(lambda x: np.sum(x, initial=4.0) ** 2, np.full(3, 11.0), X)
    check_or_refused(lambda x: np.prod(x, initial=2.0), 2 * np.prod(X) / X, X)


def test_initial_is_active() -> None:
    check_or_refused(lambda x, a: np.sum(x, initial=a) ** 2, 11.0, X, 4.0, wrt=1)
    check_or_refused(lambda x, a: np.max(x, initial=a) * 3, 3.0, X, 4.0, wrt=1)


@pytest.mark.parametrize(
    ("x", "expected"),
    [([0.0, 2.0, 3.0], [6.0, 0.0, 0.0]), ([0.0, 0.0, 3.0], [0.0, 0.0, 0.0]), ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])],
)
def test_prod_with_zeros(x: list[float], expected: list[float]) -> None:
    check(lambda x: np.prod(x), np.array(expected), np.array(x))
    rows = np.array([x, [1.0, 2.0, 4.0]])
    both = np.array([expected, [8.0, 4.0, 2.0]])
    check(lambda m: np.sum(np.prod(m, axis=1)), both, rows)
    check(lambda m: np.sum(m.prod(axis=1, keepdims=True)), both, rows)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_a_sort_of_two_axes(axis: int | None) -> None:
    m = np.array([[3.0, 1.0, 2.0], [0.5, 2.5, -1.0]])
    weights = np.array([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])
    w = weights.ravel() if axis is None else weights
    order = np.argsort(m, axis=axis)
    expected = np.zeros(6)
    places = np.take_along_axis(np.arange(6).reshape(2, 3), order, axis) if axis is not None else order
    expected[np.ravel(places)] = np.ravel(w)
    check(lambda m: np.sum(np.sort(m, axis=axis) * w), expected.reshape(2, 3), m)


def test_cumulative_product_with_a_zero() -> None:
    # x = [a, 0, b]: p = a, 0, 0; d/dx1 of the sum = a + a b
    check(lambda x: np.sum(np.cumprod(x)), np.array([1.0, 2.0 + 2.0 * 3.0, 0.0]), np.array([2.0, 0.0, 3.0]))


def test_the_norm_of_zeros() -> None:
    check(lambda x: np.linalg.norm(x), np.zeros(3), np.zeros(3))


def test_single_precision_stays() -> None:
    x = X.astype(np.float32)
    _, cotangent = vjp(lambda x: 2.5 * x * np.exp(-x))(x, seed=np.ones(3, np.float32))
    assert cotangent.dtype == np.float32
    np.testing.assert_allclose(cotangent, 2.5 * np.exp(-X) * (1 - X), rtol=1e-5)


def test_ties_share_the_gradient() -> None:
    tied = np.array([1.0, 3.0, 3.0])
    check(lambda x: np.max(x), np.array([0.0, 0.5, 0.5]), tied)
    check(lambda x: np.sum(np.maximum(x, 3.0)), np.array([0.0, 0.5, 0.5]), tied)


def written_after_pop(x):
    y = x * 1.0
    kept = [y]
    popped = kept.pop()
    popped[1] *= 2
    return np.sum(y**2)


def test_an_array_out_of_a_list_is_written() -> None:
    check_or_refused(written_after_pop, np.array([2.0, 8.0, 2.0]) * X, X)
