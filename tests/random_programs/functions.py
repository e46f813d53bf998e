"""Whole programs: helper functions, the function `f` with its parameters and results, and the arguments."""

from __future__ import annotations

import ast
from typing import Any

from tests.random_programs.kinds import (
    FEATURES,
    FLOAT,
    Array,
    Bool,
    Choices,
    Float,
    Indices,
    Int,
    Kind,
    List,
    Object,
    RandomChoices,
    Signature,
    Tuple,
)
from tests.random_programs.program import Argument, Program
from tests.random_programs.statements import Statements

STATE = """
class State:
    def __init__(self, p, q, r):
        self.p, self.q, self.r = p, q, r

    def step(self, a):
        self.p += a * self.q
        self.q = 0.5 * self.q + np.tanh(self.total())
        self.r[1][0] = self.q
        return self.p[-1] * a

    def total(self):
        return np.sum(self.p) + self.q * self.r[0][1]
""".splitlines()


class Functions(Statements):
    """Statements that may define functions inside of the function."""

    def closure(self) -> None:
        """A function inside that reads, writes into or rebinds what is outside of it."""
        name = f"inner_{sum(f.name.startswith('inner') for f in self.functions)}"
        outside, room, features = dict(self.scope), self.room, self.features
        floats = [n for n in self.names(FLOAT) if n not in self.fixed and n not in "ab"]
        self.emit(f"def {name}(a, b=0.5):")
        with self.block():
            self.scope.update(a=FLOAT, b=FLOAT)
            self.fixed |= set(outside)
            self.features = features & {"choices", "stores", "slice_stores", "methods"}
            self.room = 2
            if floats and self.chance(30):
                self.emit(f"nonlocal {floats[0]}")
                self.emit(f"{floats[0]} = {self.number(1)}")
            if self.chance(50):
                self.statement()
            self.emit(f"return {self.number(2)}")
        self.scope, self.room, self.features = outside, room, features
        self.fixed -= set(outside)
        self.functions.append(Signature(name, (("a", FLOAT), ("b", FLOAT)), ("b",), FLOAT))


def make_helper(choices: Choices, features: frozenset[str], number: int, length: int) -> tuple[list[str], Signature]:
    """A function of the module: of numbers, of an array, or one that writes into its array."""
    maker = Functions(choices, features, length=length, room=3)
    vector = Array((length,))
    writes = maker.has("stores") and maker.chance(50)
    params: list[tuple[str, Kind]] = [("y", vector if writes or maker.chance(50) else FLOAT), ("a", FLOAT)]
    params += [("b", FLOAT)] * maker.chance(40)
    result = maker.pick((FLOAT, vector, None) if writes else (FLOAT, vector))
    defaults = tuple(name for name, _ in params[1:] if maker.chance(50) or name == "b")
    keyword_only = ("b",) * (len(params) == 3 and maker.chance(40))
    shown = [f"{name}={maker.pick(('0.5', '1.2'))}" if name in defaults else name for name, _ in params]
    if keyword_only:
        shown.insert(-1, "*")
    maker.scope = dict(params)
    maker.result = result
    if writes:
        maker.store()
    for _ in range(maker.below(3)):
        maker.statement()
    maker.give_back()
    signature = Signature(f"helper_{number}", tuple(params), defaults, result, keyword_only)
    return [f"def {signature.name}({', '.join(shown)}):", *maker.lines], signature


def make_value(choices: Choices, kind: Kind) -> Any:
    match kind:
        case Float():
            return (choices.below(301) - 150) / 100 or 0.25
        case Int():
            return choices.below(kind.bound)
        case Bool():
            return bool(choices.below(2))
        case Indices():
            return tuple(choices.below(kind.bound) for _ in range(kind.length))
        case Array():
            inner = Array(kind.shape[1:]) if kind.shape[1:] else FLOAT
            return tuple(make_value(choices, inner) for _ in range(kind.shape[0]))
        case _:
            raise AssertionError


def make_parameters(maker: Functions) -> dict[str, Kind]:
    n = maker.length
    found: dict[str, Kind] = {"x": Array((n,)) if maker.chance(75) else FLOAT}
    if maker.has("matrices"):
        found["m"] = Array(maker.pick(((n, n), (2, n), (n, 2), (3, n), (1, n))))
    elif maker.chance(40):
        found["c"] = Array((maker.pick((n, n, 2, 4)),))
    if maker.chance(50):
        found["w"] = FLOAT
    if maker.has("integers"):
        found["n"] = Int(4)
    if maker.has("boolean_operators") and maker.chance(50):
        found["flag"] = Bool()
    if maker.has("index_stores") and maker.chance(50):
        found["idx"] = Indices(maker.pick((n, 2, 4)), n)
    return found


def make_result(maker: Functions) -> Kind:
    vector = Array((maker.length,))
    kinds: list[Kind] = [
        FLOAT, vector, FLOAT, vector, Tuple((FLOAT, vector)), Tuple((vector, FLOAT, vector)),
        Tuple((FLOAT, Tuple((vector, FLOAT)))), List(FLOAT, 2), Tuple((FLOAT, Int(4))),
    ]  # fmt: skip
    return maker.pick(kinds)


def last_return(maker: Functions) -> str:
    """The last names that have the kinds of the result: what was computed is mostly returned."""

    def text(kind: Kind) -> str:
        match kind:
            case Tuple():
                return f"({', '.join(map(text, kind.items))})"
            case Float() | Array():
                parts = [name for name in reversed(maker.scope) if maker.scope[name] == kind][:3]
                sums = [f"np.sum({n})" for n in reversed(maker.names(Array)) if kind == FLOAT][:2]
                sums += [f"{n}.total()" for n in reversed(maker.names(Object)) if kind == FLOAT][:2]
                parts += maker.elements(kind)[:2] if isinstance(kind, Array) else []
                return " + ".join([*parts, *sums]) if parts + sums and maker.chance(75) else maker.expression(kind, 2)
            case _:
                return maker.expression(kind, 2)

    assert maker.result is not None
    return f"    return {text(maker.result)}"


def make_program(choices: Choices) -> Program:
    """A program from a sequence of choices. Each leaves out some of the features, so that the others come together."""
    features = frozenset(feature for feature in FEATURES if choices.below(5) >= 2)
    maker = Functions(choices, features, length=(3, 3, 4, 2)[choices.below(4)], room=3 + choices.below(14))
    lines: list[str] = ["class Stop(Exception):", "    pass"] if maker.has("exceptions") else []
    lines += STATE if maker.has("objects") else []
    if maker.has("helpers"):
        for number in range(1 + choices.below(2)):
            text, signature = make_helper(choices, features, number, maker.length)
            lines += text
            maker.functions.append(signature)
    parameters = make_parameters(maker)
    maker.scope = dict(parameters)
    maker.fixed = {name for name, kind in parameters.items() if isinstance(kind, Int | Indices)}
    maker.result = make_result(maker)
    if "x" in parameters and isinstance(parameters["x"], Array) and not maker.has("store_arguments"):
        maker.emit("y = x.copy()")
        maker.bind("y", parameters["x"])
    while maker.room > 0:
        maker.statement()
    lines += [f"def f({', '.join(parameters)}):", *maker.lines, last_return(maker)]
    arguments = tuple(Argument(name, make_value(choices, kind)) for name, kind in parameters.items())
    return Program(ast.unparse(ast.parse("\n".join(lines))), arguments)


def program_of(seed: int) -> Program:
    return make_program(RandomChoices(seed))
