"""Rules of `rules/shapes.py` and `rules/joining.py` beyond the check of the whole registry: exact values, spellings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from srcgrad import runtime
from srcgrad.rules import joining, shapes
from srcgrad.rules.rule import Key, Rule, registry

RNG = np.random.default_rng(3)


def rule(operation: Any) -> Rule:
    found = registry.get(operation)
    assert found is not None
    return found


def transpose(operation: Any, g: Any, *args: Any, **kwargs: Any) -> Any:
    """The cotangent of the first differentiable parameter in a call of the operation."""
    r = rule(operation)
    if isinstance(operation, Key):
        member = getattr(args[0], operation.name)
        z = member if operation.kind == "attribute" else member(*args[1:], **kwargs)
    else:
        z = operation(*args, **kwargs)
    return next(iter(r.vjps.values())).function(g, z, *r.bind(args, kwargs).values())


BOTH = ["ravel", "squeeze", "reshape", "transpose", "swapaxes", "repeat", "copy"]


@pytest.mark.parametrize("name", BOTH)
def test_function_and_method_share_their_rule(name: str) -> None:
    assert rule(getattr(np, name)) is rule(Key("method", name))


@pytest.mark.parametrize(("name", "parameter"), [("reshape", "shape"), ("transpose", "axes")])
def test_methods_that_take_several_arguments_say_so(name: str, parameter: str) -> None:
    assert rule(Key("method", name)).variadic == parameter


@pytest.mark.parametrize("args", [(), (None,), ((0, 1, 2),), ((2, 0, 1),), ((-1, 0, -2),), ((1, -1, 0),)])
def test_transpose_puts_axes_back(args: tuple[Any, ...]) -> None:
    x = RNG.normal(size=(2, 3, 4))
    np.testing.assert_array_equal(transpose(np.transpose, np.transpose(x, *args), x, *args), x)


@pytest.mark.parametrize("shape", [(3, 2), 6, -1, (1, 2, 3)])
def test_reshape_puts_elements_back(shape: Any) -> None:
    x = RNG.normal(size=(2, 3))
    np.testing.assert_array_equal(transpose(Key("method", "reshape"), x.reshape(shape), x, shape), x)


@pytest.mark.parametrize("keyword", [{"order": "F"}, {"copy": True}])
def test_reshape_refuses_what_it_does_not_handle(keyword: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="not handled"):
        rule(np.reshape).bind((np.ones(4), (2, 2)), keyword)


def test_concatenate_exact() -> None:
    a, b = np.zeros((1, 2)), np.zeros((2, 2))
    a_bar, b_bar = transpose(np.concatenate, np.arange(6.0).reshape(3, 2), (a, b))
    np.testing.assert_array_equal(a_bar, [[0, 1]])
    np.testing.assert_array_equal(b_bar, [[2, 3], [4, 5]])


def test_concatenate_of_flattened_arrays() -> None:
    a_bar, b_bar = transpose(np.concatenate, np.arange(5.0), (np.zeros((2, 1)), np.zeros(3)), axis=None)
    np.testing.assert_array_equal(a_bar, [[0], [1]])
    np.testing.assert_array_equal(b_bar, [2, 3, 4])


def test_vstack_of_a_row_and_a_matrix() -> None:
    row, matrix = transpose(np.vstack, np.arange(6.0).reshape(3, 2), (np.zeros(2), np.zeros((2, 2))))
    np.testing.assert_array_equal(row, [0, 1])
    np.testing.assert_array_equal(matrix, [[2, 3], [4, 5]])


def test_column_stack_gives_each_column() -> None:
    first, rest = transpose(np.column_stack, np.arange(6.0).reshape(2, 3), (np.zeros(2), np.zeros((2, 2))))
    np.testing.assert_array_equal(first, [0, 3])
    np.testing.assert_array_equal(rest, [[1, 2], [4, 5]])


def test_joining_nothing_to_something() -> None:
    empty, full = transpose(np.concatenate, np.arange(2.0), (np.zeros(0), np.zeros(2)))
    assert empty.shape == (0,)
    np.testing.assert_array_equal(full, [0, 1])
    pieces = transpose(np.concatenate, np.zeros((3, 0)), (np.zeros((1, 0)), np.zeros((2, 0))))
    assert [piece.shape for piece in pieces] == [(1, 0), (2, 0)]


def test_stack_is_indexed_by_element() -> None:
    g = np.arange(6.0).reshape(3, 2)
    x_bar = transpose(np.stack, g, [np.zeros(3), np.zeros(3)], axis=1)
    np.testing.assert_array_equal(x_bar[0], [0, 2, 4])
    np.testing.assert_array_equal(x_bar[1], [1, 3, 5])


def test_array_of_nested_numbers_is_indexed_by_element() -> None:
    x_bar = transpose(np.array, np.array([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2], [3.0, 4.0]])
    assert x_bar[1][0] == 3.0


def test_repeat_sums_the_copies() -> None:
    g = np.array([1.0, 2, 3, 4])
    np.testing.assert_array_equal(transpose(np.repeat, g, np.zeros(2), 2), [3, 7])
    np.testing.assert_array_equal(transpose(np.repeat, g, np.zeros(3), [1, 0, 3]), [1, 0, 9])


def test_tile_sums_the_copies() -> None:
    np.testing.assert_array_equal(transpose(np.tile, np.array([1.0, 2, 3, 4]), np.zeros(2), 2), [4, 6])
    assert transpose(np.tile, np.ones((2, 3)), 1.0, (2, 3)) == 6.0


def test_diff_exact() -> None:
    np.testing.assert_array_equal(transpose(np.diff, np.array([1.0, 10, 100]), np.zeros(4)), [-1, -9, -90, 100])
    np.testing.assert_array_equal(transpose(np.diff, np.array([1.0]), np.zeros(3), 2), [1, -2, 1])


def test_split_takes_a_list_of_cotangents() -> None:
    g = [np.array([1.0]), np.array([2.0, 3]), np.array([])]
    np.testing.assert_array_equal(transpose(np.split, g, np.zeros(3), [1, 3]), [1, 2, 3])


def test_pad_separates_the_border_from_the_inside() -> None:
    g = np.arange(1.0, 6.0)
    r = rule(np.pad)
    arguments = r.bind((np.zeros(2), (1, 2)), {"constant_values": (7.0, 8.0)}).values()
    np.testing.assert_array_equal(r.vjps["x"].function(g, None, *arguments), [2, 3])
    np.testing.assert_array_equal(r.vjps["constant_values"].function(g, None, *arguments), [1, 9])


def test_pad_wrap_sums_the_copies() -> None:
    np.testing.assert_array_equal(transpose(np.pad, np.ones(7), np.zeros(2), (2, 3), mode="wrap"), [4, 3])


@pytest.mark.parametrize("mode", ["maximum", "mean", "linear_ramp", "empty"])
def test_pad_refuses_borders_that_are_no_copies(mode: str) -> None:
    with pytest.raises(ValueError, match=f'mode="{mode}"'):
        transpose(np.pad, np.ones(5), np.zeros(3), 1, mode=mode)


def test_full_of_a_number_sums() -> None:
    assert transpose(np.full, np.ones((2, 3)), (2, 3), 1.5) == 6.0
    np.testing.assert_array_equal(transpose(np.full, np.ones((2, 3)), (2, 3), np.zeros(3)), [2, 2, 2])


def test_conversion_returns_to_the_precision_of_the_argument() -> None:
    x = np.ones(3, np.float32)
    assert transpose(Key("method", "astype"), np.ones(3), x, np.float64).dtype == np.float32
    assert transpose(np.asarray, np.ones(3), x, dtype=np.float64).dtype == np.float32
    assert transpose(Key("method", "astype"), np.ones(3) * (2 + 1j), x, complex).dtype == np.float32


def test_linspace_weighs_its_ends() -> None:
    r = rule(np.linspace)
    arguments = r.bind((0.0, 1.0, 5), {}).values()
    z = np.linspace(0.0, 1.0, 5)
    assert r.vjps["start"].function(np.ones(5), z, *arguments) == 2.5
    assert r.vjps["stop"].function(np.ones(5), z, *arguments) == 2.5


@pytest.mark.parametrize("name", ["T", "transpose", "mT"])
def test_attributes_and_methods_of_matrices(name: str) -> None:
    if name == "mT" and not hasattr(np.ndarray, "mT"):
        pytest.skip("NumPy 1.26 has no .mT")
    g = np.arange(6.0).reshape(3, 2)
    key = Key("method" if name == "transpose" else "attribute", name)
    np.testing.assert_array_equal(transpose(key, g, np.zeros((2, 3))), g.T)


def test_rules_are_plain_functions() -> None:
    g = np.ones((3, 2))
    assert shapes.reshape(g, g, np.zeros((2, 3)), (3, 2)).shape == (2, 3)
    assert joining.stack(g, g, [np.zeros(2)] * 3).shape == (3, 2)


def test_split_like_stacks_the_pieces_of_one_array() -> None:
    x = np.zeros((2, 3))
    assert runtime.split_like(np.arange(6.0), x, 0).shape == (2, 3)


@pytest.mark.parametrize(
    "operation",
    [len, np.shape, np.zeros_like, np.argsort, np.nonzero, Key("attribute", "shape"), Key("method", "argmax"), np.eye],
)
def test_nothing_flows_through_sizes_positions_and_new_arrays(operation: Any) -> None:
    assert rule(operation).form == "constant"
    assert not rule(operation).differentiable


def test_nothing_that_has_a_derivative_is_listed_as_constant() -> None:
    flows = (np.arange, np.linspace, np.full, np.full_like, np.array, np.copy, np.take, np.sort, np.unique, np.bincount)
    assert [f.__name__ for f in flows if (found := registry.get(f)) is not None and found.form == "constant"] == []


def test_shapes_that_depend_on_values_are_marked() -> None:
    assert all(rule(f).value_dependent_shape for f in (np.nonzero, np.flatnonzero, np.compress, np.extract))
    assert not rule(np.argsort).value_dependent_shape
