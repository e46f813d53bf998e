"""A loop whose length depends on the data: double a vector until its norm reaches 1000, then pull a vector back.

The function is linear between two lengths of the loop, so the vector-Jacobian product is the seed times a power of two.
"""

from __future__ import annotations

import numpy as np

from srcgrad import vjp


def double_until(x: np.ndarray) -> np.ndarray:
    y = x * 2
    while np.linalg.norm(y) < 1000:
        y = y * 2
    return y


def main() -> None:
    x = np.array([0.6, -1.1, 0.3])
    seed = np.array([0.1, 1.0, 0.0001])
    pull = vjp(double_until)
    y, x_bar = pull(x, seed=seed)

    print("x:        ", x)
    print("y:        ", y)
    print("seed:     ", seed)
    print("cotangent:", x_bar)
    print("\nThe generated vector-Jacobian product:\n")
    print(pull.source)


if __name__ == "__main__":
    main()
