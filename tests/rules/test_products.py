"""Rules of `rules/products.py` beyond the check of the whole registry: exact values, dtypes, rare ranks."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np
import pytest

from srcgrad import runtime
from srcgrad.rules import products
from srcgrad.rules.rule import Key, registry
from srcgrad.runtime import products as einsum_terms

RNG = np.random.default_rng(4)
X, W = RNG.normal(size=(2, 3)), RNG.normal(size=3)


@pytest.mark.parametrize("pair", [(np.matmul, operator.matmul), (np.dot, Key("method", "dot"))])
def test_spellings_share_their_rule(pair: tuple[Any, Any]) -> None:
    assert registry.get(pair[0]) is registry.get(pair[1]) is not None


def test_trace_has_a_method() -> None:
    assert registry.get(np.trace) is registry.get(Key("method", "trace")) is not None


@pytest.mark.parametrize("product", [products.matmul, products.dot])
def test_matrix_and_vector(product: Any) -> None:
    g = RNG.normal(size=2)
    np.testing.assert_array_equal(product.vjp_x(g, X @ W, X, W), np.outer(g, W))
    np.testing.assert_array_equal(product.vjp_y(g, X @ W, X, W), X.T @ g)


@pytest.mark.parametrize("product", [products.matmul, products.dot])
def test_matrix_and_matrix(product: Any) -> None:
    y = RNG.normal(size=(3, 4))
    g = RNG.normal(size=(2, 4))
    np.testing.assert_array_equal(product.vjp_x(g, X @ y, X, y), g @ y.T)
    np.testing.assert_array_equal(product.vjp_y(g, X @ y, X, y), X.T @ g)


@pytest.mark.parametrize("product", [products.matmul, products.dot, products.inner, products.vdot])
def test_vector_and_vector(product: Any) -> None:
    x, y = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])
    np.testing.assert_array_equal(product.vjp_x(2.0, 32.0, x, y), [8, 10, 12])
    np.testing.assert_array_equal(product.vjp_y(2.0, 32.0, x, y), [2, 4, 6])


def test_matmul_sums_over_stretched_batches() -> None:
    x, y = RNG.normal(size=(1, 2, 3)), RNG.normal(size=(5, 3, 4))
    g = RNG.normal(size=(5, 2, 4))
    np.testing.assert_allclose(products.matmul.vjp_x(g, x @ y, x, y)[0], sum(g[i] @ y[i].T for i in range(5)))


def test_empty_contraction() -> None:
    x, y = np.zeros((2, 0)), np.zeros((0, 3))
    assert products.matmul.vjp_x(np.ones((2, 3)), x @ y, x, y).shape == (2, 0)
    assert products.matmul.vjp_y(np.ones((2, 3)), x @ y, x, y).shape == (0, 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((2, 2), (2, 2)), ((3, 2), (3, 2)), ((2, 2), (2,)), ((2,), (4, 2))])
def test_cross_of_vectors_in_the_plane(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, y = (RNG.normal(size=shape) for shape in shapes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        z = np.cross(x, y)
        g, dx, dy = RNG.normal(size=z.shape), RNG.normal(size=x.shape), RNG.normal(size=y.shape)
        assert np.sum(products.cross.vjp_x(g, z, x, y) * dx) == pytest.approx(np.sum(g * np.cross(dx, y)))
        assert np.sum(products.cross.vjp_y(g, z, x, y) * dy) == pytest.approx(np.sum(g * np.cross(x, dy)))


def test_einsum_terms_are_spelled_out() -> None:
    assert einsum_terms._einsum_terms("ij, jk", [2, 2]) == (["ij", "jk"], "ik")
    assert einsum_terms._einsum_terms("...i,...i->...", [3, 2]) == (["ABi", "Bi"], "AB")
    assert einsum_terms._einsum_terms("b...a", [4]) == (["bABa"], "ABab")
    assert einsum_terms._einsum_terms("A...A", [3]) == (["ABA"], "B")


def test_einsum_of_a_diagonal_is_zero_elsewhere() -> None:
    x_bar = runtime.uneinsum(np.array([1.0, 2]), 0, "ii->i", np.ones((2, 2)))
    np.testing.assert_array_equal(x_bar, [[1, 0], [0, 2]])


def test_einsum_spreads_over_what_it_sums_alone() -> None:
    x_bar = runtime.uneinsum(np.array([1.0, 2]), 0, "ij->i", np.zeros((2, 3)))
    np.testing.assert_array_equal(x_bar, [[1, 1, 1], [2, 2, 2]])


def test_einsum_refuses_a_fifth_operand() -> None:
    rule = registry.get(np.einsum)
    assert rule is not None
    with pytest.raises(TypeError):
        rule.bind(("i,i,i,i,i->", W, W, W, W, W), {})
    with pytest.raises(TypeError):
        rule.bind(("i,i,i,i,i->", W, W, W, W, W, W), {})


@pytest.mark.parametrize("axes", [0, 1, 2, ([0, 1], [1, 0]), ((-1,), (0,)), (1, 0)])
def test_tensordot_against_its_own_linearity(axes: Any) -> None:
    x, y = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))
    z = np.tensordot(x, y, axes)
    g = RNG.normal(size=z.shape)
    x_bar, y_bar = runtime.untensordot_x(g, x, y, axes), runtime.untensordot_y(g, x, y, axes)
    # The product is linear in each factor, so each pairing is the whole of it.
    assert np.sum(x_bar * x) == pytest.approx(np.sum(g * z))
    assert np.sum(y_bar * y) == pytest.approx(np.sum(g * z))


def test_trace_off_the_diagonal() -> None:
    np.testing.assert_array_equal(products.trace(2.0, 0.0, np.zeros((2, 3)), 1), [[0, 2, 0], [0, 0, 2]])
    swapped = products.trace(2.0, 0.0, np.zeros((2, 3)), 1, 1, 0)
    np.testing.assert_array_equal(swapped, [[0, 0, 0], [2, 0, 0]])


@pytest.mark.parametrize("subscripts", ["ij->", "ii->"])
def test_einsum_with_a_python_number_as_seed_keeps_the_precision(subscripts: str) -> None:
    assert runtime.uneinsum(1.0, 0, subscripts, np.ones((2, 2), np.float32)).dtype == np.float32
