"""The printer: printed text parses back to the same tree, is formatted, and is short enough."""

from __future__ import annotations

import ast
import dataclasses
import fractions
import inspect
import statistics
import textwrap
from types import ModuleType

import gast
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from srcgrad.emit.layout import WIDTH
from srcgrad.emit.printer import Blank, Comment, print_tree

EXPRESSIONS = """\
x[1:, ::2]
x[i + 1 :, : n - 1, f(a) : g(b) : 2]
x[:, None, ...]
x[1:,]
x[a,]
x[()]
x[a, b][c]
x[-1:]
(a, b)[0]
-x
-(x**2)
(-x) ** 2
(-1) ** 2
2**-1
2**-x
x ** (y**z)
(x**y) ** z
x.y**2
x[0] ** f(2)
a - (b - c)
a - b - c
a / (b * c)
a * b / c
a @ b @ c
a @ (b @ c)
a + b * c
(a + b) * c
a << b | c & d ^ e
(a | b) & c
~a + b
not a
not (a and b)
not a == b
(not a) == b
a < b <= c
(a < b) < c
a is not None
a not in b
a and (b and c)
a and b or c and d
a and (b or c)
(a or b) and c
a if b else c
(a if b else c) if d else e
a if b else c if d else e
(a if b else c) + 1
lambda: 0
lambda x, *args, y=1, **kwargs: x + y
(lambda x: x)(1)
f(lambda x: (x, 1))
(1).real
1.5.real
1j.real
(-1).real
(a + b).T
"a".join(b)
f(*args, **kwargs)
f(*(a or b))
f(a, key=b if c else d)
f(x for x in y)
f((x for x in y), 1)
[x for x in y if x if z]
[x for x in (a if b else c)]
[(x, y) for x, y in z for w in v]
{x: y for x, y in z}
{**a, "b": 1, **c}
{1, 2}
{}
[]
()
(a,)
(a, b)
[*a, b]
(y := f(x))
f(y := 1)
f(x=(y := 1))
[y := 1, y**2]
"it's"
'say "so"'
"both \\" and '"
"line\\nbreak\\t\\\\"
b"bytes\\xff\\""
"caf\\xe9"
f"{x}"
f"{x!r:>{width}.3f} and {{braces}}"
f"{x['key']}"
f"{a + b} {'text'}"
f'{x["a"]}"quoted"'
f"{ {1: 2}[1]}"
f"{(lambda: 1)()}"
u"unicode"
...
None
True
1e309
1_000_000
1e-10
0xFF
-1e309
(yield)
(yield x)
(yield from x)
(x, (yield))
a.b.c(d)[e](f)
not not a
- -a
+a
a if (b := c) else d
"""

STATEMENTS = '''\
x = y = 1
a, b = b, a
a, = b
(a, b), c = d
a, *b = c
x += 1
x[i] -= y if c else z
x: int = 1
x: int
(x): int = 1
x.y: list[int] = []
return_ = yield_
del a, b[0]
pass
assert x, "message"
assert (x, y)
raise
raise E(x) from e
import numpy as np, math
from a.b import c as d, e
from . import x
from ..a import *
global a, b
if a: pass
elif b: x
else: y
if a:
    pass
else:
    if b: x
    z
while x: break
else: y
while (y := f()): continue
for i, (a, b) in c: pass
else: d
for x in a, b: pass
for x in *a, b: pass
with a as b, c: pass
with a as (b, c): pass
try: a
except E as e: b
except (F, G): c
except: d
else: e
finally: f
try: a
finally: b
def f(): return
def f(a, b=1, /, c=2, *, d, e=3, **g): return a, b
def f(*args: int, x: str = "s") -> dict[str, int]: return *args, x
def f(a, /): pass
@a.b(c)
@d
def f():
    """Doc."""
    def g(): return 1
    x = 1
    def h(): pass
    return g
def f():
    """First line.

    More \\\\ text "quoted".
    """
def f():
    'ends with a quote"'
class A: pass
class A(B, metaclass=C):
    """Doc."""
    x: int = 1
    def f(self): pass
async def f():
    async with a as b: pass
    async for x in y: await z
    return (await x) ** 2, [x async for x in y], await f(x)
def f():
    x = yield
    y = yield x, 1
    yield from z
    return
lambda: (yield)
"""Module text."""
x = """a
b"""
'''


def trees(text: str) -> list[str]:
    """Statements one by one: a line that is indented, or continues a statement, belongs to what is before it."""
    words = ("elif", "else", "except", "finally")
    found: list[str] = []
    for node in ast.parse(text).body:
        found.append(ast.get_source_segment(text, node) or "")
        first = getattr(node, "decorator_list", [])
        if first:
            found[-1] = "".join(f"@{ast.unparse(item)}\n" for item in first) + found[-1]
    assert not any(piece.startswith(words) for piece in found)
    return found


def check(source: str) -> str:
    tree = gast.parse(source)
    text = print_tree(tree)
    again = gast.parse(text)
    assert gast.dump(again) == gast.dump(tree), text
    assert print_tree(again) == text
    return text


@pytest.mark.parametrize("source", EXPRESSIONS.splitlines())
def test_an_expression_parses_back(source: str) -> None:
    check(source)


@pytest.mark.parametrize("source", trees(STATEMENTS))
def test_a_statement_parses_back(source: str) -> None:
    check(source)


@pytest.mark.parametrize("module", [ast, dataclasses, fractions, inspect, statistics, textwrap])
def test_whole_modules_parse_back(module: ModuleType) -> None:
    source = inspect.getsource(module)
    if any(type(node).__name__ == "Match" for node in ast.walk(ast.parse(source))):
        pytest.skip("`match` is not in the language of generated code")
    check(source)


@pytest.mark.parametrize(
    "text",
    [
        "-(x**2)",
        "a - b - c",
        "a - (b - c)",
        "x[1:, ::2]",
        "x[i + 1 :, :-1]",
        "u[2:] ** 2",
        "x.y**2 + 3**-x",
        "a if b else c if d else e",
        "not a == b",
        "f(x=(y := 1))",
        "(1).real",
        "(-1) ** 2",
        'f"{x!r:>10}"',
        "a not in b",
    ],
)
def test_only_needed_parentheses_and_blanks(text: str) -> None:
    assert print_tree(gast.parse(text)) == text


def long_names(n: int) -> str:
    return " + ".join(f"operand_number_{i:03}" for i in range(n))


LONG = {
    "sum": (f"y = {long_names(6)}", "y = (\n    operand_number_000\n    + operand_number_001\n"),
    "call": (f"y = f({long_names(5)}, 1)", "y = f(\n    operand_number_000"),
    "return": (f"def f():\n    return {long_names(6)}, 2", "def f():\n    return (\n        operand_number_000\n"),
    "test": (f"if {long_names(6)}:\n    pass", "if (\n    operand_number_000\n"),
    "subscript": (f"x[{long_names(6)}] += 1", "x[\n    operand_number_000\n"),
    "nested": (f"y = g(f({long_names(6)}), 1)", "y = g(\n    f(\n        operand_number_000\n"),
    "expression": (long_names(6), "(\n    operand_number_000\n"),
    "boolean": (f"y = not ({long_names(6).replace('+', 'and')})", "y = not (\n    operand_number_000\n"),
    "parameters": (f"def f({long_names(8).replace(' +', ',')}):\n    pass", "def f(\n    operand_number_000,\n"),
    "targets": (f"{long_names(6).replace(' +', ',')} = x", "(\n    operand_number_000,\n"),
    "dict": (f"x = {{{', '.join(f'{i}: operand_number_{i}' for i in range(9))}}}", "x = {\n    0: operand_number_0,\n"),
    "for": (f"for x in {long_names(6).replace(' +', ',')}:\n    pass", "for x in (\n    operand_number_000,\n"),
    "assert": (f"assert {long_names(6)}, 1", "assert (\n    operand_number_000\n"),
}


@pytest.mark.parametrize(("source", "start"), LONG.values(), ids=LONG.keys())
def test_long_lines_are_broken(source: str, start: str) -> None:
    text = check(source)
    assert text.startswith(start)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_arguments_stay_on_one_line_where_they_fit() -> None:
    text = check(f"result = some_function({'a' * 30}, {'b' * 30}, {'c' * 30})")
    assert text == f"result = some_function(\n    {'a' * 30}, {'b' * 30}, {'c' * 30}\n)"


def test_comments_and_blanks() -> None:
    body = [Comment("forward sweep"), *gast.parse("y = x").body, Blank(), Comment("line 1:  " + "word " * 40)]
    function = gast.parse("def f(x):\n    pass").body[0]
    function.body = body
    first, comment, statement, blank, long = print_tree(function).split("\n")
    assert (first, comment, statement, blank) == ("def f(x):", "    # forward sweep", "    y = x", "")
    assert long.startswith("    # line 1: word word")
    assert long.endswith("...")
    assert len(long) <= WIDTH


def test_a_block_of_comments_alone_is_a_block() -> None:
    function = gast.parse("def f(x):\n    pass").body[0]
    function.body = [Comment("nothing")]
    assert print_tree(function) == "def f(x):\n    # nothing\n    pass"


def test_empty_lines_around_functions() -> None:
    text = '"""Doc."""\nimport a\nimport b\ndef f(): pass\ndef g(): pass\nx = 1'
    expected = '"""Doc."""\n\nimport a\nimport b\n\n\ndef f():\n    pass\n\n\ndef g():\n    pass\n\n\nx = 1'
    assert print_tree(gast.parse(text)) == expected


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e400j, -0.0, -1, -1.5, -2j, complex(1, -2)])
def test_constants_that_have_no_literal_evaluate(value: complex) -> None:
    text = print_tree(gast.Expression(gast.Constant(value, None)))
    assert repr(eval(text)) == repr(value)
    power = gast.BinOp(gast.Constant(value, None), gast.Pow(), gast.Constant(2, None))
    assert repr(eval(print_tree(power))) == repr(value**2)


def test_nan_evaluates() -> None:
    value = eval(print_tree(gast.Constant(float("nan"), None)))
    assert value != value


def unary(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    shapes = ["-({})", "not ({})", "~({})", "({}).a", "f({})", "({})[0]", "[{}]", "({},)", "lambda: ({})", "x[({}):]"]
    return st.builds(lambda shape, a: shape.format(a), st.sampled_from(shapes), children)


def binary(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = "+ - * / // % @ ** << >> & | ^ < == is in and or".split()
    return st.builds(lambda op, a, b: f"({a}) {op} ({b})", st.sampled_from(operators), children, children)


def several(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    shapes = [
        "({}) if ({}) else ({})",
        "f({}, *({}), k=({}))",
        "x[({}):({}), ({})]",
        "[({}) for x in ({}) if ({})]",
        "{{({}): ({}), **({})}}",
        "f'{{({})}}{{({})!r}}{{({}):>3}}'",
        "({}) < ({}) <= ({})",
        "({}) and ({}) and ({})",
    ]
    return st.builds(lambda s, a, b, c: s.format(a, b, c), st.sampled_from(shapes), children, children, children)


def parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


LEAVES = st.sampled_from(["x", "longer_name", "1", "2.5", "-1", "None", "x.T", "()", "1j"])
SOURCES = st.recursive(LEAVES, lambda c: unary(c) | binary(c) | several(c), max_leaves=25)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=300, deadline=None)
@given(SOURCES)
def test_any_expression_parses_back(source: str) -> None:
    assume(parses(source))  # before Python 3.12 an f-string holds no quotes of its own kind
    check(f"result = {source}")
