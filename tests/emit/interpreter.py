"""Runs a function of the IR by its definition, to compare with the text that is raised from it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

import numpy as np

from srcgrad import ir

Env = dict[str, Any]


def run(function: ir.Function, *args: Any, names: Mapping[str, Any] | None = None) -> list[Any]:
    """The flat results of a call."""
    env: Env = {param.name: arg for param, arg in zip(function.params, args, strict=True)}
    return _block(function.body, env, dict(names or {}))


def _value(atom: ir.Atom, env: Env) -> Any:
    return env.get(atom.name) if isinstance(atom, ir.Var) else atom.value


def _block(block: ir.Block, env: Env, names: Env) -> list[Any]:
    for stmt in block.stmts:
        match stmt:
            case ir.Let():
                result = _let(stmt, env, names)
                if stmt.target is not None:
                    env[stmt.target] = result
            case ir.If():
                inner = stmt.then if _value(stmt.test, env) else stmt.orelse
                env.update(zip(stmt.targets, _block(inner, env, names), strict=True))
            case _:
                _loop(stmt, env, names)
    return [_value(atom, env) for atom in block.results]


def _loop(stmt: ir.For | ir.While, env: Env, names: Env) -> None:
    carried = [_value(atom, env) for atom in stmt.inits]
    items = iter(_value(stmt.iterable, env)) if isinstance(stmt, ir.For) else None
    flag = False
    while not flag:
        env.update(zip(stmt.params, carried, strict=True))
        if items is None:
            assert isinstance(stmt, ir.While)
            if not _block(stmt.test, env, names)[0]:
                break
        else:
            item = next(items, stmt)
            if item is stmt:
                break
            env[stmt.variable] = item  # type: ignore[union-attr]
        results = _block(stmt.body, env, names)
        flag, carried = (bool(results[0]), results[1:]) if stmt.stops else (False, results)
    env.update(zip(stmt.targets, [flag, *carried] if stmt.stops else carried, strict=True))


def _snapshot(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray | list) else value


def _place(buffer: Any, path: tuple[str, ...], indices: list[Any]) -> Any:
    remaining = iter(indices)
    for step in path:
        buffer = buffer[next(remaining)] if step == "[]" else getattr(buffer, step[1:])
    return buffer


def _let(let: ir.Let, env: Env, names: Env) -> Any:
    args = [_value(atom, env) for atom in let.args]
    keywords = {key: _value(atom, env) for key, atom in let.keywords}
    match let.op:
        case ir.Fn(target):
            return target(*args, **keywords)
        case ir.Attr(name):
            return getattr(args[0], name)
        case ir.Method(name):
            return getattr(args[0], name)(*args[1:], **keywords)
        case ir.Make(kind):
            return "".join(map(str, args)) if kind == "fstring" else _make(kind, args)
        case ir.Global(name):
            return names.get(name, getattr(builtins, name, None))
        case ir.Load(path):
            return _snapshot(_place(args[0], path, args[1:]))
        case ir.Pop():
            return args[0].pop()
        case ir.Append():
            return args[0].append(args[1])
        case ir.Store(path):
            part = _place(args[0], path[:-1], args[1:-2]) if path else args[0]
            part[args[-2] if path else ...] = args[-1]
        case ir.Update(path, function, _):
            part = _place(args[0], path[:-1], args[1:-2]) if path else args[0]
            index = args[-2] if path else ...
            part[index] = function(part[index], args[-1])
    return None


def _make(kind: str, args: list[Any]) -> Any:
    match kind:
        case "tuple":
            return tuple(args)
        case "list":
            return list(args)
        case "slice":
            return slice(*args)
    return dict(zip(args[::2], args[1::2], strict=True))
