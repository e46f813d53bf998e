"""Lowering of statements. Jumps become flags; the rest of a block after a branch that leaves it moves into the other.

    if x < 0:                  value = if x < 0 then 0.0
        return 0.0      ->             else mul(x, x)
    return x * x
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence

import gast

from srcgrad.errors import AliasedWrite
from srcgrad.frontend.base import Undecided
from srcgrad.frontend.expressions import BINARY, Expressions
from srcgrad.frontend.scope import (
    DEAD,
    RESULT,
    RETURNED,
    SKIP,
    STOP,
    UNDEFINED,
    Closure,
    Environment,
    Value,
    always_jumps,
    is_true,
    is_undefined,
    leaves,
    may_jump,
    rebuild,
    same_structure,
)
from srcgrad.ir import Assert, Atom, Block, Const, Fn, If, Raise, Update, Var

_INPLACE = {
    gast.Add: "iadd",
    gast.Sub: "isub",
    gast.Mult: "imul",
    gast.Div: "itruediv",
    gast.FloorDiv: "ifloordiv",
    gast.Mod: "imod",
    gast.Pow: "ipow",
    gast.MatMult: "imatmul",
    gast.BitAnd: "iand",
    gast.BitOr: "ior",
    gast.BitXor: "ixor",
    gast.LShift: "ilshift",
    gast.RShift: "irshift",
}
_REMEDIES = {
    "AsyncFunctionDef": "write an ordinary function",
    "ClassDef": "define the class outside of the differentiated function",
    "Global": "return the value instead of writing a global",
    "Nonlocal": "return the value instead of writing a variable of the enclosing function",
    "Try": "test the condition before, with `if`",
    "TryStar": "test the condition before, with `if`",
    "With": "do it outside of the differentiated function",
    "Match": "write `if`/`elif`",
    "Import": "import at the top of the module",
    "ImportFrom": "import at the top of the module",
}


class Statements(Expressions):
    def body(self, nodes: Sequence[gast.AST]) -> None:
        """Lowers the statements of a block."""
        for position, node in enumerate(nodes):
            with self.builder.at(self.origin(node)):
                self.node = node
                rest = nodes[position + 1 :]
                if isinstance(node, gast.If):
                    if self.branch(node, rest):
                        return
                    continue
                self.statement(node)
            if isinstance(node, gast.Return | gast.Break | gast.Continue | gast.Raise):
                return
            if isinstance(node, gast.For | gast.While) and self.after_jump(RETURNED, rest):
                return

    def statement(self, node: gast.AST) -> None:
        method = getattr(self, "_stmt_" + type(node).__name__.lower(), None)
        if method is None:
            name = type(node).__name__
            self.refuse(node, f"`{_keyword(name)}` is not supported in a differentiated function", _REMEDIES.get(name, ""))
            return
        method(node)

    # Branches

    def branch(self, node: gast.If, rest: Sequence[gast.AST]) -> bool:
        """Lowers an `if`; true when it took the rest of the block into one of its branches."""
        test = self.atom(node.test)
        if isinstance(test, Const):
            taken = node.body if test.value else node.orelse
            if not may_jump(taken) and not always_jumps(taken):
                self.body(taken)
                return False
            self.body(taken)
            return always_jumps(taken) or self.after_jump(SKIP, rest)
        if self.frame.static:
            raise Undecided
        if not may_jump([node]):
            self.join(test, node.body, node.orelse)
            return False
        ends = always_jumps(node.body), always_jumps(node.orelse)
        if ends == (False, False):
            self.join(test, node.body, node.orelse)
            return self.after_jump(SKIP, rest)
        then = list(node.body) + ([] if ends[0] else list(rest))
        orelse = list(node.orelse) + ([] if ends[1] else list(rest))
        self.join(test, then, orelse)
        return True

    def join(self, test: Atom, then: Sequence[gast.AST], orelse: Sequence[gast.AST]) -> None:
        """Lowers the two blocks; names that they leave different are joined."""
        self.join_by(test, lambda: self.body(then), lambda: self.body(orelse))

    def join_by(self, test: Atom, then: Callable[[], None], orelse: Callable[[], None]) -> None:
        """A branch whose two sides are lowered by two functions."""
        before = self.frame.environment
        blocks, environments = [], []
        for side in (then, orelse):
            self.frame.environment = dict(before)
            with self.builder.block() as stmts:
                side()
            blocks.append(stmts)
            environments.append(self.frame.environment)
        self.frame.environment = dict(before)
        _bury(before, environments)
        pairs = self.differences(*environments)
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

    def differences(self, left: Environment, right: Environment) -> list[tuple[str, Atom, Atom]]:
        """Hint and atoms, one row for every leaf that differs between two environments.

        Tuples of different structure, and names that one side lacks, are brought to one structure first.
        """
        rows: list[tuple[str, Atom, Atom]] = []
        for name in dict.fromkeys([*left, *right]):
            a, b = self._aligned(left.get(name, _absent(name, left)), right.get(name, _absent(name, right)))
            left[name], right[name] = a, b
            for x, y in zip(leaves(a), leaves(b), strict=True):
                if x is not y and x != y:
                    if isinstance(x, Closure) or isinstance(y, Closure):
                        self.refuse(self.node, f"`{name}` is one of two functions", "call them in the two branches")
                        continue
                    rows.append((self.hint(name), x, y))
        return rows

    def _aligned(self, a: Value, b: Value) -> tuple[Value, Value]:
        if same_structure(a, b):
            return a, b
        if is_undefined(a) or is_undefined(b):
            filled = UNDEFINED if is_undefined(a) else b, UNDEFINED if is_undefined(b) else a
            template = b if is_undefined(a) else a
            blank = rebuild(template, iter([UNDEFINED] * len(leaves(template))))
            return (blank, template) if is_undefined(filled[0]) else (template, blank)
        self.refuse(self.node, "a name holds tuples of different structure here", "give both branches one structure")
        return UNDEFINED, UNDEFINED

    def take(self, environments: list[Environment], targets: Iterator[Var]) -> None:
        """Makes the joined environment that of the frame."""
        left, right = environments
        for name in left:
            first, second = leaves(left[name]), leaves(right[name])
            atoms = [
                x if x is y or x == y or isinstance(x, Closure) or isinstance(y, Closure) else next(targets)
                for x, y in zip(first, second, strict=True)
            ]
            self.frame.environment[name] = rebuild(left[name], iter(atoms))

    def after_jump(self, flag: str, rest: Sequence[gast.AST]) -> bool:
        """After a statement that may have set `flag`, lowers the rest of the block under its negation."""
        value = self.frame.environment.get(flag, Const(False))
        if isinstance(value, Const) and not is_true(value):
            return False
        if is_true(value):
            return True
        if not rest:
            return False
        assert isinstance(value, Var)
        if flag == RETURNED:
            self.frame.environment[SKIP] = value
            self.frame.environment[STOP] = value
        self.join(value, [], rest)
        return True

    def _stmt_return(self, node: gast.Return) -> None:
        value: Value = Const(None) if node.value is None else self.expression(node.value)
        environment = self.frame.environment
        environment[RESULT] = value
        environment[RETURNED] = environment[STOP] = environment[SKIP] = Const(True)

    def _stmt_break(self, node: gast.Break) -> None:
        self.frame.environment[STOP] = self.frame.environment[SKIP] = Const(True)

    def _stmt_continue(self, node: gast.Continue) -> None:
        self.frame.environment[SKIP] = Const(True)

    # Assignments

    def _stmt_assign(self, node: gast.Assign) -> None:
        value = self.named(node.targets[0], node.value)
        for target in node.targets:
            self.assign(target, value)

    def named(self, target: gast.AST, node: gast.AST) -> Value:
        """The value of an expression, named after the variables that it is assigned to."""
        value = self.expression(node)
        self._suggest(target, value)
        return value

    def _suggest(self, target: gast.AST, value: Value) -> None:
        if isinstance(target, gast.Name) and isinstance(value, Var):
            self.builder.suggest(value, self.hint(target.id))
        elif isinstance(target, gast.Tuple | gast.List) and isinstance(value, tuple):
            for element, item in zip(target.elts, value, strict=False):
                self._suggest(element, item)

    def _stmt_annassign(self, node: gast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.named(node.target, node.value))

    def assign(self, target: gast.AST, value: Value) -> None:
        match target:
            case gast.Name():
                if target.id in self.frame.declared_global:
                    return
                self.frame.environment[target.id] = value
            case gast.Tuple() | gast.List():
                self.unpack(target, value)
            case gast.Subscript():
                self.store(target, self.as_atom(value, target))
            case _:
                self.refuse(target, "assigning to an attribute is not supported", "return the new value")

    def unpack(self, target: gast.Tuple | gast.List, value: Value) -> None:
        items = self.spread(value)
        count = len(target.elts)
        if any(isinstance(element, gast.Starred) for element in target.elts):
            if items is None:
                self.refuse(target, "a starred target takes from a value of unknown length", "use slices")
                return
            self._unpack_starred(target, items)
            return
        if items is None:
            atom = self.as_atom(value, target)
            known = self.builder.type(atom)
            if known.kind not in ("array", "list", "unknown"):
                self.refuse(target, f"a value of type {known} cannot be unpacked", "index it")
                return
            items = [self.builder.fn(operator.getitem, atom, Const(i)) for i in range(count)]
        if len(items) != count:
            self.refuse(target, f"{len(items)} values for {count} names", "make the numbers agree")
            return
        for element, item in zip(target.elts, items, strict=True):
            self._suggest(element, item)
            self.assign(element, item)

    def _unpack_starred(self, target: gast.Tuple | gast.List, items: list[Value]) -> None:
        star = next(i for i, element in enumerate(target.elts) if isinstance(element, gast.Starred))
        after = len(target.elts) - star - 1
        if len(items) < len(target.elts) - 1:
            self.refuse(target, f"too few values ({len(items)}) to unpack", "make the numbers agree")
            return
        middle = tuple(items[star : len(items) - after])
        for element, item in zip(
            [*target.elts[:star], target.elts[star].value, *target.elts[star + 1 :]],
            [*items[:star], middle, *items[len(items) - after :]],
            strict=True,
        ):
            self.assign(element, item)

    def store(self, target: gast.Subscript, value: Atom) -> None:
        raise NotImplementedError

    def _stmt_augassign(self, node: gast.AugAssign) -> None:
        inplace = getattr(operator, _INPLACE[type(node.op)])
        target = node.target
        if isinstance(target, gast.Subscript):
            base, index = self.expression(target.value), self.index(target.slice)
            if not isinstance(base, Var):
                self.refuse(node, "a store into something that is no array or list", "store into an array")
                return
            self.builder.do(Update(("[]",), inplace), base, index, self.atom(node.value))
            return
        if not isinstance(target, gast.Name):
            self.refuse(target, "assigning to an attribute is not supported", "return the new value")
            return
        self._augmented_name(node, target, inplace)

    def _augmented_name(self, node: gast.AugAssign, target: gast.Name, inplace: object) -> None:
        old = self.name(gast.copy_location(gast.Name(target.id, gast.Load(), None, None), target))
        if isinstance(old, tuple):
            self.assign(target, self._expr_binop(gast.BinOp(target, node.op, node.value)))
            return
        atom = self.as_atom(old, node)
        known = self.builder.type(atom)
        value = self.atom(node.value)
        if known.kind == "array" and isinstance(atom, Var):
            self.builder.do(Update((), inplace), atom, value)  # type: ignore[arg-type]
            return
        if known.kind in ("list", "object"):
            self.refuse(node, f"`{target.id}` grows in place", "build a new list, or append", AliasedWrite)
            return
        result = self.builder.let(Fn(BINARY[type(node.op)]), (atom, value), hint=self.hint(target.id))
        self.frame.environment[target.id] = result

    # The others

    def _stmt_expr(self, node: gast.Expr) -> None:
        if isinstance(node.value, gast.Constant):
            return
        self.expression(node.value)

    def _stmt_pass(self, node: gast.Pass) -> None:
        pass

    def _stmt_delete(self, node: gast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, gast.Name):
                self.frame.environment[target.id] = UNDEFINED
            else:
                self.refuse(target, "`del` of an element is not supported", "build a new container")

    def _stmt_assert(self, node: gast.Assert) -> None:
        test = self.atom(node.test)
        self.builder.do(Assert(), test, *([] if node.msg is None else [self.atom(node.msg)]))

    def _stmt_raise(self, node: gast.Raise) -> None:
        if node.exc is None or node.cause is not None:
            self.refuse(node, "this form of `raise` is not supported", "write `raise Error(message)`")
            return
        self.builder.do(Raise(), self.atom(node.exc))
        self.frame.environment[DEAD] = Const(True)

    def _stmt_functiondef(self, node: gast.FunctionDef) -> None:
        if node.decorator_list:
            self.refuse(node, "a decorated function defined inside is not supported", "define it outside")
        self.frame.environment[node.name] = Closure(node, self.frame)

    def _stmt_global(self, node: gast.Global) -> None:
        self.frame.declared_global.update(node.names)
        self.refuse(node, "`global` writes are not differentiated", _REMEDIES["Global"])


def _keyword(name: str) -> str:
    return {
        "AsyncFunctionDef": "async def", "AsyncFor": "async for", "AsyncWith": "async with", "ClassDef": "class",
        "TryStar": "try", "ImportFrom": "import",
    }.get(name, name.lower())  # fmt: skip



def _bury(before: Environment, environments: list[Environment]) -> None:
    """Where one branch ends in `raise`, the names that the other one changes have no value in it."""
    left, right = environments
    if DEAD in left and DEAD in right:
        return
    for dead, live in ((left, right), (right, left)):
        if DEAD in dead:
            dead.clear()
            dead.update({name: value if before.get(name) is value else UNDEFINED for name, value in live.items()})


def _absent(name: str, environment: Environment) -> Value:
    """What a name stands for that an environment lacks: flags are not set, other names have no value."""
    return Const(False) if name in (STOP, SKIP, RETURNED) and DEAD not in environment else UNDEFINED
