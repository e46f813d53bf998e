"""Functions of every origin: their tree, their place in the file, and the objects that their names stand for."""

from __future__ import annotations

import ast
import doctest
import functools
import importlib.util
import inspect
import linecache
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import gast
import pytest

from srcgrad.errors import SourceUnavailable
from srcgrad.frontend.source import MissingName, Source, shown_path, source_of

SCALE = 3.0


def plain(x: Any) -> Any:
    y = x * SCALE
    return y


def passed_on(function: Callable[..., Any], *_: Any) -> Callable[..., Any]:
    return function


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def text_of(source: Source) -> str:
    """The source as Python prints it, to compare with what was written."""
    return ast.unparse(gast.gast_to_ast(source.tree))


def body_of(function: Any) -> str:
    """The text that a lambda's body has in its file."""
    source = source_of(function)
    place = source.place(source.tree.body)
    return place.text[place.column - 1 : place.column - 1 + place.width]


def load(path: Path, text: str, name: str = "module_of_the_test") -> ModuleType:
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Definitions


def test_plain_function_has_the_lines_of_its_file() -> None:
    source = source_of(plain)
    assert isinstance(source.tree, gast.FunctionDef)
    assert source.name == "plain"
    assert source.line == plain.__code__.co_firstlineno
    place = source.place(source.tree.body[0].value)
    assert (place.line, place.column, place.width) == (source.line + 1, 9, len("x * SCALE"))
    assert place.text == "    y = x * SCALE"
    assert Path(place.file).name == "test_source.py"


def test_decorators_are_left_out() -> None:
    @passed_on
    @functools.lru_cache  # a comment
    def inner(x: Any) -> Any:
        return x

    source = source_of(inspect.unwrap(inner))
    assert source.tree.decorator_list == []
    assert source.text(source.line).strip().startswith("def inner")


def test_a_wrapper_is_itself() -> None:
    outside = wrapped(plain)
    assert outside.__name__ == "plain"
    assert source_of(outside).tree.name == "wrapper"
    assert source_of(inspect.unwrap(outside)).tree.name == "plain"


def test_same_name_defined_twice() -> None:
    def first() -> Any:
        def f(x: Any) -> Any:
            return x + 1

        return f

    def second() -> Any:
        def f(x: Any) -> Any:
            return x + 2

        return f

    assert "x + 1" in text_of(source_of(first()))
    assert "x + 2" in text_of(source_of(second()))


class Model:
    def __init__(self, weight: float) -> None:
        self.__weight = weight

    def predict(self, x: Any) -> Any:
        return self.__weight * x

    @staticmethod
    def static(x: Any) -> Any:
        return x - 1

    def with_super(self) -> Any:
        return super().__repr__()

    def __call__(self, x: Any) -> Any:
        return x


def test_methods() -> None:
    model = Model(2.0)
    assert source_of(model.predict).tree.name == "predict"
    assert source_of(model.predict).function is Model.predict
    assert source_of(Model.predict).line == source_of(model.predict).line
    assert source_of(Model.static).tree.name == "static"
    assert source_of(Model.with_super).where("__class__") == "cell"


def test_generators_and_coroutines_have_source() -> None:
    def generator(x: Any) -> Any:
        yield x

    async def coroutine(x: Any) -> Any:
        return x

    assert isinstance(source_of(generator).tree, gast.FunctionDef)
    assert isinstance(source_of(coroutine).tree, gast.AsyncFunctionDef)


def test_functions_that_assert_are_found_though_pytest_rewrites_them() -> None:
    def checked(x: Any) -> Any:
        assert x > 0, "positive"
        return x

    def outer(x: Any) -> Any:
        def inner(y: Any) -> Any:
            assert y
            return y

        return inner(x)

    assert any(name.startswith("@py") for name in checked.__code__.co_varnames)
    assert source_of(checked).tree.name == "checked"
    assert source_of(outer).tree.name == "outer"


# Lambdas


def test_lambdas_of_one_line() -> None:
    fs = [lambda x: x * 2, lambda x: x * 3, lambda y: y * 2, lambda x: (x + 1)]
    assert [body_of(f) for f in fs] == ["x * 2", "x * 3", "y * 2", "x + 1"]


def test_equal_lambdas_of_one_line_have_their_own_columns() -> None:
    fs = [lambda x: x - 1, lambda x: x - 1]
    first, second = (source_of(f).tree.col_offset for f in fs)
    assert first < second


def test_lambdas_with_constant_bodies() -> None:
    fs = [lambda: 5, lambda: 6, lambda: 5.0, lambda: None]
    assert [source_of(f).tree.body.value for f in fs] == [5, 6, 5.0, None]
    assert [type(source_of(f).tree.body.value) for f in fs] == [int, int, float, type(None)]


def test_nested_lambdas() -> None:
    outer: Callable[[Any], Any] = lambda x: (lambda y: x * y)  # noqa: E731
    assert body_of(outer) == "lambda y: x * y"
    assert body_of(outer(2)) == "x * y"


def test_lambda_in_a_default_a_dict_and_a_call() -> None:
    def f(x: Any, g: Any = lambda a: a + 1, h: Any = lambda a: a + 2) -> Any:
        return g(x) + h(x)

    table = {"a": lambda v: v**2, "b": lambda v: v**3}
    both = passed_on(lambda v: v + 10, passed_on(lambda v: v + 20))
    assert [body_of(d) for d in f.__defaults__ or ()] == ["a + 1", "a + 2"]
    assert [body_of(table[k]) for k in "ab"] == ["v**2", "v**3"]
    assert body_of(both) == "v + 10"


def test_lambda_over_several_lines() -> None:
    f = passed_on(
        lambda x, y=1: (
            x
            + y
        )
    )  # fmt: skip
    source = source_of(f)
    assert isinstance(source.tree, gast.Lambda)
    assert source.place(source.tree.body).text.strip() == "x"
    assert source.place(source.tree.body.right).text.strip() == "+ y"


def test_lambda_with_a_conditional_and_a_comprehension() -> None:
    fs = [lambda x: x if x else -x, lambda x: [v + 1 for v in x], lambda x: x and 1]
    assert [body_of(f) for f in fs] == ["x if x else -x", "[v + 1 for v in x]", "x and 1"]


# Places


def test_columns_count_characters() -> None:
    f = lambda x: "é" + x  # noqa: E731
    source = source_of(f)
    place = source.place(source.tree.body.right)
    assert place.text[place.column - 1] == "x"
    assert place.width == 1


def test_a_node_over_several_lines_is_shown_to_the_end_of_its_first() -> None:
    source = source_of(body_of)
    place = source.place(source.tree)
    assert place.text[place.column - 1 :] == "def body_of(function: Any) -> str:"
    assert place.width == len(place.text)


def test_a_node_without_a_position_is_at_the_function() -> None:
    source = source_of(plain)
    assert source.place(gast.Pass()).line == source.line


def test_paths_below_the_current_directory_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(str(tmp_path / "a" / "b.py")) == str(Path("a", "b.py"))
    assert shown_path(str(tmp_path) + "x.py") == str(tmp_path) + "x.py"
    assert shown_path("<ipython-input-1>") == "<ipython-input-1>"


# Names


def test_where_names_live() -> None:
    offset = 1.0

    def f(x: Any) -> Any:
        return abs(x) * SCALE + offset + missing  # type: ignore[name-defined] # noqa: F821

    source = source_of(f)
    assert [source.where(n) for n in ("offset", "SCALE", "abs", "missing")] == ["cell", "global", "builtin", "missing"]
    assert (source.lookup("offset"), source.lookup("SCALE"), source.lookup("abs")) == (1.0, 3.0, abs)
    assert source.free_names == ("SCALE", "abs", "missing", "offset")
    with pytest.raises(MissingName):
        source.lookup("missing")


def test_cells_are_read_when_asked() -> None:
    value = 1

    def f() -> Any:
        return value

    source = source_of(f)
    value = 2
    assert source.lookup("value") == 2


def test_an_empty_cell_has_no_value() -> None:
    def f() -> Any:
        return later

    source = source_of(f)
    assert source.where("later") == "cell"
    with pytest.raises(MissingName):
        source.lookup("later")
    later = 1
    assert source.lookup("later") == 1


def test_free_names_of_functions_inside() -> None:
    def f(x: Any) -> Any:
        def g(y: Any) -> Any:
            return math.sin(y) + x

        return [g(v) for v in x if SCALE]

    assert source_of(f).free_names == ("SCALE", "math")


def test_two_closures_of_one_code_share_the_tree() -> None:
    def make(n: int) -> Callable[[Any], Any]:
        return lambda x: x * n

    first, second = source_of(make(1)), source_of(make(2))
    assert first.tree is second.tree
    assert (first.lookup("n"), second.lookup("n")) == (1, 2)


def test_nothing_is_written() -> None:
    before = dict(globals())
    source = source_of(plain)
    source.lookup("abs")
    assert dict(globals()) == before


# Other origins


def test_code_of_exec_with_text_in_linecache() -> None:
    text = "a = 1\n\ndef f(x):\n    return x * a\n"
    linecache.cache["<generated 1>"] = (len(text), None, text.splitlines(True), "<generated 1>")
    names: dict[str, Any] = {}
    exec(compile(text, "<generated 1>", "exec"), names)
    source = source_of(names["f"])
    assert (source.file, source.line, source.lookup("a")) == ("<generated 1>", 3, 1)


def test_code_of_exec_without_text() -> None:
    names: dict[str, Any] = {}
    # Python 3.13 keeps the text of `python -c` under "<string>", the name that `exec` gives.
    exec(compile("def f(x):\n    return x", "<no text>", "exec"), names)
    with pytest.raises(SourceUnavailable, match="linecache"):
        source_of(names["f"])


def test_a_notebook_cell_that_awaits() -> None:
    text = "await_me = 1\ndef f(x):\n    return x + await_me\nawait g()\n"
    linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(True), "<cell 1>")
    code = compile(text, "<cell 1>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    inner = next(c for c in code.co_consts if hasattr(c, "co_name"))
    assert source_of(FunctionType(inner, {})).line == 2


def test_doctest() -> None:
    text = ">>> def f(x):\n...     return x * 3\n>>> [source_of(g).tree.name for g in (f,)]\n['f']\n"
    test = doctest.DocTestParser().get_doctest(text, {"source_of": source_of}, "a test", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_postponed_annotations(tmp_path: Path) -> None:
    text = "from __future__ import annotations\ndef f(x: Unknown) -> Unknown:\n    return [v for v in x]\n"
    module = load(tmp_path / "a.py", text)
    assert source_of(module.f).line == 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are new in 3.12")
def test_type_parameters(tmp_path: Path) -> None:
    module = load(tmp_path / "a.py", "def f[T](x: T) -> T:\n    return x\n")
    assert source_of(module.f).tree.name == "f"


@pytest.mark.parametrize("thing", [len, math.sin, functools.partial(plain), Model, Model(1.0), 3])
def test_what_is_no_python_function(thing: Any) -> None:
    with pytest.raises(SourceUnavailable, match="not a function written in Python"):
        source_of(thing)


@pytest.mark.parametrize(
    "after",
    [
        "def f(x):\n    return x * 3\n",
        "def f(x):\n    return x + 2\n",
        "def f(y):\n    return y * 2\n",
        "def g(x):\n    return x * 2\n",
        "\n\ndef f(x):\n    return x * 2\n",
        "def f(x:\n",
    ],
)
def test_a_file_that_has_changed_is_refused(tmp_path: Path, after: str) -> None:
    path = tmp_path / "changed.py"
    module = load(path, "def f(x):\n    return x * 2\n")
    path.write_text(after)
    with pytest.raises(SourceUnavailable, match=r"not that of `f`"):
        source_of(module.f)


def test_a_file_that_was_changed_and_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "changed.py"
    old = load(path, "def f(x):\n    return x * 2\n")
    assert "x * 2" in text_of(source_of(old.f))
    new = load(path, "def f(x):\n    return x * 30000\n")
    assert "x * 30000" in text_of(source_of(new.f))
    assert "x * 2" in text_of(source_of(old.f))


def test_a_comment_elsewhere_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "changed.py"
    module = load(path, "def f(x):\n    return x * 2\n")
    path.write_text("def f(x):\n    return x * 2\n# more\n")
    assert source_of(module.f).line == 1
