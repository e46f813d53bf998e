"""What was the temperature along a rod, given what it is now? Gradient descent through a simulation.

The rod is an array that every time step updates in place. It conducts better where it is hotter, so the adjoint has to
know the temperatures that the update overwrote; its ends are held at their temperatures.
"""

from __future__ import annotations

import numpy as np

from srcgrad import value_and_grad

POINTS, STEPS, RATE, DESCENTS = 41, 100, 0.1, 300


def simulate(start: np.ndarray, rate: float, steps: int) -> np.ndarray:
    u = start.copy()
    for _ in range(steps):
        heat = u + 0.5 * u**2
        u[1:-1] += rate * (heat[2:] - 2.0 * heat[1:-1] + heat[:-2])
    return u


def misfit(start: np.ndarray, measured: np.ndarray, rate: float, steps: int) -> float:
    return 0.5 * np.sum((simulate(start, rate, steps) - measured) ** 2)


def main() -> None:
    place = np.linspace(0.0, 1.0, POINTS)
    truth = np.sin(np.pi * place) + 0.3 * np.sin(2.0 * np.pi * place)
    measured = simulate(truth, RATE, STEPS)

    guess = measured.copy()
    misfit_and_gradient = value_and_grad(misfit)
    before = misfit(guess, measured, RATE, STEPS)
    for _ in range(DESCENTS):
        _, slope = misfit_and_gradient(guess, measured, RATE, STEPS)
        guess[1:-1] -= slope[1:-1]  # the ends are known
    after = misfit(guess, measured, RATE, STEPS)

    error_before, error_after = np.abs(measured - truth).max(), np.abs(guess - truth).max()
    print(f"misfit:         {before:.3g} before, {after:.3g} after {DESCENTS} descents")
    print(f"largest error:  {error_before:.4f} before, {error_after:.4f} after")
    print("\nThe generated gradient:\n")
    print(misfit_and_gradient.source)


if __name__ == "__main__":
    main()
