"""The reverse sweep of blocks, branches and loops.

    for i in range(n):                 for i in range(n):
        y = np.sin(y)                      y_tape.append(y)
                                           y = np.sin(y)
                              ->       ...
                                       for i in reversed(range(n)):
                                           y = y_tape.pop()
                                           y_bar = y_bar * np.cos(y)

A branch is reversed by its own test. A loop over a range is reversed by its range, any other loop by the number of its
trips. What a loop carries has a carried adjoint; names from outside of a loop are summed into, in memory where they are
arrays.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace

from srcgrad.abstract import any_may_raise
from srcgrad.ad.adjoints import Adjoints
from srcgrad.ad.reverse import Reverse, entries
from srcgrad.ad.tape import Tapes
from srcgrad.ir import (
    Append,
    Atom,
    Block,
    Branch,
    Const,
    Fn,
    For,
    If,
    Let,
    Make,
    Pop,
    Stmt,
    Store,
    Try,
    Update,
    Var,
    While,
    always_raises,
    blocks,
    definitions,
    hint,
    joins,
    own_atoms,
    test_of,
    uses,
    walk,
    written_buffer,
)
from srcgrad.types import INT, Type, join


def _sides(stmt: Branch) -> tuple[Block, Block]:
    """The block that runs where the test of a branch is true, and the other one."""
    return (stmt.then, stmt.orelse) if isinstance(stmt, If) else (stmt.handler, stmt.body)


class Control(Reverse):
    tapes: Tapes | None = None
    depth = 0

    def block(self, block: Block, in_loop: bool) -> tuple[Stmt, ...]:
        """Writes the reverse sweep of a block; gives back its forward sweep, with what has to be recorded."""
        forward: list[Stmt] = []
        for stmt in reversed(block.stmts):
            with self.at(stmt):
                if isinstance(stmt, Let):
                    forward = self._one(stmt, forward)
                else:
                    forward = [*self.stmt(stmt, in_loop), *forward]
        return tuple(forward)

    def _one(self, let: Let, forward: list[Stmt]) -> list[Stmt]:
        self.let(let)
        taken = [self.snapshots[let.target]] if let.target in self.snapshots else []
        before = self.replaced.get(id(let), [])
        return [*before, *self.expanded.get(let.target or "", [let]), *taken, *forward]

    def stmt(self, stmt: Stmt, in_loop: bool) -> Sequence[Stmt]:
        if not self._has_work(stmt):
            return [stmt]
        for name in self._shared_memory(stmt):
            self.buffer(name)
        if self.depth:
            return [self._compound(stmt, in_loop)]
        self.depth += 1
        outside = self._names_outside(stmt)
        self.tapes = Tapes(self.builder, self.definition, outside, self.roots, recorded=self.recorded)
        new = self._compound(stmt, in_loop)
        self.depth -= 1
        made = [replace(let, origin=replace(let.origin, sweep="forward")) for let in self.tapes.made]
        return [*made, new]

    def _compound(self, stmt: Stmt, in_loop: bool) -> Stmt:
        if isinstance(stmt, Branch):
            return self._branch(stmt, in_loop)
        assert isinstance(stmt, For | While)
        if in_loop or self.tapes is None:
            return self._loop(stmt)
        before, self.tapes.outside = self.tapes.outside, self._names_outside(stmt)
        loop = self._loop(stmt)
        self.tapes.outside = before
        return loop

    def _has_work(self, stmt: Stmt) -> bool:
        """Whether a derivative flows through a branch or a loop at all."""
        if any(name in self.active for name in self._defined(stmt)):
            return True
        for inner in walk(Block((stmt,))):
            if isinstance(inner, Let) and isinstance(inner.op, Store | Update | Append | Pop):
                assert isinstance(inner.args[0], Var)
                if inner.args[0].name in self.active:
                    return True
            if any(name in self.active for name in self._defined(inner)):
                return True
        return False

    def _shared_memory(self, stmt: Stmt) -> list[str]:
        """Names from outside of a statement whose adjoints its reverse sweep adds to in memory."""
        inside = set(definitions(Block((stmt,))))
        used = dict.fromkeys(self.owner(name) for name in uses(Block((stmt,))) if name not in inside)
        return [name for name in used if name in self.in_memory and name in self.active]

    def _names_outside(self, stmt: Stmt) -> set[str]:
        inside = set(definitions(Block((stmt,))))
        return {name for name in self.builder.types if name not in inside}

    # Branches

    def _branch(self, stmt: Branch, in_loop: bool) -> Branch:
        """The reverse of a `try` is a branch by its flag, of the handler and the body."""
        if isinstance(stmt, Try):
            self._check_body(stmt)
        names = stmt.targets[isinstance(stmt, Try) :]
        cotangents = [self.adjoint(name) if name in self.active else None for name in names]
        before = self.adjoints
        forwards: list[tuple[Stmt, ...]] = []
        reverses: list[list[Stmt]] = []
        after: list[Adjoints] = []
        for inner in _sides(stmt):
            self.adjoints = before.branch()
            with self.builder.block() as stmts:
                for cotangent, result in zip(cotangents, inner.results, strict=True):
                    if cotangent is not None and isinstance(result, Var) and result.name in self.active:
                        self.contribute(result.name, cotangent)
                is_body = isinstance(stmt, Try) and inner is stmt.body
                forwards.append(self._body(inner, in_loop) if is_body else self.block(inner, in_loop))
            reverses.append(stmts)
            after.append(self.adjoints)
        self.adjoints = before
        results = self._joined(before, after, reverses)
        rows = [(then, orelse) for _, then, orelse in results]
        sides = [Block(tuple(stmts), tuple(row[i] for row in rows)) for i, stmts in enumerate(reverses)]
        if in_loop:
            assert self.tapes is not None
            at_end = (False, isinstance(stmt, Try))
            recorded = [self.tapes.record(f, r, (), {}, e) for f, r, e in zip(forwards, sides, at_end, strict=True)]
            forwards = [tuple(f) for f, _ in recorded]
            sides = [r for _, r in recorded]
        if isinstance(stmt, Try) and always_raises(stmt.handler):
            return self._body_alone(stmt, forwards, sides[1], [key for key, _, _ in results])
        targets = [self._target(name, part, then, orelse) for (name, part), then, orelse in results]
        if any(side.stmts for side in sides) or targets:
            self.builder.emit(
                If(tuple(t.name for t in targets), test_of(stmt), sides[0], sides[1], self.builder.origin)
            )
        for ((name, part), _, _), target in zip(results, targets, strict=True):
            before.values[name, part] = target
        then, orelse = (Block(f, inner.results) for f, inner in zip(forwards, _sides(stmt), strict=True))
        if isinstance(stmt, Try):
            return replace(stmt, body=orelse, handler=then)
        return replace(stmt, then=then, orelse=orelse)

    # Exceptions

    def _body_alone(
        self, stmt: Try, forwards: Sequence[tuple[Stmt, ...]], reverse: Block, keys: Sequence[tuple[str, int | None]]
    ) -> Try:
        """A `try` that the handler never leaves but by another exception: its reverse is that of the body."""
        for inner in reverse.stmts:
            self.builder.emit(inner)
        self.adjoints.values.update(zip(keys, reverse.results, strict=True))
        handler, body = forwards
        return replace(stmt, body=Block(body, stmt.body.results), handler=Block(handler, stmt.handler.results))

    def _body(self, body: Block, in_loop: bool) -> tuple[Stmt, ...]:
        """The body of a `try`: where it raises, its reverse sweep does not run and would leave what is recorded.

        In a loop, what the body records goes therefore to tapes of its own, and is handed on at its end.
        """
        if not in_loop:
            return self.block(body, in_loop)
        outer = self.tapes
        assert outer is not None
        own = Tapes(self.builder, self.definition, outer.outside, self.roots, outer.variables, recorded=self.recorded)
        self.tapes = own
        forward = self.block(body, in_loop)
        made = [replace(let, origin=replace(let.origin, sweep="forward")) for let in own.made]
        self.tapes = outer
        return (*made, *forward)

    def _check_body(self, stmt: Try) -> None:
        """Refuses what an exception would carry, or leave half done."""
        if self._carries(stmt):
            self.refuse(stmt, "a value that an exception carries may depend on what is differentiated",
                        "compute it in the handler, or wrap it in `stop_gradient`")  # fmt: skip
        written, _ = self._half_written(stmt.body, set(definitions(stmt.body)))
        for let in written:
            shown = hint(written_buffer(let) or "").lstrip("_")
            self.refuse(let, f"`{shown}` is written here before something that may raise what the `try` handles",
                        "write into it at the end of the `try`, or in its `else`")  # fmt: skip

    def _carries(self, stmt: Try) -> bool:
        """Whether a derivative would flow through the exception."""
        error = Var(stmt.error)
        for inner in walk(Block((stmt,))):
            if isinstance(inner, Let) and error in own_atoms(inner) and inner.target in self.active:
                return True
            if isinstance(inner, Branch) and any(error in row and row[0] in self.active for row in joins(inner)):
                return True
        return False

    def _half_written(self, block: Block, own: set[str]) -> tuple[list[Let], list[Let]]:
        """The writes into memory from outside of a body, through which derivatives flow: those that an exception may
        follow in this block, and those after which nothing of it raises."""
        found: list[Let] = []
        last: list[Let] = []
        for stmt in block.stmts:
            if any_may_raise([stmt], self.builder.types):
                found, last = found + last, []
            inner = [self._half_written(each, own) for each in blocks(stmt)]
            found += [let for written, _ in inner for let in written]
            at_end = [let for _, written in inner for let in written]
            if isinstance(stmt, Branch):
                last += at_end
            else:
                found += at_end  # the next iteration may raise
            if isinstance(stmt, Let) and (name := written_buffer(stmt)) in self.active and name not in own:
                last.append(stmt)
        return found, last

    def _target(self, name: str, part: int | None, then: Atom, orelse: Atom) -> Var:
        known = join(self.type(then), self.type(orelse))
        return self.builder.declare(self.bar(name), known)

    def _joined(
        self, before: Adjoints, after: list[Adjoints], reverses: list[list[Stmt]]
    ) -> list[tuple[tuple[str, int | None], Atom, Atom]]:
        """The adjoints that the two branches leave different, with zeros where one has none."""
        keys = list(dict.fromkeys([*after[0].values, *after[1].values]))
        rows = []
        for key in keys:
            values = [side.values.get(key) for side in after]
            if values[0] is values[1] and values[0] is not None:
                before.values[key] = values[0]
                continue
            filled = []
            for value, stmts in zip(values, reverses, strict=True):
                if value is None:
                    value = self._zero_in(key, stmts)
                filled.append(value)
            rows.append((key, filled[0], filled[1]))
        return rows

    def _zero_of(self, key: tuple[str, int | None]) -> Atom:
        name, part = key
        if part is None:
            return self.zero(Var(name))
        built = self._built(name)
        return self.zero(entries(built)[part][1]) if built is not None else self.zero_item(name, part)

    def _zero_in(self, key: tuple[str, int | None], stmts: list[Stmt]) -> Atom:
        with self.builder.block() as made:
            zero = self._zero_of(key)
        stmts.extend(made)
        return zero

    # Loops

    def _loop(self, loop: For | While) -> For | While:
        assert self.tapes is not None
        if isinstance(loop, While) and self._test_acts(loop):
            self.refuse(loop, "the test of this `while` changes what the derivative depends on",
                        "do it in the body: `while True:` with `if not ...: break`")  # fmt: skip
        if isinstance(loop, For) and loop.variable in self.active:
            self.refuse(loop, "the derivative flows through the elements of something that has no positions",
                        "make a list of it first")  # fmt: skip
        carried = self._carried(loop)
        sums = self._sums(loop)
        body_results = loop.body.results[loop.stops :]
        before, self.adjoints = self.adjoints, self.adjoints.inner()
        params = [self._param(loop.targets[loop.stops :][k]) for k, _ in carried]
        totals = [self._param(name, part) for name, part in sums]
        entering = [*loop.params, *self._entering(loop)]
        given, variable = self._variable(loop)
        with self.builder.block() as stmts:
            for (name, part), total in zip(sums, totals, strict=True):
                self.adjoints.values[name, part] = total
            for (k, _), param in zip(carried, params, strict=True):
                result = body_results[k]
                if isinstance(result, Var) and result.name in self.active:
                    self.contribute(result.name, param)
            forward = self.block(loop.body, True)
            results = [self._take_or_zero(loop.params[k]) for k, _ in carried]
            results += [self.adjoints.values.get(key, total) for key, total in zip(sums, totals, strict=True)]
        self.adjoints = before
        reverse = Block(tuple(stmts), tuple(results))
        recorded, reverse = self.tapes.record(forward, reverse, entering, given)
        inits = [self._init(cotangent, loop.targets[loop.stops :][k]) for k, cotangent in carried]
        inits += [self._start(key) for key in sums]
        new, iterable = self._reversed(replace(loop, body=Block(tuple(recorded), loop.body.results)))
        targets = [self.builder.declare(hint(p.name), self.builder.types[p.name]) for p in (*params, *totals)]
        names = tuple(t.name for t in targets)
        all_params = tuple(p.name for p in (*params, *totals))
        self.builder.emit(
            For(names, all_params, tuple(inits), variable, iterable, reverse, False, self.builder.origin)
        )
        for key, target in zip(sums, targets[len(carried) :], strict=True):
            self.adjoints.values[key] = target
        for (k, _), target in zip(carried, targets, strict=False):
            init = loop.inits[k]
            if isinstance(init, Var) and init.name in self.active:
                self.contribute(init.name, target)
        return new

    def _test_acts(self, loop: While) -> bool:
        """Whether the test writes to memory through which derivatives flow, or computes what the body needs of them."""
        used = set(uses(loop.body))
        for stmt in walk(loop.test):
            if isinstance(stmt, Let) and isinstance(stmt.op, Store | Update | Append | Pop):
                assert isinstance(stmt.args[0], Var)
                if stmt.args[0].name in self.active:
                    return True
            if any(name in self.active and name in used for name in self._defined(stmt)):
                return True
        return False

    def _carried(self, loop: For | While) -> list[tuple[int, Atom | None]]:
        """The carried values through which a derivative flows: position and the adjoint of what comes out."""
        found = []
        for k, (param, target) in enumerate(zip(loop.params, loop.targets[loop.stops :], strict=True)):
            if param in self.active or target in self.active:
                found.append((k, self.adjoint(target) if target in self.active else None))
        return found

    def _sums(self, loop: For | While) -> list[tuple[str, int | None]]:
        """Names from outside of a loop whose adjoints are values that the iterations add to."""
        inside = set(definitions(Block((loop,))))
        found: dict[tuple[str, int | None], None] = {}
        body = dict.fromkeys(uses(loop.body))
        for name in body:
            if name in inside or name not in self.active or name in self.in_memory:
                continue
            built = self._built(name)
            known = self.builder.types[name]
            if built is not None:
                found.update({(name, i): None for i in range(len(entries(built)))})
            elif known.kind == "tuple":
                found.update({(name, i): None for i in range(len(known.items))})
            else:
                found[name, None] = None
        return list(found)

    def _param(self, name: str, part: int | None = None) -> Var:
        """A carried adjoint: of the type of what it belongs to; a number may be Python's or NumPy's."""
        known = self.builder.types.get(name, INT)
        if part is not None:
            built = self._built(name)
            known = self.type(entries(built)[part][1]) if built is not None else known.items[part]
        if known.kind == "scalar":
            known = Type("scalar", known.dtype)
        return self.builder.declare(self.bar(name), known)

    def _entering(self, loop: For | While) -> list[str]:
        """Names that the reverse of the body may read and that have their values when the body starts."""
        if isinstance(loop, While):
            return [name for stmt in loop.test.stmts for name in self._defined(stmt)]
        return [loop.variable]

    def _variable(self, loop: For | While) -> tuple[dict[str, str], str]:
        """The variable of the reverse loop, and the variable of the loop if it walks the same values."""
        assert self.tapes is not None
        if isinstance(loop, For) and self._is_range(loop):
            variable = self.builder.declare(hint(loop.variable), self.builder.types[loop.variable]).name
            self.tapes.variables.add(loop.variable)
            return {loop.variable: variable}, variable
        return {}, self.builder.declare("_trip", INT).name

    def _is_range(self, loop: For) -> bool:
        if self.type(loop.iterable).kind == "range":
            return True
        let = self.definition.get(loop.iterable.name) if isinstance(loop.iterable, Var) else None
        return (
            isinstance(let, Let)
            and let.op == Fn(reversed)
            and self.type(let.args[0]).kind == "range"
        )

    def _take_or_zero(self, name: str) -> Atom:
        found = self.adjoint(name)
        return self.zero(Var(name)) if found is None else found

    def _init(self, cotangent: Atom | None, target: str) -> Atom:
        return self.zero(Var(target)) if cotangent is None else cotangent

    def _start(self, key: tuple[str, int | None]) -> Atom:
        found = self.adjoints.values.get(key)
        return self._zero_of(key) if found is None else found

    def _reversed(self, loop: For | While) -> tuple[For | While, Atom]:
        """The forward loop, counting its trips where it must, and what the reverse loop walks."""
        if isinstance(loop, For) and self._is_range(loop) and not loop.stops:
            return loop, self._backwards(loop.iterable)
        loop, trips = self._counting(loop)
        if isinstance(loop, For) and self._is_range(loop):
            let = self.definition.get(loop.iterable.name) if isinstance(loop.iterable, Var) else None
            walked = loop.iterable
            if isinstance(let, Let) and let.op == Fn(reversed):
                walked = self.builder.fn(operator.getitem, let.args[0], Const(slice(None, None, -1)))
            upto = self.builder.let(Make("slice"), [Const(None), trips, Const(None)])
            return loop, self.builder.fn(reversed, self.builder.fn(operator.getitem, walked, upto))
        return loop, self.builder.fn(range, trips)

    def _backwards(self, iterable: Atom) -> Atom:
        let = self.definition.get(iterable.name) if isinstance(iterable, Var) else None
        if isinstance(let, Let) and let.op == Fn(reversed):
            return let.args[0]
        return self.builder.fn(reversed, iterable)

    def _counting(self, loop: For | While) -> tuple[For | While, Var]:
        """The loop with one more carried value: the number of iterations run."""
        param, after, target = (self.builder.declare("trips", INT) for _ in range(3))
        origin = replace(self.builder.origin, sweep="forward")
        count = Let(after.name, Fn(operator.add), (param, Const(1)), (), origin)
        body = Block((*loop.body.stmts, count), (*loop.body.results, after))
        return replace(
            loop,
            targets=(*loop.targets, target.name),
            params=(*loop.params, param.name),
            inits=(*loop.inits, Const(0)),
            body=body,
        ), target
