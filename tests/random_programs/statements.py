"""Random statements: assignments, stores through parts of arrays, containers, and those of `control.py`."""

from __future__ import annotations

from tests.random_programs.control import Control
from tests.random_programs.expressions import WHOLE
from tests.random_programs.kinds import BOOL, FLOAT, Array, Dict, Float, Indices, Int, Kind, List, Object, Tuple

OPERATORS = ("=", "=", "+=", "*=", "-=", "/=")


class Statements(Control):
    """`statement()` emits one more statement."""

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
            (2 * has("exceptions") * nested, self.attempt),
            (2 * bool(self.handled), self.raising),
            (2 * has("returns") * (len(self.indent) > 4), self.early_return),
            (4 * has("lists"), self.on_list),
            (3 * has("tuples"), self.on_tuple),
            (3 * has("dicts"), self.on_dict),
            (5 * has("objects"), self.on_object),
            (2 * has("outs") * arrays, self.into),
            (3 * has("whole"), self.store_into_whole),
            (4 * has("elements") * bool(self.elements(Array((self.length,)))), self.store_element),
            (2 * has("buffers") * nested * (self.loops < 2), self.double_buffer),
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

    def store_into_whole(self) -> None:
        """A number that is an int on one path, an array filled with it, and a store, which integers cut."""
        number, filled, shape = self.new_name(), self.target(Array((self.length,))), (self.length,)
        self.emit(f"{number} = {self.pick(WHOLE)} if {self.test(1)} else {self.number(1)}")
        self.bind(number, FLOAT)
        of_number = (f"np.full({self.length}, {number})", f"np.array([{', '.join([number] * self.length)}])")
        made = self.pick((*of_number, self.whole_numbers(shape)))
        self.emit(f"{filled} = {made}")
        self.bind(filled, Array(shape))
        operator = self.pick(("=", "=", "+=", "-="))
        self.emit(f"{filled}[{self.index(self.length)}] {operator} {self.number(1)} * 1.7")

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
        kinds: list[Kind] = [FLOAT, Array((self.length,))]
        kind = self.pick(kinds)
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

    def store_element(self) -> None:
        """An array that a list or dict holds is changed in place, or a part of it; in a loop, all that a list holds."""
        item = Array((self.length,))
        lists = [n for n, k in self.scope.items() if isinstance(k, List) and k.item == item and n not in self.fixed]
        operator = self.pick(OPERATORS[2:])
        if lists and self.chance(30):
            name, element = self.pick(lists), self.new_name()
            if element in self.scope:
                return self.assign_array()
            self.emit(f"for {element} in {name}:")
            with self.block():
                value = self.expression(self.pick((FLOAT, item)), 1)
                target = self.pick((element, element, f"{element}[{self.index(self.length)}]"))
                value = value if target == element else self.number(1)
                self.emit(f"{target} {operator} {self.divisor(value) if operator == '/=' else value}")
            return None
        text, part = self.pick(self.elements(item)), item
        if self.chance(50):
            special = (self.has("mask_stores") or self.has("index_stores")) and self.chance(50)
            text, part = (self.gathered if special else self.part)(text, item.shape)  # type: ignore[assignment]
            operator = self.pick(OPERATORS)
        value = self.expression(FLOAT if self.chance(30) else part, 1)
        self.emit(f"{text} {operator} {self.divisor(value) if operator == '/=' else value}")
        return None

    def view(self) -> None:
        if (elements := self.elements(Array((self.length,)))) and self.has("elements") and self.chance(30):
            name, kind = self.pick(elements), Array((self.length,))
        else:
            name = self.pick(self.names(Array))
            kind = self.scope[name]  # type: ignore[assignment]
        text, part = self.part(name, kind.shape)
        if len(kind.shape) == 2 and self.chance(30):
            text, part = f"{name}.T", Array(kind.shape[::-1])
        target = self.target(part)
        self.emit(f"{target} = {text}")
        self.bind(target, part)

    def into(self) -> None:
        """A result that is written into an array."""
        if (elements := self.elements(Array((self.length,)))) and self.has("elements") and self.chance(30):
            name, kind = self.pick(elements), Array((self.length,))
        else:
            name = self.pick(self.writable())
            kind = self.scope[name]  # type: ignore[assignment]
        ufunc = self.pick(("add", "multiply", "subtract", "maximum", "sin", "tanh", "sqrt"))
        operands = [self.array(kind.shape, self.below(2))]
        if ufunc in ("add", "multiply", "subtract", "maximum"):
            operands.append(self.pick((self.array(kind.shape, 0), self.number(1))))
        elif ufunc == "sqrt":
            operands[0] = f"1.5 + np.sin({operands[0]})"
        self.emit(f"np.{ufunc}({', '.join(operands)}, out={name})")

    def double_buffer(self) -> None:
        """Two arrays that change places in every step of a loop."""
        vectors = [(n, k.shape) for n, k in self.scope.items() if isinstance(k, Array) and n not in self.fixed]
        if not vectors:
            return self.assign_array()
        old, shape = self.pick(vectors)
        if self.chance(80):  # mostly memory of its own
            before, old = old, self.new_name()
            if old in self.scope:
                return self.assign_array()
            self.emit(f"{old} = {self.pick((f'{before}.copy()', self.array(shape, 1)))}")
            self.bind(old, Array(shape))
        new = self.new_name()
        step = self.pick([name for name in ("i", "j", "k", "_") if name not in self.scope])
        if new == old:
            return self.assign_array()
        self.emit(f"{new} = {self.pick((f'{old}.copy()', f'np.zeros_like({old})', f'np.empty_like({old})'))}")
        if "empty" in self.lines[-1] or self.chance(50):
            self.emit(f"{new}[:] = {self.array(shape, 1)}")
        self.bind(new, Array(shape))
        self.emit(f"for {step} in range({1 + self.below(3)}):")
        with self.block():
            if self.chance(30):
                self.emit(f"{new}[:] = {self.array(shape, 1)}")
            elif len(shape) == 1 and shape[0] > 2 and self.chance(60):
                self.emit(f"{new}[1:-1] = {old}[1:-1] + 0.1 * ({old}[2:] - 2 * {old}[1:-1] + {old}[:-2])")
            else:
                text, part = self.part(new, shape)
                self.emit(f"{text} = {self.expression(part, 1)}")
            self.emit(f"{old}, {new} = {new}, {old}")
        return None

    # Lists, dicts, tuples, closures

    def on_list(self) -> None:
        names = [name for name in self.names(List) if name not in self.fixed]
        if not names or self.chance(20):
            items: list[Kind] = [FLOAT, FLOAT, Array((self.length,))]
            items += [List(FLOAT, 2)] * self.has("elements")
            kind = List(self.pick(items), self.below(4))
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
            (4 * full * (known.item == FLOAT), lambda: self.unpack(name, known)),
            (6 * full * isinstance(known.item, List), lambda: self.store_in_row(name, known)),
        ))  # fmt: skip

    def store_in_row(self, name: str, known: List) -> None:
        """A list in a list is changed."""
        row, element = f"{name}[{self.index(known.length)}]", self.new_name()
        if element not in self.scope and self.chance(30):
            self.emit(f"for {element} in {name}:")
            with self.block():
                self.emit(self.pick((f"{element}[0] = {self.number(1)}", f"{element}.append({self.number(1)})")))
        elif self.chance(50):
            self.emit(f"{row}[{self.below(2)}] {self.pick(OPERATORS[:5])} {self.number(1)}")
        else:
            self.emit(f"{row}.append({self.number(1)})")

    def append(self, name: str, known: List) -> None:
        self.emit(f"{name}.append({self.expression(known.item, 1)})")
        self.bind(name, List(known.item, known.length + 1))

    def pop(self, name: str, known: List) -> None:
        self.bind(name, List(known.item, known.length - 1))
        target = self.target(known.item)
        self.emit(f"{target} = {name}.pop()")
        self.bind(target, known.item)

    def unpack(self, name: str, known: List) -> None:
        first = self.new_name()
        before = dict(self.scope)
        self.bind(first, known.item)
        rest = self.new_name()
        if first == rest or rest in before or self.chance(50):
            self.emit(f"{first}, *_ = {name}")
            return
        self.bind(rest, List(known.item, known.length - 1))
        self.emit(self.pick((f"{first}, *{rest} = {name}", f"*{rest}, {first} = {name}")))

    def on_dict(self) -> None:
        names = [name for name in self.names(Dict) if name not in self.fixed]
        if not names or self.chance(20):
            items: list[Kind] = [FLOAT, FLOAT, Array((self.length,))]
            kind = Dict(self.pick(items), ("a", "b", "c")[: 1 + self.below(3)])
            text, name = self.expression(kind, 2), self.target(kind)
            self.emit(f"{name} = {text}")
            self.bind(name, kind)
            return
        name = self.pick(names)
        known = self.scope[name]
        assert isinstance(known, Dict)
        key = self.pick(known.keys)
        value = self.expression(known.item, 1)
        if self.chance(10):
            self.emit(f"{name}['d'] = {value}")
            self.bind(name, Dict(known.item, tuple(dict.fromkeys((*known.keys, "d")))))
        else:
            self.emit(f"{name}[{key!r}] {self.pick(('=', '=', '+=', '*='))} {value}")

    def on_object(self) -> None:
        names = [name for name in self.names(Object) if name not in self.fixed]
        if not names or self.chance(20):
            kind = Object(self.length)
            text, name = self.expression(kind, 2), self.target(kind)
            self.emit(f"{name} = {text}")
            self.bind(name, kind)
            return
        name = self.pick(names)
        shape, operator, vector = (self.length,), self.pick(OPERATORS), Array((self.length,))
        held = self.pick((f"{name}.p", f"{name}.r[{self.index(2)}]"))
        match self.below(5):
            case 0:
                value = self.number(1)
                self.emit(f"{name}.q {operator} {self.divisor(value) if operator == '/=' else value}")
            case 1:
                value = self.expression(vector, 1)
                self.emit(f"{held} {operator} {self.divisor(value) if operator == '/=' else value}")
            case 2:
                special = (self.has("mask_stores") or self.has("index_stores")) and self.chance(50)
                text, part = (self.gathered if special else self.part)(held, shape)
                value = self.expression(FLOAT if self.chance(30) else part, 1)
                self.emit(f"{text} {operator} {self.divisor(value) if operator == '/=' else value}")
            case 3:
                call = f"{name}.step({self.number(1)})"
                target = self.target(FLOAT)
                self.emit(f"{target} = {call}" if self.chance(60) else call)
                if self.lines[-1].strip() != call:
                    self.bind(target, FLOAT)
            case _:
                target = self.target(vector)
                self.emit(f"{target} = {held}{self.pick(('', '', '[:]', '.copy()', '[::-1]'))}")
                self.bind(target, vector)

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
        text, name = self.tuple_display(kind, 2), self.target(kind)
        self.emit(f"{name} = {text}")
        self.bind(name, kind)

    def closure(self) -> None:
        raise NotImplementedError


