"""The Rosenbrock function in twenty dimensions, written with slices, minimised by SciPy's BFGS.

`value_and_grad(f)` has the form that `scipy.optimize.minimize` asks of `fun` where `jac=True`.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from srcgrad import value_and_grad


def rosenbrock(x: np.ndarray) -> float:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def main() -> None:
    start = np.zeros(20)
    value_and_gradient = value_and_grad(rosenbrock)
    fit = minimize(value_and_gradient, start, jac=True, method="BFGS")

    far, near = np.linalg.norm(start - 1.0), np.linalg.norm(fit.x - 1.0)
    print(f"value:                    {rosenbrock(start):.3g} before, {fit.fun:.3g} after {fit.nit} iterations")
    print(f"distance to the minimum:  {far:.3g} before, {near:.3g} after")
    print("\nThe generated gradient:\n")
    print(value_and_gradient.source)


if __name__ == "__main__":
    main()
