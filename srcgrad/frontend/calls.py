"""Lowering of calls. Operations that have a rule, and NumPy's functions, are primitives; functions of the user's are
lowered in line, so that their derivative is that of their statements."""

from __future__ import annotations

import functools
import inspect
import operator
import types as python_types
from typing import Any

import gast
import numpy as np

from srcgrad.errors import AliasedWrite, NoRule, SourceUnavailable
from srcgrad.frontend.scope import RESULT, Closure, Frame, Value, is_undefined
from srcgrad.frontend.source import Source, source_of
from srcgrad.frontend.statements import Statements
from srcgrad.ir import Atom, Const, Fn, Method, Op, Store, Update, Var
from srcgrad.rules.rule import Key, registry

_MUTATING_METHODS = frozenset(
    "fill sort partition put resize setflags itemset byteswap setfield extend insert remove clear reverse update "
    "setdefault popitem add discard".split()
)
_MUTATING_FUNCTIONS = frozenset("copyto put put_along_axis place putmask fill_diagonal".split())
_PRIMITIVE_PACKAGES = ("numpy", "math", "builtins", "operator", "_operator", "scipy", "cmath", "random", "srcgrad.runtime")
_TUPLE_BUILDERS = (tuple,)
_MAX_DEPTH = 150  # of functions lowered in line; deeper is recursion


class Calls(Statements):
    def _expr_call(self, node: gast.Call) -> Value:
        if isinstance(node.func, gast.Attribute):
            owner = self.expression(node.func.value)
            if not isinstance(owner, Const | Closure):
                return self.method(node, node.func.attr, self.as_atom(owner, node))
            assert isinstance(owner, Const)
            callee = self.static_attribute(node.func, owner.value)
        else:
            callee = self.expression(node.func)
        args = self.items(node.args)
        if any(keyword.arg is None for keyword in node.keywords):
            return self.refuse(node, "`**` in a call is not supported", "write the keywords")
        keywords = {keyword.arg: self.expression(keyword.value) for keyword in node.keywords}
        if isinstance(callee, Closure):
            return self.inline(node, callee.node, callee.frame.source, callee.frame, args, keywords)
        if isinstance(callee, Const):
            return self.call(node, callee.value, args, keywords)
        return self.refuse(node, "the called value is not known before the call", "call a function by its name", NoRule)

    # Methods

    def method(self, node: gast.Call, name: str, owner: Atom) -> Value:
        args = [self.as_atom(value, node) for value in self.items(node.args)]
        if any(keyword.arg is None for keyword in node.keywords):
            return self.refuse(node, "`**` in a call is not supported", "write the keywords")
        keywords = [(keyword.arg, self.atom(keyword.value)) for keyword in node.keywords]
        kind = self.builder.type(owner).kind
        changed = self.changing_method(node, name, owner, args) if isinstance(owner, Var) and not keywords else None
        if changed is not None:
            return changed
        if name in _MUTATING_METHODS and kind in ("list", "array", "unknown", "object", "tuple"):
            return self.refuse(node, f"`.{name}()` changes its object in place", "use a function that returns a new one",
                               AliasedWrite)  # fmt: skip
        known = registry.get(Key("method", name)) is not None or kind in ("array", "scalar", "str", "unknown")
        if any(key == "out" for key, _ in keywords):
            return self.written_into(node, Method(name), [owner, *args], keywords)
        return self.builder.let(Method(name), [owner, *args], keywords, effect=not known)

    def changing_method(self, node: gast.Call, name: str, owner: Var, args: list[Atom]) -> Value | None:
        raise NotImplementedError

    def written_into(self, node: gast.AST, op: Op, args: list[Atom], named: list[tuple[str, Atom]]) -> Atom:
        """A call with `out=`: the result is stored, `y[...] = f(x)`."""
        (target,) = [atom for key, atom in named if key == "out"]
        if not isinstance(target, Var) or self.builder.type(target).kind not in ("array", "unknown"):
            return self.refuse(node, "`out=` of something that is no array", "assign the result")  # type: ignore[no-any-return]
        value = self.builder.let(op, args, [(key, atom) for key, atom in named if key != "out"])
        self.builder.do(Store(()), target, value)
        return target

    # Functions

    def call(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        special = self._special(node, callee, args, keywords)
        if special is not None:
            return special
        if self._is_primitive(callee):
            return self.primitive(node, callee, args, keywords)
        return self._user_function(node, callee, args, keywords)

    def _special(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value | None:
        """Built-ins whose effect is on the compiler's own values."""
        if callee is len and len(args) == 1 and isinstance(args[0], tuple):
            return Const(len(args[0]))
        if callee is tuple and len(args) == 1:
            items = self.spread(args[0])
            return None if items is None else tuple(items)
        if callee in (max, min) and len(args) > 2 and not keywords:
            first, *rest = args
            for value in rest:
                first = self.primitive(node, callee, [first, value], {})
            return first
        if callee in (locals, globals, vars, exec, eval, setattr, delattr):
            return self.refuse(node, f"`{callee.__name__}` is not supported", "name what you mean")
        return None

    def _is_primitive(self, callee: Any) -> bool:
        if registry.get(callee) is not None or isinstance(callee, type):
            return True
        module = getattr(callee, "__module__", None) or type(callee).__module__
        return any(module == package or module.startswith(package + ".") for package in _PRIMITIVE_PACKAGES)

    def primitive(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Atom:
        atoms = [self.as_atom(arg, node) for arg in args]
        named = [(key, self.as_atom(value, node)) for key, value in keywords.items()]
        if any(key == "out" for key, _ in named):
            return self.written_into(node, Fn(callee), atoms, named)
        if callee is np.copyto and len(atoms) == 2 and not named and isinstance(atoms[0], Var):
            self.builder.do(Store(()), atoms[0], atoms[1])
            return Const(None)
        if getattr(callee, "__name__", "") == "at" and isinstance(getattr(callee, "__self__", None), np.ufunc):
            return self._ufunc_at(node, callee.__self__, atoms)
        if getattr(callee, "__name__", "") in _MUTATING_FUNCTIONS:
            return self.refuse(node, f"`{callee.__name__}` writes into its argument", "assign to a subscript",
                               AliasedWrite)  # type: ignore[no-any-return]  # fmt: skip
        return self.builder.let(Fn(callee), atoms, named, effect=_may_act(callee))

    def _ufunc_at(self, node: gast.AST, ufunc: np.ufunc, atoms: list[Atom]) -> Atom:
        """`np.add.at(y, index, v)`: an augmented store in which every occurrence of an index counts."""
        inplace = {np.add: operator.iadd, np.subtract: operator.isub}.get(ufunc)
        if inplace is None or len(atoms) != 3 or not isinstance(atoms[0], Var):
            return self.refuse(node, f"`np.{ufunc.__name__}.at` is not supported", "loop over the indices")  # type: ignore[no-any-return]
        self.builder.do(Update(("[]",), inplace, False), *atoms)
        return Const(None)

    def _user_function(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Value:
        if isinstance(callee, functools.partial):
            fixed = [self._constant(value) for value in callee.args]
            merged = {key: self._constant(value) for key, value in callee.keywords.items()} | keywords
            return self.call(node, callee.func, [*fixed, *args], merged)
        if isinstance(callee, python_types.MethodType):
            return self.call(node, callee.__func__, [self._constant(callee.__self__), *args], keywords)
        generated = getattr(callee, "__srcgrad_function__", None)
        if generated is not None:
            return self.refuse(node, "the derivative of a function is taken inside of another", "take it outside")
        try:
            source = source_of(callee)
        except SourceUnavailable as error:
            return self.refuse(node, f"no rule and no readable source for `{_name(callee)}`", error.remedy, NoRule)
        return self.inline(node, source.tree, source, None, args, keywords)

    def _constant(self, value: Any) -> Value:
        return Const(value)

    # Lowering in line

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
        depth = sum(frame.source.tree is source.tree for frame in self.active_frames if parent is None)
        if len(self.active_frames) > _MAX_DEPTH or depth:
            return self.refuse(node, f"`{source.name}` calls itself", "write the recursion as a loop")
        if isinstance(tree, gast.AsyncFunctionDef) or _is_generator(tree):
            return self.refuse(node, f"`{source.name}` is a generator or a coroutine", "write an ordinary function")
        name = getattr(tree, "name", "lambda")
        static = bool(self.active_frames) and self.frame.static
        frame = Frame(source, {}, parent, static, "" if static else f"{name}_")
        try:
            frame.environment.update(self.bind(node, tree, source, parent, args, keywords))
        except TypeError as error:
            return self.refuse(node, f"`{name}` {error}", "match its parameters")
        return self.run(frame, tree)

    def run(self, frame: Frame, tree: gast.FunctionDef | gast.Lambda) -> Value:
        """The value that a function's body returns in a frame whose parameters are bound."""
        with self.inside(frame):
            if isinstance(tree, gast.Lambda):
                with self.builder.at(self.origin(tree)):
                    self.node = tree
                    return self.expression(tree.body)
            self.body(tree.body)
            result = frame.environment.get(RESULT, Const(None))
            return Const(None) if is_undefined(result) else result

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
        signature = tree.args
        positional = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
        bound: dict[str, Value] = dict(zip(positional, args, strict=False))
        if len(args) > len(positional):
            if signature.vararg is None:
                raise TypeError(f"takes {len(positional)} positional arguments but {len(args)} were given")
        if signature.vararg is not None:
            bound[signature.vararg.id] = tuple(args[len(positional) :])
        if signature.kwarg is not None:
            raise TypeError("has a `**` parameter")
        only = [arg.id for arg in signature.kwonlyargs]
        for key, value in keywords.items():
            if key not in positional + only or key in (arg.id for arg in signature.posonlyargs):
                raise TypeError(f"got an unexpected keyword argument '{key}'")
            if key in bound:
                raise TypeError(f"got multiple values for argument '{key}'")
            bound[key] = value
        for name in positional + only:
            if name not in bound:
                bound[name] = self._default(tree, source, parent, name)
        return bound

    def _default(self, tree: Any, source: Source, parent: Frame | None, name: str) -> Value:
        if parent is None:
            default = inspect.signature(source.function).parameters[name].default
            if default is inspect.Parameter.empty:
                raise TypeError(f"missing an argument: '{name}'")
            return Const(default)
        signature = tree.args
        positional = [arg.id for arg in [*signature.posonlyargs, *signature.args]]
        nodes = dict(zip(reversed(positional), reversed(signature.defaults), strict=False))
        nodes.update({a.id: d for a, d in zip(signature.kwonlyargs, signature.kw_defaults, strict=True) if d is not None})
        if name not in nodes:
            raise TypeError(f"missing an argument: '{name}'")
        with self.inside(parent):
            return self.expression(nodes[name])


def _may_act(callee: Any) -> bool:
    """Whether a call may do more than compute a result: what is neither known nor NumPy's."""
    if registry.get(callee) is not None or callee in (isinstance, len, range, slice, type, repr, str, format, reversed):
        return False
    module = getattr(callee, "__module__", None) or ""
    if module.startswith("numpy") and "random" not in module:
        return False
    return not (module in ("math", "operator", "_operator", "srcgrad.runtime") or
                (isinstance(callee, type) and issubclass(callee, BaseException)) or
                getattr(callee, "__name__", "") in ("float", "int", "bool", "complex", "tuple", "abs", "round"))  # fmt: skip


def _is_generator(tree: Any) -> bool:
    from_lambda = isinstance(tree, gast.Lambda)
    return not from_lambda and any(isinstance(n, gast.Yield | gast.YieldFrom) for n in gast.walk(tree))


def _name(callee: Any) -> str:
    return getattr(callee, "__qualname__", None) or getattr(callee, "__name__", None) or repr(callee)
