"""Names that a user may have meant: operations with a rule that are spelt like one without."""

from __future__ import annotations

import difflib
from typing import Any

from srcgrad.rules.rule import Key, registry


def near_misses(operation: Any) -> str:
    """The spellings nearest to that of an operation, as text; empty where there are none."""
    if operation is tuple:
        return "`list`"
    name = operation.name if isinstance(operation, Key) else getattr(operation, "__name__", "")
    known = {
        getattr(known, "name", "") or getattr(known, "__name__", "")
        for rule in registry
        if rule.form != "constant"
        for known in rule.operations
    }
    found = difflib.get_close_matches(name, sorted(known - {name, ""}), n=3, cutoff=0.6)
    return ", ".join(f"`{match}`" for match in found)
