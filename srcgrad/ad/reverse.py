"""Reverse mode: the adjoint of a function, as IR.

    function f(x)                        function f_grad(x)
      sin = numpy.sin(x)                   sin = numpy.sin(x)
      y = mul(x, sin)              ->      x_bar = 1.0 * sin                    # y = mul(x, sin)
      yield y                              sin_bar = 1.0 * x
                                           x_bar = x_bar + sin_bar * cos(x)     # sin = numpy.sin(x)
                                           yield x_bar

The forward sweep is the primal as it stands. The reverse sweep goes through its statements backwards and writes for
each the body of its rule. What it reads of the forward sweep it reads by name; inside loops, where a name has many
values, `tape.py` sees to that. The result is naive and correct; the optimizer makes it short.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

import numpy as np

from srcgrad import runtime
from srcgrad.abstract import infer
from srcgrad.ad.adjoints import Adjoints
from srcgrad.ad.broadcasting import fit
from srcgrad.ad.undefined import define_undefined
from srcgrad.analyses.activity import Activity
from srcgrad.build import Builder
from srcgrad.errors import NoRule, SrcgradError, UnsupportedSyntax, together
from srcgrad.frontend.lower import Lowering, Undecided
from srcgrad.frontend.source import Source
from srcgrad.ir import (
    Append,
    Atom,
    Attr,
    Block,
    Const,
    Fn,
    Function,
    Invoke,
    Let,
    Load,
    Loop,
    Make,
    Names,
    Pop,
    Raise,
    Stmt,
    Store,
    Update,
    Var,
    blocks,
    definitions,
    hint,
    holder_of,
    is_builtin,
    own_atoms,
    variables,
)
from srcgrad.rules.operations import Bound, Unbound, bind, differentiable_operands, key_of, rule_of
from srcgrad.rules.suggest import near_misses
from srcgrad.types import CONTAINERS, UNDEFINED, UNKNOWN, Type, same_shape


class Reverse:
    """Writes the reverse sweep of a function; `ad.control` adds branches and loops, `ad.tape` what is recorded."""

    def __init__(self, function: Function, activity: Activity, source: Source) -> None:
        self.active = activity.active
        function, self.sometimes = define_undefined(function, self.active)
        self.function = function
        self.source = source
        self.builder = Builder(Names.after(function), dict(function.types))
        self.lowering = Lowering(self.builder)
        self.offences: list[SrcgradError] = []
        self.adjoints = Adjoints()
        self.definition: dict[str, Stmt] = {}
        self.in_memory: set[str] = set()
        self.roots: set[str] = set()
        self.snapshots: dict[str, Let] = {}
        self.expanded: dict[str, list[Let]] = {}  # calls of recursive functions, as their forward sweeps
        self.replaced: dict[int, list[Stmt]] = {}  # the zeros of what stores replace, taken before them
        self.deep: set[str] = set()  # containers whose elements are addressed by parts
        self.reshaped: set[str] = set()  # buffers that are read or written through `reshape`
        self.growing: set[str] = set()  # containers whose elements grow or shrink
        self.split: dict[str, set[int]] = {}  # the functions that are called, and which of their operands are active
        self.recorded: set[str] = set()
        self.numeric: set[str] = set()  # names that take part in arithmetic
        self._survey(function.body, ())

    # What has its adjoint in memory

    def _survey(self, block: Block, loops: tuple[frozenset[str], ...]) -> None:
        for stmt in block.stmts:
            for name in self._defined(stmt):
                self.definition[name] = stmt
            if isinstance(stmt, Let):
                self._survey_let(stmt, loops)
            for inner in blocks(stmt):
                local = loops
                if isinstance(stmt, Loop):
                    local = (*loops, frozenset(definitions(Block((stmt,)))) - frozenset(stmt.targets))
                self._survey(inner, local)

    def _defined(self, stmt: Stmt) -> Iterable[str]:
        if isinstance(stmt, Let):
            return () if stmt.target is None else (stmt.target,)
        return stmt.targets

    def _survey_let(self, let: Let, loops: tuple[frozenset[str], ...]) -> None:
        if isinstance(let.op, Load | Store | Update | Append | Pop):
            assert isinstance(let.args[0], Var)
            self.in_memory.add(let.args[0].name)
            self.roots.add(let.args[0].name)
            if isinstance(let.op, Append | Pop) and let.op.path:
                self.growing.add(let.args[0].name)
            if "reshape" in let.op.path:
                self.reshaped.add(let.args[0].name)
            if len(let.op.path) > 1 and self.type(let.args[0]).kind in CONTAINERS:
                self.deep.add(let.args[0].name)
        target_active = let.target in self.active
        rule = rule_of(let)
        if rule is not None and rule.form in ("elementwise", "bilinear"):
            self.numeric.update(variables(let.args))
            self.numeric.update(() if let.target is None else (let.target,))
        if target_active and self._takes_part(let) and not self._takes_component(let) and not self._takes_all(let):
            self.in_memory.add(self._container_of(let))
        if loops and target_active:
            for name in variables(own_atoms(let)):
                outside = name in self.active and name not in loops[0]
                known = self.builder.types.get(name)
                if outside and known is not None and known.kind in ("array", "list") and not self._shared(name):
                    self.in_memory.add(name)

    def _takes_part(self, stmt: Stmt | None) -> TypeGuard[Let]:
        """Whether a statement takes an element of an array or container, or a field of an object."""
        if not isinstance(stmt, Let) or not stmt.args or not isinstance(stmt.args[0], Var):
            return False
        is_field = isinstance(stmt.op, Attr) and self.type(stmt.args[0]).kind == "record"
        return stmt.op == Fn(operator.getitem) or is_field

    def part_of(self, let: Let) -> tuple[str, Atom]:
        """The owner and the index, or the name of the field, of what takes a part."""
        assert isinstance(let.args[0], Var)
        return let.args[0].name, Const(let.op.name) if isinstance(let.op, Attr) else let.args[1]

    def _takes_all(self, let: Let) -> bool:
        """Whether a subscript takes everything: `x[()]`, the number that an array without axes holds."""
        return let.op == Fn(operator.getitem) and let.args[1] == Const(())

    def _takes_component(self, let: Let) -> bool:
        """Whether one known element is taken of what was built here, or of a tuple: those adjoints are kept apart."""
        name, index = self.part_of(let)
        if not isinstance(index, Const):
            return False
        built = self._built(name)
        if built is not None:
            return self._position(name, index.value) is not None
        return self.builder.types[name].kind == "tuple" and isinstance(index.value, int)

    def _shared(self, name: str) -> bool:
        """Whether a name is a part of a container with its adjoint in memory: its own adjoint is there."""
        let = self.definition.get(name)
        if not self._takes_part(let) or self._takes_component(let) or self._is_part_list(let):
            return False
        return self._container_of(let) in self.in_memory

    def owner(self, name: str) -> str:
        """The name whose adjoint in memory holds that of a name."""
        let = self.definition.get(name)
        apart = name in self.in_memory or not self._shared(name)
        return self._container_of(let) if not apart and self._takes_part(let) else name

    def _is_part_list(self, let: Let) -> bool:
        """Whether a slice is taken of a list or tuple: a new one, with an adjoint of its own."""
        name, index = self.part_of(let)
        return self.builder.types[name].kind in CONTAINERS and self.type(index).kind == "slice"

    def _container_of(self, let: Let) -> str:
        """The outermost container that a part belongs to: its adjoint holds that of the part."""
        name, _ = self.part_of(let)
        outer = self.definition.get(name)
        if name in self.roots or not self._takes_part(outer):
            return name
        if self._takes_component(outer) or self._is_part_list(outer):
            return name
        owner, _ = self.part_of(outer)
        return self._container_of(outer) if self.builder.types[owner].kind in CONTAINERS else name

    def _built(self, name: str) -> Let | None:
        """The statement that builds a tuple, list or dict which nobody changes later."""
        stmt = self.definition.get(name)
        if not isinstance(stmt, Let) or not isinstance(stmt.op, Make) or name in self.roots:
            return None
        keys = entries(stmt) if stmt.op.kind in ("tuple", "list", "dict") else None
        return stmt if keys is not None and all(isinstance(key, Const) for key, _ in keys) else None

    # Refusals

    def refuse(self, stmt: Stmt, problem: str, remedy: str, kind: type[SrcgradError] = UnsupportedSyntax) -> None:
        offence = kind(problem, self.source.place_of(stmt.origin), remedy)
        if str(offence) not in map(str, self.offences):
            self.offences.append(offence)

    # Adjoints

    def type(self, atom: Atom) -> Type:
        return self.builder.type(atom)

    def contribute(self, name: str, cotangent: Atom, part: int | None = None) -> None:
        """Adds to the adjoint of a name, or of one element of what it builds."""
        if part is None and name in self.in_memory:
            self._contribute_in_memory(name, cotangent)
            return
        if part is not None and self._scattered(name, part, cotangent):
            return
        built = self._built(name) if part is None else None
        if built is not None:
            for i, (key, atom) in enumerate(entries(built)):
                if isinstance(atom, Var) and atom.name in self.active:
                    self.contribute(name, self.builder.fn(operator.getitem, cotangent, key), i)
            return
        before = self.adjoints.values.get((name, part))
        plus = runtime.add if self.may_hold(name, part) else operator.add
        total = cotangent if before is None else self.builder.fn(plus, before, cotangent)
        self._set(name, part, total)

    def may_hold(self, name: str, part: int | None = None) -> bool:
        """Whether a value may be a container, whose cotangents are not added by `+`."""
        known = self.builder.types[name]
        if part is not None:
            built = self._built(name)
            atom = entries(built)[part][1] if built is not None else None
            if isinstance(atom, Var):
                return self.may_hold(atom.name)
            known = known.items[part] if built is None else UNDEFINED
        numeric = part is None and name in self.numeric
        return known.kind in CONTAINERS or (known.kind == "unknown" and known.dtype is None and not numeric)

    def _may_hold_part(self, let: Let) -> bool:
        """Whether an element is one whose cotangents are not added by `+=`: a container, or what may be a number or an
        array in a container, which one is not known; the former is replaced, the latter written."""
        assert let.target is not None
        unknown = self.type(let.args[0]).kind in CONTAINERS and self.type(Var(let.target)).kind == "unknown"
        return unknown or self.may_hold(let.target)

    def _scattered(self, name: str, part: int, cotangent: Atom) -> bool:
        """Adds to one item of a tuple that is a part of a container with its adjoint in memory."""
        if not self._shared(name):
            return False
        self._scatter_part(name, [Const(part)], cotangent, self.may_hold(name, part))
        return True

    def _scatter_part(self, name: str, inner: Sequence[Atom], cotangent: Atom, holds: bool) -> None:
        """Adds to the adjoint of `name[inner]...`, in the memory of the container that `name` is a part of."""
        indices = list(inner)
        let = self.definition.get(name)
        while name not in self.in_memory and self._takes_part(let):
            name, index = self.part_of(let)
            indices.insert(0, index)
            let = self.definition.get(name)
        self._scatter(name, ("[]",) * len(indices), indices, cotangent, holds)

    def _set(self, name: str, part: int | None, value: Atom) -> None:
        if isinstance(value, Var):
            self.builder.suggest(value, self.bar(name))
        self.adjoints.values[name, part] = value

    def bar(self, name: str) -> str:
        return hint(name) + "_bar"

    def _contribute_in_memory(self, name: str, cotangent: Atom) -> None:
        buffer = self.buffer(name)
        if self.may_hold(name):
            into = runtime.add_to_list if self.builder.types[name].kind == "list" else runtime.add_into
            self.builder.let(Fn(into), [buffer, cotangent], effect=True)
        else:
            self.builder.do(Update((), operator.iadd), buffer, cotangent)

    def buffer(self, name: str) -> Var:
        """The memory of an adjoint, allocated here when it is not yet."""
        found = self.adjoints.buffer(name)
        if found is not None:
            return found
        before = self.adjoints.take(name)
        if before is not None:
            # The adjoint of what is seen through `reshape` is written through `reshape`.
            order = [("order", Const("C"))] if name in self.reshaped else []
            made = self.builder.let(Fn(np.copy), [before], order, hint=self.bar(name))
        else:
            made = self.zero_array(name)
        assert isinstance(made, Var)
        self.adjoints.memory[name] = made
        return made

    def zero_array(self, name: str) -> Atom:
        known = self.builder.types[name]
        plain = known.kind == "array" and known.inexact and name not in self.sometimes
        may_hold = name not in self.sometimes and self.may_hold(name)
        may_hold |= known.kind == "dict"
        function = np.zeros_like if plain else runtime.zeros if may_hold else runtime.zeros_like
        if name in self.reshaped:
            order = [("order", Const("C"))]
            return self.builder.let(Fn(np.zeros_like), [self.value(name)], order, hint=self.bar(name))
        return self.builder.let(Fn(function), [self.value(name)], hint=self.bar(name))

    def result(self, let: Let) -> Atom:
        """What an operation computed; of memory that is written later, a snapshot taken at once."""
        assert let.target is not None
        if let.target not in self.roots:
            return Var(let.target)
        taken = self.snapshots.get(let.target)
        if taken is not None and taken.target is not None:
            return Var(taken.target)
        snapshot = self.builder.declare(f"_{hint(let.target).lstrip('_')}", self.builder.types[let.target])
        load = Let(snapshot.name, Load(), (Var(let.target),), (), let.origin)
        self.snapshots[let.target] = load
        self.definition[snapshot.name] = load
        return snapshot

    def value(self, name: str) -> Atom:
        """The value of a primal name now: buffers are read by loads."""
        return self.builder.let(Load(), [Var(name)]) if name in self.roots else Var(name)

    def zero(self, atom: Atom) -> Atom:
        """Zero in the kind and shape of a primal value."""
        if not isinstance(atom, Var):
            return Const(0.0)
        known = self.type(atom)
        if known.kind == "scalar":
            return Const(0.0)
        return self.zero_array(atom.name)

    def adjoint(self, name: str) -> Atom | None:
        """The whole adjoint of a name at its definition, where all contributions are in."""
        if name in self.in_memory:
            buffer = self.adjoints.buffer(name)
            return None if buffer is None else self.builder.let(Load(), [buffer])
        parts = self.adjoints.parts(name) if self._built(name) is None else []
        whole = self.adjoints.take(name)
        if not parts:
            return whole
        assembled = self.assembled(name, parts)
        return assembled if whole is None else self.builder.fn(runtime.add, whole, assembled)

    def assembled(self, name: str, parts: Iterable[int]) -> Atom:
        """The adjoint of a tuple, from those of its items."""
        taken = {part: self.adjoints.take(name, part) for part in parts}
        items = [taken.get(i) or self.zero_item(name, i) for i in range(len(self.builder.types[name].items))]
        return self.builder.let(Make("tuple"), items)

    def zero_item(self, name: str, part: int) -> Atom:
        return self.zero(self.builder.fn(operator.getitem, Var(name), Const(part)))

    # Statements

    def block(self, block: Block, in_loop: bool) -> tuple[Stmt, ...]:
        """Writes the reverse sweep of a block; gives back its forward sweep, with what has to be recorded."""
        raise NotImplementedError

    def at(self, stmt: Stmt) -> Any:
        return self.builder.at(replace(stmt.origin, sweep="reverse"))

    def let(self, let: Let) -> None:
        """Writes the adjoint of one let."""
        if isinstance(let.op, Load | Append | Pop | Store) and isinstance(let.args[0], Var):
            # The adjoint of a list starts with the length that the list has at the end, and follows it backwards.
            name = let.args[0].name
            if name in self.active and self.builder.types[name].kind != "array":
                self.buffer(name)
        if let.effect and not self._harmless(let):
            self.refuse(let, f"`{let.op}` may change what the derivative depends on", "do it outside, or on a copy")
        match let.op:
            case Store():
                self._store(let)
            case Update():
                self._update(let)
            case Append():
                self._append(let)
            case Pop():
                self._pop(let)
            case _ if let.target not in self.active:
                pass
            case Load():
                self._load(let)
            case _:
                self._operation(let)

    def _harmless(self, let: Let) -> bool:
        """Whether a call of unknown effect cannot change an array or a container through which a derivative flows."""
        if isinstance(let.op, Fn) and (is_builtin(let.op.target) or let.op.target is operator.call):
            return True
        atoms = [atom for atom in own_atoms(let) if isinstance(atom, Var) and atom.name in self.active]
        return isinstance(let.op, Invoke) or all(self.type(atom).kind == "scalar" for atom in atoms)

    def _memory_of(self, let: Let) -> tuple[str, Var | None]:
        buffer = let.args[0]
        assert isinstance(buffer, Var)
        return buffer.name, self.adjoints.buffer(buffer.name) if buffer.name in self.active else None

    def _store(self, let: Let) -> None:
        name, bar = self._memory_of(let)
        if bar is None:
            return
        assert isinstance(let.op, Store)
        *indices, value = let.args[1:]
        if isinstance(value, Var) and value.name in self.active:
            cotangent = self._stored(name, bar, let.op.path, indices, f"_{hint(value.name)}_bar")
            cotangent = self._uncut(cotangent, let)
            self.contribute(value.name, self._fitted(cotangent, value, self._holder(let)))
        if name in self.growing and self.type(let.args[0]).kind == "unknown":
            self.refuse(let, "a container whose elements grow is stored into, of which no more is known", "use arrays")
        zero = self._zero_before(let) if name in self.deep else self._zero_of_replaced(let, bar)
        self.builder.do(Store(_bar_path(let.op)), bar, *indices, zero)

    def _zero_before(self, let: Let) -> Atom:
        """Zero for an element of a container that is replaced, in the form of what was there, whose parts are used."""
        owner, *indices = let.args[:-1]
        assert isinstance(let.op, Store)
        known = self.type(owner)
        if len(let.op.path) > 1:
            known = infer(Load(let.op.path[:-1]), [self.builder.operand(atom) for atom in (owner, *indices[:-1])])
        is_new = known.kind not in ("list", "record") and indices[-1] not in [Const(key) for key in known.keys]
        old = infer(Load(let.op.path), [self.builder.operand(atom) for atom in let.args[:-1]])
        if is_new or old.kind == "scalar" or len(indices) != len(let.op.path):
            return Const(0.0)
        before = self.builder.declare("_before", old)
        taken = Let(before.name, Load(let.op.path), (owner, *indices), (), let.origin)
        self.replaced[id(let)], self.definition[before.name] = [taken], taken
        return self.builder.fn(np.zeros_like if old.kind == "array" and old.inexact else runtime.zeros, before)

    def _zero_of_replaced(self, store: Let, bar: Var) -> Atom:
        """Zero for what a store replaces: in a dict or list an object of its own, perhaps of another shape than what
        takes its place."""
        assert isinstance(store.op, Store)
        owner = self.type(store.args[0])
        *indices, value = store.args[1:]
        if owner.kind not in ("list", "dict"):
            return self._zero_in_slot(store, bar, Const(0.0))
        key = indices[0].value if isinstance(indices[0], Const) else None
        old = owner.item(key) if owner.kind == "dict" else owner.items[0] if owner.items else None
        if len(indices) > 1 or old is None or self.type(value).kind == old.kind == "scalar":
            return self._zero_in_slot(store, bar, self.zero(value) if owner.kind == "list" else Const(0.0))
        new = self.type(value)
        if same_shape(old, new) or new.kind in CONTAINERS:
            return self._zero_in_slot(store, bar, self.zero(value))
        return self._zero_before(store)

    def _zero_in_slot(self, store: Let, bar: Var, otherwise: Atom) -> Atom:
        """Zero in the form of a slot's cotangent: a container that was stored may have been changed there, and only the
        cotangent has the structure that it had then."""
        assert isinstance(store.op, Store)
        *indices, value = store.args[1:]
        if self.type(store.args[0]).kind == "array" or not isinstance(value, Var) or not self.may_hold(value.name):
            return otherwise
        return self.builder.fn(runtime.zeros, self.builder.let(Load(_bar_path(store.op)), [bar, *indices]))

    def _fitted(self, cotangent: Atom, value: Var, owner: Type) -> Atom:
        """The cotangent of a stored value in its shape: an array broadcasts what is stored, a container does not."""
        if owner.kind == "unknown" and self.may_hold(value.name):
            return self.builder.fn(runtime.fitted, cotangent, value)
        return fit(self.builder, cotangent, value, owner.kind not in CONTAINERS)

    def _stored(self, name: str, bar: Var, path: tuple[str, ...], indices: Sequence[Atom], hint: str) -> Atom:
        """The cotangent of what was stored into memory, which may be an array or a container."""
        load = Load(_bar_path(Load(path)))
        if not any(self.is_gather(index) for index in self._of_arrays(name, indices)):
            return self.builder.let(load, [bar, *indices], hint=hint)
        if path[-1:] == ("[]",) and self._of_unknown(name, indices):
            owners = [self.builder.let(Load(path[:-1]), [Var(owner), *indices[:-1]]) for owner in (bar.name, name)]
            return self.builder.let(Fn(runtime.stored), [*owners, indices[-1]], hint=hint)
        cotangent = self.builder.let(load, [bar, *indices], hint=hint)
        return self.builder.fn(np.where, self._survivors(name, path, indices), cotangent, Const(0.0))

    def _uncut(self, cotangent: Atom, store: Let) -> Atom:
        """The cotangent of what was stored; zero where it turns out that memory of integers has cut it."""
        holder = self._holder(store)
        if holder.kind in CONTAINERS or holder.inexact:
            return cotangent
        return self.builder.fn(runtime.uncut, cotangent, self.builder.let(*holder_of(store)))

    def _holder(self, store: Let) -> Type:
        """The type of the array or container whose part is changed."""
        load, args = holder_of(store)
        return infer(load, [self.builder.operand(atom) for atom in args])

    def _survivors(self, name: str, path: tuple[str, ...], indices: Sequence[Atom]) -> Atom:
        """Which stored elements are still there: where an index names an element twice, the last store wins."""
        target = self.builder.let(Load(path[:-1]), [Var(name), *indices[:-1]])
        return self.builder.fn(runtime.store_mask, self.builder.let(Attr("shape"), [target]), indices[-1])

    def _update(self, let: Let) -> None:
        _, bar = self._memory_of(let)
        assert isinstance(let.op, Update)
        value = let.args[-1]
        if bar is not None and let.op.operator not in (operator.iadd, operator.isub):
            problem = "whether this changes a number or an array in place is not known"
            self.refuse(let, problem, "write `y[k] = y[k] * v`")
            return
        if bar is None or not isinstance(value, Var) or value.name not in self.active:
            return
        assert isinstance(let.args[0], Var)
        indices = self._of_arrays(let.args[0].name, let.args[1:-1])
        if let.op.unique and any(map(self.is_gather, indices)):
            problem = "whether this updates elements that an index may name twice is not known"
            self.refuse(let, problem, "write `y[k] = y[k] + v`")
            return
        cotangent = self.builder.let(Load(_bar_path(let.op)), [bar, *let.args[1:-1]], hint=f"_{hint(value.name)}_bar")
        cotangent = fit(self.builder, self._uncut(cotangent, let), value, True)
        if let.op.operator is operator.isub:
            cotangent = self.builder.fn(operator.neg, cotangent)
        self.contribute(value.name, cotangent)

    def _append(self, let: Let) -> None:
        _, bar = self._memory_of(let)
        if bar is None:
            return
        *indices, value = let.args[1:]
        assert isinstance(let.op, Append)
        if let.op.placed:
            *indices, position = indices
            indices.append(self._place_in(bar, _bar_path(let.op), indices, position, runtime.inserted_at))
        cotangent = self.builder.let(Pop(_bar_path(let.op), let.op.placed), [bar, *indices])
        if isinstance(value, Var) and value.name in self.active:
            self.contribute(value.name, cotangent)

    def _pop(self, let: Let) -> None:
        assert let.target is not None
        assert isinstance(let.args[0], Var)
        assert isinstance(let.op, Pop)
        if let.args[0].name not in self.active:
            return
        bar = self.buffer(let.args[0].name)
        cotangent = self.adjoint(let.target) if let.target in self.active else None
        if cotangent is None:
            cotangent = self.zero(Var(let.target))
        elif self.type(Var(let.target)).kind == "array":  # what is in the adjoint of a list is added to in place
            cotangent = self.builder.fn(np.copy, cotangent)
        if not let.op.placed or let.args[-1] == Const(-1):
            self.builder.do(Append(_bar_path(let.op)), bar, *let.args[1 : len(let.args) - let.op.placed], cotangent)
        elif let.op.keyed:
            self.builder.do(Store((*_bar_path(let.op), "[]")), bar, *let.args[1:], cotangent)
        else:
            *indices, position = let.args[1:]
            place = self._place_in(bar, _bar_path(let.op), indices, position, runtime.taken_from)
            self.builder.do(Append(_bar_path(let.op), placed=True), bar, *indices, place, cotangent)

    def _place_in(
        self, bar: Var, path: tuple[str, ...], indices: Sequence[Atom], position: Atom, place: Callable[..., int]
    ) -> Atom:
        """The position in an adjoint that belongs to one counted from either end of the list."""
        if position == Const(0) or (place is runtime.taken_from and isinstance(position, Const) and position.value > 0):
            return position
        length = self.builder.fn(len, self.builder.let(Load(path), [bar, *indices]))
        return self.builder.fn(place, position, length)

    def _load(self, let: Let) -> None:
        assert isinstance(let.op, Load)
        assert isinstance(let.args[0], Var)
        assert let.target is not None
        cotangent = self.adjoint(let.target)
        if cotangent is None:
            return
        if not let.op.path:
            self._contribute_in_memory(let.args[0].name, cotangent)
            return
        self._scatter(let.args[0].name, _bar_path(let.op), let.args[1:], cotangent, self._may_hold_part(let))

    def _scatter(
        self, name: str, path: tuple[str, ...], indices: Sequence[Atom], cotangent: Atom, holds: bool = False
    ) -> None:
        """Adds to a part of an adjoint in memory; `holds`: the part may be a container."""
        known = self.builder.types[name].kind
        steps, count = self._copied(name, path, indices)
        if steps:  # what `K[places][i]` adds to is the adjoint of a copy, which then adds to the places
            shown = self.builder.let(Load(path[:steps]), [self.buffer(name), *indices[:count]])
            part = self.builder.fn(np.zeros_like if known == "array" else runtime.zeros, shown)
            assert isinstance(part, Var)
            self.adjoints.memory[part.name] = part
            self._scatter(part.name, path[steps:], indices[count:], cotangent)
            self._scatter(name, path[:steps], indices[:count], part)
            return
        unique = not any(self.is_gather(index) for index in self._of_arrays(name, indices))
        if path[-1:] == ("[]",) and ((known != "array" and holds) or (not unique and self._of_unknown(name, indices))):
            owner = self.builder.let(Load(path[:-1]), [self.buffer(name), *indices[:-1]])
            self.builder.let(Fn(runtime.add_item), [owner, indices[-1], cotangent], effect=True)
            return
        self.builder.do(Update(path, operator.iadd, unique), self.buffer(name), *indices, cotangent)

    def _copied(self, name: str, path: tuple[str, ...], indices: Sequence[Atom]) -> tuple[int, int]:
        """How many steps of a way into memory, and how many indices, end with a subscript that may copy, with others
        behind it; 0 for none."""
        first = len(indices) - len(self._of_arrays(name, indices))
        count = 0
        for i, step in enumerate(path[:-1]):
            count += step in ("[]", "reshape")
            if step == "[]" and count > first and self.is_gather(indices[count - 1]):
                return i + 1, count
        return 0, 0

    def _of_arrays(self, name: str, indices: Sequence[Atom]) -> Sequence[Atom]:
        """Those of the indices on a way into memory that may be ones of an array: keys, and positions in lists, name
        one element."""
        holder = self.builder.types[name]
        for i, index in enumerate(indices):
            if holder.kind not in CONTAINERS:
                return indices[i:]
            holder = infer(Load(("[]",)), [holder, self.builder.operand(index)])
        return ()

    def _of_unknown(self, name: str, indices: Sequence[Atom]) -> bool:
        """Whether it is not known what `name[index]...` takes its last part from: an array, or a dict."""
        known = self.builder.types[name]
        for index in indices[:-1]:
            key = index.value if isinstance(index, Const) else None
            found = known.item(key) if known.kind == "record" else None
            known = found or infer(Fn(operator.getitem), [known, self.builder.operand(index)])
        return known.kind == "unknown"

    def is_gather(self, index: Atom) -> bool:
        """Whether an index may name an element twice: an array or a list of integers."""
        if isinstance(index, Const):
            parts = index.value if isinstance(index.value, tuple) else (index.value,)
            return any(isinstance(part, list | np.ndarray) and np.asarray(part).dtype != bool for part in parts)
        return _may_gather(self.type(index))

    def _operation(self, let: Let) -> None:
        assert let.target is not None
        if isinstance(let.op, Make):
            self._make(let)
            return
        if isinstance(let.op, Invoke):
            self._invoke(let)
            return
        if self._takes_part(let):
            self._part(let)
            return
        if not any(name in self.active for name in differentiable_operands(let)):
            return  # new memory, whose adjoint ends here
        cotangent = self.adjoint(let.target)
        if cotangent is None:
            return
        known = self.type(Var(let.target))
        if known.dtype is not None and known.dtype.kind == "c":
            self.refuse(let, "complex intermediate values are not supported", "separate real and imaginary part")
            return
        kinds = [self.type(atom).kind for atom in let.args]
        if kinds == ["list", "list"] and let.op == Fn(operator.add):
            self._joined_lists(let, cotangent)
            return
        if sorted(kinds) == ["list", "scalar"] and let.op == Fn(operator.mul):
            self._repeated_list(let, cotangent)
            return
        if any(kind in CONTAINERS for kind in kinds) and let.op in (Fn(operator.add), Fn(operator.mul)):
            if "unknown" in kinds:
                problem = "whether this joins or repeats a list, or computes with an array, is not known"
                self.refuse(let, problem, "write `np.array(...)` around what is meant as an array, or append to a list")
                return
            self.refuse(let, "tuples and lists are joined or repeated here", "build the container element by element")
            return
        bound = self._bind(let)
        if bound is None:
            return
        if not known.inexact and bound.arguments.get("dtype", Const(None)) != Const(None):
            cotangent = self.builder.fn(runtime.uncut, cotangent, self.result(let))  # perhaps it made integers
        self.apply(let, bound, cotangent)

    def _joined_lists(self, let: Let, cotangent: Atom) -> None:
        """`a + b` of lists: the cotangent of each is its part of that of the whole."""
        left, right = let.args
        length = self.builder.fn(len, left)
        for atom, bounds in ((left, (Const(None), length)), (right, (length, Const(None)))):
            if isinstance(atom, Var) and atom.name in self.active:
                part = self.builder.let(Make("slice"), [*bounds, Const(None)])
                self.contribute(atom.name, self.builder.fn(operator.getitem, cotangent, part))

    def _repeated_list(self, let: Let, cotangent: Atom) -> None:
        """`a * n` of a list of numbers: the cotangents of all repetitions of an element count."""
        (owner,) = [atom for atom in let.args if self.type(atom).kind == "list"]
        if isinstance(owner, Var) and owner.name in self.active:
            self.contribute(owner.name, self.builder.fn(runtime.unrepeat, cotangent, self.builder.fn(len, owner)))

    def _invoke(self, let: Let) -> None:
        """A recursive function: its forward sweep gives what its backward sweep needs (`ad.split`)."""
        assert let.target is not None
        assert isinstance(let.op, Invoke)
        cotangent = self.adjoint(let.target)
        if cotangent is None:
            return
        active = {i for i, atom in enumerate(let.args) if isinstance(atom, Var) and atom.name in self.active}
        self.split.setdefault(let.op.name, set()).update(active)
        both, residuals = (self.builder.declare(hint, UNKNOWN) for hint in ("_both", "_residuals"))
        take = Fn(operator.getitem)
        self.expanded[let.target] = expanded = [
            Let(both.name, Invoke(f"{let.op.name}_forward"), let.args, (), let.origin, let.effect),
            Let(let.target, take, (both, Const(0)), (), let.origin),
            Let(residuals.name, take, (both, Const(1)), (), let.origin),
        ]
        self.definition.update({lett.target: lett for lett in expanded if lett.target is not None})
        backward = Invoke(f"{let.op.name}_backward")
        cotangents = self.builder.let(backward, [residuals, cotangent], hint="_cotangents", known=UNKNOWN)
        for i in sorted(active):
            atom = let.args[i]
            assert isinstance(atom, Var)
            known = self.type(atom)
            known = replace(known, weak=False) if known.kind == "scalar" else known
            part = self.builder.let(take, [cotangents, Const(i)], known=known)
            self.contribute(atom.name, part)

    def _bind(self, let: Let) -> Bound | None:
        try:
            bound = bind(let)
        except Unbound as error:
            self.refuse(let, f"`{let.op}`: {error}", "write it with the arguments that the rule takes", NoRule)
            return None
        if bound is None:
            known = near_misses(key_of(let))
            several = "one of " if "," in known else ""
            remedy = (f"{several}{known}, or " if known else "") + "write it in operations that have a rule"
            self.refuse(let, f"no rule for `{let.op}`", remedy, NoRule)
            return None
        inside = {var.name for var in bound.operands.values()}
        if any(name in self.active and name not in inside for name in differentiable_operands(let)):
            self.refuse(let, f"`{let.op}` has no derivative with respect to one of its arguments here",
                        "wrap that argument in `stop_gradient` if it is a constant to you", NoRule)  # fmt: skip
            return None
        return bound

    def _make(self, let: Let) -> None:
        assert let.target is not None
        assert isinstance(let.op, Make)
        if let.op.kind not in ("tuple", "list", "dict"):
            self.refuse(let, f"a {let.op.kind} of values with derivatives is not supported", "use a tuple")
            return
        if let.target in self.in_memory:
            whole = self.adjoint(let.target)
            if whole is not None:
                for key, atom in entries(let):
                    if isinstance(atom, Var) and atom.name in self.active:
                        self.contribute(atom.name, self.builder.fn(operator.getitem, whole, key))
        for i, (_, atom) in enumerate(entries(let)):
            cotangent = self.adjoints.take(let.target, i)
            if cotangent is not None and isinstance(atom, Var) and atom.name in self.active:
                self.contribute(atom.name, fit(self.builder, cotangent, atom, False))

    def _part(self, let: Let) -> None:
        """An element of an array or container, or a field of an object: its adjoint is added to that of the owner."""
        name, index = self.part_of(let)
        assert let.target is not None
        cotangent = self.adjoint(let.target)
        if cotangent is None:
            return
        if self._takes_all(let):
            self.contribute(name, cotangent)
            return
        if self._takes_component(let) and name not in self.in_memory:
            assert isinstance(index, Const)
            self.contribute(name, cotangent, self._position(name, index.value))
            return
        self._scatter_part(name, [index], cotangent, self._may_hold_part(let))

    def _position(self, name: str, index: Any) -> int | None:
        """Which of the parts of what was built, or of a tuple, an index takes."""
        built = self._built(name)
        if built is not None:
            keys = [key.value if isinstance(key, Const) else None for key, _ in entries(built)]
        else:
            keys = list(range(len(self.builder.types[name].items)))
        if isinstance(index, int) and index < 0 and (built is None or built.op != Make("dict")):
            index += len(keys)
        return keys.index(index) if isinstance(index, int | str) and index in keys else None

    # Rules

    def apply(self, let: Let, bound: Bound, cotangent: Atom) -> None:
        """Writes the rule of an operation and adds what it gives to the adjoints of the operands."""
        written: dict[Any, Any] = {}
        assert let.target is not None
        many = sum(self.type(var).rank != 0 for var in _names(bound)) > 1
        for parameter, operand in bound.operands.items():
            if operand.name not in self.active:
                continue
            pullback = bound.rule.vjps[parameter]
            if pullback.function not in written:
                written[pullback.function] = self.quote(pullback.function, cotangent, let, bound)
            value = written[pullback.function]
            if pullback.index is not None:
                value = self._item(value, pullback.index)
            value = self.lowering.as_atom(value, self.lowering.node)
            if self.type(operand).kind not in ("list", "tuple"):
                stretched = bound.rule.form == "elementwise" and (many or self.type(operand).rank == 0)
                value = fit(self.builder, value, operand, stretched)
            self.contribute(operand.name, value)

    def _item(self, value: Any, index: int) -> Any:
        if isinstance(value, tuple):
            return value[index]
        return self.builder.fn(operator.getitem, value, Const(index))

    def quote(self, function: Any, cotangent: Atom, let: Let, bound: Bound) -> Any:
        """The body of a rule, written out; a call of it where a test of it stays open. What it raises is refused."""
        names = list(bound.rule.parameters)
        values = [cotangent, self.result(let), *(bound.arguments[name] for name in names)]
        parameters = _parameter_names(function)
        before = len(self.lowering.offences)
        try:
            with self.builder.block() as stmts:
                value = self.lowering.rule(function, dict(zip(parameters, values, strict=True)))
        except Undecided:
            del self.lowering.offences[before:]
            self.lowering.active_frames.clear()
            atoms = [self.lowering.as_atom(value, self.lowering.node) for value in values]
            return self.builder.let(Fn(function), atoms)
        raised = next((stmt for stmt in stmts if isinstance(stmt, Let) and isinstance(stmt.op, Raise)), None)
        if raised is not None:
            made = next(stmt for stmt in stmts if isinstance(stmt, Let) and Var(stmt.target or "") == raised.args[0])
            problem, _, remedy = str(made.args[0].value if isinstance(made.args[0], Const) else "").partition(": ")
            self.refuse(let, problem, remedy, NoRule)
            return Const(0.0)
        for stmt in stmts:
            self.builder.emit(stmt)
        return value

    def report(self) -> None:
        if self.offences:
            raise together(self.offences)


def _bar_path(op: Load | Store | Update | Append | Pop) -> tuple[str, ...]:
    """The way to the adjoint of a part: the adjoint of an object has its fields by subscripts."""
    return tuple("[]" if step == "." else step for step in op.path)


def entries(let: Let) -> list[tuple[Atom, Atom]]:
    """The keys and the values of what a let builds."""
    assert isinstance(let.op, Make)
    if let.op.kind == "dict":
        return list(zip(let.args[::2], let.args[1::2], strict=True))
    return [(Const(i), atom) for i, atom in enumerate(let.args)]


def _names(bound: Bound) -> list[Var]:
    return [argument for argument in bound.arguments.values() if isinstance(argument, Var)]


def _parameter_names(function: Any) -> Sequence[str]:
    code = function.__code__
    names: Sequence[str] = code.co_varnames[: code.co_argcount]
    return names


def _may_gather(known: Type) -> bool:
    if known.kind == "tuple":
        return any(map(_may_gather, known.items))
    if known.kind in ("array", "list"):
        return known.kind == "list" or known.dtype is None or (known.dtype != bool and known.rank != 0)
    return known.kind == "unknown"
