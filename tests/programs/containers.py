"""Lists, dicts, queues and what changes them in place."""

from collections import defaultdict, deque

import numpy as np

from tests.programs import program


@program(args=lambda rng: (rng.standard_normal(4),))
def list_filled_from_the_front(x):
    out = []
    for i in range(4):
        out.insert(0, x[i] ** 2)
    out.insert(-1, np.sin(x[0]))
    out.insert(9, x[1] * x[2])
    return out[0] + 2 * out[1] + 3 * out[3] * out[4] + out[5] * out[2]


@program(args=lambda rng: (rng.standard_normal(4),))
def elements_taken_from_several_places(x):
    q = [x[i] ** 2 for i in range(4)]
    s = 0.0
    for i in (-2, 0, 1, -1):
        s = s * 2 + q.pop(i) * (i + 3)
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def list_as_a_queue(x):
    q = [x[0], x[1]]
    s = 0.0
    for i in range(6):
        v = q.pop(0)
        q.append(np.sin(v * x[2]) + x[3])
        s = s + v * (i + 1)
    return s + q[0] * q[1]


@program(args=lambda rng: (rng.standard_normal(4),))
def list_emptied_by_a_while(x):
    q = [v * v for v in x]
    s, k = 0.0, 1
    while q:
        s = s + k * q.pop(0) ** 2
        k += 1
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def list_rearranged_in_place(x):
    q = [x[i] for i in range(4)]
    q.reverse()
    del q[-1]
    q[0:0] = [x[0] * 2, x[1]]
    q[2:] = [v * v for v in q[1:]]
    q += [x[3]]
    q.remove(q[0])
    q[:] = [v + 1 for v in q]
    return q[0] * q[-1] + q[1] * sum(q)


@program(args=lambda rng: (rng.standard_normal(4),))
def slices_of_a_list(x):
    q = [x[2], x[3], x[1] * x[0]]
    c, d = q[1:], q[::-1]
    del q[:2]
    return c[0] * c[1] * d[0] + q[0]


@program(args=lambda rng: ([0.3, 0.4, 0.6],))
def slices_of_a_list_argument(q):
    head, *tail = q
    return head * tail[0] ** 2 * q[1:][1] + sum(q[:2])


@program(args=lambda rng: (rng.standard_normal(5), 3))
def list_repeated(x, n):
    acc = [0.0] * n
    for i in range(5):
        acc[i % n] += x[i] ** 2
    pair = [x[0], x[1]] * n
    return acc[0] * acc[1] + sum(pair) * pair[-1]


@program(args=lambda rng: (np.array([0.3, -0.7, 1.2, 0.1]),))
def lists_in_order(x):
    q = sorted([x[0], x[1] * 2, x[3]], key=lambda v: -v)
    pairs = sorted([(2, x[0]), (0, x[1]), (2, x[2])], key=lambda p: p[0], reverse=True)
    order = sorted(range(4), key=lambda i: x[i])
    r = [v * v for v in x]
    r.sort()
    return q[0] * 2 + q[1] * q[2] + pairs[0][1] * pairs[1][1] ** 2 + x[order[0]] * x[order[3]] + r[0] * r[1]


@program(args=lambda rng: ([0.3, 0.1, 0.2], 0.5), wrt=(0, 1))
def list_argument_that_changes(q, a):
    q.sort()
    q.append(a * q[0])
    v = q.pop(1)
    q.insert(0, v * a)
    q += [q[0] * q[1]]
    return q[0] + 2 * q[1] + 3 * q[2] * q[4]


@program(args=lambda rng: ({"a": [0.3, 0.1], "b": 0.2},))
def dict_argument_that_changes(d):
    d["a"].append(d["b"] ** 2)
    d["a"].insert(0, d["b"])
    d["b"] = d["a"][0] * d["a"][3]
    d.update(b=d["b"] * d["a"].pop())
    return d["b"] * d["a"][1]


@program(args=lambda rng: ([rng.standard_normal(2), 0.5], 0.2), wrt=(0, 1))
def elements_replaced_by_others_of_another_shape(q, dt):
    s = np.sum(q[0] ** 2) * q[1]
    q[1] = q[0] * dt
    q[0] = s
    return q[0] * np.sum(q[1])


@program(args=lambda rng: ([rng.standard_normal(3), rng.standard_normal(3)], 0.2), wrt=(0, 1))
def parts_of_elements_that_are_replaced(q, dt):
    q[0][0] = dt**2
    s = np.sum(q[0] ** 2)
    q[0] = np.outer(q[0], q[1])
    q[0][0, 1] = s
    return np.sum(q[0] ** 2)


@program(args=lambda rng: ([rng.standard_normal(3), rng.standard_normal(3)],))
def element_is_read_before_a_part_of_it_is_written(q):
    q[0] = q[0] * q[1]
    q[1][0] = 3.0
    return q[0] * q[1]


@program(args=lambda rng: (rng.standard_normal(4),))
def dicts_that_grow(x):
    groups = {}
    for i in range(4):
        groups.setdefault("even" if i % 2 == 0 else "odd", []).append(x[i] * (i + 1))
    totals = {}
    for i in range(4):
        totals[i % 2] = totals.get(i % 2, 0.0) + x[i] ** 2
    s = 0.0
    for key, value in totals.items():
        s = s + value**2 * (key + 1)
    return s + sum(groups["even"]) * sum(groups["odd"]) * sum(totals.values())


@program(args=lambda rng: (rng.standard_normal(4),))
def dicts_merged_and_updated(x):
    base = {"rate": x[0], "decay": x[1]}
    both = base | {"decay": x[2] * x[3]}
    base |= {"rate": x[1] ** 2}
    base.update({"decay": base["rate"] * x[0]}, rate=x[3])
    return both["rate"] * both["decay"] + base["rate"] * base["decay"]


@program(args=lambda rng: (rng.standard_normal(4),))
def dict_items_deleted(x):
    d = {i: x[i] ** 2 for i in range(4)}
    del d[1]
    d[1] = x[0]
    v = d.pop(2, 1.0)
    w = d.pop("none", x[3])
    return d[0] * d[1] + d[3] * v * w


@program(args=lambda rng: (rng.standard_normal(4),))
def arrays_in_a_dict_updated(x):
    d = {}
    for k in range(2):
        d[k] = x * (k + 1.0)
    for k in range(2):
        d[k] += x * x
    return d[0] * d[1]


@program(args=lambda rng: (rng.standard_normal(6),))
def moving_average_by_a_deque(x):
    window = deque(maxlen=3)
    out = []
    for v in x:
        window.append(v)
        out.append(sum(window) / len(window))
    return np.array(out) ** 2


@program(args=lambda rng: (rng.standard_normal(4),))
def breadth_first_over_a_deque(x):
    queue = deque([(x[0], 0)])
    s = 0.0
    seen = set()
    while queue:
        value, node = queue.popleft()
        if node in seen:
            continue
        seen.add(node)
        s = s + value**2 * len(seen)
        for child in (2 * node + 1, 2 * node + 2):
            if child < 4:
                queue.append((value * x[child], child))
    return s


@program(args=lambda rng: (rng.standard_normal(4),))
def deque_at_both_ends(x):
    q = deque()
    q.append(x[0])
    q.append(x[1] * x[2])
    q.appendleft(x[3])
    q.rotate(1)
    a, b = q.popleft(), q.pop()
    return a * 2 + b * b + q[0]


@program(args=lambda rng: (rng.standard_normal(4),))
def defaultdicts_of_numbers_and_lists(x):
    total = defaultdict(float)
    lists = defaultdict(list)
    for i in range(4):
        total["ab"[i % 2]] += x[i] ** 2
        lists[i % 2].append(x[i] * i)
    return total["a"] * total["b"] + lists[0][1] * lists[1][0]


@program(args=lambda rng: (rng.standard_normal(4),))
def set_of_positions(x):
    seen = set()
    s = 0.0
    for i in [0, 1, 0, 2]:
        if i in seen:
            continue
        seen.add(i)
        s = s + x[i] ** 2 * len(seen)
    for i in sorted(seen):
        s = s * x[i]
    return s


@program(args=lambda rng: ([rng.standard_normal(2), rng.standard_normal(3)],))
def element_of_a_list_replaced_by_a_longer_one(parts):
    parts[0] = np.concatenate([parts[0], parts[1] ** 2])
    return np.sum(parts[0] ** 2) + np.prod(parts[1])


@program(args=lambda rng: (rng.standard_normal(3), 2))
def element_of_a_list_grown_in_a_loop(x, n):
    parts = [x, x * 2]
    for _ in range(n):
        parts[0] = np.concatenate([parts[0] * parts[0][0], parts[1]])
    return np.sum(parts[0] ** 2) + np.sum(parts[1])


@program(args=lambda rng: (rng.standard_normal((3, 3)),))
def rows_exchanged_by_the_largest_element(a):
    rows = [row.copy() for row in a]
    det = 1.0
    for k in range(3):
        p = max(range(k, 3), key=lambda i: abs(rows[i][k]))
        if p != k:
            rows[k], rows[p] = rows[p], rows[k]
            det = -det
        det *= rows[k][k]
        for i in range(k + 1, 3):
            rows[i] = rows[i] - rows[i][k] / rows[k][k] * rows[k]
    return det


@program(args=lambda rng: (np.array([0.3, -0.7, 0.5, 0.9]),))
def extremes_by_keys(x):
    table = {"a": x[0], "b": x[1], "c": x[2]}
    key = max(table, key=table.get)
    name, least = min(table.items(), key=lambda item: item[1])
    row = min([x * 2, x[::-1] ** 2, x * 3], key=np.sum)
    most = max((v * 2 for v in x if v > 5), default=x[3])
    longest = max((v * 2 for v in x if v > 0.1), key=abs, default=x[0])
    return table[key] ** 2 * least + np.sum(row**2) + most * longest


@program(args=lambda rng: (rng.standard_normal(3),))
def stack_of_an_expression(x):
    stack = []
    for token in ["a", "b", "*", "c", "+", "a", "*"]:
        if token in "*+":
            right, left = stack.pop(), stack.pop()
            stack.append(left * right if token == "*" else left + right)
        else:
            stack.append(x["abc".index(token)])
    return stack[0]


@program(args=lambda rng: (rng.standard_normal(3),))
def equal_arrays_in_containers_are_two(x):
    pair = [x.copy(), x.copy()]
    pair[0][0] = 5 * x[1]
    table = {"m": x * 2, "v": x * 2}
    table["m"][0] = x[2] ** 2
    parts = [np.split(x * 2, 3), np.split(x * 2, 3)]
    parts[0][0][0] = 9 * x[2]
    grown = []
    grown.append(np.exp(x))
    grown.append(np.exp(x))
    for row in grown:
        row *= x
        row[1] = x[0]
    return pair[1] * table["v"] * parts[1][0][0] + grown[0] * grown[1] + pair[0]


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3),))
def elements_changed_in_place_by_all_operators(x):
    parts = [2 * x, 3 * x, x[0], x[1]]
    parts[0] *= x
    parts[1] -= x * x
    parts[0] /= x + 1
    parts[2] *= x[2]
    parts[3] **= 2
    rows = [[x * 2], [x * 3]]
    for row in rows:
        for part in row:
            part *= x
            part **= 2
    rates = {"a": x * 2, "b": x[0]}
    for key in rates:
        rates[key] *= 2.0
    return (parts[0] + parts[1]) * parts[2] * parts[3] + rows[0][0] * rows[1][0] * rates["a"] * rates["b"]


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 3),))
def elements_written_after_their_values_are_used(x):
    y = np.exp(x)
    table = {"a": y}
    table["a"][0] *= 2
    rows = [[np.exp(x)], [np.tanh(x)]]
    for row in rows:
        row[0] *= x
    z = np.exp(x * 0.5)
    parts = [z[1:], z[:2] * 2]
    parts[0][0] = x[0]
    pairs = [(np.sqrt(x), 1), (np.tanh(x), 2)]
    for value, k in pairs:
        value += x * k
        value *= x[0]
    return table["a"] * rows[0][0] * rows[1][0] * pairs[0][0] * pairs[1][0] + parts[0][0] * parts[1][1]


@program(args=lambda rng: (rng.uniform(0.5, 1.5), 3))
def table_of_romberg(h, n):
    table = [[0] * (n + 1) for _ in range(n + 1)]
    for i in range(n + 1):
        table[i][0] = h / 2**i * (1 + h)
        for m in range(1, i + 1):
            table[i][m] = table[i][m - 1] + (table[i][m - 1] - table[i - 1][m - 1]) / (4**m - 1)
    return table[n][n]


@program(args=lambda rng: (rng.standard_normal(3), ["x", "y", "x"]))
def sums_by_label(w, labels):
    totals = {"x": 0.0, "y": 0.0}
    pairs = {(0, "x"): 0.0, (0, "y"): 0.0}
    groups = {}
    for value, label in zip(w, labels):
        totals[label] += value
        pairs[0, label] += value * value
        groups.setdefault(label, []).append(value)
    s = 0.0
    for _, total in totals.items():
        s += total**2
    for group in groups.values():
        for value in group:
            s += min(value**3 + 1, 5)
    return s + sum(pairs.values())


@program(args=lambda rng: (rng.uniform(1.0, 3.0, 4),))
def cells_of_particles(p):
    cells = {}
    for i in range(len(p)):
        k = int(p[i])
        if k not in cells:
            cells[k] = []
        cells[k].append(i)
    t = 0.0
    for members in cells.values():
        for i in members:
            for j in members:
                t += p[i] ** 2 * p[j]
    return t


@program(args=lambda rng: (rng.standard_normal(3),))
def gradients_like_parameters(w):
    params = {"w": w * w, "b": w[0] * 2}
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    grads["w"] += params["w"] * w
    return sum(np.sum(value) for value in grads.values()) * params["b"]


@program(args=lambda rng: (rng.standard_normal(3),))
def lists_in_lists_that_grow(x):
    rows = [list(x), [v * v for v in x]]
    for row in rows:
        row.append(x[0] * row[1])
    return sum(rows[0]) * rows[1][3]


@program(args=lambda rng: (rng.uniform(0.5, 1.5, 4),))
def parts_of_rows_at_places(a):
    stiff = np.zeros((4, 4))
    for i in range(4):
        places = [i, (i + 1) % 4]
        stiff[np.ix_(places, places)] += a[i] * np.array([[2.0, -1.0], [-1.0, 2.0]])
    free = np.setdiff1d(np.arange(4), [0])
    u = np.zeros(4)
    u[free] = np.linalg.solve(stiff[free][:, free], a[free])
    return u


@program(args=lambda rng: ({"l": {"w": rng.standard_normal(2), "b": rng.standard_normal(1)}}, 0.5))
def nested_dicts_of_parameters(params, rate):
    grads = {key: {name: 2 * value for name, value in layer.items()} for key, layer in params.items()}
    new = {key: {n: params[key][n] - rate * grads[key][n] ** 2 for n in params[key]} for key in params}
    return sum(np.sum(value**2) for layer in new.values() for value in layer.values())


@program(args=lambda rng: (rng.standard_normal(2),))
def element_read_before_it_is_popped(c):
    items = [c * 1.0]
    first = items[0]
    last = items.pop()
    u = c * c
    return np.sum(first**3) + np.sum(last + u), first * u
