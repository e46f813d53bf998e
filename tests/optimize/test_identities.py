"""Every row of the tables is run: the pattern against the result, on operands of many kinds."""

from __future__ import annotations

import itertools
import operator
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from srcgrad import ir, runtime
from srcgrad.optimize.dead import remove_dead
from srcgrad.optimize.identities import IDENTITIES, SETTLED, Row, _Applying, apply_identities, settle_signs
from srcgrad.optimize.patterns import Pattern
from srcgrad.types import UNIT, UNKNOWN, Dim, Type, type_of
from tests.optimize.helpers import Build, body_text, checked, lines, run, typed

FULL = np.array([[1.5, -2.0, 3.0, 0.5], [0.25, -1.0, 2.0, 4.0], [-0.75, 1.25, 0.5, 2.0]])
SPECIAL = np.array([[np.nan, np.inf, -np.inf, 0.0], [-0.0, 1e300, 1e-300, 1.0], [-1.0, 2.0, np.nan, np.inf]])
OPERANDS: dict[str, Any] = {
    "full": FULL,
    "special": SPECIAL,
    "square": FULL[:, :3],
    "float32": np.where(np.abs(SPECIAL) > 1e30, np.inf, SPECIAL).astype(np.float32),
    "complex": FULL + 1j,
    "integer": np.arange(1, 13).reshape(3, 4),
    "row": FULL[0],
    "column": FULL[:, :1],
    "unit": FULL[:1, :1],
    "zero-d": np.array(1.5),
    "scalar": np.float64(-2.5),
    "scalar32": np.float32(0.5),
    "python": 3.5,
    "python int": 3,
}
MODES = {"types": True, "no types": False}


def variables(pattern: Pattern) -> list[Pattern]:
    """The leaves that have a name, each once."""
    if pattern.op is None:
        return [pattern] if pattern.name else []
    found = {leaf.name: leaf for arg in pattern.args for leaf in variables(arg)}
    return list(found.values())


def has_number(pattern: Pattern) -> bool:
    return pattern.number or any(map(has_number, pattern.args))


def shape_names(pattern: Pattern) -> set[str]:
    """The variables that stand for a shape, as second argument."""
    found = set().union(*map(shape_names, pattern.args)) if pattern.args else set()
    takes_one = pattern.op in (ir.Fn(np.broadcast_to), ir.Fn(np.reshape), ir.Method("reshape"))
    return found | {arg.name for arg in pattern.args[1:] if takes_one and arg.op is None}


def axis_names(pattern: Pattern) -> set[str]:
    """The variables that stand for an axis: literals, in the programs that rules write."""
    found = set().union(*map(axis_names, pattern.args)) if pattern.args else set()
    return found | ({pattern.args[1].name} if pattern.op == ir.Fn(np.expand_dims) else set())


def type_by_size(value: Any) -> Type:
    """The type of a value; axes of equal length are known to be so."""
    known = replace(type_of(value), length=None)
    if not isinstance(value, np.ndarray):
        return known
    return replace(known, dims=tuple(UNIT if n == 1 else Dim(f"n{n}", 0, False) for n in value.shape))


class Example:
    """The left side of a row as a function of its variables; shapes are those of a parameter."""

    def __init__(self, row: Row, values: dict[str, Any], known: bool, number: type[float | int] = float) -> None:
        self.number = number
        self.values = values
        self.build = Build(types={f"{name}.0": type_by_size(v) if known else UNKNOWN for name, v in values.items()})
        self.count = 0
        self.atoms: dict[str, Any] = {name: f"{name}.0" for name in values}
        for name in sorted(shape_names(row.pattern)):
            self.atoms[name] = self.build.let(f"_{name}.1", ir.Attr("shape"), f"{name}.0")
        self.atoms.update({name: ir.Const(values[name]) for name in axis_names(row.pattern)})
        result = self.add(row.pattern)
        self.function = self.build.function([f"{name}.0" for name in values], result)

    def add(self, pattern: Pattern) -> Any:
        if pattern.number:
            return ir.Const(self.number(-2 if pattern.value is None else pattern.value))
        if pattern.op is None:
            return self.atoms[pattern.name]
        args = [self.add(arg) for arg in pattern.args]
        self.count += 1
        return self.build.let(f"_v.{self.count + 1}", pattern.op, *args)


def examples(row: Row, known: bool) -> Any:
    names = [leaf.name for leaf in variables(row.pattern) if not leaf.number]
    shapes = shape_names(row.pattern)
    axes = axis_names(row.pattern)
    prototypes = [FULL, FULL[0], FULL.astype(np.float32)]
    choices = [[0, 1] if n in axes else prototypes if n in shapes else OPERANDS.values() for n in names]
    kinds = (float, int) if has_number(row.pattern) else (float,)
    for number, values in itertools.product(kinds, itertools.product(*choices)):
        yield Example(row, dict(zip(names, values, strict=True)), known, number)


def same_kind(a: Any, b: Any, known: bool) -> bool:
    if not known and np.shape(a) == np.shape(b) == ():
        return np.result_type(a) == np.result_type(b)  # without types, a 0-d array may stay one
    if type(a) is not type(b):
        return False
    return not isinstance(a, np.ndarray) or (a.dtype == b.dtype and a.shape == b.shape)


def evaluated(function: ir.Function, values: Any) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run(function, *values)


def fails(example: Example) -> bool:
    try:
        evaluated(example.function, example.values.values())
    except (ValueError, TypeError, AttributeError, IndexError, ZeroDivisionError):
        return True
    return False


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", IDENTITIES + SETTLED, ids=str)
def test_row_keeps_value_and_kind(row: Row, mode: str) -> None:
    fired = 0
    for example in examples(row, MODES[mode]):
        after = checked(_Applying(example.function, (row,)).simplified())
        if after.body == example.function.body or fails(example):
            continue
        fired += 1
        old, new = (evaluated(f, example.values.values()) for f in (example.function, after))
        described = f"{ir.dump(example.function)}\n{ir.dump(after)}\n{old!r}\n{new!r}"
        assert same_kind(old, new, MODES[mode]), described
        np.testing.assert_allclose(new, old, rtol=1e-6, err_msg=described)
    needs_types = row.kept != "shape and dtype" or row.when is not None
    assert fired or (mode == "no types" and needs_types), "the row never fires"


def test_no_row_touches_the_primal() -> None:
    for row in IDENTITIES:
        for example in itertools.islice(examples(row, True), 30):
            forward = Build("forward", example.build.types)
            forward.stmts = [
                ir.Let(s.target, s.op, s.args, s.keywords, forward.origin)
                for s in example.function.body.stmts
                if isinstance(s, ir.Let)
            ]
            function = forward.function([p.name for p in example.function.params], *example.function.body.results)
            assert apply_identities(function).body == function.body


def test_bernoulli_loss() -> None:
    """The reverse sweep of p = 1 / (1 + exp(-u)), mean(log(p)), as the rules write it."""
    b = Build(types=typed(u=FULL))
    b.sweep = "forward"
    b.let("_n.1", operator.neg, "u.0")
    b.let("e.2", np.exp, "_n.1")
    b.let("q.3", operator.add, 1, "e.2")
    b.let("p.4", operator.truediv, 1, "q.3")
    b.let("l.5", np.log, "p.4")
    b.let("_m.6", np.mean, "l.5")
    b.let("v.7", operator.neg, "_m.6")
    b.sweep = "reverse"
    b.let("m_bar.8", operator.neg, 1.0)
    b.let("_size.9", ir.Attr("size"), "l.5")
    b.let("_g.10", operator.truediv, "m_bar.8", "_size.9")
    b.let("_shape.11", ir.Attr("shape"), "l.5")
    b.let("l_bar.12", np.broadcast_to, "_g.10", "_shape.11")
    b.let("p_bar.13", operator.truediv, "l_bar.12", "p.4")
    b.let("_g.14", operator.neg, "p_bar.13")
    b.let("_g.15", operator.mul, "_g.14", "p.4")
    b.let("q_bar.16", operator.truediv, "_g.15", "q.3")
    b.let("n_bar.17", operator.mul, "q_bar.16", "e.2")
    b.let("u_bar.18", operator.neg, "n_bar.17")
    before = b.function(["u.0"], "v.7", "u_bar.18")
    after = remove_dead(checked(apply_identities(before)))
    assert body_text(checked(after)) == lines(
        """
        _n.1 = operator.neg(u.0)
        e.2 = numpy.exp(_n.1)
        q.3 = operator.add(1, e.2)
        p.4 = operator.truediv(1, q.3)
        l.5 = numpy.log(p.4)
        _m.6 = numpy.mean(l.5)
        v.7 = operator.neg(_m.6)
        _size.9 = .size(l.5)
        _g.10 = operator.truediv(-1.0, _size.9)
        p_bar.13 = operator.truediv(_g.10, p.4)
        _product.19 = operator.mul(p_bar.13, p.4)
        _ratio.20 = operator.mul(_product.19, p.4)
        u_bar.18 = operator.mul(_ratio.20, e.2)
        yield v.7, u_bar.18
        """
    )
    np.testing.assert_allclose(run(after, FULL)[1], run(before, FULL)[1], rtol=1e-12)


def rewritten(b: Build, params: list[str], *results: str) -> str:
    return body_text(checked(remove_dead(checked(apply_identities(b.function(params, *results))))))


def test_a_sign_that_is_needed_elsewhere_stays() -> None:
    b = Build(types=typed(x=FULL, y=FULL))
    b.let("n.1", operator.neg, "x.0")
    b.let("p.2", operator.mul, "n.1", "y.0")
    assert "neg(x.0)" in rewritten(b, ["x.0", "y.0"], "p.2", "n.1")


def test_no_work_moves_into_a_loop() -> None:
    b = Build(types=typed(x=FULL, y=FULL))
    b.let("n.1", operator.neg, "x.0")
    inner = b.inner()
    inner.let("p.3", operator.mul, "n.1", "s.2")
    b.types["r.5"] = b.types["s.2"] = b.types["x.0"]
    b.loop("i.4", range(3), inner.end("p.3"), {"s.2": ("r.5", "y.0")})
    before = b.function(["x.0", "y.0"], "r.5")
    assert apply_identities(before).body == before.body


def test_a_result_keeps_the_name_of_an_adjoint() -> None:
    b = Build(types=typed(g=FULL))
    b.let("_g.1", np.sin, "g.0")
    b.let("x_bar.2", operator.mul, "_g.1", 1.0)
    assert rewritten(b, ["g.0"], "x_bar.2") == "x_bar.2 = numpy.sin(g.0)\nyield x_bar.2"


def test_an_adjoint_of_unknown_type_is_no_integer() -> None:
    b = Build()
    b.let("_g.1", operator.mul, "g_bar.0", 1.0)
    b.let("_h.2", operator.mul, "h.0", 1.0)
    assert rewritten(b, ["g_bar.0", "h.0"], "_g.1", "_h.2") == lines(
        """
        _h.2 = operator.mul(h.0, 1.0)
        yield g_bar.0, _h.2
        """
    )


def test_settled_signs_have_no_parentheses() -> None:
    b = Build(types=typed(x=FULL, y=FULL))
    b.let("_p.1", operator.mul, "x.0", "y.0")
    b.let("z.2", operator.neg, "_p.1")
    b.let("_q.3", operator.mul, 2.0, "y.0")
    b.let("w.4", operator.neg, "_q.3")
    after = remove_dead(checked(settle_signs(b.function(["x.0", "y.0"], "z.2", "w.4"))))
    assert body_text(after) == lines(
        """
        _negative.5 = operator.neg(x.0)
        z.2 = operator.mul(_negative.5, y.0)
        w.4 = operator.mul(-2, y.0)
        yield z.2, w.4
        """
    )


def test_whole_numbers_are_written_without_a_point() -> None:
    b = Build(types=typed(x=FULL, n=3))
    b.let("a.1", operator.mul, 2.0, "x.0")
    b.let("b.2", operator.truediv, 1.0, "n.0")
    b.let("c.3", operator.mul, 2.0, "n.0")
    b.let("d.4", operator.mul, 0.5, "x.0")
    after = settle_signs(b.function(["x.0", "n.0"], "a.1", "b.2", "c.3", "d.4"))
    assert body_text(checked(after)) == lines(
        """
        a.1 = operator.mul(2, x.0)
        b.2 = operator.truediv(1, n.0)
        c.3 = operator.mul(2.0, n.0)
        d.4 = operator.mul(0.5, x.0)
        yield a.1, b.2, c.3, d.4
        """
    )


def test_a_sign_leaves_a_sum_over_an_axis() -> None:
    b = Build(types=typed(x=FULL))
    b.let("_n.1", operator.neg, "x.0")
    b.let("s.2", np.sum, "_n.1", axis=0)
    assert rewritten(b, ["x.0"], "s.2") == lines(
        """
        _total.3 = numpy.sum(x.0, axis=0)
        s.2 = operator.neg(_total.3)
        yield s.2
        """
    )


def test_an_adjoint_with_a_name_is_not_turned_round() -> None:
    b = Build(types=typed(x=FULL, y=FULL))
    b.let("p_bar.1", operator.sub, "x.0", "y.0")
    b.let("_n.2", operator.neg, "p_bar.1")
    assert "p_bar.1 = operator.sub(x.0, y.0)" in rewritten(b, ["x.0", "y.0"], "_n.2")


def test_a_buffer_stays_an_array_of_its_own() -> None:
    b = Build(types=typed(g=FULL, s=1.5))
    b.let("_shape.1", ir.Attr("shape"), "g.0")
    b.let("_w.2", np.broadcast_to, "s.0", "_shape.1")
    b.let("u.3", operator.mul, "g.0", 1.0)
    b.let("v.4", operator.neg, "_w.2")
    for buffer in ("u.3", "v.4"):
        b.do(ir.Store(("[]",)), buffer, 0, 7.0)
    before = b.function(["g.0", "s.0"], "u.3", "v.4", "g.0")
    assert apply_identities(before).body == before.body


def test_a_negative_contribution_is_subtracted() -> None:
    b = Build(types=typed(g=FULL, h=FULL))
    b.let("u.1", np.zeros_like, "g.0")
    b.let("_n.2", operator.neg, "g.0")
    b.let("_p.3", operator.mul, "_n.2", "h.0")
    b.do(ir.Update(()), "u.1", "_p.3")
    assert rewritten(b, ["g.0", "h.0"], "u.1") == lines(
        """
        u.1 = numpy.zeros_like(g.0)
        _product.4 = operator.mul(g.0, h.0)
        isub(u.1, _product.4)
        yield u.1
        """
    )


def test_uses_move_with_a_name() -> None:
    """After `_m.2` is gone, `_n.1` has two uses: its sign cannot move without more work."""
    b = Build(types=typed(x=FULL, y=FULL))
    b.let("_n.1", operator.neg, "x.0")
    b.let("_m.2", operator.mul, "_n.1", 1.0)
    b.let("a.3", operator.mul, "_m.2", "y.0")
    b.let("b.4", np.sin, "_m.2")
    assert rewritten(b, ["x.0", "y.0"], "a.3", "b.4").count("neg") == 1


def test_long_chains_that_die() -> None:
    b = Build(types=typed(x=FULL))
    b.let("a.1", np.sin, "x.0")
    for i in range(1, 3000):
        b.let(f"a.{i + 1}", np.sin, f"a.{i}")
    b.let("t.3001", operator.mul, 0.0, "a.3000")
    b.let("z.3002", runtime.zeros_like, "t.3001")
    assert rewritten(b, ["x.0"], "x.0") == "yield x.0"
