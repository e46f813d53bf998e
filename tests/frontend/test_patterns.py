"""`match` as a chain of branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.frontend.agreement import X, agrees


def by_value(x: Any, n: Any) -> Any:
    match n:
        case 0:
            return np.sum(x)
        case 1 | 2 if x[0] > 0:
            y = x * x
        case None:
            y = x * 3.0
        case "cube":
            y = x**3
        case (a, b):
            y = a * x + b
        case int() | float():
            y = x
        case other:
            y = x * len(other)
    return np.sum(y * x)


def simple(x: Any, n: Any) -> Any:
    match n:
        case 0:
            return np.sum(x)
        case 1 | 2 if x[0] > 0:
            y = x * x
        case None:
            y = x * 3.0
        case "cube":
            y = x**3
        case (a, b):
            y = a * x + b
        case other:
            y = x * other
    return np.sum(y * x)


def test_values_alternatives_guards_and_captures() -> None:
    for n in (0, 1, 2, 7, None, "cube", (2.0, 3)):
        agrees(simple, X, n)
    agrees(simple, -X, 1)


def test_a_match_in_a_loop() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for k in range(6):
            match k % 4:
                case 0:
                    total = total + x[0] * x[1]
                case 1:
                    continue
                case 2:
                    total = total * x[2]
                case rest if rest * x[0] > 1e9:
                    break
        return total

    agrees(f)


def test_lists_of_a_length() -> None:
    def f(x: Any, items: Any) -> Any:
        match items:
            case []:
                return x[0]
            case [a]:
                return a * x[1]
            case [a, b]:
                return a * b * x[2]
        return np.sum(x)

    for items in ([1.0], [2.0, 3.0], [1.0, 2.0, 3.0]):
        agrees(f, X, items)


def test_class_patterns() -> None:
    agrees(by_value, X, 7)
