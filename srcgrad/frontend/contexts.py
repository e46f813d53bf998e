"""Lowering of `with`, `import` and `del`.

    with np.errstate(all="ignore"):          _errstate.1 = numpy.errstate(all="ignore")
        y = 1 / x                      ->    enter(_errstate.1)
                                             y.2 = truediv(1, x.0)
                                             exit()

`with no_grad():` leaves nothing but calls of `stop_gradient`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import operator
import sys
import types as python_types
from collections.abc import Callable
from typing import Any

import gast

from srcgrad.errors import SourceUnavailable
from srcgrad.frontend.scope import contains
from srcgrad.frontend.sequences import Sequences
from srcgrad.frontend.source import source_of
from srcgrad.frontend.values import Table, Value, mapped
from srcgrad.ir import Atom, Const, Enter, Exit, Fn, Var
from srcgrad.runtime import no_grad

_SAFE_MODULES = ("numpy", "io", "_io", "warnings", "threading", "decimal", "time", "tempfile", "builtins", "_thread")


class Contexts(Sequences):
    # with

    def _stmt_with(self, node: gast.With) -> None:
        self._with_items(node, list(node.items))

    def _with_items(self, node: gast.With, items: list[gast.withitem]) -> None:
        if not items:
            self.body(node.body)
            return
        first, *rest = items
        if self._is_no_grad(first.context_expr):
            self._without_gradient(lambda: self._with_items(node, rest))
            return
        manager = self._manager(first.context_expr)
        if manager is None:
            return
        entered = self.builder.let(Enter(), [manager], effect=True)
        if first.optional_vars is not None:
            self._suggest(first.optional_vars, entered)
            self.assign(first.optional_vars, entered)
        self._with_items(node, rest)
        self.builder.do(Exit())

    def _is_no_grad(self, node: gast.AST) -> bool:
        return isinstance(node, gast.Call) and self.expression(node.func) == Const(no_grad)

    def _without_gradient(self, lower: Callable[[], None]) -> None:
        """What the statements assign counts as constant from here on; what they store does so at once."""
        before = dict(self.frame.environment)
        self.constant += 1
        lower()
        self.constant -= 1
        for name, value in list(self.frame.environment.items()):
            if before.get(name) is not value:
                self.frame.environment[name] = mapped(value, self.stopped_leaf)

    def _manager(self, node: gast.AST) -> Atom | None:
        """The context manager, refused when it may swallow an exception."""
        callee = self.expression(node.func) if isinstance(node, gast.Call) else None
        if isinstance(callee, Const):
            problem = _swallows(callee.value)
            if not problem:
                args, keywords = self.items(node.args), self.keywords(node)
                return self._made_manager(node, callee.value, args, keywords)
        else:
            value = self.expression(node)
            cls = self.class_of(value) or (type(value.value) if isinstance(value, Const) else None)
            problem = "is not known before the call" if cls is None else _swallows(cls)
            if not problem:
                return self.as_atom(value, node)
        self.refuse(node, f"this context manager {problem}", "do it outside of the differentiated function")
        return None

    def _made_manager(self, node: gast.AST, callee: Any, args: list[Value], keywords: dict[str, Value]) -> Atom:
        module = (getattr(callee, "__module__", None) or "").partition(".")[0]
        if module in _SAFE_MODULES:
            return self.primitive(node, callee, args, keywords)
        function = self.runtime_object(callee, getattr(callee, "__name__", "manager"))
        atoms = [function, *(self.as_atom(arg, node) for arg in args)]
        named = [(key, self.as_atom(value, node)) for key, value in keywords.items()]
        return self.builder.let(Fn(operator.call), atoms, named, effect=True)

    # import

    def _stmt_import(self, node: gast.Import) -> None:
        for alias in node.names:
            module = self._module(node, alias.name)
            if module is not None:
                name = alias.asname or alias.name.partition(".")[0]
                found = module if alias.asname else sys.modules[name]
                self.frame.environment[self.frame.key(name)] = Const(found)

    def _stmt_importfrom(self, node: gast.ImportFrom) -> None:
        package = self.frame.source.function.__globals__.get("__package__") or ""
        try:
            path = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
        except ImportError:
            path = node.module or ""
        module = self._module(node, path)
        for alias in node.names if module is not None else []:
            found = getattr(module, alias.name, None) or sys.modules.get(f"{path}.{alias.name}")
            if found is None:
                self.refuse(node, f"`{path}` has no `{alias.name}`", "check the name")
                continue
            name = alias.asname or alias.name
            value = self._attribute_of_module(module, alias.name, found)  # type: ignore[arg-type]
            self.frame.environment[self.frame.key(name)] = value

    def _module(self, node: gast.AST, name: str) -> python_types.ModuleType | None:
        """A module that is loaded already, or that can be without running code of the user's."""
        if name in sys.modules:
            return sys.modules[name]
        if name.partition(".")[0] in (*sys.stdlib_module_names, "numpy"):
            try:
                return importlib.import_module(name)
            except ImportError:
                pass
        self.refuse(node, f"the module `{name}` is imported here for the first time", "import at the top of the module")
        return None

    # del

    def delete_element(self, target: gast.AST) -> None:
        if not isinstance(target, gast.Subscript):
            super().delete_element(target)
            return
        base = self.expression(target.value)
        if isinstance(base, Var) and self.builder.type(base).kind == "list":
            self.delete_from_list(target, base)
            return
        index = self.index(target.slice)
        if isinstance(base, Var) and self.builder.type(base).kind == "dict":
            self.take_item(target, base, index)
            return
        if isinstance(base, Table) and isinstance(target.value, gast.Name) and isinstance(index, Const):
            self._delete_known(target, base, index.value)
            return
        known = self.builder.type(base) if isinstance(base, Var) else None
        if isinstance(base, Var) and known is not None and known.kind == "object":
            self.builder.let(Fn(operator.delitem), [base, index], effect=True)
            return
        self.refuse(target, "`del` of an element that may carry a derivative", "build a new container")

    def _delete_known(self, target: gast.Subscript, base: Table, key: Any) -> None:
        keys = list(base.keys) if base.kind == "dict" else list(range(len(base.items)))
        if base.kind == "list" and isinstance(key, int):
            key = key % len(keys)
        if key not in keys:
            self.refuse(target, f"there is no element {key!r} to delete", "check the key")
            return
        holders = [name for name, value in self.frame.environment.items() if value is base]
        if len(holders) > 1:
            self.refuse(target, "this list or dict of functions is held under a second name", "build a new one")
            return
        kept = [(k, item) for k, item in zip(keys, base.items, strict=True) if k != key]
        new_keys = tuple(k for k, _ in kept) if base.kind == "dict" else ()
        self.assign(target.value, Table(base.kind, new_keys, tuple(item for _, item in kept)))


def _swallows(callee: Any) -> str:
    """Why a context manager may keep an exception from leaving, empty if it does not."""
    module = (getattr(callee, "__module__", None) or "").partition(".")[0]
    if module in _SAFE_MODULES or callee is contextlib.nullcontext:
        return ""
    wrapped = getattr(callee, "__wrapped__", None)
    exit_method = getattr(callee, "__exit__", None) if isinstance(callee, type) else None
    if exit_method is None and wrapped is None:
        return "may swallow exceptions"
    try:
        tree = source_of(wrapped if exit_method is None else exit_method).tree
    except SourceUnavailable:
        return "may swallow exceptions"
    if exit_method is None:
        tried = [n for n in gast.walk(tree) if isinstance(n, gast.Try) and n.handlers]
        return "may swallow exceptions" if any(contains(n.body, (gast.Yield,)) for n in tried) else ""
    returned = [n.value for n in gast.walk(tree) if isinstance(n, gast.Return) and n.value is not None]
    harmless = all(isinstance(value, gast.Constant) and not value.value for value in returned)
    return "" if harmless else "may swallow exceptions"
