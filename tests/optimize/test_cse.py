"""What may be shared and what may not."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from srcgrad import ir, runtime
from srcgrad.optimize.cse import share_common
from tests.optimize.helpers import Build, body_text, checked, lines, typed


def shared(b: Build, params: list[str], *results: Any) -> str:
    return body_text(checked(share_common(b.function(params, *results))))


def test_chain() -> None:
    b = Build()
    b.let("_e.1", np.exp, "x.0")
    b.let("_s.2", np.sum, "_e.1", axis=0)
    b.let("_e.3", np.exp, "x.0")
    b.let("_s.4", np.sum, "_e.3", axis=0)
    b.let("_s.5", np.sum, "_e.3", axis=1)
    assert shared(b, ["x.0"], "_s.2", "_s.4", "_s.5") == lines(
        """
        _e.1 = numpy.exp(x.0)
        _s.2 = numpy.sum(_e.1, axis=0)
        _s.5 = numpy.sum(_e.1, axis=1)
        yield _s.2, _s.2, _s.5
        """
    )


def test_name_of_the_users_is_kept() -> None:
    b = Build()
    b.let("_e.1", np.exp, "x.0")
    b.let("_a.2", np.sin, "_e.1")
    b.let("e.3", np.exp, "x.0")
    assert shared(b, ["x.0"], "_a.2", "e.3") == lines(
        """
        e.3 = numpy.exp(x.0)
        _a.2 = numpy.sin(e.3)
        yield _a.2, e.3
        """
    )


def test_name_of_another_value_is_not_taken() -> None:
    b = Build()
    b.let("_e.1", np.exp, "x.0")
    b.let("e.2", np.sin, "x.0")
    b.let("e.3", np.exp, "x.0")
    assert "_e.1" in shared(b, ["x.0"], "_e.1", "e.2", "e.3")


def test_numbers_commute_and_lists_do_not() -> None:
    def sums(value: Any) -> str:
        b = Build(types=typed(x=value, y=value))
        b.let("a.1", operator.add, "x.0", "y.0")
        b.let("b.2", operator.add, "y.0", "x.0")
        return shared(b, ["x.0", "y.0"], "a.1", "b.2")

    assert sums(np.ones(2)).count("add") == 1
    assert sums([1]).count("add") == 2


def test_constants_differ_by_type() -> None:
    b = Build()
    for i, number in enumerate((0.0, -0.0, 0, False)):
        b.let(f"a.{i + 1}", operator.add, "x.0", number)
    assert shared(b, ["x.0"], "a.1", "a.2", "a.3", "a.4").count("add") == 4


def test_scopes() -> None:
    b = Build()
    then, orelse = b.inner(), b.inner()
    then.let("a.1", np.sin, "x.0")
    orelse.let("a.2", np.sin, "x.0")
    b.when("t.0", then.end("a.1"), orelse.end("a.2"), "a.3")
    b.let("a.4", np.sin, "x.0")
    inner = b.inner()
    inner.let("a.5", np.sin, "x.0")
    inner.let("c.6", np.cos, "x.0")
    inner.do(ir.Append(), "l.0", "a.5")
    b.loop("i.7", "n.0", inner.end())
    b.let("c.8", np.cos, "x.0")
    text = shared(b, ["x.0", "t.0", "n.0", "l.0"], "a.3", "a.4", "c.8")
    assert text.count("sin") == 3
    assert "append(l.0, a.4)" in text
    assert text.count("cos") == 2


def test_branches_under_one_test() -> None:
    b = Build()
    for i, test in enumerate(("t.0", "t.0", "s.0")):
        then = b.inner()
        then.let(f"a.{2 * i + 1}", np.sin, "x.0")
        b.when(test, then.end(f"a.{2 * i + 1}"), b.inner().end(0.0), f"a.{2 * i + 2}")
    assert shared(b, ["x.0", "t.0", "s.0"], "a.2", "a.4", "a.6").count("sin") == 2


def test_branches_in_a_loop_are_left_with_it() -> None:
    b = Build()
    inner, then = b.inner(), b.inner()
    then.let("a.1", np.sin, "x.0")
    then.do(ir.Append(), "l.0", "a.1")
    inner.when("t.0", then.end(), b.inner().end())
    b.loop("i.2", "n.0", inner.end())
    later = b.inner()
    later.let("a.3", np.sin, "x.0")
    b.when("t.0", later.end("a.3"), b.inner().end(0.0), "a.4")
    assert shared(b, ["x.0", "t.0", "n.0", "l.0"], "a.4").count("sin") == 2


def test_test_of_a_while_is_seen_by_its_body() -> None:
    b = Build()
    test, body = b.inner(), b.inner()
    test.let("s.1", np.sin, "k.0")
    test.let("t.2", operator.lt, "s.1", 10)
    body.let("s.3", np.sin, "k.0")
    b.stmts.append(ir.While(("k.4",), ("k.0",), (ir.Const(0),), test.end("t.2"), body.end("s.3")))
    assert shared(b, [], "k.4").count("sin") == 1


@pytest.mark.parametrize("op", [np.zeros_like, iter, np.copy, ValueError, ir.Make("list"), ir.Load()])
def test_not_shared(op: Any) -> None:
    b = Build()
    args = () if op == ir.Make("list") else ("x.0",)
    b.let("a.1", op, *args)
    b.let("b.2", op, *args)
    before = b.function(["x.0"], "a.1", "b.2")
    assert share_common(before).body == before.body


def test_buffers_and_effects_are_not_shared() -> None:
    b = Build()
    b.let("a.1", np.sin, "x.0")
    b.let("b.2", np.sin, "x.0")
    b.do(ir.Store(), "b.2", 0, 1.0)
    b.let("c.3", print, "x.0", effect=True)
    b.let("d.4", print, "x.0", effect=True)
    before = b.function(["x.0"], "a.1", "b.2", "c.3", "d.4")
    assert share_common(before).body == before.body


def test_what_helpers_write_into_is_not_shared() -> None:
    b = Build()
    for name in ("a_bar.1", "b_bar.2"):
        b.let(name, runtime.zeros, "x.0")
        b.let("_" + name, runtime.add_into, name, 1.0, effect=True)
    text = shared(b, ["x.0"], "a_bar.1", "b_bar.2")
    assert text.count("runtime.zeros(x.0)") == 2
