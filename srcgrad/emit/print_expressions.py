"""Prints the expressions of gast trees, on one line, with the places where the line may break.

    BinOp(Name("x"), Pow(), UnaryOp(USub(), Name("y")))         x**-y
    Subscript(x, Tuple([Slice(1, None, None), None]))           x[1:, None]

The blanks are those of the reference formatter: `x**2` but `f(x) ** 2`, `x[1:]` but `x[i + 1 :]`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import astunparse
import gast

from srcgrad.emit import quotes
from srcgrad.emit.layout import Bracket, Chain, Parts, Value, flat
from srcgrad.emit.precedence import Level, precedence


class ExpressionPrinter(astunparse.Unparser):  # type: ignore[misc]
    """`parts` collects what is written; `capture` gives the parts of one expression."""

    def __init__(self, quote: str = '"') -> None:
        self.quote = quote
        self.lines: list[str] = []
        self.parts: Parts = []
        self.future_imports: list[str] = []
        self._indent = 0
        self._line_indent = 0

    def write(self, text: str) -> None:
        self.parts.append(text)

    # Pieces of a line

    def capture(self, node: Any, level: Level = Level.TEST) -> Parts:
        """The parts of an expression that stands where `level` is the weakest that needs no parentheses."""
        with self.collected() as parts:
            self.at(node, level)
        return parts

    @contextmanager
    def collected(self) -> Iterator[Parts]:
        saved, self.parts = self.parts, []
        try:
            yield self.parts
        finally:
            self.parts = saved

    def at(self, node: Any, level: Level) -> None:
        if precedence(node) < level and not isinstance(node, gast.Tuple | ast.Tuple):
            self.parts.append(Bracket("(", ")", [self.capture(node, Level.NAMED)], comma=False))
        else:
            self.dispatch(node)

    def value(self, node: Any, level: Level = Level.TEST) -> None:
        """An expression that ends a line or stands before its colon; a tuple needs no parentheses."""
        if type(node).__name__ == "Tuple" and node.elts:
            bracket = Bracket("", "", self.items(node.elts), bare=True, forced=len(node.elts) == 1)
            self.parts.append(Value([bracket]))
        else:
            self.parts.append(Value(self.capture(node, level)))

    def items(self, nodes: list[Any], level: Level = Level.TUPLE) -> list[Parts]:
        return [self.capture(node, level) for node in nodes]

    # Parameters

    def parameters(self, t: Any) -> list[Parts]:
        positional = [*t.posonlyargs, *t.args]
        defaults = [None] * (len(positional) - len(t.defaults)) + list(t.defaults)
        items = [self.parameter(p, default) for p, default in zip(positional, defaults, strict=True)]
        if t.posonlyargs:
            items.insert(len(t.posonlyargs), ["/"])
        if t.vararg or t.kwonlyargs:
            items.append(["*", *self.parameter(t.vararg)] if t.vararg else ["*"])
        items += [self.parameter(p, default) for p, default in zip(t.kwonlyargs, t.kw_defaults, strict=True)]
        return [*items, ["**", *self.parameter(t.kwarg)]] if t.kwarg else items

    def parameter(self, node: Any, default: Any = None) -> Parts:
        parts: Parts = [getattr(node, "id", None) or node.arg]
        if node.annotation:
            starred = type(node.annotation).__name__ == "Starred"
            parts += [": ", *self.capture(node.annotation, Level.TUPLE if starred else Level.TEST)]
        if default is not None:
            parts += [" = " if node.annotation else "=", *self.capture(default)]
        return parts

    # Expressions

    def _Name(self, t: Any) -> None:
        self.write(t.id)

    def _Constant(self, t: Any) -> None:
        self.write(_literal(t.value, self.quote) if t.kind != "u" else "u" + _literal(t.value, self.quote))

    def _JoinedStr(self, t: Any) -> None:
        self.write(quotes.fstring(t, lambda node, quote: _expression(node, quote), self.quote))

    def _NamedExpr(self, t: Any) -> None:
        self.at(t.target, Level.ATOM)
        self.write(" := ")
        self.at(t.value, Level.TEST)

    def _Await(self, t: Any) -> None:
        self.write("await ")
        self.at(t.value, Level.ATOM)

    def _Yield(self, t: Any) -> None:
        self.write("yield")
        if t.value:
            self.write(" ")
            self.value(t.value)

    def _YieldFrom(self, t: Any) -> None:
        self.write("yield from ")
        self.at(t.value, Level.TEST)

    def _Starred(self, t: Any) -> None:
        self.write("*")
        self.at(t.value, Level.BITOR)

    def _List(self, t: Any) -> None:
        self.parts.append(Bracket("[", "]", self.items(t.elts)))

    def _Set(self, t: Any) -> None:
        self.parts.append(Bracket("{", "}", self.items(t.elts)))

    def _Tuple(self, t: Any) -> None:
        self.parts.append(Bracket("(", ")", self.items(t.elts), forced=len(t.elts) == 1))

    def _Dict(self, t: Any) -> None:
        items: list[Parts] = [
            ["**", *self.capture(value, Level.BITOR)]
            if key is None
            else [*self.capture(key), ": ", *self.capture(value)]
            for key, value in zip(t.keys, t.values, strict=True)
        ]
        self.parts.append(Bracket("{", "}", items))

    def target(self, node: Any) -> None:
        if type(node).__name__ == "Tuple" and node.elts:
            self.parts.append(Bracket("(", ")", self.items(node.elts), bare=True, forced=len(node.elts) == 1))
        else:
            self.dispatch(node)

    def comprehension(self, left: str, right: str, element: Parts, generators: list[Any]) -> None:
        pieces = [element]
        for generator in generators:
            with self.collected() as clause:
                self.write("async for " if generator.is_async else "for ")
                self.target(generator.target)
                self.write(" in ")
                self.at(generator.iter, Level.OR)
            pieces.append(clause)
            pieces += [["if ", *self.capture(test, Level.OR)] for test in generator.ifs]
        self.parts.append(Bracket(left, right, [[Chain(pieces)]], comma=False))

    def _ListComp(self, t: Any) -> None:
        self.comprehension("[", "]", self.capture(t.elt), t.generators)

    def _GeneratorExp(self, t: Any) -> None:
        self.comprehension("(", ")", self.capture(t.elt), t.generators)

    def _SetComp(self, t: Any) -> None:
        self.comprehension("{", "}", self.capture(t.elt), t.generators)

    def _DictComp(self, t: Any) -> None:
        self.comprehension("{", "}", [*self.capture(t.key), ": ", *self.capture(t.value)], t.generators)

    def _IfExp(self, t: Any) -> None:
        tests = ["if ", *self.capture(t.test, Level.OR)], ["else ", *self.capture(t.orelse)]
        self.parts.append(Chain([self.capture(t.body, Level.OR), *tests]))

    def _Lambda(self, t: Any) -> None:
        parameters = ", ".join(flat(item) for item in self.parameters(t.args))
        self.write(f"lambda {parameters}: " if parameters else "lambda: ")
        self.write(flat(self.capture(t.body)))

    def _UnaryOp(self, t: Any) -> None:
        name = type(t.op).__name__
        self.write("not " if name == "Not" else self.unop[name])
        power = type(t.operand).__name__ == "BinOp" and type(t.operand.op).__name__ == "Pow"
        self.at(t.operand, Level.NOT if name == "Not" else Level.AWAIT if power else Level.FACTOR)

    def _BinOp(self, t: Any) -> None:
        if type(t.op).__name__ == "Pow":
            self.power(t)
            return
        level = precedence(t)
        pieces: list[Parts] = []
        while precedence(t) == level and type(t).__name__ == "BinOp":
            pieces.append([self.binop[type(t.op).__name__] + " ", *self.capture(t.right, Level(level + 1))])
            t = t.left
        pieces.append(self.capture(t, level))
        self.parts.append(Chain(pieces[::-1]))

    def power(self, t: Any) -> None:
        left, right = self.capture(t.left, Level.AWAIT), self.capture(t.right, Level.FACTOR)
        if _is_simple(t.left) and _is_simple(t.right) and precedence(t.left) == Level.ATOM:
            self.parts += [*left, "**", *right]
        else:
            self.parts.append(Chain([left, ["** ", *right]]))

    def _Compare(self, t: Any) -> None:
        pieces = [self.capture(t.left, Level.BITOR)]
        for op, right in zip(t.ops, t.comparators, strict=True):
            pieces.append([self.cmpops[type(op).__name__] + " ", *self.capture(right, Level.BITOR)])
        self.parts.append(Chain(pieces))

    def _BoolOp(self, t: Any) -> None:
        level = precedence(t)
        word = "and " if level == Level.AND else "or "
        pieces = [self.capture(value, Level(level + 1)) for value in t.values]
        self.parts.append(Chain([pieces[0], *([word, *piece] for piece in pieces[1:])]))

    def _Attribute(self, t: Any) -> None:
        integer = type(t.value).__name__ == "Constant" and type(t.value.value) is int
        if integer and t.value.value >= 0:
            self.write(f"({t.value.value})")
        else:
            self.at(t.value, Level.ATOM)
        self.write("." + t.attr)

    def _Call(self, t: Any) -> None:
        self.at(t.func, Level.ATOM)
        if len(t.args) == 1 and not t.keywords and type(t.args[0]).__name__ == "GeneratorExp":
            self.dispatch(t.args[0])
            return
        self.parts.append(Bracket("(", ")", self.items(t.args) + self.items(t.keywords)))

    def _keyword(self, t: Any) -> None:
        self.write(f"{t.arg}=" if t.arg else "**")
        self.at(t.value, Level.TEST)

    def _Subscript(self, t: Any) -> None:
        self.at(t.value, Level.ATOM)
        index = t.slice
        if type(index).__name__ == "Tuple" and index.elts:
            items = self.items(index.elts)
            self.parts.append(Bracket("[", "]", items, forced=len(items) == 1))
        else:
            self.parts.append(Bracket("[", "]", [self.capture(index)], comma=False))

    def _Slice(self, t: Any) -> None:
        bounds = [t.lower, t.upper] + ([t.step] if t.step else [])
        spaced = any(bound is not None and _is_complex(bound) for bound in bounds)
        for i, bound in enumerate(bounds):
            if i:
                self.write((" " if spaced and bounds[i - 1] is not None else "") + ":")
            if bound is not None:
                self.write(" " if spaced and i else "")
                self.at(bound, Level.TEST)


def _expression(node: Any, quote: str) -> str:
    """An expression of an f-string, its strings in the quotes given; the colon of a `lambda` would end it."""
    text = flat(ExpressionPrinter(quote).capture(node, Level.TUPLE))
    return f"({text})" if any(type(inner).__name__ == "Lambda" for inner in ast.walk(node)) else text


def _is_simple(node: Any) -> bool:
    """What a power is written close to: names, attributes of names, numbers."""
    match type(node).__name__:
        case "Name":
            return True
        case "Constant":
            number = isinstance(node.value, int | float | complex) and not isinstance(node.value, bool)
            return number and precedence(node) == Level.ATOM and math.isfinite(abs(node.value))
        case "Attribute":
            return type(node.value).__name__ in ("Name", "Attribute") and _is_simple(node.value)
        case "UnaryOp":
            simple = type(node.op).__name__ == "USub" and type(node.operand).__name__ in ("Name", "Constant")
            return simple and _is_simple(node.operand)
    return False


def _is_complex(node: Any) -> bool:
    """A bound of a slice that has blanks around its colon."""
    kind = type(node).__name__
    return _is_complex(node.operand) if kind == "UnaryOp" else kind not in ("Name", "Constant")


def _literal(value: object, quote: str) -> str:
    match value:
        case str():
            return quotes.string(value, quote)
        case bytes():
            return "b" + quotes.string(value.decode("latin-1"), quote, ascii_only=True)
        case float() if math.isnan(value):
            return f"float({quote}nan{quote})"
        case complex() if value.real == 0 and math.copysign(1, value.imag) < 0:
            # A literal `-2j` has the real part -0.0.
            return ("-" if math.copysign(1, value.real) < 0 else "0 - ") + _literal(complex(0, -value.imag), quote)
        case float() | complex():
            return repr(value).strip("()").replace("inf", "1e309")
    return "..." if value is ... else repr(value)
