"""Random expressions of a kind, over the names in scope: bounded and smooth almost everywhere."""

from __future__ import annotations

from functools import partial

from tests.random_programs.kinds import (
    BOOL,
    FLOAT,
    Array,
    Bool,
    Dict,
    Float,
    Indices,
    Int,
    Kind,
    List,
    Maker,
    Object,
    Tuple,
)

CONSTANTS = ("0.5", "1.5", "-0.7", "2.0", "1.0", "0.3", "-1.2", "2", "0.0", "-1", "3")
WHOLE = ("2", "-1", "3")
SMOOTH = (
    "np.sin({})", "np.tanh({})", "np.cos({})", "np.exp(np.tanh({}))", "np.sqrt(1.5 + np.sin({}))", "(-({}))",
    "np.square(np.tanh({}))", "np.arctan({})", "abs({})", "np.abs({})", "np.log(2.5 + np.cos({}))", "({}) ** 2",
    "(({}) * 0.5) ** 3", "(1.5 + np.sin({})) ** 0.5", "1 / (1 + np.exp(-({})))",
)  # fmt: skip
MATH = ("math.sin({})", "math.tanh({})", "math.exp(math.tanh({}))", "math.sqrt(1.5 + math.sin({}))", "float({})")
PAIRS = (
    "({} + {})", "(({}) - ({}))", "({}) * ({})", "({}) / (1.5 + np.sin({}))", "np.maximum({}, {})",
    "({}) / (1 + ({}) ** 2)", "np.multiply({}, {})", "np.minimum({}, {})",
    "np.hypot(1.5 + np.sin({}), {})", "(1.5 + np.sin({})) ** np.tanh({})",
)  # fmt: skip
SUMS = (
    "np.sum({})", "np.mean({})", "np.max({})", "np.min({})", "np.linalg.norm({})", "np.prod(np.tanh({}))",
    "np.sqrt(0.1 + np.var({}))",
)  # fmt: skip
SUM_METHODS = ("{}.sum()", "{}.mean()", "{}.max()", "{}.min()")


def size(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


class Expressions(Maker):
    """`expression(kind, depth)`: the text of an expression of that kind, smaller with smaller depth."""

    def expression(self, kind: Kind, depth: int = 2) -> str:
        match kind:
            case Float():
                return self.number(depth)
            case Array():
                return self.array(kind.shape, depth)
            case Bool():
                return self.test(depth)
            case Int():
                return self.index(kind.bound or 3)
            case Indices():
                return f"np.array({[self.below(kind.bound) for _ in range(kind.length)]})"
            case Tuple():
                return self.tuple_display(kind, depth)
            case List():
                return self.list_display(kind, depth)
            case Dict():
                return f"{{{', '.join(f'{key!r}: {self.expression(kind.item, depth - 1)}' for key in kind.keys)}}}"

            case Object():
                p, *r = (self.array((kind.length,), depth - 1) for _ in range(3))
                return f"State({p}, {self.number(depth - 1)}, [{', '.join(r)}])"

    # Tuples, lists and dicts

    def tuple_display(self, kind: Tuple, depth: int) -> str:
        if (known := self.names(kind)) and self.chance(40):
            return self.pick(known)
        items = [self.expression(item, depth - 1) for item in kind.items]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"

    def list_display(self, kind: List, depth: int) -> str:
        if self.has("comprehensions") and self.chance(30):
            return self.comprehension(kind, depth)
        items = [self.expression(kind.item, depth - 1) for _ in range(kind.length)]
        if self.has("elements") and self.chance(20):
            items = items[:1] * kind.length  # equal ones, which are objects of their own but for a name
        return f"[{', '.join(items)}]"

    def comprehension(self, kind: List, depth: int) -> str:
        name = self.pick("ijk")
        before = self.scope.get(name)
        self.scope[name] = Int(kind.length)
        text = f"[{self.expression(kind.item, depth - 1)} for {name} in range({kind.length})]"
        self.forget(name, before)
        return text

    def forget(self, name: str, before: Kind | None) -> None:
        del self.scope[name]
        if before is not None:
            self.scope[name] = before

    # Integers and tests

    def index(self, n: int) -> str:
        """An index of an axis of length n."""
        known = [name for name, kind in self.scope.items() if isinstance(kind, Int)]
        if not known or self.chance(50):
            return str(self.below(n) - n if self.chance(25) else self.below(n))
        name = self.pick(known)
        kind = self.scope[name]
        assert isinstance(kind, Int)
        if not 0 < kind.bound <= n:
            return f"{name} % {n}"
        return self.pick((name, name, name, f"{n - 1} - {name}", f"{name} - 1", f"-{name} - 1", f"({name} + 1) % {n}"))

    def integer(self) -> str:
        names = self.names(Int)
        return self.pick(names) if names else str(1 + self.below(3))

    def test(self, depth: int = 1) -> str:
        names, joined = self.names(BOOL), self.has("boolean_operators") and depth > 0
        return self.weighted((
            (4, self.comparison),
            (2 * bool(names), lambda: self.pick(names)),
            (3 * bool(self.names(Int)), self.integer_test),
            (2 * joined, lambda: f"({self.test(depth - 1)} and {self.test(depth - 1)})"),
            (2 * joined, lambda: f"({self.test(depth - 1)} or {self.test(depth - 1)})"),
            (joined, lambda: f"(not {self.test(depth - 1)})"),
            (joined, lambda: f"{self.threshold()} < {self.number(1)} < 1.137"),
            (joined and bool(self.arrays(1)), lambda: f"np.{self.pick(('any', 'all'))}({self.mask(None)})"),
        ))  # fmt: skip

    def threshold(self) -> str:
        return self.pick(("0.137", "-0.263", "0.711", "-1.117"))

    def comparison(self) -> str:
        right = self.number(1) if self.chance(25) else self.threshold()
        return f"{self.number(1)} {self.pick(('>', '<', '>=', '<='))} {right}"

    def integer_test(self) -> str:
        name = self.integer()
        return self.pick((f"{name} > 0", f"{name} == 1", f"{name} % 2 == 0", f"{name} != 0", f"{name} < 2"))

    def mask(self, shape: tuple[int, ...] | None) -> str:
        text = self.any_array(1) if shape is None else self.array(shape, 0)
        return f"({text} {self.pick('><')} {self.threshold()})"

    # Numbers

    def number(self, depth: int) -> str:
        if depth <= 0:
            return self.small_number()
        d = depth - 1
        arrays = bool(self.names(Array))
        return self.weighted((
            (5, self.small_number),
            (6, lambda: self.pick(PAIRS).format(self.number(d), self.number(d))),
            (4, lambda: self.pick(SMOOTH).format(self.number(d))),
            (2, lambda: self.pick(MATH).format(self.number(d))),
            (5 * arrays, partial(self.reduction, d)),
            (2 * self.has("choices"), lambda: f"({self.number(d)} if {self.test(d)} else {self.number(d)})"),
            (self.has("choices"), lambda: f"{self.pick(('max', 'min'))}({self.number(d)}, {self.number(d)})"),
            (self.has("choices"), lambda: f"np.where({self.test(0)}, {self.number(d)}, {self.number(d)})[()]"),
            (self.has("integers"), lambda: f"({self.integer()} + 1) * {self.number(d)}"),
            (self.has("integers"), lambda: f"({self.test(0)}) * {self.number(d)}"),
            (self.has("whole"), lambda: f"({self.pick(WHOLE)} if {self.test(d)} else {self.number(d)})"),
            (self.has("comprehensions"), partial(self.generator, d)),
            (4 * bool(self.callable(FLOAT)), partial(self.call, FLOAT, d)),
        ))  # fmt: skip

    def small_number(self) -> str:
        names, lists, tuples, dicts = self.names(FLOAT), self.names(List), self.names(Tuple), self.names(Dict)
        objects = self.names(Object)
        return self.weighted((
            (5 * bool(names), lambda: self.pick(names)),
            (4 * bool(self.names(Array)), self.element),
            (3 * bool(lists), lambda: self.element_of_list(self.pick(lists))),
            (3 * bool(tuples), lambda: self.item_of_tuple(self.pick(tuples))),
            (3 * bool(dicts), lambda: self.element_of_dict(self.pick(dicts))),
            (3 * bool(objects), lambda: f"{self.pick(objects)}.{self.pick(('q', 'q', 'total()'))}"),
            (2, lambda: self.pick(CONSTANTS)),
        ))  # fmt: skip

    def element(self) -> str:
        name = self.pick(self.names(Array))
        kind = self.scope[name]
        assert isinstance(kind, Array)
        indices = [self.index(n) for n in kind.shape]
        if len(indices) == 2 and self.chance(40):
            return f"{name}[{indices[0]}][{indices[1]}]"
        return f"{name}[{', '.join(indices)}]"

    def element_of_list(self, name: str) -> str:
        kind = self.scope[name]
        assert isinstance(kind, List)
        if kind.length == 0:
            return f"len({name})"
        if kind.item == FLOAT:
            whole = [f"np.{f}({name})" for f in ("sum", "mean", "max")] * self.has("elements")
            at = f"{name}[{self.index(kind.length)}]"
            return self.pick((at, f"{name}[-1]", f"sum({name})", f"len({name})", *whole))
        if kind.item != Array((self.length,)):
            return f"len({name})"
        return f"np.sum({name}[{self.index(kind.length)}])"

    def element_of_dict(self, name: str) -> str:
        kind = self.scope[name]
        assert isinstance(kind, Dict)
        key = self.pick(kind.keys)
        if kind.item == FLOAT:
            return self.pick((f"{name}[{key!r}]", f"{name}[{key!r}]", f"sum({name}.values())", f"len({name})"))
        return f"np.sum({name}[{key!r}])"

    def item_of_tuple(self, name: str) -> str:
        kind = self.scope[name]
        assert isinstance(kind, Tuple)
        places = [i for i, item in enumerate(kind.items) if item == FLOAT]
        return f"{name}[{self.pick(places)}]" if places else self.pick(CONSTANTS)

    def reduction(self, depth: int) -> str:
        rank = 2 if self.arrays(2) and self.chance(30) else 1
        if rank == 1 and self.chance(25):
            n = self.length
            return self.pick(("np.dot({}, {})", "(({}) @ ({}))")).format(self.array((n,), depth), self.array((n,), 0))
        if self.has("masks") and self.arrays(1) and self.chance(15):
            name, shape = self.pick(self.arrays(1))
            return f"np.sum({name}[{self.mask(shape)}])"
        if self.has("methods") and self.chance(40):
            return self.pick(SUM_METHODS).format(self.pick(self.names(Array)))
        return self.pick(SUMS).format(self.any_array(rank, depth))

    def generator(self, depth: int) -> str:
        vectors = self.arrays(1)
        name = self.pick("ijk") if not vectors or self.chance(50) else "a"
        before = self.scope.get(name)
        if name == "a":
            over = self.pick(vectors)[0]
            self.scope[name] = FLOAT
        else:
            over, self.scope[name] = "range(3)", Int(3)
        text = f"sum({self.pick(('[{}]', '{}')).format(f'{self.number(depth)} for {name} in {over}')})"
        self.forget(name, before)
        return text

    # Calls

    def callable(self, kind: Kind | None) -> list[str]:
        return [f.name for f in self.functions if f.result == kind]

    def call(self, kind: Kind | None, depth: int) -> str:
        function = self.pick([f for f in self.functions if f.result == kind])
        texts: list[str] = []
        by_keyword = False
        for name, param in function.params:
            if name in function.defaults and self.chance(40):
                by_keyword = True
                continue
            by_keyword = by_keyword or name in function.keyword_only or self.chance(25)
            texts.append(f"{name}={self.argument(param, depth)}" if by_keyword else self.argument(param, depth))
        return f"{function.name}({', '.join(texts)})"

    def argument(self, kind: Kind, depth: int) -> str:
        known = self.names(kind)
        return self.pick(known) if known and self.chance(60) else self.expression(kind, max(0, depth - 1))

    # Arrays

    def any_array(self, rank: int, depth: int = 0) -> str:
        shapes = sorted({shape for _, shape in self.arrays(rank)})
        return self.array(self.pick(shapes) if shapes else (self.length,) * rank, depth)

    def array(self, shape: tuple[int, ...], depth: int) -> str:
        if depth <= 0:
            return self.small_array(shape)
        d = depth - 1
        return self.weighted((
            (5, partial(self.small_array, shape)),
            (5, lambda: self.pick(PAIRS).format(self.array(shape, d), self.array(shape, d))),
            (5, partial(self.broadcast, shape, d)),
            (5, lambda: self.pick(SMOOTH).format(self.array(shape, d))),
            (2 * self.has("masks"), lambda: f"np.where({self.mask(shape)}, {self.array(shape, d)}, {self.number(d)})"),
            (self.has("choices"), lambda: f"({self.array(shape, d)} if {self.test(0)} else {self.array(shape, d)})"),
            (3, partial(self.vector if len(shape) == 1 else self.matrix, shape, d)),
            (4 * bool(self.callable(Array(shape))), partial(self.call, Array(shape), d)),
        ))  # fmt: skip

    def broadcast(self, shape: tuple[int, ...], depth: int) -> str:
        narrow = self.number(depth)
        if len(shape) == 2 and self.chance(60):
            row = self.array(shape[1:], depth)
            narrow = row if self.chance(60) else f"({self.array(shape[:1], depth)})[:, None]"
        both = [self.array(shape, depth), narrow]
        return self.pick(PAIRS).format(*(both if self.chance(50) else reversed(both)))

    def vector(self, shape: tuple[int, ...], depth: int) -> str:
        n, m = shape[0], 2 + self.below(2)
        v, matrices = partial(self.array, shape), self.has("matrices")
        return self.weighted((
            (3, lambda: f"({v(depth)})[::-1]"),
            (2, lambda: f"np.array([{', '.join(self.number(depth) for _ in range(n))}])"),
            (1, lambda: f"np.cumsum({v(depth)})"),
            (1, lambda: f"({self.array((n + 1,), 0)})[{self.pick((f':{n}', '1:'))}]"),
            (1, lambda: f"np.roll({v(depth)}, 1)"),
            (2, lambda: f"({v(depth)}).copy()"),
            (self.has("comprehensions"), lambda: f"np.array({self.comprehension(List(FLOAT, n), depth)})"),
            (self.has("joins"), lambda: f"np.concatenate([{self.array((n - 1,), 0)}, {self.array((1,), 0)}])"),
            (self.has("joins"), lambda: f"np.append({self.array((n - 1,), 0)}, {self.number(depth)})"),
            (2 * matrices, lambda: f"(({self.array((n, m), depth)}) @ ({self.array((m,), 0)}))"),
            (2 * matrices, lambda: f"{self.pick(('np.sum', 'np.mean', 'np.max'))}({self.array((m, n), 0)}, axis=0)"),
            (2 * matrices, lambda: f"np.sum({self.array((n, m), 0)}, axis=1)"),
            (matrices, lambda: f"np.diag({self.array((n, n), 0)})"),
        ))  # fmt: skip

    def matrix(self, shape: tuple[int, ...], depth: int) -> str:
        m, n = shape
        k = 2 + self.below(2)
        a = partial(self.array, shape)
        return self.weighted((
            (2, lambda: f"({self.array((n, m), depth)}).T"),
            (2, lambda: f"(({self.array((m, k), 0)}) @ ({self.array((k, n), 0)}))"),
            (2, lambda: f"np.outer({self.array((m,), depth)}, {self.array((n,), 0)})"),
            (1, lambda: f"({self.array((m,), depth)})[:, None] * ({self.array((n,), 0)})[None, :]"),
            (1, lambda: f"({a(depth)}).copy()"),
            (1, lambda: f"({a(depth)})[::-1]"),
            (self.has("joins"), lambda: f"np.stack([{', '.join(self.array((n,), 0) for _ in range(m))}])"),
            (self.has("joins"), lambda: f"np.array([{', '.join(self.array((n,), 0) for _ in range(m))}])"),
            (1, lambda: f"np.sum({a(depth)}, axis=1, keepdims=True) * {a(0)}"),
        ))  # fmt: skip

    def small_array(self, shape: tuple[int, ...]) -> str:
        """A name of this shape, a part of another array, or a constant array."""
        if (names := self.names(Array(shape))) and not self.chance(15):
            return self.pick(names)
        if self.has("elements") and (elements := self.elements(Array(shape))) and self.chance(60):
            return self.pick(elements)
        parts = self.parts_of_shape(shape)
        if parts and not self.chance(25):
            return self.pick(parts)
        if shape == (1,):
            return f"np.array([{self.small_number()}])"
        if self.has("whole") and self.chance(30):
            return self.whole_numbers(shape)
        like = [f"np.{f}_like({name})" for name in names for f in ("zeros", "ones")]
        return self.pick([
            f"np.ones({size(shape)})",
            f"np.full({size(shape)}, {self.small_number()})",
            f"{self.small_number()} * np.ones({size(shape)})",
            f"np.zeros({size(shape)})",
            *like,
        ])  # fmt: skip

    def whole_numbers(self, shape: tuple[int, ...]) -> str:
        """An array of integers, or of floats in some runs: what is stored into integers is cut."""
        n = shape[0]
        made = [f"np.full({size(shape)}, {self.pick(WHOLE)})", f"np.full({size(shape)}, {self.small_number()})"]
        if len(shape) == 1:
            made += [f"np.arange({n})", f"np.array([{', '.join(self.pick(WHOLE) for _ in range(n))}])"]
            made += [f"np.array([{self.pick(WHOLE)} for _ in range({n})])"] * self.has("comprehensions")
        names = self.names(Array(shape))
        return self.pick((*made, *(f"{name}.astype(int)" for name in names), *(f"np.sign({name})" for name in names)))

    def elements(self, item: Kind) -> list[str]:
        """Elements of a kind in the lists and dicts in scope."""
        found = []
        for name, kind in self.scope.items():
            if isinstance(kind, List) and kind.item == item and kind.length:
                found.append(f"{name}[{self.index(kind.length)}]")
            if isinstance(kind, Dict) and kind.item == item:
                found.append(f"{name}[{self.pick(kind.keys)!r}]")
            if isinstance(kind, Object) and item == Array((kind.length,)):
                found += [f"{name}.p", f"{name}.r[{self.index(2)}]"]
        return found

    def parts_of_shape(self, shape: tuple[int, ...]) -> list[str]:
        found = []
        for name, other in [pair for rank in (1, 2) for pair in self.arrays(rank)]:
            if len(shape) == len(other) == 1 and other[0] > shape[0]:
                found += [f"{name}[:{shape[0]}]", f"{name}[{other[0] - shape[0]}:]"]
            elif len(shape) == 1 and len(other) == 2:
                found += [f"{name}[{self.index(other[0])}]"] * (other[1] == shape[0])
                found += [f"{name}[:, {self.index(other[1])}]"] * (other[0] == shape[0])
            elif len(shape) == len(other) == 2 and other == shape[::-1]:
                found.append(f"{name}.T")
        for name, kind in self.scope.items():
            if isinstance(kind, Dict) and kind.item == Array(shape):
                found.append(f"{name}[{self.pick(kind.keys)!r}]")
            if isinstance(kind, Indices) and len(shape) == 1 and kind.length == shape[0]:
                found += [f"{v}[{name}]" for v, other in self.arrays(1) if other[0] >= kind.bound]
        return found
