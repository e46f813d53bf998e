"""Lays a logical line out in at most 100 columns, the way a formatter does.

The printer gives a line as text and the places where it may break: brackets, chains of operators of one precedence,
and values that may be put in parentheses. Before and after, with columns made short:

    w_bar = np.sum(x * y + x * z, axis=0)          w_bar = np.sum(
                                                       x * y + x * z,
                                                       axis=0,
                                                   )
    z = first_operand + second_operand             z = (
                                                       first_operand
                                                       + second_operand
                                                   )
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH = 100
STEP = "    "


@dataclass
class Bracket:
    """A bracketed list of items. `bare`: written without brackets when on one line (`return a, b`).

    `comma`: whether a comma may follow the last of several items; `forced`: a comma follows the only item.
    """

    open: str
    close: str
    items: list[Parts] = field(default_factory=list)
    comma: bool = True
    forced: bool = False
    bare: bool = False


@dataclass
class Chain:
    """Pieces with a blank between them; all but the first begin with their operator or keyword."""

    pieces: list[Parts]


@dataclass
class Value:
    """An expression that may be put in parentheses to break its line."""

    parts: Parts


Part = str | Bracket | Chain | Value
Parts = list[Part]


def flat(parts: Parts) -> str:
    """The text on one line."""
    return "".join(_flat(part) for part in parts)


def _flat(part: Part) -> str:
    match part:
        case str():
            return part
        case Chain():
            return " ".join(flat(piece) for piece in part.pieces)
        case Value():
            return flat(part.parts)
        case Bracket():
            body = ", ".join(flat(item) for item in part.items) + "," * part.forced
            return body if part.bare else part.open + body + part.close


def layout(parts: Parts, indent: str, inside: bool = False) -> list[str]:
    """The lines of one logical line; `inside`: there are brackets around it, so that it may break at operators."""
    text = indent + flat(parts)
    if len(text) <= WIDTH:
        return [text]
    if inside:
        parts = _unwrapped(parts)
        at = next((i for i, part in enumerate(parts) if isinstance(part, Chain)), None)
        if at is not None:
            return _break_chain(parts, at, indent)
    else:
        at = next((i for i, part in enumerate(parts) if isinstance(part, Value)), None)
        if at is not None:
            return _break_value(parts, at, indent)
    return _break_bracket(parts, indent) or [text]


def _unwrapped(parts: Parts) -> Parts:
    """The parts without `Value`, which needs no parentheses of its own inside of brackets."""
    return [inner for part in parts for inner in (_unwrapped(part.parts) if isinstance(part, Value) else [part])]


def _break_chain(parts: Parts, at: int, indent: str) -> list[str]:
    chain = parts[at]
    assert isinstance(chain, Chain)
    pieces = [list(piece) for piece in chain.pieces]
    pieces[0] = parts[:at] + pieces[0]
    pieces[-1] = pieces[-1] + parts[at + 1 :]
    return [line for piece in pieces for line in layout(piece, indent, inside=True)]


def _break_value(parts: Parts, at: int, indent: str) -> list[str]:
    value = parts[at]
    assert isinstance(value, Value)
    before, inner, after = parts[:at], _unwrapped(value.parts), parts[at + 1 :]
    only = inner[0] if len(inner) == 1 else None
    if isinstance(only, Bracket) and only.bare:
        return layout([*before, Bracket("(", ")", only.items, forced=only.forced), *after], indent)
    if not any(isinstance(part, Chain) for part in inner):
        lines = _break_bracket([*before, *inner, *after], indent)
        if lines and all(len(line) <= WIDTH for line in lines):
            return lines
    wrapped = _lines_of(before, Bracket("(", ")", [inner]), after, indent)
    return wrapped if _worth(wrapped, inner) else _lines_or_flat(parts, indent)


def _worth(lines: list[str], inner: Parts) -> bool:
    return all(len(line) <= WIDTH for line in lines) or any(isinstance(part, Chain) for part in inner)


def _lines_or_flat(parts: Parts, indent: str) -> list[str]:
    """The line broken at one of its brackets, or left too long where it has none."""
    return _break_bracket(_unwrapped(parts), indent) or [indent + flat(parts)]


def _break_bracket(parts: Parts, indent: str) -> list[str]:
    """The line broken at its last bracket that makes all lines short, else at the last one; [] without brackets."""
    fallback: list[str] = []
    for at in _breakable(parts):
        bracket = parts[at]
        assert isinstance(bracket, Bracket)
        lines = _lines_of(parts[:at], bracket, parts[at + 1 :], indent)
        if all(len(line) <= WIDTH for line in lines):
            return lines
        fallback = fallback if fallback and _excess(fallback) <= _excess(lines) else lines
    return fallback


def _excess(lines: list[str]) -> int:
    return max(len(line) for line in lines)


def _breakable(parts: Parts) -> Iterator[int]:
    for at in reversed(range(len(parts))):
        part = parts[at]
        if isinstance(part, Bracket) and part.items:
            yield at


def _lines_of(before: Parts, bracket: Bracket, after: Parts, indent: str) -> list[str]:
    deeper = indent + STEP
    body = ", ".join(flat(item) for item in bracket.items) + "," * bracket.forced
    if len(deeper + body) <= WIDTH and not bracket.bare and not bracket.forced:
        lines = [deeper + body]
    else:
        lines = [line for item in _with_commas(bracket) for line in layout(item, deeper, inside=True)]
    return [indent + flat(before) + bracket.open, *lines, indent + bracket.close + flat(after)]


def _with_commas(bracket: Bracket) -> Iterator[Parts]:
    last = len(bracket.items) - 1
    for i, item in enumerate(bracket.items):
        comma = i < last or bracket.forced or (bracket.comma and last > 0)
        yield [*item, ","] if comma else item
