"""The call of a derivative, generated for its parameters: a key made of the arguments, and one look into a dictionary.

    grad(f) of `def f(x, n=2): ...` is called through

    def f(x, n=_default1):
        _key0 = _type(x)
        if _key0 is _ndarray:
            _shape = x.shape
            _key0 = (x.dtype, _len(_shape)) if 1 not in _shape else _key_of(x)
        elif _key0 not in _PLAIN:
            _key0 = _key_of(x)
        ...
        _variant = _ready.get((_key0, _key1))
        if _variant is None:
            _variant = _find((_key0, _key1), (x, n))
        _derivative._last = _variant
        try:
            return _variant.run(x, n)
        except _Exception as _error:
            _annotate(_error, _variant)
            raise

A function with `*args, **kwargs` in its place would pack and unpack the arguments at every call, which costs more than
many a gradient of a few numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from srcgrad.emit.module import load_module
from srcgrad.types import PROGRAM, fields_of, hashable

PLAIN = frozenset((float, int, bool, complex, str, type(None), np.float64, np.float32))
"""Types of which nothing else than the type matters; any other argument is handed to `key_of`."""

_DEPTH = 8  # of containers in each other, which an object that holds itself would exceed

_ITSELF = "itself"  # before a function, class or module in a key, where a class alone is the type of a value

_FORMS = {"KEYWORD_ONLY": "{0}={0}", "VAR_POSITIONAL": "*{0}", "VAR_KEYWORD": "**{0}"}

_KEY = """\
    {key} = {p}type({x})
    if {key} is {p}ndarray:
        {p}shape = {x}.shape
        {key} = ({x}.dtype, {p}len({p}shape)) if 1 not in {p}shape else {p}key_of({x})
    elif {key} not in {p}PLAIN:
        {key} = {p}key_of({x})
"""
_FIND = """\
    {p}variant = {p}ready.get(({keys}))
    if {p}variant is None:
        {p}variant = {p}find(({keys}), ({values}))
    {p}derivative._last = {p}variant
"""
_RUN = """\
    try:
        return {p}variant.run({arguments})
    except {p}Exception as {p}error:
        {p}annotate({p}error, {p}variant)
        raise
"""
_RUN_SEEDED = """\
    {p}seed = {p}fitted({seed}, {p}variant, ({values}))
    try:
        {p}result = {p}variant.run({arguments}, {seed}={p}seed)
    except {p}Exception as {p}error:
        {p}annotate({p}error, {p}variant)
        raise
    {p}confirm({seed}, {p}seed, {p}result[0])
    return {p}result
"""


def key_of(value: Any, depth: int = 0) -> Any:
    """What of an argument the generated code depends on: kind, dtype, rank and unit axes, never sizes.

    Two values with one key have one type (`srcgrad.types.type_of`), but for the lengths of axes; keys are made in a
    tenth of the time.

    >>> key_of(np.ones((3, 2))) == key_of(np.ones((5, 4))) != key_of(np.ones((3, 1)))
    True
    """
    kind = type(value)
    if kind in PLAIN:
        return kind
    if kind is np.ndarray:
        shape = value.shape
        return (value.dtype, len(shape), tuple([n == 1 for n in shape])) if 1 in shape else (value.dtype, len(shape))
    if isinstance(value, np.generic):
        return value.dtype
    if isinstance(value, PROGRAM):
        return (_ITSELF, value) if hashable(value) else kind
    return _key_of_parts(value, depth) if depth <= _DEPTH else kind


def _key_of_parts(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is tuple:
        return (kind, *[key_of(item, depth + 1) for item in value])
    if kind is list:
        keys = [key_of(item, depth + 1) for item in value]
        several = dict.fromkeys(keys)
        if len(several) > 1 and any(map(_mentions_function, several)):
            return (kind, len(keys), *keys)
        return (kind, *several)
    fields = value if kind is dict else fields_of(value)
    if fields is None:
        return kind
    return (kind, tuple(fields), *[key_of(item, depth + 1) for item in fields.values()])


def _mentions_function(key: Any) -> bool:
    return isinstance(key, tuple) and (key[:1] == (_ITSELF,) or any(map(_mentions_function, key)))


def call_of(
    name: str,
    signature: inspect.Signature,
    owner: tuple[Any, ...],
    seed: str | None,
    helpers: Mapping[str, Any],
) -> Any:
    """The function that a derivative is called through.

    `signature` is that of the derivative, the seed included, whose name is `seed`, or None; `owner` holds what is
    passed before the arguments, the object of a bound method; `helpers` are `ready`, `find`, `annotate` and the others
    that the text names, without the prefix.
    """
    parameters = [p for p in signature.parameters.values() if p.name != seed]
    prefix = _free_prefix(signature.parameters)
    builtins = {"type": type, "len": len, "Exception": Exception, "ndarray": np.ndarray}
    own = {**helpers, **builtins, "PLAIN": PLAIN, "key_of": key_of, **({"owner": owner[0]} if owner else {})}
    namespace = {prefix + key: value for key, value in own.items()}
    header = _header(signature, prefix, namespace)
    first = [f"{prefix}owner"] if owner else []
    names = [*first, *(p.name for p in parameters)]
    keys = [f"{prefix}key{i}" for i in range(len(names))]
    text = f"def {name}{header}:\n"
    text += "".join(_KEY.format(p=prefix, key=key, x=x) for key, x in zip(keys, names, strict=True))
    arguments = ", ".join(first + _arguments(parameters))
    body = _FIND + (_RUN_SEEDED if seed else _RUN)
    text += body.format(p=prefix, keys=_items(keys), values=_items(names), seed=seed, arguments=arguments)
    return load_module(text, f"call of {name}", namespace)[name]


def _free_prefix(names: Iterable[str]) -> str:
    """A prefix that no parameter begins with.

    >>> _free_prefix(["x", "_y"])
    '__'
    """
    prefix = "_"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


class _Written:
    """Prints as a name: `inspect.Signature` formats the defaults of a signature with their `repr`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _header(signature: inspect.Signature, prefix: str, namespace: dict[str, Any]) -> str:
    """The parameters as text; puts their defaults into the namespace."""
    found = []
    for i, parameter in enumerate(signature.parameters.values()):
        default: Any = parameter.default
        if default is not parameter.empty:
            namespace[f"{prefix}default{i}"] = default
            default = _Written(f"{prefix}default{i}")
        found.append(parameter.replace(default=default, annotation=parameter.empty))
    return str(signature.replace(parameters=found, return_annotation=signature.empty))


def _items(names: list[str]) -> str:
    """What stands between the parentheses of a tuple of these names."""
    return ", ".join(names) + ("," if len(names) == 1 else "")


def _arguments(parameters: Iterable[inspect.Parameter]) -> list[str]:
    """The parameters as the arguments of a call of the generated function."""
    return [_FORMS.get(p.kind.name, "{0}").format(p.name) for p in parameters]
