"""Names that a user may have meant: operations with a rule that are spelt like one without."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from srcgrad.rules.rule import Key, Operation, registry

_SHORT = 4  # letters: among names so short there is always one that is near


def near_misses(operation: Any) -> str:
    """The spellings nearest to that of an operation, of the same kind, as text; empty where there are none."""
    if operation is tuple:
        return "`list`"
    name = _name(operation)
    known = {
        _name(known)
        for rule in registry
        if rule.form != "constant"
        for known in rule.operations
        if _is_public(known) and isinstance(known, Key) == isinstance(operation, Key)
    }
    if len(name) <= _SHORT:
        return ""
    found = difflib.get_close_matches(name, sorted(known - {name, ""}), n=3, cutoff=0.75)
    return ", ".join(f"`{match}`" for match in found)


def _name(operation: Any) -> str:
    return str(operation.name if isinstance(operation, Key) else getattr(operation, "__name__", ""))


def _is_public(operation: Operation) -> bool:
    """Whether users call this by its name: no helper of generated code, and no method of a ufunc."""
    if isinstance(operation, Key):
        return True
    module = str(getattr(operation, "__module__", None) or "")
    return not module.startswith("srcgrad") and not isinstance(getattr(operation, "__self__", None), np.ufunc)
