"""Logistic regression on the breast-cancer data of scikit-learn, fitted by SciPy's L-BFGS with a generated gradient.

569 tumours, 30 measurements each, malignant or benign; every fourth is held out.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer

from srcgrad import value_and_grad


def loss(w: np.ndarray, X: np.ndarray, sign: np.ndarray, ridge: float) -> float:
    margin = sign * (X @ w)
    return np.mean(np.logaddexp(0.0, -margin)) + ridge * np.sum(w**2)


def standardised(X: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """`X` with the mean and the deviation of `reference` taken out, and a column of ones for the intercept."""
    scaled = (X - reference.mean(axis=0)) / reference.std(axis=0)
    return np.column_stack([scaled, np.ones(len(X))])


def accuracy(w: np.ndarray, X: np.ndarray, sign: np.ndarray) -> float:
    return float(np.mean((X @ w > 0) == (sign > 0)))


def main() -> None:
    measurements, label = load_breast_cancer(return_X_y=True)
    sign = 2.0 * label - 1.0
    held_out = np.arange(len(label)) % 4 == 3
    X = standardised(measurements, measurements[~held_out])
    train, test = (X[~held_out], sign[~held_out]), (X[held_out], sign[held_out])

    loss_and_gradient = value_and_grad(loss)
    start = np.zeros(X.shape[1])
    fit = minimize(loss_and_gradient, start, args=(*train, 1e-3), jac=True, method="L-BFGS-B")

    print(f"loss:               {loss(start, *train, 1e-3):.4f} before, {fit.fun:.4f} after {fit.nit} iterations")
    print(f"held-out accuracy:  {accuracy(start, *test):.4f} before, {accuracy(fit.x, *test):.4f} after")
    print("\nThe generated gradient:\n")
    print(loss_and_gradient.source)


if __name__ == "__main__":
    main()
