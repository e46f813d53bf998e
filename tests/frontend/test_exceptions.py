"""`try` with handlers: the path that ran, what the handler finds, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import grad, value_and_grad
from tests.frontend.agreement import X, agrees, refused


class Stop(Exception):
    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value


MODES: tuple[dict[str, bool], ...] = ({}, {"optimize": False}, {"specialize": False})


def raises_alike(function: Callable[..., Any], *args: Any) -> BaseException:
    """Asserts that a gradient raises what the function raises; returns what it raised."""
    with pytest.raises(BaseException) as expected:  # noqa: PT011
        function(*args)
    for options in MODES:
        with pytest.raises(expected.type) as found:
            grad(function, **options)(*args)
        assert str(found.value) == str(expected.value)
        assert type(found.value.__cause__) is type(expected.value.__cause__)
    return found.value


# The path


@pytest.mark.parametrize("key", ["a", "missing"])
def test_a_value_that_nobody_needs_decides_the_path(key: str) -> None:
    def f(x: Any, table: dict[str, float], key: str) -> Any:
        y = 3.0 * x
        try:
            table[key]
        except KeyError:
            y = x * x
        return np.sum(y)

    agrees(f, X, {"a": 1.0}, key)


def test_what_a_list_holds_decides_the_path() -> None:
    def f(x: Any) -> Any:
        kept = []
        kept.append(0.5)
        y = x
        try:
            kept.pop()
            kept.pop()
        except IndexError:
            y = x * x
        try:
            [1.0].pop()
        except IndexError:
            y = 0.0
        return np.sum(y)

    agrees(f, X)


@pytest.mark.parametrize("lengths", [(3, 3), (3, 2)])
def test_shapes_that_do_not_fit_are_no_fact_about_the_arguments(lengths: tuple[int, int]) -> None:
    def f(a: Any, b: Any) -> Any:
        try:
            y = a * b
        except ValueError:
            y = a[: len(b)] * b * b
        return np.sum(y * y)

    agrees(f, np.arange(1.0, 1.0 + lengths[0]), np.arange(2.0, 2.0 + lengths[1]))


@pytest.mark.parametrize("key", ["a", "b", "c"])
def test_the_first_exception_decides(key: str) -> None:
    def f(x: Any, table: dict[str, Any], key: str) -> Any:
        try:
            root = math.sqrt(table[key])
            y = x * (root + table["a"])
        except KeyError:
            y = x * x
        except ValueError:
            y = x**3
        return np.sum(y)

    agrees(f, X, {"a": 4.0, "b": -4.0}, key)


def test_what_the_reverse_sweep_raises_is_not_handled() -> None:
    def f(x: Any) -> Any:
        try:
            y = np.sqrt(x)
        except FloatingPointError:
            y = x
        return np.sum(y)

    with np.errstate(all="raise"):
        assert f(np.zeros(2)) == 0.0
        for options in MODES:
            with pytest.raises(FloatingPointError):
                grad(f, **options)(np.zeros(2))


def test_messages_are_printed_once_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: Any, keys: list[int]) -> Any:
        total = 0.0
        for key in keys:
            try:
                print("key", key)
                total = total + x[key] ** 2
            except IndexError as error:
                print(f"{type(error).__name__}: {error}")
            else:
                print("fine")
            finally:
                print("next")
        return total

    f(X, [0, 7, 2])
    expected = capsys.readouterr().out
    for options in MODES:
        value_and_grad(f, **options)(X, [0, 7, 2])
        assert capsys.readouterr().out == expected


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_a_handler_that_asks_for_the_class(k: int) -> None:
    def f(x: Any, k: int) -> Any:
        try:
            if k == 1:
                raise Stop
            if k == 2:
                raise LookupError
            y = [1.0, 2.0][k] * x
        except (LookupError, Stop) as error:
            if isinstance(error, Stop):
                y = x * x
            else:
                y = x**3
        try:
            if k == 1:
                raise Stop
            if k == 2:
                raise LookupError
            z = [1.0, 2.0][k] * x
        except (LookupError, Stop) as error:
            if isinstance(error, IndexError):
                z = x * x
            else:
                z = x**3
        return np.sum(y * z)

    agrees(f, X, k)


@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_several_handlers_one_of_which_raises(k: int) -> None:
    def f(x: Any, k: int) -> Any:
        try:
            if k == 1:
                raise Stop(k)
            if k == 2:
                raise KeyError(k)
            y = [1.0, 2.0][k] * x
        except KeyError as error:
            y = x * len(str(error))
        except Stop:
            y = x * x
        except IndexError as error:
            if k > 3:
                raise Stop("not reached") from error
            y = x**3
        else:
            y = y * 2.0
        return np.sum(y)

    agrees(f, X, k)


# Exceptions that leave


def test_an_exception_that_is_not_handled_leaves() -> None:
    def f(x: float) -> float:
        try:
            y = math.sqrt(x)
        except KeyError:
            y = 0.0
        return y

    raises_alike(f, -1.0)


def test_an_exception_is_turned_into_another() -> None:
    def f(x: float) -> float:
        try:
            y = math.sqrt(x)
        except ValueError as error:
            raise Stop(f"no root of {x}") from error
        return y * x

    assert isinstance(raises_alike(f, -1.0), Stop)
    agrees(f, 2.0)


def test_a_handler_raises_again() -> None:
    def f(x: float) -> float:
        try:
            y = math.sqrt(x)
        except ValueError:
            if x < -5:
                raise
            y = x * x
        return y

    raises_alike(f, -6.0)
    agrees(f, -2.0)
    agrees(f, 2.0)


# What the handler finds


@pytest.mark.parametrize("k", [0, 1])
def test_a_name_that_is_always_assigned_when_it_raises(k: int) -> None:
    def f(x: float, k: int) -> float:
        y = x
        try:
            y = y * x
            if k:
                raise Stop
            y = y * x
        except Stop:
            pass
        return y * y

    agrees(f, 0.7, k)


@pytest.mark.parametrize("k", [0, 1])
def test_a_context_stays_in_one_piece(k: int) -> None:
    def f(x: float, k: int) -> float:
        y = x
        try:
            try:
                y = y * x
            finally:
                print(end="")
            if k:
                raise Stop
        except Stop:
            return x * 3.0
        return y * y

    agrees(f, 0.7, k)


@pytest.mark.parametrize("k", [0, 1])
def test_a_comprehension_has_names_of_its_own(k: int) -> None:
    def f(x: float, k: int) -> float:
        i = 2.0 * x
        try:
            z = [[1.0, 2.0][i + k] for i in range(2)]
        except IndexError:
            return i * x
        return z[0] * i

    agrees(f, 0.7, k)


def test_the_name_of_the_exception_is_gone_behind_the_handler() -> None:
    def f(x: float) -> Any:
        e = 2.0
        try:
            raise Stop
        except Stop as e:  # noqa: F841
            y = x * x
        return y * e

    refused(f, "`e` has no value here", 0.7)


# Refusals


def test_a_name_that_is_half_assigned() -> None:
    def read_in_handler(x: Any) -> Any:
        try:
            a = np.exp(x)
            y = np.linalg.inv(a)
        except ValueError:
            y = a
        return np.sum(y)

    def read_later(x: Any) -> Any:
        y = x
        try:
            y = y * 2
            z = y[5]
        except IndexError:
            z = 0.0
        return np.sum(y * z)

    def carried(x: Any) -> Any:
        y = x
        for k in range(4):
            try:
                y = y * 2
                y[k]
            except IndexError:
                continue
        return np.sum(y)

    refused(read_in_handler, "`a` may have been assigned or not when the `try` raised")
    refused(read_later, "`y` may have been assigned or not when the `try` raised")
    refused(carried, "may have been assigned or not when")


def test_memory_that_is_half_written() -> None:
    def f(x: Any) -> Any:
        y = np.zeros(3)
        try:
            y[0] = x[0]
            y[3] = x[1]
        except IndexError:
            y[1] = x[2]
        return np.sum(y)

    def in_a_loop(x: Any) -> Any:
        y = np.zeros(2)
        try:
            for k in range(3):
                y[k] = x[k]
        except IndexError:
            pass
        return np.sum(y)

    refused(f, "`y` is written here before something that may raise")
    refused(in_a_loop, "`y` is written here before something that may raise")


def test_a_derivative_through_an_exception() -> None:
    def f(x: float) -> Any:
        try:
            raise Stop(x * x)
        except Stop as stop:
            y = stop.value * x
        return y

    refused(f, "a value that an exception carries", 0.7)


def test_classes_that_are_not_known() -> None:
    def f(x: float, kind: Any) -> float:
        try:
            y = math.sqrt(x)
        except kind:
            y = x
        return y

    refused(f, "which exceptions this handles is not known", 0.7, [ValueError])


def test_groups_of_exceptions() -> None:
    def f(x: float) -> float:
        try:
            y = math.sqrt(x)
        except* ValueError:
            y = x
        return y

    refused(f, "`except*` is not supported", 0.7)


def test_a_raise_without_an_exception_outside_of_a_handler() -> None:
    def f(x: float) -> float:
        if x > 5:
            raise
        return x

    refused(f, "`raise` without an exception", 0.7)
