"""Where in the primal an exception of generated code belongs: a note on the exception, nothing while all goes well.

    ZeroDivisionError: float division by zero
    raised by `ratio_grad` in the adjoint of
      model.py:12: q = a / b

In the reverse sweep the place is that of the comment above the line that raised. In the forward sweep it is where the
expression that raised stands in the primal, if it stands there once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any

import gast

from srcgrad.api.variants import Variant

_COMMENT = re.compile(r"\s*# line (\d+): ")


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a text: lines count from 1, columns are in bytes, as in syntax trees."""

    line: int
    end_line: int
    column: int
    end_column: int

    def of(self, text: str) -> str:
        node: Any = ast.Pass(
            lineno=self.line, end_lineno=self.end_line, col_offset=self.column, end_col_offset=self.end_column
        )
        return ast.get_source_segment(text, node) or ""


def annotate(error: BaseException, variant: Variant) -> None:
    """Notes on an exception of generated code the file, the line and the statement of the primal."""
    span = _raised_at(error.__traceback__, variant.run.__code__)
    if span is None:  # the call itself failed, before a line of the generated code ran
        return
    found = _primal_span(variant, span)
    sweep = "in the adjoint of" if _comment_above(variant, span.line) else "at"
    name = variant.compiled.name
    while found is not None and variant.inner is not None:
        variant = variant.inner
        found = _primal_span(variant, found)
    source = variant.source
    if found is None:
        error.add_note(f"raised by `{name}`, the derivative of `{source.name}` at {source.file}:{source.line}")
    else:
        error.add_note(f"raised by `{name}` {sweep}\n  {source.file}:{found.line}: {source.text(found.line).strip()}")


def _raised_at(traceback: TracebackType | None, code: CodeType) -> _Span | None:
    """The part of the text of this code that the exception passed through last."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_code is code:
            found = traceback
        traceback = traceback.tb_next
    if found is None:
        return None
    line, end_line, column, end_column = list(code.co_positions())[found.tb_lasti // 2]
    return None if line is None else _Span(line, end_line or line, column or 0, end_column or 0)


def _primal_span(variant: Variant, span: _Span) -> _Span | None:
    """The part of the primal that a part of the generated text belongs to."""
    number = _comment_above(variant, span.line)
    source = variant.source
    if number:
        line = source.line + number - 1  # comments count from the `def`
        text = source.text(line)
        indent = len(text) - len(text.lstrip())
        return _Span(line, line, indent, len(text.encode()))
    places = {_Span(n.lineno, n.end_lineno, n.col_offset, n.end_col_offset) for n in _same(source.tree, variant, span)}
    return places.pop() if len(places) == 1 else None


def _comment_above(variant: Variant, line: int) -> int:
    """The primal line that the nearest comment above a line names, 0 in the forward sweep."""
    for text in reversed(variant.compiled.text.splitlines()[: line - 1]):
        named = _COMMENT.match(text)
        if named or text.startswith("def "):
            return int(named[1]) if named else 0
    return 0


def _same(tree: Any, variant: Variant, span: _Span) -> Iterator[Any]:
    """The parts of the primal that read like a part of the generated text."""
    try:
        (wanted,) = gast.parse(span.of(variant.compiled.text).strip()).body
    except (SyntaxError, ValueError):  # a part that is no statement by itself, such as the head of a loop
        return
    wanted = gast.dump(wanted.value if isinstance(wanted, gast.Expr) else wanted)
    for node in gast.walk(tree):
        if isinstance(node, gast.expr | gast.stmt) and gast.dump(node) == wanted:
            yield node
