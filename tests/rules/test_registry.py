"""Every rule of the registry, for every operation that it is for, against differences and against its tangent."""

from __future__ import annotations

from typing import Any

import pytest

from srcgrad import rules
from srcgrad.rules.rule import Key, Rule, registry
from srcgrad.testing import check_rule

CASES = [(rule, operation) for rule in registry if rule.form != "constant" for operation in rule.operations]


def _name(value: Any) -> str:
    if isinstance(value, Rule):
        return value.name
    return f"{value.kind}.{value.name}" if isinstance(value, Key) else f"{value.__module__}.{value.__name__}".lower()


@pytest.mark.parametrize(("rule", "operation"), CASES, ids=_name)
def test_rule(rule: Rule, operation: Any) -> None:
    check_rule(rule, operation)


def test_the_package_fills_the_registry() -> None:
    assert rules.__doc__
    assert CASES
