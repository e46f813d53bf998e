"""Writes into arrays: elements, slices, masks, integer arrays, augmented, in loops and branches, of arguments."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(4),))
def store_elements(x):
    y = np.zeros(3)
    y[0] = x[0] * x[1]
    y[1] = math.sin(x[2])
    y[-1] = x[3] ** 2
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def store_elements_in_a_loop(x):
    y = np.empty(5)
    for i in range(5):
        y[i] = x[i] * x[4 - i] + i
    return y


@program(args=lambda rng: (rng.standard_normal(6),))
def augmented_slice(x):
    y = x.copy()
    y[1:-1] += x[2:] * x[:-2]
    return y


@program(args=lambda rng: (rng.standard_normal(6),))
def augmented_slice_of_itself(x):
    y = x * 1.0
    y[1:-1] += 0.3 * (y[2:] - 2 * y[1:-1] + y[:-2]) ** 2
    return np.sum(y * x)


@program(args=lambda rng: (rng.standard_normal(4), rng.standard_normal(3)), wrt=(0, 1))
def store_rows(x, r):
    m = np.zeros((4, 3))
    for i in range(4):
        m[i, :] = x[i] * r
    return m


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def store_columns_and_a_row(a):
    b = np.ones_like(a)
    b[:, 0] = a[1]
    b[:, 2] = np.sin(a[:, 0])
    b[1] = b[:, 2] * a[2]
    return b


@program(args=lambda rng: (rng.standard_normal(7),))
def store_by_mask(x):
    y = x**2
    y[x < 0] = 0.5
    y[x > 0.5] = x[x > 0.5] * 3
    return y * x


@program(args=lambda rng: (rng.standard_normal(5), 1.5), wrt=(0, 1))
def scalar_into_mask(x, a):
    y = np.exp(x)
    mask = x > 0
    y[mask] = a
    return np.sum(y * x)


@program(args=lambda rng: (rng.standard_normal(3), np.array([0, 2, 5])))
def store_by_integer_array(x, where):
    y = np.zeros(6)
    y[where] = x**2
    return y[::-1]


@program(args=lambda rng: (rng.standard_normal(4), np.array([1, 3, 1, 0])))
def add_at_repeated_indices(x, where):
    y = np.zeros(4)
    np.add.at(y, where, x * x)
    return y * x


@program(args=lambda rng: (rng.standard_normal(4), np.array([1, 3, 1, 0])))
def augmented_repeated_indices(x, where):
    y = np.sin(x)
    y[where] += x[where] ** 2
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def store_at_repeated_indices_last_wins(x):
    y = x * 2
    y[np.array([0, 1, 0])] = x[2:] ** 2
    return y


@program(args=lambda rng: (rng.standard_normal(3),))
def overwritten_store(x):
    y = np.zeros(2)
    y[0] = x[0] ** 2
    y[1] = y[0] * x[1]
    y[0] = x[2] * y[1]
    return y


@program(args=lambda rng: (rng.standard_normal(4),))
def constant_into_active_array(x):
    y = x * x
    y[1] = 3.0
    z = y * x
    y[2:] = -1
    return z * y


@program(args=lambda rng: (rng.standard_normal(4),))
def augmented_times_and_divide(x):
    y = x + 3
    y[0] *= x[1]
    y[1:3] /= x[2:] + 4
    y[3] -= y[0]
    return y


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def augmented_power(x):
    y = x.copy()
    y **= 3
    y[1:] **= 0.5
    return y


@program(args=lambda rng: (rng.standard_normal(4), rng.standard_normal(4)), wrt=(0, 1))
def whole_array_augmented(x, w):
    y = np.exp(x)
    y += w
    y *= x
    y -= 1.0
    y /= 1 + w**2
    return y


@program(args=lambda rng: (rng.standard_normal(3), rng.standard_normal(3)), wrt=(0, 1))
def augmented_in_a_loop(x, w):
    y = np.zeros(3)
    for k in range(3):
        y += np.sin(w * k) * x
        y *= w
    return y


@program(args=lambda rng: (rng.standard_normal(3),))
def argument_is_overwritten(x):
    x[0] = x[1] * x[2]
    x[1] *= 2.0
    return np.sum(x**2)


@program(args=lambda rng: (rng.standard_normal(4), 0.5), wrt=("u", "rate"))
def argument_is_scaled_in_place(u, rate):
    for k in range(3):
        u *= 1 + rate * k
    return u * u


@program(args=lambda rng: (np.zeros(3), rng.standard_normal(3)), wrt="x")
def argument_receives_the_result(buffer, x):
    buffer[:] = x**2
    buffer[1] += buffer[0]
    return np.prod(buffer)


@program(args=lambda rng: (rng.standard_normal(5),))
def store_in_a_branch(x):
    y = x.copy()
    for i in range(1, 5):
        if x[i] > 0:
            y[i] = y[i - 1] * x[i]
        else:
            y[i - 1] += x[i] ** 2
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def store_then_break(x):
    y = np.zeros(5)
    s = 0.0
    for i in range(5):
        y[i] = x[i] ** 2 + s
        s = s + y[i]
        if s > 1.0:
            break
    return y, s


@program(args=lambda rng: (rng.standard_normal(6),))
def recurrence_in_place(x):
    y = np.zeros_like(x)
    y[0] = x[0]
    y[1] = x[1]
    for i in range(2, 6):
        y[i] = 0.5 * y[i - 1] * y[i - 2] + x[i]
    return y


@program(args=lambda rng: (rng.standard_normal((2, 3)),))
def chained_subscripts(a):
    b = np.zeros((2, 3))
    for i in range(2):
        for j in range(3):
            b[i][j] = a[i][j] ** 2
        b[i][0] += b[i][1] * a[1 - i][2]
    return b


@program(args=lambda rng: (rng.standard_normal((3, 4)),))
def store_through_a_row_view(a):
    b = a * 2
    row = b[1]
    row[0] = a[0, 0] ** 2
    row[2:] *= a[2, 2:]
    return b


@program(args=lambda rng: (rng.standard_normal((2, 3)),))
def store_through_a_transpose(a):
    b = a.copy()
    t = b.T
    t[0] = a[:, 2] * a[:, 1]
    return b * a


@program(args=lambda rng: (rng.standard_normal(4),))
def store_through_an_alias(x):
    y = x * 1.5
    z = y
    z[0] = x[1] ** 2
    return y * x


@program(args=lambda rng: (rng.standard_normal((2, 3)),))
def store_through_reshape(a):
    b = a + 1
    flat = b.reshape(6)
    flat[::2] = a.ravel()[1::2] ** 2
    return b


@program(args=lambda rng: (rng.standard_normal(4),))
def read_before_and_after_a_store(x):
    y = x * x
    before = y[0] * x[3]
    y[0] = x[1] * before
    after = y[0] + y[2]
    return before * after


@program(args=lambda rng: (rng.standard_normal(5),))
def swapped_elements(x):
    y = x.copy()
    y[0], y[4] = y[4], y[0] * 2
    return y * np.arange(1.0, 6.0)


@program(args=lambda rng: (rng.standard_normal(6),))
def store_strided_and_reversed(x):
    y = np.zeros(6)
    y[::2] = x[:3] ** 2
    y[::-2] += x[3:]
    return y


@program(args=lambda rng: (2.0, rng.standard_normal(3)), wrt=(0, 1))
def scalar_broadcast_into_a_slice(a, x):
    y = np.full((2, 3), 0.5)
    y[0] = a
    y[1, 1:] = a * a
    y *= x
    return y


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def store_on_a_diagonal(a):
    b = a * a
    i = np.arange(3)
    b[i, i] = 1.0
    b[i, (i + 1) % 3] += np.sin(a[i, i])
    return b


@program(args=lambda rng: (rng.standard_normal(4),))
def out_argument(x):
    y = np.empty(4)
    np.multiply(x, x, out=y)
    y += 1
    np.exp(y, out=y)
    return y * x


@program(args=lambda rng: (rng.standard_normal(3),))
def slots_with_ellipsis_and_fill(x):
    y = np.empty((2, 3))
    y.fill(2.0)
    y[..., 0] = x[0] ** 2
    y[1, ...] = y[0] * x
    return y


@program(args=lambda rng: (rng.standard_normal(3), 4))
def rows_depend_on_rows(x, n):
    path = np.zeros((n, 3))
    path[0] = x
    for t in range(1, n):
        path[t] = path[t - 1] + 0.1 * np.sin(path[t - 1]) * x
    return path


@program(args=lambda rng: (rng.standard_normal(4),))
def zeros_from_a_shape(x):
    y = np.zeros(x.shape, dtype=x.dtype)
    z = np.empty_like(x)
    for i in range(x.size):
        z[i] = x[i] ** 2
        y[x.size - 1 - i] = z[i] * x[0]
    return y + z


@program(args=lambda rng: (rng.standard_normal(3),))
def key_replaced_by_another_shape(x):
    d = {"a": x[0], "b": np.concatenate([x, x])}
    s = d["b"][4]
    d["b"] = x * 2.0
    return np.sum(d["b"]) * d["a"] * s


@program(args=lambda rng: (rng.standard_normal(3),))
def dict_of_the_last_iteration(x):
    for z in x:
        s = {"a": z, "b": z * x}
    return s["a"] * s["b"]


@program(args=lambda rng: (rng.standard_normal((3, 4)),))
def stores_through_views_of_other_shapes(x):
    a = np.zeros((3, 4))
    flat = a.reshape(-1)
    for i in range(12):
        flat[i] = x[i // 4, i % 4] ** 2 * (i + 1)
    rows = a.reshape((2, 6))
    rows[1, 2:] += x[0] * a[1, 0]
    a.transpose()[1] *= x[:, 0]
    a.flat[5] = x[0, 0] * x[2, 1]
    return a * x


@program(args=lambda rng: (rng.standard_normal((3, 4)),))
def adjoint_of_a_reshaped_buffer_in_another_order(x):
    a = x.T.copy()
    flat = a.ravel()
    flat[1] = x[0, 0] * x[1, 1]
    return (a * x.T).T


@program(args=lambda rng: (rng.standard_normal((3, 4)), rng.standard_normal(3)), wrt=(0, 1))
def functions_that_write_into_an_argument(x, v):
    a = x * 2
    np.copyto(a, v[0], where=x > 0)
    np.putmask(a, x < -1, x**2)
    b = np.outer(v, v)
    np.fill_diagonal(b, v**3)
    np.add(b[0], v, b[0])
    np.multiply(a[0], v[1], a[1])
    a.sort(axis=0)
    return a, b


@program(args=lambda rng: (rng.standard_normal(3),))
def matrix_of_a_diagonal_is_written(x):
    a = np.diag(2 * x)
    a[0, 1] = x[1]
    b = np.diag(x)
    b[1, 2] += x[0]
    b[0, 0] = 3.0
    return np.sum(a @ b) * a[0, 0] + x[0] * x[1]
