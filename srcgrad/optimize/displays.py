"""Elements of lists and dicts that stay as they were written down, by the names that they were written down with.

    b.3 = make_list(p.1, q.2)               b.3 = make_list(p.1, q.2)
    _item.4 = operator.getitem(b.3, 1)
    store[](_item.4, 0, x.0)         ->     store[](q.2, 0, x.0)

An array is so known by one name where it can be. Left alone is a list whose elements are replaced, that is handed to
something else, or through which an element is written of which it is not known which one it is.
"""

from __future__ import annotations

import operator

from srcgrad.frontend.memory import WRITERS, Facts
from srcgrad.ir import Atom, Const, Fn, Function, Let, Make, Var
from srcgrad.optimize.rewriter import Rewriter

_READERS = (len, sum, min, max, sorted, list, tuple, set, any, all)


def name_elements(function: Function) -> Function:
    """The function with elements of unchanged displays taken by their own names."""
    facts = Facts(function)
    found: dict[str, Atom] = {}
    for name, made in facts.definition.items():
        if isinstance(made, Let) and isinstance(made.op, Make) and made.op.kind in ("list", "dict"):
            found.update(_elements(facts, name, made))
    return _Named(function, found).run() if found else function


class _Named(Rewriter):
    def __init__(self, function: Function, found: dict[str, Atom]) -> None:
        super().__init__(function)
        self.found = found

    def let(self, let: Let) -> None:
        if let.target in self.found:
            self.replaced[let.target] = self.found[let.target]
            self.types.pop(let.target, None)
        else:
            self.emit(let)


def _elements(facts: Facts, name: str, made: Let) -> dict[str, Atom]:
    """The names of elements that are taken out of a display, and the atoms that they are."""
    slots = list(made.args) if made.op == Make("list") else []
    keys = dict(zip(made.args[::2], made.args[1::2], strict=True)) if made.op == Make("dict") else {}
    found: dict[str, Atom] = {}
    for _, stmt in facts.uses.get(name, []):
        if not isinstance(stmt, Let) or not _reads(facts, stmt, name):
            return {}
        if stmt.op != Fn(operator.getitem) or stmt.target is None:
            continue
        index = stmt.args[1]
        if isinstance(index, Const) and isinstance(index.value, int) and -len(slots) <= index.value < len(slots):
            found[stmt.target] = slots[index.value]
        elif isinstance(index, Const) and index in keys:
            found[stmt.target] = keys[index]
        elif stmt.target in facts.written_through:
            return {}
    return found


def _reads(facts: Facts, let: Let, name: str) -> bool:
    """Whether a use of a list or dict neither changes which elements it has nor makes another name for it."""
    if isinstance(let.op, WRITERS) or Var(name) not in let.args[:1] or Var(name) in let.args[1:]:
        return False
    if let.op == Fn(operator.getitem):
        return True
    module = getattr(getattr(let.op, "target", None), "__module__", None) or ""
    return isinstance(let.op, Fn) and (let.op.target in _READERS or module.partition(".")[0] == "numpy")
