"""Lowering of calls. Operations that have a rule, and NumPy's functions, are primitives; functions of the user's are
lowered in line, so that their derivative is that of their statements."""

from __future__ import annotations

import functools
import inspect
import operator
import types as python_types
from collections.abc import Mapping
from typing import Any, NamedTuple

import gast
import numpy as np

from srcgrad import runtime
from srcgrad.errors import AliasedWrite, NoRule, SourceUnavailable
from srcgrad.frontend.base import is_mixed, is_of_library, is_users_own
from srcgrad.frontend.binding import bind, declared_nonlocal, names_read
from srcgrad.frontend.scope import RESULT, assigned_names, inner_writes, may_fall_off
from srcgrad.frontend.source import Source, source_of
from srcgrad.frontend.values import (
    Bound,
    Choice,
    Closure,
    Compound,
    Frame,
    Partial,
    Star,
    Value,
    cell,
    is_cell,
    is_undefined,
)
from srcgrad.frontend.writers import MUTATING_METHODS, Writers
from srcgrad.ir import Atom, Const, Fn, Method, Var
from srcgrad.rules.rule import Key, registry
from srcgrad.types import Type, fields_of

_PRIMITIVE_PACKAGES = (
    "numpy", "math", "builtins", "operator", "_operator", "scipy", "cmath", "random", "srcgrad.runtime",
)  # fmt: skip
_WITHOUT_EFFECT = (np.ndarray, str, int, complex)  # no method of theirs changes more than its object
_MAX_DEPTH = 300  # of functions lowered in line; deeper is recursion


class Form(NamedTuple):
    """The positional parameters of a function that have no default, and whether it takes any number of others."""

    needed: list[str]
    rest: bool


class Calls(Writers):
    def _expr_call(self, node: gast.Call) -> Value:
        if isinstance(node.func, gast.Attribute):
            owner = self.expression(node.func.value)
            if isinstance(owner, Var) and self.builder.type(owner).kind != "record":
                return self._applied(node, Bound(node.func.attr, owner), self.items(node.args), self.keywords(node))
            callee = self.method_of(node, node.func.attr, owner)
        else:
            callee = self.expression(node.func)
        if callee == Const(super) and not node.args:
            return self.enclosing_class(node)
        return self._applied(node, callee, self.items(node.args), self.keywords(node))

    # Stars of unknown length

    def _applied(self, node: gast.Call, callee: Value, given: list[Value], keywords: dict[str, Value]) -> Value:
        args = self._numbered(node, callee, given, keywords)
        if args is None or not self._spelled(node, callee, args, keywords):
            return self.offended()
        return self.apply(node, callee, args, keywords)

    def _spelled(self, node: gast.Call, callee: Value, args: list[Value], keywords: dict[str, Value]) -> bool:
        """Puts the parameters that a function needs in the place of `**` of a dict whose keys are not known.

        False where these are not known either, which is refused.
        """
        star = keywords.pop("**", None)
        if not isinstance(star, Star):
            return True
        form = self._form(callee)
        if form is None:
            self.refuse(star.node, "`**` of a dict whose keys are not known", "write the keywords")
            return False
        missing = [name for name in form.needed[len(args) :] if name not in keywords]
        table = self.as_atom(star.value, star.node)
        test = self.builder.fn(operator.ne, self.builder.fn(len, table), Const(len(missing)))
        self.raise_if(test, TypeError, f"the call needs the arguments {', '.join(missing)} from `**`")
        keywords.update({name: self.builder.fn(operator.getitem, table, Const(name)) for name in missing})
        return True

    def _numbered(
        self, node: gast.Call, callee: Value, args: list[Value], keywords: dict[str, Value]
    ) -> list[Value] | None:
        """The arguments of a call, of which one may be a star: it has as many elements as the function needs.

        None where that is not known, which is refused.
        """
        stars = [arg for arg in args if isinstance(arg, Star)]
        if not stars:
            return args
        if len(args) == 1 and callee == Const(zip):
            return args
        if len(args) == 1 and isinstance(callee, Bound) and callee.function in ("reshape", "transpose"):
            return [self.in_order(stars[0].value, node)]
        if len(args) == 1 and callee in (Const(max), Const(min)):
            sequence = self.in_order(stars[0].value, node)
            test = self.builder.fn(operator.lt, self.builder.fn(len, sequence), Const(2))
            self.raise_if(test, TypeError, "one value, and no others to compare it with")
            return [sequence]
        form = self._form(callee)
        if form is None or len(stars) > 1:
            self.refuse(stars[0].node, "the number of elements of this starred argument is not known",
                        "name the arguments: `a, b = values` before the call")  # fmt: skip
            return None
        position = args.index(stars[0])
        needed = [name for name in form.needed if name not in keywords]
        count = max(len(needed) - len(args) + 1, 0)
        if not form.rest:
            items = self._taken(node, stars[0].value, count)
            return [*args[:position], *items, *args[position + 1 :]]
        if position < len(args) - 1:
            self.refuse(stars[0].node, "a starred argument of unknown length before others for `*` of the function",
                        "pass a list")  # fmt: skip
            return None
        return [*args[:position], *self._taken(node, stars[0].value, count, True)]

    def _taken(self, node: gast.AST, value: Value, count: int, rest: bool = False) -> list[Value]:
        """So many elements of a sequence, which has no others but where the `rest` is taken, too."""
        sequence = self.in_order(value, node)
        if count or not rest:
            test = self.builder.fn(operator.lt if rest else operator.ne, self.builder.fn(len, sequence), Const(count))
            self.raise_if(test, TypeError, f"the call needs {count} values from its starred argument")
        items: list[Value] = [self.builder.fn(operator.getitem, sequence, Const(k)) for k in range(count)]
        if rest:
            others = self.builder.fn(operator.getitem, sequence, Const(slice(count, None))) if count else sequence
            items.append(Star(self.listed(others, node), node))
        return items

    def _form(self, callee: Value) -> Form | None:
        """How many arguments a function needs; None where that is not known."""
        match callee:
            case Closure():
                signature = callee.node.args
                positional = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
                if signature.vararg is not None and signature.defaults:
                    return None
                return Form(positional[: len(positional) - len(signature.defaults)], signature.vararg is not None)
            case Bound() if not isinstance(callee.function, str):
                form = self._form(self._function(callee.function))
                return None if form is None else Form(form.needed[1:], form.rest)
            case Partial():
                form = self._form(callee.function)
                fixed = dict(callee.keywords)
                return form and Form([n for n in form.needed[len(callee.args) :] if n not in fixed], form.rest)
            case Choice():
                forms = self._form(callee.then), self._form(callee.orelse)
                return forms[0] if forms[0] == forms[1] else None
            case Const():
                return _form_of(callee.value)
        return None

    def in_order(self, value: Value, node: gast.AST) -> Atom:
        """A sequence that can be indexed, of what a loop over a value gives."""
        raise NotImplementedError

    def raise_if(self, test: Atom, kind: type[Exception], message: str) -> None:
        raise NotImplementedError

    def keywords(self, node: gast.Call) -> dict[str, Value]:
        """The keyword arguments of a call; `**` spread."""
        found: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.expression(keyword.value)
            if keyword.arg is not None:
                found[keyword.arg] = value
                continue
            pairs = self.pairs(value)
            if pairs is None:
                found["**"] = Star(value, keyword.value)
                continue
            found.update({str(key): item for key, item in pairs})
        return found

    def method_of(self, node: gast.Call, name: str, owner: Value) -> Value:
        """The method that a call names."""
        return self.attribute(node.func, name, owner)

    def enclosing_class(self, node: gast.Call) -> Value:
        raise NotImplementedError

    def apply(self, node: gast.AST, callee: Value, args: list[Value], keywords: dict[str, Value]) -> Value:
        """The value of a call of a value."""
        match callee:
            case Closure():
                return self._call_closure(node, callee, args, keywords)
            case Bound() if isinstance(callee.function, str):
                return self.method(node, callee.function, callee.owner, args, keywords)
            case Bound():
                return self.apply(node, self._function(callee.function), [callee.owner, *args], keywords)
            case Partial():
                return self.apply(node, callee.function, [*callee.args, *args], dict(callee.keywords) | keywords)
            case Choice():
                choice = callee
                return self.either(
                    choice.test,
                    lambda: self.apply(node, choice.then, args, keywords),
                    lambda: self.apply(node, choice.orelse, args, keywords),
                    "_choice",
                )
            case Const(value=python_types.BuiltinMethodType(__self__=str() as text, __name__=name)):
                return self.method(node, name, Const(text), args, keywords)
            case Const():
                return self.call(node, callee.value, args, keywords)
            case Var() if self.builder.type(callee).kind == "callable":
                return self.call(node, self.builder.type(callee).value, args, keywords)
        method = self.special_method(callee, "__call__")
        if method is not None:
            return self.apply(node, method, args, keywords)
        if self.is_refused(callee):
            return callee
        return self.refuse(node, "the called value is not known before the call", "call a function by its name", NoRule)

    def _function(self, function: Any) -> Value:
        return function if isinstance(function, Closure | Compound) else Const(function)

    def _call_closure(self, node: gast.AST, callee: Closure, args: list[Value], keywords: dict[str, Value]) -> Value:
        if not callee.targets <= self.targets and callee.targets & names_read(callee.node):
            return self.refuse(node, "this function reads the variable of a comprehension that has ended",
                               "bind it as a default: `lambda x, k=k: ...`")  # fmt: skip
        self.defaults[id(callee.node)] = dict(callee.defaults)
        return self.inline(node, callee.node, callee.frame.source, callee.frame, args, keywords)

    # Methods

    def method(
        self, node: gast.AST, name: str, owner: Value, values: list[Value], named: dict[str, Value]
    ) -> Value:
        """A call of a method of a value of the running program."""
        known = self.known_method(node, name, owner, values, named)
        if known is not None:
            return known
        owner = self.as_atom(owner, node)
        changing = self.changing_method(node, name, owner, values, named) if isinstance(owner, Var) else None
        if changing is not None:
            return changing
        args = [self.as_atom(value, node) for value in values]
        keywords = [(key, self.as_atom(value, node)) for key, value in named.items()]
        kind = self.builder.type(owner).kind
        changed = self.writing_method(node, name, owner, args, keywords)
        if changed is not None:
            return changed
        if name in MUTATING_METHODS and kind in ("list", "array", "unknown", "object", "tuple"):
            problem = f"`.{name}()` changes its object in place"
            return self.refuse(node, problem, "use a function that returns a new one", AliasedWrite)
        pure = registry.get(Key("method", name)) is not None or kind in ("array", "scalar", "str")
        pure = pure or (kind == "list" and name in ("index", "count"))
        pure = pure or (kind == "unknown" and any(hasattr(owner, name) for owner in _WITHOUT_EFFECT))
        return self.builder.let(Method(name), [owner, *args], keywords, effect=not pure)

    def known_method(
        self, node: gast.AST, name: str, owner: Value, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        """What a method comes to that the compiler runs itself; None where the running program does."""
        raise NotImplementedError

    def changing_method(
        self, node: gast.AST, name: str, owner: Var, args: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        """What a method of a container comes to that changes it; None for all others."""
        raise NotImplementedError

    # Functions

    def call(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        special = self.special(node, callee, args, keywords)
        if special is not None:
            return special
        if callee is np.gradient:
            return self._gradient(node, args, keywords)
        if self._is_primitive(callee):
            return self.primitive(node, callee, args, keywords)
        return self._user_function(node, callee, args, keywords)

    def special(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """What a call comes to that the compiler runs itself; None for all others."""
        raise NotImplementedError

    def _is_primitive(self, callee: Any) -> bool:
        if callee in (runtime.add_item, runtime.add_to_list, runtime.add_into, runtime.stored):
            return False  # written in code that is lowered in line
        if registry.get(callee) is not None or isinstance(callee, type):
            return True
        if is_of_library(callee):
            return True
        module = getattr(callee, "__module__", None) or type(callee).__module__
        if isinstance(callee, python_types.FunctionType) and module == "builtins":
            return False  # made by `exec` in a namespace without a name
        return any(module == package or module.startswith(package + ".") for package in _PRIMITIVE_PACKAGES)

    def primitive(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Atom:
        atoms = [self.as_atom(arg, node) for arg in args]
        named = [(key, self.as_atom(value, node)) for key, value in keywords.items()]
        if is_users_own(Const(callee)):
            function = self.runtime_object(callee, callee.__name__)
            return self.builder.let(Fn(operator.call), [function, *atoms], named, effect=True)
        written = self.writing_function(node, callee, atoms, named)
        if written is not None:
            return written
        if isinstance(node, gast.Call) and len(node.args) == len(atoms):
            for arg, atom in zip(node.args, atoms, strict=True):
                self._displayed(arg, atom, callee in (np.array, np.asarray))
        atoms, named = self._arrays_for(callee, atoms, named)
        return self.builder.let(Fn(callee), atoms, named, effect=_may_act(callee))

    def _gradient(self, node: gast.AST, args: list[Value], keywords: dict[str, Value]) -> Value:
        """`np.gradient` along several axes: one after the other."""
        first, *steps = args
        f = self.as_array(self.as_atom(first, node))
        rank, axis = self.builder.type(f).rank, keywords.get("axis", Const(None))
        axes: list[Value] | None = self.spread(axis)
        if axis == Const(None):
            axes = [Const(i) for i in range(len(steps) if rank is None else rank)]
        if axes is None or len(axes) < 2 or len(steps) not in (0, 1, len(axes)):
            return self.primitive(node, np.gradient, [f, *steps], keywords)
        each = steps if len(steps) > 1 else steps * len(axes) or [Const(1)] * len(axes)
        found = [
            self.primitive(node, np.gradient, [f, step], {**keywords, "axis": axis})
            for step, axis in zip(each, axes, strict=True)
        ]
        return tuple(found)

    def _arrays_for(
        self, callee: Any, atoms: list[Atom], named: list[tuple[str, Atom]]
    ) -> tuple[list[Atom], list[tuple[str, Atom]]]:
        """The operands of a call, lists made arrays where NumPy's function takes them for arrays: so does its rule."""
        rule = registry.get(callee)
        if rule is None or not _is_numpy(callee):
            return atoms, named
        wanted = [name for name in rule.differentiable if name not in rule.sequences]
        places = [name in wanted for name in rule.parameters]
        given = [self.as_array(atom) if is_array else atom for atom, is_array in zip(atoms, places, strict=False)]
        by_name = [(key, self.as_array(atom) if key in wanted else atom) for key, atom in named]
        return [*given, *atoms[len(given) :]], by_name

    def _displayed(self, node: gast.AST, atom: Atom, numbers: bool) -> Type:
        """The type of an argument; of a list written out in the call, which nobody else sees, with its items' types.

        `numbers`: no integer in it is a position or a size, which count by their values, and types have no values.
        """
        let = self.builder.last(atom.name) if isinstance(node, gast.List) and isinstance(atom, Var) else None
        if let is None or len(let.args) != len(node.elts):
            return self.builder.type(atom)
        pairs = zip(node.elts, let.args, strict=True)
        items = tuple(self._displayed(element, item, numbers) for element, item in pairs)
        assert isinstance(atom, Var)
        if not all(item.kind == "tuple" or item.differentiable or (numbers and item.numeric) for item in items):
            return self.builder.type(atom)
        self.builder.displays[atom.name] = Type("tuple", items=items)
        return self.builder.displays[atom.name]

    def _user_function(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        if isinstance(callee, functools.partial):
            fixed = [self._constant(value) for value in callee.args]
            merged = {key: self._constant(value) for key, value in callee.keywords.items()} | keywords
            return self.call(node, callee.func, [*fixed, *args], merged)
        if isinstance(callee, python_types.MethodType):
            return self.call(node, callee.__func__, [self._constant(callee.__self__), *args], keywords)
        if isinstance(callee, functools._lru_cache_wrapper):
            return self.call(node, callee.__wrapped__, args, keywords)
        if hasattr(type(callee), "generated_function"):
            generated = callee.generated_function()
            if generated is None:
                return self.refuse(node, "a derivative that reads globals or cells is used inside of another function",
                                   "give it what it reads as arguments")  # fmt: skip
            return self.call(node, generated, args, keywords)
        try:
            source = source_of(callee)
        except SourceUnavailable as error:
            return self.refuse(node, f"no rule and no readable source for `{_name(callee)}`", error.remedy, NoRule)
        return self.inline(node, source.tree, source, None, args, keywords)

    def _constant(self, value: Any) -> Value:
        return self.object_value(value, type(value).__name__.lower())

    # Lowering in line

    def recursive_call(
        self,
        node: gast.AST,
        tree: Any,
        source: Source,
        parent: Frame | None,
        args: list[Value],
        keywords: dict[str, Value],
    ) -> Value | None:
        """The call of a function that is known to be recursive; None for all others."""
        raise NotImplementedError

    def large_call(self, node: gast.AST, tree: Any, bound: Mapping[str, Value]) -> Value | None:
        """The call of a large function that is lowered on its own; None for all others."""
        raise NotImplementedError

    def note_size(self, tree: Any, source: Source, bound: Mapping[str, Value], size: int) -> None:
        """Notes that a function was lowered in line, as so many lets."""
        raise NotImplementedError

    def inline(
        self,
        node: gast.AST,
        tree: gast.FunctionDef | gast.Lambda,
        source: Source,
        parent: Frame | None,
        args: list[Value],
        keywords: dict[str, Value],
    ) -> Value:
        """The value of a call of a function with readable source: its body, here."""
        recursive = self.recursive_call(node, tree, source, parent, args, keywords)
        if recursive is not None:
            return recursive
        if len(self.active_frames) > _MAX_DEPTH:
            return self.refuse(node, f"`{source.name}` is called too deep inside of other functions", "call it earlier")
        if isinstance(tree, gast.AsyncFunctionDef) or _is_generator(tree):
            return self.refuse(node, f"`{source.name}` is a generator or a coroutine", "write an ordinary function")
        name = getattr(tree, "name", "lambda")
        static = bool(self.active_frames) and self.frame.static
        frame = Frame(source, {}, parent, static, "" if static else f"{name}_", tree=tree)
        try:
            bound = self.bind(node, tree, source, parent, args, keywords)
        except TypeError as error:
            return self.refuse(node, f"`{name}` {error}", "match its parameters")
        large = self.large_call(node, tree, bound) if parent is None and not static else None
        if large is not None:
            return large
        frame.environment.update(bound)
        before = self.builder.names.count
        value = self.run(frame, tree)
        if parent is None and not static:
            self.note_size(tree, source, bound, self.builder.names.count - before)
        return value

    def run(self, frame: Frame, tree: gast.FunctionDef | gast.Lambda) -> Value:
        """The value that a function's body returns in a frame whose parameters are bound."""
        caller = self.active_frames[-1].environment if self.active_frames else {}
        frame.environment.update({name: value for name, value in caller.items() if is_cell(name)})
        calling = self.node
        with self.inside(frame):
            result = self._lambda(tree) if isinstance(tree, gast.Lambda) else self._body(tree, frame)
        self.node = calling
        if self.active_frames:
            own = {name: value for name, value in self.frame.environment.items() if not is_cell(name)}
            cells = {name: value for name, value in frame.environment.items() if is_cell(name)}
            self.frame.environment = own | cells
        return result

    def _lambda(self, tree: gast.Lambda) -> Value:
        with self.builder.at(self.origin(tree)):
            self.node = tree
            return self.expression(tree.body)

    def _body(self, tree: gast.FunctionDef, frame: Frame) -> Value:
        self._declare_cells(tree, frame)
        at_end = gast.copy_location(gast.Return(None), tree.body[-1])
        self.body([*tree.body, at_end] if may_fall_off(tree.body) else tree.body)
        result = frame.environment.get(RESULT, Const(None))
        if is_mixed(result):
            return self.refuse(tree, f"`{tree.name}` returns values of different structures", "return one structure")
        return Const(None) if is_undefined(result) else result

    def _declare_cells(self, tree: gast.FunctionDef, frame: Frame) -> None:
        """Gives names of their own to the variables that functions defined inside write."""
        written = inner_writes(tree.body)
        if not written:
            return
        self.made += 1
        for name in assigned_names(tree.body) + list(frame.environment):
            if name in written and name not in declared_nonlocal(tree.body):
                frame.cells[name] = cell(self.made, name)
                if name in frame.environment:
                    frame.environment[frame.cells[name]] = frame.environment.pop(name)

    def bind(
        self,
        node: gast.AST,
        tree: gast.FunctionDef | gast.Lambda,
        source: Source,
        parent: Frame | None,
        args: list[Value],
        keywords: dict[str, Value],
    ) -> dict[str, Value]:
        """The values of the parameters of a call, defaults included; `TypeError` as Python raises it."""

        def default(name: str) -> Value:
            if parent is not None:
                known = self.defaults.get(id(tree), {})
                if name not in known:
                    raise TypeError(f"missing an argument: '{name}'")
                return known[name]
            value = inspect.signature(source.function).parameters[name].default
            if value is inspect.Parameter.empty:
                raise TypeError(f"missing an argument: '{name}'")
            return Const(value) if is_constant(value) else self.object_value(value, name)

        bound = bind(tree, args, keywords, default)
        for name, value in bound.items():
            if isinstance(value, tuple) and any(isinstance(item, Star) for item in value):  # of `*args`
                alone = value[0].value if len(value) == 1 else None
                bound[name] = self.joined_items(list(value), node) if alone is None else alone
        return bound


def _form_of(function: Any) -> Form | None:
    if isinstance(function, np.ufunc):
        return Form([str(k) for k in range(function.nin)], False)
    rule = registry.get(function)
    if rule is not None and rule.form == "elementwise":
        return Form(list(rule.parameters), False)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    written = is_users_own(Const(function)) or isinstance(function, functools.partial | python_types.MethodType)
    if not written and (rest or any(p.default is not p.empty for p in positional)):
        return None  # how many a library's function takes says what it does
    if rest and any(p.default is not p.empty for p in positional):
        return None
    return Form([p.name for p in positional if p.default is p.empty], rest)


def is_constant(value: Any) -> bool:
    """Whether a default is part of the text."""
    return fields_of(value) is None and not isinstance(value, np.ndarray | list | dict)


def _may_act(callee: Any) -> bool:
    """Whether a call may do more than compute a result: what is neither known nor NumPy's."""
    if registry.get(callee) is not None or callee in (isinstance, len, range, slice, type, repr, str, format, reversed):
        return False
    if isinstance(getattr(callee, "__self__", None), np.ufunc):
        return bool(callee.__name__ == "at")
    module = getattr(callee, "__module__", None) or ""
    if module.startswith("numpy") and "random" not in module:
        return False
    return not (
        module in ("math", "operator", "_operator", "srcgrad.runtime")
        or (isinstance(callee, type) and issubclass(callee, BaseException))
        or getattr(callee, "__name__", "") in ("float", "int", "bool", "complex", "tuple", "abs", "round")
    )


def _is_generator(tree: Any) -> bool:
    from_lambda = isinstance(tree, gast.Lambda)
    return not from_lambda and any(isinstance(n, gast.Yield | gast.YieldFrom) for n in gast.walk(tree))


def _is_numpy(callee: Any) -> bool:
    """Whether a function is one of NumPy's or SciPy's, a ufunc's methods among them."""
    function = getattr(callee, "__self__", callee) if not getattr(callee, "__module__", None) else callee
    module = getattr(function, "__module__", None) or type(function).__module__
    return str(module).partition(".")[0] in ("numpy", "scipy")


def _name(callee: Any) -> str:
    return getattr(callee, "__qualname__", None) or getattr(callee, "__name__", None) or repr(callee)
