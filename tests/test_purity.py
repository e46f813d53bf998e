"""What the compiler leaves alone: the user's modules, globals, cells, streams and files; and that it is a function.

Each derivative is that of the function as it is when it is called; its text is the same in every process.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
import linecache
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import srcgrad
from srcgrad import grad, value_and_grad, vjp
from srcgrad.errors import UnsupportedSyntax
from tests.programs import PROGRAMS

ROOT = Path(__file__).parents[1]

MODULE = """
import math

import numpy as np

SCALE = 3.0
WEIGHTS = np.array([1.0, 2.0, 3.0])
TABLE = {"steps": 2, "rates": [0.5, 0.25]}


def helper(v, slope=2.0):
    return slope * v + SCALE


def reads_globals(x):
    s = 0.0
    for k in range(TABLE["steps"]):
        s += helper(np.sum(WEIGHTS * x**2), slope=TABLE["rates"][k])
    return s


def make(factor, offsets):
    counts = [0.0]

    def closes_over(x):
        y = factor * x + offsets
        y[0] = y[0] * y[1]
        return np.sum(y * y) + counts[0]

    return closes_over


closes_over = make(1.5, np.array([0.1, 0.2, 0.3]))


class Model:
    rate = 0.5

    def __init__(self):
        self.bias = np.array([1.0, 1.0, 1.0])


MODEL = Model()


def reads_an_object(x):
    return np.sum((x + MODEL.bias) ** 2) * MODEL.rate


def uses_nothing_else(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i] * x[i - 1]
    return y @ y
"""
FUNCTIONS = ["reads_globals", "closes_over", "reads_an_object", "uses_nothing_else"]
SETTINGS: list[dict[str, Any]] = [{}, {"specialize": False}, {"optimize": False}]
X = np.array([0.7, -1.3, 2.1])


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module's text under the name `users`, anew at every call."""

    def importing(text: str) -> ModuleType:
        file = tmp_path / "users.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location("users", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["users"] = module
        spec.loader.exec_module(module)
        return module

    yield importing
    sys.modules.pop("users", None)


def contents(value: Any) -> Any:
    """What a value holds, to be compared after: identities of what is inside, and copies of data."""
    match value:
        case FunctionType():
            cells = [(cell, cell.cell_contents, contents(cell.cell_contents)) for cell in value.__closure__ or ()]
            return (id(value.__code__), value.__defaults__, value.__kwdefaults__, dict(value.__dict__),
                    dict(value.__annotations__), [(id(c), id(v), data) for c, v, data in cells])  # fmt: skip
        case np.ndarray():
            return value.tobytes(), value.dtype, value.flags.writeable
        case list() | dict() | float() | int() | str():
            return repr(value)
        case type():
            return [(name, id(item)) for name, item in vars(value).items()]
        case _ if hasattr(value, "__dict__") and not isinstance(value, ModuleType | CellType):
            return [(name, id(item), contents(item)) for name, item in vars(value).items()]
        case _:
            return id(value)


def snapshot(module: ModuleType) -> dict[str, tuple[int, Any]]:
    return {name: (id(value), contents(value)) for name, value in vars(module).items() if name not in ("__builtins__",)}


@pytest.mark.parametrize("options", SETTINGS, ids=["all", "untyped", "none"])
def test_nothing_is_written_into_the_users_module(load: Any, options: dict[str, Any]) -> None:
    module = load(MODULE)
    before = snapshot(module)
    for name in FUNCTIONS:
        function = getattr(module, name)
        derivative = vjp(function, **options)
        derivative(X.copy(), seed=1.0)
        grad(function, **options)(X.copy())
        assert derivative.source
        assert derivative.source_for(X)
    assert snapshot(module) == before


def test_the_snapshot_sees_what_it_should(load: Any) -> None:
    """The comparison above can fail: a global, an element, a cell, an attribute."""
    module = load(MODULE)
    for change in (
        lambda: setattr(module, "new", 1),
        lambda: module.WEIGHTS.__setitem__(0, 9.0),
        lambda: module.TABLE["rates"].append(1.0),
        lambda: setattr(module.closes_over.__closure__[0], "cell_contents", 9.0),
        lambda: setattr(module.helper, "marked", True),
        lambda: setattr(module.MODEL, "bias", 0.0),
        lambda: setattr(module.Model, "rate", 1.0),
    ):
        before = snapshot(module)
        change()
        assert snapshot(module) != before


def test_a_refusal_writes_nothing_either(load: Any) -> None:
    module = load(MODULE + "\n\ndef refused(x):\n    global SCALE\n    SCALE = x\n    return unknown(x)\n")
    before = snapshot(module)
    with pytest.raises(UnsupportedSyntax):
        grad(module.refused)(1.5)
    assert snapshot(module) == before


# Streams and files


def test_nothing_is_printed(load: Any, capfd: pytest.CaptureFixture[str]) -> None:
    module = load(MODULE)
    for name in FUNCTIONS:
        for options in SETTINGS:
            value_and_grad(getattr(module, name), **options)(X.copy())
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


PRINTS = """
def prints(x):
    print("start")
    for k in range(2):
        print("trip", k, x > 1)
        x = x * x
    return x
"""


def test_what_the_primal_prints_is_printed_once(load: Any, capsys: pytest.CaptureFixture[str]) -> None:
    module = load(PRINTS)
    module.prints(1.5)
    expected = capsys.readouterr().out
    assert grad(module.prints)(1.5) == 4 * 1.5**3
    assert capsys.readouterr().out == expected


def test_no_file_is_left(tmp_path: Path) -> None:
    """A process of its own, with an empty directory for everything that a library may write to."""
    (tmp_path / "users.py").write_text(MODULE)
    (tmp_path / "temporary").mkdir()
    code = (
        "import numpy as np, users; from srcgrad import grad\n"
        f"for name in {FUNCTIONS}: grad(getattr(users, name))(np.array([0.7, -1.3, 2.1]))"
    )
    places = {name: str(tmp_path / "temporary") for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    environment = {
        **os.environ,
        **places,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
    }
    package = Path(srcgrad.__file__).parent
    before = sorted(path for path in package.rglob("*") if "__pycache__" not in path.parts)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["temporary", "users.py"]
    assert sorted(path for path in package.rglob("*") if "__pycache__" not in path.parts) == before


# Every function its own derivative


@pytest.mark.parametrize(
    ("first", "second"),
    [(-1, -2), (1, 1.0), (1, True), (2.0, 2), ((-1, 2.0), (-2, 2.0)), (-0.0, 0.0)],
    ids=str,
)
def test_closures_with_equal_hashes(load: Any, first: Any, second: Any) -> None:
    module = load(
        "def make(c):\n    def f(x):\n        k = c[0] if isinstance(c, tuple) else c\n"
        "        return k * x * x + len(str(c)) * x\n    return f\n"
    )
    assert hash(first) == hash(second)
    for value in (first, second, first):
        k = value[0] if isinstance(value, tuple) else value
        assert grad(module.make(value))(3.0) == 6.0 * k + len(str(value))


def test_one_derivative_sees_a_cell_change(load: Any) -> None:
    module = load("def make(c):\n    def f(x):\n        return c * x * x\n    return f\n")
    f = module.make(-1)
    derivative = grad(f)
    for value in (-1, -2, -1, 0.5, True, -2):
        f.__closure__[0].cell_contents = value
        assert derivative(3.0) == 6.0 * value


def test_a_redefined_function(load: Any) -> None:
    """The same name, file and line, another body: the text that is read is that of now."""
    first = load("def f(x):\n    return x * x\n")
    assert grad(first.f)(3.0) == 6.0
    second = load("def f(x):\n    return x * x * x\n")
    assert grad(second.f)(3.0) == 27.0


def test_a_redefined_callee(load: Any) -> None:
    module = load(
        "def g(x):\n    return x * x\n\n\ndef h(x):\n    return x * x * x\n\n\ndef f(x):\n    return 2 * g(x)\n"
    )
    derivative = grad(module.f)
    assert derivative(3.0) == 12.0
    module.g = module.h
    assert derivative(3.0) == 54.0
    assert grad(module.f)(3.0) == 54.0
    module.g = np.square
    assert derivative(3.0) == 12.0


def test_a_callee_of_a_callee_is_redefined(load: Any) -> None:
    module = load(
        "C = 1.0\n\n\ndef inner(x):\n    return C * x * x\n\n\ndef outer(x):\n    return inner(x)\n\n\n"
        "def f(x):\n    return outer(x)\n"
    )
    derivative = grad(module.f)
    assert derivative(3.0) == 6.0
    module.C = 5.0
    assert derivative(3.0) == 30.0
    module.inner = lambda x: x * x * x
    assert derivative(3.0) == 27.0


def test_redefined_default_and_constant(load: Any) -> None:
    module = load("C = np = 2.0\n\n\ndef g(x, a=3.0):\n    return a * x\n\n\ndef f(x):\n    return g(x) * x * C\n")
    derivative = grad(module.f)
    assert derivative(1.0) == 12.0
    module.g.__defaults__ = (5.0,)
    assert derivative(1.0) == 20.0
    module.C = 1
    assert derivative(1.0) == 10.0


def test_two_lambdas_of_one_line(load: Any) -> None:
    module = load("f, g = lambda x: x * x, lambda x: x * x * x\n")
    for function, slope in ((module.f, 6.0), (module.g, 27.0)):
        try:
            assert grad(function)(3.0) == slope
        except srcgrad.errors.SourceUnavailable:
            continue  # to say that it cannot tell them apart is honest


# Exceptions

RAISES = """
import numpy as np


def raises_after_a_store(x, n):
    x[0] = 5.0
    for k in range(3):
        x[k] = x[k] * x[k]
        if k == n:
            raise ValueError(f"trip {k}", n)
    x[2] = -1.0
    return np.sum(x)


def fails_an_assertion(x, n):
    x *= 2.0
    assert x[0] < n, "too large"
    return np.sum(x * x)


def indexes_past_the_end(x, n):
    s = 0.0
    for k in range(n + 3):
        s += x[k] * x[k]
        x[k] = 0.0
    return s


def divides_by_zero(x, n):
    x[1] = 7.0
    return float(x[1]) / (n - n) * x[0]


def solves_a_singular_system(x, n):
    x[0] = x[1]
    return np.sum(np.linalg.solve(np.outer(x, x) * 0.0, x))


def looks_up_a_missing_key(x, n):
    x[0] = 0.0
    return {"a": 1.0}["b" * n] * np.sum(x)


def shapes_do_not_agree(x, n):
    x[:2] = 1.0
    return np.sum(x + np.ones(n + 3))
"""


@pytest.mark.parametrize("options", SETTINGS, ids=["all", "untyped", "none"])
@pytest.mark.parametrize(
    "name", [line.split()[1].partition("(")[0] for line in RAISES.splitlines() if line[:4] == "def "]
)
def test_an_exception_of_the_primal(load: Any, name: str, options: dict[str, Any]) -> None:
    function = getattr(load(RAISES), name)
    plain, actual = X.copy(), X.copy()
    with pytest.raises(Exception) as expected:  # noqa: PT011
        function(plain, 1)
    allowed = (expected.type, UnsupportedSyntax) if options == {"specialize": False} else expected.type
    with pytest.raises(allowed) as caught:
        value_and_grad(function, **options)(actual, 1)
    if isinstance(caught.value, UnsupportedSyntax):
        np.testing.assert_array_equal(actual, X)
        return
    assert caught.type is expected.type
    assert caught.value.args == expected.value.args
    np.testing.assert_array_equal(actual, plain)


@pytest.mark.parametrize("name", ["reads_globals", "uses_nothing_else"])
def test_no_argument_is_changed_that_the_primal_leaves(load: Any, name: str) -> None:
    x = X.copy()
    x.flags.writeable = False
    for options in SETTINGS:
        gradient = grad(getattr(load(MODULE), name), **options)(x)
        assert not np.shares_memory(gradient, x)
    np.testing.assert_array_equal(x, X)


def test_a_seed_is_not_changed(load: Any) -> None:
    module = load("def f(x):\n    y = x * 1.0\n    y[0] = y[1] * y[2]\n    y *= 2.0\n    return y\n")
    seed = np.array([1.0, 10.0, 100.0])
    kept = seed.copy()
    for options in SETTINGS:
        _, cotangent = vjp(module.f, **options)(X.copy(), seed=seed)
        np.testing.assert_array_equal(seed, kept)
        assert not np.shares_memory(cotangent, seed)


def test_the_seed_that_is_handed_through_is_a_copy_or_stays(load: Any) -> None:
    """A cotangent that is the seed itself would change the caller's seed when the caller adds to it."""
    module = load("def f(x):\n    return x\n\n\ndef g(x):\n    return x + 1.0\n")
    for function in (module.f, module.g):
        seed = np.ones(3)
        _, cotangent = vjp(function)(X.copy(), seed=seed)
        cotangent += 1.0
        np.testing.assert_array_equal(seed, np.ones(3))


# Recursion


def endless(x):
    return x * endless(x + 1.0)


def endless_nested(x):
    def down(v):
        return v * down(v * 0.5)

    return down(x)


def test_recursion_without_end() -> None:
    """As in the primal, or refused: but never a crash."""
    for function in (endless, endless_nested):
        with pytest.raises((RecursionError, UnsupportedSyntax)):
            grad(function)(1.0)


def nested_power(x):
    def power(v, n):
        if n == 0:
            return 1.0
        return v * power(v, n - 1)

    return power(x, 3)


def test_recursion_that_ends() -> None:
    try:
        slope = grad(nested_power)(1.5)
    except UnsupportedSyntax:
        return
    assert slope == pytest.approx(3 * 1.5**2)


# Determinism

WRITES_TEXTS = """
import sys
from srcgrad import vjp
from srcgrad.errors import SrcgradError
from tests.programs import PROGRAMS

for name in sys.argv[1:]:
    program = PROGRAMS[name]
    derivative = vjp(program.function, program.wrt)
    call = program.call()
    for text in (lambda: derivative.source, lambda: derivative.source_for(*call.args, **call.kwargs)):
        try:
            print(text())
        except SrcgradError as error:
            print(error)
"""


def texts(names: list[str], hash_seed: int) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", WRITES_TEXTS, *names],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_text_is_the_same_in_every_process() -> None:
    names = sorted(PROGRAMS)[:: len(PROGRAMS) // 24]
    assert len(names) >= 20
    first = texts(names, 0)
    assert first.count("# reverse sweep") >= 20
    assert texts(names, 4242) == first
    assert texts(list(reversed(names)), 1) != first  # the comparison sees the texts
    assert len(texts(list(reversed(names)), 1)) == len(first)  # and one text does not depend on the others


def test_the_text_is_the_same_twice_in_one_process() -> None:
    for name in sorted(PROGRAMS)[::40]:
        program = PROGRAMS[name]
        call = program.call()

        def text(program: Any = program, call: inspect.BoundArguments = call) -> str:
            try:
                return str(vjp(program.function, program.wrt).source_for(*copy.deepcopy(call.args), **call.kwargs))
            except UnsupportedSyntax as error:
                return str(error)

        assert text() == text()


def test_a_deep_chain_of_calls() -> None:
    count = 200
    text = "".join(f"def f{i}(x):\n    return f{i + 1}(x) + x\n" for i in range(count))
    text += f"def f{count}(x):\n    return x\n"
    linecache.cache["<chain>"] = (len(text), None, text.splitlines(True), "<chain>")
    names: dict[str, Any] = {"__name__": "chain"}
    exec(compile(text, "<chain>", "exec"), names)
    limit = sys.getrecursionlimit()
    assert grad(names["f0"])(1.0) == count + 1
    assert sys.getrecursionlimit() == limit
