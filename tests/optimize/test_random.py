"""Random programs, with branches, loops, buffers and tapes, compute the same after every pass."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable

import numpy as np
import pytest

from srcgrad import ir
from srcgrad.optimize.accumulate import stores_to_updates, updates_to_stores
from srcgrad.optimize.cse import share_common
from srcgrad.optimize.dead import remove_dead
from srcgrad.optimize.first_write import assign_first_write
from srcgrad.optimize.identities import apply_identities, settle_signs
from srcgrad.optimize.witness import choose_witnesses
from srcgrad.types import INT, join
from tests.optimize.helpers import Build, checked, run, typed

Pass = Callable[[ir.Function], ir.Function]
PASSES: tuple[Pass, ...] = (
    remove_dead,
    share_common,
    apply_identities,
    assign_first_write,
    choose_witnesses,
    settle_signs,
    stores_to_updates,
    updates_to_stores,
)
X = np.linspace(-1.0, 2.0, 4)
ITEM, PUT = ir.Load(("[]",)), ir.Store(("[]",))
INDICES = (0, -1, slice(1, 3), slice(0, 2))


class Program:
    """Grows a block; `values` are the arrays and numbers in scope, `buffers` the arrays that may be written."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0
        self.flags = ["t.0", "f.0"]
        self.shared: dict[str, list[str]] = {}
        b = Build(types=typed(x=X, y=X, s=0.5, t=True, f=False))
        buffers: list[str] = []
        values = ["x.0", "y.0", "s.0"]
        self.fill(b, values, buffers, 3)
        results = self.random.sample(values, min(6, len(values)))
        for buffer in buffers:
            if self.random.random() < 0.5:
                results.append(b.let(self.name("l"), ir.Load(()), buffer))
        self.function = b.function(["x.0", "y.0", "s.0", "t.0", "f.0"], *results, 0)

    def name(self, hint: str = "") -> str:
        self.count += 1
        return f"{hint or self.random.choice(['a', 'b', '_c', '_d', 'x_bar'])}.{self.count}"

    def fill(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        for _ in range(self.random.randint(2, 7)):
            b.sweep = self.random.choice(["forward", "reverse", "reverse"])
            kinds = [self.arithmetic] * 5 + [self.load, self.store, self.store, self.update, self.sum_up, self.clear]
            if depth:
                kinds += [self.branch, self.loop, self.tape]
            self.random.choice(kinds)(b, values, buffers, depth)

    def atom(self, values: list[str]) -> str | float:
        return self.random.choice(values) if self.random.random() < 0.85 else self.random.choice([0.0, 1.0, 2.0, -1.0])

    def arithmetic(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        one, two, value = self.atom(values), self.atom(values), self.random.choice(values)
        known = b.types[value]
        match self.random.randrange(7):
            case 0:
                found = b.let(self.name(), operator.neg, value)
            case 1:
                found = b.let(self.name(), np.tanh, value)
            case 2:
                found = b.let(self.name(), np.sum, value)
            case 3 if known.kind == "array":
                shape = b.let(self.name("_s"), ir.Attr("shape"), value)
                number = self.random.choice([name for name in values if b.types[name].kind == "scalar"])
                found = b.let(self.name(), np.broadcast_to, number, shape)
            case 4 if known.kind == "array":
                found = b.let(self.name(), self.random.choice([np.zeros_like, np.ones_like]), value)
            case _:
                found = b.let(self.name(), self.random.choice([operator.add, operator.sub, operator.mul]), one, two)
        values.append(found)

    def clear(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        start = self.random.choice(["x.0", "y.0"])
        buffer = self.name("u")
        if self.random.random() < 0.3:
            b.let(buffer, operator.mul, start, self.atom(["s.0"]))
        else:
            b.let(buffer, np.zeros_like, start)
        buffers.append(buffer)
        fitting = [name for name in values if b.types[name].kind == "scalar" or b.types[name] == b.types[buffer]]
        b.do(ir.Update((), self.random.choice([operator.iadd, operator.isub])), buffer, self.random.choice(fitting))

    def load(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        if buffers:
            values.append(b.let(self.name(), ir.Load(()), self.random.choice(buffers)))

    def number(self, b: Build, values: list[str]) -> str:
        return self.random.choice([name for name in values if b.types[name].kind == "scalar"])

    def store(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        if buffers:
            b.do(PUT, self.random.choice(buffers), self.random.choice(INDICES), self.number(b, values))

    def update(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        if buffers:
            function = self.random.choice([operator.iadd, operator.isub, operator.imul])
            index = self.random.choice(INDICES)
            b.do(ir.Update(("[]",), function), self.random.choice(buffers), index, self.number(b, values))

    def sum_up(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        if buffers:
            buffer, index = self.random.choice(buffers), self.random.choice(INDICES)
            item = b.let(self.name("_i"), ITEM, buffer, index)
            if self.random.random() < 0.3:
                self.store(b, values, buffers, depth)
            b.do(PUT, buffer, index, b.let(self.name("_n"), operator.add, item, self.number(b, values)))

    def branch(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        test = self.random.choice(self.flags)
        inner: list[Build] = []
        results: list[list[str]] = []
        for polarity in ("then", "else"):
            inner.append(b.inner())
            # What an earlier branch under the same test computed is still there.
            own = values + self.shared.get(test + polarity, []) if depth == 3 else list(values)
            before = len(own)
            self.fill(inner[-1], own, list(buffers), depth - 1)
            if depth == 3:
                self.shared.setdefault(test + polarity, []).extend(own[before:])
            results.append(self.random.sample(own, 2))
        then, orelse = (each.end(*chosen) for each, chosen in zip(inner, results, strict=True))
        targets = []
        for one, two in zip(*results, strict=True):
            targets.append(self.name())
            b.types[targets[-1]] = join(b.types[one], b.types[two])
        b.when(test, then, orelse, *targets)
        values.extend(name for name in targets if b.types[name].kind in ("array", "scalar") and b.types[name].dtype)

    def loop(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        inner, own = b.inner(), list(values)
        starts = [self.number(b, values) for _ in range(2)]
        params, variable, targets = [self.name() for _ in starts], self.name("i"), [self.name() for _ in starts]
        number = b.types["s.0"]
        for name in (*params, *targets):
            b.types[name] = number
        b.types[variable] = INT
        own += [variable, *params]
        self.fill(inner, own, list(buffers), depth - 1)
        results = [inner.let(self.name(), float, self.number(inner, own)) for _ in params]
        if self.random.random() < 0.5:
            results[0] = params[0]
        begins = [b.let(self.name(), float, start) for start in starts]
        b.loop(variable, range(self.random.randint(0, 3)), inner.end(*results),
               {p: (t, s) for p, t, s in zip(params, targets, begins, strict=True)})
        values.extend(targets)

    def tape(self, b: Build, values: list[str], buffers: list[str], depth: int) -> None:
        """A loop that records and a loop that takes back."""
        tape, trips = b.let(self.name("tape"), ir.Make("list")), range(self.random.randint(0, 3))
        forward, own = b.inner(), list(values)
        variable = self.name("i")
        b.types[variable] = INT
        self.fill(forward, own, list(buffers), depth - 1)
        forward.do(ir.Append(), tape, forward.let(self.name(), float, self.number(forward, own)))
        b.loop(variable, trips, forward.end())
        reverse, own = b.inner(), list(values)
        param, target, variable = self.name(), self.name(), self.name("i")
        b.types[param] = b.types[target] = b.types["s.0"]
        b.types[variable] = INT
        popped = reverse.let(self.name(), ir.Pop(), tape)
        b.types[popped] = b.types["s.0"]
        own += [popped, param]
        self.fill(reverse, own, list(buffers), depth - 1)
        result = reverse.let(self.name(), float, self.number(reverse, own))
        b.loop(variable, trips, reverse.end(result), {param: (target, 1.0)})
        values.append(target)


ARGUMENTS = (X, X[::-1].copy(), 0.5, True, False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(150))
def test_same_results(seed: int) -> None:
    program = after = Program(seed).function
    expected = run(program, *ARGUMENTS)
    for each in PASSES:
        alone, after = checked(each(program)), checked(each(after))
        for result in (alone, after):
            found = run(result, *ARGUMENTS)
            agree = [np.allclose(new, old, equal_nan=True) for new, old in zip(found, expected, strict=True)]
            assert all(agree), f"{each.__name__}: {agree}\n{ir.dump(program)}\n{ir.dump(result)}"
