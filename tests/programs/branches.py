"""if, elif, else, conditional expressions, and, or, not, chained comparisons."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (0.8,))
def if_without_else(x):
    y = x * x
    if x > 0.5:
        y = y * 3
    return y


@program(args=lambda rng: (0.3,))
def if_without_else_not_taken(x):
    y = x * x
    if x > 0.5:
        y = math.exp(y)
    return y + x


@program(args=lambda rng: (-1.2, 0.4), wrt=(0, 1))
def if_else_same_name(x, a):
    if x > 0:
        y = a * x
    else:
        y = a * (math.exp(x) - 1)
    return y * x


@program(args=lambda rng: (0.6,))
def elif_ladder(x):
    if x < -1:
        y = -x
    elif x < 0:
        y = x**2
    elif x < 0.5:
        y = x**3
    elif x < 1:
        y = math.sin(3 * x)
    else:
        y = math.log(x)
    return y


@program(args=lambda rng: (1.4, -0.6), wrt=(0, 1))
def nested_branches(x, y):
    if x > 0:
        if y > 0:
            z = x * y
        elif y > -0.5:
            z = x - y
        else:
            z = x**2 * y
            if z < 0:
                z = z * math.cos(y)
    else:
        z = y
    return z + x


@program(args=lambda rng: (rng.standard_normal(4) + 0.1, 0.2), wrt=("x", "slope"))
def conditional_expression(x, slope):
    s = np.sum(x)
    y = x if s > 0 else slope * x
    return y * s


@program(args=lambda rng: (0.9,))
def nested_conditional_expression(x):
    return (x * 2 if x < 0.5 else x**2 if x < 1 else x**3) + (1.0 if x > 0 else x)


@program(args=lambda rng: (0.5, 1.5), wrt=(0, 1))
def and_of_tests(x, y):
    if x > 0 and y > 1 and x * y < 3:
        r = x * y**2
    else:
        r = x + y
    return r


@program(args=lambda rng: (-0.5, 1.5), wrt=(0, 1))
def or_of_tests(x, y):
    r = x + y
    if x > 0 or y > 1:
        r = r * x * y
    return r


@program(args=lambda rng: (-0.5,))
def not_of_a_test(x):
    if not x > 0:
        x = x * -2
    return x**2


@program(args=lambda rng: (0.35,))
def chained_comparison(x):
    if 0 < x < 0.5 <= x + 1:
        return math.tan(x)
    return x


@program(args=lambda rng: (0, 2.5), wrt=(1,))
def short_circuit_guards_a_division(x, y):
    if x != 0 and y / x > 1:
        y = y / x
    return y * y


@program(args=lambda rng: (1.3, None), wrt=0)
def none_is_tested(x, scale):
    if scale is None:
        scale = 2.5
    return scale * x**2


@program(args=lambda rng: (1.3, "cosine"), wrt=0)
def string_is_tested(x, kind):
    if kind == "sine":
        y = math.sin(x)
    elif kind == "cosine":
        y = math.cos(x)
    else:
        raise ValueError(kind)
    return y * x


@program(args=lambda rng: (rng.standard_normal(5), True), wrt=0)
def flag_is_an_argument(x, normalise):
    if normalise:
        x = x / np.sqrt(np.sum(x**2))
    return x * np.arange(5.0)


@program(args=lambda rng: (rng.standard_normal(5),))
def branch_on_shape_and_dtype(x):
    if x.ndim == 1 and x.shape[0] > 3 and x.dtype == np.float64:
        y = x[:3] * x[-3:]
    else:
        y = x
    return y


@program(args=lambda rng: (0.4, 2.0), wrt=(0, 1))
def branch_assigns_several_names(x, y):
    a = x
    b = y
    c = x * y
    if a < b:
        a, b = b * c, a
        c = a + b
    else:
        c = b
    return a * b * c


@program(args=lambda rng: (0.4,))
def name_assigned_in_one_branch_only(x):
    flag = x < 1
    if flag:
        t = x * 3
    y = x**2
    if flag:
        y = y * t
    return y


@program(args=lambda rng: (0.7, 0.2), wrt=(0, 1))
def value_of_and_or(x, y):
    z = x and y
    w = (x > 1 and x) or y
    return z * w * x


@program(args=lambda rng: (rng.standard_normal(4) * 2 + 0.05,))
def where_instead_of_branch(x):
    return np.where(x > 0, x**2, np.where(x < -1, np.sin(x), 0.1 * x))


@program(args=lambda rng: (np.array([0.5, -1.5]),))
def assert_and_message(x):
    norm = np.sqrt(x @ x)
    assert norm > 0, f"norm is {norm}"
    if norm > 1:
        x = x / norm
    return x


@program(args=lambda rng: (1.7, 0.2), wrt=(0, 1))
def membership_and_identity(x, y):
    chosen = "b"
    if chosen in ("a", "b") and x is not None and chosen not in ("c",):
        x = x * y
    return x + y**2


@program(args=lambda rng: (rng.standard_normal(2), rng.standard_normal((2, 2)), True))
def view_read_on_one_path(x, m, other):
    y = m.T
    if other:
        m /= 1.5
    else:
        x[1] *= y.min()
    return x + np.sum(y)


def _scaled(y, limit):
    y[y > -0.263] *= y.sum()
    return limit


@program(args=lambda rng: (np.array([1.1, -1.32, -1.08]), True))
def written_on_one_of_two_paths(x, flag):
    if flag or 1 + x[2] <= _scaled(x, x[1]):
        if flag:
            for i in range(2):
                _scaled(x, x[i])
    return x
