"""Random functions of the IR: branches, loops, early ends, buffers, tapes, names defined in branches."""

from __future__ import annotations

import operator
import random

from srcgrad import ir

_HINTS = ("x", "y", "z", "_t", "_u", "y_bar")
_BINARY = (operator.add, operator.sub, operator.mul)


class Generator:
    """Makes one function from a seed. Values are integers or integer arrays of length 4, so results are exact."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = ir.Names()
        self.buffers: list[str] = []
        self.tapes: list[str] = []
        self.under: dict[tuple[str, bool], list[str]] = {}

    def function(self) -> ir.Function:
        params = tuple(ir.Param(self.names.fresh(hint)) for hint in ("x", "y", "seed"))
        scope = [param.name for param in params]
        head: list[ir.Stmt] = []
        for hint in ("b", "c"):
            buffer = self.names.fresh(hint)
            head.append(ir.Let(buffer, ir.Method("copy"), (ir.Var(scope[0]),)))
            self.buffers.append(buffer)
        tape = self.names.fresh("tape")
        head.append(ir.Let(tape, ir.Make("list")))
        self.tapes.append(tape)
        body = self.stmts(scope, 3, self.random.randrange(3, 9))
        last = self.names.fresh("_load")
        tail = [ir.Let(last, ir.Load(), (ir.Var(self.buffers[0]),))]
        results = (*self.atoms(scope, 2), ir.Var(last), ir.Var(tape))
        block = ir.Block((*head, *body, *tail), results)
        return ir.verify(ir.Function("f", params, block, structure=("leaf",) * 4))

    def atom(self, scope: list[str]) -> ir.Atom:
        if self.random.random() < 0.15:
            return ir.Const(self.random.randrange(-2, 3))
        # Recent names more often, so that temporaries are used soon.
        recent = scope[-4:] if self.random.random() < 0.6 else scope
        return ir.Var(self.random.choice(recent))

    def atoms(self, scope: list[str], n: int) -> tuple[ir.Atom, ...]:
        return tuple(self.atom(scope) for _ in range(n))

    def stmts(self, scope: list[str], depth: int, n: int) -> list[ir.Stmt]:
        made: list[ir.Stmt] = []
        for _ in range(n):
            choice = self.random.random()
            if depth and choice < 0.15:
                made += self.branch(scope, depth - 1)
            elif depth and choice < 0.27:
                made += self.loop(scope, depth - 1)
            elif choice < 0.5:
                made += self.memory(scope)
            else:
                made.append(self.let(scope))
        return made

    def let(self, scope: list[str]) -> ir.Let:
        args = self.atoms(scope, 2)
        op: ir.Op = ir.Fn(self.random.choice(_BINARY))
        if self.random.random() < 0.1 and isinstance(args[0], ir.Var):
            op, args = ir.Fn(operator.neg), args[:1]
        return self.define(scope, op, args)

    def define(self, scope: list[str], op: ir.Op, args: tuple[ir.Atom, ...]) -> ir.Let:
        target = self.names.fresh(self.random.choice(_HINTS))
        scope.append(target)
        sweep = self.random.choice(("forward", "reverse"))
        return ir.Let(target, op, args, origin=ir.Origin(self.random.randrange(1, 4), "text", sweep))

    def memory(self, scope: list[str]) -> list[ir.Stmt]:
        buffer = ir.Var(self.random.choice(self.buffers))
        index = ir.Const(self.random.choice((slice(1, None), slice(None, 3), slice(1, 4))))
        match self.random.randrange(7):
            case 0:
                return [self.define(scope, ir.Load(), (buffer,))]
            case 1 | 2:
                part = self.names.fresh("_part")
                load = ir.Let(part, ir.Load(("[]",)), (buffer, index))
                # Back to length 4, through an array that may share memory with the part.
                index4 = ir.Const((slice(None), None))
                view = ir.Let(self.names.fresh("_v"), ir.Fn(operator.getitem), (ir.Var(part), index4))
                total = self.define(scope, ir.Method("sum"), (ir.Var(str(view.target)),))
                return [load, view, total]
            case 3:
                return [ir.Let(None, ir.Store(()), (buffer, self.atom(scope)))]
            case 4:
                return [ir.Let(None, ir.Update((), operator.iadd), (buffer, self.atom(scope)))]
            case 5:
                return [ir.Let(None, ir.Append(), (ir.Var(self.tapes[0]), self.atom(scope)))]
        value = self.names.fresh("_sum")
        total = ir.Let(value, ir.Fn(_total), (self.atom(scope),))
        return [total, ir.Let(None, ir.Update(("[]",), operator.isub), (buffer, index, ir.Var(value)))]

    def test(self, scope: list[str]) -> tuple[list[ir.Stmt], str]:
        known = sorted({name for name, _ in self.under })
        if known and self.random.random() < 0.5:
            return [], self.random.choice(known)
        total, test = self.names.fresh("_sum"), self.names.fresh(self.random.choice(("_c", "c")))
        stmts: list[ir.Stmt] = [
            ir.Let(total, ir.Fn(_total), (self.atom(scope),)),
            ir.Let(test, ir.Fn(operator.gt), (ir.Var(total), ir.Const(self.random.randrange(-3, 9)))),
        ]
        return stmts, test

    def branch(self, scope: list[str], depth: int) -> list[ir.Stmt]:
        stmts, test = self.test(scope)
        n = self.random.randrange(0, 3)
        blocks = []
        outer = self.under
        for polarity in (True, False):
            known = outer.setdefault((test, polarity), [])
            self.under = {key: list(names) for key, names in outer.items()}
            inner = [*known, *scope]
            body = self.stmts(inner, depth, self.random.randrange(0, 4)) if self.random.random() < 0.8 else []
            blocks.append(ir.Block(tuple(body), self.atoms(inner, n)))
            known += [name for name in inner if name not in scope and name not in known]
        self.under = outer
        targets = tuple(self.names.fresh(self.random.choice(_HINTS)) for _ in range(n))
        scope += targets
        return [*stmts, ir.If(targets, ir.Var(test), blocks[0], blocks[1])]

    def loop(self, scope: list[str], depth: int) -> list[ir.Stmt]:
        n, stops = self.random.randrange(0, 3), self.random.random() < 0.4
        hints = [self.random.choice(_HINTS) for _ in range(n)]
        inits = self.atoms(scope, n)
        params = tuple(map(self.names.fresh, hints))
        variable = self.names.fresh("i")
        inner = [*scope, variable, *params]
        saved = self.under
        self.under = {}
        body = self.stmts(inner, depth, self.random.randrange(1, 5))
        tail, flag = self.flag(inner, depth) if stops else ([], ())
        block = ir.Block((*body, *tail), (*flag, *self.atoms(inner, n)))
        self.under = saved
        targets = tuple(map(self.names.fresh, hints))
        scope += targets
        if not stops:
            return [self.counted(targets, params, inits, variable, block)]
        stop = self.names.fresh("stop")
        loop = self.counted((stop, *targets), params, inits, variable, block, stops=True)
        if self.random.random() < 0.6:
            return [loop]
        return [loop, self.define(scope, ir.Fn(int), (ir.Var(stop),))]

    def counted(
        self,
        targets: tuple[str, ...],
        params: tuple[str, ...],
        inits: tuple[ir.Atom, ...],
        variable: str,
        body: ir.Block,
        stops: bool = False,
    ) -> ir.Stmt:
        trips = self.random.randrange(0, 4)
        if self.random.random() < 0.6:
            return ir.For(targets, params, inits, variable, ir.Const(range(trips)), body, stops)
        # The same as a `while` with a counter, whose test may be one expression or need statements.
        test, after, total = self.names.fresh("_test"), self.names.fresh("_after"), self.names.fresh("i")
        lets = [ir.Let(test, ir.Fn(operator.lt), (ir.Var(variable), ir.Const(trips)))]
        if self.random.random() < 0.3:
            lets.insert(0, ir.Let(None, ir.Append(), (ir.Var(self.tapes[0]), ir.Var(variable))))
        step = ir.Let(after, ir.Fn(operator.add), (ir.Var(variable), ir.Const(1)))
        block = ir.Block((step, *body.stmts), (*body.results[:stops], ir.Var(after), *body.results[stops:]))
        targets = (*targets[:stops], total, *targets[stops:])
        test_block = ir.Block(tuple(lets), (ir.Var(test),))
        return ir.While(targets, (variable, *params), (ir.Const(0), *inits), test_block, block, stops)

    def flag(self, scope: list[str], depth: int) -> tuple[list[ir.Stmt], tuple[ir.Atom]]:
        stmts, test = self.test(scope)
        if self.random.random() < 0.3:
            return stmts, (ir.Var(test),)
        flag, extra = self.names.fresh("_stop"), self.names.fresh(self.random.choice(_HINTS))
        polarity = self.random.random() < 0.5
        blocks = []
        for value in (polarity, not polarity):
            inner = list(scope)
            body = self.stmts(inner, 0, self.random.randrange(0, 3))
            nested, atom = ([], (ir.Const(value),)) if value or not depth else self.flag(inner, depth - 1)
            blocks.append(ir.Block((*body, *nested), (*atom, self.atom(inner))))
        scope.append(extra)
        return [*stmts, ir.If((flag, extra), ir.Var(test), blocks[0], blocks[1])], (ir.Var(flag),)


def _total(x: object) -> int:
    """A number made from a number or an array, small enough to stay exact."""
    import numpy as np

    return int(np.sum(x)) % 13 - 3  # type: ignore[call-overload]
