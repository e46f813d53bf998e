"""Random branches, loops and jumps; what is known of the names after paths have joined."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.random_programs.expressions import Expressions
from tests.random_programs.kinds import FLOAT, NAMES, Array, Dict, Int, Kind, List


@dataclass
class Control(Expressions):
    """`lines` is the text so far; `result` what the function returns; `room` how many statements may still come."""

    lines: list[str] = field(default_factory=list)
    indent: str = "    "
    result: Kind | None = FLOAT
    room: int = 12
    loops: int = 0
    fixed: set[str] = field(default_factory=set)
    handled: list[str] = field(default_factory=list)

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
        taken = [name for name in self.scope if name not in self.fixed]
        return free[0] if free else self.pick(taken) if taken else f"v{len(self.scope)}"

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

    def statement(self) -> None:
        """One statement of any sort: `statements.py` has the others."""
        raise NotImplementedError

    assign_float = assign_array = statement

    def shape(self) -> tuple[int, ...]:
        raise NotImplementedError

    # Branches and loops

    def after(self, before: dict[str, Kind], *ends: dict[str, Kind]) -> None:
        """The names after paths have joined: those that every path gives one kind."""
        self.scope.clear()
        for name, kind in ends[0].items():
            kinds = [end.get(name) for end in ends]
            if all(isinstance(k, List) for k in kinds) and len({k.item for k in kinds if isinstance(k, List)}) == 1:
                assert isinstance(kind, List)
                self.scope[name] = List(kind.item, min(k.length for k in kinds if isinstance(k, List)))
            elif isinstance(kind, Dict) and all(isinstance(k, Dict) and k.item == kind.item for k in kinds):
                keys = [k.keys for k in kinds if isinstance(k, Dict)]
                self.scope[name] = Dict(kind.item, tuple(key for key in kind.keys if all(key in own for own in keys)))
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
            return self.statement()
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
        if "n" in self.scope:
            options.append((f"{i} in range(n)", {i: Int(3)}))
        item = self.new_name()
        for name, kind in self.scope.items():
            if isinstance(kind, Array):
                of: Kind = Array(kind.shape[1:]) if kind.shape[1:] else FLOAT
                options += [(f"{item} in {name}", {item: of}), (f"{i} in range(len({name}))", {i: Int(kind.shape[0])})]
                options.append((f"{i}, {item} in enumerate({name})", {i: Int(kind.shape[0]), item: of}))
                options.append((f"{item} in reversed({name})", {item: of}))
            elif isinstance(kind, List) and kind.length:
                options.append((f"{item} in {name}", {item: kind.item}))
                options.append((f"{i}, {item} in enumerate({name})", {i: Int(0), item: kind.item}))
            elif isinstance(kind, Dict):
                options.append((f"{item} in {name}.values()", {item: kind.item}))
                options.append((f"_, {item} in {name}.items()", {item: kind.item}))
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
        vectors = [name for name, _ in self.arrays(1) if name not in self.fixed]
        if vectors and self.has("norms") and self.chance(60):
            name = self.pick(vectors)
            self.emit(f"while {self.pick(('np.linalg.norm({})', 'np.sqrt(np.sum({} ** 2))')).format(name)} > 0.411:")
            with self.block():
                self.emit(f"{name} {self.pick(('*= 0.4', f'= {name} * 0.6', f'= np.tanh({name} * 0.5)'))}")
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

    # Exceptions

    def attempt(self) -> None:
        """`try` with a handler; the body raises at one of several places, or not. Body and handler assign one name."""
        before, kind = dict(self.scope), self.pick(("Stop", "Stop", "ValueError", "IndexError"))
        shape = self.shape()
        value: Kind = self.pick((FLOAT, Array(shape)))
        name, free = self.target(value), self.chance(8)
        self.emit("try:")
        with self.block():
            self.handled.append(kind)
            fixed, self.fixed = self.fixed, self.fixed | set(before)
            for _ in range(1 + self.below(2)):
                self.weighted(((3, self.raising), (1, self.assign_float), (1, self.assign_array)))
            self.fixed = fixed
            self.handled.pop()
            if free:
                self.statement()
            self.emit(f"{name} = {self.expression(value, 2)}")
            self.bind(name, value)
        end = dict(self.scope)
        classes = (kind, kind, kind, f"({kind}, KeyError)", "Exception")
        handlers = [f"except {self.pick(classes)}{' as error' * self.chance(20)}:"]
        if self.chance(25):
            handlers.append(f"except ({self.pick(('Stop', 'ValueError', 'IndexError'))}, TypeError):")
        handled = []
        for handler in handlers:
            self.after(before, {n: k for n, k in before.items() if n != name})
            self.emit(handler)
            with self.block():
                if self.chance(50):
                    self.statement()
                self.emit(f"{name} = {self.expression(value, 1)}")
                self.bind(name, value)
            handled.append(dict(self.scope))
        if self.chance(30):
            self.scope.clear()
            self.scope.update(end)
            self.emit("else:")
            self.body(2)
            end = dict(self.scope)
        self.after(before, end, *handled)
        if self.chance(20):
            self.emit("finally:")
            with self.block():
                self.emit("pass")

    def raising(self) -> None:
        """A statement that may raise what is handled around it."""
        kind = self.pick(self.handled)
        options = [f"if {self.test()}:\n{self.indent}    raise {kind}"] * 2
        if kind == "ValueError":
            options.append(f"math.sqrt(0.0137 + {self.expression(FLOAT, 1)})")
        if kind == "IndexError" and "n" in self.scope:
            options.append("(0.3, 0.7)[n]")
        text = self.pick(options)
        if text.startswith("if "):
            self.emit(text)
            return
        name = self.target(FLOAT)
        self.emit(f"{name} = {text}")
        self.bind(name, FLOAT)

    def early_return(self) -> None:
        self.emit(f"if {self.test()}:")
        with self.block():
            self.give_back()

    def give_back(self) -> None:
        self.emit("return" if self.result is None else f"return {self.expression(self.result, 1)}")
