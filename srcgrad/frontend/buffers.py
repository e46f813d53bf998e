"""Separates memory from values: names whose objects are written become buffers, and are read by `Load` from here on.

    y.1 = numpy.zeros(n.0)                 y.1 = numpy.zeros(n.0)
    store[](y.1, 0, x.2)                   store[](y.1, 0, x.2)
    row.3 = operator.getitem(y.1, slice)   row.3 is the path y.1[slice], a view, and each of its uses
    z.4 = operator.mul(row.3, 2)      ->   load.5 = load[](y.1, slice)
                                           z.4 = operator.mul(load.5, 2)

A view of a buffer is re-read at each of its uses, as the view itself would show the memory then. Where a second name
may share the memory and the order of its use and of a write cannot be told to be harmless, the write is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace

from srcgrad.errors import AliasedWrite, together
from srcgrad.frontend.memory import REBINDING, WRITERS, Facts, is_inplace
from srcgrad.frontend.mirrors import Mirrors
from srcgrad.frontend.overlaps import Overlaps
from srcgrad.frontend.rename import rename_block
from srcgrad.frontend.sharing import Sharing
from srcgrad.frontend.source import Source
from srcgrad.ir import (
    Append,
    Atom,
    Attr,
    Block,
    Const,
    Fn,
    For,
    Function,
    If,
    Let,
    Load,
    Make,
    Method,
    Names,
    Pop,
    Stmt,
    Store,
    Try,
    Update,
    Var,
    While,
    walk,
)
from srcgrad.types import CONTAINERS, Type


def separate_buffers(function: Function, source: Source) -> Function:
    """The function with its buffers read by `Load`; raises `AliasedWrite` where two names cannot be told apart."""
    facts = Facts(function)
    rebound = _rebound(function, facts, source)
    if rebound is not function:
        function, facts = rebound, Facts(rebound)
    roots = facts.roots()
    if not roots:
        return function
    names, types = Names.after(function), dict(function.types)
    mirrors, overlaps = Mirrors(facts, roots, names, types), Overlaps(facts)
    offences = []
    for root, writes in roots.items():
        plain = facts.kind(root) not in CONTAINERS
        remedy = "write into an array made here: `y = x.copy()` first"
        if not plain:
            remedy = "write into what it holds by one name alone, or put copies into it: `y.copy()`"
        found = [(problem, let) for _, let in writes if (problem := mirrors.problems.get(id(let), ""))]
        problem, let = (facts.problem(root, writes), writes[0][1])
        if problem or found:
            problem, let = (problem, let) if problem else found[0]
            offences.append(AliasedWrite(problem, source.place_of(let.origin), remedy))
        for _, let in writes:
            if problem := overlaps.problem(let):
                offences.append(AliasedWrite(problem, source.place_of(let.origin), "store a copy: `... = part.copy()`"))
    if offences:
        raise together(list(offences))
    return _Rewriter(function, facts, mirrors, names, types).run()


def _rebound(function: Function, facts: Facts, source: Source) -> Function:
    """Augmented assignments to names of unknown kind as operations: `y = y + v` for `y += v`.

    That is the same where the old value is new memory, or no memory, that nobody sees again; anything else is refused,
    since an array would be written in place and a number would not.
    """
    found = [s for s in walk(function.body) if isinstance(s, Let) and isinstance(s.op, Fn) and is_inplace(s.op)]
    if not found:
        return function
    sharing = Sharing(facts)
    offences = [
        AliasedWrite(
            f"whether `{owner.name.partition('.')[0]}` is an array, which this would change in place, is not known",
            source.place_of(let.origin),
            "write `y = y + v`, or let the types of the arguments be known",
        )
        for let in found
        for owner in let.args[:1]
        if isinstance(owner, Var) and not facts.is_temporary(owner.name, let) and not _is_own_element(sharing, let)
    ]
    if offences:
        raise together(list(offences))
    return replace(function, body=_plain(function.body))


def _is_own_element(sharing: Sharing, let: Let) -> bool:
    """Whether `let` updates an element of a container made here, is stored in its place, and nobody else has it."""
    facts = sharing.facts
    taken = facts.definition.get(let.args[0].name) if isinstance(let.args[0], Var) else None
    if not isinstance(taken, Let) or taken.op != Fn(operator.getitem) or not isinstance(taken.args[0], Var):
        return False
    owner = taken.args[0].name
    made = facts.definition.get(owner)
    if not isinstance(made, Let) or not isinstance(made.op, Make) or facts.kind(owner) not in CONTAINERS:
        return False
    args = (*taken.args, Var(let.target or ""))
    stored = any(name == owner and stmt.args == args for name, _, stmt in facts.writes)
    return stored and not sharing.is_seen_elsewhere(owner, taken.target or "", let)


def _plain(block: Block) -> Block:
    stmts: list[Stmt] = []
    for stmt in block.stmts:
        match stmt:
            case Let(op=Fn() as op) if is_inplace(op):
                stmts.append(replace(stmt, op=Fn(REBINDING[op.target]), effect=False))
            case If():
                stmts.append(replace(stmt, then=_plain(stmt.then), orelse=_plain(stmt.orelse)))
            case Try():
                stmts.append(replace(stmt, body=_plain(stmt.body), handler=_plain(stmt.handler)))
            case For():
                stmts.append(replace(stmt, body=_plain(stmt.body)))
            case While():
                stmts.append(replace(stmt, test=_plain(stmt.test), body=_plain(stmt.body)))
            case _:
                stmts.append(stmt)
    return Block(tuple(stmts), block.results)


class _Rewriter:
    """Replaces uses of buffers and of their views by loads."""

    def __init__(
        self, function: Function, facts: Facts, mirrors: Mirrors, names: Names, types: dict[str, Type]
    ) -> None:
        self.function, self.facts, self.mirrors = function, facts, mirrors
        self.names, self.types = names, types
        self.roots = mirrors.buffers
        self.index_of: dict[str, Atom] = {}  # the indices of views, as they were when the views were made

    def run(self) -> Function:
        body = self.block(self.function.body)
        return replace(self.function, body=body, types=self.types)

    def own(self, names: Sequence[str], stmt: Stmt) -> tuple[tuple[str, ...], list[Let]]:
        """Names of values instead of those of moved buffers, and the lets that make the buffers from them."""
        found, lets = [], []
        for name in names:
            if name not in self.roots:
                found.append(name)
                continue
            value = self.names.fresh(name.partition(".")[0])
            self.types[value] = self.types[name]
            lets.append(Let(name, Method("copy"), (Var(value),), (), stmt.origin))
            found.append(value)
        return tuple(found), lets

    def block(self, block: Block) -> Block:
        stmts: list[Stmt] = []
        for stmt in block.stmts:
            self.stmt(stmt, stmts)
        results = tuple(self.read(atom, stmts, block.stmts[-1] if block.stmts else None) for atom in block.results)
        return Block(tuple(stmts), results)

    def buffer_path(self, atom: Atom) -> tuple[str, tuple[str, ...], tuple[Atom, ...]] | None:
        if not isinstance(atom, Var):
            return None
        root, steps, _ = self.facts.path(atom.name)
        if root not in self.roots:
            return None
        indices: list[Atom] = []
        name = atom.name
        while (found := self.facts.base(name)) is not None:
            owner, _, index = found
            if index is not None:
                indices.insert(0, self.index_of.get(name, index))
            name = owner
        return root, steps, tuple(indices)

    def read(self, atom: Atom, stmts: list[Stmt], near: Stmt | None) -> Atom:
        found = self.buffer_path(atom)
        if isinstance(atom, Var) and atom.name in self.mirrors.lazy:
            return self.made_again(atom, stmts, near)
        if found is None:
            return atom
        root, path, indices = found
        assert isinstance(atom, Var)
        hint = atom.name.partition(".")[0]
        target = self.names.fresh(hint if hint.startswith("_") else f"_{hint}")
        self.types[target] = self.types[atom.name]
        origin = near.origin if near is not None else None
        let = Let(target, Load(path), (Var(root), *indices))
        stmts.append(let if origin is None else replace(let, origin=origin))
        return Var(target)

    def made_again(self, atom: Var, stmts: list[Stmt], near: Stmt | None) -> Atom:
        """A list of buffers, as it is now."""
        made = self.facts.definition[atom.name]
        assert isinstance(made, Let)
        target = self.names.fresh(atom.name.partition(".")[0])
        self.types[target] = self.types[atom.name]
        args = tuple(self.read(arg, stmts, near) for arg in made.args)
        stmts.append(replace(made, target=target, args=args, origin=made.origin if near is None else near.origin))
        return Var(target)

    def stmt(self, stmt: Stmt, stmts: list[Stmt]) -> None:
        read: Callable[[Atom], Atom] = lambda atom: self.read(atom, stmts, stmt)  # noqa: E731
        match stmt:
            case Let():
                self.let(stmt, stmts, read)
            case If():
                targets, owned = self.own(stmt.targets, stmt)
                then, orelse = self.flagged(stmt, 0, stmt.then), self.flagged(stmt, 1, stmt.orelse)
                targets = (*targets, *self.flag_targets(stmt))
                stmts.append(replace(stmt, targets=targets, test=read(stmt.test), then=then, orelse=orelse))
                stmts.extend(owned)
            case Try():
                targets, owned = self.own(stmt.targets, stmt)
                body, handler = self.flagged(stmt, 1, stmt.body), self.flagged(stmt, 0, stmt.handler)
                targets = (*targets, *self.flag_targets(stmt))
                stmts.append(replace(stmt, targets=targets, caught=read(stmt.caught), body=body, handler=handler))
                stmts.extend(owned)
            case For() | While():
                self._loop(stmt, stmts, read)

    def flag_targets(self, stmt: Stmt) -> tuple[str, ...]:
        return tuple(flag.target for flag in self.mirrors.flags.get(id(stmt), []))

    def flagged(self, stmt: Stmt, which: int, block: Block) -> Block:
        """A block that also yields the flags of its statement, which are the first or the second of their rows."""
        flags = self.mirrors.flags.get(id(stmt), [])
        block = self.block(block)
        return Block(block.stmts, (*block.results, *(flag.rows[which] for flag in flags)))

    def _loop(self, loop: For | While, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        inits = tuple(map(read, loop.inits))
        params, entering = self.own(loop.params, loop)
        targets, owned = self.own(loop.targets, loop)
        body = self.block(loop.body)
        for flag in self.mirrors.flags.get(id(loop), []):
            inits, params, targets = (*inits, flag.rows[0]), (*params, flag.param), (*targets, flag.target)
            body = Block(body.stmts, (*body.results, flag.rows[1]))
        body = Block((*entering, *body.stmts), body.results)
        loop = replace(loop, inits=inits, params=params, targets=targets, body=body)
        if isinstance(loop, For):
            stmts.append(replace(loop, iterable=read(loop.iterable)))
        else:
            stmts.append(replace(loop, test=self._test(loop.test, entering)))
        stmts.extend(owned)

    def _test(self, test: Block, entering: Sequence[Let]) -> Block:
        """The test of a loop runs before the iteration makes its buffers: it sees the values that they are made of."""
        values = {let.target: let.args[0].name for let in entering if let.target and isinstance(let.args[0], Var)}
        roots, self.roots = self.roots, self.roots - values.keys()
        test = rename_block(self.block(test), values)
        self.roots = roots
        return test

    def let(self, let: Let, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        if isinstance(let.op, WRITERS):
            self._write(let, stmts, read)
            return
        if let.target is not None and self.facts.base(let.target) is not None and self.buffer_path(Var(let.target)):
            if let.op == Fn(operator.getitem):
                self.index_of[let.target] = read(let.args[1])
            return  # a view: re-read where it is used
        if let.target in self.mirrors.lazy:
            return  # a list of buffers: made again where it is used
        field = Const(let.op.name) if isinstance(let.op, Attr) and self.facts.is_field(let) else None
        takes_part = field is not None or let.op == Fn(operator.getitem)
        found = self.buffer_path(let.args[0]) if takes_part else None
        if found is not None:
            root, path, indices = found
            step, key = ("[]", read(let.args[1])) if field is None else (".", field)
            stmts.append(replace(let, op=Load((*path, step)), args=(Var(root), *indices, key)))
            return
        keywords = tuple((key, read(atom)) for key, atom in let.keywords)
        stmts.append(replace(let, args=tuple(map(read, let.args)), keywords=keywords))

    def _write(self, let: Let, stmts: list[Stmt], read: Callable[[Atom], Atom]) -> None:
        target, *rest = let.args
        found = self.buffer_path(target)
        assert found is not None
        root, path, indices = found
        rest = [read(atom) for atom in rest]
        assert isinstance(let.op, Store | Update | Append | Pop)
        wide = replace(let, op=replace(let.op, path=(*path, *let.op.path)))
        stmts.append(replace(wide, args=(Var(root), *indices, *rest)))
        for other, same in self.mirrors.repeated.get(id(let), []):
            again = replace(wide, args=(Var(other), *indices, *rest))
            if isinstance(same, Var):
                stmts.append(If((), same, Block((again,)), Block(), let.origin))
            elif same == Const(True):
                stmts.append(again)
