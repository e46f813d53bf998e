"""Gives names of the user's to what the lowering made as temporaries: `_product.3` becomes `y.3`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from srcgrad.ir import Atom, Block, For, Function, If, Let, Stmt, Try, Var, While


def rename(function: Function, hints: Mapping[str, str]) -> Function:
    """The function with new hints for some of its names; numbers stay."""
    names = {name: f"{hint}.{name.partition('.')[2]}" for name, hint in hints.items()}
    types = {names.get(name, name): known for name, known in function.types.items()}
    return replace(function, body=_Renamer(names).block(function.body), types=types)


def rename_block(block: Block, names: Mapping[str, str]) -> Block:
    """The block with the uses of some names, and their definitions if any, replaced."""
    return _Renamer(names).block(block) if names else block


class _Renamer:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def atom(self, atom: Atom) -> Atom:
        return Var(self.names[atom.name]) if isinstance(atom, Var) and atom.name in self.names else atom

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return tuple(map(self.atom, atoms))

    def defined(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.names.get(name, name) for name in names)

    def block(self, block: Block) -> Block:
        return Block(tuple(map(self.stmt, block.stmts)), self.atoms(block.results))

    def stmt(self, stmt: Stmt) -> Stmt:
        match stmt:
            case Let():
                target = None if stmt.target is None else self.names.get(stmt.target, stmt.target)
                keywords = tuple((key, self.atom(atom)) for key, atom in stmt.keywords)
                return replace(stmt, target=target, args=self.atoms(stmt.args), keywords=keywords)
            case If():
                return replace(
                    stmt,
                    targets=self.defined(stmt.targets),
                    test=self.atom(stmt.test),
                    then=self.block(stmt.then),
                    orelse=self.block(stmt.orelse),
                )
            case Try():
                return replace(
                    stmt,
                    targets=self.defined(stmt.targets),
                    body=self.block(stmt.body),
                    caught=self.atom(stmt.caught),
                    error=self.names.get(stmt.error, stmt.error),
                    handler=self.block(stmt.handler),
                )
            case For():
                return replace(
                    stmt,
                    targets=self.defined(stmt.targets),
                    params=self.defined(stmt.params),
                    inits=self.atoms(stmt.inits),
                    variable=self.names.get(stmt.variable, stmt.variable),
                    iterable=self.atom(stmt.iterable),
                    body=self.block(stmt.body),
                )
            case While():
                return replace(
                    stmt,
                    targets=self.defined(stmt.targets),
                    params=self.defined(stmt.params),
                    inits=self.atoms(stmt.inits),
                    test=self.block(stmt.test),
                    body=self.block(stmt.body),
                )
