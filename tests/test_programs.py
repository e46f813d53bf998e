"""Every program of the corpus: reverse mode against central differences, under every set of passes, and twice.

One number is differentiated for a program: the dot product of a random seed with all that it returns.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import linecache
import textwrap
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from srcgrad import UnsupportedSyntax, grad, vjp
from srcgrad.frontend import routines
from srcgrad.pipeline import OPTIMIZATIONS
from tests.differences import (
    STEP,
    Tree,
    assert_close,
    assert_identical,
    assert_same_kind,
    copied,
    dot,
    gradient,
    has_floating,
    is_floating,
    leaves,
    random_like,
    widened,
)
from tests.programs import PROGRAMS, Program, Wrt

# Refused as they stand, with the reason; when one becomes right, its line is to go.
REFUSED = {
    "store_through_reshape": "whether the array of another layout that is reshaped is copied is not known",
}

_TWICE = "whether an adjoint holds a list twice is not known"
_GROWING = "lists and dicts of unknown type that change in place"

# Refused in the text that needs no types, where they are right with the types of a call.
REFUSED_UNTYPED = {
    "functions_that_write_into_an_argument": "whether a matrix is square is not known",
}

# Refused when the gradient is differentiated again; the gradient itself is right.
REFUSED_TWICE = {
    "determinant_by_minors_of_lists": "residuals of a recursion have no finite type, and parts of theirs are written",
    "written_after_a_loop_that_returns": "an adjoint that may be the number 0.0",
    "returns_before_an_array_is_made": "an adjoint that may be the number 0.0",
    "array_of_an_inner_loop_written_in_the_outer_one": "an adjoint that may be the number 0.0",
    **dict.fromkeys(("dict_argument_that_changes", "dicts_that_grow", "list_repeated"), _GROWING),
    **dict.fromkeys(("defaultdicts_of_numbers_and_lists", "parts_of_elements_that_are_replaced"), _GROWING),
    "element_is_read_before_a_part_of_it_is_written": "nested adjoints",
    **dict.fromkeys(("rows_that_grow", "lists_in_lists_that_grow", "sums_by_label"), _TWICE),
    **dict.fromkeys(("elements_changed_in_place_by_all_operators", "table_of_romberg"), _TWICE),
    "functions_passed_down_a_recursion": "residuals of a recursion have no finite type",
    "parts_of_what_was_made_for_them": "whether a part of an adjoint is a number or a view is not known",
    "nested_dicts_of_parameters": _TWICE,
    "elements_written_after_their_values_are_used": _TWICE,
    **dict.fromkeys(("product_by_three_loops", "parts_of_parts_in_branches_and_loops"), "nested adjoints"),
    "array_made_a_list": "nested adjoints",
    "object_made_in_a_loop": "a product of what has no value before the loop: a number or an array",
}

every_program = pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in REFUSED])
FIRST_ORDER_ONLY = {name for name, program in PROGRAMS.items() if program.only == "first"}


# What is expected


def generator(program: Program, purpose: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{program.name} {purpose}".encode()))


def run(program: Program, **replaced: Any) -> Tree:
    call = program.call(**replaced)
    return program.function(*call.args, **call.kwargs)


def seed_of(program: Program) -> Tree:
    return random_like(run(program), generator(program, "seed"))


def as_seed(program: Program, seed: Tree) -> dict[str, Tree]:
    """The seed as a keyword: a function with a parameter `seed` of its own takes it by `seed_`."""
    return {"seed_" if "seed" in inspect.signature(program.function).parameters else "seed": seed}


def floating_parameters(program: Program) -> tuple[str, ...]:
    """The parameters whose arguments have a derivative."""
    return tuple(name for name, value in program.call().arguments.items() if has_floating(value))


def wide_arguments(program: Program) -> dict[str, Any]:
    return {name: widened(value) for name, value in program.call().arguments.items()}


@functools.cache
def expected_gradient(name: str, parameter: str, step: float = STEP) -> Tree:
    """Differences of the seeded result, in double precision."""
    program = PROGRAMS[name]
    seed = seed_of(program)

    def seeded(value: Tree) -> float:
        return dot(seed, run(program, **{**wide_arguments(program), parameter: value}))

    return gradient(seeded, wide_arguments(program)[parameter], step)


def is_single(program: Program) -> bool:
    every = itertools.chain(leaves(tuple(program.call().arguments.values())), leaves(run(program)))
    return any(is_floating(leaf) and getattr(leaf, "dtype", None) == np.float32 for leaf in every)


def tolerances(program: Program) -> dict[str, float]:
    return {"rtol": 1e-4, "atol": 1e-5} if is_single(program) else {"rtol": 1e-5, "atol": 1e-8}


# What is computed


def check(program: Program, wrt: Wrt, **options: Any) -> None:
    """One vector-Jacobian product: its value, its numbers, its kinds, and what is left of the arguments."""
    call, plain = program.call(), program.call()
    derivative = vjp(program.function, wrt, **options)
    value, cotangents = derivative(*call.args, **as_seed(program, seed_of(program)), **call.kwargs)
    assert_identical(value, program.function(*plain.args, **plain.kwargs))
    assert_identical(dict(call.arguments), dict(plain.arguments))
    names = program.names(wrt)
    assert not isinstance(wrt, tuple) or isinstance(cotangents, tuple)
    several = cotangents if isinstance(wrt, tuple) else (cotangents,)
    assert len(several) == len(names)
    untouched = program.call().arguments
    for name, cotangent in zip(names, several, strict=True):
        assert_same_kind(cotangent, untouched[name])
        assert_close(cotangent, expected_gradient(program.name, name), **tolerances(program))


SINGLE_PARAMETERS = [
    (program.name, parameter)
    for program in PROGRAMS.values()
    if program.name not in REFUSED
    for parameter in floating_parameters(program)
]
SETTINGS = {"all": True, "none": False, **{name: frozenset((name,)) for name in OPTIMIZATIONS}}


@every_program
def test_the_reverse_mode_agrees_with_differences(name: str) -> None:
    check(PROGRAMS[name], PROGRAMS[name].wrt)


@every_program
def test_the_tuple_of_all_arguments(name: str) -> None:
    program = PROGRAMS[name]
    parameters = list(inspect.signature(program.function).parameters)
    check(program, tuple(parameters.index(parameter) for parameter in floating_parameters(program)))


@pytest.mark.parametrize(("name", "parameter"), SINGLE_PARAMETERS)
def test_every_argument_alone(name: str, parameter: str) -> None:
    check(PROGRAMS[name], parameter)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS.keys())
@every_program
def test_every_set_of_passes(name: str, setting: bool | frozenset[str]) -> None:
    check(PROGRAMS[name], PROGRAMS[name].wrt, optimize=setting)


@every_program
def test_the_text_that_needs_no_types(name: str) -> None:
    if name in REFUSED_UNTYPED:
        with pytest.raises(UnsupportedSyntax):
            check(PROGRAMS[name], PROGRAMS[name].wrt, specialize=False)
        return
    check(PROGRAMS[name], PROGRAMS[name].wrt, specialize=False)


@every_program
def test_every_function_that_is_called_on_its_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routines, "LARGE", 0)
    monkeypatch.setattr(routines, "REPEATED", 0)
    check(PROGRAMS[name], PROGRAMS[name].wrt)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_the_place(name: str) -> None:
    program = PROGRAMS[name]
    with pytest.raises(UnsupportedSyntax) as caught:
        check(program, program.wrt)
    assert caught.value.offences[0].problem


@every_program
def test_a_derivative_runs_again_on_fresh_arguments(name: str) -> None:
    program = PROGRAMS[name]
    derivative = vjp(program.function, program.wrt)
    first, second = program.call(), program.call()
    before = derivative(*first.args, **as_seed(program, seed_of(program)), **first.kwargs)
    kept = copied(before)
    after = derivative(*second.args, **as_seed(program, seed_of(program)), **second.kwargs)
    assert_identical(before, kept)  # the second call does not write into what the first returned
    assert_identical(after, kept)


# Reverse over reverse


def seeded_text(program: Program, value: Tree) -> str:
    """The source of a function of the program's parameters that returns the seeded result."""
    signature = inspect.signature(program.function)
    passed = []
    for parameter in signature.parameters.values():
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.KEYWORD_ONLY: f"{parameter.name}="}.get(parameter.kind, "")
        passed.append(prefix + parameter.name)
    terms: list[str] = []

    def visit(subtree: Tree, path: str) -> None:
        if isinstance(subtree, dict):
            for key, item in subtree.items():
                visit(item, f"{path}[{key!r}]")
        elif isinstance(subtree, list | tuple):
            for i, item in enumerate(subtree):
                visit(item, f"{path}[{i}]")
        elif is_floating(subtree):
            term = f"value{path} * seeds[{len(terms)}]"
            terms.append(f"np.sum({term})" if isinstance(subtree, np.ndarray) else term)

    visit(value, "")
    return (
        f"def seeded{signature.replace(return_annotation=inspect.Signature.empty)}:\n"
        f"    value = program({', '.join(passed)})\n"
        f"    return {' + '.join(terms)}\n"
    )


def seeded_function(program: Program) -> Callable[..., Any]:
    """A function that returns one number: the program's result times a seed; its text is there to be read."""
    value = run(program)
    seeds = [leaf for leaf in leaves(random_like(value, generator(program, "seed"))) if leaf is not None]
    text = seeded_text(program, value).replace(": float", "")
    file = f"<seeded {program.name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope: dict[str, Any] = {"np": np, "program": program.function, "seeds": seeds}
    exec(compile(text, file, "exec"), scope)
    function: Callable[..., Any] = scope["seeded"]
    return function


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in FIRST_ORDER_ONLY | REFUSED.keys()])
def test_the_gradient_of_the_gradient(name: str) -> None:
    program = PROGRAMS[name]
    if is_single(program):
        pytest.skip("differences of a gradient in single precision have no digits")
    if name in REFUSED_TWICE:
        with pytest.raises(UnsupportedSyntax):
            differentiate_twice(program)
        return
    differentiate_twice(program)


def differentiate_twice(program: Program) -> None:
    """The gradient of a weighted sum of the gradient against differences of it."""
    first = grad(seeded_function(program), program.wrt)
    call = program.call()
    vector = random_like(first(*call.args, **call.kwargs), generator(program, "vector"))
    fresh = program.call()
    _, second = vjp(first, program.wrt)(*fresh.args, **as_seed(program, vector), **fresh.kwargs)
    names = program.names(program.wrt)
    for parameter, cotangent in zip(names, second if isinstance(program.wrt, tuple) else (second,), strict=True):

        def slope(value: Tree, parameter: str = parameter) -> float:
            moved = program.call(**{parameter: value})
            return dot(vector, first(*moved.args, **moved.kwargs))

        assert_same_kind(cotangent, program.call().arguments[parameter])
        assert_close(cotangent, gradient(slope, program.call().arguments[parameter]), rtol=1e-5, atol=1e-7)


# The corpus itself


@pytest.mark.parametrize(("name", "parameter"), SINGLE_PARAMETERS)
def test_the_point_is_not_near_a_kink(name: str, parameter: str) -> None:
    """Differences are finite and do not depend on the step."""
    wide, narrow = expected_gradient(name, parameter, 10 * STEP), expected_gradient(name, parameter)
    for leaf in leaves(narrow):
        assert leaf is None or np.all(np.isfinite(leaf))
    assert_close(narrow, wide, rtol=1e-6, atol=1e-6)


def has_control_flow_stores_or_several_results(program: Program) -> bool:
    tree = ast.parse(textwrap.dedent(inspect.getsource(program.function)))
    jumps = (ast.For, ast.While, ast.If, ast.IfExp, ast.BoolOp, ast.comprehension)
    for node in ast.walk(tree):
        if isinstance(node, jumps) or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)):
            return True
    return isinstance(run(program), tuple | list | dict)


def test_the_corpus_is_large_and_no_two_programs_are_alike() -> None:
    assert len(PROGRAMS) >= 140
    assert sum(map(has_control_flow_stores_or_several_results, PROGRAMS.values())) >= 120
    bodies = [
        ast.dump(ast.Module(ast.parse(textwrap.dedent(inspect.getsource(p.function))).body[0].body, []))  # type: ignore[attr-defined]
        for p in PROGRAMS.values()
    ]
    assert len(set(bodies)) == len(bodies)


@every_program
def test_the_arguments_of_a_program_are_the_same_at_every_call(name: str) -> None:
    program = PROGRAMS[name]
    assert_identical(dict(program.call().arguments), dict(program.call().arguments))
    assert set(program.names(program.wrt)) <= set(floating_parameters(program))
