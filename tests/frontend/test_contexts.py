"""`with`, `no_grad`, `stop_gradient`, `import`, `del`, `raise`, `finally`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, no_grad, stop_gradient, value_and_grad
from tests.frontend.agreement import X, agrees, refused

LOG: list[str] = []


class OutOfRange(ValueError):
    pass


class Logged:
    def __enter__(self) -> float:
        LOG.append("enter")
        return 2.0

    def __exit__(self, *error: Any) -> None:
        LOG.append("exit" if error[0] is None else error[0].__name__)


@contextlib.contextmanager
def logged(name: str) -> Iterator[None]:
    LOG.append(name)
    try:
        yield
    finally:
        LOG.append(f"end {name}")


class Swallowing(Logged):
    def __exit__(self, *error: Any) -> bool:  # type: ignore[override]
        return True


@pytest.fixture(autouse=True)
def empty_log() -> None:
    LOG.clear()


def test_stop_gradient_is_a_constant() -> None:
    def f(x: Any) -> Any:
        a, (b, _) = stop_gradient((x[0], (x[1], 3.0)))
        return np.sum(x * stop_gradient(x)) + a * x[2] + b

    np.testing.assert_allclose(grad(f)(X), X + np.array([0, 0, X[0]]))
    assert value_and_grad(f)(X)[0] == f(X)


def test_stop_gradient_of_what_is_written_later() -> None:
    def f(x: Any) -> Any:
        y = x * 2.0
        frozen = stop_gradient(y + 0.0)
        y[0] = 5.0
        return np.sum(frozen * x * y)

    np.testing.assert_allclose(grad(f)(X), [10 * X[0], *(2 * X * 2 * 2 * X)[1:]])


def test_no_grad_makes_constants() -> None:
    def f(x: Any) -> Any:
        y = np.zeros(3)
        with no_grad():
            scale = np.sum(x)
            y[0] = x[0]
            y[1:] += x[1:]
            scale = scale * 2.0
        return np.sum(scale * x * y)

    scale = 2 * np.sum(X)
    np.testing.assert_allclose(grad(f)(X), scale * X)
    assert value_and_grad(f)(X)[0] == f(X)


def test_no_grad_around_a_branch_and_a_return() -> None:
    def f(x: Any) -> Any:
        with no_grad():
            size = x[0] * x[0]
            if size > 10:
                return size
        return size * x[1]

    np.testing.assert_allclose(grad(f)(X), [0, X[0] ** 2, 0])
    np.testing.assert_allclose(grad(f)(10 * X), [0, 0, 0])


def test_settings_of_numpy() -> None:
    def f(x: Any) -> Any:
        with np.errstate(divide="raise", over="ignore"):
            y = 1.0 / x
            z = y * y
        return np.sum(z + y)

    agrees(f)
    source = value_and_grad(f).source_for(X)
    assert 'with np.errstate(divide="raise", over="ignore"):' in source
    with pytest.raises(FloatingPointError):
        value_and_grad(f)(np.zeros(3))


def test_managers_run_once_and_in_order() -> None:
    def f(x: Any) -> Any:
        with Logged() as scale, logged("inner"):
            y = scale * x
            if x[0] > 0:
                return np.sum(y)
            y = y * x
        return np.sum(y * y)

    np.testing.assert_allclose(grad(f)(X), [2, 2, 2])
    assert LOG == ["enter", "inner", "end inner", "exit"]
    agrees(f)
    agrees(f, -X)


def test_exceptions_leave_through_the_manager() -> None:
    def f(x: Any) -> Any:
        with Logged():
            if x[0] > 0:
                raise OutOfRange(f"too large: {x[0]:.1f}") from KeyError("x")
            y = x * x
        return np.sum(y)

    with pytest.raises(OutOfRange, match=r"too large: 0\.4") as caught:
        grad(f)(X)
    assert isinstance(caught.value.__cause__, KeyError)
    assert LOG == ["enter", "OutOfRange"]


def test_managers_in_loops() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for v in x:
            with np.errstate(all="ignore"):
                if v < 0:
                    continue
                total = total + v * v
        return total

    agrees(f)


def test_managers_that_swallow_exceptions_are_refused() -> None:
    def one(x: Any) -> Any:
        with contextlib.suppress(ValueError):
            x = x * 2
        return np.sum(x)

    def other(x: Any) -> Any:
        with Swallowing():
            x = x * 2
        return np.sum(x)

    refused(one, "may swallow exceptions")
    refused(other, "may swallow exceptions")


def test_finally_runs_once_and_after_exceptions(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: Any) -> Any:
        try:
            y = x * x
            if x[0] > 1:
                assert x[1] > 0, "negative"
        finally:
            print("done")
        return np.sum(y * x)

    np.testing.assert_allclose(grad(f)(X), 3 * X * X)
    assert capsys.readouterr().out == "done\n"
    agrees(f)
    capsys.readouterr()
    with pytest.raises(AssertionError, match="negative"):
        grad(f)(np.array([2.0, -1.0, 0.0]))
    assert capsys.readouterr().out == "done\n"


def test_a_finally_runs_after_a_return() -> None:
    def f(x: Any) -> Any:
        try:
            if x[0] > 1:
                return np.sum(x)
            if x[1] > 100:
                raise ValueError
        finally:
            x = 0.0
        return x

    agrees(f)


def test_a_finally_that_would_see_half_of_the_body_is_refused() -> None:
    def reads(x: Any) -> Any:
        y = 0.0
        try:
            y = np.sum(x)
        finally:
            print(y)
        return y

    def jumps(x: Any) -> Any:
        try:
            y = np.sum(x)
        finally:
            return 0.0  # noqa: B012
        return y

    refused(reads, "the `finally` uses `y`")
    refused(jumps, "a `finally` with a jump inside")


def test_imports_of_what_is_loaded() -> None:
    def f(x: Any) -> Any:
        import math as m
        from operator import mul

        import numpy.linalg

        return mul(m.sin(x[0]), numpy.linalg.norm(x))

    agrees(f)


def test_imports_of_others_are_refused() -> None:
    def f(x: Any) -> Any:
        import a_module_that_is_not_there as module  # type: ignore[import-not-found]

        return module.f(x)

    refused(f, "imported here for the first time")


def test_del() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        names = {"a": 1, "b": 2}
        del names["a"]
        functions = {"sin": np.sin, "cos": np.cos}
        del functions["cos"]
        z = np.sum(y) * names["b"]
        del y
        for g in functions.values():
            z = z + g(x[0])
        return z

    def g(x: Any) -> Any:
        y = x * 2
        del y
        return np.sum(y)  # noqa: F821

    agrees(f)
    refused(g, "`y` has no value here")


def test_global_reads_and_annotations() -> None:
    def f(x: Any) -> Any:
        global X
        y: Any = x * X
        z: float
        z = 2.0
        return np.sum(y) * z

    agrees(f)
