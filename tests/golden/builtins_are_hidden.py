import builtins


def builtins_are_hidden_vjp(sum, range, *, seed):
    """Value of `builtins_are_hidden` and the product of `seed` with its Jacobian with respect to
    `sum`.

    From builtins_are_hidden.py:1, for sum: float, range: int.
    """
    # forward sweep
    sum_tape = []
    max = 0
    trips = 0
    while max < range:
        sum_tape.append(sum)
        sum = sum * sum
        max += 1
        trips += 1

    # reverse sweep
    sum_bar = seed
    # line 3: while max < range:
    for _ in builtins.range(trips):
        sum_2 = sum_tape.pop()
        # line 4: sum = sum * sum
        sum_bar = sum_bar * sum_2 * 2
    return sum, float(sum_bar)
