"""Decides which names get no variable: their expression is written where they are used.

    _mul.1 = operator.mul(y.0, x.0)
    _sin.2 = numpy.sin(_mul.1)                     z = np.sin(y * x) + 1
    z.3 = operator.add(_sin.2, 1)

A temporary (`_mul.3`) or an adjoint (`y_bar.4`) that is used once, in the block that computes it, is folded into its
use, unless a write to memory that it reads lies between, or the expression would grow too long. Constructors of slices,
ranges and shapes are written at every use. In the body of a `try` everything that may raise stays in its order.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from srcgrad import ir
from srcgrad.abstract import any_may_raise
from srcgrad.analyses.held import may_share
from srcgrad.emit.expressions import INFIX
from srcgrad.emit.paths import path_of
from srcgrad.emit.snapshots import copied_loads
from srcgrad.optimize.rewriter import is_temporary

MAX_LENGTH = 90
MAX_DEPTH = 8
MAX_RESULT = 40
_END = 1 << 60
_SHAPES = ("shape", "size", "ndim")

Foldable = ir.Let | ir.If


@dataclass(frozen=True)
class Folding:
    """`inline`: the lets, and the choices (`a if c else b`), whose targets have no variable; `copied`: the loads
    printed with `.copy()`."""

    inline: Mapping[str, Foldable]
    copied: frozenset[str]

    def leaves(self, atom: ir.Atom) -> Iterator[str]:
        """The variables that the expression for an atom reads."""
        if isinstance(atom, ir.Var):
            stmt = self.inline.get(atom.name)
            if stmt is None:
                yield atom.name
            else:
                for inner in parts(stmt):
                    yield from self.leaves(inner)

    def is_expression(self, stmt: ir.If) -> bool:
        """Whether nothing is left in the branches but their results."""
        return all(self.is_inline(inner) for block in ir.blocks(stmt) for inner in block.stmts)

    def is_inline(self, stmt: ir.Stmt) -> bool:
        return isinstance(stmt, Foldable) and sole_target(stmt) in self.inline


def parts(stmt: Foldable) -> tuple[ir.Atom, ...]:
    """The atoms that the expression for a statement is made of."""
    return ir.own_atoms(stmt) if isinstance(stmt, ir.Let) else (stmt.test, *stmt.then.results, *stmt.orelse.results)


def sole_target(stmt: Foldable) -> str | None:
    """The one name that a statement defines, or None."""
    names = ir.defined(stmt)
    return names[0] if len(names) == 1 else None


def is_boolean(stmt: ir.If) -> bool:
    """Whether a choice is `test and other` or `test or other`."""
    return len(stmt.targets) == 1 and stmt.test in (*stmt.then.results, *stmt.orelse.results)


def fold(function: ir.Function, pinned: Iterable[str] = (), late: frozenset[str] = frozenset()) -> Folding:
    """What is folded in a function; the names in `pinned` keep their variables, and adjoints that a branch or a loop
    yields keep them too, unless they are in `late`."""
    return _Folder(function, pinned, late).run()


@dataclass
class _Site:
    """One block while its lets are decided, from the last to the first."""

    stmts: tuple[ir.Stmt, ...]
    users: dict[str, int]
    final: dict[str, int] = field(default_factory=dict)
    depth: dict[str, int] = field(default_factory=dict)
    length: dict[int, int] = field(default_factory=dict)
    carried: frozenset[str] = frozenset()
    made: dict[str, Foldable] = field(default_factory=dict)
    is_function: bool = False
    guarded: bool = False  # inside of a `try` that handles exceptions
    is_test: bool = False  # of a `while`


class _Folder:
    def __init__(self, function: ir.Function, pinned: Iterable[str], late: frozenset[str]) -> None:
        self.function = function
        self.late = late
        self.has_reverse = any(stmt.origin.sweep == "reverse" for stmt in ir.walk(function.body))
        self.counts = Counter(ir.uses(function.body))
        self.heads = {stmt.origin.line for stmt in ir.walk(function.body) if isinstance(stmt, ir.Loop)}
        self.inline: dict[str, Foldable] = {}
        self.pinned = {*pinned, *(param.name for param in function.params)}
        self.pinned |= {name for stmt in ir.walk(function.body) if (name := ir.written_buffer(stmt))}
        self.memory: dict[str, frozenset[str]] = {}
        self.copied = copied_loads(function)
        self.everywhere: dict[str, ir.Let] = {}
        self.guarded = False
        self.entering = _entering(function)

    def run(self) -> Folding:
        self.scan()
        self.block(self.function.body, returns=True)
        return Folding(self.inline | self.everywhere, self.copied)

    def scan(self) -> None:
        """Finds what is written at every use, and the buffers that each value's memory may belong to."""
        for stmt in ir.walk(self.function.body):
            if not isinstance(stmt, ir.Let) or stmt.target is None:
                continue
            if isinstance(stmt.op, ir.Load):
                self.memory[stmt.target] = frozenset(ir.variables(stmt.args[:1]))
            elif may_share(stmt):
                shared = [self.memory.get(name, frozenset()) for name in ir.variables(ir.own_atoms(stmt))]
                self.memory[stmt.target] = frozenset[str]().union(*shared)
            if self.is_constructor(stmt):
                self.everywhere[stmt.target] = stmt
        self.release_single_uses()

    def release_single_uses(self) -> None:
        """Constructors used once in their own block fold like any expression; operands of the others stay."""
        local = set(self.local_uses(self.function.body))
        for name, let in list(self.everywhere.items()):
            if self.counts[name] == 1 and name in local and not isinstance(let.op, ir.Global):
                del self.everywhere[name]
        for let in self.everywhere.values():
            self.pinned |= set(ir.variables(ir.own_atoms(let))) - self.everywhere.keys()

    def local_uses(self, block: ir.Block) -> Iterator[str]:
        here = {name for stmt in block.stmts for name in ir.defined(stmt)}
        used = [name for stmt in block.stmts for name in ir.variables(ir.own_atoms(stmt))]
        yield from (name for name in [*used, *ir.variables(block.results)] if name in here)
        for stmt in block.stmts:
            for inner in ir.blocks(stmt):
                yield from self.local_uses(inner)

    def is_constructor(self, let: ir.Let) -> bool:
        assert let.target is not None
        if let.target in self.entering and self.may_raise(let):
            return False
        if isinstance(let.op, ir.Global):
            return is_temporary(let.target) or ir.hint(let.target) == let.op.name
        if isinstance(let.op, ir.Load):
            buffer = next(ir.variables(let.args))
            own = is_temporary(let.target) or ir.hint(let.target) == ir.hint(buffer)
            return let.op == ir.Load() and own and let.target not in self.copied
        return is_temporary(let.target) and self.is_cheap(let)

    def is_cheap(self, let: ir.Let) -> bool:
        match let.op:
            case ir.Make(kind):
                return kind in ("slice", "tuple") and not any(self.memory.get(n) for n in ir.variables(let.args))
            case ir.Attr(name):
                return name in _SHAPES
            case ir.Fn(target) if target in (slice, range):
                return True
            case ir.Fn(target) if target is operator.neg:
                return isinstance(let.args[0], ir.Const)
            case ir.Fn(target) if target is operator.getitem:
                shape, index = let.args
                return isinstance(shape, ir.Var) and isinstance(index, ir.Const) and self.is_shape(shape.name)
        return False

    def is_shape(self, name: str) -> bool:
        let = self.everywhere.get(name)
        return let is not None and let.op == ir.Attr("shape")

    # Single uses

    def block(self, block: ir.Block, returns: bool = False, stops: bool = False) -> None:
        for stmt in block.stmts:
            self.inner(stmt)
        site = self.site(block, returns, stops)
        for i in reversed(range(len(block.stmts))):
            stmt = block.stmts[i]
            target = sole_target(stmt) if isinstance(stmt, Foldable) else None
            if isinstance(stmt, ir.Let) and target is not None:
                self.consider(stmt, target, i, site)
            elif isinstance(stmt, ir.If):
                if target is not None and self.is_choice(stmt):
                    self.consider(stmt, target, i, site)
                if is_boolean(stmt) and self.is_choice(stmt) and isinstance(stmt.test, ir.Var):
                    # Written once, as `test and other`.
                    self.counts[stmt.test.name] -= 1

    def inner(self, stmt: ir.Stmt) -> None:
        match stmt:
            case ir.If():
                self.block(stmt.then)
                self.block(stmt.orelse)
            case ir.Try():
                outer, self.guarded = self.guarded, True
                self.block(stmt.body)
                self.guarded = outer
                self.block(stmt.handler)
            case ir.For():
                self.block(stmt.body, stops=stmt.stops)
            case ir.While():
                self.block(stmt.test, returns=True)
                self.block(stmt.body, stops=stmt.stops)

    def may_raise(self, stmt: ir.Stmt) -> bool:
        return any_may_raise([stmt], self.function.types)

    def site(self, block: ir.Block, returns: bool, stops: bool) -> _Site:
        users: dict[str, int] = {}
        carried: set[str] = set()
        for i, stmt in enumerate(block.stmts):
            users.update(dict.fromkeys(ir.variables(ir.own_atoms(stmt)), i))
            if isinstance(stmt, ir.Loop):
                carried |= set(ir.variables(stmt.inits))
        # The flag that stops a loop is tested after the carried values have been assigned.
        users.update(dict.fromkeys(ir.variables(block.results[stops:]), _END))
        if not returns:
            carried |= set(ir.variables(block.results))
        is_function = block is self.function.body
        site = _Site(block.stmts, users, carried=frozenset(carried), is_function=is_function, guarded=self.guarded)
        site.is_test = returns and not is_function
        made = [(sole_target(s), s) for s in block.stmts if isinstance(s, Foldable)]
        site.made = {name: s for name, s in made if name is not None and _is_foldable(name)}
        return site

    def is_choice(self, stmt: ir.If) -> bool:
        """Whether both branches are expressions without effect."""
        inner = [*stmt.then.stmts, *stmt.orelse.stmts]
        known = self.inline.keys() | self.everywhere.keys() if inner else ()
        return all(isinstance(s, Foldable) and sole_target(s) in known for s in inner) and not any(
            isinstance(s, ir.Let) and (s.effect or isinstance(s.op, ir.Pop)) for s in inner
        )

    def consider(self, let: Foldable, target: str, i: int, site: _Site) -> None:
        if self.counts[target] == 0 and is_temporary(target) and isinstance(let, ir.Let) and _is_pure(let):
            if not (site.guarded and self.may_raise(let)):
                self.inline[target] = let  # written nowhere
        user = site.users.get(target)
        if user is None or not self.may_fold(let, target, site):
            return
        consumer = site.stmts[user] if user != _END else None
        name = sole_target(consumer) if isinstance(consumer, Foldable) else None
        if name in self.everywhere:
            return
        final = site.final.get(name, user) if name is not None else user
        depth = 1 if name is None else 1 + site.depth.get(name, isinstance(consumer, ir.Let))
        length = site.length.setdefault(final, self.root_length(final, site))
        length += _length(let) - _atom_length(ir.Var(target))
        if not (isinstance(let, ir.Let) and self.is_cheap(let)) and (depth > MAX_DEPTH or length > MAX_LENGTH):
            return
        if not self.is_barred(let, target, i, final, site):
            self.inline[target] = let
            site.final[target], site.depth[target], site.length[final] = final, depth, length

    def may_fold(self, let: Foldable, target: str, site: _Site) -> bool:
        if site.is_function and site.users[target] == _END and not self.fits_return(let, target, site):
            return False
        if self.counts[target] != 1 or target in self.pinned or target in self.everywhere:
            return False
        if is_temporary(target):
            return True
        if not isinstance(let, ir.Let) or isinstance(let.op, ir.Pop) or not ir.hint(target).endswith("_bar"):
            return False
        if not self.is_trivial(let, site) and self.leaves_line(let, site.users[target], site):
            return False
        return target not in site.carried or target in self.late

    def is_trivial(self, let: ir.Let, site: _Site) -> bool:
        """Whether an expression is one operation on what is there, so that nothing is lost without a name for it."""
        folded = (site.made.get(name) for name in ir.variables(ir.own_atoms(let)) if self.counts[name] == 1)
        return all(stmt is None or (isinstance(stmt, ir.Let) and self.is_cheap(stmt)) for stmt in folded)

    def leaves_line(self, let: ir.Let, user: int, site: _Site) -> bool:
        """Whether an adjoint is used in a block that belongs to another primal line than it does.

        The head of a loop is not told from the lines inside of it.
        """
        return user != _END and site.stmts[user].origin.line not in (0, let.origin.line, *self.heads)

    def fits_return(self, let: Foldable, target: str, site: _Site) -> bool:
        """What the forward sweep computes is named there, and so is what would make the `return` long."""
        if isinstance(let, ir.Let) and isinstance(let.op, ir.Load | ir.Attr):
            return True
        if self.has_reverse and let.origin.sweep == "forward":
            return False
        return self.is_short(target, MAX_LENGTH if len(self.function.body.results) == 1 else MAX_RESULT, site)

    def is_short(self, target: str, limit: int, site: _Site) -> bool:
        """Whether an expression stays short with all that may be folded into it."""
        length, pending = 0, [target]
        while pending and length <= limit:
            name = pending.pop()
            let = site.made.get(name) if self.counts[name] == 1 else None
            if let is not None:
                length += _length(let) - _atom_length(ir.Var(name))
                pending += ir.variables(parts(let))
        return length <= limit

    def root_length(self, final: int, site: _Site) -> int:
        if final == _END:
            return 8
        stmt = site.stmts[final]
        return _length(stmt) if isinstance(stmt, ir.Let) else 8

    def is_barred(self, let: Foldable, target: str, i: int, final: int, site: _Site) -> bool:
        """Whether something between a let and the place of its use keeps it where it is."""
        between = site.stmts[i + 1 : min(final, len(site.stmts))]
        if any(isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Enter | ir.Exit) for stmt in between):
            return True
        if isinstance(let, ir.Let) and (let.effect or isinstance(let.op, ir.Pop)):
            return not all(self.is_idle(stmt) for stmt in between) or self.writes_in_place(final, site)
        if site.guarded and self.may_raise(let):
            # Which exception is raised first, and what is assigned before it, decides the path.
            if (final == _END and not site.is_test) or not all(map(self.is_idle, between)):
                return True
        reads = self.reads(let) | self.memory.get(target, frozenset())
        return bool(reads) and any(self.disturbs(stmt, reads) for stmt in between)

    def reads(self, stmt: Foldable) -> frozenset[str]:
        """The buffers whose memory an expression reads."""
        found = frozenset[str]().union(*(self.memory.get(name, frozenset()) for name in ir.variables(parts(stmt))))
        inner = [s for block in ir.blocks(stmt) for s in block.stmts if isinstance(s, Foldable)]
        return found.union(*(self.reads(s) for s in inner))

    def is_idle(self, stmt: ir.Stmt) -> bool:
        """A let without a statement of its own that reads no memory."""
        if not isinstance(stmt, ir.Let) or stmt.effect or isinstance(stmt.op, ir.Pop | ir.Load):
            return False
        return stmt.target in self.inline or stmt.target in self.everywhere

    def writes_in_place(self, final: int, site: _Site) -> bool:
        stmt = site.stmts[final] if final != _END else None
        return isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Update)

    def disturbs(self, stmt: ir.Stmt, buffers: frozenset[str]) -> bool:
        if isinstance(stmt, ir.Let):
            return stmt.effect or ir.written_buffer(stmt) in buffers
        return any(self.disturbs(inner, buffers) for block in ir.blocks(stmt) for inner in block.stmts)


def _entering(function: ir.Function) -> frozenset[str]:
    """The names that the body of a `try` takes from outside of it."""
    bodies = [stmt.body for stmt in ir.walk(function.body) if isinstance(stmt, ir.Try)]
    return frozenset(name for body in bodies for name in set(ir.uses(body)) - set(ir.definitions(body)))


def _is_pure(let: ir.Let) -> bool:
    return not ir.has_effect(let)


def _is_foldable(name: str) -> bool:
    return is_temporary(name) or ir.hint(name).endswith("_bar")


def _length(let: Foldable) -> int:
    """About as many columns as the expression takes."""
    if isinstance(let, ir.If):
        inner = [s for block in ir.blocks(let) for s in block.stmts if isinstance(s, Foldable)]
        return 10 + _atom_length(let.test) + sum(_length(s) for s in inner)
    atoms = sum(_atom_length(atom) for atom in ir.own_atoms(let)) + sum(len(key) + 3 for key, _ in let.keywords)
    match let.op:
        case ir.Fn(target) if target in INFIX:
            return atoms + 3
        case ir.Fn(target):
            return atoms + len(path_of(target)[1]) + 2 * len(ir.own_atoms(let))
        case ir.Attr(name) | ir.Method(name):
            return atoms + len(name) + 2
        case ir.Load() | ir.Store() | ir.Update():
            return atoms + 6
    return atoms + 2 * len(let.args) + 4


def _atom_length(atom: ir.Atom) -> int:
    if isinstance(atom, ir.Var):
        return len(ir.hint(atom.name).lstrip("_"))
    if isinstance(atom.value, slice):
        return 1 + sum(len(repr(bound)) for bound in (atom.value.start, atom.value.stop) if bound is not None)
    return min(len(repr(atom.value)), 12)
