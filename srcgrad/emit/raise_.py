"""Raises the IR to Python: the inverse of what the frontend does.

    function f(x.0)                                     def f(x):
      _mul.1 = operator.mul(x.0, 2)                         y = np.sin(x * 2)
      y.2 = numpy.sin(_mul.1)                               for _ in range(3):
      y.5 = for i.3 in Const(range(0, 3)) with y.4 = y.2        y = y + x
        y.6 = operator.add(y.4, x.0)                        return y
        yield y.6
      yield y.5

`folding` decides which names are written as expressions, `naming` gives the others their variables; here the statements
are written, with the copies that are left, `break`, and the comments that name the primal lines.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeGuard

import gast

from srcgrad import ir, runtime
from srcgrad.ad.undefined import define_missing
from srcgrad.analyses.liveness import Printed, live_ranges
from srcgrad.emit import expressions as ex
from srcgrad.emit.flags import find_flags, with_flags_last
from srcgrad.emit.folding import Foldable, fold, is_boolean, parts
from srcgrad.emit.layout import STEP, WIDTH
from srcgrad.emit.merged import merge_branch_names
from srcgrad.emit.naming import affinities, base, variable_names
from srcgrad.emit.printer import Blank, Comment
from srcgrad.emit.regions import Region, regions
from srcgrad.emit.snapshots import copied_loads, split_loads

Out = list[Any]
Pairs = list[tuple[str, ir.Atom]]

_JOINT = "\N{NO-BREAK SPACE}"


def raise_function(function: ir.Function, reserved: frozenset[str]) -> Any:
    """The function as a `gast.FunctionDef`; names in `reserved` are not used for variables."""
    return _Raiser(function, reserved).run()


class _Raiser:
    def __init__(self, function: ir.Function, reserved: frozenset[str]) -> None:
        function = merge_branch_names(function)
        self.function = split_loads(replace(function, body=with_flags_last(function.body)))
        self.named(reserved)
        # What is copied into another variable before it has a value: Python has to find something there.
        while (body := define_missing(self.function.body, self.copied())) is not self.function.body:
            self.function = replace(self.function, body=body)
            self.named(reserved)
        self.doubtful = _doubtful_loads(self.function)
        # Who differentiates the text again may know less than is known here: where types are missing already, a number
        # is not updated in place, which would have to be told from an array.
        self.is_typed = _is_typed(function)
        self.line = 0
        self.noted: set[int] = set()
        self.guarded = False
        self.around: list[int] = []
        self.heads = {stmt.origin.line for stmt in ir.walk(function.body) if isinstance(stmt, ir.Loop)}
        self.has_reverse = any(stmt.origin.sweep == "reverse" for stmt in ir.walk(function.body))

    def named(self, reserved: frozenset[str]) -> None:
        self.flags = find_flags(self.function)
        self.plan(reserved, frozenset())
        late = frozenset(self.separate())
        if late:
            self.plan(reserved, late)

    def copied(self) -> set[str]:
        """The names between which copies are made."""
        pairs = [pair for pair in affinities(self.function.body) if self.used.issuperset(pair)]
        return {name for one, other in pairs if self.names[one] != self.names[other] for name in (one, other)}

    def plan(self, reserved: frozenset[str], late: frozenset[str]) -> None:
        """Decides what is folded and how variables are called; `late`: adjoints computed where they are assigned."""
        self.folding = fold(self.function, self.flags.pinned, late)
        view = Printed(self.folding.leaves, self.folding.is_inline, self.flags.consumed, self.flags.tested)
        ranges = live_ranges(self.function, view)
        self.used = {name for name, r in ranges.items() if r.starts}
        self.names = variable_names(self.function, ranges, reserved)

    def separate(self) -> Iterator[str]:
        """Adjoints that a branch or a loop yields in another variable than the one they are assigned to."""
        for target, source in affinities(self.function.body):
            if ir.hint(source).endswith("_bar") and self.names.get(source, "") != self.names.get(target, ""):
                yield source

    def run(self) -> Any:
        body = self.body()
        doc = [gast.Expr(ex.constant(_indented(self.function.doc)))] if self.function.doc else []
        # Newer versions of gast have a field for type parameters at the end.
        unused: list[Any] = [[], None, None, []][: len(gast.FunctionDef._fields) - 3]
        return gast.FunctionDef(self.function.name, self.parameters(), doc + (body or [gast.Pass()]), *unused)

    def parameters(self) -> Any:
        by_kind: dict[int, list[ir.Param]] = {kind: [] for kind in range(5)}
        for param in self.function.params:
            by_kind[int(param.kind)].append(param)
        positional_only, args, var, keyword_only, keywords = ([_parameter(p) for p in by_kind[k]] for k in range(5))
        defaults = [_source(p.default) for p in by_kind[0] + by_kind[1] if p.default is not None]
        kw_defaults = [None if p.default is None else _source(p.default) for p in by_kind[3]]
        return gast.arguments(
            args, positional_only, *(var or [None]), keyword_only, kw_defaults, *(keywords or [None]), defaults
        )

    def body(self) -> Out:
        """The function's own block, with the titles of the sweeps."""
        out: Out = []
        reverse = not self.has_reverse
        before: ir.Stmt | Region | None = None
        for stmt in regions(self.function.body.stmts):
            emitted: Out = []
            if self.is_else(stmt, before):
                self.else_clause(stmt, out)
            elif not reverse and stmt.origin.sweep == "reverse":
                self.statement(stmt, emitted)
                if emitted:
                    out += ([Blank()] if out else []) + [Comment("reverse sweep")]
                    reverse = True
            else:
                self.statement(stmt, emitted)
                if emitted and not out and not reverse:
                    out.append(Comment("forward sweep"))
            out += emitted
            before = stmt
        returned: Out = []
        self.returned(returned)
        if not reverse and len(returned) > 1:
            out += ([Blank()] if out else []) + [Comment("reverse sweep")]
        return out + returned

    def returned(self, out: Out) -> None:
        results = self.function.body.results
        if not results and self.function.structure == "leaf":
            return
        computed = [atom for atom in results if not isinstance(self.expression(atom), gast.Name)]
        origins = [self.origin_of([atom]) for atom in computed]
        self.note(next((origin for origin in origins if origin.line not in self.noted), ir.Origin()), out)
        out.append(gast.Return(self.build(self.function.structure, iter(results))))

    def build(self, structure: ir.Structure, results: Iterator[ir.Atom]) -> Any:
        match structure:
            case tuple():
                return gast.Tuple([self.build(item, results) for item in structure], gast.Load())
            case list():
                return gast.List([self.build(item, results) for item in structure], gast.Load())
            case dict():
                keys = [ex.literal(key) for key in structure]
                return gast.Dict(keys, [self.build(item, results) for item in structure.values()])
        return self.expression(next(results))

    # Comments

    def note(self, origin: ir.Origin, out: Out) -> None:
        """A comment with the primal line, where it is another one than before.

        What the head of a loop does in every iteration, as taking an element, is not told from what follows it, nor is
        what it leaves behind.
        """
        if origin.sweep != "reverse" or origin.line in (0, self.line, *self.around):
            return
        if origin.line in self.heads and origin.line in self.noted:
            return
        out.append(Comment(f"line {origin.line}: {origin.text}"))
        self.line = origin.line
        self.noted.add(origin.line)

    def origin_of(self, atoms: Iterable[ir.Atom]) -> ir.Origin:
        """The origin of the last expression that is folded into these atoms."""
        found = ir.Origin()
        for name in ir.variables(atoms):
            stmt = self.folding.inline.get(name)
            if stmt is not None:
                found = stmt.origin if stmt.origin.line else self.origin_of(parts(stmt))
        return found

    # Expressions

    def expression(self, atom: ir.Atom) -> Any:
        if isinstance(atom, ir.Const):
            return ex.literal(None if atom == ir.UNDEFINED else atom.value)
        stmt = self.folding.inline.get(atom.name)
        if stmt is None:
            return ex.name(self.names.get(atom.name) or base(atom.name))
        return self.operation(stmt) if isinstance(stmt, ir.Let) else self.choice(stmt)

    def choice(self, stmt: ir.If) -> Any:
        """A branch as an expression."""
        test = self.expression(stmt.test)
        (then,), (orelse,) = stmt.then.results, stmt.orelse.results
        if orelse == stmt.test:
            return ex.both(test, self.expression(then), gast.And)
        if then == stmt.test:
            return ex.both(test, self.expression(orelse), gast.Or)
        return ex.choice(test, self.expression(then), self.expression(orelse))

    def operation(self, let: ir.Let) -> Any:
        args = [self.expression(atom) for atom in let.args]
        node = ex.operation(let, args, [(key, self.expression(atom)) for key, atom in let.keywords])
        if let.target not in self.folding.copied:
            return node
        if let.target in self.doubtful:
            return ex.call(ex.imported("copy"), [node])
        return ex.call(ex.attribute(node, "copy"), [])

    # Statements

    def block(self, stmts: Iterable[ir.Stmt | Region], out: Out) -> None:
        before: ir.Stmt | Region | None = None
        for stmt in regions(stmts):
            if self.is_else(stmt, before):
                self.else_clause(stmt, out)
            else:
                self.statement(stmt, out)
            before = stmt

    def is_else(self, stmt: ir.Stmt | Region, attempt: ir.Stmt | Region | None) -> TypeGuard[ir.If]:
        """Whether a branch behind a `try` is its `else`: on the other path there are only copies, for the handler."""
        if not isinstance(attempt, ir.Try) or not isinstance(stmt, ir.If) or stmt.test != ir.Var(attempt.raised):
            return False
        if stmt.origin.sweep != attempt.origin.sweep or not all(map(self.folding.is_inline, stmt.then.stmts)):
            return False
        # Behind the handler Python deletes the name of the exception.
        kept = {self.names[name] for name in stmt.targets if name in self.used}
        return not self.folding.is_inline(stmt) and not (
            attempt.error in self.used and self.names[attempt.error] in kept
        )

    def else_clause(self, stmt: ir.If, out: Out) -> None:
        statement = out[-1]
        self.note(stmt.origin, statement.orelse)
        for handler in statement.handlers:
            if not isinstance(handler.body[-1], gast.Raise):
                handler.body += self.arm(stmt.then, stmt.targets)
        statement.orelse += self.arm(stmt.orelse, stmt.targets)

    def statement(self, stmt: ir.Stmt | Region, out: Out) -> None:
        match stmt:
            case Region():
                self.region(stmt, out)
            case ir.Let():
                self.let(stmt, out)
            case ir.If():
                self.branches(stmt, out)
            case ir.Try():
                self.attempt(stmt, out)
            case ir.For():
                self.for_loop(stmt, out)
            case ir.While():
                self.while_loop(stmt, out)

    def region(self, region: Region, out: Out) -> None:
        """The statements between the two ends of a `with`."""
        enter = region.enter
        target = ex.stored(self.names[enter.target]) if enter.target in self.used else None
        body: Out = []
        final: Out = []
        self.note(enter.origin, out)
        if not enter.args:
            self.block(region.stmts, body)
            self.block(region.final, final)
            out += [gast.Try(body or [gast.Pass()], [], [], final)] if final else body
            return
        manager = self.expression(enter.args[0])
        self.block(region.stmts, body)
        out.append(gast.With([gast.withitem(manager, target)], body or [gast.Pass()], None))

    def attempt(self, stmt: ir.Try, out: Out) -> None:
        """`try` with its handlers; the flag says afterwards whether one has run."""
        flag = [ex.stored(self.names[stmt.raised])] if stmt.raised in self.used else []
        if flag:
            out.append(gast.Assign(flag, ex.constant(False), None))
        self.note(stmt.origin, out)
        outer, self.guarded = self.guarded, True
        body = self.arm(stmt.body, stmt.targets[1:])
        self.guarded = outer
        start: Out = [gast.Assign(flag, ex.constant(True), None)] if flag else []
        pairs = list(zip(stmt.targets[1:], stmt.handler.results, strict=True))
        clauses = self.clauses(stmt, stmt.handler, self.kinds(stmt.caught), start, [pairs])
        out.append(gast.Try(body or [gast.Pass()], clauses, [], []))

    def clauses(
        self, attempt: ir.Try, block: ir.Block, kinds: list[ir.Atom], start: Out, after: list[Pairs]
    ) -> list[Any]:
        """The clauses of a handler for these classes: one for each that the handler asks for."""
        count = self.asks(block, attempt, kinds)
        if not count:
            body = list(start)
            self.block(block.stmts, body)
            for pairs in [] if ir.always_raises(block) else after:
                self.copies(pairs, body)
            return [self.clause(attempt, block, kinds, body)]
        asked, branch = block.stmts
        assert isinstance(asked, ir.Let)
        assert isinstance(branch, ir.If)
        assert asked.target is not None
        found: list[Any] = []
        is_read = asked.target in self.used and not self.folding.is_inline(asked)
        for inner, classes, answer in ((branch.then, kinds[:count], True), (branch.orelse, kinds[count:], False)):
            flags = [self.assignment(asked.target, ex.constant(answer))] if is_read else []
            pairs = list(zip(branch.targets, inner.results, strict=True))
            found += self.clauses(attempt, inner, classes, [*start, *flags], [pairs, *after])
        return found

    def asks(self, block: ir.Block, attempt: ir.Try, kinds: list[ir.Atom]) -> int:
        """How many of the first classes a handler asks for, some being left; 0 where it does anything else."""
        asked, branch = block.stmts if len(block.stmts) == 2 else (None, None)
        if not isinstance(asked, ir.Let) or not isinstance(branch, ir.If) or self.folding.is_inline(branch):
            return 0
        if asked.op != ir.Fn(isinstance) or asked.args[0] != ir.Var(attempt.error):
            return 0
        if branch.test != ir.Var(asked.target or ""):
            return 0
        mine = self.kinds(asked.args[1])
        same = list(map(self.class_key, mine)) == list(map(self.class_key, kinds[: len(mine)]))
        return len(mine) if same and len(mine) < len(kinds) else 0

    def class_key(self, kind: ir.Atom) -> ir.Atom | ir.Op:
        made = self.folding.inline.get(kind.name) if isinstance(kind, ir.Var) else None
        return made.op if isinstance(made, ir.Let) and isinstance(made.op, ir.Global) else kind

    def clause(self, attempt: ir.Try, block: ir.Block, kinds: list[ir.Atom], body: Out) -> Any:
        named = attempt.error in set(ir.uses(block)) and attempt.error in self.used
        name = ex.stored(self.names[attempt.error]) if named else None
        classes = [self.expression(kind) for kind in kinds]
        caught = classes[0] if len(classes) == 1 else gast.Tuple(classes, gast.Load())
        return gast.ExceptHandler(caught, name, body or [gast.Pass()])

    def kinds(self, caught: ir.Atom) -> list[ir.Atom]:
        """The classes that a handler is for."""
        made = self.folding.inline.get(caught.name) if isinstance(caught, ir.Var) else None
        if isinstance(made, ir.Let) and made.op == ir.Make("tuple"):
            return list(made.args)
        several = isinstance(caught, ir.Const) and isinstance(caught.value, tuple)
        return [ir.Const(kind) for kind in caught.value] if several else [caught]  # type: ignore[union-attr]

    def arm(self, block: ir.Block, targets: Iterable[str]) -> Out:
        """One of the blocks of a branch, with the copies to what the branch joins."""
        out: Out = []
        self.block(block.stmts, out)
        if not ir.always_raises(block):
            self.copies(list(zip(targets, block.results, strict=True)), out)
        return out

    def let(self, let: ir.Let, out: Out) -> None:
        if self.folding.is_inline(let):
            return
        if let.target is None:
            node = ex.write(let, [self.expression(atom) for atom in let.args])
        elif let.target in self.used:
            node = self.assignment(let.target, self.operation(let))
        else:
            node = self.unused(let)
        self.note(let.origin if let.origin.line else self.origin_of(ir.own_atoms(let)), out)
        out.append(node)

    def unused(self, let: ir.Let) -> Any:
        assert let.target is not None
        if let.effect or isinstance(let.op, ir.Pop) or self.guarded:
            return gast.Expr(self.operation(let))
        return self.assignment(let.target, self.operation(let))

    def assignment(self, target: str, value: Any) -> Any:
        """`target = value`; a number that is counted up is written `target += step`."""
        variable = self.names[target]
        known = self.function.types.get(target)
        counts = isinstance(value, gast.BinOp) and isinstance(value.op, gast.Add | gast.Sub)
        sure = self.is_typed or (counts and isinstance(value.right, gast.Constant))
        if counts and sure and _is_name(value.left, variable) and known is not None and known.kind == "scalar":
            return gast.AugAssign(ex.stored(variable), value.op, value.right)
        return gast.Assign([ex.stored(variable)], value, None)

    def copies(self, pairs: Pairs, out: Out) -> None:
        """A parallel assignment: in an order in which nothing is overwritten before it is read, or at once."""
        pending = [(t, s) for t, s in pairs if t in self.used and s != ir.UNDEFINED and self.is_available(s)]
        pending = [(t, s) for t, s in pending if not _is_name(self.expression(s), self.names[t])]
        while pending:
            ready = next((pair for pair in pending if self.is_ready(pair, pending)), None)
            chosen = pending if ready is None else [ready]
            self.note(self.origin_of([source for _, source in chosen]), out)
            out.append(self.together(chosen))
            pending = [pair for pair in pending if pair not in chosen]

    def is_available(self, source: ir.Atom) -> bool:
        """False where a value is read only on a path that contradicts itself (`if c:` in the other branch of `c`)."""
        return all(name in self.used for name in self.folding.leaves(source))

    def is_ready(self, pair: tuple[str, ir.Atom], pending: Pairs) -> bool:
        variable = self.names[pair[0]]
        others = [source for other in pending if other is not pair for source in self.folding.leaves(other[1])]
        return all(self.names[name] != variable for name in others)

    def together(self, pairs: Pairs) -> Any:
        if len(pairs) == 1:
            return self.assignment(pairs[0][0], self.expression(pairs[0][1]))
        targets = gast.Tuple([ex.stored(self.names[target]) for target, _ in pairs], gast.Store())
        return gast.Assign([targets], gast.Tuple([self.expression(s) for _, s in pairs], gast.Load()), None)

    def branches(self, stmt: ir.If, out: Out) -> None:
        if self.folding.is_inline(stmt):
            return
        head: Out = []
        self.note(stmt.origin, head)
        if is_boolean(stmt) and stmt.targets[0] in self.used and self.folding.is_expression(stmt):
            out += [*head, self.assignment(stmt.targets[0], self.choice(stmt))]
            return
        arms = [self.arm(inner, stmt.targets) for inner in ir.blocks(stmt)]
        self.conditional(stmt.test, arms[0], arms[1], head)
        if any(not isinstance(node, Comment) for node in head):
            out += head

    def conditional(self, atom: ir.Atom, then: Out, orelse: Out, out: Out) -> None:
        test = self.expression(atom)
        if not then and not orelse and self.guarded and self.test_may_raise(atom):
            then = [gast.Pass()]
        if not then:
            test, then, orelse = ex.negation(test), orelse, []
        if then:
            out.append(gast.If(test, then, orelse))
        elif any(isinstance(let, ir.Let) and let.effect for let in self.inlined(atom)):
            out.append(gast.Expr(self.expression(atom)))

    def test_may_raise(self, atom: ir.Atom) -> bool:
        known = self.function.types.get(atom.name) if isinstance(atom, ir.Var) else None
        return any(self.inlined(atom)) or known is None or known.kind != "scalar"

    def inlined(self, atom: ir.Atom) -> Iterator[Foldable]:
        """The statements that the expression for an atom is made of."""
        if isinstance(atom, ir.Var) and atom.name in self.folding.inline:
            stmt = self.folding.inline[atom.name]
            yield stmt
            for inner in parts(stmt):
                yield from self.inlined(inner)

    # Loops

    def before(self, stmt: ir.For | ir.While, out: Out) -> None:
        self.copies(list(zip(stmt.params, stmt.inits, strict=True)), out)
        if stmt.stops and stmt.targets[0] in self.used:
            out.append(self.assignment(stmt.targets[0], ex.constant(False)))

    def after(self, stmt: ir.For | ir.While, out: Out) -> None:
        pairs: Pairs = [(t, ir.Var(p)) for t, p in zip(stmt.targets[stmt.stops :], stmt.params, strict=True)]
        self.copies(pairs, out)

    def for_loop(self, stmt: ir.For, out: Out) -> None:
        self.before(stmt, out)
        self.note(stmt.origin, out)
        variable = self.names[stmt.variable] if stmt.variable in self.used else "_"
        body: Out = []
        self.loop_body(stmt, body)
        out.append(gast.For(ex.stored(variable), self.expression(stmt.iterable), body or [gast.Pass()], [], None))
        self.after(stmt, out)

    def while_loop(self, stmt: ir.While, out: Out) -> None:
        self.before(stmt, out)
        self.note(stmt.origin, out)
        body: Out = []
        self.block(stmt.test.stmts, body)
        test = self.expression(stmt.test.results[0])
        if body:
            body.append(gast.If(ex.negation(test), [gast.Break()], []))
            test = ex.constant(True)
        self.loop_body(stmt, body)
        out.append(gast.While(test, body or [gast.Pass()], []))
        self.after(stmt, out)

    def loop_body(self, stmt: ir.For | ir.While, out: Out) -> None:
        self.around.append(stmt.origin.line)
        self.iteration(stmt, out)
        self.around.pop()

    def iteration(self, stmt: ir.For | ir.While, out: Out) -> None:
        pairs = list(zip(stmt.params, stmt.body.results[stmt.stops :], strict=True))
        if stmt.stops:
            self.tail(stmt, stmt.body, stmt.body.results[0], [pairs], out)
        else:
            self.block(stmt.body.stmts, out)
            self.copies(pairs, out)

    def tail(self, loop: ir.Loop, block: ir.Block, flag: ir.Atom, after: list[Pairs], out: Out) -> None:
        """The last block of an iteration: `flag` says whether the loop ends after the copies in `after`."""
        last = block.stmts[-1] if block.stmts else None
        found = self.flags.consumed.intersection(last.targets) if isinstance(last, ir.If) else frozenset()
        if isinstance(flag, ir.Var) and isinstance(last, ir.If) and flag.name in found:
            self.block(block.stmts[:-1], out)
            self.tail_branches(loop, last, flag.name, after, out)
            return
        self.block(block.stmts, out)
        for pairs in after:
            self.copies(pairs, out)
        self.stop(loop, flag, out)

    def stop(self, loop: ir.Loop, flag: ir.Atom, out: Out) -> None:
        recorded = loop.targets[0] in self.used
        if isinstance(flag, ir.Const) and not flag.value:
            return
        value = self.expression(flag)
        if recorded and not _is_name(value, self.names[loop.targets[0]]):
            out.append(self.assignment(loop.targets[0], value))
        if isinstance(flag, ir.Const):
            out.append(gast.Break())
        else:
            out.append(gast.If(self.expression(flag), [gast.Break()], []))

    def tail_branches(self, loop: ir.Loop, stmt: ir.If, flag: str, after: list[Pairs], out: Out) -> None:
        self.note(stmt.origin, out)
        index = stmt.targets.index(flag)
        arms: list[Out] = []
        for inner in ir.blocks(stmt):
            arm: Out = []
            pairs = [pair for pair in zip(stmt.targets, inner.results, strict=True) if pair[0] != flag]
            self.tail(loop, inner, inner.results[index], [pairs, *after], arm)
            arms.append(arm)
        then, orelse = arms
        if then and isinstance(then[-1], gast.Break):
            self.conditional(stmt.test, then, [], out)
            out += orelse
        elif orelse and isinstance(orelse[-1], gast.Break):
            self.conditional(stmt.test, [], orelse, out)
            out += then
        else:
            self.conditional(stmt.test, then, orelse, out)


def _doubtful_loads(function: ir.Function) -> set[str | None]:
    """The targets of loads of what is perhaps no array and no list, and so has no method to copy it."""
    lets = [stmt for stmt in ir.walk(function.body) if isinstance(stmt, ir.Let)]
    # Names that may be without a value, and then None, and their adjoints, which are then the number 0.0.
    makers = (ir.Fn(runtime.zeros_like), ir.Fn(runtime.copy))
    numbers = {ir.Var(let.target) for let in lets if let.target and let.op in makers}
    loads = [let for let in lets if isinstance(let.op, ir.Load)]
    return {load.target for load in loads if _may_be_number(load, function) or load.args[0] in numbers}


def _may_be_number(load: ir.Let, function: ir.Function) -> bool:
    known = function.types.get(load.target or "")
    if known is not None and known.kind != "unknown":
        return known.kind not in ("array", "list", "dict")
    assert isinstance(load.op, ir.Load)
    index = load.args[-1].value if isinstance(load.args[-1], ir.Const) else None
    items = index if isinstance(index, tuple) else (index,)
    return load.op.path[-1:] in (("[]",), (".",)) and not any(isinstance(item, slice) for item in items)


def _is_typed(function: ir.Function) -> bool:
    """Whether the kinds of all values are known; what is run over and what stops a loop is no value."""
    values = {param.name for param in function.params}
    for stmt in ir.walk(function.body):
        if isinstance(stmt, ir.Let) and stmt.op != ir.Fn(reversed):
            values.update(ir.defined(stmt))
        elif not isinstance(stmt, ir.Let):
            values.update(ir.defined(stmt)[isinstance(stmt, ir.Loop) and stmt.stops :])
    return all(known.kind != "unknown" for name, known in function.types.items() if name in values)


def _is_name(node: Any, variable: str) -> bool:
    return isinstance(node, gast.Name) and node.id == variable


def _parameter(param: ir.Param) -> Any:
    return gast.Name(ir.hint(param.name), gast.Param(), None, None)


def _source(text: str) -> Any:
    return gast.parse(text, mode="eval").body


def _indented(doc: str) -> str:
    """The lines of a docstring, wrapped, as they stand in a function."""
    lines = [part for line in doc.strip().split("\n") for part in _wrapped(line)]
    lines = [line.replace(_JOINT, " ") for line in lines]
    if len(lines) == 1:
        return lines[0]
    return "\n".join([lines[0], *(f"    {line}".rstrip() for line in lines[1:]), "    "])


def _wrapped(line: str) -> list[str]:
    """A line in pieces that fit; what is in brackets stays together: `float64[:, 1]`."""
    joined = re.sub(r"\[[^]]*\]|\w: ", lambda found: found[0].replace(" ", _JOINT), line)
    return textwrap.wrap(joined, WIDTH - len(STEP) - len('"""'), break_long_words=False, break_on_hyphens=False) or [""]


def imports_of(function: ir.Function) -> list[str]:
    """The import lines that the function's text needs, sorted."""
    found = {line for stmt in ir.walk(function.body) for line in _imports_of_stmt(stmt)}
    found |= {line for atom in function.body.results for line in ex.imports_of_atom(atom)}
    doubtful = _doubtful_loads(function)
    if doubtful and not doubtful.isdisjoint(copied_loads(split_loads(function))):
        found.add("from srcgrad.runtime import copy")
    return sorted(found - {""}, key=lambda line: (line.startswith("from"), line))


def _imports_of_stmt(stmt: ir.Stmt) -> Iterator[str]:
    atoms = [*ir.own_atoms(stmt), *(atom for inner in ir.blocks(stmt) for atom in inner.results)]
    for atom in atoms:
        yield from ex.imports_of_atom(atom)
    if isinstance(stmt, ir.Let):
        yield from ex.imports_of_op(stmt.op)
