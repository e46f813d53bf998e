"""Who is asked for a shape."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from srcgrad import ir
from srcgrad.optimize.dead import remove_dead
from srcgrad.optimize.witness import choose_witnesses
from srcgrad.types import Type
from tests.optimize.helpers import Build, body_text, checked, lines, run, typed

X = np.arange(6.0).reshape(2, 3)


def asked(b: Build, params: list[str], *results: Any) -> str:
    return body_text(checked(remove_dead(checked(choose_witnesses(b.function(params, *results))))))


def test_parameter_before_temporary() -> None:
    b = Build(types=typed(p=X))
    b.let("_l.1", np.log, "p.0")
    b.let("_m.2", np.mean, "_l.1")
    b.let("_n.3", ir.Attr("size"), "_l.1")
    b.let("_z.4", np.zeros_like, "_l.1")
    assert asked(b, ["p.0"], "_m.2", "_n.3", "_z.4") == lines(
        """
        _l.1 = numpy.log(p.0)
        _m.2 = numpy.mean(_l.1)
        _n.3 = .size(p.0)
        _z.4 = numpy.zeros_like(p.0)
        yield _m.2, _n.3, _z.4
        """
    )


def test_a_name_of_the_users_that_lives_is_asked_itself() -> None:
    b = Build(types=typed(p=X))
    b.let("l.1", np.log, "p.0")
    b.let("n.2", ir.Attr("size"), "l.1")
    assert ".size(l.1)" in asked(b, ["p.0"], "l.1", "n.2")
    assert asked(b, ["p.0"], "n.2") == "n.2 = .size(p.0)\nyield n.2"


def test_dtype_matters_to_prototypes_alone() -> None:
    b = Build(types=typed(p=X))
    b.let("_q.1", operator.gt, "p.0", 1.0)
    b.let("s.2", ir.Attr("shape"), "_q.1")
    b.let("z.3", np.zeros_like, "_q.1")
    b.let("d.4", ir.Attr("dtype"), "_q.1")
    assert asked(b, ["p.0"], "s.2", "z.3", "d.4") == lines(
        """
        _q.1 = operator.gt(p.0, 1.0)
        s.2 = .shape(p.0)
        z.3 = numpy.zeros_like(_q.1)
        d.4 = .dtype(z.3)
        yield s.2, z.3, d.4
        """
    )


def test_another_shape_is_no_witness() -> None:
    b = Build(types=typed(p=X, q=X))
    b.let("_l.1", np.sum, "p.0", axis=0)
    b.let("_n.2", ir.Attr("size"), "_l.1")
    assert ".size(_l.1)" in asked(b, ["p.0", "q.0"], "_n.2")


def test_unknown_types_are_left_alone() -> None:
    b = Build()
    b.let("_l.1", np.log, "p.0")
    b.let("_n.2", ir.Attr("size"), "_l.1")
    assert ".size(_l.1)" in asked(b, ["p.0"], "_n.2")


def test_a_name_in_a_loop_is_no_witness_behind_it() -> None:
    b = Build(types=typed(p=X))
    b.let("_s.1", np.sum, "p.0", axis=1)
    inner = b.inner()
    inner.let("y.3", np.sin, "_s.1")
    inner.do(ir.Append(), "l.0", "y.3")
    inner.let("_n.4", ir.Attr("size"), "_s.1")
    inner.do(ir.Append(), "l.0", "_n.4")
    b.loop("i.2", range(2), inner.end())
    b.let("_n.5", ir.Attr("size"), "_s.1")
    text = asked(b, ["p.0", "l.0"], "_n.5")
    assert "_n.4 = .size(y.3)" in text
    assert "_n.5 = .size(_s.1)" in text


@pytest.mark.parametrize(("name", "expected"), [("ndim", 2), ("size", 1), ("shape", (1, 1))])
def test_answers_without_a_witness(name: str, expected: Any) -> None:
    b = Build(types=typed(p=X[:1, :1]))
    b.let("a.1", ir.Attr(name), "p.0")
    assert asked(b, ["p.0"], "a.1") == f"yield {expected}"


def test_rank_of_longer_axes_is_known_and_their_size_is_not() -> None:
    b = Build(types=typed(p=X))
    b.let("a.1", np.ndim, "p.0")
    b.let("b.2", np.size, "p.0")
    assert asked(b, ["p.0"], "a.1", "b.2") == "b.2 = numpy.size(p.0)\nyield 2, b.2"
    assert run(choose_witnesses(b.function(["p.0"], "a.1", "b.2")), X) == (2, 6)


def test_an_array_that_is_written_is_asked_itself_not_the_parameter_it_was_copied_from() -> None:
    b = Build(types=typed(p=X))
    b.let("u.1", ir.Method("copy"), "p.0")
    b.do(ir.Store(("[]",)), "u.1", 0, 2.0)
    b.let("_item.2", ir.Load(), "u.1")
    b.let("z.3", np.ones_like, "_item.2")
    b.let("_s.4", np.sum, "_item.2")
    assert "z.3 = numpy.ones_like(u.1)" in asked(b, ["p.0"], "z.3", "_s.4")


def test_the_operand_has_the_shape_of_what_is_computed_from_it_alone() -> None:
    unknown = Type("array", np.dtype("float64"))
    b = Build(types={"h.0": unknown, "g.1": unknown})
    b.let("_power.2", operator.pow, "h.0", 2)
    b.let("s.3", ir.Attr("shape"), "_power.2")
    b.let("_sum.4", operator.add, "h.0", "g.1")
    b.let("t.5", ir.Attr("shape"), "_sum.4")
    assert asked(b, ["h.0", "g.1"], "s.3", "t.5") == lines(
        """
        s.3 = .shape(h.0)
        _sum.4 = operator.add(h.0, g.1)
        t.5 = .shape(_sum.4)
        yield s.3, t.5
        """
    )
