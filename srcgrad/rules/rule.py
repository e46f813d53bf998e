"""The forms of a differentiation rule, and the registry.

A rule is a Python function beside the name of its operation. Its first two parameters are the cotangent `g` of the
result and the result `z`; the others are the parameters of the operation, by name and default, and they are all that
the rule takes: a call with any other keyword is refused. The body is quoted into generated code, so it is written in
the language that the compiler accepts; it is also an ordinary function, which the tests run on arrays.

    @elementwise(np.divide, operator.truediv, domain=(REAL, NONZERO))
    def divide(g, z, x, y):
        return g / y, -g * z / y

    @linear(np.sum, method="sum", samples=...)
    def sum(g, z, x, axis=None, keepdims=False):
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axis)
        return np.broadcast_to(g, x.shape)

    @bilinear(np.matmul, operator.matmul, samples=...)
    class matmul:
        def vjp_x(g, z, x, y): ...
        def vjp_y(g, z, x, y): ...

    @general(np.linalg.inv, samples=...)
    class inv:
        def vjp_x(g, z, x): return -z.T @ g @ z.T
        def jvp(dz, z, x): return ...

Forms
  elementwise  the Jacobian is diagonal. The body returns one cotangent for every differentiable parameter (all of
               them, unless `wrt` names some), in their order. The rule writes as if all operands had the shape of the
               result: the compiler reverses broadcasting, once for all rules. The tangent is the same expressions,
               summed over the active parameters. Where bodies must branch, a class with a `vjp_<parameter>` function
               for each is given instead, and `jvp_<parameter>` where the tangent is not the same expression.
  linear       one function: the transpose, for the one differentiable parameter (the first, or `wrt`). The tangent is
               the operation itself.
  bilinear     a class with two transposes, `vjp_<parameter>`. The tangent is the operation on (dx, y) plus on (x, dy).
  general      a class with `vjp_<parameter>` and `jvp_<parameter>`, the latter with the tangent in the place of `g`.
  constant     a list of operations through which no derivative flows.

A body may branch, on what types tell (`x.ndim == 1`, `axis is None`) and on arguments; all other tests belong into
`np.where` or a helper of `srcgrad.runtime`. Functions for elementwise rules do not branch. Cotangents have the shape
that the parameter's value has. Use `z` rather than `x` where both will do. Never rely on `g` being writable or
contiguous.

Domain. `domain=` has an interval for each differentiable parameter of an elementwise rule; `samples=` is a function of
a `numpy.random.Generator` that yields `(args, kwargs)` to run the operation on. Tests are made from them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

Interval = tuple[float, float]
Sample = tuple[tuple[Any, ...], dict[str, Any]]
Sampler = Callable[[np.random.Generator], Iterable[Sample]]
F = TypeVar("F")

REAL: Interval = (-2.0, 2.0)
POSITIVE: Interval = (0.3, 3.0)
NEGATIVE: Interval = (-3.0, -0.3)
NONZERO: Interval = POSITIVE
UNIT: Interval = (-0.9, 0.9)
ABOVE_ONE: Interval = (1.2, 4.0)


@dataclass(frozen=True, slots=True)
class Key:
    """What an operation is called by: `kind` is "method" or "attribute" of an array, `name` its name."""

    kind: str
    name: str


Operation = Callable[..., Any] | Key


@dataclass(frozen=True, slots=True)
class Pullback:
    """A function `(g, z, *parameters)`; the cotangent is its result, or item `index` of the tuple that it returns."""

    function: Callable[..., Any]
    index: int | None = None


@dataclass(frozen=True)
class Rule:
    """`parameters` maps the operation's parameters, in order, to defaults (`inspect.Parameter.empty`: none).

    `vjps` and `jvps` are by differentiable parameter; `variadic` is the parameter that a method spells as several
    arguments (`x.reshape(2, 3)`), or None. `value_dependent_shape`
    marks an operation whose result's shape depends on the values of its operands (`np.unique`, `np.nonzero`).
    `shape_only` names the parameters of which nothing but shape and dtype counts (`np.full_like`, transposes): they
    have no derivative, whatever is given. `sequences` names those that the rule takes as lists or tuples: of arrays, or
    nested, of numbers. A list given to any other differentiable parameter of a NumPy function is an array written
    otherwise, and arrives as one. A floating point value given to any other parameter that is not
    differentiable is one whose derivative the rule does not know.
    """

    name: str
    form: str
    operations: tuple[Operation, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    vjps: Mapping[str, Pullback] = field(default_factory=dict)
    jvps: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    variadic: str | None = None
    domain: tuple[Interval, ...] = ()
    samples: Sampler | None = None
    value_dependent_shape: bool = False
    shape_only: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()

    @property
    def differentiable(self) -> tuple[str, ...]:
        return tuple(self.vjps)

    @cached_property
    def positional(self) -> int:
        """How many arguments may be given by position: those that the operations have at the same position.

        `np.sum` takes `axis`, `dtype`, `out`, `keepdims` in this order. A rule for `axis` and `keepdims` takes one
        argument beside the array by position, and `keepdims` by keyword.
        """
        return min((_matching(operation, list(self.parameters)) for operation in self.operations), default=0)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by parameter, defaults included, in the order of the parameters.

        Raises `TypeError` where the call does not fit: a keyword the rule does not take, too many arguments.
        """
        names = list(self.parameters)
        if len(args) > self.positional:
            raise TypeError(f"takes {self.positional} arguments by position, {len(args)} given")
        bound = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in self.parameters:
                raise TypeError(f"the keyword `{name}` is not handled")
            if name in bound:
                raise TypeError(f"two values for `{name}`")
            bound[name] = value
        for name, default in self.parameters.items():
            if name not in bound:
                if default is inspect.Parameter.empty:
                    raise TypeError(f"no value for `{name}`")
                bound[name] = default
        return {name: bound[name] for name in names}


def _matching(operation: Operation, names: list[str]) -> int:
    """The length of the longest start of `names` in which no name has another position in the operation's signature."""
    function = getattr(np.ndarray, operation.name, None) if isinstance(operation, Key) else operation
    try:
        parameters = list(inspect.signature(function).parameters.values())  # type: ignore[arg-type]
    except (TypeError, ValueError):  # no signature is known: taken as the rule has it
        return len(names)
    positions = {p.name: i for i, p in enumerate(parameters) if p.kind is not p.KEYWORD_ONLY}
    keywords = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    for i, name in enumerate(names):
        if name in keywords or positions.get(name, i) != i:
            return i
    return len(names)


class Registry:
    """Every rule by the operations that it is for."""

    def __init__(self) -> None:
        self._by_operation: dict[Any, Rule] = {}
        self._rules: list[Rule] = []

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def add(self, rule: Rule) -> None:
        for operation in rule.operations:
            if operation in self._by_operation:
                raise ValueError(f"two rules for {operation}: {self._by_operation[operation].name} and {rule.name}")
            self._by_operation[operation] = rule
        self._rules.append(rule)

    def get(self, operation: Any) -> Rule | None:
        try:
            return self._by_operation.get(operation)
        except TypeError:  # an unhashable callable has no rule
            return None


registry = Registry()


def _distinct(operations: Iterable[Callable[..., Any]], methods: tuple[str, ...], attributes: tuple[str, ...]) -> (
    tuple[Operation, ...]
):
    """Aliases such as `np.abs` and `np.absolute` are one object: each is listed once."""
    found: list[Operation] = []
    for operation in operations:
        if operation not in found:
            found.append(operation)
    return (*found, *(Key("method", m) for m in methods), *(Key("attribute", a) for a in attributes))


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(function).parameters.values())[2:]
    return {p.name: p.default for p in parameters}


def _names(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


def _diagonal(definition: Any, wrt: tuple[str, ...]) -> dict[str, Pullback]:
    """The pullbacks of an elementwise rule: one function for all parameters, or a class with one for each."""
    if inspect.isclass(definition):
        functions = {name[4:]: f for name, f in vars(definition).items() if name.startswith("vjp_")}
        return {name: Pullback(f) for name, f in functions.items()}
    required = (n for n, default in _parameters(definition).items() if default is inspect.Parameter.empty)
    active = wrt or tuple(required)
    return {name: Pullback(definition, None if len(active) == 1 else i) for i, name in enumerate(active)}


def _tangents(definition: Any) -> dict[str, Callable[..., Any]]:
    """The `jvp_<parameter>` functions of a class: for what is not the same expression in both modes."""
    return {name[4:]: f for name, f in vars(definition).items() if name.startswith("jvp_")}


def elementwise(
    *operations: Callable[..., Any],
    domain: tuple[Interval, ...] | Interval = (),
    wrt: str | tuple[str, ...] | None = None,
    method: str | tuple[str, ...] | None = None,
    attribute: str | tuple[str, ...] | None = None,
    shape_only: str | tuple[str, ...] | None = None,
    samples: Sampler | None = None,
) -> Callable[[F], F]:
    """Declares a rule whose Jacobian is diagonal (see the module's text). One interval may stand for one parameter.

    A class with `vjp_<parameter>` functions declares a rule whose bodies branch; where it has a `jvp_<parameter>` too,
    this is the tangent instead of the same expression (conjugation makes the difference). Points are drawn from
    `domain`, and given by `samples`; with neither, they are drawn from `REAL`.
    """
    intervals = (domain,) if domain and not isinstance(domain[0], tuple) else domain

    def declare(definition: Any) -> Any:
        vjps = _diagonal(definition, _names(wrt))
        registry.add(
            Rule(
                definition.__name__,
                "elementwise",
                _distinct(operations, _names(method), _names(attribute)),
                _parameters(next(iter(vjps.values())).function),
                vjps,
                _tangents(definition),
                domain=intervals or (() if samples else (REAL,) * len(vjps)),
                samples=samples,
                shape_only=_names(shape_only),
            )
        )
        return definition

    return declare


def linear(
    *operations: Callable[..., Any],
    wrt: str | None = None,
    method: str | tuple[str, ...] | None = None,
    attribute: str | tuple[str, ...] | None = None,
    variadic: str | None = None,
    shape_only: str | tuple[str, ...] | None = None,
    sequences: str | tuple[str, ...] | None = None,
    samples: Sampler | None = None,
) -> Callable[[F], F]:
    """Declares a linear operation by its transpose."""

    def declare(function: Any) -> Any:
        parameters = _parameters(function)
        registry.add(
            Rule(
                function.__name__,
                "linear",
                _distinct(operations, _names(method), _names(attribute)),
                parameters,
                {wrt or next(iter(parameters)): Pullback(function)},
                variadic=variadic,
                samples=samples,
                shape_only=_names(shape_only),
                sequences=_names(sequences),
            )
        )
        return function

    return declare


def _from_class(form: str, **options: Any) -> Callable[[F], F]:
    operations = options.pop("operations")

    def declare(cls: Any) -> Any:
        functions = {name: value for name, value in vars(cls).items() if inspect.isfunction(value)}
        vjps = {name[4:]: Pullback(f) for name, f in functions.items() if name.startswith("vjp_")}
        jvps = {name[4:]: f for name, f in functions.items() if name.startswith("jvp_")}
        parameters = _parameters(next(iter(vjps.values())).function)
        registry.add(Rule(cls.__name__, form, operations, parameters, vjps, jvps, **options))
        return cls

    return declare


def bilinear(
    *operations: Callable[..., Any], method: str | tuple[str, ...] | None = None, samples: Sampler | None = None
) -> Callable[[F], F]:
    """Declares an operation that is linear in each of two parameters by its two transposes."""
    return _from_class("bilinear", operations=_distinct(operations, _names(method), ()), samples=samples)


def general(
    *operations: Callable[..., Any],
    method: str | tuple[str, ...] | None = None,
    variadic: str | None = None,
    shape_only: str | tuple[str, ...] | None = None,
    sequences: str | tuple[str, ...] | None = None,
    samples: Sampler | None = None,
    value_dependent_shape: bool = False,
) -> Callable[[F], F]:
    """Declares an operation by both its modes."""
    return _from_class(
        "general",
        operations=_distinct(operations, _names(method), ()),
        variadic=variadic,
        samples=samples,
        value_dependent_shape=value_dependent_shape,
        shape_only=_names(shape_only),
        sequences=_names(sequences),
    )


def constant(
    *operations: Callable[..., Any],
    methods: tuple[str, ...] = (),
    attributes: tuple[str, ...] = (),
    value_dependent_shape: bool = False,
) -> None:
    """Lists operations through which no derivative flows."""
    distinct = [op for op in _distinct(operations, methods, attributes) if registry.get(op) is None]
    registry.add(
        Rule("constant", "constant", tuple(distinct), value_dependent_shape=value_dependent_shape)
    )


def since_numpy_2(*paths: str) -> tuple[Callable[..., Any], ...]:
    """Those of NumPy's functions that this NumPy has, by path: 1.26 lacks what 2 brought."""
    found: list[Any] = [np] * len(paths)
    for i, path in enumerate(paths):
        for part in path.split("."):
            found[i] = getattr(found[i], part, None)
    return tuple(function for function in found if function is not None)
