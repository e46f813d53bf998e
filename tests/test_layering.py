"""The import order of the package, read from its text.

A module imports only from the layers above its own in `LAYERS`; inside one package the order is free as long as there
is no cycle; nothing of the package is imported inside a function, which is how cycles are usually hidden.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "srcgrad"
ROOT = Path(__file__).resolve().parents[1] / PACKAGE

LAYERS = (
    "errors", "types", "ir", "runtime", "rules", "abstract", "build", "frontend", "analyses", "ad", "optimize", "emit",
    "backends", "pipeline", "api", "testing", "__init__", "cli", "__main__",
)  # fmt: skip

REQUIRED = frozenset({"numpy", "gast", "astunparse"})
OPTIONAL = frozenset({"numba", "scipy"})
"""May be missing at run time, so these alone may be imported inside a function."""

# What generated code calls must stay loadable with NumPy alone.
ONLY = {"runtime": frozenset({"errors", "numpy"})}


@dataclass(frozen=True)
class Import:
    """`target` is a dotted module; `nested` says that a function body holds the import."""

    importer: str
    line: int
    target: str
    nested: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def modules(root: Path) -> dict[str, Path]:
    """Every module of the package at `root` by its dotted name; a package is named without its `__init__`."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[Import]:
    """Every import statement of a module, those inside functions and `if TYPE_CHECKING` included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nested = {id(inner) for function in functions for inner in ast.walk(function)}
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from srcgrad import ir` imports the module `srcgrad.ir`, not what `srcgrad` itself defines.
            targets = [full if (full := f"{base}.{alias.name}") in known else base for alias in node.names]
        else:
            continue
        for target in dict.fromkeys(targets):
            yield Import(name, node.lineno, target, id(node) in nested)


def layer(module: str) -> str:
    """`srcgrad.ad.reverse` is of the layer `ad`, `srcgrad` itself of `__init__`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def violations(root: Path) -> list[str]:
    """What breaks the import order in the package at `root`, one line each."""
    known = modules(root)
    found = [f"{name} is in no layer" for name in known if layer(name) not in LAYERS]
    inside: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        for each in imports(name, path, known):
            found += [f"{each}: {why}" for why in offences(each)]
            if layer(each.target) == layer(name) and each.target in known:
                inside[name].add(each.target)
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        found.append("a cycle: " + " <- ".join(error.args[1]))
    return found


def offences(each: Import) -> Iterator[str]:
    """What is wrong with one import."""
    top, own = each.target.split(".")[0], layer(each.importer)
    ours = top == PACKAGE
    if own in ONLY and (layer(each.target) if ours else top) not in ONLY[own] | {own} | sys.stdlib_module_names:
        yield f"`{own}` may import {' and '.join(sorted(ONLY[own]))} alone"
    if ours:
        if each.nested:
            yield "inside a function"
        if own in LAYERS and layer(each.target) in LAYERS and LAYERS.index(layer(each.target)) > LAYERS.index(own):
            yield f"`{own}` is above `{layer(each.target)}`"
    elif top not in sys.stdlib_module_names | REQUIRED | OPTIONAL:
        yield "not a dependency"
    elif each.nested and top not in OPTIONAL:
        yield "inside a function"


def test_the_package_keeps_the_order() -> None:
    assert violations(ROOT) == []


def test_the_package_is_found() -> None:
    assert {"srcgrad", "srcgrad.ir", "srcgrad.rules.rule"} <= set(modules(ROOT))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small package that keeps the order."""
    root = tmp_path / PACKAGE
    for name, text in {
        "__init__": "from srcgrad.ir import f\n",
        "errors": "import dataclasses\n",
        "ir": "import numpy as np\nfrom srcgrad import errors\n",
        "runtime": "from typing import Any\nimport numpy as np\nfrom srcgrad.errors import Bad\n",
        "ad/__init__": "from srcgrad.ad import reverse\n",
        "ad/reverse": "from srcgrad.ad import tape\nfrom srcgrad.ir import f\n",
        "ad/tape": "from .. import ir\n\ndef compiled():\n    import numba\n",
    }.items():
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_good_tree_passes(tree: Path) -> None:
    # A package that gathers its modules, as `ad` does here, is no cycle.
    assert violations(tree) == []


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("errors", "from srcgrad.ir import f", "srcgrad.errors:1 imports srcgrad.ir: `errors` is above `ir`"),
        ("errors", "from .ir import f", "`errors` is above `ir`"),
        ("errors", "import srcgrad.ad.tape", "`errors` is above `ad`"),
        ("ir", "from srcgrad import grad", "`ir` is above `__init__`"),
        ("ad/tape", "def f():\n    from srcgrad import ir", "srcgrad.ad.tape:2 imports srcgrad.ir: inside a function"),
        ("ad/tape", "class A:\n    def f(self):\n        import json", "imports json: inside a function"),
        ("ad/tape", "from srcgrad.ad.reverse import f", "a cycle: "),
        ("ad/tape", "from srcgrad.ad import reverse", "a cycle: "),
        ("ad/tape", "import typing\nif typing.TYPE_CHECKING:\n    from srcgrad import cli", "`ad` is above"),
        ("ir", "import torch", "imports torch: not a dependency"),
        ("runtime", "from srcgrad import ir", "`runtime` may import errors and numpy alone"),
        ("runtime", "import scipy.special", "`runtime` may import errors and numpy alone"),
        ("helpers", "", "srcgrad.helpers is in no layer"),
    ],
)
def test_a_bad_tree_fails(tree: Path, module: str, text: str, complaint: str) -> None:
    (tree / "cli.py").write_text("", encoding="utf-8")
    (tree / f"{module}.py").write_text(text + "\n", encoding="utf-8")
    assert any(complaint in each for each in violations(tree)), violations(tree)
