"""The cross-entropy of a two-layer network, 64-128-10, a batch of 32, with respect to its four parameters."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Case


def primal(
    W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, images: np.ndarray, targets: np.ndarray
) -> float:
    hidden = np.tanh(images @ W1 + b1)
    logits = hidden @ W2 + b2
    log_total = np.log(np.sum(np.exp(logits), axis=1))
    return np.mean(log_total - np.sum(targets * logits, axis=1))


def hand(
    W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, images: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, ...]:
    hidden = np.tanh(images @ W1 + b1)
    odds = np.exp(hidden @ W2 + b2)
    logits_bar = (odds / np.sum(odds, axis=1, keepdims=True) - targets) / len(images)
    hidden_bar = (logits_bar @ W2.T) * (1.0 - hidden * hidden)
    return images.T @ hidden_bar, np.sum(hidden_bar, axis=0), hidden.T @ logits_bar, np.sum(logits_bar, axis=0)


def arguments() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    parameters = (
        rng.normal(0.0, 1 / 8, (64, 128)),
        np.zeros(128),
        rng.normal(0.0, 1 / 12, (128, 10)),
        np.zeros(10),
    )
    return *parameters, rng.uniform(size=(32, 64)), np.eye(10)[rng.integers(10, size=32)]


CASE = Case("c  network 64-128-10, batch 32", primal, hand, (0, 1, 2, 3), arguments)
