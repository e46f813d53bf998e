"""A two-layer network that learns to read the handwritten digits of scikit-learn, by mini-batches.

1797 images of 8 x 8 pixels; every fifth is held out. The gradient with respect to the four parameters comes from
`grad`, as Python source that is printed at the end.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from srcgrad import grad

HIDDEN, BATCH, EPOCHS, RATE = 64, 32, 40, 0.5


def logits(W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, images: np.ndarray) -> np.ndarray:
    hidden = np.tanh(images @ W1 + b1)
    return hidden @ W2 + b2


def loss(
    W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, images: np.ndarray, targets: np.ndarray
) -> float:
    """The mean cross-entropy; tanh keeps the scores far below where `exp` overflows."""
    scores = logits(W1, b1, W2, b2, images)
    log_total = np.log(np.sum(np.exp(scores), axis=1))
    return np.mean(log_total - np.sum(targets * scores, axis=1))


def initial(rng: np.random.Generator) -> list[np.ndarray]:
    """W1, b1, W2, b2; weights are scaled by the number of their inputs."""
    return [
        rng.normal(0.0, 1.0 / np.sqrt(64), (64, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0.0, 1.0 / np.sqrt(HIDDEN), (HIDDEN, 10)),
        np.zeros(10),
    ]


def accuracy(parameters: list[np.ndarray], images: np.ndarray, digits: np.ndarray) -> float:
    return float(np.mean(np.argmax(logits(*parameters, images), axis=1) == digits))


def main() -> None:
    pixels, digits = load_digits(return_X_y=True)
    images, targets = pixels / 16.0, np.eye(10)[digits]
    held_out = np.arange(len(digits)) % 5 == 4
    train_images, train_targets = images[~held_out], targets[~held_out]

    rng = np.random.default_rng(0)
    parameters = initial(rng)
    gradient = grad(loss, wrt=(0, 1, 2, 3))
    loss_before = loss(*parameters, train_images, train_targets)
    accuracy_before = accuracy(parameters, images[held_out], digits[held_out])

    for _ in range(EPOCHS):
        order = rng.permutation(len(train_images))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            gradients = gradient(*parameters, train_images[batch], train_targets[batch])
            for parameter, slope in zip(parameters, gradients, strict=True):
                parameter -= RATE * slope

    loss_after = loss(*parameters, train_images, train_targets)
    accuracy_after = accuracy(parameters, images[held_out], digits[held_out])
    print(f"loss:               {loss_before:.4f} before, {loss_after:.4f} after {EPOCHS} epochs")
    print(f"held-out accuracy:  {accuracy_before:.4f} before, {accuracy_after:.4f} after")
    print("\nThe generated gradient:\n")
    print(gradient.source)


if __name__ == "__main__":
    main()
