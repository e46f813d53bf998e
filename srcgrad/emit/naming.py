"""From single assignment back to variables: the Python name of every name of the IR.

    y.1 = operator.mul(x.0, 2)            y = x * 2
    y.2 = numpy.sin(y.1)                  y = np.sin(y)

The names that a branch or a loop makes one (its results, parameters, starts and targets) become one variable where
their live ranges allow it; then names with one hint share a variable where theirs do. What is left gets `y_2`, `y_3`.
"""

from __future__ import annotations

import heapq
import keyword
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from srcgrad import ir
from srcgrad.analyses.liveness import Ranges
from srcgrad.optimize.rewriter import is_temporary

_TRIED = 8  # busy variables of one hint that are examined for a hole in their ranges before a new one is made


@dataclass
class Web:
    """Names of the IR that are one Python variable."""

    names: list[str]
    ranges: Ranges
    fixed: bool = False


def variable_names(function: ir.Function, ranges: Mapping[str, Ranges], reserved: frozenset[str]) -> dict[str, str]:
    """The Python name of every name in `ranges`."""
    webs = _Webs(function, ranges)
    webs.coalesce()
    return _Colours(function, webs.all(), reserved).run()


def base(name: str) -> str:
    """The Python name that a name would like to have."""
    text = ir.hint(name).lstrip("_")
    return text if text.isidentifier() else "value" + "".join(c for c in text if c.isalnum() or c == "_")


class _Webs:
    def __init__(self, function: ir.Function, ranges: Mapping[str, Ranges]) -> None:
        self.function = function
        self.params = {param.name for param in function.params}
        walked = list(ir.walk(function.body))
        self.forward = {name for stmt in walked if stmt.origin.sweep == "forward" for name in ir.defined(stmt)}
        self.web = {name: Web([name], _copy(r), name in self.params) for name, r in ranges.items()}

    def all(self) -> list[Web]:
        unique = {id(web): web for web in self.web.values()}
        return sorted(unique.values(), key=lambda web: (not web.fixed, web.ranges.first, web.names[0]))

    def coalesce(self) -> None:
        pairs = [pair for pair in affinities(self.function.body) if pair[0] in self.web and pair[1] in self.web]
        # Equal hints first, then temporaries with what they are assigned to, then two names of the user's.
        for a, b in sorted(pairs, key=lambda pair: _distance(*pair)):
            self.join(a, b)

    def join(self, a: str, b: str) -> None:
        left, right = self.web[a], self.web[b]
        if left is right or (left.fixed and right.fixed):
            return
        if (left.fixed or right.fixed) and base(a) != base(b) and not (is_temporary(a) or is_temporary(b)):
            return
        if self.is_adjoint_of_other_sweep(a, b) or left.ranges.interferes(right.ranges):
            return
        if len(left.names) < len(right.names):
            left, right = right, left
        left.ranges.absorb(right.ranges)
        left.names += right.names
        left.fixed |= right.fixed
        for name in right.names:
            self.web[name] = left


    def is_adjoint_of_other_sweep(self, a: str, b: str) -> bool:
        """Whether one is an adjoint and the other a value that the forward sweep computes."""
        return any(
            base(one).endswith("_bar") and not base(other).endswith("_bar") and other in self.forward
            for one, other in ((a, b), (b, a))
        )


def _copy(ranges: Ranges) -> Ranges:
    return Ranges(list(ranges.defs), list(ranges.starts), list(ranges.ends))


def _distance(a: str, b: str) -> int:
    if base(a) == base(b):
        return 0
    return 1 if is_temporary(a) or is_temporary(b) else 2


def affinities(block: ir.Block) -> Iterator[tuple[str, str]]:
    """Pairs of names between which a copy would be needed, in the order of the text."""
    for stmt in ir.walk(block):
        match stmt:
            case ir.If() | ir.Try():
                for inner in ir.blocks(stmt):
                    yield from _pairs(stmt.targets[isinstance(stmt, ir.Try) :], inner.results)
            case ir.For() | ir.While():
                yield from zip(stmt.params, stmt.targets[stmt.stops :], strict=True)
                yield from _pairs(stmt.params, stmt.body.results[stmt.stops :])
                yield from _pairs(stmt.params, stmt.inits)


def _pairs(targets: Iterable[str], sources: Iterable[ir.Atom]) -> Iterator[tuple[str, str]]:
    for target, source in zip(targets, sources, strict=True):
        if isinstance(source, ir.Var):
            yield target, source.name


@dataclass
class _Shared:
    """The variables that were made from one hint: `y`, `y_2`, ..."""

    variables: list[tuple[str, Ranges]] = field(default_factory=list)
    busy: list[tuple[int, int]] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    suffix: int = 1


class _Colours:
    def __init__(self, function: ir.Function, webs: list[Web], reserved: frozenset[str]) -> None:
        self.webs = webs
        self.params = {param.name for param in function.params}
        results = set(ir.variables(function.body.results))
        self.results = {
            name: "gradient" if stmt.origin.sweep == "reverse" else "value"
            for stmt in function.body.stmts
            for name in ir.defined(stmt)
            if name in results
        }
        self.taken = set(reserved) | {"_"}
        self.hints = {base(name) for web in webs for name in web.names}
        self.shared: dict[str, _Shared] = defaultdict(_Shared)

    def run(self) -> dict[str, str]:
        printed: dict[str, str] = {}
        for web in self.webs:
            variable = self.fixed(web) if web.fixed else self.assign(self.hint_of(web), web.ranges)
            printed |= dict.fromkeys(web.names, variable)
        return printed

    def hint_of(self, web: Web) -> str:
        """The most frequent of the user's hints in a web, or of all where there is none of the user's."""
        users = [base(name) for name in web.names if not is_temporary(name)]
        hints = users or [self.results.get(name) or base(name) for name in web.names]
        counts = Counter(hints)
        return min(counts, key=lambda hint: (-counts[hint], hints.index(hint)))

    def fixed(self, web: Web) -> str:
        """A parameter keeps its name whatever it is."""
        variable = ir.hint(next(name for name in web.names if name in self.params))
        self.hints.discard(variable)
        self.enter(self.shared[variable], variable, web.ranges)
        self.taken.add(variable)
        return variable

    def enter(self, shared: _Shared, variable: str, ranges: Ranges) -> None:
        heapq.heappush(shared.busy, (ranges.last, len(shared.variables)))
        shared.variables.append((variable, ranges))

    def assign(self, hint: str, ranges: Ranges) -> str:
        shared = self.shared[hint]
        self.release(shared, ranges.first)
        at = self.hole(shared, ranges)
        if at is None and shared.free:
            at = shared.free[0]
        if at is None:
            variable = self.fresh(hint, shared)
            self.enter(shared, variable, ranges)
            return variable
        if at in shared.free:
            shared.free.remove(at)
            heapq.heapify(shared.free)
        variable, own = shared.variables[at]
        own.absorb(ranges)
        heapq.heappush(shared.busy, (own.last, at))
        return variable

    def release(self, shared: _Shared, time: int) -> None:
        """Moves the variables that are not used from `time` on to the free ones."""
        while shared.busy and shared.busy[0][0] < time:
            _, at = heapq.heappop(shared.busy)
            if shared.variables[at][1].last < time and at not in shared.free:
                heapq.heappush(shared.free, at)

    def hole(self, shared: _Shared, ranges: Ranges) -> int | None:
        """The first of the oldest variables whose ranges do not interfere."""
        for at, (_, own) in enumerate(shared.variables[:_TRIED]):
            if not own.interferes(ranges):
                return at
        return None

    def fresh(self, hint: str, shared: _Shared) -> str:
        if shared.suffix == 1 and not shared.variables and hint not in self.taken and not keyword.iskeyword(hint):
            self.taken.add(hint)
            return hint
        while True:
            shared.suffix += 1
            variable = f"{hint}_{shared.suffix}"
            if variable not in self.taken and variable not in self.hints:
                self.taken.add(variable)
                return variable
