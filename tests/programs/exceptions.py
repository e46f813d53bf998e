"""`try` with handlers: the gradient is that of the path that ran. Most come twice, once for each path."""

import math

import numpy as np

from tests.programs import program


class Diverged(ArithmeticError):
    """Raised by the programs below."""


class Rejected(Exception):
    def __init__(self, step):
        super().__init__(f"step {step} rejected")
        self.step = step


# One statement, a handler


@program(args=lambda rng: (0.7, {"a": 2.0, "b": 3.0}))
def value_from_a_table(x, table):
    try:
        y = x * table["b"]
    except KeyError:
        y = x**3
    return y * y


@program(args=lambda rng: (0.7, {"a": 2.0}))
def value_missing_in_a_table(x, table):
    return value_from_a_table(x, table)


@program(args=lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal(3)), wrt=(0, 1))
def solve_or_steepest_descent(matrix, b):
    try:
        step = np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        step = 0.1 * (matrix.T @ b)
    return np.sum(step * step)


@program(args=lambda rng: (np.array([2.0, -1.0, 0.5]),))
def singular_matrix_is_handled(b):
    matrix = np.outer(b, b)
    matrix[2] = 0.0
    return solve_or_steepest_descent(matrix, b)


@program(args=lambda rng: (-0.8,))
def root_of_a_negative_number(x):
    try:
        return math.sqrt(x)
    except ValueError:
        return math.exp(x) * x


@program(args=lambda rng: (0.8,))
def root_of_a_positive_number(x):
    return root_of_a_negative_number(x) + x


# Several handlers, `else`, `finally`, names of exceptions


def classified(x, key, table):
    scale = 1.0
    try:
        y = table[key] * x
        if y > 10:
            raise Diverged(f"{y} is too large")
    except (KeyError, TypeError):
        y = x * x
    except Diverged as error:
        y = 10 + math.tanh(x) * len(str(error)[:3])
    except Exception:  # noqa: BLE001
        y = 0.0
    else:
        scale = scale + x
    finally:
        scale_is_set = True
    return y * scale if scale_is_set else 0.0


@program(args=lambda rng: (1.3, "a", {"a": 2.0, "b": 30.0}))
def goes_on_to_else(x, key, table):
    return classified(x, key, table)


@program(args=lambda rng: (1.3, "b", {"a": 2.0, "b": 30.0}))
def raises_in_its_own_body(x, key, table):
    return classified(x, key, table) + 1.0


@program(args=lambda rng: (1.3, "c", {"a": 2.0, "b": 30.0}))
def first_of_several_handlers(x, key, table):
    return classified(x, key, table) + 2.0


@program(args=lambda rng: (1.3, [2.0]))
def handler_for_everything(x, table):
    try:
        y = table[1] * x
    except:  # noqa: E722
        y = x**3
    return y


# What the handler finds


@program(args=lambda rng: (0.4, 1))
def handler_reads_what_was_before(x, k):
    y = x * x
    try:
        y = y * [2.0][k]
    except IndexError:
        pass
    return y + x


@program(args=lambda rng: (0.4, 1))
def handler_reads_what_the_body_assigned(x, k):
    y = x * x
    try:
        y = y * x
        if k > 0:
            raise Diverged
        y = y * x
    except Diverged:
        y = y + 1.0
    return y * y


@program(args=lambda rng: (rng.random(3) + 0.5, 7), wrt=0)
def store_out_of_bounds(x, k):
    y = np.zeros(3)
    try:
        y[k] = x[0] * x[1]
    except IndexError:
        y[1] = x[2] ** 2
    return np.sum(y * x)


@program(args=lambda rng: (rng.random(3) + 0.5, 2), wrt=0)
def store_in_bounds(x, k):
    return store_out_of_bounds(x, k) * 2.0


@program(args=lambda rng: (0.3,))
def exception_that_is_kept(x):
    error = None
    y = x
    try:
        y = y / (1 - 1)
    except ZeroDivisionError as caught:
        error = caught
    if error is not None:
        y = math.sin(x) * len(str(error))
    return y


# Nested, and through calls


def root(x):
    if x < 0:
        raise ValueError(f"{x} has no root")
    return x**0.5


def root_or_diverged(x):
    try:
        return root(x)
    except ValueError as error:
        raise Diverged("no root") from error


@program(args=lambda rng: (0.6,))
def exception_turned_into_another(x):
    try:
        y = root_or_diverged(-x)
    except Diverged:
        y = root_or_diverged(x) * x
    return y


@program(args=lambda rng: (0.6,))
def handler_raises_again(x):
    total = 0.0
    try:
        try:
            total = root(x - 1.0)
        except ValueError:
            if x > 0:
                raise
            total = x * 2.0
    except ValueError:
        total = x * x
    return total


@program(args=lambda rng: (0.6, 2), wrt=0)
def try_in_a_recursion(x, depth):
    try:
        if depth == 0:
            raise Diverged
        return x * try_in_a_recursion(x, depth - 1)
    except Diverged:
        return math.sin(x)


# In loops


@program(args=lambda rng: (1.1, {0: 2.0, 2: 0.5}, [0, 1, 2, 0, 3]), wrt=(0, 1))
def missing_items_are_left_out(x, table, items):
    total = 0.0
    for item in items:
        try:
            value = table[item]
        except KeyError:
            continue
        total = total + value * x * x
    return total


@program(args=lambda rng: (rng.random(4) + 0.5, {0: 2.0, 3: 0.5}), wrt=0)
def two_paths_in_a_loop(x, table):
    total = 1.0
    for k in range(4):
        try:
            factor = table[k]
            total = math.sin(factor * total * x[k])
        except KeyError:
            total = total * x[k] ** 2
    return total


@program(args=lambda rng: (0.9, [0.5, 2.0, 1.5]), wrt=0)
def exception_ends_a_loop(x, rates):
    k = 0
    while True:
        try:
            x = x * rates[k]
        except IndexError:
            break
        k += 1
    return x * k


@program(args=lambda rng: (np.array([1.2, 0.7]),))
def newton_with_a_singular_step(x):
    for k in range(5):
        residual = np.array([x[0] ** 2 + x[1] - 2.0, x[0] * x[1] - 0.5])
        jacobian = np.array([[2 * x[0], 1.0], [x[1], x[0]]]) * (1.0 if k != 1 else 0.0)
        try:
            step = np.linalg.solve(jacobian, residual)
        except np.linalg.LinAlgError:
            step = 0.1 * residual
        x = x - step
    return np.sum(x * x)


def implicit_step(u, h):
    v = u
    for k in range(4):
        if h > 0.3 and k == 2:
            raise Rejected(h)
        v = u + h * np.sin(v)
    return v


@program(args=lambda rng: (rng.random(3), 0.5), wrt=(0, 1), only="first")
def rejected_steps_are_halved(u, h):
    # The tapes of the inner loop are handed on as lists: a second derivative does not reach through those.
    for _ in range(3):
        try:
            u = implicit_step(u, h)
        except Rejected:
            h = h * 0.5
            u = u * (1 + h)
    return np.sum(u * u)


@program(args=lambda rng: (rng.random(4) + 0.5, {0: 2.0, 3: 4.0}))
def stores_on_both_paths(x, table):
    y = np.zeros(4)
    for k in range(4):
        try:
            y[k] = x[k] ** 2 / table[k]
        except KeyError:
            y[k] = 0.5 * x[k] * x[0]
    return np.sum(y * x)


@program(args=lambda rng: (0.8, [0, 2]), wrt=0)
def returns_from_a_handler(x, keys):
    table = [1.0, 3.0]
    y = x
    for k in keys:
        try:
            factor = table[k]
        except IndexError:
            return y * y * x
        y = y * factor * x
    return y


@program(args=lambda rng: (0.8,))
def loop_of_retries_with_else(x):
    for attempt in range(4):
        try:
            if attempt < 2:
                raise Rejected(attempt)
            y = root(x * attempt)
        except Rejected:
            x = x * 1.2
        else:
            break
    else:
        y = 0.0
    return y * x
