"""Sums in place: recognised where the numbers stay the same bit for bit, and taken apart where there is no adjoint."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from srcgrad import ir
from srcgrad.optimize.accumulate import stores_to_updates, updates_to_stores
from srcgrad.optimize.dead import remove_dead
from tests.optimize.helpers import Build, body_text, checked, lines, run, typed

ITEM, PUT = ir.Load(("[]",)), ir.Store(("[]",))
U = np.arange(6.0)


def stored(b: Build, index: Any, other: Any, op: Any = operator.add, swapped: bool = False, start: int = 1) -> None:
    b.let(f"_t.{start}", ITEM, "u.0", index)
    operands = (other, f"_t.{start}") if swapped else (f"_t.{start}", other)
    b.let(f"_s.{start + 1}", op, *operands)
    b.do(PUT, "u.0", index, f"_s.{start + 1}")


def updated(b: Build, *params: str) -> ir.Function:
    return checked(stores_to_updates(b.function([*params], "u.0")))


@pytest.mark.parametrize("index", [0, slice(1, -1), -1, (0,), ..., None], ids=str)
@pytest.mark.parametrize(("op", "swapped"), [(operator.add, False), (operator.add, True), (operator.sub, False)])
def test_recognised(index: Any, op: Any, swapped: bool) -> None:
    b = Build("forward", typed(u=U))
    stored(b, index, 0.1, op, swapped)
    before = b.function(["u.0"], "u.0")
    after = checked(stores_to_updates(before))
    assert len(after.body.stmts) == 1
    assert run(after, U).tobytes() == run(before, U).tobytes()


def test_equal_indices_computed_twice_and_an_operand_loaded_between() -> None:
    b = Build("forward", typed(u=U, i=1))
    b.let("_p.1", ir.Make("slice"), "i.0", -1, None)
    b.let("_t.2", ITEM, "u.0", "_p.1")
    b.let("_d.3", ITEM, "u.0", slice(2, None))
    b.let("_s.4", operator.add, "_t.2", "_d.3")
    b.let("_p.5", ir.Make("slice"), "i.0", -1, None)
    b.do(PUT, "u.0", "_p.5", "_s.4")
    assert body_text(remove_dead(updated(b, "u.0", "i.0"))) == lines(
        """
        _d.3 = load[](u.0, slice(2, None, None))
        _p.5 = make_slice(i.0, -1, None)
        iadd[](u.0, _p.5, _d.3)
        yield u.0
        """
    )


@pytest.mark.parametrize(
    ("index", "other", "why"),
    [
        (np.array([0, 0, 1]), 1.0, "elements counted twice"),
        (0, 1j, "in place, a complex number is refused"),
        (slice(0, 1), np.ones((1, 1)), "the store drops an axis, the update refuses"),
    ],
)
def test_left_alone(index: Any, other: Any, why: str) -> None:
    b = Build("forward", typed(u=U, i=index, d=other))
    stored(b, "i.0" if isinstance(index, np.ndarray) else index, "d.0")
    assert updated(b, "u.0", "i.0", "d.0").body == b.end("u.0"), why


def test_subtracted_from_is_no_update() -> None:
    b = Build("forward", typed(u=U))
    stored(b, 0, 2.0, operator.sub, swapped=True)
    assert updated(b, "u.0").body == b.end("u.0")


def test_integers_lists_and_the_unknown_are_left_alone() -> None:
    for types in (typed(u=np.arange(3)), typed(u=[1.0]), {}):
        b = Build("forward", types)
        stored(b, 0, 2.0)
        assert updated(b, "u.0").body == b.end("u.0")


def test_a_write_between() -> None:
    b = Build("forward", typed(u=U))
    b.let("_t.1", ITEM, "u.0", 0)
    inner = b.inner()
    inner.do(PUT, "u.0", 0, 7.0)
    b.loop("i.2", range(1), inner.end())
    b.let("_s.3", operator.add, "_t.1", 1.0)
    b.do(PUT, "u.0", 0, "_s.3")
    assert updated(b, "u.0").body == b.end("u.0")


def test_a_second_use_of_the_item() -> None:
    b = Build("forward", typed(u=U))
    stored(b, 0, 1.0)
    b.let("_q.3", operator.mul, "_t.1", 2.0)
    function = b.function(["u.0"], "u.0", "_q.3")
    assert stores_to_updates(function).body == function.body


def test_another_index() -> None:
    b = Build("forward", typed(u=U))
    b.let("_t.1", ITEM, "u.0", 0)
    b.let("_s.2", operator.add, "_t.1", 1.0)
    b.do(PUT, "u.0", 1, "_s.2")
    assert updated(b, "u.0").body == b.end("u.0")


def test_inside_of_a_loop() -> None:
    b = Build("forward", typed(u=U))
    b.types["i.9"] = typed(i=1)["i.0"]
    inner = b.inner()
    stored(inner, "i.9", 1.0)
    b.loop("i.9", range(3), inner.end())
    assert "iadd[](u.0, i.9, 1.0)" in body_text(updated(b, "u.0"))


@pytest.mark.parametrize("function", [operator.imul, operator.itruediv, operator.ipow])
def test_other_updates_become_stores(function: Any) -> None:
    for index in ((), (slice(1, 4),)):
        b = Build("forward", typed(u=U))
        b.do(ir.Update(("[]",) * len(index), function), "u.0", *index, 2.0)
        before = b.function(["u.0"], "u.0")
        after = checked(updates_to_stores(before))
        assert "store" in body_text(after)
        np.testing.assert_array_equal(run(after, U), run(before, U))


def test_sums_stay_updates_unless_elements_repeat() -> None:
    for index, expected in ((0, False), (slice(2), False), ("i.0", True), ("m.0", False), ("?.0", True)):
        b = Build("forward", typed(u=U, i=np.array([0, 0]), m=np.ones(6, bool)))
        b.do(ir.Update(("[]",)), "u.0", index, 2.0)
        after = checked(updates_to_stores(b.function(["u.0", "i.0", "m.0", "?.0"], "u.0")))
        assert ("store" in body_text(after)) == expected


def test_updates_of_integers_and_of_adjoints_stay() -> None:
    b = Build("forward", typed(u=np.arange(3), v=U, i=np.array([0, 0])))
    b.do(ir.Update((), operator.imul), "u.0", 2)
    b.do(ir.Update(("[]",), operator.iadd, unique=False), "v.0", "i.0", 2.0)
    before = b.function(["u.0", "v.0", "i.0"], "u.0", "v.0")
    assert updates_to_stores(before).body == before.body
