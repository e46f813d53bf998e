"""A smaller program that fails in the same way: statements left out, blocks unfolded, parts put for expressions.

    smaller = shrink(program, lambda candidate: check(candidate).fails_like(outcome))
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.random_programs.program import Argument, Program

_CONSTANTS = (0.5, 1.0)


@dataclass(frozen=True)
class Edit:
    """A change of one field of one node; nodes are counted in the order of `ast.walk`."""

    node: int
    field: str
    index: int | None
    replacement: tuple[ast.AST, ...]


def shrink(program: Program, still_fails: Callable[[Program], bool], tries: int = 1500) -> Program:
    """The smallest program that was found in so many tries. `still_fails` must not raise."""
    while tries > 0:
        before, at = program, 0
        edits = list(_edits(ast.parse(program.text)))
        while at < len(edits) and tries > 0:
            tries -= 1
            candidate = _without_unused(_edited(program, edits[at]))
            if candidate is not None and len(candidate.text) < len(program.text) and still_fails(candidate):
                program = candidate
                edits = list(_edits(ast.parse(program.text)))
            else:
                at += 1
        if program == before:
            break
    return program


def _edits(tree: ast.Module) -> Iterator[Edit]:
    nodes = list(ast.walk(tree))
    for number, node in enumerate(nodes):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield from _statement_edits(number, field, value, isinstance(node, ast.While) and field == "body")
    for number, node in enumerate(nodes):
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and field not in ("target", "targets") and not isinstance(node, ast.While):
                yield from (Edit(number, field, None, (part,)) for part in _parts(value))
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.expr) and field != "targets":
                        if field in ("elts", "values", "args", "decorator_list") and len(value) > 1:
                            yield Edit(number, field, index, ())
                        yield from (Edit(number, field, index, (part,)) for part in _parts(item))
                    elif isinstance(item, ast.keyword):
                        yield Edit(number, field, index, ())


def _statement_edits(number: int, field: str, stmts: list[ast.stmt], counted: bool) -> Iterator[Edit]:
    """The first statement of a `while` is what makes it end: that one stays."""
    for index, stmt in enumerate(stmts):
        if counted and index == 0:
            continue
        if len(stmts) > 1 or field == "orelse":
            yield Edit(number, field, index, ())
        elif not isinstance(stmt, ast.Pass):
            yield Edit(number, field, index, (ast.Pass(),))
        if isinstance(stmt, ast.If | ast.While | ast.For):
            yield Edit(number, field, index, tuple(stmt.body))
            if stmt.orelse:
                yield Edit(number, field, index, tuple(stmt.orelse))


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """What may stand for an expression: its parts, and a constant."""
    if isinstance(node, ast.Constant):
        return
    for field, value in ast.iter_fields(node):
        if field not in ("func", "ctx"):
            children = value if isinstance(value, list) else [value]
            yield from (c for c in children if isinstance(c, ast.expr) and not isinstance(c, ast.Slice))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
        yield node.func.value
    test = isinstance(node, ast.Compare | ast.BoolOp)
    yield from (ast.Constant(value) for value in ((True, False) if test else _CONSTANTS))


def _is_module(node: ast.expr) -> bool:
    """Whether this is `np`, `math` or `np.linalg`."""
    return isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id in ("np", "math"))


def _edited(program: Program, edit: Edit) -> Program | None:
    tree = ast.parse(program.text)
    node = list(ast.walk(tree))[edit.node]
    replacement = [copy.deepcopy(part) for part in edit.replacement]
    if edit.index is None:
        setattr(node, edit.field, replacement[0])
    else:
        getattr(node, edit.field)[edit.index : edit.index + 1] = replacement
    return _valid(tree, program.arguments)


def _without_unused(program: Program | None) -> Program | None:
    """Without the parameters that `f` does not use, and without functions that nothing calls."""
    if program is None:
        return None
    tree = ast.parse(program.text)
    functions = [stmt for stmt in tree.body if isinstance(stmt, ast.FunctionDef)]
    if not functions or functions[-1].name != "f":
        return None
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    kept: list[ast.stmt] = [stmt for stmt in functions if stmt.name == "f" or stmt.name in used]
    main = functions[-1]
    inside = {node.id for node in ast.walk(main) if isinstance(node, ast.Name)}
    main.args.args = [arg for arg in main.args.args if arg.arg in inside]
    names = {arg.arg for arg in main.args.args}
    arguments: tuple[Argument, ...] = tuple(a for a in program.arguments if a.name in names)
    return _valid(ast.Module(kept, []), arguments)


def _valid(tree: ast.Module, arguments: tuple[Argument, ...]) -> Program | None:
    """The program of a tree, where that is Python: a jump may have lost its loop, a list its last element."""
    try:
        text = ast.unparse(ast.fix_missing_locations(tree))
        compile(text, "candidate", "exec")
    except (SyntaxError, ValueError, TypeError, AttributeError):
        return None
    return Program(text, arguments)
