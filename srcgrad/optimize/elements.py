"""What a container holds and has written into it is its own: a value that is needed as it was is copied into it.

    exp = np.exp(x)                                exp = np.exp(x)
    rows = [exp, x * 2]                    ->      rows = [exp.copy(), x * 2]
    rows[0][1] = 3.0                               rows[0][1] = 3.0
    ...                                            ...
    x_bar += rows_bar[0] * exp                     x_bar += rows_bar[0] * exp

The primal itself never reads `exp` after the store: that would be one object under two names, which the frontend minds.
The reverse sweep does, where a rule is written with the result of an operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcgrad import ir, runtime
from srcgrad.analyses.held import held, sharers
from srcgrad.optimize.rewriter import Rewriter, reads_type_alone


def own_elements(function: ir.Function) -> ir.Function:
    """The function with copies for those elements of written containers that are needed as they were."""
    found = held(function)
    return _Elements(function, found).run() if found else function


class _Elements(Rewriter):
    def __init__(self, function: ir.Function, found: frozenset[str]) -> None:
        super().__init__(function)
        self.held = found
        self.family: dict[str, str] = {}  # names that may be views of one another, by one of them
        for stmt in ir.walk(function.body):
            if stmt.origin.sweep == "reverse":
                continue  # which writes into adjoints alone
            for one, other in _pairs(stmt):
                if self.head(one) != self.head(other):
                    self.family[self.head(one)] = self.head(other)
        self.needed = {self.head(name) for name in self._needed()}
        self.given = {self.head(param.name) for param in function.params}

    def head(self, name: str) -> str:
        while name in self.family:
            name = self.family[name]
        return name

    def _needed(self) -> Iterator[str]:
        """What the reverse sweep uses, or is recorded for it."""
        for stmt in ir.walk(self.function.body):
            atoms = [*ir.own_atoms(stmt), *(atom for block in ir.blocks(stmt) for atom in block.results)]
            if stmt.origin.sweep == "reverse":
                if not isinstance(stmt, ir.Let) or not reads_type_alone(stmt, self.function.types):
                    yield from ir.variables(atoms)
            elif isinstance(stmt, ir.Let) and self.keeps(stmt):
                yield from ir.variables(stmt.args)

    def keeps(self, let: ir.Let) -> bool:
        """Whether a let puts values where they stay as they are: on a tape, among the residuals."""
        owner = ir.written_buffer(let) if isinstance(let.op, ir.Append | ir.Store) else let.target
        return isinstance(let.op, ir.Append | ir.Store | ir.Make) and owner not in self.held

    def let(self, let: ir.Let) -> None:
        owner = ir.written_buffer(let) if isinstance(let.op, ir.Append | ir.Store) else let.target
        puts = isinstance(let.op, ir.Append | ir.Store | ir.Make) and let.origin.sweep != "reverse"
        if owner not in self.held or not puts:
            self.emit(let)
            return
        at = 0 if isinstance(let.op, ir.Make) else len(let.args) - 1
        self.emit(replace(let, args=(*let.args[:at], *map(self.own, let.args[at:]))))

    def own(self, atom: ir.Atom) -> ir.Atom:
        if not isinstance(atom, ir.Var) or atom.name not in self.held:
            return atom
        if self.head(atom.name) not in self.needed or self.head(atom.name) in self.given:
            return atom
        name = self.declare(ir.hint(atom.name), self.type(atom))
        plain = self.type(atom).kind == "array"
        self.emit(ir.Let(name, ir.Method("copy") if plain else ir.Fn(runtime.copy), (atom,)))
        return ir.Var(name)


def _pairs(stmt: ir.Stmt) -> Iterator[tuple[str, str]]:
    """Names that a statement makes views of one another; not those of a container and of what it holds."""
    if isinstance(stmt, ir.Let):
        shared = stmt.args if isinstance(stmt.op, ir.Load) else sharers(stmt)
        if stmt.target is not None and not isinstance(stmt.op, ir.Make):
            yield from ((stmt.target, name) for name in ir.variables(shared))
    else:
        yield from ((target, name) for target, *ways in ir.flows(stmt) for name in ir.variables(ways))
