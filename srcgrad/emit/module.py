"""Generated text as a module: imports, functions, and the loading of it such that debuggers see its lines.

    text = module_text([function], "Gradient of `f`.")
    gradient = load_module(text, "f_grad", {})["f_grad"]
"""

from __future__ import annotations

import builtins
import hashlib
import linecache
from typing import Any

import gast

from srcgrad import ir
from srcgrad.emit.expressions import IMPORTED, dotted
from srcgrad.emit.printer import print_tree
from srcgrad.emit.raise_ import imports_of, raise_function


def module_text(functions: list[ir.Function], header: str) -> str:
    """The text of a module with these functions; `header` becomes its docstring where it is not empty."""
    lines = {line for f in functions for line in imports_of(f)}
    unhiding = _Unhiding(hidden_names(functions, lines))
    reserved = reserved_names(functions, [*lines, *(line for line, _ in unhiding.hidden.values())])
    raised = [unhiding.visit(raise_function(function, reserved)) for function in functions]
    imports = merged({line for line in lines if _bound(line) not in unhiding.hidden} | unhiding.imports)
    doc = [gast.Expr(gast.Constant(header, None))] if header else []
    return print_tree(gast.Module([*doc, *gast.parse("\n".join(imports)).body, *raised], [])) + "\n"


def hidden_names(functions: list[ir.Function], lines: set[str]) -> dict[str, tuple[str, str]]:
    """The imported names and builtins that a parameter hides, with another import and path for each.

    A parameter has to keep its name: `def f(range, zeros)` reads `builtins.range` and `srcgrad.runtime.zeros`.
    """
    params = {ir.hint(param.name) for function in functions for param in function.params}
    hidden = {name: ("import builtins", f"builtins.{name}") for name in params if hasattr(builtins, name)}
    for line in lines:
        name = _bound(line)
        if name in params:
            hidden[name] = _otherwise(line, name)
    return dict(sorted(hidden.items()))


def _bound(line: str) -> str:
    """The name that an import line binds: `np` for `import numpy as np`."""
    return line.split()[-1]


def _otherwise(line: str, name: str) -> tuple[str, str]:
    if line.startswith("from "):
        module = line.split()[1]
        return f"import {module}", f"{module}.{name}"
    module = line.split()[1]
    return f"import {module} as {name}_module", f"{name}_module"


class _Unhiding(gast.NodeTransformer):  # type: ignore[misc]
    def __init__(self, hidden: dict[str, tuple[str, str]]) -> None:
        self.hidden = hidden
        self.imports: set[str] = set()

    def visit_Name(self, node: Any) -> Any:
        if node.type_comment != IMPORTED or node.id not in self.hidden:
            return node
        line, path = self.hidden[node.id]
        self.imports.add(line)
        return dotted(path)


def merged(lines: set[str]) -> list[str]:
    """Import lines in order, one for every module.

    >>> merged({"from a import y", "from a import x", "import numpy as np"})
    ['import numpy as np', 'from a import x, y']
    """
    names: dict[str, list[str]] = {}
    for line in sorted(lines):
        if line.startswith("from "):
            module, _, name = line.partition(" import ")
            names.setdefault(module, []).append(name)
    plain = [line for line in sorted(lines) if line.startswith("import ")]
    return plain + [f"{module} import {', '.join(imported)}" for module, imported in names.items()]


def reserved_names(functions: list[ir.Function], imports: list[str]) -> frozenset[str]:
    """The names that variables of the functions must not hide."""
    modules = {name.strip(",") for line in imports for name in line.split()}
    own = {function.name for function in functions}
    read = {stmt.op for f in functions for stmt in ir.walk(f.body) if isinstance(stmt, ir.Let)}
    names = {op.name for op in read if isinstance(op, ir.Global)}
    called = {getattr(op.target, "__name__", "") for op in read if isinstance(op, ir.Fn) and ir.is_builtin(op.target)}
    return frozenset(modules | own | names | called | {"slice", "range", "float", "complex"})


def load_module(text: str, name_hint: str, namespace: dict[str, object]) -> dict[str, Any]:
    """Runs the text in a new namespace that has what is in `namespace`, and returns that namespace.

    The code's file name is made from the text, and `linecache` has its lines, so that tracebacks and pdb show them.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    file = f"<srcgrad {name_hint}-{digest}>"
    # Without a time of change the entry survives `linecache.checkcache`.
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    loaded: dict[str, Any] = {**namespace, "__name__": f"srcgrad.generated.{name_hint}"}
    exec(compile(text, file, "exec"), loaded)
    return loaded
