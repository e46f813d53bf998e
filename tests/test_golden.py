"""The generated text of a few dozen functions, letter by letter: `pytest tests/test_golden.py --refresh-golden` writes
the files in `tests/golden` anew, and the difference is to be read."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gast
import numpy as np
import pytest

from srcgrad.emit.printer import print_tree
from tests.golden_cases import CASES

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"

every_case = pytest.mark.parametrize("name", CASES)


def kept(name: str) -> str:
    return (GOLDEN / f"{name}.py").read_text(encoding="utf-8")


@every_case
def test_the_text_is_the_one_that_was_reviewed(name: str, request: pytest.FixtureRequest) -> None:
    text = CASES[name].source()
    if request.config.getoption("--refresh-golden"):
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / f"{name}.py").write_text(text, encoding="utf-8")
    assert text == kept(name)


def test_every_file_belongs_to_a_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.py")} == set(CASES)
    assert len(CASES) >= 33


@every_case
def test_the_text_runs(name: str) -> None:
    """What is kept is what a call runs."""
    case = CASES[name]
    derivative = case.derivative()
    arguments = case.arguments(np.random.default_rng(0))
    if derivative.options.mode == "vjp":
        value = case.function()(*case.arguments(np.random.default_rng(0)))
        derivative(*arguments, seed=ones_like(value))
    else:
        derivative(*arguments)
    assert derivative.source == kept(name) or not derivative.options.specialize


def ones_like(value: Any) -> Any:
    return tuple(map(ones_like, value)) if isinstance(value, tuple) else np.ones_like(value)[()]


# What holds for all of them


def without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def squeezed(text: str) -> list[str]:
    """The lines that hold something."""
    return [line for line in text.splitlines() if line.strip()]


@every_case
def test_printing_the_parsed_text_again_gives_the_same(name: str) -> None:
    text = kept(name)
    printed = print_tree(gast.parse(text))
    assert ast.dump(ast.parse(printed)) == ast.dump(ast.parse(text))
    assert squeezed(printed) == squeezed(without_comments(text))


@every_case
def test_lines_are_short(name: str) -> None:
    assert max(map(len, kept(name).splitlines())) <= 100


@every_case
def test_a_sweep_has_its_title_once(name: str) -> None:
    lines = [line.strip() for line in kept(name).splitlines()]
    assert lines.count("# forward sweep") <= 1
    assert lines.count("# reverse sweep") <= 1
    assert any(line.startswith("# line ") for line in lines) <= lines.count("# reverse sweep")


@pytest.mark.skipif(shutil.which("ruff", path=Path(sys.executable).parent) is None, reason="ruff is not installed")
def test_the_reference_formatter_changes_nothing() -> None:
    ruff = shutil.which("ruff", path=Path(sys.executable).parent)
    assert ruff is not None
    checked = subprocess.run(
        [ruff, "format", "--isolated", "--line-length=100", "--diff", str(GOLDEN)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def texts_in_another_process(hash_seed: str) -> dict[str, str]:
    script = (
        "import json, sys; from tests.golden_cases import CASES;"
        " json.dump({name: case.source() for name, case in CASES.items()}, sys.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    texts: dict[str, str] = json.loads(done.stdout)
    return texts


def test_every_process_writes_the_same_texts() -> None:
    first, second = texts_in_another_process("1"), texts_in_another_process("2")
    assert first == second
    assert first == {name: kept(name) for name in CASES}


# The standard's own examples


def test_the_specialised_loss_needs_no_helper() -> None:
    text = CASES["loss"].source()
    assert "srcgrad" not in text
    assert "unbroadcast" not in text
    assert "broadcast_to" not in text
    assert "p_bar = " in text


def test_the_polymorphic_loss_gives_the_same_numbers() -> None:
    arguments = CASES["loss"].arguments(np.random.default_rng(0))
    value, gradient = CASES["loss"].derivative()(*arguments)
    other_value, other_gradient = CASES["polymorphic_loss"].derivative()(*arguments)
    assert value == other_value
    np.testing.assert_allclose(other_gradient, gradient, rtol=1e-14)


@pytest.mark.parametrize("name", ["double_until", "loop_that_records_nothing"])
def test_nothing_is_recorded_in_a_linear_loop(name: str) -> None:
    text = CASES[name].source()
    assert "append" not in text
    assert "pop()" not in text


def test_the_loop_with_stores_records_one_operand() -> None:
    text = CASES["diffuse"].source()
    assert text.count(".append(") == 1
    assert text.count(".copy()") == 2
    assert "u_2" not in text
