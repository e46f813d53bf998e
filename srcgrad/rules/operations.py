"""Which rule an operation has, and which operand goes to which of the rule's parameters.

    z.4 = .reshape()(x.0, 2, 3)   ->   rule reshape, {"x": x.0, "shape": (2, 3)}
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcgrad.ir import Atom, Attr, Const, Fn, Let, Method, Var
from srcgrad.rules.rule import Key, Rule, registry

_GRIDS = (np.mgrid, np.ogrid, np.r_, np.c_)  # which compute from what they are indexed by
Argument = Atom | tuple[Atom, ...]


@dataclass(frozen=True)
class Bound:
    """An operation's rule and the operands by parameter; a variadic parameter holds a tuple of atoms."""

    rule: Rule
    arguments: Mapping[str, Argument]

    @property
    def operands(self) -> dict[str, Var]:
        """The names given for the differentiable parameters."""
        found = {name: self.arguments[name] for name in self.rule.differentiable}
        return {name: atom for name, atom in found.items() if isinstance(atom, Var)}


class Unbound(Exception):
    """A call that has a rule, in a form that the rule does not take."""


def key_of(let: Let) -> Any:
    """What the registry knows an operation by, or None."""
    match let.op:
        case Fn(target):
            return target
        case Attr(name):
            return Key("attribute", name)
        case Method(name):
            return Key("method", name)
        case _:
            return None


def rule_of(let: Let) -> Rule | None:
    key = key_of(let)
    return None if key is None else registry.get(key)


def bind(let: Let) -> Bound | None:
    """The rule of a let with its operands, None without a rule; `Unbound` where the rule does not take the call."""
    rule = rule_of(let)
    if rule is None or rule.form == "constant":
        return None
    args: tuple[Any, ...] = let.args
    if isinstance(let.op, Method) and rule.variadic is not None:
        args = _packed(rule, args)
    try:
        arguments = rule.bind(args, dict(let.keywords))
    except TypeError as error:
        raise Unbound(str(error)) from None
    taken = {k: v if isinstance(v, Const | Var | tuple) and _atoms(v) else Const(v) for k, v in arguments.items()}
    return Bound(rule, taken)


def _atoms(value: Any) -> bool:
    return not isinstance(value, tuple) or (bool(value) and all(isinstance(item, Const | Var) for item in value))


def _packed(rule: Rule, args: tuple[Any, ...]) -> tuple[Any, ...]:
    position = list(rule.parameters).index(rule.variadic or "")
    rest = args[position:]
    if not rest:
        return args
    return (*args[:position], rest[0] if len(rest) == 1 else rest)


def _flowing(bound: Bound) -> dict[str, None]:
    """The names among an operation's arguments whose values, and not their shapes alone, make up the result."""
    found: dict[str, None] = {}
    for parameter, argument in bound.arguments.items():
        if parameter not in bound.rule.shape_only:
            atoms = argument if isinstance(argument, tuple) else (argument,)
            found.update({atom.name: None for atom in atoms if isinstance(atom, Var)})
    return found


def differentiable_operands(let: Let) -> tuple[str, ...]:
    """The names through which a derivative may flow into a let's result: all of them where no rule tells."""
    everything = tuple(a.name for a in (*let.args, *(atom for _, atom in let.keywords)) if isinstance(a, Var))
    if let.op == Fn(operator.getitem):
        if isinstance(let.args[0], Const):
            return everything if any(let.args[0].value is each for each in _GRIDS) else ()
        return everything[:1]
    rule = rule_of(let)
    if rule is None:
        return everything
    if rule.form == "constant":
        return ()
    try:
        bound = bind(let)
    except Unbound:
        return everything
    return () if bound is None else tuple(_flowing(bound))
