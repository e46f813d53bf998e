"""Building small functions by hand, reading them back as text, and running them."""

from __future__ import annotations

import copy
import operator
from collections.abc import Mapping, Sequence
from typing import Any

from srcgrad import ir
from srcgrad.abstract import infer
from srcgrad.types import UNKNOWN, Type, type_of


def atom(value: Any) -> ir.Atom:
    """A string is a name, all else a constant."""
    if isinstance(value, ir.Var | ir.Const):
        return value
    return ir.Var(value) if isinstance(value, str) else ir.Const(value)


def atoms(values: Sequence[Any]) -> tuple[ir.Atom, ...]:
    return tuple(map(atom, values))


class Build:
    """Appends statements; what `inner` gives fills a block of a branch or a loop, and knows the same types."""

    def __init__(self, sweep: str = "reverse", types: dict[str, Type] | None = None) -> None:
        self.stmts: list[ir.Stmt] = []
        self.sweep = sweep
        self.types: dict[str, Type] = {} if types is None else types

    @property
    def origin(self) -> ir.Origin:
        return ir.Origin(1, "", self.sweep)

    def inner(self) -> Build:
        return Build(self.sweep, self.types)

    def operand(self, value: ir.Atom) -> Type | ir.Const:
        return self.types.get(value.name, UNKNOWN) if isinstance(value, ir.Var) else value

    def let(self, target: str, op: Any, *args: Any, effect: bool = False, **keywords: Any) -> str:
        op = ir.Fn(op) if callable(op) else op
        named = {key: atom(value) for key, value in keywords.items()}
        operands = [self.operand(arg) for arg in atoms(args)]
        self.types[target] = infer(op, operands, {key: self.operand(a) for key, a in named.items()})
        self.stmts.append(ir.Let(target, op, atoms(args), tuple(named.items()), self.origin, effect))
        return target

    def do(self, op: ir.Op, *args: Any) -> None:
        self.stmts.append(ir.Let(None, op, atoms(args), (), self.origin))

    def when(self, test: Any, then: ir.Block, orelse: ir.Block, *targets: str) -> None:
        self.stmts.append(ir.If(targets, atom(test), then, orelse, self.origin))

    def loop(
        self,
        variable: str,
        iterable: Any,
        body: ir.Block,
        carried: Mapping[str, tuple[str, Any]] | None = None,
        flag: str | None = None,
    ) -> None:
        """`carried`: parameter -> (target, start)."""
        carried = carried or {}
        targets = (() if flag is None else (flag,)) + tuple(target for target, _ in carried.values())
        inits = atoms([start for _, start in carried.values()])
        self.stmts.append(
            ir.For(targets, tuple(carried), inits, variable, atom(iterable), body, flag is not None, self.origin)
        )

    def end(self, *results: Any) -> ir.Block:
        return ir.Block(tuple(self.stmts), atoms(results))

    def function(self, params: Sequence[str], *results: Any) -> ir.Function:
        body = self.end(*results)
        structure = "leaf" if len(results) == 1 else ("leaf",) * len(results)
        found = ir.Function("f", tuple(map(ir.Param, params)), body, dict(self.types), structure)
        return ir.verify(found)


def typed(**arguments: Any) -> dict[str, Type]:
    """The types of parameters `x.0`, written `x=value`."""
    return {f"{name}.0": type_of(value, name) for name, value in arguments.items()}


def body_text(function: ir.Function) -> str:
    """The body as text without types and line marks, for comparing."""
    plain = ir.Function(function.name, function.params, function.body)
    lines = ir.dump(plain).splitlines()[1:]
    return "\n".join(line[2:].split("  #")[0].rstrip() for line in lines)


def lines(text: str) -> str:
    """A dump as it stands in a test, its indentation removed."""
    rows = [row for row in text.splitlines() if row.strip()]
    margin = min(len(row) - len(row.lstrip()) for row in rows)
    return "\n".join(row[margin:].rstrip() for row in rows)


def checked(function: ir.Function) -> ir.Function:
    """A result of a pass: legal, and with types for its own names only."""
    ir.verify(function)
    names = {param.name for param in function.params} | set(ir.definitions(function.body))
    assert set(function.types) <= names, set(function.types) - names
    return function


# Running





def run(function: ir.Function, *args: Any) -> Any:
    """What a function returns, by walking its statements. Arguments are copied."""
    values: dict[str, Any] = {p.name: copy.deepcopy(a) for p, a in zip(function.params, args, strict=True)}
    results = _block(function.body, values)
    return results[0] if len(results) == 1 else results


def _value(a: ir.Atom, values: dict[str, Any]) -> Any:
    return values[a.name] if isinstance(a, ir.Var) else a.value


def _block(block: ir.Block, values: dict[str, Any]) -> tuple[Any, ...]:
    for stmt in block.stmts:
        _stmt(stmt, values)
    return tuple(_value(a, values) for a in block.results)


def _stmt(stmt: ir.Stmt, values: dict[str, Any]) -> None:
    match stmt:
        case ir.Let():
            found = _let(stmt.op, [_value(a, values) for a in stmt.args], stmt, values)
            if stmt.target is not None:
                values[stmt.target] = found
        case ir.If():
            taken = stmt.then if _value(stmt.test, values) else stmt.orelse
            values.update(zip(stmt.targets, _block(taken, values), strict=True))
        case ir.For():
            _for(stmt, values)
        case ir.While():
            carried = [_value(a, values) for a in stmt.inits]
            while True:
                values.update(zip(stmt.params, carried, strict=True))
                if not _block(stmt.test, values)[0]:
                    break
                carried = list(_block(stmt.body, values))
            values.update(zip(stmt.targets, carried, strict=True))


def _for(stmt: ir.For, values: dict[str, Any]) -> None:
    carried, flag = [_value(a, values) for a in stmt.inits], False
    for each in _value(stmt.iterable, values):
        values[stmt.variable] = each
        values.update(zip(stmt.params, carried, strict=True))
        results = list(_block(stmt.body, values))
        if stmt.stops:
            flag = bool(results.pop(0))
        carried = results
        if flag:
            break
    values.update(zip(stmt.targets, ([flag] if stmt.stops else []) + carried, strict=True))


def _let(op: ir.Op, args: list[Any], let: ir.Let, values: dict[str, Any]) -> Any:
    keywords = {key: _value(a, values) for key, a in let.keywords}
    match op:
        case ir.Fn(target):
            return target(*args, **keywords)
        case ir.Attr(name):
            return getattr(args[0], name)
        case ir.Method(name):
            return getattr(args[0], name)(*args[1:], **keywords)
        case ir.Make(kind):
            return slice(*args) if kind == "slice" else tuple(args) if kind == "tuple" else list(args)
        case ir.Append():
            return args[0].append(args[1])
        case ir.Pop():
            return args[0].pop()
        case ir.Load(path):
            return copy.copy(_follow(args[0], path, args[1:]))
        case ir.Store(path):
            _assign(args[0], path, args[1:-1], args[-1])
        case ir.Update(path, function):
            _assign(args[0], path, args[1:-1], function(copy.copy(_follow(args[0], path, args[1:-1])), args[-1]))
        case _:
            raise AssertionError(f"not run by the tests: {op}")
    return None


def _follow(base: Any, path: tuple[str, ...], indices: list[Any]) -> Any:
    rest = list(indices)
    for step in path:
        base = operator.getitem(base, rest.pop(0)) if step == "[]" else getattr(base, step[1:])
    return base


def _assign(base: Any, path: tuple[str, ...], indices: list[Any], value: Any) -> None:
    if not path:
        base[...] = value
        return
    *before, last = path
    assert last == "[]"
    _follow(base, tuple(before), indices[:-1])[indices[-1]] = value
