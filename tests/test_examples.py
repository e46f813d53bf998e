"""Every example does what it says: run as a user runs it, its printed figures and its printed gradient are checked."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("scipy")
pytest.importorskip("sklearn")

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
GENERATED = {
    "digits_network": "loss_grad",
    "double_until": "double_until_vjp",
    "heat_equation": "misfit_value_and_grad",
    "logistic_regression": "loss_value_and_grad",
    "rosenbrock": "rosenbrock_value_and_grad",
}


def run(name: str, hash_seed: str) -> str:
    """What the example prints, in a process of its own in which a numerical warning is an error."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        "PYTHONHASHSEED": hash_seed,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(ROOT / "examples" / f"{name}.py")],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def printed(name: str) -> str:
    return run(name, hash_seed="0")


def change(name: str, label: str) -> tuple[float, float]:
    """The two numbers of a line `label: a before, b after ...`."""
    number = r"([-+.\deE]+|inf|nan)"
    found = re.search(rf"^{label}: +{number} before, {number} after", printed(name), re.MULTILINE)
    assert found, printed(name)
    return float(found[1]), float(found[2])


def vector(name: str, label: str) -> list[float]:
    """The numbers of a line `label: [a b c]`."""
    found = re.search(rf"^{label}: +\[(.*)\]$", printed(name), re.MULTILINE)
    assert found, printed(name)
    return [float(number) for number in found[1].split()]


def test_every_example_is_known() -> None:
    assert sorted(GENERATED) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_prints_the_generated_function(name: str) -> None:
    source = printed(name).split(":\n\n", maxsplit=1)[1]
    functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert GENERATED[name] in functions
    assert "# reverse sweep" in source


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_prints_the_same_in_every_process(name: str) -> None:
    assert run(name, hash_seed="1") == printed(name)


def test_the_network_learns_to_read_digits() -> None:
    loss_before, loss_after = change("digits_network", "loss")
    accuracy_before, accuracy_after = change("digits_network", "held-out accuracy")
    assert loss_before > 2.0 > 0.05 > loss_after
    assert accuracy_before < 0.3 < 0.95 < accuracy_after


def test_the_regression_separates_the_tumours() -> None:
    before, after = change("logistic_regression", "loss")
    assert before == pytest.approx(0.6931, abs=1e-4)
    assert after < 0.1
    assert change("logistic_regression", "held-out accuracy")[1] > 0.95


def test_bfgs_finds_the_minimum_of_rosenbrock() -> None:
    assert change("rosenbrock", "value")[1] < 1e-8
    assert change("rosenbrock", "distance to the minimum")[1] < 1e-4


def test_the_loop_of_unknown_length_is_pulled_back() -> None:
    x, y = vector("double_until", "x"), vector("double_until", "y")
    factor = y[0] / x[0]
    assert factor == 1024
    expected = [factor * entry for entry in vector("double_until", "seed")]
    assert vector("double_until", "cotangent") == pytest.approx(expected)


def test_the_initial_temperatures_are_recovered() -> None:
    misfit_before, misfit_after = change("heat_equation", "misfit")
    error_before, error_after = change("heat_equation", "largest error")
    assert misfit_after < 1e-4 * misfit_before
    assert error_after < 0.2 * error_before
