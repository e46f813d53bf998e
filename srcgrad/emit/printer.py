"""Prints gast trees as text that a person would have formatted.

`astunparse.Unparser` is subclassed for what it lacks: subscripts with slices, parentheses only where precedence asks
for them, lines of at most 100 columns, comments. Before and after, for `x[1:, ::2] ** (n + 1)`:

    (x[(1:, ::2)] ** (n + 1))       astunparse 1.6.3, a syntax error
    x[1:, ::2] ** (n + 1)           here

Printed text parses back to the same tree, and printing that gives the same text.
"""

from __future__ import annotations

import textwrap
from typing import Any

import gast

from srcgrad.emit import quotes
from srcgrad.emit.layout import STEP, WIDTH, Bracket, Value, flat, layout
from srcgrad.emit.precedence import Level
from srcgrad.emit.print_expressions import ExpressionPrinter

_FUNCTIONS = ("FunctionDef", "AsyncFunctionDef", "ClassDef")


class Comment(gast.stmt):  # type: ignore[misc]
    """`# text`, at the indentation of the block that it stands in."""

    _fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Blank(gast.stmt):  # type: ignore[misc]
    """An empty line."""

    _fields = ()


def print_tree(tree: Any) -> str:
    """The text of a module, a statement or an expression, without a line's end after the last line."""
    printer = Printer()
    printer.dispatch(tree)
    return printer.text()


class Printer(ExpressionPrinter):
    """Statements come from the base class where their text is right; `write` collects a line, `fill` ends it."""

    def text(self) -> str:
        self.flush()
        return "\n".join(self.lines)

    def flush(self) -> None:
        if self.parts:
            self.lines += layout(self.parts, STEP * self._line_indent)
        self.parts = []

    def fill(self, text: str = "") -> None:
        self.flush()
        self._line_indent = self._indent
        if text:
            self.parts.append(text)

    # Statements

    def _Module(self, tree: Any) -> None:
        self.body(tree.body)

    def _Comment(self, node: Comment) -> None:
        self.fill()
        lead = STEP * self._indent + "# "
        text = " ".join(node.text.split())
        self.lines.append((lead + textwrap.shorten(text, WIDTH - len(lead), placeholder=" ...")).rstrip())

    def _Blank(self, node: Blank) -> None:
        self.fill()
        self.lines.append("")

    def body(self, statements: list[Any]) -> None:
        """A block's statements, with a docstring and the empty lines around functions and below imports."""
        previous = None
        for i, statement in enumerate(statements):
            self.separate(previous, statement)
            if i == 0 and _is_docstring(statement):
                self.docstring(statement.value.value)
            else:
                self.dispatch(statement)
            previous = statement

    def block(self, statements: list[Any]) -> None:
        self.write(":")
        self._indent += 1
        self.body(statements)
        if all(isinstance(statement, Comment | Blank) for statement in statements):
            self.fill("pass")
        self._indent -= 1

    def separate(self, previous: Any, statement: Any) -> None:
        before, after = type(previous).__name__, type(statement).__name__
        if previous is None or before in ("Comment", "Blank"):
            return
        self.flush()
        if before in _FUNCTIONS or after in _FUNCTIONS:
            self.lines += [""] * (1 if self._indent else 2)
        elif self._indent == 0 and _is_import(previous) and not _is_import(statement):
            self.lines.append("")
        elif self._indent == 0 and _is_docstring(previous) and len(self.lines) and self.lines[-1].endswith('"""'):
            self.lines.append("")

    def docstring(self, text: str) -> None:
        body = quotes.docstring(text)
        self.fill()
        self.lines += (STEP * self._indent + body).split("\n")

    def enter(self) -> None:
        raise AssertionError("blocks are printed by `block`")

    def _Expr(self, t: Any) -> None:
        self.fill()
        self.value(t.value, Level.NAMED if "Yield" in type(t.value).__name__ else Level.TEST)

    def _Assign(self, t: Any) -> None:
        self.fill()
        for target in t.targets:
            self.target(target)
            self.write(" = ")
        self.right_side(t.value)

    def right_side(self, node: Any) -> None:
        self.value(node, Level.NAMED if "Yield" in type(node).__name__ else Level.TEST)

    def _AugAssign(self, t: Any) -> None:
        self.fill()
        self.dispatch(t.target)
        self.write(f" {self.binop[type(t.op).__name__]}= ")
        self.right_side(t.value)

    def _AnnAssign(self, t: Any) -> None:
        self.fill()
        named = type(t.target).__name__ == "Name"
        self.write(flat(self.capture(t.target)) if t.simple or not named else f"({flat(self.capture(t.target))})")
        self.write(": ")
        self.at(t.annotation, Level.TEST)
        if t.value:
            self.write(" = ")
            self.right_side(t.value)

    def _Return(self, t: Any) -> None:
        self.fill("return")
        if t.value:
            self.write(" ")
            self.value(t.value)

    def _Delete(self, t: Any) -> None:
        self.fill("del ")
        self.parts.append(Bracket("", "", self.items(t.targets, Level.TEST), bare=True))

    def _Assert(self, t: Any) -> None:
        self.fill("assert ")
        self.parts.append(Value(self.capture(t.test)))
        if t.msg:
            self.write(", ")
            self.parts.append(Value(self.capture(t.msg)))

    def _Raise(self, t: Any) -> None:
        self.fill("raise")
        if t.exc:
            self.write(" ")
            self.at(t.exc, Level.TEST)
        if t.cause:
            self.write(" from ")
            self.at(t.cause, Level.TEST)

    def _If(self, t: Any, keyword: str = "if ") -> None:
        self.fill(keyword)
        self.parts.append(Value(self.capture(t.test, Level.NAMED)))
        self.block(t.body)
        if len(t.orelse) == 1 and type(t.orelse[0]).__name__ == "If":
            self._If(t.orelse[0], "elif ")
        else:
            self.otherwise(t.orelse)

    def otherwise(self, statements: list[Any], keyword: str = "else") -> None:
        if statements:
            self.fill(keyword)
            self.block(statements)

    def _While(self, t: Any) -> None:
        self.fill("while ")
        self.parts.append(Value(self.capture(t.test, Level.NAMED)))
        self.block(t.body)
        self.otherwise(t.orelse)

    def _For(self, t: Any, keyword: str = "for ") -> None:
        self.fill(keyword)
        self.target(t.target)
        self.write(" in ")
        self.value(t.iter)
        self.block(t.body)
        self.otherwise(t.orelse)

    def _AsyncFor(self, t: Any) -> None:
        self._For(t, "async for ")

    def _With(self, t: Any, keyword: str = "with ") -> None:
        self.fill(keyword)
        for i, item in enumerate(t.items):
            self.write(", " if i else "")
            self.at(item.context_expr, Level.TEST)
            if item.optional_vars:
                self.write(" as ")
                self.at(item.optional_vars, Level.ATOM)
        self.block(t.body)

    def _AsyncWith(self, t: Any) -> None:
        self._With(t, "async with ")

    def _Try(self, t: Any, star: str = "") -> None:
        self.fill("try")
        self.block(t.body)
        for handler in t.handlers:
            self.fill("except" + star)
            if handler.type:
                self.write(" ")
                self.at(handler.type, Level.TEST)
            if handler.name:
                self.write(f" as {getattr(handler.name, 'id', handler.name)}")
            self.block(handler.body)
        self.otherwise(t.orelse)
        self.otherwise(t.finalbody, "finally")

    def _TryStar(self, t: Any) -> None:
        self._Try(t, "*")

    def decorators(self, t: Any) -> None:
        for decorator in t.decorator_list:
            self.fill("@")
            self.at(decorator, Level.NAMED)

    def _ClassDef(self, t: Any) -> None:
        self.decorators(t)
        self.fill(f"class {t.name}")
        if t.bases or t.keywords:
            self.parts.append(Bracket("(", ")", self.items(t.bases) + self.items(t.keywords)))
        self.block(t.body)

    def _FunctionDef(self, t: Any, keyword: str = "def ") -> None:
        self.decorators(t)
        self.fill(keyword + t.name)
        self.parts.append(Bracket("(", ")", self.parameters(t.args), comma=True))
        if t.returns:
            self.write(" -> ")
            self.at(t.returns, Level.TEST)
        self.block(t.body)

    def _AsyncFunctionDef(self, t: Any) -> None:
        self._FunctionDef(t, "async def ")

def _is_docstring(node: Any) -> bool:
    constant = type(node).__name__ == "Expr" and type(node.value).__name__ == "Constant"
    return constant and isinstance(node.value.value, str) and node.value.kind is None


def _is_import(node: Any) -> bool:
    return type(node).__name__ in ("Import", "ImportFrom")
