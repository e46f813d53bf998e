"""String literals: the quotes and escapes of strings, docstrings and f-strings.

>>> string("it's", '"')
'"it\\'s"'
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

_QUOTES = ('"', "'", '"""', "'''")


def string(value: str, quote: str, ascii_only: bool = False) -> str:
    """A literal in `quote`, or in the other one where that saves escapes."""
    other = "'" if quote == '"' else '"'
    use = other if quote in value and other not in value else quote
    return use + escaped(value, use, ascii_only) + use


def escaped(value: str, quote: str, ascii_only: bool = False) -> str:
    """The text between the quotes."""
    plain = "".join(_character(c, ascii_only) for c in value)
    if len(quote) == 1:
        return plain.replace(quote, "\\" + quote)
    plain = plain.replace(quote, "\\" + "\\".join(quote))
    return plain[:-1] + "\\" + plain[-1] if plain.endswith(quote[0]) else plain


def _character(c: str, ascii_only: bool) -> str:
    if c in "\"'":
        return c
    if ascii_only and ord(c) > 126:
        return f"\\x{ord(c):02x}"
    return repr(c)[1:-1]


def docstring(value: str) -> str:
    """A block in triple quotes, with the line ends as they are."""
    lines = value.split("\n")
    body = "\n".join("".join(_character(c, False) for c in line) for line in lines).replace('"""', '\\"\\"\\"')
    if body.endswith('"') and not body.endswith('\\"'):
        body = body[:-1] + '\\"'
    return f'"""{body}"""'


def fstring(node: Any, expression: Callable[[Any, str], str], quote: str) -> str:
    """An f-string in the first quotes that can hold it: before Python 3.12 an inner expression cannot contain the
    quotes around it, nor a backslash."""
    styles = _QUOTES if quote == '"' else ("'", '"', "'''", '"""')
    text = ""
    for style in styles:
        inner = "'" if style[0] == '"' else '"'
        pieces = [_piece(value, style, lambda item, use=inner: expression(item, use)) for value in node.values]  # type: ignore[misc]
        text = f"f{style}{''.join(pieces)}{style}"
        if _parses(text):
            return text
    return text


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _piece(value: Any, style: str, expression: Callable[[Any], str]) -> str:
    if type(value).__name__ == "Constant":
        return escaped(value.value, style).replace("{", "{{").replace("}", "}}")
    text = expression(value.value)
    text = " " + text if text.startswith("{") else text
    conversion = f"!{chr(value.conversion)}" if value.conversion != -1 else ""
    if value.format_spec is None:
        return f"{{{text}{conversion}}}"
    spec = "".join(_piece(item, style, expression) for item in value.format_spec.values)
    return f"{{{text}{conversion}:{spec}}}"
