"""Rules of `rules/linalg.py` beyond the check of the whole registry: identities, batches, singular and equal cases."""

from __future__ import annotations

import numpy as np
import pytest

from srcgrad import runtime
from srcgrad.rules import linalg

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 3)) + 3 * np.eye(3)
SYMMETRIC = A @ A.T


def test_solve_of_a_vector() -> None:
    b, g = RNG.normal(size=3), RNG.normal(size=3)
    z = np.linalg.solve(A, b)
    np.testing.assert_allclose(linalg.solve.vjp_b(g, z, A, b), np.linalg.inv(A).T @ g)
    np.testing.assert_allclose(linalg.solve.vjp_a(g, z, A, b), -np.outer(np.linalg.inv(A).T @ g, z))


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="reads a vector for a batch as a matrix")
def test_solve_of_one_vector_for_a_batch_of_matrices() -> None:
    a, b = np.stack([A, 2 * A]), RNG.normal(size=3)
    z = np.linalg.solve(a, b)
    g = RNG.normal(size=z.shape)
    each = [np.linalg.solve(a[i].T, g[i]) for i in range(2)]
    np.testing.assert_allclose(linalg.solve.vjp_b(g, z, a, b), each[0] + each[1])
    np.testing.assert_allclose(linalg.solve.vjp_a(g, z, a, b), [-np.outer(each[i], z[i]) for i in range(2)])
    da, db = RNG.normal(size=a.shape), RNG.normal(size=3)
    forward = np.sum(g * (linalg.solve.jvp_a(da, z, a, b) + linalg.solve.jvp_b(db, z, a, b)))
    reverse = np.sum(linalg.solve.vjp_a(g, z, a, b) * da) + np.sum(linalg.solve.vjp_b(g, z, a, b) * db)
    assert forward == pytest.approx(reverse)


def test_det_is_the_cofactor_matrix() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(linalg.det.vjp_x(1.0, np.linalg.det(x), x), [[4, -3], [-2, 1]])


def test_det_of_a_singular_matrix_is_not_silent() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        linalg.det.vjp_x(1.0, 0.0, np.zeros((2, 2)))


def test_slogdet_is_the_log_of_det() -> None:
    z = np.linalg.slogdet(-A)
    np.testing.assert_allclose(linalg.slogdet.vjp_x((0.0, np.float64(1.0)), z, -A), np.linalg.inv(-A).T)


def test_slogdet_of_a_batch() -> None:
    x = np.stack([A, -A])
    x_bar = linalg.slogdet.vjp_x((np.zeros(2), np.array([1.0, 2.0])), np.linalg.slogdet(x), x)
    np.testing.assert_allclose(x_bar, [np.linalg.inv(A).T, 2 * np.linalg.inv(-A).T])


def test_cholesky_of_a_symmetric_argument() -> None:
    """With its diagonal alone, `sum(log(diag(L)))` is half the log of the determinant."""
    z = np.linalg.cholesky(SYMMETRIC)
    x_bar = linalg.cholesky.vjp_x(np.diag(1 / np.diag(z)), z, SYMMETRIC)
    np.testing.assert_allclose((x_bar + x_bar.T) / 2, np.linalg.inv(SYMMETRIC) / 2)


@pytest.mark.parametrize("name", ["cholesky", "eigvalsh", "eigh"])
def test_what_is_above_the_diagonal_is_not_read(name: str) -> None:
    z = getattr(np.linalg, name)(SYMMETRIC)
    g = tuple(np.ones_like(each) for each in z) if name == "eigh" else np.ones_like(z)
    x_bar = getattr(linalg, name).vjp_x(g, z, SYMMETRIC)
    np.testing.assert_array_equal(x_bar[np.triu_indices(3, 1)], 0)
    assert np.all(x_bar[np.tril_indices(3)] != 0)


def test_eigenvalues_sum_to_the_trace() -> None:
    z = np.linalg.eigvalsh(SYMMETRIC)
    np.testing.assert_allclose(linalg.eigvalsh.vjp_x(np.ones(3), z, SYMMETRIC), np.eye(3), atol=1e-12)


def test_eigh_with_equal_eigenvalues_is_finite() -> None:
    z = np.linalg.eigh(np.eye(3))
    np.testing.assert_allclose(linalg.eigh.vjp_x((np.ones(3), np.zeros((3, 3))), z, np.eye(3)), np.eye(3))


def test_inverse_gaps() -> None:
    expected = [[0, 0.5, 0.5], [-0.5, 0, 0], [-0.5, 0, 0]]
    np.testing.assert_array_equal(runtime.inverse_gaps(np.array([1.0, 3.0, 3.0])), expected)


def test_pinv_of_an_invertible_matrix_is_its_inverse() -> None:
    z, g = np.linalg.inv(A), RNG.normal(size=(3, 3))
    np.testing.assert_allclose(linalg.pinv.vjp_x(g, z, A), linalg.inv.vjp_x(g, z, A))


@pytest.mark.parametrize("name", ["inv", "det", "cholesky"])
def test_single_precision_stays(name: str) -> None:
    x = SYMMETRIC.astype(np.float32)
    z = getattr(np.linalg, name)(x)
    assert getattr(linalg, name).vjp_x(np.ones_like(z), z, x).dtype == np.float32


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_svd_recomposes(shape: tuple[int, int]) -> None:
    """`u @ diag(s) @ vh` is the matrix itself, so that its cotangent comes back as it is."""
    x, g = RNG.normal(size=shape), RNG.normal(size=shape)
    u, s, vh = z = np.linalg.svd(x, full_matrices=False)
    bars = (g @ (s[:, None] * vh).T, np.diag(u.T @ g @ vh.T), (u * s).T @ g)
    np.testing.assert_allclose(linalg.svd.vjp_x(bars, z, x, False), g, atol=1e-10)


def test_svd_refuses_vectors_that_are_a_free_choice() -> None:
    z = np.linalg.svd(np.ones((3, 2)))
    with pytest.raises(ValueError, match="full_matrices=False"):
        linalg.svd.vjp_x(z, z, np.ones((3, 2)))


def test_qr_recomposes() -> None:
    x, g = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    q, r = np.linalg.qr(x)
    np.testing.assert_allclose(linalg.qr.vjp_x((g @ r.T, q.T @ g), (q, r), x), g, atol=1e-10)


def test_multi_dot_gives_a_cotangent_for_each_factor() -> None:
    x, y = RNG.normal(size=3), RNG.normal(size=(3, 2))
    g = RNG.normal(size=2)
    x_bar, y_bar = linalg.multi_dot.vjp_arrays(g, x @ y, [x, y])
    np.testing.assert_allclose(x_bar, y @ g)
    np.testing.assert_allclose(y_bar, np.outer(x, g))


@pytest.mark.parametrize("n", [-1, 0, 1, 2])
def test_matrix_power_exact(n: int) -> None:
    g = RNG.normal(size=(3, 3))
    inverse = np.linalg.inv(A)
    expected = {-1: -inverse.T @ g @ inverse.T, 0: 0 * g, 1: g, 2: g @ A.T + A.T @ g}[n]
    np.testing.assert_allclose(linalg.matrix_power.vjp_x(g, None, A, n), expected)
