"""What `remove_dead` takes away, and what it must leave."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from srcgrad import ir
from srcgrad.optimize.dead import remove_dead
from srcgrad.types import OBJECT
from tests.optimize.helpers import Build, body_text, checked, lines, run


def swept(b: Build, params: list[str], *results: Any) -> str:
    return body_text(checked(remove_dead(b.function(params, *results))))


def test_values() -> None:
    b = Build()
    b.let("a.1", np.sin, "x.0")
    b.let("b.2", np.cos, "a.1")
    b.let("c.3", np.exp, "x.0")
    assert swept(b, ["x.0"], "c.3") == "c.3 = numpy.exp(x.0)\nyield c.3"


def test_effects_stay_with_what_they_use() -> None:
    b = Build()
    b.let("a.1", np.sin, "x.0")
    b.let("b.2", print, "a.1", effect=True)
    b.do(ir.Assert(), "x.0", None)
    assert swept(b, ["x.0"], "x.0").count("\n") == 3


def recording(keep: bool) -> Build:
    """A loop that records, and one that takes back."""
    b = Build()
    b.let("tape.1", ir.Make("list"))
    forward = b.inner()
    forward.let("s.3", np.sin, "x.0")
    forward.do(ir.Append(), "tape.1", "s.3")
    b.loop("i.2", "n.0", forward.end())
    reverse = b.inner()
    reverse.let("s.5", ir.Pop(), "tape.1")
    reverse.let("g.7", operator.mul, "g.6", "s.5" if keep else 2)
    b.loop("i.4", "n.0", reverse.end("g.7"), {"g.6": ("g.8", 1.0)})
    return b


def test_tape_that_nobody_reads_goes_with_its_loop() -> None:
    assert swept(recording(False), ["x.0", "n.0"], "g.8") == lines(
        """
        g.8 = for i.4 in n.0 with g.6 = 1.0
          g.7 = operator.mul(g.6, 2)
          yield g.7
        yield g.8
        """
    )


def test_tape_that_is_read_stays() -> None:
    before = recording(True).function(["x.0", "n.0"], "g.8")
    assert remove_dead(before).body == before.body


def test_dead_pop_of_a_tape_that_is_read_stays() -> None:
    b = Build()
    b.let("tape.1", ir.Make("list"))
    for value in (1, 2, 3):
        b.do(ir.Append(), "tape.1", value)
    for i in (2, 3, 4):
        b.let(f"p.{i}", ir.Pop(), "tape.1")
    before = b.function([], "p.3")
    after = checked(remove_dead(before))
    assert run(after) == 2
    # The last pop comes after the last one that is read.
    assert len(after.body.stmts) == len(before.body.stmts) - 1


def test_stores_behind_the_last_load() -> None:
    b = Build()
    b.let("u.1", np.zeros_like, "x.0")
    b.do(ir.Store(), "u.1", 0, 5.0)
    b.let("v.2", ir.Load(("[]",)), "u.1", 0)
    b.do(ir.Store(), "u.1", 0, 0.0)
    assert swept(b, ["x.0"], "v.2") == lines(
        """
        u.1 = numpy.zeros_like(x.0)
        store[](u.1, 0, 5.0)
        v.2 = load[](u.1, 0)
        yield v.2
        """
    )


def test_store_behind_a_load_in_a_loop_is_read_in_the_next_turn() -> None:
    b = Build()
    b.let("u.1", np.zeros_like, "x.0")
    inner = b.inner()
    inner.let("v.3", ir.Load(("[]",)), "u.1", 0)
    inner.do(ir.Store(), "u.1", 0, "i.2")
    b.loop("i.2", range(3), inner.end("v.3"), {"v.4": ("v.5", 0.0)})
    before = b.function(["x.0"], "v.5")
    assert remove_dead(before).body == before.body


def test_buffer_of_one_turn_is_not_read_in_the_next() -> None:
    b = Build()
    inner = b.inner()
    inner.let("u.1", np.zeros_like, "x.0")
    inner.let("v.3", ir.Load(("[]",)), "u.1", 0)
    inner.do(ir.Store(), "u.1", 0, "i.2")
    b.loop("i.2", range(3), inner.end("v.3"), {"v.4": ("v.5", 0.0)})
    assert "store" not in swept(b, ["x.0"], "v.5")


def test_writes_to_what_others_hold_stay() -> None:
    for made in (("u.1", np.asarray, "x.0"), ("u.1", ir.Global("u")), ("u.1", operator.getitem, "x.0", 0)):
        b = Build()
        b.let(*made)
        b.do(ir.Store(), "u.1", 0, 5.0)
        b.do(ir.Store(), "x.0", 0, 5.0)
        assert swept(b, ["x.0"], 1).count("store") == 2


def test_buffer_that_is_returned_keeps_its_writes() -> None:
    b = Build()
    b.let("u.1", np.zeros_like, "x.0")
    b.let("t.2", ir.Make("tuple"), "u.1")
    b.do(ir.Store(), "u.1", 0, 5.0)
    assert "store" in swept(b, ["x.0"], "t.2")


def test_shape_of_a_buffer_needs_no_writes() -> None:
    b = Build()
    b.let("u.1", np.zeros_like, "x.0")
    b.do(ir.Store(), "u.1", 0, 5.0)
    b.let("s.2", ir.Attr("shape"), "u.1")
    assert "store" not in swept(b, ["x.0"], "s.2")


def test_carried_values_that_only_compute_themselves() -> None:
    b = Build()
    inner = b.inner()
    inner.let("a.3", operator.add, "a.2", "b.2")
    inner.let("b.3", operator.mul, "a.2", "b.2")
    inner.let("c.3", operator.add, "c.2", 1)
    carried = {"a.2": ("a.4", 1.0), "b.2": ("b.4", 2.0), "c.2": ("c.4", 0)}
    b.loop("i.1", "n.0", inner.end("a.3", "b.3", "c.3"), carried)
    assert swept(b, ["n.0"], "c.4") == lines(
        """
        c.4 = for i.1 in n.0 with c.2 = 0
          c.3 = operator.add(c.2, 1)
          yield c.3
        yield c.4
        """
    )


def test_invariant_carried_values_in_nested_loops() -> None:
    b = Build()
    outer, inner = b.inner(), b.inner()
    inner.let("s.6", np.sin, "y.5")
    inner.do(ir.Append(), "tape.0", "s.6")
    outer.loop("j.4", "n.0", inner.end("y.5"), {"y.5": ("y.7", "y.2")})
    b.loop("i.1", "n.0", outer.end("y.7"), {"y.2": ("y.8", "x.0")})
    assert swept(b, ["x.0", "n.0", "tape.0"], "y.8") == lines(
        """
        for i.1 in n.0
          for j.4 in n.0
            s.6 = numpy.sin(x.0)
            append(tape.0, s.6)
            yield
          yield
        yield x.0
        """
    )


def test_loop_that_hands_on_its_start() -> None:
    b = Build()
    b.loop("i.1", range(3), b.inner().end("x.0"), {"a.2": ("a.3", "x.0")})
    assert swept(b, ["x.0"], "a.3") == "yield x.0"


def test_values_that_change_places_are_not_invariant() -> None:
    b = Build()
    b.loop("i.1", range(3), b.inner().end("b.2", "a.2"), {"a.2": ("a.3", "x.0"), "b.2": ("b.3", "y.0")})
    before = b.function(["x.0", "y.0"], "a.3")
    assert run(remove_dead(before), 1, 2) == run(before, 1, 2) == 2


def test_while_without_live_results() -> None:
    b = Build()
    test, body = b.inner(), b.inner()
    test.let("t.2", operator.lt, "k.1", 10)
    body.let("k.3", operator.add, "k.1", 1)
    loop = ir.While(("k.4",), ("k.1",), (ir.Const(0),), test.end("t.2"), body.end("k.3"))
    b.stmts.append(loop)
    assert swept(b, ["x.0"], "x.0") == "yield x.0"
    assert run(checked(remove_dead(b.function([], "k.4")))) == 10


def test_flag_of_a_loop() -> None:
    b = Build()
    inner = b.inner()
    inner.let("stop.2", operator.gt, "i.1", 2)
    inner.let("a.4", operator.add, "a.3", "i.1")
    b.loop("i.1", range(9), inner.end("stop.2", "a.4"), {"a.3": ("a.5", 0)}, flag="f.6")
    before = b.function([], "a.5")
    assert remove_dead(before).body == before.body

    b = Build()
    inner = b.inner()
    inner.let("a.4", operator.add, "a.3", "i.1")
    b.loop("i.1", range(9), inner.end(False, "a.4"), {"a.3": ("a.5", 0)}, flag="f.6")
    after = checked(remove_dead(b.function([], "f.6", "a.5")))
    assert "stops" not in ir.dump(after)
    assert run(after) == (False, 36)


def branches(test: Any) -> Build:
    b = Build()
    then, orelse = b.inner(), b.inner()
    then.let("a.1", np.sin, "x.0")
    orelse.let("a.2", np.cos, "x.0")
    b.when(test, then.end("a.1", "x.0", 1), orelse.end("a.2", "x.0", 2), "a.3", "b.3", "c.3")
    return b


def test_targets_of_a_branch() -> None:
    assert swept(branches("t.0"), ["x.0", "t.0"], "b.3") == "yield x.0"
    assert swept(branches("t.0"), ["x.0", "t.0"], "c.3") == lines(
        """
        c.3 = if t.0
          yield 1
        else
          yield 2
        yield c.3
        """
    )


def test_branch_whose_test_is_known() -> None:
    assert swept(branches(False), ["x.0"], "a.3") == "a.2 = numpy.cos(x.0)\nyield a.2"
    assert swept(branches(True), ["x.0"], "a.3") == "a.1 = numpy.sin(x.0)\nyield a.1"


def test_names_shared_between_branches_of_one_test() -> None:
    b = Build()
    then = b.inner()
    then.let("s.1", np.sin, "x.0")
    then.let("c.2", np.cos, "x.0")
    b.when("t.0", then.end(), b.inner().end())
    later = b.inner()
    later.let("g.3", operator.mul, "s.1", 2)
    b.when("t.0", later.end("g.3"), b.inner().end(0.0), "g.4")
    text = swept(b, ["x.0", "t.0"], "g.4")
    assert "sin" in text
    assert "cos" not in text


def test_iterator_is_used_up_by_a_dead_loop() -> None:
    def loops(reader: Any) -> Build:
        b = Build()
        b.let("it.1", reader, "x.0")
        b.loop("i.2", "it.1", b.inner().end())
        inner = b.inner()
        inner.let("a.5", operator.add, "a.4", "i.3")
        b.loop("i.3", "it.1", inner.end("a.5"), {"a.4": ("a.6", 0)})
        return b

    for reader, expected in ((iter, 0), (list, 6)):
        before = loops(reader).function(["x.0"], "a.6")
        after = checked(remove_dead(before))
        assert run(after, [1, 2, 3]) == expected
        assert len(after.body.stmts) == len(before.body.stmts) - (reader is list)


def test_generator_as_an_argument() -> None:
    b = Build(types={"x.0": OBJECT})
    b.loop("i.2", "x.0", b.inner().end())
    b.let("l.3", list, "x.0")
    assert "for" in swept(b, ["x.0"], "l.3")
