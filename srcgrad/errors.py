"""The errors a user meets. Each says what is wrong, where, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the user's source: `line` and `column` count from 1; `text` is that line; `width` is for the caret."""

    file: str
    line: int
    column: int
    text: str = ""
    width: int = 1


class SrcgradError(Exception):
    """The root of all errors of this package.

    `problem` is one sentence, `place` a `Place` or None, `remedy` what to write instead (or empty).
    The message is the three together, with the line and a caret under the offence.
    """

    def __init__(self, problem: str, place: Place | None = None, remedy: str = "") -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        super().__init__(render(problem, place, remedy))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problem, self.place, self.remedy)


class UnsupportedSyntax(SrcgradError):
    """A construct that cannot be differentiated; raised before any user code runs.

    `offences` holds every one of the function, each an `UnsupportedSyntax` of its own; a single offence holds itself.
    """

    @property
    def offences(self) -> tuple[SrcgradError, ...]:
        return getattr(self, "_offences", (self,))


class NoRule(UnsupportedSyntax):
    """A called function that has no rule and no readable source, or a form of a call that its rule does not take."""


class AliasedWrite(UnsupportedSyntax):
    """An in-place write that may reach an array through a second name that the analysis cannot separate."""


class NonScalarOutput(SrcgradError, TypeError):
    """`grad` of a function whose result is not one number."""

    @classmethod
    def of_shape(cls, shape: tuple[int, ...] | str, place: Place | None = None) -> NonScalarOutput:
        return cls(
            f"the gradient needs a scalar result, this one has shape {shape}",
            place,
            "`vjp(f)(..., seed=v)` for a vector-Jacobian product, `elementwise_grad` for elementwise functions, "
            "`jacobian` for all partial derivatives",
        )


class SeedMismatch(SrcgradError, ValueError):
    """A seed whose structure, shape or dtype does not fit the output."""


class NotDifferentiable(SrcgradError, TypeError):
    """An argument named in `wrt` that is an integer, a boolean, a string or another object without derivative."""


class UnknownParameter(SrcgradError, ValueError):
    """A `wrt` that names no parameter of the function."""


class SourceUnavailable(SrcgradError, TypeError):
    """A function without readable source: a built-in, an interactive shell without history, a C extension."""


def render(problem: str, place: Place | None, remedy: str) -> str:
    """The message of an error.

    >>> print(render("no rule for `np.foo`", Place("a.py", 3, 9, "    y = np.foo(x)", 6), "use `np.sin`"))
    no rule for `np.foo`
      at a.py:3:9
            y = np.foo(x)
                ^^^^^^
      instead: use `np.sin`
    """
    lines = [problem]
    if place is not None:
        lines.append(f"  at {place.file}:{place.line}:{place.column}")
        if place.text:
            lines.append("    " + place.text)
            lines.append("    " + " " * (place.column - 1) + "^" * max(1, place.width))
    if remedy:
        lines.append(f"  instead: {remedy}")
    return "\n".join(lines)


def together(found: list[SrcgradError]) -> SrcgradError:
    """One error that reports all of these, in the order of the text; the first decides its class.

    The reverse sweep finds them from the last line to the first. Files keep the order in which they were come upon.
    """
    if len(found) == 1:
        return found[0]
    files = [offence.place.file for offence in found if offence.place]

    def position(offence: SrcgradError) -> tuple[int, int, int]:
        place = offence.place
        return (-1, 0, 0) if place is None else (files.index(place.file), place.line, place.column)

    offences = sorted(found, key=position)
    first = next((o for o in offences if isinstance(o, UnsupportedSyntax)), offences[0])
    combined = type(first)(f"{len(offences)} constructs cannot be differentiated")
    combined.args = ("\n".join([combined.problem + ":", *(str(offence) for offence in offences)]),)
    combined._offences = tuple(offences)  # type: ignore[attr-defined]
    return combined
