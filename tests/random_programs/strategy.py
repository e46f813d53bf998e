"""Random programs as a Hypothesis strategy: the choices are drawn, so that smaller choices are smaller programs."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.random_programs.functions import make_program
from tests.random_programs.program import Program


class DrawnChoices:
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def below(self, n: int) -> int:
        return self._draw(st.integers(0, n - 1))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    return make_program(DrawnChoices(draw))
