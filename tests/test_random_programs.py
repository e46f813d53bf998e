"""Random programs are differentiated correctly or refused; and the machinery that tells this is not blind."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.random_programs import check as checking
from tests.random_programs.check import MODES, check
from tests.random_programs.functions import program_of
from tests.random_programs.program import Argument, Program
from tests.random_programs.shrink import shrink
from tests.random_programs.strategy import programs

pytestmark = pytest.mark.filterwarnings("ignore")  # degenerate programs make NumPy and Python warn
X = Argument("x", (0.4, -1.2, 0.9))


@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.sampled_from(MODES))
def test_a_program_is_right_or_refused(program: Program, mode: str) -> None:
    outcome = check(program, mode)
    failed = outcome.kind in ("wrong", "internal")
    assert not failed, f"{outcome.kind}, mode {mode}: {outcome.key}\n{program}\n{outcome.detail}"


def test_a_seed_gives_the_same_program_always() -> None:
    assert [program_of(seed) for seed in range(20)] == [program_of(seed) for seed in range(20)]


def test_programs_are_not_alike_and_use_the_language() -> None:
    made = [program_of(seed) for seed in range(250)]
    assert len({program.text for program in made}) == len(made)
    nodes = {type(node) for program in made for node in ast.walk(ast.parse(program.text))}
    assert nodes >= {
        ast.For, ast.While, ast.If, ast.IfExp, ast.BoolOp, ast.Break, ast.Continue, ast.AugAssign, ast.Slice,
        ast.ListComp, ast.FunctionDef, ast.keyword, ast.Nonlocal, ast.Starred, ast.List, ast.Try, ast.Dict,
        ast.ClassDef, ast.Attribute,
    }  # fmt: skip


def test_most_programs_are_tests() -> None:
    """Those that do not run, or whose numbers are large, are few."""
    outcomes = [check(program_of(seed)) for seed in range(100)]
    assert sum(outcome.kind == "rejected" for outcome in outcomes) < 10
    assert sum(outcome.kind == "right" for outcome in outcomes) > 50


# The check is tested


def outcome_of(body: str, *arguments: Argument, mode: str = "all") -> checking.Outcome:
    return check(Program(f"def f({', '.join(a.name for a in arguments)}):\n    {body}", arguments), mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_right_program_is_right_in_every_mode(mode: str) -> None:
    assert outcome_of("return np.sum(x * x)", X, mode=mode).kind == "right"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return np.sum(np.abs(x - 0.400001))", "kink or jump"),
        ("return x[0] if x[1] > -1.20000001 else x[2]", "kink or jump"),
        ("return np.minimum(np.append(x, 0.9), 0.9)[3] * x[0] + np.minimum(x, max(x[2], 0.9))", "kinks that cancel"),
        ("return x / 0", "large numbers"),
        ("return x * 1e9", "large numbers"),
        ("return y", "raises NameError"),
        ("return 1", "nothing to differentiate"),
        ("while True: x = x * 1.0", "does not end"),
    ],
)
def test_what_is_no_test_is_rejected(body: str, why: str) -> None:
    outcome = outcome_of(body, X)
    assert (outcome.kind, outcome.key) == ("rejected", why)


def test_a_refusal_is_counted_by_its_reason() -> None:
    outcome = outcome_of("global Y; Y = x; return x", X)
    assert outcome.kind == "refused"
    assert outcome.key.startswith("UnsupportedSyntax: ")


class Broken:
    """A `vjp` with a defect: the pair that the real one returns, changed."""

    def __init__(self, change: str) -> None:
        self.change, self.real = change, checking.vjp

    def __call__(self, function: object, wrt: object, **options: object) -> object:
        derivative = self.real(function, wrt, **options)  # type: ignore[arg-type]

        def broken(x: object, seed: object) -> object:
            value, (cotangent,) = derivative(x, seed=seed)
            match self.change:
                case "raises":
                    raise KeyError("y.3")
                case "value":
                    value = value * (1 + 1e-9)
                case "gradient":
                    cotangent = cotangent + np.array([0.0, 1e-3, 0.0])
                case "kind":
                    cotangent = list(cotangent)
                case "arguments":
                    x[0] = 0.0  # type: ignore[index]
                case "seed":
                    seed *= 2  # type: ignore[operator]
            return value, (cotangent,)

        return broken


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("nothing", ("right", "")),
        ("value", ("wrong", "value")),
        ("gradient", ("wrong", "gradient")),
        ("kind", ("wrong", "kind of the gradient")),
        ("arguments", ("wrong", "arguments")),
        ("seed", ("wrong", "seed")),
    ],
)
def test_a_defect_is_found(change: str, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "vjp", Broken(change))
    outcome = outcome_of("return np.tanh(x)", X)
    assert (outcome.kind, outcome.key) == expected


def test_an_internal_error_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "vjp", Broken("raises"))
    outcome = outcome_of("return np.tanh(x)", X)
    assert outcome.kind == "internal"
    assert outcome.key.startswith("KeyError: ")


# Shrinking is tested


def test_shrinking_keeps_what_fails_and_little_else() -> None:
    def still_fails(program: Program) -> bool:
        return "cumsum" in program.text.partition("def f(")[2] and check(program).kind == "right"

    large = next(p for p in map(program_of, range(1000)) if still_fails(p) and len(p.text.splitlines()) > 10)
    small = shrink(large, still_fails)
    assert still_fails(small)
    assert len(small.text.splitlines()) <= 5
    assert {argument.name for argument in small.arguments} <= {argument.name for argument in large.arguments}
