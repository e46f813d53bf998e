"""Raising to Python: the text of hand-built functions, and the values of many random ones."""

from __future__ import annotations

import importlib.util
import linecache
import math
import operator
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import gast
import numpy as np
import pytest

from srcgrad import ir, types
from srcgrad.emit.module import load_module, module_text
from srcgrad.emit.paths import path_of
from srcgrad.emit.printer import print_tree
from srcgrad.emit.raise_ import imports_of, raise_function
from srcgrad.ir import (
    UNDEFINED,
    Append,
    Block,
    Const,
    Fn,
    For,
    Function,
    If,
    Let,
    Load,
    Method,
    Origin,
    Param,
    Pop,
    Store,
    Update,
    Var,
    While,
)
from srcgrad.runtime import unbroadcast


def _sibling(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator, interpreter = _sibling("generator"), _sibling("interpreter")

NO_LINE = Origin()
LINE_2 = Origin(2, "y = x * 2", "reverse")
LINE_3 = Origin(3, "z = np.sin(y)", "reverse")
LINE_4 = Origin(4, "y = y * 2", "reverse")


def atom(value: Any) -> ir.Atom:
    """Texts with a dot are names of the IR, all else is a constant."""
    if isinstance(value, Var | Const):
        return value
    return Var(value) if isinstance(value, str) and "." in value else Const(value)


def let(target: str | None, op: Any, *args: Any, origin: Origin = NO_LINE, effect: bool = False) -> Let:
    return Let(target, op if isinstance(op, ir.Op) else Fn(op), tuple(map(atom, args)), (), origin, effect)


def block(*stmts: ir.Stmt, results: tuple[Any, ...] = ()) -> Block:
    return Block(stmts, tuple(map(atom, results)))


def function(params: str, *stmts: ir.Stmt, results: tuple[Any, ...], **options: Any) -> Function:
    options["structure"] = "leaf" if len(results) == 1 else ("leaf",) * len(results)
    return ir.verify(Function("f", tuple(map(Param, params.split())), block(*stmts, results=results), **options))


def body_of(f: Function, reserved: frozenset[str] = frozenset()) -> str:
    """The text of the body, after a check that printing it again changes nothing."""
    text = print_tree(raise_function(f, reserved))
    comments = [line for line in text.split("\n") if line.strip().startswith("#") or not line.strip()]
    if not comments:
        assert print_tree(gast.parse(text)) == text
    lines = text.split("\n")[1:]
    return "\n".join(line[4:] for line in lines)


def load(f: Function, **names: Any) -> Callable[..., Any]:
    return load_module(module_text([f], ""), "f", names)["f"]  # type: ignore[no-any-return]


def test_temporaries_are_folded_and_a_name_is_used_again() -> None:
    f = function(
        "x.0",
        let("_mul.1", operator.mul, "x.0", 2),
        let("y.2", np.sin, "_mul.1"),
        let("_add.3", operator.add, "y.2", 1),
        let("y.4", operator.mul, "_add.3", "y.2"),
        results=("y.4",),
    )
    assert body_of(f) == "y = np.sin(x * 2)\ny = (y + 1) * y\nreturn y"


def test_a_name_that_is_still_needed_is_not_overwritten() -> None:
    f = function(
        "x.0",
        let("y.1", operator.mul, "x.0", 2),
        let("y.2", np.sin, "y.1"),
        let("y_2.3", operator.mul, "y.1", "y.2"),
        results=("y_2.3", "y.1"),
    )
    assert body_of(f) == "y = x * 2\ny_3 = np.sin(y)\ny_2 = y * y_3\nreturn y_2, y"


def test_reserved_names_and_keywords_get_a_suffix() -> None:
    f = function(
        "x.0",
        let("np.1", operator.mul, "x.0", 2),
        let("lambda.2", operator.add, "np.1", "np.1"),
        results=("lambda.2",),
    )
    assert body_of(f, frozenset({"np"})) == "np_2 = x * 2\nlambda_2 = np_2 + np_2\nreturn lambda_2"


def test_a_temporary_used_twice_is_named() -> None:
    f = function(
        "x.0",
        let("_exp.1", np.exp, "x.0"),
        let("y.2", operator.mul, "_exp.1", "_exp.1"),
        results=("y.2",),
    )
    assert body_of(f) == "exp = np.exp(x)\ny = exp * exp\nreturn y"


def test_long_expressions_are_not_folded_without_end() -> None:
    stmts = [let(f"_product.{i + 1}", operator.mul, f"_product.{i}" if i else "x.0", "x.0") for i in range(60)]
    text = body_of(function("x.0", *stmts, results=("_product.60",)))
    assert max(map(len, text.split("\n"))) < 100
    assert load(function("x.0", *stmts, results=("_product.60",)))(1.1) == pytest.approx(1.1**61)


def test_branch_with_a_name_read_later_under_the_same_test() -> None:
    f = function(
        "x.0",
        let("_c.1", operator.gt, "x.0", 0),
        If(
            ("y.6",),
            Var("_c.1"),
            block(let("t.2", np.sin, "x.0"), let("y.3", operator.mul, "t.2", "x.0"), results=("y.3",)),
            block(let("t.4", np.cos, "x.0"), results=("t.4",)),
        ),
        let("z.7", operator.mul, "y.6", 3),
        If(
            ("w.10",),
            Var("_c.1"),
            block(let("w.8", operator.mul, "z.7", "t.2"), results=("w.8",)),
            block(let("w.9", operator.add, "z.7", "t.4"), results=("w.9",)),
        ),
        results=("w.10",),
    )
    assert body_of(f) == (
        "c = x > 0\nif c:\n    t = np.sin(x)\n    y = t * x\nelse:\n    y = np.cos(x)\n"
        "z = y * 3\nif c:\n    w = z * t\nelse:\n    w = z + y\nreturn w"
    )
    raised = load(f)
    for x in (-1.0, 2.0):
        assert [raised(x)] == interpreter.run(f, x)


def test_undefined_prints_nothing_and_empty_branches_are_turned() -> None:
    f = function(
        "x.0",
        let("_c.1", operator.is_, "x.0", None),
        If(("y.3",), Var("_c.1"), block(results=(UNDEFINED,)), block(let("y.2", abs, "x.0"), results=("y.2",))),
        results=("y.3",),
    )
    assert body_of(f) == "if x is not None:\n    y = abs(x)\nreturn y"


def test_boolean_and_conditional_expressions() -> None:
    f = function(
        "x.0 y.1",
        let("_a.2", operator.gt, "x.0", 0),
        If(
            ("_test.4",),
            Var("_a.2"),
            block(let("_b.3", operator.gt, "y.1", 0), results=("_b.3",)),
            block(results=("_a.2",)),
        ),
        If(
            ("_choice.6",),
            Var("_test.4"),
            block(let("_s.5", operator.add, "x.0", "y.1"), results=("_s.5",)),
            block(results=(0,)),
        ),
        results=("_choice.6",),
    )
    assert body_of(f) == "return x + y if x > 0 and y > 0 else 0"


def test_swap_in_a_loop() -> None:
    f = function(
        "n.0",
        let("_range.1", range, "n.0"),
        For(
            ("a.7", "b.8"),
            ("a.2", "b.3"),
            (Const(0), Const(1)),
            "i.4",
            Var("_range.1"),
            block(let("_add.5", operator.add, "a.2", "b.3"), results=("b.3", "_add.5")),
        ),
        results=("a.7",),
    )
    assert body_of(f) == "a = 0\nb = 1\nfor _ in range(n):\n    a, b = b, a + b\nreturn a"
    assert [load(f)(n) for n in range(8)] == [0, 1, 1, 2, 3, 5, 8, 13]


def test_while_with_a_counter_and_the_comments_of_both_sweeps() -> None:
    f = function(
        "x.0 seed.1",
        let("y.2", operator.mul, "x.0", 2),
        While(
            ("y.9", "trips.10"),
            ("y.3", "trips.4"),
            (Var("y.2"), Const(0)),
            block(let("_n.5", np.linalg.norm, "y.3"), let("_t.6", operator.lt, "_n.5", 1000), results=("_t.6",)),
            block(
                let("y.7", operator.mul, "y.3", 2),
                let("trips.8", operator.add, "trips.4", 1),
                results=("y.7", "trips.8"),
            ),
        ),
        let("_range.11", range, "trips.10"),
        For(
            ("y_bar.15",),
            ("y_bar.12",),
            (Var("seed.1"),),
            "i.13",
            Var("_range.11"),
            block(let("y_bar.14", operator.mul, "y_bar.12", 2, origin=LINE_4), results=("y_bar.14",)),
            origin=LINE_4,
        ),
        let("x_bar.16", operator.mul, "y_bar.15", 2, origin=LINE_2),
        results=("y.9", "x_bar.16"),
        types={"trips.8": types.INT},
    )
    assert body_of(f) == (
        "# forward sweep\ny = x * 2\ntrips = 0\nwhile np.linalg.norm(y) < 1000:\n    y = y * 2\n    trips += 1\n\n"
        "# reverse sweep\ny_bar = seed\n# line 4: y = y * 2\nfor _ in range(trips):\n    y_bar = y_bar * 2\n"
        "# line 2: y = x * 2\nreturn y, y_bar * 2"
    )
    y, x_bar = load(f)(np.ones(2), 1.0)
    assert (y[0], x_bar) == (1024, 1024)


def test_while_whose_test_needs_statements() -> None:
    f = function(
        "x.0",
        While(
            ("x.6",),
            ("x.1",),
            (Var("x.0"),),
            block(let("n.2", abs, "x.1"), let("_t.3", operator.lt, "n.2", 9), results=("_t.3",)),
            block(let("x.4", operator.add, "x.1", "n.2"), results=("x.4",)),
        ),
        results=("x.6",),
    )
    assert body_of(f) == "while True:\n    n = abs(x)\n    if not n < 9:\n        break\n    x = x + n\nreturn x"
    assert load(f)(1) == 16


def stopping(*after: ir.Stmt, used: bool = False) -> Function:
    loop = For(
        ("stop.20", "x.21"),
        ("x.3",),
        (Var("x.0"),),
        "i.4",
        Var("_range.2"),
        block(
            let("x.5", operator.mul, "x.3", 2),
            let("_c.6", operator.gt, "x.5", 100),
            If(
                ("_stop.8", "x.9"),
                Var("_c.6"),
                block(let("x.10", operator.sub, "x.5", 1), results=(True, "x.10")),
                block(let("x.11", operator.add, "x.5", "i.4"), results=(False, "x.11")),
            ),
            *after,
            results=("_stop.8", "x.9"),
        ),
        stops=True,
    )
    results = ("x.21", "stop.20") if used else ("x.21",)
    return function("x.0 n.1", let("_range.2", range, "n.1"), loop, results=results)


def test_a_flag_becomes_break() -> None:
    head = "for i in range(n):\n    x = x * 2\n    if x > 100:\n        x = x - 1\n        break\n"
    assert body_of(stopping()) == head + "    x = x + i\nreturn x"
    assert load(stopping())(1, 30) == 115


def test_a_flag_that_is_read_later_is_kept() -> None:
    f = stopping(used=True)
    assert "stop = False\nfor i in range(n):" in body_of(f)
    assert "        stop = True\n        break" in body_of(f)
    assert [load(f)(1, n) for n in (0, 3, 30)] == [(1, False), (12, False), (115, True)]


def test_what_stands_behind_the_flag_moves_before_it() -> None:
    f = stopping(let("_unused.12", operator.add, "x.3", 1))
    assert "break\n    x = x + i" in body_of(f)


def test_a_load_is_copied_where_the_buffer_is_written_before_the_use() -> None:
    f = function(
        "u.0",
        let("u.1", Method("copy"), "u.0"),
        let("_a.2", Load(("[]",)), "u.1", slice(2, None)),
        let("_b.3", Load(("[]",)), "u.1", slice(None, -2)),
        let("_c.4", operator.mul, "_b.3", 3),
        let(None, Store(("[]",)), "u.1", slice(1, -1), "_c.4"),
        let("_l.5", Load(), "u.1"),
        results=("_a.2", "_l.5"),
    )
    expected = "u = u.copy()\na = u[2:].copy()\nu[1:-1] = u[:-2] * 3\nreturn a, u"
    assert body_of(f).replace("value", "a") == expected
    x = np.arange(6.0)
    for raised, expected_array in zip(load(f)(x), interpreter.run(f, x), strict=True):
        np.testing.assert_array_equal(raised, expected_array)


@pytest.mark.parametrize(("known", "text"), [(types.FLOAT, "u[0]"), (types.UNKNOWN, "copy(u[0])")])
def test_a_scalar_needs_no_copy(known: types.Type, text: str) -> None:
    f = function(
        "u.0",
        let("u.1", Method("copy"), "u.0"),
        let("s.2", Load(("[]",)), "u.1", 0),
        let(None, Store(("[]",)), "u.1", 0, 5),
        results=("s.2",),
        types={"s.2": known},
    )
    assert body_of(f) == f"u = u.copy()\ns = {text}\nu[0] = 5\nreturn s"


def test_what_a_tape_keeps_is_copied() -> None:
    loop = For(
        (),
        (),
        (),
        "t.3",
        Const(range(3)),
        block(
            let("_g.4", Load(("[]",)), "u.1", slice(1, None)),
            let(None, Append(), "tape.2", "_g.4"),
            let(None, Update(("[]",), operator.imul), "u.1", slice(1, None), 2),
        ),
    )
    back = let("g.5", Pop(), "tape.2")
    f = function("u.0", let("u.1", Method("copy"), "u.0"), let("tape.2", ir.Make("list")), loop, back, results=("g.5",))
    assert "    tape.append(u[1:].copy())\n    u[1:] *= 2\n" in body_of(f)
    np.testing.assert_array_equal(load(f)(np.ones(3)), interpreter.run(f, np.ones(3))[0])


def test_updates() -> None:
    f = function(
        "u.0 i.1 v.2",
        let("u_bar.3", np.zeros_like, "u.0"),
        let(None, Update((), operator.iadd), "u_bar.3", "v.2"),
        let(None, Update(("[]",), operator.iadd, unique=False), "u_bar.3", "i.1", "v.2"),
        let("_n.4", operator.neg, "v.2"),
        let(None, Update(("[]", ".T"), operator.iadd), "u_bar.3", "i.1", "_n.4"),
        let(None, Store(()), "u_bar.3", 0),
        let("_l.5", Load(), "u_bar.3"),
        results=("_l.5",),
    )
    assert body_of(f) == (
        "u_bar = np.zeros_like(u)\nu_bar += v\nnp.add.at(u_bar, i, v)\nu_bar[i].T[...] -= v\n"
        "u_bar[...] = 0\nreturn u_bar"
    )


def test_effects_keep_their_order() -> None:
    calls: list[int] = []

    def record(n: int) -> int:
        calls.append(n)
        return n

    f = function(
        "x.0",
        let("_a.1", record, 1, effect=True),
        let("_b.2", record, 2, effect=True),
        let("_c.3", record, 3, effect=True),
        let("_d.4", operator.sub, "_b.2", "_a.1"),
        results=("_d.4",),
    )
    record.__qualname__ = "record"
    assert load(f, record=record)(0) == 1
    assert calls == [1, 2, 3]


def test_comments_follow_the_lines() -> None:
    f = function(
        "x.0",
        let("y.1", operator.mul, "x.0", 2),
        let("z_bar.2", np.cos, "y.1", origin=LINE_3),
        let("y_bar.3", operator.mul, "z_bar.2", "z_bar.2", origin=LINE_3),
        let("x_bar.4", operator.mul, "y_bar.3", "y_bar.3", origin=LINE_2),
        results=("x_bar.4",),
    )
    assert body_of(f) == (
        "# forward sweep\ny = x * 2\n\n# reverse sweep\n# line 3: z = np.sin(y)\nz_bar = np.cos(y)\n"
        "y_bar = z_bar * z_bar\n# line 2: y = x * 2\nreturn y_bar * y_bar"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "-0.0"),
        (math.pi, "np.pi"),
        (math.inf, "np.inf"),
        (-math.inf, "-np.inf"),
        (math.nan, "np.nan"),
        (slice(1, None), "slice(1, None)"),
        (slice(None, 3), "slice(3)"),
        (..., "..."),
        (np.dtype("float32"), 'np.dtype("float32")'),
        (np.float32, "np.float32"),
        (np.float64(0.5), "np.float64(0.5)"),
        ((1, (2.0, None)), "1, (2.0, None)"),
        (range(3), "range(3)"),
        (float, "float"),
        (complex(1, -2), "complex(1.0, -2.0)"),
        (np.bool_(True), "np.bool(True)"),
    ],
    ids=repr,
)
def test_constants(value: Any, text: str) -> None:
    f = function("x.0", results=(Const(value),))
    assert body_of(f) == f"return {text}"
    assert repr(load(f)(0)) == repr(value)


def test_indices() -> None:
    f = function(
        "x.0 i.1",
        let("_s.2", slice, "i.1", None, None),
        let("_t.3", ir.Make("tuple"), "_s.2", slice(None, None, 2), None, ...),
        let("_a.4", operator.getitem, "x.0", "_t.3"),
        results=("_a.4",),
    )
    assert body_of(f) == "return x[i:, ::2, None, ...]"


def test_operators_that_have_words() -> None:
    f = function(
        "x.0 y.1",
        let("_c.2", operator.contains, "y.1", "x.0"),
        let("_n.3", operator.not_, "_c.2"),
        let("_i.4", operator.is_not, "x.0", None),
        let("_t.5", operator.truth, "x.0"),
        results=("_n.3", "_i.4", "_t.5"),
    )
    assert body_of(f) == "return x not in y, x is not None, operator.truth(x)"
    assert load(f)(1, [1]) == (False, True, True)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (len, ("", "len")),
        (np.sin, ("import numpy as np", "np.sin")),
        (np.linalg.norm, ("import numpy as np", "np.linalg.norm")),
        (np.add.at, ("import numpy as np", "np.add.at")),
        (np.float32, ("import numpy as np", "np.float32")),
        (math.sin, ("import math", "math.sin")),
        (operator.truth, ("import operator", "operator.truth")),
        (unbroadcast, ("from srcgrad.runtime import unbroadcast", "unbroadcast")),
    ],
)
def test_paths(target: Any, path: tuple[str, str]) -> None:
    assert path_of(target) == path


def test_imports_are_those_that_the_text_needs() -> None:
    f = function(
        "x.0",
        let("_a.1", math.sin, "x.0"),
        let("_b.2", unbroadcast, "_a.1", "x.0"),
        let("_c.3", operator.add, "_b.2", math.inf),
        results=("_c.3",),
    )
    assert imports_of(f) == ["import math", "import numpy as np", "from srcgrad.runtime import unbroadcast"]


def test_parameters_structure_and_docstring() -> None:
    params = (Param("a.0", 0), Param("b.1", 1, "2"), Param("args.2", 2), Param("c.3", 3, "None"), Param("kw.4", 4))
    f = Function(
        "g", params, block(results=("a.0", "b.1", "c.3")), structure=("leaf", ["leaf", "leaf"]), doc="First.\n\nSecond."
    )
    assert module_text([f], "Header.") == (
        '"""Header."""\n\n\ndef g(a, /, b=2, *args, c=None, **kw):\n    """First.\n\n    Second.\n    """\n'
        "    return a, [b, c]\n"
    )


def test_a_loaded_module_shows_its_lines() -> None:
    f = function("x.0", let("y.1", operator.truediv, 1, "x.0"), results=("y.1",))
    raised = load(f)
    linecache.checkcache()
    with pytest.raises(ZeroDivisionError) as caught:
        raised(0)
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert frame.filename.startswith("<srcgrad f-")
    assert frame.line == "y = 1 / x"
    assert load(f).__code__.co_filename == raised.__code__.co_filename


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple):
        return isinstance(b, list | tuple) and len(a) == len(b) and all(map(equal, a, b))
    return bool(np.array_equal(a, b))


@pytest.mark.parametrize("start", range(0, 600, 50))
def test_random_functions_compute_the_same(start: int) -> None:
    for seed in range(start, start + 50):
        f = generator.Generator(seed).function()
        raised = load(f, _total=generator._total)
        for first in ([0, 1, 2, 3], [3, -1, 0, 7]):
            args = [np.array(first), np.array([1, 2, -3, 1]), np.array([1, 1, 2, 0])]
            with np.errstate(over="ignore"):
                expected = interpreter.run(f, *[arg.copy() for arg in args])
                assert equal(list(raised(*args)), expected), (seed, module_text([f], ""))


def test_long_straight_code_is_raised_in_linear_time() -> None:
    """Three thousand values, all of them needed in the reverse sweep; a quadratic pass takes minutes here."""
    n = 3000
    forward = [let(f"y.{i + 1}", operator.mul, f"y.{i}" if i else "x.0", "x.0") for i in range(n)]
    back = [let(f"x_bar.{n + 1 + i}", operator.add, f"x_bar.{n + i}" if i else "x.0", f"y.{n - i}") for i in range(n)]
    f = function("x.0", *forward, *back, results=(f"x_bar.{2 * n}",))
    assert body_of(f).count("\n") > n
