"""Simplification: passes from IR to IR, in the order of text in which one reads the result.

    stores_to_updates    accumulate.py    u[i] = u[i] + d  ->  u[i] += d              before differentiation
    updates_to_stores    accumulate.py    u[i] *= d  ->  u[i] = u[i] * d              before differentiation
    remove_dead          dead.py          values, tapes, stores, carried values and loops that nobody needs
    share_common         cse.py           what is computed already is not computed again
    apply_identities     identities.py    x * 1  ->  x, broadcast(g) * y  ->  g * y, signs move outward and cancel
    assign_first_write   first_write.py   b = zeros_like(x); b += v  ->  b = v
    choose_witnesses     witness.py       (y * np.log(p)).size  ->  y.size
    settle_signs         identities.py    -(x * y)  ->  -x * y                        once, at the end

`rows` is the table that `apply_identities` and `settle_signs` go by.

Each takes a function and gives an equivalent one; none changes what the forward sweep computes. Those that name no
place run on both sweeps, in this order and again until nothing changes. `remove_dead` is to follow the others: they
leave behind what they made unnecessary.
"""
