"""Lowering of `try`.

    try:                                 raised.4, y.5 = try
        y = table[k]                       y.2 = operator.getitem(table.0, k.1)
    except KeyError:             ->        yield y.2
        y = x                            except KeyError as _error.3
                                           yield x.6

Several handlers are one that looks at the class of the exception. What `else` holds is a branch under the flag. A name
that the body assigns before something that may raise has the one value or the other in a handler: it is refused there
until it is assigned again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import gast

from srcgrad.abstract import may_raise
from srcgrad.frontend.base import HALF, Half, is_half, is_mixed, is_users_own
from srcgrad.frontend.contexts import Contexts
from srcgrad.frontend.scope import DEAD, RETURNED, SKIP, STOP, assigned_names, may_jump
from srcgrad.frontend.values import Environment, Frame, Table, Value, atoms_of, is_cell
from srcgrad.ir import (
    UNDEFINED,
    Atom,
    Block,
    Const,
    Enter,
    Exit,
    Invoke,
    Let,
    Raise,
    Stmt,
    Try,
    Var,
    While,
    defined,
    own_atoms,
    variables,
    walk,
    written_buffer,
)  # fmt: skip
from srcgrad.types import BOOL, UNKNOWN, Type, type_of

_FLAGS = (RETURNED, SKIP, STOP)
_PLAIN = ("scalar", "array", "str", "tuple", "list", "dict", "range", "slice", "none")


class Exceptions(Contexts):
    handling = 0  # handlers around what is lowered

    def _stmt_try(self, node: gast.Try) -> None:
        if node.finalbody:
            self._finally(node)
        else:
            self._handled(node)

    def _finally(self, node: gast.Try) -> None:
        if may_jump(node.finalbody):
            self.refuse(node, "a `finally` with a jump inside is not supported", "jump after the `try` statement")
            return
        names = {n.id for part in node.finalbody for n in gast.walk(part) if isinstance(n, gast.Name)}
        changed = sorted(names & set(assigned_names([*node.body, *node.handlers, *node.orelse])))
        if changed:
            problem = f"the `finally` uses `{changed[0]}`, which may be half computed there"
            self.refuse(node, problem, "assign it before the `try` statement")
            return
        self.builder.let(Enter(), [], effect=True, hint="_try")
        if node.handlers:
            self._handled(node)
        else:
            self.body(node.body)
        self.builder.do(Exit(last=False))
        flags = {flag: self.frame.environment.get(flag, Const(False)) for flag in _FLAGS}
        self.frame.environment.update(dict.fromkeys(_FLAGS, Const(False)))
        self.body(node.finalbody)
        self.frame.environment.update(flags)
        self.builder.do(Exit())

    # Handlers

    def _handled(self, node: gast.Try) -> None:
        kinds = [self._kinds(handler) for handler in node.handlers]
        caught = kinds[0] if len(kinds) == 1 else tuple(kind for each in kinds for kind in _several(each))
        classes = self.as_atom(caught, node)
        before = self.frame.environment
        found = _Found(self.frame, before, _are_users(caught))
        self.frame.environment = dict(before)
        with self.builder.block() as body, self.builder.watched(lambda stmt: self._look(stmt, found)):
            self.body(node.body)
        body, found_values = self._without_harmless(body, found)
        half = {name for name, value in found_values.items() if value is HALF}
        tried, self.frame.environment = self.frame.environment, {**before, **found_values}
        error = self.builder.declare("_error", UNKNOWN)
        with self.builder.block() as handler:
            self.handling += 1
            self._choose(node.handlers, kinds, error)
            self.handling -= 1
        handled, self.frame.environment = self.frame.environment, dict(before)
        raised = self.builder.declare("raised", BOOL)
        self.flags[raised.name] = raised.name, True
        unsure = [n for n in half if is_half(handled.get(n, ())) and n in tried and not is_mixed(tried[n])]
        handled.update(dict.fromkeys(unsure, UNDEFINED))
        dead = DEAD in handled
        self._join_paths(raised, classes, error, (body, handler), before, (tried, handled))
        for name in () if dead else unsure:
            value = self.frame.environment[name]
            self.frame.environment[name] = Const(Half(raised.name, value))
        if node.orelse:
            self.join_by(raised, lambda: None, lambda: self._otherwise(node.orelse, tried))

    def _look(self, stmt: Stmt, found: _Found) -> None:
        """Notes what names stand for where the body may raise."""
        if not found.may_raise(stmt, self.builder.types):
            return
        frame = found.frame
        own = {name: value for name, value in (frame.environment | frame.hidden).items() if name[0] != "<"}
        cells = {name: value for name, value in self.frame.environment.items() if is_cell(name)}
        found.environments.append(own | cells)

    def _without_harmless(self, body: list[Stmt], found: _Found) -> tuple[list[Stmt], Environment]:
        """The body, and what names that it changes stand for in the handler.

        Where a name has one value wherever the body may raise, the handler finds that value; what computes it, and
        cannot itself raise, moves before the `try`. All other names may have the one value or the other.
        """
        changed = found.changed()
        types = self.builder.types
        barred = (i for i, stmt in enumerate(body) if _is_end(stmt) or found.any_may_raise(stmt, types))
        first = next(barred, len(body))
        early = {name for stmt in body[:first] for name in defined(stmt)}
        # What the rest writes into is not taken out: it would be half written where the rest raises.
        early -= {name for stmt in walk(Block(tuple(body))) if (name := written_buffer(stmt)) is not None}
        there = early.union(*(variables(atoms_of(value)) for value in found.before.values()))
        for name, value in changed.items():
            if not there.issuperset(variables(atoms_of(value))):
                changed[name] = HALF
        if not any(early.intersection(variables(atoms_of(value))) for value in changed.values()):
            return body, changed
        for stmt in body[:first]:
            self.builder.emit(stmt)
        return body[first:], changed

    def _kinds(self, handler: gast.ExceptHandler) -> Value:
        """The class, or the tuple of classes, that a handler is for."""
        found: Value = Const(BaseException) if handler.type is None else self.expression(handler.type)
        found = found.items if isinstance(found, Table) else found
        if isinstance(found, Const) and isinstance(found.value, tuple):
            found = tuple(map(Const, found.value))
        if not all(map(_is_exception, _several(found))):
            problem = "which exceptions this handles is not known before the run"
            return self.refuse(handler, problem, "name the classes of the exceptions")
        return found

    def _choose(self, handlers: Sequence[gast.ExceptHandler], kinds: Sequence[Value], error: Var) -> None:
        """The handler of the first class that fits, the last one without a question."""
        if len(handlers) == 1:
            self._handler(handlers[0], error)
            return
        test = self.builder.fn(isinstance, error, self.as_atom(kinds[0], handlers[0]))
        self.join_by(
            test,
            lambda: self._handler(handlers[0], error),
            lambda: self._choose(handlers[1:], kinds[1:], error),
        )

    def _handler(self, handler: gast.ExceptHandler, error: Var) -> None:
        with self.builder.at(self.origin(handler)):
            if handler.name is not None:
                self._suggest(handler.name, error)
                self.assign(handler.name, error)
            self.body(handler.body)
            if handler.name is not None:
                self.assign(handler.name, UNDEFINED)  # as Python does

    def _otherwise(self, nodes: Sequence[gast.AST], tried: Environment) -> None:
        """What `else` holds, unless the body has jumped."""
        known = {flag: tried.get(flag, Const(False)) for flag in _FLAGS}
        self.frame.environment.update({flag: value for flag, value in known.items() if isinstance(value, Const)})
        if not self.after_jump(SKIP, nodes):
            self.body(nodes)

    def _join_paths(
        self,
        raised: Var,
        caught: Atom,
        error: Var,
        blocks: tuple[list[Stmt], list[Stmt]],
        before: Environment,
        environments: tuple[Environment, Environment],
    ) -> None:
        """Writes the statement and joins what names stand for behind the body and behind the handler."""
        tried, handled = environments
        rows = self.reconciled(raised, before, [handled, tried])
        kept = [row for row in rows if not _is_flag(row[1], row[2])]
        targets = [self.joined(hint, after, result) for hint, after, result in kept]
        body = Block(tuple(blocks[0]), tuple(result for _, _, result in kept))
        handler = Block(tuple(blocks[1]), tuple(after for _, after, _ in kept))
        names = (raised.name, *(target.name for target in targets))
        self.builder.emit(Try(names, body, caught, error.name, handler, self.builder.origin))
        joined = iter(targets)
        atoms = [self._flag(raised, after) if _is_flag(after, result) else next(joined) for _, after, result in rows]
        self.take([handled, tried], iter(atoms))

    def _flag(self, raised: Var, after: Atom) -> Atom:
        return raised if after == Const(True) else self.negated(raised)

    def _stmt_raise(self, node: gast.Raise) -> None:
        if node.exc is None and self.handling:
            self.builder.do(Raise())
            self.frame.environment[DEAD] = Const(True)
            return
        super()._stmt_raise(node)


@dataclass
class _Found:
    """What the names of a frame stand for wherever the body of a `try` may raise.

    `users`: only exceptions of classes of the user's are handled, which operations on numbers and arrays do not raise.
    """

    frame: Frame
    before: Environment
    users: bool
    environments: list[Environment] = field(default_factory=list)

    def may_raise(self, stmt: Stmt, types: Mapping[str, Type]) -> bool:
        return may_raise(stmt, types) and not (self.users and _is_plain(stmt, types))

    def any_may_raise(self, stmt: Stmt, types: Mapping[str, Type]) -> bool:
        return any(self.may_raise(inner, types) for inner in walk(Block((stmt,))))

    def changed(self) -> Environment:
        """The values of the names that are not always what they were before the `try`; HALF for one of several."""
        names = dict.fromkeys(name for found in self.environments for name in found)
        values: Environment = {}
        for name in names:
            start = self.before.get(name, UNDEFINED)
            several = [found.get(name, start) for found in self.environments]
            if any(value is not start for value in several):
                one = all(value is several[0] for value in several)
                values[name] = several[0] if one else HALF
        return values


def _is_end(stmt: Stmt) -> bool:
    """Whether a context begins or ends here, of which both ends stay in one block."""
    return isinstance(stmt, Let) and isinstance(stmt.op, Enter | Exit)


def _is_plain(stmt: Stmt, types: Mapping[str, Type]) -> bool:
    """Whether a statement is of numbers, arrays and Python's own containers alone, and calls no code of the user's."""
    if isinstance(stmt, Let) and (stmt.effect or isinstance(stmt.op, Raise | Invoke | Exit)):
        return False
    atoms = stmt.test.results if isinstance(stmt, While) else own_atoms(stmt)
    known = (types.get(atom.name, UNKNOWN) if isinstance(atom, Var) else type_of(atom.value) for atom in atoms)
    return all(each.kind in _PLAIN for each in known)


def _are_users(caught: Value) -> bool:
    """Whether all classes that are handled are the user's own."""
    return all(is_users_own(kind) for kind in _several(caught))


def _several(kinds: Value) -> tuple[Value, ...]:
    return kinds if isinstance(kinds, tuple) else (kinds,)


def _is_exception(kind: Value) -> bool:
    return isinstance(kind, Const) and isinstance(kind.value, type) and issubclass(kind.value, BaseException)


def _is_flag(after: Atom, result: Atom) -> bool:
    """Whether a name says no more than whether the exception was raised."""
    return {after, result} == {Const(True), Const(False)}
