"""How the arguments of a call become the values of parameters, and what names a function's text mentions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import gast

from srcgrad.frontend.values import Table, Value


def bind(
    tree: gast.FunctionDef | gast.Lambda,
    args: Sequence[Value],
    keywords: dict[str, Value],
    default: Callable[[str], Value],
) -> dict[str, Value]:
    """The values of the parameters of a call, defaults included; `TypeError` as Python raises it.

    `*args` becomes a tuple, `**kwargs` a table, both known to the compiler.
    """
    signature = tree.args
    positional = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
    named = [arg.id for arg in [*signature.args, *signature.kwonlyargs]]
    bound: dict[str, Value] = dict(zip(positional, args, strict=False))
    if len(args) > len(positional) and signature.vararg is None:
        raise TypeError(f"takes {len(positional)} positional arguments but {len(args)} were given")
    rest: dict[str, Value] = {}
    for key, value in keywords.items():
        if key in named:
            if key in bound:
                raise TypeError(f"got multiple values for argument '{key}'")
            bound[key] = value
        elif signature.kwarg is None:
            raise TypeError(f"got an unexpected keyword argument '{key}'")
        else:
            rest[key] = value
    for name in [*positional, *(arg.id for arg in signature.kwonlyargs)]:
        if name not in bound:
            bound[name] = default(name)
    if signature.vararg is not None:
        bound[signature.vararg.id] = tuple(args[len(positional) :])
    if signature.kwarg is not None:
        bound[signature.kwarg.id] = Table("dict", tuple(rest), tuple(rest.values()))
    return bound


def declared_nonlocal(nodes: Sequence[gast.AST]) -> set[str]:
    """The names that statements declare `nonlocal`, in functions defined inside not counted."""
    found: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, gast.Nonlocal):
            found.update(node.names)
        elif not isinstance(node, gast.FunctionDef | gast.Lambda):
            pending.extend(gast.iter_child_nodes(node))
    return found


def names_read(node: gast.FunctionDef | gast.Lambda) -> set[str]:
    """The names in the body of a function that are no parameters of it."""
    own = {arg.id for arg in gast.walk(node.args) if isinstance(arg, gast.Name) and isinstance(arg.ctx, gast.Param)}
    body = node.body if isinstance(node.body, list) else [node.body]
    return {inner.id for part in body for inner in gast.walk(part) if isinstance(inner, gast.Name)} - own
