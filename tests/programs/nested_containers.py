"""Lists and dicts in one another, parts of lists, names that are None at first, values returned from a loop."""

import math

import numpy as np

from tests.programs import program


@program(args=lambda rng: ([1.0, 2.0, 3.0],))
def walk_over_a_part_of_a_list(xs):
    s = 0.0
    for k, x in enumerate(xs[1:]):
        s += x**2 * (k + 1)
    return s * xs[0]


@program(args=lambda rng: ([1.0, 2.0, 3.0],))
def part_of_a_list_grows(xs):
    ys = xs[1:]
    ys.append(2.0 * xs[0])
    s = 0.0
    for k in range(len(ys)):
        s += ys[k] ** (k + 2)
    return s


@program(args=lambda rng: ([1.0, 2.0, 3.0],))
def part_of_a_list_is_changed(xs):
    ys = xs[1:]
    ys[0] = ys[0] * xs[0]
    return ys[0] * ys[1] + xs[1] ** 2


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3),))
def rows_that_grow(x):
    rows = [[] for _ in range(3)]
    for i in range(3):
        for j in range(i + 1):
            rows[i].append(x[i] * x[j])
    s = 0.0
    for i in range(3):
        for v in rows[i]:
            s += math.sin(v) * (i + 1)
    return s


@program(args=lambda rng: (rng.standard_normal((4, 3)),
                           {"w": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}), wrt=(0, 1))  # fmt: skip
def steps_with_a_dict_of_parameters(x, parameters):
    h = x
    s = 0.0
    for k in range(2):
        h = np.tanh(h @ parameters["w"] + parameters["b"]) @ parameters["w"].T
        s += np.sum(h**2) * (k + 1)
    return s


@program(args=lambda rng: ({"layers": [rng.standard_normal((2, 2)), rng.standard_normal((2, 2))], "scale": 0.7},
                           rng.standard_normal(2)), wrt=(0, 1))  # fmt: skip
def list_of_layers_in_a_dict(model, x):
    for layer in model["layers"]:
        x = np.tanh(layer @ x) * model["scale"]
    return np.sum(x**2)


@program(args=lambda rng: ({"layers": [rng.standard_normal((2, 2)), rng.standard_normal((2, 2))]},
                           rng.standard_normal(2)), wrt=(0, 1))  # fmt: skip
def list_of_a_dict_is_named_before_the_loop(model, x):
    layers = model["layers"]
    for k in range(len(layers)):
        x = np.tanh(layers[k] @ x)
    return np.sum(x**2)


@program(args=lambda rng: ({"encoder": {"w": [rng.standard_normal((2, 2)), rng.standard_normal((2, 2))], "b": 0.3}},
                           rng.standard_normal(2)), wrt=(0, 1))  # fmt: skip
def parts_of_parts_in_branches_and_loops(model, x):
    encoder = model["encoder"]
    weights, bias = encoder["w"], encoder["b"]
    for k in range(3):
        if k % 2:
            for w in weights:
                x = np.sin(w @ x)
        else:
            x = x + weights[0][1] * bias
    return np.sum(x**2)


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def nothing_before_the_first(x):
    before = None
    s = 0.0
    for v in x:
        if before is not None:
            s += before * v**2
        before = math.sin(v)
    return s


@program(args=lambda rng: (rng.standard_normal((3, 2)), rng.standard_normal((2, 2))), wrt=(0, 1))
def no_state_before_the_first(xs, w):
    state = None
    for k in range(xs.shape[0]):
        if state is None:
            state = np.tanh(xs[k])
        else:
            state = np.tanh(w @ state + xs[k])
    return np.sum(state**2)


@program(args=lambda rng: (rng.uniform(2.0, 4.0, 3), np.ones(3)))
def array_returned_from_a_loop(a, x):
    for _ in range(50):
        step = 0.5 * (x - a / x)
        x = x - step
        if np.max(np.abs(step)) < 1e-14:
            return x * np.sum(x)
    raise RuntimeError("no convergence")


@program(args=lambda rng: ([rng.standard_normal(2), rng.standard_normal(3)], 0.3), wrt=(0, 1))
def momentum_of_a_list_of_arrays(parameters, rate):
    velocities = [np.zeros_like(p) for p in parameters]
    for _ in range(3):
        for i in range(len(parameters)):
            velocities[i] = 0.9 * velocities[i] - rate * np.sin(parameters[i])
        parameters = [p + v for p, v in zip(parameters, velocities)]
    return parameters


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3),))
def table_of_a_dict_of_lists(x):
    table = {"even": [0.0, 0.0, 0.0], "odd": [0.0, 0.0, 0.0]}
    for i in range(3):
        if i % 2:
            table["odd"][i] = x[i] ** 2
        else:
            table["even"][i] = math.exp(x[i])
    return table["even"][0] * table["odd"][1] + table["even"][2]


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def places_of_an_array_in_a_dict(x):
    table = {"a": np.exp(x)}
    table["a"] = x * 3
    table["a"][[0, 0, 1]] = x * 2
    table["a"][x > 1] = table["a"] @ table["a"]
    return np.sum(table["a"] * x)


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def places_of_the_arrays_in_a_list(x):
    rows = [np.exp(x), x * 2]
    for i in range(2):
        rows[i][[1, 1]] = x[:2] * 2
        rows[i][[0, 2]] += rows[i][[2, 1]]
        rows[i][x < 1] -= x[0]
    return np.sum(rows[0]) + rows[1] @ x


@program(args=lambda rng: (np.array([1.3, 0.61, 2.27]),))
def places_of_an_array_in_a_dict_in_a_dict(x):
    key = "b"
    table = {"a": {key: np.exp(x)}}
    table["a"][key] = table["a"][key] * 2
    table["a"][key][x > 0.7] = table["a"][key][x > 0.7] * x[0]
    table["a"][key][[1, 1]] = x[1:]
    table["a"][key][::2] = np.sum(table["a"][key])
    return np.sum(table["a"][key] ** 2)


@program(args=lambda rng: (np.array([-0.75, 0.66, -0.18]), 1))
def powers_changed_in_a_list(x, n):
    y = x.copy()
    shares = x / (1.5 + np.sin(0.0))
    rows = [np.abs(x), (1.5 + np.sin(y)) ** np.tanh(x)]
    rows[n % 2][shares > 0.137] *= 3
    return np.sum(rows[n % 2]) + y.min() * rows[0][1] + np.sum(shares * rows[-1])
