def newton_square_root_grad(x):
    """Gradient of `newton_square_root` with respect to `x`.

    From newton_square_root.py:1, for x: float.
    """
    # forward sweep
    y_tape = []
    ratio_tape = []
    y = x
    trips = 0
    while abs(y * y - x) > 1e-12:
        y_tape.append(y)
        ratio = x / y
        ratio_tape.append(ratio)
        y = 0.5 * (y + ratio)
        trips += 1

    # reverse sweep
    y_bar = 1.0
    x_bar = 0.0
    # line 3: while abs(y * y - x) > 1e-12:
    for _ in range(trips):
        y = y_tape.pop()
        ratio = ratio_tape.pop()
        # line 4: y = 0.5 * (y + x / y)
        total_bar = y_bar * 0.5
        x_bar += total_bar / y
        y_bar = total_bar - total_bar * ratio / y
    return float(x_bar + y_bar)
