"""Every kind of node of the running Python's grammar: differentiated right, or refused at its place.

A table maps the name of a kind to small programs that hold it, each a module's text with one function `f` of one
number. A Python that has a kind without entry fails here.
"""

from __future__ import annotations

import _ast
import ast
import importlib.util
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from srcgrad import grad, value_and_grad
from srcgrad.errors import UnsupportedSyntax
from tests.differences import gradient

POINT = 1.3
HEADER = """\
import contextlib
import math
from dataclasses import dataclass

import numpy as np

COUNTER = 0.0


"""


def function(body: str, head: str = "def f(x):") -> str:
    """The text of a function."""
    return head + "\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def returns(*expressions: str) -> tuple[str, ...]:
    """One function for each expression, which it returns."""
    return tuple(function(f"return {expression}") for expression in expressions)


def bodies(*texts: str) -> tuple[str, ...]:
    return tuple(function(text) for text in texts)


MATCH = "match x > 1:\n    case {}:\n        y = x * x\n    case _:\n        y = x\nreturn y * x"
SUBJECTS = "p = (x, 2 * x)\nmatch p:\n    case {}:\n        return a * b\nreturn x"

STATEMENTS = {
    "FunctionDef": bodies(
        "def g(v, w=2.0):\n    return v * w * x\nreturn g(x) + g(w=x, v=3.0)",
        "def g(*vs, scale=1.0, **rest):\n    return vs[0] * vs[1] * scale * rest['a']\nreturn g(x, x, scale=x, a=x)",
        "def twice(g):\n    return lambda v: g(g(v))\n@twice\ndef h(v):\n    return v * x\nreturn h(x)",
        "def power(n):\n    return 1.0 if n == 0 else x * power(n - 1)\nreturn power(3)",
    ),
    "AsyncFunctionDef": (
        function("return x * x", "async def f(x):"),
        function("async def g(v):\n    return v * v\nreturn x * x"),
    ),
    "ClassDef": bodies(
        "class C:\n    a = x * 2\nreturn C.a * x", "class C:\n    def g(self):\n        return x\nreturn C().g() * x"
    ),
    "Return": bodies("return x * x", "if x > 1:\n    return x * x\nreturn x"),
    "Delete": bodies(
        "y = x * x\nz = y\ndel y\nreturn z * x",
        "d = {'a': x, 'b': x * x}\ndel d['a']\nreturn d['b'] * len(d)",
        "v = [x, x * x]\ndel v[0]\nreturn v[0]",
    ),
    "Assign": bodies(
        "y = z = x * x\nz = z * x\nreturn y + z",
        "(a, b), c = (x, x * x), 2.0\nreturn a * b * c",
        "y = np.zeros(3)\ny[0], y[1] = x, x * x\nreturn y[0] * y[1]",
        "a, *b = x, x * x, x**3\nreturn a * b[0] * b[1]",
    ),
    "AugAssign": bodies(
        "y = x\ny *= x\ny += 1\nreturn y * x",
        "y = np.ones(3)\ny[1:] += x\ny *= x\nreturn np.sum(y)",
        "v = [x]\nv += [x * x]\nreturn v[0] * v[1]",
        "v = [x, 1.0]\nv[1] *= x\nreturn v[0] * v[1]",
    ),
    "AnnAssign": bodies("y: float = x * x\nz: int\nreturn y * x"),
    "For": bodies(
        "y = x\nfor i in range(3):\n    y = y * x + i\nreturn y",
        "y = x\nfor v in [x, 2.0]:\n    if v == 2.0:\n        break\n    y = y * v\nelse:\n    y = 0.0\nreturn y",
        "y = 0.0\nfor k, v in {'a': x, 'b': 2 * x}.items():\n    y += v * len(k)\nreturn y",
    ),
    "AsyncFor": (function("async for v in x:\n    pass\nreturn x", "async def f(x):"),),
    "While": bodies(
        "y = x\nwhile y < 10:\n    y = y * x\nreturn y",
        "n = 0\nwhile n < 2:\n    n += 1\nelse:\n    x = x * x\nreturn x",
    ),
    "If": bodies("if x > 2:\n    y = x\nelif x > 1:\n    y = x**3\nelse:\n    y = 1.0\nreturn y * x"),
    "With": bodies(
        "with np.errstate(all='ignore'):\n    y = x * x\nreturn y * x",
        "with contextlib.nullcontext(x) as y, contextlib.suppress(KeyError):\n    z = y * y\nreturn z",
        "with contextlib.suppress(ZeroDivisionError):\n    x = x * x\n    x = x / 0.0\n    x = 1.0\nreturn x",
    ),
    "AsyncWith": (function("async with x as y:\n    pass\nreturn x", "async def f(x):"),),
    "Raise": bodies(
        "if x < 0:\n    raise ValueError(f'{x} is negative')\nreturn x * x",
        "if x < 0:\n    raise ValueError from KeyError()\nreturn x * x",
    ),
    "Try": bodies(
        "try:\n    y = math.sqrt(x - 5)\nexcept ValueError:\n    y = x * x\nreturn y",
        "y = x\ntry:\n    y *= x\nexcept KeyError as e:\n    y = e\nelse:\n    y *= x\nfinally:\n    y *= 2\nreturn y",
        "try:\n    return x * x\nfinally:\n    x = 0.0",
    ),
    "TryStar": bodies("try:\n    y = x * x\nexcept* ValueError:\n    y = x\nreturn y * x"),
    "Assert": bodies("assert x > 0, 'positive'\nassert x\nreturn x * x"),
    "Import": bodies(
        "import math as m\nreturn m.sin(x)", "import numpy.linalg\nreturn numpy.linalg.norm(np.array([x, 1.0]))"
    ),
    "ImportFrom": bodies("from math import sin, cos as c\nreturn sin(x) * c(x)"),
    "Global": bodies("global COUNTER\nCOUNTER = x * 2\nreturn COUNTER * x", "global COUNTER\nreturn COUNTER + x * x"),
    "Nonlocal": bodies(
        "total = 0.0\ndef add(v):\n    nonlocal total\n    total = total + v * v\nadd(x)\nadd(2 * x)\nreturn total"
    ),
    "Expr": bodies("'text'\nx * 3\nv = []\nv.append(x * x)\nreturn v[0] * x"),
    "Pass": bodies("if x > 1:\n    pass\nreturn x * x"),
    "Break": bodies("for i in range(9):\n    x = x * x\n    if x > 3:\n        break\nreturn x"),
    "Continue": bodies("y = x\nfor i in range(4):\n    if i % 2:\n        continue\n    y = y * x\nreturn y"),
    "Match": bodies(
        MATCH.format("True"),
        "match 3:\n    case 1 | 2:\n        return x\n    case n if n > 2:\n        return x * n * x",
    ),
    "TypeAlias": bodies("type Number = float\ny: Number = x * x\nreturn y * x"),
}
PATTERNS = {
    "MatchValue": bodies("match len('ab'):\n    case 2:\n        return x * x\nreturn x"),
    "MatchSingleton": bodies(MATCH.format("True"), MATCH.format("None")),
    "MatchSequence": bodies(SUBJECTS.format("(a, b)"), SUBJECTS.format("[a, b, 3.0]")),
    "MatchStar": bodies("match (x, 2 * x, x * x):\n    case (a, *b):\n        return a * b[1]\nreturn x"),
    "MatchMapping": bodies(
        "match {'a': x, 'b': 2 * x}:\n    case {'a': a, **rest}:\n        return a * rest['b']\nreturn x"
    ),
    "MatchClass": bodies("match x:\n    case float(v) | int(v):\n        return v * v\nreturn x"),
    "MatchAs": bodies(
        "match round(x):\n    case (1 | 2) as v:\n        return v * x * x\nreturn x", SUBJECTS.format("(a, b) as c")
    ),
    "MatchOr": bodies("match x > 1:\n    case False | None:\n        return x\n    case _:\n        return x * x"),
    "match_case": bodies(MATCH.format("flag if flag and x < 2")),
}
EXPRESSIONS = {
    "BoolOp": returns("(x > 1 and x * x) + (x < 1 or 2 * x)"),
    "NamedExpr": returns("(y := x * x) * y") + bodies("if (y := x * x) > 1:\n    return y * x\nreturn x"),
    "BinOp": returns("x + 2 * x - x / 3"),
    "UnaryOp": returns("-x * x"),
    "Lambda": returns("(lambda v, w=2.0, *, u: v * w * u * x)(x, u=x)", "sorted([x, 1.0], key=lambda v: -v)[0] * x"),
    "IfExp": returns("x * x if x > 1 else x", "(x if x > 2 else x**3) * x"),
    "Dict": returns("{'a': x, 'b': x * x}['b'] * x", "{**{'a': x}, 'b': 2.0}['a'] * x"),
    "Set": returns("len({1, 2, 2}) * x * x", "sum({x, 2 * x}) * x"),
    "ListComp": returns("sum([x * i for i in range(4) if i % 2])", "[v * w for v in (x, 1.0) for w in (x, 2.0)][0]"),
    "SetComp": returns("len({i % 2 for i in range(4)}) * x * x"),
    "DictComp": returns("{i: x**i for i in range(4)}[3] * x"),
    "GeneratorExp": returns("sum(x**i for i in range(4))", "max(x * i for i in (1, 3, 2)) * x"),
    "Await": (function("return await x", "async def f(x):"),),
    "Yield": bodies("yield x * x"),
    "YieldFrom": bodies("yield from (x, x * x)"),
    "Compare": returns("(0 < x <= 2 != 3) * x * x"),
    "Call": returns(
        "math.hypot(x, 2.0)", "max(x, 0.5) * abs(-x)", "math.hypot(*(x, 2.0))", "dict(**{'a': x})['a'] * x"
    ),
    "FormattedValue": bodies("s = f'{x!r:>9} {x:.2f} {x}'\nreturn len(s) * 0.0 + x * x"),
    "JoinedStr": bodies("d = {f'k{1}': x * x}\nreturn d['k1'] * x"),
    "Constant": returns(
        "x * 2 * 1.5 * True", "x * (1j * 1j).real", "x if None is ... else x * x", "x * len(b'ab') * len('c')"
    ),
    "Attribute": returns("np.array([x, x * x]).T.sum() * math.pi"),
    "Subscript": returns("(x, x * x)[1] * x", "np.array([x, 2.0])[0] ** 2", "[x, 2 * x][-1]"),
    "Starred": returns("max(*[x, 0.5]) * x", "sum((*(x, x), x * x))"),
    "Name": returns("x * x"),
    "List": returns("[x, [x * x]][1][0] * x") + bodies("[a, b] = [x, x * x]\nreturn a * b"),
    "Tuple": returns("(x, (x * x,))[1][0] * x", "sum((x, 2.0) + (x * x,))", "sum((x, x * x) * 2)"),
    "Slice": returns("np.sum(np.array([x, 2 * x, x * x])[::-2])", "np.sum((x * np.arange(6.0).reshape(2, 3))[1:, :2])"),
    "TemplateStr": returns("len(t'{x}'.strings) * x * x"),
    "Interpolation": returns("t'{x}'.interpolations[0].value * x"),
}
NUMBERS = "np.sum(np.arange(4) {} 1) * x * x"
OPERATORS = {
    "Add": returns("x + x * x"),
    "Sub": returns("x * x - 2 * x"),
    "Mult": returns("x * x"),
    "MatMult": returns("np.array([x, 2.0]) @ np.array([x, x])")
    + bodies("v = np.array([x, 1.0])\nm = np.eye(2)\nm @= m * x\nreturn v @ m @ v"),
    "Div": returns("2.0 / x + x / 3"),
    "Mod": returns("5.0 % x + x % 0.5"),
    "Pow": returns("x**3 + 2.0**x + x**x"),
    "LShift": returns(NUMBERS.format("<<"), "(2 << 3) * x * x"),
    "RShift": returns(NUMBERS.format(">>"), "(9 >> 1) * x * x"),
    "BitOr": returns(NUMBERS.format("|"), "((x > 1) | (x < 0)) * x * x", "x * x if isinstance(x, int | float) else x"),
    "BitXor": returns(NUMBERS.format("^"), "((x > 1) ^ (x < 0)) * x * x"),
    "BitAnd": returns(NUMBERS.format("&"), "np.sum(np.where((np.array([x, 1.0]) > 1) & True, x * x, x))"),
    "FloorDiv": returns("(7.0 // x) * x", NUMBERS.format("//")),
    "And": returns("x * x if x > 1 and x < 2 else x", "(x and x * x) * x"),
    "Or": returns("x * x if x > 2 or x < 2 else x", "(0.0 or x) * x"),
    "Invert": returns("np.sum(np.where(~(np.array([x, 0.5]) > 1), x, x * x))", "~2 * x * x"),
    "Not": returns("x * x if not x > 2 else x"),
    "UAdd": returns("+x * x", "np.sum(+np.array([x, x * x]))"),
    "USub": returns("-x * -(x**2)", "np.sum(-np.array([x, x * x]))"),
    "Eq": returns("x * x if round(x) == 1 else x", "np.sum(np.where(np.arange(3) == 1, x * x, x))"),
    "NotEq": returns("x * x if 'a' != 'b' else x"),
    "Lt": returns("x * x if x < 2 else x"),
    "LtE": returns("x * x if 1 <= x else x"),
    "Gt": returns("np.sum(np.array([x, x * x])[np.array([x, 0.5]) > 1])"),
    "GtE": returns("x * x if x >= 1 else x"),
    "Is": returns("x * x if x is x else x", "x if x is None else x * x"),
    "IsNot": returns("x * x if x is not None else x"),
    "In": returns("x * x if 2 in (1, 2) else x", "x * x if 'a' in {'a': x} else x"),
    "NotIn": returns("x * x if 3 not in [1, 2] else x"),
}
PARTS = {
    "Load": returns("x * x"),
    "Store": bodies("y = x\ny = y * x\nreturn y"),
    "Del": bodies("y = x * x\nz = y * x\ndel y\nreturn z"),
    "comprehension": returns("sum([a * b * x for a in range(3) if a for b in (x, 1.0) if b > 1])"),
    "ExceptHandler": bodies(
        "try:\n    y = {}['a']\nexcept KeyError:\n    y = x * x\nreturn y * x",
        "try:\n    y = math.sqrt(x - 5)\nexcept ValueError:\n    y = x * x\nreturn y",
        "try:\n    y = [x][1]\nexcept (KeyError, IndexError) as e:\n    y = x * x * len(str(e))\nreturn y",
        "try:\n    raise ValueError\nexcept KeyError:\n    y = x\nexcept:\n    y = x**3\nelse:\n    y = 0.0\nreturn y",
        "for v in (1.0, 0.0, 2.0):\n    try:\n        x = x * (1 / v)\n    except ArithmeticError:\n        continue\n"
        "return x * x",
        "try:\n    try:\n        x = x / 0\n    except ArithmeticError:\n        raise\n"
        "except Exception:\n    return x * x\nfinally:\n    z = 1.0\nreturn x",
    ),
    "arguments": (
        function("return x * a * b * c", "def f(x, /, a=2.0, *, b=3.0, c=0.5):"),
        function("return x * x + len(rest) + len(named)", "def f(x, *rest, **named):"),
    ),
    "arg": (function("return x * x", "def f(x: float) -> float:"),),
    "keyword": returns("np.sum(np.array([[x, x * x]]), axis=1, keepdims=True)[0, 0]"),
    "alias": bodies("from math import sin as s\nreturn s(x)"),
    "withitem": bodies("with contextlib.nullcontext(x * x) as y:\n    z = y * x\nreturn z"),
    "TypeVar": (
        function("return x * x", "def f[T](x: T) -> T:"),
        function("def g[T: float](v: T) -> T:\n    return v * v\nreturn g(x)"),
    ),
    "ParamSpec": (function("return x * x", "def f[**P](x):"),),
    "TypeVarTuple": (function("return x * x", "def f[*Ts](x):"),),
}
TABLE = {**STATEMENTS, **PATTERNS, **EXPRESSIONS, **OPERATORS, **PARTS}

# What semantics refuses by name: never differentiated.
REFUSED = frozenset("AsyncFunctionDef AsyncFor AsyncWith Await Yield YieldFrom".split())
# Kinds some of whose programs may be refused; all programs of the others are differentiated.
MAY_BE_REFUSED = frozenset(PATTERNS) | frozenset(
    """
    FunctionDef ClassDef Delete Assign AugAssign For With Raise Try TryStar Import ImportFrom Global Nonlocal Match
    TypeAlias Lambda Dict Set SetComp DictComp GeneratorExp ListComp Call BoolOp Starred List alias withitem
    arguments TemplateStr Interpolation
    """.split()
)

NEWER = {"TypeAlias": (3, 12), "TypeVar": (3, 12), "ParamSpec": (3, 12), "TypeVarTuple": (3, 12),
         "TemplateStr": (3, 14), "Interpolation": (3, 14)}  # fmt: skip


def concrete_kinds() -> Iterator[str]:
    """The kinds of node that a parsed function can hold: no module kinds, no abstract ones."""
    kinds = [k for k in vars(_ast).values() if isinstance(k, type) and issubclass(k, ast.AST)]
    for kind in kinds:
        is_base = any(other is not kind and issubclass(other, kind) for other in kinds)
        if not is_base and not issubclass(kind, ast.mod | ast.type_ignore):
            yield kind.__name__


def test_every_kind_of_this_grammar_has_an_entry() -> None:
    kinds = set(concrete_kinds())
    assert {"While", "MatchStar", "Interpolation" if sys.version_info >= (3, 14) else "FormattedValue", "UAdd"} <= kinds
    assert sorted(kinds - TABLE.keys()) == []
    assert sorted(kind for kind in TABLE.keys() - kinds if sys.version_info >= NEWER.get(kind, (3, 11))) == []
    assert TABLE.keys() >= REFUSED | MAY_BE_REFUSED


PROGRAMS = [
    pytest.param(kind, text, id=f"{kind}-{i}")
    for kind, texts in TABLE.items()
    if sys.version_info >= NEWER.get(kind, (3, 11))
    for i, text in enumerate(texts)
]


@pytest.mark.parametrize(("kind", "text"), PROGRAMS)
def test_the_program_holds_the_kind(kind: str, text: str) -> None:
    assert any(type(node).__name__ == kind for node in ast.walk(ast.parse(text)))


def load(text: str, file: Path) -> ModuleType:
    file.write_text(HEADER + text)
    spec = importlib.util.spec_from_file_location("program", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_names_its_place(error: UnsupportedSyntax, file: Path) -> None:
    lines = file.read_text().splitlines()
    assert error.offences
    for offence in error.offences:
        place = offence.place
        assert place is not None, f"no place in: {offence}"
        assert Path(place.file).name == file.name
        assert HEADER.count("\n") < place.line <= len(lines)
        assert 1 <= place.column <= len(lines[place.line - 1])
        assert place.text.rstrip() == lines[place.line - 1].rstrip()
        assert lines[place.line - 1][place.column - 1] != " "
        assert f"{place.file}:{place.line}:{place.column}" in str(error)


def expected_derivative(f: Callable[[float], float]) -> float:
    slope: float = gradient(lambda x: float(f(x)), POINT)
    return slope


@pytest.mark.parametrize("options", [{}, {"specialize": False}, {"optimize": False}], ids=["all", "untyped", "none"])
@pytest.mark.parametrize(("kind", "text"), PROGRAMS)
def test_right_or_refused(kind: str, text: str, options: dict[str, bool], tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    f = load(text, file).f
    refusal: UnsupportedSyntax | None = None
    try:
        actual = grad(f, **options)(POINT)
    except UnsupportedSyntax as error:
        refusal = error
    if refusal is not None:
        assert kind in REFUSED | MAY_BE_REFUSED, f"refused: {refusal}"
        assert_names_its_place(refusal, file)
        return
    assert kind not in REFUSED, "differentiated, although it is refused by name"
    assert isinstance(actual, float)
    assert actual == pytest.approx(expected_derivative(f), rel=1e-8, abs=1e-9)
    value, again = value_and_grad(f, **options)(POINT)
    assert (value, type(value)) == (f(POINT), type(f(POINT)))
    assert again == actual


def test_what_the_table_calls_right_is_right_by_hand() -> None:
    """The differences that the other tests compare with are themselves right."""
    scope: dict[str, Callable[[float], float]] = {}
    exec(TABLE["Mult"][0], scope)
    assert expected_derivative(scope["f"]) == pytest.approx(2.6, rel=1e-9)
