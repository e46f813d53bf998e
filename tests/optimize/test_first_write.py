"""Adjoint buffers that are assigned at their first contribution."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from srcgrad import ir
from srcgrad.optimize.first_write import assign_first_write
from tests.optimize.helpers import Build, body_text, checked, lines, run, typed

X = np.arange(6.0).reshape(2, 3)
ADD, SUB = ir.Update((), operator.iadd), ir.Update((), operator.isub)


def start(**more: Any) -> Build:
    b = Build(types=typed(x=X, **more))
    b.types["g.0"] = b.types["x.0"]
    return b


def assigned(b: Build, *params: str) -> str:
    before = b.function(["x.0", "g.0", *params], "b.1")
    after = checked(assign_first_write(before))
    arguments = [X, np.cos(X), *(1.5 for _ in params)]
    np.testing.assert_array_equal(run(after, *arguments), run(before, *arguments))
    assert run(after, *arguments).dtype == X.dtype
    return body_text(after)


def test_array_of_its_own() -> None:
    b = start()
    b.let("b.1", np.zeros_like, "x.0")
    b.let("_p.2", operator.mul, "g.0", 2.0)
    b.do(ADD, "b.1", "_p.2")
    b.do(ir.Update(("[]",)), "b.1", 0, 1.0)
    assert assigned(b) == lines(
        """
        b.1 = operator.mul(g.0, 2.0)
        iadd[](b.1, 0, 1.0)
        yield b.1
        """
    )


def test_array_of_someone_else_is_copied() -> None:
    b = start()
    b.let("b.1", np.zeros_like, "x.0")
    b.do(ADD, "b.1", "g.0")
    assert assigned(b) == "b.1 = numpy.copy(g.0)\nyield b.1"


def test_array_that_is_used_twice_is_copied() -> None:
    b = start()
    b.let("b.1", np.zeros_like, "x.0")
    b.let("_p.2", operator.mul, "g.0", 2.0)
    b.do(ADD, "b.1", "_p.2")
    b.do(ir.Update(("[]",)), "b.1", 0, 1.0)
    b.do(ADD, "b.1", "_p.2")
    assert "b.1 = numpy.copy(_p.2)" in assigned(b)


def test_subtracted() -> None:
    b = start()
    b.let("b.1", np.zeros_like, "x.0")
    b.do(SUB, "b.1", "g.0")
    assert assigned(b) == "b.1 = operator.neg(g.0)\nyield b.1"


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        (ADD, 1.0, "numpy.ones_like(x.0)"),
        (ADD, 2.5, "numpy.full_like(x.0, 2.5)"),
        (SUB, 2.5, "numpy.full_like(x.0, -2.5)"),
        (ADD, "s.0", "numpy.full_like(x.0, s.0)"),
        (ir.Store(()), 1.0, "numpy.ones_like(x.0)"),
    ],
)
def test_number(op: ir.Op, value: Any, expected: str) -> None:
    b = start(s=1.5)
    b.let("b.1", np.zeros_like, "x.0")
    b.do(op, "b.1", value)
    assert assigned(b, "s.0") == f"b.1 = {expected}\nyield b.1"


def test_broadcast_number() -> None:
    b = start(s=1.5)
    b.let("_shape.2", ir.Attr("shape"), "x.0")
    b.let("_g.3", np.broadcast_to, "s.0", "_shape.2")
    b.let("b.1", np.zeros_like, "x.0")
    b.do(ADD, "b.1", "_g.3")
    assert "b.1 = numpy.full_like(x.0, s.0)" in assigned(b, "s.0")


def test_other_shapes_dtypes_and_the_unknown_are_left_alone() -> None:
    for value in (X[0], X.astype(np.float32), X + 0j, np.complex128(1j), None):
        b = start(v=value)
        if value is None:
            del b.types["v.0"]
        b.let("b.1", np.zeros_like, "x.0")
        b.do(ADD, "b.1", "v.0")
        before = b.function(["x.0", "g.0", "v.0"], "b.1")
        assert assign_first_write(before).body == before.body


def test_another_access_comes_first() -> None:
    for op, args in ((ir.Load(("[]",)), ("b.1", 0)), (np.sum, ("b.1",))):
        b = start()
        b.let("b.1", np.zeros_like, "x.0")
        b.let("a.2", op, *args)
        b.do(ADD, "b.1", "g.0")
        before = b.function(["x.0", "g.0"], "b.1", "a.2")
        assert assign_first_write(before).body == before.body


def test_contribution_in_a_loop_or_a_branch_is_not_the_first() -> None:
    b = start()
    b.let("b.1", np.zeros_like, "x.0")
    inner = b.inner()
    inner.do(ADD, "b.1", "g.0")
    b.loop("i.2", range(2), inner.end())
    before = b.function(["x.0", "g.0"], "b.1")
    assert assign_first_write(before).body == before.body


def test_the_primal_is_left_alone() -> None:
    b = start()
    b.sweep = "forward"
    b.let("b.1", np.zeros_like, "x.0")
    b.do(ADD, "b.1", "g.0")
    before = b.function(["x.0", "g.0"], "b.1")
    assert assign_first_write(before).body == before.body


def test_load_of_what_is_not_written_any_more() -> None:
    b = start()
    b.let("b.1", np.zeros_like, "x.0")
    b.do(ADD, "b.1", "g.0")
    b.let("_l.2", ir.Load(()), "b.1")
    b.let("y.3", np.sin, "_l.2")
    before = b.function(["x.0", "g.0"], "y.3")
    assert body_text(checked(assign_first_write(before))) == lines(
        """
        b.1 = numpy.copy(g.0)
        y.3 = numpy.sin(b.1)
        yield y.3
        """
    )
