"""From a function object to the syntax tree that it was compiled from, and to the objects that its names stand for.

    fs = [lambda x: x * 2, lambda x: x + 1]        # line 7 of a.py

    source_of(fs[1]).tree                           # the gast of `lambda x: x + 1`, at line 7, column 23
    source_of(fs[1]).place(tree.body)               # a.py:7:34, for messages

The whole file is parsed, so positions are those of the file, and compiled again: the function is only accepted when its
bytecode is among what the text gives. A file that was edited after its import is refused, never read wrongly.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import linecache
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import CodeType, FunctionType, MethodType
from typing import Any

import gast

from srcgrad.errors import Place, SourceUnavailable
from srcgrad.ir import Origin

_FUTURES = annotations.compiler_flag  # the one that changes what a text compiles to
_FORM = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR | inspect.CO_COROUTINE
_DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef
_Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class MissingName(KeyError):
    """A name that has no value now: in no scope, or in a cell of the closure that is still empty."""


@dataclass(frozen=True)
class Source:
    """One function and its text.

    `tree` is a gast `FunctionDef`, `AsyncFunctionDef` or `Lambda` without its decorators, with the positions of the
    file; it is shared between calls and must not be changed. `file` is the path for messages, `lines` the whole file.
    """

    function: FunctionType
    tree: Any
    file: str
    line: int
    lines: tuple[str, ...]
    name: str

    def text(self, line: int) -> str:
        """One line of the file, counted from 1, without its end; empty where there is none."""
        return self.lines[line - 1].rstrip("\r\n") if 1 <= line <= len(self.lines) else ""

    def place(self, node: Any) -> Place:
        """Where a node of the tree is; a node without a position is where the function begins."""
        line = getattr(node, "lineno", None)
        if line is None:
            return Place(self.file, self.line, 1, self.text(self.line))
        text = self.text(line)
        start = _characters(text, node.col_offset)
        end_line = getattr(node, "end_lineno", None)
        end = _characters(text, node.end_col_offset) if end_line == line else len(text.rstrip())
        return Place(self.file, line, start + 1, text, max(1, end - start))

    def place_of(self, origin: Origin) -> Place:
        """Where a statement of the IR came from: the whole line."""
        line = origin.line + self.line - 1
        text = self.text(line)
        return Place(self.file, line, len(text) - len(text.lstrip()) + 1, text, len(text.strip()))

    @cached_property
    def cells(self) -> Mapping[str, Any]:
        """The cells of the closure by name; nothing is read from them yet."""
        return dict(zip(self.function.__code__.co_freevars, self.function.__closure__ or (), strict=True))

    @cached_property
    def free_names(self) -> tuple[str, ...]:
        """The names that the function, or one defined inside of it, takes from outside, sorted."""
        code = self.function.__code__
        return tuple(sorted({*code.co_freevars, *_global_names(code)}))

    def where(self, name: str) -> str:
        """The scope outside of the function that a name is in: "cell", "global", "builtin" or "missing".

        An empty cell is a "cell" still: `lookup` alone tells that it has no value.
        """
        if name in self.cells:
            return "cell"
        if name in self.function.__globals__:
            return "global"
        return "builtin" if name in _builtins(self.function) else "missing"

    def lookup(self, name: str) -> Any:
        """The object that a name has now, seen from the function's outside; `MissingName` where it has none."""
        match self.where(name):
            case "cell":
                try:
                    return self.cells[name].cell_contents
                except ValueError:  # how Python says that a cell is empty
                    raise MissingName(name) from None
            case "global":
                return self.function.__globals__[name]
            case "builtin":
                return _builtins(self.function)[name]
            case _:
                raise MissingName(name)


def source_of(function: Any) -> Source:
    """The text of a Python function or method, raising `SourceUnavailable` where there is none that fits."""
    if isinstance(function, MethodType):
        function = function.__func__
    if not isinstance(function, FunctionType):
        raise SourceUnavailable(
            f"`{_shown(function)}` is not a function written in Python, so it has no source to differentiate",
            remedy="pass a function made by `def` or `lambda`, for instance one that calls it",
        )
    found = _locate(_key(function))
    return Source(function, found.tree, found.file, found.tree.lineno, found.lines, function.__name__)


# Finding the text


@dataclass(frozen=True, eq=False)
class _Key:
    """A code object by its identity: code objects that differ in their place alone are equal to Python.

    `names` is what linecache needs of the module to ask its loader for the text.
    """

    code: CodeType
    names: Mapping[str, Any]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.code is other.code

    def __hash__(self) -> int:
        return id(self.code)


def _key(function: FunctionType) -> _Key:
    names = function.__globals__
    return _Key(function.__code__, {k: names[k] for k in ("__name__", "__loader__", "__spec__") if k in names})


@dataclass(frozen=True)
class _Located:
    tree: Any
    file: str
    lines: tuple[str, ...]


@lru_cache(maxsize=1024)
def _locate(key: _Key) -> _Located:
    code = key.code
    lines = tuple(linecache.getlines(code.co_filename, dict(key.names)))
    node = _find(code, lines)
    if node is None:  # linecache may hold what the file was before it was edited and loaded again
        linecache.checkcache(code.co_filename)
        lines = tuple(linecache.getlines(code.co_filename, dict(key.names)))
        node = _find(code, lines)
    if not lines:
        raise _no_text(code)
    if node is None:
        raise _other_text(code)
    tree = gast.ast_to_gast(node)
    if hasattr(tree, "decorator_list"):
        tree.decorator_list = []
    return _Located(tree, shown_path(code.co_filename), lines)


def _no_text(code: CodeType) -> SourceUnavailable:
    return SourceUnavailable(
        f"the source of `{code.co_name}` is not available: there is no text for {code.co_filename!r}",
        remedy="define the function in a file or a notebook; code given to `exec` needs its text in `linecache`",
    )


def _other_text(code: CodeType) -> SourceUnavailable:
    return SourceUnavailable(
        f"the text at {shown_path(code.co_filename)}:{code.co_firstlineno} is not that of `{code.co_name}`",
        remedy="reload the module if the file has changed since its import; put each lambda on a line of its own",
    )


def _find(code: CodeType, lines: tuple[str, ...]) -> _Node | None:
    """The definition in this text that the code was compiled from, if it is there."""
    parsed = _parse("".join(lines), code.co_flags & _FUTURES)
    if parsed is None:
        return None
    key = code.co_firstlineno, code.co_name
    if not any(_same_code(code, other) for other in parsed.codes.get(key, ())):
        return None
    nodes = parsed.nodes.get(key, ())
    return nodes[0] if len(nodes) == 1 else _at_position(code, nodes)


# Parsing


@dataclass(frozen=True)
class _Parsed:
    """The definitions of a file, and the code that they compile to, by first line (of a decorator, too) and name."""

    nodes: Mapping[tuple[int, str], tuple[_Node, ...]]
    codes: Mapping[tuple[int, str], tuple[CodeType, ...]]


@lru_cache(maxsize=64)
def _parse(text: str, futures: int) -> _Parsed | None:
    try:
        tree = ast.parse(text)
        codes = _compile(tree, futures)
    except (SyntaxError, ValueError):
        return None
    nodes: dict[tuple[int, str], tuple[_Node, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, _Node):
            key = _first_line(node), "<lambda>" if isinstance(node, ast.Lambda) else node.name
            nodes[key] = (*nodes.get(key, ()), node)
    found: dict[tuple[int, str], tuple[CodeType, ...]] = {}
    for code in _nested(codes):
        key = code.co_firstlineno, code.co_name
        found[key] = (*found.get(key, ()), code)
    return _Parsed(nodes, found)


def _compile(tree: ast.Module, futures: int) -> CodeType:
    try:
        code: CodeType = compile(tree, "<source>", "exec", flags=futures, dont_inherit=True)
    except SyntaxError:  # a cell of a notebook may await
        flags = futures | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(tree, "<source>", "exec", flags=flags, dont_inherit=True)
    return code


def _first_line(node: _Node) -> int:
    if isinstance(node, _DEFINITION) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno


def _nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and all those inside of it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _nested(const)


# Telling definitions apart


def _at_position(code: CodeType, nodes: tuple[_Node, ...]) -> _Node | None:
    """Of several lambdas that begin in one line, the smallest whose body holds all instructions of the code."""
    spans = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if line is not None and end_line is not None and column is not None and end_column is not None
        if (line, column) != (end_line, end_column)  # the prologue of a function has no width
    ]
    lambdas = [node for node in nodes if isinstance(node, ast.Lambda)]
    if not spans:
        return next((node for node in lambdas if _compiles_to(node, code)), None)
    bodies = [(*_span(node.body), node) for node in lambdas]
    holding = [body for body in bodies if all(body[0] <= first and last <= body[1] for first, last in spans)]
    if not holding:
        return None
    # Bodies that hold one and the same instruction lie inside each other: the last to begin is the innermost.
    return max(holding, key=lambda item: (item[0], (-item[1][0], -item[1][1])))[2]


def _compiles_to(node: ast.Lambda, code: CodeType) -> bool:
    """Whether a lambda, seen alone, gives this code. A constant body leaves no position in it."""
    alone = compile(ast.Expression(node), "<source>", "eval", dont_inherit=True)
    return any(_same_code(code, inner) for inner in _nested(alone))


def _span(node: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def _same_code(code: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, leaving aside where they are and what pytest adds to `assert`."""
    if _outline(code) != _outline(other):
        return False
    if any(name.startswith("@py") for name in (*code.co_varnames, *code.co_names)):
        return set(other.co_names) <= set(code.co_names) and set(other.co_varnames) <= set(code.co_varnames)
    if (code.co_names, code.co_varnames) != (other.co_names, other.co_varnames):
        return False
    same_length = len(code.co_consts) == len(other.co_consts)
    return code.co_code == other.co_code and same_length and all(map(_same_const, code.co_consts, other.co_consts))


def _outline(code: CodeType) -> tuple[Any, ...]:
    arguments = code.co_argcount + code.co_kwonlyargcount
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _FORM
    return code.co_name, counts, code.co_varnames[:arguments], code.co_freevars


def _same_const(value: Any, other: Any) -> bool:
    if isinstance(value, CodeType) and isinstance(other, CodeType):
        return _same_code(value, other)
    return type(value) is type(other) and repr(value) == repr(other)


# Small helpers


def _global_names(code: CodeType) -> Iterator[str]:
    for inner in _nested(code):
        for instruction in dis.get_instructions(inner):
            if instruction.opname == "LOAD_GLOBAL":
                yield instruction.argval


def _builtins(function: FunctionType) -> Mapping[str, Any]:
    found = function.__globals__.get("__builtins__", builtins)
    return found if isinstance(found, dict) else vars(found)


def _characters(text: str, offset: int) -> int:
    """Syntax trees count bytes of UTF-8, people characters."""
    return len(text.encode()[:offset].decode(errors="ignore"))


def shown_path(file: str) -> str:
    """A path as it is shown: relative where the file lies below the current directory."""
    if file.startswith("<") or not os.path.isabs(file):
        return file
    here = os.path.join(os.getcwd(), "")
    return file[len(here):] if file.startswith(here) else file


def _shown(value: Any) -> str:
    return getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or type(value).__name__
