"""Reading parts of arrays: slices, new axes, ellipses, masks, integer arrays, single elements."""

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(7),))
def slices_that_overlap(x):
    return x[1:] * x[:-1], x[2:] - x[:-2]


@program(args=lambda rng: (rng.standard_normal(7),))
def slices_with_steps(x):
    s = 0.0
    for k in (1, 2, 3):
        s = s + np.sum(x[::k] ** k)
    return s


@program(args=lambda rng: (rng.standard_normal(6),))
def slices_backwards(x):
    a = x[::-1]
    b = x[4:1:-1]
    return a * x, b * x[:3]


@program(args=lambda rng: (rng.standard_normal(3), rng.standard_normal(4)), wrt=(0, 1))
def new_axes(x, y):
    outer = x[:, np.newaxis] * y[None, :]
    return outer, outer[..., None].shape[2] * x


@program(args=lambda rng: (rng.standard_normal((2, 3, 4)),))
def ellipses(a):
    return a[..., 1] * a[..., -1], a[1, ...] ** 2


@program(args=lambda rng: (rng.standard_normal(8),))
def masks(x):
    positive = x[x > 0]
    rest = x[~(x > 0)]
    return np.sum(positive**2), np.sum(np.sin(rest))


@program(args=lambda rng: (rng.standard_normal(4), np.array([0, 2, 2, 2, 1])))
def integer_array_with_repetition(x, where):
    picked = x[where]
    y = picked * np.arange(5.0)
    return y, picked * picked


@program(args=lambda rng: (rng.standard_normal((4, 3)), [0, 2, 0], [1, 1, 2]))
def two_integer_lists(a, rows, columns):
    total = 0.0
    for v in a[rows, columns]:
        total = total + v**2
    return total


@program(args=lambda rng: (rng.standard_normal((4, 3)), np.array([3, 0, 3])))
def integer_array_and_slice(a, rows):
    return a[rows, 1:] * 2, a[1:, np.array([0, 0])]


@program(args=lambda rng: (rng.standard_normal(5),))
def same_element_many_times(x):
    s = x[2] * x[2] + x[2]
    for i in range(3):
        s = s * x[2] + x[i]
    return s


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def scalars_of_a_matrix(a):
    determinant = 0.0
    for j in range(3):
        k = (j + 1) % 3
        m = (j + 2) % 3
        determinant += a[0, j] * (a[1, k] * a[2, m] - a[1, m] * a[2, k])
    return determinant


@program(args=lambda rng: (rng.standard_normal((4, 4)),))
def window_by_window(a):
    s = 0.0
    for i in range(3):
        for j in range(3):
            w = a[i : i + 2, j : j + 2]
            s = s + w[0, 0] * w[1, 1] - np.sum(w * w.T)
    return s


@program(args=lambda rng: (rng.standard_normal(6), 2))
def slice_bounds_are_variables(x, n):
    y = x
    for k in range(n):
        y = y[k : len(y) - 1] * y[k + 1 :]
    return y


@program(args=lambda rng: (rng.standard_normal(5),))
def take_and_where_indices(x):
    order = np.argsort(x)
    y = np.take(x, order[:3])
    top = np.argmax(x)
    return y * x[top]


@program(args=lambda rng: (rng.standard_normal(9),))
def reshaped_and_transposed(x):
    m = x.reshape(3, 3)
    flat = (m @ m.T).ravel()
    return flat[::2], m.T[0] * m[0]


@program(args=lambda rng: ({"w": rng.standard_normal((2, 3)), "b": rng.standard_normal(2)}, rng.standard_normal(3)),
         wrt=(0, 1))
def dict_of_parameters(params, x):
    h = params["w"] @ x + params["b"]
    return h * np.tanh(h)


@program(args=lambda rng: ([rng.standard_normal(3), (rng.standard_normal(2), 0.4)],))
def nested_list_and_tuple(tree):
    head, (vector, scale) = tree
    s = np.sum(head**2) * scale
    for v in vector:
        s = s + v * scale
    return s
