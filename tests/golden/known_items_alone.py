import math


def known_items_alone_value_and_grad(x, table, items):
    """Value of `known_items_alone` and its gradient with respect to `x`.

    From known_items_alone.py:1, for x: float, table: dict[a: float, b: float], items: list[str].
    """
    # forward sweep
    length = len(items)
    exp_tape = []
    raised_tape = []
    rate_tape = []
    rate = None
    total = 0.0
    for k in range(length):
        item = items[k]
        raised = False
        try:
            rate = table[item]
        except KeyError as error:
            raised = True
            print("not known:", error)
        raised_tape.append(raised)
        rate_tape.append(rate)
        if not raised:
            exp = math.exp(rate * x)
            exp_tape.append(exp)
            total = total + exp

    # reverse sweep
    x_bar = 0.0
    # line 3: for item in items:
    for _ in reversed(range(length)):
        raised = raised_tape.pop()
        rate = rate_tape.pop()
        if not raised:
            # line 9: total = total + math.exp(rate * x)
            x_bar = x_bar + exp_tape.pop() * rate
    return total, float(x_bar)
