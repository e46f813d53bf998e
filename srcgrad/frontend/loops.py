"""Lowering of loops.

    for a, b in zip(u, v):        n = min(len(u), len(v))
        s += a * b           ->   for k in range(n) with s = s.0 do
                                    a = u[k]; b = v[k]; ...
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gast

from srcgrad.frontend.base import ENDED, MIXED, is_mixed
from srcgrad.frontend.iterables import Iterables, Walk, mentions, name_of
from srcgrad.frontend.scope import DEAD, RESULT, RETURNED, SKIP, STOP, assigned_names, contains, is_named, may_jump
from srcgrad.frontend.values import (
    Closure,
    Environment,
    Instance,
    Lazy,
    Table,
    Value,
    atoms_of,
    cell_parts,
    is_cell,
    is_true,
    is_undefined,
    leaves,
    same_names,
    same_structure,
    with_atoms,
)
from srcgrad.ir import UNDEFINED, Append, Atom, Block, Const, For, Let, Loop, Make, Pop, Store, Var, While, walk
from srcgrad.types import INT, UNKNOWN, Type, anonymous, join

_ATTEMPTS = 6  # the lattice of types is low: a loop's types settle in two or three, without lengths in four
Head = tuple[str, Type, Atom]  # of a `for` loop: the hint and the type of its variable, and what it runs over


Types = dict[str, list[Type]]  # of the atoms of every name


@dataclass
class _Carried:
    """What names stand for at the start of a loop that may change them: `names`, in their order.

    `inits`: those that the loop carries; one without a value before the loop has the structure that the body gives it.
    `unassigned`: names without a value before the loop, to which the body has given none so far. `mixed`: names that do
    not keep one structure; in the body and after the loop they are of use only once they are assigned again.
    """

    names: list[str]
    inits: dict[str, Value]
    unassigned: set[str]
    mixed: dict[str, Value]

    @classmethod
    def of(cls, names: Sequence[str], before: Environment) -> _Carried:
        values = {name: before.get(name, Const(False) if name == RETURNED else UNDEFINED) for name in names}
        inits = {name: value for name, value in values.items() if not is_undefined(value)}
        mixed: dict[str, Value] = {name: value for name, value in values.items() if is_mixed(value)}
        return cls(list(names), inits, values.keys() - inits.keys() - mixed.keys(), mixed)

    def entered(self, before: Environment) -> Environment:
        """What names stand for when an iteration begins; those that are carried come to stand for parameters."""
        environment = dict(before)
        for name in self.names:
            if name in self.mixed:
                environment[name] = self.mixed[name]
            elif name in self.unassigned or name in self.inits:
                environment[name] = UNDEFINED
        return environment

    def carry(self, name: str, init: Value) -> None:
        if name not in self.names:
            self.names.append(name)
        self.unassigned.discard(name)
        self.inits[name] = init
        self.inits = {name: self.inits[name] for name in self.names if name in self.inits}

    def mix(self, name: str, value: Value) -> None:
        self.unassigned.discard(name)
        self.inits.pop(name, None)
        self.mixed[name] = value if is_mixed(value) else MIXED


class _TestAssigns(Exception):
    """The test of a `while` loop changes what names stand for."""


class Loops(Iterables):
    def _stmt_for(self, node: gast.For) -> None:
        self.walked_over = frozenset()
        dicts = self._dicts_shown(node.iter)
        walk = self._by_position(node) or self.walk(node.iter, node.target, node.body)
        lists = self.walked_over
        if isinstance(walk, tuple):
            self._unrolled(node, walk, dicts)
            return
        iterable = self.walked(walk)
        direct = walk.iterable is not None
        hint = node.target.id if direct and isinstance(node.target, gast.Name) else "k"

        def body(variable: Var) -> None:
            self._iteration(node, walk.item(variable), dicts)
            self._check_lengths(node, lists)

        stops = may_jump(node.body) and contains(node.body, (gast.Break, gast.Return))
        names = [*assigned_names([node.target]), *assigned_names(node.body)]
        self._loop(node, list(dict.fromkeys(names)), stops, body, (self.hint(hint), walk.element, iterable))

    def _check_lengths(self, node: gast.For, lists: frozenset[str]) -> None:
        """Refuses a loop over a list that grows or shrinks in its body: Python looks at the length again and again."""
        for stmt in walk(Block(tuple(self.builder.current()))):
            if isinstance(stmt, Let) and isinstance(stmt.op, Append | Pop) and name_of(stmt.args[0]) in lists:
                problem = "the body of this loop adds to the list that it runs over, or takes from it"
                self.refuse(node, problem, "loop over a copy, `list(items)`, or write `while`")
                return

    def _dicts_shown(self, iterable: gast.AST) -> set[str]:
        """The dicts of which a loop is given items or values, one in every iteration."""
        found: set[str] = set()
        pending = [iterable]
        while pending:
            call = pending.pop()
            if not isinstance(call, gast.Call):
                continue
            if isinstance(call.func, gast.Name) and call.func.id in ("enumerate", "zip"):
                pending.extend(call.args)
            elif isinstance(call.func, gast.Attribute) and call.func.attr in ("items", "values") and not call.args:
                owner = self.expression(call.func.value) if is_named(call.func.value) else None
                found.update([owner.name] if isinstance(owner, Var) else [])
        return found

    def _check_entries(self, node: gast.For, dicts: set[str], given: Sequence[Value | None], before: int) -> None:
        """Refuses a loop over the items of a dict that changes others of them: all are read before the loop here.

        `given` is what an iteration is given, its key among them.
        """
        for stmt in walk(Block(tuple(self.builder.current()[before:]))) if dicts else ():
            if not isinstance(stmt, Let) or not isinstance(stmt.op, Store | Pop) or name_of(stmt.args[0]) not in dicts:
                continue
            if stmt.op.path in ((), ("[]",)) and not (len(stmt.args) > 1 and stmt.args[1] in given):
                problem = "the body of this loop changes the dict whose items it runs over"
                self.refuse(node, problem, "loop over a copy, `list(table.items())`")
                return

    def _by_position(self, node: gast.For) -> tuple[Value, ...] | None:
        """The positions of a loop over a known range whose body takes elements of a list of functions or objects."""
        if not isinstance(node.target, gast.Name) or not isinstance(node.iter, gast.Call):
            return None
        taken = [n for part in node.body for n in gast.walk(part) if isinstance(n, gast.Subscript)]
        owners = [n.value.id for n in taken if isinstance(n.value, gast.Name) and mentions(n.slice, node.target.id)]
        if not any(isinstance(self.frame.find(name, self.frame.environment), Table) for name in owners):
            return None
        return self.known_walk(node.iter)

    def _stmt_while(self, node: gast.While) -> None:
        def body(_: Var | None) -> None:
            self.body(node.body)

        stops = contains(node.body, (gast.Break,), through_loops=False) or contains(node.body, (gast.Return,))
        before = dict(self.frame.environment)
        try:
            self._loop(node, assigned_names([node.test, *node.body]), stops, body, None)
        except _TestAssigns:
            self.frame.environment = before
            self._tested_inside(node)

    def _tested_inside(self, node: gast.While) -> None:
        """A loop whose test assigns names, or changes objects: what the last test leaves has to be there afterwards."""
        if node.orelse:
            self.refuse(node, "the test of a `while` with `else` assigns", "assign in the body")
            return
        ends = gast.If(node.test, [gast.Pass()], [gast.Break()])
        gast.copy_location(ends, node)
        whole = gast.While(gast.Constant(True, None), [ends, *node.body], [])
        self._stmt_while(gast.copy_location(whole, node))

    def _unrolled(self, node: gast.For, items: tuple[Value, ...], dicts: set[str]) -> None:
        if contains(node.body, (gast.Break, gast.Continue), through_loops=False) or contains(node.body, (gast.Return,)):
            if any(map(self.is_static, items)):
                self._unrolled_with_jumps(node, items)
                return
            elements = self.builder.let(Make("list"), [self.as_atom(item, node) for item in items])
            walk = Walk(lambda k: self.builder.fn(operator.getitem, elements, k), length=Const(len(items)))
            self._walk_list(node, walk, dicts)
            return
        for item in items:
            self._iteration(node, item, dicts)
        self.body(node.orelse)

    def _iteration(self, node: gast.For, item: Value, dicts: set[str]) -> None:
        self._suggest(node.target, item)
        self.assign(node.target, item)
        given = [self.frame.find(name, self.frame.environment) for name in assigned_names([node.target])]
        before = len(self.builder.current())
        self.body(node.body)
        self._check_entries(node, dicts, given, before)

    def _unrolled_with_jumps(self, node: gast.For, items: tuple[Value, ...]) -> None:
        before = dict(self.frame.environment)
        self.frame.environment[STOP] = Const(False)
        self._iterate(node, items)
        stop = self.frame.environment[STOP]
        for flag in (STOP, SKIP):
            self.frame.environment[flag] = before.get(flag, Const(False))
        if not node.orelse or is_true(stop):
            return
        self.join_by(self.truth(stop, node), lambda: None, lambda: self.body(node.orelse))

    def _iterate(self, node: gast.For, items: tuple[Value, ...]) -> None:
        """One iteration after the other, each under the condition that those before have not ended the loop."""
        for position, item in enumerate(items):
            self.frame.environment[SKIP] = Const(False)
            self.assign(node.target, item)
            self.body(node.body)
            stop = self.frame.environment[STOP]
            if is_true(stop):
                return
            if isinstance(stop, Var):
                rest = functools.partial(self._iterate, node, items[position + 1 :])
                self.join_by(stop, lambda: None, rest)
                return

    def _walk_list(self, node: gast.For, walk: Walk, dicts: set[str]) -> None:
        assert walk.length is not None

        def body(variable: Var) -> None:
            self._iteration(node, walk.item(variable), dicts)

        stops = contains(node.body, (gast.Break, gast.Return))
        names = list(dict.fromkeys([*assigned_names([node.target]), *assigned_names(node.body)]))
        self._loop(node, names, stops, body, (self.hint("k"), INT, self.builder.fn(range, walk.length)))

    # The loop itself

    def _loop(
        self,
        node: gast.For | gast.While,
        names: list[str],
        stops: bool,
        body: Callable[[Any], None],
        head: Head | None,
    ) -> None:
        """Lowers a loop with the carried `names`, until the types of what it carries settle."""
        before = dict(self.frame.environment)
        carried = _Carried.of(self._carried_names(node, names), before)
        offences = len(self.offences)
        types = self._types(carried.inits)
        attempt = 0
        while True:
            del self.offences[offences:]
            loop, results = self._attempt(node, carried, types, stops, before, body, head)
            if self._carry_cells(carried, before) or results is None:
                types = self._types(carried.inits)
                continue
            found = {name: [self.builder.type(atom) for atom in atoms] for name, atoms in results.items()}
            joined = {name: list(map(join, types[name], found[name])) for name in types}
            # What was refused may have been so for want of values that the next attempt has.
            refused = len(self.offences) > offences
            known = types if refused else joined
            if self._open(carried, before, refused, known):
                types = known
                continue
            if joined == types:
                break
            attempt += 1
            widen: Callable[[Type], Type] = anonymous if attempt < _ATTEMPTS - 2 else lambda t: UNKNOWN
            types = {
                name: [j if t == j or attempt < 2 else widen(j) for t, j in zip(types[name], joined[name], strict=True)]
                for name in types
            }
        for name, value in before.items():
            if isinstance(value, Lazy) and name not in carried.names and self.frame.environment.get(name) is ENDED:
                problem = f"`{name}` is an iterator from before this loop, which has elements in one iteration alone"
                self.refuse(node, problem, "make a list of it where it is assigned: `list(...)`")
        self.builder.emit(loop)
        self._after(node, carried, loop, stops, before)

    def _carried_names(self, node: gast.For | gast.While, names: list[str]) -> list[str]:
        """What a loop may change: what its body assigns, and whether it has returned, and what."""
        returns = [RETURNED, RESULT] if contains(node.body, (gast.Return,)) else []
        return [*dict.fromkeys(map(self.frame.key, names)), *returns]

    def _types(self, inits: Environment) -> Types:
        return {name: [self.builder.type(atom) for atom in atoms_of(value)] for name, value in inits.items()}

    def _carry_cells(self, carried: _Carried, before: Environment) -> bool:
        """Carries the fields of objects, and variables of functions around, that the body has changed; true if any."""
        after = self.frame.environment
        cells = [name for name in before if is_cell(name) and name not in carried.names]
        changed = [name for name in cells if after.get(name, UNDEFINED) != before[name]]
        for name in changed:
            carried.carry(name, before[name])
        return bool(changed)

    def _open(self, carried: _Carried, before: Environment, refused: bool, types: Types) -> bool:
        """Carries the names that had no value so far and that the body gives one; true if there are any. Their types
        are those of the body, unless something in it was refused."""
        found = False
        for name in [name for name in carried.names if name in carried.unassigned]:
            value = self.frame.environment.get(name, UNDEFINED)
            if is_mixed(value):
                carried.mix(name, value)
            elif is_undefined(value) or self.is_refused(value):
                continue
            elif isinstance(value, Closure):
                carried.unassigned.discard(name)
            else:
                for key, content in {name: value, **self._state(value)}.items():
                    if key == name or not (key in before or key in carried.inits):
                        carried.carry(key, _blank(content))
                        types[key] = self._types({key: carried.inits[key] if refused else content})[key]
            found = True
        return found

    def _state(self, value: Value) -> Environment:
        """The fields of the objects in a value, and of those in them."""
        found: Environment = {}
        pending = [value]
        while pending:
            for made in [leaf for leaf in leaves(pending.pop()) if isinstance(leaf, Instance)]:
                for key, content in self.frame.environment.items():
                    if is_cell(key) and cell_parts(key)[0] == made.number and key not in found:
                        found[key] = content
                        pending.append(content)
        return found

    def _enter(self, body: Callable[[Any], None], head: Head | None) -> Var | None:
        """Lowers the body once; for a `for` loop, over a new variable."""
        self.frame.environment[STOP] = self.frame.environment[SKIP] = Const(False)
        self.frame.environment.pop(DEAD, None)
        variable = None if head is None else self.builder.declare(head[0], head[1])
        body(variable)
        return variable

    def _attempt(
        self,
        node: gast.For | gast.While,
        carried: _Carried,
        types: Types,
        stops: bool,
        before: Environment,
        body: Callable[[Any], None],
        head: Head | None,
    ) -> tuple[Loop, dict[str, list[Atom]] | None]:
        """The loop under the assumption that what it carries has these types, and what its body leaves of it; None
        where a name does not keep its structure."""
        inits = carried.inits
        environment = carried.entered(before)
        params: list[Var] = []
        for name, value in inits.items():
            atoms = [self.builder.declare(self.hint(name), known) for known in types[name]]
            self._same_sites(atoms_of(value), atoms)
            environment[name] = with_atoms(value, iter(atoms))
            params.extend(atoms)
        self.frame.environment = dict(environment)
        test = Block()
        if isinstance(node, gast.While):
            with self.builder.block() as stmts:
                condition = self.test(node.test)
                if self.builder.type(condition).kind in ("list", "dict"):
                    condition = self.builder.fn(len, condition)  # as it is at every test
            if not same_names(self.frame.environment, environment):
                raise _TestAssigns
            test = Block(tuple(stmts), (condition,))
        with self.builder.block() as stmts:
            variable = self._enter(body, head)
            results = self._results(carried, environment)
        flag = atoms_of(self.frame.environment.get(STOP, Const(False))) if stops else []
        yielded = [atom for atoms in (results or {}).values() for atom in atoms]
        block = Block(tuple(stmts), (*flag, *yielded))
        targets = [self.builder.declare("stopped")] if stops else []
        left = [self.builder.declare(self.hint(name), known) for name in inits for known in types[name]]
        self._same_sites([atom for value in inits.values() for atom in atoms_of(value)], left)
        targets += left
        names = tuple(target.name for target in targets)
        params_, starts = tuple(p.name for p in params), tuple(a for value in inits.values() for a in atoms_of(value))
        if head is None:
            loop: Loop = While(names, params_, starts, test, block, stops, self.builder.origin)
        else:
            assert variable is not None
            loop = For(names, params_, starts, variable.name, head[2], block, stops, self.builder.origin)
        return loop, results

    def _same_sites(self, atoms: Sequence[Atom], new: Sequence[Var]) -> None:
        """Names of a loop for containers from before it."""
        for atom, var in zip(atoms, new, strict=True):
            if isinstance(atom, Var) and atom.name in self.sites:
                self.sites[var.name] = self.sites[atom.name]

    def _results(self, carried: _Carried, entry: Environment) -> dict[str, list[Atom]] | None:
        """What the body leaves of what the loop carries; None where that is not of one structure."""
        self.merge_instances(entry, self.frame.environment, carried=True)
        results: dict[str, list[Atom]] = {}
        for name, start in list(carried.inits.items()):
            value = self.frame.environment.get(name, UNDEFINED)
            if is_undefined(value) and not is_mixed(value):
                value = _blank(start)
            if is_mixed(value) or not _is_kept(start, value):
                carried.mix(name, value)
            results[name] = atoms_of(value)
        return results if results.keys() == carried.inits.keys() else None

    def _after(
        self, node: gast.For | gast.While, carried: _Carried, loop: Loop, stops: bool, before: Environment
    ) -> None:
        environment = before | carried.mixed
        targets = iter([Var(name) for name in loop.targets[stops:]])
        for name, value in carried.inits.items():
            environment[name] = with_atoms(value, targets)
        self.frame.environment = environment
        for flag in (STOP, SKIP):
            if flag in before:
                environment[flag] = before[flag]
            else:
                environment.pop(flag, None)
        if not node.orelse:
            return
        if not stops:
            self.body(node.orelse)
            return
        self.join(Var(loop.targets[0]), [], node.orelse)


def _is_kept(start: Value, value: Value) -> bool:
    """Whether two values have one structure, and the same functions and objects in it."""
    if not same_structure(start, value):
        return False
    pairs = zip(leaves(start), leaves(value), strict=True)
    return all(x == y or (isinstance(x, Var | Const) and isinstance(y, Var | Const)) for x, y in pairs)


def _blank(value: Value) -> Value:
    """A value of this structure of which no part has a value yet."""
    return with_atoms(value, iter([UNDEFINED] * len(atoms_of(value))))
