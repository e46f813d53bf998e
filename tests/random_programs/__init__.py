"""Random programs of the language that the compiler accepts, checked against central differences and the primal.

    kinds.py         what a generated expression is: a float, an array of a shape, a list, ...
    expressions.py   a random expression of a kind, over the names in scope
    control.py       random branches, loops and jumps
    statements.py    random statements of all sorts: assignments, stores, lists, tuples
    functions.py     whole programs: helpers, parameters, arguments, results
    program.py       the text and the arguments of a program; how it is loaded and run
    check.py         one program under one set of options: right, refused, wrong, an internal error, or no test at all
    shrink.py        a smaller program that fails in the same way
    strategy.py      programs as a Hypothesis strategy
    __main__.py      `python -m tests.random_programs --count 20000 --start-seed 0 --jobs 2`

A program is made from a sequence of choices, which come from a seeded generator or from Hypothesis. Every program runs;
what it computes is mostly bounded and mostly smooth, and where it is not the check notices and the program is rejected.
"""
