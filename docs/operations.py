"""Writes `docs/operations.md`, all operations with a rule, from the registry: `python -m docs.operations`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

from srcgrad import rules
from srcgrad.emit.paths import path_of
from srcgrad.rules.rule import Key, Operation, Rule, registry

HEAD = """# Operations

Written by `python -m docs.operations` from the registry of rules: what a differentiated function may call. A call with
a parameter that is not listed is refused. Functions of yours need no rule: they are read and differentiated themselves.

`form` says how a rule is given: *elementwise* with one derivative for each element, *linear* and *bilinear* by
transposes, *general* by a transpose written out.
"""


def page() -> str:
    """The text of the page."""
    assert rules.__doc__  # the import fills the registry
    families: dict[str, list[Rule]] = {}
    for rule in registry:
        if rule.form != "constant" and any(map(_is_public, rule.operations)):
            families.setdefault(_family(rule), []).append(rule)
    parts = [HEAD, *(_section(name, families[name]) for name in sorted(families)), _constants()]
    return "\n".join(parts)


def _family(rule: Rule) -> str:
    """The file that the rule stands in."""
    return next(iter(rule.vjps.values())).function.__module__.rpartition(".")[2]


def _section(name: str, members: list[Rule]) -> str:
    title = name.replace("_", " ").capitalize()
    rows = sorted(
        (", ".join(_spellings(rule)), rule.form, _parameters(rule), ", ".join(f"`{n}`" for n in rule.differentiable))
        for rule in members
    )
    head = "| operation | form | parameters | differentiable in |\n| --- | --- | --- | --- |\n"
    return f"## {title}\n\n{head}" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _constants() -> str:
    names = _sorted(name for rule in registry if rule.form == "constant" for name in _spellings(rule))
    return f"## Without a derivative\n\nTheir results are constants as far as derivatives go.\n\n{', '.join(names)}\n"


def _parameters(rule: Rule) -> str:
    shown = (
        f"`{name}`" if default is inspect.Parameter.empty else f"`{name}={_default(default)}`"
        for name, default in rule.parameters.items()
    )
    return ", ".join(shown)


def _default(value: object) -> str:
    return getattr(value, "__name__", None) or repr(value)


def _spellings(rule: Rule) -> list[str]:
    return _sorted(map(_spelling, filter(_is_public, rule.operations)))


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(names), key=lambda name: (name.lower(), name))


def _is_public(operation: Operation) -> bool:
    """Whether a user may call it: the helpers of generated code have rules too."""
    return isinstance(operation, Key) or not (operation.__module__ or "").startswith("srcgrad.")


def _spelling(operation: Operation) -> str:
    if isinstance(operation, Key):
        return f"`x.{operation.name}`" if operation.kind == "attribute" else f"`x.{operation.name}()`"
    return f"`{path_of(operation)[1]}`"


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text(page(), encoding="utf-8")
