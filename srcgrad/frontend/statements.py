"""Lowering of statements. Jumps become flags; the rest of a block after a branch that leaves it moves into the other.

    if x < 0:                  value = if x < 0 then 0.0
        return 0.0      ->             else mul(x, x)
    return x * x
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import gast

from srcgrad.errors import AliasedWrite
from srcgrad.frontend.base import Undecided
from srcgrad.frontend.expressions import BINARY
from srcgrad.frontend.joins import Joins
from srcgrad.frontend.scope import DEAD, RESULT, RETURNED, SKIP, STOP, always_jumps, may_jump
from srcgrad.frontend.values import Instance, Lazy, Value, constantly, is_true
from srcgrad.ir import (
    UNDEFINED,
    Assert,
    Atom,
    Block,
    Const,
    Fn,
    Let,
    Make,
    Raise,
    Store,
    Update,
    Var,
    has_effect,
    walk,
    written_buffer,
)

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
    "TryStar": "write `except`, or test the condition before, with `if`",
    "With": "do it outside of the differentiated function",
    "Match": "write `if`/`elif`",
    "Import": "import at the top of the module",
    "ImportFrom": "import at the top of the module",
}


class Statements(Joins):
    def body(self, nodes: Sequence[gast.AST]) -> None:
        """Lowers the statements of a block."""
        for position, node in enumerate(nodes):
            with self.builder.at(self.origin(node)):
                if isinstance(node, gast.Match):
                    node = self.as_branches(node)
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
            if isinstance(node, gast.For | gast.While) and may_jump(node.orelse) and self.after_jump(SKIP, rest):
                return
            if isinstance(node, gast.With | gast.Try) and may_jump([node]) and self.after_jump(SKIP, rest):
                return

    def as_branches(self, node: gast.Match) -> gast.If:
        raise NotImplementedError

    def statement(self, node: gast.AST) -> None:
        method = getattr(self, "_stmt_" + type(node).__name__.lower(), None)
        if method is None:
            name = type(node).__name__
            problem = f"`{_keyword(name)}` is not supported in a differentiated function"
            self.refuse(node, problem, _REMEDIES.get(name, ""))
            return
        method(node)

    # Branches

    def branch(self, node: gast.If, rest: Sequence[gast.AST]) -> bool:
        """Lowers an `if`; true when it took the rest of the block into one of its branches."""
        test = self.test(node.test)
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

    def after_jump(self, flag: str, rest: Sequence[gast.AST]) -> bool:
        """After a statement that may have set `flag`, lowers the rest of the block under its negation."""
        value = self.frame.environment.get(flag, Const(False))
        if isinstance(value, Const) and not is_true(value):
            return False
        jumped: dict[str, Value] = {}  # what the `else` of a loop that may have returned has left besides
        if flag == RETURNED:
            for other in (SKIP, STOP):
                before = self.frame.environment.get(other, Const(False))
                if before != Const(False) and isinstance(value, Var):
                    jumped[other] = before
                    before = self.either(value, constantly(Const(True)), constantly(before), "_jumped")
                    self.frame.environment[other] = before
                else:
                    self.frame.environment[other] = value
        if is_true(value):
            return True
        if not rest:
            return False
        assert isinstance(value, Var)

        def unless() -> None:
            flags = (RETURNED, SKIP, STOP) if flag == RETURNED else (flag,)
            self.frame.environment.update(dict.fromkeys(flags, Const(False)) | jumped)
            if RESULT in self.frame.environment:  # on this path nothing was returned
                self.frame.environment[RESULT] = UNDEFINED
            if SKIP not in jumped or not self.after_jump(SKIP, rest):
                self.body(rest)

        self.join_by(value, lambda: None, unless)
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
        return Lazy(iter, (value,)) if isinstance(value, Var) and self._is_iterator(node) else value

    def _is_iterator(self, node: gast.AST) -> bool:
        """Whether an expression makes an iterator, whose elements are given once."""
        if isinstance(node, gast.Call) and isinstance(node.func, gast.Name) and node.func.id in ("map", "filter"):
            return self.expression(node.func) in (Const(map), Const(filter))
        return isinstance(node, gast.GeneratorExp)

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
                self.assign_name(target, value)
            case gast.Tuple() | gast.List():
                self.unpack(target, value)
            case gast.Subscript():
                self.store(target, value)
            case gast.Attribute():
                self.store_attribute(target, self.expression(target.value), value)
            case _:
                self.refuse(target, "this cannot be assigned to", "assign to a name")

    def assign_name(self, target: gast.Name, value: Value) -> None:
        if target.id in self.frame.declared_global:
            self.refuse(target, f"this writes the global `{target.id}`", _REMEDIES["Global"])
            return
        self.frame.environment[self.frame.key(target.id)] = value

    def store_attribute(self, target: gast.Attribute, owner: Value, value: Value) -> None:
        raise NotImplementedError

    def unpack(self, target: gast.Tuple | gast.List, value: Value) -> None:
        value = self.opened(value, target)
        items = self.spread(value)
        count = len(target.elts)
        if any(isinstance(element, gast.Starred) for element in target.elts):
            self._unpack_starred(target, value, items)
            return
        if items is None:
            atom = self.as_atom(value, target)
            known = self.builder.type(atom)
            if known.kind not in ("array", "list", "unknown"):
                self._cannot_unpack(target, f"a value of type {known} cannot be unpacked", "index it")
                return
            items = [self.builder.fn(operator.getitem, atom, Const(i)) for i in range(count)]
        if len(items) != count:
            self._cannot_unpack(target, f"{len(items)} values for {count} names", "make the numbers agree")
            return
        for element, item in zip(target.elts, items, strict=True):
            self._suggest(element, item)
            self.assign(element, item)

    def _cannot_unpack(self, target: gast.Tuple | gast.List, problem: str, remedy: str) -> None:
        refused = self.refuse(target, problem, remedy)
        for element in target.elts:
            self.assign(element.value if isinstance(element, gast.Starred) else element, refused)

    def _unpack_starred(self, target: gast.Tuple | gast.List, value: Value, items: list[Value] | None) -> None:
        star = next(i for i, element in enumerate(target.elts) if isinstance(element, gast.Starred))
        after = len(target.elts) - star - 1
        elements = [*target.elts[:star], target.elts[star].value, *target.elts[star + 1 :]]
        if items is None:
            values = self._starred_sequence(target, value, star, after)
        elif len(items) < len(target.elts) - 1:
            self._cannot_unpack(target, f"too few values ({len(items)}) to unpack", "make the numbers agree")
            return
        else:
            middle = self.display("list", (), items[star : len(items) - after], target)
            values = [*items[:star], middle, *items[len(items) - after :]]
        for element, item in zip(elements, values, strict=True):
            self._suggest(element, item)
            self.assign(element, item)

    def _starred_sequence(self, target: gast.AST, value: Value, star: int, after: int) -> list[Value]:
        """The parts of a sequence of unknown length: elements from both ends, and a list of the others."""
        atom = self.as_atom(value, target)
        part = Const(slice(star, -after if after else None))
        rest = self.listed(self.builder.fn(operator.getitem, atom, part), target)
        first = [self.builder.fn(operator.getitem, atom, Const(i)) for i in range(star)]
        return [*first, rest, *(self.builder.fn(operator.getitem, atom, Const(i)) for i in range(-after, 0))]

    def display(self, kind: str, keys: tuple[Any, ...], items: list[Value], node: gast.AST) -> Value:
        raise NotImplementedError

    def store(self, target: gast.Subscript, value: Value) -> None:
        raise NotImplementedError

    def _stmt_augassign(self, node: gast.AugAssign) -> None:
        target = node.target
        match target:
            case gast.Subscript():
                self._augmented_element(node, target)
            case gast.Attribute():
                owner = self.expression(target.value)
                new = self.augmented(node, self.attribute(target, target.attr, owner))
                if new is not None:
                    self.store_attribute(target, owner, new)
            case _:
                old = self.name(gast.copy_location(gast.Name(target.id, gast.Load(), None, None), target))
                new = self.augmented(node, old)
                if new is not None:
                    if isinstance(new, Var):
                        self.builder.suggest(new, self.hint(target.id))
                    self.assign_name(target, new)

    def _augmented_element(self, node: gast.AugAssign, target: gast.Subscript) -> None:
        base, index = self.expression(target.value), self.index(target.slice)
        if isinstance(base, Instance):
            item = self.special_operator(node, "getitem", [base, index])
            if item is not None:
                changed = self.augmented(node, item)
                self.special_operator(node, "setitem", [base, index, item if changed is None else changed])
                return
        if not isinstance(base, Var):
            self.refuse(node, "a store into something that is no array or list", "store into an array")
            return
        if self.builder.type(base).kind in ("list", "dict"):
            old = self.builder.fn(operator.getitem, base, index)
            if base.name in self.builder.adjoints and self.builder.type(old).kind == "unknown":
                new: Value | None = self.binary(node, old, self.expression(node.value))  # a new object does as well
            else:
                new = self.augmented(node, old)
            if new is not None:
                value = self.as_atom(new, node)
                self.put(base, value, index, node)
                self.write(Store(("[]",)), base, index, value)
            return
        with self.builder.block() as before:
            old = self.builder.fn(operator.getitem, base, index)
        with self.builder.block() as after:
            value = self.atom(node.value)
        acts = _acts(Block(tuple(after)))
        for stmt in (*(before if acts else ()), *after):
            self.builder.emit(stmt)
        if not acts or (self.builder.type(old).kind == "array" and not self._gathers(index)):
            value = self.as_array(value) if self.builder.type(base).kind == "array" else value
            self.write(Update(("[]",), self.inplace(node)), base, index, value)
            return
        # The right side writes: the element was read before it, as Python does.
        if self.builder.type(old).kind == "unknown":
            problem = "the right side changes what this updates"
            self.refuse(node, problem, "compute it in a statement before", AliasedWrite)
            return
        self.write(Store(("[]",)), base, index, self.builder.fn(BINARY[type(node.op)], old, value))

    def _gathers(self, index: Atom) -> bool:
        """Whether a subscript copies: with an array of integers, or a mask."""
        known = self.builder.type(index)
        parts = known.items if known.kind == "tuple" else (known,)
        return any(part.kind in ("array", "list") or part.dtype == bool for part in parts)

    def inplace(self, node: gast.AugAssign) -> Any:
        return getattr(operator, _INPLACE[type(node.op)])

    def augmented(self, node: gast.AugAssign, old: Value) -> Value | None:
        """The new value of `old op= value`; None where the object itself was changed."""
        kind = self.builder.type(old).kind if isinstance(old, Var) else None
        value = self.expression(node.value)
        if isinstance(old, Instance):
            special = self.special_operator(node, self.inplace(node).__name__, [old, value])
            return special if special is not None else self.binary(node, old, value)
        if isinstance(old, Var) and kind == "array":
            self.write(Update((), self.inplace(node)), old, self.as_array(self.as_atom(value, node)))
            return None
        if isinstance(old, Var) and kind in ("list", "dict"):
            self.grown(node, old, value)
            return None
        if kind == "object" or self.holds_functions(old):
            self.refuse(node, "this changes its object in place", "build a new one", AliasedWrite)
            return None
        if isinstance(old, Var) and kind == "unknown":
            # An array would be changed in place, a number replaced: `buffers` decides whether that is the same.
            return self.builder.let(Fn(self.inplace(node)), [old, self.as_atom(value, node)], effect=True)
        return self.binary(node, old, value)

    def holds_functions(self, value: Value) -> bool:
        """Whether a value is a list from outside that holds functions."""
        raise NotImplementedError

    def grown(self, node: gast.AugAssign, old: Var, value: Value) -> None:
        """`old op= value` for a list or a dict."""
        raise NotImplementedError

    def put(self, owner: Var, value: Atom, key: Atom | None, node: gast.AST) -> None:
        raise NotImplementedError

    # The others

    def _stmt_expr(self, node: gast.Expr) -> None:
        if isinstance(node.value, gast.Constant):
            return
        self.expression(node.value)

    def _stmt_pass(self, node: gast.Pass) -> None:
        pass

    def _stmt_delete(self, node: gast.Delete) -> None:
        for target in node.targets:
            match target:
                case gast.Name():
                    self.frame.environment[self.frame.key(target.id)] = UNDEFINED
                case gast.Attribute():
                    self.delete_attribute(target, self.expression(target.value))
                case _:
                    self.delete_element(target)

    def delete_attribute(self, target: gast.Attribute, owner: Value) -> None:
        raise NotImplementedError

    def delete_element(self, target: gast.AST) -> None:
        self.refuse(target, "`del` of an element is not supported", "build a new container")

    def _stmt_assert(self, node: gast.Assert) -> None:
        test = self.test(node.test)
        self.builder.do(Assert(), test, *([] if node.msg is None else [self.atom(node.msg)]))

    def _stmt_raise(self, node: gast.Raise) -> None:
        if node.exc is None:
            self.refuse(node, "`raise` without an exception is not supported", "write `raise Error(message)`")
            return
        self.builder.do(Raise(), self.atom(node.exc), *([] if node.cause is None else [self.atom(node.cause)]))
        self.frame.environment[DEAD] = Const(True)

    def _stmt_functiondef(self, node: gast.FunctionDef) -> None:
        value: Value = self.closure(node)
        for decorator in reversed(node.decorator_list):
            value = self.apply(node, self.expression(decorator), [value], {})
        self.frame.environment[self.frame.key(node.name)] = value

    def _stmt_global(self, node: gast.Global) -> None:
        self.frame.declared_global.update(node.names)

    def _stmt_nonlocal(self, node: gast.Nonlocal) -> None:
        for name in node.names:
            frame = self.frame.parent
            while frame is not None and name not in frame.cells:
                frame = frame.parent
            if frame is None:
                self.refuse(node, f"this writes `{name}` outside of the differentiated function", _REMEDIES["Nonlocal"])
                continue
            self.frame.cells[name] = frame.cells[name]


def _acts(block: Block) -> bool:
    """Whether statements do more than compute: a list that they make themselves may be filled."""
    stmts = [stmt for stmt in walk(block) if isinstance(stmt, Let)]
    own = {stmt.target for stmt in stmts if isinstance(stmt.op, Make)}
    return any(has_effect(stmt) and written_buffer(stmt) not in own for stmt in stmts)


def _keyword(name: str) -> str:
    return {
        "AsyncFunctionDef": "async def", "AsyncFor": "async for", "AsyncWith": "async with", "ClassDef": "class",
        "TryStar": "except*", "ImportFrom": "import",
    }.get(name, name.lower())  # fmt: skip
