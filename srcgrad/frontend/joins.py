"""Joins: what names stand for after a branch.

    if x < 0:                  y.4 = if x.0 < 0 then neg.2 else x.0
        y = -x          ->
    else:
        y = x

Tuples and records are joined leaf by leaf. A name that is one of two functions becomes a choice between them: a call of
it is a branch again. Two objects, one made in each branch, become one object whose fields are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gast

from srcgrad.frontend.base import MIXED, Half, is_mixed
from srcgrad.frontend.indexers import Indexers
from srcgrad.frontend.scope import CHOSEN, DEAD, RETURNED, SKIP, STOP
from srcgrad.frontend.values import (
    Bound,
    Choice,
    Closure,
    Environment,
    Instance,
    Partial,
    Value,
    atoms_of,
    is_undefined,
    leaves,
    parts_of,
    rename_instance,
    same_structure,
    with_atoms,
    with_parts,
)
from srcgrad.ir import UNDEFINED, Atom, Block, Const, If, Stmt, Var


class Joins(Indexers):
    def join(self, test: Atom, then: Sequence[gast.AST], orelse: Sequence[gast.AST]) -> None:
        """Lowers the two blocks; names that they leave different are joined."""
        self.join_by(test, lambda: self.body(then), lambda: self.body(orelse))

    def join_by(self, test: Atom, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        """A branch whose two sides are lowered by two functions."""
        before = self.frame.environment
        blocks: list[list[Stmt]] = []
        environments: list[Environment] = []
        for side, polarity in ((then, True), (orelse, False)):
            self.frame.environment = self._under(test, polarity, before)
            with self.builder.block() as stmts:
                side()
            blocks.append(stmts)
            environments.append(self.frame.environment)
        self.frame.environment = dict(before)
        pairs = self.reconciled(test, before, environments)
        targets = [self.joined(hint, left, right) for hint, left, right in pairs]
        self.builder.emit(
            If(
                tuple(target.name for target in targets),
                test,
                Block(tuple(blocks[0]), tuple(left for _, left, _ in pairs)),
                Block(tuple(blocks[1]), tuple(right for _, _, right in pairs)),
                self.builder.origin,
            )
        )
        self.take(environments, iter(targets))

    def _under(self, test: Atom, polarity: bool, environment: Environment) -> Environment:
        """What names stand for where a test has this value: where a `try` has not raised, what its body assigned."""
        raised, positive = self.flags.get(test.name, ("", True)) if isinstance(test, Var) else ("", True)
        if not raised or polarity == positive:
            return dict(environment)
        return {name: _settled(value, raised) for name, value in environment.items()}

    def reconciled(
        self, test: Atom, before: Environment, environments: list[Environment]
    ) -> list[tuple[str, Atom, Atom]]:
        """Hint and atoms of every leaf that two paths from one environment leave different."""
        _bury(before, environments)
        self.merge_instances(environments[0], environments[1])
        return self.differences(test, *environments)

    def either_assigns(self, test: Atom, then: Callable[[], Value], orelse: Callable[[], Value]) -> Value:
        def side(value: Callable[[], Value]) -> Callable[[], None]:
            def lower() -> None:
                found = value()  # which may put another environment in the place of this
                self.frame.environment[CHOSEN] = found

            return lower

        self.join_by(test, side(then), side(orelse))
        chosen = self.frame.environment.pop(CHOSEN)
        if is_mixed(chosen):
            return self.refuse(self.node, "the two values of this choice differ in structure", "use `if` statements")
        return chosen

    def differences(self, test: Atom, left: Environment, right: Environment) -> list[tuple[str, Atom, Atom]]:
        """Hint and atoms, one row for every leaf that differs between two environments.

        Names that one side lacks are brought to the structure of the other first; a name that stands for two things
        which cannot be one has no value from here on.
        """
        rows: list[tuple[str, Atom, Atom]] = []
        for name in dict.fromkeys([*left, *right]):
            a, b = self._aligned(left.get(name, _absent(name, left)), right.get(name, _absent(name, right)))
            a, b = (a, b) if is_mixed(a) else self.settled(test, a, b)
            left[name], right[name] = a, b
            for x, y in zip(atoms_of(a), atoms_of(b), strict=True):
                if x is not y and x != y:
                    rows.append((self.hint(name), x, y))
        return rows

    def _aligned(self, a: Value, b: Value) -> tuple[Value, Value]:
        if is_mixed(a) or is_mixed(b):
            return (a, a) if is_mixed(a) else (b, b)
        if same_structure(a, b):
            return a, b
        if is_undefined(a) or is_undefined(b):
            template = b if is_undefined(a) else a
            blank = with_atoms(template, iter([UNDEFINED] * len(atoms_of(template))))
            return (blank, template) if is_undefined(a) else (template, blank)
        return MIXED, MIXED

    def settled(self, test: Atom, a: Value, b: Value) -> tuple[Value, Value]:
        """Two values whose leaves that are no atoms are the same: a function of two is a choice between them."""
        if a == b:
            return a, b
        if _is_function(a) and _is_function(b):
            choice = Choice(test, a, b)
            return choice, choice
        left, right = parts_of(a), parts_of(b)
        if left is None or right is None:
            return self._settled_leaf(a, b)
        pairs = [self.settled(test, x, y) for x, y in zip(left, right, strict=True)]
        return with_parts(a, tuple([x for x, _ in pairs])), with_parts(b, tuple([y for _, y in pairs]))

    def _settled_leaf(self, a: Value, b: Value) -> tuple[Value, Value]:
        if not isinstance(a, Closure | Instance) and not isinstance(b, Closure | Instance):
            return a, b
        if is_undefined(a) or is_undefined(b):
            known = b if is_undefined(a) else a
            gone = isinstance(known, Closure) and known.frame not in self.active_frames
            return (UNDEFINED, UNDEFINED) if gone else (known, known)
        return MIXED, MIXED

    # Objects that are made in both branches

    def merge_instances(self, left: Environment, right: Environment, carried: bool = False) -> None:
        """Makes one object of two, where the same names have the one on the left and the other on the right.

        `carried`: the left is the beginning of an iteration, the right its end; a name without a value at the
        beginning is not read by the next iteration.
        """
        for name in list(left):
            for x, y in zip(leaves(left.get(name, ())), leaves(right.get(name, ())), strict=False):
                if isinstance(x, Instance) and isinstance(y, Instance) and self._are_one(x, y, left, right, carried):
                    if carried:
                        right.update(dict.fromkeys(_holders(x, right), MIXED))
                    rename_instance(right, y, x)

    def _are_one(self, x: Instance, y: Instance, left: Environment, right: Environment, carried: bool) -> bool:
        """Whether the same names hold the one object on the left and the other on the right, and none holds both."""
        outer = [frame.environment for frame in self.active_frames if frame is not self.frame]
        if any(x in leaves(value) or y in leaves(value) for other in outer for value in other.values()):
            return False
        if carried:
            right = {name: value for name, value in right.items() if not is_undefined(left.get(name, UNDEFINED))}
        if x == y or x.cls is not y.cls or _holders(y, left) or _holders(x, right):
            return False
        return _holders(x, left) == _holders(y, right)

    def take(self, environments: list[Environment], targets: Iterator[Atom]) -> None:
        """Makes the joined environment that of the frame."""
        left, right = environments
        for name in left:
            first, second = atoms_of(left[name]), atoms_of(right[name])
            atoms = [x if x is y or x == y else next(targets) for x, y in zip(first, second, strict=True)]
            self.frame.environment[name] = with_atoms(left[name], iter(atoms))


def _holders(instance: Instance, environment: Environment) -> dict[str, list[int]]:
    """The names that hold an object, and the positions in their values."""
    found: dict[str, list[int]] = {}
    for name, value in environment.items():
        positions = [i for i, leaf in enumerate(leaves(value)) if leaf == instance]
        if positions:
            found[name] = positions
    return found


def _is_function(value: Value) -> bool:
    known = isinstance(value, Const) and callable(value.value) and not isinstance(value.value, type)
    return known or isinstance(value, Closure | Partial | Bound | Choice)


def _bury(before: Environment, environments: list[Environment]) -> None:
    """Where one branch ends in `raise`, the names that the other one changes have no value in it."""
    left, right = environments
    if DEAD in left and DEAD in right:
        return
    for dead, live in ((left, right), (right, left)):
        if DEAD in dead:
            dead.clear()
            dead.update({name: value if before.get(name) is value else UNDEFINED for name, value in live.items()})


def _settled(value: Value, raised: str) -> Value:
    half = value.value if isinstance(value, Const) else None
    return half.value if isinstance(half, Half) and half.raised == raised else value


def _absent(name: str, environment: Environment) -> Value:
    """What a name stands for that an environment lacks: flags are not set, other names have no value."""
    return Const(False) if name in (STOP, SKIP, RETURNED) and DEAD not in environment else UNDEFINED
