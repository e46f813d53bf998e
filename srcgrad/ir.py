"""The core intermediate representation: structured, in single-assignment form, printable as Python.

    function  ::=  name(params) block                    -- the block's results are the function's results
    block     ::=  stmt*  yield atom*
    stmt      ::=  let | if | try | for | while
    let       ::=  target = op(atom*, keyword=atom*)     -- one primitive a statement
    if        ::=  targets = if atom then block else block
    try       ::=  raised, targets = try block except atom as error block
    for       ::=  targets = for variable in atom with params = inits do block
    while     ::=  targets = while block with params = inits do block
    atom      ::=  var | const

There are no jumps. A loop that may end early (`stops`) yields, before its carried values, one flag: true ends the
loop after this iteration. The loop's first target is then the last flag. `return` inside a branch or a loop has
been turned into such flags by the frontend, and the raising back to Python turns them into `break` again.

The one exception to that is an exception. The body of a `try` ends where an operation raises what the atom after
`except` names; then the second block, the handler, yields the targets. The flag `raised` says which of the two did, so
that what follows, and the reverse sweep, is an ordinary `if`. The handler uses no name of the body. Nothing that may
raise is moved into a body, out of it or past another such statement in it, nor dropped as long as the path matters.

Names. A name is `hint.number`, assigned once in the whole function; the hint is the user's name for the value and the
raising gives it back. A name assigned inside a branch may be used outside of it only under the same test (the
reverse sweep of an `if` reads what its forward sweep computed; the test of a `try` is its flag, and none is needed
where the handler always raises itself); a name assigned inside a loop is never used outside of it.

Memory. Most names are values. A name whose object is written after it is made (an array with stores, a list that
grows) is a *buffer*: it is read by `Load` and written by `Store`, `Update`, `Append` and `Pop` alone, whose first
argument is the buffer. `Load` yields the value at that moment, a snapshot: whoever prints the text copies where a
later write would change it.

Before and after, for `def f(x): return x * np.sin(x)`:

    function f(x.0)
      sin.1 = numpy.sin(x.0)                      # 1
      mul.2 = operator.mul(x.0, sin.1)            # 1
      yield mul.2
"""

from __future__ import annotations

import builtins
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from srcgrad.types import Type


@dataclass(frozen=True, slots=True)
class Origin:
    """The primal line that a statement came from, and the sweep that it belongs to.

    `line` counts from 1 in the user's file (0: none), `text` is the statement's first line as the user wrote it,
    `sweep` is "forward" or "reverse".
    """

    line: int = 0
    text: str = ""
    sweep: str = "forward"


# Atoms


@dataclass(frozen=True, slots=True)
class Var:
    """A use of a single-assignment name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, slots=True)
class Const:
    """A literal, or an object that the compiler knows: a slice, a dtype, a module's constant.

    Two constants are equal when they have the same type and the same value bit for bit: -0.0 is not 0.0, 1 is not True.
    """

    value: Any

    def __str__(self) -> str:
        return repr(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Const) and _const_key(self.value) == _const_key(other.value)

    def __hash__(self) -> int:
        return hash(_const_key(self.value))


_LITERALS = (bool, int, float, complex, str, bytes)


def _const_key(value: Any) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return ("tuple", *(_const_key(item) for item in value))
    if isinstance(value, slice):
        return ("slice", _const_key(value.start), _const_key(value.stop), _const_key(value.step))
    if value is None or isinstance(value, _LITERALS):
        return (type(value), repr(value))
    return ("object", id(value))


class Undefined:
    """The value of a name on a path that does not assign it: nothing is printed for it."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Const(Undefined())

Atom = Var | Const


# Operations


@dataclass(frozen=True, slots=True)
class Fn:
    """A call of a known Python callable. Operators are those of module `operator`, printed as such:
    `operator.add` as `x + y`, `operator.getitem` as `x[i]`, `operator.not_`, `operator.is_`, ..."""

    target: Callable[..., Any]

    def __str__(self) -> str:
        module = getattr(self.target, "__module__", None) or "builtins"
        name = getattr(self.target, "__qualname__", "") or getattr(self.target, "__name__", repr(self.target))
        if name.startswith("ufunc."):  # a method of one
            name = f"{getattr(self.target, '__self__', self.target).__name__}.{name.partition('.')[2]}"
        return name if module == "builtins" else f"{module.lstrip('_')}.{name}"


@dataclass(frozen=True, slots=True)
class Attr:
    """Reading an attribute of the first argument: `x.T`, `x.shape`."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True, slots=True)
class Method:
    """Calling a method of the first argument: `x.sum(axis=0)`."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}()"


@dataclass(frozen=True, slots=True)
class Make:
    """Building a `tuple`, `list`, `slice` (always three arguments), `dict` (keys and values in turn) or `fstring`
    (the pieces)."""

    kind: str

    def __str__(self) -> str:
        return f"make_{self.kind}"


@dataclass(frozen=True, slots=True)
class Global:
    """The object that a global name, or a cell of the closure, has when the call starts."""

    name: str

    def __str__(self) -> str:
        return f"global {self.name}"


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of a function that the compiler wrote, by its name: a recursive one, or a large one."""

    name: str

    def __str__(self) -> str:
        return f"invoke {self.name}"


@dataclass(frozen=True, slots=True)
class Load:
    """Reads memory: arguments are the buffer and one index for every indexed step of `path`.

    `path` is the way from the buffer to the part: "[]" subscripts, "." takes the field of an object that the index
    names, ".T" an attribute of an array, "reshape" a view of the shape that the index gives. Empty: the whole.
    """

    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "load" + "".join(self.path)


@dataclass(frozen=True, slots=True)
class Store:
    """`buffer[path] = value`: arguments are the buffer, the indices of `path`, the value. No target.

    With an empty path the whole array is overwritten: `buffer[...] = value`.
    """

    path: tuple[str, ...] = ("[]",)

    def __str__(self) -> str:
        return "store" + "".join(self.path)


@dataclass(frozen=True, slots=True)
class Update:
    """`buffer[path] op= value`, `operator` being `operator.iadd`, `isub`, `imul`, `itruediv`, ... No target.

    With an empty path, `buffer op= value`. `unique=False`: the index may hold an element twice and every occurrence
    counts (`np.add.at`); only adjoints need that.
    """

    path: tuple[str, ...]
    operator: Callable[[Any, Any], Any] = operator.iadd
    unique: bool = True

    def __str__(self) -> str:
        return f"{self.operator.__name__}{''.join(self.path)}{'' if self.unique else ' repeated'}"


@dataclass(frozen=True, slots=True)
class Append:
    """`buffer[path].append(value)`; `placed`: `buffer[path].insert(position, value)`. No target."""

    path: tuple[str, ...] = ()
    placed: bool = False

    def __str__(self) -> str:
        return ("insert" if self.placed else "append") + "".join(self.path)


@dataclass(frozen=True, slots=True)
class Pop:
    """`target = buffer[path].pop()`; `placed`: `target = buffer[path].pop(position)`; `keyed`: the same of a dict."""

    path: tuple[str, ...] = ()
    placed: bool = False
    keyed: bool = False

    def __str__(self) -> str:
        return ("take" if self.placed else "pop") + "".join(self.path)


@dataclass(frozen=True, slots=True)
class Raise:
    """`raise exception`, or `raise exception from cause`; without an argument, `raise` in a handler. No target."""

    def __str__(self) -> str:
        return "raise"


@dataclass(frozen=True, slots=True)
class Assert:
    """`assert test, message`. No target."""

    def __str__(self) -> str:
        return "assert"


@dataclass(frozen=True, slots=True)
class Enter:
    """`with manager as target:` begins: the first argument is the manager. Without an argument, `try:` begins."""

    def __str__(self) -> str:
        return "enter"


@dataclass(frozen=True, slots=True)
class Exit:
    """The `with` or `try` statement that was begun last in this block ends. No target, no argument.

    `last` is False where only the body of a `try` ends: what follows is its `finally`.
    """

    last: bool = True

    def __str__(self) -> str:
        return "exit" if self.last else "finally"


Op = Enter | Exit | Fn | Attr | Method | Make | Global | Invoke | Load | Store | Update | Append | Pop | Raise | Assert


# Statements


@dataclass(frozen=True, slots=True)
class Block:
    stmts: tuple[Stmt, ...] = ()
    results: tuple[Atom, ...] = ()


@dataclass(frozen=True, slots=True)
class Let:
    """`effect`: the call may do more than compute its result (print, a callable of unknown kind); it is neither
    moved, nor dropped, nor repeated."""

    target: str | None
    op: Op
    args: tuple[Atom, ...] = ()
    keywords: tuple[tuple[str, Atom], ...] = ()
    origin: Origin = Origin()
    effect: bool = False


@dataclass(frozen=True, slots=True)
class If:
    targets: tuple[str, ...]
    test: Atom
    then: Block
    orelse: Block
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Try:
    """`body` runs; where it raises what `caught` names, `handler` takes its place, in which `error` is the exception.

    The first target is true after the handler, false after the body; the blocks yield the others.
    """

    targets: tuple[str, ...]
    body: Block
    caught: Atom
    error: str
    handler: Block
    origin: Origin = Origin()

    @property
    def raised(self) -> str:
        return self.targets[0]


@dataclass(frozen=True, slots=True)
class For:
    targets: tuple[str, ...]
    params: tuple[str, ...]
    inits: tuple[Atom, ...]
    variable: str
    iterable: Atom
    body: Block
    stops: bool = False
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class While:
    """`test` computes the condition, its one result, from `params` before every iteration."""

    targets: tuple[str, ...]
    params: tuple[str, ...]
    inits: tuple[Atom, ...]
    test: Block
    body: Block
    stops: bool = False
    origin: Origin = Origin()


Loop = For | While
Branch = If | Try
Stmt = Let | If | Try | For | While

Structure = Any  # what the results make up: "leaf", or a tuple, list or dict of structures


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter: its single-assignment name; `kind` as in `inspect.Parameter`; `default` is source text or None."""

    name: str
    kind: int = 1
    default: str | None = None


@dataclass(frozen=True)
class Function:
    """One function. `types` maps every name of it to what is known of its value; `globals` lists the names that
    `Global` reads; `structure` says how the results, which are flat, make up the value returned."""

    name: str
    params: tuple[Param, ...]
    body: Block
    types: Mapping[str, Type] = field(default_factory=dict)
    structure: Structure = "leaf"
    file: str = "<unknown>"
    line: int = 0
    doc: str = ""

    @cached_property
    def use_counts(self) -> Counter[str]:
        """How often every name is used; to be copied before it is changed."""
        return Counter(uses(self.body))

    @cached_property
    def written(self) -> frozenset[str]:
        """The buffers that are written to."""
        return frozenset(name for stmt in walk(self.body) if (name := written_buffer(stmt)) is not None)


# Facts about operations

INDEXED = ("[]", ".", "reshape")  # the steps of a path that take an index
PURE_BUILDERS = (Make, Attr)
_WRITERS = (Store, Update, Append, Pop)
_READERS = (Load, Pop, Update)
_EFFECTS = (*_WRITERS, Raise, Assert, Enter, Exit)


def hint(name: str) -> str:
    """The user's part of a name: `hint("y.3")` is `"y"`."""
    return name.partition(".")[0]


def written_buffer(stmt: Stmt) -> str | None:
    """The buffer that a statement itself writes to, or None."""
    if isinstance(stmt, Let) and type(stmt.op) in _WRITERS:
        buffer = stmt.args[0]
        assert isinstance(buffer, Var)
        return buffer.name
    return None


def read_buffer(stmt: Stmt) -> str | None:
    """The buffer whose memory a statement itself reads, or None."""
    if isinstance(stmt, Let) and isinstance(stmt.op, _READERS):
        buffer = stmt.args[0]
        assert isinstance(buffer, Var)
        return buffer.name
    return None


def joins(stmt: Branch) -> list[tuple[str, Atom, Atom]]:
    """The names that a branch joins, with what they are where its test is true and where it is false."""
    then, orelse = (stmt.then, stmt.orelse) if isinstance(stmt, If) else (stmt.handler, stmt.body)
    return list(zip(stmt.targets[isinstance(stmt, Try) :], then.results, orelse.results, strict=True))


def holder_of(let: Let) -> tuple[Load, tuple[Atom, ...]]:
    """What a store or an update changes a part of: the load of that array or container, with its arguments."""
    assert isinstance(let.op, Store | Update)
    path = let.op.path[:-1]
    return Load(path), let.args[: 1 + sum(step in ("[]", ".", "reshape") for step in path)]


def flows(stmt: Branch | Loop) -> list[tuple[str, Atom, Atom]]:
    """The names that a branch joins or a loop carries, each with the two atoms that it may come to stand for."""
    if isinstance(stmt, Branch):
        return joins(stmt)
    rows = zip(stmt.targets[stmt.stops :], stmt.params, stmt.inits, stmt.body.results[stmt.stops :], strict=True)
    return [(name, init, result) for target, param, init, result in rows for name in (target, param)]


def polarities(stmt: Branch) -> tuple[bool, bool]:
    """Under which value of a branch's test each of its blocks runs, in the order of `blocks`."""
    return (True, False) if isinstance(stmt, If) else (False, True)


def always_raises(block: Block) -> bool:
    """Whether no path leads to the end of a block."""
    last = block.stmts[-1] if block.stmts else None
    if isinstance(last, If):
        return all(map(always_raises, blocks(last)))
    return isinstance(last, Let) and isinstance(last.op, Raise)


def test_of(stmt: Branch) -> Atom:
    """What says which block of a branch has run."""
    return stmt.test if isinstance(stmt, If) else Var(stmt.raised)


def has_effect(let: Let) -> bool:
    """Whether a let does more than compute its target."""
    return let.effect or isinstance(let.op, _EFFECTS)


# Walking


def variables(atoms: Iterable[Atom]) -> Iterator[str]:
    return (atom.name for atom in atoms if isinstance(atom, Var))


def own_atoms(stmt: Stmt) -> tuple[Atom, ...]:
    """The atoms that a statement itself uses, without those inside of its blocks."""
    match stmt:
        case Let():
            return stmt.args + tuple(atom for _, atom in stmt.keywords) if stmt.keywords else stmt.args
        case If():
            return (stmt.test,)
        case Try():
            return (stmt.caught,)
        case For():
            return (*stmt.inits, stmt.iterable)
        case While():
            return stmt.inits


def blocks(stmt: Stmt) -> tuple[Block, ...]:
    """The blocks of a statement, in the order in which they run."""
    match stmt:
        case Let():
            return ()
        case If():
            return (stmt.then, stmt.orelse)
        case Try():
            return (stmt.body, stmt.handler)
        case For():
            return (stmt.body,)
        case While():
            return (stmt.test, stmt.body)


def defined(stmt: Stmt) -> tuple[str, ...]:
    """The names that a statement itself defines for what follows it."""
    match stmt:
        case Let():
            return () if stmt.target is None else (stmt.target,)
        case _:
            return stmt.targets


def walk(block: Block) -> Iterator[Stmt]:
    """Every statement of a block, those inside of others included, in the order of the text."""
    for stmt in block.stmts:
        yield stmt
        if not isinstance(stmt, Let):
            for inner in blocks(stmt):
                yield from walk(inner)


def uses(block: Block) -> Iterator[str]:
    """Every use of a name in a block, results of the blocks included, with repetitions."""
    found: list[str] = []
    _collect_uses(block, found)
    found.extend(variables(block.results))
    return iter(found)


def _collect_uses(block: Block, found: list[str]) -> None:
    for stmt in block.stmts:
        for atom in own_atoms(stmt):
            if isinstance(atom, Var):
                found.append(atom.name)
        if not isinstance(stmt, Let):
            inner = blocks(stmt)
            for each in inner:
                found.extend(variables(each.results))
            for each in inner:
                _collect_uses(each, found)


def definitions(block: Block) -> Iterator[str]:
    """Every name that is defined somewhere in a block, with parameters and variables of loops, and exceptions."""
    for stmt in walk(block):
        if isinstance(stmt, Let):
            if stmt.target is not None:
                yield stmt.target
            continue
        yield from stmt.targets
        if isinstance(stmt, Loop):
            yield from stmt.params
        if isinstance(stmt, For):
            yield stmt.variable
        if isinstance(stmt, Try):
            yield stmt.error


class Names:
    """Makes names that are new in one function: `fresh("y")` gives `y.7`."""

    def __init__(self, start: int = 0) -> None:
        self._next = start

    @property
    def count(self) -> int:
        """How many names there are so far, and so, about how many lets."""
        return self._next

    @classmethod
    def after(cls, function: Function) -> Names:
        names = [param.name for param in function.params] + list(definitions(function.body))
        return cls(1 + max((int(name.partition(".")[2]) for name in names), default=-1))

    def fresh(self, hint: str) -> str:
        name = f"{hint}.{self._next}"
        self._next += 1
        return name


# Verification


class InvalidIR(AssertionError):
    """A pass made a function that breaks a rule of this module: a defect of the compiler."""


def verify(function: Function) -> Function:
    """The function itself, when it keeps the rules of this module; raises `InvalidIR` when not."""
    _Verifier(function).run()
    return function


class _Verifier:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.assigned: set[str] = set()
        self.under: dict[tuple[str, bool], set[str]] = {}

    def run(self) -> None:
        scope: set[str] = set()
        for param in self.function.params:
            self.define(param.name, scope)
        self.block(self.function.body, scope)

    def fail(self, message: str, stmt: Stmt | None = None) -> None:
        where = f" in\n{dump_stmt(stmt)}" if stmt is not None else ""
        raise InvalidIR(f"{self.function.name}: {message}{where}")

    def define(self, name: str, scope: set[str], stmt: Stmt | None = None) -> None:
        if name in self.assigned:
            self.fail(f"{name} is assigned twice", stmt)
        self.assigned.add(name)
        scope.add(name)

    def use(self, atoms: Iterable[Atom], scope: set[str], stmt: Stmt | None = None) -> None:
        for name in variables(atoms):
            if name not in scope:
                self.fail(f"{name} is used where it is not defined", stmt)

    def block(self, block: Block, scope: set[str]) -> None:
        for stmt in block.stmts:
            self.use(own_atoms(stmt), scope, stmt)
            getattr(self, f"_{type(stmt).__name__.lower()}")(stmt, scope)
            for name in defined(stmt):
                self.define(name, scope, stmt)
        self.use(block.results, scope)

    def _let(self, let: Let, scope: set[str]) -> None:
        if isinstance(let.op, Load | Store | Update | Append | Pop):
            if not let.args or not isinstance(let.args[0], Var):
                self.fail("memory is read and written through a name", let)
            indices = sum(step in INDEXED for step in let.op.path)
            placed = isinstance(let.op, Append | Pop) and let.op.placed
            if len(let.args) != 1 + indices + placed + (not isinstance(let.op, Load | Pop)):
                self.fail("as many indices as the path has subscripts", let)
        writes_only = isinstance(let.op, Store | Update | Append | Raise | Assert | Exit)
        if writes_only != (let.target is None):
            self.fail("a target for what computes a value, none for what does not", let)

    def _if(self, stmt: If, scope: set[str]) -> None:
        for polarity, inner in ((True, stmt.then), (False, stmt.orelse)):
            if len(inner.results) != len(stmt.targets):
                self.fail("a branch yields as many values as there are targets", stmt)
            known = self.under.get((str(stmt.test), polarity), set())
            branch = scope | known
            self.block(inner, branch)
            known = self.under.get((str(stmt.test), polarity), set())
            self.under[str(stmt.test), polarity] = known | (branch - scope)

    def _try(self, stmt: Try, scope: set[str]) -> None:
        for inner in blocks(stmt):
            if len(inner.results) != len(stmt.targets) - 1:
                self.fail("a block of a `try` yields as many values as there are targets after the flag", stmt)
        for polarity, inner in zip(polarities(stmt), blocks(stmt), strict=True):
            branch = set(scope)
            if polarity:
                self.define(stmt.error, branch, stmt)
            self.block(inner, branch)
            self.under[str(test_of(stmt)), polarity] = branch - scope
        if always_raises(stmt.handler):
            scope |= self.under[str(test_of(stmt)), False]

    def _for(self, stmt: For, scope: set[str]) -> None:
        inner = set(scope)
        self.define(stmt.variable, inner, stmt)
        self.loop(stmt, inner)
        self.block(stmt.body, inner)

    def _while(self, stmt: While, scope: set[str]) -> None:
        inner = set(scope)
        self.loop(stmt, inner)
        if len(stmt.test.results) != 1:
            self.fail("a test yields one value", stmt)
        self.block(stmt.test, inner)
        self.block(stmt.body, inner)

    def loop(self, stmt: For | While, inner: set[str]) -> None:
        carried = len(stmt.params)
        if not carried == len(stmt.inits) == len(stmt.targets) - stmt.stops == len(stmt.body.results) - stmt.stops:
            self.fail("a loop has a start, a parameter, a result and a target for every carried value", stmt)
        for param in stmt.params:
            self.define(param, inner, stmt)


# Textual dump


def dump(function: Function) -> str:
    """The function as text, for reading; types are given after a colon where they are known."""
    params = ", ".join(_typed(param.name, function.types) for param in function.params)
    return "\n".join([f"function {function.name}({params})", *_dump_block(function.body, "  ", function.types)])


def dump_stmt(stmt: Stmt) -> str:
    return "\n".join(_dump(stmt, "  ", {}))


def _typed(name: str, types: Mapping[str, Type]) -> str:
    return f"{name}: {types[name]}" if name in types else name


def _dump_block(block: Block, indent: str, types: Mapping[str, Type]) -> list[str]:
    lines = [line for stmt in block.stmts for line in _dump(stmt, indent, types)]
    return [*lines, f"{indent}yield {', '.join(map(str, block.results))}".rstrip()]


def _dump(stmt: Stmt, indent: str, types: Mapping[str, Type]) -> list[str]:
    targets = ", ".join(_typed(name, types) for name in defined(stmt))
    left = f"{indent}{targets} = " if targets else indent
    deeper = indent + "  "
    match stmt:
        case Let():
            args = [str(arg) for arg in stmt.args] + [f"{key}={atom}" for key, atom in stmt.keywords]
            mark = "" if stmt.origin.sweep == "forward" else "'"
            return [f"{left}{stmt.op}({', '.join(args)})  # {stmt.origin.line}{mark}"]
        case If():
            then, orelse = (_dump_block(inner, deeper, types) for inner in blocks(stmt))
            return [f"{left}if {stmt.test}", *then, f"{indent}else", *orelse]
        case Try():
            body, handler = (_dump_block(inner, deeper, types) for inner in blocks(stmt))
            return [f"{left}try", *body, f"{indent}except {stmt.caught} as {stmt.error}", *handler]
        case For():
            head = f"{left}for {stmt.variable} in {stmt.iterable}{_carried(stmt)}"
            return [head, *_dump_block(stmt.body, deeper, types)]
        case While():
            test, body = (_dump_block(inner, deeper, types) for inner in blocks(stmt))
            return [f"{left}while{_carried(stmt)}", *test, f"{indent}do", *body]


def _carried(stmt: For | While) -> str:
    pairs = ", ".join(f"{param} = {init}" for param, init in zip(stmt.params, stmt.inits, strict=True))
    return (f" with {pairs}" if pairs else "") + (" stops" if stmt.stops else "")


def is_builtin(value: object) -> bool:
    """Whether a callable is one of Python's own built-in functions and types."""
    name = getattr(value, "__name__", None)
    return isinstance(name, str) and getattr(builtins, name, None) is value
