"""The public name of a callable, and the import that makes it available.

>>> import numpy as np
>>> path_of(np.linalg.norm)
('import numpy as np', 'np.linalg.norm')
>>> path_of(np.add.at)
('import numpy as np', 'np.add.at')
>>> path_of(len)
('', 'len')
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from srcgrad import ir

_NUMPY = "import numpy as np"
_NUMPY_MODULES = ("", "linalg", "fft", "random", "char", "emath", "polynomial")
_SCIPY_MODULES = ("special", "linalg", "fft", "signal", "stats", "integrate", "optimize", "interpolate", "ndimage")


def path_of(target: Callable[..., Any]) -> tuple[str, str]:
    """The import statement ("" for none) and the expression that names a callable."""
    if ir.is_builtin(target):
        return "", target.__name__
    owner = getattr(target, "__self__", None)
    if isinstance(owner, np.ufunc):
        statement, path = path_of(owner)
        return statement, f"{path}.{target.__name__}"
    name = str(getattr(target, "__qualname__", None) or getattr(target, "__name__", repr(target)))
    module = str(getattr(target, "__module__", None) or "")
    for home, known in (("operator", operator), ("math", math)):
        if getattr(known, name, None) is target:
            return f"import {home}", f"{home}.{name}"
    if module == "srcgrad.runtime" or module.startswith("srcgrad.runtime."):
        return f"from srcgrad.runtime import {name}", name
    if module.startswith("srcgrad.rules."):
        return f"from srcgrad.rules import {module.rpartition('.')[2]}", f"{module.rpartition('.')[2]}.{name}"
    return _numpy(target, name) or _scipy(target, name) or _library(target, module, name) or ("", name)


def _numpy(target: object, name: str) -> tuple[str, str] | None:
    for part in _NUMPY_MODULES:
        module = getattr(np, part) if part else np
        if getattr(module, name.rpartition(".")[2], None) is target:
            return _NUMPY, ".".join(filter(None, ("np", part, name.rpartition(".")[2])))
    home, *inner = str(getattr(target, "__module__", None)).split(".")
    module = sys.modules.get(".".join((home, *inner)))
    if home == "numpy" and not any(part.startswith("_") for part in inner) and getattr(module, name, None) is target:
        return _NUMPY, ".".join(("np", *inner, name))  # of a module in a module: `np.polynomial.legendre.leggauss`
    if callable(target):
        return None
    objects = (f"np.{name}" for name, found in vars(np).items() if found is target)  # `np.mgrid`
    return next(((_NUMPY, path) for path in objects), None)


def _library(target: object, module: str, name: str) -> tuple[str, str] | None:
    """What a module of Python's library has under its own name."""
    if module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    for shown in (name, name.rpartition(".")[2]):  # the functions of `random` are methods of an object
        if getattr(sys.modules.get(module), shown, None) is target:
            return f"import {module}", f"{module}.{shown}"
    return None


def _scipy(target: object, name: str) -> tuple[str, str] | None:
    for part in _SCIPY_MODULES:
        if getattr(sys.modules.get(f"scipy.{part}"), name, None) is target:
            return f"from scipy import {part}", f"{part}.{name}"
    return None
