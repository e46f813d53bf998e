"""Random statements: assignments, stores through parts of arrays, branches, loops, jumps, lists and tuples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.random_programs.expressions import Expressions
from tests.random_programs.kinds import BOOL, FLOAT, NAMES, Array, Float, Indices, Int, Kind, List, Tuple

OPERATORS = ("=", "=", "+=", "*=", "-=", "/=")


@dataclass
class Statements(Expressions):
    """`lines` is the text so far; `result` what the function returns; `room` how many statements may still come."""

    lines: list[str] = field(default_factory=list)
    indent: str = "    "
    result: Kind | None = FLOAT
    room: int = 12
    loops: int = 0
    fixed: set[str] = field(default_factory=set)

    def emit(self, line: str) -> None:
        self.lines.append(self.indent + line)

    @contextmanager
    def block(self) -> Iterator[None]:
        before, self.indent = self.indent, self.indent + "    "
        yield
        self.indent = before

    def body(self, most: int) -> None:
        """One statement or more, in a block of their own."""
        with self.block():
            for _ in range(1 + self.below(most)):
                self.statement()
                if self.room <= 0:
                    break

    # Names

    def new_name(self) -> str:
        free = [name for name in NAMES if name not in self.scope and name not in self.fixed]
        return free[0] if free else self.pick([name for name in self.scope if name not in self.fixed])

    def target(self, kind: Kind) -> str:
        """A new name, or one that has a value already: of this kind, or, outside of loops, of another."""
        if self.has("rebinding") and self.chance(60):
            known = [name for name in self.names(kind) if name not in self.fixed]
            if not self.loops and self.chance(20):
                known = [name for name in self.scope if name not in self.fixed]
            if known:
                return self.pick(known)
        return self.new_name()

    def bind(self, name: str, kind: Kind) -> None:
        self.scope[name] = kind

    # One statement

    def statement(self) -> None:
        self.room -= 1
        nested = self.room > 0 and len(self.indent) <= 16
        arrays, has = bool(self.names(Array)), self.has
        self.weighted((
            (6, self.assign_float),
            (5, self.assign_array),
            (10 * has("stores") * arrays, self.store),
            (3 * has("views") * arrays, self.view),
            (3 * has("alias") * bool(self.scope), self.alias),
            (4 * has("augmented"), self.augmented),
            (2 * has("swaps"), self.swap),
            (4 * has("branches") * nested, self.branch),
            (4 * has("for") * nested * (self.loops < 3), self.for_loop),
            (3 * has("while") * nested * (self.loops < 2), self.while_loop),
            (3 * has("jumps") * bool(self.loops), self.jump),
            (2 * has("returns") * (len(self.indent) > 4), self.early_return),
            (4 * has("lists"), self.on_list),
            (3 * has("tuples"), self.on_tuple),
            (2 * has("boolean_operators"), self.assign_test),
            (has("integers"), self.on_integer),
            (4 * bool(self.callable(None)), lambda: self.emit(self.call(None, 1))),
            (2 * has("closures") * (len(self.indent) == 4), self.closure),
        ))  # fmt: skip

    def assign_float(self) -> None:
        text = self.number(2 + self.chance(30))
        name = self.target(FLOAT)
        self.emit(f"{name} = {text}")
        self.bind(name, FLOAT)

    def shape(self) -> tuple[int, ...]:
        shapes = [kind.shape for kind in self.scope.values() if isinstance(kind, Array)]
        if self.has("matrices") and self.chance(20):
            return (self.length, 2 + self.below(2))
        return self.pick(shapes) if shapes and self.chance(70) else (self.length,)

    def assign_array(self) -> None:
        shape = self.shape()
        text = self.array(shape, 1 + self.below(2))
        name = self.target(Array(shape))
        self.emit(f"{name} = {text}")
        self.bind(name, Array(shape))

    def assign_test(self) -> None:
        text = self.test(1)
        name = self.target(BOOL)
        self.emit(f"{name} = {text}")
        self.bind(name, BOOL)

    def alias(self) -> None:
        of = self.pick(list(self.scope))
        kind = self.scope[of]
        name = self.target(kind)
        self.emit(f"{name} = {of}")
        self.bind(name, kind)

    def augmented(self) -> None:
        names = [n for n, k in self.scope.items() if isinstance(k, Float | Array) and n not in self.fixed]
        if not names:
            return self.assign_float()
        name = self.pick(names)
        kind, operator = self.scope[name], self.pick(OPERATORS[2:])
        value = self.expression(FLOAT if self.chance(40) else kind, 1)
        self.emit(f"{name} {operator} {self.divisor(value) if operator == '/=' else value}")
        return None

    def divisor(self, text: str) -> str:
        return f"1.5 + np.sin({text})"

    def swap(self) -> None:
        kind = self.pick([FLOAT, Array((self.length,))])
        names = [name for name in self.names(kind) if name not in self.fixed]
        if len(names) >= 2 and self.chance(60):
            a, b = names[0], self.pick(names[1:])
            self.emit(f"{a}, {b} = {self.pick((f'{b}, {a}', f'{b}, {self.expression(kind, 1)}'))}")
            return
        texts = [self.expression(kind, 1), self.expression(kind, 1)]
        a = self.target(kind)
        self.bind(a, kind)
        b = self.new_name()
        self.bind(b, kind)
        if a != b:
            self.emit(f"{a}, {b} = {', '.join(texts)}")
        else:
            self.emit(f"{a} = {texts[0]}")

    def on_integer(self) -> None:
        names = [name for name in self.names(Int(0)) if name not in self.fixed]
        if names and self.chance(60):
            self.emit(f"{self.pick(names)} += {self.pick(('1', '2', 'True'))}")
        else:
            name = self.new_name()
            self.emit(f"{name} = {self.below(3)}")
            self.bind(name, Int(0))

    # Parts of arrays

    def part(self, name: str, shape: tuple[int, ...]) -> tuple[str, Kind]:
        """A subscript of an array that is a view, and what it shows."""
        has, n = self.has, shape[0]
        rest = shape[1:]
        item: Kind = Array(rest) if rest else FLOAT
        options: list[tuple[str, Kind]] = [(f"{name}[{self.index(n)}]", item)] * 3
        if has("slice_stores"):
            low = self.below(n)
            high = low + 1 + self.below(n - low)
            options += [(f"{name}[{low or ''}:{'' if high == n else high}]", Array((high - low, *rest)))] * 3
            options += [(f"{name}[{self.pick((':', '...'))}]", Array(shape)), (f"{name}[:-1]", Array((n - 1, *rest)))]
            options += [(f"{name}[::2]", Array(((n + 1) // 2, *rest)))]
        if has("reversed_steps"):
            options += [(f"{name}[::-1]", Array(shape)), (f"{name}[-2::-1]", Array((n - 1, *rest)))]
        if rest:
            options += [(f"{name}[{self.index(n)}, {self.index(shape[1])}]", FLOAT)] * 2
            options += [(f"{name}[:, {self.index(shape[1])}]", Array((n,)))]
            options += [(f"{name}.T[{self.index(shape[1])}]", Array((n,)))] * has("chained_stores")
            options += [(f"{name}[1:, :2]", Array((n - 1, min(2, shape[1]))))] * has("slice_stores")
        text, kind = self.pick([o for o in options if o[1] != Array((0, *rest))])
        if isinstance(kind, Array) and has("chained_stores") and self.chance(30):
            return self.part(text, kind.shape)
        return text, kind

    def gathered(self, name: str, shape: tuple[int, ...]) -> tuple[str, Kind]:
        """A subscript that is no view: a mask or integer arrays."""
        known = [(i, k) for i, k in self.scope.items() if isinstance(k, Indices) and k.bound <= shape[0]]
        if self.has("masks") and (self.chance(50) or not self.has("index_stores")):
            return f"{name}[{self.mask(shape)}]", FLOAT
        if known and self.chance(60):
            index, indices = self.pick(known)
            return f"{name}[{index}]", Array((indices.length, *shape[1:]))
        count = 1 + self.below(3)
        listed = [self.below(shape[0]) for _ in range(count)]
        return f"{name}[{listed}]", Array((count, *shape[1:]))

    def writable(self) -> list[str]:
        found = self.names(Array)
        if not self.has("store_arguments"):
            found = [name for name in found if name not in ("x", "m", "c")] or found
        return found

    def store(self) -> None:
        name = self.pick(self.writable())
        kind = self.scope[name]
        assert isinstance(kind, Array)
        special = (self.has("mask_stores") or self.has("index_stores")) and self.chance(35)
        text, part = (self.gathered if special else self.part)(name, kind.shape)
        operator = self.pick(OPERATORS)
        value = self.expression(FLOAT if self.chance(30) else part, 1 + self.chance(30))
        if operator == "+=" and special and isinstance(part, Array) and self.chance(30):
            index = text[len(name) + 1 : -1]
            self.emit(f"np.add.at({name}, {index}, {value})")
            return
        self.emit(f"{text} {operator} {self.divisor(value) if operator == '/=' else value}")

    def view(self) -> None:
        name = self.pick(self.names(Array))
        kind = self.scope[name]
        assert isinstance(kind, Array)
        text, part = self.part(name, kind.shape)
        if len(kind.shape) == 2 and self.chance(30):
            text, part = f"{name}.T", Array(kind.shape[::-1])
        target = self.target(part)
        self.emit(f"{target} = {text}")
        self.bind(target, part)

    # Branches and loops

    def after(self, before: dict[str, Kind], *ends: dict[str, Kind]) -> None:
        """The names after paths have joined: those that every path gives one kind."""
        self.scope.clear()
        for name, kind in ends[0].items():
            kinds = [end.get(name) for end in ends]
            if all(isinstance(k, List) for k in kinds) and len({k.item for k in kinds if isinstance(k, List)}) == 1:
                assert isinstance(kind, List)
                self.scope[name] = List(kind.item, min(k.length for k in kinds if isinstance(k, List)))
            elif all(k == kind for k in kinds):
                self.scope[name] = kind

    def branch(self) -> None:
        before = dict(self.scope)
        ends = []
        words = ["if", *["elif"] * (self.below(4) == 3), *["else"] * self.chance(60)]
        for word in words:
            self.scope.clear()
            self.scope.update(before)
            self.emit("else:" if word == "else" else f"{word} {self.test()}:")
            self.body(3)
            ends.append(dict(self.scope))
        self.after(before, *ends, *([before] if words[-1] != "else" else []))

    def loop_body(self, before: dict[str, Kind], runs: bool) -> None:
        self.loops += 1
        self.body(4)
        self.loops -= 1
        end = dict(self.scope)
        self.after(before, {**end, **before} if runs and self.chance(30) else before, end)

    def for_loop(self) -> None:
        before = dict(self.scope)
        names = [name for name in "ijk" if name not in self.scope]
        if not names:
            return self.assign_float()
        header, bound = self.iterable(names[0])
        added = {name for name in bound if name not in self.fixed}
        self.fixed |= added
        self.emit(f"for {header}:")
        self.scope.update(bound)
        inside = dict(self.scope)
        self.loop_body({**inside}, runs="range(n)" not in header)
        for name in bound:
            self.scope.pop(name, None)
        self.fixed -= added
        self.scope.update({name: kind for name, kind in before.items() if name in bound})
        self.loop_else()
        return None

    def loop_else(self) -> None:
        if self.has("loop_else") and self.chance(30):
            before = dict(self.scope)
            self.emit("else:")
            self.body(2)
            self.after(before, before, dict(self.scope))

    def iterable(self, i: str) -> tuple[str, dict[str, Kind]]:
        """The header of a `for` and what it binds."""
        trips = 1 + self.below(3)
        options: list[tuple[str, dict[str, Kind]]] = [(f"{i} in range({trips})", {i: Int(trips)})] * 3
        options.append((f"{i} in reversed(range({trips}))", {i: Int(trips)}))
        options.append((f"{i} in range({trips}, 0, -1)", {i: Int(trips + 1)}))
        options += [(f"{i} in range({name})", {i: Int(3)}) for name in self.names(Int) if name == "n"] * 2
        item = self.new_name()
        for name, kind in self.scope.items():
            if isinstance(kind, Array):
                of: Kind = Array(kind.shape[1:]) if kind.shape[1:] else FLOAT
                options += [(f"{item} in {name}", {item: of}), (f"{i} in range(len({name}))", {i: Int(kind.shape[0])})]
                options.append((f"{i}, {item} in enumerate({name})", {i: Int(kind.shape[0]), item: of}))
                options.append((f"{item} in reversed({name})", {item: of}))
            elif isinstance(kind, List) and kind.length:
                options += [(f"{item} in {name}", {item: kind.item})] * 2
                options.append((f"{i}, {item} in enumerate({name})", {i: Int(0), item: kind.item}))
        if vectors := self.arrays(1):
            a, b = self.pick(vectors)[0], self.pick(vectors)[0]
            options.append((f"{i}, {item} in zip({a}, {b}{'[::-1]' * self.chance(30)})", {i: FLOAT, item: FLOAT}))
        return self.pick(options)

    def while_loop(self) -> None:
        before = dict(self.scope)
        counter = self.new_name()
        floats = [name for name in self.names(FLOAT) if name not in self.fixed]
        if floats and self.chance(50):
            name = self.pick(floats)
            self.emit(f"while {self.pick((name, f'abs({name})'))} > {self.pick(('0.137', '0.411'))}:")
            with self.block():
                self.emit(f"{name} = {name} * {self.pick(('0.4', '0.6', 'np.tanh(0.5 * ' + name + ')'))}")
            self.loop_body(before, runs=False)
            return self.loop_else()
        self.emit(f"{counter} = 0")
        self.scope[counter] = Int(4)
        self.fixed.add(counter)
        also = f" and {self.test(0)}" if self.chance(30) else ""
        self.emit(f"while {counter} < {1 + self.below(3)}{also}:")
        with self.block():
            self.emit(f"{counter} += 1")
        self.loop_body(dict(self.scope), runs=not also)
        self.fixed.discard(counter)
        return self.loop_else()

    def jump(self) -> None:
        self.emit(f"if {self.test()}:")
        with self.block():
            if self.chance(40):
                before = dict(self.scope)
                self.statement()
                self.after(before, before, dict(self.scope))
            self.emit(self.pick(("break", "continue")))

    def early_return(self) -> None:
        self.emit(f"if {self.test()}:")
        with self.block():
            self.give_back()

    def give_back(self) -> None:
        self.emit("return" if self.result is None else f"return {self.expression(self.result, 1)}")

    # Lists, tuples, closures

    def on_list(self) -> None:
        names = [name for name in self.names(List) if name not in self.fixed]
        if not names or self.chance(20):
            kind = List(self.pick((FLOAT, FLOAT, Array((self.length,)))), self.below(4))
            text, name = self.expression(kind, 1), self.new_name()
            self.emit(f"{name} = {text}")
            self.bind(name, kind)
            return
        name = self.pick(names)
        known = self.scope[name]
        assert isinstance(known, List)
        full = known.length > 0
        self.weighted((
            (4, lambda: self.append(name, known)),
            (2 * full, lambda: self.emit(f"{name}[{self.index(known.length)}] = {self.expression(known.item, 1)}")),
            (2 * full, lambda: self.pop(name, known)),
            (2 * full * (known.item == FLOAT), lambda: self.emit(f"{name}[-1] += {self.number(1)}")),
            (full * (known.item == FLOAT), lambda: self.unpack(name, known)),
        ))  # fmt: skip

    def append(self, name: str, known: List) -> None:
        self.emit(f"{name}.append({self.expression(known.item, 1)})")
        self.bind(name, List(known.item, known.length + 1))

    def pop(self, name: str, known: List) -> None:
        self.bind(name, List(known.item, known.length - 1))
        target = self.target(known.item)
        self.emit(f"{target} = {name}.pop()")
        self.bind(target, known.item)

    def unpack(self, name: str, known: List) -> None:
        target = self.new_name()
        self.emit(f"{target}, *_ = {name}")
        self.bind(target, known.item)

    def on_tuple(self) -> None:
        names = self.names(Tuple)
        if names and self.chance(50):
            name = self.pick(names)
            known = self.scope[name]
            assert isinstance(known, Tuple)
            targets: list[str] = []
            for item in known.items:
                targets.append(self.new_name())
                self.bind(targets[-1], item)
            if len(set(targets)) == len(targets):
                self.emit(f"{', '.join(targets)} = {name}")
            return
        kind = self.pick((
            Tuple((FLOAT, FLOAT)), Tuple((FLOAT, Array((self.length,)))), Tuple((FLOAT, Tuple((FLOAT, FLOAT)))),
        ))  # fmt: skip
        text, name = self.tuple(kind, 2), self.target(kind)
        self.emit(f"{name} = {text}")
        self.bind(name, kind)

    def closure(self) -> None:
        raise NotImplementedError


